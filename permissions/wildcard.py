"""Patterns: ``*`` for any run of characters, ``?`` for exactly one, ``${key}`` for a value; matched in counted steps.

A pattern is kept split: into pieces at every ``*``, and every piece into segments at its ``?``. What is left in the
segments is compared as it stands, so a value put into one never acts as a wildcard.

No input makes a match explode. A piece has one width, so its leftmost place is the best one and nothing is tried again.
Short pieces are found by ``str.find``; long ones, and those with a ``?``, with one bit for each of their characters in
one pass over the text (Baeza-Yates and Gonnet, "A New Approach to Text Searching", 1992).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

Piece = tuple[str, ...]
Pieces = tuple[Piece, ...]
Context = Mapping[str, tuple[str, ...]]

# What things cost. A step is about 50 ns on a slow machine at worst, so a budget in steps is a budget in time.
TRY: Final = 10  # one pattern held against one text, one piece looked for
BITWISE: Final = 6  # one character in a bitwise search, for every WORD characters that the piece is wide
WORD: Final = 2048
SPLITTING: Final = 3  # one character of a pattern that is split only when its variables are filled in
SHORT: Final = 32  # the longest piece for str.find, which can look at every character as often as the piece is long

_VARIABLE = re.compile(r"\$\{(?:([*?$])|([^\s,'{}](?:[^,'{}]*[^\s,'{}])?)(?:, *'([^'{}]*)')?)\}")
# Private characters, which no document holds, stand for ${*}, ${?}, ${$} and variables while wildcards are split off.
_STAND_INS: Final = {"*": "\ue000", "?": "\ue001", "$": "\ue002"}
_MEANT: Final = {ord(stand_in): character for character, stand_in in _STAND_INS.items()}
_VARIABLES: Final = 0xF0000
# Of a pattern kept in one piece until its variables are filled in: what its own wildcards are written as.
_RUN, _ONE = "\ue003", "\ue004"
_PRIVATE = re.compile("[\ue000-\ue004]")
_SMALL: Final = {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


class OverBudgetError(Exception):
    """The steps are used up."""


class Steps:
    """A counter of steps that may be taken."""

    __slots__ = ("budget", "left")

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.left = budget

    @property
    def taken(self) -> int:
        """How many were taken."""
        return self.budget - self.left

    def take(self, steps: int) -> None:
        """Take so many. Raises OverBudgetError when they are not left."""
        self.left -= steps
        if self.left < 0:
            raise OverBudgetError


@dataclass(frozen=True, slots=True)
class Variable:
    """A policy variable, ``${key}`` or ``${key, 'default'}``. The key is in lower case, as context keys are."""

    key: str
    default: str | None

    def value(self, context: Context) -> str | None:
        """What takes its place, None when there is nothing. An empty value is no value, and several are none either."""
        values = context.get(self.key, ())
        return values[0] if len(values) == 1 and values[0] else self.default


@dataclass(frozen=True, slots=True)
class Pattern:
    """One entry of Action, Resource and their opposites: as written, and ready to match.

    In ``pieces`` a private character stands for each variable.
    """

    text: str
    pieces: Pieces
    variables: tuple[Variable, ...] = ()

    @property
    def beginning(self) -> str:
        """What everything that it matches begins with, in every request."""
        return re.split(r"[*?]|\$\{", self.text, maxsplit=1)[0]

    def filled(self, context: Context, steps: Steps) -> Pieces | None:
        """The pieces for one request, None when a variable has neither value nor default: then nothing matches.

        Raises OverBudgetError.
        """
        if not self.variables:
            return self.pieces
        steps.take(len(self.text))
        values = _values(self.text, self.variables, context, steps)
        if values is None:
            return None
        return tuple(
            tuple(segment if segment.isascii() else segment.translate(values) for segment in piece)
            for piece in self.pieces
        )


@dataclass(frozen=True, slots=True)
class Literal:
    """A text whose ``*`` and ``?`` are characters like others; in ``marked`` private characters stand for its variables."""

    text: str
    marked: str
    variables: tuple[Variable, ...] = ()

    def filled(self, context: Context, steps: Steps) -> str | None:
        """The text for one request; None when a variable has no value and no default."""
        if not self.variables:
            return self.marked
        values = _values(self.text, self.variables, context, steps)
        return None if values is None else self.marked.translate(values)


@dataclass(frozen=True, slots=True)
class FieldPattern:
    """A pattern whose fields, between colons, are matched one by one, as those of an ARN.

    Without variables it is ready to match; with some it is split only when they are filled in, as a value may hold colons.
    """

    text: str
    marked: str
    most: int
    fields: tuple[Pieces, ...]
    variables: tuple[Variable, ...] = ()

    def filled(self, context: Context, steps: Steps) -> tuple[Pieces, ...] | None:
        """The fields for one request; None when a variable has no value and no default."""
        if not self.variables:
            return self.fields
        steps.take(SPLITTING * len(self.text))
        values = _values(self.text, self.variables, context, steps)
        if values is None:
            return None
        # A value must not bring what stands for a wildcard here.
        plain = {place: _PRIVATE.sub("\ufffd", value) for place, value in values.items()}
        return _fields(self.marked.translate(plain), self.most)


def _values(text: str, variables: tuple[Variable, ...], context: Context, steps: Steps) -> dict[int, str] | None:
    """What takes the places of the variables; None when one has neither value nor default."""
    steps.take(len(text))
    values: dict[int, str] = {}
    for place, variable in enumerate(variables, _VARIABLES):
        value = variable.value(context)
        if value is None:
            return None
        steps.take(len(value))
        values[place] = value
    return values


def literal(text: str, *, variables: bool) -> Literal:
    """Make a text ready to compare."""
    if not variables:
        return Literal(text, text)
    marked, found = _stand_ins(text)
    return Literal(text, marked.translate(_MEANT), found)


def pattern(text: str, *, variables: bool) -> Pattern:
    """Make a pattern ready to match, with variables or with what looks like some as it stands."""
    return Pattern(text, *split_with_variables(text)) if variables else Pattern(text, split(text))


def field_pattern(text: str, most: int, *, variables: bool) -> FieldPattern:
    """Make a pattern of up to ``most`` colons and what is left behind them ready to match."""
    marked, found = _stand_ins(text) if variables else (text, ())
    marked = marked.replace("*", _RUN).replace("?", _ONE).translate(_MEANT)
    return FieldPattern(text, marked, most, () if found else _fields(marked, most), found)


def _fields(marked: str, most: int) -> tuple[Pieces, ...]:
    return tuple(
        tuple(tuple(piece.split(_ONE)) for piece in re.sub(f"{_RUN}+", _RUN, field).split(_RUN))
        for field in marked.split(":", most)
    )


def fold(text: str) -> str:
    """The form in which case is not minded: A to Z lose theirs, and no other letter, so that none becomes one."""
    return text.lower() if text.isascii() else text.translate(_SMALL)


def split(text: str) -> Pieces:
    """Make a pattern without variables ready to match."""
    return tuple(tuple(piece.split("?")) for piece in re.sub(r"\*+", "*", text).split("*"))


def split_with_variables(text: str) -> tuple[Pieces, tuple[Variable, ...]]:
    """Make a pattern ready to match, once its variables are filled in."""
    marked, variables = _stand_ins(text)
    return tuple(tuple(segment.translate(_MEANT) for segment in piece) for piece in split(marked)), variables


def _stand_ins(text: str) -> tuple[str, tuple[Variable, ...]]:
    """The text with a private character for every escape and every variable, and the variables in their order."""
    variables: list[Variable] = []

    def stand_in(match: re.Match[str]) -> str:
        if match[1]:
            return _STAND_INS[match[1]]
        variables.append(Variable(fold(match[2]), match[3]))
        return chr(_VARIABLES + len(variables) - 1)

    return _VARIABLE.sub(stand_in, text), tuple(variables)


def variables_are_sound(text: str) -> bool:
    """Whether every ``${`` begins a variable that is well formed and closed."""
    return "${" not in _VARIABLE.sub("-", text)


def matches(pieces: Pieces, text: str, steps: Steps) -> bool:
    """Whether the pattern matches the whole text. Raises OverBudgetError."""
    steps.take(TRY)
    first = pieces[0]
    if len(pieces) == 1:
        if len(first) == 1:
            return first[0] == text
        return _width(first) == len(text) and _stands(first, text, 0, steps)
    last = pieces[-1]
    start, end = _width(first), len(text) - _width(last)
    if start > end or not (_stands(first, text, 0, steps) and _stands(last, text, end, steps)):
        return False
    for piece in pieces[1:-1]:
        start = _end_of(piece, text, start, end, steps)
        if start < 0:
            return False
    return True


def _width(piece: Piece) -> int:
    """How many characters the piece covers."""
    return len(piece[0]) if len(piece) == 1 else sum(map(len, piece)) + len(piece) - 1


def _stands(piece: Piece, text: str, start: int, steps: Steps) -> bool:
    """Whether the piece stands at ``start``; the text is long enough."""
    if len(piece) == 1:
        return text.startswith(piece[0], start)
    steps.take(BITWISE * len(piece))
    for segment in piece:
        if not text.startswith(segment, start):
            return False
        start += len(segment) + 1
    return True


def _end_of(piece: Piece, text: str, start: int, end: int, steps: Steps) -> int:
    """Where the leftmost occurrence within ``start`` and ``end`` ends, -1 when there is none."""
    if len(piece) == 1 and len(piece[0]) <= SHORT:
        found = text.find(piece[0], start, end)
        after = found + len(piece[0]) if found >= 0 else -1
        steps.take(TRY + (after if found >= 0 else end) - start)
        return after
    return _bitwise(piece, text, start, end, steps)


def _bitwise(piece: Piece, text: str, start: int, end: int, steps: Steps) -> int:
    """As ``_end_of``, for any piece: bit i of ``state`` says that i + 1 of its characters stand before the cursor."""
    width = _width(piece)
    if width == 0:
        return start
    steps.take(BITWISE * width)
    price = BITWISE * (1 + width // WORD)
    if price * (end - start) > steps.left:
        raise OverBudgetError
    anything, own, bit = 0, dict[str, int](), 1
    for index, segment in enumerate(piece):
        if index:
            anything |= bit
            bit <<= 1
        for character in segment:
            own[character] = own.get(character, 0) | bit
            bit <<= 1
    own = {character: bits | anything for character, bits in own.items()}
    state, goal, cursor = 0, bit >> 1, start
    for character in text[start:end]:
        state = (state + state + 1) & own.get(character, anything)
        cursor += 1
        if state >= goal:
            break
    steps.take(price * (cursor - start))
    return cursor if state >= goal else -1
