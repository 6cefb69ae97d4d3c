"""My security credentials: what the caller manages for itself, as far as the policies allow."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.forms import NewPasswordForm
from accounts.operations.root import update_root_user_password
from accounts.signin import caller_of, renew
from credentials.operations.access_keys import (
    create_access_key,
    delete_access_key,
    list_access_keys,
    update_access_key,
)
from credentials.operations.login_profiles import change_password
from credentials.passwords import expiry, rules
from iamconsole.forms import may, part, submitted


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Who I am, my password, my access keys."""
    caller = caller_of(request)
    context = {
        "user": caller.principal,
        "expires": expiry(caller.principal),
        "may_change_password": may(caller, update_root_user_password if caller.principal.is_root else change_password),
        "keys": part(caller, list_access_keys),
        "may_create_key": may(caller, create_access_key),
        "may_update_key": may(caller, update_access_key),
        "may_delete_key": may(caller, delete_access_key),
    }
    return render(request, "me.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Change the own password; the caller's other sessions end."""
    caller = caller_of(request)
    change = update_root_user_password if caller.principal.is_root else change_password
    form = NewPasswordForm(request.POST or None)

    def act(data: dict[str, str]) -> None:
        change(caller, old_password=data["old_password"], new_password=data["new_password"])

    if submitted(request, form, act):
        renew(request)
        messages.success(request, "Your password is changed. Your other sessions have ended.")
        return redirect("admin:me")
    context = {"form": form, "rules": rules(caller.account, caller.principal), "may": may(caller, change)}
    return render(request, "me_password.html", context)
