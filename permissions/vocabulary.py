"""What a policy can name here: AWS's services with their actions, and this server's own, ``iamconsole``."""

from collections.abc import Mapping
from functools import cache, lru_cache
from itertools import islice
from typing import Final

from api import shapes
from permissions import actions
from permissions.wildcard import Steps, fold, matches, split

OWN: Final = "iamconsole"
_PLENTY: Final = 10_000_000  # steps for holding one pattern against every action of a service


@cache
def services() -> Mapping[str, Mapping[str, str]]:
    """The access level of each action, by service and by the action's name."""
    own = {
        name: "Read" if name.startswith(("Get", "List", "Verify")) else "Write"
        for name in shapes.services()[OWN].operations
    }
    return {**{prefix: service.actions for prefix, service in actions.services().items()}, OWN: own}


def spans_services(pattern: str) -> bool:
    """Whether an entry's service has a wildcard, so that it is of no service in particular."""
    service = pattern.partition(":")[0]
    return "*" in service or "?" in service


@lru_cache(maxsize=8192)
def levels(pattern: str) -> Mapping[str, str]:
    """The known actions that an entry of one service stands for, each with its access level; nothing for other entries."""
    service = fold(pattern.partition(":")[0])
    pieces = split(fold(pattern))
    return {
        f"{service}:{name}": level
        for name, level in services().get(service, {}).items()
        if matches(pieces, fold(f"{service}:{name}"), Steps(_PLENTY))
    }


def search(text: str, most: int) -> list[tuple[str, str]]:
    """Actions, with their access levels: those of an entry such as ``s3:Get*``, or those that hold the text."""
    wanted = fold(text.strip())
    if not wanted:
        return []
    if "*" in wanted or "?" in wanted:
        return list(levels(wanted).items())[:most]
    found = (
        (f"{service}:{name}", level)
        for service, names in services().items()
        for name, level in names.items()
        if wanted in fold(f"{service}:{name}")
    )
    return list(islice(found, most))


def is_known_key(key: str) -> bool:
    """Whether requests can have the context key: a global one, or one of its service's."""
    return actions.is_known_key(key)


def global_keys() -> list[str]:
    """The context keys of no service, as they are written."""
    return sorted(actions.GLOBAL_KEYS)
