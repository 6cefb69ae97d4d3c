"""The tab of a user's sessions, and its buttons."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.models import User
from accounts.operations.sessions import end_all_sessions, end_session, list_sessions, reset_sign_in_throttle
from accounts.signin import caller_of
from credentials.mfa.codes import devices_of
from credentials.mfa_proof import missing_proof
from iamconsole.forms import may, part


def tab(request: HttpRequest, user: User) -> dict[str, Any]:
    """What the tab shows."""
    caller, named = caller_of(request), {"user_name": user.user_name}
    return {
        "sessions": part(caller, list_sessions, **named),
        "may_end": may(caller, end_session, **named),
        "may_end_all": may(caller, end_all_sessions, **named),
        "may_reset": may(caller, reset_sign_in_throttle, **named),
        "missing_proof": missing_proof(caller) if devices_of(user).exists() else None,
    }


@require_POST
def end(request: HttpRequest, user_name: str, session_id: str) -> HttpResponse:
    """End one session of the user."""
    end_session(caller_of(request), user_name=user_name, session_id=session_id)
    messages.success(request, "The session has ended.")
    return redirect(_tab_of(user_name))


@require_POST
def end_all(request: HttpRequest, user_name: str) -> HttpResponse:
    """End every session of the user."""
    end_all_sessions(caller_of(request), user_name=user_name)
    messages.success(request, f"Every session of {user_name} has ended. Access keys go on working.")
    return redirect(_tab_of(user_name))


@require_POST
def reset_throttle(request: HttpRequest, user_name: str) -> HttpResponse:
    """Let the user try to sign in again at once."""
    reset_sign_in_throttle(caller_of(request), user_name=user_name)
    messages.success(request, f"{user_name} can try to sign in again at once.")
    return redirect(_tab_of(user_name))


def _tab_of(user_name: str) -> str:
    return f"{reverse('admin:accounts_user_change', args=[user_name])}?tab=sessions"
