"""The app accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Accounts and users."""

    name = "accounts"
    verbose_name = "Accounts and users"

    def ready(self) -> None:
        """Register the operations, and the work that is a row of them."""
        from accounts import operations, user_changes  # noqa: F401
