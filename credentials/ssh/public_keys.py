"""Reading an SSH public key: one key in OpenSSH's one-line form or in PEM, re-made from its numbers and from nothing else.

The encodings are those of RFC 4253 (6.6, ssh-rsa), RFC 5656 (3.1, ECDSA), RFC 8709 (4, Ed25519) and OpenSSH's PROTOCOL.u2f (the
sk- forms). What comes out is written anew: no byte of an upload that is not part of the key's own numbers outlives the reading.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from iamconsole.errors import InvalidPublicKey, UnrecognizedPublicKeyEncoding

UNRECOGNIZED = "Invalid public key uploaded."
INVALID = "Invalid body for public key"
NO_PEM = "A key that lives in a security key has no PEM encoding: ask for SSH."
LONGEST = 16384  # characters of an upload (publicKeyMaterialType)
RSA_BITS = range(2048, 8192 + 1)
LARGEST_EXPONENT_BITS = 64  # OpenSSL verifies nothing by larger ones
LONGEST_APPLICATION = 255
CURVES: Final = {"nistp256": ec.SECP256R1(), "nistp384": ec.SECP384R1(), "nistp521": ec.SECP521R1()}
NAMES_OF_CURVES: Final = {curve.name: name for name, curve in CURVES.items()}
RSA, ED25519, ECDSA = "ssh-rsa", "ssh-ed25519", "ecdsa-sha2-"
SK_ED25519, SK_ECDSA = "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"
ONE_LINE = re.compile(r"(?P<type>[a-z0-9@.-]{1,64}) +(?P<base64>[A-Za-z0-9+/]+={0,2})(?: [ -~\u00a0-\u00ff]*)?")
PEM = re.compile(
    r"-----BEGIN (?P<label>(?:RSA )?PUBLIC KEY)-----\r?\n(?P<base64>(?:[A-Za-z0-9+/]+={0,2}\r?\n)+)-----END (?P=label)-----"
)
# What each label must begin with, up to the kind of key: of others nothing is read, since OpenSSL would check the primes of some.
_LENGTH = rb"(?:[\x00-\x7f]|\x81.|\x82..)"
_KINDS: Final = {
    # SubjectPublicKeyInfo (RFC 5280, 4.1.2.7) of rsaEncryption, id-ecPublicKey or Ed25519
    "PUBLIC KEY": re.compile(
        rb"\x30" + _LENGTH + rb"\x30" + _LENGTH
        + rb"(?:\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01|\x06\x07\x2a\x86\x48\xce\x3d\x02\x01|\x06\x03\x2b\x65\x70)",
        re.DOTALL,
    ),
    "RSA PUBLIC KEY": re.compile(rb"\x30" + _LENGTH + rb"\x02", re.DOTALL),  # RFC 8017, A.1.1
}  # fmt: skip
APPLICATION = re.compile(rb"ssh:[!-~]*")
# The field of Edwards25519 and the constant of its curve (RFC 8032, 5.1).
_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P

Key = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


@dataclass(frozen=True)
class PublicKey:
    """A key as it is kept: ``key_type`` is SSH's name of its kind, ``blob`` SSH's encoding, made from the key's numbers."""

    key_type: str
    blob: bytes

    @property
    def line(self) -> str:
        """``type base64``: the one line that is stored and shown."""
        return f"{self.key_type} {base64.b64encode(self.blob).decode()}"

    @property
    def digest(self) -> str:
        """What the key is found by: SHA-256, hexadecimal."""
        return hashlib.sha256(self.blob).hexdigest()

    @property
    def fingerprint(self) -> str:
        """AWS's: MD5, 16 pairs of hexadecimal digits with colons between. For people to compare; nothing is decided by it."""
        digits = hashlib.md5(self.blob, usedforsecurity=False).hexdigest()
        return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))

    @property
    def sha256_fingerprint(self) -> str:
        """OpenSSH's: ``SHA256:`` and Base64 without padding."""
        return f"SHA256:{base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip('=')}"

    @property
    def pem(self) -> str:
        """X.509's SubjectPublicKeyInfo in PEM. Raises UnrecognizedPublicKeyEncoding for the sk- forms, which have none."""
        key = _key(self.key_type, _fields(self.blob)[1:])
        if self.key_type in (SK_ED25519, SK_ECDSA):
            raise UnrecognizedPublicKeyEncoding(NO_PEM)
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def parse(body: str) -> PublicKey:
    """Read an upload: one key, in one line or in PEM; a comment is dropped.

    Raises UnrecognizedPublicKeyEncoding for what is no such key, or of a kind that is not taken; InvalidPublicKey for an RSA key
    that is not of 2048 to 8192 bits and for numbers that are no key.
    """
    text = body.strip(" \t\r\n")
    if len(text) > LONGEST:
        raise UnrecognizedPublicKeyEncoding(UNRECOGNIZED)
    if pem := PEM.fullmatch(text):
        return _from_pem(pem["label"], pem["base64"])
    line = ONE_LINE.fullmatch(text)
    if line is None:
        raise UnrecognizedPublicKeyEncoding(UNRECOGNIZED)
    return of_sshd(line["type"], line["base64"])


