"""Log lines: text for people, or one JSON object a line; each with the request's id, none with a secret."""

import json
import logging
import re
from collections.abc import Hashable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class Served:
    """The request that is being served: its id, the fields that its line in the request log gets, what it changed and has read.

    ``changes`` has the action, what it was done to, and its parameters without what is secret; ``seen`` is of `looking`.
    """

    request_id: str = ""
    fields: dict[str, object] = field(default_factory=dict)
    changes: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)
    seen: dict[Hashable, Any] = field(default_factory=dict, repr=False)


SERVED: ContextVar[Served] = ContextVar("served")


def served() -> Served:
    """The request that is being served by this thread; an empty one outside of any."""
    return SERVED.get(Served())


# What may stand in a path or a message and is nobody's to read: set-up tokens, signatures, session tokens.
_SECRETS = re.compile(
    r"(/setup/)[^/\s\"']+|((?:X-Amz-Signature|X-Amz-Security-Token|Signature)=)[^&\s\"',]+", re.IGNORECASE
)


def redact(text: str) -> str:
    """Blank what a line must not tell."""
    return _SECRETS.sub(lambda match: f"{match[1] or match[2]}***", text)


class JSONLine(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, request_id, message, and the fields given as ``extra``."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "request_id": served().request_id,
            "message": redact(record.getMessage()),
        }
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["exception"] = redact(self.formatException(record.exc_info))
        return json.dumps(line, default=str)


class TextLine(logging.Formatter):
    """The same for a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the line."""
        time = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        fields = " ".join(f"{name}={value}" for name, value in getattr(record, "fields", {}).items())
        text = " ".join(part for part in (time, record.levelname, redact(record.getMessage()), fields) if part)
        if served().request_id:
            text += f" [{served().request_id}]"
        if record.exc_info:
            text += "\n" + redact(self.formatException(record.exc_info))
        return text.replace("\r", "\\r") if record.exc_info else text.replace("\r", "\\r").replace("\n", "\\n")
