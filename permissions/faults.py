"""What is wrong with a text that is no policy: every fault with its line, in words that say how to mend it.

Whether a text is a policy says ``language.parse`` alone. This looks closer at one that was refused, part by part, because
AWS's answer to most faults is "Syntax errors in policy." and no place.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from typing import Any, Final, Literal

from iamconsole.errors import MalformedPolicyDocument
from permissions import conditions, language, strict_json
from permissions.places import Path, Places
from permissions.resources import LEGACY

Severity = Literal["error", "security", "warning", "suggestion"]
Fault = tuple[Path, str]

MOST_TOLD: Final = 50
_MEMBERS: Final = ("Version", "Id", "Statement")
_ELEMENTS: Final = ("Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition")
_OPPOSITES: Final = (("Action", "NotAction"), ("Resource", "NotResource"))
_HELP: Final[Mapping[str, str]] = {
    language.NO_VENDOR: "An action begins with its service, as in s3:GetObject.",
    language.ONE_COLON: "An action has one colon, as in s3:GetObject.",
    LEGACY: "A value is not of the kind it must be here.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to tell about a document, and where. ``statement`` counts from 1; 0 is the document as a whole."""

    severity: Severity
    line: int
    column: int
    text: str
    statement: int = 0


def finding(severity: Severity, path: Path, text: str, places: Places) -> Finding:
    """Something to tell about the part of a document that the path leads to."""
    place = places.of(path)
    index = path[1] if len(path) > 1 and path[0] == "Statement" else None
    statement = index + 1 if isinstance(index, int) else int(path[:1] == ("Statement",))
    return Finding(severity, place.line, place.column, text, statement)


def faults(document: str) -> tuple[Finding, ...]:
    """Why the text is no policy, in the order of its lines; nothing if it is one."""
    try:
        language.parse(document)
    except MalformedPolicyDocument as refused:
        found = sorted(
            islice(_explained(document, refused.message), MOST_TOLD), key=lambda each: (each.line, each.column)
        )
        return tuple(dict.fromkeys(found))
    return ()


def _explained(document: str, message: str) -> Iterator[Finding]:
    if len(document) > language.LONGEST_DOCUMENT:
        yield Finding("error", 1, 1, f"The text is longer than {language.LONGEST_DOCUMENT:,} characters.")
        return
    try:
        root = strict_json.load(document)
    except strict_json.NotStrictError as error:
        yield from _not_json(document, error)
        return
    places = Places(document)
    seen = [*_characters(root, ())] or [*(_root(root) if isinstance(root, dict) else [_NO_OBJECT])]
    for path, text in seen or [((), message)]:
        yield finding("error", path, text, places)


_NO_OBJECT: Final[Fault] = ((), "A policy is one JSON object: it begins with { and ends with }.")


def _not_json(document: str, error: strict_json.NotStrictError) -> Iterator[Finding]:
    broken = error.__cause__
    if isinstance(broken, json.JSONDecodeError):
        yield Finding("error", broken.lineno, broken.colno, f"This is not JSON. {broken.msg}.")
        return
    try:
        places = Places(document)
    except (RecursionError, StopIteration, ValueError):  # too deep to be read
        yield Finding("error", 1, 1, str(error))
        return
    for path in places.twice:
        yield finding("error", path, f"“{path[-1]}” stands twice in one object: one would be lost.", places)
    if not places.twice:
        yield Finding("error", 1, 1, str(error))


def _characters(value: Any, path: Path) -> Iterator[Fault]:
    """The strings with characters that AWS does not take: policies are written in Latin-1."""
    if isinstance(value, str):
        strange = next((each for each in value if each not in "\t\n\r" and not " " <= each <= "ÿ"), None)
        if strange is not None:
            yield path, f"The character {strange!r} is not accepted in a policy."
    members: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        members = value.items()
    elif isinstance(value, list):
        members = enumerate(value)
    for key, member in members:
        yield from _characters(key, (*path, key))
        yield from _characters(member, (*path, key))


def _root(root: dict[str, Any]) -> Iterator[Fault]:
    yield from _strangers("A policy", root, _MEMBERS, ())
    if root.get("Version", "2012-10-17") not in ("2012-10-17", "2008-10-17"):
        yield ("Version",), "Version must be 2012-10-17: it is the version of the language, not yours."
    if not isinstance(root.get("Id", ""), str):
        yield ("Id",), "Id must be a text in double quotes."
    statements = root.get("Statement")
    if isinstance(statements, dict):
        yield from _statement(statements, ("Statement",), root)
    elif not statements or not isinstance(statements, list):
        yield ("Statement",), "A policy needs “Statement”, a list with at least one statement."
    else:
        for index, statement in enumerate(statements):
            yield from _statement(statement, ("Statement", index), root)
        yield from _repeated_sids(statements)


