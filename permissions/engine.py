"""The one decision: may this request be made, and which statement says so.

IAM User Guide, "Policy evaluation logic": everything is denied by default, an allow lifts that, and an explicit deny in
any policy beats every allow, in whatever order they stand.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from typing import Final, Literal, NoReturn, Self

from permissions.language import Policy, Statement, fold
from permissions.wildcard import Context, OverBudgetError, Pattern, Steps, matches

BUDGET: Final = 1_000_000  # steps for one decision: below 50 ms

Kind = Literal["inline"]

_UNDERSTOOD: Final = frozenset(
    {"index", "sid", "effect", "actions", "not_actions", "resources", "not_resources", "start", "end"}
)


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: an action on a resource. The context's keys are in lower case."""

    action: str
    resource: str
    context: Context = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """A policy and where it comes from."""

    name: str
    kind: Kind
    policy: Policy


class Reason(Enum):
    """Why a decision is what it is; the first three in the words of AWS's simulator."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"
    ROOT = "root"
    BUDGET = "budget"


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer with its reason, and the statement that won where one did. It is no boolean: ask for ``allowed``."""

    allowed: bool
    reason: Reason
    source: Source | None = None
    statement: Statement | None = None
    action: str = ""

    @classmethod
    def root(cls) -> Self:
        """The answer to the root user, who is asked no policy."""
        return cls(allowed=True, reason=Reason.ROOT)

    @property
    def explanation(self) -> str:
        """Why not, in AWS's words where it has any, to stand after "... on resource: R". Empty when allowed."""
        match self.reason:
            case Reason.EXPLICIT_DENY:
                return "with an explicit deny in an identity-based policy"
            case Reason.IMPLICIT_DENY:
                return f"because no identity-based policy allows the {self.action} action"
            case Reason.BUDGET:
                return "because the policies take too long to evaluate"
            case Reason.ALLOWED | Reason.ROOT:
                return ""

    def __bool__(self) -> NoReturn:
        raise TypeError("A decision is no boolean: ask for its allowed.")


def decide(request: Request, identity: Sequence[Source]) -> Decision:
    """Decide a request of someone whose identity-based policies these are. The root user is not asked about here."""
    action = fold(request.action)
    steps = Steps(BUDGET)
    allowed: Decision | None = None
    try:
        for source in identity:
            for statement in source.policy.statements:
                if statement.effect == "Allow":
                    if allowed is None and _covers(statement, action, request, steps) and _is_understood(statement):
                        allowed = Decision(
                            allowed=True,
                            reason=Reason.ALLOWED,
                            source=source,
                            statement=statement,
                            action=request.action,
                        )
                elif _covers(statement, action, request, steps):
                    return Decision(
                        allowed=False,
                        reason=Reason.EXPLICIT_DENY,
                        source=source,
                        statement=statement,
                        action=request.action,
                    )
    except OverBudgetError:
        return Decision(allowed=False, reason=Reason.BUDGET, action=request.action)
    if allowed is not None:
        return allowed
    return Decision(allowed=False, reason=Reason.IMPLICIT_DENY, action=request.action)


def allows_every(request: Request, identity: Sequence[Source]) -> bool:
    """Whether the action is allowed on everything the request's resource, an ARN that ends in ``*``, stands for.

    Sure rather than exact: one allow must cover it without exceptions, and no deny may be about the action at all. A pattern
    that covers both the star itself and a long name that nobody has covers every name.
    """
    action = fold(request.action)
    steps = Steps(BUDGET)
    samples = [request, replace(request, resource=request.resource[:-1] + "~" * 60)]
    statements = [statement for source in identity for statement in source.policy.statements]
    try:
        if any(_acts(each, action, request, steps) for each in statements if each.effect == "Deny"):
            return False
        return any(
            bool(each.resources) and _is_understood(each) and all(_covers(each, action, one, steps) for one in samples)
            for each in statements
            if each.effect == "Allow"
        )
    except OverBudgetError:
        return False


def _acts(statement: Statement, action: str, request: Request, steps: Steps) -> bool:
    if statement.actions:
        return _any_matches(statement.actions, action, request, steps)
    return not _any_matches(statement.not_actions, action, request, steps)


def _covers(statement: Statement, action: str, request: Request, steps: Steps) -> bool:
    if not _acts(statement, action, request, steps):
        return False
    if statement.resources:
        return _any_matches(statement.resources, request.resource, request, steps)
    # A variable without a value leaves open what NotResource excepts: an Allow then excepts all of it, a Deny nothing.
    unknown = statement.effect == "Allow"
    return not _any_matches(statement.not_resources, request.resource, request, steps, unknown=unknown)


def _any_matches(
    patterns: Sequence[Pattern], text: str, request: Request, steps: Steps, *, unknown: bool = False
) -> bool:
    """Whether one of the patterns matches; one with a variable that has no value counts as ``unknown``."""
    for pattern in patterns:
        pieces = pattern.filled(request.context, steps)
        if unknown if pieces is None else matches(pieces, text, steps):
            return True
    return False


def _is_understood(statement: Statement) -> bool:
    """Whether this engine knows every element that the statement has.

    What it does not know could only narrow the statement, as all of AWS's elements do. So an Allow with such an element
    does not apply, and a Deny applies without it.
    """
    return not any(getattr(statement, member.name) for member in fields(statement) if member.name not in _UNDERSTOOD)
