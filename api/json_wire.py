"""The awsJson1.1 wire: which operation X-Amz-Target names, a JSON body to parameters, results and faults to JSON.

https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html. Names and shapes are those of the service model, as in ``wire``.
"""

import base64
import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from api.shapes import NOT_XML, OperationModel, Service, Shape, snake
from iamconsole.errors import Fault, InvalidAction, MalformedInput, ValidationError

CONTENT_TYPE = "application/x-amz-json-1.1"
DEEPEST = 32
# What AWS's JSON services call the faults that IAM and STS have another name for, and answer with 400.
CODES = {
    "AccessDenied": "AccessDeniedException",
    "ExpiredToken": "ExpiredTokenException",
    "IncompleteSignature": "IncompleteSignatureException",
    "InvalidAction": "UnknownOperationException",
    "InvalidClientTokenId": "UnrecognizedClientException",
    "MalformedInput": "SerializationException",
    "MissingAction": "UnknownOperationException",
    "MissingAuthenticationToken": "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch": "InvalidSignatureException",
    "Throttling": "ThrottlingException",
    "ValidationError": "ValidationException",
}
# The members whose broken constraints CloudTrail has an error of its own for.
BY_MEMBER = {
    "lookupAttributes": "InvalidLookupAttributesException",
    "maxResults": "InvalidMaxResultsException",
    "eventCategory": "InvalidEventCategoryException",
}
_MEMBER = re.compile(r"at '(\w+)")


def operation_model(target: str, service: Service) -> OperationModel:
    """The operation that the header X-Amz-Target names, of the service the request is signed for. Raises InvalidAction."""
    prefix, _, name = target.rpartition(".")
    if not service.target_prefix or prefix != service.target_prefix or name not in service.operations:
        raise InvalidAction(f"Unknown operation: {target[:100]}")
    return service.operations[name]


def parse(model: OperationModel, body: bytes) -> dict[str, Any]:
    """The parameters as Python values, by the input shape. What the shape does not know is ignored.

    Raises MalformedInput on what is not JSON, or not of the shape's type.
    """
    try:
        given = json.loads(body or b"{}", parse_constant=_no_number, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise MalformedInput("The request's body must be a JSON object in UTF-8.") from error
    if not isinstance(given, dict):
        raise MalformedInput("The request's body must be a JSON object in UTF-8.")
    return {} if model.input is None else dict(_value(model.input, given, "", DEEPEST))


def _no_number(name: str) -> float:
    raise ValueError(name)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name is given twice")
    return made


def _value(shape: Shape, value: Any, path: str, deep: int) -> Any:
    kind: Any
    kind, read = _READERS[shape.kind]
    if not isinstance(value, kind) or (isinstance(value, bool) and shape.kind != "boolean") or not deep:
        raise MalformedInput(f"The parameter {path or 'body'} must be a {shape.kind}.")
    if shape.kind == "structure":
        return {
            snake(name): _value(member, value[name], f"{path}.{name}".removeprefix("."), deep - 1)
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if shape.kind == "list":
        return [_value(shape.member, each, f"{path}.{index}", deep - 1) for index, each in enumerate(value, 1)]
    if shape.kind == "map":
        return {key: _value(shape.value, each, f"{path}.{key[:100]}", deep - 1) for key, each in value.items()}
    try:
        return read(value)
    except (ValueError, OverflowError, OSError) as error:
        raise MalformedInput(f"The parameter {path} must be a {shape.kind}.") from error


def _string(value: str) -> str:
    if NOT_XML.search(value):  # the same characters that no other door takes
        raise ValueError("control character")
    return value


def _moment(value: float | str) -> datetime:
    if isinstance(value, str):
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    if not math.isfinite(value):
        raise ValueError("no time")
    return datetime.fromtimestamp(value, UTC)


_READERS: Mapping[str, tuple[type | tuple[type, ...], Callable[[Any], Any]]] = {
    "structure": (dict, dict),
    "list": (list, list),
    "map": (dict, dict),
    "string": (str, _string),
    "boolean": (bool, bool),
    "integer": (int, int),
    "long": (int, int),
    "float": ((int, float), float),
    "double": ((int, float), float),
    "timestamp": ((int, float, str), _moment),
    "blob": (str, lambda value: base64.b64decode(value, validate=True)),
}


def serialise(model: OperationModel, data: Any) -> bytes:
    """The JSON of a success, from what ``wire.pick`` gave."""
    return _written(_plain(model.output, data or {}) if model.output else {})


def _plain(shape: Shape, data: Any) -> Any:
    if shape.kind == "structure":
        return {name: _plain(member, data[name]) for name, member in shape.members.items() if name in data}
    if shape.kind == "list":
        return [_plain(shape.member, each) for each in data]
    if shape.kind == "map":
        return {key: _plain(shape.value, each) for key, each in data.items()}
    # Times are seconds since 1970 on this wire.
    return int(datetime.fromisoformat(data).timestamp()) if shape.kind == "timestamp" else data


def serialise_error(fault: Fault, model: OperationModel | None) -> tuple[bytes, int]:
    """The JSON of a fault and its HTTP status: AWS's JSON services answer all that is the client's fault with 400."""
    code = CODES.get(fault.code, fault.code)
    if isinstance(fault, ValidationError) and model is not None:
        member = _MEMBER.search(fault.message)
        own = BY_MEMBER.get(member[1], "") if member else ""
        code = own if own in model.errors else code
    client = fault.status < 500 and fault.code != "RequestEntityTooLarge"  # noqa: PLR2004 - HTTP's server errors
    return _written({"__type": code, "message": fault.message}), 400 if client else fault.status


def _written(data: Any) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
