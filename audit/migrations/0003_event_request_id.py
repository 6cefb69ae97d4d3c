from django.db import migrations, models


class Migration(migrations.Migration):
    """Find the events of a request by its id."""

    dependencies = [("audit", "0002_decisions")]

    operations = [migrations.AddIndex("event", models.Index(fields=["request_id"], name="event_request_id"))]
