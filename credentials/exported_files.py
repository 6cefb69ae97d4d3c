"""The files of an exported server certificate: versions that never change, and one name that is swapped to the newest.

A TLS server that reads ``current/fullchain.pem`` and then ``current/privkey.pem`` may see the swap between the two. nginx gets a
file to include that names both inside one version: it reads that file once, so the pair it finds is always of one version.
"""

import hashlib
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

KEPT_VERSIONS = 2  # the current one, and the one that a server may still be reading
FOLDER_MODE, OTHERS_WRITE = 0o700, 0o022


class UnsafeFolderError(Exception):
    """Others may write to the folder, so they could swap the files."""


def write(folder: Path, certificate_id: str, files: Mapping[str, str]) -> bool:
    """Put the files into ``folder`` as its current version, readable by their owner only. Returns whether anything changed.

    Raises UnsafeFolderError, OSError.
    """
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    if folder.stat().st_mode & OTHERS_WRITE:
        raise UnsafeFolderError(f"Others may write to {folder}: take that away first (chmod go-w).")
    digest = hashlib.sha256("\0".join(f"{name}\0{text}" for name, text in sorted(files.items())).encode()).hexdigest()
    version = f"{certificate_id}-{digest[:16]}"
    versions = folder / "versions"
    versions.mkdir(mode=FOLDER_MODE, exist_ok=True)
    include = (
        f"ssl_certificate {versions.absolute() / version / 'fullchain.pem'};\n"
        f"ssl_certificate_key {versions.absolute() / version / 'privkey.pem'};\n"
    )
    current, nginx = folder / "current", folder / "nginx.conf"
    target = Path("versions") / version
    if _link(current) == target and _text(nginx) == include and _whole(versions / version, files):
        return False
    if not _whole(versions / version, files):
        _write_version(versions, version, files)
    draft = folder / f".draft-{secrets.token_hex(4)}"
    draft.symlink_to(target)
    draft.replace(current)
    _write_file(draft, include)
    draft.replace(nginx)
    _synchronise(folder)
    _forget(versions, version)
    return True


def needs_reload(folder: Path) -> bool:
    """Whether the current version was not told of by a reload that worked."""
    return _text(folder / "reloaded") != str(_link(folder / "current"))


def note_reload(folder: Path) -> None:
    """Write down that the current version is in use."""
    draft = folder / f".draft-{secrets.token_hex(4)}"
    _write_file(draft, str(_link(folder / "current")))
    draft.replace(folder / "reloaded")


def _write_version(versions: Path, version: str, files: Mapping[str, str]) -> None:
    draft = versions / f".draft-{secrets.token_hex(4)}"
    draft.mkdir(mode=FOLDER_MODE)
    for name, text in files.items():
        _write_file(draft / name, text)
    _synchronise(draft)
    shutil.rmtree(versions / version, ignore_errors=True)  # of a version that is there only in part, or was altered
    draft.rename(versions / version)
    _synchronise(versions)


def _write_file(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _synchronise(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _forget(versions: Path, current: str) -> None:
    """Delete the versions before the last one, and what a run that was killed has left."""
    others = sorted(
        (path for path in versions.iterdir() if path.name != current), key=lambda path: path.stat().st_mtime_ns
    )
    drafts = [path for path in others if path.name.startswith(".draft-")]
    whole = [path for path in others if path not in drafts]
    for path in [*drafts, *whole[: max(0, len(whole) - KEPT_VERSIONS + 1)]]:
        shutil.rmtree(path)


def _whole(version: Path, files: Mapping[str, str]) -> bool:
    return all(_text(version / name) == text for name, text in files.items())


def _text(path: Path) -> str | None:
    return path.read_text() if path.is_file() else None


def _link(path: Path) -> Path | None:
    return path.readlink() if path.is_symlink() else None
