"""How often a password may be tried: the generic cell rate algorithm (GCRA) over rows of the database.

A try is reserved before anything is hashed, by conditional updates in a transaction that commits alone: of any number of tries at
once, in however many processes, no more are let through than the budgets hold. A try that was right is given back. A budget
is never asked whether its user exists, so what is refused tells nothing of that.
"""

import ipaddress
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from django.db import transaction
from django.db.models import BigIntegerField, Case, F, Q, Value, When
from django.db.models.functions import Greatest
from django.utils.crypto import salted_hmac

from accounts.models import Throttle, User
from iamconsole.errors import Throttling

_SECOND = 1_000_000
_MINUTE, _HOUR = 60, 3600
SWEEP_AT_ONCE = 1000


@dataclass(frozen=True)
class Rate:
    """``burst`` tries at once, and another one each ``window / burst``."""

    burst: int
    window: timedelta

    @property
    def step(self) -> int:
        """What one try costs, in microseconds."""
        return int(self.window.total_seconds() * _SECOND) // self.burst

    @property
    def full(self) -> int:
        """What all of them cost."""
        return self.step * self.burst

    @property
    def latest(self) -> int:
        """How far ahead of a try the arrival time may be, in microseconds.

        It holds a second's grace, less than a try: the clocks of tries at once differ by as long as they waited for each other.
        """
        return self.full - self.step + min(self.step // 2, _SECOND)


_MINUTES = timedelta(minutes=5)
USER = Rate(10, _MINUTES)
# A burst and what comes back in a day are 50 together: no 24 hours see more (NIST SP 800-63B, 3.2.2, allows 100 in a row).
USER_DAY = Rate(25, timedelta(days=1))
ADDRESS = Rate(20, _MINUTES)
ACCOUNT = Rate(200, _MINUTES)
EVERYBODY = Rate(1000, _MINUTES)
# Text messages to numbers that nobody has proved yet, which are other people's as likely as not.
NUMBER = Rate(10, timedelta(hours=1))
NUMBERS = Rate(100, timedelta(hours=1))


@dataclass(frozen=True)
class Budget:
    """The tries of one kind and one somebody."""

    kind: str
    whose: str
    rate: Rate

    @property
    def key(self) -> str:
        """Its row."""
        return salted_hmac("accounts.throttle", f"{self.kind}\0{self.whose}", algorithm="sha256").hexdigest()

    def take(self, now: int) -> bool:
        """Take one try from the row, which is there, if it holds one.

        A time further ahead than the algorithm ever sets comes of a clock that was set back; it is cut to a full budget's.
        """
        rate = self.rate
        strange = Q(tat__gt=now + 2 * rate.full)
        fits = Q(tat__lte=now + rate.latest) | strange
        after = Case(
            When(strange, then=Value(now + rate.full)),
            default=Greatest(F("tat"), Value(now, BigIntegerField())) + rate.step,
            output_field=BigIntegerField(),
        )
        return Throttle.objects.filter(fits, key=self.key).update(tat=after) == 1

    def wait(self, now: int) -> int:
        """Microseconds until it holds one again."""
        tat = Throttle.objects.filter(key=self.key).values_list("tat", flat=True).first() or now
        return max(tat - (now + self.rate.latest), _SECOND)


def sign_in_budgets(*, account: str, who: str, address: str) -> tuple[Budget, ...]:
    """What a browser that nobody knows spends: the user's, its address's, the account's, and everybody's."""
    return (
        Budget("user", f"{account}\0{who}", USER),
        Budget("user, a day", f"{account}\0{who}", USER_DAY),
        Budget("address", _network(address), ADDRESS),
        Budget("account", account, ACCOUNT),
        Budget("everybody", "", EVERYBODY),
    )


def known_browser_budgets(user: User, nonce: str) -> tuple[Budget, ...]:
    """What a browser spends that signed in as the user before: its own alone, which no stranger can use up.

    Which browsers there are only they know. So `forget` notes when it was asked, and from then on their budgets are new ones.
    That is noted as long as an old one can be anything but full.
    """
    forgotten = Throttle.objects.filter(key=_forgotten(user).key).values_list("tat", flat=True).first()
    whose = f"{user.pk}\0{nonce}\0{forgotten or ''}"
    return Budget("browser", whose, USER), Budget("browser, a day", whose, USER_DAY)


def proof_budgets(user: User, door: str) -> tuple[Budget, ...]:
    """What somebody who is in already spends on proving the own password again.

    Those who come by a key have another than the console: whoever has taken the key leaves its user the tries in the browser.
    """
    kind = "proof" if door == "console" else "proof by key"
    return Budget(kind, str(user.pk), USER), Budget(f"{kind}, a day", str(user.pk), USER_DAY)


def answer_budgets(session_id: str) -> tuple[Budget, ...]:
    """What a session spends on answers of passkeys and on recovery codes, which nobody guesses: they cost work alone."""
    return (Budget("answers", session_id, USER),)


def number_budgets(user: User, phone_number: str) -> tuple[Budget, ...]:
    """What a message to a number spends that is being registered: the number's, whoever names it, and the account's."""
    return Budget("number", phone_number, NUMBER), Budget("numbers", user.account_id, NUMBERS)


def reserve(budgets: Sequence[Budget]) -> None:
    """Take one try from each of the budgets, or none from any. Raises Throttling, with the seconds to wait.

    Rows are locked in the order of the budgets, the widest last, so that no two tries wait for each other.
    """
    now = _now()
    with transaction.atomic(durable=True):
        Throttle.objects.bulk_create([Throttle(key=each.key, tat=now) for each in budgets], ignore_conflicts=True)
        for budget in budgets:
            if not budget.take(now):
                wait = ceil(budget.wait(now) / _SECOND / 10) * 10
                raise Throttling(f"Too many attempts. Try again in {in_words(wait)}.", wait=wait)


def refund(budgets: Sequence[Budget]) -> None:
    """Give back what a try took that was right."""
    with transaction.atomic(durable=True):
        for budget in budgets:
            Throttle.objects.filter(key=budget.key).update(tat=F("tat") - budget.rate.step)


def forget(user: User) -> None:
    """Fill the user's budgets, whoever has spent them, inside the running transaction.

    What an address, the account and everybody have is theirs, and is not touched.
    """
    who = user.email if user.is_root else user.user_name_key
    account = str(user.email) if user.is_root else user.account_id
    proofs = (budget for door in ("console", "api") for budget in proof_budgets(user, door))
    budgets = (*sign_in_budgets(account=account, who=str(who), address="")[:2], *proofs)
    for budget in budgets:  # in the order that tries lock them in
        Throttle.objects.filter(key=budget.key).delete()
    Throttle.objects.update_or_create(key=_forgotten(user).key, defaults={"tat": _now()})


def _forgotten(user: User) -> Budget:
    """The row that says when the user's budgets were filled last. Nobody spends it."""
    return Budget("forgotten", str(user.pk), USER_DAY)


def sweep() -> None:
    """Delete rows that have said nothing for a day, a thousand at most; those in use by others are left to the next time."""
    with transaction.atomic(durable=True):
        old = Throttle.objects.filter(tat__lt=_now() - 24 * _HOUR * _SECOND).select_for_update(skip_locked=True)
        Throttle.objects.filter(key__in=list(old.values_list("key", flat=True)[:SWEEP_AT_ONCE])).delete()


def _now() -> int:
    return int(time.time() * _SECOND)


def _network(address: str) -> str:
    """The part of an address that one customer has: all of IPv4, the first 64 bits of IPv6 (RFC 6177)."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is None:
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(getattr(ip, "ipv4_mapped", None) or ip)


def in_words(seconds: int) -> str:
    """How long to wait, for people."""
    if seconds < 2 * _MINUTE:
        return f"{seconds} seconds"
    if seconds < 2 * _HOUR:
        return f"{ceil(seconds / _MINUTE)} minutes"
    return f"{ceil(seconds / _HOUR)} hours"
