"""A service behind a real nginx: deploy/nginx-authorize.conf as it is shipped, with the tests' ports put in."""

import hashlib
import http.server
import socket
import ssl
import subprocess
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from tests.conftest import ROOT, URL
from tests.environment import free_port

NGINX = """
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/guarded.conf;
}}
"""


@dataclass
class Service:
    """A small store of objects that knows nothing of signatures: it trusts nginx for who asks, and compares bodies."""

    port: int
    objects: dict[str, bytes] = field(default_factory=dict)
    seen: list[dict[str, str]] = field(default_factory=list)  # the headers of each request, with its method and path


@contextmanager
def service() -> Iterator[Service]:
    """The store, serving."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = unquote(urlsplit(self.path).path)
            here.seen.append(
                {name.lower(): value for name, value in self.headers.items()}
                | {":method": self.command, ":path": self.path}
            )
            told = self.headers.get("X-Iamconsole-Content-Sha256")
            status, content = 200, here.objects.get(path, b"")
            if told not in (hashlib.sha256(body).hexdigest(), "UNSIGNED-PAYLOAD"):
                status, content = 400, b"the body is not the one that was signed"
            elif self.command == "PUT":
                here.objects[path], content = body, b""
            elif self.command == "POST":
                content = b'{"Item": {}}'
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else content)

        do_GET = do_HEAD = do_PUT = do_DELETE = do_POST = answer  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        here = Service(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield here
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def nginx(folder: Path, token: str, behind: Service, *changes: tuple[str, str], iamconsole: str = URL) -> Iterator[str]:
    """nginx in front of the store, asking with the token. Yields its address."""
    port = free_port()
    text = (ROOT / "deploy/nginx-authorize.conf").read_text()
    host = iamconsole.removeprefix("http://")
    for shipped, ours in (
        ("server 127.0.0.1:8000;", f"server {host.replace('localhost', '127.0.0.1')};"),
        ("Host localhost:8000;", f"Host {host};"),
        ("server 127.0.0.1:9000;", f"server 127.0.0.1:{behind.port};"),
        ("listen 127.0.0.1:8080;", f"listen 127.0.0.1:{port};"),
        ("/etc/nginx/iamconsole-token;", f"{folder}/token;"),
        *changes,
    ):
        assert text.count(shipped) == 1, shipped
        text = text.replace(shipped, ours)
    (folder / "token").write_text(f'proxy_set_header X-Iamconsole-Token "{token}";')
    (folder / "guarded.conf").write_text(text)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder))
    process = subprocess.Popen(["nginx", "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"], cwd=folder)
    try:
        wait_for(process, port, folder)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def versions_of_tls(port: int, authority: Path) -> set[str]:
    """The versions of TLS that the server on that port speaks with a client who knows one alone, however weak its ciphers."""
    spoken = set()
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        client = ssl.create_default_context(cafile=authority)
        client.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            client.minimum_version = client.maximum_version = version
        with socket.create_connection(("127.0.0.1", port), timeout=120) as line:
            try:
                with client.wrap_socket(line, server_hostname="localhost") as secured:
                    spoken.add(str(secured.version()))
            except ssl.SSLError as error:
                if error.reason != "TLSV1_ALERT_PROTOCOL_VERSION":
                    raise
    return spoken


def wait_for(process: "subprocess.Popen[bytes]", port: int, folder: Path) -> None:
    """Wait until nginx listens."""
    for _ in range(100):
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail(f"nginx does not answer:\n{(folder / 'error.log').read_text()}")
