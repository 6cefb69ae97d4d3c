"""The simulator: the engine's own decisions, thorough and about requests that nobody has made, in the form of AWS's answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from permissions import conditions, resources
from permissions.engine import Decision, Match, Policies, PolicyType, Reason, Request, Source, decide
from permissions.language import Policy
from permissions.wildcard import Steps

TOLD: Final = 1_000  # steps for telling of one statement or key
PAGE_BUDGET: Final = 10_000_000  # steps for one page of results: about half a second
_READERS: Final[Mapping[str, Callable[[str], object]]] = {
    "numeric": conditions.number,
    "date": conditions.moment,
    "ip": conditions.address,
    "binary": conditions.binary,
}


@dataclass(frozen=True)
class Simulation:
    """Everything about the simulated requests but their action and resource.

    ``resource_account`` is whose the resources are that do not name an account themselves.
    """

    policies: Policies
    context: Mapping[str, tuple[str, ...]]
    principal_arn: str = ""
    principal_id: str = ""
    principal_account: str = ""
    resource_account: str = ""

    def decide(self, action: str, resource: str, steps: Steps) -> Decision:
        """What the engine says to it."""
        return decide(self.request(action, resource), self.policies, thorough=True, steps=steps)

    def request(self, action: str, resource: str) -> Request:
        """The request as the engine is asked it.

        An ARN's own account counts where a resource-based policy, and with it the owner's say, is given (AWS, ResourceOwner).
        """
        named = resources.owner(resource) if self.policies.resource else ""
        return Request(
            action,
            resource,
            self.context,
            principal_arn=self.principal_arn,
            principal_id=self.principal_id,
            principal_account=self.principal_account,
            resource_account=named or self.resource_account,
        )

    def result(self, action: str, resource: str, steps: Steps, *, alone: bool) -> dict[str, Any]:
        """One of AWS's EvaluationResults; ``alone`` when it is about no resource in particular."""
        decision = self.decide(action, resource, steps)
        statements = _told(decision)
        steps.left -= TOLD * (
            len(statements) + len(self.missing_keys)
        )  # it is told twice, in the result and of the resource
        told = {
            "matched_statements": [_statement(match) for match in statements],
            "missing_context_values": self.missing_keys,
            "permissions_boundary_decision_detail": self._boundary_detail(decision),
            "eval_decision_details": self._details(decision, resource),
        }
        specific = {"eval_resource_name": resource, "eval_resource_decision": _word(decision), **told}
        return {
            "eval_action_name": action,
            "eval_resource_name": resource,
            "eval_decision": _word(decision),
            "organizations_decision_detail": {"allowed_by_organizations": True},
            "resource_specific_results": [] if alone else [specific],
            **told,
        }

    @cached_property
    def missing_keys(self) -> list[str]:
        """The context keys that the policies ask about and nobody gave."""
        policies = [source.policy for _, sources in self.policies.of_each_type() for source in sources]
        return context_keys(policies, given=self.context)

    def _boundary_detail(self, decision: Decision) -> dict[str, bool] | None:
        if self.policies.boundary is None:
            return None
        return {"allowed_by_permissions_boundary": _answer_of("boundary", decision) is Reason.ALLOWED}

    def _details(self, decision: Decision, resource: str) -> dict[str, str] | None:
        """What each side says, where the resource is another account's."""
        if not self.request("", resource).crosses_accounts:
            return None
        return {
            "IAM Policy": _answer_of("identity", decision).value,
            "Resource Policy": _answer_of("resource", decision).value,
        }


def context_keys(policies: Sequence[Policy], *, given: Mapping[str, object] | None = None) -> list[str]:
    """The context keys that policies ask about, each once as it is written first, without those ``given``."""
    keys: dict[str, str] = {}
    for policy in policies:
        for key, name in policy.context_keys.items():
            if key not in (given or {}):
                keys.setdefault(key, name)
    return sorted(keys.values(), key=str.lower)


def readable(value: str, kind: str) -> bool:
    """Whether a context value is of the type that ContextKeyType names."""
    kind = kind.removesuffix("List")
    if kind == "boolean":
        return value.lower() in ("true", "false")
    return kind not in _READERS or _READERS[kind](value) is not None


def _told(decision: Decision) -> list[Match]:
    """The statements that decided: every deny of an explicit deny, every allow of an allow; of an implicit deny none."""
    if decision.reason is Reason.EXPLICIT_DENY:
        return [match for match in decision.matched if match.statement.effect == "Deny"]
    if decision.reason is Reason.ALLOWED:
        return [match for match in decision.matched if match.statement.effect == "Allow"]
    return []


def _answer_of(policy_type: PolicyType, decision: Decision) -> Reason:
    """What the policies of one type say by themselves."""
    effects = {match.statement.effect for match in decision.matched if match.policy_type == policy_type}
    if "Deny" in effects:
        return Reason.EXPLICIT_DENY
    return Reason.ALLOWED if "Allow" in effects else Reason.IMPLICIT_DENY


def _word(decision: Decision) -> str:
    """AWS's word for the decision; one that took too long is no allow."""
    return decision.reason.value if decision.reason is not Reason.BUDGET else Reason.IMPLICIT_DENY.value


def _statement(match: Match) -> dict[str, Any]:
    """One of AWS's Statements; and the match itself, which the pages of the console tell more of."""
    statement = match.statement
    return {
        "match": match,
        "source_policy_id": source_id(match.source),
        "source_policy_type": "Resource Policy" if match.policy_type == "resource" else "IAM Policy",
        "start_position": {"line": statement.start.line, "column": statement.start.column},
        "end_position": {"line": statement.end.line, "column": statement.end.column},
    }


def source_id(source: Source) -> str:
    """What a result calls a policy: its name, that of a group's with the group."""
    return f"{source.via}/{source.name}" if source.via and source.kind == "inline" else source.name
