"""Steps that operations share. Only operations call them, inside their transaction and after their decision."""

from collections.abc import Sequence
from datetime import datetime

from django.core.exceptions import ValidationError as FormError
from django.core.validators import validate_email
from django.utils import timezone

from accounts import arns
from accounts.models import Account, Group, Membership, User
from accounts.quotas import refuse_beyond
from accounts.tags import Tag, checked
from iamconsole.errors import EntityAlreadyExists, InvalidInput
from permissions.models import ManagedPolicy


def add_user(
    account_id: str,
    *,
    user_name: str,
    path: str = "/",
    tags: Sequence[Tag] = (),
    boundary: ManagedPolicy | None = None,
) -> User:
    """Make a user without credentials. The account's row must be locked, so that the count and the name hold."""
    account = Account.objects.get(pk=account_id)
    if User.objects.named(account, user_name).exists():
        raise EntityAlreadyExists(f"User with name {user_name} already exists.")
    refuse_beyond("UsersPerAccount", account, User.objects.in_account(account))
    user = User(account=account, user_id=arns.new_unique_id("AIDA"), path=path, tags=checked(tags), boundary=boundary)
    user.rename(user_name)
    user.set_unusable_password()
    user.save(force_insert=True)
    return user


def add_group(account_id: str, *, group_name: str, path: str = "/") -> Group:
    """Make a group without members and policies. The account's row must be locked, so that the count and the name hold."""
    account = Account.objects.get(pk=account_id)
    if Group.objects.named(account, group_name).exists():
        raise EntityAlreadyExists(f"Group with name {group_name} already exists.")
    refuse_beyond("GroupsPerAccount", account, Group.objects.in_account(account))
    group = Group(account=account, group_id=arns.new_unique_id("AGPA"), path=path)
    group.rename(group_name)
    group.save(force_insert=True)
    return group


def refuse_past(moment: datetime | None, parameter: str) -> None:
    """Raise InvalidInput for a time that is past."""
    if moment is not None and moment <= timezone.now():
        raise InvalidInput("This time is past. Name one that is still to come, in UTC.", parameter=parameter)


def join(user: User, group: Group) -> None:
    """Make a locked user a member; nothing happens when it is one. Raises LimitExceeded at the groups a user may be in."""
    memberships = Membership.objects.filter(user=user)
    if not memberships.filter(group=group).exists():
        refuse_beyond("GroupsPerUser", user.account, memberships)
        Membership.objects.create(group=group, user=user)


def checked_email(email: str) -> str:
    """A root user's address as it is kept, in lower case. Raises InvalidInput when it is none."""
    try:
        validate_email(email)
    except FormError as error:
        raise InvalidInput(f"{email} is not an e-mail address.") from error
    return email.lower()
