"""The policy language: a document's text in, frozen statements out, or MalformedPolicyDocument in AWS's words.

The grammar is the IAM User Guide's ("Grammar of the IAM JSON policy language"); the messages, and which of them comes
first when a document has several faults, are AWS's recorded answers.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal, NoReturn, cast

from iamconsole.errors import MalformedPolicyDocument
from permissions import conditions, resources, strict_json
from permissions.conditions import Condition
from permissions.resources import LEGACY
from permissions.wildcard import Pattern, fold, split, variables_are_sound

Effect = Literal["Allow", "Deny"]
Version = Literal["2008-10-17", "2012-10-17"]

LONGEST_DOCUMENT: Final = 131_072
OLDER: Final = "2008-10-17"  # the version of a document that names none; it has no variables

SYNTAX: Final = "Syntax errors in policy."
PRINCIPAL: Final = "Policy document should not specify a principal."
NO_PRINCIPAL: Final = "Missing required field Principal"
INVALID_PRINCIPAL: Final = "Invalid principal in policy"
SIDS_UNIQUE: Final = "Statement IDs (SID) in a single policy must be unique."
SIDS_PLAIN: Final = (
    "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
)
NO_ACTIONS: Final = "Policy statement must contain actions."
NO_RESOURCES: Final = "Policy statement must contain resources."
NO_VENDOR: Final = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
ONE_COLON: Final = "Actions/Condition can contain only one colon."

_LISTS = ("Action", "NotAction", "Resource", "NotResource")
_ELEMENTS = frozenset({*_LISTS, "Sid", "Effect", "Principal", "NotPrincipal", "Condition"})
_LEGAL = re.compile(r"[\t\n\r\x20-\xff]*")
_PRINCIPAL_TYPES = frozenset({"AWS", "CanonicalUser", "Federated", "Service"})
_AWS_PRINCIPAL = re.compile(
    r"\*|[0-9]{12}|arn:[a-z-]+:(iam|sts)::[0-9]{12}:[\x21-\x29\x2b-\x3e\x40-\x7e]+|A[A-Z]{3}[A-Z0-9]{12,124}"
)


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a document, both numbers from 1: the next character to read, as AWS's simulator counts."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement. Of each pair of opposites exactly one has entries; principals are in resource-based policies only.

    A principal is ``*``, an account's id, an ARN, or of another kind than AWS with that before it: ``Service:ec2…``.
    ``sid`` is empty when there is none.
    """

    index: int
    sid: str
    effect: Effect
    actions: tuple[Pattern, ...] = ()
    not_actions: tuple[Pattern, ...] = ()
    resources: tuple[Pattern, ...] = ()
    not_resources: tuple[Pattern, ...] = ()
    principals: frozenset[str] = frozenset()
    not_principals: frozenset[str] = frozenset()
    conditions: tuple[Condition, ...] = ()
    start: Position
    end: Position

    def __post_init__(self) -> None:
        if bool(self.actions) == bool(self.not_actions) or bool(self.resources) == bool(self.not_resources):
            raise ValueError("A statement has one of each pair of opposites.")


@dataclass(frozen=True, slots=True)
class Policy:
    """A document that was understood. ``id`` is empty when there is none."""

    version: Version
    id: str
    statements: tuple[Statement, ...]

    @property
    def context_keys(self) -> dict[str, str]:
        """Every context key that it asks about, as it is written there by its form in lower case."""
        keys: dict[str, str] = {}
        for statement in self.statements:
            patterns = statement.resources + statement.not_resources
            for variable in (variable for pattern in patterns for variable in pattern.variables):
                keys.setdefault(variable.key, variable.key)
            for condition in statement.conditions:
                keys.setdefault(condition.key, condition.name)
                for key in sorted(condition.variables):
                    keys.setdefault(key, key)
        return keys


def quota_size(document: str) -> int:
    """How much of a size quota a document takes: its characters without white space (IAM User Guide, IAM quotas)."""
    return len(document) - sum(map(document.count, " \t\r\n"))


