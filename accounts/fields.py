"""Columns that both databases treat alike."""

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:
    CharField = models.CharField[str | None, str | None]
else:
    CharField = models.CharField


class ByteOrderedCharField(CharField):
    """Text compared and ordered byte by byte: PostgreSQL's collation C, which is what SQLite does anyway.

    Uniqueness, listing order and markers stand on it, so they must not change with the operating system's locale.
    """

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        """Ask for the collation where the database has it."""
        parameters = super().db_parameters(connection)
        parameters["collation"] = "C" if connection.vendor == "postgresql" else None
        return parameters
