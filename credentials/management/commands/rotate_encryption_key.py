"""``manage.py rotate_encryption_key``: seal everything anew with the active key, while the server goes on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.management.commands._shell import wrong_ring_as_command_error
from credentials import key_file, rotation
from credentials.sealing import KeyRing


class Command(BaseCommand):
    """Rotate the encryption keys."""

    help = (
        "Seal every secret anew with the active key, the first of ENCRYPTION_KEYS, while the server goes on; a run that was"
        " interrupted is finished by the next one. It then says whether the older keys are still needed (docs/keys.md)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """--new-key, --activate and --let-go are steps; without any, everything is sealed anew."""
        step = parser.add_mutually_exclusive_group()
        step.add_argument(
            "--new-key", action="store_true", help="embedded mode: put a new key into the data folder's ring"
        )
        step.add_argument(
            "--activate", action="store_true", help="embedded mode: make it the active one, and seal anew"
        )
        step.add_argument(
            "--let-go",
            action="store_true",
            help="forget the older keys, with the recovery codes, set-up links, Git credentials and API keys that only they"
            " know",
        )
        parser.add_argument("--batch", type=int, default=rotation.BATCH, help="rows locked at a time")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do the step."""
        with wrong_ring_as_command_error():
            if options["new_key"]:
                self._add()
            elif options["let_go"]:
                self._let_go()
            else:
                if options["activate"]:
                    self._activate()
                self._rotate(max(1, options["batch"]), servers_follow=not options["activate"])

    def _add(self) -> None:
        if len(settings.KEY_RING.keys) > 1:
            raise CommandError(
                "The ring holds several keys already: finish that rotation first (--activate, --let-go)."
            )
        ring = self._changed(key_file.add)
        self.stdout.write(
            f"The key {ring.keys[-1][0]} is in the ring and seals nothing yet. Back up {settings.KEY_FILE}, restart the server,"
            " then run: manage.py rotate_encryption_key --activate"
        )

    def _activate(self) -> None:
        if len(settings.KEY_RING.keys) == 1:
            raise CommandError(
                "There is no other key to activate: manage.py rotate_encryption_key --new-key makes one."
            )
        rotation.require_known(settings.KEY_RING.keys[-1][0])
        self._changed(key_file.activate)
        self.stdout.write(
            f"The key {settings.KEY_RING.active} is the active one. Restart the server when this has ended."
        )

    def _let_go(self) -> None:
        forgotten = rotation.let_go()
        if settings.KEY_FILE is not None:
            self._changed(key_file.keep_active)
            self.stdout.write("The older keys are out of the ring. Restart the server.")
        else:
            named = f" ({', '.join(forgotten)})" if forgotten else ""
            self.stdout.write(f"The older keys{named} are forgotten. Take them out of ENCRYPTION_KEYS, then restart.")

    def _changed(self, change: Callable[[Path], KeyRing]) -> KeyRing:
        if settings.KEY_FILE is None:
            raise CommandError("The ring is yours: change ENCRYPTION_KEYS (docs/keys.md says in which order).")
        ring = change(settings.KEY_FILE)
        settings.KEY_RING = ring
        return ring

    def _rotate(self, batch: int, *, servers_follow: bool) -> None:
        for step in rotation.rotate(batch, servers_follow=servers_follow):
            self.stdout.write(f"{step.what}: {step.done} of {step.due} sealed anew")
            self.stdout.flush()
        self.stdout.write(f"Everything is sealed with the key {settings.KEY_RING.active}.")
        if not servers_follow:
            self.stdout.write(
                "Restart the server, then run this once more, without --activate: it seals with the old key yet."
            )
            return
        self._tell(rotation.retirement(timezone.now()))

    def _tell(self, left: rotation.Retirement) -> None:
        if not left.key_ids:
            return
        named = ", ".join(left.key_ids)
        if left.is_safe:
            self.stdout.write(
                f"Nothing needs {named} any more: manage.py rotate_encryption_key --let-go, once every server runs with"
                " this ring."
            )
            return
        self.stdout.write(f"Keep {named} in the ring: not all that they made has ended.")
        if left.tokens_until:
            self.stdout.write(f"  Temporary credentials: the last end on {left.tokens_until:%Y-%m-%d %H:%M} UTC.")
        if left.recovery_codes:
            self.stdout.write(f"  {left.recovery_codes} recovery codes stop working: their owners must make new ones.")
        if left.setup_links:
            self.stdout.write(f"  {left.setup_links} set-up links stop working.")
        if left.service_credentials:
            self.stdout.write(
                f"  {left.service_credentials} Git credentials and API keys are deleted: each that is used once before stays."
            )
        if left.text_codes:
            self.stdout.write(f"  {left.text_codes} codes that were sent by text message stop working.")
