"""Writing the trail. An event commits with the change it tells of, or the change does not happen.

Links are hashed over every field in a fixed order and the hash before, so that an altered, removed or inserted row breaks the
chain.
"""

import hashlib
import json
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction

from audit.models import INSTALLATION, ChainHead, Event, EventKey

LONGEST_VALUE = 8192
LONGEST_LIST = 100
PATIENCE_SECONDS = 20  # how long a change waits for a trail that somebody holds locked, before it fails
HASHED = (
    "chain", "sequence", "event_id", "event_time", "action", "resource", "result", "message", "parameters", "response",
    "actor_arn",
    "actor_id", "access_key_id", "door", "source_ip", "user_agent", "request_id", "previous_hash",
)  # fmt: skip
# Columns that came later are left out of the hash when empty, so that the links of earlier releases hold.
HASHED_IF_THERE = ("decision", "resources", "changes", "read_only")
SIGN_IN = "iamconsole:SignIn"
SOURCES = {SIGN_IN: "signin.amazonaws.com"}  # an action that CloudTrail's events have another source for
Names = Sequence[tuple[str, str]]  # AWS's type of a resource, and its ARN, id or name


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Who asked, by which door and from where: the part of an event that its caller brings."""

    chain: str = INSTALLATION
    actor_arn: str = ""
    actor_id: str = ""
    access_key_id: str = ""
    door: str
    source_ip: str = ""
    user_agent: str = ""
    request_id: str = ""


def event_of(
    origin: Origin,
    *,
    action: str,
    resource: str,
    result: str = "Success",
    message: str = "",
    parameters: dict[str, Any] | None = None,
    response: dict[str, Any] | None = None,
    decision: dict[str, Any] | None = None,
    names: Names = (),
    changes: Sequence[Mapping[str, Any]] = (),
    read_only: bool = False,
) -> Event:
    """An event that is to be recorded.

    ``decision`` says why something was refused; its id, which the refused one is told, is the event's. ``names`` are those of
    all that it was about, ``changes`` what was before and after.
    """
    return Event(
        chain=origin.chain,
        event_id=uuid.uuid4(),
        action=action,
        resource=_shortened(resource),
        result=result,
        message=_shortened(message),
        parameters=_shortened(parameters or {}),
        response=_shortened(response or {}),
        decision=_shortened(decision or {}),
        resources=[list(name) for name in dict.fromkeys(names)][:LONGEST_LIST],
        changes=_shortened([dict(change) for change in changes]),
        read_only=read_only,
        actor_arn=origin.actor_arn,
        actor_id=origin.actor_id,
        access_key_id=origin.access_key_id,
        door=origin.door,
        source_ip=origin.source_ip,
        user_agent=origin.user_agent[:300],
        request_id=origin.request_id,
    )


def record(origin: Origin, **event: Any) -> Event:
    """Add one event to the origin's chain: `record_all` of one."""
    [recorded] = record_all([event_of(origin, **event)])
    return recorded


