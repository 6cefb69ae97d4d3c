"""Passwords that many people have used (common_passwords.txt, NOTICE, ``manage.py vendor_common_passwords``).

The list is sorted by bytes, in lower case, one a line, and searched where it lies: processes share its pages, and a look-up
takes some ten microseconds.
"""

import mmap
from functools import cache
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).with_name("common_passwords.txt")


@cache
def _lines() -> mmap.mmap:
    with FILE.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def is_common(password: str) -> bool:
    """Whether the password, in whatever case, is on the list."""
    wanted, lines = password.lower().encode(), _lines()
    low, high = 0, len(lines)  # both at the beginning of a line
    while low < high:
        start = max(low, lines.rfind(b"\n", low, (low + high) // 2) + 1)
        end = lines.find(b"\n", start)
        found = lines[start:end]
        if found == wanted:
            return True
        low, high = (end + 1, high) if found < wanted else (low, start)
    return False
