"""Tags: up to 50 pairs on an entity. Users' tag keys ignore case: tagging ``team`` replaces ``Team``."""

from collections.abc import Sequence
from typing import TypedDict

from iamconsole.errors import InvalidInput, LimitExceeded

TAGS_PER_ENTITY = 50


class Tag(TypedDict):
    """One pair."""

    key: str
    value: str


def checked(tags: Sequence[Tag]) -> list[Tag]:
    """The tags of one call. Raises InvalidInput on reserved or repeated keys."""
    seen: set[str] = set()
    for tag in tags:
        folded = tag["key"].lower()
        if folded.startswith("aws:"):
            raise InvalidInput("Tag keys beginning with aws: are reserved for system use.")
        if folded in seen:
            raise InvalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
        seen.add(folded)
    return [{"key": tag["key"], "value": tag["value"]} for tag in tags]


def merged(old: Sequence[Tag], new: Sequence[Tag]) -> list[Tag]:
    """``old`` with ``new`` set over it. Raises LimitExceeded past 50."""
    fresh = checked(new)
    replaced = {tag["key"].lower(): tag for tag in fresh}
    kept = [replaced.pop(tag["key"].lower(), tag) for tag in old]
    result = kept + [tag for tag in fresh if tag["key"].lower() in replaced]
    if len(result) > TAGS_PER_ENTITY:
        raise LimitExceeded("The number of tags has reached the maximum limit.")
    return result


def without(old: Sequence[Tag], keys: Sequence[str]) -> list[Tag]:
    """``old`` without the named keys; unknown ones are passed over."""
    gone = {key.lower() for key in keys}
    return [tag for tag in old if tag["key"].lower() not in gone]
