"""What "unused" means, in this one place: for rows of a report, for rows of the database, and for the nightly run.

A credential is unused when nothing has happened to it for longer than the threshold: it was not used, and it was not given,
changed or switched on either. So one that was never used counts from when it was made, and one that somebody has just given
back is left alone for as long as a new one.
"""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q

CHECK_DAYS: Final = 45  # what Prowler's checks of unused credentials count by, and CIS 1.12
THRESHOLDS: Final = (30, CHECK_DAYS, 90)
# What happens to each, by the columns that tell when.
PASSWORD: Final = ("create_date", "status_date", "user__password_last_used", "user__password_last_changed")
ACCESS_KEY: Final = ("create_date", "status_date", "last_used_date")
MFA_DEVICE: Final = ("enable_date", "last_used_date")


def limit_of(now: datetime, days: int) -> datetime:
    """The moment before which the last thing must have happened."""
    return now - timedelta(days=days)


def latest(*moments: datetime | None) -> datetime | None:
    """When the last thing happened, as far as anything is known."""
    return max((each for each in moments if each is not None), default=None)


def is_unused(limit: datetime, *moments: datetime | None) -> bool:
    """Whether the last thing that happened was before the limit. What nothing is known of is not."""
    last = latest(*moments)
    return last is not None and last < limit


def unused_since(limit: datetime, columns: tuple[str, ...]) -> Q:
    """`is_unused` in SQL; the first column is never null. The last one, which tells most rows apart, is looked at first."""
    first, *others = columns
    rows = Q()
    for column in reversed(others):
        rows &= Q(**{f"{column}__isnull": True}) | Q(**{f"{column}__lt": limit})
    return rows & Q(**{f"{first}__lt": limit})
