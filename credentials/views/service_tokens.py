"""The pages of a user's service tokens: create, delete."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.nonces import new_nonce
from accounts.signin import caller_of
from credentials.forms import ServiceTokenForm
from credentials.models import ServiceToken
from credentials.operations.service_tokens import create_service_token, delete_service_token, list_service_tokens
from credentials.views.reveal import reveal_service_token, with_nonce
from iamconsole.errors import NoSuchEntity
from iamconsole.forms import ConsoleForm, may, part, submitted
from iamconsole.operation import Issued


def _back(user_name: str) -> str:
    return f"{reverse('admin:accounts_user_change', args=[user_name])}?tab=credentials"


def card(request: HttpRequest, user_name: str | None) -> dict[str, Any]:
    """What the card of service tokens on the user's page shows."""
    caller = caller_of(request)
    return {
        "service_tokens": part(caller, list_service_tokens, user_name=user_name),
        "may_create_token": may(caller, create_service_token, user_name=user_name),
        "may_delete_token": may(caller, delete_service_token, user_name=user_name),
    }


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest, user_name: str) -> HttpResponse:
    """Create a token: what it is for and how long it lives, then the page that shows it once."""
    form = ServiceTokenForm(request.POST or None)
    made: list[Issued[ServiceToken]] = []

    def act(data: dict[str, Any]) -> None:
        made.append(create_service_token(with_nonce(request), user_name=user_name, **data))

    if submitted(request, form, act):
        return reveal_service_token(request, made[0])
    caller = caller_of(request)
    allowed = may(caller, create_service_token, user_name=user_name)
    context = {"form": form, "nonce": new_nonce(caller.principal), "user_name": user_name, "may": allowed}
    return render(request, "service_token_create.html", context | {"back": _back(user_name)})


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, user_name: str, service_token_id: str) -> HttpResponse:
    """Delete a token, after a page that says what stops with it."""
    caller, named = caller_of(request), {"user_name": user_name}
    form = ConsoleForm(request.POST if request.method == "POST" else None)
    if submitted(request, form, lambda data: delete_service_token(caller, service_token_id=service_token_id, **named)):
        messages.success(request, "The service token is deleted: no service asks by it any more.")
        return redirect(_back(user_name))
    tokens = list_service_tokens(caller, **named)
    token = next((each for each in tokens if each.service_token_id == service_token_id), None)
    if token is None:
        raise NoSuchEntity(f"The service token with id {service_token_id} cannot be found.")
    context = {"form": form, "token": token, "user_name": user_name, "back": _back(user_name)}
    return render(request, "service_token_delete.html", context | {"may": may(caller, delete_service_token, **named)})
