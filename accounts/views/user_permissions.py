"""What a user may do: the tabs of permissions and groups, more permissions, the boundary."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access_forms import BoundaryForm, PermissionsForm, given
from accounts.caller import Caller
from accounts.choices import arns_of_own_policies, kind_of
from accounts.models import User
from accounts.operations.groups import add_user_to_group, create_group, list_groups_for_user, remove_user_from_group
from accounts.operations.users import get_user
from accounts.operations.whole_users import add_user_permissions
from accounts.signin import caller_of
from iamconsole.forms import Part, may, may_some, part, submitted
from permissions import applied
from permissions.operations.attachments import attach_user_policy, detach_user_policy, list_attached_group_policies
from permissions.operations.boundaries import delete_user_permissions_boundary, put_user_permissions_boundary
from permissions.operations.inline import delete_user_policy, put_user_policy
from permissions.operations.versions import get_policy_version

ANY_POLICY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def _tab(user_name: str, tab: str) -> str:
    return f"{reverse('admin:accounts_user_change', args=[user_name])}?tab={tab}"


def _may_give(caller: Caller, user_name: str) -> dict[str, Part[None]]:
    return {
        "may_join": may_some(caller, add_user_to_group, group_name="*", user_name=user_name),
        "may_attach": may_some(caller, attach_user_policy, policy_arn=ANY_POLICY, user_name=user_name),
    }


def permissions_tab(request: HttpRequest, user: User) -> dict[str, Any]:
    """Every policy that applies, and the boundary."""
    caller, named, bound = caller_of(request), {"user_name": user.user_name}, user.boundary
    bounding = {"policy_arn": bound.arn, "version_id": bound.default_version_id} if bound else None
    return {
        "policies": applied.of_user(caller, user),
        "boundary": bound,
        "boundary_kind": kind_of(bound) if bound else "",
        "boundary_document": part(caller, get_policy_version, **bounding) if bounding else None,
        **_may_give(caller, user.label),
        "may_put": may(caller, put_user_policy, **named),
        "may_delete_policy": may(caller, delete_user_policy, **named),
        "may_bound": may_some(caller, put_user_permissions_boundary, permissions_boundary=ANY_POLICY, **named),
        "may_unbound": may(caller, delete_user_permissions_boundary, **named),
    }


def groups_tab(request: HttpRequest, user: User) -> dict[str, Any]:
    """The groups the user is in, each with the policies attached to it."""
    caller, named = caller_of(request), {"user_name": user.user_name}
    groups = part(caller, list_groups_for_user, **named)
    rows = [
        (
            group,
            part(caller, list_attached_group_policies, group_name=group.group_name),
            may(caller, remove_user_from_group, group_name=group.group_name, **named),
        )
        for group in (groups.value.items if groups.value else [])
    ]
    return {
        "groups": groups,
        "rows": rows,
        "may_join": may_some(caller, add_user_to_group, group_name="*", **named),
        "may_leave": may_some(caller, remove_user_from_group, group_name="*", **named),
    }


@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest, user_name: str) -> HttpResponse:
    """Add to groups, copy another user's permissions, or attach policies."""
    caller = caller_of(request)
    user = get_user(caller, user_name=user_name)
    form = PermissionsForm(request.POST or None, caller=caller, initial={"how": request.GET.get("how", "groups")})
    if not form.is_search and submitted(
        request, form, lambda data: add_user_permissions(caller, user_name=user_name, **given(data))
    ):
        messages.success(request, "The permissions are added, and in force from the next request on.")
        return redirect(_tab(user_name, "permissions"))
    may_create = may_some(caller, create_group, group_name="*")
    context = {"form": form, "user_shown": user, "may_create_group": may_create} | _may_give(caller, user_name)
    return render(request, "user_permissions_add.html", context)


@require_POST
def detach(request: HttpRequest, user_name: str) -> HttpResponse:
    """Take a managed policy off the user."""
    policy_arn = request.POST.get("policy_arn", "")
    detach_user_policy(caller_of(request), user_name=user_name, policy_arn=policy_arn)
    messages.success(request, f"Policy {policy_arn.rpartition('/')[2]} is detached from {user_name}.")
    return redirect(_tab(user_name, "permissions"))


@require_POST
def leave(request: HttpRequest, user_name: str) -> HttpResponse:
    """Take the user out of a group."""
    group_name = request.POST.get("group_name", "")
    remove_user_from_group(caller_of(request), user_name=user_name, group_name=group_name)
    messages.success(request, f"{user_name} is no longer in group {group_name}.")
    return redirect(_tab(user_name, "groups"))


@require_http_methods(["GET", "HEAD", "POST"])
def boundary(request: HttpRequest, user_name: str) -> HttpResponse:
    """Set, change or remove the permissions boundary."""
    caller = caller_of(request)
    user = get_user(caller, user_name=user_name)
    if "delete" in request.POST:
        delete_user_permissions_boundary(caller, user_name=user_name)
        messages.success(request, "The permissions boundary is removed: all that the policies allow is allowed now.")
        return redirect(_tab(user_name, "permissions"))
    form = BoundaryForm(request.POST or None, initial={"permissions_boundary": user.boundary_arn})
    if submitted(request, form, lambda data: put_user_permissions_boundary(caller, user_name=user_name, **data)):
        messages.success(request, "The permissions boundary is set.")
        return redirect(_tab(user_name, "permissions"))
    context = {
        "form": form,
        "user_shown": user,
        "arns_of_policies": arns_of_own_policies(caller),
        "may": may_some(caller, put_user_permissions_boundary, permissions_boundary=ANY_POLICY, user_name=user_name),
        "may_unbound": may(caller, delete_user_permissions_boundary, user_name=user_name),
    }
    return render(request, "user_boundary.html", context)
