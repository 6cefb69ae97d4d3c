"""Signed requests and sign-ins against a real server, one client after another and several at once."""

import http.client
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks.stage import ROOT, Stage, quantiles, serving, stage

READS = 600
CLIENTS = 8
SIGN_INS = 40
PASSWORD = "Blue-Horse-7-Battery"


def run() -> None:
    """Print the figures."""
    with stage() as on, serving(on):
        made = json.loads(
            subprocess.run(
                [
                    sys.executable,
                    "manage.py",
                    "createaccount",
                    "Bench",
                    "--root-email",
                    "b@example.org",
                    "--admin-user",
                    "a",
                    "--json",
                ],
                cwd=ROOT,
                env=on.environment,
                capture_output=True,
                check=True,
            ).stdout
        )
        credentials = Credentials(made["access_key_id"], made["secret_access_key"])
        _signed(on, credentials, "Action=CreateUser&UserName=bob&Version=2010-05-08")
        _signed(on, credentials, urlencode({"Action": "CreateLoginProfile", "UserName": "bob", "Password": PASSWORD}))
        read = "Action=GetUser&UserName=bob&Version=2010-05-08"
        quantiles("signed read, one client", [_signed(on, credentials, read) for _ in range(READS)])
        _together("signed reads", READS, lambda: _signed(on, credentials, read))
        quantiles("sign-in, one client", [_sign_in(on, made["account_id"]) for _ in range(SIGN_INS)])
        _together("sign-ins", SIGN_INS, lambda: _sign_in(on, made["account_id"]))


def _together(label: str, count: int, act: Callable[[], float]) -> None:
    started = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as pool:
        times = list(pool.map(lambda _: act(), range(count)))
    quantiles(f"{label}, {CLIENTS} clients", times)
    print(
        f"{label}, {CLIENTS} clients: {count / (time.monotonic() - started):.0f} a second, clients on the same machine"
    )


def _signed(on: Stage, credentials: Credentials, body: str) -> float:
    """One signed request on a new connection; the milliseconds it took."""
    request = AWSRequest("POST", f"{on.url}/", data=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    SigV4Auth(credentials, "iam", "us-east-1").add_auth(request)
    return _send(on, "POST", "/", body, dict(request.headers.items()), expected=200)[0]


def _sign_in(on: Stage, account_id: str) -> float:
    _, page, cookie = _send(on, "GET", "/signin/", "", {}, expected=200)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    form = {
        "csrfmiddlewaretoken": token[1] if token else "",
        "account": account_id,
        "user_name": "bob",
        "password": PASSWORD,
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie, "Origin": on.url}
    return _send(on, "POST", "/signin/", urlencode(form), headers, expected=302)[0]


def _send(
    on: Stage, method: str, path: str, body: str, headers: dict[str, str], *, expected: int
) -> tuple[float, str, str]:
    connection = http.client.HTTPConnection("localhost", on.port)
    started = time.perf_counter()
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    took = (time.perf_counter() - started) * 1000
    connection.close()
    if answer.status != expected:
        raise RuntimeError(f"{method} {path} answered {answer.status}: {text[:500]}")
    return took, text, (answer.headers.get("Set-Cookie") or "").partition(";")[0]
