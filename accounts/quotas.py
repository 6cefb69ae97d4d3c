"""Quotas, under the names AWS's messages give them (IAM User Guide, "IAM and AWS STS quotas")."""

from collections.abc import Mapping
from typing import Any, Final

from django.db.models import QuerySet

from accounts.models import Account
from iamconsole.errors import LimitExceeded

# AWS's defaults, and our own of what AWS has not; an account may have others (iamconsole:UpdateAccountQuota).
QUOTAS: Final[Mapping[str, int]] = {
    "UsersPerAccount": 5000,
    "GroupsPerAccount": 300,
    "GroupsPerUser": 10,
    "AccessKeysPerUser": 2,
    "MFADevicesPerUser": 8,
    "VirtualMFADevicesPerAccount": 5000,
    "HardwareTokensPerAccount": 20_000,
    "ServiceTokensPerUser": 5,
    "ServiceSpecificCredentialsPerUser": 2,  # for each service
    "CertificatesPerUser": 2,
    "ServerCertificatesPerAccount": 20,
    "SSHPublicKeysPerUser": 5,
    "PoliciesPerAccount": 1500,
    "VersionsPerPolicy": 5,
    "PoliciesPerUser": 10,
    "PoliciesPerGroup": 10,
    "PolicySize": 6144,
    "UserPolicySize": 2048,
    "GroupPolicySize": 5120,
}

# As far as AWS raises them (the same page); the others are not bounded here.
GREATEST: Final[Mapping[str, int]] = {
    "GroupsPerAccount": 500,
    "PoliciesPerAccount": 5000,
    "PoliciesPerUser": 20,
    "PoliciesPerGroup": 20,
    "ServerCertificatesPerAccount": 1000,
}


def quota_of(account: Account, name: str) -> int:
    """The quota of that name in the account."""
    return int(account.quotas.get(name, QUOTAS[name]))


def refuse_beyond(name: str, account: Account, rows: QuerySet[Any]) -> None:
    """Raise LimitExceeded when ``rows`` already reach the account's quota. The row they hang on must be locked."""
    quota = quota_of(account, name)
    if rows.count() >= quota:
        raise LimitExceeded(f"Cannot exceed quota for {name}: {quota}")
