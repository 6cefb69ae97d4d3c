"""Who the client is and whether the way was safe: plain HTTP on loopback only, forwarding headers from trusted proxies only."""

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from iamconsole.configuration import networks
from iamconsole.middleware import plain_http_on_loopback_only, trusted_proxy

pytestmark = pytest.mark.pure


def seen(**meta: str) -> tuple[str, str, int]:
    """What the server takes a request for: the client's address, the scheme, and the answer's status."""
    facts: dict[str, str] = {}

    def view(request: HttpRequest) -> HttpResponse:
        facts.update(address=request.META["REMOTE_ADDR"], scheme=str(request.scheme))
        return HttpResponse()

    response = trusted_proxy(plain_http_on_loopback_only(view))(RequestFactory().get("/", **meta))
    return facts.get("address", ""), facts.get("scheme", ""), response.status_code


@pytest.fixture
def proxy(settings: Any) -> None:
    """A proxy on this machine and others in 10.0.0.0/8 are trusted, and people come by https."""
    settings.TRUSTED_PROXIES = networks(["127.0.0.1", "10.0.0.0/8"], "TRUSTED_PROXIES")
    settings.HTTPS = True
    settings.PUBLIC_URL = "https://iam.example.org"


def test_this_machine_may_use_plain_http() -> None:
    assert seen(REMOTE_ADDR="127.0.0.1") == ("127.0.0.1", "http", 200)
    assert seen(REMOTE_ADDR="::1") == ("::1", "http", 200)


@pytest.mark.parametrize("peer", ["192.0.2.7", "10.0.0.1", "", "2001:db8::1"])
def test_another_machine_may_not_use_plain_http(peer: str) -> None:
    assert seen(REMOTE_ADDR=peer)[2] == 403


@pytest.mark.parametrize(
    "header", ["HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED", "HTTP_VIA"]
)
def test_a_forwarded_request_is_not_from_this_machine(header: str) -> None:
    assert seen(REMOTE_ADDR="127.0.0.1", **{header: "https"})[2] == 403


def test_nobody_is_believed_unless_trusted() -> None:
    """Without TRUSTED_PROXIES a client cannot claim https or another address."""
    assert seen(REMOTE_ADDR="192.0.2.7", HTTP_X_FORWARDED_PROTO="https", HTTP_X_FORWARDED_FOR="127.0.0.1")[2] == 403


def test_a_trusted_proxy_says_who_and_how(proxy: None) -> None:
    said = seen(REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_PROTO="https", HTTP_X_FORWARDED_FOR="192.0.2.7")
    assert said == ("192.0.2.7", "https", 200)


def test_hops_are_counted_from_the_right(proxy: None) -> None:
    """What a client wrote into the header itself stands further left, and is not believed."""
    chain = "127.0.0.1, 203.0.113.9, 192.0.2.7, 10.1.2.3"
    assert seen(REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_PROTO="https", HTTP_X_FORWARDED_FOR=chain)[0] == "192.0.2.7"


@pytest.mark.parametrize("junk", ["", "unknown", "192.0.2.7:80", "'; drop", "192.0.2.7, x"])
def test_junk_in_the_header_leaves_the_proxy_as_the_client(proxy: None, junk: str) -> None:
    assert seen(REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_PROTO="https", HTTP_X_FORWARDED_FOR=junk)[0] == "127.0.0.1"


@pytest.mark.parametrize("scheme", ["http", "", "HTTPS, http", "https,http", "on"])
def test_a_proxy_that_took_plain_http_is_refused(proxy: None, scheme: str) -> None:
    assert seen(REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_PROTO=scheme, HTTP_X_FORWARDED_FOR="192.0.2.7")[2] == 403


def test_with_https_outside_only_health_is_answered_by_plain_http_inside(proxy: None) -> None:
    client = Client(REMOTE_ADDR="127.0.0.1", HTTP_HOST="localhost")
    assert [client.get(path).status_code for path in ("/healthz", "/readyz", "/signin/", "/")] == [200, 200, 403, 403]


def test_the_refusal_says_how_to_set_tls_up() -> None:
    answer: Any = Client(REMOTE_ADDR="192.0.2.7", HTTP_HOST="localhost").get("/signin/")
    assert answer.status_code == 403
    assert "put a TLS proxy in front" in answer.content.decode()


def test_an_unknown_host_is_refused() -> None:
    assert Client(REMOTE_ADDR="127.0.0.1", HTTP_HOST="evil.example").get("/signin/").status_code == 400
