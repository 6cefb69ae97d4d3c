"""Whom a managed policy is attached to: attach it, detach it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.caller import Caller
from accounts.operations.groups import list_groups
from accounts.operations.users import list_users
from accounts.signin import caller_of
from iamconsole.forms import ConsoleForm, Part, may, submitted
from iamconsole.operation import Operation
from iamconsole.paging import Page
from permissions.models import ManagedPolicy
from permissions.operations.attachments import (
    attach_group_policy,
    attach_user_policy,
    detach_group_policy,
    detach_user_policy,
)
from permissions.operations.managed import get_policy
from permissions.review import Affected, affected_by
from permissions.views.managed import address_of

SHOWN = 20
PER_PAGE = 1000


@dataclass(frozen=True)
class _Kind:
    """Users or groups: how they are listed, attached to and named."""

    name: str
    listing: Operation[Page[Any]]
    attach: Operation[None]
    attached: Callable[[Affected], set[str]]

    @property
    def parameter(self) -> str:
        """The parameter, and the attribute, that holds the name."""
        return f"{self.name}_name"


KINDS = (
    _Kind("group", list_groups, attach_group_policy, lambda each: {one.group.group_name for one in each.groups}),
    _Kind("user", list_users, attach_user_policy, lambda each: {str(one.user_name) for one in each.users}),
)


@dataclass(frozen=True)
class Choice:
    """A user or group to attach to: whether it is done already, and whether the caller may."""

    name: str
    attached: bool
    may: Part[None]


@dataclass(frozen=True)
class Choices:
    """The users or groups that were found. ``listing`` says whether the caller may see them."""

    kind: str
    listing: Part[None]
    found: list[Choice]
    more: bool


@require_http_methods(["GET", "HEAD", "POST"])
def attach(request: HttpRequest, policy_arn: str) -> HttpResponse:
    """Choose a user or a group, by a part of the name, and attach the policy."""
    caller = caller_of(request)
    policy = get_policy(caller, policy_arn=policy_arn)
    form = ConsoleForm(request.POST if request.method == "POST" else None)
    chosen = [(kind, name) for kind in KINDS if (name := request.POST.get(kind.parameter))]
    if chosen and submitted(request, form, lambda data: _attach(caller, policy_arn, *chosen[0])):
        messages.success(request, f"Policy {policy.policy_name} is attached to {chosen[0][0].name} {chosen[0][1]}.")
        return redirect(address_of(policy_arn, "entities"))
    text = request.GET.get("q", "").strip()
    choices = [_choices(caller, kind, policy, text) for kind in KINDS]
    return render(request, "policy_attach.html", {"form": form, "policy": policy, "choices": choices, "text": text})


def _attach(caller: Caller, policy_arn: str, kind: _Kind, name: str) -> None:
    kind.attach(caller, policy_arn=policy_arn, **{kind.parameter: name})


def _choices(caller: Caller, kind: _Kind, policy: ManagedPolicy, text: str) -> Choices:
    listing = may(caller, kind.listing)
    if not listing.allowed:
        return Choices(kind.name, listing, [], more=False)
    affected = affected_by(caller, policy).value
    attached = kind.attached(affected) if affected else set()
    names = list(islice(_names(caller, kind, text.lower()), SHOWN + 1))
    found = [
        Choice(name, name in attached, may(caller, kind.attach, policy_arn=policy.arn, **{kind.parameter: name}))
        for name in names[:SHOWN]
    ]
    return Choices(kind.name, listing, found, more=len(names) > SHOWN)


def _names(caller: Caller, kind: _Kind, text: str) -> Iterator[str]:
    """The names that hold the text, page after page of the listing."""
    marker: str | None = None
    while True:
        page = kind.listing(caller, max_items=PER_PAGE, marker=marker)
        yield from (name for each in page.items if text in (name := str(getattr(each, kind.parameter))).lower())
        marker = page.marker
        if marker is None:
            return


@require_http_methods(["GET", "HEAD", "POST"])
def detach_from_user(request: HttpRequest, policy_arn: str, user_name: str) -> HttpResponse:
    """Take the policy off a user, after a page that says so."""
    return _detach(request, policy_arn, "user", user_name, detach_user_policy)


@require_http_methods(["GET", "HEAD", "POST"])
def detach_from_group(request: HttpRequest, policy_arn: str, group_name: str) -> HttpResponse:
    """Take the policy off a group, after a page that says so."""
    return _detach(request, policy_arn, "group", group_name, detach_group_policy)


def _detach(request: HttpRequest, policy_arn: str, kind: str, name: str, detach: Operation[None]) -> HttpResponse:
    caller, named = caller_of(request), {"policy_arn": policy_arn, f"{kind}_name": name}
    policy = get_policy(caller, policy_arn=policy_arn)
    form = ConsoleForm(request.POST if request.method == "POST" else None)
    if submitted(request, form, lambda data: detach(caller, **named)):
        messages.success(request, f"Policy {policy.policy_name} is no longer attached to {kind} {name}.")
        return redirect(address_of(policy_arn, "entities"))
    context = {"form": form, "policy": policy, "kind": kind, "name": name, "may": may(caller, detach, **named)}
    return render(request, "policy_detach.html", context)
