"""What may be uploaded as a certificate: AWS's answer to each, and every size bounded before what costs."""

import base64
import secrets
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtensionOID, NameOID

from credentials import certificates
from credentials.certificates import BAD_CHAIN, EXPIRED, LONGEST_CHAIN, MISMATCH, UNREADABLE, WEAK
from iamconsole.errors import Fault, InvalidCertificate, KeyPairMismatch, MalformedCertificate
from tests.certificate_authority import (
    Issuer,
    Served,
    authority,
    certificate,
    new_key,
    pem_of,
    rsa_key,
    served,
    text_of,
    unsound_rsa,
)
from tests.der import dh_private_key, pem

pytestmark = pytest.mark.pure

GOOD = served()
JUNK = base64.b64encode(secrets.token_bytes(600)).decode()
SIZES = "It must be RSA of 2048 to 4096 bits, or ECDSA on P-256, P-384 or P-521."


def refusal(body: str = GOOD.body, private_key: str = GOOD.private_key, chain: str = GOOD.chain) -> Fault:
    with pytest.raises((MalformedCertificate, KeyPairMismatch)) as caught:
        certificates.server_certificate(body, private_key, chain, datetime.now(UTC))
    return caught.value


def taken(given: Served) -> certificates.Uploaded:
    return certificates.server_certificate(given.body, given.private_key, given.chain, datetime.now(UTC))


def block(label: str, text: str) -> str:
    return f"-----BEGIN {label}-----\n{text}\n-----END {label}-----\n"


def bad_chain(index: int) -> str:
    return BAD_CHAIN.format(index=index)


def reordered(given: Served) -> str:
    first, second = given.chain.split("-----END CERTIFICATE-----\n")[:2]
    return second + "-----END CERTIFICATE-----\n" + first + "-----END CERTIFICATE-----\n"


@pytest.mark.parametrize("key", [ec.generate_private_key(ec.SECP384R1()), rsa_key(2048), rsa_key(3072)])
def test_rsa_and_ecdsa_certificates_are_taken_and_come_out_as_they_went_in(key: object) -> None:
    given = served("www", key=key)
    uploaded = taken(given)
    assert uploaded.body + "\n" == given.body
    assert uploaded.chain + "\n" == given.chain
    assert certificates.canonical(uploaded.private_key) == given.private_key


def test_keys_are_taken_in_the_forms_openssl_writes() -> None:
    key = new_key()
    given = served("www", key=key)
    traditional = pem_of(key, PrivateFormat.TraditionalOpenSSL)
    parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    for text in (traditional, parameters + traditional, given.private_key.replace("\n", "\r\n")):
        uploaded = certificates.server_certificate(given.body, text, given.chain, datetime.now(UTC))
        assert "PARAMETERS" not in uploaded.private_key
        assert "\r" not in uploaded.private_key


def test_a_certificate_without_a_chain_and_one_signed_by_itself_are_taken() -> None:
    key = new_key()
    alone = text_of(certificate("alone", key))
    assert certificates.server_certificate(alone, pem_of(key), "", datetime.now(UTC)).chain == ""
    assert certificates.server_certificate(GOOD.body, GOOD.private_key, "", datetime.now(UTC)).chain == ""


def test_a_private_key_is_in_no_representation_of_what_was_uploaded() -> None:
    assert "PRIVATE" not in repr(taken(GOOD))


