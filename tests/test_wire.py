"""The Query wire: what botocore writes we read, what we write botocore reads, and nothing else gets through."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urlencode
from xml.etree import ElementTree as ET

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import QueryParser
from botocore.serialize import QuerySerializer
from hypothesis import given, settings
from hypothesis import strategies as st

from api import shapes, wire
from api.shapes import OperationModel, services, snake
from iamconsole.errors import Fault, MalformedInput, ValidationError

pytestmark = pytest.mark.pure

REQUEST_ID = "00000000-0000-0000-0000-000000000001"
IAM = "https://iam.amazonaws.com/doc/2010-05-08/"
EVERY_OPERATION = [(name, operation) for name in ("iam", "sts") for operation in services()[name].operations]
A_FEW = settings(max_examples=10, deadline=None)


@cache
def botocores(service: str) -> ServiceModel:
    loader = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    return ServiceModel(loader.load_service_model(service, "service-2"), service)


def ours(name: str, service: str = "iam") -> OperationModel:
    return services()[service].operations[name]


def parsed(name: str, query: str, service: str = "iam") -> dict[str, object]:
    return wire.parse(ours(name, service), dict(wire.decode(query.encode())))


def answered(name: str, result: object, *, secrets: bool = False, omits: tuple[str, ...] = ()) -> Any:
    model = ours(name)
    return wire.pick(model.output, result, secrets=secrets, omits=omits)


def written(name: str, result: object, *, secrets: bool = False, service: str = "iam") -> str:
    model = ours(name, service)
    data = wire.pick(model.output, result, secrets=secrets)
    return wire.serialise(model, data, REQUEST_ID).decode()


# Values of every shape, generated from botocore's own model

XML_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8).filter(
    lambda text: not shapes.NOT_XML.search(text)
)
TIMES = st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0)
)
SIMPLE = {
    "string": XML_TEXT,
    "integer": st.integers(-(2**31), 2**31 - 1),
    "boolean": st.booleans(),
    "timestamp": TIMES,
    "blob": st.binary(max_size=8),
}


def values(shape: Any, *, whole: bool) -> st.SearchStrategy[Any]:
    """Values of a shape: whole with every member, else with any of them, but no structure that is empty inside another."""
    if shape.type_name == "structure":
        return members(shape, whole=whole, least=1)
    if shape.type_name == "list":
        return st.lists(
            values(shape.member, whole=whole), min_size=int(shape.name == "tagListType" and whole), max_size=2
        )
    if shape.type_name == "map":
        keys, elements = values(shape.key, whole=whole), values(shape.value, whole=whole)
        return st.dictionaries(keys, elements, min_size=1, max_size=2)
    # AWS leaves out an empty description.
    return XML_TEXT.filter(bool) if whole and shape.name == "policyDescriptionType" else SIMPLE[shape.type_name]


def members(shape: Any, *, whole: bool, least: int = 0) -> st.SearchStrategy[dict[str, Any]]:
    each = {name: values(member, whole=whole) for name, member in shape.members.items()}
    if whole and not shape.metadata.get("union"):
        return st.fixed_dictionaries(each)
    return st.fixed_dictionaries({}, optional=each).filter(lambda found: len(found) >= min(least, len(each)))


def snaked(shape: Any, value: Any) -> Any:
    """A value of botocore's as an operation sees or gives it."""
    if shape.type_name == "structure":
        return {snake(name): snaked(shape.members[name], each) for name, each in value.items()}
    if shape.type_name == "list":
        return [snaked(shape.member, each) for each in value]
    if shape.type_name == "map":
        return {key: snaked(shape.value, each) for key, each in value.items()}
    return value


def documents_decoded(shape: Any, value: Any) -> Any:
    """A parsed answer with its policy documents percent-decoded, as boto3's handlers do."""
    if shape.type_name == "structure":
        return {name: documents_decoded(shape.members[name], each) for name, each in value.items()}
    if shape.type_name == "list":
        return [documents_decoded(shape.member, each) for each in value]
    return unquote(value) if shape.name == "policyDocumentType" else value


