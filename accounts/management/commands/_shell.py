"""What the commands share: the operator and a root user as callers, and faults as command errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from getpass import getuser

from django.core.management.base import CommandError
from django.db import OperationalError
from django.db.models import Q

from accounts.caller import Caller
from accounts.models import User
from credentials.rotation import WrongKeyRingError
from credentials.sealing import SealBrokenError
from iamconsole.errors import Fault


def operator() -> Caller:
    """Whoever has the shell: makes, recovers and closes accounts."""
    return Caller(user=None, door="shell", user_agent=f"manage.py ({_name()})")


def root_of(account: str) -> Caller:
    """The root user of the account with that id or alias, at the shell."""
    root = (
        User.objects.select_related("account")
        .filter(Q(account_id=account) | Q(account__alias=account), user_name__isnull=True)
        .first()
    )
    if root is None:
        raise CommandError(f"There is no account with the id or alias {account}.")
    return Caller(user=root, door="shell", user_agent=f"manage.py ({_name()})")


def _name() -> str:
    try:
        return getuser()
    except (KeyError, OSError):
        return "unknown"


@contextmanager
def wrong_ring_as_command_error() -> Iterator[None]:
    """Say what is wrong with the key ring, or with a sealed value, as the command's error."""
    try:
        yield
    except (WrongKeyRingError, SealBrokenError) as error:
        raise CommandError(str(error)) from error


@contextmanager
def faults_as_command_errors() -> Iterator[None]:
    """Say a fault as the command's error: its code and its sentence."""
    try:
        yield
    except Fault as fault:
        raise CommandError(f"{fault.code}: {fault.message}") from fault
    except OperationalError as error:
        raise CommandError(f"The database does not answer, nothing was changed: {error}") from error
