"""A Git host behind a real nginx and fcgiwrap: deploy/nginx-git.conf as it is shipped, with the tests' paths and ports put in.

It serves HTTPS with a certificate that was uploaded to iamconsole, of a certificate authority of the tests.
"""

import io
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.core.management import call_command

from credentials.operations.server_certificates import upload_server_certificate
from tests.certificate_authority import served
from tests.conftest import ROOT, URL, Person
from tests.environment import free_port
from tests.gateway import NGINX, wait_for


@dataclass(frozen=True)
class Host:
    """The address of the host, the folder of its repositories, and the certificate authority that its clients trust."""

    address: str
    folder: Path
    authority: Path

    def url(self, name: str = "", password: str = "", repository: str = "site") -> str:
        """A repository's address, with a user name and a password in it where they are given."""
        who = f"{name}:{password}@" if name else ""
        return f"{self.address.replace('//', f'//{who}')}/v1/repos/{repository}"

    def git(self, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run git, which trusts the host's certificate authority alone."""
        return git(folder, "-c", f"http.sslCAInfo={self.authority}", *arguments)


def git(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run git, which asks nobody and reads no configuration of this machine."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        **{f"GIT_{who}_{what}": "dave@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    command = ["git", "-c", "init.defaultBranch=main", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


@contextmanager
def git_host(folder: Path, token: str, root: Person) -> Iterator[Host]:
    """nginx in front of git, asking with the token; its one repository is ``site``."""
    authority, tls, certificate = folder / "authority.pem", folder / "tls", served()
    authority.write_text(certificate.root)
    upload_server_certificate(root.caller, server_certificate_name="git", **certificate.values)
    where = ["--account", root.account_id, "--to", str(tls)]
    call_command("export_server_certificate", "git", *where, stdout=io.StringIO())
    port, socket = free_port(), folder / "fcgi"
    repositories = folder / "repositories"
    repositories.mkdir()
    assert git(repositories, "init", "--bare", "site.git").returncode == 0
    text = (ROOT / "deploy/nginx-git.conf").read_text()
    host = URL.removeprefix("http://")
    for shipped, ours in (
        ("server 127.0.0.1:8000;", f"server {host.replace('localhost', '127.0.0.1')};"),
        ("Host localhost:8000;", f"Host {host};"),
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("include /etc/iamconsole-tls/git/nginx.conf;", f"include {tls}/nginx.conf;"),
        ("unix:/run/fcgiwrap.socket;", f"unix:{socket};"),
        ("/srv/git;", f"{repositories};"),
        (":123456789012:", f":{root.account_id}:"),
        ("/etc/nginx/iamconsole-token;", f"{folder}/token;"),
    ):
        assert text.count(shipped) == 1, shipped
        text = text.replace(shipped, ours)
    (folder / "token").write_text(f'proxy_set_header X-Iamconsole-Token "{token}";')
    (folder / "guarded.conf").write_text(text)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder))
    with (folder / "git.log").open("w") as log:
        wrapper = subprocess.Popen(["fcgiwrap", "-s", f"unix:{socket}"], stderr=log)
    nginx = subprocess.Popen(["nginx", "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"], cwd=folder)
    try:
        wait_for(nginx, port, folder)
        for _ in range(100):
            if socket.exists():
                break
            time.sleep(0.05)
        else:
            pytest.fail("fcgiwrap does not listen")
        yield Host(f"https://localhost:{port}", repositories, authority)
    finally:
        for process in (nginx, wrapper):
            process.terminate()
            process.wait(30)
