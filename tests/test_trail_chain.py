"""The chain proves itself: manage.py verify_audit finds what was done to it, and pruning leaves it whole.

What the database refuses by itself is tested too, and that a change fails when the trail cannot be written, and nothing else.
"""

import io
import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from audit import triggers
from audit.models import ChainHead, Event, EventKey
from audit.operations.events import get_trail_status, list_events, report_broken_trail
from audit.verification import BATCH, verify
from iamconsole.errors import AccessDenied
from tests.browser import signed_in
from tests.conftest import ROOT, Person, make_user
from tests.environment import free_port
from tests.faults import fault_of
from tests.rows import events_of, owning_the_database


def verified(account: str) -> tuple[bool, str]:
    """Whether the command finds the account's trail whole, and what it says."""
    out = io.StringIO()
    try:
        call_command("verify_audit", account=account, stdout=out)
    except CommandError:
        return False, out.getvalue()
    return True, out.getvalue()


def breaks_of(root: Person) -> list[tuple[int, str, str]]:
    return [(each.sequence, each.event_id, each.what) for each in verify(root.account_id)]


@pytest.fixture
def events(root: Person) -> list[Event]:
    """A trail of some events."""
    for name in ("ann", "ben", "cid", "dan"):
        make_user(root, name)
    return events_of(root.account_id)


def test_a_whole_chain_is_found_whole_and_that_is_noted(root: Person, events: list[Event]) -> None:
    whole, told = verified(root.account_id)
    assert whole
    assert told == f"{root.account_id}: whole to #{len(events)} {events[-1].hash}\n"
    head = ChainHead.objects.get(pk=root.account_id)
    assert head.verified_sequence == len(events)
    assert head.verified_date


@pytest.mark.asvs("16.4.2")
def test_an_altered_event_is_named(root: Person, events: list[Event]) -> None:
    victim = events[3]
    with owning_the_database():
        Event.objects.filter(pk=victim.pk).update(source_ip="10.0.0.1")
    assert breaks_of(root) == [(4, str(victim.event_id), f"{victim.action} was altered: its hash is another")]
    whole, told = verified(root.account_id)
    assert not whole
    assert told.startswith(f"BROKEN {root.account_id} #4 {victim.event_id}: ")
    assert ChainHead.objects.get(pk=root.account_id).verified_sequence == 0


def test_an_event_whose_hash_is_made_new_after_altering_it_breaks_the_next_link(
    root: Person, events: list[Event]
) -> None:
    from audit.record import link_hash

    victim = events[3]
    victim.message = "other"
    with owning_the_database():
        Event.objects.filter(pk=victim.pk).update(message="other", hash=link_hash(victim))
    assert [each[0] for each in breaks_of(root)] == [5]
    assert "does not follow #4" in breaks_of(root)[0][2]


def test_deleted_events_are_named(root: Person, events: list[Event]) -> None:
    with owning_the_database():
        EventKey.objects.filter(event__in=events[2:4]).delete()
        Event.objects.filter(pk__in=[event.pk for event in events[2:4]]).delete()
    assert breaks_of(root) == [(5, str(events[4].event_id), "#3 to #4 before it: deleted")]


def test_a_tail_that_is_cut_off_is_named(root: Person, events: list[Event]) -> None:
    with owning_the_database():
        EventKey.objects.filter(event__in=events[-2:]).delete()
        Event.objects.filter(pk__in=[event.pk for event in events[-2:]]).delete()
    last = len(events)
    assert breaks_of(root) == [(last - 1, "", f"events are missing from here to the end, #{last}")]


def test_an_inserted_event_and_one_beyond_the_head_are_named(root: Person, events: list[Event]) -> None:
    forged = Event(chain=root.account_id, sequence=len(events) + 1, event_id="00000000-0000-4000-8000-0000000000aa")
    forged.event_time, forged.previous_hash, forged.hash = datetime.now(UTC), events[-1].hash, "0" * 64
    forged.event_id = f"00000000-0000-4000-8000-{root.account_id}"
    forged.save(force_insert=True)
    [(sequence, event_id, what)] = breaks_of(root)
    assert (sequence, event_id) == (len(events) + 1, str(forged.event_id))
    assert "beyond the head" in what
    with owning_the_database():
        forged.delete()
        Event.objects.filter(pk=events[3].pk).update(sequence=1_000_000)
        forged.pk, forged.sequence = None, 4
        forged.save(force_insert=True)
    assert {each[0] for each in breaks_of(root)} >= {4, 5}


