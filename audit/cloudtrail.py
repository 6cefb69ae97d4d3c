"""Events in CloudTrail's form: the record that its log files and LookupEvents' ``CloudTrailEvent`` have.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

import json
from datetime import UTC
from typing import Any, Final

from audit.finding import CONSOLE_LOGIN
from audit.models import Event
from audit.record import SIGN_IN

VERSION: Final = "1.11"
REGION: Final = "us-east-1"  # where IAM's events are
IAM_USER: Final = "AIDA"


def event_name(event: Event) -> str:
    """CloudTrail's name of what happened."""
    return CONSOLE_LOGIN if event.action == SIGN_IN else event.action.partition(":")[2]


def record_of(event: Event) -> dict[str, Any]:
    """The record. What CloudTrail has no member for stands in ``additionalEventData``, as AWS's services do it."""
    record: dict[str, Any] = {
        "eventVersion": VERSION,
        "userIdentity": _identity(event),
        "eventTime": event.event_time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": event.event_source,
        "eventName": event_name(event),
        "awsRegion": REGION,
        "sourceIPAddress": event.source_ip,
        "userAgent": event.user_agent,
    }
    if event.refused:
        record |= {"errorCode": event.result, "errorMessage": event.message}
    return record | {
        "requestParameters": lower_first(event.parameters, snake=True) or None,
        "responseElements": _response(event),
        "additionalEventData": _beside(event),
        "requestID": event.request_id,
        "eventID": str(event.event_id),
        "readOnly": event.read_only,
        "resources": [{"type": kind, "ARN": name} for kind, name in event.resources if name.startswith("arn:")],
        "eventType": "AwsConsoleSignIn" if event.action == SIGN_IN else "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": event.chain,
        "eventCategory": "Management",
    }


def line_of(event: Event) -> str:
    """The record as one line of JSON. Line separators of Unicode are escaped: some readers of lines would split there."""
    text = json.dumps(record_of(event), ensure_ascii=False, separators=(",", ":"))
    return "".join(_ESCAPED.get(each, each) for each in text) if not text.isascii() else text


_ESCAPED: Final = {each: f"\\u{ord(each):04x}" for each in "\x7f\x85\u2028\u2029"} | {
    chr(code): f"\\u{code:04x}" for code in range(0xD800, 0xE000)
}


def _identity(event: Event) -> dict[str, Any]:
    if not event.actor_arn:
        return {"type": "Unknown"}
    if not event.actor_id:
        return {"type": "Unknown", "userName": event.actor_arn}
    root = not event.actor_id.startswith(IAM_USER)
    identity = {
        "type": "Root" if root else "IAMUser",
        "principalId": event.actor_id,
        "arn": event.actor_arn,
        "accountId": event.chain,
        "accessKeyId": event.access_key_id,
        "userName": "" if root else event.actor_name,
    }
    return {name: value for name, value in identity.items() if value}


def _response(event: Event) -> Any:
    if event.action == SIGN_IN:
        return {CONSOLE_LOGIN: "Failure" if event.refused else "Success"}
    return lower_first(event.response) or None


def _beside(event: Event) -> dict[str, Any]:
    beside: dict[str, Any] = {
        "sequence": event.sequence,
        "hash": event.hash,
        "previousHash": event.previous_hash,
        "door": event.door,
        "resource": event.resource,
        "changes": event.changes,
        "decision": event.decision,
    }
    if event.action == SIGN_IN:
        beside |= {
            "MFAUsed": "No" if event.response.get("method", "password") == "password" else "Yes",
            **event.response,
        }
    return {name: value for name, value in beside.items() if value not in ([], {}, "")}


def lower_first(value: Any, *, snake: bool = False) -> Any:
    """The same with member names as CloudTrail writes them: ``user_name`` and ``UserName`` are ``userName``."""
    if isinstance(value, dict):
        return {_lower(name, snake=snake): lower_first(each, snake=snake) for name, each in value.items()}
    return [lower_first(each, snake=snake) for each in value] if isinstance(value, list) else value


def _lower(name: str, *, snake: bool) -> str:
    first, *more = name.split("_") if snake else [name]
    return (first if snake else first[:1].lower() + first[1:]) + "".join(part[:1].upper() + part[1:] for part in more)
