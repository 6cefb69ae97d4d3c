"""One-time secrets: answered straight to the POST that made them, kept nowhere, never shown again."""

from dataclasses import replace

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from accounts.caller import Caller
from accounts.models import User
from accounts.signin import caller_of
from credentials.models import AccessKey, ServiceToken
from iamconsole.operation import Issued
from iamconsole.snippets import snippets


def with_nonce(request: HttpRequest) -> Caller:
    """The caller with the form's single-use nonce, which the operation spends in its own transaction."""
    return replace(caller_of(request), nonce=request.POST.get("nonce", ""))


def reveal_access_key(request: HttpRequest, issued: Issued[AccessKey], *, created: bool = False) -> HttpResponse:
    """The page that shows an access key and its secret, once. ``created``: its user is new."""
    key, secret = issued.entity, issued.secret["secret_access_key"]
    context = {
        "key": key,
        "secret": secret,
        "snippets": snippets(key.access_key_id, secret),
        "created": created,
        "back": _back(request, key.user, created=created),
    }
    return _once(render(request, "access_key_created.html", context))


def reveal_password(request: HttpRequest, user: User, password: str, *, created: bool) -> HttpResponse:
    """The page that shows a generated password, once. ``created``: its user is new."""
    back = _back(request, user, created=created)
    context = {"user_shown": user, "password": password, "created": created, "back": back}
    return _once(render(request, "password_created.html", context))


def reveal_service_token(request: HttpRequest, issued: Issued[ServiceToken]) -> HttpResponse:
    """The page that shows a service token, once."""
    token = issued.entity
    context = {
        "service_token": token,
        "token": issued.secret["token"],
        "public_url": settings.PUBLIC_URL,
        "back": f"{reverse('admin:accounts_user_change', args=[token.user_name])}?tab=credentials",
    }
    return _once(render(request, "service_token_created.html", context))


def _once(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    response["Pragma"] = "no-cache"
    return response


def _back(request: HttpRequest, user: User, *, created: bool) -> str:
    """Where to go on: a new user needs permissions next."""
    if user.pk == caller_of(request).principal.pk:
        return reverse("admin:me")
    tab = "permissions" if created else "credentials"
    return f"{reverse('admin:accounts_user_change', args=[user.user_name])}?tab={tab}"
