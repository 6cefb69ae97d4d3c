"""The account's trail: listed, read, looked up as CloudTrail has it, exported, and pruned by the operator."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.conf import settings

from accounts.caller import Caller
from accounts.models import Account
from audit.cloudtrail import event_name, line_of
from audit.finding import Asked, Place
from audit.models import ChainHead, Event, EventKey
from audit.verification import BROKEN, found_broken
from iamconsole.asked import Resolved
from iamconsole.errors import (
    InvalidLookupAttributesException,
    InvalidNextTokenException,
    InvalidTimeRangeException,
    NoSuchEntity,
    ValidationError,
)
from iamconsole.operation import operation
from iamconsole.paging import PAGE_SIZE, Page

LOOK_UP: Final = "cloudtrail:LookupEvents"
EXPORT: Final = "iamconsole:ExportEvents"
LOOKED_UP_AT_ONCE: Final = 50
PRUNED_AT_ONCE: Final = 5_000
ATTRIBUTES: Final = {
    "EventId": "event_id",
    "EventName": "action",
    "ReadOnly": "read_only",
    "Username": "actor_name",
    "ResourceType": "resource_type",
    "ResourceName": "resource_name",
    "EventSource": "event_source",
    "AccessKeyId": "access_key_id",
}


def _always(admitted: Mapping[str, Any]) -> bool:
    return True


@dataclass(frozen=True)
class _Trail:
    """The trail of the caller's account, which is no resource of its own."""

    consumes: frozenset[str] = frozenset()

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        return Resolved("*")


@dataclass(frozen=True)
class _Event:
    """One event of the caller's account."""

    consumes: frozenset[str] = frozenset({"event_id"})

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        event_id = parameters.pop("event_id")
        event = Event.objects.filter(chain=caller.account_id, event_id=event_id).first()
        missing = None if event else NoSuchEntity(f"The event with id {event_id} cannot be found.")
        return Resolved("*", {"event": event}, missing=missing)


@dataclass(frozen=True)
class _Chain:
    """The trail of an account, there or closed, or the installation's own."""

    consumes: frozenset[str] = frozenset({"account"})

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        label = parameters.pop("account")
        account = Account.objects.filter(alias=label).first()
        heads = ChainHead.objects.select_for_update(no_key=True) if lock else ChainHead.objects
        head = heads.filter(chain=account.pk if account else label).first()
        if head is None:
            return Resolved("*", missing=NoSuchEntity(f"There is no trail of an account with the id or alias {label}."))
        return Resolved("*", {"head": head}, chain=head.chain)


_trail, _event, _chain = _Trail(), _Event(), _Chain()


@operation(LOOK_UP, on=_trail, reads=True)
def lookup_events(
    caller: Caller,
    *,
    lookup_attributes: Sequence[Mapping[str, str]] = (),
    start_time: datetime | None = None,
    end_time: datetime | None = None,
    event_category: str | None = None,
    max_results: int | None = None,
    next_token: str | None = None,
) -> dict[str, Any]:
    """The account's events as CloudTrail tells them, the latest first, by at most one attribute.

    Raises InvalidLookupAttributesException, InvalidTimeRangeException and InvalidNextTokenException.
    """
    asked = _looked_up(lookup_attributes, start_time, end_time)
    scope = f"LookupEvents {caller.account_id} {asked} {event_category}"
    try:
        page = _page(caller, asked, scope, max_results or LOOKED_UP_AT_ONCE, next_token)
    except ValidationError as fault:
        raise InvalidNextTokenException("Invalid Token: it is not one of this query.") from fault
    # There are no insight events: nothing here analyses who calls how often.
    events = page.items if event_category is None else []
    return {
        "events": [_as_cloudtrail(event) for event in events],
        "next_token": page.marker if events else None,
    }


def _looked_up(attributes: Sequence[Mapping[str, str]], start: datetime | None, end: datetime | None) -> Asked:
    if start and end and start > end:
        raise InvalidTimeRangeException("The start time must not be after the end time.")
    if len(attributes) > 1:
        raise InvalidLookupAttributesException("You can use only one lookup attribute.")
    given: dict[str, Any] = {ATTRIBUTES[each["attribute_key"]]: each["attribute_value"] for each in attributes}
    if "read_only" in given:
        if given["read_only"].lower() not in ("true", "false"):
            raise InvalidLookupAttributesException("The value of ReadOnly must be true or false.")
        given["read_only"] = given["read_only"].lower() == "true"
    if "action" in given and ":" in given["action"]:
        raise InvalidLookupAttributesException("An event's name has no service before it: look up CreateUser.")
    return Asked(start_time=start, end_time=end, **given)


def _as_cloudtrail(event: Event) -> dict[str, Any]:
    return {
        "event_id": str(event.event_id),
        "event_name": event_name(event),
        "read_only": "true" if event.read_only else "false",
        "access_key_id": event.access_key_id or None,
        "event_time": event.event_time,
        "event_source": event.event_source,
        "username": event.actor_name or None,
        "resources": [{"resource_type": kind, "resource_name": name} for kind, name in event.resources],
        "cloud_trail_event": line_of(event),
    }


def _page(caller: Caller, asked: Asked, scope: str, size: int, marker: str | None) -> Page[Event]:
    def read(after: Place | None, most: int) -> list[Event]:
        return asked.of(caller.account_id, after=after, most=most)

    return Page.of_latest(read, scope=scope, size=size, marker=marker)


