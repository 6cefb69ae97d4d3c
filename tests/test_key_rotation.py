"""The encryption keys: what is sealed opens in its place only, and all of it is sealed anew while the server goes on."""

import base64
import os
import random
import re
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from django.apps import apps
from django.conf import settings

from credentials.rotation import SEALED
from credentials.sealing import KeyRing, SealBrokenError
from tests.conftest import ROOT, SECRETS
from tests.environment import free_port
from tests.logs import log_of

Rounds = Callable[[int, int], int]
OLD, NEW = (f"{name}:{base64.b64encode(secrets.token_bytes(32)).decode()}" for name in ("old", "new"))
OTHER = f"old:{base64.b64encode(secrets.token_bytes(32)).decode()}"
KEYS = 300
NOT_PASSED = ("ENCRYPTION_KEYS", "DATABASE_URL", "IAMCONSOLE_TEST_PORT")

MAKE = """
import sys
import django
django.setup()
from accounts.management.commands._shell import operator
from accounts.models import User
from accounts.operations.installation import create_account
from credentials.models import AccessKey
from credentials.service_credentials import GIT, SERVICES, ServiceSpecificCredential
issued = create_account(operator(), name="Acme", root_email="root@example.org", root_access_key=True)
print(issued.entity["root_access_key_id"], issued.secret["root_secret_access_key"])
account = issued.entity["account_id"]
for number in range(int(sys.argv[1])):
    user = User.objects.create(account_id=account, user_id=f"AIDA{number:017d}", user_name=f"u{number}",
        user_name_key=f"u{number}")
    AccessKey.issue(user)
ServiceSpecificCredential.issue(user, SERVICES[GIT], life=None)
"""
LEFT = """
import django
django.setup()
from credentials.service_credentials import ServiceSpecificCredential
print(ServiceSpecificCredential.objects.count())
"""
OPEN = """
import django
django.setup()
from django.conf import settings
from credentials.models import EncryptionKey
from credentials.rotation import SEALED
active = opened = 0
for sealed in SEALED:
    for row in sealed.rows():
        text = getattr(row, sealed.attribute)
        settings.KEY_RING.unseal(text, column=sealed.column, row=row.sealed_row)
        opened += 1
        active += text.startswith(settings.KEY_RING.active + ":")
print(opened, active)
""".replace("from credentials.models import EncryptionKey\n", "")


@dataclass
class House:
    """An installation of its own, whose ring is changed from run to run."""

    environment: dict[str, str]
    port: int

    def run(self, *words: str, ring: str = "", **options: Any) -> "subprocess.CompletedProcess[str]":
        """Run Python there."""
        return subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            env=self.env(ring),
            capture_output=True,
            text=True,
            check=False,
            **options,
        )

    def env(self, ring: str) -> dict[str, str]:
        """The environment, with this ring; without one the embedded mode keeps its own."""
        return self.environment | ({"ENCRYPTION_KEYS": ring} if ring else {})

    def manage(self, *words: str, ring: str = "") -> str:
        """Run a command that works. Returns what it says."""
        done = self.run("manage.py", *words, ring=ring)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def server(self, ring: str = "") -> "subprocess.Popen[bytes]":
        """gunicorn, answering."""
        bind = f"127.0.0.1:{self.port}"
        with log_of("key-rotation").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", "--bind", bind],
                cwd=ROOT,
                env=self.env(ring),
                stdout=log,
                stderr=log,
            )
        for _ in range(300):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=1):
                    return process
            except OSError:
                assert process.poll() is None
                time.sleep(0.1)
        process.kill()
        pytest.fail("the server does not answer")

    def opened(self, ring: str = "") -> tuple[int, int]:
        """How many sealed values there are, all of which open, and how many are sealed with the active key."""
        done = self.run("-c", OPEN, ring=ring)
        assert done.returncode == 0, done.stderr
        opened, active = map(int, done.stdout.split())
        return opened, active


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A fresh one, on the database that the tests run on: a file, or a database of PostgreSQL made for it."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name not in NOT_PASSED} | {
        "IAMCONSOLE_DATA": str(tmp_path / "data"),
        "PUBLIC_URL": f"http://localhost:{port}",
        "DJANGO_SETTINGS_MODULE": "iamconsole.settings",
        "WEB_CONCURRENCY": "2",
    }
    url = os.environ.get("DATABASE_URL")
    if url is None:
        yield House(environment, port)
        return
    import psycopg

    name = f"rotation_{secrets.token_hex(4)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield House(environment | {"DATABASE_URL": f"{url.rpartition('/')[0]}/{name}"}, port)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def furnished(house: House, ring: str, keys: int = KEYS) -> tuple[str, str]:
    """Make an account with users and their keys. Returns the root user's key and its secret."""
    house.manage("prepare", "--no-account", ring=ring)
    done = house.run("-c", MAKE, str(keys), ring=ring)
    assert done.returncode == 0, done.stderr
    key_id, secret = done.stdout.split()
    SECRETS.append(secret)
    return key_id, secret


