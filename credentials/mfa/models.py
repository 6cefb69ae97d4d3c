"""MFA devices of every kind in one table, recovery codes, the budget of guesses, and the challenges of passkeys."""

import base64
import logging
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts import arns
from accounts.models import Account, User
from credentials import totp
from credentials.sealing import SealBrokenError

if TYPE_CHECKING:

    class Device(models.Model):
        """django-otp has no types; this is what is used of its own."""

        persistent_id: str

        class Meta:
            abstract = True

    class DeviceManager(models.Manager["MFADevice"]):
        """The same."""

else:
    from django_otp.models import Device, DeviceManager

SEALED_SEED = "credentials_mfadevice.sealed_seed"
log = logging.getLogger("iamconsole")


@dataclass(frozen=True)
class Attempt:
    """A code in its one spelling, and when it was given: what `django_otp.verify_token` hands to a device."""

    code: str
    now: datetime


class MFADevice(Device):
    """A second factor. While it is nobody's it lies ready to be enabled, in the account it was made in or imported into.

    Its seed is sealed; `verify_token` alone opens it, and `credentials.mfa.codes` when two codes prove whose it is.
    """

    class Kind(models.TextChoices):
        """What it is."""

        VIRTUAL = "virtual"
        HARDWARE = "hardware"
        PASSKEY = "passkey"
        SMS = "sms"

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="mfa_devices")
    kind = models.CharField(max_length=8, choices=Kind)
    serial_number = models.CharField(max_length=256)
    name = models.CharField(max_length=256)
    path = models.CharField(max_length=512, default="/")
    tags = models.JSONField(default=list)  # [{"key": …, "value": …}, …] in the order they were set
    create_date = models.DateTimeField(default=timezone.now)
    enable_date = models.DateTimeField(null=True)
    last_used_date = models.DateTimeField(null=True)  # when it last let its user in
    confirmed = models.BooleanField(default=False)  # enabled for a user; django-otp's word for it
    # Of those with codes
    sealed_seed = models.TextField(default="")
    period = models.PositiveSmallIntegerField(default=30)  # seconds
    drift = models.IntegerField(default=0)  # steps by which its clock is ahead of ours
    last_t = models.BigIntegerField(default=-1)  # the last step whose code was accepted; never less than it was
    # Of passkeys
    credential_id = models.CharField(max_length=1400, default="")  # base64url
    public_key = models.BinaryField(default=bytes)
    sign_count = models.BigIntegerField(default=0)
    # Of those that text messages go to
    phone_number = models.CharField(max_length=16, default="")

    objects: ClassVar[DeviceManager] = DeviceManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "serial_number"], name="mfa_serial_number_once_per_account"),
            models.UniqueConstraint(
                fields=["credential_id"], condition=~Q(credential_id=""), name="mfa_credential_id_once"
            ),
            models.CheckConstraint(
                condition=Q(user__isnull=True, enable_date__isnull=True, confirmed=False)
                | Q(user__isnull=False, enable_date__isnull=False, confirmed=True),
                name="mfa_device_is_enabled_or_not",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["virtual", "hardware", "passkey", "sms"]), name="mfa_device_kind"
            ),
            models.CheckConstraint(
                condition=Q(kind="passkey", sealed_seed="", phone_number="") & ~Q(credential_id="")
                | Q(kind="sms", sealed_seed="", credential_id="") & ~Q(phone_number="")
                | Q(kind__in=["virtual", "hardware"], credential_id="", phone_number="") & ~Q(sealed_seed=""),
                name="mfa_device_has_what_its_kind_needs",
            ),
        ]

    def __str__(self) -> str:
        return f"MFA device {self.pk}"

    @property
    def user_name(self) -> str | None:
        """Whose it is, or None for the root user's and for nobody's."""
        return self.user.user_name if self.user else None

    @property
    def arn(self) -> str:
        """What policies call it: its serial number where that is an ARN, as it is of all but hardware tokens."""
        if self.serial_number.startswith("arn:"):
            return self.serial_number
        return arns.iam(self.account_id, f"mfa/{self.serial_number}")

    @property
    def has_codes(self) -> bool:
        """Whether it shows codes of six digits by a seed."""
        return self.kind in (self.Kind.VIRTUAL, self.Kind.HARDWARE)

    @property
    def can_be_guessed(self) -> bool:
        """Whether its codes are so short that guesses are counted: all but a passkey's signature."""
        return self.kind != self.Kind.PASSKEY

    @property
    def kind_in_words(self) -> str:
        """What people call it."""
        return _IN_WORDS[self.Kind(self.kind)]

    @property
    def last_digits(self) -> str:
        """So much of its phone number as tells its owner which one it is."""
        return self.phone_number[-2:]

    @property
    def sealed_row(self) -> str:
        """The row's identity in the seal: a seed moved to another device or another account does not open."""
        return f"{self.account_id}/{self.serial_number}"

    def seal(self, seed: bytes) -> None:
        """Take a seed; saves nothing."""
        text = base64.b32encode(seed).decode()
        self.sealed_seed = settings.KEY_RING.seal(text, column=SEALED_SEED, row=self.sealed_row)

    def step(self, now: datetime) -> int:
        """The step that its clock shows."""
        return int(now.timestamp()) // self.period + self.drift

    def verify_token(self, token: Attempt) -> bool:
        """Whether the code is good, spending it. Called by `django_otp.verify_token` alone, which holds the row's lock."""
        if not (self.has_codes and self.confirmed):
            return False
        try:
            seed = seed_of(self)
        except SealBrokenError as error:
            log.critical("%s: no code of this device is good until it is replaced", error)
            return False
        step = totp.find(seed, token.code, self.step(token.now), after=self.last_t)
        if step is None:
            return False
        changes: dict[str, Any] = {"last_t": step, "last_used_date": token.now}
        if self.kind == self.Kind.HARDWARE:
            changes["drift"] = self.drift + step - self.step(token.now)
        return bool(MFADevice.objects.filter(pk=self.pk, last_t__lt=step).update(**changes))


