"""What the nightly run does with unused credentials, one step a night: announce, then deactivate, then delete.

`next_step` decides; the run asks it of each credential again when its rows are locked, and the page asks it what will be.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import User
from credentials.models import AccessKey, LoginProfile
from credentials.unused import meaning
from credentials.unused.exemption import is_exempt
from credentials.unused.found import access_keys, deactivated, passwords
from credentials.unused.meaning import is_unused, limit_of
from credentials.unused.models import Deactivation

BATCH: Final = 500
NIGHTLY: Final = time(3, 15, tzinfo=UTC)  # deploy/iamconsole-reap.timer


class Step(StrEnum):
    """What is done to a credential."""

    ANNOUNCE = "Announce"
    WITHDRAW = "Withdraw"
    DEACTIVATE = "Deactivate"
    DELETE = "Delete"


@dataclass(frozen=True)
class Terms:
    """After how many days: unused, announced, deactivated. Nothing is deleted after 0 days."""

    unused_days: int
    notice_days: int
    delete_after_days: int

    @classmethod
    def of_settings(cls) -> "Terms":
        """Those of the nightly run."""
        return cls(
            settings.UNUSED_CREDENTIAL_DAYS,
            settings.UNUSED_CREDENTIAL_NOTICE_DAYS,
            settings.UNUSED_CREDENTIAL_DELETE_AFTER_DAYS,
        )


@dataclass(frozen=True)
class Planned:
    """A step that is due."""

    step: Step
    user: User
    credential_type: str
    access_key_id: str | None = None

    @property
    def user_name(self) -> str | None:
        """Whose credential it is."""
        return self.user.user_name


def next_run(now: datetime) -> datetime:
    """When the timer runs next, if the operator has enabled it."""
    today = datetime.combine(now.date(), NIGHTLY)
    return today if today > now else today + timedelta(days=1)


def next_step(
    user: User,
    credential: LoginProfile | AccessKey | None,
    deactivation: Deactivation | None,
    terms: Terms,
    now: datetime,
) -> Step | None:
    """The step that is due, or None. Users who are exempt or kept out are left alone.

    Only what the run itself has deactivated, and nobody has switched since, is deleted.
    """
    spared = user.is_root or is_exempt(user.tags, now) or not user.is_active_at(now)
    if deactivation is not None and deactivation.deactivate_date is not None:
        if deactivation.has_stayed():
            over = deactivation.deactivate_date + timedelta(days=terms.delete_after_days)
            due = deactivation.automatic and terms.delete_after_days > 0 and over <= now
            return Step.DELETE if due and not spared else None
        deactivation = None
    if spared or not _is_unused(user, credential, terms, now):
        return Step.WITHDRAW if deactivation else None
    if deactivation is None or deactivation.due_date is None:
        return Step.ANNOUNCE
    return Step.DEACTIVATE if deactivation.due_date <= now else None


def _is_unused(user: User, credential: LoginProfile | AccessKey | None, terms: Terms, now: datetime) -> bool:
    if credential is None or (isinstance(credential, AccessKey) and not credential.is_good(now)):
        return False
    columns = meaning.ACCESS_KEY if isinstance(credential, AccessKey) else meaning.PASSWORD
    moments = [
        getattr(user if name.startswith("user__") else credential, name.removeprefix("user__")) for name in columns
    ]
    return is_unused(limit_of(now, terms.unused_days), *moments)


def planned(account_id: str, terms: Terms, now: datetime, *, batch: int = BATCH) -> Iterator[Planned]:
    """What is due in an account, read in batches: what is deleted first, what is announced last."""
    over = now - timedelta(days=terms.delete_after_days)
    kept = deactivated(account_id).filter(automatic=True, deactivate_date__lte=over)
    announced = Deactivation.objects.filter(account=account_id, deactivate_date__isnull=True)
    limit = limit_of(now, terms.unused_days)
    # Not a join that finds nothing: PostgreSQL would take nearly all keys for known, and read every one to sort the few.
    known_keys = Deactivation.objects.filter(key=OuterRef("pk"))
    new_keys = access_keys(account_id, limit, now).filter(~Exists(known_keys))
    known = Deactivation.objects.filter(user=OuterRef("user"), kind=Deactivation.Kind.PASSWORD)
    new_passwords = passwords(account_id, limit).filter(~Exists(known))
    for rows in (kept, announced.select_related("user__login_profile", "key"), new_passwords, new_keys):
        for row in _batched(rows, batch):
            found = _planned(row, terms, now)
            if found is not None:
                yield found


def _planned(row: Any, terms: Terms, now: datetime) -> Planned | None:
    user: User = row.user
    deactivation = row if isinstance(row, Deactivation) else None
    credential = row
    if isinstance(row, Deactivation):
        credential = row.key or getattr(user, "login_profile", None)
    step = next_step(user, credential, deactivation, terms, now)
    if step is None:
        return None
    kind = deactivation.kind if deactivation else "AccessKey" if isinstance(row, AccessKey) else "Password"
    return Planned(step, user, kind, getattr(row, "access_key_id", None))


def _batched(rows: QuerySet[Any], size: int) -> Iterator[Any]:
    """The rows, a batch at a time by their number: what is done to one changes nothing of what is read after it."""
    batch = list(rows.order_by("pk")[:size])
    while batch:
        yield from batch
        size = min(size * 4, BATCH)  # a small one was asked for, and nothing may be due of those that it holds
        batch = list(rows.order_by("pk").filter(pk__gt=batch[-1].pk)[:size])