@pytest.mark.parametrize(("service", "name"), EVERY_OPERATION)
def test_what_botocore_writes_is_read_as_it_was_meant(service: str, name: str) -> None:
    operation = botocores(service).operation_model(name)
    shape = operation.input_shape

    @A_FEW
    @given(st.just({}) if shape is None else members(shape, whole=False))
    def round_trip(parameters: dict[str, Any]) -> None:
        body = QuerySerializer().serialize_to_request(parameters, operation)["body"]
        pairs = dict(wire.decode(urlencode(body, doseq=True).encode()))
        assert (pairs["Action"], pairs["Version"]) == (name, services()[service].api_version)
        assert wire.parse(ours(name, service), pairs) == (snaked(shape, parameters) if shape else {})

    round_trip()


@pytest.mark.parametrize(("service", "name"), EVERY_OPERATION)
def test_botocore_reads_what_is_written(service: str, name: str) -> None:
    operation = botocores(service).operation_model(name)
    model, shape = ours(name, service), operation.output_shape

    @A_FEW
    @given(st.just({}) if shape is None else members(shape, whole=True))
    def round_trip(result: dict[str, Any]) -> None:
        picked = wire.pick(model.output, snaked(shape, result) if shape else None, secrets=True)
        assert json.loads(json.dumps(picked)) == picked
        body = wire.serialise(model, picked, REQUEST_ID)
        read = QueryParser().parse({"status_code": 200, "headers": {}, "body": body}, shape)
        assert read.pop("ResponseMetadata") == {"RequestId": REQUEST_ID, "HTTPStatusCode": 200, "HTTPHeaders": {}}
        assert (documents_decoded(shape, read) if shape else read) == result

    round_trip()


def test_our_own_operations_are_read_and_written_by_the_same_code() -> None:
    service = services()["iamconsole"]
    model = ServiceModel(json.loads(Path(shapes.__file__).with_name("iamconsole.json").read_text()))
    for name, operation in service.operations.items():
        if operation.input is not None:
            assert model.operation_model(name).input_shape.members.keys() == operation.input.members.keys()
        result = {snake(member): "x" for member in operation.output.members} if operation.output else None
        if operation.output and all(member.kind == "string" for member in operation.output.members.values()):
            body = wire.serialise(operation, wire.pick(operation.output, result, secrets=True), REQUEST_ID)
            read = QueryParser().parse(
                {"status_code": 200, "headers": {}, "body": body}, model.operation_model(name).output_shape
            )
            assert read.keys() - {"ResponseMetadata"} == operation.output.members.keys()


# Decoding


@pytest.mark.parametrize(
    ("raw", "pairs"),
    [
        (b"", []),
        (b"&&", []),
        (b"a=1", [("a", "1")]),
        (b"a=1&b=2&", [("a", "1"), ("b", "2")]),
        (b"a", [("a", "")]),
        (b"a=", [("a", "")]),
        (b"=x", [("", "x")]),
        (b"a=b=c", [("a", "b=c")]),
        (b"a=x+y%20z%2B", [("a", "x y z+")]),
        (b"a%2Eb=1", [("a.b", "1")]),
        (b"a=%C3%A9\xc3\xa9", [("a", "éé")]),
        (b"a=100%", [("a", "100%")]),
        (b"a=%zz", [("a", "%zz")]),
        (b"a;b=1;c=2", [("a;b", "1;c=2")]),
        (b"a=%0A%0D%09", [("a", "\n\r\t")]),
    ],
)
def test_a_body_is_split_as_a_form(raw: bytes, pairs: list[tuple[str, str]]) -> None:
    assert wire.decode(raw) == pairs


@pytest.mark.parametrize("raw", [b"a=%FF", b"a=\xff", b"%C3=1", b"a=%ED%A0%80", b"a=%C0%80", b"a=%F4%90%80%80"])
def test_what_is_not_utf8_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedInput, match="encoded in UTF-8"):
        wire.decode(raw)


@pytest.mark.parametrize("raw", [b"Action=A&Action=B", b"Action=A&Action=A", b"a=1&b=2&%61=3", b"UserName=&UserName="])
def test_a_name_given_twice_is_refused(raw: bytes) -> None:
    with pytest.raises(ValidationError, match="is given more than once"):
        wire.decode(raw)


