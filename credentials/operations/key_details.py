"""What AWS's access keys have not: a description, an end, the longest life that an account lets keys have, and their rotation."""

from collections.abc import Mapping
from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from accounts import targets
from accounts.caller import Caller
from accounts.models import Account, User
from accounts.tags import RESOURCE_TAGS
from credentials.key_rotation import Rotation, rotations_in
from credentials.models import AccessKey
from credentials.steps import access_key_of, add_access_key
from credentials.targets import user_root_or_all
from iamconsole.errors import EntityAlreadyExists, InvalidInput
from iamconsole.operation import Issued, operation


@operation(
    "iamconsole:CreateAccessKeyWithDetails",
    on=targets.user_or_root,
    lock=True,
    issues_secret=True,
    performs={"iam:CreateAccessKey": lambda admitted: True},
)
def create_access_key_with_details(
    caller: Caller,
    *,
    user: User,
    description: str = "",
    duration_days: int | None = None,
    replaces_access_key_id: str | None = None,
) -> Issued[AccessKey]:
    """Issue a key that tells what it is for, may expire, and may be there to take over from the user's other one.

    Raises LimitExceeded when the user holds two already; InvalidInput when it is to live longer than the account lets keys;
    NoSuchEntity for a key to replace that is not the user's, EntityAlreadyExists when that is being replaced already.
    """
    replaced = None if replaces_access_key_id is None else access_key_of(user, replaces_access_key_id)
    if replaced is not None and AccessKey.objects.filter(replaces=replaced).exists():
        raise EntityAlreadyExists(f"The Access Key with id {replaces_access_key_id} is being rotated already.")
    key, secret = add_access_key(user, days=duration_days, description=description, replaces=replaced)
    return Issued(key, {"secret_access_key": secret})


@operation("iamconsole:ListAccessKeyDetails", on=targets.user_or_root, reads=True, keys=RESOURCE_TAGS)
def list_access_key_details(caller: Caller, *, user: User) -> list[AccessKey]:
    """The user's keys with description, end and last use. There are as few as the quota says."""
    return list(user.access_keys.select_related("user", "replaces").order_by("pk"))


@operation("iamconsole:UpdateAccessKeyDetails", on=targets.user_or_root, lock=True, sensitive=True, keys=RESOURCE_TAGS)
def update_access_key_details(
    caller: Caller,
    *,
    user: User,
    access_key_id: str,
    description: str | None = None,
    duration_days: int | None = None,
    never_expires: bool = False,
) -> None:
    """Say what a key is for, and when it ends: so many days from now, or never.

    Raises InvalidInput for an end that is later than the account lets a key of its age have; NoSuchEntity for a key that is not
    the user's.
    """
    key = access_key_of(user, access_key_id)
    if duration_days is not None and never_expires:
        raise InvalidInput("A key expires after some days or never, not both.", parameter="duration_days")
    if description is not None:
        key.description = description
    if duration_days is not None or never_expires:
        end = None if duration_days is None else timezone.now() + timedelta(days=duration_days)
        greatest = user.account.access_key_maximum_days
        if greatest and (end is None or end > key.create_date + timedelta(days=greatest)):
            raise InvalidInput(
                f"Access keys of this account expire {greatest} days after they were made at the latest:"
                " create another key to go on.",
                parameter="duration_days",
            )
        key.expire_date = end
    key.save(update_fields=["description", "expire_date"])


@operation("iamconsole:ListAccessKeyRotations", on=user_root_or_all, reads=True, keys=RESOURCE_TAGS)
def list_access_key_rotations(caller: Caller, *, user: User | None) -> list[Rotation]:
    """The rotations under way of a user, or of all users: which key takes over from which, and what is to be done next."""
    keys = AccessKey.objects.select_related("user").order_by("pk")
    if user is not None:
        return list(rotations_in(keys.filter(user=user)))
    of_users = keys.filter(user__account=caller.account_id, user__user_name__isnull=False)
    # Not null in other words, and sorted here: SQLite then looks up in the index what it would read every key for.
    pairs = of_users.filter(replaces__gt=0).select_related("replaces__user").order_by()
    found = rotations_in(key for new in pairs for key in (new, new.replaces) if key)
    return sorted(found, key=lambda each: each.new.pk)


@operation("iamconsole:GetAccessKeySettings", on=targets.everything, reads=True)
def get_access_key_settings(
    caller: Caller, *, account: Account, maximum_days: int | None = None
) -> Mapping[str, int | None]:
    """How long new keys of the account live at most, and how many active keys live longer than that, or than ``maximum_days``."""
    limit = maximum_days or account.access_key_maximum_days
    active = AccessKey.objects.filter(user__account=account, status=AccessKey.Status.ACTIVE)
    lasting = active.filter(expire_date__gt=timezone.now())
    return {
        "maximum_days": account.access_key_maximum_days,
        "keys_without_expiry": active.filter(expire_date__isnull=True).count(),
        "keys_with_longer_life": lasting.filter(expire_date__gt=F("create_date") + timedelta(days=limit)).count()
        if limit
        else 0,
    }


@operation("iamconsole:UpdateAccessKeySettings", on=targets.everything, lock=True, sensitive=True)
def update_access_key_settings(caller: Caller, *, account: Account, maximum_days: int | None = None) -> None:
    """Let new access keys live for so many days at most, or for ever. Keys that are there stay what they are."""
    account.access_key_maximum_days = maximum_days
    account.save(update_fields=["access_key_maximum_days"])