_IN_WORDS = {
    MFADevice.Kind.VIRTUAL: "Authenticator app",
    MFADevice.Kind.HARDWARE: "Hardware token",
    MFADevice.Kind.PASSKEY: "Passkey or security key",
    MFADevice.Kind.SMS: "Text message",
}


class _Kind(DeviceManager):
    """The devices of one kind."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def get_queryset(self) -> Any:
        """Those of the kind."""
        return super().get_queryset().filter(kind=self.kind)


class VirtualMFADevice(MFADevice):
    """An app that was shown the seed."""

    objects: ClassVar[DeviceManager] = _Kind("virtual")

    class Meta:
        proxy = True


class HardwareToken(MFADevice):
    """A token that came with its seed in a file of its vendor."""

    objects: ClassVar[DeviceManager] = _Kind("hardware")

    class Meta:
        proxy = True


class Passkey(MFADevice):
    """A passkey or security key (FIDO2). It signs challenges and has no codes."""

    objects: ClassVar[DeviceManager] = _Kind("passkey")

    class Meta:
        proxy = True


class SMSNumber(MFADevice):
    """A phone number that codes are sent to."""

    objects: ClassVar[DeviceManager] = _Kind("sms")

    class Meta:
        proxy = True


class RecoveryCode(models.Model):
    """A code for the day the devices are lost. Only a digest of it is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    code_digest = models.CharField(max_length=64)
    create_date = models.DateTimeField(default=timezone.now)
    used_date = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "code_digest"], name="recovery_code_once_per_user")
        ]

    def __str__(self) -> str:
        return f"recovery code {self.pk}"


class GuessBudget(models.Model):
    """How many guesses at second factors a user has left (`credentials.mfa.throttle`).

    The times, in milliseconds since 1970, are those at which a window is empty again: GCRA's theoretical arrival times. Those of
    a key are of the guesses that came by one.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="guess_budget")
    five_minutes = models.BigIntegerField(default=0)
    hour = models.BigIntegerField(default=0)
    day = models.BigIntegerField(default=0)
    key_five_minutes = models.BigIntegerField(default=0)
    key_hour = models.BigIntegerField(default=0)
    key_day = models.BigIntegerField(default=0)
    # Wrong guesses since a new device or an administrator ended the counts: all of them, and of these those by a key.
    failures = models.PositiveIntegerField(default=0)
    key_failures = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"guesses at the second factors of user {self.user_id}"


class WrongCodes(models.Model):
    """How many of the failures that add up a session of the console has given: what a right code in it takes back.

    No more rows of a user than failures may add up, after which the counts begin anew and these go.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    session_id = models.CharField(max_length=64)
    count = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "session_id"], name="wrong_codes_once_per_session")
        ]

    def __str__(self) -> str:
        return f"wrong codes of user {self.user_id} in a session"


class TextCode(models.Model):
    """A code that was sent by text message, kept as its digest; kept for an hour, so that messages can be counted."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="text_codes")
    phone_number = models.CharField(max_length=16)
    purpose = models.CharField(max_length=100)
    code_digest = models.CharField(max_length=64)
    tries = models.PositiveSmallIntegerField(default=0)
    spent = models.BooleanField(default=False)
    create_date = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"text code {self.pk}"


class PasskeyChallenge(models.Model):
    """What a passkey must sign: once, within five minutes, by whom and for what it was made."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="passkey_challenges")
    challenge = models.BinaryField()
    purpose = models.CharField(max_length=100)
    expire_date = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"challenge {self.pk}"


class MFARequirement(models.Model):
    """That an account demands a second factor of its console users: from a day on (UTC), and after so many days of grace."""

    account = models.OneToOneField(Account, primary_key=True, on_delete=models.CASCADE, related_name="mfa_requirement")
    start_date = models.DateField()
    grace_period_days = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(grace_period_days__lte=90), name="mfa_requirement_grace")
        ]

    def __str__(self) -> str:
        return f"MFA requirement of {self.account_id}"


def seed_of(device: MFADevice) -> bytes:
    """The seed of a device. Raises `sealing.SealBrokenError`."""
    text = settings.KEY_RING.unseal(device.sealed_seed, column=SEALED_SEED, row=device.sealed_row)
    return base64.b32decode(text)
