"""``manage.py credential_report``: an account's credential report, with a progress bar; built here if no worker takes it."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from accounts import jobs
from accounts.caller import Caller
from accounts.job_models import Job
from accounts.management.commands._shell import faults_as_command_errors, root_of
from credentials.operations.credential_reports import (
    generate_credential_report,
    get_credential_report,
    list_credential_reports,
    refresh_credential_report,
)
from credentials.reports.models import CredentialReport

WIDTH = 40


class Command(BaseCommand):
    """Write a report."""

    help = (
        "Write the credential report of an account, the bytes that GetCredentialReport answers: the one of the last four"
        " hours, or a new one. It is built by the task worker, or here when none has taken it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """--account, --out and --fresh."""
        parser.add_argument("--account", required=True, help="the account's id or alias")
        parser.add_argument("--out", type=Path, help="a file to write instead of standard output")
        parser.add_argument("--fresh", action="store_true", help="a new one, whatever there is")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask for it, see it built, write it chunk by chunk."""
        caller = root_of(options["account"])
        with faults_as_command_errors():
            (refresh_credential_report if options["fresh"] else generate_credential_report)(caller)
            self._wait(caller)
            report = get_credential_report(caller)
        if options["out"] is None:
            self._write(report, sys.stdout)
            return
        with options["out"].open("w", encoding="utf-8", newline="") as file:
            self._write(report, file)
        self.stderr.write(f"{report.users} users, {report.size} bytes: {options['out']}", style_func=str)

    def _write(self, report: CredentialReport, file: TextIO) -> None:
        file.writelines(report.texts())

    def _wait(self, caller: Caller) -> None:
        """Build the report that is on the way, or wait for the worker that has it."""
        [report] = list_credential_reports(caller, max_items=1).items
        if report.job.is_over:
            return
        with self._bar(report.job):
            while not jobs.run(report.job_id) and not Job.objects.get(pk=report.job_id).is_over:
                time.sleep(0.2)
        job = Job.objects.get(pk=report.job_id)
        if job.state != Job.State.COMPLETE:
            raise CommandError(job.error or "The report was taken over by a task worker: ask for it again.")

    @contextmanager
    def _bar(self, job: Job) -> Iterator[None]:
        """Show on a terminal how far the job is, twice a second."""
        if not self.stderr.isatty():
            yield
            return
        over = Event()

        def draw() -> None:
            while True:
                last = over.wait(0.5)
                percent = Job.objects.get(pk=job.pk).percent
                filled = WIDTH * percent // 100
                bar = f"\r[{'#' * filled}{' ' * (WIDTH - filled)}] {percent:3}%"
                self.stderr.write(bar, style_func=str, ending="\n" if last else "")
                if last:
                    break
            connection.close()

        thread = Thread(target=draw, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