def _strangers(what: str, given: Mapping[str, Any], known: tuple[str, ...], path: Path) -> Iterator[Fault]:
    for name in given:
        if name not in known and name not in ("Principal", "NotPrincipal"):
            near = get_close_matches(name, known, n=1)
            hint = f" Do you mean “{near[0]}”?" if near else f" It has {', '.join(known)}."
            yield (*path, name), f"{what} has no element “{name}”.{hint}"


def _repeated_sids(statements: list[Any]) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, statement in enumerate(statements):
        sid = statement.get("Sid") if isinstance(statement, dict) else None
        if isinstance(sid, str) and sid:
            if sid in seen:
                yield (
                    ("Statement", index, "Sid"),
                    f"The Sid “{sid}” is taken by a statement above. Each must be unique.",
                )
            seen.add(sid)


def _statement(statement: Any, path: Path, root: Mapping[str, Any]) -> Iterator[Fault]:
    if not isinstance(statement, dict):
        yield path, "A statement is an object: it begins with { and ends with }."
        return
    yield from _strangers("A statement", statement, _ELEMENTS, path)
    for name in ("Principal", "NotPrincipal"):
        if name in statement:
            yield (*path, name), "This policy is attached to users and groups, so it names no principal. Remove it."
    if statement.get("Effect") not in ("Allow", "Deny"):
        yield (*path, "Effect"), "A statement needs “Effect”, which is Allow or Deny in exactly these letters."
    for pair in _OPPOSITES:
        yield from _pair(statement, pair, path, root)
    if "Sid" in statement:
        yield from _judged({"Sid": statement["Sid"]}, (*path, "Sid"), root)
    yield from _block(statement.get("Condition", {}), (*path, "Condition"), root)


def _pair(statement: Mapping[str, Any], pair: tuple[str, str], path: Path, root: Mapping[str, Any]) -> Iterator[Fault]:
    named = [name for name in pair if name in statement]
    if not named:
        yield path, f"The statement needs {' or '.join(pair)}."
    elif len(named) > 1:
        yield (*path, named[1]), f"A statement has either {' or '.join(pair)}, not both."
    for name in named:
        yield from _entries(statement[name], name, (*path, name), root)


def _entries(given: Any, name: str, path: Path, root: Mapping[str, Any]) -> Iterator[Fault]:
    if not given or not isinstance(given, str | list):
        yield path, f"{name} is a text in double quotes, or a list of at least one."
    elif isinstance(given, str):
        yield from _judged({name: given}, path, root)
    else:
        for index, entry in enumerate(given):
            yield from _judged({name: entry}, (*path, index), root)


def _block(block: Any, path: Path, root: Mapping[str, Any]) -> Iterator[Fault]:
    if not isinstance(block, dict):
        yield path, "Condition is an object of operators, as in {“StringEquals”: {“aws:username”: “alice”}}."
        return
    for operator, keys in block.items():
        if conditions.split_operator(operator) is None:
            near = get_close_matches(operator, tuple(conditions.OPERATORS), n=1)
            yield (
                (*path, operator),
                f"There is no operator “{operator}”." + (f" Do you mean {near[0]}?" if near else ""),
            )
        elif not isinstance(keys, dict):
            yield (*path, operator), f"{operator} is an object of context keys and their values."
        else:
            for key, values in keys.items():
                yield from _judged({"Condition": {operator: {key: values}}}, (*path, operator, key), root)


def _judged(part: dict[str, Any], path: Path, root: Mapping[str, Any]) -> Iterator[Fault]:
    """What the language says to a statement that has only this part of the one it is from."""
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    for one, other in _OPPOSITES:
        if other in part:
            del statement[one]
    alone = {**{key: root[key] for key in ("Version",) if key in root}, "Statement": [{**statement, **part}]}
    try:
        language.parse(json.dumps(alone, default=str, ensure_ascii=False))
    except MalformedPolicyDocument as refused:
        if refused.message != language.SYNTAX or root.get("Version", "2012-10-17") in ("2012-10-17", "2008-10-17"):
            yield path, _words(refused.message, part)


def _words(message: str, part: dict[str, Any]) -> str:
    if message == language.SYNTAX:
        (name,) = part
        return f"{name} has a value of the wrong kind: a text in double quotes is expected."
    if message == LEGACY and "Condition" in part:
        ((operator, keys),) = part["Condition"].items()
        ((key, _),) = keys.items()
        return (
            f"A value of {key} is not of the kind that {operator} compares." if key else "The context key is missing."
        )
    help_text = _HELP.get(message)
    return f"{message} {help_text}" if help_text else message
