"""What a user is given in one go: groups, managed policies, what another user has. Each part is decided on what it is about.

What does not exist is decided on the ARN it would have, as everywhere, and reported by ``Access.require_found``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from accounts import targets
from accounts.caller import Caller
from accounts.models import Group, User
from iamconsole.asked import Asked, Resolved
from iamconsole.errors import Fault, InvalidInput, NoSuchEntity
from permissions.models import ManagedPolicy
from permissions.targets import bounding_policy, used_policy

CHANGE_OWN = "arn:aws:iam::aws:policy/IAMUserChangePassword"
GIVEN = frozenset({"group_names", "policy_arns", "copy_permissions_from"})


@dataclass(frozen=True)
class Access:
    """What is given to ``owner``, who may be about to be made. ``copied`` is the user whose permissions are among it."""

    owner: Asked
    groups: tuple[Resolved, ...]
    policies: tuple[Resolved, ...]
    documents: Mapping[str, str]
    copied: Resolved | None
    boundary: ManagedPolicy | None = None
    missing: Fault | None = None

    def require_found(self) -> None:
        """Raise NoSuchEntity for the first thing that does not exist."""
        named = (*self.groups, *self.policies, *([self.copied] if self.copied else []))
        for fault in (self.missing, *(each.missing for each in named)):
            if fault is not None:
                raise fault


@dataclass(frozen=True)
class _NewUser:
    """A user that is about to be made, with what it is given."""

    consumes: frozenset[str] = GIVEN | {"permissions_boundary", "allow_change_password", "policies"}

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        documents = _inline(parameters)
        user = targets.new_user(caller, parameters, lock=lock)
        boundary_arn = parameters.pop("permissions_boundary", None)
        if parameters.pop("allow_change_password", False):
            parameters["policy_arns"] = [*parameters.get("policy_arns", ()), CHANGE_OWN]
        user = replace(user, label=f"user {parameters['user_name']}", tags=parameters.get("tags", ()))
        access = _access(caller, parameters, user, lock=lock)
        copied = _entity(access.copied)
        boundary, missing = copied.boundary if copied else None, None
        if boundary_arn is not None:
            boundary, missing = _boundary(caller, boundary_arn, lock=lock)
        told = boundary_arn or (boundary.arn if boundary else "")
        documents = {**access.documents, **documents}
        owner = replace(access.owner, boundary=told)
        access = replace(access, owner=owner, documents=documents, boundary=boundary, missing=missing)
        return Resolved(user.resource, {"access": access}, boundary=told)


@dataclass(frozen=True)
class _NewGroup:
    """A group that is about to be made, with its policies."""

    consumes: frozenset[str] = frozenset({"policy_arns", "policies"})

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        documents = _inline(parameters)
        group = targets.new_group(caller, parameters, lock=lock)
        group = replace(group, label=f"group {parameters['group_name']}")
        access = replace(_access(caller, parameters, group, lock=lock), documents=documents)
        return Resolved(group.resource, {"access": access})


@dataclass(frozen=True)
class _User:
    """The user named by ``user_name``, with what it is given."""

    consumes: frozenset[str] = GIVEN | {"user_name"}

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        user = targets.user(caller, {"user_name": parameters.pop("user_name")}, lock=lock)
        access = _access(caller, parameters, user, lock=lock)
        owner, copied = _entity(user), _entity(access.copied)
        # A boundary comes with the permissions it bounds; it never takes the place of one that is there.
        boundary = copied.boundary if copied and owner and not owner.boundary else None
        access = replace(access, boundary=boundary, missing=user.missing)
        return replace(user, entities={**user.entities, "access": access}, missing=None)


def _access(caller: Caller, parameters: dict[str, Any], owner: Resolved, *, lock: bool) -> Access:
    """What ``parameters`` name, and all that the copied user has. The account's row is what keeps it so."""
    source = parameters.pop("copy_permissions_from", None)
    names = sorted(parameters.pop("group_names", ()))
    groups = targets.groups_named(caller, names, lock=lock) if names else []
    policies = [
        used_policy(caller, {"policy_arn": arn}, lock=lock) for arn in sorted(parameters.pop("policy_arns", ()))
    ]
    copied = targets.user(caller, {"user_name": source}, lock=False) if source is not None else None
    documents: dict[str, str] = {}
    if user := _entity(copied):
        groups += [_resolved(group) for group in user.groups.order_by("group_name_key")]
        policies += [_resolved(each.policy) for each in user.attached_policies.select_related("policy").order_by("pk")]
        documents = dict(user.policies.order_by("pk").values_list("policy_name", "policy_document"))
    about = tuple(owner.entities.values())
    asked = Asked(owner.resource, label=owner.label, tags=owner.tags, boundary=owner.boundary, about=about)
    return Access(asked, _once(groups), _once(policies), documents, copied)


def _inline(parameters: dict[str, Any]) -> dict[str, str]:
    """The inline policies by their names. Raises InvalidInput for two of one name."""
    policies = parameters.pop("policies", ())
    names = [each["policy_name"].lower() for each in policies]
    if len(set(names)) < len(names):
        raise InvalidInput("Two inline policies have the same name. Names that differ only in case are the same name.")
    return {each["policy_name"]: each["policy_document"] for each in policies}


def _boundary(caller: Caller, policy_arn: str, *, lock: bool) -> tuple[ManagedPolicy | None, Fault | None]:
    try:
        return bounding_policy(caller, policy_arn, lock=lock), None
    except NoSuchEntity as fault:
        return None, fault


def _entity(resolved: Resolved | None) -> User | None:
    return resolved.entities["user"] if resolved else None


def _resolved(entity: Group | ManagedPolicy) -> Resolved:
    if isinstance(entity, Group):
        return Resolved(entity.arn, {"group": entity}, label=f"group {entity.group_name}")
    return Resolved(entity.arn, {"policy": entity})


def _once(found: Iterable[Resolved]) -> tuple[Resolved, ...]:
    return tuple({each.resource: each for each in found}.values())


def copying(admitted: Mapping[str, Any]) -> Sequence[Asked]:
    """The user whose permissions are read to be copied."""
    copied: Resolved | None = admitted["access"].copied
    return [Asked(copied.resource, label=copied.label, tags=copied.tags, boundary=copied.boundary)] if copied else []


def joining(admitted: Mapping[str, Any]) -> Sequence[Asked]:
    """Each group that is joined."""
    access: Access = admitted["access"]
    return [Asked(group.resource, label=group.label, about=(group.entities["group"],)) for group in access.groups]


def attaching(admitted: Mapping[str, Any]) -> Sequence[Asked]:
    """The user or group, once for each managed policy that is attached."""
    access: Access = admitted["access"]
    return [
        replace(access.owner, parameters={"policy_arn": policy.resource}, about=(policy.entities["policy"],))
        for policy in access.policies
    ]


def putting(admitted: Mapping[str, Any]) -> Sequence[Asked]:
    """The user or group, if there are inline policies to give."""
    access: Access = admitted["access"]
    policies = [{"policy_name": name, "policy_document": document} for name, document in access.documents.items()]
    return [replace(access.owner, parameters={"policies": policies})] if policies else []


def bounding(admitted: Mapping[str, Any]) -> Sequence[Asked]:
    """The user who is there, if a boundary is copied."""
    access: Access = admitted["access"]
    boundary = access.boundary
    return [replace(access.owner, parameters={"permissions_boundary": boundary.arn})] if boundary else []


new_user = _NewUser()
new_group = _NewGroup()
user = _User()
