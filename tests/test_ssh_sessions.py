"""A real sshd with the shipped configuration and real git: who comes in with a key, and who no longer does."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from accounts.models import User
from accounts.operations.suspension import (
    delete_user_end_date,
    lock_down_user,
    put_user_end_date,
    reactivate_user,
    suspend_user,
    undo_lock_down,
)
from accounts.operations.users import update_user
from accounts.operations.whole_users import delete_user_with_credentials
from credentials.operations.service_tokens import create_service_token, delete_service_token
from credentials.operations.ssh_public_keys import (
    delete_ssh_public_key,
    update_ssh_public_key,
    upload_ssh_public_key,
)
from credentials.ssh.models import SSHPublicKey
from permissions.operations.inline import put_user_policy
from tests.conftest import ROOT, SECRETS, URL, Person, allow, make_account, make_user
from tests.environment import free_port
from tests.ssh_host import MISSING, Host, git_host, is_possible
from tests.ssh_keys import generate, public_half

pytestmark = [pytest.mark.pure, pytest.mark.skipif(not is_possible, reason=MISSING)]
CLIENT = ROOT / "deploy/sshd/authorized-keys"


@dataclass(frozen=True)
class Stage:
    """An account with a Git host, which asks by two tokens, and dave, who may pull and push site."""

    root: Person
    host: Host
    keys_token_id: str

    def upload(self, key: Path, user_name: str = "dave") -> str:
        """Upload the public half of a key. Returns its id."""
        body = public_half(key)
        kept = upload_ssh_public_key(self.root.caller, user_name=user_name, ssh_public_key_body=body)
        return kept.ssh_public_key_id

    def comes_in(self, key: Path, login: str = "git") -> bool:
        """Whether sshd lets the key in; there is no shell, so it is greeted and sent away."""
        answer = self.host.ssh(key, login)
        assert answer.returncode in (1, 255), answer.stderr
        return "iamconsole: hello" in answer.stderr


def token_for(root: Person, name: str, *actions: str) -> tuple[str, str]:
    make_user(root, name, allow(*actions))
    issued = create_service_token(root.caller, user_name=name)
    SECRETS.append(issued.secret["token"])
    return issued.entity.service_token_id, issued.secret["token"]


@pytest.fixture(scope="module")
def stage(server: Path) -> Iterator[Stage]:
    root = make_account()
    keys_id, keys_token = token_for(root, "sshd", "iamconsole:LookUpSSHKey", "iamconsole:ListSSHLoginNames")
    _, git_token = token_for(root, "git-host", "iamconsole:Authorize")
    # Not below pytest's own folder, which is closed to the users of the host.
    with (
        TemporaryDirectory(prefix="iamconsole-git-host-") as name,
        git_host(Path(name), free_port(), URL, keys_token, git_token) as host,
    ):
        yield Stage(root, host, keys_id)


@pytest.fixture
def dave(stage: Stage) -> Iterator[Person]:
    policy = allow(
        "codecommit:GitPull",
        "codecommit:GitPush",
        resource=f"arn:aws:codecommit:eu-central-1:{stage.root.account_id}:site",
    )
    yield make_user(stage.root, "dave", policy)
    if User.objects.named(stage.root.account_id, "dave").exists():
        delete_user_with_credentials(stage.root.caller, user_name="dave")


KINDS = [("ed25519",), ("ecdsa", "-b", "256"), ("ecdsa", "-b", "521"), ("rsa", "-b", "2048")]


@pytest.mark.parametrize("by_id", [False, True], ids=["as git", "by key id"])
def test_git_clones_commits_and_pushes_by_an_uploaded_key(
    stage: Stage, dave: Person, tmp_path: Path, by_id: bool
) -> None:
    key = generate(tmp_path, "ed25519")
    key_id = stage.upload(key)
    done = stage.host.sync()
    assert done.returncode == 0, done.stderr
    address = stage.host.address(key_id if by_id else "git", "site")
    copy = tmp_path / "site"
    for command in (
        ["clone", "-q", address, str(copy)],
        ["-C", str(copy), "commit", "-q", "--allow-empty", "-m", f"by {key_id}"],
        ["-C", str(copy), "push", "-q", "origin", f"HEAD:refs/heads/{key_id}"],
    ):
        done = stage.host.git(key, *command)
        assert done.returncode == 0, done.stderr + stage.host.log
    seen = stage.host.git(key, "ls-remote", address, f"refs/heads/{key_id}").stdout
    head = stage.host.git(key, "-C", str(copy), "rev-parse", "HEAD").stdout.strip()
    assert seen.split()[0] == head
    assert SSHPublicKey.objects.get(ssh_public_key_id=key_id).last_used_date is not None


@pytest.mark.parametrize("kind", KINDS, ids=[" ".join(kind) for kind in KINDS])
def test_keys_of_every_kind_that_a_client_can_make_come_in(
    stage: Stage, dave: Person, tmp_path: Path, kind: tuple[str, ...]
) -> None:
    key = generate(tmp_path, *kind)
    stage.upload(key)
    assert stage.comes_in(key)


def test_the_session_knows_who_it_is_even_by_a_path_with_quotes(stage: Stage, dave: Person, tmp_path: Path) -> None:
    key = generate(tmp_path, "ed25519")
    stage.upload(key)
    update_user(stage.root.caller, user_name="dave", new_path='/",command="id>/etc/owned"\\/')
    answer = stage.host.ssh(key, "git")
    assert "hello dave" in answer.stderr
    assert stage.host.run("test", "-e", "/etc/owned").returncode == 1


def test_who_may_not_is_refused_by_the_policies(stage: Stage, dave: Person, tmp_path: Path) -> None:
    key = generate(tmp_path, "ed25519")
    stage.upload(key)
    answer = stage.host.git(key, "clone", stage.host.address("git", "secret"), str(tmp_path / "copy"))
    assert answer.returncode != 0
    assert "codecommit:GitPull on secret is not allowed to dave" in answer.stderr
    put_user_policy(
        stage.root.caller, user_name="dave", policy_name="given", policy_document=allow("codecommit:GitPull")
    )
    assert stage.host.git(key, "ls-remote", stage.host.address("git", "site")).returncode == 0
    copy = tmp_path / "site"
    stage.host.git(key, "clone", "-q", stage.host.address("git", "site"), str(copy))
    stage.host.git(key, "-C", str(copy), "commit", "-q", "--allow-empty", "-m", "mine")
    pushed = stage.host.git(key, "-C", str(copy), "push", "origin", "HEAD:refs/heads/other")
    assert "codecommit:GitPush on site is not allowed to dave" in pushed.stderr


@pytest.mark.parametrize("command", ["id", "git-shell", "git-upload-pack '../site'", "git-upload-pack 'a;id'", "scp x"])
def test_a_session_runs_git_and_nothing_else(stage: Stage, dave: Person, tmp_path: Path, command: str) -> None:
    key = generate(tmp_path, "ed25519")
    stage.upload(key)
    answer = stage.host.ssh(key, "git", command)
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.startswith("iamconsole: ")


BACK = {"suspended": reactivate_user, "locked down": undo_lock_down, "end date": delete_user_end_date}


@pytest.mark.parametrize(
    "end", ["inactive", "deleted", "suspended", "locked down", "end date", "user deleted", "token deleted"]
)
def test_the_next_login_is_refused_after(stage: Stage, dave: Person, tmp_path: Path, end: str) -> None:
    key = generate(tmp_path, "ed25519")
    key_id = stage.upload(key)
    assert stage.host.sync().returncode == 0
    assert stage.comes_in(key)
    assert stage.comes_in(key, key_id)
    named = {"user_name": "dave", "ssh_public_key_id": key_id}
    if end == "inactive":
        update_ssh_public_key(stage.root.caller, **named, status="Inactive")
    elif end == "deleted":
        delete_ssh_public_key(stage.root.caller, **named)
    elif end == "suspended":
        suspend_user(stage.root.caller, user_name="dave")
    elif end == "locked down":
        lock_down_user(stage.root.caller, user_name="dave")
    elif end == "end date":
        put_user_end_date(stage.root.caller, user_name="dave", end_date=datetime.now(UTC) + timedelta(days=1))
        assert stage.comes_in(key)
        User.objects.filter(pk=dave.user.pk).update(end_date=datetime.now(UTC))
    elif end == "user deleted":
        delete_user_with_credentials(stage.root.caller, user_name="dave")
    else:
        issued = create_service_token(stage.root.caller, user_name="sshd")
        SECRETS.append(issued.secret["token"])
        delete_service_token(stage.root.caller, user_name="sshd", service_token_id=stage.keys_token_id)
        _give_token(stage.host, issued.secret["token"], before=lambda: _refused(stage, key, key_id))
        assert stage.comes_in(key)
        return
    _refused(stage, key, key_id)
    if end == "inactive":
        update_ssh_public_key(stage.root.caller, **named, status="Active")
        assert stage.comes_in(key)
    elif end in BACK:
        BACK[end](stage.root.caller, user_name="dave")
        assert stage.comes_in(key)
        assert stage.comes_in(key, key_id)


def _give_token(host: Host, token: str, before: object) -> None:
    assert callable(before)
    before()
    file = "/etc/iamconsole-sshd/keys.conf"
    assert host.run("sed", "-i", f"s/^TOKEN=.*/TOKEN={token}/", file).returncode == 0
    assert host.run("chgrp", "iamconsole-keys", file).returncode == 0


def _refused(stage: Stage, key: Path, key_id: str) -> None:
    assert not stage.comes_in(key)
    assert not stage.comes_in(key, key_id)


def test_a_key_id_lets_in_its_own_key_alone(stage: Stage, dave: Person, tmp_path: Path) -> None:
    mine, other = generate(tmp_path, "ed25519"), generate(tmp_path, "ecdsa")
    mine_id, other_id = stage.upload(mine), stage.upload(other)
    assert stage.host.sync().returncode == 0
    assert stage.comes_in(mine, mine_id)
    assert not stage.comes_in(mine, other_id)


def test_a_key_of_two_users_comes_in_by_its_id_alone(stage: Stage, dave: Person, tmp_path: Path) -> None:
    key = generate(tmp_path, "ed25519")
    key_id = stage.upload(key)
    make_user(stage.root, "erin")
    stage.upload(key, "erin")
    assert stage.host.sync().returncode == 0
    assert not stage.comes_in(key)
    assert stage.comes_in(key, key_id)
    delete_user_with_credentials(stage.root.caller, user_name="erin")


@pytest.mark.parametrize("down", ["stopped", "never answers"])
def test_a_login_while_the_server_is_down_is_refused_within_three_seconds(
    stage: Stage, dave: Person, tmp_path: Path, down: str
) -> None:
    key = generate(tmp_path, "ed25519")
    stage.upload(key)

    def refused_after() -> float:
        """How long it takes, within the two minutes after which the waiting ssh is killed."""
        started = time.monotonic()
        assert not stage.comes_in(key)
        return time.monotonic() - started

    said = len(stage.host.log)
    with socket.create_server(("127.0.0.1", 0)) as listens:
        stage.host.ask_at(f"http://127.0.0.1:{listens.getsockname()[1]}")
        if down == "stopped":
            listens.close()
        try:
            # One of ten: on a machine that is busy with other things the rest of a login may take long.
            assert any(refused_after() < 3 for _ in range(10))
            assert "AuthorizedKeysCommand /opt/iamconsole-sshd/authorized-keys git" in stage.host.log[said:]
            assert "failed, status 1" in stage.host.log[said:]
        finally:
            stage.host.ask_at(URL)
    assert stage.comes_in(key)


def test_names_of_the_system_are_replaced_whole_or_stay(stage: Stage, dave: Person, tmp_path: Path) -> None:
    key_id = stage.upload(generate(tmp_path, "ed25519"))
    stage.host.run("sh", "-c", "echo carol:x:950:950::/:/bin/sh >>/var/lib/extrausers/passwd")
    assert stage.host.sync().returncode == 0
    entry = stage.host.run("getent", "passwd", key_id).stdout.split(":")
    assert entry[2:4] == ["901", "901"]
    assert stage.host.run("getent", "passwd", "carol").returncode == 0
    stage.host.run("cp", "/etc/iamconsole-sshd/keys.conf", "/etc/iamconsole-sshd/kept")
    stage.host.run("sed", "-i", "s/^TOKEN=.*/TOKEN=wrong/", "/etc/iamconsole-sshd/keys.conf")
    assert stage.host.sync().returncode == 1
    assert stage.host.run("getent", "passwd", key_id).returncode == 0
    stage.host.run("cp", "/etc/iamconsole-sshd/kept", "/etc/iamconsole-sshd/keys.conf")
    delete_user_with_credentials(stage.root.caller, user_name="dave")
    assert stage.host.sync().returncode == 0
    assert stage.host.run("getent", "passwd", key_id).returncode == 2
    assert stage.host.run("getent", "passwd", "carol").returncode == 0


# The client by itself


def client(folder: Path, url: str, token: str = "icst_none") -> Path:
    """The shipped client, reading its settings from the folder."""
    (folder / "keys.conf").write_text(f"URL={url}\nTOKEN={token}\n")
    text = CLIENT.read_text()
    shipped = "SETTINGS=/etc/iamconsole-sshd/keys.conf"
    assert text.count(shipped) == 1
    path = folder / "authorized-keys"
    path.write_text(text.replace(shipped, f"SETTINGS={folder}/keys.conf"))
    path.chmod(0o755)
    return path


def test_a_server_that_hangs_or_is_down_lets_nobody_in_within_the_clients_time(tmp_path: Path) -> None:
    key_type, key = public_half(generate(tmp_path, "ed25519")).split()[:2]
    with socket.create_server(("127.0.0.1", 0)) as hangs:
        port = hangs.getsockname()[1]
        asked = [str(client(tmp_path, f"http://127.0.0.1:{port}")), "git", key_type, key]
        answer = subprocess.run(asked, capture_output=True, text=True, timeout=120, check=False)
        assert (answer.returncode, answer.stdout) == (1, "")
    answer = subprocess.run(asked, capture_output=True, text=True, timeout=120, check=False)
    assert (answer.returncode, answer.stdout) == (1, "")


@pytest.mark.asvs("1.2.5")
@pytest.mark.parametrize(
    "login",
    ["", "-oProxyCommand=id", "Git", "git;id", "git\nroot", "$(id)", "root ", "a" * 33, "APKA" + "A" * 15 + "1"],
)
def test_a_login_name_of_another_form_is_never_asked_about(tmp_path: Path, login: str) -> None:
    key_type, key = public_half(generate(tmp_path, "ed25519")).split()[:2]
    nowhere = client(tmp_path, "http://127.0.0.1:1")  # asking would end with 1
    answer = subprocess.run([nowhere, login, key_type, key], capture_output=True, check=False)
    assert (answer.returncode, answer.stdout) == (0, b"")


def test_nothing_but_a_restricted_line_of_the_key_in_question_is_printed(tmp_path: Path) -> None:
    import http.server
    import threading

    said = [b""]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(said[0])

        def log_message(self, *_: object) -> None:
            pass

    key_type, key = public_half(generate(tmp_path, "ed25519")).split()[:2]
    good = f"restrict {key_type} {key}".replace("restrict", 'restrict,environment="IAMCONSOLE_ARN=x"', 1)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as lies:
        threading.Thread(target=lies.serve_forever, daemon=True).start()
        asked = [client(tmp_path, f"http://127.0.0.1:{lies.server_address[1]}"), "git", key_type, key]
        for answer, printed in (
            (f"{good}\n", f"{good}\n"),
            (f"{key_type} {key}\n", ""),
            (f"{good}x\n", ""),
            (f"{good}\n{good}\n", ""),
            (f"command=id {good}\n", ""),
            (good.replace("x", "\r"), ""),
            ("", ""),
        ):
            said[0] = answer.encode()
            done = subprocess.run(asked, capture_output=True, text=True, check=False)
            assert (done.returncode, done.stdout) == (0, printed), answer
        lies.shutdown()


def test_the_client_needs_a_shell_and_curl_alone() -> None:
    for name in ("authorized-keys", "git-session", "sync-logins"):
        text = (ROOT / "deploy/sshd" / name).read_text()
        assert text.startswith("#!/bin/sh\n")
        assert "python" not in text
        subprocess.run([shutil.which("dash") or "sh", "-n", ROOT / "deploy/sshd" / name], check=True)
