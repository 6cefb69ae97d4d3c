"""The pages of SSH public keys, one's own and a user's: upload, switch on and off, delete."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.quotas import quota_of
from accounts.signin import caller_of
from credentials.key_forms import DeleteKeyForm
from credentials.operations.ssh_public_keys import (
    delete_ssh_public_key,
    list_ssh_public_keys,
    update_ssh_public_key,
    upload_ssh_public_key,
)
from credentials.ssh.models import SSHPublicKey
from credentials.ssh_forms import SSHKeyForm
from iamconsole.errors import NoSuchEntity
from iamconsole.forms import may, part, submitted

SHARED = (
    "Another user of this account has uploaded the same key. From now on it lets neither of you in where the key alone says who"
    " comes; only the key ID as the user name does. Whoever it does not belong to should delete it."
)


def card(request: HttpRequest, user_name: str | None) -> dict[str, Any]:
    """What the card of SSH public keys shows. The root user has none: AWS's operations want a user's name."""
    if user_name is None:
        return {}
    caller, named = caller_of(request), {"user_name": user_name}
    keys = part(caller, list_ssh_public_keys, **named)
    return {
        "ssh_keys": keys,
        "shared_ssh_keys": [key for key in keys.value.items if key.opens_by_id_alone] if keys.value else [],
        "may_upload_ssh_key": may(caller, upload_ssh_public_key, **named),
        "may_update_ssh_key": may(caller, update_ssh_public_key, **named),
        "may_delete_ssh_key": may(caller, delete_ssh_public_key, **named),
        "most_ssh_keys": quota_of(caller.account, "SSHPublicKeysPerUser"),
        "ssh_login_names": settings.SSH_LOGIN_NAMES,
    }


def _back(user_name: str | None) -> str:
    if user_name is None:
        return reverse("admin:me")
    return f"{reverse('admin:accounts_user_change', args=[user_name])}?tab=credentials"


def _named(request: HttpRequest, user_name: str | None) -> dict[str, Any]:
    """Whose keys: the named user's, or one's own."""
    return {"user_name": user_name or caller_of(request).principal.user_name}


@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest, user_name: str | None = None) -> HttpResponse:
    """Take a key that is pasted."""
    caller, named = caller_of(request), _named(request, user_name)
    form, made = SSHKeyForm(request.POST or None), list[SSHPublicKey]()
    if submitted(request, form, lambda data: made.append(upload_ssh_public_key(caller, **named, **data))):
        messages.success(request, "The SSH public key is uploaded and active.")
        if made[0].opens_by_id_alone:
            messages.warning(request, SHARED)
        return redirect(_back(user_name))
    allowed = may(caller, upload_ssh_public_key, **named) if named["user_name"] else None
    context = {"form": form, "user_name": user_name, "back": _back(user_name), "may": allowed}
    return render(request, "ssh_key_upload.html", context)


@require_POST
def status(request: HttpRequest, ssh_public_key_id: str, user_name: str | None = None) -> HttpResponse:
    """Switch a key on or off."""
    wanted, named = request.POST.get("status", ""), _named(request, user_name)
    update_ssh_public_key(caller_of(request), **named, ssh_public_key_id=ssh_public_key_id, status=wanted)
    messages.success(request, f"SSH public key {ssh_public_key_id} is now {wanted.lower()}.")
    return redirect(_back(user_name))


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, ssh_public_key_id: str, user_name: str | None = None) -> HttpResponse:
    """Delete a key after its id is typed."""
    caller, named = caller_of(request), _named(request, user_name)
    one = {**named, "ssh_public_key_id": ssh_public_key_id}
    form = DeleteKeyForm(request.POST or None, access_key_id=ssh_public_key_id)
    form.fields["typed_id"].label = "Type the key ID to confirm"
    if submitted(request, form, lambda data: delete_ssh_public_key(caller, **one)):
        messages.success(request, f"SSH public key {ssh_public_key_id} is deleted.")
        return redirect(_back(user_name))
    keys = list_ssh_public_keys(caller, **named).items
    key = next((each for each in keys if each.ssh_public_key_id == ssh_public_key_id), None)
    if key is None:
        raise NoSuchEntity(f"The Public Key with id {ssh_public_key_id} cannot be found.")
    context = {"form": form, "key": key, "user_name": user_name, "back": _back(user_name)}
    return render(request, "ssh_key_delete.html", context | {"may": may(caller, delete_ssh_public_key, **named)})
