"""The nightly run: it announces, then deactivates, then deletes, in that order and never else."""

import configparser
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import arns
from accounts.models import User
from accounts.operations.suspension import suspend_user
from accounts.operations.users import tag_user, untag_user
from accounts.signin.notices import before_this
from credentials.models import AccessKey, LoginProfile
from credentials.operations.access_keys import update_access_key
from credentials.operations.unused import (
    deactivate_credential,
    preview_unused_credential_run,
    reap_credential,
    restore_credential,
)
from credentials.unused.exemption import KEY, new_exemption
from credentials.unused.models import Deactivation
from credentials.unused.plan import NIGHTLY, next_run
from iamconsole.errors import InvalidInput
from tests.browser import a_client, signed_in
from tests.conftest import ALLOW_ALL, ROOT, Person, make_account, make_user
from tests.everything import PASSWORD, give_password
from tests.rows import events_of

DAY0 = datetime(2026, 1, 1, 12, tzinfo=UTC)
NAMED = {"user_name": "carol", "credential_type": "AccessKey"}
TERMS = {"unused_days": 90, "notice_days": 7, "delete_after_days": 30}


@pytest.fixture
def clock() -> Iterator[Any]:
    """The first of January, until it is moved."""
    with time_machine.travel(DAY0, tick=False) as traveller:
        yield traveller


@pytest.fixture
def root(clock: Any) -> Person:
    """The root user of an account that was made that day."""
    return make_account()


@pytest.fixture
def carol(root: Person) -> Person:
    """With a key and a password that she never uses."""
    carol = make_user(root, "carol")
    give_password(carol.user)
    return carol


def run(root: Person, *, apply: bool = True, **options: Any) -> list[str]:
    """A night's run: what was done to what."""
    out = io.StringIO()
    call_command("reap_unused", account=root.account_id, apply=apply, stdout=out, **options)
    lines = out.getvalue().splitlines()[:-1]
    return sorted(line.removeprefix(f"{root.account_id}: ") for line in lines)


def on_day(clock: Any, day: float) -> None:
    """Go to so many days after the first."""
    clock.move_to(DAY0 + timedelta(days=day))


def both(carol: Person, what: str) -> list[str]:
    """What the run tells when it does the same to key and password."""
    return [f"access key {carol.access_key_id} of carol: {what}", f"password of carol: {what}"]


def state(carol: Person) -> tuple[str | None, bool]:
    """The key's status, and whether there is a password."""
    key = AccessKey.objects.filter(user=carol.user).first()
    return key.status if key else None, LoginProfile.objects.filter(user=carol.user).exists()


def test_it_announces_then_deactivates_then_deletes(root: Person, carol: Person, clock: Any) -> None:
    story = []
    for day in (0, 45, 88, 89, 90, 91, 96, 97, 98, 110, 126, 127, 128, 200):
        on_day(clock, day + 0.5)
        done = run(root)
        if done:
            story.append((day, done))
        assert run(root) == []  # a second run in the same night has nothing left to do
    assert story == [
        (90, both(carol, "Announce")),
        (97, both(carol, "Deactivate")),
        (127, both(carol, "Delete")),
    ]
    assert state(carol) == (None, False)
    assert not Deactivation.objects.filter(user=carol.user).exists()


def test_every_step_is_in_the_trail_with_what_it_performs(root: Person, carol: Person, clock: Any) -> None:
    before = len(events_of(root.account_id))
    for day in (91, 99, 130):
        on_day(clock, day)
        run(root)
    told = [event.action for event in events_of(root.account_id)[before:] if event.resource == carol.user.arn]
    assert told.count("iamconsole:ReapCredential") == 6
    performed = [action for action in told if action != "iamconsole:ReapCredential"]
    assert sorted(performed) == ["iam:DeleteAccessKey", "iam:DeleteLoginProfile", "iam:UpdateAccessKey"]
    assert {event.door for event in events_of(root.account_id)[before:]} == {"shell"}


