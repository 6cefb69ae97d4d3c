"""What there is to choose from: groups to join, policies to attach, users; as far as the caller may list them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import F, Q, prefetch_related_objects

from accounts.caller import Caller
from accounts.models import User
from accounts.operations.groups import list_groups
from accounts.operations.users import list_users
from accounts.targets import asked_of
from iamconsole.forms import Part, may, part
from permissions.models import ManagedPolicy
from permissions.operations.attachments import list_attached_group_policies
from permissions.operations.managed import list_policies

MOST = 1000  # as many as a listing gives at once
MOST_FOUND = 20


@dataclass(frozen=True)
class Choice:
    """One row to tick: ``value`` is what is sent, ``told`` stands beside the name."""

    value: str
    name: str
    told: str
    ticked: bool


@dataclass(frozen=True)
class Found:
    """The rows of a search, those that are ticked first, of how many that match."""

    rows: Sequence[Choice]
    number: int

    @property
    def is_cut(self) -> bool:
        """Whether more match than are shown."""
        return self.number > MOST_FOUND


def groups_to_join(caller: Caller, ticked: Collection[str]) -> Part[list[Choice]]:
    """Every group, with the policies attached to it."""
    listed = part(caller, list_groups, max_items=MOST)
    groups = listed.value.items if listed.value else []
    prefetch_related_objects(groups, "attached_policies__policy")
    rows = []
    for group in groups:
        names = [each.policy.policy_name for each in group.attached_policies.all()]
        readable = list_attached_group_policies.allows(caller, asked_of(group))
        told = (", ".join(names) or "None") if readable else "Not permitted"
        rows.append(Choice(group.group_name, group.group_name, told, group.group_name in ticked))
    return Part(listed.allowed, listed.action, listed.resource, rows)


def policies_to_attach(caller: Caller, search: str, ticked: Collection[str]) -> Part[Found]:
    """The managed policies whose name holds ``search``: the account's own, then AWS's."""
    allowed = may(caller, list_policies)
    if not allowed.allowed:
        return Part(False, allowed.action, allowed.resource)
    visible = ManagedPolicy.objects.filter(Q(account=caller.account_id) | Q(account__isnull=True))
    matching = visible.order_by(F("account").asc(nulls_last=True), "policy_name_key")
    matching = matching.filter(policy_name_key__contains=search.strip().lower())
    chosen = [policy for arn in ticked for policy in ManagedPolicy.objects.with_arn(caller.account_id, arn)]
    found = [policy for policy in matching[: MOST_FOUND + len(chosen)] if policy not in chosen][:MOST_FOUND]
    rows = [Choice(policy.arn, policy.policy_name, kind_of(policy), policy in chosen) for policy in chosen + found]
    return Part(True, allowed.action, allowed.resource, Found(rows, matching.count()))


def users_to_add(caller: Caller, search: str, ticked: Collection[str], members: Collection[str]) -> Part[Found]:
    """The users whose name holds ``search`` and who are not ``members``."""
    allowed = may(caller, list_users)
    if not allowed.allowed:
        return Part(False, allowed.action, allowed.resource)
    others = User.objects.in_account(caller.account_id).exclude(user_name__in=members).order_by("user_name_key")
    chosen = list(others.filter(user_name__in=ticked))
    matching = others.filter(user_name_key__contains=search.strip().lower())
    found = [user for user in matching[: MOST_FOUND + len(chosen)] if user not in chosen][:MOST_FOUND]
    rows = [Choice(user.label, user.label, user.path, user in chosen) for user in chosen + found]
    return Part(True, allowed.action, allowed.resource, Found(rows, matching.count()))


def names_of_users(caller: Caller) -> list[str]:
    """Names to offer where one user is asked for; none to a caller who may not list them."""
    listed = part(caller, list_users, max_items=MOST)
    return [user.label for user in listed.value.items] if listed.value else []


def arns_of_own_policies(caller: Caller) -> list[str]:
    """Policies to offer where one is asked for; none to a caller who may not list them."""
    listed = part(caller, list_policies, scope="Local", max_items=MOST)
    return [policy.arn for policy in listed.value.items] if listed.value else []


def kind_of(policy: ManagedPolicy) -> str:
    """AWS's word for whose policy it is."""
    return "AWS managed" if policy.is_aws_managed else "Customer managed"
