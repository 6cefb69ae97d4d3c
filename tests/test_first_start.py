"""The first start: script/server as a newcomer runs it, the account it makes, the link it prints; and what probes are told."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.browser import PASSWORD
from tests.conftest import ROOT, SECRETS
from tests.environment import free_port
from tests.logs import log_of

pytestmark = pytest.mark.pure  # each has a database of its own: SQLite's file in a data folder that is not there yet

KEPT = ("PATH", "HOME", "LANG", "PYTHONPATH", "TMPDIR")


def environment(data: Path, **more: str) -> dict[str, str]:
    """Nothing but what every shell has, and a data folder."""
    return {name: os.environ[name] for name in KEPT if name in os.environ} | {"IAMCONSOLE_DATA": str(data)} | more


@contextmanager
def serving(data: Path, port: int) -> Iterator[Path]:
    """script/server, answering. Yields what it has printed."""
    printed = data.with_name(f"printed-{port}")
    with printed.open("wb") as out:
        server = subprocess.Popen(
            ["script/server", f"127.0.0.1:{port}"],
            cwd=ROOT,
            env=environment(data),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        for _ in range(900):
            assert server.poll() is None, printed.read_text()
            try:
                with urllib.request.urlopen(f"http://localhost:{port}/readyz", timeout=1):
                    break
            except OSError:
                time.sleep(0.1)
        else:
            pytest.fail(f"the server does not answer:\n{printed.read_text()}")
        yield printed
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)


def test_the_first_start_makes_an_account_whose_link_sets_the_password_and_the_second_makes_none(
    tmp_path: Path,
) -> None:
    data, port = tmp_path / "data", free_port()
    with serving(data, port) as printed:
        said = printed.read_text()
        account = re.search(r"Account ID: +([0-9]{12})\n", said)
        link = re.search(rf"http://localhost:{port}(/setup/[^/\s]+/)\n", said)
        assert account
        assert link
        assert f"Sign-in URL:  http://localhost:{port}/signin/{account[1]}/\n" in said
        assert "Root user:    root@localhost\n" in said
        token = link[1].split("/")[2]
        SECRETS.append(token)
        assert data.stat().st_mode & 0o777 == 0o700
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

        def ask(path: str, **fields: str) -> str:
            """A page; with fields, what a form of it is answered. Returns the text of where it leads."""
            address = f"http://localhost:{port}{path}"
            page = browser.open(address).read().decode()
            if not fields:
                return str(page)
            known = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
            sent = urlencode(known | fields).encode()
            request = urllib.request.Request(address, sent, {"Referer": address, "Origin": f"http://localhost:{port}"})
            return str(browser.open(request).read().decode())

        ask(link[1], new_password=PASSWORD, confirm_password=PASSWORD)
        home = ask("/signin/?as=root", email="root@localhost", password=PASSWORD)
        assert "<h1" in home
        assert account[1] in home
        assert "Users" in ask("/console/accounts/user/")
        with pytest.raises(urllib.error.HTTPError, match="404"):
            ask(link[1])
        first = printed.read_bytes()
    with serving(data, port) as printed:
        assert "first start" not in printed.read_text()
        assert "/setup/" not in printed.read_text()
    # The link is told once, where the one who starts it reads; the log that goes on behind it has neither it nor the password.
    log_of("first-start").write_bytes(first.replace(link[0].encode(), b"", 1))


def readyz(data: Path, **more: str) -> tuple[int, str]:
    """What a probe is told by a server with this data folder."""
    code = (
        "import django; django.setup(); from django.test import Client; answer = Client(REMOTE_ADDR='127.0.0.1',"
        " HTTP_HOST='localhost').get('/readyz'); print(answer.status_code, answer.content.decode())"
    )
    given = environment(data, DJANGO_SETTINGS_MODULE="iamconsole.settings", **more)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=given, capture_output=True, text=True, check=True)
    status, _, body = done.stdout.strip().partition(" ")
    return int(status), json.loads(body)["status"]


def test_a_server_is_not_ready_before_its_migrations_and_without_its_database(tmp_path: Path) -> None:
    status, says = readyz(tmp_path / "data")
    assert (status, says.partition(" ")[2]) == (503, "migrations are not applied: manage.py migrate")
    gone = {
        "DATABASE_URL": f"postgres://nobody@127.0.0.1:{free_port()}/none",
        "SECRET_KEY": os.environ["SECRET_KEY"],
        "ENCRYPTION_KEYS": os.environ["ENCRYPTION_KEYS"],
    }
    assert readyz(tmp_path / "other", **gone) == (503, "the database does not answer")
