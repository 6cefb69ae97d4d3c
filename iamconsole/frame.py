"""What the frame of every page needs: the caller, the navigation, the theme."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from accounts.signin import caller_of, session_end
from iamconsole.pages import THEMES


@dataclass(frozen=True)
class Entry:
    """A line of the navigation."""

    label: str
    url: str
    current: bool
    group: str


MENU = (
    ("Dashboard", "admin:index", ""),
    ("Users", "admin:accounts_user_changelist", "Access management"),
    ("Groups", "admin:accounts_group_changelist", "Access management"),
    ("Policies", "admin:permissions_managedpolicy_changelist", "Access management"),
    ("Server certificates", "admin:credentials_servercertificate_changelist", "Access management"),
    ("Simulator", "admin:simulator", "Access management"),
    ("Account settings", "admin:account", "Access management"),
    ("Credential report", "admin:credential-report", "Reports"),
    ("Unused credentials", "admin:unused", "Reports"),
    ("Audit log", "admin:trail", "Reports"),
    ("My security credentials", "admin:me", "You"),
)


def frame(request: HttpRequest) -> dict[str, Any]:
    """The frame's context; signed-out pages get the theme only."""
    theme = request.COOKIES.get("theme", "auto")
    context: dict[str, Any] = {"theme": theme if theme in THEMES else "auto", "help_url": reverse("help")}
    if not getattr(getattr(request, "user", None), "is_authenticated", False):
        return context
    caller = caller_of(request)
    entries = [
        Entry(
            label, url, request.path == url or (url != reverse("admin:index") and request.path.startswith(url)), group
        )
        for label, url, group in ((label, reverse(name), group) for label, name, group in MENU)
    ]
    return context | {
        "caller": caller,
        "account_label": caller.account.label,
        "navigation": entries,
        "session": session_end(caller),
    }
