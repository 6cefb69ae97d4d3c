"""Managed policies: make, read, list, delete."""

from collections.abc import Sequence

from accounts.caller import Caller
from accounts.models import Account, User
from accounts.tags import REQUEST_TAGS, Tag
from iamconsole.errors import DeleteConflict
from iamconsole.operation import operation
from iamconsole.paging import Page
from permissions import targets
from permissions.chained import Part, page_of
from permissions.models import ManagedPolicy
from permissions.steps import add_policy


@operation(
    "iam:CreatePolicy",
    on=targets.new_policy,
    lock=True,
    sensitive=True,
    tags_by="iam:TagPolicy",
    keys=(*REQUEST_TAGS, *targets.TAGS),
    omits=("description",),
)
def create_policy(
    caller: Caller,
    *,
    account: Account,
    policy_name: str,
    policy_document: str,
    path: str = "/",
    description: str = "",
    tags: Sequence[Tag] = (),
) -> ManagedPolicy:
    """Make a managed policy whose document is its first version.

    Raises EntityAlreadyExists whatever the name's case and path, MalformedPolicyDocument, InvalidInput, LimitExceeded.
    """
    versions = {1: policy_document}
    policy = add_policy(account, versions, policy_name=policy_name, path=path, description=description, tags=tags)
    if not policy.tags:
        policy.tags = None  # this answer of AWS's leaves out what GetPolicy's shows empty
    return policy


@operation("iam:GetPolicy", on=targets.counted_policy, reads=True, keys=targets.TAGS)
def get_policy(caller: Caller, *, policy: ManagedPolicy) -> ManagedPolicy:
    """A managed policy without its document, its uses counted in the caller's account."""
    return policy


@operation("iam:ListPolicies", on=targets.policy_list, reads=True, omits=("description", "tags"))
def list_policies(
    caller: Caller,
    *,
    scope: str = "All",
    only_attached: bool = False,
    path_prefix: str = "/",
    policy_usage_filter: str | None = None,
    max_items: int | None = None,
    marker: str | None = None,
) -> Page[ManagedPolicy]:
    """The account's own policies and then AWS's, each by name without regard to case.

    ``policy_usage_filter`` leaves those that are attached to somebody, or that bound somebody.
    """
    account_id = caller.account_id
    policies = ManagedPolicy.objects.counted(account_id).under(path_prefix)
    if policy_usage_filter == "PermissionsBoundary":
        policies = policies.bounding_in(account_id)
    elif only_attached or policy_usage_filter == "PermissionsPolicy":
        policies = policies.attached_in(account_id)
    parts = {"Local": policies.own(account_id), "AWS": policies.aws_managed()}
    page = page_of(
        [Part(name, rows, "policy_name_key") for name, rows in parts.items() if scope in ("All", name)],
        scope=f"ListPolicies {account_id} {scope} {only_attached} {policy_usage_filter} {path_prefix}",
        max_items=max_items,
        marker=marker,
    )
    return Page([policy for _, policy in page.items], page.marker)


@operation("iam:DeletePolicy", on=targets.deleted_policy, lock=True, changes_permissions=True, keys=targets.TAGS)
def delete_policy(caller: Caller, *, policy: ManagedPolicy) -> None:
    """Delete a policy that is used nowhere, with its last version. Raises DeleteConflict."""
    bounds = User.objects.get_queryset().filter(boundary=policy)
    if policy.attached_users.exists() or policy.attached_groups.exists() or bounds.exists():
        raise DeleteConflict("Cannot delete a policy attached to entities.")
    if policy.versions.count() > 1:
        raise DeleteConflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions."
            " The default version is deleted with the policy."
        )
    policy.delete()
