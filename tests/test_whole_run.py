"""Runs last: what all the other tests did, in whatever process and by whatever door, is in the trail, each change by its line.

On PostgreSQL triggers have noted every transaction (tests/whole_run.py); on both databases the server's request log is held
against the trail.
"""

import json
import sys
from collections import Counter
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.models import User
from accounts.operations.users import list_users
from audit.models import Event
from audit.record import Origin, record
from iamconsole.errors import AccessDenied
from iamconsole.operation import Operation, find
from tests.conftest import Person
from tests.whole_run import AN_OPERATION, HOLES, MISTOLD, OF_AN_OPERATION, TOLD_TWICE, UNDONE, found

noted = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite cannot tell its transactions apart")
AWS = ""  # the route of its door


def change_without_a_line(root: Person, *, told: int = 0, refused: bool = False) -> int:
    """Do as an operation would that forgot its line, or told ``told`` times; returns the transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(AN_OPERATION)
        User.objects.filter(pk=root.user.pk).update(path="/unseen/")
        for _ in range(told):
            result = "AccessDenied" if refused else "Success"
            record(Origin(chain=root.account_id, door="api"), action="iam:UpdateUser", resource="*", result=result)
        cursor.execute("SELECT txid_current()")
        [number] = cursor.fetchone()
    return int(number)


@pytest.fixture
def forgotten() -> Iterator[list[int]]:
    """Transactions that are to be forgotten when the test is over."""
    numbers: list[int] = []
    yield numbers
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM whole_run WHERE transaction = ANY(%s)", [numbers])


@noted
@pytest.mark.parametrize(("query", "told", "refused"), [(HOLES, 0, False), (UNDONE, 1, True), (TOLD_TWICE, 2, False)])
def test_what_is_not_in_order_would_be_found(
    root: Person, forgotten: list[int], query: str, told: int, refused: bool
) -> None:
    before = len(found(query))
    forgotten.append(change_without_a_line(root, told=told, refused=refused))
    assert len(found(query)) == before + 1


@noted
def test_no_transaction_has_changed_an_account_without_a_line() -> None:
    assert found(HOLES) == []


@noted
def test_what_was_refused_has_changed_nothing_and_is_told_once() -> None:
    assert found(UNDONE) == []


@noted
def test_no_transaction_has_told_the_same_twice() -> None:
    assert found(TOLD_TWICE) == []


def served_by(log: Path) -> Iterator[dict[str, Any]]:
    """The lines of AWS's requests that came as far as an operation."""
    for text in log.read_text().splitlines():
        line = json.loads(text) if text.startswith("{") else {}
        if line.get("logger") == "iamconsole.request" and line["route"] == AWS and "action" in line:
            yield line


def expected(operation: Operation[Any] | None, error: str | None) -> Container[int]:
    """How many lines an answer may have in the trail."""
    if operation is None:
        return [0]
    if operation.reads:
        return [1] if error == "AccessDenied" else [0]
    if error is not None:
        return [1] if error in OF_AN_OPERATION else [0, 1]
    # One a part of a composite, whose parts may all have nothing to do.
    return range(sys.maxsize) if operation.performs else [1]


def test_every_change_and_every_refusal_that_the_server_has_answered_is_in_the_trail_once(
    root: Person, server: Path
) -> None:
    root.client().create_user(UserName="seen")
    lines = Counter(Event.objects.exclude(request_id="").values_list("request_id", flat=True).iterator())
    seen, wrong = 0, []
    for line in served_by(server):
        operation = find(*line["action"].split(":"))
        number, error = lines[line["request_id"]], line.get("error")
        seen += operation is not None and not operation.reads and error is None
        if number not in expected(operation, error):
            wrong.append((line["action"], error, number))
    assert seen
    assert wrong == []


def test_a_refusal_that_is_not_told_would_be_found(mallory: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Operation, "_record_refusal", lambda *given: None)
    with pytest.raises(AccessDenied):
        list_users(mallory.caller)
    assert MISTOLD.pop() == ("iam:ListUsers", "AccessDenied", 0)


def test_every_refusal_of_an_operation_that_the_tests_have_asked_for_is_told_once() -> None:
    assert MISTOLD == []