def test_two_events_that_changed_places_are_named(root: Person, events: list[Event]) -> None:
    with owning_the_database():
        Event.objects.filter(pk=events[2].pk).update(sequence=1_000_000)
        Event.objects.filter(pk=events[3].pk).update(sequence=3)
        Event.objects.filter(pk=events[2].pk).update(sequence=4)
    found = breaks_of(root)
    assert {each[0] for each in found} == {3, 4, 5}
    assert {each[1] for each in found if each[0] in (3, 4)} == {str(event.event_id) for event in events[2:4]}


@pytest.mark.parametrize("column", [{"actor_name": "bob"}, {"refused": True}, {"event_source": "s3.amazonaws.com"}])
def test_a_column_that_events_are_found_by_is_held_against_the_event(
    root: Person, events: list[Event], column: dict[str, Any]
) -> None:
    with owning_the_database():
        Event.objects.filter(pk=events[2].pk).update(**column)
    assert [each[0] for each in breaks_of(root)] == [3]


def test_a_key_that_is_taken_out_is_missed(root: Person, events: list[Event]) -> None:
    with owning_the_database():
        EventKey.objects.filter(pk=EventKey.objects.filter(event=events[2]).values("pk")[:1]).delete()
    assert breaks_of(root) == [
        (3, str(events[2].event_id), f"{events[2].action} is not found by what it is about: its index was altered")
    ]


def test_a_head_that_is_gone_or_another_is_told(root: Person, events: list[Event]) -> None:
    with owning_the_database():
        ChainHead.objects.filter(pk=root.account_id).update(hash="0" * 64)
    assert "another hash" in breaks_of(root)[0][2]
    with owning_the_database():
        ChainHead.objects.filter(pk=root.account_id).delete()
    assert breaks_of(root)[0] == (0, "", "the chain has events and no head")


def test_verifying_asks_the_database_by_batches_and_keeps_none(root: Person, events: list[Event]) -> None:
    reached: list[int] = []
    with CaptureQueriesContext(connection) as asked:
        assert list(verify(root.account_id, reached.append)) == []
    assert reached == [len(events)]
    assert len(asked) <= 7 + 2 * (len(events) // BATCH)


def test_the_shell_tells_a_broken_trail_by_its_status(root: Person, events: list[Event]) -> None:
    def run() -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "manage.py", "verify_audit", "--account", root.account_id]
        return subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)

    assert run().returncode == 0
    with owning_the_database():
        Event.objects.filter(pk=events[1].pk).update(action="iam:GetUser")
    done = run()
    assert done.returncode == 1
    assert f"BROKEN {root.account_id} #2 {events[1].event_id}" in done.stdout
    assert "1 broken links" in done.stderr


def test_a_trail_that_is_not_whole_is_told_on_the_pages_until_it_is_again(
    root: Person, mallory: Person, events: list[Event]
) -> None:
    client, pages = signed_in(root), ("/console/", "/console/audit/")
    told = "The audit log is not whole"
    with pytest.raises(AccessDenied):  # nobody but the operator can raise the alarm
        report_broken_trail(root.caller, account=root.account_id, broken_reason="x")
    assert [told in client.get(page).content.decode() for page in pages] == [False, False]
    with owning_the_database():
        Event.objects.filter(pk=events[1].pk).update(action="iam:GetUser")
    assert not verified(root.account_id)[0]
    for page in pages:
        shown = client.get(page).content.decode()
        assert told in shown
        assert "1 broken link: #2 iam:GetUser was altered: its hash is another." in shown
    assert told not in signed_in(mallory).get("/console/").content.decode()
    status = get_trail_status(root.caller)
    failed = Event.objects.get(chain=root.account_id, action="iamconsole:ReportBrokenTrail", result="Success")
    assert (failed.result, failed.actor_name, failed.door) == ("Success", "operator", "shell")
    assert (status["broken_date"], status["broken_reason"]) == (failed.event_time, failed.parameters["broken_reason"])
    found = list_events(root.caller, action_name="ReportBrokenTrail").items
    assert [each["result"] for each in found] == ["Success", "AccessDenied"]
    with owning_the_database():
        Event.objects.filter(pk=events[1].pk).update(action=events[1].action)
    assert verified(root.account_id)[0]
    assert [told in client.get(page).content.decode() for page in pages] == [False, False]
    assert get_trail_status(root.caller)["broken_date"] is None


