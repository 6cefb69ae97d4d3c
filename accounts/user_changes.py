"""One change of many users: what it is, whom it is for and why not, and how the task worker makes it row by row.

Each row is an operation of its own, decided by the caller's policies as they are then, with its own line in the trail. A row that
is refused undoes no other.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.db.models import QuerySet, prefetch_related_objects
from django.utils import timezone

from accounts import jobs
from accounts.caller import Caller
from accounts.models import Membership, User
from accounts.operations.groups import add_user_to_group
from accounts.operations.sessions import end_all_sessions
from accounts.operations.suspension import reactivate_user, suspend_user
from accounts.operations.user_changes import KIND
from accounts.operations.whole_users import BELONGINGS, delete_user_with_credentials
from accounts.signin.who import moment
from accounts.targets import asked_of
from credentials.models import AccessKey
from credentials.operations.login_profiles import update_login_profile
from credentials.session_tokens import Session
from iamconsole.errors import AccessDenied, Fault
from iamconsole.forms import may
from iamconsole.operation import Operation

A_BEAT: Final = 10  # rows between two signs of life
Row = dict[str, str]  # user_name; outcome: done, unchanged or failed; message


@dataclass(frozen=True)
class Change:
    """One kind of change: its button, what it means in a sentence, and the operation that each row is.

    ``reads``: what of the users it is decided on. ``spares_oneself``: it would shut the caller out.
    """

    name: str
    label: str
    done: str
    means: str
    operation: Operation[Any]
    idle: Callable[[User, datetime], str]
    reads: Sequence[str] = ()
    spares_oneself: bool = False
    danger: bool = False
    given: Mapping[str, Any] | None = None


def _suspended(user: User, now: datetime) -> str:
    if user.lock_down is not None:
        return "Is locked down, which is more."
    return "Is suspended already." if user.is_suspended_at(now) else ""


def _active(user: User, now: datetime) -> str:
    return "Is active already." if user.is_active_at(now) else ""


def _without_password(user: User, now: datetime) -> str:
    if not hasattr(user, "login_profile"):
        return "Has no password."
    return "Must change the password already." if user.login_profile.must_change else ""


def _never(user: User, now: datetime) -> str:
    return ""


CHANGES: Final = {
    change.name: change
    for change in (
        Change(
            "suspend",
            "Suspend",
            "Suspended",
            "No password, key, token or session of theirs is accepted from now on. Nothing is deleted.",
            suspend_user,
            _suspended,
            spares_oneself=True,
        ),
        Change(
            "reactivate",
            "Reactivate",
            "Reactivated",
            "They may come in again. Sessions and access keys that were switched off do not come back.",
            reactivate_user,
            _active,
        ),
        Change(
            "add-to-group",
            "Add to group",
            "Added to the group",
            "They get the permissions of the group, at once.",
            add_user_to_group,
            _never,
        ),
        Change(
            "require-password-change",
            "Require password change",
            "Must change the password",
            "At the next sign-in they must choose another password.",
            update_login_profile,
            _without_password,
            given={"password_reset_required": True},
        ),
        Change(
            "sign-out",
            "Sign out",
            "Signed out",
            "Every session of theirs in a browser ends. They may sign in again; access keys go on working.",
            end_all_sessions,
            _never,
            spares_oneself=True,
        ),
        Change(
            "delete",
            "Delete",
            "Deleted",
            "They are deleted with password, keys, MFA devices, policies and memberships. This cannot be undone.",
            delete_user_with_credentials,
            _never,
            reads=BELONGINGS,
            spares_oneself=True,
            danger=True,
        ),
    )
}


@dataclass(frozen=True)
class Foreseen:
    """What a change would do to some users, for one caller. As many queries, however many they are."""

    caller: Caller
    change: Change
    group_name: str
    members: Collection[int]
    group_refusal: str = ""

    @classmethod
    def of(cls, caller: Caller, change: Change, users: Sequence[User], group_name: str = "") -> "Foreseen":
        """Look once for all of them at the group and at what the change is decided on."""
        prefetch_related_objects(users, *change.reads)
        if not group_name:
            return cls(caller, change, "", ())
        allowed = may(caller, change.operation, group_name=group_name, user_name="*").allowed
        members = Membership.objects.filter(
            group__account=caller.account_id, group__group_name_key=group_name.lower(), user__in=users
        )
        return cls(
            caller, change, group_name, set(members.values_list("user_id", flat=True)), "" if allowed else DENIED
        )

    def why_not(self, user: User) -> str:
        """Why nothing would happen to the user, in words; empty if something would."""
        if self.change.spares_oneself and user.pk == self.caller.principal.pk:
            return "This is you: somebody else has to do that."
        if self.group_refusal:
            return self.group_refusal
        asked = asked_of(user, **(self.change.given or {}))
        if not self.group_name and not self.change.operation.allows(self.caller, asked, user=user):
            return DENIED
        if user.pk in self.members:
            return "Is in the group already."
        return self.change.idle(user, timezone.now())


DENIED: Final = "Your policies do not allow it."


def users_named(account_id: str, names: Collection[str]) -> QuerySet[User]:
    """The account's users of these names, with what a change of them is foreseen by."""
    users = User.objects.in_account(account_id).filter(user_name_key__in=[name.lower() for name in names])
    return users.select_related("login_profile", "boundary").order_by("user_name_key")


