"""The app audit."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Audit."""

    name = "audit"
    verbose_name = "Audit"

    def ready(self) -> None:
        """Register the operations."""
        from audit import operations  # noqa: F401
