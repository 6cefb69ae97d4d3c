"""Keeping a user out, and the ways back: the header of the user page and the pages behind its buttons."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from accounts.operations.suspension import (
    delete_user_end_date,
    get_user_status,
    lock_down_user,
    put_user_end_date,
    reactivate_user,
    suspend_user,
    undo_lock_down,
)
from accounts.operations.users import get_user
from accounts.signin import caller_of
from accounts.status import Status, console_status, status_of
from accounts.suspension_forms import EndDateForm, LockDownForm, SuspendForm
from credentials.operations.access_keys import list_access_keys
from credentials.operations.login_profiles import get_login_profile
from credentials.passwords import expiry
from iamconsole.forms import may, part, submitted

PAGE = "admin:accounts_user_change"
METHODS = ["GET", "HEAD", "POST"]


def header(request: HttpRequest, user: User) -> dict[str, Any]:
    """What the user page says of it above its tabs, as far as the caller may read it, and which buttons it has."""
    caller, named = caller_of(request), {"user_name": user.user_name}
    own = caller.principal.pk == user.pk
    kept = part(caller, get_user_status, **named)
    return {
        "kept": kept,
        "status": _status(request, user) if kept.allowed else None,
        "may_suspend": not own and may(caller, suspend_user, **named).allowed,
        "may_reactivate": may(caller, reactivate_user, **named).allowed,
        "may_lock_down": not own and may(caller, lock_down_user, **named).allowed,
        "may_undo": user.lock_down is not None and may(caller, undo_lock_down, **named).allowed,
        "may_end": not own and may(caller, put_user_end_date, **named).allowed,
    }


def _status(request: HttpRequest, user: User) -> Status:
    now, caller = timezone.now(), caller_of(request)
    profile = part(caller, get_login_profile, user_name=user.user_name)
    if not profile.value:
        return status_of(user, now)
    expires = expiry(user)
    return console_status(user, now, password_expired=bool(expires and expires.passed))


@require_http_methods(METHODS)
def suspend(request: HttpRequest, user_name: str) -> HttpResponse:
    """Keep a user out until a time, or for good."""
    caller = caller_of(request)
    user = get_user(caller, user_name=user_name)
    form = SuspendForm(request.POST if request.method == "POST" else None)
    if submitted(request, form, lambda data: suspend_user(caller, user_name=user_name, **data)):
        messages.success(request, f"{user.user_name} is suspended: no password, key, token or session is accepted.")
        return redirect(PAGE, user.user_name)
    return _page(request, "user_suspend.html", user, form, may(caller, suspend_user, user_name=user_name))


@require_POST
def reactivate(request: HttpRequest, user_name: str) -> HttpResponse:
    """Let a user in again."""
    reactivate_user(caller_of(request), user_name=user_name)
    messages.success(request, f"{user_name} is active again and has to sign in anew.")
    return redirect(PAGE, user_name)


@require_http_methods(METHODS)
def end_date(request: HttpRequest, user_name: str) -> HttpResponse:
    """Set or remove the date from which on a user is as suspended."""
    caller = caller_of(request)
    user = get_user(caller, user_name=user_name)
    kept = part(caller, get_user_status, user_name=user_name).value
    form = EndDateForm(
        request.POST if request.method == "POST" else None, initial={"end_date": kept.end_date if kept else None}
    )

    def act(data: dict[str, Any]) -> None:
        if data["end_date"]:
            put_user_end_date(caller, user_name=user_name, **data)
        else:
            delete_user_end_date(caller, user_name=user_name)

    if submitted(request, form, act):
        messages.success(request, "The end date is saved.")
        return redirect(PAGE, user.user_name)
    return _page(request, "user_end_date.html", user, form, may(caller, put_user_end_date, user_name=user_name))


@require_http_methods(METHODS)
def lock_down(request: HttpRequest, user_name: str) -> HttpResponse:
    """Shut everything of a user at once."""
    caller = caller_of(request)
    user = get_user(caller, user_name=user_name)
    form = LockDownForm(request.POST if request.method == "POST" else None)
    if submitted(request, form, lambda data: lock_down_user(caller, user_name=user_name, **data)):
        messages.success(request, f"{user.user_name} is locked down. Undo brings back what was, but for sessions.")
        return redirect(PAGE, user.user_name)
    keys = part(caller, list_access_keys, user_name=user_name)
    allowed = may(caller, lock_down_user, user_name=user_name)
    return _page(request, "user_lock_down.html", user, form, allowed, keys=keys)


@require_POST
def undo(request: HttpRequest, user_name: str) -> HttpResponse:
    """Bring back what a lock-down found."""
    undo_lock_down(caller_of(request), user_name=user_name)
    messages.success(request, f"The lock-down of {user_name} is undone. Sessions do not come back.")
    return redirect(PAGE, user_name)


def _page(request: HttpRequest, template: str, user: User, form: Any, allowed: Any, **more: Any) -> HttpResponse:
    return render(request, template, {"form": form, "user_shown": user, "may": allowed, **more})
