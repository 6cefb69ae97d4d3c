"""How long sshd waits at each login: the shipped AuthorizedKeysCommand against ``script/server``, process start and all.

And how long a login through a real sshd takes to be refused while iamconsole is down (goal: 3 seconds at most).
"""

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.stage import ROOT, Stage, quantiles, serving, stage
from tests.ssh_host import MISSING, Host, git_host, is_possible

EACH = 200
LOGINS = 10
POLICY = (
    '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iamconsole:LookUpSSHKey", "Resource": "*"}}'
)


def run() -> None:
    """Print the figures for a key that is known and one that is not, and for logins while nobody answers."""
    with stage() as on, serving(on):
        made = json.loads(_manage(on, "createaccount", "Bench", "--root-email", "b@example.org", "--json"))
        account = ["--account", made["account_id"]]
        _manage(on, "iam", "CreateUser", "UserName=sshd", *account)
        policy = ["PolicyName=ask", f"PolicyDocument={POLICY}"]
        _manage(on, "iam", "PutUserPolicy", "UserName=sshd", *policy, *account)
        token = json.loads(_manage(on, "iam", "CreateServiceToken", "UserName=sshd", *account))["ServiceToken"]["Token"]
        known, unknown = (_new_key(on.folder / name) for name in ("known", "unknown"))
        _manage(on, "iam", "UploadSSHPublicKey", "UserName=sshd", f"SSHPublicKeyBody={known}", *account)
        (on.folder / "keys.conf").write_text(f"URL={on.url}\nTOKEN={token}\n")
        client = on.folder / "authorized-keys"
        shipped = (ROOT / "deploy/sshd/authorized-keys").read_text()
        client.write_text(shipped.replace("/etc/iamconsole-sshd/keys.conf", f"{on.folder}/keys.conf"))
        client.chmod(0o755)
        for label, key, answered in (("a key that is known", known, True), ("a key that is not", unknown, False)):
            quantiles(f"AuthorizedKeysCommand, {label}", [_ask(client, key, answered) for _ in range(EACH)])
        if is_possible:
            _while_it_is_down(on, token)
        else:
            print(f"Logins while iamconsole is down are not measured: {MISSING}")


def _while_it_is_down(on: Stage, token: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = on.folder / "git-host"
    folder.mkdir()
    on.folder.chmod(0o755)  # the users of the host read below it
    key = on.folder / "known"
    with git_host(folder, port, on.url, token, token) as host, socket.create_server(("127.0.0.1", 0)) as silent:
        _login(host, key, refused=False)
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        for label in ("a server that takes the connection and never answers", "a server that is stopped"):
            host.ask_at(address)
            seconds = sorted(_login(host, key, refused=True) for _ in range(LOGINS))
            middle, slowest = seconds[len(seconds) // 2], seconds[-1]
            print(f"Login refused, {label}: median {middle:.2f} s, slowest {slowest:.2f} s (n={LOGINS})")
            silent.close()


def _login(host: Host, key: Path, *, refused: bool) -> float:
    started = time.perf_counter()
    said = host.ssh(key, "git").stderr
    took = time.perf_counter() - started
    if ("iamconsole: hello" in said) is refused:
        raise RuntimeError(f"said: {said!r}")
    return took


def _manage(on: Stage, *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=on.environment, capture_output=True, text=True, check=True)
    return done.stdout


def _new_key(path: Path) -> str:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True)
    return path.with_suffix(".pub").read_text().strip()


def _ask(client: Path, key: str, answered: bool) -> float:
    started = time.perf_counter()
    done = subprocess.run([str(client), "git", *key.split()], capture_output=True, text=True, check=True)
    took = (time.perf_counter() - started) * 1000
    if done.stdout.startswith("restrict,") is not answered:
        raise RuntimeError(f"answered: {done.stdout!r}")
    return took
