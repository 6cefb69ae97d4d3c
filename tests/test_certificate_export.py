"""The export of a server certificate: a real nginx serves it, openssl verifies it, and a new one is taken over."""

import shutil
import ssl
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from credentials.operations.server_certificates import delete_server_certificate, upload_server_certificate
from tests.certificate_authority import Served, served
from tests.conftest import ROOT, Person, gunicorn
from tests.environment import free_port
from tests.gateway import NGINX, versions_of_tls, wait_for
from tests.rows import events_of


def export(root: Person, folder: Path, *more: str, name: str = "www") -> str:
    out = StringIO()
    call_command(
        "export_server_certificate", name, "--account", root.account_id, "--to", str(folder), *more, stdout=out
    )
    return out.getvalue()


def give(root: Person, given: Served, name: str = "www") -> None:
    upload_server_certificate(root.caller, server_certificate_name=name, **given.values)


@pytest.mark.asvs("12.1.1")
def test_the_shipped_proxy_serves_the_console_with_it_over_modern_tls(root: Person, tmp_path: Path) -> None:
    given, port, behind, authority = served(), free_port(), free_port(), tmp_path / "root.pem"
    authority.write_text(given.root)
    give(root, given)
    export(root, tmp_path / "tls")
    text = (ROOT / "deploy/nginx.conf").read_text()
    for shipped, ours in (
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("/etc/iamconsole/tls/fullchain.pem;", f"{tmp_path}/tls/current/fullchain.pem;"),
        ("/etc/iamconsole/tls/privkey.pem;", f"{tmp_path}/tls/current/privkey.pem;"),
        ("http://127.0.0.1:8000;", f"http://127.0.0.1:{behind};"),
    ):
        assert text.count(shipped) == 1, shipped
        text = text.replace(shipped, ours)
    (tmp_path / "guarded.conf").write_text(text)
    (tmp_path / "nginx.conf").write_text(NGINX.format(folder=tmp_path))
    address = f"https://localhost:{port}"
    with gunicorn(tmp_path / "log", behind, PUBLIC_URL=address, TRUSTED_PROXIES="127.0.0.1", WEB_CONCURRENCY="1"):
        process = subprocess.Popen(
            ["nginx", "-e", f"{tmp_path}/error.log", "-c", f"{tmp_path}/nginx.conf"], cwd=tmp_path
        )
        try:
            wait_for(process, port, tmp_path)
            trusting = ssl.create_default_context(cafile=authority)
            with urllib.request.urlopen(f"{address}/console/", context=trusting, timeout=120) as answer:
                assert answer.url.startswith(f"{address}/")
                assert b"Sign in" in answer.read()
            assert versions_of_tls(port, authority) == {"TLSv1.2", "TLSv1.3"}
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[tuple[Path, int, list[str]]]:
    """Where nginx includes its certificate from, the port it will listen on, and the command that controls it."""
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    port, folder = free_port(), tmp_path / "tls"
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid; error_log {tmp_path}/log; worker_processes 1; events {{}}\n"
        f"http {{ access_log off; client_body_temp_path {tmp_path}/b; proxy_temp_path {tmp_path}/p;\n"
        f"fastcgi_temp_path {tmp_path}/f; uwsgi_temp_path {tmp_path}/u; scgi_temp_path {tmp_path}/s;\n"
        f"server {{ listen 127.0.0.1:{port} ssl; include {folder}/nginx.conf; return 200 'served'; }} }}\n"
    )
    command = [binary, "-p", str(tmp_path), "-e", f"{tmp_path}/log", "-c", str(tmp_path / "nginx.conf")]
    yield folder, port, command
    if (tmp_path / "pid").exists():
        subprocess.run([*command, "-s", "stop"], check=True, capture_output=True)


