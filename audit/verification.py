"""Whether the chains hold: every event is read in its order, in batches, and the first things that are wrong are told."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection

from audit import triggers
from audit.models import ChainHead, Event, EventKey
from audit.record import derived, keys_of, link_hash

BATCH = 500
BROKEN = "iamconsole:ReportBrokenTrail"
Progress = Callable[[int], object]


@dataclass(frozen=True)
class Break:
    """One thing that is wrong with a chain: where, with which event, and what."""

    chain: str
    sequence: int
    event_id: str
    what: str

    def __str__(self) -> str:
        return f"{self.chain} #{self.sequence} {self.event_id or '-'}: {self.what}"


def chains() -> list[str]:
    """Every chain there is: those with a head, and those with events alone."""
    found = set(ChainHead.objects.values_list("chain", flat=True))
    return sorted(found | set(Event.objects.order_by().values_list("chain", flat=True).distinct()))


def rules() -> list[str]:
    """What is wrong with the database's own rules."""
    return [f"the trigger {name} is missing" for name in triggers.missing(connection)]


def verify(chain: str, progress: Progress = lambda _: None) -> Iterator[Break]:
    """Walk one chain from its anchor to its head, as it was when the walk began. ``progress`` is told each sequence reached."""
    head = ChainHead.objects.filter(pk=chain).first()
    if head is None:
        yield Break(chain, 0, "", "the chain has events and no head")
        head = ChainHead(chain=chain, sequence=_last_of(chain))
    walk = _Walk(chain, head.anchor_sequence, head.anchor_hash)
    found = Event.objects.filter(chain=chain, sequence__lte=head.anchor_sequence).order_by("sequence").first()
    if found:
        yield Break(chain, found.sequence, str(found.event_id), f"is before the anchor #{head.anchor_sequence}")
    while batch := _after(chain, walk.sequence, head.sequence):
        yield from walk.over(batch)
        progress(walk.sequence)
    if walk.sequence < head.sequence:
        yield Break(chain, walk.sequence + 1, "", f"events are missing from here to the end, #{head.sequence}")
    elif walk.hash != head.hash:
        yield Break(chain, head.sequence, "", "the head of the chain has another hash than the last event")
    beyond = Event.objects.filter(chain=chain, sequence__gt=max(head.sequence, _head_now(chain))).first()
    if beyond:
        yield Break(chain, beyond.sequence, str(beyond.event_id), f"is beyond the head of the chain, #{head.sequence}")


def is_older(chain: str, days: int) -> bool:
    """Whether the first event of a chain that is left is older than so many days; True of what is no chain's id."""
    first = Event.objects.filter(chain=chain).order_by("sequence").first()
    return first is None or first.event_time < datetime.now(UTC) - timedelta(days=days)


def note_verified(chain: str, sequence: int) -> None:
    """Keep how far the chain was found whole."""
    ChainHead.objects.filter(pk=chain).update(verified_sequence=sequence, verified_date=datetime.now(UTC))


def found_broken(head: ChainHead) -> Event | None:
    """The event of the last verification that found something wrong with a chain, unless a later one found it whole."""
    failed = (
        Event.objects.filter(chain=head.chain, action=BROKEN, result="Success")
        .order_by("-event_time", "-sequence")
        .first()
    )
    over = failed is None or (head.verified_date is not None and failed.event_time < head.verified_date)
    return None if over else failed


def _last_of(chain: str) -> int:
    last = Event.objects.filter(chain=chain).order_by("-sequence").first()
    return last.sequence if last else 0


def _head_now(chain: str) -> int:
    head = ChainHead.objects.filter(pk=chain).first()
    return head.sequence if head else 0


def _after(chain: str, sequence: int, last: int) -> list[Event]:
    rows = Event.objects.filter(chain=chain, sequence__gt=sequence, sequence__lte=last)
    return list(rows.order_by("sequence")[:BATCH])


@dataclass
class _Walk:
    """Where the walk is: the last event's sequence and hash."""

    chain: str
    sequence: int
    hash: str

    def over(self, batch: list[Event]) -> Iterator[Break]:
        """Go on over some events."""
        keys: dict[int, set[str]] = {event.pk: set() for event in batch}
        found = EventKey.objects.filter(event_id__in=list(keys), chain=self.chain)
        for event_id, key in found.values_list("event_id", "key"):
            keys[event_id].add(key)
        for event in batch:
            for what in self._wrong(event, keys[event.pk]):
                yield Break(self.chain, event.sequence, str(event.event_id), what)
            self.sequence, self.hash = event.sequence, event.hash

    def _wrong(self, event: Event, keys: set[str]) -> Iterator[str]:
        expected = self.sequence + 1
        if event.sequence != expected:
            gap = f"#{expected}" if event.sequence == expected + 1 else f"#{expected} to #{event.sequence - 1}"
            yield f"{gap} before it: deleted"
        elif event.previous_hash != self.hash:
            yield f"does not follow #{self.sequence}: one of the two was replaced, inserted or moved"
        if event.hash != link_hash(event):
            yield f"{event.action} was altered: its hash is another"
        elif derived(event) != {name: getattr(event, name) for name in derived(event)} or keys != keys_of(event):
            yield f"{event.action} is not found by what it is about: its index was altered"
