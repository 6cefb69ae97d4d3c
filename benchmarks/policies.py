"""What a decision costs: ordinary policies, and the worst documents that may be written."""

import json
import time
from collections.abc import Mapping, Sequence

from benchmarks.stage import quantiles
from permissions import language
from permissions.engine import Policies, Request, Source, decide

ROUNDS = 2000
LONGEST = 6144  # the largest policy, in characters that are not white space


def run() -> None:
    """Print the figures."""
    statements = [
        {
            "Sid": f"S{n}",
            "Effect": "Allow",
            "Action": [f"ec2:Describe{n}*", "s3:Get*"],
            "Resource": f"arn:aws:s3:::bucket{n}/*",
        }
        for n in range(20)
    ]
    _measure("20 ordinary statements", statements, "arn:aws:s3:::bucket19/a")
    print("worst documents, doubling in size:")
    for size in (LONGEST // 4, LONGEST // 2, LONGEST):
        stars = "*a" * (size // 2)
        _measure(
            f"  one resource of {size} characters of stars",
            [_allow(f"arn:aws:s3:::{stars}b")],
            "arn:aws:s3:::" + "a" * 2000,
            20,
        )
        marks = "?" * (size - 2)
        _measure(
            f"  one resource of {size} question marks",
            [_allow(f"arn:aws:s3:::*{marks}b")],
            "arn:aws:s3:::" + "a" * 2000,
            20,
        )

    for part in (4, 2, 1):
        size = (LONGEST - 100) // part
        for label, condition, context in _worst_conditions(size):
            _measure(f"  {label}, {size} characters", [_allow("*") | {"Condition": condition}], "*", 20, context)


def _worst_conditions(size: int) -> list[tuple[str, dict[str, object], dict[str, tuple[str, ...]]]]:
    """Conditions that fill a policy, and a request made for them."""
    values = tuple(f"x{number}" for number in range(50))
    return [
        ("StringLike of stars", {"StringLike": {"k": "*a" * (size // 2) + "b*"}}, {"k": ("a" * 2000,)}),
        ("StringNotEquals of many values", {"ForAllValues:StringNotEquals": {"k": ["v"] * (size // 4)}}, {"k": values}),
        (
            "StringNotEqualsIgnoreCase of many texts",
            {"ForAllValues:StringNotEqualsIgnoreCase": {"k": ["é" * 50 + "a"] * (size // 54)}},
            {"k": tuple("É" * 50 + f"{number}" for number in range(50))},
        ),
        (
            "ArnLike of stars",
            {"ArnLike": {"k": "arn:aws:iam::*:" + "*a" * (size // 2)}},
            {"k": ("arn:aws:iam::1:" + "a" * 2000 + "b",)},
        ),
        ("IpAddress of many networks", {"IpAddress": {"k": ["10.0.0.0/8"] * (size // 13)}}, {"k": ("11.0.0.1",)}),
        ("variables", {"StringEquals": {"k": "${v}" * (size // 4)}}, {"k": ("a",), "v": ("b" * 256,)}),
    ]


def _allow(resource: str) -> dict[str, object]:
    return {"Effect": "Allow", "Action": "s3:GetObject", "Resource": resource}


def _measure(
    label: str,
    statements: Sequence[Mapping[str, object]],
    resource: str,
    rounds: int = ROUNDS,
    context: Mapping[str, tuple[str, ...]] | None = None,
) -> None:
    policy = language.parse(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))
    policies = Policies(identity=(Source("bench", "inline", policy),))
    request = Request("s3:GetObject", resource, context or {})
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        decide(request, policies)
        times.append((time.perf_counter() - started) * 1000)
    quantiles(label, times)