def of_sshd(key_type: str, text: str) -> PublicKey:
    """The key of SSH's name and Base64, as sshd tells of one (``%t %k``). Raises as ``parse``."""
    blob = _decoded(text)
    fields = _fields(blob)
    if fields[0] != key_type.encode():
        raise UnrecognizedPublicKeyEncoding(UNRECOGNIZED)
    key = _key(key_type, fields[1:])
    application = fields[-1] if key_type in (SK_ED25519, SK_ECDSA) else None
    made = PublicKey(key_type, _encoded(key, key_type, application))
    if made.blob != blob:  # more than one way to write the same numbers would be more than one key
        raise UnrecognizedPublicKeyEncoding(UNRECOGNIZED)
    return made


def _from_pem(label: str, text: str) -> PublicKey:
    der = _decoded(re.sub(r"[\r\n]", "", text))
    if not _KINDS[label].match(der):
        raise UnrecognizedPublicKeyEncoding(UNRECOGNIZED)
    try:
        key = load_der_public_key(der)
    except (ValueError, TypeError, UnsupportedAlgorithm, InternalError) as error:
        raise UnrecognizedPublicKeyEncoding(UNRECOGNIZED) from error
    if isinstance(key, rsa.RSAPublicKey):
        key_type = RSA
    elif isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in NAMES_OF_CURVES:
        key_type = ECDSA + NAMES_OF_CURVES[key.curve.name]
    elif isinstance(key, ed25519.Ed25519PublicKey):
        key_type = ED25519
    else:
        raise UnrecognizedPublicKeyEncoding(UNRECOGNIZED)
    form = PublicFormat.SubjectPublicKeyInfo if label == "PUBLIC KEY" else PublicFormat.PKCS1
    if (form is PublicFormat.PKCS1 and key_type != RSA) or key.public_bytes(Encoding.DER, form) != der:
        raise UnrecognizedPublicKeyEncoding(UNRECOGNIZED)
    blob = _encoded(key, key_type, None)
    return PublicKey(key_type, _encoded(_key(key_type, _fields(blob)[1:]), key_type, None))


