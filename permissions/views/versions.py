"""The versions of a managed policy: write another, read, compare, put in force, delete."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.caller import Caller
from accounts.quotas import quota_of
from accounts.signin import caller_of
from iamconsole.forms import ConsoleForm, may, part, submitted
from permissions.comparison import diff
from permissions.editor import opened
from permissions.forms import VersionForm
from permissions.models import ManagedPolicy, PolicyVersion
from permissions.operations.managed import get_policy
from permissions.operations.versions import (
    create_policy_version,
    delete_policy_version,
    get_policy_version,
    list_policy_versions,
    set_default_policy_version,
)
from permissions.review import Review, affected_by, compared, review_of
from permissions.views.managed import address_of, summary_of


def _in_force(caller: Caller, policy: ManagedPolicy) -> PolicyVersion:
    return get_policy_version(caller, policy_arn=policy.arn, version_id=policy.default_version_id)


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest, policy_arn: str) -> HttpResponse:
    """Write another version, from the one in force. Where somebody is affected, they are shown first."""
    caller, named = caller_of(request), {"policy_arn": policy_arn}
    policy = get_policy(caller, **named)
    old = _in_force(caller, policy).document
    editor = opened(request, VersionForm, initial=_initial(old), quota=quota_of(caller.account, "PolicySize"))
    if editor.saves(request, lambda data: create_policy_version(caller, **named, **data), _review(caller, policy, old)):
        messages.success(request, f"A new version of {policy.policy_name} is saved.")
        return redirect(address_of(policy_arn, "versions"))
    context = {"editor": editor, "form": editor.form, "may": may(caller, create_policy_version, **named)}
    return render(request, "policy_version_create.html", {"policy": policy, **context})


def _initial(document: str) -> dict[str, Any]:
    return {"policy_document": document, "set_as_default": True}


def _review(caller: Caller, policy: ManagedPolicy, old: str) -> Callable[[dict[str, Any]], Review | None]:
    """What a version that is put in force at once changes for somebody."""
    return lambda data: review_of(caller, policy, old, data["policy_document"]) if data["set_as_default"] else None


@require_safe
def page(request: HttpRequest, policy_arn: str, version_id: str) -> HttpResponse:
    """One version: its document, and what it gives and takes."""
    caller = caller_of(request)
    policy = get_policy(caller, policy_arn=policy_arn)
    version = get_policy_version(caller, policy_arn=policy_arn, version_id=version_id)
    context = {"policy": policy, "version": version, "summary": summary_of(version.document)}
    return render(request, "policy_version.html", context)


@require_safe
def compare(request: HttpRequest, policy_arn: str) -> HttpResponse:
    """Two versions, line by line: ``?from=v1&to=v2``, by default the one in force with the newest."""
    caller, named = caller_of(request), {"policy_arn": policy_arn}
    policy = get_policy(caller, **named)
    chosen = (
        request.GET.get("from") or policy.default_version_id,
        request.GET.get("to") or f"v{policy.latest_version_number}",
    )
    old, new = (get_policy_version(caller, version_id=each, **named) for each in chosen)
    context = {"policy": policy, "versions": part(caller, list_policy_versions, **named), **_differences(old, new)}
    return render(request, "policy_compare.html", context)


def _differences(old: PolicyVersion, new: PolicyVersion) -> dict[str, Any]:
    lines = diff(old.document, new.document, names=(old.version_id, new.version_id))
    return {"old": old, "new": new, "lines": lines}


@require_http_methods(["GET", "HEAD", "POST"])
def put_in_force(request: HttpRequest, policy_arn: str, version_id: str) -> HttpResponse:
    """Put a version in force, an older one to go back, after a page that shows what changes for whom."""
    caller, named = caller_of(request), {"policy_arn": policy_arn, "version_id": version_id}
    policy = get_policy(caller, policy_arn=policy_arn)
    shown = _change(caller, policy, get_policy_version(caller, **named))
    form = ConsoleForm(request.POST if request.method == "POST" else None)
    if submitted(request, form, lambda data: set_default_policy_version(caller, **named)):
        messages.success(request, f"Version {version_id} of {policy.policy_name} is in force.")
        return redirect(address_of(policy_arn, "versions"))
    context = {"form": form, "policy": policy, "may": may(caller, set_default_policy_version, **named), **shown}
    return render(request, "policy_version_default.html", context)


def _change(caller: Caller, policy: ManagedPolicy, new: PolicyVersion) -> dict[str, Any]:
    """What putting a version in force changes, and for whom."""
    old = _in_force(caller, policy)
    review = compared(affected_by(caller, policy), old.document, new.document)
    return {"review": review, **_differences(old, new)}


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, policy_arn: str, version_id: str) -> HttpResponse:
    """Delete a version that is not in force, after a page that shows it."""
    caller, named = caller_of(request), {"policy_arn": policy_arn, "version_id": version_id}
    policy = get_policy(caller, policy_arn=policy_arn)
    version = get_policy_version(caller, **named)
    form = ConsoleForm(request.POST if request.method == "POST" else None)
    if submitted(request, form, lambda data: delete_policy_version(caller, **named)):
        messages.success(request, f"Version {version_id} of {policy.policy_name} is deleted.")
        return redirect(address_of(policy_arn, "versions"))
    allowed = may(caller, delete_policy_version, **named)
    context = {"form": form, "policy": policy, "version": version, "may": allowed}
    return render(request, "policy_version_delete.html", context)