REFUSED: dict[str, tuple[Callable[[], Fault], type[Fault], str]] = {
    "wrong key": (lambda: refusal(private_key=pem_of(new_key())), KeyPairMismatch, MISMATCH),
    "encrypted key": (
        lambda: refusal(
            private_key=new_key()
            .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
            .decode()
        ),
        MalformedCertificate,
        "Invalid Private Key. It is encrypted: take its passphrase off first.",
    ),
    "key encrypted as of old": (
        lambda: refusal(private_key=block("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES\n\nAAAA")),
        MalformedCertificate,
        "Invalid Private Key. It is encrypted: take its passphrase off first.",
    ),
    "two keys": (
        lambda: refusal(private_key=GOOD.private_key * 2),
        MalformedCertificate,
        "Invalid Private Key. Give one key in PEM format and nothing else.",
    ),
    "text after the key": (
        lambda: refusal(private_key=GOOD.private_key + "and more"),
        MalformedCertificate,
        "Invalid Private Key. Give one key in PEM format and nothing else.",
    ),
    "bytes after the key": (
        lambda: refusal(private_key=block("PRIVATE KEY", after(GOOD.private_key))),
        MalformedCertificate,
        "Invalid Private Key.",
    ),
    "16384-bit key": (
        lambda: refusal(private_key=unsound_rsa(16384)),
        MalformedCertificate,
        f"Invalid Private Key. {SIZES}",
    ),
    "1024-bit key": (
        lambda: refusal(private_key=unsound_rsa(1024)),
        MalformedCertificate,
        f"Invalid Private Key. {SIZES}",
    ),
    "Ed25519 key": (
        lambda: refusal(private_key=pem_of(ed25519.Ed25519PrivateKey.generate())),
        MalformedCertificate,
        f"Invalid Private Key. {SIZES}",
    ),
    "DSA key": (
        lambda: refusal(private_key=pem_of(dsa.generate_private_key(1024))),
        MalformedCertificate,
        f"Invalid Private Key. {SIZES}",
    ),
    "key on another curve": (
        lambda: refusal(private_key=pem_of(ec.generate_private_key(ec.SECP256K1()))),
        MalformedCertificate,
        f"Invalid Private Key. {SIZES}",
    ),
    "expired": (lambda: of(served("old", starts=-9, days=-1)), MalformedCertificate, EXPIRED),
    "not valid yet": (
        lambda: of(served("young", starts=2)),
        MalformedCertificate,
        "Certificate is not valid yet. The 'Not Before' date restriction on the certificate has not passed.",
    ),
    "chain out of order": (lambda: refusal(chain=reordered(GOOD)), MalformedCertificate, bad_chain(-1)),
    "chain with a gap": (lambda: refusal(chain=gap()), MalformedCertificate, bad_chain(0)),
    "certificate in its own chain": (
        lambda: refusal(chain=GOOD.body + GOOD.chain),
        MalformedCertificate,
        bad_chain(-1),
    ),
    "foreign chain": (lambda: refusal(chain=served().chain), MalformedCertificate, bad_chain(-1)),
    "junk in the chain": (lambda: refusal(chain=GOOD.chain + JUNK), MalformedCertificate, bad_chain(2)),
    "text for a chain": (lambda: refusal(chain="  \n"), MalformedCertificate, bad_chain(-1)),
    "5,000-certificate chain": (
        lambda: refusal(chain=GOOD.body * 5000),
        MalformedCertificate,
        f"{bad_chain(20)} A chain of more than 20 certificates is not read.",
    ),
    "two certificates": (lambda: refusal(body=GOOD.body * 2), MalformedCertificate, UNREADABLE),
    "binary junk": (
        lambda: refusal(body=secrets.token_bytes(9000).decode("latin-1")),
        MalformedCertificate,
        UNREADABLE,
    ),
    "junk in PEM": (lambda: refusal(body=block("CERTIFICATE", JUNK)), MalformedCertificate, UNREADABLE),
    "another block": (lambda: refusal(body=GOOD.private_key), MalformedCertificate, UNREADABLE),
    "bytes after the certificate": (
        lambda: refusal(body=block("CERTIFICATE", after(GOOD.body))),
        MalformedCertificate,
        UNREADABLE,
    ),
    "certificate cut short": (lambda: refusal(body=GOOD.body[:-40]), MalformedCertificate, UNREADABLE),
}


def of(given: Served) -> Fault:
    return refusal(given.body, given.private_key, given.chain)


def after(pem: str) -> str:
    """The contents of a PEM block with a byte after them."""
    return base64.b64encode(base64.b64decode("".join(pem.split("\n")[1:-2])) + b"\0").decode()


def gap() -> str:
    """A chain whose second certificate did not issue the first."""
    first = GOOD.chain.split("-----END CERTIFICATE-----\n")[0] + "-----END CERTIFICATE-----\n"
    return first + authority().pem


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_good_is_refused_in_awss_words(what: str) -> None:
    ask, kind, message = REFUSED[what]
    fault = ask()
    assert type(fault) is kind
    assert fault.message == message


