"""Groups: make, read, list, rename, delete, and who is in them."""

from typing import Any

from accounts import targets
from accounts.caller import Caller
from accounts.models import Group, Membership, User
from accounts.steps import add_group, join
from accounts.tags import RESOURCE_TAGS
from iamconsole.errors import DeleteConflict, EntityAlreadyExists
from iamconsole.operation import operation
from iamconsole.paging import Page


@operation("iam:CreateGroup", on=targets.new_group, lock=True)
def create_group(caller: Caller, *, group_name: str, path: str = "/") -> Group:
    """Make a group without members and policies.

    Raises EntityAlreadyExists whatever the name's case and path, LimitExceeded at the account's quota.
    """
    return add_group(caller.account_id, group_name=group_name, path=path)


@operation("iam:GetGroup", on=targets.group, reads=True, omits=("tags", "permissions_boundary"))
def get_group(
    caller: Caller, *, group: Group, max_items: int | None = None, marker: str | None = None
) -> dict[str, Any]:
    """The group and its members, by name without regard to case."""
    users = Page.of(
        User.objects.get_queryset().filter(groups=group),
        by="user_name_key",
        scope=f"GetGroup {group.group_id}",
        max_items=max_items,
        marker=marker,
    )
    return {"group": group, "users": users.items, "marker": users.marker}


@operation("iam:ListGroups", on=targets.group_list, reads=True)
def list_groups(
    caller: Caller, *, path_prefix: str = "/", max_items: int | None = None, marker: str | None = None
) -> Page[Group]:
    """The account's groups under a path, by name without regard to case."""
    return Page.of(
        Group.objects.in_account(caller.account_id).under(path_prefix),
        by="group_name_key",
        scope=f"ListGroups {caller.account_id} {path_prefix}",
        max_items=max_items,
        marker=marker,
    )


@operation("iam:UpdateGroup", on=targets.renamed_group, lock=True, changes_permissions=True)
def update_group(
    caller: Caller, *, group: Group, new_group_name: str | None = None, new_path: str | None = None
) -> None:
    """Rename or move a group, which keeps its unique id, members and policies. AWS wants the permission on both ARNs.

    Raises EntityAlreadyExists when another group has the name, in whatever case.
    """
    if new_group_name is not None:
        # The account's row is locked: it is the one whose epoch this write has raised.
        if Group.objects.named(caller.account_id, new_group_name).exclude(pk=group.pk).exists():
            raise EntityAlreadyExists(f"Group with name {new_group_name} already exists.")
        group.rename(new_group_name)
    if new_path is not None:
        group.path = new_path
    group.save(update_fields=["group_name", "group_name_key", "path"])


@operation("iam:DeleteGroup", on=targets.group, lock=True, changes_permissions=True)
def delete_group(caller: Caller, *, group: Group) -> None:
    """Delete a group that has nothing left. Raises DeleteConflict that says what must go first."""
    for first, rows in (
        ("must remove users from group first.", group.memberships),
        ("must delete policies first.", group.policies),
        ("must detach all policies first.", group.attached_policies),
    ):
        if rows.exists():
            raise DeleteConflict(f"Cannot delete entity, {first}")
    group.delete()


@operation("iam:AddUserToGroup", on=targets.membership, lock=True, changes_permissions=True)
def add_user_to_group(caller: Caller, *, group: Group, user: User) -> None:
    """Make the user a member; nothing happens when the user is one. Raises LimitExceeded at the groups a user may be in."""
    join(user, group)


@operation("iam:RemoveUserFromGroup", on=targets.membership, lock=True, changes_permissions=True)
def remove_user_from_group(caller: Caller, *, group: Group, user: User) -> None:
    """Take the user out of the group; nothing happens when the user is not in it."""
    Membership.objects.filter(group=group, user=user).delete()


@operation("iam:ListGroupsForUser", on=targets.user, reads=True, keys=RESOURCE_TAGS)
def list_groups_for_user(
    caller: Caller, *, user: User, max_items: int | None = None, marker: str | None = None
) -> Page[Group]:
    """The groups the user is in, by name without regard to case."""
    return Page.of(
        Group.objects.filter(users=user),
        by="group_name_key",
        scope=f"ListGroupsForUser {user.user_id}",
        max_items=max_items,
        marker=marker,
    )
