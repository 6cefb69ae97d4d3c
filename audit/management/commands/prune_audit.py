"""``manage.py prune_audit``: delete the oldest events of the trail, and keep the hash that the rest follows."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.management.commands._shell import faults_as_command_errors, operator
from audit.models import INSTALLATION
from audit.operations.events import PRUNED_AT_ONCE, prune_trail
from audit.verification import chains, is_older


class Command(BaseCommand):
    """Prune the trail."""

    help = (
        "Delete events older than so many days (TRAIL_RETENTION_DAYS by default). Each chain keeps the hash of its last deleted"
        " event, so that verify_audit still works; that it was pruned is an event itself."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """--older-than DAYS --account A."""
        parser.add_argument("--older-than", type=int, metavar="DAYS", default=settings.TRAIL_RETENTION_DAYS)
        parser.add_argument("--account", help=f"one account, by id or alias, or {INSTALLATION}; all by default")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prune each chain, a part at a time: no lock is held for long."""
        days = options["older_than"]
        if days < 1:
            raise CommandError("Say how old an event must be: --older-than DAYS, or set TRAIL_RETENTION_DAYS.")
        for chain in [options["account"]] if options["account"] else chains():
            with faults_as_command_errors():
                self._prune(chain, days)

    def _prune(self, chain: str, days: int) -> None:
        count, part = 0, PRUNED_AT_ONCE
        while part == PRUNED_AT_ONCE and is_older(chain, days):
            told = prune_trail(operator(), account=chain, older_than_days=days)
            part = told["pruned_events"]
            count += part
        self.stdout.write(f"{chain}: {count} events pruned")
