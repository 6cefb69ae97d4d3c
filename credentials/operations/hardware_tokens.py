"""Hardware tokens: the account's inventory. A token becomes somebody's as any device does, by iam:EnableMFADevice."""

from accounts import targets as account_targets
from accounts.caller import Caller
from accounts.models import Account
from accounts.quotas import quota_of
from credentials import targets, token_files
from credentials.mfa.models import HardwareToken, MFADevice
from iamconsole.errors import DeleteConflict, EntityAlreadyExists, LimitExceeded
from iamconsole.operation import operation
from iamconsole.paging import Page


@operation("iamconsole:ImportHardwareTokens", on=account_targets.everything, lock=True, sensitive=True)
def import_hardware_tokens(
    caller: Caller, *, account: Account, token_file: bytes, file_format: str = "csv"
) -> list[MFADevice]:
    """Take the tokens of a vendor's file into the inventory: CSV, or PSKC (RFC 6030). All of them, or none.

    Raises InvalidInput that says what is wrong and where, EntityAlreadyExists, LimitExceeded at the account's quota.
    """
    tokens = token_files.read(token_file, file_format)
    serial_numbers = [token.serial_number for token in tokens]
    known = MFADevice.objects.filter(account=account, serial_number__in=serial_numbers).order_by("pk").first()
    if known is not None:
        raise EntityAlreadyExists(f"A hardware token with the serial number {known.serial_number} already exists.")
    quota = quota_of(account, "HardwareTokensPerAccount")
    if HardwareToken.objects.filter(account=account).count() + len(tokens) > quota:
        raise LimitExceeded(f"Cannot exceed quota for HardwareTokensPerAccount: {quota}")
    devices = []
    for token in tokens:
        device = MFADevice(
            account=account,
            kind=MFADevice.Kind.HARDWARE,
            serial_number=token.serial_number,
            name=token.serial_number,
            period=token.period,
        )
        device.seal(token.seed)
        devices.append(device)
    return MFADevice.objects.bulk_create(devices)


@operation("iamconsole:ListHardwareTokens", on=account_targets.everything, reads=True)
def list_hardware_tokens(
    caller: Caller, *, account: Account, max_items: int | None = None, marker: str | None = None
) -> Page[MFADevice]:
    """The account's hardware tokens, those that are somebody's with whose they are; none with its seed."""
    return Page.of(
        HardwareToken.objects.select_related("user").filter(account=account),
        by="id",
        scope=f"ListHardwareTokens {account.pk}",
        max_items=max_items,
        marker=marker,
    )


@operation("iamconsole:DeleteHardwareToken", on=targets.hardware_token, lock=True, sensitive=True)
def delete_hardware_token(caller: Caller, *, device: MFADevice) -> None:
    """Take a token that is nobody's out of the inventory, its seed too. Raises DeleteConflict while it is somebody's."""
    if device.user_id is not None:
        raise DeleteConflict("The hardware token is in use: deactivate it first.")
    device.delete()
