"""Steps that operations share. Only operations call them, inside their transaction."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet

from accounts import arns
from accounts.models import Account, Group, User
from accounts.quotas import quota_of, refuse_beyond
from accounts.tags import Tag, checked
from iamconsole.errors import EntityAlreadyExists, LimitExceeded, MalformedPolicyDocument
from permissions import language
from permissions.models import (
    AttachedGroupPolicy,
    AttachedUserPolicy,
    GroupPolicy,
    ManagedPolicy,
    PolicyVersion,
    UserPolicy,
)
from permissions.resources import LEGACY

CURRENT = "2012-10-17"
TOO_OLD = f"Policy document must be version {CURRENT} or greater."


def put_user_policy(user: User, policy_name: str, policy_document: str) -> UserPolicy:
    """Set an inline policy of a locked user. The name's first spelling is kept.

    Raises MalformedPolicyDocument, LimitExceeded.
    """
    _check_inline(
        UserPolicy.objects.filter(user=user), policy_name, policy_document,
        quota=quota_of(user.account, "UserPolicySize"), owner=f"user {user.user_name}",
    )  # fmt: skip
    policy, _ = UserPolicy.objects.update_or_create(
        user=user,
        policy_name_key=policy_name.lower(),
        defaults={"policy_document": policy_document},
        create_defaults={"policy_name": policy_name, "policy_document": policy_document},
    )
    return policy


def put_group_policy(group: Group, policy_name: str, policy_document: str) -> GroupPolicy:
    """Set an inline policy of a locked group. The name's first spelling is kept.

    Raises MalformedPolicyDocument, LimitExceeded.
    """
    _check_inline(
        GroupPolicy.objects.filter(group=group), policy_name, policy_document,
        quota=quota_of(group.account, "GroupPolicySize"), owner=f"group {group.group_name}",
    )  # fmt: skip
    policy, _ = GroupPolicy.objects.update_or_create(
        group=group,
        policy_name_key=policy_name.lower(),
        defaults={"policy_document": policy_document},
        create_defaults={"policy_name": policy_name, "policy_document": policy_document},
    )
    return policy


def _check_inline(policies: QuerySet[Any], policy_name: str, policy_document: str, *, quota: int, owner: str) -> None:
    language.parse(policy_document)
    others = policies.exclude(policy_name_key=policy_name.lower()).values_list("policy_document", flat=True)
    if sum(map(language.quota_size, others)) + language.quota_size(policy_document) > quota:
        raise LimitExceeded(f"Maximum policy size of {quota} bytes exceeded for {owner}")


def add_policy(
    account: Account,
    versions: Mapping[int, str],
    *,
    policy_name: str,
    path: str,
    description: str,
    tags: Sequence[Tag],
    default: int = 1,
) -> ManagedPolicy:
    """Make a managed policy with the documents of its versions by their numbers, ``default`` in force. The account is locked.

    Raises EntityAlreadyExists, MalformedPolicyDocument, InvalidInput, LimitExceeded.
    """
    for document in versions.values():
        check_managed(account, document)
    given = checked(tags, minds_case=True)
    own = ManagedPolicy.objects.own(account.pk)
    if own.filter(policy_name_key=policy_name.lower()).exists():
        raise EntityAlreadyExists(f"A policy called {policy_name} already exists. Duplicate names are not allowed.")
    refuse_beyond("PoliciesPerAccount", account, own)
    policy = ManagedPolicy(
        account=account,
        policy_id=arns.new_unique_id("ANPA"),
        policy_name=policy_name,
        policy_name_key=policy_name.lower(),
        path=path,
        description=description,
        tags=given,
        default_version_number=default,
        latest_version_number=max(versions),
    )
    policy.update_date = policy.create_date
    policy.save(force_insert=True)
    PolicyVersion.objects.bulk_create(
        PolicyVersion(policy=policy, number=number, document=document, create_date=policy.create_date)
        for number, document in sorted(versions.items())
    )
    return policy


def check_managed(account: Account, policy_document: str) -> None:
    """Check a document for a managed policy, which must name the current version of the language, and its size.

    Raises MalformedPolicyDocument, LimitExceeded. As recorded of AWS, what is no policy at all is said before the version, and
    the version before anything else.
    """
    try:
        version = language.parse(policy_document).version
    except MalformedPolicyDocument as fault:
        unreadable = fault.message in (language.SYNTAX, LEGACY)
        if unreadable or json.loads(policy_document).get("Version") == CURRENT:
            raise
        raise MalformedPolicyDocument(TOO_OLD) from fault
    if version != CURRENT:
        raise MalformedPolicyDocument(TOO_OLD)
    quota = quota_of(account, "PolicySize")
    if language.quota_size(policy_document) > quota:
        raise LimitExceeded(f"Cannot exceed quota for PolicySize: {quota}")


def attach_user_policy(user: User, policy: ManagedPolicy) -> None:
    """Attach a managed policy to a locked user; nothing happens when it is. Raises LimitExceeded."""
    attached = AttachedUserPolicy.objects.filter(user=user)
    if not attached.filter(policy=policy).exists():
        refuse_beyond("PoliciesPerUser", user.account, attached)
        AttachedUserPolicy.objects.create(user=user, policy=policy)


def attach_group_policy(group: Group, policy: ManagedPolicy) -> None:
    """Attach a managed policy to a locked group; nothing happens when it is. Raises LimitExceeded."""
    attached = AttachedGroupPolicy.objects.filter(group=group)
    if not attached.filter(policy=policy).exists():
        refuse_beyond("PoliciesPerGroup", group.account, attached)
        AttachedGroupPolicy.objects.create(group=group, policy=policy)


def by_name(policies: Iterable[ManagedPolicy]) -> list[ManagedPolicy]:
    """Attached policies in the order they are listed: by name without regard to case, an account's own before AWS's."""
    return sorted(policies, key=lambda policy: (policy.policy_name_key or "", policy.is_aws_managed))
