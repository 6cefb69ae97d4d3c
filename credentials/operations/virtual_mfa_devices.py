"""Virtual MFA devices: make, list, tag, delete. Whose they become is a matter of `mfa_devices`."""

import base64
import secrets
from collections.abc import Sequence

from accounts import arns
from accounts.caller import Caller
from accounts.models import Account
from accounts.quotas import refuse_beyond
from accounts.tags import REQUEST_TAGS, Tag, checked, merged, without
from credentials import qr, targets
from credentials.mfa.models import MFADevice, VirtualMFADevice
from iamconsole.errors import DeleteConflict, EntityAlreadyExists, InvalidInput, ValidationError
from iamconsole.operation import Issued, operation
from iamconsole.paging import Page

SEED_BYTES = 20  # 160 bits, as RFC 4226 section 4 recommends
LONGEST_SERIAL_NUMBER = 256


@operation(
    "iam:CreateVirtualMFADevice",
    on=targets.new_device,
    lock=True,
    issues_secret=True,
    tags_by="iam:TagMFADevice",
    keys=(*REQUEST_TAGS, "aws:ResourceTag"),
)
def create_virtual_mfa_device(
    caller: Caller, *, account: Account, virtual_mfa_device_name: str, path: str = "/", tags: Sequence[Tag] = ()
) -> Issued[MFADevice]:
    """Make a device for an app. Its seed, as text and as a QR code, is shown only here; it is enabled by two codes.

    Raises EntityAlreadyExists, LimitExceeded at the account's quota.
    """
    device = MFADevice(
        account=account,
        kind=MFADevice.Kind.VIRTUAL,
        serial_number=arns.mfa(account.pk, path, virtual_mfa_device_name),
        name=virtual_mfa_device_name,
        path=path,
        tags=checked(tags, minds_case=True),
    )
    if len(device.serial_number) > LONGEST_SERIAL_NUMBER:
        raise ValidationError(
            "1 validation error detected: Value at 'virtualMFADeviceName' failed to satisfy constraint: Member must have length"
            f" less than or equal to {LONGEST_SERIAL_NUMBER - len(device.serial_number) + len(virtual_mfa_device_name)}"
        )
    if MFADevice.objects.filter(account=account, serial_number=device.serial_number).exists():
        raise EntityAlreadyExists("MFA device already exists.")
    refuse_beyond("VirtualMFADevicesPerAccount", account, VirtualMFADevice.objects.filter(account=account))
    seed = secrets.token_bytes(SEED_BYTES)
    device.seal(seed)
    device.save(force_insert=True)
    return Issued(
        device,
        {
            "base32_string_seed": base64.b32encode(seed).decode(),
            "qr_code_png": qr.png(qr.otpauth(device.name, account.label, seed)),
        },
    )


@operation("iam:ListVirtualMFADevices", on=targets.device_list, reads=True, omits=("tags", "permissions_boundary"))
def list_virtual_mfa_devices(
    caller: Caller, *, assignment_status: str = "Any", max_items: int | None = None, marker: str | None = None
) -> Page[MFADevice]:
    """The account's virtual devices, those that are somebody's with whose they are; none with its seed."""
    devices = VirtualMFADevice.objects.select_related("user").filter(account=caller.account_id)
    if assignment_status != "Any":
        devices = devices.filter(user__isnull=assignment_status == "Unassigned")
    return Page.of(
        devices,
        by="id",
        scope=f"ListVirtualMFADevices {caller.account_id} {assignment_status}",
        max_items=max_items,
        marker=marker,
    )


@operation(
    "iam:DeleteVirtualMFADevice", on=targets.virtual_device, lock=True, sensitive=True, keys=("aws:ResourceTag",)
)
def delete_virtual_mfa_device(caller: Caller, *, device: MFADevice) -> None:
    """Delete a device that is nobody's. Raises DeleteConflict while it is somebody's."""
    if device.user_id is not None:
        raise DeleteConflict("MFA VirtualDevice in use. Must deactivate first.")
    device.delete()


@operation(
    "iam:TagMFADevice", on=targets.virtual_device, lock=True, sensitive=True, keys=(*REQUEST_TAGS, "aws:ResourceTag")
)
def tag_mfa_device(caller: Caller, *, device: MFADevice, tags: Sequence[Tag]) -> None:
    """Set tags; their keys' case is minded. Raises InvalidInput, LimitExceeded past 50."""
    if not tags:
        raise InvalidInput("The request must name at least one tag.")
    device.tags = merged(device.tags, tags, minds_case=True)
    device.save(update_fields=["tags"])


@operation(
    "iam:UntagMFADevice", on=targets.virtual_device, lock=True, sensitive=True, keys=("aws:TagKeys", "aws:ResourceTag")
)
def untag_mfa_device(caller: Caller, *, device: MFADevice, tag_keys: Sequence[str]) -> None:
    """Remove tags; keys the device does not have are passed over."""
    device.tags = without(device.tags, tag_keys, minds_case=True)
    device.save(update_fields=["tags"])


@operation("iam:ListMFADeviceTags", on=targets.virtual_device, reads=True, keys=("aws:ResourceTag",))
def list_mfa_device_tags(
    caller: Caller, *, device: MFADevice, max_items: int | None = None, marker: str | None = None
) -> Page[Tag]:
    """The device's tags, by key."""
    return Page.of_values(
        sorted(device.tags, key=lambda tag: str(tag["key"])),
        scope=f"ListMFADeviceTags {device.pk}",
        max_items=max_items,
        marker=marker,
    )
