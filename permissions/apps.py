"""The app permissions."""

from django.apps import AppConfig


class PermissionsConfig(AppConfig):
    """Permissions."""

    name = "permissions"
    verbose_name = "Permissions"

    def ready(self) -> None:
        """Register the operations."""
        from permissions import operations  # noqa: F401
