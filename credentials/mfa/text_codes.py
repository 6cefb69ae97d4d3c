"""Codes by text message: the weakest of the second factors, since whoever takes over the number takes over the factor.

A code has six digits, is good for five minutes, for what it was sent for alone, and may be tried three times.
"""

import secrets
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import F

from accounts.models import User
from credentials import sms, totp
from credentials.mfa.models import GuessBudget, TextCode
from credentials.mfa.throttle import Guesser
from iamconsole.errors import LimitExceeded, ServiceUnavailable

LIFE: Final = timedelta(minutes=5)
TRIES: Final = 3
MOST_AN_HOUR: Final = 10  # messages to one user's numbers
MOST_FAILED_AN_HOUR: Final = 10  # messages of one user that the gateway does not take, beside those
REGISTERING: Final = "registering"
NOT_SENT: Final = "not sent"  # the purpose of a code whose message failed: none is ever given for it


def send(user: User, phone_number: str, purpose: str, now: datetime) -> None:
    """Send a code, after which earlier ones for the same purpose are good no more. Never in a transaction.

    ``purpose`` binds it, to the pending sign-in for example. Raises LimitExceeded past ten an hour, and ServiceUnavailable where
    there is no gateway or it does not take the message: earlier codes are then as good as before, and it is none of the ten.
    """
    if not sms.is_on():
        raise ServiceUnavailable(
            "Text messages are off: the operator of this installation has named no gateway (SMS_URL). Use another MFA device"
            " or a recovery code."
        )
    code = f"{secrets.randbelow(10**totp.DIGITS):0{totp.DIGITS}d}"
    GuessBudget.objects.get_or_create(user=user)
    with transaction.atomic(durable=True):
        # The lock that makes the counts hold.
        GuessBudget.objects.select_for_update(no_key=True).get(user=user)
        codes = TextCode.objects.filter(user=user)
        codes.filter(create_date__lte=now - timedelta(hours=1)).delete()
        failed = codes.filter(purpose=NOT_SENT).count()
        if failed >= MOST_FAILED_AN_HOUR or codes.count() - failed >= MOST_AN_HOUR:
            raise LimitExceeded(
                "No more text messages can be sent now. Try again in an hour, or use another MFA device."
            )
        digest = _digests(user, code)[0]
        made = TextCode.objects.create(
            user=user, phone_number=phone_number, purpose=purpose, code_digest=digest, create_date=now
        )
    try:
        sms.send(
            phone_number, f"{code} is your code for {user.account.label}. It is good for five minutes. Tell it nobody."
        )
    except ServiceUnavailable:
        TextCode.objects.filter(pk=made.pk).update(purpose=NOT_SENT)
        raise


def forget(user: User) -> None:
    """Let messages be sent to the user's numbers again, inside the running transaction. Codes that were sent are good no more."""
    TextCode.objects.filter(user=user).delete()


def is_open(user: User, phone_number: str, purpose: str, now: datetime) -> bool:
    """Whether the code last sent to that number for that purpose can still be given."""
    sent = TextCode.objects.filter(user=user, purpose=purpose).order_by("-pk").first()
    return _is_open(sent, phone_number, now) and sent is not None and not sent.spent and sent.tries < TRIES


def _is_open(sent: TextCode | None, phone_number: str, now: datetime) -> bool:
    return sent is not None and sent.phone_number == phone_number and sent.create_date > now - LIFE


def verify(guesser: Guesser, code: str, now: datetime, *, phone_number: str, purpose: str) -> bool:
    """Whether this is the code last sent to that number for that purpose, spending it. A wrong one costs a guess.

    Never in a transaction. A code for REGISTERING lets nobody in, so that wrong ones do not add up.
    """
    user = guesser.user
    canonical = totp.canonical(code)
    if canonical is None or not guesser.reserve(now, adds_up=purpose != REGISTERING):
        return False
    sent = TextCode.objects.filter(user=user, purpose=purpose).order_by("-pk").first()
    if sent is None or not _is_open(sent, phone_number, now):
        return False
    rows = TextCode.objects.filter(pk=sent.pk)
    if not rows.filter(tries__lt=TRIES).update(tries=F("tries") + 1):
        return False
    good = rows.filter(code_digest__in=_digests(user, canonical), spent=False)
    if not good.update(spent=True):
        return False
    guesser.refund()
    return True


def _digests(user: User, code: str) -> tuple[str, ...]:
    found: tuple[str, ...] = settings.KEY_RING.digests(f"{user.user_id}:{code}", purpose="credentials.TextCode")
    return found
