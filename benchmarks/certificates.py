"""What it costs to refuse, and to take, an uploaded certificate: milliseconds of CPU for each kind (goal: 250 at most)."""

import math
import secrets
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from credentials.certificates import server_certificate
from iamconsole.errors import Fault
from tests.der import dh_private_key, pem

ROUNDS = 5
GOAL = 250  # milliseconds
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def run() -> None:
    """Print the figures."""
    root, middle, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    large = rsa.generate_private_key(65537, 4096)
    chain = _certificate("middle", middle, "root", root) + _certificate("root", root, "root", root)
    first, second = chain.split("-----BEGIN", 2)[1:]
    out_of_order = f"-----BEGIN{second}-----BEGIN{first}"
    good = _certificate("www", key, "middle", middle)
    cases: dict[str, tuple[str, str, str]] = {
        "taken, ECDSA P-256": (good, _pem(key), chain),
        "taken, RSA of 4096 bits": (_certificate("www", large, "middle", middle), _pem(large), chain),
        "wrong key": (good, _pem(large), chain),
        "encrypted key": (good, _pem(key, BestAvailableEncryption(b"x")), chain),
        "two keys": (good, _pem(key) * 2, chain),
        "16384-bit key": (good, _unsound(16384, 8192), chain),
        "4096-bit key with one prime of 4000": (good, _unsound(4096, 4000), chain),
        "expired": (_certificate("www", key, "middle", middle, days=-1), _pem(key), chain),
        "chain out of order": (good, _pem(key), out_of_order),
        "chain out of order, RSA of 4096 bits": (
            _certificate("www", large, "middle", middle),
            _pem(large),
            out_of_order,
        ),
        "Diffie-Hellman key as an EC one": (good, pem("EC PRIVATE KEY", dh_private_key()), chain),
        "5,000-certificate chain": (good, _pem(key), good * 5000),
        "binary junk": (secrets.token_bytes(16_000).decode("latin-1"), _pem(key), chain),
    }
    for name, texts in cases.items():
        print(f"{name:<40}{_cost(lambda texts=texts: _upload(*texts)):>9.2f} ms of CPU (goal: {GOAL})")  # type: ignore[misc]


def _upload(body: str, private_key: str, chain: str) -> str:
    try:
        server_certificate(body, private_key, chain, datetime.now(UTC))
    except Fault as fault:
        return fault.code
    return "taken"


def _cost(call: Callable[[], object]) -> float:
    costs = []
    for _ in range(ROUNDS):
        start = time.process_time()
        call()
        costs.append(time.process_time() - start)
    return statistics.median(costs) * 1000


def _certificate(name: str, key: Key, issuer: str, issuer_key: Key, days: int = 30) -> str:
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
    )
    return built.sign(issuer_key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _pem(key: Key, encryption: KeySerializationEncryption | None = None) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()).decode()


def _unsound(bits: int, p_bits: int) -> str:
    """A key of that size whose primes are none: to generate a real one takes minutes."""
    p = (3 << p_bits - 2) | secrets.randbits(p_bits - 3) | 1
    q = p
    while math.gcd(p, q) > 1:
        q = (3 << bits - p_bits - 2) | secrets.randbits(bits - p_bits - 3) | 1
    d = (1 << bits - 2) | 1
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(65537, p * q)
    )
    return _pem(numbers.private_key(unsafe_skip_rsa_key_validation=True))
