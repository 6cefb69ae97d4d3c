"""What a page does in one go with a group: deleted with all that hangs on it."""

from collections.abc import Mapping
from typing import Any

from accounts import targets
from accounts.caller import Caller
from accounts.models import Group
from iamconsole.asked import Asked, Each
from iamconsole.operation import operation


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
