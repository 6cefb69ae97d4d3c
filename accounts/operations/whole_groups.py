"""What is done in one go with a group: made with its policies, deleted with all that hangs on it."""

from collections.abc import Mapping
from typing import Any

from accounts import targets
from accounts.caller import Caller
from accounts.models import Group
from accounts.steps import add_group
from iamconsole.asked import Asked, Each
from iamconsole.operation import operation
from permissions import access
from permissions.access import Access
from permissions.steps import attach_group_policy, put_group_policy


@operation(
    "iamconsole:CreateGroupWithPolicies",
    on=access.new_group,
    lock=True,
    changes_permissions=True,
    performs={
        "iam:CreateGroup": lambda admitted: True,
        "iam:AttachGroupPolicy": Each(access.attaching),
        "iam:PutGroupPolicy": Each(access.putting),
    },
)
def create_group_with_policies(caller: Caller, *, access: Access, group_name: str, path: str = "/") -> Group:
    """Make a group with managed and inline policies. All of it is there afterwards, or nothing.

    Raises what its parts raise: EntityAlreadyExists, NoSuchEntity, LimitExceeded, MalformedPolicyDocument.
    """
    access.require_found()
    group = add_group(caller.account_id, group_name=group_name, path=path)
    for policy in access.policies:
        attach_group_policy(group, policy.entities["policy"])
    for policy_name, document in access.documents.items():
        put_group_policy(group, policy_name, document)
    return group


def _removed(admitted: Mapping[str, Any]) -> list[Asked]:
    """The group, if it has members."""
    group: Group = admitted["group"]
    members = list(group.users.select_related("account").order_by("user_name_key"))
    names = {"user_names": [user.user_name for user in members]}
    return [Asked(group.arn, names, label=f"group {group.group_name}", about=members)] if members else []


def _detached(admitted: Mapping[str, Any]) -> list[Asked]:
    """The group once for each managed policy that is attached."""
    group: Group = admitted["group"]
    attached = group.attached_policies.select_related("policy").order_by("pk")
    label = f"group {group.group_name}"
    return [Asked(group.arn, {"policy_arn": each.policy.arn}, label=label, about=(each.policy,)) for each in attached]


@operation(
    "iamconsole:DeleteGroupWithMembers",
    on=targets.group,
    lock=True,
    changes_permissions=True,
    performs={
        "iam:RemoveUserFromGroup": Each(_removed),
        "iam:DeleteGroupPolicy": lambda admitted: admitted["group"].policies.exists(),
        "iam:DetachGroupPolicy": Each(_detached),
        "iam:DeleteGroup": lambda admitted: True,
    },
)
def delete_group_with_members(caller: Caller, *, group: Group) -> None:
    """Delete a group with its memberships and policies; the users stay. All of it goes, or nothing."""
    group.delete()