def verified(port: int, given: Served, tmp_path: Path) -> bool:
    """Whether openssl's client verifies the server, trusting the root of ``given`` alone."""
    (tmp_path / "root.pem").write_text(given.root)
    asked = f"openssl s_client -connect 127.0.0.1:{port} -servername localhost -verify_hostname localhost"
    done = subprocess.run(
        [*asked.split(), "-verify_return_error", "-CAfile", tmp_path / "root.pem"],
        input="",
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode == 0 and "Verify return code: 0 (ok)" in done.stdout


def test_nginx_serves_it_and_takes_over_its_successor(
    root: Person, nginx: tuple[Path, int, list[str]], tmp_path: Path
) -> None:
    folder, port, command = nginx
    first, second = served(), served()
    give(root, first)
    export(root, folder)
    subprocess.run(command, check=True, capture_output=True)
    assert verified(port, first, tmp_path)
    assert not verified(port, second, tmp_path)
    delete_server_certificate(root.caller, server_certificate_name="www")
    give(root, second)
    reload = " ".join([*command, "-s", "reload"])
    assert "Reloaded." in export(root, folder, "--reload", reload)
    for _ in range(100):  # while the old workers end they still take connections
        if verified(port, second, tmp_path):
            break
        time.sleep(0.1)
    else:
        pytest.fail("nginx does not take the new certificate over")
    assert "Reloaded." not in export(root, folder, "--reload", reload)


def test_the_files_are_for_their_owner_alone_and_of_one_version(root: Person, tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    given = served()
    give(root, given)
    assert "is written" in export(root, folder)
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    current = folder / "current"
    assert (current / "fullchain.pem").read_text() == given.body + given.chain
    assert (current / "privkey.pem").read_text() == given.private_key
    assert stat.S_IMODE((current / "privkey.pem").stat().st_mode) == 0o600
    named = (folder / "nginx.conf").read_text()
    assert {Path(line.split()[1].rstrip(";")).parent for line in named.splitlines()} == {current.resolve()}


def test_whenever_it_is_read_a_pair_belongs_together(root: Person, tmp_path: Path) -> None:
    """A reader that follows the include, as nginx does, loads the pair again and again while it is swapped."""
    folder = tmp_path / "tls"
    for name in ("www", "other"):
        give(root, served(), name)
    export(root, folder)
    command = [sys.executable, "-c", READER, folder / "nginx.conf"]
    reader = subprocess.Popen(command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert reader.stdout is not None
    for turn in range(12):
        assert reader.stdout.readline() == b"loaded\n"  # it is about to read again
        export(root, folder, name=("other", "www")[turn % 2])
    out, _ = reader.communicate(b"stop", timeout=120)
    assert set(out.splitlines()) <= {b"loaded"}
    assert len(list((folder / "versions").iterdir())) == 2


READER = """
import select, ssl, sys
while not select.select([sys.stdin], [], [], 0)[0]:
    lines = open(sys.argv[1]).read().splitlines()
    certificate, key = (line.split()[1].rstrip(";") for line in lines)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
        print("loaded", flush=True)
    except (ssl.SSLError, OSError) as error:
        print(error, flush=True)
"""


def test_without_a_change_nothing_is_written_and_nothing_run(root: Person, tmp_path: Path) -> None:
    folder, mark = tmp_path / "tls", tmp_path / "mark"
    give(root, served())
    command = f"{sys.executable} -c \"open('{mark}', 'a').write('x')\""
    export(root, folder, "--reload", command)
    assert "has not changed" in export(root, folder, "--reload", command)
    assert mark.read_text() == "x"


def test_a_reload_that_failed_is_tried_again(root: Person, tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    give(root, served())
    with pytest.raises(CommandError, match="the reload failed: false ended with 1"):
        export(root, folder, "--reload", "false")
    with pytest.raises(CommandError, match="the reload did not work"):
        export(root, folder, "--reload", "/nonexistent")
    assert "Reloaded." in export(root, folder, "--reload", "true")


def test_files_that_were_altered_or_lost_are_written_again(root: Person, tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    give(root, served())
    export(root, folder)
    key = folder / "current" / "privkey.pem"
    whole = key.read_text()
    key.write_text("half")
    assert "is written" in export(root, folder)
    assert key.read_text() == whole


def test_a_folder_that_others_may_write_to_is_refused(root: Person, tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    folder.mkdir()
    folder.chmod(0o777)
    give(root, served())
    with pytest.raises(CommandError, match="Others may write"):
        export(root, folder)
    assert list(folder.iterdir()) == []


def test_each_export_is_a_line_of_the_trail_without_the_key(root: Person, tmp_path: Path) -> None:
    given = served()
    give(root, given)
    export(root, tmp_path / "tls")
    event = events_of(root.account_id)[-1]
    assert (event.action, event.result, event.door) == ("iamconsole:ExportServerCertificate", "Success", "shell")
    assert event.resource.endswith(":server-certificate/www")
    assert "PRIVATE KEY" not in repr((event.parameters, event.response))


def test_what_is_not_there_is_said(root: Person, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="NoSuchEntity: The Server Certificate with name none cannot be found"):
        export(root, tmp_path / "tls", name="none")
    assert not (tmp_path / "tls").exists()


def test_the_ssl_of_python_takes_the_pair(root: Person, tmp_path: Path) -> None:
    give(root, served())
    export(root, tmp_path / "tls")
    current: Any = tmp_path / "tls" / "current"
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(current / "fullchain.pem", current / "privkey.pem")
