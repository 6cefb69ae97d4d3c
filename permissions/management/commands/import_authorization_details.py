"""``manage.py import_authorization_details``: users, groups and policies of an AWS account, as AWS tells them."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.import_words import WRONG
from accounts.management.commands._shell import faults_as_command_errors, root_of
from permissions import authorization_import
from permissions.authorization_files import read, read_credential_report


class Command(BaseCommand):
    """Import, or show what would be."""

    help = (
        "Make the users, groups and managed policies of a file that `aws iam get-account-authorization-details` wrote, in an"
        " account here. Nothing is changed without --apply. What exists already is left as it is, so the file can be"
        " imported again. Roles and credentials are not imported."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """FILE --account A [--apply] [--credential-report CSV]."""
        parser.add_argument("file", type=Path, metavar="FILE.json")
        parser.add_argument("--account", required=True, help="the account's id or alias")
        parser.add_argument("--apply", action="store_true", help="do it; without this, only show what would be done")
        parser.add_argument(
            "--credential-report",
            type=Path,
            metavar="FILE.csv",
            help="AWS's credential report: it tells which credentials each user had",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, preview or do, tell."""
        caller = root_of(options["account"])
        with faults_as_command_errors():
            details = read(_bytes(options["file"]))
            report = options["credential_report"]
            had = read_credential_report(_bytes(report)) if report else None
            if options["apply"]:
                lines = authorization_import.run(lambda: caller, details)
            else:
                lines = authorization_import.preview(caller, details)
        for line in lines:
            self.stdout.write(f"{line.word}: {line.entity.kind} {line.entity.name} {line.detail}".rstrip())
            for note in (*line.differences, *line.notes):
                self.stdout.write(f"  {note}")
        for name in details.roles:
            self.stdout.write(f"Left out: role {name}")
        self.stdout.write("; ".join(f"{word}: {count}" for word, count in authorization_import.counted(lines)))
        for user_name, what in authorization_import.credentials_to_give(lines, had):
            self.stdout.write(f"Give anew to {user_name}: {what}")
        if not options["apply"]:
            self.stdout.write("Nothing is changed. Do it with --apply.")
        elif any(line.word == WRONG for line in lines):
            raise CommandError("Not all of it could be made: see above. What was made is there; run it again.")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
