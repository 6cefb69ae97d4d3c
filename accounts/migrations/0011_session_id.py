"""Sessions: an id that stays when the key is exchanged."""

from typing import Any

from django.db import migrations, models
from django.db.models import F


def name_by_key(apps: Any, schema_editor: Any) -> None:
    """A session that is there is called what it was called so far."""
    apps.get_model("accounts", "Session").objects.update(session_id=F("session_key"))


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0010_users_by_boundary"),
    ]

    operations = [
        migrations.AddField("session", "session_id", models.CharField(max_length=64, default="", db_default="", db_index=True)),
        migrations.RunPython(name_by_key, migrations.RunPython.noop),
    ]
