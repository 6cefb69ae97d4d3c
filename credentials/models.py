"""What users prove themselves with: passwords and their policy, access keys, and the tokens of other services."""

import hashlib
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

import credentials.certificate_models
import credentials.mfa.models
import credentials.reports.models
import credentials.service_credentials
import credentials.ssh.models
import credentials.unused.models  # noqa: F401 - Django looks for an app's models here
from accounts import arns
from accounts.models import Account, SetupLink, User
from credentials.secrets import new_secret_access_key, new_service_token

SEALED_SECRET = "credentials_accesskey.sealed_secret"  # noqa: S105 - the name of a column


class LoginProfile(models.Model):
    """A user's access to the console. The password's hash lives on the user."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="login_profile")
    create_date = models.DateTimeField(default=timezone.now)
    password_reset_required = models.BooleanField(default=False)
    # Of a first password that was generated: until then it can be changed, and used for nothing else.
    password_expire_date = models.DateTimeField(null=True)
    status_date = models.DateTimeField(null=True)  # when it was last given back after it had been deactivated

    def __str__(self) -> str:
        return f"login profile of {self.user_id}"

    @property
    def user_name(self) -> str | None:
        """The user's name."""
        return self.user.user_name

    @property
    def setup_link(self) -> SetupLink | None:
        """The link by which the user is to choose a password, open or expired, while there is none."""
        return None if self.user.has_usable_password() else SetupLink.objects.open_of(self.user).first()

    @property
    def must_change(self) -> bool:
        """Whether the next sign-in asks for another password: it was demanded, or this one was generated."""
        return self.password_reset_required or self.password_expire_date is not None


class PasswordPolicy(models.Model):
    """An account's own password policy, with AWS's fields and defaults. What is None was not set, and is not told."""

    account = models.OneToOneField(Account, primary_key=True, on_delete=models.CASCADE, related_name="password_policy")
    minimum_password_length = models.PositiveSmallIntegerField(default=6)
    require_symbols = models.BooleanField(default=False)
    require_numbers = models.BooleanField(default=False)
    require_uppercase_characters = models.BooleanField(default=False)
    require_lowercase_characters = models.BooleanField(default=False)
    allow_users_to_change_password = models.BooleanField(default=False)
    max_password_age = models.PositiveSmallIntegerField(null=True)  # days
    password_reuse_prevention = models.PositiveSmallIntegerField(null=True)  # passwords before the current one
    hard_expiry = models.BooleanField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(minimum_password_length__range=(6, 128)), name="password_policy_length"
            ),
            models.CheckConstraint(condition=models.Q(max_password_age__range=(1, 1095)), name="password_policy_age"),
            models.CheckConstraint(
                condition=models.Q(password_reuse_prevention__range=(1, 24)), name="password_policy_reuse"
            ),
        ]

    def __str__(self) -> str:
        return f"password policy of {self.account_id}"

    @classmethod
    def of(cls, account: Account | str) -> "PasswordPolicy | None":
        """The account's, or None where AWS's default holds."""
        return cls.objects.filter(account=account).first()

    @property
    def expire_passwords(self) -> bool:
        """Whether passwords expire."""
        return self.max_password_age is not None

    @property
    def required_classes(self) -> tuple[bool, bool, bool, bool]:
        """Whether upper-case letters, lower-case letters, digits and symbols are required."""
        return (
            self.require_uppercase_characters,
            self.require_lowercase_characters,
            self.require_numbers,
            self.require_symbols,
        )


class PasswordHistory(models.Model):
    """A password that a user had before, as its hash: kept only while the account's policy forbids to use it again."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="password_history")
    encoded = models.CharField(max_length=128)
    create_date = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"earlier password of {self.user_id}"

    @classmethod
    def newest(cls, user: User) -> "models.QuerySet[PasswordHistory]":
        """The user's, the last one first."""
        return cls.objects.filter(user=user).order_by("-pk")

    @classmethod
    def forget_beyond(cls, account: Account, kept: int) -> None:
        """Forget what is beyond the last so many of each user of the account, inside the running transaction."""
        rank = Window(RowNumber(), partition_by="user", order_by=F("pk").desc())
        beyond = cls.objects.filter(user__account=account).annotate(rank=rank).filter(rank__gt=kept)
        cls.objects.filter(pk__in=beyond.values("pk")).delete()


