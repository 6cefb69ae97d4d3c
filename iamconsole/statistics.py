"""What SQLite knows of its tables, by which it chooses among their indexes. PostgreSQL sees to that by itself."""

from typing import Final

from django.db import connection

LARGE: Final = 1_000  # rows; a plan that was made for a table of ten would still be followed when it holds 100,000
READ: Final = 200_000  # entries of an index at most: with few, the users of an account are guessed to be few


def refresh_statistics() -> None:
    """Look at the large tables anew. Connections see it that are opened after this; 0.2 s for 100,000 users."""
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA analysis_limit = {READ}")
        for table in connection.introspection.table_names(cursor):
            quoted = connection.ops.quote_name(table)
            cursor.execute(f"SELECT 1 FROM {quoted} LIMIT 1 OFFSET {LARGE}")  # noqa: S608 - a table's own name
            if cursor.fetchone():
                cursor.execute(f"ANALYZE {quoted}")
