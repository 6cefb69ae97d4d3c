"""Steps that operations share. Only operations and the redeeming of set-up links call them, inside a transaction."""

from datetime import datetime, timedelta

from django.db.models import F
from django.utils import timezone

from accounts.models import SetupLink, User
from accounts.quotas import refuse_beyond
from credentials.mfa import throttle
from credentials.mfa.models import MFADevice, RecoveryCode
from credentials.models import AccessKey, LoginProfile, PasswordHistory, PasswordPolicy
from credentials.passwords import NewPassword, broken_rules, not_to_repeat, policy_of
from credentials.unused.models import Deactivation
from iamconsole.errors import (
    ConcurrentModification,
    EntityAlreadyExists,
    InvalidInput,
    NoSuchEntity,
    PasswordPolicyViolation,
)


def set_password(user: User, password: NewPassword, *, expire_date: datetime | None = None) -> None:
    """Set a password that follows the rules, end every session and void the set-up links. Raises PasswordPolicyViolation.

    ``expire_date``: of one that was generated, until when it can be changed for one of the user's own.

    Raises ConcurrentModification when the password or the policy was changed after this one was hashed, so that it was not
    compared with all it may not repeat.
    """
    policy = policy_of(user)
    if broken := broken_rules(password, user, policy):
        raise PasswordPolicyViolation(broken)
    if not not_to_repeat(user, policy) <= password.compared_with:
        raise ConcurrentModification("The password was changed at the same time. Nothing was changed: try again.")
    _remember_password(user, policy)
    user.password = password.encoded
    user.password_last_changed = timezone.now()
    user.save(update_fields=["password", "password_last_changed"])
    LoginProfile.objects.filter(user=user).update(password_expire_date=expire_date)
    SetupLink.objects.open_of(user).delete()
    end_sessions(user)


def _remember_password(user: User, policy: PasswordPolicy | None) -> None:
    """Take the password there is into the history, which holds as many as the policy says and no more."""
    kept = (policy.password_reuse_prevention or 0) if policy else 0
    if kept and user.has_usable_password():
        PasswordHistory.objects.create(user=user, encoded=user.password)
    surplus = PasswordHistory.newest(user).values_list("pk", flat=True)[kept:]
    PasswordHistory.objects.filter(pk__in=list(surplus)).delete()


def end_sessions(user: User) -> None:
    """End every session of the user, wherever it is open."""
    User.objects.filter(pk=user.pk).update(auth_epoch=F("auth_epoch") + 1)
    user.refresh_from_db(fields=["auth_epoch"])
    user.sessions.all().delete()


def add_login_profile(
    user: User, password: NewPassword, *, password_reset_required: bool, expire_date: datetime | None = None
) -> LoginProfile:
    """Give a locked user access to the console."""
    if LoginProfile.objects.filter(user=user).exists():
        raise EntityAlreadyExists(f"Login Profile for user {user.user_name} already exists.")
    set_password(user, password)
    Deactivation.objects.filter(user=user, kind=Deactivation.Kind.PASSWORD).delete()  # the one before is past
    return LoginProfile.objects.create(
        user=user, password_reset_required=password_reset_required, password_expire_date=expire_date
    )


def remove_login_profile(user: User) -> None:
    """Take the access to the console away, and the password with it, one that is kept too."""
    LoginProfile.objects.filter(user=user).delete()
    forget_password(user)


def forget_password(user: User) -> None:
    """Let the password of a locked user be good no more, one that is kept neither, void the set-up links, end every session."""
    Deactivation.objects.filter(user=user, kind=Deactivation.Kind.PASSWORD).delete()
    _remember_password(user, policy_of(user))
    SetupLink.objects.open_of(user).delete()
    user.set_unusable_password()
    user.password_last_changed = None
    user.save(update_fields=["password", "password_last_changed"])
    end_sessions(user)


def add_access_key(
    user: User, *, days: int | None = None, description: str = "", replaces: AccessKey | None = None
) -> tuple[AccessKey, str]:
    """Issue a key to a locked user, for ``days`` or as long as the account lets keys live. Returns it with its secret.

    Raises LimitExceeded at two, active or not; InvalidInput when it is to live longer than the account's keys may.
    """
    refuse_beyond("AccessKeysPerUser", user.account, AccessKey.objects.filter(user=user))
    days = life_of_key(user, days)
    life = timedelta(days=days) if days else None
    return AccessKey.issue(user, life=life, description=description, replaces=replaces)


def life_of_key(user: User, days: int | None) -> int | None:
    """How many days a key of the user lives that should live for so many, None for ever. Raises InvalidInput past the maximum."""
    greatest = user.account.access_key_maximum_days
    if days and greatest and days > greatest:
        raise InvalidInput(
            f"Access keys of this account expire after {greatest} days at most.", parameter="duration_days"
        )
    return days or greatest


def access_key_of(user: User, access_key_id: str) -> AccessKey:
    """A locked key of a locked user. Raises NoSuchEntity for a key that is not the user's."""
    key = AccessKey.objects.select_for_update(no_key=True).filter(user=user, access_key_id=access_key_id).first()
    if key is None:
        raise NoSuchEntity(f"The Access Key with id {access_key_id} cannot be found.")
    return key


def switch_access_key(user: User, key: AccessKey, status: str, now: datetime) -> None:
    """Switch a locked key of a locked user on or off: what had deactivated it before has no say in it any more."""
    key.status, key.status_date = status, now
    key.save(update_fields=["status", "status_date"])
    Deactivation.objects.filter(key=key).delete()
    if user.lock_down is not None and key.access_key_id in user.lock_down["access_keys"]:
        # Somebody has decided on this key since: undoing the lock-down leaves it as it is now.
        user.lock_down["access_keys"].remove(key.access_key_id)
        user.save(update_fields=["lock_down"])


def give_device(device: MFADevice, user: User) -> None:
    """Enable a locked device, whose codes were just checked, for a locked user. Every session of the user ends."""
    device.user, device.enable_date, device.confirmed = user, timezone.now(), True
    device.last_used_date = None
    device.save(update_fields=["user", "enable_date", "last_used_date", "confirmed", "drift", "last_t"])
    throttle.forgive(user)
    end_sessions(user)


def release_device(device: MFADevice) -> None:
    """Take a locked device from its user. Virtual devices and hardware tokens can be enabled again, passkeys are gone."""
    user = device.user
    if device.has_codes:
        device.user, device.enable_date, device.confirmed = None, None, False
        device.save(update_fields=["user", "enable_date", "confirmed"])
    else:
        device.delete()
    if not MFADevice.objects.filter(user=user).exists():
        RecoveryCode.objects.filter(user=user).delete()


def release_devices(user: User) -> None:
    """Take every device from a locked user. Virtual devices go altogether: nobody else has what they were made with."""
    for device in MFADevice.objects.select_for_update(no_key=True).filter(user=user).order_by("pk"):
        release_device(device)
        if device.kind == MFADevice.Kind.VIRTUAL:
            device.delete()
