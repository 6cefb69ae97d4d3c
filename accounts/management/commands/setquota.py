"""``manage.py setquota``: give an account other quotas than AWS's defaults."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.management.commands._shell import faults_as_command_errors, operator, root_of
from accounts.operations.installation import update_account_quota
from accounts.quotas import GREATEST, QUOTAS, quota_of


class Command(BaseCommand):
    """Set a quota, or list all."""

    help = "Set a quota of an account, or print all of them with --list."

    def add_arguments(self, parser: CommandParser) -> None:
        """ACCOUNT NAME VALUE, or ACCOUNT --list."""
        parser.add_argument("account", help="the account's id or alias")
        parser.add_argument("name", nargs="?", help=f"one of {', '.join(QUOTAS)}")
        parser.add_argument("value", nargs="?", type=int, help="the new quota")
        parser.add_argument(
            "--list", action="store_true", help="print the account's quotas, AWS's defaults and greatest values"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Set it, or print them."""
        account = root_of(options["account"]).account
        if options["list"]:
            self.stdout.write(f"{'NAME':<20}{'QUOTA':>8}{'DEFAULT':>9}{'GREATEST':>10}")
            for name, default in QUOTAS.items():
                greatest = GREATEST.get(name, "-")
                self.stdout.write(f"{name:<20}{quota_of(account, name):>8}{default:>9}{greatest:>10}")
            return
        if options["name"] is None or options["value"] is None:
            raise CommandError("Name a quota and its new value, or ask for --list.")
        with faults_as_command_errors():
            update_account_quota(
                operator(), account=account.pk, quota_name=options["name"], quota_value=options["value"]
            )
        self.stdout.write(f"{options['name']} of account {account.pk} is {options['value']}.")
