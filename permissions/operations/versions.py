"""Versions of managed policies. At most five; one is in force."""

from datetime import UTC, datetime

from accounts.caller import Caller
from accounts.quotas import quota_of
from iamconsole.errors import DeleteConflict, LimitExceeded, NoSuchEntity
from iamconsole.operation import operation
from iamconsole.paging import Page
from permissions import targets
from permissions.models import ManagedPolicy, PolicyVersion
from permissions.steps import check_managed


@operation(
    "iam:CreatePolicyVersion",
    on=targets.updated_policy,
    lock=True,
    changes_permissions=True,
    keys=targets.TAGS,
    omits=("document",),
)
def create_policy_version(
    caller: Caller, *, policy: ManagedPolicy, policy_document: str, set_as_default: bool = False
) -> PolicyVersion:
    """Give a policy another document, in force at once if so asked.

    Raises MalformedPolicyDocument, LimitExceeded on its size and on a sixth version.
    """
    check_managed(caller.account, policy_document)
    quota = quota_of(caller.account, "VersionsPerPolicy")
    if policy.versions.count() >= quota:
        raise LimitExceeded(
            f"A managed policy can have up to {quota} versions. Before you create a new version, you must delete an"
            " existing version."
        )
    policy.latest_version_number += 1
    policy.update_date = datetime.now(UTC)
    if set_as_default:
        policy.default_version_number = policy.latest_version_number
    policy.save(update_fields=["latest_version_number", "default_version_number", "update_date"])
    return PolicyVersion.objects.create(
        policy=policy,
        number=policy.latest_version_number,
        document=policy_document,
        create_date=policy.update_date,
    )


@operation("iam:GetPolicyVersion", on=targets.policy_version, reads=True, keys=targets.TAGS)
def get_policy_version(caller: Caller, *, policy: ManagedPolicy, version_id: str) -> PolicyVersion:
    """A version with its document, as it was given. Raises NoSuchEntity."""
    return _version(policy, version_id)


@operation("iam:ListPolicyVersions", on=targets.used_policy, reads=True, keys=targets.TAGS, omits=("document",))
def list_policy_versions(
    caller: Caller, *, policy: ManagedPolicy, max_items: int | None = None, marker: str | None = None
) -> Page[PolicyVersion]:
    """The policy's versions, the newest first, without their documents."""
    return Page.of(
        policy.versions.defer("document"),
        by="-number",
        scope=f"ListPolicyVersions {policy.policy_id}",
        max_items=max_items,
        marker=marker,
    )


@operation(
    "iam:SetDefaultPolicyVersion",
    on=targets.chosen_version,
    lock=True,
    changes_permissions=True,
    keys=targets.TAGS,
)
def set_default_policy_version(caller: Caller, *, policy: ManagedPolicy, version_id: str) -> None:
    """Put a version in force. Raises NoSuchEntity."""
    policy.default_version_number = _version(policy, version_id).number
    policy.save(update_fields=["default_version_number"])


@operation(
    "iam:DeletePolicyVersion",
    on=targets.deleted_version,
    lock=True,
    changes_permissions=True,
    keys=targets.TAGS,
)
def delete_policy_version(caller: Caller, *, policy: ManagedPolicy, version_id: str) -> None:
    """Delete a version that is not in force. Raises NoSuchEntity, DeleteConflict."""
    version = _version(policy, version_id)
    if version.is_default_version:
        raise DeleteConflict("Cannot delete the default version of a policy.")
    version.delete()


def _version(policy: ManagedPolicy, version_id: str) -> PolicyVersion:
    version = next((each for each in policy.versions.all() if each.version_id == version_id), None)
    if version is None:
        raise NoSuchEntity(targets.NO_VERSION.format(policy_arn=policy.arn, version_id=version_id))
    return version
