"""A change of many users: what it would do to each, and afterwards what it has done."""

from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts import jobs
from accounts.caller import Caller
from accounts.choices import Choice, groups_to_join
from accounts.models import User
from accounts.operations.user_changes import MOST_USERS, get_user_change, start_user_change
from accounts.operations.users import list_users
from accounts.signin import caller_of
from accounts.user_changes import CHANGES, Change, Foreseen, users_named
from accounts.user_list import matching
from accounts.user_list_forms import ChangeForm
from accounts.user_queries import kept_query
from iamconsole.errors import InvalidInput, LimitExceeded
from iamconsole.forms import Part, may, submitted

MOST_SHOWN: Final = 200
AT_ONCE: Final = 100  # as many rows as a request makes itself; more are the task worker's


@dataclass(frozen=True)
class Chosen:
    """The users that a change is for: those that were ticked, or all that a list holds."""

    names: list[str]
    first: list[User]
    query: str
    whole: bool

    @classmethod
    def of(cls, request: HttpRequest, caller: Caller) -> "Chosen":
        """Read the form. Raises LimitExceeded for too many, InvalidInput for none."""
        whole, query = "all" in request.POST, kept_query(request.POST.get("query", ""))
        if whole:
            list_users(caller, max_items=1)  # decides, and records a refusal
            listed = matching(request, query)
            names = list(
                listed.queryset.order_by("user_name_key").values_list("user_name", flat=True)[: MOST_USERS + 1]
            )
        else:
            ticked = request.POST.getlist("user_names")[: MOST_USERS + 1]
            names = list(users_named(caller.account_id, ticked).values_list("user_name", flat=True))
        if not names:
            raise InvalidInput("Nobody is ticked. Go back and tick the users that it is for.")
        if len(names) > MOST_USERS:
            raise LimitExceeded(f"One change is for {MOST_USERS} users at most. Narrow the list by a filter first.")
        return cls(names, list(users_named(caller.account_id, names[:MOST_SHOWN])), query, whole)


@require_POST
def page(request: HttpRequest) -> HttpResponse:
    """Show what would happen to whom; when that is confirmed, begin."""
    caller = caller_of(request)
    list_users(caller, max_items=1)
    change, chosen = _change(request), Chosen.of(request, caller)
    confirmed = request.POST if "confirmed" in request.POST else None
    groups = groups_to_join(caller, ()) if change.name == "add-to-group" else None
    group_name = request.POST.get("group_name") or _first(groups)
    form = ChangeForm(confirmed, change=change, count=len(chosen.names), initial={"group_name": group_name})
    begun: list[Any] = []

    def act(data: dict[str, Any]) -> None:
        asked = {name: data.get(name) or None for name in ("group_name", "reason")}
        begun.append(start_user_change(caller, change=change.name, user_names=chosen.names, **asked))

    if confirmed is not None and submitted(request, form, act):
        if len(chosen.names) <= AT_ONCE:
            jobs.run(begun[0]["change_id"])
        return redirect("admin:user-change-result", begun[0]["change_id"])
    foreseen = Foreseen.of(caller, change, chosen.first, group_name if change.name == "add-to-group" else "")
    context = {
        "change": change,
        "chosen": chosen,
        "form": form,
        "rows": [(user, _why_not(foreseen, user)) for user in chosen.first],
        "more": len(chosen.names) - len(chosen.first),
        "groups": groups,
        "group_name": foreseen.group_name,
        "may": may(caller, start_user_change),
    }
    return render(request, "user_change.html", context)


def _first(groups: Part[list[Choice]] | None) -> str:
    """The group that the page offers first, empty if it offers none."""
    return str(groups.value[0].value) if groups and groups.value else ""


def _why_not(foreseen: Foreseen, user: User) -> str:
    """Who may be put into a group depends on which: where none is offered, that is not known before it is typed."""
    undecided = foreseen.change.name == "add-to-group" and not foreseen.group_name
    return "" if undecided else foreseen.why_not(user)


def _change(request: HttpRequest) -> Change:
    change = CHANGES.get(request.POST.get("change", ""))
    if change is None:
        raise InvalidInput("Choose what to do with the users: " + ", ".join(each.label for each in CHANGES.values()))
    return change


@require_safe
def result(request: HttpRequest, change_id: Any) -> HttpResponse:
    """What came of each row, or how far it is."""
    caller = caller_of(request)
    told = get_user_change(caller, change_id=str(change_id))
    rows = sorted(told["rows"], key=lambda row: ("failed", "unchanged", "done").index(row["outcome"]))
    counts = {name: sum(row["outcome"] == name for row in rows) for name in ("done", "unchanged", "failed")}
    named = users_named(caller.account_id, [row["user_name"] for row in rows])
    there = set(named.values_list("user_name_key", flat=True))
    rows = [row | {"is_there": row["user_name"].lower() in there} for row in rows]
    context = {"told": told, "change": CHANGES[told["change"]], "rows": rows, "counts": counts}
    return render(request, "user_change_result.html", context)
