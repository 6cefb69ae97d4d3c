"""Certificates and private keys as people upload them: PEM in, what was checked out, or one of AWS's faults.

What is uploaded is hostile: every size is bounded before the first step that costs anything. In this order: the number of PEM
blocks and their lengths, encryption, the kind of key, its size, whether it is the certificate's, the key's own arithmetic (a
quarter of a second for an RSA key of 4096 bits, a minute for one of 16384), and the chain's signatures. Nothing is fetched: no
issuer, no list of revoked certificates. Messages are AWS's, with a second sentence where AWS leaves people alone.
"""

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key
from cryptography.x509.oid import PublicKeyAlgorithmOID

from iamconsole.errors import InvalidCertificate, KeyPairMismatch, MalformedCertificate

LONGEST_BODY = 16_384  # characters: AWS's limit of a certificate and of a private key
LONGEST_CHAIN = 20  # certificates; AWS only bounds the characters, at 2 MiB
RSA_BITS = range(2048, 4096 + 1)
CURVES = ("secp256r1", "secp384r1", "secp521r1")

UNREADABLE = "Unable to parse certificate. Please ensure the certificate is in PEM format."
EXPIRED = "Certificate is no longer valid. The 'Not After' date restriction on the certificate has passed."
NOT_YET = "Certificate is not valid yet. The 'Not Before' date restriction on the certificate has not passed."
MISMATCH = "The private key did not match the public key provided. Please verify the key material and try again."
BAD_CHAIN = (
    "Unable to validate certificate chain. The certificate chain must start with the immediate signing certificate, followed by"
    " any intermediaries in order. The index within the chain of the invalid certificate is: {index}"
)
BAD_KEY = "Invalid Private Key."
WEAK = "Certificate is signed with SHA-1 or MD5, and TLS servers and clients refuse that: have it issued again with SHA-256."
MALFORMED = "Certificate {named} is malformed."

_BLOCK = re.compile(
    r"-----BEGIN ([A-Z0-9 ]{1,40})-----[ \t]*\r?\n((?:[A-Za-z0-9+/=]+[ \t]*\r?\n)+)-----END \1-----", re.ASCII
)
_SPACE = re.compile(r"[ \t\r\n]*")
# What each label must begin with, up to the kind of key. Of other kinds nothing more is read: OpenSSL would check the primes of
# some. What is not what its label says nginx cannot read.
_LENGTH = rb"(?:[\x00-\x7f]|\x81.|\x82..)"
_KINDS = {
    # PrivateKeyInfo (RFC 5208) of rsaEncryption or id-ecPublicKey
    "PRIVATE KEY": re.compile(
        rb"\x30" + _LENGTH + rb"\x02\x01[\x00\x01]\x30" + _LENGTH
        + rb"(?:\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01|\x06\x07\x2a\x86\x48\xce\x3d\x02\x01)",
        re.DOTALL,
    ),
    "RSA PRIVATE KEY": re.compile(rb"\x30" + _LENGTH + rb"\x02\x01\x00\x02", re.DOTALL),  # RFC 8017, A.1.2
    "EC PRIVATE KEY": re.compile(rb"\x30" + _LENGTH + rb"\x02\x01\x01\x04", re.DOTALL),  # RFC 5915
}  # fmt: skip

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


@dataclass(frozen=True)
class Uploaded:
    """A certificate that may be served: its texts as they are stored, each without a newline at its end."""

    body: str
    chain: str
    private_key: str
    expiration: datetime

    def __repr__(self) -> str:
        return f"Uploaded(expiration={self.expiration})"


@dataclass(frozen=True)
class Block:
    """One PEM block: its label, its bytes, and its text with plain line ends."""

    label: str
    der: bytes
    text: str


class _UnreadableError(Exception):
    """The text is not what was asked for. Caught in this module."""


def server_certificate(body: str, private_key: str, chain: str, now: datetime) -> Uploaded:
    """Check what UploadServerCertificate is given; ``chain`` may be empty. Raises MalformedCertificate, KeyPairMismatch."""
    try:
        leaf = _certificate(body)
    except _UnreadableError as error:
        raise MalformedCertificate(UNREADABLE) from error
    issuers = _issuers(chain)
    key_block = _private_key_block(private_key)
    key = _parsed_key(key_block.der)
    if now >= leaf[1].not_valid_after_utc:
        raise MalformedCertificate(EXPIRED)
    if now < leaf[1].not_valid_before_utc:
        raise MalformedCertificate(NOT_YET)
    if _is_weakly_signed(leaf[1]):
        raise MalformedCertificate(WEAK)
    try:
        public_key = _public_key(leaf[1])
    except _UnreadableError as error:
        raise MalformedCertificate(f"{UNREADABLE} {error}") from error
    if key.public_key() != public_key:
        raise KeyPairMismatch(MISMATCH)
    _check_chain(leaf, issuers)
    _check_arithmetic(key_block.der)  # what costs most comes last
    return Uploaded(
        leaf[0].text, "\n".join(block.text for block, _ in issuers), key_block.text, leaf[1].not_valid_after_utc
    )


