"""The page of the second factor at sign-in: one device at a time, each in its own way, and the others to choose from."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect

from accounts import signin as signing_in
from accounts.forms import CodeForm, PasskeyForm, RecoveryCodeForm, TextCodeForm
from credentials import sms
from credentials.device_forms import TwoCodesForm
from credentials.mfa.codes import devices_of
from credentials.mfa.models import MFADevice
from iamconsole.errors import Fault
from iamconsole.forms import ConsoleForm

RECOVERY = "recovery"
MISSES = 2  # after so many wrong codes the page says what may be the matter
TO_PASSKEY = "passkey"  # what a form asks for before it can be filled in
FORMS: dict[str, type[ConsoleForm]] = {
    MFADevice.Kind.VIRTUAL: CodeForm,
    MFADevice.Kind.HARDWARE: CodeForm,
    MFADevice.Kind.SMS: TextCodeForm,
    MFADevice.Kind.PASSKEY: PasskeyForm,
}


class SecondFactorPage:
    """The page, for who has shown a password: ``device`` is the one that is asked for, or None for a recovery code."""

    def __init__(self, request: HttpRequest, owed: signing_in.Pending) -> None:
        self.request, self.owed = request, owed
        self.devices = list(devices_of(owed.user))
        self.device = self._chosen(request.GET.get("device", ""))
        # Two codes in a row are asked for of a device whose clock is off.
        self.is_off = "off" in request.GET and self.device is not None and self.device.has_codes
        form = TwoCodesForm if self.is_off else FORMS[self.device.kind] if self.device else RecoveryCodeForm
        self.form = form(request.POST or None)

    def _chosen(self, asked: str) -> MFADevice | None:
        """The device whose number is asked for, or the first; none for a recovery code."""
        if asked == RECOVERY or not self.devices:
            return None
        return next((each for each in self.devices if str(each.pk) == asked), self.devices[0])

    @property
    def is_preparing(self) -> bool:
        """Whether the form asks for a challenge or for a code by text message, and answers nothing yet."""
        return self.request.method == "POST" and "go" in self.request.POST

    def prepare(self) -> HttpResponse:
        """Challenge the passkey, or send a code to the number. Each only by a POST: a page that is looked at does neither."""
        device = self.device
        if self.request.POST["go"] == TO_PASSKEY:
            return JsonResponse(signing_in.passkey_options(self.request, self.owed.user))  # for the script of the page
        if device is not None and device.kind == MFADevice.Kind.SMS:
            send_text(self.request, lambda: signing_in.send_text(self.request, self.owed.user, device))
        return redirect(self.request.get_full_path())

    @property
    def context(self) -> dict[str, Any]:
        """What the page shows."""
        device = self.device
        is_number = device is not None and device.kind == MFADevice.Kind.SMS
        return {
            "form": self.form,
            "pending": self.owed.user,
            "device": device,
            "others": [each for each in self.devices if each != device],
            "recovery": RECOVERY,
            "is_off": self.is_off,
            "missed_often": bool(self.form.errors) and self.owed.misses + 1 >= MISSES,
            "sent": is_number and device and signing_in.text_is_open(self.request, self.owed.user, device),
            "outbox": is_number and sms.is_outbox(),
        }


def send_text(request: HttpRequest, send: Callable[[], None]) -> None:
    """Send a code by text message, and tell on the next page how that went."""
    try:
        send()
    except Fault as fault:
        messages.error(request, fault.message)
    else:
        messages.success(request, "A code is on its way. Earlier ones are good no more.")
