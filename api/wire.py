"""The AWS Query wire: form-encoded pairs to parameters, results to XML, all by the service model.

A request goes ``decode`` -> ``parse``, an answer ``pick`` -> ``serialise``; what ``parse`` lets through is of the right
type, whether it keeps the model's constraints says ``shapes.validate``. What goes wrong with a request is a Fault.
"""

import base64
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Protocol, runtime_checkable
from urllib.parse import quote, unquote_to_bytes
from xml.etree import ElementTree as ET

from api.shapes import INTEGERS, NOT_XML, OperationModel, Shape, snake
from iamconsole.errors import MalformedInput, ValidationError

MOST_PARAMETERS = 10_000
DEEPEST_NAME = 10  # parts between dots; the deepest of AWS's has six
NAME_IN_MESSAGES = 100
INDEX = re.compile(r"0*([1-9][0-9]{0,9})")
INTEGER = re.compile(r"([+-]?)0*([0-9]{1,10})")
EPOCH = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")
BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
# AWS leaves these out when they are empty; it sends every other empty list.
LEFT_OUT_WHEN_EMPTY = {("User", "Tags"), ("Role", "Tags"), ("VirtualMFADevice", "Tags"), ("Policy", "Description")}


def decode(raw: bytes) -> list[tuple[str, str]]:
    """Split a body or query string of application/x-www-form-urlencoded into its pairs, each name once.

    Raises MalformedInput when it is not UTF-8 (the bytes are no text at all), ValidationError on a name given twice, on
    characters that XML cannot carry and on more than 10,000 pairs.
    """
    if raw.count(b"&") >= MOST_PARAMETERS:
        raise ValidationError(f"A request has at most {MOST_PARAMETERS} parameters.")
    pairs: dict[str, str] = {}
    for pair in raw.split(b"&"):
        if not pair:
            continue
        name, _, value = (_text(part) for part in pair.partition(b"="))
        if name in pairs:
            raise ValidationError(f"The parameter {_shortened(name)} is given more than once.")
        if NOT_XML.search(name) or NOT_XML.search(value):
            raise ValidationError(f"The parameter {_shortened(name)} must not contain control characters.")
        pairs[name] = value
    return list(pairs.items())


