"""What holds off those who guess at the codes of second factors: a budget for each user, and an end to it.

A guess is paid for before it is looked at, by one conditional UPDATE, so that no burst gets more than there is; a right one is
paid back. The budget is the user's, whichever device or session is guessed at and however often the password is given anew:
no five minutes see more than 5 guesses, no hour more than 20 and no day more than 50. Those that come by a key have a part of it
alone, so that whoever has taken the key leaves its user guesses in the browser.

Wrong guesses also add up, for good: at MOST_FAILURES no code of the user's is asked any more until an administrator deals with it
or the user, in by another factor, assigns a device anew (NIST SP 800-63B, 3.2.2). No more than MOST_BY_KEY of them come by a key.
A right code takes back those that were given wrong in the same session before it, which are its user's own, and nobody else's.

Passkeys and recovery codes are never held off by this: nobody guesses a signature or 80 bits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from django.db import transaction
from django.db.models import BigIntegerField, F, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Greatest, Least

from accounts.models import User
from credentials.mfa.models import GuessBudget, WrongCodes

MOST_FAILURES: Final = 100  # each is right once in 333,333, so that all together are once in 3,333
MOST_BY_KEY: Final = 50
_MINUTE: Final = 60_000
# By column: how many guesses at once, and in how many milliseconds all of them come back, one by one (GCRA). What there is at
# once and what comes back meanwhile are together no more than the time of the column's name may see.
WINDOWS: Final[Mapping[str, tuple[int, int]]] = {
    "five_minutes": (5, 5 * 5 * _MINUTE),
    "hour": (10, 60 * _MINUTE),
    "day": (25, 24 * 60 * _MINUTE),
}
# What guesses by a key take beside: at every length of time less than what there is and what comes back.
KEY_WINDOWS: Final[Mapping[str, tuple[int, int]]] = {
    "key_five_minutes": (3, 3 * 10 * _MINUTE),
    "key_hour": (5, 60 * _MINUTE),
    "key_day": (12, 24 * 60 * _MINUTE),
}


@dataclass
class Guesser:
    """Somebody who gives codes of a user's second factors, by a door."""

    user: User
    door: str
    session_id: str = ""  # of the console's session, where there is one
    paid: int = 0  # how many guesses that add up it has paid for

    @property
    def windows(self) -> Mapping[str, tuple[int, int]]:
        """Those a guess is paid from."""
        return WINDOWS if self.door == "console" else {**WINDOWS, **KEY_WINDOWS}

    @property
    def counts(self) -> Mapping[str, int]:
        """By column: how many wrong guesses add up before none is asked any more."""
        every = {"failures": MOST_FAILURES}
        return every if self.door == "console" else {**every, "key_failures": MOST_BY_KEY}

    def reserve(self, now: datetime, *, adds_up: bool = True) -> bool:
        """Pay for one guess. False, and nothing may be looked at, when none is left.

        ``adds_up``: whether it is a guess at one code that lets somebody in, and so one of the MOST_FAILURES.
        Commits at once: it must not stand in a transaction, which could roll it back.
        """
        GuessBudget.objects.get_or_create(user=self.user)
        at = _milliseconds(now)
        # A column ahead of what a full window reaches is of a clock that was put back since; it counts as full, no more.
        paid: dict[str, Combinable] = {
            column: Greatest(Least(F(column), _whole(at + span)), _whole(at)) + _whole(span // guesses)
            for column, (guesses, span) in self.windows.items()
        }
        left = {f"{column}__lte": at + span - span // guesses for column, (guesses, span) in self.windows.items()}
        if adds_up:
            paid |= {column: F(column) + 1 for column in self.counts}
            left |= {f"{column}__lt": most for column, most in self.counts.items()}
        budget = GuessBudget.objects.filter(user=self.user)
        with transaction.atomic(durable=True):
            reserved = bool(budget.filter(**left).update(**paid))
            if reserved and adds_up and self.session_id:
                self._count()
            if not reserved:
                budget.update(**{name: Least(F(name), _whole(at + span)) for name, (_, span) in self.windows.items()})
        self.paid += reserved and adds_up
        return reserved

    def _count(self) -> None:
        """Note that a guess is this session's, while the user's budget is locked."""
        own = WrongCodes.objects.filter(user=self.user, session_id=self.session_id)
        if not own.update(count=F("count") + 1):
            WrongCodes.objects.create(user=self.user, session_id=self.session_id, count=1)

    def refund(self) -> None:
        """Pay a right guess back, and take the wrong ones back that this session gave before it, once."""
        budget = GuessBudget.objects.filter(user=self.user)
        with transaction.atomic():
            budget.update(**{name: F(name) - span // guesses for name, (guesses, span) in self.windows.items()})
            taken_back = self.paid
            if self.session_id:
                own = WrongCodes.objects.filter(user=self.user, session_id=self.session_id)
                taken_back = sum(own.values_list("count", flat=True))
                own.delete()
            budget.update(**{column: Greatest(F(column) - taken_back, _whole(0)) for column in self.counts})
        self.paid = 0

    def wait(self, now: datetime) -> timedelta:
        """How long until there is a guess left: nothing when there is one now. For pages to tell."""
        budget = GuessBudget.objects.filter(user=self.user).first()
        at = _milliseconds(now)
        free = [
            min(getattr(budget, column), at + span) - (span - span // guesses)
            for column, (guesses, span) in self.windows.items()
            if budget is not None
        ]
        return timedelta(milliseconds=max(0, *(until - at for until in free), 0))


def stopped(user: User) -> Literal["everywhere", "by key", ""]:
    """Where so many guesses at the user's codes were wrong that none is asked any more."""
    budget = GuessBudget.objects.filter(user=user).first()
    if budget is None:
        return ""
    if budget.failures >= MOST_FAILURES:
        return "everywhere"
    return "by key" if budget.key_failures >= MOST_BY_KEY else ""


def forgive(user: User) -> None:
    """Let wrong guesses add up from nothing, inside the running transaction; what is spent of the windows stays spent."""
    GuessBudget.objects.filter(user=user).update(failures=0, key_failures=0)
    WrongCodes.objects.filter(user=user).delete()


def forget(user: User) -> None:
    """Give a user back all guesses, inside the running transaction."""
    forgive(user)
    GuessBudget.objects.filter(user=user).update(**dict.fromkeys([*WINDOWS, *KEY_WINDOWS], 0))


def _milliseconds(now: datetime) -> int:
    return (now - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _whole(number: int) -> Value:
    return Value(number, output_field=BigIntegerField())
