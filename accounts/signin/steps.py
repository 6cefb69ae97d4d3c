"""From step to step: password, second factor, what is demanded of the user, then the session.

Half-way there is no session of the user, only a pending state of five minutes, in a fresh session for each step, that nothing
but that step reads.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from django.http import HttpRequest
from django.utils import timezone

from accounts.caller import Caller
from accounts.models import User
from accounts.signin import notices
from accounts.signin.second_factor import verified
from accounts.signin.session import enter
from accounts.signin.who import MFA_TIME, console_caller, moment, record_failure
from credentials.mfa.codes import devices_of
from credentials.mfa.models import MFADevice
from credentials.mfa.requirement import is_forced
from credentials.passwords import expiry

PENDING = "pending"
PENDING_LIFETIME = timedelta(minutes=5)
Step = Literal["second-factor", "new-password", "mfa-enrolment"]  # the names of their addresses
_DONE = "done"  # how many of the forced steps were taken
_SHOWN = ("next", "method", MFA_TIME, _DONE)  # what goes on from step to step


@dataclass(frozen=True, kw_only=True)
class Pending:
    """Somebody half-way in, and what was shown so far."""

    user: User
    after: str
    time: datetime
    method: str
    mfa_time: datetime | None
    misses: int  # wrong codes in this step
    progress: str  # which of several forced steps this is, in words


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
    users = User.objects.active(timezone.now()).select_related("account", "login_profile", "boundary")
    user = users.filter(pk=state["user"], auth_epoch=state["epoch"]).first()
    if user is None:
        return None
    return Pending(
        user=user,
        after=str(state["next"]),
        time=time,
        method=str(state["method"]),
        mfa_time=moment(state.get(MFA_TIME)),
        misses=int(state.get("misses", 0)),
        progress=str(state.get("progress", "")),
    )


def give_code(request: HttpRequest, owed: Pending, device: MFADevice | None, *given: str) -> Onward | None:
    """Go on with the pending user by a code of the device, or a passkey's answer, or by a recovery code where none is named.

    Two codes in a row set the clock of the device right. None as `begin` does. Raises InvalidAuthenticationCode, and Throttling,
    having looked at nothing, when no guess is left.
    """
    state = request.session[PENDING]
    # Counted before it is looked at: what the session says of misses only tells people of the clock.
    request.session[PENDING] = {**state, "misses": owed.misses + 1}
    method = verified(request, owed.user, device, *given)
    shown = {**state, "method": f"{owed.method}, {method}", MFA_TIME: timezone.now().timestamp()}
    onward = _go_on(request, owed.user.pk, owed.user.auth_epoch, shown)
    if onward is not None and device is None:
        notices.tell_recovery_codes_left(request, owed.user)
    return onward


def finish_new_password(request: HttpRequest, owed: Pending) -> Onward | None:
    """Go on with the pending user, who has changed the password. None as `begin` does."""
    return _go_on(request, owed.user.pk, owed.user.auth_epoch + 1, _one_more(request.session[PENDING]))


def finish_enrolment(request: HttpRequest, owed: Pending) -> Onward | None:
    """Go on with the pending user, who has just enabled a first MFA device by its codes. None as `begin` does."""
    now = timezone.now().timestamp()
    shown = {**_one_more(request.session[PENDING]), "method": f"{owed.method}, new MFA device", MFA_TIME: now}
    return _go_on(request, owed.user.pk, owed.user.auth_epoch + 1, shown)


def _one_more(state: dict[str, Any]) -> dict[str, Any]:
    """The state after a forced step."""
    return {**state, _DONE: state.get(_DONE, 0) + 1}


def _go_on(request: HttpRequest, pk: int, epoch: int, state: dict[str, Any]) -> Onward | None:
    """Leave the session that was for a new one: of the next step, or of the user when nothing is owed."""
    request.session.flush()
    users = User.objects.active(timezone.now()).select_related("account", "login_profile")
    user = users.filter(pk=pk, auth_epoch=epoch).first()
    if user is None:
        return None
    shown = {name: state[name] for name in _SHOWN if name in state}
    expires = expiry(user)
    expired = expires is not None and expires.passed
    steps = _owed(user, shown, expired=expired)
    step = next(iter(steps), None)
    if step == "new-password" and expires and expired and expires.hard:
        record_failure(request, user.account_id, user, shown["method"], "PasswordExpired", paid=False)
        return Onward("password-expired")  # only an administrator can help
    if step is None:
        return Onward(state["next"], user) if enter(request, pk, epoch, shown) else None
    now = timezone.now().timestamp()
    number, of = shown.get(_DONE, 0) + 1, shown.get(_DONE, 0) + len(steps)
    progress = f"Step {number} of {of}" if of > 1 else ""
    pending = {"step": step, "user": pk, "epoch": epoch, "time": now, "progress": progress}
    request.session[PENDING] = {**shown, **pending}
    return Onward(step)


def _owed(user: User, shown: dict[str, Any], *, expired: bool) -> list[Step]:
    """The steps before a user who has shown what ``shown`` says, in their order; the second factor's alone while that is owed."""
    if MFA_TIME not in shown and devices_of(user).exists():
        return ["second-factor"]
    forced: dict[Step, bool] = {
        "new-password": expired or (not user.is_root and user.login_profile.must_change),
        "mfa-enrolment": MFA_TIME not in shown and is_forced(user),
    }
    return [step for step, owed in forced.items() if owed]


def pending_caller(request: HttpRequest, owed: Pending, **facts: Any) -> Caller:
    """The caller of what a step on the way in does: the pending user."""
    return console_caller(request, owed.user, mfa_time=owed.mfa_time, sudo_time=owed.time, **facts)
