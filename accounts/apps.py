"""The app accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Accounts and users."""

    name = "accounts"
    verbose_name = "Accounts and users"

    def ready(self) -> None:
        """Register the operations."""
        from accounts import operations  # noqa: F401