def _caller(facts: Mapping[str, Any]) -> Caller:
    """Who began the job, as the database has them now. Raises AccessDenied when they may not come in any more.

    Whoever began it had proved who it is just then: rows are not asked for it again.
    """
    users = User.objects.active(datetime.now(UTC)).select_related("account")
    user = users.filter(pk=facts["user"], auth_epoch=facts["auth_epoch"]).first()
    if user is None:
        raise AccessDenied("Who began this may not come in any more, or has ended all sessions.")
    key = None
    if facts.get("access_key") is not None:
        key = AccessKey.objects.select_related("user__account").filter(pk=facts["access_key"], user=user).first()
        if key is None or not key.active:
            raise AccessDenied("The access key that this was begun with is accepted no more.")
    now = datetime.now(UTC)
    held, session_id = facts.get("session"), facts.get("session_id", "")
    session = Session.of_facts(held["id"], held) if held else None
    if session is not None and now >= session.expiration:
        raise AccessDenied("The temporary credentials that this was begun with have expired.")
    if session_id and not user.sessions.filter(session_id=session_id).exists():
        raise AccessDenied("The session that this was begun in has ended.")
    known: dict[str, Any] = {
        name: facts[name] for name in ("door", "source_ip", "user_agent", "request_id", "secure_transport")
    }
    known |= {name: moment(facts[name]) for name in ("session_start", "mfa_time")}
    return Caller(user=user, access_key=key, session=session, session_id=session_id, time=now, sudo_time=now, **known)


@jobs.work(KIND)
def make(progress: jobs.Progress) -> Mapping[str, Any]:
    """Make the change, user by user."""
    asked = progress.job.parameters
    progress.beat(done=0, total=len(asked["user_names"]))
    rows = []
    for number, row in enumerate(_rows(asked, again=progress.job.attempt > 1), 1):
        rows.append(row)
        if number % A_BEAT == 0:
            progress.beat(done=number)
    progress.beat(done=len(rows))
    return {"rows": rows}


def _rows(asked: Mapping[str, Any], *, again: bool) -> Iterator[Row]:
    change, group_name = CHANGES[asked["change"]], asked.get("group_name", "")
    given = dict(change.given or {}) | ({"group_name": group_name} if group_name else {})
    given |= {"reason": asked["reason"]} if asked.get("reason") else {}
    for name in asked["user_names"]:
        try:
            caller = _caller(asked["caller"])
            users = list(users_named(caller.account_id, [name]))
            why_not = "".join(Foreseen.of(caller, change, users, group_name).why_not(user) for user in users)
            if again and not users and change.danger:  # the worker that had the job before has come so far
                yield {"user_name": name, "outcome": "done", "message": change.done}
            elif why_not and why_not != DENIED:  # a refusal is the operation's, and stands in the trail
                yield {"user_name": name, "outcome": "unchanged", "message": why_not}
            else:
                change.operation(caller, user_name=name, **given)
                yield {"user_name": name, "outcome": "done", "message": change.done}
        except Fault as fault:
            yield {"user_name": name, "outcome": "failed", "message": fault.message}
