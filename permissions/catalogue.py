"""AWS's own managed policies as rows: what the release knows of them, brought into the database at every start."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import F

from accounts.models import Account, User
from permissions.aws_managed import AWSManagedPolicy
from permissions.models import AttachedGroupPolicy, AttachedUserPolicy, ManagedPolicy, PolicyVersion

BATCH = 500
COLUMNS = (
    "policy_id", "policy_name", "policy_name_key", "path", "create_date", "update_date", "default_version_number",
    "latest_version_number",
)  # fmt: skip


def synchronise(published: Mapping[str, AWSManagedPolicy]) -> None:
    """Bring the rows of AWS's policies in line with what is published; nothing is written when they are.

    A policy that AWS has withdrawn stays as long as it is in use, as on AWS. The policy epoch of every account is raised in the
    same transaction when the document of a policy that was there has changed.
    """
    wanted = {each.policy_name.lower(): each for each in published.values()}
    with transaction.atomic():
        rows = {policy.policy_name_key: policy for policy in ManagedPolicy.objects.aws_managed()}
        in_force = {version.policy_id: version for version in _versions()}
        new = {key: _filled(ManagedPolicy(), each) for key, each in wanted.items() if key not in rows}
        moved = {
            key: _filled(rows[key], each) for key, each in wanted.items() if key in rows and _differs(rows[key], each)
        }
        rewritten = {
            key: policy
            for key, policy in rows.items()
            if key in wanted and _differs_in_force(in_force.get(policy.pk), wanted[key])
        }
        ManagedPolicy.objects.bulk_create(new.values(), batch_size=BATCH)
        ManagedPolicy.objects.bulk_update(moved.values(), COLUMNS, batch_size=BATCH)
        _versions().filter(policy__in=rewritten.values()).delete()
        versions = [_version(policy, wanted[key]) for key, policy in {**new, **rewritten}.items()]
        PolicyVersion.objects.bulk_create(versions, batch_size=BATCH)
        _remove_unused(policy.pk for key, policy in rows.items() if key not in wanted)
        if rewritten:
            Account.objects.update(policy_epoch=F("policy_epoch") + 1)


def _values(published: AWSManagedPolicy) -> dict[str, Any]:
    return {
        "policy_id": published.policy_id,
        "policy_name": published.policy_name,
        "policy_name_key": published.policy_name.lower(),
        "path": published.path,
        "create_date": published.create_date,
        "update_date": published.update_date,
        "default_version_number": published.version_number,
        "latest_version_number": published.version_number,
    }


def _differs(policy: ManagedPolicy, published: AWSManagedPolicy) -> bool:
    return any(getattr(policy, name) != value for name, value in _values(published).items())


def _filled(policy: ManagedPolicy, published: AWSManagedPolicy) -> ManagedPolicy:
    for name, value in _values(published).items():
        setattr(policy, name, value)
    return policy


def _versions() -> Any:
    return PolicyVersion.objects.filter(policy__account__isnull=True)


def _differs_in_force(version: PolicyVersion | None, published: AWSManagedPolicy) -> bool:
    return version is None or (version.number, version.document) != (published.version_number, published.document)


def _version(policy: ManagedPolicy, published: AWSManagedPolicy) -> PolicyVersion:
    return PolicyVersion(
        policy=policy,
        number=published.version_number,
        document=published.document,
        create_date=published.update_date,
    )


def _remove_unused(policies: Iterable[int]) -> None:
    unused = set(policies)
    if not unused:
        return
    unused -= set(AttachedUserPolicy.objects.filter(policy__in=unused).values_list("policy", flat=True))
    unused -= set(AttachedGroupPolicy.objects.filter(policy__in=unused).values_list("policy", flat=True))
    unused -= set(User.objects.get_queryset().filter(boundary__in=unused).values_list("boundary", flat=True))
    ManagedPolicy.objects.filter(pk__in=unused).delete()
