"""The page on which a passkey or security key of one's own is assigned: a name, then the browser's part."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from accounts.nonces import new_nonce
from credentials.device_forms import PasskeyDeviceForm
from credentials.operations.passkeys import begin_passkey_registration, finish_passkey_registration
from credentials.views.mfa_devices import assigned
from credentials.views.owners import Owner
from iamconsole.forms import ConsoleForm, may, submitted


@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """Take a name, then let the browser ask the passkey and take its answer. What was not right begins anew."""
    owner = Owner.of(request, None)
    form = PasskeyDeviceForm(request.POST or None)
    if _registered(owner, form):
        return assigned(owner, "It is asked for at every sign-in from now on.")
    allowed = may(owner.caller, finish_passkey_registration)
    options = _options(owner, form) if allowed.allowed else ""
    context = {**owner.shown, "form": form, "may": allowed, "options": options, "tabs": owner.kinds("passkey")}
    return render(request, "mfa_passkey.html", context | {"nonce": new_nonce(owner.caller.principal)})


def _registered(owner: Owner, form: ConsoleForm) -> bool:
    answered = bool(owner.request.POST.get("credential"))
    return answered and submitted(owner.request, form, lambda data: finish_passkey_registration(owner.caller, **data))


def _options(owner: Owner, form: ConsoleForm) -> str:
    """What the browser is to ask, as JSON, once there is a good name."""
    begun: list[str] = []
    submitted(owner.request, form, lambda _: begun.append(begin_passkey_registration(owner.caller)["creation_options"]))
    return "".join(begun)
