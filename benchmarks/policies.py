"""What a decision costs: ordinary policies, and the worst documents that may be written."""

import json
import time

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


def _allow(resource: str) -> dict[str, str]:
    return {"Effect": "Allow", "Action": "s3:GetObject", "Resource": resource}


def _measure(
    label: str, statements: list[dict[str, object]] | list[dict[str, str]], resource: str, rounds: int = ROUNDS
) -> None:
    policy = language.parse(json.dumps({"Version": "2012-10-17", "Statement": statements}))
    policies = Policies(identity=(Source("bench", "inline", policy),))
    request = Request("s3:GetObject", resource)
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        decide(request, policies)
        times.append((time.perf_counter() - started) * 1000)
    quantiles(label, times)
