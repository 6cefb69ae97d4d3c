"""What the trail tells of a thing: its names, and what it is like before and after a change. No field that is secret is read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from django.db import connection
from django.db.models import Model, QuerySet, TextField, Value
from django.db.models.functions import Cast

from accounts import arns
from accounts.models import Account, Group, User
from audit.record import Names
from credentials.certificate_models import ServerCertificate, SigningCertificate
from credentials.mfa.models import MFADevice
from credentials.models import AccessKey, LoginProfile, ServiceToken
from credentials.service_credentials import ServiceSpecificCredential
from credentials.ssh.models import SSHPublicKey
from permissions.models import ManagedPolicy

Fields = dict[str, Any]
# Parts of a thing by their sort: their rows, and the columns that are told of each.
Sorts = dict[str, tuple[QuerySet[Any], *tuple[str, ...]]]
TYPES: Final[Mapping[type[Model], str]] = {
    User: "AWS::IAM::User",
    Group: "AWS::IAM::Group",
    ManagedPolicy: "AWS::IAM::Policy",
    AccessKey: "AWS::IAM::AccessKey",
    MFADevice: "AWS::IAM::MfaDevice",
    ServerCertificate: "AWS::IAM::ServerCertificate",
    SigningCertificate: "AWS::IAM::SigningCertificate",
    SSHPublicKey: "AWS::IAM::SshPublicKey",
    ServiceSpecificCredential: "AWS::IAM::ServiceSpecificCredential",
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
    ServiceSpecificCredential: ("service_specific_credential_id",),
    ServiceToken: ("service_token_id",),
    Account: ("account_id",),
}
# Rows that are read together with one that is drawn.
JOINED: Final[Mapping[type[Model], tuple[str, ...]]] = {User: ("boundary",), MFADevice: ("user",)}
# What stays as it is when it is given to one of the others: a group to a new member, a policy to whom it is attached.
GIVEN_TO: Final[Mapping[type[Model], frozenset[type[Model]]]] = {
    Group: frozenset({User}),
    ManagedPolicy: frozenset({User, Group}),
}
COLUMNS: Final = 3
ANY_OWNER: Final = -1
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
        """Begin, with the things just loaded and locked that will be changed."""
        given: list[Any] = [each for each in entities if _kind(each) and getattr(each, "pk", None)]
        owners = [getattr(each, "user", None) for each in given]
        them = {(kind, each.pk): each for each in (*given, *owners) if (kind := _kind(each)) is not None}
        kinds = {kind for kind, _ in them}
        changed = [each for (kind, _), each in them.items() if not kinds & GIVEN_TO.get(kind, frozenset())]
        return cls([(each, each.pk, _arn(each), portrait(each)) for each in changed])

    def changes(self, result: object) -> list[Fields]:
        """The fields that differ now, of the things that were there and of ``result`` if it is new."""
        told = [_difference(arn, old, portrait(_read_again(each, pk))) for each, pk, arn, old in self.before]
        known = {(_kind(each), pk) for each, pk, *_ in self.before}
        told += [
            _difference(_arn(made), {}, portrait(made))
            for made in made_of(result)
            if (_kind(made), made.pk) not in known
        ]
        return [each for each in told if each["before"] or each["after"]]


def made_of(result: object) -> list[Model]:
    """The things that an operation returned, if they are told of: itself, or what was issued, with its user and access key."""
    made = getattr(result, "entity", result)
    found: list[Any] = [made, getattr(made, "user", None), getattr(getattr(made, "access_key", None), "entity", None)]
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


def portrait(entity: Model | None) -> Fields:
    """What a thing is like: its row as it was loaded, its parts as they are now. No field where it is not there."""
    kind = _kind(entity)
    if entity is None or kind is None:
        return {}
    return {name: value for name, value in _DRAWN[kind](entity).items() if value not in (None, "", [], {})}


def _read_again(entity: Model, pk: Any) -> Model | None:
    """The row as it is now, with the rows that are drawn with it."""
    if isinstance(entity, Account):  # no operation deletes one, and drawing it reads it
        return entity
    kind = _kind(entity) or type(entity)
    rows = kind._default_manager.filter(pk=pk)  # noqa: SLF001
    return (rows.select_related(*JOINED[kind]) if kind in JOINED else rows).first()


def _parts(owner: User | Group) -> dict[str, list[tuple[str, ...]]]:
    """The parts of a thing by their sort, of each up to three texts. All are read by one query."""
    sql, parameters = _query_of_parts(User if isinstance(owner, User) else Group)
    found: dict[str, list[tuple[str, ...]]] = {sort: [] for sort in parameters if isinstance(sort, str)}
    with connection.cursor() as cursor:
        cursor.execute(sql, [owner.pk if each == ANY_OWNER else each for each in parameters])
        for *texts, sort in cursor.fetchall():
            found[sort].append(tuple(texts))
    return {sort: sorted(rows, key=lambda row: [text or "" for text in row]) for sort, rows in found.items()}


@cache
def _query_of_parts(kind: type[User | Group]) -> tuple[str, tuple[Any, ...]]:
    """The query for the parts of any one thing, with ANY_OWNER in the place of its key.

    Every change asks it twice, and compiling it takes ten times as long as running it.
    """
    sorts = _parts_of_user(User(pk=ANY_OWNER)) if kind is User else _policies_of(Group(pk=ANY_OWNER))
    queries = []
    for sort, (rows, *columns) in sorts.items():
        told: dict[str, Any] = {f"told_{place}": Cast(column, TextField()) for place, column in enumerate(columns)}
        told |= {f"told_{place}": Value("", TextField()) for place in range(len(columns), COLUMNS)}
        queries.append(
            rows.order_by().annotate(told_sort=Value(sort, TextField()), **told).values_list(*told, "told_sort")
        )
    first, *others = queries
    sql, parameters = first.union(*others, all=True).query.sql_with_params()
    return sql, tuple(parameters)


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _parts_of_user(user: User) -> Sorts:
    profiles, services = LoginProfile.objects.filter(user=user), user.service_specific_credentials.all()
    return {
        "profiles": (profiles,),
        "reset": (profiles.filter(password_reset_required=True),),
        "generated": (profiles.filter(password_expire_date__isnull=False),),
        "groups": (user.groups.all(), "group_name"),
        "access_keys": (user.access_keys.all(), "access_key_id", "status"),
        "ssh_public_keys": (user.ssh_public_keys.all(), "ssh_public_key_id", "status"),
        "signing_certificates": (user.signing_certificates.all(), "certificate_id", "status"),
        "service_credentials": (services, "service_specific_credential_id"),
        "active_service_credentials": (services.filter(active=True), "service_specific_credential_id"),
        "service_tokens": (user.service_tokens.all(), "service_token_id"),
        "mfa_devices": (MFADevice.objects.filter(user=user), "serial_number"),
        **_policies_of(user),
    }


def _user(user: User) -> Fields:
    parts = _parts(user)
    return {
        "arn": user.arn,
        "user_name": user.user_name,
        "path": user.path,
        "email": user.email,
        "tags": user.tags,
        "permissions_boundary": user.boundary_arn,
        "console_access": bool(parts["profiles"]) or None,
        "password_last_changed": _moment(user.password_last_changed),
        "password_reset_required": bool(parts["reset"]) if parts["profiles"] else None,
        "password_generated": bool(parts["generated"]) or None,
        **{name: _moment(getattr(user, name)) for name in ("suspended_date", "suspended_until", "end_date")},
        "suspension_reason": user.suspension_reason,
        "locked_down": user.lock_down is not None or None,
        "groups": [name for name, *_ in parts["groups"]],
        **_told_policies(parts),
        **{
            sort: {name: status for name, status, *_ in parts[sort]}
            for sort in ("access_keys", "ssh_public_keys", "signing_certificates")
        },
        "service_specific_credentials": {
            row[0]: "Active" if row in parts["active_service_credentials"] else "Inactive"
            for row in parts["service_credentials"]
        },
        "service_tokens": [name for name, *_ in parts["service_tokens"]],
        "mfa_devices": [name for name, *_ in parts["mfa_devices"]],
    }


def _group(group: Group) -> Fields:
    return {
        "arn": group.arn,
        "group_name": group.group_name,
        "path": group.path,
        **_told_policies(_parts(group)),
    }


def _policies_of(owner: User | Group) -> Sorts:
    return {
        "policies": (owner.policies.all(), "policy_name", "policy_document"),
        "attached": (owner.attached_policies.all(), "policy__account_id", "policy__path", "policy__policy_name"),
    }


def _told_policies(parts: Mapping[str, list[tuple[str, ...]]]) -> Fields:
    return {
        "policies": {name: document for name, document, _ in parts["policies"]},
        "attached_policies": sorted(
            arns.policy(account_id, path, name) for account_id, path, name in parts["attached"]
        ),
    }


def _policy(policy: ManagedPolicy) -> Fields:
    return {
        "arn": policy.arn,
        "description": policy.description,
        "tags": policy.tags,
        "default_version_id": policy.default_version_id,
        "versions": {f"v{number}": document for number, document in policy.versions.values_list("number", "document")},
    }


def _access_key(key: AccessKey) -> Fields:
    return {
        "access_key_id": key.access_key_id,
        "status": key.status,
        "description": key.description,
        "expire_date": _moment(key.expire_date),
    }


def _service_credential(credential: ServiceSpecificCredential) -> Fields:
    return {
        "service_specific_credential_id": credential.service_specific_credential_id,
        "service_name": credential.service_name,
        "name": credential.name,
        "active": credential.active,
        "expiration_date": _moment(credential.expiration_date),
    }


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
    rows = Account.objects.select_related("password_policy", "mfa_requirement")
    account = rows.get(pk=account.pk)
    policy, requirement = getattr(account, "password_policy", None), getattr(account, "mfa_requirement", None)
    return {
        "name": account.name,
        "alias": account.alias,
        "quotas": account.quotas,
        "access_key_maximum_days": account.access_key_maximum_days,
        "password_policy": policy and {name: getattr(policy, name) for name in OF_POLICIES},
        "mfa_requirement": requirement
        and {"start_date": f"{requirement.start_date}", "grace_period_days": requirement.grace_period_days},
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
    ServiceSpecificCredential: _service_credential,
    ServiceToken: _service_token,
    ServerCertificate: _server_certificate,
    SigningCertificate: _signing_certificate,
    SSHPublicKey: _ssh_public_key,
    MFADevice: _device,
    Account: _account,
}