@pytest.mark.parametrize("character", ["\x00", "\x08", "\x0b", "\x1b", "\x1f", "\ufffe", "\uffff"])
def test_characters_that_xml_cannot_carry_are_refused(character: str) -> None:
    for raw in (urlencode({"UserName": f"s3cret{character}"}), urlencode({f"User{character}Name": "s3cret"})):
        with pytest.raises(ValidationError, match="control characters") as refused:
            wire.decode(raw.encode())
        assert "s3cret" not in refused.value.message


def test_ten_thousand_parameters_are_read_and_no_more() -> None:
    assert len(wire.decode("&".join(f"a{n}=1" for n in range(10_000)).encode())) == 10_000
    with pytest.raises(ValidationError, match="at most 10000"):
        wire.decode("&".join(f"a{n}=1" for n in range(10_001)).encode())


def test_a_long_name_is_not_repeated_in_full() -> None:
    with pytest.raises(ValidationError) as refused:
        wire.decode(b"&".join([b"a" * 100_000] * 2))
    assert len(refused.value.message) < 200


# Parsing


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("01", 1), ("+1", 1), ("0", 0), ("-1", -1), ("000000000000000000001", 1), ("2147483647", 2147483647)],
)
def test_integers(text: str, value: int) -> None:
    assert wire.parse(ours("ListUsers"), {"MaxItems": text}) == {"max_items": value}


@pytest.mark.parametrize(
    "text",
    [
        "1.0",
        " 1 ",
        "1 ",
        "1e0",
        "",
        "+",
        "one",
        "0x10",
        "1_000",
        "\u0661",
        "2147483648",
        "-2147483649",
        "9" * 5000,
        "++1",
        "1\n",
    ],
)
def test_what_is_no_integer_is_malformed(text: str) -> None:
    with pytest.raises(MalformedInput, match="The parameter MaxItems must be an integer"):
        wire.parse(ours("ListUsers"), {"MaxItems": text})


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), ("false", False), ("0", False)])
def test_booleans(text: str, value: bool) -> None:
    query = f"UserName=a&PasswordResetRequired={text}"
    assert parsed("UpdateLoginProfile", query) == {"user_name": "a", "password_reset_required": value}


@pytest.mark.parametrize("text", ["True", "", "TRUE", "yes", "on", "2", "tru e", "01"])
def test_what_is_no_boolean_is_malformed(text: str) -> None:
    with pytest.raises(MalformedInput, match="The parameter PasswordResetRequired must be true or false"):
        parsed("UpdateLoginProfile", f"UserName=a&PasswordResetRequired={text}")


@pytest.mark.parametrize(
    ("query", "tags"),
    [
        ("Tags.member.1.Key=a&Tags.member.1.Value=b", [{"key": "a", "value": "b"}]),
        ("Tags.member.01.Key=a&Tags.member.01.Value=b", [{"key": "a", "value": "b"}]),
        ("Tags.member.2.Key=b&Tags.member.1.Key=a", [{"key": "a"}, {"key": "b"}]),
        ("Tags.member.10.Key=b&Tags.member.9.Key=a", [{"key": "a"}, {"key": "b"}]),
        ("Tags.member.7.Key=b&Tags.member.3.Key=a", [{"key": "a"}, {"key": "b"}]),
        ("Tags.member.2147483647.Key=a", [{"key": "a"}]),
        ("Tags.member.9999999999.Key=a", [{"key": "a"}]),
        ("Tags=", []),
        ("Tags=&Tags.member.1.Key=a", [{"key": "a"}]),
        ("Tags.member.1.Key=a&Tags.member.1.Colour=red", [{"key": "a"}]),
        ("Tags.member.1.Colour=red", []),
    ],
)
def test_lists(query: str, tags: object) -> None:
    assert parsed("TagUser", f"UserName=a&{query}") == {"user_name": "a", "tags": tags}


