"""Secrets made by the machine."""

import secrets
import string

ACCESS_KEY_ALPHABET = string.ascii_letters + string.digits + "+/"
# AWS's password symbols, and letters and digits without the pairs people misread (0 O, 1 l I).
SYMBOLS = "!@#$%^&*()_+-=[]{}|'"
_LOWER = "abcdefghijkmnopqrstuvwxyz"
_UPPER = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_DIGITS = "23456789"
_EASY_SYMBOLS = "!@#$%^&*_+-="
PASSWORD_LENGTH = 20
SERVICE_TOKEN_PREFIX = "icst_"  # noqa: S105 - what every token begins with


def new_secret_access_key() -> str:
    """40 characters of AWS's alphabet: 240 bits."""
    return "".join(secrets.choice(ACCESS_KEY_ALPHABET) for _ in range(40))


def new_password(length: int = PASSWORD_LENGTH) -> str:
    """A password with all four classes, so that it satisfies every policy of at most that length (20: about 120 bits)."""
    classes = (_LOWER, _UPPER, _DIGITS, _EASY_SYMBOLS)
    characters = [secrets.choice(one) for one in classes]
    characters += [secrets.choice("".join(classes)) for _ in range(length - len(classes))]
    secrets.SystemRandom().shuffle(characters)
    return "".join(characters)


def new_token() -> str:
    """A token for a link: 256 bits, safe in a path."""
    return secrets.token_urlsafe(32)


def new_service_token() -> str:
    """A token for a service: 256 bits behind a prefix by which scanners and people recognise it."""
    return SERVICE_TOKEN_PREFIX + new_token()
