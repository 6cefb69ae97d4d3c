"""What the trail tells of a thing: its names, and what it is like before and after a change. No field that is secret is read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Model

from accounts.models import Account, Group, User
from audit.record import Names
from credentials.certificate_models import ServerCertificate, SigningCertificate
from credentials.mfa.models import MFADevice, MFARequirement
from credentials.models import AccessKey, PasswordPolicy, ServiceToken
from credentials.ssh.models import SSHPublicKey
from permissions.models import ManagedPolicy

Fields = dict[str, Any]
TYPES: Final[Mapping[type[Model], str]] = {
    User: "AWS::IAM::User",
    Group: "AWS::IAM::Group",
    ManagedPolicy: "AWS::IAM::Policy",
    AccessKey: "AWS::IAM::AccessKey",
    MFADevice: "AWS::IAM::MfaDevice",
    ServerCertificate: "AWS::IAM::ServerCertificate",
    SigningCertificate: "AWS::IAM::SigningCertificate",
    SSHPublicKey: "AWS::IAM::SshPublicKey",
    ServiceToken: "IAMConsole::ServiceToken",
    Account: "AWS::Organizations::Account",
}
NAMES: Final[Mapping[type[Model], tuple[str, ...]]] = {
    User: ("arn", "user_id", "user_name"),
    Group: ("arn", "group_id", "group_name"),
    ManagedPolicy: ("arn", "policy_id", "policy_name"),
    AccessKey: ("access_key_id",),
    MFADevice: ("serial_number",),
    ServerCertificate: ("arn", "server_certificate_id", "server_certificate_name"),
    SigningCertificate: ("certificate_id",),
    SSHPublicKey: ("ssh_public_key_id",),
    ServiceToken: ("service_token_id",),
    Account: ("account_id",),
}
OF_POLICIES: Final = (
    "minimum_password_length", "require_symbols", "require_numbers", "require_uppercase_characters",
    "require_lowercase_characters", "allow_users_to_change_password", "max_password_age", "password_reuse_prevention",
    "hard_expiry",
)  # fmt: skip


def names_of(entity: object) -> Names:
    """The ARN, id and name of a thing under AWS's type of it; nothing of what is no such thing."""
    kind = _kind(entity)
    if kind is None:
        return []
    owner: Any = getattr(entity, "user", None)
    own = [(TYPES[kind], str(getattr(entity, name) or "root")) for name in NAMES[kind]]
    return [*own, *names_of(owner)]


def _kind(entity: object) -> type[Model] | None:
    return next((kind for kind in TYPES if isinstance(entity, kind)), None)


def all_names(entities: Iterable[object]) -> Names:
    """The names of several things."""
    return [name for entity in entities for name in names_of(entity)]


@dataclass
class Watch:
    """Sees what some things are like when it begins, and tells what has become of them."""

    before: list[tuple[Model, Any, str, Fields]]

    @classmethod
    def over(cls, entities: Iterable[object]) -> "Watch":
        """Begin, with the things locked that will be changed."""
        given: list[Any] = [each for each in entities if _kind(each) and getattr(each, "pk", None)]
        them: dict[tuple[type[Model], Any], Any] = {(type(each), each.pk): each for each in given}
        owners = [getattr(each, "user", None) for each in given]
        them |= {(User, each.pk): each for each in owners if each is not None}
        return cls([(each, each.pk, _arn(each), portrait(type(each), each.pk)) for each in them.values()])

    def changes(self, result: object) -> list[Fields]:
        """The fields that differ now, of the things that were there and of ``result`` if it is new."""
        told = [_difference(arn, old, portrait(type(each), pk)) for each, pk, arn, old in self.before]
        known = {(type(each), pk) for each, pk, *_ in self.before}
        told += [
            _difference(_arn(made), {}, portrait(type(made), made.pk))
            for made in made_of(result)
            if (type(made), made.pk) not in known
        ]
        return [each for each in told if each["before"] or each["after"]]


def made_of(result: object) -> list[Model]:
    """The thing that an operation returned, if it is one that is told of: itself, or what was issued."""
    made = getattr(result, "entity", result)
    found: list[Any] = [made, getattr(made, "user", None)]
    return [each for each in found if _kind(each) and each.pk]


def _arn(entity: Model) -> str:
    return names_of(entity)[0][1]


def _difference(arn: str, old: Fields, new: Fields) -> Fields:
    changed = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
    return {
        "arn": arn,
        "before": {name: old[name] for name in changed if name in old},
        "after": {name: new[name] for name in changed if name in new},
    }


