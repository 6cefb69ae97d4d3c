"""Inline policies of users and groups."""

from accounts import targets
from accounts.caller import Caller
from accounts.models import Group, User
from accounts.tags import RESOURCE_TAGS
from iamconsole.errors import NoSuchEntity
from iamconsole.operation import operation
from iamconsole.paging import Page
from permissions import steps
from permissions.models import GroupPolicy, UserPolicy

KEYS = ("iam:PermissionsBoundary", *RESOURCE_TAGS)


@operation("iam:PutUserPolicy", on=targets.user, lock=True, changes_permissions=True, keys=KEYS)
def put_user_policy(caller: Caller, *, user: User, policy_name: str, policy_document: str) -> None:
    """Set an inline policy, new or in the place of the one with that name. Raises MalformedPolicyDocument, LimitExceeded."""
    steps.put_user_policy(user, policy_name, policy_document)


@operation("iam:GetUserPolicy", on=targets.user, reads=True, keys=RESOURCE_TAGS)
def get_user_policy(caller: Caller, *, user: User, policy_name: str) -> UserPolicy:
    """An inline policy, its document as it was given. Raises NoSuchEntity."""
    return _of_user(user, policy_name)


@operation("iam:ListUserPolicies", on=targets.user, reads=True, keys=RESOURCE_TAGS)
def list_user_policies(
    caller: Caller, *, user: User, max_items: int | None = None, marker: str | None = None
) -> Page[str]:
    """The names of the user's inline policies, by name without regard to case."""
    page = Page.of(
        user.policies.all(),
        by="policy_name_key",
        scope=f"ListUserPolicies {user.user_id}",
        max_items=max_items,
        marker=marker,
    )
    return Page([policy.policy_name for policy in page.items], page.marker)


@operation("iam:DeleteUserPolicy", on=targets.user, lock=True, changes_permissions=True, keys=KEYS)
def delete_user_policy(caller: Caller, *, user: User, policy_name: str) -> None:
    """Delete an inline policy. Raises NoSuchEntity."""
    _of_user(user, policy_name).delete()


@operation("iam:PutGroupPolicy", on=targets.group, lock=True, changes_permissions=True)
def put_group_policy(caller: Caller, *, group: Group, policy_name: str, policy_document: str) -> None:
    """Set an inline policy, new or in the place of the one with that name. Raises MalformedPolicyDocument, LimitExceeded."""
    steps.put_group_policy(group, policy_name, policy_document)


@operation("iam:GetGroupPolicy", on=targets.group, reads=True)
def get_group_policy(caller: Caller, *, group: Group, policy_name: str) -> GroupPolicy:
    """An inline policy, its document as it was given. Raises NoSuchEntity."""
    return _of_group(group, policy_name)


@operation("iam:ListGroupPolicies", on=targets.group, reads=True)
def list_group_policies(
    caller: Caller, *, group: Group, max_items: int | None = None, marker: str | None = None
) -> Page[str]:
    """The names of the group's inline policies, by name without regard to case."""
    page = Page.of(
        group.policies.all(),
        by="policy_name_key",
        scope=f"ListGroupPolicies {group.group_id}",
        max_items=max_items,
        marker=marker,
    )
    return Page([policy.policy_name for policy in page.items], page.marker)


@operation("iam:DeleteGroupPolicy", on=targets.group, lock=True, changes_permissions=True)
def delete_group_policy(caller: Caller, *, group: Group, policy_name: str) -> None:
    """Delete an inline policy. Raises NoSuchEntity."""
    _of_group(group, policy_name).delete()


def _of_user(user: User, policy_name: str) -> UserPolicy:
    policy = UserPolicy.objects.select_related("user").filter(user=user, policy_name_key=policy_name.lower()).first()
    if policy is None:
        raise NoSuchEntity(f"The user policy with name {policy_name} cannot be found.")
    return policy


def _of_group(group: Group, policy_name: str) -> GroupPolicy:
    policies = GroupPolicy.objects.select_related("group")
    policy = policies.filter(group=group, policy_name_key=policy_name.lower()).first()
    if policy is None:
        raise NoSuchEntity(f"The group policy with name {policy_name} cannot be found.")
    return policy
