"""Passwords: the rules a new one follows, and the slow work of hashing and proving, which is done before anything is locked.

The rules are those of AWS's default policy (IAM User Guide, "Set an account password policy").
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from django.contrib.auth.hashers import check_password, make_password
from django.utils.crypto import constant_time_compare

from accounts import throttle
from accounts.models import User
from credentials.secrets import SYMBOLS

SHORTEST = 8
LONGEST = 128
# AWS's passwordType: what the API accepts as an old password must be all that can be set as a new one.
CHARACTERS = re.compile(r"[\u0009\u000A\u000D\u0020-\u00FF]+")


@dataclass(frozen=True)
class NewPassword:
    """A new password and its hash."""

    text: str = field(repr=False)
    encoded: str = field(repr=False)

    @classmethod
    def of(cls, password: str) -> Self:
        """Hash a password; takes some ten milliseconds."""
        text = normalised(password)
        return cls(text, make_password(text))


@dataclass(frozen=True)
class OldPassword:
    """What was typed as the password there is, and the hash it was found to match, if it did."""

    text: str = field(repr=False)
    matches: str | None = field(repr=False)

    @classmethod
    def of(cls, password: str, user: User) -> Self:
        """Compare with the user's hash, for one try of the user's; takes some ten milliseconds. Raises Throttling."""
        text, budgets = normalised(password), throttle.proof_budgets(user)
        throttle.reserve(budgets)
        if not check_password(text, user.password):
            return cls(text, None)
        throttle.refund(budgets)
        return cls(text, user.password)

    def proves(self, user: User) -> bool:
        """Whether it is the password of ``user`` still."""
        return self.matches is not None and constant_time_compare(self.matches, user.password)


def hashing(new: str | None = None, *, proving: str | None = None) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """What an operation does before it locks: hash the argument ``new``, prove the argument ``proving`` of its user."""

    def before(admitted: Mapping[str, Any]) -> Mapping[str, Any]:
        ready: dict[str, Any] = {}
        if new is not None and new in admitted:
            ready[new] = NewPassword.of(admitted[new])
        if proving is not None:
            ready[proving] = OldPassword.of(admitted[proving], admitted["user"])
        return ready

    return before


def normalised(password: str) -> str:
    """The password as it is hashed: in Unicode's form NFC, so that it is the same from every keyboard. Never trimmed."""
    return unicodedata.normalize("NFC", password)


def rules() -> list[str]:
    """What a new password must be, as sentences to list beside the form."""
    return [
        f"It has {SHORTEST} to {LONGEST} characters.",
        f"It has three of these four: upper-case letters, lower-case letters, digits, symbols ({' '.join(SYMBOLS)}).",
        "It has no characters beyond those of Western European languages.",
        "It is not the user name, the e-mail address or the account's name.",
    ]


def broken_rules(password: str, user: User) -> list[str]:
    """The rules that ``password`` breaks for ``user`` (loaded with its account), all of them; empty when it is good."""
    length, classes, characters, names = rules()
    broken = []
    if not SHORTEST <= len(password) <= LONGEST:
        broken.append(length)
    kinds = (
        any(character.isupper() for character in password),
        any(character.islower() for character in password),
        any(character.isdigit() for character in password),
        any(character in SYMBOLS for character in password),
    )
    if sum(kinds) < 3:  # noqa: PLR2004 - three of the four
        broken.append(classes)
    if not CHARACTERS.fullmatch(password):
        broken.append(characters)
    own = (user.user_name, user.email, user.account.name, user.account.alias, user.account_id)
    if password.lower() in {name.lower() for name in own if name}:
        broken.append(names)
    return broken
