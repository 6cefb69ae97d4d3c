"""Conditions: what a statement asks of the request's context, as data, and whether it holds.

IAM User Guide, "IAM JSON policy elements: Condition operators" and "Multivalued context keys". What cannot be decided counts
against the request: ``doubt`` is False for an Allow, which then does not apply, and True for a Deny, which then does.
"""

import base64
import ipaddress
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Final
from typing import Literal as OneOf

from permissions.wildcard import (
    TRY,
    Context,
    FieldPattern,
    Literal,
    Pattern,
    Steps,
    field_pattern,
    fold,
    literal,
    matches,
    pattern,
)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Quantifier = OneOf["", "ForAllValues", "ForAnyValue"]
COLONS: Final = 5  # in an ARN
READING: Final = 40  # steps for reading a number, time or address
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?")
_EPOCH = re.compile(r"[0-9]{1,40}")
_DATE = re.compile(
    r"([0-9]{4})(?:-([0-9]{1,2})(?:-([0-9]{1,2}))?)?"
    r"(?:[Tt]([0-9]{1,2})(?::([0-9]{1,2})(?::([0-9]{1,2})(?:\.([0-9]{1,9}))?)?)?(?:[Zz]|([+-])([0-9]{2}):?([0-9]{2}))?)?"
)
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Operator:
    """One kind of comparison. ``read`` understands a policy's value, ``see`` a context's; both give None when they cannot.

    ``compare`` answers None when the policy's value holds a variable without a value.
    """

    read: Callable[[str, bool], Any]
    see: Callable[[str], Any]
    compare: Callable[[Any, Any, Context, Steps], bool | None]
    negated: bool = False
    variables: bool = False
    cost: int = 0  # steps for seeing one value of the request


@dataclass(frozen=True, slots=True)
class Condition:
    """One key of a condition block: the operator and key as written, the key in lower case to look it up, the values read."""

    operator: str
    name: str
    key: str
    values: tuple[Any, ...]
    base: str
    quantifier: Quantifier = ""
    if_exists: bool = False

    @property
    def variables(self) -> frozenset[str]:
        """The context keys that stand as variables in its values."""
        return frozenset(variable.key for value in self.values for variable in getattr(value, "variables", ()))


class UnreadableError(ValueError):
    """A policy's value is not of its operator's type."""


def read(name: str, key: str, values: tuple[str, ...], *, variables: bool) -> Condition | None:
    """Understand one key of a block under the operator ``name``; None when there is no such operator.

    Raises UnreadableError for a value that the operator cannot compare.
    """
    parts = split_operator(name)
    if parts is None:
        return None
    quantifier, base, if_exists = parts
    kind = OPERATORS[base]
    understood = tuple(kind.read(value, variables and kind.variables) for value in values)
    if None in understood:
        raise UnreadableError(values[understood.index(None)])
    return Condition(name, key, fold(key), understood, base, quantifier, if_exists)


def split_operator(name: str) -> tuple[Quantifier, str, bool] | None:
    """The set operator, the operator and whether it has IfExists; None for what is none of AWS's."""
    quantifier: Quantifier = ""
    base = name
    for prefix in _QUANTIFIERS:
        if name.startswith(f"{prefix}:"):
            quantifier, base = prefix, name.removeprefix(f"{prefix}:")
    if_exists = base.endswith("IfExists")
    base = base.removesuffix("IfExists")
    if base not in OPERATORS or (base == "Null" and (if_exists or quantifier)):
        return None
    return quantifier, base, if_exists


def holds(condition: Condition, context: Context, steps: Steps, *, doubt: bool) -> bool:
    """Whether the condition is met. Raises OverBudgetError."""
    steps.take(TRY)
    given = context.get(condition.key, ())
    if condition.base == "Null":
        return (not given) in condition.values
    if condition.quantifier and given == ("",):
        given = ()  # a set operator takes an empty text for no value
    if not given:
        return _when_missing(condition)
    if condition.quantifier == "ForAllValues":
        return all(_satisfies(condition, value, context, steps, doubt=doubt) for value in given)
    if condition.quantifier == "ForAnyValue":
        return any(_satisfies(condition, value, context, steps, doubt=doubt) for value in given)
    if len(given) > 1:
        return doubt  # AWS leaves open what an operator for one value makes of several
    return _satisfies(condition, given[0], context, steps, doubt=doubt)


def _when_missing(condition: Condition) -> bool:
    if condition.if_exists or condition.quantifier == "ForAllValues":
        return True
    return OPERATORS[condition.base].negated and not condition.quantifier


def _satisfies(condition: Condition, value: str, context: Context, steps: Steps, *, doubt: bool) -> bool:
    """Whether one value of the context is what the condition wants."""
    kind = OPERATORS[condition.base]
    steps.take(TRY + kind.cost + len(value))
    seen = kind.see(value)
    if seen is None:
        return doubt
    unknown = False
    for wanted in condition.values:
        steps.take(TRY)
        answer = kind.compare(wanted, seen, context, steps)
        if answer:
            return not kind.negated
        unknown = unknown or answer is None
    return (doubt if unknown else True) if kind.negated else False


# Values.


def _text(value: str, variables: bool) -> Literal:
    return literal(value, variables=variables)


def _folded(value: str, variables: bool) -> Literal:
    """A text whose case is not minded: it is folded here, and a value of the request when it is seen, each of them once."""
    read_as = literal(value, variables=variables)
    return replace(read_as, marked=fold(read_as.marked))


