"""What holds off those who guess at second factors: a budget for each user, and an end to each factor.

A guess is paid for before it is looked at, by one conditional UPDATE, so that no burst gets more than there is; a right one is
paid back. The budget is the user's, whichever device or session is guessed at and however often the password is given anew:
no five minutes see more than 5 guesses, no hour more than 20 and no day more than 50. A factor that was wrong 100 times in a row
is asked no more until another factor is right or an administrator deals with it (NIST SP 800-63B, 3.2.2).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import BigIntegerField, F, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Greatest, Least

from accounts.models import User
from credentials.mfa.models import MOST_FAILURES, GuessBudget, MFADevice

_MINUTE: Final = 60_000
# By column: how many guesses at once, and in how many milliseconds all of them come back, one by one (GCRA). What there is at
# once and what comes back meanwhile are together no more than the time of the column's name may see.
WINDOWS: Final[Mapping[str, tuple[int, int]]] = {
    "five_minutes": (5, 5 * 5 * _MINUTE),
    "hour": (10, 60 * _MINUTE),
    "day": (25, 24 * 60 * _MINUTE),
}
RECOVERY: Final = "recovery codes"
NUMBER: Final = "a number that is being registered"  # no factor yet, so no row of failures
PASSKEYS: Final = "passkeys"  # nobody guesses a signature, so nobody who sends wrong ones can stop a passkey for good
Factor = MFADevice | str


def reserve(user: User, factor: Factor, now: datetime) -> bool:
    """Pay for one guess at a device, at the user's RECOVERY codes, at a NUMBER's, or for one answer of PASSKEYS.

    False, and nothing may be looked at, when none is left.
    Commits at once: it must not stand in a transaction, which could roll it back.
    """
    GuessBudget.objects.get_or_create(user=user)
    at = _milliseconds(now)
    # A column ahead of what a full window reaches is of a clock that was put back since; it counts as full, no more.
    paid: dict[str, Combinable] = {
        column: Greatest(Least(F(column), _whole(at + span)), _whole(at)) + _whole(span // guesses)
        for column, (guesses, span) in WINDOWS.items()
    }
    left = {f"{column}__lte": at + span - span // guesses for column, (guesses, span) in WINDOWS.items()}
    with transaction.atomic(durable=True):
        # A device's row before the budget's, as everywhere: operations hold the device when they forgive.
        reserved = _count(user, factor) and bool(GuessBudget.objects.filter(user=user, **left).update(**paid))
        if not reserved:
            transaction.set_rollback(True)
    if not reserved:
        capped = {column: Least(F(column), _whole(at + span)) for column, (_, span) in WINDOWS.items()}
        GuessBudget.objects.filter(user=user).update(**capped)
    return reserved


def _count(user: User, factor: Factor) -> bool:
    """Count a failure in advance."""
    if isinstance(factor, MFADevice):
        devices = MFADevice.objects.filter(pk=factor.pk, failures__lt=MOST_FAILURES)
        return bool(devices.update(failures=F("failures") + 1))
    if factor in (NUMBER, PASSKEYS):
        return True
    budgets = GuessBudget.objects.filter(user=user, recovery_failures__lt=MOST_FAILURES)
    return bool(budgets.update(recovery_failures=F("recovery_failures") + 1))


def is_stopped(user: User, factor: Factor) -> bool:
    """Whether the factor was wrong so often in a row that it is asked no more."""
    if isinstance(factor, MFADevice):
        return factor.is_stopped
    stopped = GuessBudget.objects.filter(user=user, recovery_failures__gte=MOST_FAILURES)
    return factor == RECOVERY and stopped.exists()


def refund(user: User) -> None:
    """Pay a right guess back. It ends every row of failures: the user is who was meant."""
    forgive(user)
    back: dict[str, Combinable] = {column: F(column) - span // guesses for column, (guesses, span) in WINDOWS.items()}
    GuessBudget.objects.filter(user=user).update(**back)


def forgive(user: User) -> None:
    """End every row of failures, so that each factor is asked again; what is spent of the windows stays spent."""
    MFADevice.objects.filter(user=user).exclude(failures=0).update(failures=0)
    GuessBudget.objects.filter(user=user).update(recovery_failures=0)


def forget(user: User) -> None:
    """Give a user back all guesses, inside the running transaction."""
    forgive(user)
    GuessBudget.objects.filter(user=user).update(**dict.fromkeys(WINDOWS, 0))


def wait(user: User, now: datetime) -> timedelta:
    """How long until there is a guess left: nothing when there is one now. For pages to tell."""
    budget = GuessBudget.objects.filter(user=user).first()
    at = _milliseconds(now)
    free = [
        min(getattr(budget, column), at + span) - (span - span // guesses)
        for column, (guesses, span) in WINDOWS.items()
        if budget is not None
    ]
    return timedelta(milliseconds=max(0, *(until - at for until in free), 0))


def _milliseconds(now: datetime) -> int:
    return (now - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _whole(number: int) -> Value:
    return Value(number, output_field=BigIntegerField())