@pytest.mark.parametrize(
    "query",
    [
        "Tags.member.0.Key=a",
        "Tags.member.00.Key=a",
        "Tags.member.-1.Key=a",
        "Tags.member.%2B1.Key=a",
        "Tags.member.x.Key=a",
        "Tags.member.1%0A.Key=a",
        "Tags.member..Key=a",
        "Tags.member.%D9%A1.Key=a",
        "Tags.member.1.Key=a&Tags.member.01.Key=b",
        "Tags.member.1.Key=a&Tags.member.01.Value=b",
        f"Tags.member.{'9' * 5000}.Key=a",
        "Tags=a",
    ],
)
def test_an_element_without_a_number_of_its_own_is_malformed(query: str) -> None:
    with pytest.raises(MalformedInput, match="Tags"):
        parsed("TagUser", f"UserName=a&{query}")


@pytest.mark.parametrize(
    "query",
    [
        "Colour=red",
        "colour.member.1=x",
        "username=b",
        "UserName.x=b",
        ".=1",
        "=1",
        "Tags.1.Key=a",
        "Tags.Member.1.Key=a",
    ],
)
def test_an_unknown_parameter_is_ignored(query: str) -> None:
    assert parsed("TagUser", f"UserName=a&{query}") == {"user_name": "a"}
    assert parsed("GetAccountSummary", query) == {}


def test_a_list_of_plain_values_and_structures_inside_one_another() -> None:
    query = (
        "PolicyInputList.member.1=%7B%7D&ActionNames.member.2=b&ActionNames.member.1=a&ActionNames.member.5.x=ignored"
        "&ContextEntries.member.1.ContextKeyName=k&ContextEntries.member.1.ContextKeyValues.member.1=v"
        "&ContextEntries.member.2.ContextKeyName=l&ContextEntries.member.2.ContextKeyValues="
    )
    assert parsed("SimulateCustomPolicy", query) == {
        "policy_input_list": ["{}"],
        "action_names": ["a", "b"],
        "context_entries": [
            {"context_key_name": "k", "context_key_values": ["v"]},
            {"context_key_name": "l", "context_key_values": []},
        ],
    }


def test_maps() -> None:
    query = "Properties.entry.2.key=b&Properties.entry.2.value=2&Properties.entry.1.key=a&Properties.entry.1.value=1"
    assert parsed("PutAccountProperties", query) == {"properties": {"a": "1", "b": "2"}}
    assert parsed("PutAccountProperties", "Properties=") == {"properties": {}}
    for query in (
        "Properties.entry.1.key=a",
        "Properties.entry.1.value=a",
        "Properties.entry.0.key=a&Properties.entry.0.value=1",
        "Properties.entry.1.key=a&Properties.entry.1.value=1&Properties.entry.2.key=a&Properties.entry.2.value=2",
        "Properties=a",
    ):
        with pytest.raises(MalformedInput, match="Properties"):
            parsed("PutAccountProperties", query)


def test_a_name_as_deep_as_it_is_long_is_refused_at_no_cost() -> None:
    with pytest.raises(MalformedInput, match="too deep"):
        wire.parse(ours("TagUser"), {"Tags" + ".member.1" * 100_000: "x"})
    assert wire.parse(ours("TagUser"), {"Colour" + ".member.1" * 100_000: "x"}) == {}


def test_every_parameter_of_aws_is_shallow_enough() -> None:
    def depth(shape: shapes.Shape) -> int:
        inside = [1 + depth(member) for member in shape.members.values()]
        return max(inside + [2 + depth(part) for part in shape.parts.values()] + [0])

    deepest = max(
        depth(operation.input)
        for service in services().values()
        for operation in service.operations.values()
        if operation.input
    )
    assert deepest <= wire.DEEPEST_NAME


EXOTIC = shapes._service(
    "x",
    {
        "metadata": {"apiVersion": "1", "xmlNamespace": "urn:x"},
        "operations": {
            "Do": {"name": "Do", "input": {"shape": "All"}, "output": {"shape": "All", "resultWrapper": "DoResult"}}
        },
        "shapes": {
            "All": {"type": "structure", "members": {"When": {"shape": "When"}, "Bytes": {"shape": "Bytes"}}},
            "When": {"type": "timestamp"},
            "Bytes": {"type": "blob"},
        },
    },
).operations["Do"]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T05:04:05+02:00", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02", datetime(2026, 1, 2, tzinfo=UTC)),
        ("0", datetime(1970, 1, 1, tzinfo=UTC)),
        ("1767323045", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("1767323045.0", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
    ],
)
def test_timestamps(text: str, moment: datetime) -> None:
    assert wire.parse(EXOTIC, {"When": text}) == {"when": moment}