def _pattern(value: str, variables: bool) -> Pattern:
    return pattern(value, variables=variables)


def _arn_pattern(value: str, variables: bool) -> FieldPattern:
    return field_pattern(value, COLONS, variables=variables)


def _as_it_is(value: str) -> str:
    return value


def number(value: str, _: bool = False) -> Decimal | None:
    """A decimal number."""
    return Decimal(value) if _NUMBER.fullmatch(value) else None


def moment(value: str, _: bool = False) -> int | None:
    """A time in microseconds since 1970, from ISO 8601 (UTC unless it says otherwise) or from seconds since 1970."""
    if _EPOCH.fullmatch(value):
        return int(value) * 1_000_000
    found = _DATE.fullmatch(value)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(found[group] or 0) for group in range(1, 7))
    fraction = int((found[7] or "0").ljust(6, "0")[:6])
    shift = timedelta(hours=int(found[9] or 0), minutes=int(found[10] or 0))
    try:
        zone = timezone(-shift if found[8] == "-" else shift)
        time = datetime(year, month or 1, day or 1, hour, minute, second, fraction, zone)
    except ValueError:
        return None
    return (time - _BEGINNING) // timedelta(microseconds=1)


def _boolean(value: str, _: bool) -> str | None:
    return value.lower() if value.lower() in ("true", "false") else None


def _missing(value: str, _: bool) -> bool | None:
    return {"true": True, "false": False}.get(value.lower())


def binary(value: str, _: bool = False) -> bytes | None:
    """Bytes, from Base64."""
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:
        return None


def _network(value: str, _: bool) -> Network | None:
    try:
        return ipaddress.ip_network(value, strict=False)
    except ValueError:
        return None


def address(value: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address."""
    try:
        return ipaddress.ip_address(value)
    except ValueError:
        return None


def _arn(value: str) -> list[str]:
    return value.split(":", COLONS)


# Comparisons.


def _equals(wanted: Literal, seen: str, context: Context, steps: Steps) -> bool | None:
    text = wanted.filled(context, steps)
    return None if text is None else text == seen


def _equals_folded(wanted: Literal, seen: str, context: Context, steps: Steps) -> bool | None:
    text = wanted.filled(context, steps)
    if text is not None and wanted.variables:
        steps.take(len(text))
        text = fold(text)
    return None if text is None else text == seen


def _like(wanted: Pattern, seen: str, context: Context, steps: Steps) -> bool | None:
    pieces = wanted.filled(context, steps)
    return None if pieces is None else matches(pieces, seen, steps)


def _arn_like(wanted: FieldPattern, seen: list[str], context: Context, steps: Steps) -> bool | None:
    """Each of the six fields on its own: a star never crosses into the next (the last one holds all that is left)."""
    fields = wanted.filled(context, steps)
    if fields is None:
        return None
    if len(fields) <= COLONS or len(seen) <= COLONS:
        return False
    return all(matches(field, part, steps) for field, part in zip(fields, seen, strict=True))


def _in_network(wanted: Network, seen: Any, context: Context, steps: Steps) -> bool:
    return bool(seen in wanted)


def _comparing(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any, Context, Steps], bool]:
    """A comparison of the request's value (left) with the policy's."""
    return lambda wanted, seen, context, steps: compare(seen, wanted)


def _ordered(family: str, read_value: Any) -> dict[str, Operator]:
    comparisons = {
        "Equals": operator.eq,
        "LessThan": operator.lt,
        "LessThanEquals": operator.le,
        "GreaterThan": operator.gt,
        "GreaterThanEquals": operator.ge,
    }
    made = {
        f"{family}{name}": Operator(read_value, read_value, _comparing(compare), cost=READING)
        for name, compare in comparisons.items()
    }
    return made | {
        f"{family}NotEquals": Operator(read_value, read_value, _comparing(operator.eq), negated=True, cost=READING)
    }


_QUANTIFIERS: Final[tuple[Quantifier, ...]] = ("ForAllValues", "ForAnyValue")
OPERATORS: Final[Mapping[str, Operator]] = {
    "StringEquals": Operator(_text, _as_it_is, _equals, variables=True),
    "StringNotEquals": Operator(_text, _as_it_is, _equals, negated=True, variables=True),
    "StringEqualsIgnoreCase": Operator(_folded, fold, _equals_folded, variables=True),
    "StringNotEqualsIgnoreCase": Operator(_folded, fold, _equals_folded, negated=True, variables=True),
    "StringLike": Operator(_pattern, _as_it_is, _like, variables=True),
    "StringNotLike": Operator(_pattern, _as_it_is, _like, negated=True, variables=True),
    **_ordered("Numeric", number),
    **_ordered("Date", moment),
    "Bool": Operator(_boolean, str.lower, _comparing(operator.eq)),
    "BinaryEquals": Operator(binary, binary, _comparing(operator.eq)),
    "IpAddress": Operator(_network, address, _in_network, cost=READING),
    "NotIpAddress": Operator(_network, address, _in_network, negated=True, cost=READING),
    "ArnEquals": Operator(_arn_pattern, _arn, _arn_like, variables=True),
    "ArnLike": Operator(_arn_pattern, _arn, _arn_like, variables=True),
    "ArnNotEquals": Operator(_arn_pattern, _arn, _arn_like, negated=True, variables=True),
    "ArnNotLike": Operator(_arn_pattern, _arn, _arn_like, negated=True, variables=True),
    "Null": Operator(_missing, _as_it_is, _comparing(operator.eq)),
}
