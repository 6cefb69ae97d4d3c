"""What a credential report costs at 10,000, 30,000 and 100,000 users, every second one with two keys: seconds and memory.

On SQLite, or on what DATABASE_URL names, which is to be empty.
"""

import os
import resource
import subprocess
import sys
import time

from benchmarks.stage import ROOT, Stage, stage

SIZES = (10_000, 30_000, 100_000)
BATCH = 5_000


def run() -> None:
    """Print the figures."""
    with stage() as on:
        _manage(on, "prepare", "--no-account")
        for size in SIZES:
            made = _own_process(on, "fill", str(size))
            print(_own_process(on, "measure", made), flush=True)


def _manage(on: Stage, *arguments: str) -> None:
    subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=_environment(on), check=True)


def _environment(on: Stage) -> dict[str, str]:
    return on.environment | {"DJANGO_SETTINGS_MODULE": "iamconsole.settings", "LOG_STREAM": "stderr"}


def _own_process(on: Stage, *arguments: str) -> str:
    """One step in a process of its own, whose memory is its own."""
    command = [sys.executable, "-m", "benchmarks.report", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=_environment(on), stdout=subprocess.PIPE, check=True, text=True)
    return done.stdout.strip()


def fill(size: int) -> str:
    """Make an account with so many users and half as many keys again. Returns its id."""
    from django.db import connection

    from accounts import arns
    from accounts.management.commands._shell import operator
    from accounts.models import User
    from accounts.operations.installation import create_account
    from credentials.models import AccessKey

    account_id = create_account(operator(), name="Bench", root_email=f"b{size}@example.org").entity["account_id"]
    for first in range(0, size, BATCH):
        users = User.objects.bulk_create(
            [
                User(
                    account_id=account_id,
                    user_id=arns.new_unique_id("AIDA"),
                    user_name=f"User-{number:06}",
                    user_name_key=f"user-{number:06}",
                    password="!",
                )
                for number in range(first, min(first + BATCH, size))
            ],
            batch_size=500,
        )
        AccessKey.objects.bulk_create(
            [
                AccessKey(user=user, access_key_id=arns.new_access_key_id(account_id), sealed_secret="-")
                for number, user in enumerate(users)
                for turn in (0, 1)
                if turn == 0 or number % 2
            ],
            batch_size=500,
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as PostgreSQL does by itself a minute later
    return str(account_id)


def measure(account_id: str) -> str:
    """Build the report of an account. Returns the figures in a sentence."""
    from accounts import jobs
    from accounts.management.commands._shell import root_of
    from credentials.models import AccessKey
    from credentials.operations.credential_reports import generate_credential_report, get_credential_report

    caller = root_of(account_id)
    generate_credential_report(caller)
    job = caller.account.jobs.get()
    keys = AccessKey.objects.filter(user__account=account_id).count()
    before = _peak()
    started = time.perf_counter()
    if not jobs.run(job.pk):
        raise RuntimeError("the job is not there to be done")
    took = time.perf_counter() - started
    after = _peak()
    report = get_credential_report(caller)
    return (
        f"{report.users:>7,} users, {keys:>7,} keys, {report.size / 1e6:5.1f} MB: {took:6.2f} s,"
        f" {took / report.users * 1e6:5.0f} µs a user; peak memory {after:.0f} MB, {after - before:.1f} MB of it for the report"
    )


def _peak() -> float:
    """The most memory that the process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iamconsole.settings")
    django.setup()
    step, argument = sys.argv[1:]
    print(fill(int(argument)) if step == "fill" else measure(argument))