def signed_with(algorithm: str, folder: Path, name: str, issuer: Issuer, key: object) -> str:
    """A certificate whose issuer used an old algorithm, which openssl still does."""
    (folder / "issuer.pem").write_text(issuer.pem)
    (folder / "issuer.key").write_text(pem_of(issuer.key))
    (folder / "old.key").write_text(pem_of(key))
    for command in (
        f"req -new -key old.key -subj /CN={name} -out old.csr",
        f"x509 -req -in old.csr -CA issuer.pem -CAkey issuer.key -CAcreateserial -days 9 -{algorithm} -out old.pem",
    ):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    return (folder / "old.pem").read_text()


@pytest.mark.parametrize(("algorithm", "kind"), [("sha1", "ECDSA"), ("sha1", "RSA"), ("md5", "RSA")])
def test_what_was_signed_with_a_broken_hash_is_refused_alone_and_in_a_chain(
    tmp_path: Path, algorithm: str, kind: str
) -> None:
    root_key = new_key() if kind == "ECDSA" else rsa_key(2048)
    root, key, middle_key = Issuer(certificate("Old", root_key, is_ca=True), root_key), new_key(), new_key()
    weak = signed_with(algorithm, tmp_path, "www", root, key)
    assert refusal(weak, pem_of(key), "").message == WEAK
    assert refusal(weak, pem_of(key), root.pem).message == WEAK
    middle = x509.load_pem_x509_certificate(signed_with(algorithm, tmp_path, "Middle", root, middle_key).encode())
    leaf = text_of(Issuer(middle, middle_key).issue("www", key))
    assert refusal(leaf, pem_of(key), text_of(middle)).message == f"{bad_chain(0)} {WEAK}"
    assert certificates.server_certificate(leaf, pem_of(key), "", datetime.now(UTC))


def test_a_broken_hash_is_found_in_a_signature_by_pss_too(tmp_path: Path) -> None:
    root_key, key = rsa_key(2048), new_key()
    root = Issuer(certificate("Old", root_key, is_ca=True), root_key)
    assert (
        refusal(signed_with("sha1 -sigopt rsa_padding_mode:pss", tmp_path, "www", root, key), pem_of(key), "").message
        == WEAK
    )
    good = signed_with("sha256 -sigopt rsa_padding_mode:pss", tmp_path, "www", root, key)
    assert certificates.server_certificate(good, pem_of(key), "", datetime.now(UTC))


