"""Text messages, through the gateway that the operator names in SMS_URL. Off without it.

``outbox:`` writes them to a file in the data folder instead, for trying things out. Anything else is an address of apprise, of
one of the services that `iamconsole.configuration` lists, in which ``{number}`` stands for the recipient's number.
"""

import json
import os
from datetime import UTC, datetime
from urllib.parse import quote

from django.conf import settings

from iamconsole.errors import ServiceUnavailable

OUTBOX = "outbox:"
# Seconds to connect and to answer: whoever waits for a code does not wait longer.
_TIMEOUTS = "cto=2.0&rto=3.0&redirect=no"


def is_on() -> bool:
    """Whether the operator has named a gateway."""
    return bool(settings.SMS_URL)


def is_outbox() -> bool:
    """Whether messages go to a file of this installation only, for trying things out."""
    return bool(settings.SMS_URL == OUTBOX)


def send(number: str, text: str) -> None:
    """Send a text to a number in the form +15550001111. Raises ServiceUnavailable when the gateway does not take it."""
    if settings.SMS_URL == OUTBOX:
        _write(number, text)
        return
    import apprise

    address = settings.SMS_URL.replace("{number}", quote(number, safe=""))
    gateway = apprise.Apprise()
    added = gateway.add(f"{address}{'&' if '?' in address else '?'}{_TIMEOUTS}")
    if not (added and gateway.notify(body=text)):
        raise ServiceUnavailable(
            "The text message could not be sent. Try again in a moment, or use another MFA device."
        )


def _write(number: str, text: str) -> None:
    line = json.dumps({"time": datetime.now(UTC).isoformat(), "number": number, "text": text})
    descriptor = os.open(settings.DATA / "sms-outbox.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a", encoding="utf-8") as outbox:
        outbox.write(f"{line}\n")