def test_nothing_is_done_unless_it_is_told_to(root: Person, carol: Person, clock: Any) -> None:
    on_day(clock, 91)
    for _ in range(2):
        assert run(root, apply=False) == both(carol, "Announce")
    assert not Deactivation.objects.filter(user=carol.user).exists()
    run(root)
    on_day(clock, 99)
    assert run(root, apply=False) == both(carol, "Deactivate")
    assert state(carol) == ("Active", True)


def test_what_is_used_again_is_withdrawn(root: Person, carol: Person, clock: Any) -> None:
    on_day(clock, 91)
    run(root)
    AccessKey.objects.filter(user=carol.user).update(last_used_date=DAY0 + timedelta(days=92))
    User.objects.filter(pk=carol.user.pk).update(password_last_used=DAY0 + timedelta(days=92))
    on_day(clock, 99)
    assert run(root) == both(carol, "Withdraw")
    assert state(carol) == ("Active", True)
    on_day(clock, 183)
    assert run(root) == both(carol, "Announce")  # and all begins anew


def test_the_user_is_told_at_sign_in_before_anything_is_done(root: Person, carol: Person, clock: Any) -> None:
    assert before_this(carol.user).announced == ()
    on_day(clock, 91)
    run(root)
    announced = before_this(carol.user).announced
    assert {each.access_key_id for each in announced} == {carol.access_key_id, None}
    assert {each.due_date for each in announced} == {DAY0 + timedelta(days=98)}
    assert state(carol) == ("Active", True)
    client = a_client()
    client.post("/signin/", {"account": root.account_id, "user_name": "carol", "password": PASSWORD})
    told = client.get("/console/").content.decode()
    assert (
        f"Nobody uses your access key {carol.access_key_id}. It will be deactivated in the night after 2026-04-09"
        in told
    )
    assert "Signing in has kept it" in told
    assert run(root) == [both(carol, "Withdraw")[1]]
    on_day(clock, 99)
    run(root)
    assert before_this(carol.user).announced == ()


def test_who_is_exempt_is_kept_until_the_day_is_over(root: Person, carol: Person, clock: Any) -> None:
    def exempt(until: date) -> None:
        value = new_exemption(until, "Parental leave", datetime.now(UTC)).value
        tag_user(root.caller, user_name="carol", tags=[{"key": KEY, "value": value}])

    exempt((DAY0 + timedelta(days=100)).date())
    on_day(clock, 100)
    assert run(root) == []
    on_day(clock, 101)
    assert run(root) == both(carol, "Announce")
    exempt((DAY0 + timedelta(days=120)).date())
    on_day(clock, 110)
    assert run(root) == both(carol, "Withdraw")
    untag_user(root.caller, user_name="carol", tag_keys=[KEY])
    run(root)
    on_day(clock, 118)
    assert run(root) == both(carol, "Deactivate")
    exempt((DAY0 + timedelta(days=200)).date())
    on_day(clock, 199)
    assert run(root) == []  # neither deleted
    on_day(clock, 201)
    assert run(root) == both(carol, "Delete")


def test_root_and_who_is_kept_out_are_left_alone(root: Person, carol: Person, clock: Any) -> None:
    give_password(root.user)
    suspend_user(root.caller, user_name="carol")
    on_day(clock, 200)
    assert run(root) == []


def test_what_somebody_has_deactivated_by_hand_is_never_deleted(root: Person, carol: Person, clock: Any) -> None:
    deactivate_credential(root.caller, user_name="carol", credential_type="Password")
    deactivate_credential(root.caller, **NAMED, access_key_id=carol.access_key_id)
    on_day(clock, 400)
    assert run(root) == []
    assert Deactivation.objects.filter(user=carol.user).count() == 2


def test_what_somebody_has_decided_since_is_never_deleted(root: Person, carol: Person, clock: Any) -> None:
    on_day(clock, 91)
    run(root)
    on_day(clock, 99)
    run(root)
    named = {"user_name": "carol", "access_key_id": carol.access_key_id}
    on_day(clock, 100)
    for status in ("Active", "Inactive"):
        update_access_key(root.caller, **named, status=status)
    restore_credential(root.caller, user_name="carol", credential_type="Password")
    on_day(clock, 180)
    assert run(root) == []  # the key was switched off by hand, and the password was given back 80 days ago
    assert state(carol) == ("Inactive", True)
    on_day(clock, 191)
    assert run(root) == [both(carol, "Announce")[1]]


