"""The page of the account's password policy: choose, see whom it would touch, confirm."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.caller import Caller
from accounts.signin import caller_of
from credentials.forms import PasswordPolicyForm
from credentials.models import PasswordPolicy
from credentials.operations.password_policies import (
    delete_account_password_policy,
    get_account_password_policy,
    preview_account_password_policy,
    update_account_password_policy,
)
from credentials.passwords import rules_of
from iamconsole.forms import Part, may, part, submitted


@require_http_methods(["GET", "HEAD", "POST"])
def manage(request: HttpRequest) -> HttpResponse:
    """Choose a policy; ``step`` is preview, review (the page that asks once more) or save."""
    caller, step = caller_of(request), request.POST.get("step")
    held = part(caller, get_account_password_policy)
    policy = held.value["password_policy"] if held.value else None
    form = PasswordPolicyForm.showing(request.POST or None, policy)
    if step == "save" and submitted(request, form, lambda data: _save(caller, form.chosen())):
        messages.success(
            request, "The password policy is set." if form.chosen() else "The IAM default policy holds again."
        )
        return redirect("admin:password-policy")
    context = {
        "form": form,
        "held": held,
        "policy": policy,
        "rules": rules_of(policy, caller.account),
        "may": may(caller, update_account_password_policy),
    }
    if not (step and form.is_valid()):
        return render(request, "password_policy.html", context)
    new = None if (chosen := form.chosen()) is None else PasswordPolicy(account=caller.account, **chosen)
    context |= {"new": new, "impact": _impact(caller, new), "new_rules": rules_of(new, caller.account)}
    return render(request, "password_policy_confirm.html" if step == "review" else "password_policy.html", context)


def _save(caller: Caller, chosen: Mapping[str, Any] | None) -> None:
    if chosen is None:
        delete_account_password_policy(caller)
    else:
        update_account_password_policy(caller, **chosen)


def _impact(caller: Caller, policy: PasswordPolicy | None) -> Part[dict[str, Any]]:
    return part(caller, preview_account_password_policy, max_password_age=policy.max_password_age if policy else None)