@pytest.mark.parametrize(
    "text", ["", "yesterday", "999999999999", "-1", "9" * 400, "1e3", "0001-01-01T00:00:00+23:59", "\u0661"]
)
def test_what_is_no_timestamp_is_malformed(text: str) -> None:
    with pytest.raises(MalformedInput, match="The parameter When must be a time"):
        wire.parse(EXOTIC, {"When": text})


def test_blobs() -> None:
    assert wire.parse(EXOTIC, {"Bytes": "AP8="}) == {"bytes": b"\x00\xff"}
    assert wire.parse(EXOTIC, {"Bytes": ""}) == {"bytes": b""}
    for text in ("AP8", "?", "é", "AP 8=", "AP8=AP8="):
        with pytest.raises(MalformedInput, match="The parameter Bytes must be encoded in Base64"):
            wire.parse(EXOTIC, {"Bytes": text})


# Noise

NAMES = st.sampled_from(
    [
        "UserName",
        "Tags",
        "ContextEntries",
        "ContextKeyValues",
        "Properties",
        "ReplacementValues",
        "PasswordResetRequired",
        "MaxItems",
        "member",
        "entry",
        "Key",
        "Value",
        "key",
        "value",
        "1",
        "01",
        "2",
        "0",
        "-1",
        "99999999999",
        "%",
        "a",
        "",
    ]
)
TEXTS = st.sampled_from(["", "true", "1", "+1", "x", "%FF", "%00", "%C3%A9", "2147483648", "a" * 200]) | XML_TEXT
NOISE = st.lists(st.tuples(st.lists(NAMES, max_size=6).map(".".join), TEXTS), max_size=8).map(
    lambda pairs: "&".join(f"{name}={text}" for name, text in pairs).encode("utf-8")
)
NOISY = [
    "TagUser",
    "UntagUser",
    "ListUsers",
    "SimulateCustomPolicy",
    "PutAccountProperties",
    "AcquireRole",
    "UpdateLoginProfile",
]


@settings(deadline=None, max_examples=500)
@given(st.binary(max_size=60) | NOISE)
def test_no_bytes_make_it_fail_other_than_with_a_fault(raw: bytes) -> None:
    for name in NOISY:
        try:
            parameters = wire.parse(ours(name), dict(wire.decode(raw)))
            shapes.validate(ours(name), parameters)
        except Fault as fault:
            assert fault.status == 400
            assert (
                ET.fromstring(wire.serialise_error(fault.code, fault.message, fault.status, IAM, REQUEST_ID))
                is not None
            )
        else:
            assert json.dumps(shapes.mask(ours(name), parameters))


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_leaves_as_well_formed_xml(name: str, document: str) -> None:
    result = {"user_name": name, "policy_name": name, "policy_document": document}
    assert ET.fromstring(written("GetUserPolicy", result)) is not None
    assert ET.fromstring(wire.serialise_error(name, document, 400, IAM, name)) is not None


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=20))
def test_text_that_was_let_in_comes_back_as_it_was(text: str) -> None:
    parameters: dict[str, object] = {"user_name": "a", "policy_name": "p", "policy_document": text}
    certificate: dict[str, object] = {"server_certificate_name": "c", "certificate_body": text, "private_key": "k"}
    try:
        shapes.validate(ours("PutUserPolicy"), parameters)
        shapes.validate(ours("UploadServerCertificate"), certificate)
    except ValidationError:
        return
    policy = ET.fromstring(written("GetUserPolicy", parameters)).findtext(f".//{{{IAM}}}PolicyDocument")
    body = ET.fromstring(written("GetServerCertificate", {**certificate, "tags": []})).findtext(
        f".//{{{IAM}}}CertificateBody"
    )
    assert (unquote(policy or ""), body) == (text, text)


# Picking

NOON = datetime(2026, 1, 2, 12, 0, 0, 999_999, tzinfo=UTC)


@dataclass
class Alice:
    user_name: str = "alice"
    path: str = "/"
    user_id: str = "AIDA" + "A" * 17
    arn: str = "arn:aws:iam::123456789012:user/alice"
    create_date: datetime = NOON
    password_last_used: datetime | None = None
    tags: list[dict[str, str]] = field(default_factory=list)
    permissions_boundary: object = None


