"""Where what is unused is found: one queryset a group, read in pages, with all that a row shows of its user joined."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts.models import User
from accounts.status import status_of
from credentials.certificate_models import SigningCertificate
from credentials.mfa.models import MFADevice
from credentials.models import AccessKey, LoginProfile, ServiceToken
from credentials.service_credentials import ServiceSpecificCredential
from credentials.ssh.models import SSHPublicKey
from credentials.unused import meaning
from credentials.unused.exemption import Exemption, exemption_of, is_misread
from credentials.unused.meaning import latest, limit_of, unused_since
from credentials.unused.models import Deactivation


class Group(StrEnum):
    """What is found, by its sort."""

    PASSWORD = "Password"  # noqa: S105 - a sort
    ACCESS_KEY = "AccessKey"
    NEVER_USED = "NeverUsedAccessKey"
    MFA_DEVICE = "MFADevice"
    USER = "User"
    ROOT = "RootUser"
    DEACTIVATED = "Deactivated"


@dataclass(frozen=True)
class UnusedCredential:
    """One thing that is unused, or one use of the root user, who should be."""

    group: str
    user: User
    create_date: datetime
    last_used_date: datetime | None
    unused_days: int  # since it was last used, made, changed or switched on
    status: str = ""  # the user's, in a word
    access_key_id: str | None = None
    serial_number: str | None = None
    exemption: Exemption | None = None
    exempt: bool = False
    misread: bool = False  # the tag of an exemption is there and cannot be read
    due_date: datetime | None = None
    deactivate_date: datetime | None = None
    automatic: bool | None = None

    @property
    def user_name(self) -> str | None:
        """Whose it is, or None for the root user."""
        return self.user.user_name

    @property
    def arn(self) -> str:
        """The user's ARN."""
        return self.user.arn

    @property
    def exempt_until(self) -> str | None:
        """The last day of an exemption that holds."""
        return self.exemption.until.isoformat() if self.exemption and self.exempt else None

    @property
    def exempt_reason(self) -> str | None:
        """Why."""
        return self.exemption.reason if self.exemption and self.exempt else None

    @property
    def reference(self) -> str:
        """What a form calls it: names and ids hold no colon, and a serial number comes last."""
        kind = Group.ACCESS_KEY if self.access_key_id else self.group
        if self.group == Group.DEACTIVATED and not self.access_key_id:
            kind = Group.PASSWORD
        return f"{kind}:{self.user_name}:{self.access_key_id or self.serial_number or ''}"


def passwords(account_id: str, limit: datetime) -> QuerySet[LoginProfile]:
    """The passwords of IAM users that nobody has used."""
    profiles = LoginProfile.objects.filter(user__account=account_id)
    return profiles.filter(unused_since(limit, meaning.PASSWORD)).select_related("user")


def active_keys(account_id: str, now: datetime) -> QuerySet[AccessKey]:
    """The access keys of IAM users that sign."""
    keys = AccessKey.objects.filter(user__account=account_id, user__user_name__isnull=False)
    return keys.filter(_lasting("expire_date", now), status=AccessKey.Status.ACTIVE).select_related("user")


def access_keys(account_id: str, limit: datetime, now: datetime) -> QuerySet[AccessKey]:
    """Those that nobody has used for long, or never though they are that old."""
    return active_keys(account_id, now).filter(unused_since(limit, meaning.ACCESS_KEY))


def mfa_devices(account_id: str, limit: datetime) -> QuerySet[MFADevice]:
    """The MFA devices of IAM users that have let nobody in. Those that are nobody's stand in the account's inventory."""
    devices: QuerySet[MFADevice] = MFADevice.objects.filter(account=account_id, user__user_name__isnull=False)
    return devices.filter(unused_since(limit, meaning.MFA_DEVICE)).select_related("user")


def users_with_nothing(account_id: str, limit: datetime, now: datetime) -> QuerySet[User]:
    """The users by whom nobody can come in, who are that old and did not sign in since. None has a credential to bring back."""
    own, old = {"user": OuterRef("pk")}, Q(password_last_used__isnull=True) | Q(password_last_used__lt=limit)
    held = (
        LoginProfile.objects.filter(**own),
        AccessKey.objects.filter(_lasting("expire_date", now), status="Active", **own),
        SSHPublicKey.objects.filter(status="Active", **own),
        SigningCertificate.objects.filter(status="Active", **own),
        ServiceSpecificCredential.objects.filter(_lasting("expiration_date", now), active=True, **own),
        ServiceToken.objects.filter(expire_date__gt=now, **own),
        Deactivation.objects.filter(deactivate_date__isnull=False, **own),
    )
    users = User.objects.in_account(account_id).filter(old, create_date__lt=limit)
    return users.filter(*(~Exists(rows) for rows in held))