def _decoded(text: str) -> bytes:
    """Base64 in its one spelling: no line ends, all of the padding, no bits left over."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnrecognizedPublicKeyEncoding(UNRECOGNIZED) from error
    if base64.b64encode(data).decode() != text:
        raise UnrecognizedPublicKeyEncoding(UNRECOGNIZED)
    return data


def _fields(blob: bytes) -> list[bytes]:
    """The strings a blob consists of, to its last byte (RFC 4251, 5)."""
    fields = list(_strings(blob))
    if not fields:
        raise UnrecognizedPublicKeyEncoding(UNRECOGNIZED)
    return fields


def _strings(blob: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(blob):
        start = at + 4
        at = start + int.from_bytes(blob[at:start])
        if start > len(blob) or at > len(blob):
            raise UnrecognizedPublicKeyEncoding(UNRECOGNIZED)
        yield blob[start:at]


def _key(key_type: str, fields: list[bytes]) -> Key:
    """The key from the fields after its name, checked."""
    match key_type, fields:
        case "ssh-rsa", [exponent, modulus]:
            return _rsa(_positive(exponent), _positive(modulus))
        case "ssh-ed25519", [point]:
            return _ed25519(point)
        case "sk-ssh-ed25519@openssh.com", [point, application]:
            _check_application(application)
            return _ed25519(point)
        case "sk-ecdsa-sha2-nistp256@openssh.com", [b"nistp256", point, application]:
            _check_application(application)
            return _ecdsa("nistp256", point)
        case _, [curve, point] if key_type.startswith(ECDSA) and curve == key_type.removeprefix(ECDSA).encode():
            return _ecdsa(curve.decode(), point)
    raise UnrecognizedPublicKeyEncoding(UNRECOGNIZED)


def _positive(mpint: bytes) -> int:
    number = int.from_bytes(mpint, signed=True)
    if number <= 0:
        raise InvalidPublicKey(INVALID)
    return number


def _rsa(exponent: int, modulus: int) -> rsa.RSAPublicKey:
    if modulus.bit_length() not in RSA_BITS or modulus % 2 == 0 or exponent.bit_length() > LARGEST_EXPONENT_BITS:
        raise InvalidPublicKey(INVALID)
    try:
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    except ValueError as error:
        raise InvalidPublicKey(INVALID) from error


def _ecdsa(curve: str, point: bytes) -> ec.EllipticCurvePublicKey:
    if curve not in CURVES:
        raise UnrecognizedPublicKeyEncoding(UNRECOGNIZED)
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(CURVES[curve], point)
    except ValueError as error:
        raise InvalidPublicKey(INVALID) from error


def _ed25519(point: bytes) -> ed25519.Ed25519PublicKey:
    """Cryptography looks at the length alone; a point of small order would let anybody sign, so the point is checked here."""
    try:
        key = ed25519.Ed25519PublicKey.from_public_bytes(point)
    except ValueError as error:
        raise InvalidPublicKey(INVALID) from error
    if not _is_of_large_order(point):
        raise InvalidPublicKey(INVALID)
    return key


def _is_of_large_order(point: bytes) -> bool:
    """Whether 32 bytes are a point of the curve in its one spelling, and eight times it is not the neutral element.

    The point is doubled three times by its y alone: on -x² + y² = 1 + dx²y², y is what x² follows from.
    """
    y = int.from_bytes(point, "little") & (2**255 - 1)
    if y >= _P:
        return False
    square = _square_of_x(y)
    if square and pow(square, (_P - 1) // 2, _P) != 1:
        return False
    if square == 0 and point[31] & 0x80:
        return False
    for _ in range(3):
        square = _square_of_x(y)
        product = _D * square * y * y % _P
        y = (y * y + square) * pow(1 - product, -1, _P) % _P
    return y != 1


def _square_of_x(y: int) -> int:
    return (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P


def _check_application(application: bytes) -> None:
    """What a security key was made for, as OpenSSH writes it: ``ssh:`` and perhaps more."""
    if len(application) > LONGEST_APPLICATION or not APPLICATION.fullmatch(application):
        raise UnrecognizedPublicKeyEncoding(UNRECOGNIZED)


def _encoded(key: Key, key_type: str, application: bytes | None) -> bytes:
    """SSH's encoding, from the key's numbers."""
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        parts = [_mpint(numbers.e), _mpint(numbers.n)]
    elif isinstance(key, ec.EllipticCurvePublicKey):
        point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        parts = [NAMES_OF_CURVES[key.curve.name].encode(), point]
    else:
        parts = [key.public_bytes(Encoding.Raw, PublicFormat.Raw)]
    if application is not None:
        parts.append(application)
    return b"".join(len(part).to_bytes(4) + part for part in (key_type.encode(), *parts))


def _mpint(number: int) -> bytes:
    """A number as RFC 4251 (5) writes it: no zeros in front but the one that keeps it positive."""
    return number.to_bytes(number.bit_length() // 8 + 1)