@dataclass(frozen=True)
class Signing:
    """A signing certificate: its id, the base32 of the SHA-1 of its bytes (32 characters, as AWS's), and its text."""

    certificate_id: str
    body: str


def signing_certificate(body: str, now: datetime) -> Signing:
    """Check what UploadSigningCertificate is given. Raises MalformedCertificate, InvalidCertificate."""
    try:
        block, certificate = _certificate(body)
    except _UnreadableError as error:
        raise MalformedCertificate(MALFORMED.format(named=_named(body))) from error
    try:
        _public_key(certificate)
    except _UnreadableError as error:
        raise InvalidCertificate(str(error)) from error
    if now >= certificate.not_valid_after_utc:
        raise InvalidCertificate(EXPIRED)
    if now < certificate.not_valid_before_utc:
        raise InvalidCertificate(NOT_YET)
    digest = hashlib.sha1(block.der, usedforsecurity=False).digest()
    return Signing(base64.b32encode(digest).decode(), block.text)


@dataclass(frozen=True)
class Facts:
    """What a page tells of a stored certificate."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    key: str
    fingerprint: str


def facts(body: str) -> Facts:
    """What a certificate that was taken once says of itself."""
    block, certificate = _certificate(body)
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = tuple(found.get_values_for_type(x509.DNSName))
        addresses = tuple(map(str, found.get_values_for_type(x509.IPAddress)))
    except (x509.ExtensionNotFound, ValueError):
        names = addresses = ()
    key = _public_key(certificate)
    kind = f"RSA, {key.key_size} bits" if isinstance(key, rsa.RSAPublicKey) else f"ECDSA, {key.curve.name}"
    return Facts(
        certificate.subject.rfc4514_string(),
        certificate.issuer.rfc4514_string(),
        names + addresses,
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        kind,
        hashlib.sha256(block.der).digest().hex(":"),
    )


def canonical(text: str) -> str:
    """Stored PEM, each block in lines of 64 characters, a newline at the end: what every TLS server reads."""
    return "".join(_pem(block) for block in _blocks(text, most=LONGEST_CHAIN + 2))


def _pem(block: Block) -> str:
    encoded = base64.b64encode(block.der).decode()
    lines = "\n".join(encoded[start : start + 64] for start in range(0, len(encoded), 64))
    return f"-----BEGIN {block.label}-----\n{lines}\n-----END {block.label}-----\n"


def _named(body: str) -> str:
    """How AWS's message calls what it could not read: its text, of which a message holds the beginning."""
    return body[:64].strip().replace("\n", " ")


def _blocks(text: str, *, most: int) -> Iterator[Block]:
    """The PEM blocks of a text that holds nothing else. Raises _UnreadableError, for too many before any is read."""
    if text.count("-----BEGIN ") > most:
        raise _UnreadableError(f"It holds more than {most} blocks.")
    place = _end(_SPACE, text, 0)
    while place < len(text):
        found = _BLOCK.match(text, place)
        if found is None or found.end() - found.start() > LONGEST_BODY:
            raise _UnreadableError("It is not PEM.")
        try:
            der = base64.b64decode("".join(found[2].split()), validate=True)
        except ValueError as error:
            raise _UnreadableError("It is not PEM.") from error
        yield Block(found[1], der, "\n".join(line.rstrip() for line in found[0].splitlines()))
        place = _end(_SPACE, text, found.end())


def _end(pattern: re.Pattern[str], text: str, place: int) -> int:
    found = pattern.match(text, place)
    return found.end() if found else place


def _certificate(body: str) -> tuple[Block, x509.Certificate]:
    if len(body) > LONGEST_BODY:
        raise _UnreadableError("It is too long.")
    blocks = list(_blocks(body, most=1))
    if len(blocks) != 1:
        raise _UnreadableError("It is not one block.")
    return blocks[0], _parsed(blocks[0])


_UNTOLD = (x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)


def _parsed(block: Block) -> x509.Certificate:
    if block.label not in ("CERTIFICATE", "X509 CERTIFICATE"):
        raise _UnreadableError("It is not a certificate.")
    try:
        certificate = x509.load_der_x509_certificate(block.der)
        # All that is asked of it later, so that what cannot be told of it is no certificate.
        _ = certificate.not_valid_before_utc, certificate.not_valid_after_utc, certificate.subject, certificate.issuer
        _ = certificate.extensions, certificate.signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm, *_UNTOLD) as error:
        raise _UnreadableError("It is not a certificate.") from error
    return certificate


def _issuers(chain: str) -> list[tuple[Block, x509.Certificate]]:
    """The chain, read but not checked yet."""
    if chain.count("-----BEGIN ") > LONGEST_CHAIN:
        raise MalformedCertificate(
            f"{BAD_CHAIN.format(index=LONGEST_CHAIN)} A chain of more than {LONGEST_CHAIN} certificates is not read."
        )
    issuers: list[tuple[Block, x509.Certificate]] = []
    try:
        issuers.extend((block, _parsed(block)) for block in _blocks(chain, most=LONGEST_CHAIN))
    except _UnreadableError as error:
        raise MalformedCertificate(BAD_CHAIN.format(index=len(issuers))) from error
    if chain and not issuers:
        raise MalformedCertificate(BAD_CHAIN.format(index=-1))
    return issuers


