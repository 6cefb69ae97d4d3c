"""Signing in: the only place that makes a session.

The steps are password, second factor, what is demanded of the user (a new password), then the session. In between there is no
session of the user, only a pending state of five minutes, in a fresh session for each step, that nothing but that step reads.
Every failure has one answer, and every path costs the same queries and one hash.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import count
from typing import Any, Literal

from django.contrib import auth, messages
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from accounts import known_browsers, throttle
from accounts.browsers import browser_name
from accounts.caller import Caller
from accounts.models import Account, User
from accounts.sessions import IDLE, LIFETIME, SIGNED_IN, SessionStore
from accounts.throttle import Budget
from audit.models import INSTALLATION, Event
from audit.record import Origin, record, record_alone, record_unauthenticated
from credentials.passwords import normalised
from credentials.secrets import new_password
from iamconsole.errors import AccessDenied, Throttling
from iamconsole.logs import served

BACKEND = "accounts.signin.Backend"
PENDING = "pending"
PROVED = "proved"  # when who is in last proved it, in seconds since 1970: at sign-in, or when asked again
MFA_TIME = "mfa_time"  # when a second factor was shown, likewise
CALLER = "iamconsole.caller"
ACTION = "iamconsole:SignIn"
PENDING_LIFETIME = timedelta(minutes=5)
LAST_USED_WINDOW = timedelta(minutes=5)
SESSIONS_PER_USER = 50
SWEEP_EVERY = 100
_tries = count(1)

Step = Literal["second-factor", "new-password"]  # the names of their addresses


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


# The password


def check(
    request: HttpRequest, *, password: str, account: str = "", user_name: str = "", email: str = ""
) -> User | None:
    """The user whose password this is: an IAM user by account and name, or a root user by e-mail. None on every failure.

    Raises Throttling, having hashed nothing, when no try is left.
    """
    if next(_tries) % SWEEP_EVERY == 0:
        throttle.sweep()
        SessionStore.clear_expired()
    users = User.objects.select_related("account", "login_profile")
    if email:
        chain, whose, who = INSTALLATION, email.lower(), email.lower()
        found = users.filter(email=who, user_name__isnull=True).first()
    else:
        chain, whose, who = *_account(account), user_name.strip().lower()
        found = users.filter(account_id=whose, user_name_key=who).first()
    if found is not None:
        chain = found.account_id
    nonce = known_browsers.nonce_of(request, found)
    if found is not None and nonce:
        budgets = throttle.known_browser_budgets(found, nonce)
    else:
        address = request.META.get("REMOTE_ADDR", "")
        budgets = throttle.sign_in_budgets(account=whose, who=who, address=address)
    right = False
    may_sign_in = (
        found is not None and found.has_usable_password() and (found.is_root or hasattr(found, "login_profile"))
    )
    encoded = found.password if found and may_sign_in else nobodys_password()
    try:
        right = _proves(password, encoded, budgets)
    except Throttling as fault:
        _record_failure(request, chain, found, "password", fault.code)
        raise
    if found is not None and may_sign_in and right:
        throttle.refund(budgets)
        return found
    _record_failure(request, chain, found, "password")
    return None


def _proves(password: str, encoded: str, budgets: Sequence[Budget]) -> bool:
    """Whether the password is the hashed one, for one try of the budgets. Raises Throttling."""
    throttle.reserve(budgets)
    return check_password(normalised(password), encoded)


def _account(typed: str) -> tuple[str, str]:
    """The chain that failures are recorded in, and the account that tries are counted for, whether or not there is one."""
    label = typed.strip().lower()
    found = Account.objects.filter(Q(pk=label) | Q(alias=label)).first()
    return (found.pk, found.pk) if found else (INSTALLATION, label)


def _record_failure(request: HttpRequest, chain: str, user: User | None, method: str, result: str = "Failure") -> None:
    record_unauthenticated(
        _origin(request, chain, user),
        action=ACTION,
        resource=user.arn if user else "*",
        result=result,
        response={"method": method},
    )


# From step to step


@dataclass(frozen=True, kw_only=True)
class Pending:
    """Somebody half-way in, and what was shown so far."""

    user: User
    after: str
    time: datetime
    method: str
    mfa_time: datetime | None
    misses: int


@dataclass(frozen=True)
class Onward:
    """Where sign-in goes on: to the next step by its name, or, when ``user`` is in, to an address."""

    to: str
    user: User | None = None


def begin(request: HttpRequest, user: User, after: str) -> Onward | None:
    """Go on with a user whose password was right. None when the user is gone or changed meanwhile."""
    return _go_on(request, user.pk, user.auth_epoch, {"next": after, "method": "password"})


def pending(request: HttpRequest, step: Step) -> Pending | None:
    """Who is half-way in and owes this step. None for everybody else, and when it was too long ago."""
    state = request.session.get(PENDING)
    if not state or state["step"] != step:
        return None
    time = datetime.fromtimestamp(state["time"], UTC)
    if timezone.now() - time > PENDING_LIFETIME:
        return None
    users = User.objects.select_related("account", "login_profile", "boundary")
    user = users.filter(pk=state["user"], auth_epoch=state["epoch"]).first()
    if user is None:
        return None
    mfa_time = state.get(MFA_TIME)
    return Pending(
        user=user,
        after=str(state["next"]),
        time=time,
        method=str(state["method"]),
        mfa_time=datetime.fromtimestamp(mfa_time, UTC) if mfa_time else None,
        misses=int(state.get("misses", 0)),
    )


def finish_new_password(request: HttpRequest, owed: Pending) -> Onward | None:
    """Go on with the pending user, who has changed the password. None as `begin` does."""
    return _go_on(request, owed.user.pk, owed.user.auth_epoch + 1, request.session[PENDING])


def _go_on(request: HttpRequest, pk: int, epoch: int, state: dict[str, Any]) -> Onward | None:
    """Leave the session that was for a new one: of the next step, or of the user when nothing is owed."""
    request.session.flush()
    users = User.objects.select_related("account", "login_profile")
    user = users.filter(pk=pk, auth_epoch=epoch).first()
    if user is None:
        return None
    step = _owed(user, state)
    if step is None:
        return Onward(state["next"], user) if _enter(request, pk, epoch, state) else None
    kept = {name: state[name] for name in ("next", "method", MFA_TIME) if name in state}
    request.session[PENDING] = {
        **kept,
        "step": step,
        "user": pk,
        "epoch": epoch,
        "time": timezone.now().timestamp(),
    }
    return Onward(step)


def _owed(user: User, state: dict[str, Any]) -> Step | None:
    """The next step of a user who has shown what ``state`` says."""
    if not user.is_root and user.login_profile.password_reset_required:
        return "new-password"
    return None


# In and out


def _enter(request: HttpRequest, pk: int, epoch: int, state: dict[str, Any]) -> bool:
    """Make the session, if the user is still the one whose password was checked: ``epoch`` grows with every change of it."""
    now = timezone.now()
    with transaction.atomic(durable=True):
        user = _make_session(request, pk, epoch, now, state.get(MFA_TIME))
        if user is None:
            return False
        if user.password_last_used is None or now - user.password_last_used > LAST_USED_WINDOW:
            User.objects.filter(pk=pk).update(password_last_used=now)
        last, failures = _before_this(user)
        known = bool(known_browsers.nonce_of(request, user))
        facts = {"method": state["method"], "known_browser": known, "failures_before": failures}
        record(_origin(request, user.account_id, user), action=ACTION, resource=user.arn, response=facts)
    _tell(request, last, failures)
    return True


def _make_session(request: HttpRequest, pk: int, epoch: int, began: datetime, mfa_time: float | None) -> User | None:
    users = User.objects.select_related("account").select_for_update(no_key=True, of=("self",))
    user = users.filter(pk=pk, auth_epoch=epoch).first()
    if user is None:
        return None
    _note_where(request)
    auth.login(request, user, backend=BACKEND)
    request.session[SIGNED_IN] = began.timestamp()
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


def _before_this(user: User) -> tuple[Event | None, int]:
    """The user's last sign-in, and how many failed since, as far as they were recorded."""
    events = Event.objects.filter(chain=user.account_id, actor_id=user.user_id, action=ACTION)
    last = events.filter(result="Success").order_by("-sequence").first()
    failed = events.exclude(result="Success").filter(sequence__gt=last.sequence if last else 0)
    return last, failed.count()


