"""The pages of access keys, one's own and a user's: create, switch on and off, delete."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.nonces import new_nonce
from accounts.signin import caller_of
from credentials.forms import DeleteKeyForm
from credentials.models import AccessKey
from credentials.operations.access_keys import create_access_key, delete_access_key, list_access_keys, update_access_key
from credentials.views.reveal import reveal_access_key, with_nonce
from iamconsole.errors import NoSuchEntity
from iamconsole.forms import ConsoleForm, may, submitted
from iamconsole.operation import Issued


def _back(user_name: str | None) -> str:
    if user_name is None:
        return reverse("admin:me")
    return f"{reverse('admin:accounts_user_change', args=[user_name])}?tab=credentials"


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest, user_name: str | None = None) -> HttpResponse:
    """Create a key: what to think of first, then the page that shows the secret once."""
    form = ConsoleForm(request.POST if request.method == "POST" else None)
    made: list[Issued[AccessKey]] = []
    if submitted(request, form, lambda data: made.append(create_access_key(with_nonce(request), user_name=user_name))):
        return reveal_access_key(request, made[0])
    caller = caller_of(request)
    allowed = may(caller, create_access_key, user_name=user_name)
    context = {"form": form, "nonce": new_nonce(caller.principal), "user_name": user_name, "may": allowed}
    return render(request, "access_key_create.html", context | {"back": _back(user_name)})


@require_POST
def status(request: HttpRequest, access_key_id: str, user_name: str | None = None) -> HttpResponse:
    """Switch a key on or off."""
    wanted = request.POST.get("status", "")
    update_access_key(caller_of(request), user_name=user_name, access_key_id=access_key_id, status=wanted)
    messages.success(request, f"Access key {access_key_id} is now {wanted.lower()}.")
    return redirect(_back(user_name))


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
    keys = list_access_keys(caller, user_name=user_name).items
    key = next((each for each in keys if each.access_key_id == access_key_id), None)
    if key is None:
        raise NoSuchEntity(f"The Access Key with id {access_key_id} cannot be found.")
    allowed = may(caller, delete_access_key, user_name=user_name)
    context = {"form": form, "key": key, "user_name": user_name, "back": _back(user_name), "may": allowed}
    return render(request, "access_key_delete.html", context)
