"""How each user has the list of users: which columns, how many rows on a page, and views by name."""

from typing import ClassVar, Final

from django.db import models
from django.utils import timezone

# The columns beside the user's name, in their order; AWS's console shows the first eight unless others are chosen.
COLUMN_NAMES: Final = (
    "path", "groups", "last_activity", "mfa", "password_age", "last_sign_in", "access_keys", "active_key_age",
    "access_key_last_used", "arn", "created", "console_access", "signing_certificates",
)  # fmt: skip
DEFAULT_COLUMNS: Final = COLUMN_NAMES[:8]
PAGE_SIZES: Final = (20, 50, 100, 200)
DEFAULT_PAGE_SIZE: Final = 50


def default_columns() -> list[str]:
    """The columns of who has chosen none."""
    return list(DEFAULT_COLUMNS)


class UserListView(models.Model):
    """A view of the list of users, of one user's own. The one without a name is how the list opens."""

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="user_list_views")
    view_name = models.CharField(max_length=64, default="")
    columns = models.JSONField(default=default_columns)
    page_size = models.PositiveSmallIntegerField(default=DEFAULT_PAGE_SIZE)
    query = models.CharField(max_length=1024, default="")  # filters, search and order, as the address has them
    create_date = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "view_name"], name="user_list_view_once"),
        ]

    def __str__(self) -> str:
        return f"view of {self.user_id}"
