"""Asking who is in to prove it again, before a sensitive change; then the form that asked for the change is sent once more."""

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import resolve
from django.views.decorators.http import require_http_methods

from accounts import signin as signing_in
from accounts.forms import ConfirmForm
from accounts.signin import caller_of
from accounts.views.second_factor import TO_PASSKEY, send_text
from credentials import sms
from credentials.mfa.codes import devices_of
from credentials.mfa.models import MFADevice
from iamconsole.errors import InvalidAuthenticationCode, Throttling

_SALT = "form to send again"
_LIFETIME = 15 * 60


def ask(request: HttpRequest, secrets: frozenset[str]) -> HttpResponse:
    """The page that stands in the place of a change, holding the form that wanted it, but for its secrets."""
    form_to_send = {
        "user": caller_of(request).principal.pk,
        "path": request.path_info,
        "query": request.META.get("QUERY_STRING", ""),
        "fields": {
            name: values
            for name, values in request.POST.lists()
            if name not in secrets and name != "csrfmiddlewaretoken"
        },
        "left_out": bool(request.FILES) or any(request.POST.get(name) for name in secrets),
    }
    again = signing.dumps(form_to_send, salt=_SALT, compress=True)
    return _page(request, _form(request, initial={"again": again}), HTTPStatus.FORBIDDEN)


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """Check the password, code or passkey; if it is right, the change goes on as if nothing had been asked."""
    if request.method == "POST" and request.POST.get("go") == TO_PASSKEY:
        return JsonResponse(signing_in.passkey_options(request, caller_of(request).principal))
    if request.method == "POST" and "send" in request.POST:
        return _send(request, request.POST["send"])
    form = _form(request, request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, form)
    try:
        _check(request, form)
    except Throttling as fault:
        form.add_error(None, fault.message)
        answer = _page(request, form, HTTPStatus.TOO_MANY_REQUESTS)
        answer["Retry-After"] = str(fault.wait)
        return answer
    if form.errors:
        return _page(request, form)
    return _send_again(request, form.cleaned_data["again"])


def _check(request: HttpRequest, form: ConfirmForm) -> None:
    given = form.cleaned_data
    if given["password"]:
        if not signing_in.confirm_by_password(request, given["password"]):
            form.add_error("password", "This is not your password.")
        return
    own = devices_of(caller_of(request).principal)
    field = "credential" if given.get("credential") else "code"
    # Any passkey may answer: which one it was, the answer says.
    device = form.passkeys[0] if field == "credential" else own.get(pk=given["device"])
    try:
        signing_in.confirm_by_code(request, device, given[field])
    except InvalidAuthenticationCode as fault:
        form.add_error(field, fault.message)


def _send(request: HttpRequest, number: str) -> HttpResponse:
    """Send a code to one of the own numbers, and show the same form again."""
    numbers = devices_of(caller_of(request).principal).filter(kind=MFADevice.Kind.SMS)
    device = next((each for each in numbers if str(each.pk) == number), None)
    if device is not None:
        send_text(request, lambda: signing_in.send_text(request, caller_of(request).principal, device))
    kept = {"again": request.POST.get("again", ""), "device": number}
    return _page(request, _form(request, initial=kept))


def _form(request: HttpRequest, data: QueryDict | None = None, **options: Any) -> ConfirmForm:
    own = devices_of(caller_of(request).principal)
    return ConfirmForm(data, own=list(own), **options)


def _page(request: HttpRequest, form: ConfirmForm, status: int = HTTPStatus.OK) -> HttpResponse:
    return render(request, "confirm.html", {"form": form, "outbox": form.numbers and sms.is_outbox()}, status=status)


def _send_again(request: HttpRequest, again: str) -> HttpResponse:
    try:
        kept: dict[str, Any] = signing.loads(again, salt=_SALT, max_age=_LIFETIME)
    except signing.BadSignature:
        kept = {}
    if kept.get("user") != caller_of(request).principal.pk:
        messages.success(request, "You are confirmed for the next 15 minutes.")
        return redirect("admin:index")
    if kept["left_out"]:
        messages.info(request, "You are confirmed. Passwords and files were not kept: enter them again.")
    fields = QueryDict(mutable=True)
    for name, values in kept["fields"].items():
        fields.setlist(name, values)
    request.POST = fields  # type: ignore[assignment]
    request.GET = QueryDict(kept["query"])
    request.META["QUERY_STRING"] = kept["query"]
    request.path = request.path_info = kept["path"]
    request.resolver_match = match = resolve(kept["path"])
    answer: HttpResponse = match.func(request, *match.args, **match.kwargs)
    return answer
