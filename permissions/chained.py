"""One page out of several listings that follow each other: groups and then users, an account's policies and then AWS's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.db.models import QuerySet

from iamconsole.errors import ValidationError
from iamconsole.paging import PAGE_SIZE, Page


@dataclass(frozen=True)
class Part:
    """One of the listings: what it is called in markers, its rows, and the unique column they are ordered by."""

    name: str
    rows: QuerySet[Any]
    by: str


def page_of(
    parts: Sequence[Part],
    *,
    scope: str,
    max_items: int | None,
    marker: str | None,
    bad_marker: str = "Invalid Marker.",
) -> Page[tuple[str, Any]]:
    """One page of rows, each with the name of its part. ``bad_marker`` is what is said of a marker of another listing."""
    size = max_items or PAGE_SIZE
    started, after = _place(marker, scope, bad_marker)
    found: list[tuple[str, Any]] = []
    keys: list[str] = []
    for number, part in enumerate(parts):
        left = size + 1 - len(found)
        if number < started or not left:
            continue
        rows = part.rows.order_by(part.by)
        if number == started and after is not None:
            rows = rows.filter(**{f"{part.by}__gt": after})
        for row in rows[:left]:
            found.append((part.name, row))
            keys.append(getattr(row, part.by))
    if len(found) <= size:
        return Page(found)
    last = [part.name for part in parts].index(found[size - 1][0])
    return Page(found[:size], signing.dumps([last, keys[size - 1]], salt=_salt(scope)))


def _place(marker: str | None, scope: str, bad_marker: str) -> tuple[int, str | None]:
    if marker is None:
        return 0, None
    try:
        number, after = signing.loads(marker, salt=_salt(scope))
    except signing.BadSignature as error:
        raise ValidationError(bad_marker) from error
    return int(number), str(after)


def _salt(scope: str) -> str:
    return f"marker {scope}"
