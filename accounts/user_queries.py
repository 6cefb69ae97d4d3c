"""What may stand in the address of the list of users: search, filters, order, and nothing else."""

from typing import Final
from urllib.parse import parse_qsl, urlencode

SEARCH, ORDER, PAGE, VIEW = "q", "o", "p", "view"
FILTERS: Final = (
    "status", "console", "mfa", "group", "last_activity", "key", "key_age", "password_age", "permissions",
    "ssh_key",
)  # fmt: skip


def kept_query(query: str) -> str:
    """The part of a query string that says which users are listed, and how they are ordered; each name once."""
    pairs = dict(parse_qsl(query.replace("\0", "")))
    return urlencode({name: pairs[name] for name in (SEARCH, *FILTERS, ORDER) if name in pairs})
