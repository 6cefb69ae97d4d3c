"""Who may do everything in an account: the users with a policy, their own or a group's, that allows all on all."""

from collections.abc import Iterable
from typing import Any, Final

from django.db.models import Exists, F, OuterRef, QuerySet

from accounts.models import Membership, User, UserQuerySet
from iamconsole.errors import MalformedPolicyDocument
from permissions import language
from permissions.models import (
    AttachedGroupPolicy,
    AttachedUserPolicy,
    GroupPolicy,
    ManagedPolicy,
    PolicyVersion,
    UserPolicy,
)

EVERYTHING: Final = ("*", "*:*")
MOST_INLINE: Final = 1000  # inline policies of an account that name everything; what is beyond is not read


def allows_everything(document: str) -> bool:
    """Whether a policy has a statement that allows every action on every resource without a condition."""
    try:
        policy = language.parse(document)
    except MalformedPolicyDocument:
        return False
    return any(
        each.effect == "Allow"
        and not each.conditions
        and any(pattern.text in EVERYTHING for pattern in each.actions)
        and any(pattern.text == "*" for pattern in each.resources)
        for each in policy.statements
    )


def administrators(account_id: str) -> UserQuerySet:
    """The IAM users with such a policy, whatever else denies them or bounds them. Three queries before it is read."""
    managed = _managed(account_id)
    users = UserPolicy.objects.filter(Exists(User.objects.filter(account=account_id, pk=OuterRef("user"))))
    groups = GroupPolicy.objects.filter(group__account=account_id)
    of_groups = _owners(groups, "group_id")
    ids: list[QuerySet[Any, Any]] = [
        AttachedUserPolicy.objects.filter(policy__in=managed).values("user_id"),
        Membership.objects.filter(group__in=of_groups).values("user_id"),
        Membership.objects.filter(
            group__in=AttachedGroupPolicy.objects.filter(policy__in=managed).values("group_id")
        ).values("user_id"),
        User.objects.filter(pk__in=_owners(users, "user_id")).values("pk"),
    ]
    found = ids[0].order_by().union(*(each.order_by() for each in ids[1:]))
    return User.objects.in_account(account_id).filter(pk__in=found)


def _managed(account_id: str) -> list[int]:
    """The managed policies in use that allow everything."""
    used = ManagedPolicy.objects.attached_in(account_id)
    versions = PolicyVersion.objects.filter(policy__in=used, number=F("policy__default_version_number"))
    documents = versions.filter(document__contains='"*').values_list("policy_id", "document")
    return _of(documents)


def _owners(rows: QuerySet[Any], owner: str) -> list[int]:
    """Whose inline policies allow everything."""
    documents = rows.filter(policy_document__contains='"*').order_by("pk").values_list(owner, "policy_document")
    return _of(documents[:MOST_INLINE])


def _of(documents: Iterable[tuple[int, str]]) -> list[int]:
    return [owner for owner, document in documents if allows_everything(document)]
