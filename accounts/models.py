"""Accounts, users, groups, the sessions of users in browsers, how often they may try, and links for a first password."""

from datetime import datetime
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import Q
from django.db.models.functions import Left, Now
from django.utils import timezone

from accounts import arns
from accounts.browsers import browser_name
from accounts.fields import ByteOrderedCharField
from accounts.job_models import Job  # noqa: F401 - Django looks for an app's models here
from accounts.list_models import UserListView  # noqa: F401 - Django looks for an app's models here


class Account(models.Model):
    """Twelve digits that own users and everything users own. Nothing crosses from one account to another."""

    account_id = models.CharField(primary_key=True, max_length=12, default=arns.new_account_id)
    name = models.CharField(max_length=50)
    alias = models.CharField(max_length=63, null=True)  # noqa: DJ001 - NULL is "none", and unique beside it
    create_date = models.DateTimeField(default=timezone.now)
    # Grows with every change that touches permissions; compiled policies are kept under it.
    policy_epoch = models.BigIntegerField(default=0)
    quotas = models.JSONField(default=dict)  # {"UsersPerAccount": 8000}: those that differ from AWS's defaults
    access_key_maximum_days = models.PositiveSmallIntegerField(null=True)  # how long new access keys live at most

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["alias"], name="account_alias_once")]

    def __str__(self) -> str:
        return self.account_id

    @property
    def label(self) -> str:
        """What people call it: the alias, or the digits."""
        return self.alias or self.account_id

    @property
    def sign_in_url(self) -> str:
        """Where this account's users sign in."""
        return f"{settings.PUBLIC_URL}/signin/{self.label}/"


class UserQuerySet(models.QuerySet["User"]):
    """Users, always asked for by account."""

    def in_account(self, account: Account | str) -> Self:
        """The IAM users of one account, without its root user."""
        return self.filter(account=account, user_name_key__isnull=False)  # as an index has it

    def named(self, account: Account | str, user_name: str) -> Self:
        """The user of that name, whatever its case, or none."""
        return self.in_account(account).filter(user_name_key=user_name.lower())

    def active(self, now: datetime) -> Self:
        """Those who may authenticate at all: `User.is_active_at` in SQL."""
        over = Q(suspended_until__isnull=False, suspended_until__lte=now)
        return self.filter(Q(suspended_date__isnull=True) | over, Q(end_date__isnull=True) | Q(end_date__gt=now))

    def who_may_authenticate(self, account: Account | str) -> Self:
        """The IAM users of one account who may prove who they are now."""
        return self.in_account(account).active(timezone.now())

    def under(self, path_prefix: str) -> Self:
        """Those whose path begins with the prefix, its case minded: SQLite's LIKE, which startswith is, would not mind it."""
        return self.alias(path_start=Left("path", len(path_prefix))).filter(path_start=path_prefix)


class UserManager(BaseUserManager["User"]):
    """Makes users; the querysets are `UserQuerySet`'s."""

    def get_queryset(self) -> UserQuerySet:
        """Every user."""
        return UserQuerySet(self.model, using=self._db)

    def in_account(self, account: Account | str) -> UserQuerySet:
        """See `UserQuerySet.in_account`."""
        return self.get_queryset().in_account(account)

    def who_may_authenticate(self, account: Account | str) -> UserQuerySet:
        """See `UserQuerySet.who_may_authenticate`."""
        return self.get_queryset().who_may_authenticate(account)

    def named(self, account: Account | str, user_name: str) -> UserQuerySet:
        """See `UserQuerySet.named`."""
        return self.get_queryset().named(account, user_name)

    def active(self, now: datetime) -> UserQuerySet:
        """See `UserQuerySet.active`."""
        return self.get_queryset().active(now)


