"""AWS's service models: read once, and asked what a parameter must look like.

``iam.json``, ``sts.json`` and ``cloudtrail.json`` are botocore's ``service-2.json``; ``iamconsole.json`` has the same format,
for what AWS has no operation for. Python names are AWS's member names in snake case, at every depth: structures are mappings,
lists are lists or tuples, timestamps aware datetimes, blobs bytes.
"""

import base64
import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from iamconsole.errors import ValidationError

SERVICES = ("iam", "sts", "cloudtrail", "iamconsole")
INTEGERS = range(-(2**31), 2**31)
# What XML 1.0 has no way to write (section 2.2): control characters, surrogates, two non-characters.
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
ASSIGNED = range(0x40000)  # Unicode's planes 0 to 3: no other has a letter, number or separator
TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "long": int,
    "float": float,
    "double": float,
    "boolean": bool,
    "timestamp": datetime,
    "blob": bytes,
    "list": (list, tuple),
    "map": Mapping,
    "structure": Mapping,
}
PARTS = {"member", "key", "value"}
ARTICLES = {"integer": "an"}
# Secrets that AWS's models do not mark: the codes of MFA devices, and what temporary credentials are known by.
SENSITIVE = {"authenticationCodeType", "tokenCodeType", "tokenType"}
HIDDEN = "***"
# The trail keeps documents of policies whole (AWS takes up to 131,072 characters), and of longer texts how they begin.
LONGEST_TOLD, BEGINNING = 131_072, 1_000
ERRORS_IN_FULL = 20
QUOTED_LENGTH = 4096


@dataclass(frozen=True, eq=False)
class Shape:
    """One type of a model. Its parts may lead back to itself, so two shapes are equal only when they are the same."""

    name: str
    kind: str
    members: Mapping[str, "Shape"] = field(default_factory=dict, repr=False)  # of a structure, by AWS's names
    parts: Mapping[str, "Shape"] = field(default_factory=dict, repr=False)  # of a list or a map
    required: tuple[str, ...] = ()
    min: int | None = None
    max: int | None = None
    pattern: str | None = None
    enum: tuple[str, ...] = ()
    sensitive: bool = False

    @property
    def member(self) -> "Shape":
        """What a list is a list of."""
        return self.parts["member"]

    @property
    def key(self) -> "Shape":
        """A map's key."""
        return self.parts["key"]

    @property
    def value(self) -> "Shape":
        """A map's value."""
        return self.parts["value"]


@dataclass(frozen=True, eq=False)
class OperationModel:
    """One operation of a model. ``errors`` gives the HTTP status by error code."""

    name: str
    service: str
    input: Shape | None
    output: Shape | None
    result_wrapper: str | None
    xml_namespace: str
    errors: Mapping[str, int]


@dataclass(frozen=True, eq=False)
class Service:
    """One model: ``name`` is the prefix of its actions, ``api_version`` what requests call ``Version``."""

    name: str
    api_version: str
    xml_namespace: str
    operations: Mapping[str, OperationModel]
    target_prefix: str = ""  # of the header X-Amz-Target, where requests are JSON


@cache
def services() -> Mapping[str, Service]:
    """Every service there is a model of, by name."""
    files = {name: Path(__file__).with_name(f"{name}.json") for name in SERVICES}
    return {
        name: _service(name, json.loads(file.read_text(encoding="utf-8")))
        for name, file in files.items()
        if file.exists()
    }


def service_for_version(version: str) -> Service | None:
    """The service whose requests carry that ``Version``."""
    return next((service for service in services().values() if service.api_version == version), None)


