"""``manage.py prepare``: what must be true before the server serves. Run at every start, quick when there is nothing to do."""

import fcntl
import hashlib
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from accounts.management.commands._shell import faults_as_command_errors, operator, wrong_ring_as_command_error
from accounts.models import Account
from accounts.operations.installation import create_account
from credentials.rotation import adopt_ring
from iamconsole.statistics import refresh_statistics
from permissions.aws_managed import catalogue
from permissions.catalogue import synchronise


class Command(BaseCommand):
    """Prepare the database, the static files and the first account."""

    help = "Apply migrations, collect static files, and on the very first start make the first account."

    def add_arguments(self, parser: CommandParser) -> None:
        """--no-account for a server that gets its accounts otherwise."""
        parser.add_argument("--no-account", action="store_true", help="make no first account")
        parser.add_argument("--root-email", default="root@localhost", help="the first root user's address")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what is left to do; of two starts at once the second waits for the first."""
        with (settings.DATA / "prepare.lock").open("w") as lock, faults_as_command_errors():
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._prepare(options)

    def _prepare(self, options: dict[str, Any]) -> None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.stdout.write("Setting up the database …")
            call_command("migrate", interactive=False, verbosity=0)
        with wrong_ring_as_command_error():
            adopt_ring()
        synchronise(catalogue())
        refresh_statistics()
        self._collect_static()
        if not options["no_account"] and not Account.objects.exists():
            self._first_account(options["root_email"])

    def _collect_static(self) -> None:
        """Collect when a static file's path, size or time has changed since the last time."""
        files = sorted(
            (path, storage.size(path), storage.get_modified_time(path).isoformat())
            for finder in get_finders()
            for path, storage in finder.list([])
        )
        stamp = hashlib.sha256(repr(files).encode()).hexdigest()
        stamp_file = Path(settings.STATIC_ROOT) / ".stamp"
        if not stamp_file.exists() or stamp_file.read_text() != stamp:
            call_command("collectstatic", interactive=False, verbosity=0, clear=True)
            stamp_file.write_text(stamp)

    def _first_account(self, root_email: str) -> None:
        issued = create_account(operator(), name="main", root_email=root_email)
        self.stdout.write(
            "\nThis is the first start, so an account was made.\n"
            f"  Account ID:   {issued.entity['account_id']}\n"
            f"  Sign-in URL:  {issued.entity['sign_in_url']}\n"
            f"  Root user:    {issued.entity['root_email']}\n"
            "  Set-up link, which works once, to set the root user's password:\n"
            f"  {issued.secret['root_setup_url']}\n"
            "If the link is lost or has expired: manage.py setuplink "
            f"{issued.entity['account_id']}\n"
        )
