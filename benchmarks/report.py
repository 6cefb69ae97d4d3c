"""What a credential report costs at 10,000, 30,000 and 100,000 users, every second one with two keys: seconds and memory.

On SQLite, or on what DATABASE_URL names, which is to be empty.
"""

import resource
import time

from benchmarks.stage import stage

SIZES = (10_000, 30_000, 100_000)


def run() -> None:
    """Print the figures."""
    with stage() as on:
        on.manage("prepare", "--no-account")
        for size in SIZES:
            made = on.call("account.fill", size)
            print(on.call("report.measure", made), flush=True)


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
