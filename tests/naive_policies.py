"""A second opinion on policies: AWS's evaluation logic written down as plainly as it can be, with no care for speed.

It works on the parsed JSON documents themselves and shares no code with the engine, so that the two can be compared.
The rules are those of the IAM User Guide: "Policy evaluation logic", "Cross-account policy evaluation logic" and the
pages of the JSON policy elements. What cannot be decided counts against the request: in a statement that allows, the
doubtful element does not hold; in one that denies, it does. `doubt` below is that answer.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from ipaddress import ip_address, ip_network
from typing import Any

Context = Mapping[str, Sequence[str]]

STAR, ONE = object(), object()  # the two wildcards, where a pattern is a list of these and of characters
NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}


# The decision.


def naive_decide(request: Mapping[str, Any], policies: Mapping[str, Any]) -> tuple[str, str]:
    """The decision on a request (allowed, explicitDeny or implicitDeny) and the kind of policy that made it."""
    identity = policies["identity"]
    boundary = [policies["boundary"]] if policies.get("boundary") else []
    resource = [policies["resource"]] if policies.get("resource") else []

    for kind, documents in (("identity", identity), ("boundary", boundary), ("resource", resource)):
        if any(applying(document, "Deny", request, kind) for document in documents):
            return "explicitDeny", kind

    identity_allows = any(applying(document, "Allow", request, "identity") for document in identity)
    boundary_allows = not boundary or bool(applying(boundary[0], "Allow", request, "boundary"))
    grants = applying(resource[0], "Allow", request, "resource") if resource else []
    owner = request.get("resource_account") or request["principal_account"]

    if identity_allows and boundary_allows:
        if owner != request["principal_account"] and not grants:
            return "implicitDeny", "resource"
        return "allowed", "identity"
    if owner == request["principal_account"] and "directly" in grants:
        return "allowed", "resource"
    return "implicitDeny", "boundary" if identity_allows else "identity"


def applying(document: Mapping[str, Any], effect: str, request: Mapping[str, Any], kind: str) -> list[str]:
    """How each statement of this effect that applies to the request names its user: directly or through the account."""
    variables = document.get("Version") == "2012-10-17"
    found = []
    for statement in listed(document["Statement"]):
        named = names(statement, request) if kind == "resource" else "directly"
        if statement["Effect"] == effect and named and statement_applies(statement, request, variables=variables):
            found.append(named)
    return found


def names(statement: Mapping[str, Any], request: Mapping[str, Any]) -> str:
    """How a resource-based policy's statement names the user: "directly", by its "account", or not at all ("")."""
    user, account = request["principal_arn"], request["principal_account"]
    if "NotPrincipal" in statement:
        return "" if user in aws_principals(statement["NotPrincipal"]) else "directly"
    named = aws_principals(statement["Principal"])
    if user in named or "*" in named:
        return "directly"
    if account in named or f"arn:aws:iam::{account}:root" in named:
        return "account"
    return ""


def aws_principals(principal: Any) -> list[str]:
    """The accounts and ARNs of a Principal element: only those of the type AWS can be a user."""
    return ["*"] if principal == "*" else listed(principal.get("AWS", []))


