"""What operations are about: each target loads the entity once and says on which ARN its permission is decided."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from accounts import arns
from accounts.caller import Caller
from accounts.models import Account, Group, User
from iamconsole.asked import Asked, Resolved
from iamconsole.errors import AccessDenied, NoSuchEntity, ValidationError
from iamconsole.looking import seen


def _users(*, lock: bool) -> Any:
    """Users to load with their account and boundary, their own row locked where they are written to."""
    users = User.objects.select_related("account", "boundary")
    return users.select_for_update(no_key=True, of=("self",)) if lock else users


def asked_of(entity: User | Group, **parameters: Any) -> Asked:
    """A loaded user or group as what an action is decided on; ``parameters`` are those its context keys are read from."""
    if isinstance(entity, Group):
        return Asked(entity.arn, parameters, label=f"group {entity.group_name}", about=(entity,))
    label = "" if entity.is_root else f"user {entity.user_name}"
    return Asked(entity.arn, parameters, label=label, tags=entity.tags, boundary=entity.boundary_arn, about=(entity,))


def _named(caller: Caller, user_name: str, *, lock: bool) -> Resolved:
    found = _users(lock=lock).filter(account=caller.account_id, user_name_key=user_name.lower())
    user = found.first() if lock else seen(("user", caller.account_id, user_name.lower()), found.first)
    return Resolved(
        resource=user.arn if user else arns.user(caller.account_id, "/", user_name),
        entities={"user": user},
        label=f"user {user_name}",
        missing=None if user else NoSuchEntity(f"The user with name {user_name} cannot be found."),
        tags=user.tags if user else (),
        boundary=user.boundary_arn if user else "",
    )


def _group_named(caller: Caller, group_name: str, *, lock: bool) -> Resolved:
    [resolved] = groups_named(caller, [group_name], lock=lock)
    return resolved


def groups_named(caller: Caller, group_names: Sequence[str], *, lock: bool) -> list[Resolved]:
    """Each of the groups, read by one query and locked in the order of their names."""
    keys = {group_name.lower() for group_name in group_names}
    groups = Group.objects.in_account(caller.account_id).filter(group_name_key__in=keys).order_by("group_name_key")
    groups = groups.select_related("account")
    found = {
        group.group_name_key: group
        for group in (groups.select_for_update(no_key=True, of=("self",)) if lock else groups)
    }
    return [_resolved_group(caller, group_name, found.get(group_name.lower())) for group_name in group_names]


def _resolved_group(caller: Caller, group_name: str, group: Group | None) -> Resolved:
    return Resolved(
        resource=group.arn if group else arns.group(caller.account_id, "/", group_name),
        entities={"group": group},
        label=f"group {group_name}",
        missing=None if group else NoSuchEntity(f"The group with name {group_name} cannot be found."),
    )


def _lock_account(caller: Caller, *, lock: bool) -> None:
    if lock:
        Account.objects.select_for_update(no_key=True).get(pk=caller.account_id)


@dataclass(frozen=True)
class _User:
    """The user named by ``user_name``, or the caller when it is omitted."""

    root_too: bool
    consumes: frozenset[str] = frozenset({"user_name"})

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        user_name = parameters.pop("user_name", None)
        if user_name is not None:
            return _named(caller, user_name, lock=lock)
        if caller.principal.is_root and not self.root_too:
            raise ValidationError("Must specify userName when calling with non-User credentials")
        user = caller.principal
        if lock:
            user = _users(lock=True).filter(pk=user.pk).first()
            if user is None:
                raise NoSuchEntity(f"The user with name {caller.principal.label} cannot be found.")
        return Resolved(
            user.arn,
            {"user": user},
            label="" if user.is_root else f"user {user.user_name}",
            tags=user.tags,
            boundary=user.boundary_arn,
        )


@dataclass(frozen=True)
class _Caller:
    """The caller alone: nobody can be named."""

    consumes: frozenset[str] = frozenset()

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        return user_or_root(caller, {}, lock=lock)


@dataclass(frozen=True)
class _NewUser:
    """A user that is about to be made, decided on the ARN it will have. The account's row is what is locked."""

    consumes: frozenset[str] = frozenset()

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        _lock_account(caller, lock=lock)
        return Resolved(arns.user(caller.account_id, parameters.get("path", "/"), parameters["user_name"]))


