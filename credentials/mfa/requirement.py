"""Whether an account demands an MFA device of a console user, and from when on it is forced at sign-in.

It is forced so many days of grace after the later of two times: the beginning (UTC) of the day that the account has set, and when
the user got access to the console. Whoever has a device, of whatever kind, owes nothing.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import Account, User
from credentials.mfa.models import MFADevice, MFARequirement

LATEST_START: Final = date(9998, 12, 31)  # so that every grace period after it ends on a day there is


@dataclass(frozen=True)
class Duty:
    """That a user without an MFA device must enable one by ``when``."""

    when: datetime

    @property
    def is_due(self) -> bool:
        """Whether it is forced by now."""
        return self.when <= timezone.now()


def duty_of(user: User) -> Duty | None:
    """What the account demands of ``user``; None where it demands nothing, and of who has a device or no password."""
    duty = demanded_of(user)
    return None if duty is None or MFADevice.objects.filter(user=user).exists() else duty


def demanded_of(user: User) -> Duty | None:
    """The same, whether or not the user has a device: the last one may not be given up when it is due."""
    requirement = MFARequirement.objects.filter(account=user.account_id).first()
    if requirement is None or not (user.is_root or hasattr(user, "login_profile")):
        return None
    since = user.create_date if user.is_root else user.login_profile.create_date
    return Duty(max(_start(requirement), since) + _grace(requirement))


def is_forced(user: User) -> bool:
    """Whether ``user`` does not get into the console before enabling a first device."""
    duty = duty_of(user)
    return duty is not None and duty.is_due


def console_users(account: Account) -> "QuerySet[User]":
    """The users of an account who have a password, its root user among them."""
    users = User.objects.filter(account=account).filter(Q(login_profile__isnull=False) | Q(user_name__isnull=True))
    return users.exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)


def without_device(users: "QuerySet[User]") -> "QuerySet[User]":
    """Those who have no MFA device."""
    return users.filter(~Exists(MFADevice.objects.filter(user=OuterRef("pk"))))


def would_be_forced(users: "QuerySet[User]", requirement: MFARequirement) -> "QuerySet[User]":
    """Those who would have to enable a device at a sign-in right now, if they have none."""
    now, grace = timezone.now(), _grace(requirement)
    if _start(requirement) + grace > now:
        return users.none()
    return users.filter(
        Q(login_profile__create_date__lte=now - grace) | Q(user_name__isnull=True, create_date__lte=now - grace)
    )


def _start(requirement: MFARequirement) -> datetime:
    return datetime.combine(requirement.start_date, time.min, UTC)


def _grace(requirement: MFARequirement) -> timedelta:
    return timedelta(days=requirement.grace_period_days)
