"""What becomes of an unused credential: announced, deactivated, and until it is deleted all that brings it back."""

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import Q

from accounts.models import Account, User

if TYPE_CHECKING:
    from credentials.models import AccessKey


class Deactivation(models.Model):
    """A credential that the nightly run has announced to deactivate, or that is deactivated.

    Of a password, which AWS can only delete, all that it was is kept here: there is no login profile meanwhile, so no door has
    to ask whether it may be used.
    """

    class Kind(models.TextChoices):
        """What it is of."""

        PASSWORD = "Password"  # noqa: S105 - a kind
        ACCESS_KEY = "AccessKey"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="deactivations")
    kind = models.CharField(max_length=9, choices=Kind)
    key: "models.OneToOneField[AccessKey | None, AccessKey | None]" = models.OneToOneField(
        "credentials.AccessKey", null=True, on_delete=models.CASCADE, related_name="deactivation"
    )
    due_date = models.DateTimeField(null=True)  # as it was announced; None where somebody did it by hand
    deactivate_date = models.DateTimeField(null=True)  # None while it is only announced
    automatic = models.BooleanField(default=False)  # by the nightly run, which may then delete it
    # Of a deactivated password
    encoded = models.CharField(max_length=128, default="")
    profile = models.JSONField(default=dict)  # its login profile, and when it was last changed

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user"], condition=Q(kind="Password"), name="deactivated_password_once"),
            models.CheckConstraint(
                condition=Q(kind="Password", key__isnull=True) | Q(kind="AccessKey", key__isnull=False),
                name="deactivation_of_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(due_date__isnull=False) | Q(deactivate_date__isnull=False), name="deactivation_has_a_date"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["account", "deactivate_date"], name="deactivations_of_account")]

    def __str__(self) -> str:
        return f"deactivation {self.pk}"

    @property
    def user_name(self) -> str | None:
        """Whose it is."""
        return self.user.user_name

    @property
    def credential_type(self) -> str:
        """What it is of."""
        return self.kind

    @property
    def access_key_id(self) -> str | None:
        """The key, if it is one."""
        return self.key.access_key_id if self.key else None

    def has_stayed(self) -> bool:
        """Whether nobody has decided on the credential since: a key that was switched by its id is not the run's any more."""
        key = self.key
        return key is None or (key.status == "Inactive" and key.status_date == self.deactivate_date)

    def moment(self, name: str) -> datetime | None:
        """A time that the login profile had."""
        return datetime.fromisoformat(self.profile[name]) if self.profile.get(name) else None