@operation("iamconsole:ListEvents", on=_trail, reads=True, performs={LOOK_UP: _always})
def list_events(
    caller: Caller,
    *,
    start_time: datetime | None = None,
    end_time: datetime | None = None,
    actor: str = "",
    action_name: str = "",
    resource_name: str = "",
    result: str = "",
    source_ip: str = "",
    event_request_id: str = "",
    max_items: int | None = None,
    marker: str | None = None,
) -> Page[dict[str, Any]]:
    """The account's trail, the latest first: all of it, or what was asked of it."""
    asked = Asked(
        start_time=start_time,
        end_time=end_time,
        actor=actor,
        action=action_name,
        resource_name=resource_name,
        result=result,
        source_ip=source_ip,
        event_request_id=event_request_id,
    )
    page = _page(caller, asked, f"ListEvents {caller.account_id} {asked}", max_items or PAGE_SIZE, marker)
    return Page([_told(event) for event in page.items], page.marker)


@operation("iamconsole:GetEvent", on=_event, reads=True, performs={LOOK_UP: _always})
def get_event(caller: Caller, *, event: Event) -> dict[str, Any]:
    """One event with all that was recorded of it: parameters, answer, what was before and after. Raises NoSuchEntity."""
    return {
        **_told(event),
        "cloud_trail_event": line_of(event),
        "parameters": json.dumps(event.parameters, ensure_ascii=False),
        "response": json.dumps(event.response, ensure_ascii=False),
        "changes": json.dumps(event.changes, ensure_ascii=False),
    }


def _told(event: Event) -> dict[str, Any]:
    return {
        "event_id": str(event.event_id),
        "sequence": event.sequence,
        "event_time": event.event_time,
        "action": event.action,
        "resource": event.resource,
        "result": event.result,
        "message": event.message,
        "actor_arn": event.actor_arn,
        "actor_name": event.actor_name,
        "actor_id": event.actor_id,
        "access_key_id": event.access_key_id,
        "door": event.door,
        "source_ip": event.source_ip,
        "event_request_id": event.request_id,
        "event": event,
    }


@operation("iamconsole:GetTrailStatus", on=_trail, reads=True, performs={LOOK_UP: _always})
def get_trail_status(caller: Caller) -> dict[str, Any]:
    """How long the account's trail is, how far it was verified and when, what was pruned, and how long events are kept.

    If the last verification found something wrong, when that was and what.
    """
    head = ChainHead.objects.filter(pk=caller.account_id).first() or ChainHead(chain=caller.account_id)
    broken = found_broken(head)
    return {
        "last_sequence": head.sequence,
        "last_hash": head.hash,
        "verified_sequence": head.verified_sequence,
        "verified_date": head.verified_date,
        "pruned_sequence": head.anchor_sequence,
        "retention_days": settings.TRAIL_RETENTION_DAYS,
        "broken_date": broken.event_time if broken else None,
        "broken_reason": broken.parameters["broken_reason"] if broken else None,
    }


@operation(EXPORT, on=_trail, performs={EXPORT: _always, LOOK_UP: _always})
def export_events(
    caller: Caller,
    *,
    file_format: str,
    start_time: datetime | None = None,
    end_time: datetime | None = None,
    actor: str = "",
    action_name: str = "",
    resource_name: str = "",
    result: str = "",
    source_ip: str = "",
    event_request_id: str = "",
) -> dict[str, Any]:
    """Record that the trail is exported. The console then sends the file; programs page through ListEvents.

    The export holds the events up to LastSequence. It is a reading of the trail too, and is refused to whom that is.
    """
    head = ChainHead.objects.filter(pk=caller.account_id).first()
    return {"file_format": file_format, "last_sequence": head.sequence if head else 0}


@operation("iamconsole:PruneTrail", on=_chain, lock=True, by_operator=True)
def prune_trail(caller: Caller, *, head: ChainHead, older_than_days: int) -> dict[str, Any]:
    """Delete the oldest events of a trail, as many as are older; 5,000 at once. The last one's hash is kept as the anchor.

    Only a prefix goes: an event that is older than one before it stays with it.
    """
    oldest = Event.objects.filter(chain=head.chain, sequence__gt=head.anchor_sequence).order_by("sequence")
    cutoff = datetime.now(UTC) - timedelta(days=older_than_days)
    pruned: list[tuple[int, str]] = []
    for sequence, time, link in oldest.values_list("sequence", "event_time", "hash")[:PRUNED_AT_ONCE]:
        if time >= cutoff:
            break
        pruned.append((sequence, link))
    if pruned:
        head.anchor_sequence, head.anchor_hash = pruned[-1]
        head.save(
            update_fields=["anchor_sequence", "anchor_hash"]
        )  # first: the database asks it of every row that goes
        gone = {"chain": head.chain, "sequence__lte": head.anchor_sequence}
        EventKey.objects.filter(event__in=Event.objects.filter(**gone)).delete()
        Event.objects.filter(**gone).delete()
    return {"pruned_events": len(pruned), "pruned_sequence": head.anchor_sequence, "pruned_hash": head.anchor_hash}


@operation(BROKEN, on=_chain, lock=True, by_operator=True)
def report_broken_trail(caller: Caller, *, head: ChainHead, broken_reason: str) -> None:
    """Record in a trail that a verification found it broken, and how. Raises NoSuchEntity for a chain that has lost its head."""
