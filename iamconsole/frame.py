"""What the frame of every page needs: the caller, the navigation, the theme."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from accounts.signin import caller_of, session_end
from iamconsole.commands import MOST_SHOWN, command_of
from iamconsole.logs import served
from iamconsole.pages import THEMES


@dataclass(frozen=True)
class Entry:
    """A line of the navigation."""

    label: str
    url: str
    current: bool
    group: str


COMMANDS = "commands"  # of the session: those that the next page shows
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
        "commands": [*request.session.pop(COMMANDS, []), *commands_of_request()],
        "caller": caller,
        "account_label": caller.account.label,
        "navigation": entries,
        "session": session_end(caller),
    }


def commands_of_request() -> list[str]:
    """The ``aws`` commands that do what this request has changed, as far as AWS has them; the first of many."""
    made = (command_of(*change, endpoint_url=settings.PUBLIC_URL) for change in served().changes[:MOST_SHOWN])
    return [command for command in made if command]
