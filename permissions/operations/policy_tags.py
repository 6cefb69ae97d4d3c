"""Tags of managed policies; their keys mind case."""

from collections.abc import Sequence

from accounts.caller import Caller
from accounts.tags import REQUEST_TAGS, Tag, merged, without
from iamconsole.errors import InvalidInput
from iamconsole.operation import operation
from iamconsole.paging import Page
from permissions import targets
from permissions.models import ManagedPolicy


@operation(
    "iam:TagPolicy",
    on=targets.tagged_policy,
    lock=True,
    changes_permissions=True,
    keys=(*REQUEST_TAGS, *targets.TAGS),
)
def tag_policy(caller: Caller, *, policy: ManagedPolicy, tags: Sequence[Tag]) -> None:
    """Set tags. Raises InvalidInput, LimitExceeded past 50."""
    if not tags:
        raise InvalidInput("The request must name at least one tag.")
    policy.tags = merged(policy.tags, tags, minds_case=True)
    policy.save(update_fields=["tags"])


@operation(
    "iam:UntagPolicy",
    on=targets.tagged_policy,
    lock=True,
    changes_permissions=True,
    keys=("aws:TagKeys", *targets.TAGS),
)
def untag_policy(caller: Caller, *, policy: ManagedPolicy, tag_keys: Sequence[str]) -> None:
    """Remove tags; keys the policy does not have are passed over."""
    policy.tags = without(policy.tags, tag_keys, minds_case=True)
    policy.save(update_fields=["tags"])


@operation("iam:ListPolicyTags", on=targets.policy, reads=True, keys=targets.TAGS)
def list_policy_tags(
    caller: Caller, *, policy: ManagedPolicy, max_items: int | None = None, marker: str | None = None
) -> Page[Tag]:
    """The policy's tags, by key, capitals first."""
    return Page.of_values(
        sorted(policy.tags, key=lambda tag: tag["key"]),
        scope=f"ListPolicyTags {policy.policy_id}",
        max_items=max_items,
        marker=marker,
    )
