"""What an editor tells about a policy: the faults of one that is none, and what one allows that its writer may not mean.

The kinds are IAM Access Analyzer's: errors, security warnings, warnings, suggestions ("Policy check reference", IAM User
Guide). None but the errors keeps a policy from being saved.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from typing import Any, Final

from permissions import language, strict_json, vocabulary
from permissions.conditions import Condition
from permissions.faults import Finding, Severity, faults, finding
from permissions.language import OLDER, Policy, Statement
from permissions.places import Path, Places
from permissions.wildcard import OverBudgetError, Pattern, Steps, matches

BUDGET: Final = 500_000  # steps for what looks at pairs of entries; what is left undone then is a suggestion only
MOST_TOLD: Final = 100
PERMISSIONS: Final = "Permissions management"
_SEVERITIES: Final[tuple[Severity, ...]] = ("error", "security", "warning", "suggestion")
_MFA: Final = frozenset({"aws:multifactorauthpresent", "aws:multifactorauthage"})

Told = tuple[Severity, Path, str]


@dataclass(frozen=True, slots=True)
class Advice:
    """All there is to tell. ``policy`` is there when it is one; ``size`` counts as the quotas do."""

    errors: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    size: int
    policy: Policy | None = None


def advise(document: str, *, quota: int | None = None) -> Advice:
    """Look at a document; ``quota`` is how large it may be. One that is larger is not looked at closer."""
    size = language.quota_size(document)
    found = faults(document)
    if found:
        return Advice(found, (), size)
    policy = language.parse(document)
    if quota is not None and size > quota:
        text = f"It has {size:,} characters without white space; {quota:,} are allowed. Shorten it or split it in two."
        return Advice((Finding("error", 1, 1, text),), (), size, policy)
    places = Places(document)
    told = sorted(
        (finding(*each, places) for each in islice(_warnings(policy, document), MOST_TOLD)),
        key=lambda each: (_SEVERITIES.index(each.severity), each.line, each.column),
    )
    return Advice((), tuple(dict.fromkeys(told)), size, policy)


def _warnings(policy: Policy, document: str) -> Iterator[Told]:
    root = strict_json.load(document)
    yield from _version(policy, document)
    for statement, (path, _) in zip(policy.statements, _raw(root), strict=True):
        for check in _CHECKS:
            for severity, rest, text in check(statement):
                yield severity, (*path, *rest), text
    yield from _empty_sids(root)
    yield from _repeated(policy)


def _version(policy: Policy, document: str) -> Iterator[Told]:
    if policy.version != OLDER:
        return
    if "${" in document:
        text = "Variables such as ${aws:username} are plain text in this version. Set Version to 2012-10-17."
        yield "security", ("Version",), text
    else:
        yield "suggestion", ("Version",), "Set Version to 2012-10-17: the older language lacks variables."


# One statement.


def _allows_much(statement: Statement) -> Iterator[Told]:
    """Everything, or all of a service, on every resource."""
    if statement.effect == "Deny" or not _is_everywhere(statement):
        return
    for index, pattern in enumerate(statement.actions):
        service, _, name = pattern.text.partition(":")
        if pattern.text == "*" or (service == name == "*"):
            text = "This allows every action on every resource: who has it is an administrator. Name what is needed."
            yield "security", ("Action", index), text
        elif name == "*":
            text = (
                f"This allows all of {service} on every resource. Name the actions that are needed, or the resources."
            )
            yield "security", ("Action", index), text


def _allows_the_rest(statement: Statement) -> Iterator[Told]:
    if statement.effect == "Deny":
        return
    if statement.not_actions:
        text = "Allow with NotAction allows all other actions, future ones too. List what is allowed under Action."
        yield "security", ("NotAction",), text
    if statement.not_resources:
        text = "Allow with NotResource allows it on all other resources, future ones too. List them under Resource."
        yield "security", ("NotResource",), text


def _passes_roles(statement: Statement) -> Iterator[Told]:
    if statement.effect == "Deny" or not _is_everywhere(statement):
        return
    for index, pattern in enumerate(statement.actions):
        if pattern.text.partition(":")[2] != "*" and pattern.text != "*" and _covers(pattern, "iam:passrole"):
            text = "iam:PassRole on every role lets a program take any role. Name the roles under Resource."
            yield "security", ("Action", index), text


def _knows_actions(statement: Statement) -> Iterator[Told]:
    """Actions that match nothing known. A service of one's own is no error: policies for it are decided all the same."""
    for name, patterns in (("Action", statement.actions), ("NotAction", statement.not_actions)):
        for index, pattern in enumerate(patterns):
            if not vocabulary.spans_services(pattern.text) and not vocabulary.levels(pattern.text):
                yield "warning", (name, index), _unknown(*pattern.text.split(":"))


def _unknown(service: str, action: str) -> str:
    known = vocabulary.services()
    if service.lower() in known:
        names = {name.lower(): name for name in known[service.lower()]}
        near = get_close_matches(action.lower(), names, n=1)
        hint = f"Do you mean {service}:{names[near[0]]}?" if near else "Check the spelling."
        return f"No known action matches {service}:{action}, so this entry does nothing. {hint}"
    near = get_close_matches(service.lower(), known, n=1)
    hint = f" Do you mean {near[0]}?" if near else ""
    return f"The service {service} is not known here.{hint} If it is one of your own, check the spelling only."


