"""A certificate authority for tests: keys, certificates and chains, as PEM."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.conftest import SECRETS

DAY = timedelta(days=1)


def pem_of(key: Any, format: PrivateFormat = PrivateFormat.PKCS8) -> str:  # noqa: A002 - cryptography's word
    """A private key's text. It is a secret of the tests: its middle must be nowhere."""
    text: str = key.private_bytes(Encoding.PEM, format, NoEncryption()).decode()
    SECRETS.append("".join(text.split("\n")[1:-2])[40:72])
    return text


def new_key() -> ec.EllipticCurvePrivateKey:
    """A key that is made in no time."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def rsa_key(bits: int = 2048, number: int = 0) -> rsa.RSAPrivateKey:
    """An RSA key, made once for each ``number``."""
    return rsa.generate_private_key(65537, bits)


@dataclass(frozen=True)
class Issuer:
    """Somebody who signs certificates."""

    certificate: x509.Certificate
    key: Any

    @property
    def pem(self) -> str:
        """The certificate's text."""
        return text_of(self.certificate)

    def issue(self, name: str, key: Any, **options: Any) -> x509.Certificate:
        """A certificate for a public key's owner."""
        return certificate(name, key, issuer=self, **options)

    def under(self, name: str) -> "Issuer":
        """Another issuer whose certificate this one signs."""
        key = new_key()
        return Issuer(self.issue(name, key, is_ca=True), key)


def text_of(one: x509.Certificate) -> str:
    """A certificate's text."""
    return one.public_bytes(Encoding.PEM).decode()


def certificate(
    name: str, key: Any, *, issuer: Issuer | None = None, is_ca: bool = False, starts: int = -1, days: int = 365
) -> x509.Certificate:
    """A certificate of ``name``, signed by itself unless there is an issuer; it starts and ends so many days from now."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + starts * DAY)
        .not_valid_after(now + days * DAY)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name.replace(" ", "-"))]), critical=False)
    )
    return built.sign(issuer.key if issuer else key, hashes.SHA256())


def authority(name: str = "Test Root") -> Issuer:
    """A root."""
    key = new_key()
    return Issuer(certificate(name, key, is_ca=True), key)


@dataclass(frozen=True)
class Served:
    """What is uploaded for a TLS server, and the root that its clients trust."""

    body: str
    private_key: str
    chain: str
    root: str

    def parameters(self, name: str, **more: Any) -> dict[str, Any]:
        """The parameters of UploadServerCertificate, as boto3 takes them."""
        return {
            "ServerCertificateName": name,
            "CertificateBody": self.body,
            "PrivateKey": self.private_key,
            "CertificateChain": self.chain,
            **more,
        }

    @property
    def values(self) -> dict[str, str]:
        """The same in the operations' words, without the name."""
        return {"certificate_body": self.body, "private_key": self.private_key, "certificate_chain": self.chain}


def served(name: str = "localhost", *, key: Any = None, **options: Any) -> Served:
    """A certificate under two intermediaries."""
    root = authority(f"Root {secrets.token_hex(3)}")
    first = root.under("First")
    second = first.under("Second")
    key = key or new_key()
    return Served(text_of(second.issue(name, key, **options)), pem_of(key), second.pem + first.pem, root.pem)


def unsound_rsa(bits: int, *, p_bits: int | None = None) -> str:
    """A key of that size whose "primes" are none: only the arithmetic, which costs most, can tell."""
    p_bits = p_bits or bits // 2
    p = 3 * ((1 << p_bits - 1 | secrets.randbits(p_bits - 2) | 1) // 3 | 1)
    q_bits = bits - p_bits
    q = (3 << q_bits - 2) | secrets.randbits(q_bits - 3) | 1
    numbers = rsa.RSAPrivateNumbers(p, q, 65537, 3, 65537, 5, rsa.RSAPublicNumbers(65537, p * q))
    return pem_of(numbers.private_key(unsafe_skip_rsa_key_validation=True), PrivateFormat.TraditionalOpenSSL)