def parse(document: str, *, resource_based: bool = False) -> Policy:
    """Understand a policy: an identity-based one, or one that names principals.

    Raises MalformedPolicyDocument, whatever the text is, and nothing else.
    """
    if len(document) > LONGEST_DOCUMENT or not _LEGAL.fullmatch(document):
        _refuse(SYNTAX)
    root = _load(document)
    raw = _statements(root)
    version = cast("Version", root.get("Version", OLDER))
    _check(raw, version, resource_based=resource_based)
    variables = version != OLDER
    return Policy(
        version=version,
        id=root.get("Id", ""),
        statements=tuple(
            Statement(
                index=index,
                sid=statement.get("Sid", ""),
                effect=statement["Effect"],
                actions=tuple(map(_action, statement["Action"])),
                not_actions=tuple(map(_action, statement["NotAction"])),
                resources=tuple(resources.pattern(entry, variables=variables) for entry in statement["Resource"]),
                not_resources=tuple(
                    resources.pattern(entry, variables=variables) for entry in statement["NotResource"]
                ),
                principals=_principals(statement.get("Principal")),
                not_principals=_principals(statement.get("NotPrincipal")),
                conditions=tuple(_conditions(statement.get("Condition", {}), variables=variables)),
                start=start,
                end=end,
            )
            for index, (statement, (start, end)) in enumerate(zip(raw, _spans(document), strict=True))
        ),
    )


def _refuse(message: str) -> NoReturn:
    raise MalformedPolicyDocument(message)


# The text.


def _spans(document: str) -> list[tuple[Position, Position]]:
    """Where each statement starts and ends, in a text that is a policy.

    AWS counts a statement from after the token before it, or after its own brace where Statement is no list.
    """
    newlines = [match.start() for match in re.finditer("\n", document)]

    def position(offset: int) -> Position:
        line = bisect_left(newlines, offset)
        return Position(line + 1, offset - (newlines[line - 1] if line else -1))

    brackets, begin, spans = "", 0, []
    for token in strict_json.STRING_OR_BRACKET.finditer(document):
        if token[0] in ("{", "["):
            brackets += token[0]
            if brackets in ("{{", "{["):
                begin = token.end()
        elif token[0] in ("}", "]"):
            if brackets in ("{{", "{[{"):
                spans.append((position(begin), position(token.end())))
                begin = token.end()
            brackets = brackets[:-1]
    return spans


def _load(document: str) -> dict[str, Any]:
    """Read JSON strictly: also no escape that makes an illegal character."""
    try:
        root = strict_json.load(document)
    except strict_json.NotStrictError:
        _refuse(SYNTAX)
    if not isinstance(root, dict) or not _is_legal(root):
        _refuse(SYNTAX)
    return root


def _is_legal(value: Any) -> bool:
    """Whether every string has AWS's characters only. The nesting is not deep, that was checked."""
    if isinstance(value, str):
        return _LEGAL.fullmatch(value) is not None
    if isinstance(value, dict):
        return all(_is_legal(key) and _is_legal(member) for key, member in value.items())
    return not isinstance(value, list) or all(map(_is_legal, value))


# The grammar.


def _statements(root: dict[str, Any]) -> list[dict[str, Any]]:
    """The statements, each with its four lists of strings, empty where there is none."""
    statements = root.get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if (
        not root.keys() <= {"Version", "Id", "Statement"}
        or root.get("Version", "2012-10-17") not in ("2008-10-17", "2012-10-17")
        or not isinstance(root.get("Id", ""), str)
        or not isinstance(statements, list)
        or not statements
    ):
        _refuse(SYNTAX)
    return list(map(_statement, statements))


def _statement(given: Any) -> dict[str, Any]:
    if (
        not isinstance(given, dict)
        or not given.keys() <= _ELEMENTS
        or not isinstance(given.get("Sid", ""), str)
        or not isinstance(given.get("Effect"), str)
        or given["Effect"].lower() not in ("allow", "deny")
        or ("Action" in given and "NotAction" in given)
        or ("Resource" in given and "NotResource" in given)
        or ("Principal" in given and "NotPrincipal" in given)
        or not isinstance(given.get("Condition", {}), dict)
    ):
        _refuse(SYNTAX)
    block = {name: _block(name, keys) for name, keys in given.get("Condition", {}).items()}
    return given | {key: _strings(given.get(key, [])) for key in _LISTS} | {"Condition": block}


def _block(name: str, keys: Any) -> dict[str, tuple[str, ...]]:
    """The keys of one operator with their values as texts. AWS lets an operator it does not know pass when it is empty."""
    if not isinstance(keys, dict) or (keys and conditions.split_operator(name) is None):
        _refuse(SYNTAX)
    return {key: tuple(map(_scalar, given if isinstance(given, list) else [given])) for key, given in keys.items()}


