"""The pages of groups: create, the group page with its tabs, rename, delete."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_safe

from accounts.forms import DeleteForm, GroupForm, RenameGroupForm
from accounts.models import Group
from accounts.operations.groups import (
    add_user_to_group,
    create_group,
    delete_group,
    get_group,
    remove_user_from_group,
    update_group,
)
from accounts.operations.whole_groups import delete_group_with_members
from accounts.signin import caller_of
from audit.views.trail import activity
from iamconsole.forms import each_of, may, may_now, may_some, submitted
from iamconsole.tabs import chosen_tab, tabs_of
from permissions import applied
from permissions.operations.attachments import attach_group_policy
from permissions.operations.inline import delete_group_policy, put_group_policy
from permissions.views import last_accessed

TABS = (
    ("users", "Users"),
    ("permissions", "Permissions"),
    ("last-accessed", "Last accessed"),
    ("activity", "Activity"),
)
MOST = 1000  # as many members as a listing gives at once
ANY_POLICY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Make a group, and go back to where one was wanted."""
    caller, form = caller_of(request), GroupForm(request.POST or None)
    after = _after(request)
    if submitted(request, form, lambda data: create_group(caller, **data)):
        name = form.cleaned_data["group_name"]
        messages.success(request, f"Group {name} is created, without users and without permissions.")
        return redirect(after or reverse("admin:accounts_group_change", args=[name]))
    context = {"form": form, "may": may_some(caller, create_group, group_name="*"), "after": after}
    return render(request, "group_create.html", context)


def _after(request: HttpRequest) -> str:
    """Where ``next`` leads, if it is within this site."""
    after = request.GET.get("next", "")
    allowed = url_has_allowed_host_and_scheme(after, {request.get_host()}, require_https=request.is_secure())
    return after if allowed else ""


@require_safe
def page(request: HttpRequest, group_name: str) -> HttpResponse:
    """One group: a summary and the chosen tab."""
    caller = caller_of(request)
    found = get_group(caller, group_name=group_name, max_items=MOST)
    group, tab = found["group"], chosen_tab(request, TABS)
    context = {
        "group": group,
        "users": found["users"],
        "more_users": found["marker"] is not None,
        "tab": tab,
        "tabs": tabs_of(TABS, tab, reverse("admin:accounts_group_change", args=[group.group_name])),
        "may_update": may(caller, update_group, group_name=group_name),
        "may_delete": may(caller, delete_group, group_name=group_name),
    }
    return render(request, "group.html", context | _TAB[tab](request, group))


def _users_tab(request: HttpRequest, group: Group) -> dict[str, Any]:
    caller, named = caller_of(request), {"group_name": group.group_name, "user_name": "*"}
    return {
        "may_add": may(caller, add_user_to_group, **named),
        "may_remove": may(caller, remove_user_from_group, **named),
    }


def _permissions_tab(request: HttpRequest, group: Group) -> dict[str, Any]:
    caller, named = caller_of(request), {"group_name": group.group_name}
    return {
        "policies": applied.of_group(caller, group),
        "may_attach": may_some(caller, attach_group_policy, policy_arn=ANY_POLICY, **named),
        "may_put": may(caller, put_group_policy, **named),
        "may_delete_policy": may(caller, delete_group_policy, **named),
    }


def _activity_tab(request: HttpRequest, group: Group) -> dict[str, Any]:
    return activity(request, group.group_id)


_TAB = {
    "users": _users_tab,
    "permissions": _permissions_tab,
    "last-accessed": last_accessed.tab,
    "activity": _activity_tab,
}


@require_http_methods(["GET", "HEAD", "POST"])
def rename(request: HttpRequest, group_name: str) -> HttpResponse:
    """Another name or path for a group, with what changes by it."""
    caller = caller_of(request)
    group = get_group(caller, group_name=group_name, max_items=1)["group"]
    form = RenameGroupForm(request.POST or None, initial={"new_group_name": group.group_name, "new_path": group.path})
    if submitted(request, form, lambda data: update_group(caller, group_name=group_name, **data)):
        messages.success(request, "The group is renamed. The ARN has changed; users and policies have not.")
        return redirect("admin:accounts_group_change", form.cleaned_data["new_group_name"])
    allowed = may(caller, update_group, group_name=group_name)
    return render(request, "group_rename.html", {"form": form, "group": group, "may": allowed})


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, group_name: str) -> HttpResponse:
    """Delete a group with its memberships and policies, after the name is typed."""
    caller = caller_of(request)
    found = get_group(caller, group_name=group_name, max_items=MOST)
    group = found["group"]
    form = DeleteForm(request.POST or None, name=group.group_name, kind="group")
    if submitted(request, form, lambda data: delete_group_with_members(caller, group_name=group_name)):
        messages.success(request, f"Group {group.group_name} is deleted. Its users are still there.")
        return redirect("admin:accounts_group_changelist")
    context = {
        "form": form,
        "group": group,
        "users": found["users"],
        "more_users": found["marker"] is not None,
        "policies": applied.of_group(caller, group),
        "may": each_of(
            may(caller, delete_group, group_name=group_name),
            may_now(caller, delete_group_with_members, group_name=group_name),
        ),
        "back": reverse("admin:accounts_group_change", args=[group.group_name]),
    }
    return render(request, "group_delete.html", context)
