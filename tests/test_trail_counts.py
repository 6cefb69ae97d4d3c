"""Triggers of the database count what operations change and what they tell: no change without its event, no event too many."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from audit.models import Event
from credentials.access_keys import note_use
from credentials.models import AccessKey
from credentials.rotation import SEALED
from iamconsole.operation import Operation
from tests.conftest import ALLOW_ALL, Person, make_account, make_user
from tests.everything import BY_CALLERS, Values, furnish, names_of, parameters
from tests.raw import run
from tests.rows import events_of
from tests.situations import check_answer, check_lines, situations
from tests.watching import EVENTS, WATCHED, watching


@pytest.fixture(scope="module")
def watch(django_db_setup: None) -> Iterator[None]:
    """The triggers, for the time of these tests."""
    made = list(watching("watch", {**WATCHED, EVENTS: ""}, "INSERT INTO watch VALUES ('{table}')"))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE watch (source VARCHAR(64))")
        for create, _ in made:
            cursor.execute(create)
    yield
    with transaction.atomic(), connection.cursor() as cursor:
        for _, drop in reversed(made):
            cursor.execute(drop)
        cursor.execute("DROP TABLE watch")


Stage = tuple[str, Iterable[tuple[Person, Values]]]


def set_stage() -> Stage:
    """An account, and who asks of what there: one after the other, or at once where nobody changes anything."""
    root = make_account()
    return root.account_id, situations(root, make_user(root, "alice", ALLOW_ALL))


@contextmanager
def counting() -> Iterator[dict[str, int]]:
    """How many rows of each table were added, changed or deleted in the block, by whatever process."""
    counts: dict[str, int] = {}
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM watch")
        yield counts
        cursor.execute("SELECT source, COUNT(*) FROM watch GROUP BY source")
        counts.update(cursor.fetchall())


def test_the_triggers_count(watch: None, root: Person) -> None:
    from accounts.models import User

    with counting() as counts:
        User.objects.filter(pk=root.user.pk).update(path="/x/")
    assert counts == {"accounts_user": 1}


def account_of(row: Any) -> str:
    """Whose a sealed row is."""
    return str(row.account_id if hasattr(row, "account_id") else row.user.account_id)


def test_sealing_anew_and_noting_a_use_change_nothing(watch: None, root: Person, alice: Person, server: Path) -> None:
    furnish(root)
    key, now = AccessKey.objects.get(access_key_id=alice.access_key_id), timezone.now() + timedelta(days=1)
    with counting() as counts:
        for sealed in SEALED:
            for row in sealed.rows():
                if account_of(row) != root.account_id:  # other tests leave what no key opens
                    continue
                place = {"column": sealed.column, "row": row.sealed_row}
                text = settings.KEY_RING.unseal(getattr(row, sealed.attribute), **place)
                written = {sealed.attribute: settings.KEY_RING.seal(text, **place)}
                assert sealed.model.objects.filter(pk=row.pk).update(**written) == 1
        note_use(key, now, service="iam", region="us-east-1", address="127.0.0.1")
    key.refresh_from_db()
    assert key.last_used_date == now
    assert counts == {}


@pytest.fixture(scope="module")
def unchanged(server: Path) -> Stage:
    """The account that is only read: what changes nothing needs none of its own."""
    return kept(set_stage())


@pytest.fixture(scope="module")
def grown(server: Path) -> Stage:
    """The account of the operations that add to it, and leave what there was."""
    return kept(set_stage())


def kept(stage: Stage) -> Stage:
    """The same with all its situations made at once, to be asked of many times."""
    account_id, situations = stage
    return account_id, list(situations)


ADDING = ("Add", "Attach", "Begin", "Create", "Generate", "Import", "Put", "Set", "Start", "Tag", "Upload")


@pytest.mark.pure  # which rows an operation writes is not the database's doing
@pytest.mark.asvs("16.4.2")
@pytest.mark.parametrize("operation", BY_CALLERS, ids=names_of(BY_CALLERS))
def test_each_change_and_each_refusal_is_one_line_and_nothing_changes_without_one(
    operation: Operation[Any], watch: None, unchanged: Stage, grown: Stage
) -> None:
    if operation.reads:
        worked = works_by_the_book(operation, unchanged)
    else:
        # Where an earlier operation stands in the way, an account of its own has it work.
        worked = operation.name.startswith(ADDING) and works_by_the_book(operation, grown)
        worked = worked or works_by_the_book(operation, set_stage())
    assert worked, "tests/everything.py has no situation in which this operation succeeds: add one"


def works_by_the_book(operation: Operation[Any], stage: Stage) -> bool:
    """Ask it in every situation of the stage: the trail has what was done and nothing else. Returns whether it ever worked."""
    worked = False
    account_id, situations = stage
    for person, values in situations:
        given = parameters(operation, values)
        before = Event.objects.filter(chain=account_id).count()
        with counting() as counts:
            answer = run(person, operation.model, given)
        worked = worked or answer.status == 200
        check_answer(operation, answer)
        check_lines(operation, answer, events_of(account_id, after=before))
        events = counts.pop(EVENTS, 0)
        changed = sum(counts.values())
        if operation.reads or answer.code is not None:
            assert changed == 0, counts
        if changed:
            assert events >= 1, counts
        if not operation.performs and not operation.reads:
            assert events == 1
    return worked
