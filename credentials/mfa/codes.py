"""Checking the codes of virtual devices and hardware tokens: one to sign in, two in a row to enrol or to set a clock right."""

import logging
from datetime import datetime

import django_otp
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from accounts.throttle import in_words
from credentials import totp
from credentials.mfa.models import Attempt, MFADevice, seed_of
from credentials.mfa.throttle import Guesser
from credentials.sealing import SealBrokenError
from iamconsole.errors import InvalidAuthenticationCode

log = logging.getLogger("iamconsole")
INVALID_CODE = "Authentication code for device is not valid."


def devices_of(user: User) -> "QuerySet[MFADevice]":
    """The devices that are enabled for the user, the oldest first."""
    devices: QuerySet[MFADevice] = MFADevice.objects.filter(user=user).order_by("enable_date", "pk")
    return devices


def verify(guesser: Guesser, device: MFADevice, code: str, now: datetime) -> bool:
    """Whether the code is good now for the device of the guesser's user. A good one is spent; a wrong one costs a guess.

    False too when no guess is left: `Guesser.wait` tells how long that lasts. Must not be called in a transaction: what it
    spends stays spent whatever comes after.
    """
    canonical = totp.canonical(code)
    if canonical is None or not device.has_codes or device.user_id != guesser.user.pk:
        return False
    if not guesser.reserve(now):
        return False
    if django_otp.verify_token(guesser.user, device.persistent_id, Attempt(canonical, now)) is None:
        return False
    guesser.refund()
    return True


def verify_two(guesser: Guesser, device: MFADevice, first: str, second: str, now: datetime) -> bool:
    """The same of two codes in a row, of a device whose clock is up to ten minutes off: good ones set it right.

    They must be later than any that was accepted before. Both together cost one guess.
    """
    if totp.canonical(first) is None or totp.canonical(second) is None:
        return False
    if device.user_id != guesser.user.pk or not guesser.reserve(now):
        return False
    with transaction.atomic(durable=True):
        own = MFADevice.objects.filter(user=guesser.user, confirmed=True)
        locked = own.select_for_update(no_key=True).filter(pk=device.pk).first()
        try:
            if locked is None:
                return False
            match_two(locked, first, second, now, reach=totp.OFF)
        except InvalidAuthenticationCode:
            return False
        locked.last_used_date = now
        locked.save(update_fields=["drift", "last_t", "last_used_date"])
    guesser.refund()
    return True


def _passed(device: MFADevice, step: int) -> str:
    """What is told of two right codes, up to that of the step, of which the first is no later than the last accepted one."""
    wait = max(device.last_t + 1 - step, 1) * device.period
    return (
        f"{INVALID_CODE} The codes are right, but the first or a later one was accepted before, and none is good twice. Wait"
        f" {in_words(wait)} and give the two that the device shows then; or, if a clock was ahead, use another device in its"
        f" place."
    )


def match_two(device: MFADevice, first: str, second: str, now: datetime, *, reach: int = totp.FAR) -> None:
    """Take two codes in a row of a locked device, set its drift by them and spend both; saves nothing.

    Raises InvalidAuthenticationCode. The codes must be later than any the device accepted before, and no more than so many steps
    from where its clock is thought to be.
    """
    codes = totp.canonical(first), totp.canonical(second)
    around = int(now.timestamp()) // device.period
    step = passed = None
    if device.has_codes and codes[0] and codes[1]:
        try:
            seed = seed_of(device)
        except SealBrokenError as error:
            log.critical("%s: no code of this device is good until it is replaced", error)
            raise InvalidAuthenticationCode(INVALID_CODE) from error
        step = totp.find_pair(seed, codes[0], codes[1], around + device.drift, after=device.last_t, reach=reach)
        passed = None if step else totp.find_pair(seed, codes[0], codes[1], around + device.drift)
    if step is None:
        raise InvalidAuthenticationCode(INVALID_CODE if passed is None else _passed(device, passed))
    # No more drift than lets the second code in: who types slowly makes a clock look late that is not.
    off = step - around
    device.drift = max(off - totp.NEAR, 0) if off > 0 else min(off + totp.NEAR, 0)
    device.last_t = step
