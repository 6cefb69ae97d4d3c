"""The dashboard's security findings: what there is to mend, each with a way to where that is done."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.urls import reverse
from django.utils import timezone

from accounts.caller import Caller
from credentials.operations.security_findings import list_security_findings
from credentials.security_findings import OLD_DAYS, ROOT_DAYS, SecurityFinding
from credentials.unused.found import Group
from credentials.unused.meaning import CHECK_DAYS
from iamconsole.forms import Part, part

USERS: Final = "admin:accounts_user_changelist"
UNUSED: Final = "".join(f"&group={group}" for group in (Group.PASSWORD, Group.ACCESS_KEY, Group.NEVER_USED))
# Where each is mended: the route, and the query that leaves what is counted and nothing else.
FIXES: Final[Mapping[str, tuple[str, str]]] = {
    "root-keys": ("admin:me", "#keys-heading"),
    "root-mfa": ("admin:me", "#mfa-heading"),
    "root-in-use": ("admin:unused", f"?days={ROOT_DAYS}&group={Group.ROOT}"),
    "administrators-mfa": (USERS, "?permissions=administrator&console=enabled&mfa=no"),
    "administrators": (USERS, "?permissions=administrator"),
    "users-mfa": (USERS, "?console=enabled&mfa=no"),
    "password-policy": ("admin:password-policy", ""),
    "lockouts": ("admin:trail", "?action_name=iamconsole:SignIn&result=Throttling&start_time={today}T00:00:00"),
    "old-keys": (USERS, f"?key_age={OLD_DAYS}"),
    "unused": ("admin:unused", f"?days={OLD_DAYS}{UNUSED}"),
    "never-used-keys": ("admin:unused", f"?days={CHECK_DAYS}&group={Group.NEVER_USED}"),
    "shared-ssh-keys": (USERS, "?ssh_key=shared"),
    "two-keys": (USERS, "?key=two"),
    "direct-policies": (USERS, "?permissions=direct"),
}
OF_ROOT: Final = ("root-keys", "root-mfa")  # nobody else can mend these
KINDS: Final = {"Critical": "error", "High": "error", "Medium": "warning", "Low": "muted"}


@dataclass(frozen=True)
class Shown:
    """A finding with the kind of its word, and where it is mended: nowhere, if only the root user can."""

    finding: SecurityFinding
    kind: str
    url: str
    checks: list[str]


def part_of_dashboard(caller: Caller) -> dict[str, Any]:
    """What the policies let the caller see, worst first."""
    found: Part[list[SecurityFinding]] = part(caller, list_security_findings)
    return {"part": found, "rows": [_shown(each, caller) for each in found.value or []]}


def _shown(finding: SecurityFinding, caller: Caller) -> Shown:
    route, query = FIXES[finding.name]
    url = f"{reverse(route)}{query.format(today=timezone.now().date().isoformat())}"
    mendable = caller.principal.is_root or finding.name not in OF_ROOT
    return Shown(finding, KINDS[finding.severity], url if mendable else "", finding.check.split())
