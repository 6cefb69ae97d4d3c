"""MFA devices of users: enable, resynchronise, deactivate, list. What is enabled for whom is proved by two codes in a row."""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from accounts import targets as account_targets
from accounts.caller import Caller
from accounts.models import User
from accounts.quotas import refuse_beyond
from accounts.tags import RESOURCE_TAGS
from credentials import targets
from credentials.mfa.codes import INVALID_CODE, match_two
from credentials.mfa.models import MFADevice
from credentials.mfa.requirement import demanded_of
from credentials.mfa.throttle import Guesser
from credentials.steps import end_sessions, give_device, release_device
from iamconsole.errors import (
    AccessDenied,
    EntityAlreadyExists,
    InvalidAuthenticationCode,
    InvalidUserType,
    NoSuchEntity,
)
from iamconsole.operation import operation
from iamconsole.paging import Page

# Context keys of those that enable passkeys, which iamconsole:FinishPasskeyRegistration does under this action.
SECURITY_KEYS = (
    "iam:RegisterSecurityKey",
    "iam:FIDO-certification",
    "iam:FIDO-FIPS-140-2-certification",
    "iam:FIDO-FIPS-140-3-certification",
)


def _paying(admitted: Mapping[str, Any]) -> Mapping[str, Any]:
    """Pay for the guess that a resynchronisation is, by the caller. Raises InvalidAuthenticationCode when none is left.

    It lets nobody in, and nobody guesses two codes in a row in so many tries: wrong ones do not add up, and those of an
    administrator hold the user off from nothing.
    """
    user: User = admitted["user"]
    device = MFADevice.objects.filter(user=user, serial_number=admitted["serial_number"]).first()
    caller: Caller = admitted["caller"]
    if device is not None and not Guesser(caller.principal, caller.door).reserve(timezone.now(), adds_up=False):
        raise InvalidAuthenticationCode(INVALID_CODE)
    return {}


@operation("iam:EnableMFADevice", on=targets.factors, lock=True, sensitive=True, keys=(*SECURITY_KEYS, *RESOURCE_TAGS))
def enable_mfa_device(
    caller: Caller, *, user: User, serial_number: str, authentication_code1: str, authentication_code2: str
) -> None:
    """Enable a virtual device or a hardware token for a user, by two codes in a row, which ends the user's sessions.

    Raises AccessDenied where an own device is to be used first, NoSuchEntity, EntityAlreadyExists when it is enabled already,
    LimitExceeded at eight, InvalidAuthenticationCode.
    """
    _enable(user, serial_number, authentication_code1, authentication_code2)


@operation("iamconsole:EnableRootMFADevice", on=targets.own_factors, lock=True, sensitive=True)
def enable_root_mfa_device(
    caller: Caller, *, user: User, serial_number: str, authentication_code1: str, authentication_code2: str
) -> None:
    """The same for the root user, which AWS's operation cannot name. Raises InvalidUserType for anybody else."""
    _require_root(user)
    _enable(user, serial_number, authentication_code1, authentication_code2)


@operation(
    "iam:ResyncMFADevice", on=targets.factors_by_codes, lock=True, sensitive=True, before=_paying, keys=RESOURCE_TAGS
)
def resync_mfa_device(
    caller: Caller, *, user: User, serial_number: str, authentication_code1: str, authentication_code2: str
) -> None:
    """Set a user's device right by two codes in a row, which ends the user's sessions. Used codes stay used.

    Raises AccessDenied of another user's where an own device is to be used first, NoSuchEntity, InvalidAuthenticationCode.
    """
    _resync(caller, user, serial_number, authentication_code1, authentication_code2)


@operation("iamconsole:ResyncRootMFADevice", on=account_targets.the_caller, lock=True, sensitive=True, before=_paying)
def resync_root_mfa_device(
    caller: Caller, *, user: User, serial_number: str, authentication_code1: str, authentication_code2: str
) -> None:
    """The same for the root user, which AWS's operation cannot name. Raises InvalidUserType for anybody else."""
    _require_root(user)
    _resync(caller, user, serial_number, authentication_code1, authentication_code2)


