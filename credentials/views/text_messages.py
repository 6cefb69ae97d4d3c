"""The page on which a phone number of one's own is assigned: the number, then the code that was sent to it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from accounts.nonces import new_nonce
from credentials import sms
from credentials.device_forms import NumberCodeForm, NumberForm
from credentials.operations.text_messages import begin_sms_registration, finish_sms_registration
from credentials.views.mfa_devices import assigned
from credentials.views.owners import Owner
from iamconsole.forms import ConsoleForm, may, submitted


@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """Send a code to a number, by a POST alone, and take it. Another code is sent by the first form again."""
    owner = Owner.of(request, None)
    answers = "authentication_code1" in request.POST
    form: ConsoleForm = (NumberCodeForm if answers else NumberForm)(request.POST or None)
    if answers and submitted(request, form, lambda data: finish_sms_registration(owner.caller, **data)):
        return assigned(owner, "A code is sent to it when you sign in, from now on.")
    sent = answers
    if not answers and submitted(request, form, lambda data: _send(owner, data)):
        sent, form = True, NumberCodeForm(initial=form.cleaned_data)
    return render(request, "mfa_text_message.html", _context(owner, form, sent=sent))


def _send(owner: Owner, data: dict[str, Any]) -> None:
    begin_sms_registration(owner.caller, phone_number=data["phone_number"])


def _context(owner: Owner, form: ConsoleForm, *, sent: bool) -> dict[str, Any]:
    sending = may(owner.caller, begin_sms_registration)
    return {
        **owner.shown,
        "form": form,
        "sent": sent,
        "nonce": new_nonce(owner.caller.principal),
        "may": sending if not sending.allowed else may(owner.caller, finish_sms_registration),
        "is_on": sms.is_on(),
        "outbox": sms.is_outbox(),
        "tabs": owner.kinds("text-message"),
    }
