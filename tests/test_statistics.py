"""What SQLite knows of its tables, by which it plans: of the large ones. Without it the dashboard takes three times as long."""

import pytest
from django.db import connection

from accounts import arns
from accounts.models import Group
from iamconsole.statistics import LARGE, refresh_statistics
from tests.conftest import Person


def known() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tbl FROM sqlite_stat1")
        return {table for (table,) in cursor.fetchall()}


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL sees to it by itself")
def test_a_table_is_looked_at_once_it_is_large(root: Person) -> None:
    try:
        refresh_statistics()
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE sqlite_schema")  # makes the table of what is known, if nothing has yet
        assert "accounts_group" not in known()
        Group.objects.bulk_create(
            Group(
                account_id=root.account_id,
                group_id=arns.new_unique_id("AGPA"),
                group_name=f"g{number}",
                group_name_key=f"g{number}",
            )
            for number in range(LARGE + 1)
        )
        refresh_statistics()
        assert "accounts_group" in known()
        assert "accounts_account" not in known()
    finally:
        Group.objects.in_account(root.account_id).delete()
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM sqlite_stat1")
            cursor.execute("ANALYZE sqlite_schema")  # forget it
