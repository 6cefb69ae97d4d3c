"""The trail as a file, line by line: CSV for spreadsheets, CSV as it is, and CloudTrail's records as JSON lines."""

import csv
import json
from collections.abc import Iterable, Iterator
from datetime import UTC
from typing import Final

from audit.cloudtrail import line_of
from audit.models import Event
from iamconsole.spreadsheets import Line, safe

FORMATS: Final = {"csv": "text/csv", "csv-raw": "text/csv", "jsonl": "application/x-ndjson"}
COLUMNS: Final = (
    "sequence", "event_time", "event_id", "action", "resource", "result", "message", "actor_arn", "actor_id",
    "access_key_id", "door", "source_ip", "user_agent", "request_id", "parameters", "response", "changes", "hash",
)  # fmt: skip


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


def _text(value: object) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return value.astimezone(UTC).isoformat() if hasattr(value, "astimezone") else str(value)
