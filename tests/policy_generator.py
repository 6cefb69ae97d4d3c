"""Random requests and policies, made of few names so that they meet often and in odd ways.

Everything comes from the random numbers passed in: one seed is one case. Documents are valid: each could be written.
"""

from collections.abc import Iterator
from random import Random
from typing import Any

Document = dict[str, Any]

ACCOUNT, OTHER = "123456789012", "999999999999"
ALICE, BOB = f"arn:aws:iam::{ACCOUNT}:user/alice", f"arn:aws:iam::{ACCOUNT}:user/bob"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"

ACTIONS = ["s3:GetObject", "s3:GetObject", "s3:PutObject", "S3:getobject", "iam:GetUser"]
ACTION_PATTERNS = [
    "*",
    "*",
    "s3:*",
    "s3:Get*",
    "s3:?etObject",
    "S3:GETOBJECT",
    "s3:*Object",
    "iam:*",
    "*:Get*",
    "s3:P*t",
]
RESOURCES = [
    "arn:aws:s3:::a/x",
    "arn:aws:s3:::a/alice",
    "arn:aws:s3:::b/alice/x",
    "arn:aws:s3:::a/x",
    "arn:aws:s3:::a/*",
    "arn:aws:s3:::A/x",
    "arn:aws:sqs:us-east-1:123456789012:a",
    ALICE,
    "*",
]
RESOURCE_PATTERNS = [
    "*",
    "*",
    "*",
    "arn:aws:s3:::*",
    "arn:aws:s3:::a/*",
    "arn:aws:s3",
    "arn:aws:s3:*",
    "arn:aws:s3:::*",
    "arn:aws:s3:::a/*",
    "arn:aws:sqs:us-*:123456789012",
    "arn:aws:s3:::?/x",
    "arn:aws:s3:::a?x",
    "arn:aws:s3:::*/alice*",
    "arn:aws:s3:*:*:*x",
    "arn:aws:s3:::a/${*}",
    "arn:aws:s3:::a/${?}*",
    "arn:aws:s3:::a/${aws:username}",
    "arn:aws:s3:::*/${AWS:UserName}*",
    "arn:aws:s3:::${aws:PrincipalTag/team}/*",
    "arn:aws:s3:::${aws:PrincipalTag/team, 'a'}/${aws:username, 'x'}",
    "arn:aws:s3:::a/${$}{aws:username}",
    "arn:aws:iam::*:user/${aws:username, '*'}",
]
STATEMENT_COUNTS, LIST_SIZES = [1, 1, 2, 2, 3], [1, 1, 1, 2, 3]

# What a key's values are in a request, and in a policy. Those of a request are not always of their kind.
TEXTS = ["alice", "a", "Alice", "bob", "x", "*", "a?", "\u00e4", "\u00e4", "${aws:username}"]
TEXT_VALUES = [
    "alice",
    "a",
    "ALICE",
    "bob",
    "*",
    "a*",
    "?",
    "al?ce",
    "${aws:username}",
    "${aws:PrincipalTag/team}",
    "${aws:PrincipalTag/team}*",
    "${AWS:username, 'a'}",
    "${aws:PrincipalTag/none, '*'}",
    "${aws:PrincipalTag/none}",
    "${*}",
    "a${?}",
    "\u00c4",
    "\u00c4",
    10,
    True,
]
NUMBERS = ["10", "9.5", "-1", "+10", "10.0", "007", "11", "12345678901234567890", "ten", "1e1"]
NUMBER_VALUES = ["10", "10.00", "-1", "9", "11", "12345678901234567891", 10, 7]
DATES = [
    "2026-01-01",
    "2026-01-01T00:00:00Z",
    "1767225600",
    "2025-12-31T23:30:00-01:00",
    "2026-01-01T00:00:00.5Z",
    "soon",
]
DATE_VALUES = ["2026-01-01", "2026-01-01T00:30Z", "2026-01-01T01:00:00+01:00", "1767225600", "2027-06-01T12:00:00Z"]
BOOLEANS = ["true", "false", "TRUE", "True", "yes", "1"]
BOOLEAN_VALUES = ["true", "false", True, False]
BYTES = ["AAEC", "AAE=", "aaec", "AAE", "!"]
BYTES_VALUES = ["AAEC", "AAE=", "AAED"]
ADDRESSES = ["10.0.0.1", "10.0.1.255", "10.1.0.0", "2001:db8::1", "::ffff:10.0.0.1", "10.0.0.0/8", "here"]
ADDRESS_VALUES = ["10.0.0.0/16", "10.0.0.0/23", "10.0.0.1", "0.0.0.0/0", "2001:DB8::/32", "::/0"]
ARNS = [
    "arn:aws:sns:us-east-1:123456789012:a",
    "arn:aws:sns:eu-west-1:123456789012:a:b",
    ALICE,
    "arn:aws:s3:::a/x",
    "arn:aws:sns",
]
ARN_VALUES = [
    "arn:aws:sns:*:123456789012:a",
    "arn:aws:sns:*:*:*",
    "arn:aws:s?s:us-*:123456789012:a*",
    "arn:aws:*:*:*:*b",
    "arn:aws:iam::123456789012:user/${aws:username}",
    "arn:aws:iam::*:user/${aws:PrincipalTag/team, 'alice'}",
    "arn:*:s3:::a/?",
    "arn:aws:sns",
    "*",
]
KEYS: dict[str, tuple[list[str], list[str], list[Any]]] = {
    "String": (["aws:username", "aws:PrincipalTag/team", "aws:TagKeys"], TEXTS, TEXT_VALUES),
    "Numeric": (["s3:max-keys"], NUMBERS, NUMBER_VALUES),
    "Date": (["aws:CurrentTime"], DATES, DATE_VALUES),
    "Bool": (["aws:MultiFactorAuthPresent"], BOOLEANS, BOOLEAN_VALUES),
    "Binary": (["example:Checksum"], BYTES, BYTES_VALUES),
    "IpAddress": (["aws:SourceIp"], ADDRESSES, ADDRESS_VALUES),
    "Arn": (["aws:SourceArn"], ARNS, ARN_VALUES),
}
ALL_KEYS = [key for keys, _, _ in KEYS.values() for key in keys]
ORDERS = ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"]
OPERATORS = {
    "String": ["Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike"],
    "Numeric": ORDERS,
    "Date": ORDERS,
    "Bool": [""],
    "Binary": ["Equals"],
    "IpAddress": ["IpAddress", "NotIpAddress"],
    "Arn": ["Equals", "NotEquals", "Like", "NotLike"],
}
FAMILIES = ["String", "String", "String", "Numeric", "Date", "Bool", "Binary", "IpAddress", "Arn", "Null"]
PRINCIPALS: list[Any] = [
    "*",
    {"AWS": "*"},
    {"AWS": ALICE},
    {"AWS": ALICE},
    {"AWS": BOB},
    {"AWS": [BOB, ALICE]},
    {"AWS": ACCOUNT},
    {"AWS": ROOT},
    {"AWS": [OTHER, ROOT]},
    {"AWS": OTHER},
    {"Federated": ALICE},
    {"Service": "ec2.amazonaws.com"},
    {"Service": "ec2.amazonaws.com", "AWS": ALICE},
]
EXCEPTED: list[Any] = [
    {"AWS": ALICE},
    {"AWS": [ALICE, ROOT]},
    {"AWS": BOB},
    {"AWS": ROOT},
    {"Service": "ec2.amazonaws.com"},
]