def _scalar(value: Any) -> str:
    """A condition's value, a text, a number or a boolean, as the text it is compared as."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    _refuse(SYNTAX)


def _strings(given: Any) -> list[str]:
    entries = [given] if isinstance(given, str) else given
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        _refuse(SYNTAX)
    return entries


def _check(statements: Sequence[dict[str, Any]], version: Version, *, resource_based: bool) -> None:
    """Refuse what is good JSON of the right types and still no policy, in the order in which AWS does."""
    for statement in statements:
        names_principals = "Principal" in statement or "NotPrincipal" in statement
        if names_principals is not resource_based:
            _refuse(NO_PRINCIPAL if resource_based else PRINCIPAL)
    if any(statement["Effect"] not in ("Allow", "Deny") for statement in statements):
        _refuse(LEGACY)
    for statement in statements:
        _check_conditions(statement["Condition"], version)
    faults = (
        resources.fault(resource, variables=version != OLDER)
        for resource in _entries(statements, "Resource", "NotResource")
    )
    fault = next(filter(None, faults), None)
    if fault == LEGACY:
        _refuse(LEGACY)
    _check_sids([statement["Sid"] for statement in statements if statement.get("Sid")])
    if not all(statement["Action"] or statement["NotAction"] for statement in statements):
        _refuse(NO_ACTIONS)
    if not all(statement["Resource"] or statement["NotResource"] for statement in statements):
        _refuse(NO_RESOURCES)
    if fault:
        _refuse(fault)
    for action in _entries(statements, "Action", "NotAction"):
        _check_action(action)


def _check_conditions(block: dict[str, dict[str, tuple[str, ...]]], version: Version) -> None:
    """Refuse values that are not of their operator's type. AWS does so for dates only; here no other waits to be met."""
    for name, keys in block.items():
        parts = conditions.split_operator(name)
        takes_variables = parts is not None and version != OLDER and conditions.OPERATORS[parts[1]].variables
        for key, values in keys.items():
            if not key or (takes_variables and not all(map(variables_are_sound, values))):
                _refuse(LEGACY)
            try:
                conditions.read(name, key, values, variables=takes_variables)
            except conditions.UnreadableError:
                _refuse(LEGACY)


def _entries(statements: Sequence[dict[str, Any]], *keys: str) -> Iterator[str]:
    return (entry for statement in statements for key in keys for entry in statement[key])


def _check_sids(sids: list[str]) -> None:
    if not all(re.fullmatch("[0-9A-Za-z]*", sid) for sid in sids):
        _refuse(SIDS_PLAIN)
    if len(set(sids)) < len(sids):
        _refuse(SIDS_UNIQUE)


def _check_action(action: str) -> None:
    vendor, *rest = action.split(":")
    if not rest and vendor != "*":
        _refuse(NO_VENDOR)
    if len(rest) > 1:
        _refuse(ONE_COLON)
    if vendor != "*" and not re.fullmatch(r"[A-Za-z0-9.\-]+", vendor):
        _refuse(f"Vendor {vendor} is not valid")


def _action(action: str) -> Pattern:
    return Pattern(action, split(fold(action)))


def _conditions(block: dict[str, dict[str, tuple[str, ...]]], *, variables: bool) -> Iterator[Condition]:
    for name, keys in block.items():
        for key, values in keys.items():
            condition = conditions.read(name, key, values, variables=variables)
            if condition is not None:
                yield condition


def _principals(given: Any) -> frozenset[str]:
    """Principals without their kind where that is AWS."""
    if given is None:
        return frozenset()
    if given == "*":
        return frozenset("*")
    if not isinstance(given, dict) or not given or not given.keys() <= _PRINCIPAL_TYPES:
        _refuse(INVALID_PRINCIPAL)
    named: set[str] = set()
    for kind, entries in given.items():
        for entry in _strings(entries):
            if kind == "AWS" and not _AWS_PRINCIPAL.fullmatch(entry):
                _refuse(INVALID_PRINCIPAL)
            named.add(entry if kind == "AWS" else f"{kind}:{entry}")
    if not named:
        _refuse(INVALID_PRINCIPAL)
    return frozenset(named)