@operation("iam:DeactivateMFADevice", on=targets.factors_or_roots, lock=True, sensitive=True, keys=RESOURCE_TAGS)
def deactivate_mfa_device(caller: Caller, *, user: User, serial_number: str) -> None:
    """Take a device from the named user, or from the caller, which ends the user's sessions.

    A virtual device and its seed are kept, a hardware token goes back to the account's inventory, a passkey is deleted.
    Raises AccessDenied where an own device is to be used first, and for one's own last one while the account requires MFA.
    """
    device = _device_of(user, serial_number)
    _keep_required(caller, user)
    release_device(device)
    end_sessions(user)


@operation("iam:ListMFADevices", on=account_targets.user_or_root, reads=True, keys=RESOURCE_TAGS)
def list_mfa_devices(
    caller: Caller, *, user: User, max_items: int | None = None, marker: str | None = None
) -> Page[MFADevice]:
    """The devices of the named user, or of the caller, of every kind."""
    return Page.of(
        MFADevice.objects.select_related("user").filter(user=user),
        by="id",
        scope=f"ListMFADevices {user.user_id}",
        max_items=max_items,
        marker=marker,
    )


@operation("iam:GetMFADevice", on=account_targets.user_or_root, reads=True, keys=RESOURCE_TAGS)
def get_mfa_device(caller: Caller, *, user: User, serial_number: str) -> MFADevice:
    """One device of the named user, or of the caller. Raises NoSuchEntity."""
    return _found(user, serial_number, lock=False)


def _enable(user: User, serial_number: str, first: str, second: str) -> None:
    devices = MFADevice.objects.select_for_update(no_key=True)
    device = devices.filter(account=user.account_id, serial_number=serial_number).first()
    if device is None:
        raise NoSuchEntity(targets.no_such_device(serial_number))
    if device.user_id == user.pk:
        raise EntityAlreadyExists(f"MFA Device for user {user.label} already exists.")
    if device.user_id is not None:
        raise EntityAlreadyExists("MFA Device is already in use.")
    refuse_beyond("MFADevicesPerUser", user.account, MFADevice.objects.filter(user=user))
    match_two(device, first, second, timezone.now())
    give_device(device, user)


def _keep_required(caller: Caller, user: User) -> None:
    """Raise AccessDenied when the caller would give up the own last device, and the account demands one by now."""
    if caller.door == "shell" or caller.principal.pk != user.pk:
        return
    duty = demanded_of(user)
    if duty and duty.is_due and MFADevice.objects.filter(user=user).count() == 1:
        raise AccessDenied("Your account requires MFA, and this is your last MFA device: assign another one first.")


def _resync(caller: Caller, user: User, serial_number: str, first: str, second: str) -> None:
    device = _device_of(user, serial_number)
    match_two(device, first, second, timezone.now())
    device.save(update_fields=["drift", "last_t"])
    Guesser(caller.principal, caller.door).refund()
    end_sessions(user)


def _require_root(user: User) -> None:
    if not user.is_root:
        raise InvalidUserType(
            "Only the root user does this here; users have iam:EnableMFADevice and iam:ResyncMFADevice."
        )


def _device_of(user: User, serial_number: str) -> MFADevice:
    return _found(user, serial_number, lock=True)


def _found(user: User, serial_number: str, *, lock: bool) -> MFADevice:
    devices = MFADevice.objects.filter(account=user.account_id, serial_number=serial_number)
    device = (devices.select_for_update(no_key=True) if lock else devices).first()
    if device is None:
        raise NoSuchEntity(targets.no_such_device(serial_number))
    if device.user_id != user.pk:
        raise NoSuchEntity("MFA Device invalid for user.")
    device.user = user
    return device
