"""A Git host with a real sshd, set up as docs/ssh.md says, in a mount namespace of its own: the machine stays as it is."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDED = ("sshd", "unshare", "nsenter", "git")
MISSING = (
    "sshd runs AuthorizedKeysCommand only if it is root's, as another user, and logs in as git: all of that wants root,"
    " openssh-server, git and libnss-extrausers, which script/test installs"
)
is_possible = os.geteuid() == 0 and all(shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin") for name in NEEDED)
is_possible = is_possible and any(Path("/usr/lib").glob("**/libnss_extrausers.so.2"))
# /etc and /opt of the machine with a layer of our own above, which ends with the last process in the namespace.
SET_UP = r"""
set -eu
mount -t tmpfs tmpfs "$1/layer"
for each in etc opt; do
  mkdir -p "$1/layer/$each" "$1/layer/work-$each"
  mount -t overlay overlay -o "lowerdir=/$each,upperdir=$1/layer/$each,workdir=$1/layer/work-$each" "/$each"
done
mkdir -p "$1/layer/extrausers" "$1/layer/run"
mount --bind "$1/layer/extrausers" /var/lib/extrausers
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/sshd
sed -i -E 's/^(passwd|group|shadow):(.*)/\1:\2 extrausers/' /etc/nsswitch.conf
printf 'git:x:901:901::%s/home:/bin/sh\niamconsole-keys:x:902:902::/nonexistent:/usr/sbin/nologin\n' "$1" >>/etc/passwd
printf 'git:*:1::::::\niamconsole-keys:*:1::::::\n' >>/etc/shadow
printf 'git:x:901:\niamconsole-keys:x:902:\n' >>/etc/group
mkdir -p /opt/iamconsole-sshd /etc/iamconsole-sshd /etc/ssh/sshd_config.d
chmod 755 /opt
install -m 755 "$1"/shipped/authorized-keys "$1"/shipped/git-session "$1"/shipped/sync-logins /opt/iamconsole-sshd/
install -m 640 -g iamconsole-keys "$1/keys.conf" /etc/iamconsole-sshd/
install -m 640 -g git "$1/git.conf" /etc/iamconsole-sshd/
install -m 644 "$1"/shipped/iamconsole.conf /etc/ssh/sshd_config.d/
chown -R git:git "$1/home" "$1/git"
exec /usr/sbin/sshd -D -f "$1/sshd_config" -E "$1/log"
"""
CONFIG = """
Include /etc/ssh/sshd_config.d/iamconsole.conf
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
PidFile none
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
LogLevel VERBOSE
"""


@dataclass(frozen=True)
class Host:
    """The Git host: where it listens, and its processes' namespace."""

    folder: Path
    port: int
    pid: int

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a program on the host, as root."""
        inside = ["nsenter", f"--mount=/proc/{self.pid}/ns/mnt", *command]
        return subprocess.run(inside, capture_output=True, text=True, timeout=120, check=False)

    def sync(self) -> "subprocess.CompletedProcess[str]":
        """What the timer runs."""
        return self.run("/opt/iamconsole-sshd/sync-logins")

    def ask_at(self, url: str) -> None:
        """Let sshd's client ask another server."""
        file = "/etc/iamconsole-sshd/keys.conf"
        self.run("sed", "-i", f"s|^URL=.*|URL={url}|", file).check_returncode()
        self.run("chgrp", "iamconsole-keys", file).check_returncode()

    def environment(self, key: Path) -> dict[str, str]:
        """What git needs to come with that key."""
        options = f"-F none -i {key} -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=no"
        ssh = f"ssh {options} -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
        author = {f"GIT_{who}_{what}": "dave" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        return os.environ | {"GIT_SSH_COMMAND": ssh, "GIT_CONFIG_GLOBAL": "/dev/null"} | author

    def git(self, key: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run git on the own machine, with that key."""
        environment = self.environment(key)
        return subprocess.run(
            ["git", *arguments], env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    def ssh(self, key: Path, login: str, *command: str) -> "subprocess.CompletedProcess[str]":
        """Come in with that key."""
        client = [*self.environment(key)["GIT_SSH_COMMAND"].split(), "-p", str(self.port)]
        given = [*client, "--", f"{login}@127.0.0.1", *command]
        return subprocess.run(given, capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL)

    def address(self, login: str, repository: str) -> str:
        """A repository's address."""
        return f"ssh://{login}@127.0.0.1:{self.port}/{repository}"

    @property
    def log(self) -> str:
        """What sshd says."""
        return (self.folder / "log").read_text()


@contextmanager
def git_host(folder: Path, port: int, url: str, keys_token: str, git_token: str) -> Iterator[Host]:
    """The host, serving an empty repository called site."""
    folder.chmod(0o755)
    for name in ("layer", "home", "git"):
        (folder / name).mkdir()
    shutil.copytree(ROOT / "deploy/sshd", folder / "shipped")
    subprocess.run(["git", "init", "-q", "--bare", str(folder / "git/site.git")], check=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "host")], check=True)
    (folder / "keys.conf").write_text(f"URL={url}\nTOKEN={keys_token}\n")
    (folder / "git.conf").write_text(f"URL={url}\nTOKEN={git_token}\nREPOSITORIES={folder}/git\nREGION=eu-central-1\n")
    (folder / "sshd_config").write_text(CONFIG.format(port=port, folder=folder))
    process = subprocess.Popen(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", SET_UP, "sh", str(folder)],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )
    try:
        _wait(process, port, folder)
        yield Host(folder, port, process.pid)
    finally:
        process.terminate()
        process.wait(30)


def _wait(process: "subprocess.Popen[bytes]", port: int, folder: Path) -> None:
    import socket

    for _ in range(200):
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    log = folder / "log"
    raise RuntimeError(f"sshd does not answer:\n{log.read_text() if log.exists() else ''}")
