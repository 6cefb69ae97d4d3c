"""Runs last: no secret that any test has made lies in the database's files, the logs or the trail."""

import base64
import os
import subprocess
from collections import defaultdict
from pathlib import Path

from django.conf import settings
from django.db import connection

from tests.conftest import SECRETS


def spellings(secret: str) -> set[bytes]:
    raw = secret.encode()
    return {raw, raw[::-1], raw.hex().encode(), base64.b64encode(raw).rstrip(b"="), secret.replace("/", "%2F").encode()}


def found_in(data: bytes) -> list[str]:
    """The secrets that stand in the data. Looks at each place once, however many secrets there are."""
    wanted = {spelling: secret for secret in set(SECRETS) for spelling in spellings(secret)}
    stride = min(map(len, wanted)) // 2
    # Wherever a spelling stands, one of its first pieces begins at a multiple of the stride.
    pieces: dict[bytes, list[tuple[bytes, int]]] = defaultdict(list)
    for spelling in wanted:
        for offset in range(stride):
            pieces[spelling[offset : offset + stride]].append((spelling, offset))
    return sorted(
        {
            wanted[spelling]
            for place in range(0, len(data), stride)
            for spelling, offset in pieces.get(data[place : place + stride], ())
            if offset <= place and data.startswith(spelling, place - offset)
        }
    )


def database() -> bytes:
    """Every byte of the database: SQLite's files, or PostgreSQL's own dump of all rows."""
    if connection.vendor == "sqlite":
        connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")
        return b"".join(path.read_bytes() for path in sorted(Path(settings.DATA).glob("*.sqlite3*")))
    done = subprocess.run(["pg_dump", "--dbname", os.environ["DATABASE_URL"]], capture_output=True, check=True)
    return done.stdout


def test_the_search_would_find_a_secret_that_was_stored() -> None:
    from accounts.models import Account

    canary = "canary-Uf8rLrkBHzQ6ARpGdSYgB3b2"
    Account.objects.create(account_id="999999999999", name=canary)
    assert canary.encode() in database()
    Account.objects.filter(name=canary).delete()


def test_the_search_finds_every_spelling() -> None:
    for secret in SECRETS[:3]:
        assert all(found_in(b"before" + spelling + b"after") == [secret] for spelling in spellings(secret))
    assert found_in(b"nothing at all, and not " + SECRETS[0].encode()[:-1]) == []


def test_no_secret_lies_in_the_database() -> None:
    assert SECRETS
    assert found_in(database()) == []


def test_no_secret_lies_in_the_trail() -> None:
    from audit.models import Event

    assert found_in("\n".join(map(repr, Event.objects.values().iterator())).encode()) == []


def test_no_secret_lies_in_the_logs(server: Path) -> None:
    assert found_in(server.read_bytes()) == []
