"""The one decision: may this request be made, and which statement says so.

IAM User Guide, "Policy evaluation logic": everything is denied by default, an allow lifts that, and an explicit deny in
any policy beats every allow, in whatever order they stand. A permissions boundary only takes away. A resource-based policy
that names the user gives by itself within an account; across accounts both sides must allow.
"""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from itertools import islice
from typing import Any, Final, Literal, NoReturn, Self

from permissions.conditions import Condition, holds
from permissions.language import Policy, Statement
from permissions.wildcard import Context, OverBudgetError, Pattern, Steps, fold, matches

BUDGET: Final = 1_000_000  # steps for one decision: below 50 ms

Kind = Literal["inline", "customer managed", "AWS managed", "account setting", "given"]
PolicyType = Literal["identity", "boundary", "resource"]

_TYPE_NAMES: Final = {
    "identity": "identity-based policy",
    "boundary": "permissions boundary",
    "resource": "resource-based policy",
}
_UNDERSTOOD: Final = frozenset(
    {
        *("index", "sid", "effect", "actions", "not_actions", "resources", "not_resources", "start", "end"),
        *("principals", "not_principals", "conditions"),
    }
)


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: an action on a resource, by a principal. The context's keys are in lower case.

    ``resource_account`` is whose the resource is, where that is not the principal's own.
    """

    action: str
    resource: str
    context: Context = field(default_factory=dict)
    principal_arn: str = ""
    principal_id: str = ""
    principal_account: str = ""
    resource_account: str = ""

    @property
    def names(self) -> frozenset[str]:
        """What a resource-based policy may call the principal itself: its ARN or its unique id."""
        return frozenset({self.principal_arn, self.principal_id} - {""})

    @property
    def crosses_accounts(self) -> bool:
        """Whether the resource is another account's."""
        return self.resource_account not in ("", self.principal_account)


@dataclass(frozen=True, slots=True)
class Source:
    """A policy and where it comes from: ``arn`` of a managed one, ``via`` the group that brings it."""

    name: str
    kind: Kind
    policy: Policy
    arn: str = ""
    via: str = ""


@dataclass(frozen=True, slots=True)
class Policies:
    """All policies that a request is decided by. No boundary is not the same as an empty one: that allows nothing."""

    identity: tuple[Source, ...] = ()
    boundary: Source | None = None
    resource: Source | None = None

    def of_each_type(self) -> Iterator[tuple[PolicyType, tuple[Source, ...]]]:
        """The policies by type, in the order in which a deny is looked for."""
        yield "identity", self.identity
        yield "boundary", (self.boundary,) if self.boundary else ()
        yield "resource", (self.resource,) if self.resource else ()


class Reason(Enum):
    """Why a decision is what it is; the first three in the words of AWS's simulator."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"
    ROOT = "root"
    BUDGET = "budget"


@dataclass(frozen=True, slots=True)
class Match:
    """A statement that is about a request."""

    policy_type: PolicyType
    source: Source
    statement: Statement


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer with its reason, and the statement that won where one did. It is no boolean: ask for ``allowed``.

    ``policy_type`` is the type that decided: of an implicit deny the one that lacked an allow. ``matched`` has every
    statement about the request, but only of a thorough decision.
    """

    allowed: bool
    reason: Reason
    source: Source | None = None
    statement: Statement | None = None
    action: str = ""
    policy_type: PolicyType = "identity"
    matched: tuple[Match, ...] = ()

    @classmethod
    def root(cls) -> Self:
        """The answer to the root user, who is asked no policy."""
        return cls(allowed=True, reason=Reason.ROOT)

    @property
    def explanation(self) -> str:
        """Why not, in AWS's words where it has any, to stand after "... on resource: R". Empty when allowed."""
        name = _TYPE_NAMES[self.policy_type]
        match self.reason:
            case Reason.EXPLICIT_DENY:
                arn = f": {self.source.arn}" if self.source and self.source.arn else ""
                return f"with an explicit deny in {'an' if name[0] in 'aeiou' else 'a'} {name}{arn}"
            case Reason.IMPLICIT_DENY:
                return f"because no {name} allows the {self.action} action"
            case Reason.BUDGET:
                return "because the policies take too long to evaluate"
            case Reason.ALLOWED | Reason.ROOT:
                return ""

    @property
    def told(self) -> dict[str, Any]:
        """What the trail keeps of it, fit for JSON: the reason, and where there is one the policy and statement."""
        kept: dict[str, Any] = {"reason": self.reason.value, "policy_type": self.policy_type}
        if self.source is not None:
            kept["policy"] = {"name": self.source.name, "kind": self.source.kind}
            kept["policy"] |= {name: value for name in ("arn", "via") if (value := getattr(self.source, name))}
        if self.statement is not None:
            kept["statement"] = {"index": self.statement.index, "line": self.statement.start.line}
            kept["statement"] |= {"sid": self.statement.sid} if self.statement.sid else {}
        return kept

    def __bool__(self) -> NoReturn:
        raise TypeError("A decision is no boolean: ask for its allowed.")


def decide(request: Request, policies: Policies, *, thorough: bool = False, steps: Steps | None = None) -> Decision:
    """Decide a request. The root user is not asked about here.

    ``thorough`` looks on after the answer is known; ``steps`` lets the one who asks count what it took.
    """
    steps = steps or Steps(BUDGET)
    matched: list[Match] = []
    found: dict[str, Match] = {}  # the first deny; the first allow of each type, and of a resource that only delegates
    try:
        for match in _matches(request, policies, steps, () if thorough else found):
            if thorough:
                matched.append(match)
            if match.statement.effect == "Deny":
                found.setdefault("deny", match)
                if not thorough:
                    break
            else:
                found.setdefault(_gives(match, request), match)
    except OverBudgetError:
        return Decision(allowed=False, reason=Reason.BUDGET, action=request.action, matched=tuple(matched))
    return replace(_concluded(request, policies, found), matched=tuple(matched))


