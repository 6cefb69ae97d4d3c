"""The pages of MFA devices, one's own and a user's: assign, resynchronise, remove."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.nonces import new_nonce
from accounts.quotas import quota_of
from credentials.device_forms import EnableForm, HardwareTokenForm, MFADeviceForm, RemoveDeviceForm, TwoCodesForm
from credentials.mfa.models import MFADevice
from credentials.mfa.throttle import MOST_BY_KEY, MOST_FAILURES, stopped
from credentials.operations.mfa_devices import deactivate_mfa_device, list_mfa_devices
from credentials.operations.recovery_codes import create_recovery_codes, get_recovery_code_count
from credentials.operations.virtual_mfa_devices import create_virtual_mfa_device, delete_virtual_mfa_device
from credentials.views.owners import Owner
from credentials.views.reveal import reveal_recovery_codes, reveal_seed, with_nonce
from iamconsole.errors import Fault, InvalidInput
from iamconsole.forms import ConsoleForm, may, part, submitted
from iamconsole.operation import Issued

ASKED_FOR_CODES = "Its codes are asked for at every sign-in from now on."


def card(request: HttpRequest, user_name: str | None = None) -> dict[str, Any]:
    """What the card of MFA devices shows."""
    owner = Owner(request, user_name)
    devices = part(owner.caller, list_mfa_devices, **owner.named)
    enable, enabled_for = owner.enabling
    resync, resynced_for = owner.resyncing
    listed = devices.value.items if devices.value else []
    return {
        "mfa": {
            "devices": devices,
            "rows": [(each, owner.address("resync", each.serial_number), _removal(owner, each)) for each in listed],
            "most": quota_of(owner.caller.account, "MFADevicesPerUser"),
            "assign_url": owner.address("assign"),
            "missing_proof": owner.missing_proof,
            "may_enable": may(owner.caller, enable, **enabled_for),
            "may_resync": may(owner.caller, resync, **resynced_for),
            "may_remove": may(owner.caller, deactivate_mfa_device, **owner.named),
            "stopped": _stopped(listed),
            "most_failures": MOST_FAILURES,
            "most_by_key": MOST_BY_KEY,
            "recovery": part(owner.caller, get_recovery_code_count) if user_name is None else None,
            "may_create_codes": may(owner.caller, create_recovery_codes),
        }
    }


def _stopped(devices: Sequence[MFADevice]) -> str:
    """Where the codes of one owner's devices are asked no more."""
    owners = [each.user for each in devices if each.user and each.can_be_guessed]
    return stopped(owners[0]) if owners else ""


def _removal(owner: Owner, device: MFADevice) -> str:
    return owner.address("remove", device.serial_number)


@require_http_methods(["GET", "HEAD", "POST"])
def assign(request: HttpRequest, user_name: str | None = None) -> HttpResponse:
    """Make a device for an app under a name, then show its key, once."""
    owner = Owner.of(request, user_name)
    form = MFADeviceForm(request.POST or None)
    made: list[Issued[MFADevice]] = []
    # Who could not enable it is not to leave a device behind.
    if not owner.missing_proof and submitted(
        request, form, lambda data: made.append(create_virtual_mfa_device(with_nonce(request), **data))
    ):
        device = made[0].entity
        blank = EnableForm(initial={"serial_number": device.serial_number})
        return reveal_seed(request, made[0], _enrolment(owner, blank, device.serial_number))
    return render(request, "mfa_assign.html", {"form": form, **_assigning(owner)})


def _assigning(owner: Owner) -> dict[str, Any]:
    enable, enabled_for = owner.enabling
    making = may(owner.caller, create_virtual_mfa_device, virtual_mfa_device_name=enabled_for.get("user_name", "root"))
    enabling = may(owner.caller, enable, **enabled_for)
    return {
        **owner.shown,
        "nonce": new_nonce(owner.caller.principal),
        "may": making if enabling.allowed else enabling,
        "tabs": owner.kinds("assign"),
    }


def _enrolment(owner: Owner, form: ConsoleForm, serial_number: str) -> dict[str, Any]:
    return {
        **owner.shown,
        "form": form,
        "serial_number": serial_number,
        "nonce": new_nonce(owner.caller.principal),
        "enable_url": owner.address("enable"),
        "discard_url": owner.address("discard"),
    }


