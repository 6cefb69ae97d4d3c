"""My security credentials: what the caller manages for itself, as far as the policies allow."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import known_browsers
from accounts.browsers import browser_name
from accounts.forms import NewPasswordForm
from accounts.models import User
from accounts.operations.root import update_root_user_password
from accounts.operations.sessions import end_other_sessions, end_own_session, list_own_sessions
from accounts.signin import caller_of, renew, session_end
from audit.operations.sign_ins import list_own_sign_ins
from credentials.operations.access_keys import list_access_keys
from credentials.operations.login_profiles import change_password
from credentials.passwords import expiry, rules
from credentials.views import access_keys, mfa_devices, service_credentials, signing_certificates, ssh_keys
from iamconsole.forms import may, part, submitted

PAGE = 50
RECENT = 5  # how many sign-ins stand on the first page


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Who I am, my password, my MFA devices, my access keys, my sessions and sign-ins."""
    caller = caller_of(request)
    context = {
        "user": caller.principal,
        "expires": expiry(caller.principal),
        "may_change_password": may(caller, update_root_user_password if caller.principal.is_root else change_password),
        "keys": part(caller, list_access_keys),
        **access_keys.card(request),
        **service_credentials.card(request),
        **mfa_devices.card(request),
        **ssh_keys.card(request, caller.principal.user_name),
        **signing_certificates.card(request),
        "sessions": list_own_sessions(caller),
        "sign_ins": _with_browsers(list_own_sign_ins(caller, max_items=RECENT).items),
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
        response = redirect("admin:me")
        if isinstance(request.user, User):  # it is not when the user was changed meanwhile, who is then out
            known_browsers.remember(request, response, request.user)
        return response
    context = {"form": form, "rules": rules(caller.account, caller.principal), "may": may(caller, change)}
    return render(request, "me_password.html", context)


@require_safe
def sign_ins(request: HttpRequest) -> HttpResponse:
    """When somebody signed in as me, or tried to."""
    shown = list_own_sign_ins(caller_of(request), max_items=PAGE, marker=request.GET.get("marker"))
    return render(request, "me_sign_ins.html", {"sign_ins": _with_browsers(shown.items), "marker": shown.marker})


def _with_browsers(sign_ins: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**each, "browser": browser_name(each["user_agent"])} for each in sign_ins]


@require_POST
def end_session(request: HttpRequest, session_id: str) -> HttpResponse:
    """End one of my sessions."""
    end_own_session(caller_of(request), session_id=session_id)
    messages.success(request, "The session has ended.")
    return redirect("admin:me")


@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    """End my sessions but this one."""
    end_other_sessions(caller_of(request))
    messages.success(request, "Your other sessions have ended.")
    return redirect("admin:me")


@require_POST
def stay(request: HttpRequest) -> HttpResponse:
    """Say that somebody is still here: that the session was read is what keeps it. Answers the seconds until it ends."""
    end = session_end(caller_of(request))
    return HttpResponse(str(end.seconds if end else 0), content_type="text/plain; charset=utf-8")
