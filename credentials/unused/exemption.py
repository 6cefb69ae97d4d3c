"""The tag that keeps a user's credentials from being taken for unused: a day until when, and a reason."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from accounts.tags import Tag
from iamconsole.errors import InvalidInput
from permissions.wildcard import fold

KEY: Final = "iamconsole:unused-exempt"
LONGEST: Final = timedelta(days=366)
_VALUE: Final = re.compile(r"(\d{4}-\d{2}-\d{2}) +(\S.*)")
_REASON: Final = re.compile(r"[\w\s.:/=+\-@]{1,200}")  # what AWS lets stand in the value of a tag


@dataclass(frozen=True)
class Exemption:
    """Until the end of which day (UTC), and why."""

    until: date
    reason: str

    @property
    def value(self) -> str:
        """The tag's value."""
        return f"{self.until.isoformat()} {self.reason}"

    def holds(self, now: datetime) -> bool:
        """Whether its last day is not over."""
        return now.date() <= self.until


def exemption_of(tags: Sequence[Tag]) -> Exemption | None:
    """The exemption in a user's tags. A value that is not a day and a reason exempts from nothing."""
    value = _value(tags)
    found = _VALUE.fullmatch(value.strip()) if value is not None else None
    if found is None:
        return None
    try:
        return Exemption(date.fromisoformat(found[1]), found[2])
    except ValueError:
        return None


def is_exempt(tags: Sequence[Tag], now: datetime) -> bool:
    """Whether an exemption holds."""
    exemption = exemption_of(tags)
    return exemption is not None and exemption.holds(now)


def is_misread(tags: Sequence[Tag]) -> bool:
    """Whether the tag is there and its value is none."""
    return _value(tags) is not None and exemption_of(tags) is None


def new_exemption(until: date, reason: str, now: datetime) -> Exemption:
    """An exemption to be set. Raises InvalidInput for a day that is past or too far away, and for a reason no tag may hold."""
    if not now.date() <= until <= now.date() + LONGEST:
        raise InvalidInput(
            f"Name a day from today to {(now.date() + LONGEST).isoformat()}: an exemption ends.", parameter="until"
        )
    reason = " ".join(reason.split())
    if not _REASON.fullmatch(reason):
        raise InvalidInput("A reason has letters, digits, spaces and . : / = + - @ _, up to 200.", parameter="reason")
    return Exemption(until, reason)


def _value(tags: Sequence[Tag]) -> str | None:
    return next((tag["value"] for tag in tags if fold(tag["key"]) == KEY), None)
