"""Everything that decides what anybody in the account may do, in one listing."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from accounts.caller import Caller
from accounts.models import Account, Group, User
from accounts.targets import everything
from iamconsole.operation import operation
from permissions.chained import Part, page_of
from permissions.models import ManagedPolicy
from permissions.steps import by_name


@operation("iam:GetAccountAuthorizationDetails", on=everything, reads=True, omits=("description",))
def get_account_authorization_details(
    caller: Caller,
    *,
    account: Account,
    filter: Sequence[str] = (),  # noqa: A002 - AWS's name
    max_items: int | None = None,
    marker: str | None = None,
) -> Mapping[str, Any]:
    """Users, groups and managed policies with all that hangs on them; of AWS's policies those that the account uses.

    ``filter`` leaves some of the kinds. A page may hold several kinds.
    """
    kinds = [kind for kind in _LISTS if kind in filter] or ([] if filter else list(_LISTS))
    page = page_of(
        [_part(kind, account.pk) for kind in kinds],
        scope=f"GetAccountAuthorizationDetails {account.pk} {','.join(kinds)}",
        max_items=max_items,
        marker=marker,
        bad_marker="Marker and Filter do not match",
    )
    details: dict[str, Any] = {name: [] for name in {*_LISTS.values(), "role_detail_list"}}
    for kind, row in page.items:
        details[_LISTS[kind]].append(_DETAILS[kind](row))
    return details | {"marker": page.marker}


_LISTS = {
    "User": "user_detail_list",
    "Group": "group_detail_list",
    "LocalManagedPolicy": "policies",
    "AWSManagedPolicy": "policies",
}


def _part(kind: str, account_id: str) -> Part:
    if kind == "User":
        users = User.objects.in_account(account_id).select_related("boundary")
        return Part(kind, users.prefetch_related("policies", "groups", "attached_policies__policy"), "user_name_key")
    if kind == "Group":
        groups = Group.objects.in_account(account_id)
        return Part(kind, groups.prefetch_related("policies", "attached_policies__policy"), "group_name_key")
    policies = ManagedPolicy.objects.counted(account_id).prefetch_related("versions")
    local = kind == "LocalManagedPolicy"
    rows = policies.own(account_id) if local else policies.aws_managed().used_in(account_id)
    return Part(kind, rows, "policy_name_key")


def _user(user: User) -> Mapping[str, Any]:
    return {
        "path": user.path,
        "user_name": user.user_name,
        "user_id": user.user_id,
        "arn": user.arn,
        "create_date": user.create_date,
        "user_policy_list": _inline(user) or None,  # AWS leaves it out when there is none, but for groups
        "group_list": [
            group.group_name for group in sorted(user.groups.all(), key=lambda each: each.group_name.lower())
        ],
        "attached_managed_policies": _attached(user),
        "permissions_boundary": user.permissions_boundary,
        "tags": user.tags,
    }


def _group(group: Group) -> Mapping[str, Any]:
    return {
        "path": group.path,
        "group_name": group.group_name,
        "group_id": group.group_id,
        "arn": group.arn,
        "create_date": group.create_date,
        "group_policy_list": _inline(group),
        "attached_managed_policies": _attached(group),
    }


def _policy(policy: ManagedPolicy) -> Mapping[str, Any]:
    return {
        "policy_name": policy.policy_name,
        "policy_id": policy.policy_id,
        "arn": policy.arn,
        "path": policy.path,
        "default_version_id": policy.default_version_id,
        "attachment_count": policy.attachment_count,
        "permissions_boundary_usage_count": policy.permissions_boundary_usage_count,
        "is_attachable": policy.is_attachable,
        "create_date": policy.create_date,
        "update_date": policy.update_date,
        "policy_version_list": sorted(policy.versions.all(), key=lambda version: -version.number),
    }


def _inline(owner: User | Group) -> list[Any]:
    return sorted(owner.policies.all(), key=lambda policy: policy.policy_name_key)


def _attached(owner: User | Group) -> list[ManagedPolicy]:
    return by_name([attached.policy for attached in owner.attached_policies.all()])


_DETAILS: Mapping[str, Callable[[Any], Mapping[str, Any]]] = {
    "User": _user,
    "Group": _group,
    "LocalManagedPolicy": _policy,
    "AWSManagedPolicy": _policy,
}