def test_to_a_chain_without_a_head_nothing_is_added(root: Person, events: list[Event]) -> None:
    head = ChainHead.objects.get(pk=root.account_id)
    with owning_the_database():
        ChainHead.objects.filter(pk=root.account_id).delete()
    whole, told = verified(root.account_id)
    assert not whole
    assert "the chain has events and no head" in told
    assert (len(events_of(root.account_id)), ChainHead.objects.filter(pk=root.account_id).exists()) == (
        len(events),
        False,
    )
    head.save(force_insert=True)
    assert verified(root.account_id)[0]


# The database's own rules


@pytest.mark.asvs("16.4.2")
@pytest.mark.parametrize(
    "change",
    [
        lambda event: Event.objects.filter(pk=event.pk).update(action="iam:GetUser"),
        lambda event: Event.objects.filter(pk=event.pk)._raw_delete("default"),
        lambda event: EventKey.objects.filter(event=event).update(key="0"),
        lambda event: EventKey.objects.filter(event=event)._raw_delete("default"),
        lambda event: ChainHead.objects.filter(pk=event.chain).update(sequence=1),
        lambda event: ChainHead.objects.filter(pk=event.chain).update(anchor_sequence=10**9),
        lambda event: ChainHead.objects.filter(pk=event.chain).delete(),
    ],
)
def test_the_database_refuses_to_change_or_delete_what_is_recorded(
    root: Person, events: list[Event], change: Any
) -> None:
    before = (
        Event.objects.filter(chain=root.account_id).count(),
        EventKey.objects.filter(chain=root.account_id).count(),
    )
    with pytest.raises(DatabaseError, match=r"the trail is only added to|only goes forward"), transaction.atomic():
        change(events[2])
    assert (
        Event.objects.filter(chain=root.account_id).count(),
        EventKey.objects.filter(chain=root.account_id).count(),
    ) == before
    assert breaks_of(root) == []


def test_no_other_statement_replaces_or_empties_the_trail(root: Person, events: list[Event]) -> None:
    with connection.cursor() as cursor, pytest.raises(DatabaseError), transaction.atomic():
        if connection.vendor == "sqlite":
            columns = ", ".join(column.column for column in Event._meta.concrete_fields)
            cursor.execute(f"INSERT OR REPLACE INTO audit_event ({columns}) SELECT {columns} FROM audit_event LIMIT 1")
        else:
            cursor.execute("TRUNCATE audit_event CASCADE")
    assert breaks_of(root) == []


@contextmanager
def without_rules() -> Iterator[None]:
    """The database lets everything through meanwhile."""
    try:
        with connection.cursor() as cursor:
            for statement in triggers.drop(connection.vendor):
                cursor.execute(statement)
        yield
    finally:
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in triggers.create(connection.vendor):
                cursor.execute(statement)


def test_a_rule_that_is_taken_off_is_told(root: Person, events: list[Event]) -> None:
    assert triggers.missing(connection) == []
    with without_rules():
        assert triggers.missing(connection) == triggers.names(connection.vendor)
        whole, told = verified(root.account_id)
    assert not whole
    assert "the trigger audit_event_update is missing" in told
    reason = get_trail_status(root.caller)["broken_reason"]
    assert reason.startswith(f"{len(triggers.names(connection.vendor))} missing rules: the database does not")
    assert "the trigger audit_event_update is missing" in reason
    assert verified(root.account_id)[0]
    assert get_trail_status(root.caller)["broken_reason"] is None


# Pruning


def age(events: list[Event], days: int) -> None:
    """Let events be older, as a forger of the whole chain could: each is linked anew."""
    from audit.record import link_hash

    with owning_the_database():
        previous = ""
        for event in events:
            event.event_time -= timedelta(days=days)
            event.previous_hash = previous
            event.hash = previous = link_hash(event)
            event.save(update_fields=["event_time", "previous_hash", "hash"])
            EventKey.objects.filter(event=event).update(event_time=event.event_time)
        ChainHead.objects.filter(pk=events[0].chain).update(hash=previous)


