"""The account: its alias and its summary."""

import re

from django.db import IntegrityError, transaction

from accounts import targets
from accounts.caller import Caller
from accounts.models import Account, Group, User
from accounts.quotas import quota_of
from credentials.certificate_models import ServerCertificate, SigningCertificate
from credentials.mfa.models import MFADevice
from credentials.models import AccessKey
from iamconsole.errors import EntityAlreadyExists, InvalidInput, NoSuchEntity
from iamconsole.operation import operation
from iamconsole.paging import Page
from permissions.models import ManagedPolicy


@operation("iam:CreateAccountAlias", on=targets.everything, lock=True)
def create_account_alias(caller: Caller, *, account: Account, account_alias: str) -> None:
    """Give the account an alias, in the place of the one it has. Raises EntityAlreadyExists when another account has it."""
    if re.fullmatch(r"[0-9]{12}", account_alias):
        raise InvalidInput("An account alias may not be twelve digits: those are account ids.")
    account.alias = account_alias
    try:
        with transaction.atomic():
            account.save(update_fields=["alias"])
    except IntegrityError as error:
        raise EntityAlreadyExists(f"The account alias {account_alias} already exists.") from error


@operation("iam:ListAccountAliases", on=targets.everything, reads=True)
def list_account_aliases(
    caller: Caller, *, account: Account, max_items: int | None = None, marker: str | None = None
) -> Page[str]:
    """The account's alias, as a list of one or none."""
    return Page.of_values(
        [account.alias] if account.alias else [],
        scope=f"ListAccountAliases {account.pk}",
        max_items=max_items,
        marker=marker,
    )


@operation("iam:DeleteAccountAlias", on=targets.everything, lock=True)
def delete_account_alias(caller: Caller, *, account: Account, account_alias: str) -> None:
    """Take the alias away. Raises NoSuchEntity when it is not the account's."""
    if account.alias != account_alias:
        raise NoSuchEntity(f"The Account Alias with name {account_alias} cannot be found.")
    account.alias = None
    account.save(update_fields=["alias"])


# What this release has no model of counts nought; its quotas are AWS's defaults.
_FIXED = {
    "AttachedPoliciesPerRoleQuota": 10,
    "PolicyVersionsInUseQuota": 10000,
    "Roles": 0,
    "RolesQuota": 1000,
    "RolePolicySizeQuota": 10240,
    "AssumeRolePolicySizeQuota": 2048,
    "InstanceProfiles": 0,
    "InstanceProfilesQuota": 1000,
    "Providers": 0,
    "GlobalEndpointTokenVersion": 1,
}
# AWS's names here of the quotas that an account may have others of.
_QUOTAS = {
    "UsersQuota": "UsersPerAccount",
    "UserPolicySizeQuota": "UserPolicySize",
    "AccessKeysPerUserQuota": "AccessKeysPerUser",
    "ServerCertificatesQuota": "ServerCertificatesPerAccount",
    "SigningCertificatesPerUserQuota": "CertificatesPerUser",
    "GroupsQuota": "GroupsPerAccount",
    "GroupsPerUserQuota": "GroupsPerUser",
    "GroupPolicySizeQuota": "GroupPolicySize",
    "AttachedPoliciesPerUserQuota": "PoliciesPerUser",
    "AttachedPoliciesPerGroupQuota": "PoliciesPerGroup",
    "PoliciesQuota": "PoliciesPerAccount",
    "PolicySizeQuota": "PolicySize",
    "VersionsPerPolicyQuota": "VersionsPerPolicy",
}


@operation("iam:GetAccountSummary", on=targets.everything, reads=True)
def get_account_summary(caller: Caller, *, account: Account) -> dict[str, dict[str, int]]:
    """AWS's 34 counts and quotas of the account."""
    root = User.objects.get(account=account, user_name__isnull=True)
    devices = MFADevice.objects.filter(account=account)
    return {
        "summary_map": _FIXED
        | {key: quota_of(account, name) for key, name in _QUOTAS.items()}
        | {
            "Users": User.objects.in_account(account).count(),
            "Groups": Group.objects.in_account(account).count(),
            "Policies": ManagedPolicy.objects.own(account.pk).count(),
            # Of every policy that is attached or bounds somebody, AWS's too, the one version in force.
            "PolicyVersionsInUse": ManagedPolicy.objects.used_in(account.pk).count(),
            "ServerCertificates": ServerCertificate.objects.in_account(account.pk).count(),
            "AccountSigningCertificatesPresent": int(SigningCertificate.objects.filter(user=root).exists()),
            "AccountAccessKeysPresent": int(AccessKey.objects.filter(user=root).exists()),
            "MFADevices": devices.count(),
            "MFADevicesInUse": devices.filter(user__isnull=False).count(),
            "AccountMFAEnabled": int(devices.filter(user=root).exists()),
            "AccountPasswordPresent": int(root.has_usable_password()),
        }
    }