@cache
def snake(name: str) -> str:
    """AWS's name as boto3 and Python write it: ``SSHPublicKeyId`` is ``ssh_public_key_id``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _service(name: str, model: Mapping[str, Any]) -> Service:
    described = model["shapes"]
    made: dict[str, Shape] = {}

    def shape(reference: Mapping[str, Any] | None) -> Shape | None:
        return None if reference is None else load(reference["shape"])

    def load(shape_name: str) -> Shape:
        if shape_name in made:
            return made[shape_name]
        described_as = described[shape_name]
        if described_as["type"] not in TYPES:
            raise ValueError(f"{name}.json: {shape_name} is of the unknown type {described_as['type']}")
        members: dict[str, Shape] = {}
        parts: dict[str, Shape] = {}
        made[shape_name] = Shape(
            name=shape_name,
            kind=described_as["type"],
            members=members,
            parts=parts,
            required=tuple(described_as.get("required", ())),
            min=described_as.get("min"),
            max=described_as.get("max"),
            pattern=described_as.get("pattern"),
            enum=tuple(described_as.get("enum", ())),
            sensitive=described_as.get("sensitive", False) or shape_name in SENSITIVE,
        )
        # Filled in only now: a shape that leads back to itself finds itself made.
        members.update({member: load(each["shape"]) for member, each in described_as.get("members", {}).items()})
        for part in PARTS & described_as.keys():
            parts[part] = load(described_as[part]["shape"])
        return made[shape_name]

    def error(shape_name: str) -> tuple[str, int]:
        details = described[shape_name].get("error", {})
        return details.get("code", shape_name), details.get("httpStatusCode", 400)

    metadata = model["metadata"]
    operations = {
        each["name"]: OperationModel(
            name=each["name"],
            service=name,
            input=shape(each.get("input")),
            output=shape(each.get("output")),
            result_wrapper=each["output"].get("resultWrapper", f"{each['name']}Result") if "output" in each else None,
            xml_namespace=metadata.get("xmlNamespace", ""),
            errors=dict(error(fault["shape"]) for fault in each.get("errors", ())),
        )
        for each in model["operations"].values()
    }
    prefix = metadata.get("targetPrefix", "")
    return Service(name, metadata["apiVersion"], metadata.get("xmlNamespace", ""), operations, prefix)


# By operation: how a violation begins that AWS tells in words of its own, and those (recorded of AWS).
_WORDED = {
    "CreateVirtualMFADevice": (
        "Value at 'path' failed to satisfy constraint: Member must satisfy regular expression",
        (
            "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters"
            " and/or / characters."
        ),
    )
}


def validate(model: OperationModel, parameters: Mapping[str, object]) -> None:
    """Raise ValidationError, in AWS's words, when parameters break the model. None counts as not given.

    Raises TypeError on a name the model does not know: no door makes one, so it is a bug.
    """
    if model.input is None:
        if parameters:
            raise TypeError(f"{model.name} takes no parameters, not {', '.join(parameters)}")
        return
    # STS repeats the value it refuses, IAM does not.
    broken = list(_violations(model.input, parameters, "", quotes=model.service == "sts"))
    if broken and broken[0].startswith(_WORDED.get(model.name, ("\0", ""))[0]):
        raise ValidationError(_WORDED[model.name][1])
    if broken:
        count = f"{len(broken)} validation error{'s' if len(broken) > 1 else ''} detected"
        raise ValidationError(f"{count}: {'; '.join(broken[:ERRORS_IN_FULL])}")


def mask(model: OperationModel, parameters: Mapping[str, object]) -> dict[str, Any]:
    """Validated parameters as the trail may keep them: fit for JSON, every sensitive member replaced."""
    return {} if model.input is None else dict(_masked(model.input, parameters))


def _masked(shape: Shape, value: Any) -> Any:
    if shape.sensitive:
        return HIDDEN
    if shape.kind == "structure":
        given = {snake(name): member for name, member in shape.members.items() if value.get(snake(name)) is not None}
        return {name: _masked(member, value[name]) for name, member in given.items()}
    if shape.kind == "list":
        return [_masked(shape.member, each) for each in value]
    if shape.kind == "map":
        return {key: _masked(shape.value, each) for key, each in value.items()}
    if shape.kind == "blob":
        return base64.b64encode(value).decode()
    return value.isoformat() if shape.kind == "timestamp" else _shortened(value)


def _shortened(value: Any) -> Any:
    if isinstance(value, str) and len(value) > LONGEST_TOLD:
        return f"{value[:BEGINNING]}… ({len(value)} characters)"
    return value


def _violations(shape: Shape, value: Any, path: str, *, quotes: bool) -> Iterator[str]:
    """Each broken constraint of a value and of what is in it, with its path as AWS writes it: ``tags.1.member.key``."""
    quoted = quotes and not shape.sensitive and isinstance(value, str | int)
    at = f"Value {_quoted(value) if quoted else ''}at '{path}' failed to satisfy constraint: "
    mistyped = _mistyped(shape, value)
    if mistyped:
        yield at + mistyped
        return
    broken = [text for text, holds in _constraints(shape) if not holds(value)]
    yield from (at + text for text in broken)
    if shape.kind == "structure":
        yield from _violations_of_members(shape, value, path, quotes=quotes)
    elif shape.kind == "list" and not broken:
        yield from _violations_of_elements(shape.member, enumerate(value, 1), path, "Member", at, quotes=quotes)
    elif shape.kind == "map" and not broken:
        keys = enumerate(value, 1)
        yield from _violations_of_elements(shape.key, keys, path, "Map keys", at, quotes=quotes)
        yield from _violations_of_elements(shape.value, value.items(), path, "Map value", at, quotes=quotes)


def _violations_of_members(shape: Shape, value: Mapping[str, Any], path: str, *, quotes: bool) -> Iterator[str]:
    unknown = value.keys() - {snake(name) for name in shape.members}
    if unknown:
        raise TypeError(f"{shape.name} has no member {', '.join(map(str, unknown))}")
    for name, member in shape.members.items():
        member_path = f"{path}.{name[0].lower()}{name[1:]}".removeprefix(".")
        given = value.get(snake(name))
        if given is not None:
            yield from _violations(member, given, member_path, quotes=quotes)
        elif name in shape.required:
            yield f"Value null at '{member_path}' failed to satisfy constraint: Member must not be null"


def _violations_of_elements(
    shape: Shape, elements: Any, path: str, subject: str, at: str, *, quotes: bool
) -> Iterator[str]:
    """AWS names the element when it is a structure; for plain elements it names the list, and all they must satisfy."""
    for index, each in elements:
        broken = list(_violations(shape, each, f"{path}.{index}.member", quotes=quotes))
        if broken and shape.kind != "structure":
            yield f"{at}{subject} must satisfy constraint: [{', '.join(_constraints_of_elements(shape))}]"
            return
        yield from broken


def _constraints_of_elements(shape: Shape) -> list[str]:
    # As recorded of AWS: "must not be null" stands at the end of a list that has a pattern, and only there.
    return [text for text, _ in _constraints(shape)] + (["Member must not be null"] if shape.pattern else [])


def _quoted(value: object) -> str:
    text = str(value)
    return f"'{text if len(text) <= QUOTED_LENGTH else text[:QUOTED_LENGTH] + '…'}' "


def _mistyped(shape: Shape, value: object) -> str | None:
    """What is wrong with a value that is not of the shape's type at all: such come from the browser and the shell."""
    fits = isinstance(value, TYPES[shape.kind])
    if shape.kind == "integer":
        fits = fits and not isinstance(value, bool) and value in INTEGERS
    if isinstance(value, datetime):
        fits = fits and value.tzinfo is not None
    if not fits:
        return f"Member must be {ARTICLES.get(shape.kind, 'a')} {shape.kind}"
    if isinstance(value, str) and NOT_XML.search(value):
        return "Member must not contain control characters"
    return None