class User(AbstractBaseUser):  # type: ignore[django-manager-missing] # django-otp's managers have no types
    """An IAM user of an account, or (without a name) the account's root user. A new one has no credentials at all."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="users")
    user_id = models.CharField(max_length=21, unique=True)
    user_name = models.CharField(max_length=64, null=True)  # noqa: DJ001 - NULL is the root user
    user_name_key = ByteOrderedCharField(max_length=64, null=True)
    path = models.CharField(max_length=512, default="/")
    tags = models.JSONField(default=list)  # [{"key": …, "value": …}, …] in the order they were set
    email = models.EmailField(null=True)  # noqa: DJ001 - the root user's; lower case
    create_date = models.DateTimeField(default=timezone.now)
    password_last_used = models.DateTimeField(null=True)
    password_last_changed = models.DateTimeField(null=True)
    # Grows with whatever must end every session of the user at once.
    auth_epoch = models.BigIntegerField(default=0)
    # Set while the user is suspended, until a time or until somebody reactivates the user.
    suspended_date = models.DateTimeField(null=True)
    suspended_until = models.DateTimeField(null=True)
    suspension_reason = models.CharField(max_length=256, default="", db_default="")
    end_date = models.DateTimeField(null=True)  # from then on the user is as suspended
    # What a lock-down found and undoing it brings back; see `accounts.operations.suspension`.
    lock_down = models.JSONField(null=True)
    boundary = models.ForeignKey(
        "permissions.ManagedPolicy", null=True, on_delete=models.PROTECT, related_name="bounded_users"
    )
    last_login = None

    USERNAME_FIELD = "user_id"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        # The orders that the list of users is shown in, beside that of the names.
        indexes: ClassVar = [
            models.Index(fields=["account", "path", "user_name_key"], name="users_by_path"),
            models.Index(fields=["account", "create_date", "id"], name="users_by_creation"),
            models.Index(fields=["account", "password_last_used", "id"], name="users_by_last_sign_in"),
            models.Index(fields=["account", "password_last_changed", "id"], name="users_by_password_age"),
            # Most users have none; SQLite holds an index that is all NULL useless and would read every user.
            models.Index(fields=["account", "boundary"], condition=Q(boundary__isnull=False), name="users_by_boundary"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "user_name_key"], name="user_name_once_per_account"),
            models.UniqueConstraint(
                fields=["account"], condition=Q(user_name__isnull=True), name="one_root_user_per_account"
            ),
            models.UniqueConstraint(fields=["email"], name="root_email_once"),
            models.CheckConstraint(
                condition=Q(user_name__isnull=True, user_name_key__isnull=True, email__isnull=False)
                | Q(user_name__isnull=False, user_name_key__isnull=False, email__isnull=True),
                name="root_has_email_others_have_names",
            ),
            models.CheckConstraint(
                condition=Q(user_name__isnull=False)
                | Q(suspended_date__isnull=True, end_date__isnull=True, lock_down__isnull=True),
                name="root_is_never_suspended",
            ),
            models.CheckConstraint(
                condition=Q(suspended_date__isnull=False) | Q(suspended_until__isnull=True, suspension_reason=""),
                name="suspended_until_only_if_suspended",
            ),
        ]

    def __str__(self) -> str:
        return self.user_id

    @property
    def is_root(self) -> bool:
        """Whether this is the account's root user."""
        return self.user_name is None

    @property
    def arn(self) -> str:
        """The user's ARN, which changes with name and path."""
        return (
            arns.root(self.account_id)
            if self.user_name is None
            else arns.user(self.account_id, self.path, self.user_name)
        )

    @property
    def label(self) -> str:
        """What people call the user in messages."""
        return self.user_name or "root user"

    def is_suspended_at(self, now: datetime) -> bool:
        """Whether somebody has suspended the user, and not only until a time that is over."""
        return self.suspended_date is not None and (self.suspended_until is None or now < self.suspended_until)

    def is_active_at(self, now: datetime) -> bool:
        """Whether the user may authenticate at all. Every door asks this, of a row it has loaded anyway.

        What one comes in by says nothing of it: a key, a token, a password, a certificate are good only with a user who is.
        """
        return not self.is_suspended_at(now) and (self.end_date is None or now < self.end_date)

    @property
    def boundary_arn(self) -> str:
        """The ARN of the permissions boundary, empty when there is none."""
        return self.boundary.arn if self.boundary else ""

    @property
    def permissions_boundary(self) -> dict[str, str] | None:
        """The permissions boundary as AWS answers it."""
        if not self.boundary:
            return None
        return {"permissions_boundary_type": "Policy", "permissions_boundary_arn": self.boundary.arn}

    def rename(self, user_name: str) -> None:
        """Set the name and its key; saves nothing."""
        self.user_name = user_name
        self.user_name_key = user_name.lower()

    def get_session_auth_hash(self) -> str:
        """Django ends sessions whose hash differs: with every new epoch and every new password, but not if it is hashed anew."""
        return self._session_hash()

    def get_session_auth_fallback_hash(self) -> Any:
        """The same under the secret keys that are being phased out."""
        for secret in settings.SECRET_KEY_FALLBACKS:
            yield self._session_hash(secret)

    def _session_hash(self, secret: str | None = None) -> str:
        from django.utils.crypto import salted_hmac

        value = f"{self.pk}:{self.auth_epoch}:{self.password_last_changed}"
        return salted_hmac("accounts.User.session", value, secret=secret, algorithm="sha256").hexdigest()