def _knows_keys(statement: Statement) -> Iterator[Told]:
    for condition in statement.conditions:
        if vocabulary.is_known_key(condition.key):
            continue
        path: Path = ("Condition", condition.operator, condition.name)
        if condition.key.startswith("aws:"):
            known = {key.lower(): key for key in vocabulary.global_keys()}
            near = get_close_matches(condition.key, known, n=1)
            hint = f" Do you mean {known[near[0]]}?" if near else ""
            yield "warning", path, f"There is no global context key {condition.name}: no request has it.{hint}"
        elif condition.key.partition(":")[0] not in vocabulary.services():
            text = f"The context key {condition.name} is of no known service. Only a service of your own can send it."
            yield "warning", path, text
        else:
            yield "warning", path, f"The context key {condition.name} is not known: check the spelling."


def _manages_permissions(statement: Statement) -> Iterator[Told]:
    """Who can change permissions can have all of them, so a second factor is worth asking for."""
    if statement.effect == "Deny" or any(condition.key in _MFA for condition in statement.conditions):
        return
    for index, pattern in enumerate(statement.actions):
        if PERMISSIONS in vocabulary.levels(pattern.text).values():
            text = (
                f"{pattern.text} changes permissions."
                " Consider a condition on aws:MultiFactorAuthPresent, so that a stolen password is not enough."
            )
            yield "suggestion", ("Action", index), text
            return


def _needs_a_value(statement: Statement) -> Iterator[Told]:
    """ForAllValues holds for a request without the key (IAM User Guide, "Multivalued context keys")."""
    if statement.effect == "Deny":
        return
    present = {each.key for each in statement.conditions if each.base == "Null" and each.values == (False,)}
    for condition in statement.conditions:
        if condition.quantifier == "ForAllValues" and condition.key not in present:
            text = (
                f"ForAllValues is met by a request without {condition.name} too."
                f' Add the condition "Null": {{"{condition.name}": "false"}}.'
            )
            yield "security", ("Condition", condition.operator, condition.name), text


def _compares_nothing(statement: Statement) -> Iterator[Told]:
    for condition in statement.conditions:
        if not condition.values:
            text = f"{condition.name} is compared with no value, so the condition is never met. Give it a value."
            yield "warning", ("Condition", condition.operator, condition.name), text


def _repeats_itself(statement: Statement) -> Iterator[Told]:
    """Entries that another one of the same list covers."""
    steps = Steps(BUDGET)
    lists = {
        "Action": statement.actions,
        "NotAction": statement.not_actions,
        "Resource": statement.resources,
        "NotResource": statement.not_resources,
    }
    try:
        for name, patterns in lists.items():
            for index, pattern in enumerate(patterns):
                wider = _wider(pattern, index, patterns, steps)
                if wider is not None:
                    yield "suggestion", (name, index), f"{pattern.text} is covered by {wider.text}: it can be removed."
    except OverBudgetError:
        return


def _wider(pattern: Pattern, index: int, patterns: Sequence[Pattern], steps: Steps) -> Pattern | None:
    """An entry that matches all that this one does, of two equal ones the first. Those with variables are let be."""
    if pattern.variables or "?" in pattern.text:
        return None
    text = "*".join("".join(piece) for piece in pattern.pieces)
    for other, each in enumerate(patterns):
        equal = each.pieces == pattern.pieces
        covers = not each.variables and other != index and (other < index or not equal)
        if covers and matches(each.pieces, text, steps):
            return each
    return None


def _is_everywhere(statement: Statement) -> bool:
    return any(pattern.text in ("*", "arn:*", "arn:aws:*") for pattern in statement.resources)


def _covers(pattern: Pattern, action: str) -> bool:
    try:
        return matches(pattern.pieces, action, Steps(BUDGET))
    except OverBudgetError:
        return False


_CHECKS: Final = (
    _allows_much,
    _allows_the_rest,
    _passes_roles,
    _knows_actions,
    _knows_keys,
    _needs_a_value,
    _compares_nothing,
    _manages_permissions,
    _repeats_itself,
)


# Statements together.


def _empty_sids(root: dict[str, Any]) -> Iterator[Told]:
    for path, statement in _raw(root):
        if statement.get("Sid") == "":
            yield "suggestion", (*path, "Sid"), "The Sid is empty. Give the statement a name, or leave Sid out."


def _raw(root: dict[str, Any]) -> list[tuple[Path, dict[str, Any]]]:
    """The statements as they are written, each with its path."""
    given = root["Statement"]
    if isinstance(given, dict):
        return [(("Statement",), given)]
    return [(("Statement", index), statement) for index, statement in enumerate(given)]


def _repeated(policy: Policy) -> Iterator[Told]:
    seen: dict[object, int] = {}
    for statement in policy.statements:
        first = seen.setdefault(_body(statement), statement.index)
        if first != statement.index:
            text = f"This statement says the same as statement {first + 1}. Remove one of them."
            yield "suggestion", ("Statement", statement.index), text


def _body(statement: Statement) -> tuple[object, ...]:
    def texts(patterns: Sequence[Pattern]) -> frozenset[str]:
        return frozenset(pattern.text for pattern in patterns)

    conditions: frozenset[Condition] = frozenset(statement.conditions)
    return (
        statement.effect,
        texts(statement.actions),
        texts(statement.not_actions),
        texts(statement.resources),
        texts(statement.not_resources),
        conditions,
    )