def _text(encoded: bytes) -> str:
    try:
        return unquote_to_bytes(encoded.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedInput("The request's parameters must be encoded in UTF-8.") from error


def _shortened(name: str) -> str:
    return name if len(name) <= NAME_IN_MESSAGES else name[:NAME_IN_MESSAGES] + "…"


@dataclass(slots=True)
class _Node:
    """What was given for one name, and under it: ``Tags.member.1.Key=a`` is a text four nodes deep."""

    text: str | None = None
    parts: dict[str, "_Node"] = field(default_factory=dict)


def parse(model: OperationModel, pairs: Mapping[str, str]) -> dict[str, object]:
    """The parameters as Python values, by the input shape. What the shape does not know is ignored.

    Raises MalformedInput on a value that is not of its type, or an element that is not numbered from 1.
    """
    if model.input is None:
        return {}
    root = _Node()
    for name, text in pairs.items():
        if name.partition(".")[0] not in model.input.members:
            continue
        parts = name.split(".", DEEPEST_NAME)
        if len(parts) > DEEPEST_NAME:
            raise MalformedInput(f"The name of the parameter {_shortened(name)} is too deep.")
        node = root
        for part in parts:
            node = node.parts.setdefault(part, _Node())
        node.text = text
    return _structure(model.input, root, "") or {}


def _value(shape: Shape, node: _Node, path: str) -> Any:
    """The node as a value of the shape, or None when nothing was given that the shape knows."""
    if shape.kind == "structure":
        return _structure(shape, node, path)
    if shape.kind in ("list", "map"):
        return _collection(shape, node, path)
    return None if node.text is None else SCALARS[shape.kind](node.text, path)


def _structure(shape: Shape, node: _Node, path: str) -> dict[str, object] | None:
    if node.text:
        raise MalformedInput(f"The parameter {_shortened(path)} must be a structure.")
    given = {
        snake(name): _value(member, node.parts[name], f"{path}.{name}".removeprefix("."))
        for name, member in shape.members.items()
        if name in node.parts
    }
    return {name: value for name, value in given.items() if value is not None} or None


def _collection(shape: Shape, node: _Node, path: str) -> list[object] | dict[str, object] | None:
    """A list or map. Elements come in the order of their numbers, whatever is left out between them."""
    elements = node.parts.get("member" if shape.kind == "list" else "entry")
    if node.text:
        raise MalformedInput(f"The parameter {_shortened(path)} must be a {shape.kind}.")
    if elements is None and node.text is None:
        return None
    numbered: dict[int, tuple[str, _Node]] = {}
    for part, element in (elements or _Node()).parts.items():
        index = INDEX.fullmatch(part)
        if index is None or int(index[1]) in numbered:
            raise MalformedInput(f"The elements of {_shortened(path)} must be numbered from 1, each number once.")
        numbered[int(index[1])] = part, element
    ordered = [numbered[index] for index in sorted(numbered)]
    if shape.kind == "map":
        return dict(_entries(shape, ordered, path))
    values = [_value(shape.member, element, f"{path}.member.{part}") for part, element in ordered]
    return [value for value in values if value is not None]


def _entries(shape: Shape, entries: list[tuple[str, _Node]], path: str) -> Iterator[tuple[str, object]]:
    keys = set()
    for part, entry in entries:
        at = f"{path}.entry.{part}"
        key = _value(shape.key, entry.parts.get("key", _Node()), f"{at}.key")
        value = _value(shape.value, entry.parts.get("value", _Node()), f"{at}.value")
        if key is None or value is None or key in keys:
            raise MalformedInput(f"The parameter {_shortened(at)} must have a value and a key of its own.")
        keys.add(key)
        yield key, value


def _string(text: str, path: str) -> str:
    return text


def _boolean(text: str, path: str) -> bool:
    if text not in BOOLEANS:
        raise MalformedInput(f"The parameter {_shortened(path)} must be true or false.")
    return BOOLEANS[text]


def _integer(text: str, path: str) -> int:
    digits = INTEGER.fullmatch(text)
    if digits is None or int(digits[1] + digits[2]) not in INTEGERS:
        raise MalformedInput(f"The parameter {_shortened(path)} must be an integer of 32 bits.")
    return int(digits[1] + digits[2])


def _timestamp(text: str, path: str) -> datetime:
    try:
        if EPOCH.fullmatch(text):
            return datetime.fromtimestamp(float(text), UTC)
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise MalformedInput(f"The parameter {_shortened(path)} must be a time in ISO 8601.") from error


def _blob(text: str, path: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise MalformedInput(f"The parameter {_shortened(path)} must be encoded in Base64.") from error


SCALARS: Mapping[str, Callable[[str, str], object]] = {
    "string": _string,
    "boolean": _boolean,
    "integer": _integer,
    "timestamp": _timestamp,
    "blob": _blob,
}


@runtime_checkable
class Issued(Protocol):
    """The result of a creating operation: an entity, and beside it the members that are shown this once."""

    @property
    def entity(self) -> object:
        """What was made; its members are asked for after the secret ones."""

    @property
    def secret(self) -> Mapping[str, Any]:
        """Members by their names in snake case."""


def pick(shape: Shape | None, value: object, *, secrets: bool, omits: Collection[str] = ()) -> object:
    """The answer as plain data under AWS's names, fit for JSON: what the output shape names of an operation's result.

    Members are attributes of objects or keys of mappings, in snake case. Those that are None or missing are left out,
    and so are ``omits``, and what the model marks sensitive unless ``secrets``. A listing always has its list and
    IsTruncated. Raises TypeError when a value is not what the shape says: a bug of the operation.
    """
    if shape is None:
        return None
    picker = _Picker(secrets, frozenset(omits))
    picked = picker.structure(shape, _unwrapped(shape, value))
    truncated = next((name for name in shape.members if snake(name) == "is_truncated"), None)
    if truncated:
        lists: dict[str, Any] = {name: [] for name in _lists(shape) if snake(name) not in omits}
        return lists | {truncated: "Marker" in picked} | picked
    return picked


def _lists(shape: Shape) -> list[str]:
    return [name for name, member in shape.members.items() if member.kind == "list"]


def _unwrapped(shape: Shape, result: object) -> object:
    """The result under the shape's own members: a page's items under its list, a single entity under its name."""
    lists = _lists(shape)
    items = None if isinstance(result, Mapping) else getattr(result, "items", None)
    if items is not None and len(lists) == 1:
        read = _reader(result)
        return {snake(name): read(snake(name)) for name in shape.members} | {snake(lists[0]): items}
    if len(shape.members) == 1:
        [name] = map(snake, shape.members)
        carrier = result.secret if isinstance(result, Issued) else result
        if not (isinstance(carrier, Mapping) and name in carrier):
            return {name: result}
    return result


def _reader(value: object) -> Callable[[str], object]:
    """How to ask a result for a member."""
    if isinstance(value, Mapping):
        return value.get
    if isinstance(value, Issued):
        secret, of_entity = value.secret, _reader(value.entity)
        return lambda name: secret[name] if name in secret else of_entity(name)
    return lambda name: getattr(value, name, None)


@dataclass(frozen=True)
class _Picker:
    secrets: bool
    omits: frozenset[str]

    def structure(self, shape: Shape, value: object) -> dict[str, Any]:
        """The members that are there and may be shown."""
        read = _reader(value)
        picked: dict[str, Any] = {}
        for name, member in shape.members.items():
            if (member.sensitive and not self.secrets) or snake(name) in self.omits:
                continue
            found = read(snake(name))
            if found is None and member.kind == "list" and name in shape.required:
                found = []
            if found is not None:
                picked[name] = self.value(member, found)
            if picked.get(name) in ([], "") and (shape.name, name) in LEFT_OUT_WHEN_EMPTY:
                del picked[name]
        return picked

    def value(self, shape: Shape, value: Any) -> Any:
        """One value as plain data."""
        if shape.kind == "structure":
            return self.structure(shape, value)
        if shape.kind == "list" and isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping):
            return [self.value(shape.member, each) for each in value]
        if shape.kind == "map" and isinstance(value, Mapping):
            return {self.value(shape.key, key): self.value(shape.value, each) for key, each in value.items()}
        kind, plain = PLAIN.get(shape.kind, ((), str))
        if not isinstance(value, kind) or isinstance(value, bool) is not (shape.kind == "boolean"):
            raise TypeError(f"{shape.name} is a {shape.kind}, not a {type(value).__name__}")
        return plain(value)


def _moment(value: datetime) -> str:
    if value.tzinfo is None:
        raise TypeError(f"{value} has no time zone")
    return value.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def _base64(value: str | bytes) -> str:
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


PLAIN: Mapping[str, tuple[type | tuple[type, ...], Callable[[Any], object]]] = {
    "string": (str, str.__str__),
    "integer": (int, int),
    "boolean": (bool, bool),
    "timestamp": (datetime, _moment),
    "blob": ((str, bytes), _base64),
}


def serialise(model: OperationModel, data: object, request_id: str) -> bytes:
    """The XML of a success, from what ``pick`` gave. An operation without output has no Result element."""
    root = ET.Element(f"{model.name}Response", {"xmlns": model.xml_namespace})
    if model.output is not None and model.result_wrapper is not None:
        _append(root, model.result_wrapper, model.output, data or {})
    metadata = ET.SubElement(root, "ResponseMetadata")
    _append_text(metadata, "RequestId", request_id)
    return _written(root)


def serialise_error(fault_code: str, message: str, status: int, xml_namespace: str, request_id: str) -> bytes:
    """The XML of a fault: whose it is (the Sender's below 500), its code and message."""
    root = ET.Element("ErrorResponse", {"xmlns": xml_namespace})
    error = ET.SubElement(root, "Error")
    _append_text(error, "Type", "Sender" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "Receiver")
    _append_text(error, "Code", fault_code)
    _append_text(error, "Message", message)
    _append_text(root, "RequestId", request_id)
    return _written(root)


def _append(parent: ET.Element, name: str, shape: Shape, data: Any) -> None:
    if shape.kind == "structure":
        element = ET.SubElement(parent, name)
        for member_name, member in shape.members.items():
            if member_name in data:
                _append(element, member_name, member, data[member_name])
    elif shape.kind == "list":
        element = ET.SubElement(parent, name)
        for each in data:
            _append(element, "member", shape.member, each)
    elif shape.kind == "map":
        element = ET.SubElement(parent, name)
        for key, value in data.items():
            entry = ET.SubElement(element, "entry")
            _append(entry, "key", shape.key, key)
            _append(entry, "value", shape.value, value)
    elif shape.kind == "boolean":
        _append_text(parent, name, "true" if data else "false")
    elif shape.name == "policyDocumentType":
        # AWS answers documents percent-encoded by RFC 3986 inside the XML; boto3 decodes them, other SDKs do not.
        _append_text(parent, name, quote(NOT_XML.sub("\ufffd", data), safe=""))
    else:
        _append_text(parent, name, str(data))


def _append_text(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = NOT_XML.sub("\ufffd", text)


def _written(root: ET.Element) -> bytes:
    # A bare carriage return would come out of every XML parser as a line feed.
    written: bytes = ET.tostring(root, encoding="utf-8")
    return written.replace(b"\r", b"&#13;")