def generate(rng: Random) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Requests, each with the policies that decide on it, without an end: four are asked of the same policies."""
    while True:
        policies = {
            "identity": [document(rng) for _ in range(rng.choice([0, 1, 2, 2, 3, 3]))],
            "boundary": document(rng, denies=0.1) if rng.random() < 0.35 else None,
            "resource": document(rng, of_resource=True) if rng.random() < 0.45 else None,
        }
        for _ in range(4):
            yield request(rng), policies


def request(rng: Random) -> dict[str, Any]:
    found: dict[str, Any] = {
        "action": rng.choice(ACTIONS),
        "resource": rng.choice(RESOURCES),
        "context": context(rng),
        "principal_arn": rng.choice([ALICE, ALICE, ALICE, ALICE, BOB]),
        "principal_account": ACCOUNT,
    }
    if rng.random() < 0.2:
        found["resource_account"] = rng.choice([ACCOUNT, OTHER, OTHER, OTHER])
    return found


def context(rng: Random) -> dict[str, list[str]]:
    """The keys of a request: some are missing, some have no value, an empty one or several."""
    found = {}
    for keys, values, _ in KEYS.values():
        for key in keys:
            chance = rng.random()
            if chance < 0.65:
                found[key.lower()] = [rng.choice(values)]
            elif chance < 0.75:
                found[key.lower()] = [rng.choice(values) for _ in range(rng.choice([2, 2, 3]))]
            elif chance < 0.8:
                found[key.lower()] = rng.choice([[], [""], ["", rng.choice(values)]])
    return found


def document(rng: Random, *, denies: float = 0.22, of_resource: bool = False) -> Document:
    statements = [statement(rng, denies=denies, of_resource=of_resource) for _ in range(rng.choice(STATEMENT_COUNTS))]
    found: Document = {"Statement": statements[0] if len(statements) == 1 and rng.random() < 0.5 else statements}
    chance = rng.random()
    if chance < 0.9:
        found["Version"] = "2012-10-17" if chance < 0.75 else "2008-10-17"
    return found


def statement(rng: Random, *, denies: float, of_resource: bool) -> Document:
    found: Document = {"Effect": "Deny" if rng.random() < denies else "Allow"}
    if of_resource:
        if rng.random() < 0.15:
            found["NotPrincipal"] = rng.choice(EXCEPTED)
        else:
            found["Principal"] = rng.choice(PRINCIPALS)
    found["NotAction" if rng.random() < 0.12 else "Action"] = entries(rng, ACTION_PATTERNS)
    found["NotResource" if rng.random() < 0.15 else "Resource"] = entries(rng, RESOURCE_PATTERNS)
    if rng.random() < 0.5:
        found["Condition"] = conditions(rng)
    return found


def conditions(rng: Random) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        family = rng.choice(FAMILIES)
        if family == "Null":
            found["Null"] = {rng.choice(ALL_KEYS): entries(rng, BOOLEAN_VALUES)}
            continue
        keys, _, values = KEYS[family]
        block = found.setdefault(operator(rng, family), {})
        for _ in range(rng.choice([1, 1, 1, 2])):
            key = rng.choice(keys if rng.random() < 0.95 else ALL_KEYS)
            block[key.upper() if rng.random() < 0.1 else key] = entries(rng, values)
    return found


def operator(rng: Random, family: str) -> str:
    """An operator of a family, at times for a set and at times for a key that may be missing."""
    ending = rng.choice(OPERATORS[family])
    name = ending if family == "IpAddress" else family + ending
    prefix = rng.choice(["", "", "", "ForAllValues:", "ForAnyValue:"])
    return prefix + name + ("IfExists" if rng.random() < 0.25 else "")


def entries(rng: Random, values: list[Any]) -> Any:
    """One value, alone or in a list, or several."""
    size = rng.choice(LIST_SIZES)
    if size == 1 and rng.random() < 0.6:
        return rng.choice(values)
    return [rng.choice(values) for _ in range(size)]