@dataclass(frozen=True)
class _RenamedUser:
    """A user that is about to be renamed or moved: decided on the ARN it has and on the one it will have."""

    consumes: frozenset[str] = frozenset({"user_name"})

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        user_name = parameters.pop("user_name")
        target = _named(caller, user_name, lock=lock)
        user: User | None = target.entities["user"]
        new_arn = arns.user(
            caller.account_id,
            parameters.get("new_path", user.path if user else "/"),
            parameters.get("new_user_name", (user.user_name if user else None) or user_name),
        )
        return replace(target, further=(new_arn,))


@dataclass(frozen=True)
class _UserList:
    """The users under a path."""

    consumes: frozenset[str] = frozenset()

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        return Resolved(arns.iam(caller.account_id, f"user{parameters.get('path_prefix', '/')}"))


@dataclass(frozen=True)
class _Group:
    """The group named by ``group_name``."""

    consumes: frozenset[str] = frozenset({"group_name"})

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        return _group_named(caller, parameters.pop("group_name"), lock=lock)


@dataclass(frozen=True)
class _NewGroup:
    """A group that is about to be made, decided on the ARN it will have. The account's row is what is locked."""

    consumes: frozenset[str] = frozenset()

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        _lock_account(caller, lock=lock)
        return Resolved(arns.group(caller.account_id, parameters.get("path", "/"), parameters["group_name"]))


@dataclass(frozen=True)
class _RenamedGroup:
    """A group that is about to be renamed or moved: decided on the ARN it has and on the one it will have."""

    consumes: frozenset[str] = frozenset({"group_name"})

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        group_name = parameters.pop("group_name")
        target = _group_named(caller, group_name, lock=lock)
        group: Group | None = target.entities["group"]
        new_arn = arns.group(
            caller.account_id,
            parameters.get("new_path", group.path if group else "/"),
            parameters.get("new_group_name", group.group_name if group else group_name),
        )
        return replace(target, further=(new_arn,))


@dataclass(frozen=True)
class _GroupList:
    """The groups under a path."""

    consumes: frozenset[str] = frozenset()

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        return Resolved(arns.iam(caller.account_id, f"group{parameters.get('path_prefix', '/')}"))


@dataclass(frozen=True)
class _Membership:
    """A user and a group, decided on the group. AWS reports a missing user before a missing group."""

    consumes: frozenset[str] = frozenset({"group_name", "user_name"})

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        group = _group_named(caller, parameters.pop("group_name"), lock=lock)
        user = _named(caller, parameters.pop("user_name"), lock=lock)
        return replace(group, entities={**group.entities, **user.entities}, missing=user.missing or group.missing)


@dataclass(frozen=True)
class _KeyOwner:
    """The owner of an access key. A key of another account and one that never was are refused in the same words.

    So is one whose owner's keys the caller may not read: each refusal carries the id of a decision.
    """

    consumes: frozenset[str] = frozenset({"access_key_id"})

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        from credentials.models import AccessKey

        access_key_id = parameters.pop("access_key_id")
        key = (
            AccessKey.objects.select_related("user__account", "user__boundary")
            .filter(access_key_id=access_key_id, user__account=caller.account_id)
            .first()
        )
        denial = (
            f"User: {caller.arn} is not authorized to perform iam:GetAccessKeyLastUsed on resource:"
            f" access key {access_key_id}"
        )
        anybody = arns.user(caller.account_id, "/", "*")
        known = caller.request("iam:GetAccessKeyLastUsed", anybody).context
        refusal: dict[str, Any] = {
            "reason": "missing",
            "policy_type": "identity",
            "resource": anybody,
            "named": "",
            "almost": [],
        }
        refusal |= {"context": {name: list(values) for name, values in sorted(known.items())}}
        return Resolved(
            key.user.arn if key else anybody,
            {"key": key},
            denial=denial,
            missing=None if key else AccessDenied(denial, decision=refusal),
            tags=key.user.tags if key else (),
            boundary=key.user.boundary_arn if key else "",
        )


@dataclass(frozen=True)
class _Everything:
    """Operations whose permission AWS decides on ``*``. They are handed the account, locked where they write."""

    consumes: frozenset[str] = frozenset()

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        account = caller.account
        if lock:
            account = Account.objects.select_for_update(no_key=True).get(pk=account.pk)
        return Resolved("*", {"account": account})


user = _User(root_too=False)
user_or_root = _User(root_too=True)
the_caller = _Caller()
new_user = _NewUser()
renamed_user = _RenamedUser()
user_list = _UserList()
group = _Group()
new_group = _NewGroup()
renamed_group = _RenamedGroup()
group_list = _GroupList()
membership = _Membership()
key_owner = _KeyOwner()
everything = _Everything()
