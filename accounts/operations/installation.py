"""What the operator of the installation does from the shell: make, recover, close accounts, set quotas. No policy grants it."""

import re
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from accounts import arns, jobs, setup_links, throttle
from accounts.caller import Caller
from accounts.models import Account, Group, User
from accounts.quotas import GREATEST
from accounts.steps import add_user, checked_email
from credentials.certificate_models import ServerCertificate, SigningCertificate
from credentials.mfa import text_codes
from credentials.mfa import throttle as guesses
from credentials.mfa.models import MFADevice
from credentials.models import AccessKey
from credentials.steps import add_access_key, end_sessions, release_devices
from iamconsole.asked import Resolved
from iamconsole.errors import DeleteConflict, EntityAlreadyExists, InvalidInput, NoSuchEntity
from iamconsole.operation import Issued, operation
from permissions.models import ManagedPolicy
from permissions.steps import attach_user_policy

ADMINISTRATOR = "AdministratorAccess"  # AWS's policy that allows everything
ALIAS = re.compile(r"(?![0-9]{12}$)[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]")


@dataclass(frozen=True)
class _NewAccount:
    """An account that is about to be made; its events go to its own chain."""

    consumes: frozenset[str] = frozenset()

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        account = Account(name=parameters["name"], alias=parameters.pop("alias", None))
        return Resolved(arns.root(account.pk), {"account": account}, made_chain=account.pk)


@dataclass(frozen=True)
class _RootUser:
    """The root user of the account with that id or alias."""

    consumes: frozenset[str] = frozenset({"account"})

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        label = parameters.pop("account")
        root = (
            User.objects.select_related("account")
            .filter(Q(account_id=label) | Q(account__alias=label), user_name__isnull=True)
            .first()
        )
        if root is None:
            return Resolved("*", missing=NoSuchEntity(f"There is no account with the id or alias {label}."))
        if lock:
            Account.objects.select_for_update(no_key=True).get(pk=root.account_id)
            root = User.objects.select_related("account").select_for_update(no_key=True, of=("self",)).get(pk=root.pk)
        return Resolved(root.arn, {"root": root}, chain=root.account_id)


_new_account = _NewAccount(frozenset({"alias"}))
_root_user = _RootUser()


@operation("iamconsole:CreateAccount", on=_new_account, issues_secret=True, by_operator=True)
def create_account(
    caller: Caller,
    *,
    account: Account,
    name: str,
    root_email: str,
    admin_user_name: str | None = None,
    root_access_key: bool = False,
) -> Issued[dict[str, str | None]]:
    """Make an account and its root user; if asked, an administrator with an access key, and a key for the root user.

    Raises InvalidInput, EntityAlreadyExists when the alias or the e-mail address is taken.
    """
    email = checked_email(root_email)
    if account.alias is not None:
        if not ALIAS.fullmatch(account.alias):
            raise InvalidInput(
                "An alias has 3 to 63 lower-case letters, digits and single hyphens, begins and ends with a letter or"
                " digit, and is not twelve digits."
            )
        if Account.objects.filter(alias=account.alias).exists():
            raise EntityAlreadyExists(f"The account alias {account.alias} already exists.")
    if User.objects.filter(email=email).exists():
        raise EntityAlreadyExists(f"Another account's root user has the e-mail address {root_email}.")
    account.save(force_insert=True)
    root = User(account=account, user_id=account.account_id, email=email)
    root.set_unusable_password()
    root.save(force_insert=True)
    made: dict[str, str | None] = {
        "account_id": account.account_id,
        "alias": account.alias,
        "root_email": root.email,
        "sign_in_url": account.sign_in_url,
        "admin_user_name": admin_user_name,
    }
    secret = {"root_setup_url": setup_links.issue(root)}
    if admin_user_name is not None:
        admin = add_user(account.account_id, user_name=admin_user_name)
        attach_user_policy(admin, ManagedPolicy.objects.aws_managed().get(policy_name=ADMINISTRATOR))
        key, secret["secret_access_key"] = add_access_key(admin)
        made["access_key_id"] = key.access_key_id
    if root_access_key:
        key, secret["root_secret_access_key"] = add_access_key(root)
        made["root_access_key_id"] = key.access_key_id
    return Issued(made, secret)


@operation("iamconsole:IssueRootSetupLink", on=_root_user, lock=True, issues_secret=True, by_operator=True)
def issue_root_setup_link(caller: Caller, *, root: User) -> Issued[User]:
    """Make a new set-up link for a root user who has no password yet. Earlier links stop working."""
    if root.has_usable_password():
        raise InvalidInput(
            "The root user has a password already. If it is lost, recover the root user: manage.py recoverroot."
        )
    return Issued(root, {"root_setup_url": setup_links.issue(root)})


@operation("iamconsole:RecoverRootUser", on=_root_user, lock=True, issues_secret=True, by_operator=True)
def recover_root_user(caller: Caller, *, root: User) -> Issued[User]:
    """Give a lost root user a new start: password, MFA devices and sessions end, all tries are back, a set-up link is made."""
    root.set_unusable_password()
    root.password_last_changed = None
    root.save(update_fields=["password", "password_last_changed"])
    release_devices(root)
    for tries in (throttle, guesses, text_codes):
        tries.forget(root)
    end_sessions(root)
    return Issued(root, {"root_setup_url": setup_links.issue(root)})


@operation("iamconsole:CloseAccount", on=_root_user, lock=True, by_operator=True)
def close_account(caller: Caller, *, root: User) -> None:
    """Delete an empty account. Its trail stays. Raises DeleteConflict that counts what it still holds."""
    refuse_unless_empty(root.account)
    account = root.account
    root.delete()
    account.delete()


def refuse_unless_empty(account: Account) -> None:
    """Raise DeleteConflict that counts what the account still holds."""
    held = {
        "IAM users": User.objects.in_account(account).count(),
        "MFA devices": MFADevice.objects.filter(account=account, user__isnull=True).count(),
        "groups": Group.objects.in_account(account).count(),
        "managed policies": ManagedPolicy.objects.own(account.pk).count(),
        "server certificates": ServerCertificate.objects.in_account(account.pk).count(),
        "root signing certificates": SigningCertificate.objects.filter(
            account=account, user__user_name__isnull=True
        ).count(),
        "root access keys": AccessKey.objects.filter(user__account=account, user__user_name__isnull=True).count(),
    }
    holds = [f"{count} {what}" for what, count in held.items() if count]
    if holds:
        raise DeleteConflict(f"Account {account.pk} still holds {' and '.join(holds)}: delete them first.")


@operation("iamconsole:UpdateAccountQuota", on=_root_user, lock=True, by_operator=True)
def update_account_quota(caller: Caller, *, root: User, quota_name: str, quota_value: int) -> None:
    """Give an account another quota. What it holds beyond it stays. Raises InvalidInput beyond what AWS grants."""
    most = GREATEST.get(quota_name)
    if most is not None and quota_value > most:
        raise InvalidInput(f"{quota_name} is at most {most}.")
    account = root.account
    account.quotas = {**account.quotas, quota_name: quota_value}
    account.save(update_fields=["quotas"])


@operation("iamconsole:PruneJobs", on=_root_user, by_operator=True)
def prune_jobs(caller: Caller, *, root: User) -> dict[str, int]:
    """Delete an account's credential reports and other jobs that are older than they are kept."""
    return {"pruned_jobs": jobs.prune_all(root.account)}
