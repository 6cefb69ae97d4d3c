"""What somebody should see before a policy that is in use changes: who is affected, and what changes for them."""

from dataclasses import dataclass
from typing import Any

from accounts.caller import Caller
from accounts.models import Group, User
from accounts.operations.groups import get_group
from iamconsole.forms import Part, part
from permissions import language
from permissions.advice import Advice, advise
from permissions.comparison import Flip, conditions_differ, flips
from permissions.models import ManagedPolicy
from permissions.operations.attachments import list_entities_for_policy
from permissions.summary import Line, summarise

MOST = 1000  # the most that one page of an answer holds
MOST_GROUPS = 50  # groups whose members are counted


@dataclass(frozen=True)
class AffectedGroup:
    """A group, with its members as far as the caller may see them."""

    group: Group
    members: Part[dict[str, Any]]


@dataclass(frozen=True)
class Affected:
    """Whom a policy reaches: the users and groups it is attached to, and the users it bounds."""

    users: list[User]
    bounded: list[User]
    groups: list[AffectedGroup]
    more: bool = False

    @property
    def attached(self) -> int:
        """How many it is attached to."""
        return len(self.users) + len(self.groups)

    @property
    def nobody(self) -> bool:
        """Whether it reaches no one."""
        return not (self.users or self.bounded or self.groups)


@dataclass(frozen=True)
class Review:
    """The page before the change. ``affected`` may be more than the caller may see."""

    affected: Part[Affected]
    advice: Advice
    summary: list[Line]
    flips: list[Flip]
    conditions_differ: bool


def affected_by(caller: Caller, policy: ManagedPolicy, *, most: int = MOST) -> Part[Affected]:
    """Whom the policy reaches, if the caller may know."""
    asked = {"policy_arn": policy.arn, "max_items": most}
    attached = part(caller, list_entities_for_policy, policy_usage_filter="PermissionsPolicy", **asked)
    if not attached.allowed or attached.value is None:
        return Part(attached.allowed, attached.action, attached.resource)
    bounded = part(caller, list_entities_for_policy, policy_usage_filter="PermissionsBoundary", **asked).value or {}
    affected = Affected(
        users=list(attached.value["policy_users"]),
        bounded=list(bounded.get("policy_users", [])),
        groups=[members_of(caller, group) for group in attached.value["policy_groups"][:MOST_GROUPS]],
        more=bool(
            attached.value["marker"] or bounded.get("marker") or len(attached.value["policy_groups"]) > MOST_GROUPS
        ),
    )
    return Part(True, attached.action, attached.resource, affected)


def members_of(caller: Caller, group: Group) -> AffectedGroup:
    """A group that is affected, with its members."""
    return AffectedGroup(group, part(caller, get_group, group_name=group.group_name, max_items=MOST))


def review_of(caller: Caller, policy: ManagedPolicy, old: str, new: str) -> Review | None:
    """What a managed policy's new document changes; None when the policy is in no one's use."""
    if not (policy.attachment_count or policy.permissions_boundary_usage_count):
        return None
    return compared(affected_by(caller, policy), old, new)


def compared(affected: Part[Affected], old: str, new: str) -> Review:
    """What changes between two documents that are policies."""
    before, after = language.parse(old), language.parse(new)
    return Review(
        affected=affected,
        advice=advise(new),
        summary=summarise(after),
        flips=flips(before, after),
        conditions_differ=conditions_differ(before, after),
    )
