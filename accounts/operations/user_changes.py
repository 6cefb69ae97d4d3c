"""One change of many users at once: begin it, and see what came of each. The rows are operations of their own, in a job."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from accounts import jobs, targets
from accounts.caller import Caller
from accounts.job_models import Job
from accounts.jobs import uuid_of
from accounts.models import Account
from iamconsole.errors import InvalidInput, LimitExceeded, NoSuchEntity
from iamconsole.operation import operation

KIND: Final = "user-change"
MOST_USERS: Final = 2000
MOST_AT_ONCE: Final = 5
KEPT: Final = timedelta(days=90)  # as long what came of a change can be read
jobs.keep(KIND, lambda: KEPT)


def _told(job: Job) -> Mapping[str, Any]:
    return {
        "change_id": str(job.pk),
        "change": job.parameters["change"],
        "state": job.state,
        "total": job.total or len(job.parameters["user_names"]),
        "done": job.done,
        "error": job.error or None,
        "rows": job.result.get("rows", []),
    }


@operation("iamconsole:StartUserChange", on=targets.everything, lock=True, sensitive=True)
def start_user_change(
    caller: Caller,
    *,
    account: Account,
    change: str,
    user_names: Sequence[str],
    group_name: str | None = None,
    reason: str | None = None,
) -> Mapping[str, Any]:
    """Begin one change of up to 2000 users, which the task worker makes user by user, as operations of this caller.

    It gives no permission: each row is decided by the caller's policies as they are then, has its own line in the trail, and
    undoes no other when it is refused. Raises InvalidInput without a group to add to, or with one for another change;
    LimitExceeded while five are going on in the account.
    """
    if (change == "add-to-group") != bool(group_name):
        raise InvalidInput("Name a group to add users to it, and for no other change.", parameter="group_name")
    if reason and change != "suspend":
        raise InvalidInput("Only a suspension has a reason.", parameter="reason")
    going_on = Job.objects.filter(account=account, kind=KIND, complete_date__isnull=True)
    if going_on.count() >= MOST_AT_ONCE:
        raise LimitExceeded(f"Cannot exceed quota for UserChangesAtOnce: {MOST_AT_ONCE}")
    jobs.prune(account, KIND)
    asked = {"change": change, "user_names": list(dict.fromkeys(user_names)), "caller": _facts_of(caller)}
    asked |= {"group_name": group_name} if group_name else {}
    asked |= {"reason": reason} if reason else {}
    return _told(jobs.start(account, KIND, **asked))


@operation("iamconsole:GetUserChange", on=targets.everything, reads=True)
def get_user_change(caller: Caller, *, account: Account, change_id: str) -> Mapping[str, Any]:
    """How far a change of many users is, and when it is over, what came of each. Raises NoSuchEntity."""
    pk = uuid_of(change_id)
    job = Job.objects.filter(account=account, kind=KIND, pk=pk).first() if pk else None
    if job is None:
        raise NoSuchEntity(f"The change with id {change_id} cannot be found.")
    return _told(job)


def _facts_of(caller: Caller) -> dict[str, Any]:
    """What a job has to know of who began it, to act as that caller."""
    return {
        "user": caller.principal.pk,
        "auth_epoch": caller.principal.auth_epoch,
        "access_key": caller.access_key.pk if caller.access_key else None,
        "session": caller.session and {"id": caller.session.access_key_id, **caller.session.facts()},
        "session_id": caller.session_id,
        "door": caller.door,
        "source_ip": caller.source_ip,
        "user_agent": caller.user_agent,
        "request_id": caller.request_id,
        "secure_transport": caller.secure_transport,
        "session_start": _seconds(caller.session_start),
        "mfa_time": _seconds(caller.mfa_time),
    }


def _seconds(value: datetime | None) -> float | None:
    return value.timestamp() if value else None
