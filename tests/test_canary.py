"""Runs last: no secret that any test has made lies in the database's files, the logs or the trail."""

import base64
import os
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from tests.conftest import SECRETS


def spellings(secret: str) -> set[bytes]:
    raw = secret.encode()
    return {raw, raw[::-1], raw.hex().encode(), base64.b64encode(raw).rstrip(b"="), secret.replace("/", "%2F").encode()}


class Search:
    """A search for all secrets there are. Looks at each place of the data once, however many they are."""

    def __init__(self) -> None:
        self.wanted = {spelling: secret for secret in set(SECRETS) for spelling in spellings(secret)}
        self.stride = min(map(len, self.wanted)) // 2
        # Wherever a spelling stands, one of its first pieces begins at a multiple of the stride.
        self.pieces: dict[bytes, list[tuple[bytes, int]]] = defaultdict(list)
        for spelling in self.wanted:
            for offset in range(self.stride):
                self.pieces[spelling[offset : offset + self.stride]].append((spelling, offset))

    def found_in(self, data: bytes) -> list[str]:
        """The secrets that stand in the data."""
        return sorted(
            {
                self.wanted[spelling]
                for place in range(0, len(data), self.stride)
                for spelling, offset in self.pieces.get(data[place : place + self.stride], ())
                if offset <= place and data.startswith(spelling, place - offset)
            }
        )


@pytest.fixture(scope="module")
def search() -> Search:
    """It is made when every secret has been used."""
    return Search()


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


def test_the_search_finds_every_spelling(search: Search) -> None:
    for secret in SECRETS[:3]:
        assert all(search.found_in(b"before" + spelling + b"after") == [secret] for spelling in spellings(secret))
    assert search.found_in(b"nothing at all, and not " + SECRETS[0].encode()[:-1]) == []


def test_no_secret_lies_in_the_database(search: Search) -> None:
    assert SECRETS
    assert search.found_in(database()) == []


def test_no_secret_lies_in_the_trail(search: Search) -> None:
    from audit.models import Event

    assert search.found_in("\n".join(map(repr, Event.objects.values().iterator())).encode()) == []


def test_no_secret_lies_in_the_logs(search: Search, server: Path) -> None:
    """Of the server, of the tests' own process, of task workers and of whatever else was started."""
    logs = sorted(server.parent.iterdir())
    assert {server.name, "tests.log"} <= {log.name for log in logs}
    assert {log.name: search.found_in(log.read_bytes()) for log in logs} == {log.name: [] for log in logs}
