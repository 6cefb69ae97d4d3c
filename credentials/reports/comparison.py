"""How two credential reports differ: both are read side by side in the order of the names, neither is held whole."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from credentials.reports.findings import FINDINGS, OLD, findings_of
from credentials.reports.models import CredentialReport
from credentials.reports.rows import ROOT, read, when

MOST_NAMES: Final = 100
Row = Mapping[str, str]


@dataclass
class Change:
    """One kind of change: how many users or keys it is about, and the first hundred of the users."""

    label: str
    count: int = 0
    users: int = 0
    user_names: list[str] = field(default_factory=list)

    def add(self, user_name: str, number: int) -> None:
        """Count a user more, or so many keys of theirs."""
        self.count += number
        self.users += 1
        if len(self.user_names) < MOST_NAMES:
            self.user_names.append(user_name)

    @property
    def more(self) -> int:
        """How many users are not named."""
        return self.users - len(self.user_names)


LABELS: Final = {
    "came": "New users",
    "left": "Users deleted",
    "lost_mfa": "Lost MFA",
    "gained_mfa": "Got MFA",
    "password_on": "Password enabled",
    "password_off": "Password disabled",
    "new_keys": "New access keys",
    "gone_keys": "Access keys deleted",
    "keys_on": "Access keys activated",
    "keys_off": "Access keys deactivated",
    "keys_grown_old": f"Access keys grown older than {OLD.days} days",
    **{f"new {each.check}": f"New finding: {each.label}" for each in FINDINGS},
    **{f"gone {each.check}": f"No longer: {each.label}" for each in FINDINGS},
}


def changes(before: CredentialReport, after: CredentialReport) -> list[Change]:
    """Each kind of change from one report to the other that there is, in a fixed order. Both are of one account."""
    then, now = before.generated_time or before.create_date, after.generated_time or after.create_date
    found = {kind: Change(label) for kind, label in LABELS.items()}
    for old, new in _side_by_side(read(before.texts()), read(after.texts())):
        for kind, number in _kinds(old, new, then, now):
            found[kind].add((new or old or {})["user"], number)
    return [change for change in found.values() if change.count]


def _kinds(old: Row | None, new: Row | None, then: datetime, now: datetime) -> Iterator[tuple[str, int]]:
    """What has changed of one user, each with how many users or keys that is."""
    if old and new and old["user_creation_time"] != new["user_creation_time"]:  # another one of the same name
        yield from _kinds(old, None, then, now)
        yield from _kinds(None, new, then, now)
        return
    yield from _of_keys(old, new, then, now)
    if new is None:
        yield "left", 1
        return
    had = {each.check for each in findings_of(old, then)} if old else set()
    has = {each.check for each in findings_of(new, now)}
    if old is None:
        yield "came", 1
    else:
        yield from _switched(old, new)
    yield from ((f"new {check}", 1) for check in has - had)
    yield from ((f"gone {check}", 1) for check in had - has)


def _switched(old: Row, new: Row) -> Iterator[tuple[str, int]]:
    for column, kinds in (
        ("mfa_active", ("gained_mfa", "lost_mfa")),
        ("password_enabled", ("password_on", "password_off")),
    ):
        if old[column] != new[column]:
            yield kinds[0] if new[column] == "true" else kinds[1], 1


def _of_keys(old: Row | None, new: Row | None, then: datetime, now: datetime) -> Iterator[tuple[str, int]]:
    """What has become of a user's keys. A report has no ids of them: a key is known by when it was made."""
    (had, had_active), (has, has_active) = (_keys(row) for row in (old, new))
    on = off = 0
    for made in had.keys() & has.keys():
        both = min(had[made], has[made])
        switched = min(has_active[made], both) - min(had_active[made], both)
        on, off = on + max(switched, 0), off + max(-switched, 0)
    grown_old = sum(number for made, number in has_active.items() if then - OLD <= made < now - OLD)
    counted = {
        "new_keys": (has - had).total(),
        "gone_keys": (had - has).total(),
        "keys_on": on,
        "keys_off": off,
        "keys_grown_old": grown_old,
    }
    yield from ((kind, number) for kind, number in counted.items() if number)


def _keys(row: Row | None) -> tuple["Counter[datetime]", "Counter[datetime]"]:
    """How many keys were made at which moment, and how many of these are active."""
    keys, active = Counter[datetime](), Counter[datetime]()
    if row is None:
        return keys, active
    for number in (1, 2):
        made = when(row[f"access_key_{number}_last_rotated"])
        if made is not None:
            keys[made] += 1
            active[made] += row[f"access_key_{number}_active"] == "true"
    return keys, active


def _side_by_side(old: Iterator[Row], new: Iterator[Row]) -> Iterator[tuple[Row | None, Row | None]]:
    """The rows of two reports, those of one user together."""
    left, right = next(old, None), next(new, None)
    while left is not None or right is not None:
        if right is None or (left is not None and _order(left) < _order(right)):
            yield left, None
            left = next(old, None)
        elif left is None or _order(right) < _order(left):
            yield None, right
            right = next(new, None)
        else:
            yield left, right
            left, right = next(old, None), next(new, None)


def _order(row: Row) -> tuple[bool, bytes]:
    """Where a row stands in its report: the root user's first, the others as the database orders their names."""
    return row["user"] != ROOT, row["user"].lower().encode()
