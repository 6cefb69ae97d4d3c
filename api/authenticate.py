"""Who signed a request: the AWS door's authentication, and where a key's last use is noted.

One joined query finds key, user, account and boundary. The key whose signature was verified is the one everything after it uses.
"""

import logging
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Q
from django.http import HttpRequest

from accounts.caller import Caller
from api import sigv4
from api.budget import Acquaintances, Budget
from api.shapes import services
from audit.record import Origin, record_unauthenticated
from credentials.access_keys import secret_of
from credentials.models import AccessKey
from iamconsole.database import patience
from iamconsole.errors import Fault, InvalidClientTokenId, Throttling
from iamconsole.logs import served

LAST_USED_EVERY = timedelta(minutes=1)
LAST_USED_PATIENCE = timedelta(milliseconds=250)
log = logging.getLogger("iamconsole.api")
acquaintances = Acquaintances()
UNKNOWN = "The security token included in the request is invalid."


def signed_request(request: HttpRequest) -> sigv4.SignedRequest:
    """The request as it was sent: nothing decoded, nothing reordered."""
    headers = [
        (name[5:].replace("_", "-").lower(), value) for name, value in request.META.items() if name.startswith("HTTP_")
    ]
    plain = (name for name in ("CONTENT_TYPE", "CONTENT_LENGTH") if request.META.get(name))
    headers += [(name.replace("_", "-").lower(), request.META[name]) for name in plain]
    return sigv4.SignedRequest(
        method=request.method or "",
        path=request.path,
        query=request.META.get("QUERY_STRING", ""),
        headers=tuple(headers),
        body=request.body,
    )


def authenticate(request: HttpRequest) -> tuple[Caller, sigv4.Claim]:
    """The caller who signed the request. Raises a fault of aws-style signature checking; those are sampled in the trail."""
    now = datetime.now(UTC)
    access_key_id, address = "", request.META.get("REMOTE_ADDR", "")
    try:
        signed = signed_request(request)
        claim = sigv4.read_claim(
            signed, now=now, services=services().keys(), skew=timedelta(seconds=settings.SIGNATURE_SKEW_SECONDS)
        )
        access_key_id = claim.access_key_id
        acquaintance = f"{access_key_id} {address}"
        if not acquaintances.know(acquaintance):
            failures().require(address)
        key = _verified(claim, signed)
    except Throttling:
        raise
    except Fault as fault:
        failures().take(address)
        origin = Origin(
            access_key_id=access_key_id,
            door="api",
            source_ip=address,
            user_agent=request.headers.get("User-Agent", ""),
            request_id=served().request_id,
        )
        record_unauthenticated(origin, action="iamconsole:Authenticate", resource="*", result=fault.code)
        raise
    acquaintances.meet(acquaintance)
    requests().require(access_key_id)
    requests().take(access_key_id)
    note_use(key, claim, now)
    caller = Caller(
        user=key.user,
        door="api",
        access_key=key,
        source_ip=address,
        user_agent=request.headers.get("User-Agent", ""),
        request_id=served().request_id,
        secure_transport=request.is_secure(),
    )
    return caller, claim


@lru_cache(maxsize=1)
def failures() -> Budget:
    """What each address has left for signatures that fail, asked before a secret is opened.

    Not asked of a key that has signed from the address before: whoever shares an address must not be able to shut others out.
    """
    return Budget(settings.API_FAILURES_PER_MINUTE / 60)


@lru_cache(maxsize=1)
def requests() -> Budget:
    """What each access key has left."""
    return Budget(settings.API_REQUESTS_PER_SECOND)


def _verified(claim: sigv4.Claim, signed: sigv4.SignedRequest) -> AccessKey:
    if claim.session_token is not None:
        raise InvalidClientTokenId(UNKNOWN)  # this server issues no session tokens, so every one is made up
    keys = AccessKey.objects.select_related("user__account", "user__boundary")
    key = keys.filter(access_key_id=claim.access_key_id).first()
    if key is None or not key.active:
        raise InvalidClientTokenId(UNKNOWN)
    sigv4.verify(claim, signed, secret_of(key))
    return key


def note_use(key: AccessKey, claim: sigv4.Claim, now: datetime) -> None:
    """Write down the key's use, at most once a minute."""
    if key.last_used_date is not None and now - key.last_used_date < LAST_USED_EVERY:
        return
    due = Q(last_used_date__isnull=True) | Q(last_used_date__lte=now - LAST_USED_EVERY)
    use = {
        "last_used_date": now,
        "last_used_service": claim.service[:32],
        "last_used_region": claim.region[:64] or "N/A",
    }
    try:
        with patience(LAST_USED_PATIENCE):
            AccessKey.objects.filter(due, pk=key.pk).update(**use)
    except DatabaseError:
        # A full disk or a long write elsewhere must not keep anybody from reading.
        log.warning("the last use of an access key could not be written", exc_info=True)
