"""The app permissions."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.db.models.signals import post_migrate


class PermissionsConfig(AppConfig):
    """Permissions."""

    name = "permissions"
    verbose_name = "Permissions"

    def ready(self) -> None:
        """Register the operations, and have AWS's policies there whenever the tables are."""
        from permissions import operations  # noqa: F401

        post_migrate.connect(_bring_catalogue, sender=self)


def _bring_catalogue(*, using: str, **_: Any) -> None:
    from permissions.aws_managed import catalogue
    from permissions.catalogue import synchronise

    # Migrated in part or backwards, the tables are not those of the models.
    executor = MigrationExecutor(connections[using])
    if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
        synchronise(catalogue())
