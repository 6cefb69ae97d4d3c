"""The app audit."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Audit."""

    name = "audit"
    verbose_name = "Audit"
