"""What all tests together change, noted by PostgreSQL's triggers: by which transaction, and what the trail has of it.

A transaction that changes something of an account and adds no line is a hole in the trail, whichever test came upon it. The
rows that tests write themselves, to set a stage, are told apart by a mark on their connections; an operation that a test
calls takes it off for its own transaction. SQLite cannot tell one transaction from another, so there nothing is noted.
"""

from typing import Any, Final

import pytest
from django.db import connection
from django.db.backends.signals import connection_created

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


def begin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Note everything from now on, in the database of the tests."""
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
