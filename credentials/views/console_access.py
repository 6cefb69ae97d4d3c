"""A user's access to the console: enable, set or generate a password, require a change, disable."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.nonces import new_nonce
from accounts.operations.users import get_user
from accounts.signin import caller_of
from credentials.forms import ConsoleAccessForm
from credentials.operations.login_profiles import (
    create_login_profile,
    create_setup_link,
    delete_login_profile,
    generate_password,
    get_login_profile,
    update_login_profile,
)
from credentials.passwords import rules
from credentials.views.reveal import reveal_password, reveal_setup_link, with_nonce
from iamconsole.forms import ConsoleForm, may, part, submitted


@require_http_methods(["GET", "HEAD", "POST"])
def manage(request: HttpRequest, user_name: str) -> HttpResponse:
    """Give the user a set-up link or a password, or another one."""
    caller = caller_of(request)
    user = get_user(caller, user_name=user_name)
    profile = part(caller, get_login_profile, user_name=user_name)
    form = ConsoleAccessForm(request.POST or None)
    change = create_login_profile if profile.allowed and profile.value is None else update_login_profile
    answers: list[HttpResponse] = []

    def act(data: dict[str, Any]) -> None:
        match data["first_password"]:
            case "setup_link":
                answers.append(reveal_setup_link(request, create_setup_link(with_nonce(request), user_name=user_name)))
            case "generated":
                answers.append(reveal_password(request, generate_password(with_nonce(request), user_name=user_name)))
            case _:
                required = data["password_reset_required"]
                change(
                    with_nonce(request),
                    user_name=user_name,
                    password=data["password"],
                    password_reset_required=required,
                )

    if submitted(request, form, act):
        if answers:
            return answers[0]
        messages.success(request, "The password is set. The user's sessions have ended.")
        return redirect(_credentials_tab(user_name))
    nonce = new_nonce(caller.principal)
    context = {"form": form, "user_shown": user, "profile": profile, "nonce": nonce}
    context |= {"rules": rules(user.account, user), "may": may(caller, change, user_name=user_name)}
    return render(request, "console_access.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def disable(request: HttpRequest, user_name: str) -> HttpResponse:
    """Take the password away, after a page that says what that means."""
    caller = caller_of(request)
    user = get_user(caller, user_name=user_name)
    form = ConsoleForm(request.POST if request.method == "POST" else None)
    if submitted(request, form, lambda data: delete_login_profile(caller, user_name=user_name)):
        messages.success(request, "Console access is disabled. The user's sessions have ended; access keys still work.")
        return redirect(_credentials_tab(user_name))
    allowed = may(caller, delete_login_profile, user_name=user_name)
    return render(request, "console_disable.html", {"form": form, "user_shown": user, "may": allowed})


def _credentials_tab(user_name: str) -> str:
    return f"{reverse('admin:accounts_user_change', args=[user_name])}?tab=credentials"
