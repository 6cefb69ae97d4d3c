"""SSH keys of the tests."""

import subprocess
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def new_ssh_key() -> str:
    """An Ed25519 key nobody has, as ``type base64``."""
    key = Ed25519PrivateKey.generate().public_key()
    return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def generate(folder: Path, *kind: str, comment: str = "dave@laptop") -> Path:
    """The path of a private key that ssh-keygen made; the public one lies beside it, with ``.pub``."""
    path = folder / f"id-{'-'.join(kind)}"
    subprocess.run(["ssh-keygen", "-q", "-t", *kind, "-N", "", "-C", comment, "-f", str(path)], check=True)
    return path


def public_half(path: Path) -> str:
    """What lies beside the private key."""
    return path.with_name(f"{path.name}.pub").read_text()
