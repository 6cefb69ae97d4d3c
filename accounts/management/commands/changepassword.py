"""``manage.py changepassword`` of Django is not for this server."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    """Refuse, and name the right command."""

    help = "Not used here. See recoverroot, and manage.py iam UpdateLoginProfile."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whatever Django's command takes."""
        parser.add_argument("anything", nargs="*")

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse."""
        raise CommandError(
            "A root user's password is set by the link that manage.py recoverroot prints; an IAM user's by"
            " manage.py iam UpdateLoginProfile UserName=... Password=- --account ..."
        )
