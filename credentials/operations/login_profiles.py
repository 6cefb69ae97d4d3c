"""Passwords for the console: give, read, set, take away, and change one's own."""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from accounts import setup_links, targets
from accounts.caller import Caller
from accounts.models import SetupLink, User
from accounts.tags import RESOURCE_TAGS
from credentials.models import LoginProfile
from credentials.passwords import FIRST_LIFETIME, NewPassword, OldPassword, expiry, generating, hashing
from credentials.steps import add_login_profile, remove_login_profile, set_password
from iamconsole.errors import AccessDenied, InvalidInput, InvalidUserType, NoSuchEntity, ValidationError
from iamconsole.operation import Issued, operation


@operation(
    "iam:CreateLoginProfile", on=targets.user, lock=True, sensitive=True, before=hashing("password"), keys=RESOURCE_TAGS
)
def create_login_profile(
    caller: Caller, *, user: User, password: NewPassword | None = None, password_reset_required: bool = False
) -> LoginProfile:
    """Give a user a password for the console. Raises EntityAlreadyExists, PasswordPolicyViolation."""
    if password is None:
        raise ValidationError(
            "1 validation error detected: Value null at 'password' failed to satisfy constraint: Member must not be null"
        )
    return add_login_profile(user, password, password_reset_required=password_reset_required)


@operation("iam:GetLoginProfile", on=targets.user, reads=True, keys=RESOURCE_TAGS)
def get_login_profile(caller: Caller, *, user: User) -> LoginProfile:
    """Whether the user may sign in to the console, and since when. Raises NoSuchEntity when not."""
    return _profile(user)


@operation(
    "iam:UpdateLoginProfile", on=targets.user, lock=True, sensitive=True, before=hashing("password"), keys=RESOURCE_TAGS
)
def update_login_profile(
    caller: Caller, *, user: User, password: NewPassword | None = None, password_reset_required: bool | None = None
) -> None:
    """Set another password, which ends the user's sessions, or the flag; what is omitted stays as it was."""
    profile = _profile(user)
    if password is not None:
        set_password(user, password)
    if password_reset_required is not None:
        profile.password_reset_required = password_reset_required
        profile.save(update_fields=["password_reset_required"])


def _has_profile(admitted: Mapping[str, Any]) -> bool:
    return LoginProfile.objects.filter(user=admitted["user"]).exists()


@operation(
    "iamconsole:GeneratePassword",
    on=targets.user,
    lock=True,
    issues_secret=True,
    before=generating(lambda admitted: str(admitted["user"].account_id)),
    performs={
        "iam:CreateLoginProfile": lambda admitted: not _has_profile(admitted),
        "iam:UpdateLoginProfile": _has_profile,
    },
)
def generate_password(caller: Caller, *, user: User, generated: NewPassword) -> Issued[LoginProfile]:
    """Give a user a generated password, the first one or another, which is shown only here and ends the user's sessions.

    It is good once, for choosing another at sign-in, and for seven days. Then an administrator must set one.
    """
    profile, expire_date = LoginProfile.objects.filter(user=user).first(), timezone.now() + FIRST_LIFETIME
    if profile is None:
        profile = add_login_profile(user, generated, password_reset_required=True, expire_date=expire_date)
    else:
        set_password(user, generated, expire_date=expire_date)
        profile.password_reset_required, profile.password_expire_date = True, expire_date
        profile.save(update_fields=["password_reset_required"])
    return Issued(profile, {"password": generated.text})


@operation(
    "iamconsole:CreateSetupLink",
    on=targets.user,
    lock=True,
    issues_secret=True,
    performs={
        "iam:CreateLoginProfile": lambda admitted: not _has_profile(admitted),
        "iam:UpdateLoginProfile": _has_profile,
    },
)
def create_setup_link(caller: Caller, *, user: User) -> Issued[SetupLink]:
    """Give a user access to the console by a link, good once and for some days, which is shown only here.

    The user chooses a password by it; until then there is none, and one that was there before stops working. Another link, a
    password set in another way, suspending the user and disabling console access make it void. Raises InvalidInput for a
    user who is kept out.
    """
    if not user.is_active_at(timezone.now()):
        raise InvalidInput(f"The user {user.user_name} may not sign in now. Reactivate the user first.")
    link, url = setup_links.give_access(user)
    return Issued(link, {"setup_url": url})


@operation("iam:DeleteLoginProfile", on=targets.user, lock=True, sensitive=True, keys=RESOURCE_TAGS)
def delete_login_profile(caller: Caller, *, user: User) -> None:
    """Take the password and the set-up link away and end the user's sessions. Access keys go on working."""
    _profile(user)
    remove_login_profile(user)


@operation(
    "iam:ChangePassword",
    on=targets.the_caller,
    lock=True,
    before=hashing("new_password", proving="old_password"),
    keys=RESOURCE_TAGS,
)
def change_password(caller: Caller, *, user: User, old_password: OldPassword, new_password: NewPassword) -> None:
    """Change the caller's own password, which ends the caller's other sessions and clears the must-change flag.

    Raises InvalidUserType for the root user, AccessDenied for a wrong old password or for the same one again, and in the
    console after a hard expiry.
    """
    if user.is_root:
        raise InvalidUserType(
            "Only IAM users can change their password by this operation; the root user does it in the console."
        )
    profile = _profile(user)
    expires = expiry(user)
    if expires and expires.passed and expires.hard and (caller.door == "console" or expires.first):
        raise AccessDenied("Your password has expired. An administrator must set another one for you.")
    if not old_password.proves(user):
        raise AccessDenied("The old password was incorrect.")
    if new_password.text == old_password.text:
        raise AccessDenied("The new password must differ from the old one.")
    set_password(user, new_password)
    profile.password_reset_required = False
    profile.save(update_fields=["password_reset_required"])


def _profile(user: User) -> LoginProfile:
    profile = LoginProfile.objects.select_related("user").filter(user=user).first()
    if profile is None:
        raise NoSuchEntity(f"Login Profile for User {user.user_name} cannot be found.")
    return profile
