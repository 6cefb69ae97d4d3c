"""``manage.py reap_unused``: announce, then deactivate, then delete credentials that nobody uses."""

from collections import Counter
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q
from django.utils import timezone

from accounts.management.commands._shell import faults_as_command_errors, root_of
from accounts.models import Account
from credentials.operations.unused import reap_credential
from credentials.unused.plan import Planned, Terms, planned
from iamconsole.errors import Fault, InvalidInput, NoSuchEntity


class Command(BaseCommand):
    """Reap what is unused."""

    help = (
        "Take the step that is due with each password and access key that nobody uses: announce it to its user, deactivate it"
        " when that is long enough ago, delete what this has deactivated when that is. Nothing is done without --apply. Run it"
        " each night: a credential is never announced and deactivated in one run."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """--account A or --all, --days, --notice, --delete-after, --apply."""
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--account", help="the account's id or alias")
        which.add_argument("--all", action="store_true", help="every account")
        parser.add_argument("--days", type=int, default=settings.UNUSED_CREDENTIAL_DAYS, help="unused for so long")
        parser.add_argument(
            "--notice",
            type=int,
            metavar="DAYS",
            default=settings.UNUSED_CREDENTIAL_NOTICE_DAYS,
            help="announced before",
        )
        parser.add_argument(
            "--delete-after",
            type=int,
            metavar="DAYS",
            default=settings.UNUSED_CREDENTIAL_DELETE_AFTER_DAYS,
            help="deleted so long after it was deactivated; 0 deletes nothing",
        )
        parser.add_argument("--apply", action="store_true", help="do it; without this it is only told")

    def handle(self, *args: Any, **options: Any) -> None:
        """Go through the accounts, each credential by its own operation; what one refuses holds up no other."""
        terms = Terms(options["days"], options["notice"], options["delete_after"])
        if terms.unused_days < 1 or terms.notice_days < 1 or terms.delete_after_days < 0:
            raise CommandError("--days and --notice are 1 or more, --delete-after is 0 or more.")
        named = options["account"]
        accounts = Account.objects.order_by("pk")
        found = accounts.filter(Q(pk=named) | Q(alias=named)) if named else accounts
        ids = list(found.values_list("pk", flat=True))
        if named and not ids:
            raise CommandError(f"There is no account with the id or alias {named}.")
        counts: Counter[str] = Counter()
        with faults_as_command_errors():
            for account_id in ids:
                counts += self._account(account_id, terms, apply=options["apply"])
        told = ", ".join(f"{number} {word}" for word, number in sorted(counts.items())) or "Nothing is due"
        self.stdout.write(f"{told}." if options["apply"] else f"{told}. Dry run: --apply does it.")
        if counts["refused"]:
            raise CommandError(f"{counts['refused']} steps were refused; the others are done.")

    def _account(self, account_id: str, terms: Terms, *, apply: bool) -> Counter[str]:
        caller, counts = root_of(account_id), Counter[str]()
        for step in planned(account_id, terms, timezone.now()):
            done = step.step.value
            if apply:
                named = {"user_name": step.user_name, "credential_type": step.credential_type}
                named |= {"access_key_id": step.access_key_id} if step.access_key_id else {}
                after = {"notice_days": terms.notice_days, "delete_after_days": terms.delete_after_days}
                try:
                    done = reap_credential(caller, **named, unused_days=terms.unused_days, **after)["step"]
                except (InvalidInput, NoSuchEntity):  # it was used, switched or deleted since it was read
                    continue
                except Fault as fault:
                    self.stderr.write(f"{_words(account_id, step)}: {fault.code}: {fault.message}")
                    counts["refused"] += 1
                    continue
            self.stdout.write(f"{_words(account_id, step)}: {done}")
            counts[done] += 1
        return counts


def _words(account_id: str, step: Planned) -> str:
    what = f"access key {step.access_key_id}" if step.access_key_id else "password"
    return f"{account_id}: {what} of {step.user_name}"
