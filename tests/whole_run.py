"""What all tests together change, noted by PostgreSQL's triggers: by which transaction, and what the trail has of it.

A transaction that changes something of an account and adds no line is a hole in the trail, whichever test came upon it. The
rows that tests write themselves, to set a stage, are told apart by a mark on their connections; an operation that a test
calls takes it off for its own transaction. SQLite cannot tell one transaction from another, so there nothing is noted.

On both databases every refusal of an operation that a test's own process has asked for, by the console too, is held against the
lines that were written for it.
"""

import threading
from typing import Any, Final

import pytest
from django.db import connection
from django.db.backends.signals import connection_created

from iamconsole import operation
from iamconsole.errors import Fault
from iamconsole.operation import Operation
from tests.watching import EVENTS, WATCHED, watching

TABLE: Final = "whole_run"
BY: Final = "coalesce(current_setting('iamconsole.writer', true), '')"
CHANGE: Final = f"INSERT INTO {TABLE} VALUES (txid_current(), {BY}, 'change', '{{table}} ' || TG_OP)"
LINE: Final = (
    f"INSERT INTO {TABLE} SELECT txid_current(), {BY}, CASE WHEN NEW.refused THEN 'refusal' ELSE 'line' END,"
    " concat_ws(' ', NEW.action, NEW.resource, md5(NEW.parameters::text)) WHERE TG_OP = 'INSERT'"
)
A_TEST: Final = "SET iamconsole.writer = 'a test'"
AN_OPERATION: Final = "SET LOCAL iamconsole.writer = ''"
HOLES: Final = f"""
    SELECT array_agg(DISTINCT what) FROM {TABLE} GROUP BY transaction
    HAVING bool_or(kind = 'change' AND writer = '') AND NOT bool_or(kind = 'line')
"""
UNDONE: Final = f"""
    SELECT array_agg(DISTINCT what) FROM {TABLE} GROUP BY transaction
    HAVING bool_or(kind = 'refusal')
       AND (bool_or(kind = 'change' AND writer = '') OR count(*) FILTER (WHERE kind <> 'change') > 1)
"""
TOLD_TWICE: Final = f"""
    SELECT what FROM {TABLE} WHERE kind = 'line' GROUP BY transaction, what HAVING count(*) > 1
"""


# Faults of an operation that was begun: who may not, and what stands in the way. Bad parameters are refused before.
OF_AN_OPERATION: Final = (
    "AccessDenied",
    "DeleteConflict",
    "EntityAlreadyExists",
    "EntityTemporarilyUnmodifiable",
    "LimitExceeded",
)
# Refusals in this process that are not told once: the action, the error's code, and how often they are.
MISTOLD: Final[list[tuple[str, str, int]]] = []


def hold_refusals_against_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count the lines that each refused operation has written."""
    run, record, written = Operation.__call__, operation.record_alone, threading.local()

    def counted(*arguments: Any, **event: Any) -> Any:
        written.lines = getattr(written, "lines", 0) + 1
        return record(*arguments, **event)

    def watched(self: Operation[Any], caller: Any, /, **parameters: Any) -> Any:
        before = getattr(written, "lines", 0)
        try:
            return run(self, caller, **parameters)
        except Fault as fault:
            lines = getattr(written, "lines", 0) - before
            is_told = fault.code == "AccessDenied" or (fault.code in OF_AN_OPERATION and not self.reads)
            if is_told and lines != 1:
                MISTOLD.append((self.action, fault.code, lines))
            raise

    monkeypatch.setattr(operation, "record_alone", counted)
    monkeypatch.setattr(Operation, "__call__", watched)


def begin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Note everything from now on, in the database of the tests."""
    hold_refusals_against_lines(monkeypatch)
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE UNLOGGED TABLE {TABLE} (transaction bigint, writer text, kind text, what text)")
        triggers = [*watching(TABLE, WATCHED, CHANGE), *watching(f"{TABLE}_line", {EVENTS: ""}, LINE)]
        for create, _ in triggers:
            cursor.execute(create)
    connection_created.connect(_mark)
    _say(A_TEST)
    write = Operation._write

    def unmarked(self: Operation[Any], *arguments: Any) -> Any:
        _say(AN_OPERATION)
        return write(self, *arguments)

    monkeypatch.setattr(Operation, "_write", unmarked)


def _mark(**created: Any) -> None:
    """Mark a connection that this process has just made."""
    _say(A_TEST)


def _say(statement: str) -> None:
    """Run a statement that no count of queries has."""
    driver: Any = connection.connection
    driver.execute(statement)


def found(query: str) -> list[Any]:
    """The rows of a query on what was noted."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [row[0] for row in cursor.fetchall()]
