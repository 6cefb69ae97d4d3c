"""Pages of listings: one at a time, the next one asked for by a marker that only this server can make."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.core import signing
from django.db.models import QuerySet

from iamconsole.errors import ValidationError

A = TypeVar("A")
E = TypeVar("E")

PAGE_SIZE = 100


@dataclass(frozen=True)
class Page(Generic[E]):
    """One page of a listing. ``marker`` asks for the next one, and is there only when there is one."""

    items: list[E]
    marker: str | None = None

    @property
    def is_truncated(self) -> bool:
        """Whether there is more."""
        return self.marker is not None

    @classmethod
    def of(cls, rows: QuerySet[Any], *, by: str, scope: str, max_items: int | None, marker: str | None) -> "Page[Any]":
        """Read one page in the order of the unique column ``by``, backwards where a minus stands before it.

        The marker is signed for ``scope`` (the listing and its filters), so one that was made up or made for another listing
        is refused as AWS does it.
        """
        size = max_items or PAGE_SIZE
        rows = rows.order_by(by)
        column = by.removeprefix("-")
        if marker is not None:
            rows = rows.filter(**{f"{column}__{'lt' if by != column else 'gt'}": _after(marker, scope)})
        return cls._cut(list(rows[: size + 1]), size, lambda row: str(getattr(row, column)), scope)

    @classmethod
    def of_values(cls, values: list[E], *, scope: str, max_items: int | None, marker: str | None) -> "Page[E]":
        """Cut one page out of a short sorted list.

        Its marker counts what was shown: a value, such as a tag's key, can be longer than a marker may be.
        """
        shown = 0 if marker is None else int(_after(marker, scope))
        size = max_items or PAGE_SIZE
        return cls._cut(values[shown:], size, lambda _: str(shown + size), scope)

    @classmethod
    def of_made(
        cls,
        asked: Sequence[A],
        make: Callable[[A], E | None],
        *,
        scope: str,
        max_items: int | None,
        marker: str | None,
    ) -> "Page[E]":
        """Make one page of what is asked for, one after the other; it ends early where ``make`` gives None."""
        shown = 0 if marker is None else int(_after(marker, scope))
        made: list[E] = []
        for each in asked[shown : shown + (max_items or PAGE_SIZE)]:
            item = make(each)
            if item is None:
                break
            made.append(item)
        until = shown + len(made)
        return cls(made, signing.dumps(str(until), salt=f"marker {scope}") if until < len(asked) else None)

    @classmethod
    def of_latest(
        cls,
        read: Callable[[tuple[datetime, int] | None, int], list[Any]],
        *,
        scope: str,
        size: int,
        marker: str | None,
    ) -> "Page[Any]":
        """Read one page of events, the latest first: ``read`` gives those older than a time and sequence, so many at most."""
        after = None
        if marker is not None:
            time, _, sequence = _after(marker, scope).partition(" ")
            after = datetime.fromisoformat(time), int(sequence)
        place: Callable[[Any], str] = lambda row: f"{row.event_time.isoformat()} {row.sequence}"  # noqa: E731
        return cls._cut(read(after, size + 1), size, place, scope)

    @classmethod
    def _cut(cls, found: list[E], size: int, after: Callable[[E], str], scope: str) -> "Page[E]":
        if len(found) <= size:
            return cls(found)
        return cls(found[:size], signing.dumps(after(found[size - 1]), salt=f"marker {scope}"))


def _after(marker: str, scope: str) -> str:
    try:
        return str(signing.loads(marker, salt=f"marker {scope}"))
    except signing.BadSignature as error:
        raise ValidationError("Invalid Marker.") from error
