"""Signing in: the only place that makes a session.

The steps are password, then a new password where one is demanded, then the session. In between there is no session of
the user, only a pending state of five minutes that nothing but the next step reads. Every failure has one answer, and every
path costs one query and one hash.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from django.contrib import auth
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from accounts.caller import Caller
from accounts.models import Account, User
from accounts.sessions import SessionStore
from audit.models import INSTALLATION
from audit.record import Origin, record, record_unauthenticated
from credentials.passwords import expiry, normalised
from credentials.secrets import new_password
from iamconsole.logs import served

BACKEND = "accounts.signin.Backend"
PENDING = "pending"
SIGNED_IN = "signed_in"  # when the session began, in seconds since 1970
CALLER = "iamconsole.caller"
PENDING_LIFETIME = timedelta(minutes=5)
LAST_USED_WINDOW = timedelta(minutes=5)


class Backend:
    """Loads the user of a session, with the account. It authenticates nobody: `check` does."""

    def authenticate(self, request: HttpRequest | None, **credentials: object) -> None:
        """Nobody: there is one way in."""
        return

    def get_user(self, pk: int) -> User | None:
        """The user, or None when it is gone."""
        return User.objects.select_related("account", "boundary").filter(pk=pk).first()


@lru_cache(maxsize=1)
def nobodys_password() -> str:
    """A hash that stands in for the user who does not exist, so that both take the same time. The server makes it at start."""
    return make_password(new_password())


def check(
    request: HttpRequest, *, password: str, account: str = "", user_name: str = "", email: str = ""
) -> User | None:
    """The user whose password this is: an IAM user by account and name, or a root user by e-mail. None on every failure."""
    users = User.objects.select_related("account", "login_profile")
    if email:
        found = users.filter(email=email.lower(), user_name__isnull=True).first()
    else:
        label = account.strip().lower()
        found = users.filter(
            Q(account_id=label) | Q(account__alias=label), user_name_key=user_name.strip().lower()
        ).first()
    may_sign_in = (
        found is not None and found.has_usable_password() and (found.is_root or hasattr(found, "login_profile"))
    )
    encoded = found.password if found and may_sign_in else nobodys_password()
    right = check_password(normalised(password), encoded)
    if found is not None and may_sign_in and right:
        return found
    _record_failure(request, found, account)
    return None


def _record_failure(request: HttpRequest, user: User | None, account: str) -> None:
    chain = _chain_of(account)  # asked for whether or not the user exists: both paths do the same work
    if user is not None:
        chain = user.account_id
    record_unauthenticated(
        _origin(request, chain, user), action="iamconsole:SignIn", resource=user.arn if user else "*", result="Failure"
    )


def _chain_of(account: str) -> str:
    """The chain a failure belongs to when the user does not exist: the account's, if that does."""
    label = account.strip().lower()
    found = Account.objects.filter(Q(pk=label) | Q(alias=label)).first() if label else None
    return found.pk if found else INSTALLATION


def begin(request: HttpRequest, user: User, after: str) -> str | None:
    """Sign a user in whose password was right. Returns where to go, or None when the user is gone or changed meanwhile."""
    request.session.flush()
    expires = expiry(user)
    expired = expires is not None and expires.passed
    if expires and expired and expires.hard:
        _record_failure(request, user, user.account_id)
        return reverse("password-expired")
    if expired or (not user.is_root and user.login_profile.password_reset_required):
        request.session[PENDING] = {
            "user": user.pk,
            "epoch": user.auth_epoch,
            "time": timezone.now().timestamp(),
            "next": after,
        }
        return reverse("new-password")
    return after if _enter(request, user.pk, user.auth_epoch, event=True) else None


def pending_user(request: HttpRequest) -> User | None:
    """The user who has given the right password and owes a new one, or None when that was too long ago."""
    pending = request.session.get(PENDING)
    if not pending or timezone.now().timestamp() - pending["time"] > PENDING_LIFETIME.total_seconds():
        return None
    return User.objects.select_related("account").filter(pk=pending["user"], auth_epoch=pending["epoch"]).first()


def finish_pending(request: HttpRequest, user: User) -> str | None:
    """Sign in the pending user, who has changed the password. Returns where to go, or None as `begin` does."""
    after = str(request.session[PENDING]["next"])
    request.session.flush()
    return after if _enter(request, user.pk, user.auth_epoch + 1, event=True) else None


def renew(request: HttpRequest) -> None:
    """Give a user who has just changed the own password a new session in the place of the ended one."""
    user = caller_of(request).principal
    request.session.flush()
    _enter(request, user.pk, user.auth_epoch + 1, event=False)


def sign_out(request: HttpRequest) -> None:
    """End this session, or the pending state."""
    if request.user.is_authenticated:
        caller = caller_of(request)
        with transaction.atomic(durable=True):
            auth.logout(request)
            record(caller.origin(), action="iamconsole:SignOut", resource=caller.arn)
    else:
        request.session.flush()


def caller_of(request: HttpRequest) -> Caller:
    """The caller of a console request: its session's user."""
    if not isinstance(request.user, User):
        raise TypeError("a request without a session has no caller")
    caller: Caller = request.META.setdefault(CALLER, console_caller(request, request.user))
    return caller


def console_caller(request: HttpRequest, user: User) -> Caller:
    """A caller in the browser: the session's user, or the pending one in the forced step."""
    signed_in = request.session.get(SIGNED_IN)
    return Caller(
        user=user,
        door="console",
        session_start=datetime.fromtimestamp(signed_in, UTC) if signed_in else None,
        source_ip=request.META.get("REMOTE_ADDR", ""),
        user_agent=request.headers.get("User-Agent", ""),
        request_id=served().request_id,
        secure_transport=request.is_secure(),
    )


def _enter(request: HttpRequest, pk: int, epoch: int, *, event: bool) -> bool:
    """Make the session, if the user is still the one whose password was checked: ``epoch`` grows with every change of it."""
    now = timezone.now()
    with transaction.atomic(durable=True):
        users = User.objects.select_related("account").select_for_update(no_key=True, of=("self",))
        user = users.filter(pk=pk, auth_epoch=epoch).first()
        if user is None:
            return False
        if isinstance(request.session, SessionStore):
            request.session.source_ip = request.META.get("REMOTE_ADDR") or None
            request.session.user_agent = request.headers.get("User-Agent", "")
        auth.login(request, user, backend=BACKEND)
        request.session[SIGNED_IN] = now.timestamp()
        request.session.save()
        request.META.pop(CALLER, None)
        if event:
            if user.password_last_used is None or now - user.password_last_used > LAST_USED_WINDOW:
                User.objects.filter(pk=pk).update(password_last_used=now)
            record(_origin(request, user.account_id, user), action="iamconsole:SignIn", resource=user.arn)
    return True


def _origin(request: HttpRequest, chain: str, user: User | None) -> Origin:
    return Origin(
        chain=chain,
        actor_arn=user.arn if user else "",
        actor_id=user.user_id if user else "",
        door="console",
        source_ip=request.META.get("REMOTE_ADDR", ""),
        user_agent=request.headers.get("User-Agent", ""),
        request_id=served().request_id,
    )
