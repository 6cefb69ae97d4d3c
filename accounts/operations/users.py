"""Users: make, read, list, rename, tag, delete."""

from collections.abc import Sequence

from accounts import targets
from accounts.caller import Caller
from accounts.models import User
from accounts.steps import add_user
from accounts.tags import REQUEST_TAGS, RESOURCE_TAGS, Tag, merged, without
from credentials.mfa.models import MFADevice
from iamconsole.errors import DeleteConflict, EntityAlreadyExists, InvalidInput
from iamconsole.operation import operation
from iamconsole.paging import Page
from permissions.targets import bounding_policy


@operation(
    "iam:CreateUser",
    on=targets.new_user,
    lock=True,
    tags_by="iam:TagUser",
    keys=("iam:PermissionsBoundary", *REQUEST_TAGS, *RESOURCE_TAGS),
)
def create_user(
    caller: Caller,
    *,
    user_name: str,
    path: str = "/",
    tags: Sequence[Tag] = (),
    permissions_boundary: str | None = None,
) -> User:
    """Make a user with no credentials and no permissions, bounded by a managed policy if its ARN is given.

    Raises EntityAlreadyExists whatever the name's case and path, LimitExceeded at the account's quota, NoSuchEntity when there
    is no such policy.
    """
    boundary = bounding_policy(caller, permissions_boundary, lock=True) if permissions_boundary else None
    return add_user(caller.account_id, user_name=user_name, path=path, tags=tags, boundary=boundary)


@operation("iam:GetUser", on=targets.user_or_root, reads=True, keys=RESOURCE_TAGS)
def get_user(caller: Caller, *, user: User) -> User:
    """The named user, or the caller."""
    return user


@operation("iam:ListUsers", on=targets.user_list, reads=True, omits=("tags", "permissions_boundary"))
def list_users(
    caller: Caller, *, path_prefix: str = "/", max_items: int | None = None, marker: str | None = None
) -> Page[User]:
    """The account's users under a path, by name without regard to case."""
    return Page.of(
        User.objects.in_account(caller.account_id).under(path_prefix),
        by="user_name_key",
        scope=f"ListUsers {caller.account_id} {path_prefix}",
        max_items=max_items,
        marker=marker,
    )


@operation("iam:UpdateUser", on=targets.renamed_user, lock=True, changes_permissions=True, keys=RESOURCE_TAGS)
def update_user(caller: Caller, *, user: User, new_user_name: str | None = None, new_path: str | None = None) -> None:
    """Rename or move a user, who keeps the unique id, credentials and policies. AWS wants the permission on both ARNs.

    Raises EntityAlreadyExists when another user has the name, in whatever case.
    """
    if new_user_name is not None:
        # The account's row is locked: it is the one whose epoch this write has raised.
        if User.objects.named(caller.account_id, new_user_name).exclude(pk=user.pk).exists():
            raise EntityAlreadyExists(f"User with name {new_user_name} already exists.")
        user.rename(new_user_name)
    if new_path is not None:
        user.path = new_path
    user.save(update_fields=["user_name", "user_name_key", "path"])


@operation("iam:DeleteUser", on=targets.user, lock=True, changes_permissions=True, keys=RESOURCE_TAGS)
def delete_user(caller: Caller, *, user: User) -> None:
    """Delete a user who has nothing left but a boundary. Raises DeleteConflict that says what must go first."""
    for first, rows in (
        ("must delete login profile first.", hasattr(user, "login_profile")),
        ("must delete access keys first.", user.access_keys.exists()),
        ("must delete certificates first.", user.signing_certificates.exists()),
        ("must remove referenced objects first.", user.service_specific_credentials.exists()),
        ("must remove tokens from principal first.", MFADevice.objects.filter(user=user).exists()),
        ("must remove referenced objects first.", user.ssh_public_keys.exists()),
        ("must delete service tokens first.", user.service_tokens.exists()),
        ("must remove users from group first.", user.memberships.exists()),
        ("must delete policies first.", user.policies.exists()),
        ("must detach all policies first.", user.attached_policies.exists()),
    ):
        if rows:
            raise DeleteConflict(f"Cannot delete entity, {first}")
    user.delete()


@operation("iam:TagUser", on=targets.user, lock=True, changes_permissions=True, keys=(*REQUEST_TAGS, *RESOURCE_TAGS))
def tag_user(caller: Caller, *, user: User, tags: Sequence[Tag]) -> None:
    """Set tags; a key that is there in another case is replaced. Raises InvalidInput, LimitExceeded past 50."""
    if not tags:
        raise InvalidInput("The request must name at least one tag.")
    user.tags = merged(user.tags, tags)
    user.save(update_fields=["tags"])


@operation("iam:UntagUser", on=targets.user, lock=True, changes_permissions=True, keys=("aws:TagKeys", *RESOURCE_TAGS))
def untag_user(caller: Caller, *, user: User, tag_keys: Sequence[str]) -> None:
    """Remove tags; keys the user does not have are passed over."""
    user.tags = without(user.tags, tag_keys)
    user.save(update_fields=["tags"])


@operation("iam:ListUserTags", on=targets.user, reads=True, keys=RESOURCE_TAGS)
def list_user_tags(caller: Caller, *, user: User, max_items: int | None = None, marker: str | None = None) -> Page[Tag]:
    """The user's tags, by key without regard to case."""
    return Page.of_values(
        sorted(user.tags, key=lambda tag: tag["key"].lower()),
        scope=f"ListUserTags {user.user_id}",
        max_items=max_items,
        marker=marker,
    )
