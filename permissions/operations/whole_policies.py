"""What is done in one go with a managed policy: made with all its versions."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NotRequired, TypedDict

from accounts import arns
from accounts.caller import Caller
from accounts.models import Account
from accounts.quotas import quota_of
from accounts.tags import Tag
from iamconsole.asked import Asked, Each
from iamconsole.errors import InvalidInput, LimitExceeded
from iamconsole.operation import operation
from permissions import targets
from permissions.models import ManagedPolicy
from permissions.steps import add_policy

MOST_DIGITS: Final = 6


class NewVersion(TypedDict):
    """A version that a policy is made with."""

    version_id: str
    document: str
    is_default_version: NotRequired[bool]


def _further(admitted: Mapping[str, Any]) -> list[Asked]:
    """The policy, once for each version but the first."""
    name = admitted["policy_name"]
    arn = arns.policy(admitted["account"].pk, admitted.get("path", "/"), name)
    return [Asked(arn, label=f"policy {name}")] * (len(admitted["policy_versions"]) - 1)


@operation(
    "iamconsole:CreatePolicyWithVersions",
    on=targets.new_policy,
    lock=True,
    sensitive=True,
    tags_by="iam:TagPolicy",
    performs={"iam:CreatePolicy": lambda admitted: True, "iam:CreatePolicyVersion": Each(_further)},
)
def create_policy_with_versions(
    caller: Caller,
    *,
    account: Account,
    policy_name: str,
    policy_versions: Sequence[NewVersion],
    path: str = "/",
    description: str = "",
    tags: Sequence[Tag] = (),
) -> ManagedPolicy:
    """Make a managed policy with several versions, one of them in force. All of it is there afterwards, or nothing.

    The versions keep their numbers. Raises what its parts raise: EntityAlreadyExists, MalformedPolicyDocument, LimitExceeded;
    InvalidInput unless each version is named once and one is in force.
    """
    versions, in_force = numbered(policy_versions)
    quota = quota_of(account, "VersionsPerPolicy")
    if len(versions) > quota:
        raise LimitExceeded(f"A managed policy can have up to {quota} versions.")
    return add_policy(
        account, versions, policy_name=policy_name, path=path, description=description, tags=tags, default=in_force
    )


def numbered(policy_versions: Sequence[NewVersion]) -> tuple[dict[int, str], int]:
    """The documents by their numbers, and the number in force. Raises InvalidInput unless there is one of each."""
    versions = {_number(each): each["document"] for each in policy_versions}
    in_force = [_number(each) for each in policy_versions if each.get("is_default_version")]
    if len(versions) < len(policy_versions) or len(in_force) != 1:
        raise InvalidInput("Name each version once, and one of them as the default version.")
    return versions, in_force[0]


def _number(version: NewVersion) -> int:
    """The number in ``v3``. Raises InvalidInput past what is kept."""
    digits = version["version_id"][1:].partition(".")[0]
    if len(digits) > MOST_DIGITS:
        raise InvalidInput(f"The version {version['version_id']} is none that a policy can have.")
    return int(digits)
