"""The simulator: what policies would say, and which context keys they ask about. Nothing is done and nothing changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from accounts import arns
from accounts.caller import Caller, context_of_arn, principal_context
from accounts.models import Account, Group, User
from accounts.targets import everything
from api.shapes import snake
from iamconsole.asked import Resolved
from iamconsole.errors import InvalidInput, MalformedPolicyDocument, NoSuchEntity
from iamconsole.operation import operation
from iamconsole.paging import Page
from permissions import language
from permissions.compiled import policies_of, policies_of_group
from permissions.engine import BUDGET, Policies, Source
from permissions.simulation import PAGE_BUDGET, Simulation, context_keys, readable
from permissions.wildcard import Steps, fold

ANY_RESOURCE = ("*",)


@dataclass(frozen=True)
class _PolicySource:
    """The user or group whose policies are simulated, by ARN. One of another account is not found."""

    consumes: frozenset[str] = frozenset({"policy_source_arn"})

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        arn = parameters.pop("policy_source_arn")
        principal = principal_by_arn(caller.account_id, arn)
        missing = None if principal else NoSuchEntity(f"The user or group with ARN {arn} cannot be found.")
        return Resolved(arn, {"principal": principal}, tags=getattr(principal, "tags", ()), missing=missing)


policy_source = _PolicySource()


def principal_by_arn(account_id: str, arn: str) -> User | Group | None:
    """The user or group of the account that has the ARN, or None."""
    kind, _, name = arn.removeprefix(arns.iam(account_id, "")).partition("/")
    name = name.rpartition("/")[2]
    found: User | Group | None = None
    if kind == "user":
        users = User.objects.select_related("account", "boundary").filter(account=account_id)
        found = users.filter(user_name=name).first()
    elif kind == "group":
        found = Group.objects.filter(account=account_id, group_name=name).first()
    return found if found is not None and found.arn == arn else None


@operation("iam:SimulateCustomPolicy", on=everything, reads=True)
def simulate_custom_policy(
    caller: Caller,
    *,
    account: Account,
    policy_input_list: Sequence[str],
    action_names: Sequence[str],
    resource_arns: Sequence[str] = (),
    permissions_boundary_policy_input_list: Sequence[str] = (),
    resource_policy: str | None = None,
    resource_owner: str | None = None,
    caller_arn: str | None = None,
    context_entries: Sequence[Mapping[str, Any]] = (),
    max_items: int | None = None,
    marker: str | None = None,
) -> Page[dict[str, Any]]:
    """What the given policies would say to the actions, each on each resource. Raises InvalidInput."""
    policies = Policies(identity=_given("PolicyInputList", policy_input_list))
    principal_arn = _checked_caller_arn(caller_arn)
    if resource_policy is not None and not principal_arn:
        raise InvalidInput(
            "CallerArn must be given with ResourcePolicy: the policy names principals.", parameter="caller_arn"
        )
    simulation = Simulation(
        _completed(policies, permissions_boundary_policy_input_list, resource_policy),
        _context(context_entries),
        principal_arn=principal_arn,
        principal_account=_account_of(principal_arn) or caller.account_id,
        resource_account=_account_of(resource_owner or ""),
    )
    return _results(simulation, action_names, resource_arns, max_items, marker)


@operation("iam:SimulatePrincipalPolicy", on=policy_source, reads=True, keys=("aws:ResourceTag", "iam:ResourceTag"))
def simulate_principal_policy(
    caller: Caller,
    *,
    principal: User | Group,
    action_names: Sequence[str],
    resource_arns: Sequence[str] = (),
    policy_input_list: Sequence[str] = (),
    permissions_boundary_policy_input_list: Sequence[str] = (),
    resource_policy: str | None = None,
    resource_owner: str | None = None,
    caller_arn: str | None = None,
    context_entries: Sequence[Mapping[str, Any]] = (),
    max_items: int | None = None,
    marker: str | None = None,
) -> Page[dict[str, Any]]:
    """What a user's or group's policies, and those given beside them, would say to the actions, each on each resource.

    The context keys that are the user's own are filled in. Raises InvalidInput.
    """
    principal_arn, own = _principal(caller, principal, caller_arn)
    if resource_policy is not None and not principal_arn:
        raise InvalidInput(
            "CallerArn must name a user of the account when a group is simulated with ResourcePolicy.",
            parameter="caller_arn",
        )
    policies = policies_of(principal) if isinstance(principal, User) else policies_of_group(principal)
    policies = replace(policies, identity=policies.identity + _given("PolicyInputList", policy_input_list))
    simulation = Simulation(
        _completed(policies, permissions_boundary_policy_input_list, resource_policy),
        {**own, **_context(context_entries)},
        principal_arn=principal_arn,
        principal_id=principal.user_id if isinstance(principal, User) and principal.arn == principal_arn else "",
        principal_account=caller.account_id,
        resource_account=_account_of(resource_owner or ""),
    )
    return _results(simulation, action_names, resource_arns, max_items, marker)


@operation("iam:GetContextKeysForCustomPolicy", on=everything, reads=True)
def get_context_keys_for_custom_policy(
    caller: Caller, *, account: Account, policy_input_list: Sequence[str]
) -> dict[str, list[str]]:
    """The context keys that the given policies ask about. Raises InvalidInput."""
    given = _given("PolicyInputList", policy_input_list)
    return {"context_key_names": context_keys([source.policy for source in given])}


@operation(
    "iam:GetContextKeysForPrincipalPolicy", on=policy_source, reads=True, keys=("aws:ResourceTag", "iam:ResourceTag")
)
def get_context_keys_for_principal_policy(
    caller: Caller, *, principal: User | Group, policy_input_list: Sequence[str] = ()
) -> dict[str, list[str]]:
    """The context keys that a user's or group's policies, and those given beside them, ask about. Raises InvalidInput."""
    policies = policies_of(principal) if isinstance(principal, User) else policies_of_group(principal)
    sources = policies.identity + _given("PolicyInputList", policy_input_list)
    sources += (policies.boundary,) if policies.boundary else ()
    return {"context_key_names": context_keys([source.policy for source in sources])}


def _principal(
    caller: Caller, principal: User | Group, caller_arn: str | None
) -> tuple[str, Mapping[str, tuple[str, ...]]]:
    """As whom the requests are simulated: the ARN, and the context keys that are that user's own.

    Of a user that CallerArn names nothing is read but the ARN itself: only the principal's own policies may be asked about.
    """
    arn = _checked_caller_arn(caller_arn)
    if isinstance(principal, User) and arn in ("", principal.arn):
        return principal.arn, principal_context(principal)
    if arn and _account_of(arn) != caller.account_id:
        raise InvalidInput(f"CallerArn must be the ARN of a user of this account; {arn} is of another.")
    return arn, context_of_arn(arn) if arn else {}


def _checked_caller_arn(caller_arn: str | None) -> str:
    if caller_arn is not None and not (":user/" in caller_arn and _account_of(caller_arn)):
        raise InvalidInput(f"CallerArn must be the ARN of an IAM user; {caller_arn} is none.", parameter="caller_arn")
    return caller_arn or ""


def _account_of(arn: str) -> str:
    """The account in an ARN, or the account id itself; empty when there is none."""
    fields = arn.split(":", 5)
    named = fields[4] if len(fields) > 5 else arn  # noqa: PLR2004 - an ARN has six fields
    return named if named.isdecimal() else ""


def _given(parameter: str, documents: Sequence[str], *, resource_based: bool = False) -> tuple[Source, ...]:
    """Policies that came with the request, named as AWS's results name them."""
    sources = []
    for number, document in enumerate(documents, 1):
        try:
            policy = language.parse(document, resource_based=resource_based)
        except MalformedPolicyDocument as fault:
            raise InvalidInput(
                f"{parameter}.{number} is not a policy: {fault.message}", parameter=snake(parameter)
            ) from fault
        sources.append(Source(name=f"{parameter}.{number}", kind="given", policy=policy))
    return tuple(sources)


