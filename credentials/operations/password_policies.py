"""The account's password policy: read, set, take away, and foresee."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Count, Q
from django.utils import timezone

from accounts import targets
from accounts.caller import Caller
from accounts.models import Account
from credentials.models import LoginProfile, PasswordHistory, PasswordPolicy
from iamconsole.errors import NoSuchEntity
from iamconsole.operation import operation


@operation("iam:GetAccountPasswordPolicy", on=targets.everything, reads=True)
def get_account_password_policy(caller: Caller, *, account: Account) -> dict[str, PasswordPolicy]:
    """The account's own password policy. Raises NoSuchEntity where AWS's default holds."""
    policy = PasswordPolicy.of(account)
    if policy is None:
        raise NoSuchEntity(f"The Password Policy with domain name {account.pk} cannot be found.")
    return {"password_policy": policy}


@operation("iam:UpdateAccountPasswordPolicy", on=targets.everything, lock=True, changes_permissions=True)
def update_account_password_policy(
    caller: Caller,
    *,
    account: Account,
    minimum_password_length: int = 6,
    require_symbols: bool = False,
    require_numbers: bool = False,
    require_uppercase_characters: bool = False,
    require_lowercase_characters: bool = False,
    allow_users_to_change_password: bool = False,
    max_password_age: int | None = None,
    password_reuse_prevention: int | None = None,
    hard_expiry: bool | None = None,
) -> None:
    """Set the whole password policy: what is left out goes back to AWS's default. Expiry holds at once, the rest at a change."""
    PasswordPolicy.objects.update_or_create(
        account=account,
        defaults={
            "minimum_password_length": minimum_password_length,
            "require_symbols": require_symbols,
            "require_numbers": require_numbers,
            "require_uppercase_characters": require_uppercase_characters,
            "require_lowercase_characters": require_lowercase_characters,
            "allow_users_to_change_password": allow_users_to_change_password,
            "max_password_age": max_password_age,
            "password_reuse_prevention": password_reuse_prevention,
            "hard_expiry": hard_expiry,
        },
    )
    PasswordHistory.forget_beyond(account, password_reuse_prevention or 0)


@operation("iam:DeleteAccountPasswordPolicy", on=targets.everything, lock=True, changes_permissions=True)
def delete_account_password_policy(caller: Caller, *, account: Account) -> None:
    """Go back to AWS's default policy. Raises NoSuchEntity where it holds already."""
    deleted, _ = PasswordPolicy.objects.filter(account=account).delete()
    if not deleted:
        raise NoSuchEntity("The account policy with name PasswordPolicy cannot be found.")
    PasswordHistory.forget_beyond(account, 0)


@operation("iamconsole:PreviewAccountPasswordPolicy", on=targets.everything, reads=True)
def preview_account_password_policy(
    caller: Caller, *, account: Account, max_password_age: int | None = None
) -> dict[str, Any]:
    """How many console users a policy would make choose a new password: at the next sign-in, or by the end of today (UTC).

    ``must_change`` has the expired ones and those who had to anyway.

    Whose password would be too short or used before cannot be told: only hashes are kept. It is asked at their next change.
    """
    expired = later = Q(pk=None)
    if max_password_age is not None:
        now, age = timezone.now(), timedelta(days=max_password_age)
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        expired = Q(user__password_last_changed__lte=now - age)
        later = Q(user__password_last_changed__gt=now - age, user__password_last_changed__lte=midnight - age)
    profiles = LoginProfile.objects.filter(user__account=account)
    return profiles.exclude(user__password__startswith=UNUSABLE_PASSWORD_PREFIX).aggregate(
        console_users=Count("pk"),
        expired=Count("pk", filter=expired),
        must_change=Count("pk", filter=expired | Q(password_reset_required=True)),
        expire_today=Count("pk", filter=later),
    )