@dataclass
class Listing:
    items: Any
    marker: str | None = None

    @property
    def is_truncated(self) -> bool:
        return self.marker is not None


ALICE = {
    "Path": "/",
    "UserName": "alice",
    "UserId": "AIDA" + "A" * 17,
    "Arn": "arn:aws:iam::123456789012:user/alice",
    "CreateDate": "2026-01-02T12:00:00Z",
}
TAGS = [{"key": "team", "value": "blue"}]
TAGS_PICKED = [{"Key": "team", "Value": "blue"}]


def test_a_single_entity_is_the_answer() -> None:
    assert answered("GetUser", Alice()) == {"User": ALICE}
    assert answered("GetUser", {"user": Alice()}) == {"User": ALICE}
    assert answered("GetAccountSummary", {"Users": 1}) == {"SummaryMap": {"Users": 1}}
    assert answered("GetAccountSummary", {"summary_map": {"Users": 1}}) == {"SummaryMap": {"Users": 1}}
    assert answered("DeleteServiceLinkedRole", "task") == {"DeletionTaskId": "task"}


def test_a_user_has_tags_only_when_there_are_some() -> None:
    assert "Tags" not in answered("GetUser", Alice())["User"]
    assert answered("GetUser", Alice(tags=TAGS))["User"]["Tags"] == TAGS_PICKED
    certificate = {"server_certificate_metadata": {}, "certificate_body": "c", "tags": []}
    assert answered("GetServerCertificate", certificate)["ServerCertificate"]["Tags"] == []
    assert answered("ListUserTags", Listing([])) == {"Tags": [], "IsTruncated": False}


def test_a_page_is_the_answer_of_a_listing() -> None:
    assert answered("ListUsers", Listing([Alice()])) == {"Users": [ALICE], "IsTruncated": False}
    assert answered("ListUsers", Listing((Alice(),), "next")) == {
        "Users": [ALICE],
        "IsTruncated": True,
        "Marker": "next",
    }
    assert answered("ListAccountAliases", Listing(iter(["acme"]))) == {"AccountAliases": ["acme"], "IsTruncated": False}
    assert answered("ListOpenIDConnectProviders", Listing([])) == {"OpenIDConnectProviderList": []}
    assert answered("ListDelegationRequests", Listing([])) == {"DelegationRequests": [], "isTruncated": False}


def test_a_page_may_carry_other_members_too() -> None:
    @dataclass
    class Members(Listing):
        group: object = None

    group = {
        "path": "/",
        "group_name": "g",
        "group_id": "AGPA" + "A" * 17,
        "arn": "arn:g" + "g" * 20,
        "create_date": NOON,
    }
    answer = answered("GetGroup", Members([Alice()], group=group))
    assert (answer["Group"]["GroupName"], answer["Users"], answer["IsTruncated"]) == ("g", [ALICE], False)
    answer = answered("GetGroup", {"group": group, "users": [], "is_truncated": False})
    assert (answer["Group"]["GroupName"], answer["Users"], answer["IsTruncated"]) == ("g", [], False)


def test_a_listing_always_has_its_lists_and_is_truncated() -> None:
    empty = {"PolicyGroups": [], "PolicyUsers": [], "PolicyRoles": [], "IsTruncated": False}
    assert answered("ListEntitiesForPolicy", {}) == empty
    assert answered("ListEntitiesForPolicy", SimpleNamespace(marker="m")) == empty | {
        "IsTruncated": True,
        "Marker": "m",
    }
    for service in (each for each in services().values() if not each.target_prefix):
        for name, model in service.operations.items():
            if name.startswith("List") and model.output is not None:
                picked = wire.pick(model.output, Listing([]), secrets=False)
                assert isinstance(picked, dict)
                for member, shape in model.output.members.items():
                    assert shape.kind != "list" or picked[member] == [] or name == "ListOrganizationsFeatures", name


