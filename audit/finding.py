"""Finding events: what may be asked of a chain, and one page of the answer, the latest first, by an index whatever is asked."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Q

from api.shapes import services
from audit.models import Event, EventKey
from audit.record import SIGN_IN, digest

BATCH: Final = 500
# A user may be named AIDA or AKIA-backup: only what has an id's whole form is taken for one.
_USER_ID: Final = re.compile(r"AIDA[A-Z2-7]{17}", re.ASCII)
_ACCESS_KEY_ID: Final = re.compile(r"(AKIA|ASIA)[A-Z2-7]{16}", re.ASCII)
Place = tuple[datetime, int]  # the time and sequence of an event
CONSOLE_LOGIN: Final = "ConsoleLogin"  # what CloudTrail calls a sign-in
# Actions that are no operations.
BESIDE: Final = {"SignIn", "SignOut", "ConfirmIdentity", "RedeemSetupLink", "Authenticate"}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked of a chain; nothing by default. All that is given must hold."""

    start_time: datetime | None = None
    end_time: datetime | None = None
    actor: str = ""  # a user's name, ARN, id or access key id
    actor_name: str = ""  # a user's name, whatever it looks like
    action: str = ""  # iam:CreateUser, or CreateUser
    resource_name: str = ""  # an ARN, id or name of what it was about
    resource_type: str = ""
    result: str = ""  # Success, Refused, or a fault's code
    source_ip: str = ""
    event_request_id: str = ""
    access_key_id: str = ""
    event_source: str = ""
    read_only: bool | None = None
    event_id: str = ""

    def of(self, chain: str, *, after: Place | None, most: int) -> list[Event]:
        """The latest events of the chain that are older than ``after``, at most so many."""
        key = self.resource_name or self.resource_type
        prefix = "event__" if key else ""
        wanted = Q(chain=chain) & self._times() & self._columns(prefix)
        if key:
            wanted &= Q(key=digest(key))
        if self.resource_name and self.resource_type:
            wanted &= Q(event__keys__key=digest(self.resource_type))
        if after is not None:
            time, sequence = after
            wanted &= Q(event_time__lte=time) & (Q(event_time__lt=time) | Q(sequence__lt=sequence))
        rows: Any = EventKey.objects.select_related("event") if key else Event.objects.all()
        found = list(rows.filter(wanted).order_by("-event_time", "-sequence")[:most])
        return [row.event for row in found] if key else found

    def all_of(self, chain: str, *, until: int) -> Iterator[Event]:
        """Every event up to a sequence, in batches, in memory that does not grow."""
        after: Place | None = None
        while batch := self.of(chain, after=after, most=BATCH):
            yield from (event for event in batch if event.sequence <= until)
            after = batch[-1].event_time, batch[-1].sequence

    def _times(self) -> Q:
        times = Q()
        if self.start_time is not None:
            times &= Q(event_time__gte=self.start_time)
        if self.end_time is not None:
            times &= Q(event_time__lte=self.end_time)
        return times

    def _columns(self, prefix: str) -> Q:
        columns: dict[str, Any] = {**self._who(), **self._result()}
        if self.actor_name:
            columns["actor_name"] = self.actor_name
        if self.action:
            names = actions(self.action)
            columns |= {"action": names[0]} if len(names) == 1 else {"action__in": names}
        for name in ("source_ip", "access_key_id", "event_source"):
            if getattr(self, name):
                columns[name] = getattr(self, name)
        if self.event_request_id:
            columns["request_id"] = self.event_request_id
        if self.read_only is not None:
            # What is only asked to be true, SQLite does not look up in an index.
            columns["read_only__in"] = [self.read_only]
        if self.event_id:
            columns["event_id"] = _uuid(self.event_id)
        return Q(**{prefix + name: value for name, value in columns.items()})

    def _who(self) -> dict[str, Any]:
        if self.actor.startswith("arn:"):
            return {"actor_name": self.actor.rpartition(":")[2].rpartition("/")[2], "actor_arn": self.actor}
        if _USER_ID.fullmatch(self.actor):
            return {"actor_id": self.actor}
        if _ACCESS_KEY_ID.fullmatch(self.actor):
            return {"access_key_id": self.actor}
        return {"actor_name": self.actor} if self.actor else {}

    def _result(self) -> dict[str, Any]:
        if self.result in ("", "Refused"):
            return {"refused__in": [True]} if self.result else {}
        return {"result": self.result}


def actions(name: str) -> list[str]:
    """The actions that a name may stand for, in whatever case: with its service, or alone as CloudTrail writes it."""
    if name.lower() == CONSOLE_LOGIN.lower():
        return [SIGN_IN]
    prefix, _, wanted = name.rpartition(":")
    known = [f"{service.name}:{each}" for service in services().values() for each in service.operations]
    known += [f"iamconsole:{each}" for each in sorted(BESIDE)]
    found = [
        each
        for each in known
        if each.lower() == name.lower() or (not prefix and each.lower().endswith(f":{wanted.lower()}"))
    ]
    return found or [name]


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)  # no event has it
