"""The session: made here and nowhere else, renewed, confirmed, ended."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import auth
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts import known_browsers, throttle
from accounts.caller import Caller
from accounts.models import User
from accounts.sessions import IDLE, LIFETIME, SIGNED_IN, SessionStore
from accounts.signin import notices
from accounts.signin.password import proves
from accounts.signin.second_factor import verified
from accounts.signin.who import ACTION, CALLER, MFA_TIME, PROVED, caller_of, origin
from audit.record import record, record_alone
from credentials.mfa.models import MFADevice
from iamconsole.errors import AccessDenied

CONFIRM = "iamconsole:ConfirmIdentity"
BACKEND = "accounts.signin.Backend"
SESSIONS_PER_USER = 50
LAST_USED_WINDOW = timedelta(minutes=5)


class Backend:
    """Loads the user of a session, with the account. It authenticates nobody: `check` does."""

    def authenticate(self, request: HttpRequest | None, **credentials: object) -> None:
        """Nobody: there is one way in."""
        return

    def get_user(self, pk: int) -> User | None:
        """The user, or None when it is gone or not active."""
        return User.objects.active(timezone.now()).select_related("account", "boundary").filter(pk=pk).first()


def enter(request: HttpRequest, pk: int, epoch: int, state: dict[str, Any]) -> bool:
    """Make the session, if the user is still the one whose password was checked: ``epoch`` grows with every change of it."""
    now = timezone.now()
    with transaction.atomic(durable=True):
        user = _make_session(request, pk, epoch, now, state.get(MFA_TIME))
        if user is None:
            return False
        if user.password_last_used is None or now - user.password_last_used > LAST_USED_WINDOW:
            User.objects.filter(pk=pk).update(password_last_used=now)
        before = notices.before_this(user)
        known = bool(known_browsers.nonce_of(request, user))
        facts = {"method": state["method"], "known_browser": known, "failures_before": before.failures}
        record(origin(request, user.account_id, user), action=ACTION, resource=user.arn, response=facts)
    notices.tell(request, user, before)
    return True


def _make_session(request: HttpRequest, pk: int, epoch: int, began: datetime, mfa_time: float | None) -> User | None:
    users = User.objects.active(timezone.now()).select_related("account")
    user = users.select_for_update(no_key=True, of=("self",)).filter(pk=pk, auth_epoch=epoch).first()
    if user is None:
        return None
    _note_where(request)
    request.session[SIGNED_IN] = began.timestamp()  # before the row is made, which ends by it
    # Not `django_otp.login`: it keeps which device was shown, which its middleware then loads by a query in every request, and
    # knows neither a recovery code, which is no device, nor when it was, which policies ask for. MFA_TIME says both, and a
    # device that goes ends the session by auth_epoch.
    auth.login(request, user, backend=BACKEND)
    request.session[PROVED] = timezone.now().timestamp()
    if mfa_time:
        request.session[MFA_TIME] = mfa_time
    request.session.save()
    request.META.pop(CALLER, None)
    latest = user.sessions.order_by("-create_date").values_list("pk", flat=True)[:SESSIONS_PER_USER]
    user.sessions.exclude(pk__in=list(latest)).delete()
    return user


def _note_where(request: HttpRequest) -> None:
    """Let the row that the session's next key gets say where it comes from."""
    if isinstance(request.session, SessionStore):
        request.session.source_ip = request.META.get("REMOTE_ADDR") or None
        request.session.user_agent = request.headers.get("User-Agent", "")


def renew(request: HttpRequest, *, mfa_time: datetime | None = None) -> None:
    """Give a user who has just changed the own password a new session in the place of the ended one, which ends when that did.

    ``mfa_time``: when a second factor was shown, if later than the ended session knows.
    """
    caller = caller_of(request)
    user, began = caller.principal, caller.session_start or timezone.now()
    shown = mfa_time or caller.mfa_time
    request.session.flush()
    with transaction.atomic(durable=True):
        _make_session(request, user.pk, user.auth_epoch + 1, began, shown.timestamp() if shown else None)


def stay_in(request: HttpRequest, *, codes_given: bool) -> None:
    """The same for a user whose own MFA devices have just changed, which proves nothing of who is in.

    ``codes_given``: the change was made by codes of the device, which has been shown by them.
    """
    proved = request.session.get(PROVED)
    renew(request, mfa_time=timezone.now() if codes_given else None)
    if PROVED in request.session:  # it is not when the user was changed meanwhile, who is then out
        request.session[PROVED] = proved


def confirm_by_password(request: HttpRequest, password: str) -> bool:
    """Let who is in prove it again, for the sensitive changes of the next minutes. Raises Throttling."""
    caller = caller_of(request)
    budgets = throttle.proof_budgets(caller.principal, caller.door)
    if not proves(password, caller.principal.password, budgets, caller.principal):
        record_alone(caller.origin(), action=CONFIRM, resource=caller.arn, result="Failure")
        return False
    throttle.refund(budgets)
    _confirmed(request, "password")
    return True


def confirm_by_code(request: HttpRequest, device: MFADevice, code: str) -> None:
    """The same by a code of an own device, or the answer of a passkey. Raises InvalidAuthenticationCode and Throttling."""
    method = verified(request, caller_of(request).principal, device, code)
    _confirmed(request, method)
    request.session[MFA_TIME] = timezone.now().timestamp()
    request.META.pop(CALLER, None)


def _confirmed(request: HttpRequest, method: str) -> None:
    """Go on under a new key, for a quarter of an hour as who has just signed in."""
    caller = caller_of(request)
    _note_where(request)
    if not (isinstance(request.session, SessionStore) and request.session.exchange_key()):
        raise AccessDenied("Your session has ended. Sign in again.")
    record_alone(caller.origin(), action=CONFIRM, resource=caller.arn, response={"method": method})
    request.session[PROVED] = timezone.now().timestamp()
    request.META.pop(CALLER, None)


def sign_out(request: HttpRequest) -> None:
    """End this session, or the pending state."""
    if request.user.is_authenticated:
        caller = caller_of(request)
        with transaction.atomic(durable=True):
            # By its id, under the lock of who goes on under a new key: another request may be doing that.
            user = User.objects.select_for_update(no_key=True).filter(pk=caller.principal.pk).first()
            if user is not None:
                user.sessions.filter(session_id=caller.session_id).delete()
            auth.logout(request)
            record(caller.origin(), action="iamconsole:SignOut", resource=caller.arn)
    else:
        request.session.flush()


@dataclass(frozen=True)
class SessionEnd:
    """When a session ends: in ``seconds`` if nothing is done, at ``end`` whatever is done; ``last``: both are the same."""

    seconds: int
    end: datetime
    last: bool


def session_end(caller: Caller) -> SessionEnd | None:
    """When the caller's session ends, which was used just now."""
    if caller.session_start is None:
        return None
    end = caller.session_start + LIFETIME
    left = end - caller.time
    return SessionEnd(int(min(left, IDLE).total_seconds()), end, last=left <= IDLE)
