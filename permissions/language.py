"""The policy language: a document's text in, frozen statements out, or MalformedPolicyDocument in AWS's words.

The grammar is the IAM User Guide's ("Grammar of the IAM JSON policy language"); the messages, and which of them comes
first when a document has several faults, are AWS's recorded answers.
"""

import json
import math
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NoReturn, cast

from iamconsole.errors import MalformedPolicyDocument
from permissions.wildcard import Pattern, split, split_with_variables, variables_are_sound

Effect = Literal["Allow", "Deny"]
Version = Literal["2008-10-17", "2012-10-17"]

LONGEST_DOCUMENT: Final = 131_072
DEEPEST: Final = 20
LONGEST_NUMBER: Final = 20
COLONS: Final = 5  # in arn:partition:service:region:account:resource, whose last field may hold more
PARTITIONS: Final = frozenset({"aws", "aws-cn", "aws-us-gov", "*"})
IAM_PATHS: Final = (
    *("user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/", "server-certificate/", "policy/"),
    *("sms-mfa/", "saml-provider/", "oidc-provider/", "report/", "access-report/"),
)

SYNTAX: Final = "Syntax errors in policy."
LEGACY: Final = "The policy failed legacy parsing"
PRINCIPAL: Final = "Policy document should not specify a principal."
CONDITION: Final = "The element Condition is not supported by this release yet."
SIDS_UNIQUE: Final = "Statement IDs (SID) in a single policy must be unique."
SIDS_PLAIN: Final = (
    "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
)
NO_ACTIONS: Final = "Policy statement must contain actions."
NO_RESOURCES: Final = "Policy statement must contain resources."
NO_VENDOR: Final = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
ONE_COLON: Final = "Actions/Condition can contain only one colon."
FULL_VENDOR: Final = "Resource vendor must be fully qualified and cannot contain regexes."
IAM_PATH: Final = f'IAM resource path must either be "*", root, or start with {", ".join(IAM_PATHS)}.'

_LISTS = ("Action", "NotAction", "Resource", "NotResource")
_ELEMENTS = frozenset({*_LISTS, "Sid", "Effect", "Principal", "NotPrincipal", "Condition"})
_LEGAL = re.compile(r"[\t\n\r\x20-\xff]*")
# A string that is never closed runs to the end of the text, so that one pass is enough for any text.
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[][{}]', re.DOTALL)
_SMALL: Final = {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a document, both numbers from 1: the next character to read, as AWS's simulator counts."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement. Of each pair of opposites exactly one has entries. ``sid`` is empty when there is none."""

    index: int
    sid: str
    effect: Effect
    actions: tuple[Pattern, ...] = ()
    not_actions: tuple[Pattern, ...] = ()
    resources: tuple[Pattern, ...] = ()
    not_resources: tuple[Pattern, ...] = ()
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


def quota_size(document: str) -> int:
    """How much of a size quota a document takes: its characters without white space (IAM User Guide, IAM quotas)."""
    return len(document) - sum(map(document.count, " \t\r\n"))


def fold(action: str) -> str:
    """The form in which actions are compared: A to Z lose their case, and no other letter, so that none becomes one."""
    return action.lower() if action.isascii() else action.translate(_SMALL)


def parse(document: str) -> Policy:
    """Understand an identity-based policy. Raises MalformedPolicyDocument, whatever the text is, and nothing else."""
    if len(document) > LONGEST_DOCUMENT or not _LEGAL.fullmatch(document):
        _refuse(SYNTAX)
    spans = _spans(document)
    root = _load(document)
    raw = _statements(root)
    version = cast("Version", root.get("Version", "2008-10-17"))
    _check(raw, version)
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
                resources=tuple(_resource(entry, version) for entry in statement["Resource"]),
                not_resources=tuple(_resource(entry, version) for entry in statement["NotResource"]),
                start=start,
                end=end,
            )
            for index, (statement, (start, end)) in enumerate(zip(raw, spans, strict=True))
        ),
    )


def _refuse(message: str) -> NoReturn:
    raise MalformedPolicyDocument(message)


# The text.


def _spans(document: str) -> list[tuple[Position, Position]]:
    """Where each statement starts and ends, in a text that need not be JSON yet. Refuses deep nesting.

    AWS counts a statement from after the token before it, or after its own brace where Statement is no list.
    """
    newlines = [match.start() for match in re.finditer("\n", document)]

    def position(offset: int) -> Position:
        line = bisect_left(newlines, offset)
        return Position(line + 1, offset - (newlines[line - 1] if line else -1))

    brackets, begin, spans = "", 0, []
    for token in _STRING_OR_BRACKET.finditer(document):
        if token[0] in ("{", "["):
            brackets += token[0]
            if len(brackets) > DEEPEST:
                _refuse(SYNTAX)
            if brackets in ("{{", "{["):
                begin = token.end()
        elif token[0] in ("}", "]"):
            if brackets in ("{{", "{[{"):
                spans.append((position(begin), position(token.end())))
                begin = token.end()
            brackets = brackets[:-1]
    return spans


