"""What a page does in one go with a user: made with credentials and permissions, given more, tagged, deleted whole."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, TypeVar

from django.db.models import Model
from django.utils import timezone

from accounts import setup_links, targets
from accounts.caller import Caller
from accounts.models import SetupLink, User
from accounts.steps import add_user, join, refuse_past
from accounts.tags import Tag, checked, merged
from accounts.targets import asked_of
from credentials.mfa.models import MFADevice
from credentials.models import AccessKey, LoginProfile
from credentials.passwords import FIRST_LIFETIME, NewPassword, generating
from credentials.steps import add_access_key, add_login_profile, release_devices
from iamconsole.asked import Asked, Each, Performs
from iamconsole.errors import EntityAlreadyExists, InvalidInput
from iamconsole.operation import Issued, operation
from permissions import access
from permissions.access import Access
from permissions.steps import attach_user_policy, put_user_policy
from permissions.wildcard import fold

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Made:
    """A new user, with the access key, the generated password and the set-up link if they were asked for."""

    user: User
    access_key: Issued[AccessKey] | None = None
    login_profile: Issued[LoginProfile] | None = None
    setup_link: Issued[SetupLink] | None = None


def _always(admitted: Mapping[str, Any]) -> bool:
    return True


def _owner_if(*names: str) -> Each:
    """The new user, if one of the arguments is given and true."""
    return Each(lambda admitted: [admitted["access"].owner] if any(admitted.get(name) for name in names) else [])


def _account_to_generate_in(admitted: Mapping[str, Any]) -> str | None:
    return str(admitted["access"].owner.resource.split(":")[4]) if admitted.get("generate_password") else None


READING: Performs = {
    "iam:GetUser": Each(access.copying),
    "iam:ListGroupsForUser": Each(access.copying),
    "iam:ListAttachedUserPolicies": Each(access.copying),
    "iam:ListUserPolicies": Each(access.copying),
    "iam:GetUserPolicy": Each(access.copying),
}
GIVING: Performs = {
    "iam:AddUserToGroup": Each(access.joining),
    "iam:AttachUserPolicy": Each(access.attaching),
    "iam:PutUserPolicy": Each(access.putting),
}


@operation(
    "iamconsole:CreateUserWithAccess",
    on=access.new_user,
    lock=True,
    issues_secret=True,
    changes_permissions=True,
    before=generating(_account_to_generate_in),
    tags_by="iam:TagUser",
    performs={
        "iam:CreateUser": _always,
        **READING,
        "iam:CreateLoginProfile": _owner_if("password", "generate_password", "setup_link"),
        "iam:CreateAccessKey": _owner_if("access_key"),
        "iamconsole:PutUserEndDate": _owner_if("end_date"),
        **GIVING,
    },
)
def create_user_with_access(
    caller: Caller,
    *,
    access: Access,
    user_name: str,
    path: str = "/",
    tags: Sequence[Tag] = (),
    password: NewPassword | None = None,
    password_reset_required: bool = True,
    generate_password: bool = False,
    generated: NewPassword | None = None,
    setup_link: bool = False,
    access_key: bool = False,
    end_date: datetime | None = None,
) -> Made:
    """Make a user with first credentials, permissions and an end date. All of it is there afterwards, or nothing.

    A generated password is shown only here, good once and for seven days, for choosing another at sign-in; so is a set-up link.
    Raises what its parts raise: EntityAlreadyExists, NoSuchEntity, LimitExceeded, PasswordPolicyViolation; InvalidInput for more
    than one way to a password.
    """
    if sum((generate_password, setup_link, password is not None)) > 1:
        raise InvalidInput("Give a password, let one be generated, or make a set-up link: one of the three.")
    access.require_found()
    refuse_past(end_date, "end_date")
    user = add_user(caller.account_id, user_name=user_name, path=path, tags=tags, boundary=access.boundary)
    if end_date is not None:
        user.end_date = end_date
        user.save(update_fields=["end_date"])
    profile, link = None, None
    if password is not None:
        add_login_profile(user, password, password_reset_required=password_reset_required)
    if generated is not None:
        expire_date = timezone.now() + FIRST_LIFETIME
        made = add_login_profile(user, generated, password_reset_required=True, expire_date=expire_date)
        profile = Issued(made, {"password": generated.text})
    if setup_link:
        given, url = setup_links.give_access(user)
        link = Issued(given, {"setup_url": url})
    _give(user, access)
    if not access_key:
        return Made(user, None, profile, link)
    key, secret = add_access_key(user)
    return Made(user, Issued(key, {"secret_access_key": secret}), profile, link)


@operation(
    "iamconsole:AddUserPermissions",
    on=access.user,
    lock=True,
    changes_permissions=True,
    performs={**READING, **GIVING, "iam:PutUserPermissionsBoundary": Each(access.bounding)},
)
def add_user_permissions(caller: Caller, *, user: User, access: Access) -> None:
    """Put a user into groups, attach policies, copy what another user has. All of it, or nothing.

    A boundary is copied too unless the user has one. Raises InvalidInput when nothing is named, EntityAlreadyExists when an
    inline policy of the same name says something else.
    """
    access.require_found()
    if not (access.groups or access.policies or access.copied):
        raise InvalidInput(
            "Nothing is named that the user should get: groups, policies or a user to copy permissions from."
        )
    _give(user, access)
    if access.boundary is not None:
        user.boundary = access.boundary
        user.save(update_fields=["boundary"])


def _give(user: User, access: Access) -> None:
    for group in access.groups:
        join(user, group.entities["group"])
    for policy in access.policies:
        attach_user_policy(user, policy.entities["policy"])
    for policy_name, document in access.documents.items():
        other = user.policies.filter(policy_name_key=policy_name.lower()).exclude(policy_document=document)
        if other.exists():
            raise EntityAlreadyExists(f"The user has another inline policy with name {policy_name}.")
        put_user_policy(user, policy_name, document)


# What goes with a user, for `prefetch_related`: then the decision on a deletion reads nothing more.
BELONGINGS: Final = (
    "access_keys",
    "attached_policies__policy",
    "groups",
    "mfa_devices",
    "policies",
    "service_specific_credentials",
    "service_tokens",
    "signing_certificates",
    "ssh_public_keys",
)


def _in_order(rows: Iterable[M]) -> list[M]:
    """As they were made; sorted here, for they may be read already."""
    return sorted(rows, key=lambda row: row.pk)


def _factors(admitted: Mapping[str, Any]) -> list[Asked]:
    """The user once for each MFA device."""
    user: User = admitted["user"]
    return [
        Asked(
            user.arn,
            {"serial_number": device.serial_number},
            label=f"user {user.user_name}",
            tags=user.tags,
            boundary=user.boundary_arn,
            about=(device,),
        )
        for device in _in_order(user.mfa_devices.all())
    ]


def _virtual_devices(admitted: Mapping[str, Any]) -> list[Asked]:
    """The user's virtual MFA devices."""
    devices = _in_order(admitted["user"].mfa_devices.all())
    return [Asked(each.arn, tags=each.tags, about=(each,)) for each in devices if each.kind == MFADevice.Kind.VIRTUAL]


