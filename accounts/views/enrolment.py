"""The step of the way in that enables a first MFA device, where the account demands one."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts import known_browsers
from accounts import signin as signing_in
from accounts.caller import Caller
from accounts.models import User
from accounts.nonces import new_nonce
from credentials.device_forms import EnableForm, HardwareTokenForm, MFADeviceForm
from credentials.mfa.models import MFADevice
from credentials.operations.required_mfa_devices import create_required_mfa_device, enable_required_mfa_device
from credentials.views.reveal import reveal_recovery_codes, reveal_required_seed
from iamconsole.forms import ConsoleForm, submitted
from iamconsole.operation import Issued


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """Name a device for an app, then enter two codes of it; or of a hardware token. Then the recovery codes, and in."""
    owed = signing_in.pending(request, "mfa-enrolment")
    if owed is None:
        return redirect(f"{reverse('signin')}?message=late")
    caller = signing_in.pending_caller(
        request, owed, enrolling=True, nonce=request.POST.get("nonce") if request.method == "POST" else None
    )
    match request.POST.get("step"):
        case "codes":
            return _enable(request, owed, caller, EnableForm(request.POST), "mfa_enrolment_codes.html")
        case "token":
            return _enable(request, owed, caller, HardwareTokenForm(request.POST), "mfa_enrolment_token.html")
    if "token" in request.GET:
        return _shown(request, owed, HardwareTokenForm(), "mfa_enrolment_token.html")
    return _name(request, owed, caller)


def _name(request: HttpRequest, owed: signing_in.Pending, caller: Caller) -> HttpResponse:
    form, made = MFADeviceForm(request.POST or None), list[Issued[MFADevice]]()
    if submitted(request, form, lambda data: made.append(create_required_mfa_device(caller, **data))):
        blank = EnableForm(initial={"serial_number": made[0].entity.serial_number})
        return reveal_required_seed(request, made[0], _step(owed, blank))
    return _shown(request, owed, form, "mfa_enrolment.html")


def _enable(
    request: HttpRequest, owed: signing_in.Pending, caller: Caller, form: ConsoleForm, template: str
) -> HttpResponse:
    made: list[Issued[User]] = []
    if not submitted(request, form, lambda data: made.append(enable_required_mfa_device(caller, **data))):
        return _shown(request, owed, form, template)
    onward = signing_in.finish_enrolment(request, owed)
    if onward is None or onward.user is None:
        return redirect(onward.to if onward else f"{reverse('signin')}?message=late")
    response = reveal_recovery_codes(request, made[0], back=onward.to)
    known_browsers.remember(request, response, onward.user)
    return response


def _shown(request: HttpRequest, owed: signing_in.Pending, form: ConsoleForm, template: str) -> HttpResponse:
    return render(request, template, _step(owed, form))


def _step(owed: signing_in.Pending, form: ConsoleForm) -> dict[str, Any]:
    """What each page of the step shows."""
    return {"form": form, "pending": owed.user, "nonce": new_nonce(owed.user), "progress": owed.progress}
