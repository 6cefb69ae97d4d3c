"""Managed policies on users and groups: attach, detach, list from either side."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q

from accounts import targets as entities
from accounts.caller import Caller
from accounts.models import Group, User
from accounts.tags import RESOURCE_TAGS
from iamconsole.errors import NoSuchEntity
from iamconsole.operation import operation
from iamconsole.paging import Page
from permissions import steps, targets
from permissions.chained import Part, page_of
from permissions.models import AttachedGroupPolicy, AttachedUserPolicy, ManagedPolicy

USER_KEYS = ("iam:PolicyARN", "iam:PermissionsBoundary", *RESOURCE_TAGS)
GROUP_KEYS = ("iam:PolicyARN",)


@operation("iam:AttachUserPolicy", on=targets.attached_to_user, lock=True, changes_permissions=True, keys=USER_KEYS)
def attach_user_policy(caller: Caller, *, user: User, policy: ManagedPolicy) -> None:
    """Attach a managed policy to a user; nothing happens when it is. Raises LimitExceeded."""
    steps.attach_user_policy(user, policy)


@operation("iam:DetachUserPolicy", on=targets.detached_from_user, lock=True, changes_permissions=True, keys=USER_KEYS)
def detach_user_policy(caller: Caller, *, user: User, policy: ManagedPolicy) -> None:
    """Take a managed policy off a user. Raises NoSuchEntity when it is not attached."""
    deleted, _ = AttachedUserPolicy.objects.filter(user=user, policy=policy).delete()
    _require_attached(policy, deleted)


@operation("iam:ListAttachedUserPolicies", on=entities.user, reads=True, keys=RESOURCE_TAGS)
def list_attached_user_policies(
    caller: Caller, *, user: User, path_prefix: str = "/", max_items: int | None = None, marker: str | None = None
) -> Page[ManagedPolicy]:
    """The managed policies attached to the user, by name without regard to case."""
    policies = ManagedPolicy.objects.filter(attached_users__user=user).under(path_prefix)
    scope = f"ListAttachedUserPolicies {user.user_id} {path_prefix}"
    return Page.of_values(steps.by_name(policies), scope=scope, max_items=max_items, marker=marker)


@operation("iam:AttachGroupPolicy", on=targets.attached_to_group, lock=True, changes_permissions=True, keys=GROUP_KEYS)
def attach_group_policy(caller: Caller, *, group: Group, policy: ManagedPolicy) -> None:
    """Attach a managed policy to a group; nothing happens when it is. Raises LimitExceeded."""
    steps.attach_group_policy(group, policy)


@operation(
    "iam:DetachGroupPolicy", on=targets.detached_from_group, lock=True, changes_permissions=True, keys=GROUP_KEYS
)
def detach_group_policy(caller: Caller, *, group: Group, policy: ManagedPolicy) -> None:
    """Take a managed policy off a group. Raises NoSuchEntity when it is not attached."""
    deleted, _ = AttachedGroupPolicy.objects.filter(group=group, policy=policy).delete()
    _require_attached(policy, deleted)


@operation("iam:ListAttachedGroupPolicies", on=entities.group, reads=True)
def list_attached_group_policies(
    caller: Caller, *, group: Group, path_prefix: str = "/", max_items: int | None = None, marker: str | None = None
) -> Page[ManagedPolicy]:
    """The managed policies attached to the group, by name without regard to case."""
    policies = ManagedPolicy.objects.filter(attached_groups__group=group).under(path_prefix)
    scope = f"ListAttachedGroupPolicies {group.group_id} {path_prefix}"
    return Page.of_values(steps.by_name(policies), scope=scope, max_items=max_items, marker=marker)


def _require_attached(policy: ManagedPolicy, deleted: int) -> None:
    if not deleted:
        raise NoSuchEntity(targets.NOT_FOUND.format(policy_arn=policy.arn))


@operation("iam:ListEntitiesForPolicy", on=targets.used_policy, reads=True, keys=targets.TAGS)
def list_entities_for_policy(
    caller: Caller,
    *,
    policy: ManagedPolicy,
    entity_filter: str | None = None,
    path_prefix: str = "/",
    policy_usage_filter: str | None = None,
    max_items: int | None = None,
    marker: str | None = None,
) -> Mapping[str, Any]:
    """The groups and users of the caller's account the policy is attached to, and the users it bounds.

    ``entity_filter`` leaves one kind; the two kinds of policies it may name as well leave all, as recorded of AWS.
    """
    attached, bounded = Q(attached_policies__policy=policy), Q(boundary=policy)
    by_usage = {"PermissionsPolicy": attached, "PermissionsBoundary": bounded, None: attached | bounded}
    users = User.objects.in_account(caller.account_id).under(path_prefix)
    groups = Group.objects.in_account(caller.account_id).under(path_prefix).filter(attached)
    if policy_usage_filter == "PermissionsBoundary":
        groups = groups.none()
    # The condition spans rows: a user who is attached and bounded is asked for once.
    users = users.filter(pk__in=User.objects.get_queryset().filter(by_usage[policy_usage_filter]).values("pk"))
    parts = [Part("Group", groups, "group_name_key"), Part("User", users, "user_name_key")]
    filtered = entity_filter in ("User", "Group", "Role")
    page = page_of(
        [part for part in parts if not filtered or part.name == entity_filter],
        scope=f"ListEntitiesForPolicy {policy.policy_id} {caller.account_id} {entity_filter} {policy_usage_filter}"
        f" {path_prefix}",
        max_items=max_items,
        marker=marker,
    )
    return {
        "policy_groups": [row for name, row in page.items if name == "Group"],
        "policy_users": [row for name, row in page.items if name == "User"],
        "policy_roles": [],
        "marker": page.marker,
    }
