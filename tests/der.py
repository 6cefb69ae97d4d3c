"""Keys of Diffie and Hellman in DER, of a size that takes OpenSSL half a minute to look at: nobody is to let it."""

import base64

DH = bytes.fromhex("06092a864886f70d010301")  # dhKeyAgreement (PKCS #3)
# 8192 bits that are odd and as good as random; whether they are prime is what would take so long to find out.
PRIME = (
    int.from_bytes(bytes((index * index * 73 + 41 * index + 7) % 256 for index in range(1024)), "big") | 1 << 8191 | 1
)


def item(tag: int, body: bytes) -> bytes:
    """A tag, the length, the body."""
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def integer(number: int) -> bytes:
    """A number above zero."""
    return item(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def dh_public_key(prime: int = PRIME) -> bytes:
    """A SubjectPublicKeyInfo."""
    return item(0x30, item(0x30, DH + item(0x30, integer(prime) + integer(3))) + item(3, b"\0" + integer(prime // 3)))


def dh_private_key(prime: int = PRIME) -> bytes:
    """A PrivateKeyInfo."""
    algorithm = item(0x30, DH + item(0x30, integer(prime) + integer(3)))
    return item(0x30, item(2, b"\0") + algorithm + item(4, integer(prime // 5)))


def pem(label: str, data: bytes) -> str:
    """As text, with lines of 64 characters."""
    text = base64.b64encode(data).decode()
    lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"
