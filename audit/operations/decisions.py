"""Why something was denied: the decision behind an AccessDenied, found by the id that its message carries."""

from dataclasses import dataclass
from typing import Any

from accounts import arns, targets
from accounts.caller import Caller
from accounts.models import User
from accounts.tags import RESOURCE_TAGS
from audit.models import Event
from iamconsole.asked import Resolved
from iamconsole.errors import NoSuchEntity
from iamconsole.operation import operation
from iamconsole.paging import Page

# What the one who was refused is told of it: no more than the refusal itself said, and what was known of the request. What was
# read of the thing asked about is not among it: it would tell what there is.
OWN = ("reason", "policy_type")
READ_OF_TARGET = ("aws:resourcetag/", "iam:resourcetag/", "iam:permissionsboundary")


@dataclass(frozen=True)
class _Decision:
    """A decision of the caller's account, decided on the ARN of the one who was refused."""

    consumes: frozenset[str] = frozenset({"decision_id"})

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        decision_id = parameters.pop("decision_id")
        event = Event.objects.filter(chain=caller.account_id, event_id=decision_id).exclude(decision={}).first()
        actor = User.objects.filter(user_id=event.actor_id).first() if event else None
        return Resolved(
            event.actor_arn if event else arns.user(caller.account_id, "/", "*"),
            {"event": event},
            label=f"decision {decision_id}",
            tags=actor.tags if actor else (),
            missing=None if event else NoSuchEntity(f"The decision with id {decision_id} cannot be found."),
        )


decision = _Decision()


@operation("iamconsole:GetDecision", on=decision, reads=True, keys=RESOURCE_TAGS)
def get_decision(caller: Caller, *, event: Event) -> dict[str, Any]:
    """Why a request was denied: the policy and statement that did, or what was missing. Raises NoSuchEntity."""
    return _told(event, event.decision)


@operation("iamconsole:ListOwnDecisions", on=targets.the_caller, reads=True, public=True)
def list_own_decisions(
    caller: Caller,
    *,
    user: User,
    decision_id: str | None = None,
    max_items: int | None = None,
    marker: str | None = None,
) -> Page[dict[str, Any]]:
    """The caller's own refused requests, the latest first, without what only an administrator is to know of policies."""
    events = Event.objects.filter(chain=user.account_id, actor_id=user.user_id).exclude(decision={})
    if decision_id is not None:
        events = events.filter(event_id=decision_id)
    page = Page.of(events, by="-sequence", scope=f"ListOwnDecisions {user.user_id}", max_items=max_items, marker=marker)
    return Page([_told(event, _own(event.decision)) for event in page.items], page.marker)


def _own(decision: dict[str, Any]) -> dict[str, Any]:
    """The part of a decision that its own caller may know."""
    context = {key: values for key, values in decision["context"].items() if not key.startswith(READ_OF_TARGET)}
    told = {name: decision.get(name) for name in OWN}
    if not decision.get("named"):  # the refusal names nothing, so that nobody learns by it what there is
        told |= {"reason": "implicitDeny", "policy_type": "identity"}
    return {**told, "resource": decision.get("named", ""), "context": context}


def _told(event: Event, why: dict[str, Any]) -> dict[str, Any]:
    return {
        **why,
        "decision_id": str(event.event_id),
        "event_time": event.event_time,
        "event_request_id": event.request_id,
        "actor_arn": event.actor_arn,
        "action": event.action,
        "message": event.message,
        "door": event.door,
    }
