"""``manage.py createsuperuser`` of Django is not for this server."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    """Refuse, and name the right command."""

    help = "Not used here: there is no user across accounts. See createaccount."
    requires_system_checks: list[str] = []  # noqa: RUF012 - as Django declares it

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse."""
        raise CommandError(
            "There is no superuser here. An account and its root user are made by manage.py createaccount."
        )
