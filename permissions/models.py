"""Policies as they are stored: the documents are kept as given."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Count, Exists, OuterRef, Subquery
from django.db.models.functions import Coalesce, Left
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


class ManagedPolicyQuerySet(models.QuerySet["ManagedPolicy"]):
    """Managed policies, always asked for as one account sees them."""

    def own(self, account_id: str) -> Self:
        """The account's own."""
        return self.filter(account=account_id)

    def aws_managed(self) -> Self:
        """AWS's own, which every account sees."""
        return self.filter(account__isnull=True)

    def with_arn(self, account_id: str, policy_arn: str) -> Self:
        """The policy with that ARN, to the letter, if it is the account's own or one of AWS's; or none."""
        parts = arns.policy_parts(policy_arn)
        if parts is None or parts[0] not in (None, account_id):
            return self.none()
        owner, path, policy_name = parts
        visible = self.own(owner) if owner else self.aws_managed()
        return visible.filter(policy_name_key=policy_name.lower(), policy_name=policy_name, path=path)

    def under(self, path_prefix: str) -> Self:
        """Those whose path begins with the prefix, its case minded."""
        return self.alias(path_start=Left("path", len(path_prefix))).filter(path_start=path_prefix)

    def counted(self, account_id: str) -> Self:
        """Each with how many entities of the account it is attached to, and how many it bounds."""
        users = AttachedUserPolicy.objects.filter(user__account=account_id)
        groups = AttachedGroupPolicy.objects.filter(group__account=account_id)
        bounded = User.objects.get_queryset().filter(account=account_id, boundary=OuterRef("pk"))
        return self.annotate(
            attachment_count=_number_of(users.filter(policy=OuterRef("pk")), "policy")
            + _number_of(groups.filter(policy=OuterRef("pk")), "policy"),
            permissions_boundary_usage_count=_number_of(bounded, "boundary"),
        )

    def attached_in(self, account_id: str) -> Self:
        """Those that are attached to a user or group of the account."""
        users = AttachedUserPolicy.objects.filter(user__account=account_id, policy=OuterRef("pk"))
        groups = AttachedGroupPolicy.objects.filter(group__account=account_id, policy=OuterRef("pk"))
        return self.filter(Exists(users) | Exists(groups))

    def bounding_in(self, account_id: str) -> Self:
        """Those that bound a user of the account."""
        return self.filter(Exists(User.objects.filter(account=account_id, boundary=OuterRef("pk"))))

    def used_in(self, account_id: str) -> Self:
        """Those that are attached to, or bound, an entity of the account."""
        return self.attached_in(account_id) | self.bounding_in(account_id)


def _number_of(rows: models.QuerySet[models.Model], column: str) -> Coalesce:
    counted = rows.order_by().values(column).annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted), 0, output_field=models.IntegerField())


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

    # Of one account; `ManagedPolicyQuerySet.counted` reads them.
    attachment_count = 0
    permissions_boundary_usage_count = 0
    is_attachable = True

    objects = ManagedPolicyQuerySet.as_manager()

    class Meta:
        verbose_name = "policy"
        verbose_name_plural = "policies"
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
    def policy_arn(self) -> str:
        """The ARN, under the name it has in a list of what is attached."""
        return self.arn

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
