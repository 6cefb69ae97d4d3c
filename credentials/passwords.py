"""The rules a new password follows (IAM User Guide, "Set an account password policy": the default policy)."""

import unicodedata

from accounts.models import User
from credentials.secrets import SYMBOLS

SHORTEST = 8
LONGEST = 128


def normalised(password: str) -> str:
    """The password as it is hashed: in Unicode's form NFC, so that it is the same from every keyboard. Never trimmed."""
    return unicodedata.normalize("NFC", password)


def rules() -> list[str]:
    """What a new password must be, as sentences to list beside the form."""
    return [
        f"It has {SHORTEST} to {LONGEST} characters.",
        f"It has three of these four: upper-case letters, lower-case letters, digits, symbols ({' '.join(SYMBOLS)}).",
        "It is not the user name, the e-mail address or the account's name.",
    ]


def broken_rules(password: str, user: User) -> list[str]:
    """The rules that ``password`` breaks for ``user`` (loaded with its account), all of them; empty when it is good."""
    length, classes, names = rules()
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
    own = (user.user_name, user.email, user.account.name, user.account.alias, user.account_id)
    if password.lower() in {name.lower() for name in own if name}:
        broken.append(names)
    return broken
