"""The pages of managed policies: create, the policy page with its tabs, delete, tags."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.caller import Caller
from accounts.quotas import quota_of
from accounts.signin import caller_of
from accounts.tags import Tag
from audit.views.trail import activity
from iamconsole.forms import Part, either, may, may_some, part, submitted
from permissions import language
from permissions.editor import opened
from permissions.forms import EXAMPLE, CreatePolicyForm, DeletePolicyForm, TagForm
from permissions.models import ManagedPolicy
from permissions.operations.attachments import (
    attach_group_policy,
    attach_user_policy,
    detach_group_policy,
    detach_user_policy,
)
from permissions.operations.managed import create_policy, delete_policy, get_policy
from permissions.operations.policy_tags import list_policy_tags, tag_policy, untag_policy
from permissions.operations.versions import (
    create_policy_version,
    delete_policy_version,
    get_policy_version,
    list_policy_versions,
    set_default_policy_version,
)
from permissions.review import Affected, affected_by
from permissions.summary import Line, summarise
from permissions.views import last_accessed

TABS = (
    ("permissions", "Permissions"),
    ("entities", "Entities attached"),
    ("versions", "Versions"),
    ("tags", "Tags"),
    ("last-accessed", "Last accessed"),
    ("activity", "Activity"),
)
OF_REQUEST = ("last-accessed", "activity")
EMPTY_TAG_ROWS = 3
MOST_ENTITIES = 100
LONG = 300  # lines of a document that is folded


@dataclass(frozen=True)
class Tab:
    """One of the policy page's tabs."""

    label: str
    url: str
    current: bool


def address_of(policy_arn: str, tab: str = "permissions") -> str:
    """A tab of a policy's page."""
    return f"{reverse('admin:permissions_managedpolicy_change', args=[policy_arn])}?tab={tab}"


