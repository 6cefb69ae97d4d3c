"""What a page does in one go: a user with a first credential, and a user with all there is."""

from collections.abc import Mapping, Sequence
from typing import Any

from accounts import targets
from accounts.caller import Caller
from accounts.models import User
from accounts.steps import add_user
from accounts.tags import Tag, checked, merged
from credentials.mfa.models import MFADevice, VirtualMFADevice
from credentials.models import AccessKey
from credentials.passwords import NewPassword, hashing
from credentials.steps import add_access_key, add_login_profile, release_devices
from iamconsole.operation import Asked, Each, Issued, operation
from permissions.steps import put_user_policy

CHANGE_OWN = "IAMUserChangePassword"
CHANGE_OWN_DOCUMENT = """{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": "iam:ChangePassword", "Resource": "arn:aws:iam::*:user/${aws:username}"},
    {"Effect": "Allow", "Action": "iam:GetAccountPasswordPolicy", "Resource": "*"}
  ]
}"""


def _always(admitted: Mapping[str, Any]) -> bool:
    return True


@operation(
    "iamconsole:CreatePerson",
    on=targets.new_user,
    lock=True,
    changes_permissions=True,
    before=hashing("password"),
    performs={
        "iam:CreateUser": _always,
        "iam:CreateLoginProfile": _always,
        "iam:PutUserPolicy": lambda admitted: bool(admitted.get("allow_change_password")),
    },
)
def create_person(
    caller: Caller,
    *,
    user_name: str,
    password: NewPassword,
    path: str = "/",
    tags: Sequence[Tag] = (),
    password_reset_required: bool = True,
    allow_change_password: bool = False,
) -> User:
    """Make a user for a person: with a password for the console and, if asked, the policy to change it."""
    user = add_user(caller.account_id, user_name=user_name, path=path, tags=tags)
    add_login_profile(user, password, password_reset_required=password_reset_required)
    if allow_change_password:
        put_user_policy(user, CHANGE_OWN, CHANGE_OWN_DOCUMENT)
    return user


@operation(
    "iamconsole:CreateServiceAccount",
    on=targets.new_user,
    lock=True,
    issues_secret=True,
    performs={"iam:CreateUser": _always, "iam:CreateAccessKey": _always},
)
def create_service_account(
    caller: Caller, *, user_name: str, path: str = "/", tags: Sequence[Tag] = ()
) -> Issued[AccessKey]:
    """Make a user for a program: with an access key and no password."""
    user = add_user(caller.account_id, user_name=user_name, path=path, tags=tags)
    key, secret = add_access_key(user)
    return Issued(key, {"secret_access_key": secret})


def _factors(admitted: Mapping[str, Any]) -> list[Asked]:
    """The user once for each MFA device."""
    user: User = admitted["user"]
    devices = MFADevice.objects.filter(user=user).order_by("pk")
    return [
        Asked(
            user.arn,
            {"serial_number": device.serial_number},
            label=f"user {user.user_name}",
            tags=user.tags,
            boundary=user.boundary_arn,
        )
        for device in devices
    ]


def _virtual_devices(admitted: Mapping[str, Any]) -> list[Asked]:
    """The user's virtual MFA devices."""
    devices = VirtualMFADevice.objects.filter(user=admitted["user"]).order_by("pk")
    return [Asked(device.arn, tags=device.tags) for device in devices]


def _attached(admitted: Mapping[str, Any]) -> list[Asked]:
    """The user once for each managed policy that is attached."""
    user: User = admitted["user"]
    return [
        Asked(
            user.arn,
            {"policy_arn": attached.policy.arn},
            label=f"user {user.user_name}",
            tags=user.tags,
            boundary=user.boundary_arn,
        )
        for attached in user.attached_policies.select_related("policy").order_by("pk")
    ]


def _joined(admitted: Mapping[str, Any]) -> list[Asked]:
    """The groups the user is in."""
    groups = admitted["user"].groups.order_by("group_name_key")
    return [Asked(group.arn, label=f"group {group.group_name}") for group in groups]


@operation(
    "iamconsole:DeleteUserWithCredentials",
    on=targets.user,
    lock=True,
    changes_permissions=True,
    performs={
        "iam:DeleteLoginProfile": lambda admitted: hasattr(admitted["user"], "login_profile"),
        "iam:DeleteAccessKey": lambda admitted: admitted["user"].access_keys.exists(),
        "iamconsole:DeleteServiceToken": lambda admitted: admitted["user"].service_tokens.exists(),
        "iam:DeactivateMFADevice": Each(_factors),
        "iam:DeleteVirtualMFADevice": Each(_virtual_devices),
        "iam:DeleteUserPolicy": lambda admitted: admitted["user"].policies.exists(),
        "iam:DetachUserPolicy": Each(_attached),
        "iam:RemoveUserFromGroup": Each(_joined),
        "iam:DeleteUser": _always,
    },
)
def delete_user_with_credentials(caller: Caller, *, user: User) -> None:
    """Delete a user with all there is: password, keys, tokens, MFA devices, policies, memberships. All of it goes, or nothing.

    A hardware token goes back to the account's inventory.
    """
    release_devices(user)
    user.delete()


def _sets(admitted: Mapping[str, Any]) -> bool:
    return any(tag not in admitted["user"].tags for tag in admitted["tags"])


def _removes(admitted: Mapping[str, Any]) -> bool:
    kept = {tag["key"].lower() for tag in admitted["tags"]}
    return any(tag["key"].lower() not in kept for tag in admitted["user"].tags)


@operation(
    "iamconsole:SetUserTags",
    on=targets.user,
    lock=True,
    changes_permissions=True,
    performs={"iam:TagUser": _sets, "iam:UntagUser": _removes},
)
def set_user_tags(caller: Caller, *, user: User, tags: Sequence[Tag]) -> None:
    """Make these the user's tags: what is new is set, what is not among them is removed."""
    kept = {tag["key"].lower() for tag in checked(tags)}
    user.tags = merged([tag for tag in user.tags if tag["key"].lower() in kept], tags)
    user.save(update_fields=["tags"])
