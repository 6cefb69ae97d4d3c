"""Access keys at work, long-term and temporary: found by what a request names, opened to check its signature, their use noted.

The only place that opens a secret.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Q, QuerySet

from accounts.models import Account, User
from api import sigv4
from api.canonical import SignedRequest
from credentials import session_tokens
from credentials.models import SEALED_SECRET, AccessKey, ServiceToken
from credentials.sealing import SealBrokenError
from credentials.service_credentials import ServiceSpecificCredential
from credentials.session_tokens import Session
from credentials.ssh.models import SSHPublicKey
from iamconsole.database import patience
from iamconsole.errors import ExpiredToken, InvalidClientTokenId

LAST_USED_EVERY = timedelta(minutes=1)
LAST_USED_PATIENCE = timedelta(milliseconds=250)
log = logging.getLogger("iamconsole.api")


def active_key(access_key_id: str, now: datetime, *, account_id: str | None = None) -> AccessKey:
    """The active key of that id that has not expired, of an active user, with user and account: one query.

    Raises InvalidClientTokenId, in the same words for a key of another account than ``account_id``, where that is given.
    """
    keys = AccessKey.objects.select_related("user__account", "user__boundary")
    if account_id is not None:
        keys = keys.filter(user__account=account_id)
    key = keys.filter(access_key_id=access_key_id).first()
    if key is None or not key.is_good(now) or not key.user.is_active_at(now):
        raise InvalidClientTokenId(sigv4.INVALID_KEY)
    return key


def owner_of_ssh_key(ssh_public_key_id: str, account: Account) -> User:
    """Whose active SSH public key it is, of the account. Raises InvalidClientTokenId, as for an access key."""
    keys = SSHPublicKey.objects.that_open(account).select_related("user__account", "user__boundary")
    key = keys.filter(ssh_public_key_id=ssh_public_key_id).first()
    if key is None:
        raise InvalidClientTokenId(sigv4.INVALID_KEY)
    return key.user


@dataclass(frozen=True)
class Signer:
    """Who signed, loaded with the account: by an access key, or in a session that was got with one (or at the shell).

    Or who proved it otherwise, to a service that takes a password or an API key.
    """

    user: User
    key: AccessKey | None
    session: Session | None = None
    service_credential: ServiceSpecificCredential | None = None

    @property
    def access_key_id(self) -> str:
        """The id the signature named, or that of what was shown in its place."""
        if self.service_credential is not None:
            return self.service_credential.service_specific_credential_id
        if self.session is not None:
            return self.session.access_key_id
        return self.key.access_key_id if self.key else ""


def signer_of(claim: sigv4.Claim, request: SignedRequest, now: datetime, *, account_id: str | None = None) -> Signer:
    """Whose signature proves the claim.

    Raises InvalidClientTokenId as ``active_key``, for a key whose secret does not open, and for a session that was ended;
    ExpiredToken for one that is over; SignatureDoesNotMatch.
    """
    if claim.session_token is None:
        key = active_key(claim.access_key_id, now, account_id=account_id)
        signer = Signer(key.user, key)
        try:
            secret = secret_of(key)
        except SealBrokenError as error:
            log.critical("%s: nothing is signed with this access key until it is replaced", error)
            raise InvalidClientTokenId(sigv4.INVALID_KEY) from error
    else:
        signer, secret = _in_session(claim.session_token, claim.access_key_id, now, account_id)
    sigv4.verify(claim, request, secret)
    return signer


def _in_session(token: str, access_key_id: str, now: datetime, account_id: str | None) -> tuple[Signer, str]:
    """The signer a session token speaks of, and the session's secret."""
    session = session_tokens.read(token, access_key_id)
    if session is None:
        raise InvalidClientTokenId(sigv4.INVALID_KEY)
    if session.parent:
        key = active_key(session.parent, now, account_id=account_id)
        user: User | None = key.user
    else:
        key = None
        users = User.objects.select_related("account", "boundary").filter(user_id=session.user_id)
        user = (users if account_id is None else users.filter(account=account_id)).first()
    if (
        user is None
        or not user.is_active_at(now)
        or (user.user_id, user.auth_epoch) != (session.user_id, session.auth_epoch)
    ):
        raise InvalidClientTokenId(sigv4.INVALID_KEY)
    if now >= session.expiration:
        raise ExpiredToken("The security token included in the request is expired")
    return Signer(user, key, session), session.secret_access_key


def secret_of(key: AccessKey) -> str:
    """The secret of a key (loaded with its user). Raises `sealing.SealBrokenError`."""
    secret: str = settings.KEY_RING.unseal(key.sealed_secret, column=SEALED_SECRET, row=key.sealed_row)
    return secret


def note_use(key: AccessKey, now: datetime, *, service: str, region: str, address: str) -> None:
    """Write down a key's use, at most once a minute. ``address`` is the client's, empty where it is not known."""
    use = {"last_used_service": service[:32], "last_used_region": region[:64] or "N/A", "last_used_address": address}
    _note(AccessKey.objects.filter(pk=key.pk), key.last_used_date, now, **use)


def note_use_of_service_credential(credential: ServiceSpecificCredential, now: datetime, *, address: str) -> None:
    """Write down the use of a service-specific credential, at most once a minute."""
    rows = ServiceSpecificCredential.objects.filter(pk=credential.pk)
    _note(rows, credential.last_used_date, now, last_used_address=address)


def note_use_of_token(token: ServiceToken, now: datetime) -> None:
    """Write down a service token's use, at most once a minute."""
    _note(ServiceToken.objects.filter(pk=token.pk), token.last_used_date, now)


def note_use_of_ssh_key(key: SSHPublicKey, now: datetime) -> None:
    """Write down an SSH public key's use, at most once a minute."""
    _note(SSHPublicKey.objects.filter(pk=key.pk), key.last_used_date, now)


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
