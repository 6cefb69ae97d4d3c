"""Guesses at second factors: those by a key have a part of the budget, and wrong ones add up for each user."""

from typing import Any

from django.conf import settings
from django.db import migrations, models
from django.db.models import Max, OuterRef, Subquery
from django.db.models.functions import Coalesce


def keep_the_longest_row(apps: Any, schema_editor: Any) -> None:
    """Begin with the most failures in a row that any of the user's devices had. Those of recovery codes count no more."""
    devices = apps.get_model("credentials", "MFADevice").objects.filter(user=OuterRef("user")).values("user")
    longest = Subquery(devices.annotate(longest=Max("failures")).values("longest"))
    budgets = apps.get_model("credentials", "GuessBudget").objects
    budgets.update(failures=Coalesce(longest, 0))


class Migration(migrations.Migration):

    dependencies = [
        ("credentials", "0013_mfa_devices_of_a_user"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("guessbudget", "failures", models.PositiveIntegerField(default=0)),
        migrations.AddField("guessbudget", "key_failures", models.PositiveIntegerField(default=0)),
        migrations.AddField("guessbudget", "key_five_minutes", models.BigIntegerField(default=0)),
        migrations.AddField("guessbudget", "key_hour", models.BigIntegerField(default=0)),
        migrations.AddField("guessbudget", "key_day", models.BigIntegerField(default=0)),
        migrations.CreateModel(
            "WrongCodes",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("session_id", models.CharField(max_length=64)),
                ("count", models.PositiveIntegerField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("user", "session_id"), name="wrong_codes_once_per_session")
                ]
            },
        ),
        migrations.RunPython(keep_the_longest_row, migrations.RunPython.noop),
        migrations.RemoveField("guessbudget", "recovery_failures"),
        migrations.RemoveField("mfadevice", "failures"),
    ]
