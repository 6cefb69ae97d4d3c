"""One row of a credential report: AWS's columns, in its order, by its conventions; and the CSV it stands in.

IAM User Guide, "Getting credential reports for your AWS account"; where live reports differ from it, as they are: booleans in
lower case, dates that end in Z, no line feed at the end.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from iamconsole.spreadsheets import safe

KEY_COLUMNS: Final = ("active", "last_rotated", "last_used_date", "last_used_region", "last_used_service")
COLUMNS: Final = (
    "user",
    "arn",
    "user_creation_time",
    "password_enabled",
    "password_last_used",
    "password_last_changed",
    "password_next_rotation",
    "mfa_active",
    *(f"access_key_1_{name}" for name in KEY_COLUMNS),
    *(f"access_key_2_{name}" for name in KEY_COLUMNS),
    *("cert_1_active", "cert_1_last_rotated", "cert_2_active", "cert_2_last_rotated"),
)
ROOT: Final = "<root_account>"
NONE, NEVER, NOT_SUPPORTED = "N/A", "no_information", "not_supported"


@dataclass(frozen=True)
class Key:
    """What the report tells of an access key."""

    active: bool
    create_date: datetime
    last_used_date: datetime | None
    last_used_region: str
    last_used_service: str


@dataclass(frozen=True)
class Certificate:
    """What the report tells of a signing certificate."""

    active: bool
    upload_date: datetime


@dataclass(frozen=True)
class Subject:
    """One user with all that the report tells. The keys and certificates are in the order of their age, the oldest first."""

    user: str
    arn: str
    create_date: datetime
    password_enabled: bool
    password_last_used: datetime | None
    password_last_changed: datetime | None
    password_next_rotation: datetime | None
    mfa_active: bool
    is_root: bool = False
    keys: Sequence[Key] = field(default=())
    certificates: Sequence[Certificate] = field(default=())

    def row(self) -> list[str]:
        """The row's cells."""
        return [
            self.user,
            self.arn,
            moment(self.create_date),
            _word(self.password_enabled),
            *self._password(),
            _word(self.mfa_active),
            *(cell for number in (0, 1) for cell in self._key(number)),
            *(cell for number in (0, 1) for cell in self._certificate(number)),
        ]

    def _password(self) -> list[str]:
        rotation = NOT_SUPPORTED if self.is_root else moment(self.password_next_rotation)
        if not self.password_enabled:
            return [NONE, NONE, rotation if self.is_root else NONE]
        used = moment(self.password_last_used) if self.password_last_used else NEVER
        return [used, moment(self.password_last_changed), rotation]

    def _key(self, number: int) -> list[str]:
        if number >= len(self.keys):
            return ["false", NONE, NONE, NONE, NONE]
        key = self.keys[number]
        used = key.last_used_date
        where = (key.last_used_region or NONE, key.last_used_service or NONE) if used else (NONE, NONE)
        return [_word(key.active), moment(key.create_date), moment(used), *where]

    def _certificate(self, number: int) -> list[str]:
        if number >= len(self.certificates):
            return ["false", NONE]
        certificate = self.certificates[number]
        return [_word(certificate.active), moment(certificate.upload_date)]


def _word(value: bool) -> str:
    return "true" if value else "false"


def moment(value: datetime | None) -> str:
    """A time as the report has it."""
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value else NONE


def when(cell: str) -> datetime | None:
    """A time that stands in a cell, or None where none does."""
    return datetime.fromisoformat(cell) if cell[:1].isdigit() else None


def written(row: Sequence[str]) -> str:
    """A row of CSV by RFC 4180, without an end of line."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(row)
    return text.getvalue()


def read(texts: Iterable[str]) -> Iterator[dict[str, str]]:
    """The rows in a report's chunks, a chunk at a time. No cell holds a line feed, so none is cut."""
    for number, text in enumerate(texts):
        yield from (dict(zip(COLUMNS, row, strict=True)) for row in rows_in(text, first=number == 0))


def rows_in(text: str, *, first: bool) -> list[list[str]]:
    """The rows of one chunk, without the header of the first."""
    lines = csv.reader(io.StringIO(text.removeprefix("\n"), newline=""))
    return list(lines)[1 if first else 0 :]


def for_spreadsheets(texts: Iterable[str]) -> Iterator[str]:
    """The same CSV, safe to open in a spreadsheet."""
    for number, chunk in enumerate(texts):
        lines = csv.reader(io.StringIO(chunk.removeprefix("\n"), newline=""))
        text = "\n".join(written([safe(cell) for cell in line]) for line in lines)
        yield text if number == 0 else f"\n{text}"
