"""JSON as strictly as a policy needs it: no key twice, no NaN, no huge number, no deep nesting.

``json.loads`` lets the last of two equal keys win, which would let a Deny hide behind an Allow.
"""

import json
import re
from decimal import Decimal
from typing import Any, Final, NoReturn

DEEPEST: Final = 20
LONGEST_NUMBER: Final = 20
# A string that is never closed runs to the end of the text, so that one pass is enough for any text.
STRING_OR_BRACKET: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[][{}]', re.DOTALL)


class NotStrictError(ValueError):
    """The text is not JSON, or not of the strict kind."""


def load(text: str) -> Any:
    """Read JSON. Fractions become Decimals, so that they are kept as written. Raises NotStrictError and nothing else."""
    depth = 0
    for token in STRING_OR_BRACKET.finditer(text):
        depth += (token[0] in ("{", "[")) - (token[0] in ("}", "]"))
        if depth > DEEPEST:
            raise NotStrictError(f"It is nested more than {DEEPEST} deep.")
    try:
        return json.loads(
            text, object_pairs_hook=_object, parse_constant=_refused, parse_int=_integer, parse_float=_fraction
        )
    except json.JSONDecodeError as error:
        raise NotStrictError(f"Line {error.lineno}, column {error.colno}: {error.msg}.") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise NotStrictError("A name stands twice in one object.")
    return members


def _refused(constant: str) -> NoReturn:
    raise NotStrictError(f"{constant} is no JSON.")


def _integer(text: str) -> int:
    if len(text.removeprefix("-")) > LONGEST_NUMBER:
        raise NotStrictError(f"A number has more than {LONGEST_NUMBER} digits.")
    return int(text)


def _fraction(text: str) -> Decimal:
    number = Decimal(text)
    if len(text) > 2 * LONGEST_NUMBER or abs(number.adjusted()) > LONGEST_NUMBER:
        raise NotStrictError(f"A number has more than {LONGEST_NUMBER} digits.")
    return number
