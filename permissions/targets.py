"""What operations on managed policies are about. A policy of another account is answered as one that never was."""

from dataclasses import dataclass, replace
from typing import Any

from accounts import arns, targets
from accounts.caller import Caller
from accounts.models import Account
from iamconsole.asked import Resolved, Target
from iamconsole.errors import AccessDenied, InvalidInput, NoSuchEntity, ValidationError
from permissions.models import ManagedPolicy

# The context keys of a policy's tags: iam:ResourceTag is for users and roles.
TAGS = ("aws:ResourceTag",)
NOT_FOUND = "Policy {policy_arn} was not found."
NOT_ATTACHABLE = "Policy {policy_arn} does not exist or is not attachable."
NO_VERSION = "Policy {policy_arn} version {version_id} does not exist or is not attachable."
NO_BOUNDARY = "Scope ARN: {policy_arn} does not exist or is not attachable."


def _find(caller: Caller, policy_arn: str, *, lock: bool, counted: bool = False) -> ManagedPolicy | None:
    """The policy, if the caller's account sees it; locked if it is the account's own. AWS's never change."""
    policies = ManagedPolicy.objects.with_arn(caller.account_id, policy_arn)
    policy = (policies.counted(caller.account_id) if counted else policies).first()
    if policy is None or policy.is_aws_managed or not lock:
        return policy
    return ManagedPolicy.objects.select_for_update(no_key=True).filter(pk=policy.pk).first()


@dataclass(frozen=True)
class _Policy:
    """The managed policy with the ARN ``policy_arn``.

    ``missing`` is what AWS says when there is none, ``foreign`` what it says to whoever would change one of its own;
    ``counted`` loads its uses too.
    """

    missing: str
    foreign: str = ""
    counted: bool = False
    consumes: frozenset[str] = frozenset({"policy_arn"})

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        policy_arn = parameters.pop("policy_arn")
        if not arns.is_policy(policy_arn):
            raise ValidationError(f"ARN {policy_arn} is not valid.")
        policy = _find(caller, policy_arn, lock=lock, counted=self.counted)
        missing: NoSuchEntity | AccessDenied | None = None
        if policy is None:
            told = self.missing.format(policy_arn=policy_arn, version_id=parameters.get("version_id"))
            missing = NoSuchEntity(told)
        elif policy.is_aws_managed and self.foreign:
            missing = AccessDenied(self.foreign)
        return Resolved(
            policy_arn,
            {"policy": policy},
            label=f"policy {policy_arn}",
            missing=missing,
            tags=policy.tags if policy else (),
        )


@dataclass(frozen=True)
class _NewPolicy:
    """A policy that is about to be made, decided on the ARN it will have. The account's row is what is locked."""

    consumes: frozenset[str] = frozenset()

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        account = caller.account
        if lock:
            account = Account.objects.select_for_update(no_key=True).get(pk=account.pk)
        policy_name = parameters["policy_name"]
        arn = arns.policy(caller.account_id, parameters.get("path", "/"), policy_name)
        return Resolved(arn, {"account": account}, label=f"policy {policy_name}")


@dataclass(frozen=True)
class _PolicyList:
    """All policies, which AWS decides on ``*`` and calls by their path."""

    consumes: frozenset[str] = frozenset()

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        return Resolved("*", label=f"policy path {parameters.get('path_prefix', '/')}")


@dataclass(frozen=True)
class _Attachment:
    """A managed policy, and the user or group it is put on or taken off, on which it is decided."""

    owner: Target
    policy: _Policy

    @property
    def consumes(self) -> frozenset[str]:
        """The parameters it takes."""
        return self.owner.consumes | self.policy.consumes

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        policy = self.policy(caller, parameters, lock=lock)
        owner = self.owner(caller, parameters, lock=lock)
        return replace(owner, entities={**owner.entities, **policy.entities}, missing=owner.missing or policy.missing)


@dataclass(frozen=True)
class _Boundary:
    """A user, on whom it is decided, and the managed policy that is to be the permissions boundary."""

    consumes: frozenset[str] = frozenset({"user_name", "permissions_boundary"})

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        policy, missing = None, None
        policy_arn = parameters.pop("permissions_boundary")
        try:
            policy = bounding_policy(caller, policy_arn, lock=lock)
        except NoSuchEntity as fault:
            missing = fault
        user = targets.user(caller, parameters, lock=lock)
        return replace(user, entities={**user.entities, "policy": policy}, missing=user.missing or missing)


def bounding_policy(caller: Caller, policy_arn: str, *, lock: bool) -> ManagedPolicy:
    """The managed policy for a permissions boundary. Raises InvalidInput, NoSuchEntity."""
    if not arns.is_policy(policy_arn):
        raise InvalidInput(f"ARN {policy_arn} is not valid.")
    policy = _find(caller, policy_arn, lock=lock)
    if policy is None:
        raise NoSuchEntity(NO_BOUNDARY.format(policy_arn=policy_arn))
    return policy


policy = _Policy(NOT_FOUND)
counted_policy = _Policy(NOT_FOUND, counted=True)
used_policy = _Policy(NOT_ATTACHABLE)
policy_version = _Policy(NO_VERSION)
updated_policy = _Policy(NOT_ATTACHABLE, "Cannot update policies outside your own account.")
deleted_policy = _Policy(NOT_FOUND, "Cannot delete policies outside your own account.")
chosen_version = _Policy(NO_VERSION, "Cannot update policies outside your own account.")
deleted_version = _Policy(NO_VERSION, "Cannot delete policy versions for policies outside your own account.")
tagged_policy = _Policy(NOT_FOUND, "Cannot update policies outside your own account.")
new_policy = _NewPolicy()
policy_list = _PolicyList()
attached_to_user = _Attachment(targets.user, used_policy)
attached_to_group = _Attachment(targets.group, used_policy)
detached_from_user = _Attachment(targets.user, policy)
detached_from_group = _Attachment(targets.group, policy)
boundary = _Boundary()