@require_POST
def enable(request: HttpRequest, user_name: str | None = None) -> HttpResponse:
    """Take two codes of the device that was just made. Where they are wrong, ask for two more; its key is not shown again."""
    owner = Owner.of(request, user_name)
    form = EnableForm(request.POST)
    if _enabled(owner, form):
        return assigned(owner, ASKED_FOR_CODES)
    serial_number = request.POST.get("serial_number", "")
    return render(request, "mfa_enable.html", _enrolment(owner, form, serial_number))


@require_http_methods(["GET", "HEAD", "POST"])
def hardware(request: HttpRequest, user_name: str | None = None) -> HttpResponse:
    """Assign a token of the account's inventory by its serial number and two codes."""
    owner = Owner.of(request, user_name)
    form = HardwareTokenForm(request.POST or None)
    if _enabled(owner, form):
        return assigned(owner, ASKED_FOR_CODES)
    operation, named = owner.enabling
    nonce = new_nonce(owner.caller.principal)
    context = {**owner.shown, "form": form, "nonce": nonce, "may": may(owner.caller, operation, **named)}
    context["tabs"] = owner.kinds("hardware")
    return render(request, "mfa_hardware.html", context)


def _enabled(owner: Owner, form: ConsoleForm) -> bool:
    operation, named = owner.enabling
    return submitted(owner.request, form, lambda data: operation(owner.caller, **named, **data))


def assigned(owner: Owner, told: str) -> HttpResponse:
    """Go on after a device was assigned, which was shown by that: to recovery codes after one's own first, else to the card."""
    owner.keep_session(codes_given=True)
    messages.success(owner.request, f"The MFA device is assigned. {told}")
    count = part(owner.caller, get_recovery_code_count).value if owner.is_own else None
    if count and not count["recovery_code_count"] and may(owner.caller, create_recovery_codes).allowed:
        return reveal_recovery_codes(owner.request, create_recovery_codes(with_nonce(owner.request)))
    return redirect(owner.back)


@require_POST
def discard(request: HttpRequest, user_name: str | None = None) -> HttpResponse:
    """Delete the device that was made and not enabled."""
    owner = Owner.of(request, user_name)
    delete_virtual_mfa_device(owner.caller, serial_number=request.POST.get("serial_number", ""))
    messages.info(request, "The MFA device is discarded. Remove it from the app too, if it is there.")
    return redirect(owner.back)


@require_http_methods(["GET", "HEAD", "POST"])
def resync(request: HttpRequest, serial_number: str, user_name: str | None = None) -> HttpResponse:
    """Set a device whose clock is wrong right by two codes in a row."""
    owner = Owner.of(request, user_name)
    form = TwoCodesForm(request.POST or None)
    operation, named = owner.resyncing
    if submitted(request, form, lambda data: operation(owner.caller, serial_number=serial_number, **named, **data)):
        owner.keep_session(codes_given=True)
        messages.success(request, "The MFA device is set right. Other sessions have ended.")
        return redirect(owner.back)
    device, _ = owner.device(serial_number)
    if not device.has_codes:
        raise InvalidInput(f"{device.name} has no clock that could be wrong, so there is nothing to set right.")
    context = {**owner.shown, "form": form, "device": device, "may": may(owner.caller, operation, **named)}
    return render(request, "mfa_resync.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, serial_number: str, user_name: str | None = None) -> HttpResponse:
    """Take a device away: deactivate it, and delete it if an app has its key. One's own last one needs a tick."""
    owner = Owner.of(request, user_name)
    device, is_last = owner.device(serial_number)
    form = RemoveDeviceForm(request.POST if request.method == "POST" else None, is_last=is_last and owner.is_own)
    named = owner.named
    if submitted(request, form, lambda data: deactivate_mfa_device(owner.caller, serial_number=serial_number, **named)):
        owner.keep_session()
        _delete_if_virtual(owner, device)
        return redirect(owner.back)
    allowed = may(owner.caller, deactivate_mfa_device, **named)
    context = {**owner.shown, "form": form, "device": device, "is_last": is_last, "may": allowed}
    return render(request, "mfa_remove.html", context)


def _delete_if_virtual(owner: Owner, device: MFADevice) -> None:
    try:
        if device.kind == MFADevice.Kind.VIRTUAL:
            delete_virtual_mfa_device(owner.caller, serial_number=device.serial_number)
    except Fault as fault:
        messages.warning(owner.request, f"{device.name} is removed, but it stays in the account: {fault.message}")
    else:
        messages.success(owner.request, f"{device.name} is removed. It does not sign in any more.")
