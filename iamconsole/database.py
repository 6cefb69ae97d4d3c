"""How long to wait for the database, where the ordinary wait would be too long."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction


@contextmanager
def patience(wait: timedelta) -> Iterator[None]:
    """Wait for locks no longer than this within the block; raises OperationalError then. It is a transaction on PostgreSQL."""
    milliseconds = int(wait.total_seconds() * 1000)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            ordinary = int(settings.DATABASES["default"]["OPTIONS"]["timeout"] * 1000)
            cursor.execute(f"PRAGMA busy_timeout = {milliseconds}")
            try:
                yield
            finally:
                cursor.execute(f"PRAGMA busy_timeout = {ordinary}")
        else:
            with transaction.atomic():
                cursor.execute(f"SET LOCAL lock_timeout = {milliseconds}")
                yield
