"""What changes when one document takes another's place: answers that flip, and lines that differ."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import unified_diff
from itertools import islice, product
from typing import Final, Literal

from permissions import vocabulary
from permissions.engine import BUDGET, Policies, Request, Source, decide
from permissions.language import Policy, Statement
from permissions.wildcard import Pattern, Steps

MOST_SAMPLES: Final = 400
_SAMPLES_OF_A_PATTERN: Final = 8
_ANY: Final = "example"  # what stands in a sampled ARN where the pattern has a wildcard or a variable

LineKind = Literal["same", "added", "removed", "place"]


@dataclass(frozen=True, slots=True)
class Flip:
    """A sampled request whose answer changes."""

    action: str
    resource: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a unified diff. ``place`` says which lines follow."""

    kind: LineKind
    text: str


def flips(old: Policy, new: Policy) -> list[Flip]:
    """The sampled requests that the two policies, each alone, answer differently, their conditions taken as met.

    The samples are the actions and resources that their statements name, one or a few for each pattern.
    """
    before, after = (_unconditional(policy) for policy in (old, new))
    found = []
    for action, resource in _samples(old, new):
        answers = _answer(before, action, resource), _answer(after, action, resource)
        if answers[0] != answers[1]:
            found.append(Flip(action, resource, *answers))
    return found


def conditions_differ(old: Policy, new: Policy) -> bool:
    """Whether the policies ask about the request's context in different ways, which no sample shows."""

    def asked(policy: Policy) -> list[object]:
        return [(each.effect, each.actions, each.resources, each.conditions) for each in policy.statements]

    return asked(old) != asked(new) and any(each.conditions for each in (*old.statements, *new.statements))


def _unconditional(policy: Policy) -> Policies:
    statements = tuple(replace(each, conditions=()) for each in policy.statements)
    return Policies(identity=(Source(name="policy", kind="given", policy=replace(policy, statements=statements)),))


def _answer(policies: Policies, action: str, resource: str) -> str:
    decision = decide(Request(action, resource), policies, steps=Steps(BUDGET // 20))
    return {"allowed": "Allowed", "explicitDeny": "Denied explicitly"}.get(decision.reason.value, "Not allowed")


def _samples(*policies: Policy) -> list[tuple[str, str]]:
    """What each statement is about: its actions on its resources."""
    pairs = (
        pair
        for policy in policies
        for statement in policy.statements
        for pair in product(_actions(statement), list(_resources(statement)))
    )
    return list(islice(dict.fromkeys(islice(pairs, 10 * MOST_SAMPLES)), MOST_SAMPLES))


def _actions(statement: Statement) -> Iterator[str]:
    for pattern in (*statement.actions, *statement.not_actions):
        if "*" not in pattern.text and "?" not in pattern.text:
            yield pattern.text
        else:
            yield from _spread(list(vocabulary.levels(pattern.text))) or [_filled(pattern.text)]


def _spread(found: Sequence[str]) -> Sequence[str]:
    """Some of many, from the whole range."""
    step = max(1, len(found) // _SAMPLES_OF_A_PATTERN)
    return found[::step][:_SAMPLES_OF_A_PATTERN]


def _filled(pattern: str) -> str:
    """An action that a pattern stands for, where none is known."""
    return "example:Example" if pattern == "*" else re.sub(r"[*?]+", _ANY, pattern)


def _resources(statement: Statement) -> Iterator[str]:
    patterns: tuple[Pattern, ...] = (*statement.resources, *statement.not_resources)
    for pattern in patterns:
        if pattern.text == "*":
            yield "*"
        else:
            yield re.sub(r"\$\{[^}]*\}|[*?]+", _ANY, pattern.text)


def diff(old: str, new: str, *, names: tuple[str, str]) -> list[DiffLine]:
    """A unified diff of two documents; nothing when they are the same to the letter."""
    lines = unified_diff(old.splitlines(), new.splitlines(), *names, lineterm="", n=3)
    return [_diff_line(line) for line in list(lines)[2:]]


def _diff_line(line: str) -> DiffLine:
    if line.startswith("@@"):
        return DiffLine("place", _place(line))
    kind: dict[str, LineKind] = {"+": "added", "-": "removed"}
    return DiffLine(kind.get(line[:1], "same"), line[1:])


def _place(header: str) -> str:
    """The unified diff's ``@@ -3,7 +3,8 @@`` in words."""
    old, new = re.findall(r"[-+](\d+)", header)
    return f"From line {old}, now line {new}"
