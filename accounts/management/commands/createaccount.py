"""``manage.py createaccount``: make an account and its root user."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.management.commands._shell import faults_as_command_errors, operator
from accounts.operations.installation import create_account

FIELDS = (
    "account_id", "alias", "root_email", "sign_in_url", "root_setup_url", "admin_user_name", "access_key_id",
    "secret_access_key", "root_access_key_id", "root_secret_access_key",
)  # fmt: skip
LABELS = {
    "account_id": "Account ID",
    "alias": "Alias",
    "root_email": "Root user",
    "sign_in_url": "Sign-in URL",
    "root_setup_url": "Set-up link of the root user (works once)",
    "admin_user_name": "Administrator",
    "access_key_id": "Access key ID",
    "secret_access_key": "Secret access key (shown only now)",
    "root_access_key_id": "Root access key ID",
    "root_secret_access_key": "Root secret access key (shown only now)",
}


class Command(BaseCommand):
    """Make an account."""

    help = "Make an account and its root user, and print the one-time link by which the root user sets a password."

    def add_arguments(self, parser: CommandParser) -> None:
        """NAME --root-email E and what else to make."""
        parser.add_argument("name", help="what the account is called")
        parser.add_argument("--root-email", required=True, help="the address the root user signs in with")
        parser.add_argument("--alias", help="a short name for the sign-in address, unique in the installation")
        parser.add_argument(
            "--admin-user", help="also make an IAM user of this name who may do everything, with an access key"
        )
        parser.add_argument("--root-access-key", action="store_true", help="also make an access key for the root user")
        parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it and print what is to be known, the secrets for the only time."""
        with faults_as_command_errors():
            issued = create_account(
                operator(),
                name=options["name"],
                root_email=options["root_email"],
                alias=options["alias"],
                admin_user_name=options["admin_user"],
                root_access_key=options["root_access_key"],
            )
        made = {**issued.entity, **issued.secret}
        if options["json"]:
            self.stdout.write(json.dumps({field: made.get(field) for field in FIELDS}))
            return
        for field in FIELDS:
            if made.get(field) is not None:
                self.stdout.write(f"{LABELS[field]}: {made[field]}")
