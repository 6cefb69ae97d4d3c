"""The policies that apply to a user or a group, for a page: each with where it comes from and its text, as far as readable."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from accounts.caller import Caller
from accounts.choices import kind_of
from accounts.models import Group, User
from accounts.operations.groups import list_groups_for_user
from iamconsole.forms import Part, may, part
from iamconsole.operation import Operation
from iamconsole.paging import Page
from permissions.models import ManagedPolicy
from permissions.operations.attachments import (
    detach_group_policy,
    detach_user_policy,
    list_attached_group_policies,
    list_attached_user_policies,
)
from permissions.operations.inline import (
    get_group_policy,
    get_user_policy,
    list_group_policies,
    list_user_policies,
)
from permissions.operations.versions import get_policy_version


@dataclass(frozen=True)
class Applied:
    """One policy. ``via`` is the group it comes by, if any; ``arn`` is a managed policy's; ``detach`` whether one may."""

    name: str
    kind: str
    document: Part[Any]
    via: str = ""
    arn: str = ""
    detach: Part[None] | None = None

    @property
    def text(self) -> str:
        """The document, as it was given."""
        value = self.document.value
        return str(getattr(value, "policy_document", None) or getattr(value, "document", "")) if value else ""


@dataclass(frozen=True)
class Policies:
    """What applies, and what the caller may not list of it."""

    rows: list[Applied]
    hidden: list[Part[Any]]

    @property
    def direct(self) -> bool:
        """Whether a managed policy is attached to the user and not to a group."""
        return any(row.arn and not row.via for row in self.rows)


def of_user(caller: Caller, user: User) -> Policies:
    """A user's own policies, then those of each group."""
    named = {"user_name": user.user_name}
    attached, inline = part(caller, list_attached_user_policies, **named), part(caller, list_user_policies, **named)
    groups = part(caller, list_groups_for_user, **named)
    rows = [*_managed(caller, attached, detach_user_policy, named), *_inline(caller, inline, get_user_policy, named)]
    hidden: list[Part[Any]] = [each for each in (attached, inline, groups) if not each.allowed]
    for group in groups.value.items if groups.value else []:
        through = of_group(caller, group, via=group.group_name)
        rows, hidden = rows + through.rows, hidden + through.hidden
    return Policies(rows, hidden)


def of_group(caller: Caller, group: Group, *, via: str = "") -> Policies:
    """A group's policies; ``via`` when they are told of a member."""
    named = {"group_name": group.group_name}
    attached, inline = part(caller, list_attached_group_policies, **named), part(caller, list_group_policies, **named)
    detach = None if via else detach_group_policy
    rows = [
        *_managed(caller, attached, detach, named, via=via),
        *_inline(caller, inline, get_group_policy, named, via=via),
    ]
    return Policies(rows, [each for each in (attached, inline) if not each.allowed])


def _managed(
    caller: Caller,
    listed: Part[Page[ManagedPolicy]],
    detach: Operation[None] | None,
    named: dict[str, Any],
    *,
    via: str = "",
) -> Iterator[Applied]:
    for policy in listed.value.items if listed.value else []:
        arn = {"policy_arn": policy.arn}
        document = part(caller, get_policy_version, **arn, version_id=policy.default_version_id)
        allowed = may(caller, detach, **named, **arn) if detach else None
        yield Applied(policy.policy_name, kind_of(policy), document, via, policy.arn, allowed)


def _inline(
    caller: Caller, listed: Part[Page[str]], get: Operation[Any], named: dict[str, Any], *, via: str = ""
) -> Iterator[Applied]:
    for name in listed.value.items if listed.value else []:
        yield Applied(name, "Inline", part(caller, get, **named, policy_name=name), via)
