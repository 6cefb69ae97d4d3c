"""Inline policies of a user: write, change, delete."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.operations.users import get_user
from accounts.signin import caller_of
from iamconsole.forms import ConsoleForm, may, submitted
from permissions.forms import PolicyForm
from permissions.operations.inline import delete_user_policy, get_user_policy, put_user_policy


def _permissions_tab(user_name: str) -> str:
    return f"{reverse('admin:accounts_user_change', args=[user_name])}?tab=permissions"


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, user_name: str, policy_name: str | None = None) -> HttpResponse:
    """Write a new policy, or change the one that is there."""
    caller = caller_of(request)
    user = get_user(caller, user_name=user_name)
    initial: dict[str, Any] = {}
    if policy_name is not None:
        policy = get_user_policy(caller, user_name=user_name, policy_name=policy_name)
        initial = {"policy_name": policy.policy_name, "policy_document": policy.policy_document}
    form = PolicyForm(request.POST or None, initial=initial)
    if policy_name is not None:
        form.fields["policy_name"].disabled = True
    if submitted(request, form, lambda data: put_user_policy(caller, user_name=user_name, **data)):
        messages.success(request, f"Policy {form.cleaned_data['policy_name']} is saved and in force.")
        return redirect(_permissions_tab(user_name))
    allowed = may(caller, put_user_policy, user_name=user_name)
    context = {"form": form, "user_shown": user, "policy_name": policy_name, "may": allowed}
    return render(request, "policy_edit.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, user_name: str, policy_name: str) -> HttpResponse:
    """Delete a policy, after a page that shows what goes."""
    caller = caller_of(request)
    policy = get_user_policy(caller, user_name=user_name, policy_name=policy_name)
    form = ConsoleForm(request.POST if request.method == "POST" else None)
    if submitted(request, form, lambda data: delete_user_policy(caller, user_name=user_name, policy_name=policy_name)):
        messages.success(request, f"Policy {policy.policy_name} is deleted.")
        return redirect(_permissions_tab(user_name))
    allowed = may(caller, delete_user_policy, user_name=user_name)
    context = {"form": form, "user_shown": policy.user, "policy": policy, "may": allowed}
    return render(request, "policy_delete.html", context)