def test_pruning_takes_the_oldest_and_the_rest_still_verifies(root: Person, events: list[Event]) -> None:
    age(events, 100)
    make_user(root, "eve")
    old, new = len(events), len(events_of(root.account_id)) - len(events)
    out = io.StringIO()
    call_command("prune_audit", older_than=90, account=root.account_id, stdout=out)
    assert out.getvalue() == f"{root.account_id}: {old} events pruned\n"
    left = events_of(root.account_id)
    assert [event.sequence for event in left] == list(range(old + 1, old + new + 2))
    told = left[-1]
    assert (told.action, told.actor_arn, told.response["PrunedEvents"]) == ("iamconsole:PruneTrail", "operator", old)
    assert told.response["PrunedHash"] == left[0].previous_hash
    assert not EventKey.objects.filter(chain=root.account_id, sequence__lte=old).exists()
    assert verified(root.account_id) == (
        True,
        f"{root.account_id}: whole from #{old + 1} to #{told.sequence} {told.hash}\n",
    )


def test_pruning_leaves_what_is_young_and_tells_nothing_of_nothing(root: Person, events: list[Event]) -> None:
    call_command("prune_audit", older_than=90, account=root.account_id, stdout=io.StringIO())
    assert len(events_of(root.account_id)) == len(events)
    with pytest.raises(CommandError, match="TRAIL_RETENTION_DAYS"):
        call_command("prune_audit", older_than=0, account=root.account_id)
    with pytest.raises(CommandError, match="NoSuchEntity"):
        call_command("prune_audit", older_than=1, account="nobodys-account")


def test_what_is_missing_after_the_anchor_is_found_after_pruning(root: Person, events: list[Event]) -> None:
    age(events, 100)
    make_user(root, "eve")
    call_command("prune_audit", older_than=90, account=root.account_id, stdout=io.StringIO())
    first = events_of(root.account_id)[0]
    with owning_the_database():
        EventKey.objects.filter(event=first).delete()
        Event.objects.filter(pk=first.pk).delete()
    assert breaks_of(root)[0][2] == f"#{first.sequence} before it: deleted"


def test_the_nightly_unit_verifies_and_prunes_only_what_is_whole_and_only_if_it_is_told_to() -> None:
    unit = (ROOT / "deploy" / "iamconsole-audit.service").read_text()
    verify_first, then = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)  # the second only if the first succeeds
    assert "Type=oneshot" in unit
    python = "/opt/iamconsole/.venv/bin/python"
    assert verify_first == f"{python} manage.py verify_audit"
    command = shlex.split(then.replace("$$", "$").replace(python, "echo"))
    for days, told in ((None, ""), ("0", ""), ("30", "manage.py prune_audit\n")):
        environment = {} if days is None else {"TRAIL_RETENTION_DAYS": days}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout == told


# No event, no change


@contextmanager
def the_trail_locked() -> Iterator[None]:
    """Hold the table of events as another process would, until the block ends."""
    ready, done = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                if connection.vendor == "postgresql":
                    cursor.execute("LOCK TABLE audit_event IN SHARE ROW EXCLUSIVE MODE")
                ready.set()
                done.wait(120)
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert ready.wait(30)
    try:
        yield
    finally:
        done.set()
        thread.join()


@pytest.mark.asvs("2.3.3")
def test_a_locked_table_fails_the_change_and_nothing_else(root: Person, alice: Person, server: Path) -> None:
    iam = alice.client(read_timeout=90)
    iam.list_users()  # the key's use is noted, so that reading writes nothing
    before = events_of(root.account_id)
    with the_trail_locked():
        refused = fault_of(iam.create_user, UserName="dave")
        names = [user["UserName"] for user in iam.list_users()["Users"]]
    assert refused[:2] == ("ServiceUnavailable", 503)
    assert names == ["alice"]
    assert not User.objects.named(root.account_id, "dave").exists()
    assert len(events_of(root.account_id)) == len(before)
    iam.create_user(UserName="dave")
    assert breaks_of(root) == []


@contextmanager
def the_trail_refusing() -> Iterator[None]:
    """Let the database refuse every new event, as it would with a full disk or a broken page."""
    refuse = "CREATE TRIGGER no_space BEFORE INSERT ON audit_event"
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"{refuse} BEGIN SELECT 1 / length(hex(zeroblob(2147483647))); END")
        else:
            raises = "RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'"
            cursor.execute(f"CREATE FUNCTION no_space() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {raises}; END $$")
            cursor.execute(f"{refuse} FOR EACH ROW EXECUTE FUNCTION no_space()")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER no_space" + ("" if connection.vendor == "sqlite" else " ON audit_event"))
            if connection.vendor != "sqlite":
                cursor.execute("DROP FUNCTION no_space()")


