"""The first MFA device of a user of whom the account demands one: made and enabled half-way in, before there is a session.

No policy is asked, for it is the account that demands it. In return nobody else is let in here: `Operation.at_sign_in` admits
the caller of that step alone, and `_require_forced` passes, under the user's lock, only while the user has no factor and is
forced to have one. A password alone adds no factor beside another, and none that nobody demands.
"""

import base64
import secrets

from django.db.models import Q
from django.utils import timezone

from accounts import arns, targets
from accounts.caller import Caller
from accounts.models import User
from accounts.quotas import refuse_beyond
from credentials import targets as credential_targets
from credentials.mfa import recovery_codes
from credentials.mfa.codes import match_two
from credentials.mfa.models import MFADevice, VirtualMFADevice
from credentials.mfa.requirement import is_forced
from credentials.operations.virtual_mfa_devices import SEED_BYTES
from credentials.steps import give_device
from credentials.targets import no_such_device
from iamconsole.errors import AccessDenied, NoSuchEntity
from iamconsole.operation import Issued, operation


@operation(
    "iamconsole:CreateRequiredMFADevice",
    on=credential_targets.first_device,
    lock=True,
    issues_secret=True,
    at_sign_in=True,
)
def create_required_mfa_device(caller: Caller, *, user: User, virtual_mfa_device_name: str) -> Issued[MFADevice]:
    """Make a device for the app of a user who must have one to sign in, in the place of one that was left half-way.

    Its seed is shown only here. Raises AccessDenied when none is demanded or the user has one, LimitExceeded.
    """
    _require_forced(user)
    path = _path(user)
    VirtualMFADevice.objects.filter(account=user.account_id, user__isnull=True, path=path).delete()
    device = MFADevice(
        account=user.account,
        kind=MFADevice.Kind.VIRTUAL,
        serial_number=arns.mfa(user.account_id, path, virtual_mfa_device_name),
        name=virtual_mfa_device_name,
        path=path,
    )
    refuse_beyond("VirtualMFADevicesPerAccount", user.account, VirtualMFADevice.objects.filter(account=user.account_id))
    seed = secrets.token_bytes(SEED_BYTES)
    device.seal(seed)
    device.save(force_insert=True)
    return Issued(device, {"base32_string_seed": base64.b32encode(seed).decode()})


@operation("iamconsole:EnableRequiredMFADevice", on=targets.the_caller, lock=True, issues_secret=True, at_sign_in=True)
def enable_required_mfa_device(
    caller: Caller, *, user: User, serial_number: str, authentication_code1: str, authentication_code2: str
) -> Issued[User]:
    """Enable that device, or a token of the account's inventory, by two codes in a row; ten recovery codes are shown only here.

    Raises AccessDenied when none is demanded or the user has one, NoSuchEntity, InvalidAuthenticationCode.
    """
    _require_forced(user)
    own = Q(kind=MFADevice.Kind.VIRTUAL, path=_path(user)) | Q(kind=MFADevice.Kind.HARDWARE)
    devices = MFADevice.objects.select_for_update(no_key=True).filter(own, account=user.account_id, user__isnull=True)
    device = devices.filter(serial_number=serial_number).first()
    if device is None:
        raise NoSuchEntity(no_such_device(serial_number))
    match_two(device, authentication_code1, authentication_code2, timezone.now())
    give_device(device, user)
    return Issued(user, {"recovery_codes": recovery_codes.issue(user)})


def _path(user: User) -> str:
    """Where the device of a user lies until it is enabled: one at most, under a name that nobody else's can be in the way of."""
    return f"/sign-in/{user.user_id}/"


def _require_forced(user: User) -> None:
    if not is_forced(user):
        raise AccessDenied(
            "An MFA device is enabled at sign-in only while the account demands one and the user has none. Sign in again."
        )