def statement_applies(statement: Mapping[str, Any], request: Mapping[str, Any], *, variables: bool) -> bool:
    doubt = statement["Effect"] == "Deny"
    context = request["context"]
    return (
        action_holds(statement, request["action"])
        and resource_holds(statement, request["resource"], context, variables=variables, doubt=doubt)
        and all(
            condition_holds(operator, key, listed(wanted), context, variables=variables, doubt=doubt)
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


# Actions and resources.


def action_holds(statement: Mapping[str, Any], action: str) -> bool:
    def listed_in(element: str) -> bool:
        return any(matches(pattern_of(ascii_lower(entry)), ascii_lower(action)) for entry in listed(statement[element]))

    return listed_in("Action") if "Action" in statement else not listed_in("NotAction")


def resource_holds(
    statement: Mapping[str, Any], resource: str, context: Context, *, variables: bool, doubt: bool
) -> bool:
    negated = "NotResource" in statement
    entries = listed(statement["NotResource" if negated else "Resource"])
    patterns = [resource_pattern(entry, context, variables=variables) for entry in entries]
    if any(pattern is not None and matches(pattern, resource) for pattern in patterns):
        return not negated
    if negated and None in patterns:
        return doubt
    return negated


def resource_pattern(entry: str, context: Context, *, variables: bool) -> list[Any] | None:
    """The pattern of a Resource entry; an ARN of fewer than six fields stands for all that begin so."""
    pattern = pattern_of(entry, context, variables=variables)
    if pattern is not None and entry.startswith("arn:") and pattern.count(":") < 5:
        return [*pattern, ":", STAR]
    return pattern


# Patterns and policy variables.


def pattern_of(
    text: str, context: Context | None = None, *, variables: bool = False, wildcards: bool = True
) -> list[Any] | None:
    """The characters and wildcards of a text, its variables put in as plain characters; None if one has no value."""
    pattern: list[Any] = []
    while text:
        if variables and text.startswith("${") and "}" in text:
            name, _, text = text[2:].partition("}")
            value = variable(name, context or {})
            if value is None:
                return None
            pattern += value
        else:
            wildcard = {"*": STAR, "?": ONE}.get(text[0]) if wildcards else None
            pattern.append(wildcard or text[0])
            text = text[1:]
    return pattern


def variable(name: str, context: Context) -> str | None:
    """The value of ${name} or ${name, 'default'}: a key with exactly one value that is not empty, or the default."""
    if name in ("*", "?", "$"):
        return name
    key, comma, default = name.partition(",")
    values = context.get(key.strip().lower(), [])
    if len(values) == 1 and values[0]:
        return values[0]
    return default.strip()[1:-1] if comma else None


def matches(pattern: Sequence[Any], text: str) -> bool:
    """Whether a pattern matches the whole text: * stands for any run of characters, ? for exactly one."""
    if not pattern:
        return not text
    if pattern[0] is STAR:
        return any(matches(pattern[1:], text[start:]) for start in range(len(text) + 1))
    return bool(text) and pattern[0] in (ONE, text[0]) and matches(pattern[1:], text[1:])


# Conditions.


def condition_holds(
    name: str, key: str, wanted: Sequence[Any], context: Context, *, variables: bool, doubt: bool
) -> bool:
    """Whether one key of one operator's block holds."""
    values = context.get(key.lower(), [])
    prefix, _, operator = name.rpartition(":")
    if operator == "Null":
        return any(as_text(entry).lower() == ("false" if values else "true") for entry in wanted)

    if_exists = operator.endswith("IfExists")
    operator = operator.removesuffix("IfExists")
    negated = operator in NEGATED
    operator = NEGATED.get(operator, operator)

    if not values or (prefix and list(values) == [""]):
        return if_exists or prefix == "ForAllValues" or (negated and not prefix)
    if not prefix and len(values) > 1:
        return doubt

    results = [
        value_holds(operator, value, wanted, context, negated=negated, variables=variables, doubt=doubt)
        for value in values
    ]
    return any(results) if prefix == "ForAnyValue" else all(results)


def value_holds(
    operator: str,
    value: str,
    wanted: Sequence[Any],
    context: Context,
    *,
    negated: bool,
    variables: bool,
    doubt: bool,
) -> bool:
    """Whether one value of the request equals one of the policy's, or none of them if the operator is negated."""
    if not readable(operator, value):
        return doubt
    unresolved = False
    for entry in wanted:
        pattern: list[Any] | None = list(as_text(entry))
        if operator.startswith(("String", "Arn")):
            wildcards = operator == "StringLike" or operator.startswith("Arn")
            pattern = pattern_of(as_text(entry), context, variables=variables, wildcards=wildcards)
        if pattern is None:
            unresolved = True
        elif compare(operator, value, pattern):
            return not negated
    return negated and (doubt if unresolved else True)


def compare(operator: str, value: str, pattern: list[Any]) -> bool:
    """Whether a request's value stands to a policy's value as the operator says."""
    if operator == "StringLike":
        return matches(pattern, value)
    if operator.startswith("Arn"):
        parts, patterns = value.split(":", 5), arn_parts(pattern)
        return len(parts) == len(patterns) == 6 and all(map(matches, patterns, parts))
    text = "".join(pattern)
    if operator.startswith(("Numeric", "Date")):
        return compare_order(operator, value, text)
    if operator == "IpAddress":
        address, network = ip_address(value), ip_network(text, strict=False)
        return address.version == network.version and address in network
    return {
        "StringEquals": value == text,
        "StringEqualsIgnoreCase": ascii_lower(value) == ascii_lower(text),
        "Bool": value.lower() == text.lower() and text.lower() in ("true", "false"),
        "BinaryEquals": operator == "BinaryEquals" and decoded(value) == decoded(text),
    }[operator]


def compare_order(operator: str, value: str, text: str) -> bool:
    """Whether a number or a date stands to the policy's as the operator says."""
    read, order = (number, operator[7:]) if operator.startswith("Numeric") else (moment, operator[4:])
    left, right = read(value), read(text)
    return {
        "Equals": left == right,
        "LessThan": left < right,
        "LessThanEquals": left <= right,
        "GreaterThan": left > right,
        "GreaterThanEquals": left >= right,
    }[order]


def arn_parts(pattern: list[Any]) -> list[list[Any]]:
    """A pattern cut at its first five colons."""
    parts: list[list[Any]] = [[]]
    for character in pattern:
        if character == ":" and len(parts) < 6:
            parts.append([])
        else:
            parts[-1].append(character)
    return parts


# Values.


def readable(operator: str, value: str) -> bool:
    """Whether a request's value is of the kind that the operator compares."""
    readers = {"Numeric": number, "Date": moment, "IpAddress": ip_address, "Binary": decoded}
    for family, read in readers.items():
        if operator.startswith(family):
            try:
                read(value)
            except ValueError:
                return False
    return True


def number(text: str) -> Fraction:
    if not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", text):
        raise ValueError(text)
    return Fraction(text)


def moment(text: str) -> Fraction:
    """The seconds since 1970 of a date in ISO 8601, UTC where it names no zone, or of the seconds themselves."""
    if re.fullmatch(r"[0-9]+", text):
        return Fraction(text)
    found = re.fullmatch(
        r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T([0-9]{2}:[0-9]{2})(:[0-9]{2})?(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?)?", text
    )
    if not found or (found[4] and not found[3]):
        raise ValueError(text)
    day, minute, second, fraction, zone = found.groups(default="")
    seconds = datetime.fromisoformat(f"{day}T{minute or '00:00'}{second or ':00'}").replace(tzinfo=UTC)
    whole = (seconds - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    east = 0
    if zone not in ("", "Z"):
        east = (int(zone[1:3]) * 60 + int(zone[4:6])) * (60 if zone[0] == "+" else -60)
    return whole - east + Fraction(f"0{fraction}" if fraction else 0)


def decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(text) from error


def as_text(value: Any) -> str:
    """A policy's value as text: true and false, as JSON writes them."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def ascii_lower(text: str) -> str:
    return "".join(chr(ord(letter) + 32) if "A" <= letter <= "Z" else letter for letter in text)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
