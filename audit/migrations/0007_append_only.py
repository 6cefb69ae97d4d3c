from typing import Any

from django.db import migrations

from audit import triggers


def create(apps: Any, schema_editor: Any) -> None:
    """Make the triggers."""
    for statement in triggers.create(schema_editor.connection.vendor):
        schema_editor.execute(statement, params=None)


def drop(apps: Any, schema_editor: Any) -> None:
    """Take them off."""
    for statement in triggers.drop(schema_editor.connection.vendor):
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    """Let the database refuse to change or delete events."""

    dependencies = [("audit", "0006_found_by")]

    operations = [migrations.RunPython(create, drop)]