def test_a_key_that_is_not_what_its_label_says_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a Diffie-Hellman key OpenSSL would check the primes, for half a minute and longer than any timeout."""
    monkeypatch.setattr(certificates, "load_der_private_key", lambda *given, **options: pytest.fail("it is looked at"))
    for label in ("PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"):
        assert "2048 to 4096 bits" in refusal(private_key=pem(label, dh_private_key())).message
    pkcs8 = new_key().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    for label in ("RSA PRIVATE KEY", "EC PRIVATE KEY"):
        assert "Invalid Private Key." in refusal(private_key=pem(label, pkcs8)).message


def test_what_cannot_be_told_of_later_is_no_certificate() -> None:
    """Its page would fail: an alternative name of a kind that nobody reads."""
    key, name, now = new_key(), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "www")]), datetime.now(UTC)
    x400_address = x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, bytes.fromhex("3002a300"))
    built = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=9))
    odd = text_of(built.add_extension(x400_address, critical=False).sign(key, hashes.SHA256()))
    assert refusal(odd, pem_of(key), "").message == certificates.UNREADABLE
    good = new_key()
    assert refusal(text_of(certificate("www", good)), pem_of(good), odd).message == bad_chain(0)


def test_an_issuer_must_be_one() -> None:
    root_key, key, leaf_key = new_key(), new_key(), new_key()
    root = Issuer(certificate("Root", root_key, is_ca=True), root_key)
    middle = root.issue("Middle", key)  # a certificate of a server
    leaf = text_of(Issuer(middle, key).issue("www", leaf_key))
    fault = refusal(leaf, pem_of(leaf_key), text_of(middle) + "\n" + root.pem)
    assert bad_chain(-1) in fault.message
    assert "not an issuer's certificate" in fault.message


# Nothing that costs is done before the sizes are known. Each case would be refused for something else if it were.


def test_the_size_of_a_key_is_known_before_its_arithmetic_is_checked() -> None:
    """The "primes" are none, which only the arithmetic could tell; the size is told all the same."""
    assert "2048 to 4096 bits" in refusal(private_key=unsound_rsa(16384)).message
    assert "2048 to 4096 bits" in refusal(private_key=unsound_rsa(4104)).message


def test_whether_a_key_is_the_certificates_is_known_before_its_arithmetic_is_checked() -> None:
    assert refusal(private_key=unsound_rsa(4096)).code == "KeyPairMismatch"


def test_a_key_of_good_size_whose_one_prime_is_most_of_it_costs_no_test_of_primes() -> None:
    """A prime of 4,000 bits is eight times as costly to test as one of 2,000. It is told before the mismatch."""
    assert refusal(private_key=unsound_rsa(4096, p_bits=4000)).message == "Invalid Private Key."


def test_the_arithmetic_of_a_key_that_is_the_certificates_is_checked() -> None:
    key = rsa_key(2048)
    numbers = key.private_numbers()
    wrong = type(numbers)(
        numbers.p, numbers.q, numbers.d ^ 4, numbers.dmp1 ^ 2, numbers.dmq1, numbers.iqmp, numbers.public_numbers
    ).private_key(unsafe_skip_rsa_key_validation=True)
    given = served("www", key=key)
    assert refusal(given.body, pem_of(wrong), given.chain).message == "Invalid Private Key."
    assert refusal(given.body, pem_of(wrong), reordered(given)).message == bad_chain(-1)  # which costs less to find


def test_a_chain_is_counted_before_it_is_read() -> None:
    junk = block("CERTIFICATE", JUNK) * (LONGEST_CHAIN + 1)
    assert "is not read" in refusal(chain=junk).message
    assert "is not read" not in refusal(chain=block("CERTIFICATE", JUNK) * LONGEST_CHAIN).message


def test_the_keys_of_a_chain_are_of_bounded_size() -> None:
    """A signature of an RSA key of 8,192 bits, or of another kind of key, is not even looked at."""
    for key in (rsa_key(1024), ed25519.Ed25519PrivateKey.generate()):
        issuer = authority()
        strange = certificate_with(key)
        leaf = new_key()
        body = text_of(issuer.issue("x", leaf))
        assert refusal(body, pem_of(leaf), strange).message == bad_chain(-1)


def certificate_with(key: object) -> str:
    """A certificate of a key of any kind, signed by somebody."""
    return text_of(authority().issue("Odd", key))


def test_a_long_text_is_read_in_linear_time() -> None:
    """Steps are counted by what the pattern can match: each text is refused at its first block."""
    for text in ("-----BEGIN CERTIFICATE-----\n" + "A\n" * 8000, "-----BEGIN " * 1400, "\n" * 16_384, "A" * 16_384):
        assert refusal(body=text[:16_384]).message == UNREADABLE


# Signing certificates


def test_the_id_of_a_signing_certificate_is_awss() -> None:
    body = text_of(certificate("me", new_key()))
    signing = certificates.signing_certificate(body, datetime.now(UTC))
    assert len(signing.certificate_id) == 32
    assert signing.certificate_id.isalnum()
    again = certificates.signing_certificate(body.replace("\n", "\r\n"), datetime.now(UTC))
    assert again.certificate_id == signing.certificate_id


def test_a_signing_certificate_that_is_no_good_is_refused() -> None:
    now = datetime.now(UTC)
    with pytest.raises(MalformedCertificate, match=r"^Certificate junk is malformed\.$"):
        certificates.signing_certificate("junk", now)
    for odd in (certificate("x", new_key(), starts=-9, days=-1), certificate("x", new_key(), starts=2)):
        with pytest.raises(InvalidCertificate):
            certificates.signing_certificate(text_of(odd), now)
    with pytest.raises(InvalidCertificate, match="2048 to 4096 bits"):
        certificates.signing_certificate(text_of(certificate("x", rsa_key(1024))), now)


def test_the_facts_of_a_certificate_are_its_own() -> None:
    facts = certificates.facts(GOOD.body)
    assert (facts.subject, facts.issuer, facts.names) == ("CN=localhost", "CN=Second", ("localhost",))
    assert facts.key == "ECDSA, secp256r1"
    assert len(facts.fingerprint) == 95
    assert facts.not_before < facts.not_after
