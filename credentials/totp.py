"""Time-based one-time codes (RFC 6238, HMAC-SHA-1), and finding which time step a code is of.

A step is a whole number: the seconds since 1970 divided by the period. What a device accepted last is kept as a step, so a code
that was used once, or is older than that, is never found again.
"""

import hmac
import re
from collections.abc import Iterator

from django_otp.oath import hotp

DIGITS = 6
# AWS's operations take six digits in this form; a person may have typed spaces between them.
_CODE = re.compile(r"[0-9]{6}")
# Steps either way. A signing in person's clock may be a step off, or ten minutes where two codes in a row are given; enrolling
# and resynchronising find any clock (AWS: about 1000).
NEAR = 1
OFF = 20
FAR = 1000


def canonical(code: str) -> str | None:
    """The one spelling of a code: without ASCII spaces, six ASCII digits. None for what is no code."""
    digits = code.replace(" ", "")
    return digits if _CODE.fullmatch(digits) else None


def code_at(seed: bytes, step: int) -> str:
    """The code of a step."""
    return f"{hotp(seed, step, DIGITS):0{DIGITS}d}"


def find(seed: bytes, code: str, around: int, *, after: int) -> int | None:
    """The step near ``around`` and later than ``after`` whose code this is, or None."""
    found = None
    for step in _steps(around, NEAR, after):
        # Every step is looked at, so that time does not tell which it was.
        if hmac.compare_digest(code_at(seed, step), code) and found is None:
            found = step
    return found


def find_pair(seed: bytes, first: str, second: str, around: int, *, after: int = -1, reach: int = FAR) -> int | None:
    """The step of ``second``, where it and ``first`` are two codes in a row, within reach and later than ``after``; or None."""
    for step in _steps(around, reach, after):
        if hmac.compare_digest(code_at(seed, step), first) and hmac.compare_digest(code_at(seed, step + 1), second):
            return step + 1
    return None


def _steps(around: int, reach: int, after: int) -> Iterator[int]:
    """The steps within reach, the nearest first."""
    for distance in range(reach + 1):
        for step in sorted({around - distance, around + distance}):
            if step > max(after, -1):
                yield step
