"""Policies as they are stored: the documents are kept as given."""

from typing import ClassVar

from django.db import models

from accounts.fields import ByteOrderedCharField
from accounts.models import User


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