def deactivated(account_id: str) -> QuerySet[Deactivation]:
    """What is deactivated and has stayed so."""
    rows = Deactivation.objects.filter(account=account_id, deactivate_date__isnull=False)
    stayed = Q(key__isnull=True) | Q(key__status="Inactive", key__status_date=F("deactivate_date"))
    return rows.filter(stayed).select_related("user", "key")


def root_in_use(account_id: str, limit: datetime) -> list[UnusedCredential]:
    """The root user's password and keys, as far as they were used since the limit."""
    root = User.objects.get(account=account_id, user_name__isnull=True)
    uses: list[tuple[datetime, datetime | None, str | None]] = [(root.create_date, root.password_last_used, None)]
    keys = AccessKey.objects.filter(user=root).order_by("pk")
    uses += [(key.create_date, key.last_used_date, key.access_key_id) for key in keys]
    return [
        UnusedCredential(Group.ROOT, root, created, used, 0, "In use", access_key_id=key_id)
        for created, used, key_id in uses
        if used is not None and used >= limit
    ]


def rows_of(group: str, account_id: str, days: int, now: datetime) -> QuerySet[Any]:
    """The rows of a group that are read in pages, in the order of their age."""
    limit = limit_of(now, days)
    keys = access_keys(account_id, limit, now)
    found: Mapping[str, Callable[[], QuerySet[Any]]] = {
        Group.PASSWORD: lambda: passwords(account_id, limit),
        Group.ACCESS_KEY: lambda: keys.filter(last_used_date__isnull=False),
        Group.NEVER_USED: lambda: keys.filter(last_used_date__isnull=True),
        Group.MFA_DEVICE: lambda: mfa_devices(account_id, limit),
        Group.USER: lambda: users_with_nothing(account_id, limit, now),
        Group.DEACTIVATED: lambda: deactivated(account_id),
    }
    return found[group]()


def described(group: str, rows: list[Any], now: datetime) -> list[UnusedCredential]:
    """Rows of a group as what is told of them, with what was announced of them: one query more."""
    keys = [row.pk for row in rows if isinstance(row, AccessKey)]
    users = [row.user_id for row in rows if isinstance(row, LoginProfile)]
    announced = Deactivation.objects.filter(Q(key__in=keys) | Q(user__in=users, kind=Deactivation.Kind.PASSWORD))
    dates = announced.values_list("key", "user", "due_date") if keys or users else ()
    due = {(key, None if key else user): date for key, user, date in dates}
    return [_described(group, row, now, due) for row in rows]


def _described(group: str, row: Any, now: datetime, due: Mapping[Any, datetime | None]) -> UnusedCredential:
    user: User = row if isinstance(row, User) else row.user
    facts = _facts(row, user)
    used = facts.pop("last_used_date")
    last = latest(facts["create_date"], used, *facts.pop("others"))
    exemption = exemption_of(user.tags)
    return UnusedCredential(
        group=group,
        user=user,
        last_used_date=used,
        unused_days=(now - last).days if last else 0,
        status=status_of(user, now).word,
        exemption=exemption,
        exempt=exemption is not None and exemption.holds(now),
        misread=is_misread(user.tags),
        due_date=due.get((row.pk, None) if isinstance(row, AccessKey) else (None, user.pk)),
        **facts,
    )


def _facts(row: Any, user: User) -> dict[str, Any]:
    """What a row itself tells, and in ``others`` when else something happened to it."""
    if isinstance(row, Deactivation):
        made = row.key.create_date if row.key else row.moment("create_date")
        return {
            "create_date": made,
            "last_used_date": row.key.last_used_date if row.key else user.password_last_used,
            "access_key_id": row.access_key_id,
            "deactivate_date": row.deactivate_date,
            "automatic": row.automatic,
            "others": (),
        }
    if isinstance(row, AccessKey):
        key = {"access_key_id": row.access_key_id, "others": (row.status_date,)}
        return key | {"create_date": row.create_date, "last_used_date": row.last_used_date}
    if isinstance(row, MFADevice):
        device = {"serial_number": row.serial_number, "others": ()}
        return device | {"create_date": row.enable_date, "last_used_date": row.last_used_date}
    others = (row.status_date, user.password_last_changed) if isinstance(row, LoginProfile) else ()
    return {"create_date": row.create_date, "last_used_date": user.password_last_used, "others": others}


def _lasting(column: str, now: datetime) -> Q:
    return Q(**{f"{column}__isnull": True}) | Q(**{f"{column}__gt": now})
