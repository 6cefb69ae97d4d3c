"""The page of one decision: why a request was denied, in sentences, and what to do about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.caller import Caller
from accounts.signin import caller_of
from audit.operations.decisions import get_decision, list_own_decisions
from iamconsole.forms import may, part
from iamconsole.pages import error_page
from permissions.operations.simulator import principal_by_arn, simulate_principal_policy
from permissions.simulator_form import kind_of
from permissions.statements import policy_words
from permissions.wildcard import fold

DOORS: Final = {
    "console": "the console",
    "api": "the AWS API",
    "shell": "the server's shell",
    "verifier": "another service",
}
BOUNDARY, RESOURCE = "boundary", "resource"
# The context keys that are the principal's own: the simulator fills them in.
OF_PRINCIPAL: Final = ("aws:userid", "aws:username", "aws:principal")


@require_safe
def page(request: HttpRequest, decision_id: UUID) -> HttpResponse:
    """Why a request was denied, for those who may know, and for the one who was refused."""
    caller = caller_of(request)
    full = part(caller, get_decision, decision_id=str(decision_id))
    decision = full.value or next(iter(list_own_decisions(caller, decision_id=str(decision_id)).items), None)
    if decision is None:
        return _not_found(request)
    told = Explanation(decision, caller=caller, is_full=full.value is not None)
    simulate = may(caller, simulate_principal_policy, policy_source_arn=decision["actor_arn"])
    return render(
        request, "decision.html", {"decision": decision, "told": told, "full": full, "may_simulate": simulate}
    )


def _not_found(request: HttpRequest) -> HttpResponse:
    message = (
        "There is no decision of this ID that you may read. You may read those about your own requests, and those of other"
        f" users with the permission {get_decision.action}. Check that you copied the whole ID."
    )
    return error_page(request, 404, message, title="No such decision")


@dataclass(frozen=True)
class Near:
    """A statement that would have allowed it, but for a condition."""

    statement: str
    policy: str
    operator: str
    key: str
    had: Sequence[str]

    @property
    def needs_mfa(self) -> bool:
        """Whether a second factor would have met it."""
        return self.key.lower().startswith("aws:multifactorauth")


@dataclass(frozen=True)
class Explanation:
    """A decision in words. It is ``is_full`` when the policies may be named, else it says what the refusal itself said."""

    decision: Mapping[str, Any]
    caller: Caller
    is_full: bool

    @property
    def door(self) -> str:
        """By which door the request came."""
        return DOORS[self.decision["door"]]

    @property
    def is_own(self) -> bool:
        """Whether it was the reader's own request."""
        return bool(self.decision["actor_arn"] == self.caller.arn)

    @property
    def is_explicit(self) -> bool:
        """Whether a statement denies it."""
        return bool(self.decision["reason"] == "explicitDeny")

    @property
    def is_bounded(self) -> bool:
        """Whether the permissions boundary decided."""
        return bool(self.decision["policy_type"] == BOUNDARY)

    @property
    def why(self) -> str:
        """The one sentence."""
        action, resource = self.decision["action"], self.decision["resource"]
        if self.is_explicit:
            return f"{self._denier} denies it. An explicit deny beats every allow."
        if self.decision["reason"] == "budget":
            return "The policies take too long to evaluate, and what is not decided is denied."
        if self.decision["reason"] == "missing":
            return f"No access key of this account has the ID that was asked about; {action} says no more to anybody."
        if self.is_bounded:
            return f"A policy allows {action} on {resource}, but the permissions boundary does not."
        if self.decision["policy_type"] == RESOURCE:
            return f"The policy of the resource, which is another account's, does not allow {action}."
        return f"No policy allows {action} on {resource}."

    @property
    def _denier(self) -> str:
        policy, statement = self.decision.get("policy"), self.decision.get("statement")
        if not policy or not statement:
            return "A statement of the permissions boundary" if self.is_bounded else "A statement of a policy"
        words = policy_words(policy["name"], policy["kind"], policy.get("via", ""))
        words = f"{words}, the permissions boundary," if self.is_bounded else words
        return f"The statement {statement_words(statement)} of {words}"

    @property
    def policy_url(self) -> str:
        """Where the managed policy that denies is read."""
        arn = (self.decision.get("policy") or {}).get("arn")
        return reverse("admin:permissions_managedpolicy_change", args=[arn]) if arn else ""

    @property
    def near(self) -> list[Near]:
        """What would have allowed it."""
        context = self.decision["context"] or {}
        return [
            Near(
                statement=statement_words(each["statement"]),
                policy=" of the group ".join(filter(None, (each["policy"]["name"], each["policy"].get("via")))),
                operator=each["condition"]["operator"],
                key=each["condition"]["key"],
                had=context.get(fold(each["condition"]["key"]), ()),
            )
            for each in self.decision.get("almost") or ()
        ]

    @property
    def user_name(self) -> str:
        """The user who asked, if still there; the root user is no IAM user."""
        user = principal_by_arn(self.caller.account_id, self.decision["actor_arn"])
        return str(getattr(user, "user_name", "") or "")

    @property
    def simulate(self) -> str:
        """Where the same request is simulated, with the context it had."""
        context = self.decision["context"] or {}
        query = [
            ("policy_source_arn", self.decision["actor_arn"]),
            ("action_names", self.decision["action"]),
            ("resource_arns", self.decision["resource"]),
        ]
        for key, values in context.items():
            if not key.startswith(OF_PRINCIPAL):
                kind = kind_of(key) if len(values) < 2 or kind_of(key).endswith("List") else f"{kind_of(key)}List"  # noqa: PLR2004
                query += [
                    ("context_key_name", key),
                    ("context_key_type", kind),
                    ("context_key_values", "\n".join(values)),
                ]
        return f"{reverse('admin:simulator')}?{urlencode(query)}"


def statement_words(statement: Mapping[str, Any]) -> str:
    """A statement's name, or which one it is."""
    number = f"number {statement['index'] + 1}"
    return str(statement.get("sid") or number)
