"""Checking second factors, at sign-in and when who is in is asked again: codes, text messages, passkeys, recovery codes.

What is asked in a session, a challenge or a code by text message, is good in that session alone. Each step of signing in has a
session of its own, and a proof of who is in gives the session a new key: so it is bound to the step, and good for one.
"""

from datetime import datetime
from math import ceil
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.sessions import SessionStore
from accounts.signin.who import record_failure
from accounts.throttle import in_words
from credentials.mfa import codes, passkeys, recovery_codes, text_codes, throttle
from credentials.mfa.models import MOST_FAILURES, MFADevice
from iamconsole.errors import AccessDenied, Fault, InvalidAuthenticationCode, Throttling

WRONG = {
    MFADevice.Kind.PASSKEY: "The answer of the passkey does not fit what it was asked, or came too late. Try again.",
    MFADevice.Kind.SMS: "The code is not the one that was sent last, or it is too old or was tried too often.",
}


def verified(request: HttpRequest, user: User, device: MFADevice | None, given: str) -> str:
    """Spend a code of the device, the answer of a passkey, or a recovery code where no device is named.

    Returns what was shown, in words for the trail. Raises InvalidAuthenticationCode, and Throttling, having looked at nothing,
    when no guess is left.
    """
    now = timezone.now()
    _refuse_without_guess(request, user, device, now)
    if throttle.is_stopped(user, device or throttle.RECOVERY):
        record_failure(request, user.account_id, user, _method(device), "Stopped")
        raise InvalidAuthenticationCode(_stopped(user, device))
    if device is None:
        if recovery_codes.verify(user, given, now):
            return _method(None)
    elif device.kind == MFADevice.Kind.PASSKEY:
        if used := _signed(request, user, given, now):
            return _method(used)
    elif device.kind == MFADevice.Kind.SMS:
        number, purpose = device.phone_number, _purpose(request)
        if text_codes.verify(user, device, given, now, phone_number=number, purpose=purpose):
            MFADevice.objects.filter(pk=device.pk).update(last_used_date=now)
            return _method(device)
    elif codes.verify(user, device, given, now):
        return _method(device)
    record_failure(request, user.account_id, user, _method(device))
    fallback = "The code is not right, or was used before."
    raise InvalidAuthenticationCode(WRONG.get(MFADevice.Kind(device.kind), fallback) if device else fallback)


def passkey_options(request: HttpRequest, user: User) -> dict[str, Any]:
    """What ``navigator.credentials.get`` is to be asked, of any of the user's passkeys. Raises Throttling."""
    now = timezone.now()
    wait = _wait(user, now)
    if wait:
        raise _too_many(wait)
    return passkeys.authentication_options(user, _purpose(request), now)


def send_text(request: HttpRequest, user: User, device: MFADevice) -> None:
    """Send a code to the device's number. Raises Throttling, LimitExceeded past ten an hour, ServiceUnavailable.

    No message is paid for whose code could not be given.
    """
    now = timezone.now()
    _refuse_without_guess(request, user, device, now)
    try:
        text_codes.send(user, device.phone_number, _purpose(request), now)
    except Fault as fault:
        record_failure(request, user.account_id, user, _method(device), fault.code)
        raise


def text_is_open(request: HttpRequest, user: User, device: MFADevice) -> bool:
    """Whether a code was sent to the device in this step that can still be given."""
    return text_codes.is_open(user, device.phone_number, _purpose(request), timezone.now())


def _signed(request: HttpRequest, user: User, answer: str, now: datetime) -> MFADevice | None:
    """The passkey that signed. An answer is paid for like a guess, so that nobody sends them without end."""
    if not throttle.reserve(user, throttle.PASSKEYS, now):
        return None
    used = passkeys.verify(user, answer, _purpose(request), now)
    if used is not None:
        throttle.refund(user)
    return used


def _purpose(request: HttpRequest) -> str:
    session = request.session
    if not (isinstance(session, SessionStore) and session.session_id):
        raise AccessDenied("Your session has ended. Sign in again.")
    return f"session {session.session_id}"


def _refuse_without_guess(request: HttpRequest, user: User, device: MFADevice | None, now: datetime) -> None:
    wait = _wait(user, now)
    if wait:
        record_failure(request, user.account_id, user, _method(device), Throttling.__name__)
        raise _too_many(wait)


def _wait(user: User, now: datetime) -> int:
    """Seconds until a guess is left."""
    return ceil(throttle.wait(user, now).total_seconds() / 10) * 10


def _too_many(wait: int) -> Throttling:
    return Throttling(f"Too many attempts. Try again in {in_words(wait)}.", wait=wait)


def _stopped(user: User, device: MFADevice | None) -> str:
    """What is told of a factor that is asked no more, and what to do."""
    which = f"{device.name} is stopped: its codes were" if device else "Recovery codes are stopped: they were"
    helps = (
        "the operator can help, by manage.py recoverroot" if user.is_root else "an administrator can allow new attempts"
    )
    return (
        f"{which} wrong {MOST_FAILURES} times in a row. No code is looked at until you have signed in in another way; if"
        f" you cannot, {helps}."
    )


def _method(device: MFADevice | None) -> str:
    return f"{device.kind} device {device.name}" if device else "recovery code"