def portrait(kind: type[Model], pk: Any) -> Fields:
    """What a thing is like in the database now: no field where it is not there."""
    for known, drawn in _DRAWN.items():
        if issubclass(kind, known):
            found = known._default_manager.filter(pk=pk).first()  # noqa: SLF001
            return (
                {name: value for name, value in drawn(found).items() if value not in (None, "", [], {})}
                if found
                else {}
            )
    return {}


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _user(user: User) -> Fields:
    profile = getattr(user, "login_profile", None)
    return {
        "arn": user.arn,
        "user_name": user.user_name,
        "path": user.path,
        "email": user.email,
        "tags": user.tags,
        "permissions_boundary": user.boundary_arn,
        "password_last_changed": _moment(user.password_last_changed),
        "password_reset_required": profile.password_reset_required if profile else None,
        "password_expire_date": _moment(profile.password_expire_date) if profile else None,
        **{name: _moment(getattr(user, name)) for name in ("suspended_date", "suspended_until", "end_date")},
        "suspension_reason": user.suspension_reason,
        "groups": sorted(user.groups.values_list("group_name", flat=True)),
        "policies": dict(user.policies.values_list("policy_name", "policy_document")),
        "attached_policies": _arns(user.attached_policies),
        "access_keys": dict(user.access_keys.values_list("access_key_id", "status")),
        "ssh_public_keys": dict(user.ssh_public_keys.values_list("ssh_public_key_id", "status")),
        "signing_certificates": dict(user.signing_certificates.values_list("certificate_id", "status")),
        "service_tokens": sorted(user.service_tokens.values_list("service_token_id", flat=True)),
        "mfa_devices": sorted(MFADevice.objects.filter(user=user).values_list("serial_number", flat=True)),
    }


def _group(group: Group) -> Fields:
    return {
        "arn": group.arn,
        "group_name": group.group_name,
        "path": group.path,
        "policies": dict(group.policies.values_list("policy_name", "policy_document")),
        "attached_policies": _arns(group.attached_policies),
    }


def _arns(attached: Any) -> list[str]:
    return sorted(each.policy.arn for each in attached.select_related("policy"))


def _policy(policy: ManagedPolicy) -> Fields:
    return {
        "arn": policy.arn,
        "description": policy.description,
        "tags": policy.tags,
        "default_version_id": policy.default_version_id,
        "versions": {f"v{number}": document for number, document in policy.versions.values_list("number", "document")},
    }


def _access_key(key: AccessKey) -> Fields:
    return {"access_key_id": key.access_key_id, "status": key.status}


def _service_token(token: ServiceToken) -> Fields:
    return {
        "service_token_id": token.service_token_id,
        "description": token.description,
        "expire_date": _moment(token.expire_date),
    }


def _device(device: MFADevice) -> Fields:
    return {
        "serial_number": device.serial_number,
        "kind": device.kind,
        "user": device.user.arn if device.user else None,
        "enabled": device.confirmed,
        "tags": device.tags,
    }


def _account(account: Account) -> Fields:
    policy = PasswordPolicy.objects.filter(account=account).values(*OF_POLICIES).first()
    requirement = MFARequirement.objects.filter(account=account).values("start_date", "grace_period_days").first()
    return {
        "name": account.name,
        "alias": account.alias,
        "quotas": account.quotas,
        "password_policy": policy,
        "mfa_requirement": requirement and {**requirement, "start_date": f"{requirement['start_date']}"},
    }


def _server_certificate(certificate: ServerCertificate) -> Fields:
    return {
        "arn": certificate.arn,
        "server_certificate_name": certificate.server_certificate_name,
        "path": certificate.path,
        "tags": certificate.tags,
        "expiration": _moment(certificate.expiration),
    }


def _signing_certificate(certificate: SigningCertificate) -> Fields:
    return {"certificate_id": certificate.certificate_id, "status": certificate.status}


def _ssh_public_key(key: SSHPublicKey) -> Fields:
    return {"ssh_public_key_id": key.ssh_public_key_id, "fingerprint": key.sha256_fingerprint, "status": key.status}


_DRAWN: Final[Mapping[type[Model], Any]] = {
    User: _user,
    Group: _group,
    ManagedPolicy: _policy,
    AccessKey: _access_key,
    ServiceToken: _service_token,
    ServerCertificate: _server_certificate,
    SigningCertificate: _signing_certificate,
    SSHPublicKey: _ssh_public_key,
    MFADevice: _device,
    Account: _account,
}
