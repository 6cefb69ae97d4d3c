"""An account of any size to measure on, with half as many keys again as users, filled straight into the database."""

from datetime import timedelta

from django.db import connection
from django.utils import timezone

from accounts import arns
from accounts.management.commands._shell import operator
from accounts.models import Group, Membership, User
from accounts.operations.installation import create_account
from credentials.mfa.models import MFADevice
from credentials.models import AccessKey, LoginProfile
from iamconsole.statistics import refresh_statistics

BATCH, AT_ONCE = 5_000, 500
DEPARTMENTS = 20


def fill(size: int) -> str:
    """Make an account with so many users. Returns its id.

    Every user has a key and every second one two; every fourth has a password, half of those a device; all were active at some
    time of the last two hundred days, but for every tenth, which never was.
    """
    account_id = create_account(operator(), name="Bench", root_email=f"b{size}@example.org").entity["account_id"]
    groups = Group.objects.bulk_create(
        Group(
            account_id=account_id,
            group_id=arns.new_unique_id("AGPA"),
            group_name=f"Department-{number}",
            group_name_key=f"department-{number}",
        )
        for number in range(DEPARTMENTS)
    )
    for first in range(0, size, BATCH):
        _fill_part(str(account_id), groups, first, min(first + BATCH, size))
    refresh_statistics()  # as the next start does
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as it does by itself a minute later
    return str(account_id)


def _fill_part(account_id: str, groups: list[Group], first: int, end: int) -> None:
    now = timezone.now()
    uses = [None if number % 10 == 0 else now - timedelta(days=number * 7 % 200) for number in range(first, end)]
    made = [now - timedelta(days=number % 300) for number in range(first, end)]
    users = User.objects.bulk_create(
        [
            User(
                account_id=account_id,
                user_id=arns.new_unique_id("AIDA"),
                user_name=f"User-{number:06}",
                user_name_key=f"user-{number:06}",
                password="!",
                create_date=day,
                password_last_changed=day if number % 4 == 0 else None,
                password_last_used=use if number % 4 == 0 else None,
            )
            for number, use, day in zip(range(first, end), uses, made, strict=True)
        ],
        batch_size=AT_ONCE,
    )
    AccessKey.objects.bulk_create(
        [
            AccessKey(
                user=user,
                access_key_id=arns.new_access_key_id(account_id),
                sealed_secret="-",
                create_date=day,
                last_used_date=use,
            )
            for number, (user, use, day) in enumerate(zip(users, uses, made, strict=True))
            for turn in (0, 1)
            if turn == 0 or number % 2
        ],
        batch_size=AT_ONCE,
    )
    Membership.objects.bulk_create(
        [Membership(user=user, group=groups[number % DEPARTMENTS]) for number, user in enumerate(users)],
        batch_size=AT_ONCE,
    )
    with_password = users[::4]
    LoginProfile.objects.bulk_create([LoginProfile(user=user) for user in with_password], batch_size=AT_ONCE)
    MFADevice.objects.bulk_create(
        [
            MFADevice(
                account_id=account_id,
                user=user,
                kind=MFADevice.Kind.VIRTUAL,
                serial_number=arns.mfa(account_id, "/", str(user.user_name)),
                name=str(user.user_name),
                sealed_seed="-",
                confirmed=True,
                enable_date=now,
            )
            for user in with_password[::2]
        ],
        batch_size=AT_ONCE,
    )
