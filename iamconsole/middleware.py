"""What every request passes: its id and log line, the proxy in front, plain HTTP, headers, and faults as pages."""

import ipaddress
import logging
import time
import uuid
from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase

from accounts.views import confirm
from iamconsole import pages
from iamconsole.configuration import is_loopback
from iamconsole.errors import Fault, ServiceUnavailable, SudoRequired
from iamconsole.frame import COMMANDS, commands_of_request
from iamconsole.logs import SERVED, Served

GetResponse = Callable[[HttpRequest], HttpResponseBase]
log = logging.getLogger("iamconsole.request")

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
)
PERMISSIONS_POLICY = (
    "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(),"
    " midi=(), payment=(), usb=(), publickey-credentials-create=(self), publickey-credentials-get=(self)"
)
LARGEST_FORM = 512 * 1024
# The import from AWS takes a file of 10 MiB and a report of 1 MiB, and carries them packed; so does the page that asks in
# between who it is.
LARGER_FORMS = {"/console/accounts/user/import/aws/": 12 * 1024 * 1024, "/console/confirm/": 5 * 1024 * 1024}
HEALTH = ("/healthz", "/readyz")
FORWARDING = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED", "HTTP_VIA")


def request_log(get_response: GetResponse) -> GetResponse:
    """Give the request an id and write one line about it: the route, never the path or the query with what they carry."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        this = Served(str(uuid.uuid4()))
        token = SERVED.set(this)
        started = time.monotonic()
        try:
            response = get_response(request)
            response["x-amzn-RequestId"] = this.request_id
            fields = {
                "method": request.method,
                "route": request.resolver_match.route if request.resolver_match else "-",
                "status": response.status_code,
                "ms": round((time.monotonic() - started) * 1000, 1),
                "source_ip": request.META.get("REMOTE_ADDR", ""),
                **this.fields,
            }
            log.info("request", extra={"fields": fields})
        finally:
            SERVED.reset(token)
        return response

    return middleware


def trusted_proxy(get_response: GetResponse) -> GetResponse:
    """Believe X-Forwarded-For and -Proto from the peers in TRUSTED_PROXIES, and from nobody else.

    The client is the first address from the right that is not itself a trusted proxy.
    """

    def trusted(address: str) -> bool:
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(ip in network for network in settings.TRUSTED_PROXIES)

    def middleware(request: HttpRequest) -> HttpResponseBase:
        peer = request.META.get("REMOTE_ADDR", "")
        if trusted(peer):
            hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
            client = next((hop for hop in reversed(hops) if not trusted(hop)), peer)
            try:
                request.META["REMOTE_ADDR"] = str(ipaddress.ip_address(client))
            except ValueError:
                request.META["REMOTE_ADDR"] = peer
            request.META["wsgi.url_scheme"] = (
                "https" if request.META.get("HTTP_X_FORWARDED_PROTO", "").strip() == "https" else "http"
            )
        return get_response(request)

    return middleware


def plain_http_on_loopback_only(get_response: GetResponse) -> GetResponse:
    """Answer plain HTTP only between this machine and itself; refuse it elsewhere, where a redirect would come too late."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.is_secure():
            return get_response(request)
        direct = is_loopback(request.META.get("REMOTE_ADDR", "")) and not any(
            header in request.META for header in FORWARDING
        )
        if direct and (not settings.HTTPS or request.path in HEALTH):
            return get_response(request)
        return HttpResponse(
            "This server answers plain HTTP only to this machine itself. Use the https:// address, or put a TLS proxy in"
            " front (deploy/nginx.conf), name it in TRUSTED_PROXIES and set PUBLIC_URL to its https:// address.\n",
            status=403,
            content_type="text/plain; charset=utf-8",
        )

    return middleware


def headers(get_response: GetResponse) -> GetResponse:
    """Add what Django's own security middleware does not: CSP, resource and permission policies, no storing."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        if not request.path.startswith(f"/{settings.STATIC_URL.strip('/')}/"):
            response["Cache-Control"] = "no-store"
        return response

    return middleware


def small_forms(get_response: GetResponse) -> GetResponse:
    """Refuse a large body anywhere but at the API: the largest form holds a policy of 128 KiB, three bytes a character."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if request.path != "/" and not (
            length.isdecimal() and int(length) <= LARGER_FORMS.get(request.path, LARGEST_FORM)
        ):
            return pages.too_large(request)
        return get_response(request)

    return middleware


def commands(get_response: GetResponse) -> GetResponse:
    """Hand the commands of a change on to the page that follows it, where the answer itself shows none."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if HTTPStatus.MULTIPLE_CHOICES <= response.status_code < HTTPStatus.BAD_REQUEST:
            made = commands_of_request() if request.user.is_authenticated else []
            if made:
                request.session[COMMANDS] = made
        return response

    return middleware


class Faults:
    """Turns a fault that a console page raised into a page. The AWS door renders its own."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass on; Django answers a method that an address does not take with an empty page."""
        response = self.get_response(request)
        return pages.not_possible(request, response) if isinstance(response, HttpResponseNotAllowed) else response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Render a fault; a database that does not answer is one too. Anything else is a bug."""
        if isinstance(exception, SudoRequired):
            return confirm.ask(request, exception.secrets)
        if isinstance(exception, OperationalError):
            log.error("database", exc_info=exception)
            exception = ServiceUnavailable(
                "The database does not answer now. Nothing was changed: try again in a moment."
            )
        return pages.fault_page(request, exception) if isinstance(exception, Fault) else None