def _check_chain(leaf: tuple[Block, x509.Certificate], issuers: list[tuple[Block, x509.Certificate]]) -> None:
    """Each must have been issued by the one after it; the leaf, whose index is -1, by the first. It is not told twice."""
    certificates = [leaf, *issuers]
    if leaf[0].der in {block.der for block, _ in issuers}:
        raise MalformedCertificate(BAD_CHAIN.format(index=-1))
    for index, (_, issuer) in enumerate(issuers):
        if _is_weakly_signed(issuer):
            raise MalformedCertificate(f"{BAD_CHAIN.format(index=index)} {WEAK}")
    for index, ((_, one), (_, issuer)) in enumerate(pairwise(certificates), start=-1):
        try:
            _public_key(issuer)
            one.verify_directly_issued_by(issuer)
        except (_UnreadableError, ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm) as error:
            raise MalformedCertificate(BAD_CHAIN.format(index=index)) from error
        if not _may_issue(issuer):
            raise MalformedCertificate(f"{BAD_CHAIN.format(index=index)} The next one is not an issuer's certificate.")


def _may_issue(certificate: x509.Certificate) -> bool:
    """Whether it says that it is an issuer's, or, as those of old do, nothing of that."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return True


def _is_weakly_signed(certificate: x509.Certificate) -> bool:
    """Whether anybody could have made up who issued it. Of a root, which signs itself, the signature says nothing."""
    return certificate.issuer != certificate.subject and isinstance(
        certificate.signature_hash_algorithm, hashes.MD5 | hashes.SHA1
    )


def _public_key(certificate: x509.Certificate) -> PublicKey:
    """The key of a certificate, of a kind and size whose checking costs little. Raises _UnreadableError with a sentence."""
    kinds = (PublicKeyAlgorithmOID.RSAES_PKCS1_v1_5, PublicKeyAlgorithmOID.EC_PUBLIC_KEY)
    if certificate.public_key_algorithm_oid not in kinds:
        raise _UnreadableError("The certificate's key must be RSA or ECDSA.")
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _UnreadableError("The certificate's key cannot be read.") from error
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey) or not _good_size(key):
        raise _UnreadableError(_SIZES.format(whose="The certificate's key"))
    return key


_SIZES = "{whose} must be RSA of 2048 to 4096 bits, or ECDSA on P-256, P-384 or P-521."


def _good_size(key: PublicKey | PrivateKey) -> bool:
    if isinstance(key, rsa.RSAPublicKey | rsa.RSAPrivateKey):
        return key.key_size in RSA_BITS
    return key.curve.name in CURVES


def _private_key_block(text: str) -> Block:
    """The one block with a private key; what ``openssl ecparam -genkey`` writes before it is passed over."""
    if len(text) > LONGEST_BODY:
        raise MalformedCertificate(BAD_KEY)
    if "ENCRYPTED" in text:
        raise MalformedCertificate(f"{BAD_KEY} It is encrypted: take its passphrase off first.")
    try:
        blocks = list(_blocks(text, most=2))
    except _UnreadableError as error:
        raise MalformedCertificate(f"{BAD_KEY} Give one key in PEM format and nothing else.") from error
    if blocks and blocks[0].label == "EC PARAMETERS":
        del blocks[0]
    if len(blocks) != 1 or blocks[0].label not in _KINDS:
        raise MalformedCertificate(f"{BAD_KEY} Give one key in PEM format and nothing else.")
    if not _KINDS[blocks[0].label].match(blocks[0].der):
        raise MalformedCertificate(f"{BAD_KEY} {_SIZES.format(whose='It')}")
    return blocks[0]


def _parsed_key(der: bytes) -> PrivateKey:
    """The key, its arithmetic unchecked, every number in it known to be small."""
    try:
        key = load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm, InternalError) as error:
        raise MalformedCertificate(BAD_KEY) from error
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) or not _good_size(key):
        raise MalformedCertificate(f"{BAD_KEY} {_SIZES.format(whose='It')}")
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.private_numbers()
        half = key.key_size // 2 + 1
        parts = (numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp)
        if max(part.bit_length() for part in parts) > half or numbers.p * numbers.q != numbers.public_numbers.n:
            raise MalformedCertificate(BAD_KEY)
        if numbers.d.bit_length() > key.key_size or numbers.public_numbers.e.bit_length() > key.key_size:
            raise MalformedCertificate(BAD_KEY)
    return key


def _check_arithmetic(der: bytes) -> None:
    """OpenSSL's own check of the key: primes that are primes, exponents that fit. Only for keys of a size that is known."""
    try:
        load_der_private_key(der, None)
    except (ValueError, TypeError, UnsupportedAlgorithm, InternalError) as error:
        raise MalformedCertificate(BAD_KEY) from error
