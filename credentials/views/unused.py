"""The page Unused credentials: what is unused, what is done with it row by row, and what is exempt."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.caller import Caller
from accounts.operations.suspension import get_user_status, reactivate_user, suspend_user
from accounts.operations.users import get_user, tag_user, untag_user
from accounts.operations.whole_users import delete_user_with_credentials
from accounts.signin import caller_of
from credentials.operations.mfa_devices import deactivate_mfa_device
from credentials.operations.unused import (
    deactivate_credential,
    delete_credential,
    list_unused_credentials,
    preview_unused_credential_run,
    restore_credential,
)
from credentials.unused.exemption import KEY, exemption_of, new_exemption
from credentials.unused.found import Group
from credentials.unused.meaning import THRESHOLDS
from credentials.unused.plan import Terms
from credentials.unused_forms import ExemptionForm, ThresholdForm
from iamconsole.errors import Fault, InvalidInput, SudoRequired
from iamconsole.forms import Part, may, part, submitted
from iamconsole.paging import PAGE_SIZE
from iamconsole.tabs import Tab

SHOWN, MOST_ROWS, PREVIEWED = 20, 200, 25
METHODS = ["GET", "HEAD", "POST"]
SUSPENDED_FOR = "Nothing of the user is in use"
# What each group is called, and what to know of it.
GROUPS: Final[Mapping[str, tuple[str, str]]] = {
    Group.ROOT: ("Root user in use", "It may do everything: use an IAM user instead, and keep the root user for emergencies."),
    Group.PASSWORD: ("Passwords", "Deactivated, a password is kept and opens nothing; undoing it brings the same one back."),
    Group.ACCESS_KEY: ("Access keys", "Used before, and not for so long."),
    Group.NEVER_USED: ("Access keys never used", "As old as that, and no request was ever signed with them."),
    Group.USER: ("Users with nothing active", "No password, key, certificate or token is active. Deactivate suspends them."),
    Group.MFA_DEVICE: ("MFA devices", "They have let nobody in. There is no way back from Delete but to enrol anew."),
    Group.DEACTIVATED: ("Deactivated", "By the nightly run or on this page. Undo brings back what was."),
}  # fmt: skip


@dataclass(frozen=True)
class Reference:
    """What a row of a form is about: its sort, whose it is, and its id."""

    kind: str
    user_name: str
    credential_id: str

    @classmethod
    def read(cls, text: str) -> "Reference":
        """From what the form says. Raises InvalidInput."""
        kind, user_name, credential_id = [*text.split(":", 2), "", ""][:3]
        if kind not in (Group.PASSWORD, Group.ACCESS_KEY, Group.USER, Group.MFA_DEVICE) or not user_name:
            raise InvalidInput("This is no row of the page.")
        return cls(kind, user_name, credential_id)

    @property
    def text(self) -> str:
        """As the form says it."""
        return f"{self.kind}:{self.user_name}:{self.credential_id}"

    @property
    def words(self) -> str:
        """What people call it."""
        names = {Group.PASSWORD: "Password", Group.USER: "User, with all there is of it"}
        names |= {Group.ACCESS_KEY: "Access key", Group.MFA_DEVICE: "MFA device"}
        return f"{names[Group(self.kind)]} {self.credential_id}".strip()

    @property
    def named(self) -> dict[str, str]:
        """The parameters of an operation on a credential."""
        named = {"user_name": self.user_name, "credential_type": self.kind}
        return named | {"access_key_id": self.credential_id} if self.kind == Group.ACCESS_KEY else named


@dataclass(frozen=True)
class Outcome:
    """What has become of a row."""

    row: Reference
    fault: Fault | None = None


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """What is unused, by its sort, and what the nightly run will do next."""
    caller, query = caller_of(request), request.GET
    form = ThresholdForm(query if "days" in query else None)
    days, chosen = form.chosen, query.getlist("group")
    groups = [group for group in GROUPS if group in chosen] or list(GROUPS)
    one = len(groups) == 1
    size = PAGE_SIZE if one else SHOWN
    given = {"unused_days": days, "max_items": size, "marker": (query.get("marker") or None) if one else None}
    context = {
        "form": form,
        "days": days,
        "thresholds": [Tab(f"{each} days", f"?days={each}", days == each) for each in THRESHOLDS],
        "one": one,
        "groups": [_group(caller, group, given) for group in groups],
        "run": part(caller, preview_unused_credential_run, max_items=PREVIEWED),
        "terms": Terms.of_settings(),
    }
    return render(request, "unused.html", context)


def _group(caller: Caller, group: str, given: dict[str, Any]) -> dict[str, Any]:
    title, told = GROUPS[group]
    found = part(caller, list_unused_credentials, credential_group=group, **given)
    rows = found.value.items if found.value else []
    exempt = 0 if group == Group.DEACTIVATED else sum(row.exempt for row in rows)
    return {
        "name": group,
        "title": title,
        "told": told,
        "found": found,
        "exempt": exempt,
        "count": len(rows) - exempt,
    }


@require_POST
def deactivate(request: HttpRequest) -> HttpResponse:
    """Deactivate what is ticked."""
    return _done(request, _deactivate, "Deactivated", undo=True)


@require_POST
def delete(request: HttpRequest) -> HttpResponse:
    """Ask whether to delete what is ticked, then do it."""
    if "confirmed" in request.POST:
        return _done(request, _delete, "Deleted")
    return render(request, "unused_delete.html", {"rows": list(_ticked(request))})


@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Bring back what was deactivated."""
    return _done(request, _undo, "Brought back")