def test_omitted_members_are_left_out_at_every_depth() -> None:
    users = Listing([Alice(tags=TAGS, permissions_boundary={"permissions_boundary_arn": "arn:x"})])
    assert answered("ListUsers", users, omits=("tags", "permissions_boundary"))["Users"] == [ALICE]
    assert answered("ListUsers", users)["Users"] == [
        ALICE | {"Tags": TAGS_PICKED, "PermissionsBoundary": {"PermissionsBoundaryArn": "arn:x"}}
    ]


@dataclass(frozen=True)
class Made:
    entity: Any
    secret: Mapping[str, str]


KEY = SimpleNamespace(user_name="alice", access_key_id="AKIA" + "A" * 16, status="Active", create_date=NOON)


def test_a_secret_is_shown_only_by_an_operation_that_issues_it() -> None:
    made = Made(KEY, {"secret_access_key": "s3cret"})
    shown = answered("CreateAccessKey", made, secrets=True)["AccessKey"]
    assert shown == {
        "UserName": "alice",
        "AccessKeyId": "AKIA" + "A" * 16,
        "Status": "Active",
        "SecretAccessKey": "s3cret",
        "CreateDate": "2026-01-02T12:00:00Z",
    }
    assert answered("CreateAccessKey", made, secrets=False) == {
        "AccessKey": {name: each for name, each in shown.items() if name != "SecretAccessKey"}
    }


def test_what_is_issued_may_be_the_only_member_or_one_of_many() -> None:
    model = services()["iamconsole"].operations
    link = Made(Alice(), {"root_setup_url": "https://x/y"})
    assert wire.pick(model["IssueRootSetupLink"].output, link, secrets=True) == {"RootSetupUrl": "https://x/y"}
    assert wire.pick(model["IssueRootSetupLink"].output, link, secrets=False) == {}
    made = Made({"account_id": "123456789012", "alias": None}, {"secret_access_key": "s3cret"})
    assert wire.pick(model["CreateAccount"].output, made, secrets=True) == {
        "AccountId": "123456789012",
        "SecretAccessKey": "s3cret",
    }


def test_a_secret_member_comes_before_the_entitys_own() -> None:
    device = SimpleNamespace(serial_number="arn:mfa", base32_string_seed="of the entity")
    answer = answered("CreateVirtualMFADevice", Made(device, {"base32_string_seed": "ABC"}), secrets=True)
    assert answer == {
        "VirtualMFADevice": {"SerialNumber": "arn:mfa", "Base32StringSeed": base64.b64encode(b"ABC").decode()}
    }


@pytest.mark.parametrize(
    ("service", "name"),
    # Of CloudTrail only what there is an operation for.
    [
        (each.name, name)
        for each in services().values()
        for name in each.operations
        if each.name != "cloudtrail" or name == "LookupEvents"
    ],
)
def test_no_sensitive_member_leaves_unasked(service: str, name: str) -> None:
    model = ours(name, service)

    def whole(shape: shapes.Shape) -> Any:
        if shape.sensitive:
            return b"s3cret" if shape.kind == "blob" else "s3cret"
        if shape.kind == "structure":
            return {snake(member): whole(each) for member, each in shape.members.items()}
        if shape.kind == "list":
            return [whole(shape.member)]
        if shape.kind == "map":
            return {whole(shape.key): whole(shape.value)}
        return {"string": "x", "integer": 1, "boolean": True, "timestamp": NOON, "blob": b"x"}[shape.kind]

    if model.output is not None:
        told = json.dumps(wire.pick(model.output, whole(model.output), secrets=False))
        assert "s3cret" not in told
        assert base64.b64encode(b"s3cret").decode() not in told


def test_times_are_told_in_utc_and_whole_seconds() -> None:
    east = datetime(2026, 1, 2, 14, 30, 5, 999_999, tzinfo=timezone(timedelta(hours=2)))
    assert answered("GetUser", Alice(create_date=east))["User"]["CreateDate"] == "2026-01-02T12:30:05Z"
    early = datetime(1, 2, 3, tzinfo=UTC)
    assert answered("GetUser", Alice(create_date=early))["User"]["CreateDate"] == "0001-02-03T00:00:00Z"