def test_an_event_that_the_database_refuses_fails_the_change_and_nothing_else(
    root: Person, alice: Person, mallory: Person, server: Path
) -> None:
    iam = alice.client()
    iam.list_users()
    fault_of(mallory.client().create_user, UserName="dave")
    before = len(events_of(root.account_id))
    with the_trail_refusing():
        assert fault_of(iam.create_user, UserName="dave")[:2] == ("ServiceUnavailable", 503)
        # Not even a refusal is told that nobody could read of later.
        assert fault_of(mallory.client().create_user, UserName="dave")[:2] == ("ServiceUnavailable", 503)
        assert len(iam.list_users()["Users"]) == 2
    assert len(events_of(root.account_id)) == before
    assert not User.objects.named(root.account_id, "dave").exists()
    iam.create_user(UserName="dave")
    assert fault_of(mallory.client().create_user, UserName="erin")[0] == "AccessDenied"
    assert breaks_of(root) == []


FULL_DISK = """
import json, os, sys
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

url, account = sys.argv[1], json.loads(Path(sys.argv[2]).read_text())
key, secret = account["access_key_id"], account["secret_access_key"]
disk = Path(os.environ["IAMCONSOLE_DATA"])
config = Config(retries={"total_max_attempts": 1})
given = {"aws_access_key_id": key, "aws_secret_access_key": secret, "config": config}
iam = boto3.client("iam", endpoint_url=url, region_name="us-east-1", **given)
iam.list_users()
made, code = 0, ""
ballast = disk / "ballast"
with ballast.open("wb", buffering=0) as file:
    try:
        while file.write(b"x" * 4096):
            pass
    except OSError:
        pass
for number in range(400):
    try:
        iam.create_user(UserName=f"user{number}")
        made += 1
    except ClientError as error:
        code = f"{error.response['Error']['Code']} {error.response['ResponseMetadata']['HTTPStatusCode']}"
        break
there = len(iam.list_users(MaxItems=1000)["Users"])
ballast.unlink()
iam.create_user(UserName="after")
print(code, made, there, len(iam.list_users(MaxItems=1000)["Users"]))
"""


@pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL's disk is not ours to fill: a trigger does it above"
)
def test_a_full_disk_fails_the_change_and_nothing_else(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    alone = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]
    tried = [*alone, "mount", "-t", "tmpfs", "-o", "size=1m", "none", str(data)]
    refused = subprocess.run(tried, capture_output=True, text=True, check=False)
    if refused.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {refused.stderr.strip()}")
    port = free_port()
    given = {"IAMCONSOLE_DATA": str(data), "PUBLIC_URL": f"http://localhost:{port}", "WEB_CONCURRENCY": "1"}
    script = f"""
set -e
mount -t tmpfs -o size=96m,mode=700 none {data}
cd {ROOT}
{sys.executable} manage.py prepare --no-account >/dev/null
{sys.executable} manage.py createaccount Acme --root-email root@example.org --admin-user admin --json > {data}/account
{sys.executable} -m gunicorn --config deploy/gunicorn.conf.py --bind 127.0.0.1:{port} >{tmp_path}/log 2>&1 &
server=$!
trap 'kill $server; wait $server || true' EXIT
asked="import urllib.request; urllib.request.urlopen('http://localhost:{port}/healthz')"
for i in $(seq 100); do {sys.executable} -c "$asked" 2>/dev/null && break; sleep 0.2; done
{sys.executable} {tmp_path}/fill.py http://localhost:{port} {data}/account
{sys.executable} manage.py verify_audit >&2
"""
    (tmp_path / "fill.py").write_text(FULL_DISK)
    done = subprocess.run(
        [*alone, "bash", "-c", script], env=os.environ | given, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr + (tmp_path / "log").read_text()[-2000:]
    code, status, made, there, after = done.stdout.split()
    assert (code, status) == ("ServiceUnavailable", "503")
    # Those that were answered are there and no other: admin is one more.
    assert int(there) == int(made) + 1
    assert int(after) == int(there) + 1
