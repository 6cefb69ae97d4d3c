"""How two credential reports differ: both are read side by side in the order of the names, neither is held whole."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from credentials.reports.findings import FINDINGS, findings_of
from credentials.reports.models import CredentialReport
from credentials.reports.rows import ROOT, read

MOST_NAMES: Final = 100
Row = Mapping[str, str]


@dataclass
class Change:
    """One kind of change: how many users it is about, and the first hundred of them."""

    label: str
    count: int = 0
    user_names: list[str] = field(default_factory=list)

    def add(self, user_name: str) -> None:
        """Count one more."""
        self.count += 1
        if len(self.user_names) < MOST_NAMES:
            self.user_names.append(user_name)

    @property
    def more(self) -> int:
        """How many are not named."""
        return self.count - len(self.user_names)


LABELS: Final = {
    "came": "New users",
    "left": "Users deleted",
    "lost_mfa": "Lost MFA",
    "gained_mfa": "Got MFA",
    "new_key": "New access key",
    "password_on": "Password enabled",
    "password_off": "Password disabled",
    **{f"new {each.check}": f"New finding: {each.label}" for each in FINDINGS},
    **{f"gone {each.check}": f"No longer: {each.label}" for each in FINDINGS},
}


def changes(before: CredentialReport, after: CredentialReport) -> list[Change]:
    """Each kind of change from one report to the other that there is, in a fixed order. Both are of one account."""
    then, now = before.generated_time or before.create_date, after.generated_time or after.create_date
    found = {kind: Change(label) for kind, label in LABELS.items()}
    for old, new in _side_by_side(read(before.texts()), read(after.texts())):
        for kind in _kinds(old, new, then, now):
            found[kind].add((new or old or {})["user"])
    return [change for change in found.values() if change.count]


def _kinds(old: Row | None, new: Row | None, then: datetime, now: datetime) -> Iterator[str]:
    if new is None:
        yield "left"
        return
    had = {each.check for each in findings_of(old, then)} if old else set()
    has = {each.check for each in findings_of(new, now)}
    if old is None:
        yield "came"
    else:
        yield from _changed(old, new)
    yield from (f"new {check}" for check in has - had)
    yield from (f"gone {check}" for check in had - has)


def _changed(old: Row, new: Row) -> Iterator[str]:
    for column, kinds in (
        ("mfa_active", ("gained_mfa", "lost_mfa")),
        ("password_enabled", ("password_on", "password_off")),
    ):
        if old[column] != new[column]:
            yield kinds[0] if new[column] == "true" else kinds[1]
    made = [{row[f"access_key_{number}_last_rotated"] for number in (1, 2)} - {"N/A"} for row in (old, new)]
    if made[1] - made[0]:
        yield "new_key"


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