@cache
def _constraints(shape: Shape) -> tuple[tuple[str, Callable[[Any], bool]], ...]:
    """What a value of the right type must satisfy: in AWS's words and order, with the check."""
    found: list[tuple[str, Callable[[Any], bool]]] = []
    quantity, measure = ("value", int) if shape.kind == "integer" else ("length", len)
    most, least = shape.max, shape.min
    if most is not None:
        text = f"Member must have {quantity} less than or equal to {most}"
        found.append((text, lambda value: measure(value) <= most))
    if least is not None:
        text = f"Member must have {quantity} greater than or equal to {least}"
        found.append((text, lambda value: measure(value) >= least))
    if shape.pattern is not None:
        text = f"Member must satisfy regular expression pattern: {shape.pattern}"
        fullmatch = compiled(shape.pattern).fullmatch
        found.append((text, lambda value: fullmatch(value) is not None))
    if shape.enum:
        found.append((f"Member must satisfy enum value set: [{', '.join(shape.enum)}]", shape.enum.__contains__))
    return tuple(found)


def compiled(pattern: str) -> re.Pattern[str]:
    r"""A model's pattern, for ``fullmatch``. It is Java's: ``\w`` and ``\d`` are ASCII there, ``\p{L}`` is Unicode."""
    return re.compile(re.sub(r"\\p\{([A-Z])\}", lambda found: _categories()[found[1]], pattern), re.ASCII)


@cache
def _categories() -> Mapping[str, str]:
    """Unicode's categories by initial, each as the inside of a character class."""
    ranges: dict[str, str] = {}
    for initial, run in groupby(ASSIGNED, key=lambda code: unicodedata.category(chr(code))[0]):
        codes = list(run)
        ranges[initial] = ranges.get(initial, "") + f"\\U{codes[0]:08x}-\\U{codes[-1]:08x}"
    return ranges
