"""Checking second factors, at sign-in and when who is in is asked again: codes, text messages, passkeys, recovery codes.

What is asked in a session, a challenge or a code by text message, is good in that session alone, and once. Each step of signing
in has a session of its own: so it is bound to the step.
"""

from collections.abc import Sequence
from datetime import datetime
from math import ceil
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.sessions import SessionStore
from accounts.signin.who import record_failure
from accounts.throttle import answer_budgets, in_words, reserve
from credentials.mfa import codes, passkeys, recovery_codes, text_codes
from credentials.mfa.models import MFADevice
from credentials.mfa.throttle import MOST_FAILURES, Guesser, stopped
from iamconsole.errors import AccessDenied, Fault, InvalidAuthenticationCode, Throttling

WRONG_TWO = (
    "These are not two codes in a row of this device, or they were used before, or its clock is more than ten minutes off."
    " Wait for the next two."
)
WRONG = {
    MFADevice.Kind.PASSKEY: "The answer of the passkey does not fit what it was asked, or came too late. Try again.",
    MFADevice.Kind.SMS: "The code is not the one that was sent last, or it is too old or was tried too often.",
}


def verified(request: HttpRequest, user: User, device: MFADevice | None, *given: str) -> str:
    """Spend a code of the device, the answer of a passkey, or a recovery code where no device is named.

    Two codes in a row are given of a device whose clock is off. Returns what was shown, in words for the trail. Raises
    InvalidAuthenticationCode, and Throttling, having looked at nothing, when no guess is left.
    """
    now = timezone.now()
    if device is not None and device.can_be_guessed:
        used, paid = _code_taken(request, user, device, given, now)
    else:
        used, paid = _answer_taken(request, user, device, given[0], now), False
    if used:
        return used
    record_failure(request, user.account_id, user, _method(device), paid=paid)
    fallback = WRONG_TWO if len(given) > 1 else "The code is not right, or was used before."
    raise InvalidAuthenticationCode(WRONG.get(MFADevice.Kind(device.kind), fallback) if device else fallback)


def _code_taken(
    request: HttpRequest, user: User, device: MFADevice, given: Sequence[str], now: datetime
) -> tuple[str | None, bool]:
    """Take a code of six digits, or two in a row: a guess. What was shown, or None; and whether a guess was paid for nothing."""
    guesser = Guesser(user, "console", _session_id(request))
    _refuse_without_guess(request, guesser, device, now)
    if device.kind == MFADevice.Kind.SMS:
        number, purpose = device.phone_number, _purpose(request)
        right = text_codes.verify(guesser, given[0], now, phone_number=number, purpose=purpose)
        if right:
            MFADevice.objects.filter(pk=device.pk).update(last_used_date=now)
    elif len(given) > 1:
        right = codes.verify_two(guesser, device, given[0], given[1], now)
    else:
        right = codes.verify(guesser, device, given[0], now)
    method = f"{_method(device)}, set right" if len(given) > 1 else _method(device)
    return method if right else None, guesser.paid > 0


def _answer_taken(request: HttpRequest, user: User, passkey: MFADevice | None, given: str, now: datetime) -> str | None:
    """Take what nobody can guess: the answer of a passkey, or a recovery code. What was shown, or None.

    Only the session's own answers hold it up, so that nobody sends them without end: nobody else has a say in it.
    """
    budgets = answer_budgets(_session_id(request))
    try:
        reserve(budgets)
    except Throttling:
        record_failure(request, user.account_id, user, _method(passkey), Throttling.__name__, paid=False)
        raise
    if passkey is None:
        return _method(None) if recovery_codes.verify(user, given, now) else None
    used = passkeys.verify(user, given, _purpose(request), now)
    return _method(used) if used else None


def passkey_options(request: HttpRequest, user: User) -> dict[str, Any]:
    """What ``navigator.credentials.get`` is to be asked, of any of the user's passkeys."""
    return passkeys.authentication_options(user, _purpose(request), timezone.now())


def send_text(request: HttpRequest, user: User, device: MFADevice) -> None:
    """Send a code to the device's number. Raises LimitExceeded past ten an hour, ServiceUnavailable.

    No message is paid for whose code could not be given: raises Throttling and InvalidAuthenticationCode as `verified` does.
    """
    now = timezone.now()
    _refuse_without_guess(request, Guesser(user, "console"), device, now)
    try:
        text_codes.send(user, device.phone_number, _purpose(request), now)
    except Fault as fault:
        record_failure(request, user.account_id, user, _method(device), fault.code, paid=False)
        raise


def text_is_open(request: HttpRequest, user: User, device: MFADevice) -> bool:
    """Whether a code was sent to the device in this step that can still be given."""
    return text_codes.is_open(user, device.phone_number, _purpose(request), timezone.now())


def _purpose(request: HttpRequest) -> str:
    return f"session {_session_id(request)}"


def _session_id(request: HttpRequest) -> str:
    session = request.session
    if not (isinstance(session, SessionStore) and session.session_id):
        raise AccessDenied("Your session has ended. Sign in again.")
    return session.session_id


def _refuse_without_guess(request: HttpRequest, guesser: Guesser, device: MFADevice, now: datetime) -> None:
    user = guesser.user
    if stopped(user) == "everywhere":
        record_failure(request, user.account_id, user, _method(device), "Stopped", paid=False)
        raise InvalidAuthenticationCode(_stopped(user))
    wait = ceil(guesser.wait(now).total_seconds() / 10) * 10
    if wait:
        record_failure(request, user.account_id, user, _method(device), Throttling.__name__, paid=False)
        raise Throttling(
            f"Too many attempts. Try again in {in_words(wait)}. Passkeys and, at sign-in, recovery codes are not held up.",
            wait=wait,
        )


def _stopped(user: User) -> str:
    """What is told when codes are asked no more, and what to do."""
    helps = (
        "the operator can help, by manage.py recoverroot" if user.is_root else "an administrator can allow new attempts"
    )
    return (
        f"Codes are stopped: {MOST_FAILURES} wrong ones were tried. Sign in with a passkey or a recovery code, and assign a"
        f" device anew; if you cannot, {helps}."
    )


def _method(device: MFADevice | None) -> str:
    return f"{device.kind} device {device.name}" if device else "recovery code"
