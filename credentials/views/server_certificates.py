"""The pages of server certificates: upload, the certificate's page, rename, tags, delete."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.caller import Caller
from accounts.forms import DeleteForm
from accounts.signin import caller_of
from credentials.certificate_forms import RenameServerCertificateForm, UploadServerCertificateForm
from credentials.certificate_models import ServerCertificate, soonest
from credentials.certificates import facts
from credentials.operations.server_certificates import (
    delete_server_certificate,
    get_server_certificate,
    list_server_certificate_tags,
    list_server_certificates,
    tag_server_certificate,
    untag_server_certificate,
    update_server_certificate,
    upload_server_certificate,
)
from credentials.snippets import making_a_server_certificate, using_a_server_certificate
from iamconsole.forms import either, may, may_some, part, submitted
from permissions.forms import TagForm

MOST = 1000  # what an account may have at most, and what one page of the listing holds


def ending(caller: Caller) -> list[ServerCertificate]:
    """The certificates that end within sixty days or have ended, for the dashboard; none for who may not list them."""
    listed = part(caller, list_server_certificates, max_items=MOST)
    return soonest(listed.value.items) if listed.value else []


@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """Upload a certificate with its private key and chain, pasted or as files."""
    caller = caller_of(request)
    form = UploadServerCertificateForm(request.POST or None, request.FILES or None)
    if submitted(request, form, lambda data: upload_server_certificate(caller, **form.given)):
        name = form.cleaned_data["server_certificate_name"]
        messages.success(request, f"Server certificate {name} is uploaded. Its private key is sealed.")
        return redirect("admin:credentials_servercertificate_change", name)
    allowed = may_some(caller, upload_server_certificate, server_certificate_name="*")
    context = {"form": form, "may": allowed, "snippets": making_a_server_certificate()}
    return render(request, "server_certificate_upload.html", context)


@require_safe
def page(request: HttpRequest, server_certificate_name: str) -> HttpResponse:
    """One certificate: what it says, its tags, how a TLS server gets it."""
    caller, named = caller_of(request), {"server_certificate_name": server_certificate_name}
    certificate = get_server_certificate(caller, **named)
    context = {
        "certificate": certificate,
        "facts": facts(certificate.certificate_body),
        "chain_length": (certificate.certificate_chain or "").count("-----BEGIN "),
        "certificate_tags": part(caller, list_server_certificate_tags, **named),
        "may_tag": either(
            may_some(caller, tag_server_certificate, **named), may_some(caller, untag_server_certificate, **named)
        ),
        "may_update": may(caller, update_server_certificate, **named),
        "may_delete": may(caller, delete_server_certificate, **named),
        "snippets": using_a_server_certificate(caller.account_id, certificate.server_certificate_name),
    }
    return render(request, "server_certificate.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def rename(request: HttpRequest, server_certificate_name: str) -> HttpResponse:
    """Another name or path for a certificate, with what changes by it."""
    caller, named = caller_of(request), {"server_certificate_name": server_certificate_name}
    certificate = get_server_certificate(caller, **named)
    now = {"new_server_certificate_name": certificate.server_certificate_name, "new_path": certificate.path}
    form = RenameServerCertificateForm(request.POST or None, initial=now)
    if submitted(request, form, lambda data: update_server_certificate(caller, **named, **data)):
        messages.success(request, "The server certificate is renamed. Its ARN has changed; its ID has not.")
        return redirect("admin:credentials_servercertificate_change", form.cleaned_data["new_server_certificate_name"])
    allowed = may(caller, update_server_certificate, **named)
    context = {"form": form, "certificate": certificate, "may": allowed}
    return render(request, "server_certificate_rename.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def tags(request: HttpRequest, server_certificate_name: str) -> HttpResponse:
    """Set and remove the tags of a certificate, one at a time."""
    caller, named = caller_of(request), {"server_certificate_name": server_certificate_name}
    certificate = get_server_certificate(caller, **named)
    gone = request.POST.get("remove")
    form = TagForm(request.POST if request.method == "POST" else None)
    if gone:
        untag_server_certificate(caller, **named, tag_keys=[gone])
    if gone or submitted(request, form, lambda data: tag_server_certificate(caller, **named, tags=[form.tag])):
        messages.success(request, f"The tag {gone} is removed." if gone else "The tag is saved.")
        return redirect("admin:server-certificate-tags", certificate.server_certificate_name)
    context = {"form": form, "certificate": certificate, **_tag_page(caller, named)}
    return render(request, "server_certificate_tags.html", context)


def _tag_page(caller: Caller, named: dict[str, str]) -> dict[str, Any]:
    return {
        "certificate_tags": part(caller, list_server_certificate_tags, **named),
        "may": may_some(caller, tag_server_certificate, **named),
        "may_untag": may_some(caller, untag_server_certificate, **named),
    }


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, server_certificate_name: str) -> HttpResponse:
    """Delete a certificate after its name is typed."""
    caller, named = caller_of(request), {"server_certificate_name": server_certificate_name}
    certificate = get_server_certificate(caller, **named)
    form = DeleteForm(request.POST or None, name=certificate.server_certificate_name, kind="server certificate")
    if submitted(request, form, lambda data: delete_server_certificate(caller, **named)):
        messages.success(request, f"Server certificate {certificate.server_certificate_name} is deleted.")
        return redirect("admin:credentials_servercertificate_changelist")
    context = {
        "form": form,
        "certificate": certificate,
        "may": may(caller, delete_server_certificate, **named),
        "back": reverse("admin:credentials_servercertificate_change", args=[certificate.server_certificate_name]),
    }
    return render(request, "server_certificate_delete.html", context)
