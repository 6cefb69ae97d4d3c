"""Policies as they are stored: the documents are kept as given."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from accounts import arns
from accounts.fields import ByteOrderedCharField
from accounts.models import Account, Group, User


class UserPolicy(models.Model):
    """An inline policy of a user."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="policies")
    policy_name = models.CharField(max_length=128)
    policy_name_key = ByteOrderedCharField(max_length=128)
    policy_document = models.TextField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "policy_name_key"], name="user_policy_name_once")
        ]

    def __str__(self) -> str:
        return f"{self.policy_name} of {self.user_id}"

    @property
    def user_name(self) -> str | None:
        """The owner's name."""
        return self.user.user_name


class GroupPolicy(models.Model):
    """An inline policy of a group."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="policies")
    policy_name = models.CharField(max_length=128)
    policy_name_key = ByteOrderedCharField(max_length=128)
    policy_document = models.TextField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["group", "policy_name_key"], name="group_policy_name_once")
        ]

    def __str__(self) -> str:
        return f"{self.policy_name} of {self.group_id}"

    @property
    def group_name(self) -> str:
        """The owner's name."""
        return self.group.group_name


class ManagedPolicy(models.Model):
    """A managed policy: a customer's, of one account, or one of AWS's own, which every account sees and none changes."""

    account = models.ForeignKey(Account, null=True, on_delete=models.PROTECT, related_name="managed_policies")
    policy_id = models.CharField(max_length=21, unique=True)
    policy_name = models.CharField(max_length=128)
    policy_name_key = ByteOrderedCharField(max_length=128)
    path = models.CharField(max_length=512, default="/")
    description = models.CharField(max_length=1000, default="")
    tags = models.JSONField(default=list)  # [{"key": …, "value": …}, …] in the order they were set
    create_date = models.DateTimeField(default=timezone.now)
    update_date = models.DateTimeField(default=timezone.now)
    default_version_number = models.PositiveIntegerField(default=1)
    # Numbers are not given twice, not even after a version was deleted.
    latest_version_number = models.PositiveIntegerField(default=1)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "policy_name_key"], name="managed_policy_name_once_per_account"),
            models.UniqueConstraint(
                fields=["policy_name_key"],
                condition=models.Q(account__isnull=True),
                name="aws_managed_policy_name_once",
            ),
        ]

    def __str__(self) -> str:
        return self.policy_id

    @property
    def arn(self) -> str:
        """The policy's ARN."""
        return arns.policy(self.account_id, self.path, self.policy_name)

    @property
    def is_aws_managed(self) -> bool:
        """Whether it is one of AWS's own."""
        return self.account_id is None

    @property
    def default_version_id(self) -> str:
        """The version in force: ``v3``."""
        return f"v{self.default_version_number}"


class PolicyVersion(models.Model):
    """One version of a managed policy; versions are never changed."""

    policy = models.ForeignKey(ManagedPolicy, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    document = models.TextField()
    create_date = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["policy", "number"], name="policy_version_once")]

    def __str__(self) -> str:
        return f"{self.policy_id} {self.version_id}"

    @property
    def version_id(self) -> str:
        """AWS's name of the version: ``v3``."""
        return f"v{self.number}"

    @property
    def is_default_version(self) -> bool:
        """Whether it is in force."""
        return self.number == self.policy.default_version_number


class AttachedUserPolicy(models.Model):
    """A managed policy attached to a user."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="attached_policies")
    policy = models.ForeignKey(ManagedPolicy, on_delete=models.PROTECT, related_name="attached_users")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "policy"], name="attached_to_user_once")]

    def __str__(self) -> str:
        return f"{self.policy_id} on user {self.user_id}"


class AttachedGroupPolicy(models.Model):
    """A managed policy attached to a group."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="attached_policies")
    policy = models.ForeignKey(ManagedPolicy, on_delete=models.PROTECT, related_name="attached_groups")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["group", "policy"], name="attached_to_group_once")]

    def __str__(self) -> str:
        return f"{self.policy_id} on group {self.group_id}"
