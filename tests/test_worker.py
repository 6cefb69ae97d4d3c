"""The task worker as a real process: it does jobs, is started again, ends with its server, and takes over from the dead."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django_tasks_db.models import DBTaskResult

from accounts import jobs
from accounts.job_models import Job
from audit.models import Event
from credentials.operations.credential_reports import generate_credential_report, get_credential_report
from credentials.reports.models import ReportChunk
from permissions.operations.last_accessed import generate_service_last_accessed_details
from tests.conftest import ROOT, Person
from tests.logs import log_of
from tests.test_credential_report import many_users

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """``start(*arguments, **environment)``: a worker; all of them end with the test."""
    processes: list[subprocess.Popen[bytes]] = []

    def begin(*arguments: str, **environment: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "manage.py", "worker", "--interval", "0.1", *arguments]
        with log_of("worker").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, stdout=log, stderr=log, env=os.environ | {"JOB_LEASE_SECONDS": "2"} | environment
            )
        processes.append(process)
        return process

    yield begin
    for process in processes:
        process.kill()
        process.wait(10)


def until(what: Callable[[], object], seconds: float = 60) -> None:
    """Wait for something to be so."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


def job_of(root: Person) -> Job:
    return Job.objects.get(account=root.account_id)


def test_a_worker_does_what_is_waiting(root: Person, start: Start) -> None:
    generate_credential_report(root.caller)
    start()
    until(lambda: job_of(root).is_over)
    assert job_of(root).state == "complete"
    assert get_credential_report(root.caller).content.startswith(b"user,arn,")


def test_without_a_worker_a_job_waits_and_is_not_lost(root: Person, start: Start) -> None:
    assert generate_credential_report(root.caller)["state"] == "STARTED"
    for _ in range(3):
        assert generate_credential_report(root.caller) == {"state": "INPROGRESS"}
    assert job_of(root).state == "waiting"
    start()
    until(lambda: generate_credential_report(root.caller) == {"state": "COMPLETE"})


def test_the_job_of_a_worker_that_is_killed_in_the_middle_is_taken_over(root: Person, start: Start) -> None:
    many_users(root, 20_000)
    generate_credential_report(root.caller)
    killed = start()
    chunks = ReportChunk.objects.filter(report__account=root.account_id)
    until(lambda: chunks.count() > 2)
    killed.send_signal(signal.SIGKILL)
    killed.wait(10)
    left = job_of(root)
    assert (left.state, left.attempt) == ("running", 1)
    assert left.done < left.total
    line = DBTaskResult.objects.get(pk=left.task_id)
    assert line.status == "RUNNING", "the library itself has mended what is done here by a lease"
    start()
    until(lambda: job_of(root).is_over)
    assert (job_of(root).state, job_of(root).attempt) == ("complete", 2)
    lines = get_credential_report(root.caller).content.decode().split("\n")
    assert len(lines) == len(set(lines)) == 20_002


def test_a_worker_that_lost_its_job_writes_no_more(root: Person) -> None:
    generate_credential_report(root.caller)
    job = job_of(root)
    Job.objects.filter(pk=job.pk).update(
        state="running", attempt=1, lease_date=datetime.now(UTC) - timedelta(seconds=1)
    )
    job.refresh_from_db()
    slow = jobs.Progress(job)
    slow.beat(done=1)
    Job.objects.filter(pk=job.pk).update(lease_date=datetime.now(UTC) - timedelta(seconds=1))
    jobs.take_over(datetime.now(UTC))
    with pytest.raises(jobs.TakenOverError):
        slow.beat(done=2)
    with pytest.raises(jobs.TakenOverError):
        slow.over("complete")
    assert jobs.run(job.pk)
    assert not jobs.run(job.pk)
    assert job_of(root).state == "complete"


def test_a_job_that_workers_die_of_is_given_up(root: Person) -> None:
    generate_credential_report(root.caller)
    job = job_of(root)
    for attempt in (1, 2, 3):
        past = datetime.now(UTC) - timedelta(seconds=1)
        taken = Job.objects.filter(pk=job.pk, state="waiting")
        assert taken.update(state="running", attempt=attempt, lease_date=past) == 1
        jobs.take_over(datetime.now(UTC))
    assert (job_of(root).state, job_of(root).error) == (
        "failed",
        "It was given up: the workers that did it ended in the middle.",
    )
    assert generate_credential_report(root.caller)["state"] == "STARTED"


