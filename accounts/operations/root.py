"""What only the root user does, for itself: its e-mail address and its password."""

from django.db import IntegrityError, transaction

from accounts import targets
from accounts.caller import Caller
from accounts.models import User
from accounts.steps import checked_email
from credentials.passwords import NewPassword, OldPassword, hashing
from credentials.steps import set_password
from iamconsole.errors import AccessDenied, EntityAlreadyExists, InvalidUserType
from iamconsole.operation import operation


@operation("iamconsole:UpdateRootUserEmail", on=targets.the_caller, lock=True, before=hashing(proving="password"))
def update_root_user_email(caller: Caller, *, user: User, email: str, password: OldPassword) -> None:
    """Change the address the root user signs in with.

    Raises InvalidInput when it is none, EntityAlreadyExists when another account's root has it.
    """
    _require_root(user, password)
    user.email = checked_email(email)
    try:
        with transaction.atomic():
            user.save(update_fields=["email"])
    except IntegrityError as error:
        raise EntityAlreadyExists("Another account's root user has this e-mail address.") from error


@operation(
    "iamconsole:UpdateRootUserPassword",
    on=targets.the_caller,
    lock=True,
    before=hashing("new_password", proving="old_password"),
)
def update_root_user_password(
    caller: Caller, *, user: User, old_password: OldPassword, new_password: NewPassword
) -> None:
    """Change the root user's password, which ends its other sessions. Raises PasswordPolicyViolation."""
    _require_root(user, old_password)
    if new_password.text == old_password.text:
        raise AccessDenied("The new password must differ from the old one.")
    set_password(user, new_password)


def _require_root(user: User, password: OldPassword) -> None:
    if not user.is_root:
        raise InvalidUserType("Only the root user can do this, signed in with its e-mail address.")
    if not password.proves(user):
        raise AccessDenied("The password was incorrect.")
