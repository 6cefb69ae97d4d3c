"""What a new password must be: rules, each with the sentence that tells it to people.

Without a policy of the account's own, and for the root user always, AWS's default rules hold (IAM User Guide, "Set an account
password policy"). Whatever a policy says, a password has 8 characters or more, is none that many people use, and is not made
of names alone (NIST SP 800-63B-4, 3.1.1.2).
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Final

from accounts.models import Account, User
from credentials.common_passwords import is_common
from credentials.models import PasswordPolicy
from credentials.secrets import SYMBOLS

SHORTEST: Final = 8
LONGEST: Final = 128
# AWS's passwordType: what the API accepts as an old password must be all that can be set as a new one.
CHARACTERS: Final = re.compile(r"[\u0009\u000A\u000D\u0020-\u00FF]+")
# Words that are tried first against this product, whoever uses it.
PRODUCT_WORDS: Final = ("iamconsole", "console", "amazon", "admin", "password")
SHORTEST_WORD: Final = 3
CLASSES: Final = (
    ("upper-case letter", ascii_uppercase, "A to Z"),
    ("lower-case letter", ascii_lowercase, "a to z"),
    ("digit", digits, "0 to 9"),
    ("symbol", SYMBOLS, " ".join(SYMBOLS)),
)


@dataclass(frozen=True)
class Rule:
    """A rule that a new password follows or not."""

    sentence: str
    holds: Callable[[str], bool]


def rules_for(account: Account, user: User | None, policy: PasswordPolicy | None) -> Iterator[Rule]:
    """The rules for a user of the account, or for one who is about to be made. What was used before is not among them."""
    shortest = max(SHORTEST, policy.minimum_password_length if policy else SHORTEST)
    length = f"{shortest} to {LONGEST}" if shortest < LONGEST else f"{LONGEST}"
    yield Rule(f"It has {length} characters.", lambda password: shortest <= len(password) <= LONGEST)
    if policy is None:
        kinds = ", ".join(f"{name}s ({members})" for name, _, members in CLASSES)
        yield Rule(f"It has three of these four: {kinds}.", _has_three_classes)
    else:
        for required, (name, characters, members) in zip(policy.required_classes, CLASSES, strict=True):
            if required:
                article = "an" if name[0] in "aeiou" else "a"
                yield Rule(f"It has {article} {name} ({members}).", partial(_has_one_of, characters))
    yield Rule(
        "It has no characters beyond those of Western European languages.",
        lambda password: bool(CHARACTERS.fullmatch(password)),
    )
    words = _words(account, user)
    yield Rule(
        f"It has {SHORTEST} characters beside the user name, the e-mail address, the account's name, alias and ID, and the"
        f" words {', '.join(PRODUCT_WORDS[:-1])} and {PRODUCT_WORDS[-1]}.",
        lambda password: len(_without(password, words)) >= min(SHORTEST, len(password)),
    )
    yield Rule("It is not one of the passwords that many people use.", lambda password: not is_common(password))


def reuse_sentence(policy: PasswordPolicy) -> str:
    """The rule about passwords that were used before, of a policy that has it."""
    times = policy.password_reuse_prevention
    before = "the one" if times == 1 else f"one of the {times}"
    return f"It is not the current password nor {before} before it."


def _has_one_of(characters: str, password: str) -> bool:
    return any(character in characters for character in password)


def _has_three_classes(password: str) -> bool:
    return sum(_has_one_of(characters, password) for _, characters, _ in CLASSES) >= 3  # noqa: PLR2004 - of the four


def _words(account: Account, user: User | None) -> list[str]:
    """The words that are no secret, and the parts they are made of; the longest first."""
    names = [account.name, account.alias, account.pk, *PRODUCT_WORDS]
    names += [user.user_name, user.email] if user else []
    found = {word for name in names if name for word in (name.lower(), *re.split(r"[\W_]+", name.lower()))}
    return sorted((word for word in found if len(word) >= SHORTEST_WORD), key=len, reverse=True)


def _without(password: str, words: Iterable[str]) -> str:
    left = password.lower()
    for word in words:
        left = left.replace(word, "")
    return left