def record_all(events: Sequence[Event]) -> Sequence[Event]:
    """Add events to the chain of them all, in their order, inside the caller's transaction (there must be one).

    As many queries as for one. Raises OperationalError when they cannot be written.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("an event is recorded inside the transaction of what it tells of")
    try:
        _link(events[0].chain, events)
    except (IntegrityError, OperationalError):
        raise
    except DatabaseError as error:  # such as a rule of the database's own
        raise OperationalError("The trail cannot be written.") from error
    return events


def _link(chain: str, events: Sequence[Event]) -> None:
    """Write events as the next links of their chain."""
    if connection.vendor == "postgresql":  # SQLite has its timeout from the settings
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE_SECONDS}s'")
    locked = ChainHead.objects.select_for_update(no_key=True)
    head = locked.filter(chain=chain).first()
    if head is None:
        ChainHead.objects.get_or_create(chain=chain)
        head = locked.get(chain=chain)
    for event in events:
        event.sequence = head.sequence + 1
        event.event_time = datetime.now(UTC)
        event.previous_hash = head.hash
        for column, value in derived(event).items():
            setattr(event, column, value)
        event.hash = link_hash(event)
        head.sequence, head.hash = event.sequence, event.hash
    Event.objects.bulk_create(events)
    EventKey.objects.bulk_create(
        EventKey(event=event, chain=chain, key=key, event_time=event.event_time, sequence=event.sequence)
        for event in events
        for key in sorted(keys_of(event))
    )
    head.save(update_fields=["sequence", "hash"])


def record_alone(origin: Origin, **event: Any) -> Event:
    """Add one event in a transaction of its own: for what happens after a rollback, or beside no change."""
    with transaction.atomic(durable=True):
        return record(origin, **event)


def derived(event: Event) -> dict[str, Any]:
    """The columns that only repeat others in a form that can be looked up."""
    service = event.action.partition(":")[0]
    return {
        "event_source": SOURCES.get(event.action, f"{service}.amazonaws.com"),
        "actor_name": event.actor_arn.rpartition(":")[2].rpartition("/")[2],
        "refused": event.result != "Success",
    }


def keys_of(event: Event) -> set[str]:
    """The digests that an event is found by."""
    named = [text for name in event.resources for text in name]
    about_actor = event.actor_id if event.resource == event.actor_arn else ""  # a sign-in, or a change of oneself
    return {digest(text) for text in (event.resource, about_actor, *named) if text}


def digest(name: str) -> str:
    """The key of a type, ARN, id or name: 32 hex digits."""
    return hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:32]


def link_hash(event: Event) -> str:
    """SHA-256 over the event's fields in a fixed order, the hash before among them; 64 hex digits."""
    fields = [getattr(event, name) for name in HASHED]
    fields += [getattr(event, name) for name in HASHED_IF_THERE if getattr(event, name)]
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"), sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value)


def _shortened(value: Any) -> Any:
    """The same with long texts cut, so that a refused request cannot fill the trail with its parameters."""
    if isinstance(value, dict):
        return {name: _shortened(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_shortened(member) for member in value[:LONGEST_LIST]]
    if isinstance(value, str) and len(value) > LONGEST_VALUE:
        return f"{value[:LONGEST_VALUE]}… ({len(value)} characters)"
    return value


@dataclass
class Sampler:
    """Lets a few failures a minute through for each key, and for each source of them, and counts the rest.

    Requests that nobody has signed can come without end, so they must not be one row each. Neither key nor source may depend on
    what exists here: whether a failure is written takes time, and that may tell nothing.
    """

    per_minute: int = 10
    per_source: int = 100
    most_keys: int = 1000
    _minute: int = 0
    _seen: dict[str, int] = field(default_factory=dict)
    _sources: dict[str, int] = field(default_factory=dict)
    _left_out: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def admit(self, key: str, source: str) -> int | None:
        """None for a failure that is only counted; else how many of its key were only counted since the last that was written.

        What comes when there are too many keys shares what one may have, and its count is told to nobody.
        """
        with self._lock:
            minute = int(time.monotonic() // 60)
            if minute != self._minute:
                self._minute, self._seen, self._sources = minute, {}, {}
            shared = key not in self._seen and len(self._seen) >= self.most_keys
            if self._count(self._seen, key) > self.per_minute or self._count(self._sources, source) > self.per_source:
                if not shared:
                    self._leave_out(key)
                return None
            return 0 if shared else self._left_out.pop(key, 0)

    def _count(self, counts: dict[str, int], key: str) -> int:
        """How many there were in this minute, with this one."""
        if key not in counts and len(counts) >= self.most_keys:
            key = ""
        counts[key] = counts.get(key, 0) + 1
        return counts[key]

    def _leave_out(self, key: str) -> None:
        """Count one; when there are too many keys, the one that began first is forgotten."""
        if key not in self._left_out and len(self._left_out) >= self.most_keys:
            del self._left_out[next(iter(self._left_out))]
        self._left_out[key] = self._left_out.get(key, 0) + 1


_unauthenticated = Sampler()


def record_unauthenticated(origin: Origin, *, action: str, result: str, whose: str = "", **event: Any) -> None:
    """Add a failure of somebody who has not proved who it is, or only count it; both bounds hold for each process.

    Ten a minute are added for each action, result, address and claimed user, and a hundred for each address. ``whose`` is the
    user as it was asked for, whether or not there is one; the origin's chain where none was. ``not_recorded`` in the parameters
    counts those of the same kind that were left out before it.
    """
    key = json.dumps([action, result, origin.source_ip, whose or origin.chain])
    left_out = _unauthenticated.admit(digest(key), origin.source_ip)
    if left_out is not None:
        record_alone(origin, action=action, result=result, parameters={"not_recorded": left_out}, **event)
