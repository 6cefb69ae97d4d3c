"""Keeping a user out for a time or for good, without deleting anything: suspend, end date, lock down, and the ways back.

Whether a user may authenticate is asked in one place, `User.is_active_at`, by every door, so an end date works by the clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts import targets
from accounts.caller import Caller
from accounts.models import SetupLink, User
from accounts.status import status_of
from accounts.steps import refuse_past
from accounts.targets import asked_of
from credentials.models import AccessKey
from credentials.steps import end_sessions
from iamconsole.asked import Asked, Each
from iamconsole.errors import InvalidInput
from iamconsole.operation import operation

SUSPENSION = ("suspended_date", "suspended_until", "suspension_reason")


@dataclass(frozen=True)
class UserStatus:
    """Whether a user may authenticate, and what keeps the user out or will."""

    status: str
    active: bool
    suspended_date: datetime | None
    suspended_until: datetime | None
    suspension_reason: str | None
    end_date: datetime | None
    locked_down: bool


@operation("iamconsole:GetUserStatus", on=targets.user, reads=True)
def get_user_status(caller: Caller, *, user: User) -> UserStatus:
    """Whether the user may authenticate, and what keeps the user out or will."""
    now = timezone.now()
    suspended = user.is_suspended_at(now)
    return UserStatus(
        status=status_of(user, now).word,
        active=user.is_active_at(now),
        suspended_date=user.suspended_date if suspended else None,
        suspended_until=user.suspended_until if suspended else None,
        suspension_reason=(user.suspension_reason or None) if suspended else None,
        end_date=user.end_date,
        locked_down=user.lock_down is not None,
    )


@operation("iamconsole:SuspendUser", on=targets.user, lock=True, sensitive=True)
def suspend_user(caller: Caller, *, user: User, until: datetime | None = None, reason: str = "") -> None:
    """Keep a user out at every door, from now until the time, or until somebody reactivates the user. All sessions end.

    Nothing of the user is deleted but set-up links. A user who is suspended already is suspended anew, with this time and
    reason. Raises InvalidInput for oneself, for a time that is past and for a user who is locked down.
    """
    _refuse_oneself(caller, user)
    refuse_past(until, "until")
    if user.lock_down is not None:
        raise InvalidInput(
            f"The user {user.user_name} is locked down, which is more. Undo that or reactivate the user first."
        )
    SetupLink.objects.open_of(user).delete()
    _suspend(user, until, reason)


@operation("iamconsole:ReactivateUser", on=targets.user, lock=True, sensitive=True)
def reactivate_user(caller: Caller, *, user: User, suspension_reason: str | None = None) -> None:
    """Let a user in again who is suspended, locked down or past the end date, which is removed then. Sessions do not come back.

    Access keys that a lock-down switched off stay off: undoing it switches them on. Nothing happens to a user who is active.
    With a reason, only a suspension that was given this reason and no end is lifted: raises InvalidInput when anything else
    keeps the user out, or nothing.
    """
    if suspension_reason is not None:
        _refuse_unless_suspended_for(user, suspension_reason)
    user.suspended_date, user.suspended_until, user.suspension_reason = None, None, ""
    user.lock_down = None
    if user.end_date is not None and user.end_date <= timezone.now():
        _set_end_date(user, None)
    user.save(update_fields=[*SUSPENSION, "lock_down"])


@operation("iamconsole:PutUserEndDate", on=targets.user, lock=True, sensitive=True)
def put_user_end_date(caller: Caller, *, user: User, end_date: datetime) -> None:
    """Set the time from which on the user is as suspended. Raises InvalidInput for oneself and for a time that is past."""
    _refuse_oneself(caller, user)
    refuse_past(end_date, "end_date")
    _set_end_date(user, end_date)


@operation("iamconsole:DeleteUserEndDate", on=targets.user, lock=True, sensitive=True)
def delete_user_end_date(caller: Caller, *, user: User) -> None:
    """Let the user stay without an end. Raises InvalidInput for oneself."""
    _refuse_oneself(caller, user)
    _set_end_date(user, None)


def _refuse_unless_suspended_for(user: User, reason: str) -> None:
    now = timezone.now()
    suspension = (user.is_suspended_at(now), user.suspended_until, user.suspension_reason)
    ended = user.end_date is not None and user.end_date <= now
    if user.lock_down is not None or ended or suspension != (True, None, reason):
        raise InvalidInput(
            f"The user {user.user_name} is not suspended for this reason alone, so there is nothing to undo."
            " See on the user's page what keeps the user out, and reactivate the user there."
        )


def _always(admitted: Mapping[str, Any]) -> bool:
    return True


def _keys_to_switch_off(admitted: Mapping[str, Any]) -> list[Asked]:
    """The user once for each active access key."""
    user: User = admitted["user"]
    keys = user.access_keys.filter(status=AccessKey.Status.ACTIVE).order_by("pk")
    return [_switched(user, key, AccessKey.Status.INACTIVE) for key in keys]


def _keys_to_switch_on(admitted: Mapping[str, Any]) -> list[Asked]:
    """The user once for each access key that the lock-down switched off and that is off still."""
    user: User = admitted["user"]
    keys = _switched_off(user).order_by("pk")
    return [_switched(user, key, AccessKey.Status.ACTIVE) for key in keys]


def _switched(user: User, key: AccessKey, status: AccessKey.Status) -> Asked:
    """The user, with a key and what becomes of it."""
    return replace(asked_of(user, access_key_id=key.access_key_id, status=status.value), about=(key,))


def _lets_in(admitted: Mapping[str, Any]) -> bool:
    """Whether no suspension from before the lock-down holds any more."""
    before = (admitted["user"].lock_down or {}).get("suspension")
    until = _moment(before["until"]) if before else None
    return before is None or (until is not None and until <= timezone.now())


def _switched_off(user: User) -> Any:
    ids = (user.lock_down or {}).get("access_keys", [])
    return AccessKey.objects.filter(user=user, access_key_id__in=ids, status=AccessKey.Status.INACTIVE)


@operation(
    "iamconsole:LockDownUser",
    on=targets.user,
    lock=True,
    sensitive=True,
    performs={
        "iamconsole:LockDownUser": _always,
        "iamconsole:SuspendUser": _always,
        "iam:UpdateAccessKey": Each(_keys_to_switch_off),
        "iamconsole:EndAllSessions": _always,
    },
)
def lock_down_user(caller: Caller, *, user: User, reason: str = "") -> None:
    """Suspend a user, switch every access key off, end all sessions, void set-up links. UndoLockDown brings back what was.

    Locking down once more takes what is new as well, and undoing brings back what was before the first. Raises InvalidInput
    for oneself.
    """
    _refuse_oneself(caller, user)
    now = timezone.now()
    before = user.lock_down or {"suspension": _suspension_of(user, now), "access_keys": [], "setup_links": {}}
    keys = AccessKey.objects.select_for_update(no_key=True).filter(user=user, status=AccessKey.Status.ACTIVE)
    links = SetupLink.objects.open_of(user).filter(expire_date__gt=now)
    user.lock_down = {
        "suspension": before["suspension"],
        "access_keys": [*before["access_keys"], *(key.access_key_id for key in keys)],
        "setup_links": {
            **before["setup_links"],
            **{str(link.pk): link.expire_date.isoformat() for link in links},
        },
    }
    user.save(update_fields=["lock_down"])
    AccessKey.objects.filter(user=user, status=AccessKey.Status.ACTIVE).update(
        status=AccessKey.Status.INACTIVE, status_date=now
    )
    links.update(expire_date=now)
    _suspend(user, None, reason)


@operation(
    "iamconsole:UndoLockDown",
    on=targets.user,
    lock=True,
    sensitive=True,
    performs={
        "iamconsole:UndoLockDown": _always,
        "iamconsole:ReactivateUser": _lets_in,
        "iam:UpdateAccessKey": Each(_keys_to_switch_on),
    },
)
def undo_lock_down(caller: Caller, *, user: User) -> None:
    """Bring back what LockDownUser found: the keys that were active, the set-up links, the suspension if there was one.

    Sessions do not come back, and a key that was switched by its id since stays as it is.
    Raises InvalidInput when the user is not locked down.
    """
    if user.lock_down is None:
        raise InvalidInput(f"The user {user.user_name} is not locked down.")
    _switched_off(user).update(status=AccessKey.Status.ACTIVE, status_date=timezone.now())
    for link, expire_date in user.lock_down["setup_links"].items():
        links = SetupLink.objects.open_of(user).filter(pk=int(link))
        links.update(expire_date=datetime.fromisoformat(expire_date))
    before = user.lock_down["suspension"] or {"date": None, "until": None, "reason": ""}
    user.suspended_date = _moment(before["date"])
    user.suspended_until = _moment(before["until"])
    user.suspension_reason = before["reason"]
    user.lock_down = None
    user.save(update_fields=[*SUSPENSION, "lock_down"])


def _suspend(user: User, until: datetime | None, reason: str) -> None:
    user.suspended_date, user.suspended_until, user.suspension_reason = timezone.now(), until, reason
    user.save(update_fields=SUSPENSION)
    end_sessions(user)


def _set_end_date(user: User, end_date: datetime | None) -> None:
    """Set it; the sessions of a user whose end date has passed must not come to life again when it is moved."""
    passed = user.end_date is not None and user.end_date <= timezone.now()
    user.end_date = end_date
    user.save(update_fields=["end_date"])
    if passed:
        end_sessions(user)


def _suspension_of(user: User, now: datetime) -> dict[str, str | None] | None:
    if user.suspended_date is None or not user.is_suspended_at(now):
        return None
    until = user.suspended_until.isoformat() if user.suspended_until else None
    return {"date": user.suspended_date.isoformat(), "until": until, "reason": user.suspension_reason}


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _refuse_oneself(caller: Caller, user: User) -> None:
    if caller.user is not None and caller.user.pk == user.pk:
        raise InvalidInput(
            "Nobody suspends or locks down oneself, or sets the own end date: you could not undo it. Ask another administrator."
        )
