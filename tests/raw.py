"""Requests as bytes, for what no SDK sends: signed by botocore, sent by http.client, the answer read as XML."""

import base64
import http.client
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree as ET

import time_machine
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from django.test import Client

from api.json_wire import CODES, CONTENT_TYPE
from api.shapes import OperationModel, Shape, services, snake
from tests.conftest import URL, Person

# What the JSON services call a fault, by which the tests of all operations know it again.
SAME_FAULT = {name: code for code, name in CODES.items() if code != "MissingAction"}
FORM = "application/x-www-form-urlencoded; charset=utf-8"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body of a service that talks JSON, None of the others."""
        return json.loads(self.body) if "json" in self.headers.get("content-type", "") else None

    @property
    def xml(self) -> ET.Element:
        """The body; raises ParseError when it is not well-formed."""
        return ET.fromstring(self.body)

    def text(self, name: str) -> str | None:
        """The text of the first element of that name, whatever its namespace."""
        return next((each.text or "" for each in self.xml.iter() if each.tag.rpartition("}")[2] == name), None)

    @property
    def code(self) -> str | None:
        """The error's code, None for a success."""
        if self.json is not None:
            return SAME_FAULT.get(self.json.get("__type"), self.json.get("__type"))
        return None if self.status == 200 else self.text("Code")

    @property
    def message(self) -> str:
        """The error's message."""
        return str(self.json.get("message", "")) if self.json is not None else self.text("Message") or ""

    @property
    def words(self) -> str:
        """The message without the id of the decision behind it."""
        return re.sub(r" \(decision id: [0-9a-f-]{36}\)$", "", self.message)


def body_of(action: str, /, service: str = "iam", **parameters: str) -> bytes:
    """The form of an action with parameters under AWS's names."""
    return urlencode({"Action": action, "Version": services()[service].api_version, **parameters}).encode()


def form(model: OperationModel, values: Mapping[str, Any]) -> bytes:
    """The form of an operation, from parameters in snake case as operations take them."""
    pairs = [("Action", model.name), ("Version", services()[model.service].api_version)]
    if model.input is not None:
        pairs += _pairs(model.input, values, "")
    return urlencode(pairs).encode()


def _pairs(shape: Shape, value: Any, name: str) -> Iterator[tuple[str, str]]:
    if shape.kind == "structure":
        for member, each in shape.members.items():
            if snake(member) in value:
                yield from _pairs(each, value[snake(member)], f"{name}.{member}".removeprefix("."))
    elif shape.kind == "list":
        for index, each in enumerate(value, 1):
            yield from _pairs(shape.member, each, f"{name}.member.{index}")
        if not value:
            yield name, ""
    elif shape.kind == "blob":
        yield name, base64.b64encode(value).decode()
    else:
        yield name, str(value).lower() if isinstance(value, bool) else str(value)


def signed(
    person: Person,
    body: bytes,
    *,
    service: str = "iam",
    method: str = "POST",
    query: str = "",
    headers: Mapping[str, str] | None = None,
    at: datetime | None = None,
    token: str | None = None,
    secret: str | None = None,
    region: str = "us-east-1",
    presigned: bool = False,
) -> AWSRequest:
    """A request signed with the person's key: now, or at another time; in the header, or in the query."""
    given = {} if presigned else {"Content-Type": FORM}
    url = f"{URL}/?{query}" if query else f"{URL}/"
    request = AWSRequest(method, url, data=body, headers={**given, **(headers or {})})
    credentials = Credentials(person.access_key_id, secret or person.secret_access_key, token or person.session_token)
    auth = (SigV4QueryAuth if presigned else SigV4Auth)(credentials, service, region)
    if at is None:
        auth.add_auth(request)
    else:
        with time_machine.travel(at, tick=False):
            auth.add_auth(request)
    return request


def send(request: AWSRequest, *, body: bytes | None = None, headers: Mapping[str, str | None] | None = None) -> Answer:
    """Send a signed request, with another body or other headers (None: without it) than were signed if given."""
    sent = {name: value for name, value in {**dict(request.headers), **(headers or {})}.items() if value is not None}
    parts = urlsplit(request.url)
    return exchange(
        request.method, f"{parts.path}?{parts.query}".rstrip("?"), request.data if body is None else body, sent
    )


def exchange(method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
    """Send a request as it is, unsigned unless the headers sign it."""
    parts = urlsplit(URL)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=120)
    try:
        connection.request(method, target, body, dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    finally:
        connection.close()


def send_inside(request: AWSRequest) -> Answer:
    """The same without a server: through Django's handler in this process, where time and queries can be watched."""
    sent = {name: value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()}
    parts = urlsplit(request.url)
    response = Client(headers={"host": parts.netloc}).generic(
        request.method, f"{parts.path}?{parts.query}", request.data, sent.pop("Content-Type", FORM), headers=sent
    )
    return Answer(response.status_code, {name.lower(): value for name, value in response.items()}, response.content)


def ask(person: Person, action: str, /, service: str = "iam", **parameters: str) -> Answer:
    """Sign and send one action."""
    return send(signed(person, body_of(action, service, **parameters), service=service))


def run(person: Person, model: OperationModel, values: Mapping[str, Any]) -> Answer:
    """Sign and send one operation with parameters in snake case."""
    prefix = services()[model.service].target_prefix
    if prefix:
        return ask_json(person, f"{prefix}.{model.name}", _named(model.input, values) if model.input else {})
    return send(signed(person, form(model, values), service=model.service))


def ask_json(person: Person, target: str, members: Any, service: str = "cloudtrail") -> Answer:
    """Sign and send one JSON request: an object, or bytes as they are."""
    body = members if isinstance(members, bytes) else json.dumps(members).encode()
    headers = {"Content-Type": CONTENT_TYPE, "X-Amz-Target": target}
    return send(signed(person, body, service=service, headers=headers))


def _named(shape: Shape, value: Any) -> Any:
    """Parameters under AWS's names."""
    if shape.kind == "structure":
        given = {name: each for name, each in shape.members.items() if snake(name) in value}
        return {name: _named(each, value[snake(name)]) for name, each in given.items()}
    if shape.kind == "list":
        return [_named(shape.member, each) for each in value]
    return value.timestamp() if isinstance(value, datetime) else value
