"""How long sshd waits at each login: the shipped AuthorizedKeysCommand against ``script/server``, process start and all."""

import json
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.stage import ROOT, Stage, quantiles, serving, stage

EACH = 200
POLICY = (
    '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iamconsole:LookUpSSHKey", "Resource": "*"}}'
)


def run() -> None:
    """Print the figures for a key that is known and one that is not."""
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