def test_nothing_is_deleted_after_no_days(root: Person, carol: Person, clock: Any) -> None:
    for day in (91, 99):
        on_day(clock, day)
        run(root, delete_after=0)
    on_day(clock, 900)
    assert run(root, delete_after=0) == []


def test_a_step_that_is_not_due_is_refused_whoever_asks(root: Person, carol: Person, clock: Any) -> None:
    named = NAMED | {"access_key_id": carol.access_key_id}
    with pytest.raises(InvalidInput):
        reap_credential(root.caller, **named, **TERMS)
    on_day(clock, 91)
    assert reap_credential(root.caller, **named, **TERMS) == {"step": "Announce"}
    with pytest.raises(InvalidInput):
        reap_credential(root.caller, **named, **TERMS)
    assert state(carol) == ("Active", True)


def test_an_account_is_named_and_no_other_is_touched(root: Person, carol: Person, clock: Any) -> None:
    other = make_account()
    dave = make_user(other, "dave")
    on_day(clock, 91)
    assert len(run(root)) == 2
    assert not Deactivation.objects.filter(user=dave.user).exists()
    for options in ({}, {"account": "nobody-has-this"}, {"account": root.account_id, "days": 0}):
        with pytest.raises(CommandError):
            call_command("reap_unused", **options)


def test_the_page_foresees_what_the_next_run_does(root: Person, carol: Person, clock: Any) -> None:
    on_day(clock, 89.5)
    assert preview_unused_credential_run(root.caller).steps == []
    clock.move_to(datetime(2026, 4, 1, 12, 30, tzinfo=UTC))
    foreseen = preview_unused_credential_run(root.caller)
    assert foreseen.run_date == datetime(2026, 4, 2, 3, 15, tzinfo=UTC)
    assert sorted(step.step.value for step in foreseen.steps) == ["Announce", "Announce"]
    shown = signed_in(make_user(root, "alice", ALLOW_ALL)).get(reverse("admin:unused")).content.decode()
    assert 'At <time datetime="2026-04-02T03:15:00+00:00">' in shown
    assert carol.access_key_id in shown
    clock.move_to(foreseen.run_date)
    assert run(root) == both(carol, "Announce")


def test_the_page_reads_no_more_than_it_shows(root: Person, carol: Person, clock: Any) -> None:
    on_day(clock, 91)
    keys = [AccessKey(user=carol.user, access_key_id=arns.new_access_key_id(root.account_id)) for _ in range(30)]
    AccessKey.objects.bulk_create(keys)
    AccessKey.objects.filter(user=carol.user).update(create_date=datetime(2026, 1, 1, tzinfo=UTC))
    with CaptureQueriesContext(connection) as captured:
        foreseen = preview_unused_credential_run(root.caller, max_items=10)
    assert (len(foreseen.steps), foreseen.more) == (10, True)
    reads = [each["sql"] for each in captured if " LIMIT " in each["sql"] and "accesskey" in each["sql"]]
    assert reads
    assert all(sql.endswith(" LIMIT 11") for sql in reads if "ORDER BY" in sql)


def test_the_timer_is_what_the_page_says() -> None:
    timer = configparser.ConfigParser()
    timer.read(ROOT / "deploy" / "iamconsole-reap.timer")
    assert timer["Timer"]["OnCalendar"] == f"*-*-* {NIGHTLY:%H:%M:%S} UTC"
    assert next_run(datetime(2026, 1, 1, 3, 15, tzinfo=UTC)) == datetime(2026, 1, 2, 3, 15, tzinfo=UTC)
    assert next_run(datetime(2026, 1, 1, 3, 14, tzinfo=UTC)) == datetime(2026, 1, 1, 3, 15, tzinfo=UTC)
