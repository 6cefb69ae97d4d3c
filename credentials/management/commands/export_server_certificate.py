"""``manage.py export_server_certificate``: the files of a certificate for a TLS server."""

import shlex
import subprocess
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.management.commands._shell import faults_as_command_errors, operator
from credentials import exported_files
from credentials.certificates import canonical
from credentials.operations.certificate_export import export_server_certificate


class Command(BaseCommand):
    """Export a server certificate."""

    help = (
        "Write a server certificate, its chain and its private key into a folder, readable by their owner only, and if they have"
        " changed run a command, such as one that reloads nginx. Run it from a timer: without a change it does nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """NAME --account A --to DIR [--reload COMMAND]."""
        parser.add_argument("name", help="the server certificate's name")
        parser.add_argument("--account", required=True, help="the account's id or alias")
        parser.add_argument("--to", required=True, metavar="DIR", help="the folder; made with mode 0700")
        parser.add_argument(
            "--reload",
            metavar="COMMAND",
            help="run without a shell when the files have changed: 'systemctl reload nginx'",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Export, write, reload. A reload that failed is tried again by the next run."""
        with faults_as_command_errors():
            issued = export_server_certificate(
                operator(), account=options["account"], server_certificate_name=options["name"]
            )
        leaf = canonical(issued.entity.certificate_body)
        chain = canonical(issued.entity.certificate_chain or "")
        files = {
            "cert.pem": leaf,
            "chain.pem": chain,
            "fullchain.pem": leaf + chain,
            "privkey.pem": canonical(issued.secret["private_key"]),
        }
        folder = Path(options["to"])
        try:
            changed = exported_files.write(folder, issued.entity.server_certificate_id, files)
        except (exported_files.UnsafeFolderError, OSError) as error:
            raise CommandError(f"The files cannot be written: {error}") from error
        self.stdout.write(f"{folder / 'current'} {'is written' if changed else 'has not changed'}.")
        if options["reload"] and exported_files.needs_reload(folder):
            self._reload(folder, options["reload"])

    def _reload(self, folder: Path, command: str) -> None:
        try:
            done = subprocess.run(shlex.split(command), check=False, timeout=60)  # noqa: S603 - the operator's own command
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            raise CommandError(f"The files are written, but the reload did not work: {error}") from error
        if done.returncode:
            raise CommandError(f"The files are written, but the reload failed: {command} ended with {done.returncode}.")
        exported_files.note_reload(folder)
        self.stdout.write("Reloaded.")
