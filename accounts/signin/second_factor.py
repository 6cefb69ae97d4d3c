"""Checking second factors, at sign-in and when who is in is asked again."""

from math import ceil

from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.signin.who import record_failure
from accounts.throttle import in_words
from credentials.mfa import codes, recovery_codes, throttle
from credentials.mfa.models import MFADevice
from iamconsole.errors import InvalidAuthenticationCode, Throttling


def verified(request: HttpRequest, user: User, device: MFADevice | None, code: str) -> str:
    """Spend a code of the device, or a recovery code where none is given. Returns what was shown, in words for the trail.

    Raises InvalidAuthenticationCode, and Throttling, having looked at nothing, when no guess is left.
    """
    now = timezone.now()
    method = f"{device.kind} device {device.name}" if device else "recovery code"
    wait = ceil(throttle.wait(user, now).total_seconds() / 10) * 10
    if wait:
        record_failure(request, user.account_id, user, method, Throttling.__name__)
        raise Throttling(f"Too many attempts. Try again in {in_words(wait)}.", wait=wait)
    right = codes.verify(user, device, code, now) if device else recovery_codes.verify(user, code, now)
    if not right:
        record_failure(request, user.account_id, user, method)
        raise InvalidAuthenticationCode("The code is not right, or was used before.")
    return method