def _tell(request: HttpRequest, last: Event | None, failures: int) -> None:
    """Say once, on the next page, when the user signed in last and what failed since."""
    told = "You have signed in for the first time."
    if last is not None:
        told = f"Last sign-in: {last.event_time:%Y-%m-%d %H:%M} UTC"
        told += f" from {last.source_ip} with {browser_name(last.user_agent)}."
    if failures:
        told += f" {failures} sign-in {'attempt' if failures == 1 else 'attempts'} failed since then."
    level = messages.WARNING if failures else messages.INFO
    messages.add_message(request, level, told, fail_silently=True)


def renew(request: HttpRequest) -> None:
    """Give a user who has just changed the own password a new session in the place of the ended one, which ends when that did."""
    caller = caller_of(request)
    user, began = caller.principal, caller.session_start or timezone.now()
    mfa_time = caller.mfa_time.timestamp() if caller.mfa_time else None
    request.session.flush()
    with transaction.atomic(durable=True):
        _make_session(request, user.pk, user.auth_epoch + 1, began, mfa_time)


def confirm(request: HttpRequest, password: str) -> bool:
    """Let who is in prove it again by the password, for the sensitive changes of the next minutes. Raises Throttling."""
    caller = caller_of(request)
    budgets = throttle.proof_budgets(caller.principal)
    if not _proves(password, caller.principal.password, budgets):
        record_alone(caller.origin(), action="iamconsole:Confirm", resource=caller.arn, result="Failure")
        return False
    throttle.refund(budgets)
    record_alone(caller.origin(), action="iamconsole:Confirm", resource=caller.arn, response={"method": "password"})
    _note_where(request)
    if not (isinstance(request.session, SessionStore) and request.session.exchange_key()):
        raise AccessDenied("Your session has ended. Sign in again.")
    request.session[PROVED] = timezone.now().timestamp()
    request.META.pop(CALLER, None)
    return True


