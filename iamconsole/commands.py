"""The ``aws`` command that does what the console has just done: built from the operation's own name and parameters."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, Final

from api.shapes import HIDDEN, Shape, services, snake

MOST_SHOWN: Final = 20
LONGEST: Final = 160  # a longer text comes from a file
# What AWS's model does not call required, and the command wants all the same.
WANTED: Final = {"CreateLoginProfile": ("Password",)}
# What the command wants of its own: where to write what is answered.
OF_THE_COMMAND: Final = {"CreateVirtualMFADevice": ("--bootstrap-method QRCodePNG", "--outfile qr-code.png")}
# A parameter that stands in what a part of several actions was done to, by AWS's name of it.
IN_ARN: Final = {
    "GroupName": re.compile(r":group/(?:.*/)?([^/]+)$"),
    "UserName": re.compile(r":user/(?:.*/)?([^/]+)$"),
    "PolicyArn": re.compile(r"^(arn:.*:policy/.+)$"),
    "SerialNumber": re.compile(r"^(arn:.*:mfa/.+)$"),
}


def command_of(action: str, resource: str, parameters: Mapping[str, Any], endpoint_url: str) -> str | None:
    """The command of an action on a resource, or None where AWS has no such operation.

    ``parameters`` are as the trail has them: what is secret is hidden, and is a file's in the command.
    """
    service, _, name = action.partition(":")
    if service not in ("iam", "sts"):
        return None
    model = services()[service].operations[name]
    options = list(_options(name, model.input, resource, parameters)) if model.input else []
    return " \\\n  ".join(
        [
            f"aws {service} {_kebab(name)}",
            *options,
            *OF_THE_COMMAND.get(name, ()),
            f"--endpoint-url {shlex.quote(endpoint_url)}",
        ]
    )


def _options(name: str, shape: Shape, resource: str, parameters: Mapping[str, Any]) -> Iterator[str]:
    wanted = {*shape.required, *WANTED.get(name, ())}
    for member, inner in shape.members.items():
        value = parameters.get(snake(member))
        if value is None and member in wanted:
            value = _in_arn(member, resource) or (HIDDEN if inner.sensitive else f"<{_kebab(member).upper()}>")
        if value is not None:
            yield _option(_kebab(member), inner, value)


def _option(name: str, shape: Shape, value: Any) -> str:
    if shape.kind == "boolean":
        return f"--{name}" if value else f"--no-{name}"
    if shape.kind == "blob":
        return f"--{name} fileb://{name}"
    if shape.kind == "list":
        simple = not shape.member.members
        words = [_word(str(each)) for each in value] if simple else [_word(json.dumps(_named(shape, value)))]
        return " ".join([f"--{name}", *words])
    text = str(value)
    if shape.sensitive or text == HIDDEN or len(text) > LONGEST or "\n" in text or "://" in text[:10]:
        return f"--{name} file://{name}{'.json' if name.endswith('document') else '.txt'}"
    # What begins like an option would be taken for one.
    return f"--{name}={_word(text)}" if text.startswith("-") else f"--{name} {_word(text)}"


def _word(text: str) -> str:
    return shlex.quote(text)


def _named(shape: Shape, value: Any) -> Any:
    """A value with AWS's names of its members."""
    if shape.kind == "list":
        return [_named(shape.member, each) for each in value]
    if shape.kind == "structure":
        return {
            name: _named(inner, value[snake(name)]) for name, inner in shape.members.items() if snake(name) in value
        }
    return value


def _in_arn(member: str, resource: str) -> str | None:
    form = IN_ARN.get(member)
    found = form.search(resource) if form else None
    return found[1] if found else None


def _kebab(name: str) -> str:
    return snake(name).replace("_", "-")
