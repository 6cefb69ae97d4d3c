"""Access keys at work: found by the id a request names, opened to check its signature, their use noted.

The only place that opens a secret.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Q, QuerySet

from api import sigv4
from credentials.models import SEALED_SECRET, AccessKey, ServiceToken
from iamconsole.database import patience
from iamconsole.errors import InvalidClientTokenId

LAST_USED_EVERY = timedelta(minutes=1)
LAST_USED_PATIENCE = timedelta(milliseconds=250)
log = logging.getLogger("iamconsole.api")


def active_key(access_key_id: str, *, account_id: str | None = None) -> AccessKey:
    """The active key of that id, with its user and account: one query.

    Raises InvalidClientTokenId, in the same words for a key of another account than ``account_id``, where that is given.
    """
    keys = AccessKey.objects.select_related("user__account", "user__boundary")
    if account_id is not None:
        keys = keys.filter(user__account=account_id)
    key = keys.filter(access_key_id=access_key_id).first()
    if key is None or not key.active:
        raise InvalidClientTokenId(sigv4.INVALID_KEY)
    return key


def key_that_signed(claim: sigv4.Claim, request: sigv4.SignedRequest, *, account_id: str | None = None) -> AccessKey:
    """The key whose signature proves the claim. Raises InvalidClientTokenId as ``active_key``, SignatureDoesNotMatch."""
    if claim.session_token is not None:
        # This server issues no session tokens, so every one is made up.
        raise InvalidClientTokenId(sigv4.INVALID_KEY)
    key = active_key(claim.access_key_id, account_id=account_id)
    sigv4.verify(claim, request, secret_of(key))
    return key


def secret_of(key: AccessKey) -> str:
    """The secret of a key (loaded with its user). Raises `sealing.SealBrokenError`."""
    secret: str = settings.KEY_RING.unseal(key.sealed_secret, column=SEALED_SECRET, row=key.sealed_row)
    return secret


def note_use(key: AccessKey, now: datetime, *, service: str, region: str) -> None:
    """Write down a key's use, at most once a minute."""
    rows = AccessKey.objects.filter(pk=key.pk)
    _note(rows, key.last_used_date, now, last_used_service=service[:32], last_used_region=region[:64] or "N/A")


def note_use_of_token(token: ServiceToken, now: datetime) -> None:
    """Write down a service token's use, at most once a minute."""
    _note(ServiceToken.objects.filter(pk=token.pk), token.last_used_date, now)


def _note(rows: QuerySet[Any], last: datetime | None, now: datetime, **use: str) -> None:
    if last is not None and now - last < LAST_USED_EVERY:
        return
    due = Q(last_used_date__isnull=True) | Q(last_used_date__lte=now - LAST_USED_EVERY)
    try:
        with patience(LAST_USED_PATIENCE):
            rows.filter(due).update(last_used_date=now, **use)
    except DatabaseError:
        # A full disk or a long write elsewhere must not keep anybody from reading.
        log.warning("the last use of a key could not be written", exc_info=True)
