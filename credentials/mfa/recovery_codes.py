"""Recovery codes: ten for each user, each good once, kept as HMAC-SHA-256 under the key ring.

They have 80 bits, so that nobody guesses one and no guess is counted.
"""

import base64
import re
import secrets
from datetime import datetime

from django.conf import settings
from django.db import transaction

from accounts.models import User
from credentials.mfa.models import RecoveryCode

CODES = 10
_BYTES = 10  # 80 bits, 16 characters
_CODE = re.compile(r"[A-Z2-7]{16}")


def issue(user: User) -> list[str]:
    """Make ten codes in the place of all earlier ones. They are not to be had again."""
    codes = [base64.b32encode(secrets.token_bytes(_BYTES)).decode() for _ in range(CODES)]
    RecoveryCode.objects.filter(user=user).delete()
    RecoveryCode.objects.bulk_create(RecoveryCode(user=user, code_digest=_digests(user, code)[0]) for code in codes)
    return ["-".join(code[start : start + 4] for start in range(0, len(code), 4)) for code in codes]


def left(user: User) -> int:
    """How many codes the user has not used."""
    return RecoveryCode.objects.filter(user=user, used_date__isnull=True).count()


def verify(user: User, code: str, now: datetime) -> bool:
    """Whether this is an unused code of the user's, spending it. Never in a transaction, which could roll it back."""
    canonical = code.replace(" ", "").replace("-", "").upper()
    if not _CODE.fullmatch(canonical):
        return False
    unused = RecoveryCode.objects.filter(user=user, used_date__isnull=True)
    with transaction.atomic(durable=True):
        return bool(unused.filter(code_digest__in=_digests(user, canonical)).update(used_date=now))


def _digests(user: User, code: str) -> tuple[str, ...]:
    found: tuple[str, ...] = settings.KEY_RING.digests(f"{user.user_id}:{code}", purpose="credentials.RecoveryCode")
    return found