@require_http_methods(METHODS)
def exempt(request: HttpRequest, user_name: str) -> HttpResponse:
    """Exempt a user until a day for a reason, or no longer."""
    caller = caller_of(request)
    if request.method == "POST" and "remove" in request.POST:
        untag_user(caller, user_name=user_name, tag_keys=[KEY])
        messages.success(request, f"{user_name} is exempt no longer.")
        return redirect("admin:unused")
    user = get_user(caller, user_name=user_name)
    exemption = exemption_of(user.tags)
    initial = {"until": exemption.until, "reason": exemption.reason} if exemption else {}
    form = ExemptionForm(request.POST if request.method == "POST" else None, initial=initial)

    def act(data: dict[str, Any]) -> None:
        value = new_exemption(data["until"], data["reason"], timezone.now()).value
        tag_user(caller, user_name=user_name, tags=[{"key": KEY, "value": value}])

    if submitted(request, form, act):
        messages.success(request, f"{user.user_name} is exempt until the end of {form.cleaned_data['until']}.")
        return redirect("admin:unused")
    context = {"form": form, "user_shown": user, "key": KEY, "may": _may_tag(caller, user_name), "exemption": exemption}
    return render(request, "unused_exemption.html", context)


def _may_tag(caller: Caller, user_name: str) -> Part[None]:
    return may(caller, tag_user, user_name=user_name, tags=[{"key": KEY, "value": ""}])


def _ticked(request: HttpRequest) -> Iterator[Reference]:
    """The rows that are ticked, or all that were shown. Raises InvalidInput for too many, and for what is no row."""
    texts = request.POST.getlist("shown" if "every" in request.POST else "row")
    if len(texts) > MOST_ROWS:
        raise InvalidInput(f"These are more than {MOST_ROWS} rows: tick fewer at a time.")
    return (Reference.read(text) for text in dict.fromkeys(texts))


def _done(
    request: HttpRequest, act: Callable[[Caller, Reference], object], word: str, *, undo: bool = False
) -> HttpResponse:
    """Do it row by row, each as its own operation decides, and tell what has become of each."""
    caller, outcomes = caller_of(request), []
    for row in list(_ticked(request)):
        try:
            act(caller, row)
            outcomes.append(Outcome(row))
        except SudoRequired:
            raise
        except Fault as fault:
            outcomes.append(Outcome(row, fault))
    undoable = [each.row for each in outcomes if each.fault is None] if undo else []
    return render(request, "unused_done.html", {"outcomes": outcomes, "word": word, "undoable": undoable})


def _deactivate(caller: Caller, row: Reference) -> None:
    if row.kind == Group.MFA_DEVICE:
        raise InvalidInput(
            "An MFA device cannot be deactivated and brought back: its owner would have to enrol it anew."
        )
    if row.kind != Group.USER:
        deactivate_credential(caller, **row.named)
    elif not get_user_status(caller, user_name=row.user_name).active:
        raise InvalidInput("The user is kept out already.")
    else:
        suspend_user(caller, user_name=row.user_name, reason=SUSPENDED_FOR)


def _delete(caller: Caller, row: Reference) -> None:
    if row.kind == Group.USER:
        delete_user_with_credentials(caller, user_name=row.user_name)
    elif row.kind == Group.MFA_DEVICE:
        deactivate_mfa_device(caller, user_name=row.user_name, serial_number=row.credential_id)
    else:
        delete_credential(caller, **row.named)


def _undo(caller: Caller, row: Reference) -> None:
    if row.kind == Group.USER:
        reactivate_user(caller, user_name=row.user_name, suspension_reason=SUSPENDED_FOR)
    else:
        restore_credential(caller, **row.named)
