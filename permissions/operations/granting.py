"""Which policies let a user or group use a service."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accounts.caller import Caller
from accounts.models import Group, User
from accounts.tags import RESOURCE_TAGS
from iamconsole.asked import Resolved
from iamconsole.errors import NoSuchEntity
from iamconsole.operation import operation
from iamconsole.paging import Page
from permissions.compiled import policies_of, policies_of_group
from permissions.engine import Source
from permissions.language import Policy
from permissions.operations.simulator import principal_by_arn


@dataclass(frozen=True)
class _Identity:
    """The user or group with the ARN ``arn``. There are no roles, and those of another account are not found either."""

    consumes: frozenset[str] = frozenset({"arn"})

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        arn = parameters.pop("arn")
        principal = principal_by_arn(caller.account_id, arn)
        missing = None if principal else NoSuchEntity(f"The entity with ARN {arn} cannot be found.")
        return Resolved(arn, {"principal": principal}, tags=getattr(principal, "tags", ()), missing=missing)


_identity = _Identity()


@operation("iam:ListPoliciesGrantingServiceAccess", on=_identity, reads=True, keys=RESOURCE_TAGS)
def list_policies_granting_service_access(
    caller: Caller, *, principal: User | Group, service_namespaces: Sequence[str], marker: str | None = None
) -> Page[Mapping[str, Any]]:
    """For each service the policies that allow something of it, a user's groups' among them.

    As on AWS a permissions boundary, an explicit deny and what conditions say are left aside.
    """
    policies = policies_of(principal) if isinstance(principal, User) else policies_of_group(principal)
    owner = ("USER", principal.user_name) if isinstance(principal, User) else ("GROUP", principal.group_name)
    entries: list[Mapping[str, Any]] = [
        {
            "service_namespace": namespace,
            "policies": [
                _told(source, owner)
                for source in policies.identity
                if source.kind != "account setting" and allows_some(source.policy, namespace.lower())
            ],
        }
        for namespace in service_namespaces
    ]
    return Page.of_values(
        entries, scope=f"ListPoliciesGrantingServiceAccess {principal.pk}", max_items=None, marker=marker
    )


def _told(source: Source, owner: tuple[str, str | None]) -> Mapping[str, str | None]:
    if source.kind != "inline":
        return {"policy_name": source.name, "policy_type": "MANAGED", "policy_arn": source.arn}
    entity_type, entity_name = ("GROUP", source.via) if source.via else owner
    return {
        "policy_name": source.name,
        "policy_type": "INLINE",
        "entity_type": entity_type,
        "entity_name": entity_name,
    }


def allows_some(policy: Policy, namespace: str) -> bool:
    """Whether an Allow statement names an action of the service, or all but some of its actions."""
    whole = {"*", "*:*", f"{namespace}:*"}
    return any(
        any(pattern.text.partition(":")[0].lower() in ("*", namespace) for pattern in statement.actions)
        or (statement.not_actions and not any(pattern.text.lower() in whole for pattern in statement.not_actions))
        for statement in policy.statements
        if statement.effect == "Allow"
    )
