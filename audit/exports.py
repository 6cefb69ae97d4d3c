"""The trail as a file, line by line: CSV for spreadsheets, CSV as it is, and CloudTrail's records as JSON lines."""

import csv
import json
from collections.abc import Iterable, Iterator
from datetime import UTC
from typing import Final

from audit.cloudtrail import line_of
from audit.models import Event

FORMATS: Final = {"csv": "text/csv", "csv-raw": "text/csv", "jsonl": "application/x-ndjson"}
COLUMNS: Final = (
    "sequence", "event_time", "event_id", "action", "resource", "result", "message", "actor_arn", "actor_id",
    "access_key_id", "door", "source_ip", "user_agent", "request_id", "parameters", "response", "changes", "hash",
)  # fmt: skip
# What a spreadsheet takes for a formula, wherever it starts a cell (OWASP, "CSV Injection").
FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class Line:
    """What csv writes to: the line it has just made."""

    text = ""

    def write(self, text: str) -> None:
        """Keep the line."""
        self.text = text


def lines(events: Iterable[Event], file_format: str) -> Iterator[str]:
    """The lines of the file, each with its end. ``csv`` keeps spreadsheets from reading a cell as a formula."""
    if file_format == "jsonl":
        yield from (f"{line_of(event)}\n" for event in events)
        return
    line = Line()
    writer = csv.writer(line)
    writer.writerow(COLUMNS)
    yield line.text
    for event in events:
        cells = [_text(getattr(event, column)) for column in COLUMNS]
        writer.writerow([safe(cell) for cell in cells] if file_format == "csv" else cells)
        yield line.text


def safe(cell: str) -> str:
    """A cell that a spreadsheet shows and does not calculate."""
    return f"'{cell}" if cell.startswith(FORMULAS) else cell


def _text(value: object) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return value.astimezone(UTC).isoformat() if hasattr(value, "astimezone") else str(value)
