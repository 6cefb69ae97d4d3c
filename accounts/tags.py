"""Tags: up to 50 pairs on an entity.

Users' tag keys ignore case, so that tagging ``team`` replaces ``Team``; those of managed policies mind it (IAM User Guide,
"Tags for AWS Identity and Access Management resources").
"""

from collections.abc import Sequence
from typing import TypedDict

from iamconsole.errors import InvalidInput, LimitExceeded
from permissions.wildcard import fold

TAGS_PER_ENTITY = 50
# Context keys: of operations on what has tags, and of those that are given tags.
RESOURCE_TAGS = ("aws:ResourceTag", "iam:ResourceTag")
REQUEST_TAGS = ("aws:RequestTag", "aws:TagKeys")


class Tag(TypedDict):
    """One pair."""

    key: str
    value: str


def checked(tags: Sequence[Tag], *, minds_case: bool = False) -> list[Tag]:
    """The tags of one call. Raises InvalidInput on reserved or repeated keys."""
    seen: set[str] = set()
    for tag in tags:
        if fold(tag["key"]).startswith("aws:"):
            raise InvalidInput("Tag keys beginning with aws: are reserved for system use.")
        key = _folded(tag["key"], minds_case)
        if key in seen:
            why = "" if minds_case else " Please note that Tag keys are case insensitive."
            raise InvalidInput(f"Duplicate tag keys found.{why}")
        seen.add(key)
    return [{"key": tag["key"], "value": tag["value"]} for tag in tags]


def merged(old: Sequence[Tag], new: Sequence[Tag], *, minds_case: bool = False) -> list[Tag]:
    """``old`` with ``new`` set over it. Raises InvalidInput, LimitExceeded past 50."""
    fresh = checked(new, minds_case=minds_case)
    replaced = {_folded(tag["key"], minds_case): tag for tag in fresh}
    kept = [replaced.pop(_folded(tag["key"], minds_case), tag) for tag in old]
    result = kept + [tag for tag in fresh if _folded(tag["key"], minds_case) in replaced]
    if len(result) > TAGS_PER_ENTITY:
        raise LimitExceeded("The number of tags has reached the maximum limit.")
    return result


def without(old: Sequence[Tag], keys: Sequence[str], *, minds_case: bool = False) -> list[Tag]:
    """``old`` without the named keys; unknown ones are passed over."""
    gone = {_folded(key, minds_case) for key in keys}
    return [tag for tag in old if _folded(tag["key"], minds_case) not in gone]


def _folded(key: str, minds_case: bool) -> str:
    return key if minds_case else fold(key)
