"""The pages of access keys, one's own and a user's: create, describe, rotate, switch on and off, delete."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.caller import Caller
from accounts.nonces import new_nonce
from accounts.signin import caller_of
from credentials.key_forms import DeleteKeyForm, KeyDetailsForm, NewKeyForm
from credentials.key_rotation import rotations_in
from credentials.models import AccessKey
from credentials.operations.access_keys import create_access_key, delete_access_key, list_access_keys, update_access_key
from credentials.operations.key_details import create_access_key_with_details, update_access_key_details
from credentials.views.reveal import reveal_access_key, with_nonce
from iamconsole.errors import NoSuchEntity
from iamconsole.forms import may, submitted
from iamconsole.operation import Issued

STEPS = ("Create the second key", "Hand over", "Deactivate the old key", "Delete the old key")


def _back(user_name: str | None) -> str:
    if user_name is None:
        return reverse("admin:me")
    return f"{reverse('admin:accounts_user_change', args=[user_name])}?tab=credentials"


def rotation_page(user_name: str | None, access_key_id: str) -> str:
    """The address of the assistant for a key."""
    if user_name is None:
        return reverse("admin:me-key-rotate", args=[access_key_id])
    return reverse("admin:user-key-rotate", args=[user_name, access_key_id])


def card(request: HttpRequest, user_name: str | None = None) -> dict[str, Any]:
    """What the card of access keys may offer."""
    caller, named = caller_of(request), {"user_name": user_name}
    return {
        "may_create_key": may(caller, create_access_key, **named),
        "may_update_key": may(caller, update_access_key, **named),
        "may_describe_key": may(caller, update_access_key_details, **named),
        "may_delete_key": may(caller, delete_access_key, **named),
    }


def _keys(caller: Caller, user_name: str | None, access_key_id: str) -> tuple[AccessKey, list[AccessKey]]:
    """The key of that id among the user's, and all of them. Raises NoSuchEntity."""
    keys = list_access_keys(caller, user_name=user_name).items
    key = next((each for each in keys if each.access_key_id == access_key_id), None)
    if key is None:
        raise NoSuchEntity(f"The Access Key with id {access_key_id} cannot be found.")
    return key, keys


def _new(
    request: HttpRequest, form: KeyDetailsForm, user_name: str | None, replaces: str | None = None
) -> HttpResponse | None:
    """Create a key as the form says and show it, once; None when the form is to be shown."""
    made: list[Issued[AccessKey]] = []

    def act(data: dict[str, Any]) -> None:
        details = {**form.details(), "replaces_access_key_id": replaces}
        made.append(create_access_key_with_details(with_nonce(request), user_name=user_name, **details))

    if not submitted(request, form, act):
        return None
    return reveal_access_key(request, made[0], rotation_page(user_name, replaces) if replaces else None)


def _posted(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest, user_name: str | None = None) -> HttpResponse:
    """Create a key: what it is for, its description and end, then the page that shows the secret once."""
    caller = caller_of(request)
    form = NewKeyForm(_posted(request), greatest=caller.account.access_key_maximum_days)
    if revealed := _new(request, form, user_name):
        return revealed
    allowed = may(caller, create_access_key_with_details, user_name=user_name)
    context = {"form": form, "nonce": new_nonce(caller.principal), "user_name": user_name, "may": allowed}
    return render(request, "access_key_create.html", context | {"back": _back(user_name)})


@require_http_methods(["GET", "HEAD", "POST"])
def details(request: HttpRequest, access_key_id: str, user_name: str | None = None) -> HttpResponse:
    """Say what a key is for and when it ends."""
    caller = caller_of(request)
    key, _ = _keys(caller, user_name, access_key_id)
    form = KeyDetailsForm(_posted(request), greatest=caller.account.access_key_maximum_days, key=key)

    def act(data: dict[str, Any]) -> None:
        given = form.details() | {"never_expires": data["expiry"] == "never" or None}
        update_access_key_details(caller, user_name=user_name, access_key_id=access_key_id, **given)

    if submitted(request, form, act):
        messages.success(request, f"The details of access key {access_key_id} are saved.")
        return redirect(_back(user_name))
    allowed = may(caller, update_access_key_details, user_name=user_name)
    context = {"form": form, "key": key, "user_name": user_name, "back": _back(user_name), "may": allowed}
    return render(request, "access_key_details.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def rotate(request: HttpRequest, access_key_id: str, user_name: str | None = None) -> HttpResponse:
    """The assistant: create the key that takes over, watch the old one go quiet, deactivate it, delete it."""
    caller = caller_of(request)
    key, keys = _keys(caller, user_name, access_key_id)
    rotation = next((each for each in rotations_in(keys) if key in (each.old, each.new)), None)
    form = KeyDetailsForm(_posted(request), greatest=caller.account.access_key_maximum_days)
    form.fields["description"].initial = key.description
    if rotation is None and (revealed := _new(request, form, user_name, access_key_id)):
        return revealed
    context = {"form": form, "key": key, "keys": keys, "rotation": rotation, "steps": STEPS}
    context |= {"step": rotation.number if rotation else 1, "nonce": new_nonce(caller.principal)}
    context |= {"user_name": user_name, "own": user_name is None, "back": _back(user_name), **card(request, user_name)}
    return render(request, "access_key_rotate.html", context)


@require_POST
def status(request: HttpRequest, access_key_id: str, user_name: str | None = None) -> HttpResponse:
    """Switch a key on or off."""
    wanted = request.POST.get("status", "")
    update_access_key(caller_of(request), user_name=user_name, access_key_id=access_key_id, status=wanted)
    messages.success(request, f"Access key {access_key_id} is now {wanted.lower()}.")
    return redirect(rotation_page(user_name, access_key_id) if "rotating" in request.POST else _back(user_name))


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, access_key_id: str, user_name: str | None = None) -> HttpResponse:
    """Delete a key after its id is typed."""
    caller = caller_of(request)
    form = DeleteKeyForm(request.POST or None, access_key_id=access_key_id)
    if submitted(
        request, form, lambda data: delete_access_key(caller, user_name=user_name, access_key_id=access_key_id)
    ):
        messages.success(request, f"Access key {access_key_id} is deleted.")
        return redirect(_back(user_name))
    key, _ = _keys(caller, user_name, access_key_id)
    allowed = may(caller, delete_access_key, user_name=user_name)
    context = {"form": form, "key": key, "user_name": user_name, "back": _back(user_name), "may": allowed}
    return render(request, "access_key_delete.html", context)
