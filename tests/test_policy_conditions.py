"""What conditions cost at worst, and what is refused when a condition is written."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from iamconsole.errors import MalformedPolicyDocument
from permissions.conditions import OPERATORS, moment, number, split_operator
from permissions.engine import BUDGET, Policies, Reason, Request, Source, almost, decide
from permissions.language import parse
from permissions.wildcard import Steps

pytestmark = pytest.mark.pure

LEGACY = "The policy failed legacy parsing"
SYNTAX = "Syntax errors in policy."
LARGEST = 6144  # the largest managed policy, in characters that are not white space


def document(condition: Mapping[str, Any], effect: str = "Allow", version: str = "2012-10-17") -> str:
    """A policy whose one statement has the condition."""
    statement = {"Effect": effect, "Action": "*", "Resource": "*", "Condition": condition}
    return json.dumps({"Version": version, "Statement": statement})


def decided(condition: Mapping[str, Any], context: Mapping[str, tuple[str, ...]], **more: Any) -> Any:
    """The decision on a policy with the condition."""
    source = Source("test", "inline", parse(document(condition, **more)))
    return decide(Request("s3:Get", "arn:aws:s3:::a", context), Policies(identity=(source,)))


def steps_for(condition: Mapping[str, Any], context: Mapping[str, tuple[str, ...]]) -> int:
    """How many steps the decision takes."""
    steps = Steps(10**9)
    source = Source("test", "inline", parse(document(condition)))
    decide(Request("s3:Get", "arn:aws:s3:::a", context), Policies(identity=(source,)), steps=steps)
    return steps.taken


Worst = tuple[Mapping[str, Any], Mapping[str, tuple[str, ...]]]
WORST: Mapping[str, Callable[[int], Worst]] = {
    "a pattern of stars": lambda size: ({"StringLike": {"k": "*a" * size + "b*"}}, {"k": ("a" * 2000,)}),
    "a pattern of question marks": lambda size: ({"StringLike": {"k": "*" + "?" * size + "b*"}}, {"k": ("a" * 2000,)}),
    "many values": lambda size: ({"StringEquals": {"k": [f"v{n}" for n in range(size)]}}, {"k": ("x",)}),
    "many numbers": lambda size: ({"NumericLessThan": {"k": list(range(size))}}, {"k": (str(size),)}),
    "many networks": lambda size: (
        {"IpAddress": {"k": [f"10.{n % 256}.0.0/16" for n in range(size)]}},
        {"k": ("11.0.0.1",)},
    ),
    "long texts without case": lambda size: ({"StringEqualsIgnoreCase": {"k": "a" * size}}, {"k": ("A" * size,)}),
    "many texts without case": lambda size: (
        {"ForAllValues:StringNotEqualsIgnoreCase": {"k": ["é" * 7] * size}},
        {"k": ("É" * 6 + "x",) * 50},
    ),
    "a text with variables": lambda size: ({"StringEquals": {"k": "${v}" * size}}, {"k": ("x",), "v": ("y" * 50,)}),
    "an ARN of stars": lambda size: (
        {"ArnLike": {"k": "arn:aws:iam::*:" + "*a" * size + "b"}},
        {"k": ("arn:aws:iam::1:" + "a" * 2000 + "c",)},
    ),
    "many values of the request": lambda size: (
        {"ForAllValues:StringLike": {"k": ["a*b", "*"]}},
        {"k": tuple(f"a{n:05}" for n in range(size))},
    ),
}


@pytest.mark.parametrize("worst", WORST.values(), ids=WORST.keys())
def test_twice_the_input_takes_at_most_twice_the_steps(worst: Callable[[int], Worst]) -> None:
    for size in (64, 128, 256, 512):
        assert steps_for(*worst(2 * size)) <= 2 * steps_for(*worst(size)) + 64


def test_both_sides_doubled_is_no_more_than_four_times_the_steps() -> None:
    def steps(size: int) -> int:
        values = {"ForAllValues:StringNotEquals": {"k": [f"v{n}" for n in range(size)]}}
        return steps_for(values, {"k": tuple(f"x{n}" for n in range(size))})

    assert steps(400) <= 4 * steps(200) + 64


def test_conditions_over_the_budget_are_a_denial() -> None:
    values = {"ForAllValues:StringNotEquals": {"k": [f"v{n}" for n in range(900)]}}
    context = {"k": tuple(f"x{n}" for n in range(900))}
    assert decided(values, context).reason is Reason.BUDGET
    assert decided(values, context, effect="Deny").reason is Reason.BUDGET
    source = Source("test", "inline", parse(document(values)))
    assert almost(Request("s3:Get", "arn:aws:s3:::a", context), Policies(identity=(source,))) == []


@pytest.mark.parametrize("worst", WORST.values(), ids=WORST.keys())
def test_the_largest_policy_and_request_end_within_the_budget(worst: Callable[[int], Worst]) -> None:
    size = LARGEST // 8
    while len(document(worst(size)[0])) > LARGEST:
        size = size * 3 // 4
    assert steps_for(*worst(size)) < BUDGET


# What is written.


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({"StringEquals": "a"}, SYNTAX),
        ({"StringEquals": {"a": {"b": "c"}}}, SYNTAX),
        ({"StringEquals": {"a": None}}, SYNTAX),
        ({"StringEquals": {"a": [["b"]]}}, SYNTAX),
        ({"StringIs": {"a": "b"}}, SYNTAX),
        ({"StringIs": {}}, None),
        ({"stringequals": {"a": "b"}}, SYNTAX),
        ({"ForSomeValues:StringEquals": {"a": "b"}}, SYNTAX),
        ({"NullIfExists": {"a": "true"}}, SYNTAX),
        ({"ForAnyValue:StringLikeIfExists": {"a": "b*"}}, None),
        ({"StringEquals": {"a": []}}, None),
        ({"StringEquals": {"": "b"}}, LEGACY),
        ({"NumericEquals": {"a": [1, 2.5, "-3", True]}}, LEGACY),
        ({"NumericEquals": {"a": [1, 2.5, "-3"]}}, None),
        ({"DateGreaterThan": {"a": "2026-13-01"}}, LEGACY),
        ({"DateGreaterThan": {"a": ["2026-12-01T10:00:00Z", 1700000000, "2026"]}}, None),
        ({"Bool": {"a": [True, "FALSE"]}}, None),
        ({"Bool": {"a": "yes"}}, LEGACY),
        ({"Null": {"a": "maybe"}}, LEGACY),
        ({"BinaryEquals": {"a": "QmluYXJ5"}}, None),
        ({"BinaryEquals": {"a": "no base64!"}}, LEGACY),
        ({"IpAddress": {"a": ["203.0.113.0/24", "2001:db8::/32", "10.0.0.1"]}}, None),
        ({"IpAddress": {"a": "10.0.0.0/33"}}, LEGACY),
        ({"StringLike": {"a": "${aws:username"}}, LEGACY),
        ({"ArnLike": {"a": "${}"}}, LEGACY),
    ],
)
def test_a_condition_is_accepted_or_refused_when_it_is_written(condition: dict[str, Any], message: str | None) -> None:
    if message is None:
        parse(document(condition))
    else:
        with pytest.raises(MalformedPolicyDocument, match=message):
            parse(document(condition))


def test_an_older_document_has_no_variables_that_could_be_wrong() -> None:
    parse(document({"StringLike": {"a": "${aws:username"}}, version="2008-10-17"))


def test_every_operator_is_read_with_its_prefixes_and_its_suffix() -> None:
    for base in OPERATORS.keys() - {"Null"}:
        for prefix, quantifier in (("", ""), ("ForAllValues:", "ForAllValues"), ("ForAnyValue:", "ForAnyValue")):
            assert split_operator(f"{prefix}{base}") == (quantifier, base, False)
            assert split_operator(f"{prefix}{base}IfExists") == (quantifier, base, True)
    assert split_operator("Null") == ("", "Null", False)


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("1970", 1_970_000_000),
        ("1970-01-02", 86_400_000_000),
        ("1970-01-01T00:01Z", 60_000_000),
        ("1970-01-01T01:00:01+01:00", 1_000_000),
        ("1969-12-31T23:00:00-01:00", 0),
        ("1970-01-01T00:00:00.5Z", 500_000),
        ("1", 1_000_000),
        ("1.25", None),
        ("", None),
        ("1970-02-30", None),
        ("1970-01-01T24:00Z", None),
        ("1970-01-01T00:00:00+99:00", None),
        ("yesterday", None),
        ("9" * 41, None),
    ],
)
def test_a_time_is_read_as_iso_8601_or_as_seconds(text: str, microseconds: int | None) -> None:
    assert moment(text) == microseconds


@pytest.mark.parametrize("text", ["", "1e3", "0x10", "1_000", "\u0661", "1.", ".5", "--1", "NaN", "Infinity", "9" * 41])
def test_what_is_no_decimal_number_is_none(text: str) -> None:
    assert number(text) is None


# What a refusal tells.


def test_a_denial_tells_which_condition_was_in_the_way() -> None:
    condition = {"Bool": {"aws:SecureTransport": "true"}, "NumericLessThan": {"aws:MultiFactorAuthAge": "60"}}
    source = Source("test", "inline", parse(document(condition)))
    request = Request("s3:Get", "arn:aws:s3:::a", {"aws:securetransport": ("true",)})
    ((match, unmet),) = almost(request, Policies(identity=(source,)))
    assert (match.source, unmet.operator, unmet.name) == (source, "NumericLessThan", "aws:MultiFactorAuthAge")
