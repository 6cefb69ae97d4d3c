"""The cast and the stage: people with motives in a fresh account each, and a real server.

alice owns the test and administers her account; bob is in it too and may do nothing but what a test gives him; mallory may
do nothing and would like to; trudy administers another account; root is alice's account's root user. ``server`` is gunicorn with
four workers over the database the tests use, and ``iam`` is boto3 against it. Nothing is rolled back or flushed between tests.
"""

import io
import itertools
import os
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from django.core.management import call_command

from tests.logs import keep_own, log_of

pytest_plugins = ["tests.browser", "tests.sms_gateway"]
ROOT = Path(__file__).resolve().parent.parent
URL = os.environ["PUBLIC_URL"]
# Every secret the tests make; the canary test looks for them where none may be.
SECRETS: list[str] = []
_numbers = itertools.count()


def pytest_addoption(parser: pytest.Parser) -> None:
    """--long runs the full rounds."""
    parser.addoption("--long", action="store_true", help="run races and generated inputs at full length")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What looks back on all other tests runs last: when every secret has been used, and every change been made."""
    items.sort(key=lambda item: "test_canary" in item.nodeid or "test_whole_run" in item.nodeid)


@pytest.fixture(scope="session")
def rounds(pytestconfig: pytest.Config) -> Callable[[int, int], int]:
    """``rounds(short, long)``: how often to repeat, by --long."""
    return lambda short, long: long if pytestconfig.getoption("--long") else short


@pytest.fixture(scope="session", autouse=True)
def django_db_setup(django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """The real database of the settings, migrated; every test may use it, and commits."""
    from tests import whole_run

    keep_own()
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        call_command("prepare", no_account=True, stdout=io.StringIO())
        whole_run.begin(patch)
        yield


@pytest.fixture(scope="session", autouse=True)
def cheap_hashes() -> tuple[int, int]:
    """Passwords cost little here; ``full_hashes`` is for tests of what they cost. Returns the product's memory and time cost."""
    from credentials.hashers import Argon2id

    full = Argon2id.memory_cost, Argon2id.time_cost
    Argon2id.memory_cost, Argon2id.time_cost = 64, 1
    return full


@pytest.fixture
def full_hashes(cheap_hashes: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords cost what the product says."""
    from credentials.hashers import Argon2id

    for name, cost in zip(("memory_cost", "time_cost"), cheap_hashes, strict=True):
        monkeypatch.setattr(Argon2id, name, cost)


@dataclass(frozen=True)
class Person:
    """One of the cast: a user, as a caller, with an access key."""

    caller: Any
    access_key_id: str
    secret_access_key: str
    session_token: str | None = None

    @property
    def user(self) -> Any:
        """The user."""
        return self.caller.user

    @property
    def name(self) -> str:
        """The user's name."""
        return str(self.user.user_name)

    @property
    def account_id(self) -> str:
        """The account."""
        return str(self.user.account_id)

    def client(self, service: str = "iam", **config: Any) -> Any:
        """boto3, signing with this person's key, against the server: AWS_ENDPOINT_URL is all it is told of it."""
        return boto3.client(
            service,
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            aws_session_token=self.session_token,
            region_name="us-east-1",
            config=Config(retries={"total_max_attempts": 1}, **config),
        )

    def environment(self) -> dict[str, str]:
        """What the aws CLI needs to be this person."""
        return os.environ | {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            **({"AWS_SESSION_TOKEN": self.session_token} if self.session_token else {}),
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_PAGER": "",
            "AWS_MAX_ATTEMPTS": "1",
        }


ALLOW_ALL = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'


def allow(*actions: str, resource: str = "*") -> str:
    """A policy that allows actions on a resource."""
    import json

    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": resource}]}
    )


def caller_for(user: Any, door: str = "api") -> Any:
    """A user as a caller, read anew; in the console, as somebody who has just signed in."""
    from accounts.caller import Caller
    from accounts.models import User

    user = User.objects.select_related("account").get(pk=user.pk)
    return Caller(user=user, door=door, source_ip="127.0.0.1", sudo_time=datetime.now(UTC))


