"""Inline policies of a user and of a group: write, change, delete."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.caller import Caller
from accounts.models import Group
from accounts.operations.groups import get_group
from accounts.operations.users import get_user
from accounts.quotas import quota_of
from accounts.signin import caller_of
from iamconsole.forms import ConsoleForm, Part, may, submitted
from iamconsole.operation import Operation
from permissions.editor import Editor, opened
from permissions.forms import EXAMPLE, DocumentForm, InlinePolicyForm
from permissions.models import GroupPolicy, UserPolicy
from permissions.operations.inline import (
    delete_group_policy,
    delete_user_policy,
    get_group_policy,
    get_user_policy,
    put_group_policy,
    put_user_policy,
)
from permissions.review import Affected, Review, compared, members_of


@dataclass(frozen=True)
class _Owner:
    """Whose inline policies they are: the operations on them, and where one comes from."""

    kind: str
    name: str
    address: str
    size_quota: str
    put: Operation[Any]
    get: Operation[Any]
    delete: Operation[Any]
    review: Callable[[Caller, str, str], Review | None]

    @property
    def named(self) -> dict[str, str]:
        """The owner as a parameter of the operations."""
        return {f"{self.kind}_name": self.name}


def _user(caller: Caller, user_name: str) -> _Owner:
    user = get_user(caller, user_name=user_name)
    return _Owner(
        "user",
        str(user.user_name),
        f"{reverse('admin:accounts_user_change', args=[user_name])}?tab=permissions",
        "UserPolicySize",
        put_user_policy,
        get_user_policy,
        delete_user_policy,
        lambda caller, old, new: None,
    )


def _group(caller: Caller, group_name: str) -> _Owner:
    group: Group = get_group(caller, group_name=group_name, max_items=1)["group"]
    return _Owner(
        "group",
        group.group_name,
        _page_of(group),
        "GroupPolicySize",
        put_group_policy,
        get_group_policy,
        delete_group_policy,
        lambda caller, old, new: _review(caller, group, old, new),
    )


def _page_of(group: Group) -> str:
    return f"{reverse('admin:accounts_group_change', args=[group.group_name])}?tab=permissions"


def _review(caller: Caller, group: Group, old: str, new: str) -> Review | None:
    """What changes for the members of a group; None when it has none."""
    members = members_of(caller, group)
    if not (members.members.value and members.members.value["users"]):
        return None
    affected = Part(True, get_group.action, group.arn, Affected([], [], [members]))
    return compared(affected, old, new)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, user_name: str, policy_name: str | None = None) -> HttpResponse:
    """Write a new policy of a user, or change the one that is there."""
    return _edit(request, _user(caller_of(request), user_name), policy_name)


@require_http_methods(["GET", "HEAD", "POST"])
def edit_of_group(request: HttpRequest, group_name: str, policy_name: str | None = None) -> HttpResponse:
    """Write a new policy of a group, or change the one that is there."""
    return _edit(request, _group(caller_of(request), group_name), policy_name)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, user_name: str, policy_name: str) -> HttpResponse:
    """Delete a policy of a user, after a page that shows what goes."""
    return _delete(request, _user(caller_of(request), user_name), policy_name)


@require_http_methods(["GET", "HEAD", "POST"])
def delete_of_group(request: HttpRequest, group_name: str, policy_name: str) -> HttpResponse:
    """Delete a policy of a group, after a page that shows what goes."""
    return _delete(request, _group(caller_of(request), group_name), policy_name)


def _edit(request: HttpRequest, owner: _Owner, policy_name: str | None) -> HttpResponse:
    caller = caller_of(request)
    policy = owner.get(caller, policy_name=policy_name, **owner.named) if policy_name is not None else None
    editor = _editor(request, owner, policy)
    named = {**owner.named, **({"policy_name": policy.policy_name} if policy else {})}
    if editor.saves(request, lambda data: owner.put(caller, **named, **data), _review_of(caller, owner, policy)):
        name = named.get("policy_name") or editor.form.cleaned_data["policy_name"]
        messages.success(request, f"Policy {name} is saved and in force.")
        return redirect(owner.address)
    context = {"editor": editor, "form": editor.form, "may": may(caller, owner.put, **owner.named)}
    return render(request, "policy_edit.html", {"owner": owner, "policy_name": policy_name, **context})


def _editor(request: HttpRequest, owner: _Owner, policy: UserPolicy | GroupPolicy | None) -> Editor:
    return opened(
        request,
        DocumentForm if policy else InlinePolicyForm,
        initial={"policy_document": policy.policy_document if policy else EXAMPLE},
        quota=quota_of(caller_of(request).account, owner.size_quota),
    )


def _review_of(
    caller: Caller, owner: _Owner, policy: UserPolicy | GroupPolicy | None
) -> Callable[[dict[str, Any]], Review | None]:
    """What a policy's new document changes; nothing to look at when the policy is new."""
    return lambda data: owner.review(caller, policy.policy_document, data["policy_document"]) if policy else None


def _delete(request: HttpRequest, owner: _Owner, policy_name: str) -> HttpResponse:
    caller = caller_of(request)
    named = {"policy_name": policy_name, **owner.named}
    policy = owner.get(caller, **named)
    form = ConsoleForm(request.POST if request.method == "POST" else None)
    if submitted(request, form, lambda data: owner.delete(caller, **named)):
        messages.success(request, f"Policy {policy.policy_name} is deleted.")
        return redirect(owner.address)
    allowed = may(caller, owner.delete, **owner.named)
    return render(request, "policy_delete.html", {"form": form, "owner": owner, "policy": policy, "may": allowed})