@pytest.fixture(scope="module")
def data_with_one_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of an installation with one user and one key, to be copied."""
    folder = tmp_path_factory.mktemp("one-key") / "data"
    others = {name: value for name, value in os.environ.items() if name not in NOT_PASSED}
    environment = others | {"IAMCONSOLE_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "iamconsole.settings"}
    furnished(House(environment, free_port()), OLD, keys=1)
    return folder


def one_key(house: House, data: Path) -> None:
    """One user and one key in a fresh house: on SQLite a copy of what was made before."""
    if "DATABASE_URL" in house.environment:
        furnished(house, OLD, keys=1)
    else:
        shutil.copytree(data, house.environment["IAMCONSOLE_DATA"])


# Registry and seal


def test_every_sealed_column_there_is_is_rotated() -> None:
    columns = {
        (model, column.attname)
        for model in apps.get_models()
        for column in model._meta.concrete_fields
        if column.attname.startswith("sealed_") and not model._meta.proxy
    }
    assert columns == {(each.model, each.attribute) for each in SEALED}
    assert {each.column for each in SEALED} == {f"{model._meta.db_table}.{name}" for model, name in columns}


@pytest.mark.asvs("11.3.3")
def test_a_flipped_bit_and_another_rows_value_do_not_open(rounds: Rounds) -> None:
    ring: KeyRing = settings.KEY_RING
    chance = random.Random(5)
    sealed = {row: ring.seal(f"secret of {row}", column="t.sealed", row=row) for row in map(str, range(20))}
    for turn in range(rounds(500, 10_000)):
        row, other = chance.sample(sorted(sealed), 2)
        key_id, _, encoded = sealed[row].partition(":")
        data = bytearray(base64.b64decode(encoded))
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        flipped = f"{key_id}:{base64.b64encode(data).decode()}"
        for text, column in ((flipped, "t.sealed"), (sealed[other], "t.sealed"), (sealed[row], "u.sealed")):
            with pytest.raises(SealBrokenError):
                ring.unseal(text, column=column, row=row)
        assert ring.unseal(sealed[row], column="t.sealed", row=row) == f"secret of {row}", turn


@pytest.mark.parametrize("text", ["", "test", "test:", "test:!", "test:AAAA", "none:AAAA", "test:" + "A" * 27])
def test_a_value_that_is_none_does_not_open(text: str) -> None:
    with pytest.raises(SealBrokenError):
        settings.KEY_RING.unseal(text, column="t.sealed", row="1")


# With a real server


@pytest.mark.asvs("11.2.2", "13.3.4")
def test_everything_is_sealed_anew_while_requests_are_signed_and_after_a_kill(house: House) -> None:
    key_id, secret = furnished(house, OLD)
    house.manage("prepare", "--no-account", ring=f"{OLD},{NEW}")
    server = house.server(f"{OLD},{NEW}")
    failures: list[str] = []
    answered = [0]
    over = threading.Event()
    client = boto3.client(
        "iam",
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        endpoint_url=f"http://127.0.0.1:{house.port}",
        region_name="us-east-1",
        config=Config(retries={"total_max_attempts": 1}),
    )

    def ask() -> None:
        while not over.is_set():
            try:
                client.list_access_keys()
                client.tag_user(UserName="u1", Tags=[{"Key": "k", "Value": str(answered[0])}])
                answered[0] += 1
            except Exception as error:  # noqa: BLE001 - whatever it is, it is what this test is about
                failures.append(repr(error))

    asking = threading.Thread(target=ask)
    asking.start()
    ring = f"{NEW},{OLD}"
    try:
        rotating = subprocess.Popen(
            [sys.executable, "manage.py", "rotate_encryption_key", "--batch", "5"],
            cwd=ROOT,
            env=house.env(ring),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert rotating.stdout
        for line in rotating.stdout:
            if re.search(r": [1-9]\d* of 301", line):
                break
        rotating.send_signal(signal.SIGKILL)
        rotating.communicate(timeout=120)
        opened, active = house.opened(ring)
        assert opened == KEYS + 1
        assert 0 < active < opened
        said = house.manage("rotate_encryption_key", "--batch", "50", ring=ring)
        assert f"secrets of access keys: {opened - active} of {opened - active} sealed anew" in said
        assert house.opened(ring) == (KEYS + 1, KEYS + 1)
    finally:
        over.set()
        asking.join(30)
        server.terminate()
        server.wait(30)
    assert failures == []
    assert answered[0] > 5
    assert "Keep old in the ring" in said  # temporary credentials may live on for 36 hours
    assert "1 set-up links stop working" in said
    assert "1 Git credentials and API keys are deleted: each that is used once before stays" in said
    assert house.run("-c", LEFT, ring=ring).stdout == "1\n"
    house.manage("rotate_encryption_key", "--let-go", ring=ring)
    house.manage("prepare", "--no-account", ring=NEW)
    assert house.run("-c", LEFT, ring=NEW).stdout == "0\n"
    assert house.opened(NEW) == (KEYS + 1, KEYS + 1)


@pytest.mark.pure
def test_a_wrong_ring_refuses_to_start_with_one_sentence(house: House, data_with_one_key: Path) -> None:
    one_key(house, data_with_one_key)
    for ring, sentence in (
        (NEW, "ENCRYPTION_KEYS lacks the key old"),
        (OTHER, "The key old in ENCRYPTION_KEYS is not the key of that name"),
    ):
        done = house.run("manage.py", "prepare", "--no-account", ring=ring)
        assert done.returncode != 0
        assert sentence in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
        gunicorn = house.run(
            *("-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", "--bind", f"127.0.0.1:{house.port}"),
            ring=ring,
            timeout=120,
        )
        assert gunicorn.returncode != 0
        assert sentence in gunicorn.stdout + gunicorn.stderr
    assert house.opened(OLD) == (2, 2)


@pytest.mark.pure
def test_nothing_is_sealed_with_a_key_that_no_server_was_started_with(house: House, data_with_one_key: Path) -> None:
    one_key(house, data_with_one_key)
    done = house.run("manage.py", "rotate_encryption_key", ring=f"{NEW},{OLD}")
    assert done.returncode != 0
    assert "No server was started with the key new in its ring yet" in done.stderr
    assert house.opened(OLD) == (2, 2)


@pytest.mark.pure
def test_a_key_that_something_is_sealed_with_is_not_let_go(house: House, data_with_one_key: Path) -> None:
    one_key(house, data_with_one_key)
    house.manage("prepare", "--no-account", ring=f"{OLD},{NEW}")
    done = house.run("manage.py", "rotate_encryption_key", "--let-go", ring=f"{NEW},{OLD}")
    assert done.returncode != 0
    assert "still sealed with the key old" in done.stderr


def test_the_embedded_mode_rotates_its_own_file(house: House) -> None:
    if "DATABASE_URL" in house.environment:
        done = house.run("manage.py", "rotate_encryption_key", "--new-key", ring=OLD)
        assert "The ring is yours" in done.stderr
        return
    furnished(house, "", keys=3)
    file = Path(house.environment["IAMCONSOLE_DATA"]) / "encryption_keys"
    first = file.read_text().strip()
    house.manage("rotate_encryption_key", "--new-key")
    assert file.read_text().split()[0] == first
    done = house.run("manage.py", "rotate_encryption_key", "--activate")
    assert "restart it first" in done.stderr
    house.manage("prepare", "--no-account")  # as script/server does at every start
    assert "Restart the server, then run this once more" in house.manage("rotate_encryption_key", "--activate")
    assert file.read_text().split()[1] == first
    assert file.stat().st_mode & 0o777 == 0o600
    assert house.opened() == (4, 4)
    assert "Keep" in house.manage("rotate_encryption_key")
    house.manage("rotate_encryption_key", "--let-go")
    assert len(file.read_text().split()) == 1
    assert first not in file.read_text()
    house.manage("prepare", "--no-account")
    assert house.opened() == (4, 4)
