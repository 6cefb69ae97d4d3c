"""``manage.py verify_audit``: whether anybody has altered, deleted, inserted or moved an event of the trail."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.management.commands._shell import faults_as_command_errors, operator, root_of
from audit.models import INSTALLATION, ChainHead
from audit.operations.events import report_broken_trail
from audit.verification import chains, note_verified, rules, verify
from iamconsole.errors import NoSuchEntity

MOST_TOLD = 20
LONGEST_REASON = 8192
STEP = 10_000


class Command(BaseCommand):
    """Verify the chains."""

    help = (
        "Read every event of the trail and check the chain of hashes. Says each break with its account, sequence and event"
        " id, and ends with status 1 if there is one. What is wrong is an event itself, of which the audit log warns."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """--account A."""
        parser.add_argument(
            "--account", help=f"one account, by id or alias, or {INSTALLATION} for what is no account's; all by default"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Walk each chain."""
        with faults_as_command_errors():
            wrong = rules()
            for each in wrong:
                self.stdout.write(f"The database does not keep events from being changed: {each}.")
            found = sum([self._verify(chain, wrong) for chain in _asked(options["account"])])
        if found or wrong:
            raise CommandError(f"The trail is not whole: {found} broken links, {len(wrong)} missing rules.")

    def _verify(self, chain: str, wrong: Sequence[str]) -> int:
        head = ChainHead.objects.filter(pk=chain).first()
        length = head.sequence if head else 0
        breaks, told = 0, [f"the database does not keep events from being changed: {each}" for each in wrong]
        for each in verify(chain, lambda sequence: self._progress(chain, sequence, length)):
            breaks += 1
            if breaks <= MOST_TOLD:
                told.append(f"#{each.sequence} {each.what}")
                self.stdout.write(f"BROKEN {each}")
        if breaks > MOST_TOLD:
            self.stdout.write(f"BROKEN {chain}: and {breaks - MOST_TOLD} more")
        if not breaks and head:
            note_verified(chain, head.sequence)
            begin = f" from #{head.anchor_sequence + 1}" if head.anchor_sequence else ""
            self.stdout.write(f"{chain}: whole{begin} to #{head.sequence} {head.hash}")
        if told:
            counts = ((breaks, "broken link"), (len(wrong), "missing rule"))
            counted = " and ".join(f"{number} {word}{'s' * (number > 1)}" for number, word in counts if number)
            reason = f"{counted}: {'; '.join(told)}."
            with suppress(NoSuchEntity):  # to a chain without a head nothing can be added
                report_broken_trail(operator(), account=chain, broken_reason=reason[:LONGEST_REASON])
        return breaks

    def _progress(self, chain: str, sequence: int, length: int) -> None:
        if sys.stderr.isatty() and (sequence % STEP == 0 or sequence == length):
            self.stderr.write(f"\r{chain}: {sequence} of {length}", ending="" if sequence < length else "\n")


def _asked(account: str | None) -> list[str]:
    if account is None:
        return chains()
    if account == INSTALLATION or account in chains():  # that of an account that is closed stays
        return [account]
    return [root_of(account).account_id]
