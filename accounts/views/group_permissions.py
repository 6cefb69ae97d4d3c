"""What a group allows its users: attach several managed policies at once, detach one."""

from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.choices import policies_to_attach
from accounts.forms import PoliciesForm
from accounts.operations.groups import get_group
from accounts.signin import caller_of
from accounts.views.groups import ANY_POLICY
from iamconsole.forms import may_some, one_by_one, submitted
from permissions.operations.attachments import attach_group_policy, detach_group_policy


def _tab(group_name: str) -> str:
    return f"{reverse('admin:accounts_group_change', args=[group_name])}?tab=permissions"


@require_http_methods(["GET", "HEAD", "POST"])
def attach(request: HttpRequest, group_name: str) -> HttpResponse:
    """Tick policies, which are attached one after the other."""
    caller, form = caller_of(request), PoliciesForm(request.POST or None)
    group = get_group(caller, group_name=group_name, max_items=1)["group"]
    put = partial(attach_group_policy, caller, group_name=group_name)

    def act(data: dict[str, list[str]]) -> None:
        one_by_one(request, data["policy_arns"], lambda arn: put(policy_arn=arn), "Attached to the group: {}.")

    if not form.is_search and submitted(request, form, act):
        return redirect(_tab(group_name))
    context = {
        "form": form,
        "group": group,
        "policies": policies_to_attach(caller, form.searched, form["policy_arns"].value() or ()),
        "may": may_some(caller, attach_group_policy, group_name=group_name, policy_arn=ANY_POLICY),
    }
    return render(request, "group_policies_attach.html", context)


@require_POST
def detach(request: HttpRequest, group_name: str) -> HttpResponse:
    """Take a managed policy off the group."""
    policy_arn = request.POST.get("policy_arn", "")
    detach_group_policy(caller_of(request), group_name=group_name, policy_arn=policy_arn)
    messages.success(request, f"Policy {policy_arn.rpartition('/')[2]} is detached from the group.")
    return redirect(_tab(group_name))
