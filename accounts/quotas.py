"""Quotas, under the names AWS's messages give them (IAM User Guide, "IAM and AWS STS quotas")."""

from typing import Any

from django.db.models import QuerySet

from iamconsole.errors import LimitExceeded

QUOTAS = {
    "UsersPerAccount": 5000,
    "AccessKeysPerUser": 2,
    "UserPolicySize": 2048,
}


def refuse_beyond(name: str, rows: QuerySet[Any]) -> None:
    """Raise LimitExceeded when ``rows`` already reach the quota. The row they hang on must be locked."""
    quota = QUOTAS[name]
    if rows.count() >= quota:
        raise LimitExceeded(f"Cannot exceed quota for {name}: {quota}")
