import hashlib
from typing import Any

from django.db import migrations

BATCH = 1000
SIGN_IN = "iamconsole:SignIn"


def fill(apps: Any, schema_editor: Any) -> None:
    """Let events of earlier releases be found too. What they hash stays as it is."""
    Event, EventKey = apps.get_model("audit", "Event"), apps.get_model("audit", "EventKey")
    last = 0
    while batch := list(Event.objects.filter(pk__gt=last).order_by("pk")[:BATCH]):
        last = batch[-1].pk
        keys = []
        for event in batch:
            service = event.action.partition(":")[0]
            event.event_source = "signin.amazonaws.com" if event.action == SIGN_IN else f"{service}.amazonaws.com"
            event.actor_name = event.actor_arn.rpartition(":")[2].rpartition("/")[2]
            event.refused = event.result != "Success"
            own = event.actor_id if event.resource == event.actor_arn else ""
            for name in sorted({event.resource, own} - {""}):
                key = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:32]
                keys.append(
                    EventKey(
                        event_id=event.pk, chain=event.chain, key=key, event_time=event.event_time, sequence=event.sequence
                    )
                )
        Event.objects.bulk_update(batch, ["event_source", "actor_name", "refused"], batch_size=100)
        EventKey.objects.bulk_create(keys, batch_size=100)


def empty(apps: Any, schema_editor: Any) -> None:
    """Take the keys out again; the columns go with the migration before."""
    apps.get_model("audit", "EventKey").objects.all().delete()


class Migration(migrations.Migration):
    """Fill what events are found by."""

    dependencies = [("audit", "0005_fields_to_find_by")]

    operations = [migrations.RunPython(fill, empty)]
