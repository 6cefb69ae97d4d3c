"""Access keys: issue, list, switch on and off, delete."""

from django.utils import timezone

from accounts import targets
from accounts.caller import Caller
from accounts.models import User
from accounts.tags import RESOURCE_TAGS
from credentials.models import AccessKey
from credentials.steps import access_key_of, add_access_key, switch_access_key
from iamconsole.errors import InvalidInput
from iamconsole.operation import Issued, operation
from iamconsole.paging import Page


@operation("iam:CreateAccessKey", on=targets.user_or_root, lock=True, issues_secret=True, keys=RESOURCE_TAGS)
def create_access_key(caller: Caller, *, user: User) -> Issued[AccessKey]:
    """Issue a key to the named user, or to the caller. Its secret is shown only here.

    It expires when the account lets no key live for ever. Raises LimitExceeded when the user holds two already, active or not.
    """
    key, secret = add_access_key(user)
    return Issued(key, {"secret_access_key": secret})


@operation("iam:ListAccessKeys", on=targets.user_or_root, reads=True, keys=RESOURCE_TAGS)
def list_access_keys(
    caller: Caller, *, user: User, max_items: int | None = None, marker: str | None = None
) -> Page[AccessKey]:
    """The user's keys, without their secrets. One that has expired is told as such, which AWS's enumeration of statuses has."""
    page = Page.of(
        user.access_keys.select_related("user"),
        by="id",
        scope=f"ListAccessKeys {user.user_id}",
        max_items=max_items,
        marker=marker,
    )
    for key in page.items:
        key.status = key.state
    return page


@operation("iam:UpdateAccessKey", on=targets.user_or_root, lock=True, sensitive=True, keys=RESOURCE_TAGS)
def update_access_key(caller: Caller, *, user: User, access_key_id: str, status: str) -> None:
    """Switch a key on or off. Raises NoSuchEntity for a key that is not the user's."""
    if status not in AccessKey.Status.values:
        raise InvalidInput(f"Operation does not support status {status}")
    switch_access_key(user, access_key_of(user, access_key_id), status, timezone.now())


@operation("iam:DeleteAccessKey", on=targets.user_or_root, lock=True, sensitive=True, keys=RESOURCE_TAGS)
def delete_access_key(caller: Caller, *, user: User, access_key_id: str) -> None:
    """Delete a key: nothing it signs is accepted any more. Raises NoSuchEntity for a key that is not the user's."""
    access_key_of(user, access_key_id).delete()


@operation("iam:GetAccessKeyLastUsed", on=targets.key_owner, reads=True, keys=RESOURCE_TAGS)
def get_access_key_last_used(caller: Caller, *, key: AccessKey) -> AccessKey:
    """Whose key it is and when it last signed. A key of another account is AccessDenied, like one that never was."""
    return key