def test_a_job_whose_line_in_the_queue_is_dead_is_put_on_it_again(root: Person, start: Start) -> None:
    generate_credential_report(root.caller)
    job = job_of(root)
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    DBTaskResult.objects.filter(pk=job.task_id).update(status="RUNNING", started_at=long_ago)
    Job.objects.filter(pk=job.pk).update(create_date=long_ago)
    start()
    until(lambda: job_of(root).is_over)
    assert job_of(root).state == "complete"


def test_sigterm_lets_the_job_in_hand_be_done(root: Person, start: Start) -> None:
    many_users(root, 5_000)
    generate_credential_report(root.caller)
    worker = start()
    until(lambda: job_of(root).done)
    worker.terminate()
    assert worker.wait(60) == 0
    assert job_of(root).state == "complete"


def test_the_worker_beside_a_server_is_started_again_and_ends_with_it() -> None:
    server = subprocess.Popen(["sleep", "300"])
    with log_of("worker").open("ab") as log:
        beside = subprocess.Popen(["script/worker", str(server.pid)], cwd=ROOT, stdout=log, stderr=log)
    try:
        first = worker_under(beside.pid)
        os.kill(first, signal.SIGKILL)
        second = worker_under(beside.pid, other_than=first)
        server.kill()
        server.wait(10)
        assert beside.wait(30) == 0
        until(lambda: not Path(f"/proc/{second}").exists())
    finally:
        server.kill()
        beside.terminate()
        server.wait(10)
        beside.wait(30)


def worker_under(parent: int, *, other_than: int = 0) -> int:
    """The process id of the worker that is a child of a process, when there is one."""
    found: list[int] = []

    def look() -> bool:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        found[:] = [int(child) for child in children if int(child) != other_than and b"manage.py" in command_of(child)]
        return bool(found)

    until(look)
    return found[0]


def command_of(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):  # it ended before it was looked at, or while it was
        return b""


def test_ten_thousand_users_are_built_in_bounded_memory(root: Person) -> None:
    few = peak_of_building(root)
    many_users(root, 10_000)
    many = peak_of_building(root)
    megabyte = 1024 * 1024
    assert many < few + 3 * megabyte


PEAK = """
import os, sys, tracemalloc
os.environ["DJANGO_SETTINGS_MODULE"] = "iamconsole.settings"
import django
django.setup()
from accounts import jobs
tracemalloc.start()
assert jobs.run(sys.argv[1])
print(tracemalloc.get_traced_memory()[1])
"""


def peak_of_building(root: Person) -> int:
    """The most bytes of Python's that building a report held at once, in a process of its own."""
    Job.objects.filter(account=root.account_id).delete()
    generate_credential_report(root.caller)
    command = [sys.executable, "-c", PEAK, str(job_of(root).pk)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    return int(done.stdout)


def test_old_reports_go_though_nobody_asks_for_a_new_one(root: Person, start: Start) -> None:
    generate_credential_report(root.caller)
    assert jobs.run(job_of(root).pk)
    last_accessed = generate_service_last_accessed_details(
        root.caller, arn="arn:aws:iam::aws:policy/IAMReadOnlyAccess"
    )["job_id"]
    started = Job.objects.filter(account=root.account_id)

    def let_them_be(days: float) -> int:
        started.update(create_date=datetime.now(UTC) - timedelta(days=days))
        assert start("--once", CREDENTIAL_REPORT_DAYS="30").wait(60) == 0
        lines = Event.objects.filter(chain=root.account_id, action="iamconsole:PruneJobs")
        return sum(line.response["PrunedJobs"] for line in lines)

    assert (let_them_be(6.9), started.count()) == (0, 2)
    assert (let_them_be(29.9), started.filter(pk=last_accessed).exists(), started.count()) == (1, False, 1)
    assert ReportChunk.objects.filter(report__account=root.account_id).exists()
    assert (let_them_be(30.1), started.count()) == (2, 0)
    assert not ReportChunk.objects.filter(report__account=root.account_id).exists()
