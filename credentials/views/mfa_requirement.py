"""The page of the account's demand for MFA devices: choose, see whom it would touch, save."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.caller import Caller
from accounts.signin import caller_of
from credentials.device_forms import MFARequirementForm
from credentials.operations.mfa_requirements import (
    delete_mfa_requirement,
    get_mfa_requirement,
    preview_mfa_requirement,
    update_mfa_requirement,
)
from iamconsole.forms import may, part, submitted


@require_http_methods(["GET", "HEAD", "POST"])
def manage(request: HttpRequest) -> HttpResponse:
    """Choose; ``step`` is review, which shows the impact and asks once more, or save."""
    caller, step = caller_of(request), request.POST.get("step")
    held = part(caller, get_mfa_requirement)
    requirement = held.value["mfa_requirement"] if held.value else None
    initial = {"required": "yes", **requirement} if requirement else {"required": "no"}
    form = MFARequirementForm(request.POST or None, initial=initial)
    if step == "save" and submitted(request, form, lambda data: _save(caller, form.chosen())):
        messages.success(request, "MFA is required." if form.chosen() else "MFA is not required any more.")
        return redirect("admin:account")
    context = {"form": form, "held": held, "may": may(caller, update_mfa_requirement, start_date="2026-01-01")}
    if not (step == "review" and form.is_valid()):
        return render(request, "mfa_requirement.html", context)
    new = form.chosen()
    context |= {"new": new, "impact": part(caller, preview_mfa_requirement, **new) if new else None}
    return render(request, "mfa_requirement_confirm.html", context)


def _save(caller: Caller, chosen: Mapping[str, Any] | None) -> None:
    if chosen is None:
        delete_mfa_requirement(caller)
    else:
        update_mfa_requirement(caller, **chosen)
