"""The app credentials."""

from django.apps import AppConfig


class CredentialsConfig(AppConfig):
    """Credentials."""

    name = "credentials"
    verbose_name = "Credentials"

    def ready(self) -> None:
        """Register the operations."""
        from credentials import operations  # noqa: F401