@lru_cache(maxsize=256)
def summary_of(document: str) -> list[Line]:
    """What a stored document gives and takes. AWS's largest take a while."""
    return summarise(language.parse(document))


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Write a new policy, from nothing or from a copy of another one."""
    caller, quota = caller_of(request), quota_of(caller_of(request).account, "PolicySize")
    editor = opened(request, CreatePolicyForm, initial={"policy_document": _copied(request)}, quota=quota)
    rows = _tag_rows(request)
    if editor.saves(request, lambda data: create_policy(caller, **_given(data, rows))):
        messages.success(
            request, f"Policy {editor.form.cleaned_data['policy_name']} is created. Attach it to put it in force."
        )
        return redirect("admin:permissions_managedpolicy_changelist")
    context = {
        "editor": editor,
        "form": editor.form,
        "may": may_some(caller, create_policy, policy_name="*"),
        "rows": rows,
    }
    return render(request, "policy_create.html", context | {"empty_rows": [{}] * EMPTY_TAG_ROWS})


def _copied(request: HttpRequest) -> str:
    """The document to begin with: that of the policy that is copied, if any."""
    policy_arn = request.GET.get("copy")
    if not policy_arn:
        return EXAMPLE
    caller = caller_of(request)
    policy = get_policy(caller, policy_arn=policy_arn)
    return get_policy_version(caller, policy_arn=policy_arn, version_id=policy.default_version_id).document


def _tag_rows(request: HttpRequest) -> list[Tag]:
    pairs = zip(request.POST.getlist("tag_key"), request.POST.getlist("tag_value"), strict=False)
    return [{"key": key, "value": value} for key, value in pairs if key]


def _given(data: dict[str, Any], rows: list[Tag]) -> dict[str, Any]:
    """The parameters of CreatePolicy: what was left empty is not given."""
    return {name: value for name, value in {**data, "tags": rows}.items() if value}


@require_safe
def page(request: HttpRequest, policy_arn: str) -> HttpResponse:
    """One policy: a summary and the chosen tab. Parts the caller may not read say which permission is missing."""
    caller = caller_of(request)
    policy = get_policy(caller, policy_arn=policy_arn)
    tab = request.GET.get("tab", "permissions")
    tab = tab if tab in dict(TABS) else "permissions"
    tabs = [Tab(label, address_of(policy_arn, name), name == tab) for name, label in TABS]
    shown = _of_request(request, policy) if tab in OF_REQUEST else _TAB[tab](caller, policy)
    context = {"policy": policy, "tab": tab, "tabs": tabs, **_buttons(caller, policy), **shown}
    return render(request, "policy.html", context)


def _buttons(caller: Caller, policy: ManagedPolicy) -> dict[str, Any]:
    return {
        "may_create": may_some(caller, create_policy, policy_name="*"),
        "may_edit": may(caller, create_policy_version, policy_arn=policy.arn),
        "may_delete": may(caller, delete_policy, policy_arn=policy.arn),
    }


def _of_request(request: HttpRequest, policy: ManagedPolicy) -> dict[str, Any]:
    """A tab that reads the request too."""
    if request.GET["tab"] == "activity":
        return activity(request, policy.policy_id)
    return last_accessed.tab(request, policy)


def _permissions_tab(caller: Caller, policy: ManagedPolicy) -> dict[str, Any]:
    version = part(caller, get_policy_version, policy_arn=policy.arn, version_id=policy.default_version_id)
    document = version.value.document if version.value else ""
    return {
        "version": version,
        "summary": summary_of(document) if document else [],
        "is_long": document.count("\n") > LONG,
    }


def _entities_tab(caller: Caller, policy: ManagedPolicy) -> dict[str, Any]:
    affected = affected_by(caller, policy, most=MOST_ENTITIES)
    them = affected.value or Affected([], [], [])
    named = {"policy_arn": policy.arn}
    return {
        "affected": affected,
        "users": [(user, may(caller, detach_user_policy, user_name=user.user_name, **named)) for user in them.users],
        "groups": [
            (each, may(caller, detach_group_policy, group_name=each.group.group_name, **named)) for each in them.groups
        ],
        "may_attach": either(
            may_some(caller, attach_user_policy, user_name="*", **named),
            may_some(caller, attach_group_policy, group_name="*", **named),
        ),
    }


def _versions_tab(caller: Caller, policy: ManagedPolicy) -> dict[str, Any]:
    named = {"policy_arn": policy.arn}
    return {
        "versions": part(caller, list_policy_versions, **named),
        "most": quota_of(caller.account, "VersionsPerPolicy"),
        "may_read": may(caller, get_policy_version, **named),
        "may_set": may(caller, set_default_policy_version, **named),
        "may_delete_version": may(caller, delete_policy_version, **named),
    }


def _tags_tab(caller: Caller, policy: ManagedPolicy) -> dict[str, Any]:
    named = {"policy_arn": policy.arn}
    return {"policy_tags": part(caller, list_policy_tags, **named), "may_tag": _may_tag(caller, named)}


_TAB = {
    "permissions": _permissions_tab,
    "entities": _entities_tab,
    "versions": _versions_tab,
    "tags": _tags_tab,
}


@require_http_methods(["GET", "HEAD", "POST"])
def tags(request: HttpRequest, policy_arn: str) -> HttpResponse:
    """Set and remove the tags of a policy, one at a time."""
    caller = caller_of(request)
    policy = get_policy(caller, policy_arn=policy_arn)
    gone = request.POST.get("remove")
    form = TagForm(request.POST if request.method == "POST" else None)
    if gone:
        untag_policy(caller, policy_arn=policy_arn, tag_keys=[gone])
    if gone or submitted(request, form, lambda data: tag_policy(caller, policy_arn=policy_arn, tags=[form.tag])):
        messages.success(request, f"The tag {gone} is removed." if gone else "The tag is saved.")
        return redirect("admin:policy-tags", policy_arn)
    return render(request, "policy_tags.html", {"form": form, "policy": policy, **_tag_page(caller, policy_arn)})


def _tag_page(caller: Caller, policy_arn: str) -> dict[str, Any]:
    named = {"policy_arn": policy_arn}
    return {
        "policy_tags": part(caller, list_policy_tags, **named),
        "may": may_some(caller, tag_policy, **named),
        "may_untag": may_some(caller, untag_policy, **named),
    }


def _may_tag(caller: Caller, named: dict[str, str]) -> Part[None]:
    return either(may_some(caller, tag_policy, **named), may_some(caller, untag_policy, **named))


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, policy_arn: str) -> HttpResponse:
    """Delete a policy that nobody uses, after its name is typed; else say what stands in the way."""
    caller = caller_of(request)
    policy = get_policy(caller, policy_arn=policy_arn)
    form = DeletePolicyForm(request.POST or None, name=policy.policy_name)
    if submitted(request, form, lambda data: delete_policy(caller, policy_arn=policy_arn)):
        messages.success(request, f"Policy {policy.policy_name} is deleted.")
        return redirect("admin:permissions_managedpolicy_changelist")
    return render(
        request, "policy_delete_managed.html", {"form": form, "policy": policy, **_in_the_way(caller, policy)}
    )


def _in_the_way(caller: Caller, policy: ManagedPolicy) -> dict[str, Any]:
    """What keeps a policy from being deleted."""
    return {
        "versions": part(caller, list_policy_versions, policy_arn=policy.arn),
        "affected": affected_by(caller, policy),
        "may": may(caller, delete_policy, policy_arn=policy.arn),
        "back": reverse("admin:permissions_managedpolicy_change", args=[policy.arn]),
    }
