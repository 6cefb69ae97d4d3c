"""The rotation of an access key: a second one takes over, the first goes quiet, is switched off and is deleted.

Nothing of it is kept but which key is to take over from which; the steps are read off the two keys at every look. It is what the
IAM User Guide tells to do by hand ("Update access keys").
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from credentials.models import AccessKey

QUIET: Final = timedelta(days=7)  # how long the old key must not have been used before it is switched off
KEPT: Final = timedelta(days=7)  # how long it is kept switched off, to be switched on again if something misses it


@dataclass(frozen=True)
class Rotation:
    """Two keys of a user, of which ``new`` is to take over from ``old``."""

    old: AccessKey
    new: AccessKey
    now: datetime

    @property
    def user_name(self) -> str | None:
        """Whose they are."""
        return self.old.user_name

    @property
    def old_access_key_id(self) -> str:
        """The key that goes."""
        return self.old.access_key_id

    @property
    def new_access_key_id(self) -> str:
        """The key that stays."""
        return self.new.access_key_id

    @property
    def quiet_since(self) -> datetime:
        """When the old key was used last; the time before there was a new one does not count."""
        return max(self.old.last_used_date or self.new.create_date, self.new.create_date)

    @property
    def is_off(self) -> bool:
        """Whether the old key signs no more."""
        return not self.old.is_good(self.now)

    @property
    def next_date(self) -> datetime:
        """When the old key can be switched off, and then when it can be deleted, if nothing uses it until then."""
        if not self.is_off:
            return self.quiet_since + QUIET
        ends = self.old.expire_date if self.old.has_expired else self.old.status_date
        return (ends or self.old.create_date) + KEPT

    @property
    def step(self) -> str:
        """HandOver, Watch, Deactivate, Wait or Delete: what is to be done next."""
        due = self.now >= self.next_date
        if self.is_off:
            return "Delete" if due else "Wait"
        if self.new.last_used_date is None:
            return "HandOver"
        return "Deactivate" if due else "Watch"

    @property
    def number(self) -> int:
        """The number of the step among the four that pages show: create, hand over, deactivate, delete."""
        return {"HandOver": 2, "Watch": 2, "Deactivate": 3, "Wait": 4, "Delete": 4}[self.step]

    @property
    def advice(self) -> str:
        """What is to be done next, as a sentence."""
        return {
            "HandOver": "Give the new key to whatever uses the old one. The new key has not been used yet.",
            "Watch": "The new key is in use. Wait until the old one has been quiet for 7 days.",
            "Deactivate": "The old key has been quiet for 7 days: deactivate it.",
            "Wait": "The old key is off. Keep it for 7 days in case something misses it.",
            "Delete": "Nothing has missed the old key: delete it.",
        }[self.step]


def rotations_in(keys: Iterable[AccessKey]) -> Iterator[Rotation]:
    """The rotations that are under way among keys, in the order of the new ones."""
    found, now = {key.pk: key for key in keys}, timezone.now()
    for new in found.values():
        if new.replaces_id in found:
            yield Rotation(found[new.replaces_id], new, now)
