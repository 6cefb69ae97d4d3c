"""What a policy gives and takes, service by service: the table "Permissions defined in this policy"."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from permissions import vocabulary
from permissions.language import Effect, Policy, Statement
from permissions.wildcard import Pattern

LEVELS: Final = ("List", "Read", "Write", "Permissions management", "Tagging")
ALL: Final = "All services"
_NAMED: Final = 3  # more resources than this are counted, not named


@dataclass(frozen=True, slots=True)
class Line:
    """One service of one statement: the access levels in words, the resources and the conditions."""

    effect: Effect
    service: str
    access: str
    resource: str
    condition: str


def summarise(policy: Policy) -> list[Line]:
    """The lines of a policy, the denies first, as they beat what is allowed."""
    lines = dict.fromkeys(line for statement in policy.statements for line in _lines(statement))
    return sorted(lines, key=lambda line: (line.effect == "Allow", line.service != ALL, line.service, line.access))


def _lines(statement: Statement) -> Iterator[Line]:
    resource, condition = _resources(statement), _conditions(statement)
    if statement.not_actions:
        access = f"All actions but {_texts(statement.not_actions)}"
        yield Line(statement.effect, ALL, access, resource, condition)
    by_service: dict[str, list[Pattern]] = {}
    for pattern in statement.actions:
        service = ALL if vocabulary.spans_services(pattern.text) else pattern.text.partition(":")[0].lower()
        by_service.setdefault(service, []).append(pattern)
    for service, patterns in by_service.items():
        yield Line(statement.effect, service, _access(service, patterns), resource, condition)


def _access(service: str, patterns: Sequence[Pattern]) -> str:
    if any(pattern.text.rpartition(":")[2] == "*" and pattern.text.count("*") <= 2 for pattern in patterns):  # noqa: PLR2004 - *:*
        return "Full access"
    whole = _by_level([f"{service}:*"])
    if service == ALL or not whole:
        return _texts(patterns)
    found = _by_level([pattern.text for pattern in patterns])
    named = [
        f"{level} (all)" if found[level] == whole[level] else f"{level} ({len(found[level])} of {len(whole[level])})"
        for level in sorted(found, key=_order)
    ]
    return ", ".join(named) or f"Nothing known: {_texts(patterns)}"


def _order(level: str) -> int:
    return LEVELS.index(level) if level in LEVELS else len(LEVELS)


def _by_level(patterns: Sequence[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for pattern in patterns:
        for action, level in vocabulary.levels(pattern).items():
            found.setdefault(level, set()).add(action)
    return found


def _resources(statement: Statement) -> str:
    if statement.not_resources:
        return f"All but {_texts(statement.not_resources)}"
    if any(pattern.text == "*" for pattern in statement.resources):
        return "All resources"
    return _texts(statement.resources)


def _texts(patterns: Sequence[Pattern]) -> str:
    if len(patterns) > _NAMED:
        return f"{patterns[0].text} and {len(patterns) - 1} more"
    return ", ".join(pattern.text for pattern in patterns)


def _conditions(statement: Statement) -> str:
    return ", ".join(dict.fromkeys(f"{each.name} ({each.operator})" for each in statement.conditions)) or "None"