def _matches(request: Request, policies: Policies, steps: Steps, settled: Container[str]) -> Iterator[Match]:
    """The statements that are about the request, policy by policy; no further allow of a type that is ``settled``."""
    action = fold(request.action)
    for policy_type, sources in policies.of_each_type():
        for source in sources:
            for statement in source.policy.statements:
                if statement.effect == "Allow" and policy_type in settled:
                    continue
                if covers(statement, action, request, steps):
                    yield Match(policy_type, source, statement)


def _gives(match: Match, request: Request) -> str:
    """Whose allow it is. A resource-based one that names only the account leaves it to the identity-based policies."""
    if match.policy_type != "resource":
        return match.policy_type
    statement = match.statement
    direct = bool(statement.not_principals) or bool(({"*"} | request.names) & statement.principals)
    return "resource" if direct else "delegated"


def _concluded(request: Request, policies: Policies, found: dict[str, Match]) -> Decision:
    """The answer, from the first match of each kind."""
    if "deny" in found:
        return _decision(request, Reason.EXPLICIT_DENY, found["deny"])
    identity = found.get("identity")
    bounded = policies.boundary is not None and "boundary" not in found
    resource = found.get("resource")
    if request.crosses_accounts:
        if identity and not bounded and not (resource or "delegated" in found):
            return Decision(allowed=False, reason=Reason.IMPLICIT_DENY, action=request.action, policy_type="resource")
        resource = None
    if identity and not bounded:
        return _decision(request, Reason.ALLOWED, identity)
    if resource:
        return _decision(request, Reason.ALLOWED, resource)
    return Decision(
        allowed=False,
        reason=Reason.IMPLICIT_DENY,
        action=request.action,
        policy_type="boundary" if identity else "identity",
    )


def _decision(request: Request, reason: Reason, match: Match) -> Decision:
    return Decision(
        allowed=reason is Reason.ALLOWED,
        reason=reason,
        source=match.source,
        statement=match.statement,
        action=request.action,
        policy_type=match.policy_type,
    )


def almost(request: Request, policies: Policies) -> list[tuple[Match, Condition]]:
    """The allows that would be about a request that was denied, were it not for a condition: each with its first such one."""
    action = fold(request.action)
    steps = Steps(BUDGET)
    near: list[tuple[Match, Condition]] = []
    try:
        for policy_type, sources in policies.of_each_type():
            for source in sources:
                for statement in source.policy.statements:
                    if statement.effect == "Allow" and _covers_but_for_conditions(statement, action, request, steps):
                        failed = (each for each in statement.conditions if not _met(each, request, steps))
                        near.extend((Match(policy_type, source, statement), each) for each in islice(failed, 1))
    except OverBudgetError:
        return near
    return near


def _met(condition: Condition, request: Request, steps: Steps) -> bool:
    return holds(condition, request.context, steps, doubt=False)


def acts(statement: Statement, action: str, request: Request, steps: Steps) -> bool:
    """Whether the statement is about the action, given in lower case. Raises OverBudgetError."""
    if statement.actions:
        return _any_matches(statement.actions, action, request, steps)
    return not _any_matches(statement.not_actions, action, request, steps)


def covers(statement: Statement, action: str, request: Request, steps: Steps) -> bool:
    """Whether the statement is about the request. What is in doubt keeps an Allow from it and brings a Deny to it."""
    doubt = statement.effect == "Deny"
    return (
        _covers_but_for_conditions(statement, action, request, steps)
        and all(holds(condition, request.context, steps, doubt=doubt) for condition in statement.conditions)
        and (doubt or is_understood(statement))
    )


def _covers_but_for_conditions(statement: Statement, action: str, request: Request, steps: Steps) -> bool:
    return (
        acts(statement, action, request, steps)
        and names_resource(statement, request, steps, doubt=statement.effect == "Deny")
        and _names_principal(statement, request)
    )


def names_resource(statement: Statement, request: Request, steps: Steps, *, doubt: bool) -> bool:
    """Whether the statement is about the resource; ``doubt`` says what a variable without a value means."""
    if statement.resources:
        return _any_matches(statement.resources, request.resource, request, steps)
    # A variable without a value leaves open what NotResource excepts: an Allow then excepts all of it, a Deny nothing.
    return not _any_matches(statement.not_resources, request.resource, request, steps, unknown=not doubt)


def _names_principal(statement: Statement, request: Request) -> bool:
    """Whether a resource-based policy's statement is about the one who asks; others are about everyone they apply to."""
    if statement.not_principals:
        return not request.names & statement.not_principals
    account = request.principal_account
    mine = {"*", account, f"arn:aws:iam::{account}:root"} | request.names
    return not statement.principals or bool(mine & statement.principals)


def _any_matches(
    patterns: Sequence[Pattern], text: str, request: Request, steps: Steps, *, unknown: bool = False
) -> bool:
    """Whether one of the patterns matches; one with a variable that has no value counts as ``unknown``."""
    for pattern in patterns:
        pieces = pattern.filled(request.context, steps)
        if unknown if pieces is None else matches(pieces, text, steps):
            return True
    return False


def is_understood(statement: Statement) -> bool:
    """Whether this engine knows every element that the statement has.

    What it does not know could only narrow the statement, as all of AWS's elements do. So an Allow with such an element
    does not apply, and a Deny applies without it.
    """
    return not any(getattr(statement, member.name) for member in fields(statement) if member.name not in _UNDERSTOOD)