def make_account() -> Any:
    """A fresh account: its root user as a Person."""
    from accounts.management.commands._shell import operator
    from accounts.models import User
    from accounts.operations.installation import create_account

    issued = create_account(
        operator(),
        name="Acme",
        root_email=f"root{next(_numbers)}-{secrets.token_hex(4)}@example.org",
        root_access_key=True,
    )
    made = {**issued.entity, **issued.secret}
    SECRETS.extend([made["root_secret_access_key"], made["root_setup_url"].rstrip("/").rpartition("/")[2]])
    user = User.objects.select_related("account").get(account_id=made["account_id"], user_name__isnull=True)
    return Person(caller_for(user), made["root_access_key_id"], made["root_secret_access_key"])


def make_user(root: Person, user_name: str, policy: str | None = None, path: str = "/") -> Person:
    """A user of root's account with an access key and, if given, one inline policy."""
    from accounts.operations.whole_users import create_user_with_access

    policies = [] if policy is None else [{"policy_name": "given", "policy_document": policy}]
    made = create_user_with_access(root.caller, user_name=user_name, path=path, policies=policies, access_key=True)
    key = made.access_key
    SECRETS.append(key.secret["secret_access_key"])
    return Person(caller_for(made.user), key.entity.access_key_id, key.secret["secret_access_key"])


def make_group(root: Person, group_name: str, *user_names: str, policy_arn: str | None = None) -> str:
    """A group of root's account with users in it and, if given, one managed policy. Returns its name."""
    from accounts.operations.groups import add_user_to_group, create_group
    from permissions.operations.attachments import attach_group_policy

    create_group(root.caller, group_name=group_name)
    for user_name in user_names:
        add_user_to_group(root.caller, group_name=group_name, user_name=user_name)
    if policy_arn is not None:
        attach_group_policy(root.caller, group_name=group_name, policy_arn=policy_arn)
    return group_name


@pytest.fixture
def root() -> Person:
    """The root user of alice's account."""
    return make_account()


@pytest.fixture
def alice(root: Person) -> Person:
    """Owns the test, may do everything in her account."""
    return make_user(root, "alice", ALLOW_ALL)


@pytest.fixture
def bob(root: Person) -> Person:
    """In alice's account, without permissions until a test gives him some."""
    return make_user(root, "bob")


@pytest.fixture
def mallory(root: Person) -> Person:
    """In alice's account, without permissions."""
    return make_user(root, "mallory")


@pytest.fixture
def trudy() -> Person:
    """May do everything in another account."""
    return make_user(make_account(), "trudy", ALLOW_ALL)


@pytest.fixture(scope="session")
def server(django_db_setup: None) -> Iterator[Path]:
    """gunicorn with four workers over the tests' database. Yields the path of its log."""
    path = log_of("server")
    with gunicorn(path, int(URL.rpartition(":")[2])):
        yield path


@contextmanager
def gunicorn(path: Path, port: int, **settings: str) -> Iterator[None]:
    """The server over the tests' database, with other settings where they are given, writing its log to the path."""
    with path.open("w") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "gunicorn",
                "--config",
                "deploy/gunicorn.conf.py",
                "--bind",
                f"127.0.0.1:{port}",
            ],
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | {"LOG_STREAM": "stdout"} | settings,
        )
        try:
            _wait_until_it_answers(process, f"http://localhost:{port}", path)
            yield
        finally:
            process.terminate()
            process.wait(30)


def _wait_until_it_answers(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    for _ in range(300):
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the server does not answer:\n{log.read_text()}")


@pytest.fixture
def iam(server: Path, alice: Person) -> Any:
    """boto3's IAM client with alice's key."""
    return alice.client()


@pytest.fixture
def worker() -> Iterator[Callable[[], object]]:
    """``worker()`` starts a task worker, which ends with the test."""
    processes: list[subprocess.Popen[bytes]] = []

    def begin() -> object:
        command = [sys.executable, "manage.py", "worker", "--interval", "0.1"]
        with log_of("worker").open("ab") as log:
            processes.append(subprocess.Popen(command, cwd=ROOT, env=os.environ, stdout=log, stderr=log))
        return processes[-1]

    yield begin
    for process in processes:
        process.kill()
        process.wait(10)
