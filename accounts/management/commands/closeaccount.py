"""``manage.py closeaccount``: delete an empty account."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.management.commands._shell import faults_as_command_errors, operator, root_of
from accounts.operations.installation import close_account, refuse_unless_empty


class Command(BaseCommand):
    """Close an account."""

    help = "Delete an account that holds nothing any more, after its id is typed. Its trail is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        """ACCOUNT."""
        parser.add_argument("account", help="the account's id or alias")

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse what is not empty, ask for the id, close."""
        account = root_of(options["account"]).account
        with faults_as_command_errors():
            refuse_unless_empty(account)
            self.stderr.write(f"This deletes the account {account.pk} ({account.name}) and its root user for good.")
            try:
                typed = input("Type the account id to confirm: ")
            except EOFError:
                typed = ""
            if typed.strip() != account.pk:
                raise CommandError("That is not the account id. Nothing was changed.")
            close_account(operator(), account=account.pk)
        self.stdout.write(f"Account {account.pk} is closed.")
