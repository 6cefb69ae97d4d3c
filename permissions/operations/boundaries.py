"""Permissions boundaries of users: the most that other policies can allow them."""

from accounts import targets as entities
from accounts.caller import Caller
from accounts.models import User
from accounts.tags import RESOURCE_TAGS
from iamconsole.operation import operation
from permissions import targets
from permissions.models import ManagedPolicy

KEYS = ("iam:PermissionsBoundary", *RESOURCE_TAGS)


@operation("iam:PutUserPermissionsBoundary", on=targets.boundary, lock=True, changes_permissions=True, keys=KEYS)
def put_user_permissions_boundary(caller: Caller, *, user: User, policy: ManagedPolicy) -> None:
    """Bound a user by a managed policy, in the place of another."""
    user.boundary = policy
    user.save(update_fields=["boundary"])


@operation("iam:DeleteUserPermissionsBoundary", on=entities.user, lock=True, changes_permissions=True, keys=KEYS)
def delete_user_permissions_boundary(caller: Caller, *, user: User) -> None:
    """Bound a user no more; nothing happens when the user is not."""
    user.boundary = None
    user.save(update_fields=["boundary"])
