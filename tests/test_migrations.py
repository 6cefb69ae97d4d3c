"""What is in the database of an earlier release is carried over."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.test_first_start import environment

pytestmark = pytest.mark.pure  # it makes a database of its own

# Users by the longest row of failures of each of their devices, and that of their recovery codes.
ROWS = {"stopped": ([100, 3], 0), "recovery": ([2], 41), "never wrong": ([0], 0), "no device": ([], 7)}
BEFORE_AND_AFTER = """
import json, sys
import django
django.setup()
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

BEFORE = [("accounts", "0010_users_by_boundary"), ("credentials", "0013_mfa_devices_of_a_user")]
for each in reversed(BEFORE):
    call_command("migrate", *each, verbosity=0)
old = MigrationExecutor(connection).loader.project_state(BEFORE).apps.get_model
account = old("accounts", "Account").objects.create(account_id="123456789012", name="Acme")
for number, (name, (devices, recovery)) in enumerate(json.loads(sys.argv[1]).items()):
    user = old("accounts", "User").objects.create(
        account=account, user_name=name, user_name_key=name, user_id=f"AIDA{number:017}", password="!"
    )
    old("credentials", "GuessBudget").objects.create(user=user, recovery_failures=recovery, hour=number)
    for each, failures in enumerate(devices):
        old("credentials", "MFADevice").objects.create(
            account=account, user=user, kind="virtual", serial_number=f"{name} {each}", name="phone", sealed_seed="x",
            confirmed=True, enable_date="2026-01-01T00:00:00Z", failures=failures,
        )
old("accounts", "Session").objects.create(session_key="ab" * 32, expire_date="2099-01-01T00:00:00Z", user=user)
call_command("migrate", verbosity=0)
from accounts.models import Session
from credentials.mfa.models import GuessBudget
found = GuessBudget.objects.order_by("hour").values_list("user__user_name", "failures", "key_failures", "hour")
print(json.dumps([list(found), Session.objects.get().session_id]))
"""


def test_sessions_and_factors_that_were_stopped_stay_so_and_failures_in_a_row_are_the_first_that_add_up(
    tmp_path: Path,
) -> None:
    variables = environment(tmp_path / "data", DJANGO_SETTINGS_MODULE="iamconsole.settings")
    command = [sys.executable, "-c", BEFORE_AND_AFTER, json.dumps(ROWS)]
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    wanted = {"stopped": 100, "recovery": 2, "never wrong": 0, "no device": 0}
    counts, session_id = json.loads(done.stdout)
    assert counts == [[name, most, 0, hour] for hour, (name, most) in enumerate(wanted.items())]
    assert session_id == "ab" * 32  # who is signed in stays so, and the list calls it as before
