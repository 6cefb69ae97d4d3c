"""One-time secrets: answered straight to the POST that made them, kept nowhere, never shown again."""

import base64
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import mark_safe

from accounts.caller import Caller
from accounts.models import SetupLink, User
from accounts.operations.whole_users import Made
from accounts.signin import caller_of
from credentials import qr
from credentials.mfa.models import MFADevice
from credentials.models import AccessKey, LoginProfile, ServiceToken
from credentials.service_credentials import GIT, ServiceSpecificCredential
from iamconsole.operation import Issued
from iamconsole.snippets import snippets


def with_nonce(request: HttpRequest) -> Caller:
    """The caller with the form's single-use nonce, which the operation spends in its own transaction."""
    return replace(caller_of(request), nonce=request.POST.get("nonce", ""))


def reveal_access_key(request: HttpRequest, issued: Issued[AccessKey], back: str | None = None) -> HttpResponse:
    """The page that shows an access key and its secret, once. ``back`` is where to go on, if not to its owner's page."""
    back = back or _back(request, issued.entity.user)
    return once(render(request, "access_key_created.html", {"back": back, **_key(issued)}))


def reveal_password(request: HttpRequest, issued: Issued[LoginProfile]) -> HttpResponse:
    """The page that shows a generated password, once."""
    profile = issued.entity
    context = {
        "user_shown": profile.user,
        "password": issued.secret["password"],
        "expire_date": profile.password_expire_date,
        "back": _back(request, profile.user),
    }
    return once(render(request, "password_created.html", context))


def reveal_setup_link(request: HttpRequest, issued: Issued[SetupLink]) -> HttpResponse:
    """The page that shows a set-up link, once."""
    link = issued.entity
    context = {"user_shown": link.user, "link": link, "setup_url": issued.secret["setup_url"]}
    return once(render(request, "setup_link_created.html", context | {"back": _back(request, link.user)}))


def reveal_user(request: HttpRequest, made: Made, *, again: str) -> HttpResponse:
    """The page of a new user, with what is shown once: set-up link, generated password, access key. ``again``: one like it."""
    key = _key(made.access_key) if made.access_key else {}
    profile, issued = made.login_profile, made.setup_link
    password = profile.secret["password"] if profile else None
    context = {
        "user_shown": made.user,
        "password": password,
        "expire_date": profile.entity.password_expire_date if profile else None,
        "link": issued.entity if issued else None,
        "setup_url": issued.secret["setup_url"] if issued else None,
        "signs_in": hasattr(made.user, "login_profile") or issued is not None,
        "again": again,
        "back": reverse("admin:accounts_user_change", args=[made.user.user_name]),
        "guarded": bool(password or key or issued),
    }
    return once(render(request, "new_user_created.html", context | key))


def _key(issued: Issued[AccessKey]) -> dict[str, Any]:
    key, secret = issued.entity, issued.secret["secret_access_key"]
    return {"key": key, "secret": secret, "snippets": snippets(key.access_key_id, secret)}


def reveal_service_token(request: HttpRequest, issued: Issued[ServiceToken]) -> HttpResponse:
    """The page that shows a service token, once."""
    token = issued.entity
    context = {
        "service_token": token,
        "token": issued.secret["token"],
        "public_url": settings.PUBLIC_URL,
        "back": f"{reverse('admin:accounts_user_change', args=[token.user_name])}?tab=credentials",
    }
    return once(render(request, "service_token_created.html", context))


def reveal_service_credential(request: HttpRequest, issued: Issued[ServiceSpecificCredential]) -> HttpResponse:
    """The page that shows a password for Git or an API key, once."""
    credential = issued.entity
    context = {
        "credential": credential,
        "secret": next(iter(issued.secret.values())),
        "is_git": credential.service_name == GIT,
        "clone_address": clone_address(credential.name),
        "git_url": settings.GIT_URL,
        "back": _back(request, credential.user),
    }
    return once(render(request, "service_credential_created.html", context))


def clone_address(name: str = "") -> str:
    """The address that git clones from, with the name in it where one is given; of an example where GIT_URL names no host."""
    scheme, _, host = (settings.GIT_URL or "https://git.example.org").partition("://")
    who = f"{quote(name, safe='')}@" if name else ""
    return f"{scheme}://{who}{host}/v1/repos/NAME"


def reveal_seed(request: HttpRequest, issued: Issued[MFADevice], enrolment: dict[str, Any]) -> HttpResponse:
    """The page that shows the key of a new MFA device, as a QR code and as text, once."""
    return once(render(request, "mfa_enrol.html", enrolment | _seed(issued)))


def reveal_required_seed(request: HttpRequest, issued: Issued[MFADevice], step: dict[str, Any]) -> HttpResponse:
    """The same half-way in, where the account demands the device."""
    return once(render(request, "mfa_enrolment_key.html", step | _seed(issued)))


def _seed(issued: Issued[MFADevice]) -> dict[str, Any]:
    device, seed = issued.entity, issued.secret["base32_string_seed"]
    return {
        "device": device,
        "issuer": qr.ISSUER,
        "account_shown": f"{device.name}@{device.account.label}",
        "groups": [seed[start : start + 4] for start in range(0, len(seed), 4)],
        "picture": mark_safe(qr.svg(qr.otpauth(device.name, device.account.label, base64.b32decode(seed)))),  # noqa: S308 - drawn here, of rectangles
    }


def reveal_recovery_codes(request: HttpRequest, issued: Issued[User], back: str = "") -> HttpResponse:
    """The page that shows ten recovery codes, once. ``back``: where to go on, if not to one's own credentials."""
    context = {"codes": issued.secret["recovery_codes"], "back": back or reverse("admin:me")}
    return once(render(request, "recovery_codes_created.html", context))


def once(response: HttpResponse) -> HttpResponse:
    """A page that no cache keeps, for what is shown once."""
    response["Cache-Control"] = "no-store"
    response["Pragma"] = "no-cache"
    return response


def _back(request: HttpRequest, user: User) -> str:
    """Where to go on."""
    if user.pk == caller_of(request).principal.pk:
        return reverse("admin:me")
    return f"{reverse('admin:accounts_user_change', args=[user.user_name])}?tab=credentials"