def _load(document: str) -> dict[str, Any]:
    """Read JSON strictly: no key twice, no NaN, no huge number, no escape that makes an illegal character."""
    try:
        root = json.loads(
            document, object_pairs_hook=_object, parse_constant=_refused, parse_int=_integer, parse_float=_fraction
        )
    except ValueError:
        _refuse(SYNTAX)
    if not isinstance(root, dict) or not _is_legal(root):
        _refuse(SYNTAX)
    return root


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        _refuse(SYNTAX)
    return members


def _refused(_: str) -> NoReturn:
    _refuse(SYNTAX)


def _integer(text: str) -> int:
    if len(text.removeprefix("-")) > LONGEST_NUMBER:
        _refuse(SYNTAX)
    return int(text)


def _fraction(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        _refuse(SYNTAX)
    return number


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
        or not isinstance(given.get("Condition", {}), dict)
    ):
        _refuse(SYNTAX)
    return given | {key: _strings(given.get(key, [])) for key in _LISTS}


def _strings(given: Any) -> list[str]:
    entries = [given] if isinstance(given, str) else given
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        _refuse(SYNTAX)
    return entries


def _check(statements: Sequence[dict[str, Any]], version: Version) -> None:
    """Refuse what is good JSON of the right types and still no policy, in the order in which AWS does."""
    if any("Principal" in statement or "NotPrincipal" in statement for statement in statements):
        _refuse(PRINCIPAL)
    if any(statement["Effect"] not in ("Allow", "Deny") for statement in statements):
        _refuse(LEGACY)
    faults = (_resource_fault(resource, version) for resource in _entries(statements, "Resource", "NotResource"))
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
    if any("Condition" in statement for statement in statements):
        _refuse(CONDITION)


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


def _resource_fault(resource: str, version: Version) -> str | None:
    """AWS's message for a resource that is neither ``*`` nor an ARN, whose last fields may be missing."""
    if resource == "*":
        return None
    if ":" not in resource:
        return f'Resource {resource} must be in ARN format or "*".'
    arn, *given = resource.split(":", COLONS)
    if (arn == "arn" and "::" in resource and len(given) < COLONS) or (
        version == "2012-10-17" and _has_bad_variable(resource)
    ):
        return LEGACY
    partition, service, region, account, name = given + ["*"] * (COLONS - len(given))
    if partition not in PARTITIONS:
        completed = f"arn:{partition}:{service}:{region}:{account}:{name}"
        return f'Partition "{partition}" is not valid for resource "{completed}".'
    if arn != "arn":
        return f'Resource {resource} must be in ARN format or "*".'
    return _service_fault(resource, service, region, account, name)


def _service_fault(resource: str, service: str, region: str, account: str, name: str) -> str | None:
    """AWS's message for a resource whose service is not named in full, or is iam or s3 and breaks their own rules.

    S3's buckets have neither a region nor an account, its other resources have both.
    """
    if not service:
        return LEGACY
    if "*" in service or "?" in service:
        return FULL_VENDOR
    names_region = region not in ("", "*")
    if service == "iam" and names_region:
        return f"IAM resource {resource} cannot contain region information."
    if service == "iam" and name not in ("*", "root") and not name.startswith(IAM_PATHS):
        return IAM_PATH
    if service == "s3" and names_region and not account:
        return f"Resource {resource} can not contain region information."
    return None


def _has_bad_variable(resource: str) -> bool:
    """Whether a variable is not well formed, or stands before the fifth colon, where AWS allows none."""
    first = resource.find("${")
    return first >= 0 and (resource.count(":", 0, first) < COLONS or not variables_are_sound(resource))


def _action(action: str) -> Pattern:
    return Pattern(action, split(fold(action)))


def _resource(resource: str, version: Version) -> Pattern:
    """AWS completes an ARN of fewer than six fields with ``*`` (IAM User Guide, IAM ARNs)."""
    completed = resource if resource == "*" else resource + ":*" * (COLONS - resource.count(":"))
    if version == "2008-10-17":
        return Pattern(resource, split(completed))
    return Pattern(resource, *split_with_variables(completed))