def _completed(policies: Policies, boundaries: Sequence[str], resource_policy: str | None) -> Policies:
    """The policies with the boundary and the resource-based policy of the request."""
    if len(boundaries) > 1:
        raise InvalidInput(
            "PermissionsBoundaryPolicyInputList takes one policy.", parameter="permissions_boundary_policy_input_list"
        )
    boundary = _given("PermissionsBoundaryPolicyInputList", boundaries)
    resource = _given("ResourcePolicy", [resource_policy] if resource_policy is not None else [], resource_based=True)
    return replace(
        policies,
        boundary=boundary[0] if boundary else policies.boundary,
        resource=resource[0] if resource else None,
    )


def _context(entries: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """The context keys of the request, checked by their types."""
    context: dict[str, tuple[str, ...]] = {}
    for number, entry in enumerate(entries, 1):
        if wrong := _wrong(entry, number, context):
            raise InvalidInput(wrong, parameter="context_entries")
        context[fold(entry["context_key_name"])] = tuple(entry.get("context_key_values", ()))
    return context


def _wrong(entry: Mapping[str, Any], number: int, before: Mapping[str, Any]) -> str:
    """What is wrong with a context entry, or nothing."""
    name, kind, values = (
        entry.get("context_key_name"),
        entry.get("context_key_type", "string"),
        entry.get("context_key_values", ()),
    )
    if not name:
        return f"ContextEntries.{number} must have a ContextKeyName."
    if fold(name) in before:
        return f"The context key {name} is given more than once."
    if len(values) > 1 and not kind.endswith("List"):
        return f"The context key {name} has several values: its type must be {kind}List."
    if unreadable := [value for value in values if not readable(value, kind)]:
        return f"The value {unreadable[0]} of the context key {name} is not of the type {kind}."
    return ""


def _results(
    simulation: Simulation,
    action_names: Sequence[str],
    resource_arns: Sequence[str],
    max_items: int | None,
    marker: str | None,
) -> Page[dict[str, Any]]:
    """One page. It ends early when its decisions have cost much: AWS too answers fewer than MaxItems at times."""
    for action in action_names:
        if action != "*" and action.count(":") != 1:
            raise InvalidInput(f"{action} is not an action: it must look like s3:GetObject.", parameter="action_names")
    for arn in resource_arns:
        if arn != "*" and not (arn.startswith("arn:") and arn.count(":") >= 5):  # noqa: PLR2004 - an ARN has six fields
            raise InvalidInput(f"{arn} is not the ARN of a resource.", parameter="resource_arns")
    pairs = [(action, resource) for action in action_names for resource in (resource_arns or ANY_RESOURCE)]
    spent = 0

    def result(pair: tuple[str, str]) -> dict[str, Any] | None:
        nonlocal spent
        if spent > PAGE_BUDGET:
            return None
        steps = Steps(BUDGET)
        made = simulation.result(*pair, steps, alone=not resource_arns)
        spent += steps.taken
        return made

    scope = f"Simulate {simulation.principal_account} {simulation.principal_arn} {simulation.resource_account}"
    return Page.of_made(pairs, result, scope=scope, max_items=max_items, marker=marker)
