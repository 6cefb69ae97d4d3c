"""The pages of signing certificates, one's own and a user's: upload, switch on and off, delete."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.quotas import quota_of
from accounts.signin import caller_of
from credentials.certificate_forms import UploadSigningCertificateForm
from credentials.operations.signing_certificates import (
    delete_signing_certificate,
    list_signing_certificates,
    update_signing_certificate,
    upload_signing_certificate,
)
from credentials.snippets import making_a_signing_certificate
from iamconsole.errors import NoSuchEntity
from iamconsole.forms import ConsoleForm, may, part, submitted


def _back(user_name: str | None) -> str:
    if user_name is None:
        return reverse("admin:me")
    return f"{reverse('admin:accounts_user_change', args=[user_name])}?tab=credentials"


def card(request: HttpRequest, user_name: str | None = None) -> dict[str, Any]:
    """What the card of signing certificates shows, of a user or of the caller."""
    caller = caller_of(request)
    return {
        "signing_certificates": part(caller, list_signing_certificates, user_name=user_name),
        "most_signing_certificates": quota_of(caller.account, "CertificatesPerUser"),
        "may_upload_signing": may(caller, upload_signing_certificate, user_name=user_name),
        "may_update_signing": may(caller, update_signing_certificate, user_name=user_name),
        "may_delete_signing": may(caller, delete_signing_certificate, user_name=user_name),
        "signing_snippets": making_a_signing_certificate(user_name),
    }


@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest, user_name: str | None = None) -> HttpResponse:
    """Upload a certificate, pasted or as a file."""
    caller = caller_of(request)
    form = UploadSigningCertificateForm(request.POST or None, request.FILES or None)
    if submitted(request, form, lambda data: upload_signing_certificate(caller, user_name=user_name, **data)):
        messages.success(request, "The signing certificate is uploaded, and active.")
        return redirect(_back(user_name))
    allowed = may(caller, upload_signing_certificate, user_name=user_name)
    context = {"form": form, "user_name": user_name, "back": _back(user_name), "may": allowed}
    return render(
        request, "signing_certificate_upload.html", context | {"snippets": making_a_signing_certificate(user_name)}
    )


@require_POST
def status(request: HttpRequest, certificate_id: str, user_name: str | None = None) -> HttpResponse:
    """Switch a certificate on or off."""
    wanted = request.POST.get("status", "")
    update_signing_certificate(caller_of(request), user_name=user_name, certificate_id=certificate_id, status=wanted)
    messages.success(request, f"Signing certificate {certificate_id} is now {wanted.lower()}.")
    return redirect(_back(user_name))


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, certificate_id: str, user_name: str | None = None) -> HttpResponse:
    """Delete a certificate, after a page that says what stops with it."""
    caller, named = caller_of(request), {"user_name": user_name}
    form = ConsoleForm(request.POST if request.method == "POST" else None)
    if submitted(
        request, form, lambda data: delete_signing_certificate(caller, certificate_id=certificate_id, **named)
    ):
        messages.success(request, f"Signing certificate {certificate_id} is deleted.")
        return redirect(_back(user_name))
    listed = list_signing_certificates(caller, **named).items
    certificate = next((each for each in listed if each.certificate_id == certificate_id), None)
    if certificate is None:
        raise NoSuchEntity(f"The Certificate with id {certificate_id} cannot be found.")
    context = {"form": form, "certificate": certificate, "user_name": user_name, "back": _back(user_name)}
    return render(
        request, "signing_certificate_delete.html", context | {"may": may(caller, delete_signing_certificate, **named)}
    )
