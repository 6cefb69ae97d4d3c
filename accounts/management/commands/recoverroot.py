"""``manage.py recoverroot``: a new start for a root user who is locked out."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.management.commands._shell import faults_as_command_errors, operator
from accounts.operations.installation import recover_root_user


class Command(BaseCommand):
    """Recover a root user."""

    help = (
        "End the root user's password, MFA devices and sessions, and print a new one-time set-up link. Access keys are left as"
        " they are."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """ACCOUNT."""
        parser.add_argument("account", help="the account's id or alias")

    def handle(self, *args: Any, **options: Any) -> None:
        """Recover and print the link."""
        with faults_as_command_errors():
            issued = recover_root_user(operator(), account=options["account"])
        self.stdout.write(
            "The root user's password, MFA devices and sessions have ended. Set-up link, which works once:"
        )
        self.stdout.write(issued.secret["root_setup_url"])
