"""``manage.py worker``: the task worker, which does what takes long. script/server runs one; more may run beside it."""

import time
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import OperationalError, close_old_connections
from django.utils import timezone
from django.utils.crypto import get_random_string
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from accounts import jobs
from accounts.management.commands._shell import operator
from accounts.operations.installation import prune_jobs
from iamconsole.errors import NoSuchEntity

A_DAY = 24 * 60 * 60


class Command(BaseCommand):
    """Do jobs until told to stop."""

    help = (
        "Do what takes long, such as credential reports, take over what a dead worker left undone, and delete once a day"
        " what is older than it is kept. SIGTERM ends it when"
        " the job in hand is done, a second one at once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """--once and --interval."""
        parser.add_argument("--once", action="store_true", help="do what there is to do, then end")
        parser.add_argument("--interval", type=float, default=1.0, help="seconds between two looks at an empty queue")

    def handle(self, *args: Any, **options: Any) -> None:
        """Look, do, take over, and look again."""
        worker = Worker(
            queue_names=["*"],
            interval=options["interval"],
            batch=True,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id=get_random_string(32),
            excluded_queue_names=[],
        )
        worker.configure_signals()
        looked = pruned = 0.0
        while worker.running:
            close_old_connections()
            try:
                if time.monotonic() - looked > settings.JOB_LEASE_SECONDS / 3 or not looked:
                    looked = time.monotonic()
                    jobs.take_over(timezone.now())
                    jobs.tidy(timezone.now())
                if time.monotonic() - pruned > A_DAY or not pruned:
                    pruned = time.monotonic()
                    for account_id in jobs.accounts_with_old():
                        with suppress(NoSuchEntity):  # the account was closed meanwhile
                            prune_jobs(operator(), account=account_id)
                # The library locks the whole of SQLite to look: it does so only when there is something to find.
                if DBTaskResult.objects.ready().exists():
                    worker.run()
            except OperationalError as error:
                self.stderr.write(f"The database does not answer, trying again: {error}")
            if options["once"]:
                return
            if worker.running:
                time.sleep(options["interval"])
