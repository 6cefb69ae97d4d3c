"""Who asks: the authentication of the AWS door by signature, and of the verifier door by a service's token.

One joined query finds key, user and account. The key whose signature was verified is the one everything after it uses.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest

from accounts.caller import Caller, Door
from api import sigv4
from api.budget import Acquaintances, Budget
from api.canonical import SignedRequest
from api.shapes import services
from audit.record import Origin, record_unauthenticated
from credentials.access_keys import note_use, note_use_of_token, signer_of
from credentials.models import ServiceToken
from iamconsole.errors import (
    ExpiredToken,
    IncompleteSignature,
    InvalidClientTokenId,
    InvalidServiceToken,
    MissingAuthenticationToken,
    SignatureDoesNotMatch,
)
from iamconsole.logs import served

TOKEN_HEADER = "X-Iamconsole-Token"  # noqa: S105 - the name of a header
SIGNATURE_FAULTS = (
    ExpiredToken,
    IncompleteSignature,
    InvalidClientTokenId,
    MissingAuthenticationToken,
    SignatureDoesNotMatch,
)
acquaintances = Acquaintances()


def signed_request(request: HttpRequest) -> SignedRequest:
    """The request as it was sent: nothing decoded, nothing reordered."""
    return SignedRequest(
        method=request.method or "",
        path=request.path,
        query=request.META.get("QUERY_STRING", ""),
        headers=tuple(headers_of(request)),
        body=request.body,
    )


def headers_of(request: HttpRequest) -> list[tuple[str, str]]:
    """The request's headers, their names in lower case; text is as WSGI has it."""
    names = [(name[5:], value) for name, value in request.META.items() if name.startswith("HTTP_")]
    names += [(name, request.META[name]) for name in ("CONTENT_TYPE", "CONTENT_LENGTH") if request.META.get(name)]
    return [(name.replace("_", "-").lower(), value) for name, value in names]


def authenticate(request: HttpRequest) -> tuple[Caller, sigv4.Claim]:
    """The caller who signed the request. Raises a fault of aws-style signature checking; those are sampled in the trail."""
    now = datetime.now(UTC)
    signed = signed_request(request)
    origin = _origin(request, "api", sigv4.claimed_key_id(signed))
    with counted(origin, who=origin.access_key_id, source=origin.source_ip):
        skew = timedelta(seconds=settings.SIGNATURE_SKEW_SECONDS)
        claim = sigv4.read_claim(signed, now=now, services=services().keys(), skew=skew)
        signer = signer_of(claim, signed, now)
    # Sessions share what their key has left, or whoever opens many had more.
    budget = signer.key.access_key_id if signer.key else signer.user.user_id
    requests().require(budget)
    requests().take(budget)
    if signer.key is not None and signer.session is None:
        note_use(signer.key, now, service=claim.service, region=claim.region, address=origin.source_ip)
    caller = Caller.who_signed(
        signer,
        door="api",
        source_ip=origin.source_ip,
        user_agent=origin.user_agent,
        request_id=origin.request_id,
        secure_transport=request.is_secure(),
        region=claim.region,
    )
    return caller, claim


def authenticate_service(request: HttpRequest) -> tuple[Caller, ServiceToken]:
    """The user as whom a service asks, by its token. Raises InvalidServiceToken; those are sampled in the trail."""
    now = datetime.now(UTC)
    digest = ServiceToken.digest(request.headers.get(TOKEN_HEADER, ""))
    origin = _origin(request, "verifier")
    with counted(origin, who=digest, source=origin.source_ip):
        token = ServiceToken.objects.select_related("user__account").filter(token_digest=digest).first()
        if token is None or not token.is_good(now) or not token.user.is_active_at(now):
            raise InvalidServiceToken(
                f"The header {TOKEN_HEADER} must have a service token that exists and has not expired."
            )
    note_use_of_token(token, now)
    caller = Caller(
        user=token.user,
        door="verifier",
        source_ip=origin.source_ip,
        user_agent=origin.user_agent,
        request_id=origin.request_id,
        secure_transport=request.is_secure(),
    )
    return caller, token


@contextmanager
def counted(origin: Origin, *, who: str, source: str) -> Iterator[None]:
    """Check a signature or a token inside: what fails costs ``source`` some of its budget, and is sampled in the trail.

    Raises Throttling, before anything is looked at, when that budget is spent and ``who`` has not been right from there before:
    whoever shares an address must not be able to shut others out.
    """
    acquaintance = f"{who} {source}"
    if not acquaintances.know(acquaintance):
        failures().require(source)
    try:
        yield
    except (*SIGNATURE_FAULTS, InvalidServiceToken) as fault:
        failures().take(source)
        record_unauthenticated(origin, action="iamconsole:Authenticate", resource="*", result=fault.code)
        raise
    acquaintances.meet(acquaintance)


@lru_cache(maxsize=1)
def failures() -> Budget:
    """What each address has left for signatures that fail, asked before a secret is opened."""
    return Budget(settings.API_FAILURES_PER_MINUTE / 60)


@lru_cache(maxsize=1)
def requests() -> Budget:
    """What each access key has left."""
    return Budget(settings.API_REQUESTS_PER_SECOND)


def _origin(request: HttpRequest, door: Door, access_key_id: str = "") -> Origin:
    return Origin(
        access_key_id=access_key_id,
        door=door,
        source_ip=request.META.get("REMOTE_ADDR", ""),
        user_agent=request.headers.get("User-Agent", ""),
        request_id=served().request_id,
    )
