"""The pages of Git credentials and API keys, one's own and a user's: create, switch on and off, reset, delete."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.caller import Caller
from accounts.nonces import new_nonce
from accounts.signin import caller_of
from credentials.key_forms import NewServiceCredentialForm
from credentials.operations.service_credentials import (
    create_service_specific_credential,
    delete_service_specific_credential,
    list_service_specific_credentials,
    reset_service_specific_credential,
    update_service_specific_credential,
)
from credentials.service_credentials import ServiceSpecificCredential
from credentials.views.reveal import clone_address, reveal_service_credential, with_nonce
from iamconsole.errors import NoSuchEntity
from iamconsole.forms import ConsoleForm, may, may_some, part, submitted
from iamconsole.operation import Issued

_ANY = {"service_specific_credential_id": ""}


def _back(user_name: str | None) -> str:
    if user_name is None:
        return reverse("admin:me")
    return f"{reverse('admin:accounts_user_change', args=[user_name])}?tab=credentials"


def _named(caller: Caller, user_name: str | None) -> dict[str, str | None]:
    """The owner as a parameter. Creating names the user always, as AWS wants it."""
    return {"user_name": user_name or caller.principal.user_name}


def _posted(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


def _one(caller: Caller, named: dict[str, str | None], credential_id: str) -> ServiceSpecificCredential:
    """One of the user's. Raises NoSuchEntity."""
    for each in list_service_specific_credentials(caller, **named).items:
        if each.service_specific_credential_id == credential_id:
            found: ServiceSpecificCredential = each
            return found
    raise NoSuchEntity(f"No such credential {credential_id} exists")


def card(request: HttpRequest, user_name: str | None = None) -> dict[str, Any]:
    """What the card on the user's page shows. The root user has none."""
    caller = caller_of(request)
    named = _named(caller, user_name)
    if named["user_name"] is None:
        return {}
    return {
        "clone_address": clone_address(),
        "git_url": settings.GIT_URL,
        "service_credentials": part(caller, list_service_specific_credentials, **named),
        "may_create_service_credential": may_some(
            caller, create_service_specific_credential, service_name="*", **named
        ),
        "may_change_service_credential": may(caller, update_service_specific_credential, **named | _ANY, status=""),
        "may_reset_service_credential": may(caller, reset_service_specific_credential, **named | _ANY),
        "may_delete_service_credential": may(caller, delete_service_specific_credential, **named | _ANY),
    }


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest, user_name: str | None = None) -> HttpResponse:
    """Create one: what it is for, then the page that shows the secret once."""
    caller = caller_of(request)
    named, form = _named(caller, user_name), NewServiceCredentialForm(_posted(request))
    made: list[Issued[ServiceSpecificCredential]] = []

    def act(data: dict[str, Any]) -> None:
        made.append(create_service_specific_credential(with_nonce(request), **named, **data))

    if submitted(request, form, act):
        return reveal_service_credential(request, made[0])
    allowed = may_some(caller, create_service_specific_credential, service_name="*", **named)
    context = {"form": form, "nonce": new_nonce(caller.principal), "user_name": user_name, "may": allowed}
    return render(request, "service_credential_create.html", context | {"back": _back(user_name)})


@require_POST
def status(request: HttpRequest, credential_id: str, user_name: str | None = None) -> HttpResponse:
    """Switch one on or off."""
    caller, wanted = caller_of(request), request.POST.get("status", "")
    one = {**_named(caller, user_name), "service_specific_credential_id": credential_id}
    update_service_specific_credential(caller, status=wanted, **one)
    messages.success(request, f"The credential {credential_id} is now {wanted.lower()}.")
    return redirect(_back(user_name))


@require_http_methods(["GET", "HEAD", "POST"])
def reset(request: HttpRequest, credential_id: str, user_name: str | None = None) -> HttpResponse:
    """Another password or API key, after a page that says that the old one stops."""
    caller, form = caller_of(request), ConsoleForm(_posted(request))
    named, made = _named(caller, user_name), list[Issued[ServiceSpecificCredential]]()
    one = {**named, "service_specific_credential_id": credential_id}
    if submitted(request, form, lambda _: made.append(reset_service_specific_credential(with_nonce(request), **one))):
        return reveal_service_credential(request, made[0])
    context = {"form": form, "credential": _one(caller, named, credential_id), "nonce": new_nonce(caller.principal)}
    context |= {"user_name": user_name, "back": _back(user_name), "doing": "Reset"}
    context["may"] = may(caller, reset_service_specific_credential, **one)
    return render(request, "service_credential_change.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, credential_id: str, user_name: str | None = None) -> HttpResponse:
    """Delete one, after a page that says what stops with it."""
    caller, form = caller_of(request), ConsoleForm(_posted(request))
    named = _named(caller, user_name)
    one = {**named, "service_specific_credential_id": credential_id}
    if submitted(request, form, lambda _: delete_service_specific_credential(caller, **one)):
        messages.success(request, f"The credential {credential_id} is deleted.")
        return redirect(_back(user_name))
    context = {"form": form, "credential": _one(caller, named, credential_id), "doing": "Delete"}
    context |= {"user_name": user_name, "back": _back(user_name)}
    context["may"] = may(caller, delete_service_specific_credential, **one)
    return render(request, "service_credential_change.html", context)


# The pages of one of them, by the ends of their addresses and names.
OF_ONE = {"status": status, "reset": reset, "delete": delete}