def sign_out(request: HttpRequest) -> None:
    """End this session, or the pending state."""
    if request.user.is_authenticated:
        caller = caller_of(request)
        with transaction.atomic(durable=True):
            auth.logout(request)
            record(caller.origin(), action="iamconsole:SignOut", resource=caller.arn)
    else:
        request.session.flush()


# Who it is


def caller_of(request: HttpRequest) -> Caller:
    """The caller of a console request: its session's user."""
    if not isinstance(request.user, User):
        raise TypeError("a request without a session has no caller")
    session = request.session
    caller: Caller = request.META.setdefault(
        CALLER,
        _caller(
            request,
            request.user,
            session_id=session.session_id if isinstance(session, SessionStore) else "",
            session_start=_time(session.get(SIGNED_IN)),
            mfa_time=_time(session.get(MFA_TIME)),
            sudo_time=_time(session.get(PROVED)),
        ),
    )
    return caller


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


def pending_caller(request: HttpRequest, owed: Pending) -> Caller:
    """The caller of what a step on the way in does: the pending user."""
    return _caller(request, owed.user, mfa_time=owed.mfa_time, sudo_time=owed.time)


def _time(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _caller(request: HttpRequest, user: User, **facts: Any) -> Caller:
    return Caller(
        user=user,
        door="console",
        source_ip=request.META.get("REMOTE_ADDR", ""),
        user_agent=request.headers.get("User-Agent", ""),
        request_id=served().request_id,
        secure_transport=request.is_secure(),
        **facts,
    )


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
