"""A question to the verifier door in its two forms: headers that a gateway sets, or a JSON document.

Both become the parameters of iamconsole:Authorize, which are checked there by the service model.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from api.shapes import snake
from iamconsole.errors import ValidationError
from permissions import strict_json

ORIGINAL, ASKED = "x-original-", "x-iamconsole-"
REQUIRED = (
    *("x-original-method", "x-original-uri", "x-original-host"),
    *("x-iamconsole-action", "x-iamconsole-resource"),
)
# What the gateway's own request to this server has in the place of the original's.
REPLACED = {"host": "x-original-host", "content-length": "x-original-content-length"} | {
    "transfer-encoding": "x-original-transfer-encoding"
}
MEMBERS = frozenset(
    {"request", "access_key_id", "ssh_public_key_id", "action", "resource", "context", "resource_policy"}
)
MEMBERS_OF_REQUEST = frozenset({"method", "uri", "headers", "body_sha256"})
PAIR = 2
LONGEST_ADDRESS = 45


def from_headers(headers: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The question of a gateway, from the headers of its request: names in lower case, text as WSGI has it.

    Raises ValidationError when the gateway does not set all that makes a question.
    """
    given = {name: _text(value) for name, value in headers}
    missing = [name for name in REQUIRED if not given.get(name)]
    if missing:
        raise ValidationError(f"The gateway must set the headers {', '.join(missing)}.")
    original = {
        name: value for name, value in given.items() if name not in REPLACED and not name.startswith((ORIGINAL, ASKED))
    }
    original |= {name: given[sent_as] for name, sent_as in REPLACED.items() if given.get(sent_as)}
    context = {
        "aws:SourceIp": given.get("x-original-address"),
        "aws:SecureTransport": _secure(given.get("x-original-scheme")),
        "aws:UserAgent": given.get("user-agent"),
    }
    return {
        "signer": {
            "request": {
                "method": given["x-original-method"],
                "uri": given["x-original-uri"],
                "headers": [{"name": name, "value": value} for name, value in original.items()],
            }
        },
        "action_name": given["x-iamconsole-action"],
        "resource_arn": given["x-iamconsole-resource"],
        "context": [{"key": key, "values": [value]} for key, value in context.items() if value],
    }


def from_json(body: bytes) -> dict[str, Any]:
    """The question of a service, from its JSON document. Raises ValidationError when it is not one."""
    try:
        document = strict_json.load(body.decode())
    except UnicodeDecodeError as error:
        raise ValidationError("The document must be encoded in UTF-8.") from error
    except strict_json.NotStrictError as error:
        raise ValidationError(f"The document is not JSON as it is read here. {error}") from error
    given = _object(document, "The document", MEMBERS)
    signer: dict[str, Any] = {name: given.get(name) for name in ("access_key_id", "ssh_public_key_id")}
    if given.get("request") is not None:
        request = _object(given["request"], "The request", MEMBERS_OF_REQUEST)
        signer["request"] = {**request, "headers": _headers(request.get("headers"))}
    return {
        "signer": {name: value for name, value in signer.items() if value is not None},
        "action_name": given.get("action"),
        "resource_arn": given.get("resource"),
        "context": _context(given.get("context")),
        "resource_policy": given.get("resource_policy"),
    }


def source_of(parameters: Mapping[str, Any]) -> str:
    """The address the original request came from, if the question says so: what its failures are counted under."""
    said: list[str] = next(
        (entry["values"] for entry in parameters["context"] if entry["key"].lower() == "aws:sourceip"), []
    )
    try:
        return str(ipaddress.ip_address(said[0]))[:LONGEST_ADDRESS] if said else ""
    except ValueError:
        return ""


def in_json(data: Any) -> dict[str, Any]:
    """The answer under the names of JSON's form: those of the service model, in snake case at every depth."""
    return {snake(name): in_json(value) if isinstance(value, dict) else value for name, value in data.items()}


def _object(value: Any, what: str, members: frozenset[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValidationError(f"{what} must be an object.")
    if unknown := sorted(value.keys() - members):
        raise ValidationError(f"{what} has the unknown member {unknown[0][:100]!a}. It may have: {sorted(members)}.")
    return value


def _headers(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(pair, list) and len(pair) == PAIR for pair in value):
        raise ValidationError('The headers of the request must be a list of pairs: [["host", "example.org"], …].')
    return [{"name": name, "value": text} for name, text in value]


def _context(value: Any) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, dict) or not all(isinstance(values, list) for values in value.values()):
        raise ValidationError('The context must be an object of lists: {"aws:SourceIp": ["192.0.2.7"], …}.')
    return [{"key": key, "values": values} for key, values in value.items()]


def _text(value: str) -> str:
    """A header as text. What is no UTF-8 no longer fits the signature if that covers it, and does not matter otherwise."""
    return value.encode("latin-1").decode("utf-8", "replace")


def _secure(scheme: str | None) -> str | None:
    return None if scheme is None else str(scheme == "https").lower()
