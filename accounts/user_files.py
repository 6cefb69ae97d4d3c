"""The CSV files that users are imported from: one user a line, under a line that names the columns.

What is wrong with the whole file refuses it; what is wrong with a line is kept with the line, so that the others can be done.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from accounts.tags import Tag
from iamconsole.errors import InvalidInput

LARGEST_FILE: Final = 256 * 1024
TOO_LARGE: Final = f"The file is larger than {LARGEST_FILE // 1024} KiB: import it in parts."
MOST_ROWS: Final = 1000
COLUMNS: Final = ("user_name", "path", "groups", "tags", "console_access", "end_date")
TEMPLATE: Final = (
    ",".join(COLUMNS) + "\r\n"
    "alice,/design/,developers;reviewers,team=blue;cost-centre=4711,setup_link,\r\n"
    "backup-robot,/robots/,,,none,2099-12-31\r\n"
)
WAYS: Final = {"": False, "none": False, "setup_link": True}


@dataclass(frozen=True)
class UserRow:
    """A line of the file: the parameters of CreateUserWithAccess, and what is wrong with it."""

    line: int
    user_name: str
    parameters: Mapping[str, Any]
    errors: tuple[str, ...] = ()


def text_of(file: bytes) -> str:
    """The text of a file. Raises InvalidInput when it is too large or not UTF-8, with or without a byte order mark."""
    if len(file) > LARGEST_FILE:
        raise InvalidInput(TOO_LARGE)
    try:
        text = file.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"The file is not text in UTF-8 (byte {error.start + 1}). Save it as “CSV UTF-8” and try again."
        ) from error
    if "\x00" in text:
        raise InvalidInput("The file is not text in UTF-8: it has null bytes. Save it as “CSV UTF-8” and try again.")
    return text


def read(text: str) -> list[UserRow]:
    """The lines of the file. Raises InvalidInput for what is no such file, or has more than 1,000 users."""
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = [cell.strip().lower() for cell in next(lines, [])]
        _check_columns(columns)
        rows: list[UserRow] = []
        seen: dict[str, int] = {}
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            if len(rows) == MOST_ROWS:
                raise InvalidInput(f"The file has more than {MOST_ROWS} users: import it in parts.")
            rows.append(_row(lines.line_num, columns, cells, seen))
    except csv.Error as error:
        raise InvalidInput(f"Line {lines.line_num} is no CSV: {error}.") from error
    if not rows:
        raise InvalidInput("The file names no users: it has no line below the names of the columns.")
    return rows


def _check_columns(columns: Sequence[str]) -> None:
    known = f"The first line names the columns: user_name, and if need be {', '.join(COLUMNS[1:])}."
    if len(columns) == 1 and any(sign in columns[0] for sign in ";\t"):
        raise InvalidInput("The columns are not separated by commas. Save the file as CSV with commas.")
    if "user_name" not in columns:
        raise InvalidInput(f"There is no column user_name. {known}")
    if unknown := [column for column in columns if column not in COLUMNS]:
        raise InvalidInput(f"The column “{unknown[0][:40]}” is not known. {known}")
    if len(set(columns)) < len(columns):
        raise InvalidInput(f"A column is named twice. {known}")


def _row(line: int, columns: Sequence[str], cells: Sequence[str], seen: dict[str, int]) -> UserRow:
    if len(cells) != len(columns):
        first = cells[0].strip() if columns[0] == "user_name" else ""
        return UserRow(line, first, {}, (f"Values: {len(cells)}. Columns: {len(columns)}. There must be as many.",))
    values = {column: cell.strip() for column, cell in zip(columns, cells, strict=True)}
    user_name, errors = values["user_name"], []
    parameters: dict[str, Any] = {"user_name": user_name, "path": values.get("path") or "/"}
    if not user_name:
        errors.append("There is no user name.")
    elif (before := seen.setdefault(user_name.lower(), line)) != line:
        errors.append(f"The name is in line {before} already. Names that differ only in case are the same name.")
    groups = {name.lower(): name for name in _parts(values.get("groups", ""))}
    parameters["group_names"] = list(groups.values()) or None
    parameters["tags"] = _tags(values.get("tags", ""), errors) or None
    way = values.get("console_access", "").lower()
    if way not in WAYS:
        errors.append("console_access is setup_link or none.")
    parameters["setup_link"] = WAYS.get(way) or None
    parameters["end_date"] = _end_date(values.get("end_date", ""), errors)
    return UserRow(
        line, user_name, {name: value for name, value in parameters.items() if value is not None}, tuple(errors)
    )


def _parts(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]


def _tags(cell: str, errors: list[str]) -> list[Tag]:
    pairs = [part.partition("=") for part in _parts(cell)]
    if any(not sign or not key for key, sign, _ in pairs):
        errors.append("Tags are written key=value, several with semicolons between them.")
    return [{"key": key.strip(), "value": value.strip()} for key, _, value in pairs]


def _end_date(cell: str, errors: list[str]) -> datetime | None:
    if not cell:
        return None
    try:
        moment = datetime.fromisoformat(cell)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        errors.append("The end date is written 2027-01-31 or 2027-01-31T08:00, in UTC.")
        return None
