"""Guesses at second factors: those by a key have a part of the budget, and wrong ones add up for each user."""

from typing import Any

from django.db import migrations, models
from django.db.models import Max, OuterRef, Subquery
from django.db.models.functions import Coalesce, Greatest


def keep_the_longest_row(apps: Any, schema_editor: Any) -> None:
    """Begin with the most failures in a row that any of the user's factors had."""
    devices = apps.get_model("credentials", "MFADevice").objects.filter(user=OuterRef("user")).values("user")
    longest = Subquery(devices.annotate(longest=Max("failures")).values("longest"))
    budgets = apps.get_model("credentials", "GuessBudget").objects
    budgets.update(failures=Greatest("recovery_failures", Coalesce(longest, 0)))


class Migration(migrations.Migration):

    dependencies = [
        ("credentials", "0013_mfa_devices_of_a_user"),
    ]

    operations = [
        migrations.AddField("guessbudget", "failures", models.PositiveIntegerField(default=0)),
        migrations.AddField("guessbudget", "key_failures", models.PositiveIntegerField(default=0)),
        migrations.AddField("guessbudget", "key_five_minutes", models.BigIntegerField(default=0)),
        migrations.AddField("guessbudget", "key_hour", models.BigIntegerField(default=0)),
        migrations.AddField("guessbudget", "key_day", models.BigIntegerField(default=0)),
        migrations.RunPython(keep_the_longest_row, migrations.RunPython.noop),
        migrations.RemoveField("guessbudget", "recovery_failures"),
        migrations.RemoveField("mfadevice", "failures"),
    ]
