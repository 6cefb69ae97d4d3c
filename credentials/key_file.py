"""The file of the embedded mode's key ring: a key added, made the active one, or the older ones taken out."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from credentials.sealing import KeyRing


def add(path: Path) -> KeyRing:
    """Put a new key behind the others: it opens from now on, and seals nothing yet."""
    with _locked(path):
        return _write(path, f"{path.read_text().strip()} {KeyRing.generate()}")


def activate(path: Path) -> KeyRing:
    """Make the last key the active one: the first."""
    with _locked(path):
        keys = path.read_text().split()
        return _write(path, " ".join([keys[-1], *keys[:-1]]))


def keep_active(path: Path) -> KeyRing:
    """Take every key out but the active one."""
    with _locked(path):
        return _write(path, path.read_text().split()[0])


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One change at a time: two at once would lose a key, and with it all that it has sealed."""
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write(path: Path, text: str) -> KeyRing:
    """The new text is on the disk before it takes the old one's place."""
    ring = KeyRing.parse(text)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return ring