class AccessKey(models.Model):
    """An access key. Its secret is sealed; `credentials.access_keys` alone opens it, to check a signature."""

    class Status(models.TextChoices):
        """Whether it signs."""

        ACTIVE = "Active"
        INACTIVE = "Inactive"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="access_keys")
    access_key_id = models.CharField(max_length=20, unique=True)
    sealed_secret = models.TextField()
    status = models.CharField(max_length=8, choices=Status, default=Status.ACTIVE)
    create_date = models.DateTimeField(default=timezone.now)
    last_used_date = models.DateTimeField(null=True)
    last_used_service = models.CharField(max_length=32, default="N/A")
    last_used_region = models.CharField(max_length=64, default="N/A")
    last_used_address = models.CharField(max_length=45, default="", db_default="")
    description = models.CharField(max_length=256, default="", db_default="")
    expire_date = models.DateTimeField(null=True)
    status_date = models.DateTimeField(null=True)  # when it was last switched on or off
    # The key it is to take over from, which is still there: a rotation under way.
    replaces = models.OneToOneField("self", null=True, on_delete=models.SET_NULL, related_name="replaced_by")

    class Meta:
        indexes: ClassVar = [
            # What is asked of all keys of an account, answered without reading them.
            models.Index(
                fields=["user", "last_used_date", "status", "expire_date", "create_date", "status_date"],
                name="access_keys_by_use",
            )
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(status__in=["Active", "Inactive"]), name="access_key_status")
        ]

    def __str__(self) -> str:
        return self.access_key_id

    @property
    def user_name(self) -> str | None:
        """The owner's name, or None for the root user."""
        return self.user.user_name

    @property
    def active(self) -> bool:
        """Whether it signs now."""
        return self.is_good(timezone.now())

    def is_good(self, now: datetime) -> bool:
        """Whether it signs: switched on and not expired."""
        return self.status == self.Status.ACTIVE and (self.expire_date is None or now < self.expire_date)

    @property
    def has_expired(self) -> bool:
        """Whether its time is over."""
        return self.expire_date is not None and timezone.now() >= self.expire_date

    @property
    def state(self) -> str:
        """AWS's word for whether it signs: Active, Inactive, or Expired."""
        return "Expired" if self.has_expired else str(self.status)

    @property
    def access_key_last_used(self) -> dict[str, Any]:
        """AWS's AccessKeyLastUsed: service and region are N/A, and there is no date, while it is unused."""
        return {
            "last_used_date": self.last_used_date,
            "service_name": self.last_used_service,
            "region": self.last_used_region,
        }

    @classmethod
    def issue(
        cls, user: User, *, life: timedelta | None = None, description: str = "", replaces: "AccessKey | None" = None
    ) -> tuple["AccessKey", str]:
        """Make and save a key for ``user``; returns it with its secret, which is not to be had again."""
        secret, now = new_secret_access_key(), timezone.now()
        key = cls(user=user, access_key_id=arns.new_access_key_id(user.account_id), create_date=now)
        key.expire_date = now + life if life else None
        key.description, key.replaces = description, replaces
        key.sealed_secret = settings.KEY_RING.seal(secret, column=SEALED_SECRET, row=key.sealed_row)
        key.save(force_insert=True)
        return key, secret

    @property
    def sealed_row(self) -> str:
        """The row's identity in the seal: a secret moved to another key or another account does not open."""
        return f"{self.user.account_id}/{self.user.user_id}/{self.access_key_id}"


class ServiceToken(models.Model):
    """A token by which another service asks this one who signed a request and what they may. Only its digest is kept.

    It acts as its user: that user's policies say what it may ask.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="service_tokens")
    service_token_id = models.CharField(max_length=21, unique=True)
    token_digest = models.CharField(max_length=64)  # SHA-256, hexadecimal
    description = models.CharField(max_length=256, default="")
    create_date = models.DateTimeField(default=timezone.now)
    expire_date = models.DateTimeField()
    last_used_date = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["token_digest"], name="service_token_once")]

    def __str__(self) -> str:
        return self.service_token_id

    @property
    def user_name(self) -> str | None:
        """The owner's name."""
        return self.user.user_name

    @classmethod
    def issue(cls, user: User, *, description: str, life: timedelta) -> tuple["ServiceToken", str]:
        """Make and save a token for ``user``; returns it with its text, which is not to be had again."""
        text, now = new_service_token(), timezone.now()
        token = cls(
            user=user,
            service_token_id=arns.new_unique_id("ISTK"),
            token_digest=cls.digest(text),
            description=description,
            create_date=now,
            expire_date=now + life,
        )
        token.save(force_insert=True)
        return token, text

    @staticmethod
    def digest(text: str) -> str:
        """What is kept of a token. Looking it up by this compares nothing of the token itself, so time tells nothing of it."""
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def has_expired(self) -> bool:
        """Whether its time is over."""
        return not self.is_good(timezone.now())

    def is_good(self, now: datetime) -> bool:
        """Whether it has not expired."""
        return now < self.expire_date