@pytest.mark.parametrize(
    "user",
    [
        Alice(user_name=5),  # type: ignore[arg-type]
        Alice(create_date=datetime(2026, 1, 2)),  # noqa: DTZ001 - names no moment
        Alice(create_date="2026-01-02"),  # type: ignore[arg-type]
        Alice(tags="team"),  # type: ignore[arg-type]
        Alice(tags={"team": "blue"}),  # type: ignore[arg-type]
        Alice(user_name=True),  # type: ignore[arg-type]
    ],
)
def test_a_result_that_is_not_as_the_model_says_is_a_bug(user: Alice) -> None:
    with pytest.raises(TypeError):
        answered("GetUser", user)


# Writing


def test_a_success_looks_as_awss() -> None:
    assert written("GetUser", Alice()) == (
        f'<GetUserResponse xmlns="{IAM}"><GetUserResult><User><Path>/</Path><UserName>alice</UserName>'
        "<UserId>AIDAAAAAAAAAAAAAAAAAA</UserId><Arn>arn:aws:iam::123456789012:user/alice</Arn>"
        "<CreateDate>2026-01-02T12:00:00Z</CreateDate></User></GetUserResult>"
        f"<ResponseMetadata><RequestId>{REQUEST_ID}</RequestId></ResponseMetadata></GetUserResponse>"
    )


def test_an_operation_without_output_has_no_result() -> None:
    assert written("DeleteUser", None) == (
        f'<DeleteUserResponse xmlns="{IAM}"><ResponseMetadata><RequestId>{REQUEST_ID}</RequestId>'
        "</ResponseMetadata></DeleteUserResponse>"
    )
    assert "<UpdateRoleResult />" in written("UpdateRole", None)


def test_an_empty_listing_has_its_empty_list() -> None:
    assert "<ListUsersResult><Users /><IsTruncated>false</IsTruncated></ListUsersResult>" in written(
        "ListUsers", Listing([])
    )


def test_lists_maps_and_blobs() -> None:
    assert (
        "<AccountAliases><member>a</member></AccountAliases><IsTruncated>true</IsTruncated><Marker>m</Marker>"
    ) in written("ListAccountAliases", Listing(["a"], "m"))
    assert "<SummaryMap><entry><key>Users</key><value>3</value></entry></SummaryMap>" in written(
        "GetAccountSummary", {"Users": 3}
    )
    assert "<Content>YSxi</Content>" in written("GetCredentialReport", {"content": "a,b"})
    sts = written("GetCallerIdentity", {"account": "123456789012"}, service="sts")
    assert sts.startswith('<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">')


def test_policy_documents_are_percent_encoded() -> None:
    document = '{"Action": "iam:*",\r\n"Sid": "a-b_c.d~é+"}'
    policy = {"user_name": "a", "policy_name": "p", "policy_document": document}
    encoded = "%7B%22Action%22%3A%20%22iam%3A%2A%22%2C%0D%0A%22Sid%22%3A%20%22a-b_c.d~%C3%A9%2B%22%7D"
    assert f"<PolicyDocument>{encoded}</PolicyDocument>" in written("GetUserPolicy", policy)
    assert answered("GetUserPolicy", policy)["PolicyDocument"] == document


def test_a_fault_looks_as_awss() -> None:
    assert wire.serialise_error("NoSuchEntity", "The user <x> & é", 404, IAM, REQUEST_ID).decode() == (
        f'<ErrorResponse xmlns="{IAM}"><Error><Type>Sender</Type><Code>NoSuchEntity</Code>'
        f"<Message>The user &lt;x&gt; &amp; é</Message></Error><RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
    )
    assert b"<Type>Receiver</Type>" in wire.serialise_error("InternalFailure", "", 500, IAM, REQUEST_ID)
    assert b"<Type>Receiver</Type>" in wire.serialise_error("ServiceUnavailable", "", 503, IAM, REQUEST_ID)


def test_botocore_reads_a_fault() -> None:
    body = wire.serialise_error("NoSuchEntity", "The user with name x cannot be found.\x00\r", 404, IAM, REQUEST_ID)
    read = QueryParser().parse({"status_code": 404, "headers": {}, "body": body}, None)
    told = {"Type": "Sender", "Code": "NoSuchEntity", "Message": "The user with name x cannot be found.\ufffd\r"}
    assert read["Error"] == told
    assert read["ResponseMetadata"]["RequestId"] == REQUEST_ID
