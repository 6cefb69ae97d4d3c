"""The page of how long new access keys of the account live, and the rotations that the dashboard tells of."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.signin import caller_of
from credentials.key_forms import KeyMaximumForm
from credentials.operations.key_details import (
    get_access_key_settings,
    list_access_key_rotations,
    update_access_key_settings,
)
from credentials.views.access_keys import rotation_page
from iamconsole.forms import may, part, submitted


@require_http_methods(["GET", "HEAD", "POST"])
def manage(request: HttpRequest) -> HttpResponse:
    """Choose it; what it would mean for the keys that are there is told before it is saved."""
    caller = caller_of(request)
    posted = request.POST if request.method == "POST" else None
    form = KeyMaximumForm(posted, initial={"maximum_days": caller.account.access_key_maximum_days})
    chosen = form.cleaned_data if posted and form.is_valid() else {}
    if "confirmed" in request.POST and submitted(
        request, form, lambda data: update_access_key_settings(caller, maximum_days=data["maximum_days"])
    ):
        messages.success(request, "The setting is saved. It holds for keys that are created from now on.")
        return redirect("admin:account")
    context = {"form": form, "chosen": chosen, "settings": part(caller, get_access_key_settings, **chosen)}
    return render(request, "access_key_settings.html", context | {"may": may(caller, update_access_key_settings)})


def rotations(request: HttpRequest) -> list[dict[str, Any]]:
    """The rotations under way that the caller may know of, those of all users or the own ones, each with its page."""
    caller = caller_of(request)
    of_users = part(caller, list_access_key_rotations, all_users=True)
    found = list(of_users.value or ())
    if caller.principal.is_root or not of_users.allowed:
        found += part(caller, list_access_key_rotations).value or ()
    own = caller.principal.user_name
    return [
        {
            "rotation": each,
            "url": rotation_page(None if each.user_name == own else each.user_name, each.old_access_key_id),
        }
        for each in found
    ]
