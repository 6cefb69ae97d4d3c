"""Sealing of secrets that must be read again: AES-256-GCM under a ring of keys from the environment.

A sealed value is ``key id:base64(nonce + ciphertext + tag)``. Each column has a subkey of its own, derived by HKDF-SHA-256
(RFC 5869), and the row's identity is associated data, so a value moved to another row, column or account does not open.
"""

import base64
import hashlib
import hmac
import os
import re
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12


class SealBrokenError(Exception):
    """A sealed value does not open: wrong key ring, moved row or altered bytes. A bug or tampering, never user input.

    Its text names the column and the row, so that the operator finds it.
    """


@dataclass(frozen=True, repr=False)
class KeyRing:
    """The encryption keys, the active one first: new values are sealed with it, old ones open with any of the ring."""

    keys: tuple[tuple[str, bytes], ...]

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(key_id for key_id, _ in self.keys)})"

    @classmethod
    def parse(cls, text: str) -> "KeyRing":
        """Read ``id:base64`` pairs separated by commas or white space. Raises ValueError with the rest of a sentence."""
        keys: dict[str, bytes] = {}
        for pair in re.split(r"[,\s]+", text.strip()):
            key_id, _, encoded = pair.partition(":")
            try:
                key = base64.b64decode(encoded, validate=True)
            except ValueError:
                key = b""
            if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", key_id) or len(key) != KEY_BYTES:
                raise ValueError("must be id:base64 of 32 bytes, several separated by commas, the active one first")
            if key_id in keys:
                raise ValueError(f"names the key {key_id} twice")
            keys[key_id] = key
        return cls(tuple(keys.items()))

    @staticmethod
    def generate() -> str:
        """Return the text of a ring with one new random key, under an id of its own so that it can join other rings."""
        return f"k{os.urandom(4).hex()}:{base64.b64encode(os.urandom(KEY_BYTES)).decode()}"

    @property
    def active(self) -> str:
        """The id of the key that new values are sealed with."""
        return self.keys[0][0]

    def seal(self, plain: str, *, column: str, row: str) -> str:
        """Seal ``plain`` for one column (``table.column``) of one row (its identity, the account included)."""
        key_id, key = self.keys[0]
        nonce = os.urandom(NONCE_BYTES)
        sealed = AESGCM(_subkey(key, column)).encrypt(nonce, plain.encode(), _associated(column, row, key_id))
        return f"{key_id}:{base64.b64encode(nonce + sealed).decode()}"

    def unseal(self, sealed: str, *, column: str, row: str) -> str:
        """Open what `seal` made for the same column and row. Raises SealBrokenError."""
        key_id, _, encoded = sealed.partition(":")
        key = dict(self.keys).get(key_id)
        if key is None:
            raise SealBrokenError(
                f"{column} of {row} is sealed with the key {key_id!r}, which is not in ENCRYPTION_KEYS"
            )
        try:
            data = base64.b64decode(encoded, validate=True)
            plain = AESGCM(_subkey(key, column)).decrypt(
                data[:NONCE_BYTES], data[NONCE_BYTES:], _associated(column, row, key_id)
            )
        except (InvalidTag, ValueError) as error:  # binascii's error is a ValueError
            raise SealBrokenError(f"{column} of {row} does not open with the key {key_id!r}") from error
        return plain.decode()

    def digests(self, token: str, *, purpose: str) -> tuple[str, ...]:
        """HMAC-SHA-256 of a machine-made token under each key, the active first: what is stored instead of the token."""
        return tuple(
            hmac.new(_subkey(key, f"digest:{purpose}"), token.encode(), hashlib.sha256).hexdigest()
            for _, key in self.keys
        )


def _associated(column: str, row: str, key_id: str) -> bytes:
    return f"{column}\0{row}\0{key_id}".encode()


@lru_cache(maxsize=64)
def _subkey(key: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"iamconsole {purpose}".encode()).derive(key)