class GroupQuerySet(models.QuerySet["Group"]):
    """Groups, always asked for by account."""

    def in_account(self, account: Account | str) -> Self:
        """The groups of one account."""
        return self.filter(account=account)

    def named(self, account: Account | str, group_name: str) -> Self:
        """The group of that name, whatever its case, or none."""
        return self.in_account(account).filter(group_name_key=group_name.lower())

    def under(self, path_prefix: str) -> Self:
        """Those whose path begins with the prefix, its case minded."""
        return self.alias(path_start=Left("path", len(path_prefix))).filter(path_start=path_prefix)


class Group(models.Model):
    """A group of users of one account. Its policies are its members'."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="groups")
    group_id = models.CharField(max_length=21, unique=True)
    group_name = models.CharField(max_length=128)
    group_name_key = ByteOrderedCharField(max_length=128)
    path = models.CharField(max_length=512, default="/")
    create_date = models.DateTimeField(default=timezone.now)
    users = models.ManyToManyField(User, through="Membership", related_name="groups")

    objects = GroupQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "group_name_key"], name="group_name_once_per_account")
        ]

    def __str__(self) -> str:
        return self.group_id

    @property
    def arn(self) -> str:
        """The group's ARN, which changes with name and path."""
        return arns.group(self.account_id, self.path, self.group_name)

    def rename(self, group_name: str) -> None:
        """Set the name and its key; saves nothing."""
        self.group_name = group_name
        self.group_name_key = group_name.lower()


class Membership(models.Model):
    """A user in a group."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["group", "user"], name="membership_once")]

    def __str__(self) -> str:
        return f"user {self.user_id} in group {self.group_id}"


class Session(AbstractBaseSession):
    """A browser's session. The key is stored as its SHA-256, so a copy of the table opens nothing."""

    session_key = models.CharField(max_length=64, primary_key=True)
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="sessions")
    create_date = models.DateTimeField(default=timezone.now)
    last_seen_date = models.DateTimeField(default=timezone.now, db_default=Now())  # to the minute
    source_ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=300, default="")
    # What it is called in lists, whatever keys it gets when its user proves who it is: its first key's SHA-256. It opens nothing.
    session_id = models.CharField(max_length=64, default="", db_default="", db_index=True)
    current = False  # whether it is the caller's own; listings set it

    def __str__(self) -> str:
        return f"session {self.user_id or 'of nobody yet'}"

    @property
    def browser(self) -> str:
        """The browser and its system, as far as it told."""
        return browser_name(self.user_agent)

    @classmethod
    def get_session_store_class(cls) -> type:
        """The engine in ``accounts.sessions``."""
        from accounts.sessions import SessionStore

        return SessionStore


class SetupLinkQuerySet(models.QuerySet["SetupLink"]):
    """Set-up links, always asked for by user."""

    def open_of(self, user: User) -> Self:
        """Those of the user that nobody has used yet, expired or not."""
        return self.filter(user=user, used_date__isnull=True)


class SetupLink(models.Model):
    """A one-time link by which a user chooses a password. Only a digest of its token is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="setup_links")
    token_digest = models.CharField(max_length=64)
    create_date = models.DateTimeField(default=timezone.now)
    expire_date = models.DateTimeField()
    used_date = models.DateTimeField(null=True)

    objects = SetupLinkQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["token_digest"], name="setup_token_once")]

    def __str__(self) -> str:
        return f"set-up link of {self.user_id}"

    @property
    def user_name(self) -> str | None:
        """The user's name."""
        return self.user.user_name

    def is_open(self, now: datetime) -> bool:
        """Whether it can still be used."""
        return self.used_date is None and now < self.expire_date


class SpentNonce(models.Model):
    """A form that has shown its one-time secret: the same form can not show another."""

    nonce = models.CharField(max_length=64)
    spent_date = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["nonce"], name="nonce_spent_once")]

    def __str__(self) -> str:
        return f"nonce spent {self.spent_date}"


class Throttle(models.Model):
    """A budget of tries that is not full. What it is for stands in it as a digest alone: people type passwords into any field."""

    key = models.CharField(max_length=64, primary_key=True)
    # The theoretical arrival time of the generic cell rate algorithm, in microseconds since 1970. A row whose time is past
    # says no more than no row.
    tat = models.BigIntegerField(db_index=True)

    def __str__(self) -> str:
        return f"throttle {self.key[:8]}"
