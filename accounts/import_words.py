"""What imports have in common: what becomes of an entry, in words, and which names are taken."""

from typing import Any, Final

from accounts.caller import Caller
from iamconsole.forms import may
from iamconsole.operation import Operation

PAGE: Final = 1000
WILL, THERE, WRONG, MADE, LATER = "Will be created", "Exists already", "Error", "Created", "Not yet"
KINDS: Final = {WILL: "ok", MADE: "ok", LATER: "warning", THERE: "muted", WRONG: "error"}  # how each word is shown
LEFT_ALONE: Final = "It is left as it is."


def names_of(caller: Caller, listing: Operation[Any], key: str, **only: str) -> set[str] | None:
    """Every name there is, as it is compared; None for a caller who may not list them."""
    if not may(caller, listing, **only).allowed:
        return None
    names: set[str] = set()
    marker = None
    while True:
        page = listing(caller, max_items=PAGE, marker=marker, **only)
        names.update(getattr(each, key) for each in page.items)
        marker = page.marker
        if marker is None:
            return names