def _each_of(belongings: str, id_name: str) -> Each:
    """The user once for each credential of a sort, which is named by its id."""

    def of(admitted: Mapping[str, Any]) -> list[Asked]:
        user: User = admitted["user"]
        found = _in_order(getattr(user, belongings).all())
        return [replace(asked_of(user, **{id_name: getattr(each, id_name)}), about=(each,)) for each in found]

    return Each(of, on_target=True)


def _service_credentials(admitted: Mapping[str, Any]) -> list[Asked]:
    """The user once for each service-specific credential."""
    user: User = admitted["user"]
    return [
        replace(
            asked_of(
                user,
                service_name=each.service_name,
                service_specific_credential_id=each.service_specific_credential_id,
            ),
            about=(each,),
        )
        for each in _in_order(user.service_specific_credentials.all())
    ]


def _attached(admitted: Mapping[str, Any]) -> list[Asked]:
    """The user once for each managed policy that is attached."""
    user: User = admitted["user"]
    attached = _in_order(user.attached_policies.all())
    return [replace(asked_of(user, policy_arn=each.policy.arn), about=(each.policy,)) for each in attached]


def _joined(admitted: Mapping[str, Any]) -> list[Asked]:
    """The groups the user is in."""
    groups = sorted(admitted["user"].groups.all(), key=lambda group: str(group.group_name_key))
    # Not by their names: who may not list the user's groups must not learn them by a refusal.
    return [Asked(group.arn, label="a group of the user", about=(group,)) for group in groups]


@operation(
    "iamconsole:DeleteUserWithCredentials",
    on=targets.user,
    lock=True,
    changes_permissions=True,
    performs={
        "iam:DeleteLoginProfile": lambda admitted: hasattr(admitted["user"], "login_profile"),
        "iam:DeleteAccessKey": _each_of("access_keys", "access_key_id"),
        "iam:DeleteSigningCertificate": _each_of("signing_certificates", "certificate_id"),
        "iam:DeleteSSHPublicKey": _each_of("ssh_public_keys", "ssh_public_key_id"),
        "iam:DeleteServiceSpecificCredential": Each(_service_credentials),
        "iamconsole:DeleteServiceToken": _each_of("service_tokens", "service_token_id"),
        "iam:DeactivateMFADevice": Each(_factors),
        "iam:DeleteVirtualMFADevice": Each(_virtual_devices),
        "iam:DeleteUserPolicy": lambda admitted: admitted["user"].policies.exists(),
        "iam:DetachUserPolicy": Each(_attached),
        "iam:RemoveUserFromGroup": Each(_joined),
        "iam:DeleteUser": _always,
    },
)
def delete_user_with_credentials(caller: Caller, *, user: User) -> None:
    """Delete a user with all there is: password, keys, certificates, tokens, MFA devices, policies, memberships; all or nothing.

    A hardware token goes back to the account's inventory.
    """
    release_devices(user)
    user.delete()


def _set_tags(admitted: Mapping[str, Any]) -> list[Asked]:
    """The user, with the tags that are new or get another value."""
    changed = [tag for tag in admitted["tags"] if tag not in admitted["user"].tags]
    return [asked_of(admitted["user"], tags=changed)] if changed else []


def _removed_tags(admitted: Mapping[str, Any]) -> list[Asked]:
    """The user, with the keys of the tags that go."""
    kept = {fold(tag["key"]) for tag in admitted["tags"]}
    gone = [tag["key"] for tag in admitted["user"].tags if fold(tag["key"]) not in kept]
    return [asked_of(admitted["user"], tag_keys=gone)] if gone else []


@operation(
    "iamconsole:SetUserTags",
    on=targets.user,
    lock=True,
    changes_permissions=True,
    performs={
        "iam:TagUser": Each(_set_tags, on_target=True),
        "iam:UntagUser": Each(_removed_tags, on_target=True),
    },
)
def set_user_tags(caller: Caller, *, user: User, tags: Sequence[Tag]) -> None:
    """Make these the user's tags: what is new is set, what is not among them is removed."""
    kept = {fold(tag["key"]) for tag in checked(tags)}
    user.tags = merged([tag for tag in user.tags if fold(tag["key"]) in kept], tags)
    user.save(update_fields=["tags"])
