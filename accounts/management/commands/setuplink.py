"""``manage.py setuplink``: another set-up link for a root user who has not set a password yet."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.management.commands._shell import faults_as_command_errors, operator
from accounts.operations.installation import issue_root_setup_link


class Command(BaseCommand):
    """Issue a set-up link anew."""

    help = "Print a new one-time set-up link for a root user without a password; earlier links stop working."

    def add_arguments(self, parser: CommandParser) -> None:
        """ACCOUNT."""
        parser.add_argument("account", help="the account's id or alias")

    def handle(self, *args: Any, **options: Any) -> None:
        """Issue and print the link."""
        with faults_as_command_errors():
            issued = issue_root_setup_link(operator(), account=options["account"])
        self.stdout.write(issued.secret["root_setup_url"])
