"""Parameters are checked by AWS's models and refused in AWS's words."""

import json
import re
import time
import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from botocore import xform_name

from api import shapes
from api.shapes import OperationModel, Shape, compiled, mask, service_for_version, services, snake, validate
from iamconsole.errors import ValidationError

pytestmark = pytest.mark.pure

# Of CloudTrail only what there is an operation for: the rest is refused before its parameters are read.
EVERY_OPERATION = [
    model
    for service in services().values()
    for model in service.operations.values()
    if service.name != "cloudtrail" or model.name == "LookupEvents"
]


def operation(name: str) -> OperationModel:
    return next(model for model in EVERY_OPERATION if model.name == name)


def every_shape() -> list[Shape]:
    found: dict[tuple[str, str], Shape] = {}

    def walk(service: str, shape: Shape | None) -> None:
        if shape is not None and (service, shape.name) not in found:
            found[service, shape.name] = shape
            for part in [*shape.members.values(), *shape.parts.values()]:
                walk(service, part)

    for model in EVERY_OPERATION:
        walk(model.service, model.input)
        walk(model.service, model.output)
    return list(found.values())


def refusal(name: str, parameters: dict[str, object]) -> str:
    with pytest.raises(ValidationError) as refused:
        validate(operation(name), parameters)
    return refused.value.message


# What the model says


def test_iam_and_sts_are_found_by_name_and_version() -> None:
    assert services()["iam"].xml_namespace == "https://iam.amazonaws.com/doc/2010-05-08/"
    assert len(services()["iam"].operations) == 180
    assert len(services()["sts"].operations) == 11
    assert service_for_version("2010-05-08") is services()["iam"]
    assert service_for_version("2011-06-15") is services()["sts"]
    assert service_for_version("1999-01-01") is None


def test_an_operation_tells_its_errors_and_its_wrapper() -> None:
    create = services()["iam"].operations["CreateUser"]
    assert create.errors["EntityAlreadyExists"] == 409
    assert create.errors["NoSuchEntity"] == 404
    assert create.result_wrapper == "CreateUserResult"
    assert (create.service, create.xml_namespace) == ("iam", services()["iam"].xml_namespace)
    delete = services()["iam"].operations["DeleteUser"]
    assert (delete.output, delete.result_wrapper) == (None, None)
    assert services()["iam"].operations["GetAccountSummary"].input is None


def test_new_user_names_have_64_characters_and_existing_ones_128() -> None:
    for name, member, most in (
        ("CreateUser", "UserName", 64),
        ("UpdateUser", "NewUserName", 64),
        ("UpdateUser", "UserName", 128),
        ("GetUser", "UserName", 128),
    ):
        shape = services()["iam"].operations[name].input
        assert shape is not None
        assert shape.members[member].max == most


def test_snake_names_are_botocores() -> None:
    names = {model.name for model in EVERY_OPERATION} | {name for shape in every_shape() for name in shape.members}
    assert len(names) > 500
    assert {name: snake(name) for name in names} == {name: xform_name(name) for name in names}


def test_no_two_members_of_a_structure_have_one_python_name() -> None:
    for shape in every_shape():
        assert len({snake(name) for name in shape.members}) == len(shape.members)


def test_a_shape_that_leads_back_to_itself_is_loaded_and_checked() -> None:
    model = {
        "metadata": {"apiVersion": "1", "xmlNamespace": "urn:x"},
        "operations": {"Grow": {"name": "Grow", "input": {"shape": "Tree"}, "output": {"shape": "Tree"}}},
        "shapes": {
            "Tree": {"type": "structure", "members": {"Name": {"shape": "Name"}, "Kids": {"shape": "Trees"}}},
            "Trees": {"type": "list", "member": {"shape": "Tree"}},
            "Name": {"type": "string", "max": 3},
        },
    }
    grow = shapes._service("x", model).operations["Grow"]
    assert grow.input is not None
    assert grow.input is grow.output
    assert grow.input.members["Kids"].member is grow.input
    validate(grow, {"kids": [{"kids": [{"name": "abc"}]}]})
    with pytest.raises(ValidationError, match=r"at 'kids\.1\.member\.kids\.1\.member\.name'"):
        validate(grow, {"kids": [{"kids": [{"name": "abcd"}]}]})


def test_a_type_that_nobody_handles_is_refused_when_the_model_is_read() -> None:
    model = {
        "metadata": {"apiVersion": "1", "xmlNamespace": "urn:x"},
        "operations": {"Weigh": {"name": "Weigh", "input": {"shape": "Weight"}}},
        "shapes": {"Weight": {"type": "bigDecimal"}},
    }
    with pytest.raises(ValueError, match="unknown type bigDecimal"):
        shapes._service("x", model)


# What is refused, in AWS's words. Those marked so were recorded of AWS itself.


def most(length: int) -> str:
    return f"Member must have length less than or equal to {length}"


def least(length: int) -> str:
    return f"Member must have length greater than or equal to {length}"


def pattern(text: str) -> str:
    return f"Member must satisfy regular expression pattern: {text}"


EACH = "Member must satisfy constraint:"
NULL = "Member must not be null"
NAME = pattern(r"[\w+=,.@-]+")
PATH = pattern(r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)")
TAG = pattern(r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+")
WORDS = pattern(r"[\w]+")
POLICY_VERSION = pattern(r"v[1-9][0-9]*(\.[A-Za-z0-9-]*)?")
SESSION_NAME = pattern(r"[\w+=,.@-]*")
PROPERTY = pattern("^[A-Za-z][A-Za-z0-9/_-]*$")
SSH_KEY = {"user_name": "a", "ssh_public_key_id": "APKA" + "A" * 16}
VERSION: dict[str, object] = {"policy_arn": "arn:aws:iam::123456789012:policy/p", "version_id": "2"}
SIMULATE = {"policy_input_list": ["{}"], "action_names": ["a:b"]}
ROLE = {"role_arn": "arn:aws:iam::123456789012:role/r"}
REFUSED: list[tuple[str, dict[str, object], str]] = [
    ("CreateUser", {"user_name": "a b"}, f"at 'userName': {NAME}"),
    ("CreateUser", {"user_name": "é"}, f"at 'userName': {NAME}"),
    ("CreateUser", {"user_name": "a\n"}, f"at 'userName': {NAME}"),
    ("CreateUser", {"user_name": "a" * 65}, f"at 'userName': {most(64)}"),
    ("CreateUser", {"user_name": ""}, f"at 'userName': {least(1)}; at 'userName': {NAME}"),
    ("CreateUser", {"user_name": "a b" * 22}, f"at 'userName': {most(64)}; at 'userName': {NAME}"),
    ("CreateUser", {}, f"null at 'userName': {NULL}"),
    ("CreateUser", {"user_name": None}, f"null at 'userName': {NULL}"),
    ("CreateUser", {"user_name": "a", "path": "team"}, f"at 'path': {PATH}"),
    ("CreateUser", {"user_name": "a", "path": "//"}, f"at 'path': {PATH}"),
    ("CreateUser", {"user_name": "a", "path": "/\x7f/"}, f"at 'path': {PATH}"),
    ("UpdateUser", {"user_name": "a", "new_user_name": "a" * 65}, f"at 'newUserName': {most(64)}"),
    ("GetUser", {"user_name": "a" * 129}, f"at 'userName': {most(128)}"),
    ("ListUsers", {"max_items": 1001}, "at 'maxItems': Member must have value less than or equal to 1000"),
    ("ListUsers", {"max_items": 0}, "at 'maxItems': Member must have value greater than or equal to 1"),
    ("ListUsers", {"marker": "m" * 321}, f"at 'marker': {most(320)}"),
    ("GetSSHPublicKey", {**SSH_KEY, "encoding": "x"}, "at 'encoding': Member must satisfy enum value set: [SSH, PEM]"),
    ("GetSSHPublicKey", {"user_name": "a", "encoding": "SSH"}, f"null at 'sSHPublicKeyId': {NULL}"),
    (
        "TagUser",
        {"user_name": "a", "tags": [{"key": "a", "value": ""}, {"value": ""}]},
        f"null at 'tags.2.member.key': {NULL}",
    ),
    # recorded of AWS
    ("CreateVirtualMFADevice", {"virtual_mfa_device_name": "a", "path": f"/{'a' * 511}/"}, f"at 'path': {most(512)}"),
    (
        "ResetServiceSpecificCredential",
        {"service_specific_credential_id": "totally-wrong-credential-id-with-hyphens"},
        f"at 'serviceSpecificCredentialId': {WORDS}",
    ),
    ("GetPolicyVersion", VERSION, f"at 'versionId': {POLICY_VERSION}"),
    (
        "TagUser",
        {"user_name": "a", "tags": [{"key": f"k{n}", "value": ""} for n in range(51)]},
        f"at 'tags': {most(50)}",
    ),
    ("TagUser", {"user_name": "a", "tags": [{"key": "k" * 129, "value": ""}]}, f"at 'tags.1.member.key': {most(128)}"),
    ("TagUser", {"user_name": "a", "tags": [{"key": "k;", "value": ""}]}, f"at 'tags.1.member.key': {TAG}"),
    (
        "TagUser",
        {"user_name": "a", "tags": ({"key": "k", "value": "v" * 257},)},
        f"at 'tags.1.member.value': {most(256)}",
    ),
    ("UntagUser", {"user_name": "a", "tag_keys": [f"k{n}" for n in range(51)]}, f"at 'tagKeys': {most(50)}"),
    (
        "UntagUser",
        {"user_name": "a", "tag_keys": ["ok", ""]},
        f"at 'tagKeys': {EACH} [{most(128)}, {least(1)}, {TAG}, {NULL}]",
    ),
    (
        "AssumeRole",
        {**ROLE, "role_session_name": "Session1:2"},
        f"'Session1:2' at 'roleSessionName': {SESSION_NAME}",
    ),
    ("AssumeRole", {**ROLE, "role_session_name": "s" * 65}, f"'{'s' * 65}' at 'roleSessionName': {most(64)}"),
    ("GetFederationToken", {"name": "ab", "policy": "{" * 2049}, f"'{'{' * 2049}' at 'policy': {most(2048)}"),
    # maps, of which nothing is recorded
    (
        "PutAccountProperties",
        {"properties": {"1": "x"}},
        f"at 'properties': Map keys must satisfy constraint: [{most(50)}, {least(1)}, {PROPERTY}, {NULL}]",
    ),
]


@pytest.mark.parametrize(("name", "parameters", "broken"), REFUSED)
def test_a_broken_constraint_is_told_in_awss_words(name: str, parameters: dict[str, object], broken: str) -> None:
    told = [part.replace("': ", "' failed to satisfy constraint: ", 1) for part in broken.split("; ")]
    errors = "1 validation error" if len(told) == 1 else f"{len(told)} validation errors"
    assert refusal(name, parameters) == f"{errors} detected: " + "; ".join(f"Value {part}" for part in told)


def test_the_whole_message_reads_as_awss() -> None:
    assert refusal("CreateUser", {"user_name": "a b"}) == (
        "1 validation error detected: Value at 'userName' failed to satisfy constraint: "
        r"Member must satisfy regular expression pattern: [\w+=,.@-]+"
    )
    assert refusal("CreateUser", {}) == (
        "1 validation error detected: Value null at 'userName' failed to satisfy constraint: Member must not be null"
    )


@pytest.mark.parametrize(
    ("name", "parameters", "recorded"),
    [
        (
            "UpdateAccountPasswordPolicy",
            {"minimum_password_length": 129, "password_reuse_prevention": 25, "max_password_age": 1096},
            [
                "'minimumPasswordLength' failed to satisfy constraint: Member must have value less than or equal to 128",
                "'passwordReusePrevention' failed to satisfy constraint: Member must have value less than or equal to 24",
                "'maxPasswordAge' failed to satisfy constraint: Member must have value less than or equal to 1095",
            ],
        ),
        (
            "CreateOpenIDConnectProvider",
            {"url": "u" * 256, "client_id_list": ["c" * 256], "thumbprint_list": ["t"]},
            [
                f"'clientIDList' failed to satisfy constraint: {EACH} [{most(255)}, {least(1)}]",
                f"'thumbprintList' failed to satisfy constraint: {EACH} [{most(40)}, {least(40)}]",
                f"'url' failed to satisfy constraint: {most(255)}",
            ],
        ),
    ],
)
def test_several_broken_members_are_told_together(
    name: str, parameters: dict[str, object], recorded: list[str]
) -> None:
    # AWS's order among members is neither the model's nor the alphabet's; ours is the model's.
    count, _, told = refusal(name, parameters).partition(": ")
    assert count == "3 validation errors detected"
    assert sorted(told.split("; ")) == sorted(f"Value at {part}" for part in recorded)


def test_a_flood_of_errors_is_counted_and_told_in_part() -> None:
    flood = [{"key": "", "value": "v"}] * 1000
    endless = {
        "policy_input_list": ["{}"],
        "action_names": ["iam:x"],
        "context_entries": [{"context_key_name": "k"}] * 1000,
    }
    message = refusal("SimulateCustomPolicy", endless)
    assert message.startswith("1000 validation errors detected: ")
    assert message.count("Value at") == 20
    assert refusal("TagUser", {"user_name": "a", "tags": flood}).count("Value at") == 1


def test_sts_never_repeats_a_sensitive_value() -> None:
    given: dict[str, object] = {"role_arn": "short", "principal_arn": "a" * 20, "saml_assertion": "s3c"}
    assert refusal("AssumeRoleWithSAML", given) == (
        f"2 validation errors detected: Value 'short' at 'roleArn' failed to satisfy constraint: {least(20)}; "
        f"Value at 'sAMLAssertion' failed to satisfy constraint: {least(4)}"
    )


def test_sts_shortens_an_endless_value() -> None:
    assert len(refusal("GetFederationToken", {"name": "ab", "policy": "{" * 4_000_000})) < 5000


def test_no_message_holds_a_sensitive_value() -> None:
    canaries = ["s3cret\x00", "ünglaublich-s3cret☂", "s3cret" * 100_000, 5_301_735, b"s3cret", ["s3cret"]]
    for model in EVERY_OPERATION:
        for name, given in sensitive_parameters(model):
            for canary in canaries:
                message = refusal_or_none(model, given(canary)) or ""
                assert "s3cret" not in message, (model.name, name)
                assert "5301735" not in message, (model.name, name)


def refusal_or_none(model: OperationModel, parameters: dict[str, object]) -> str | None:
    try:
        validate(model, parameters)
    except ValidationError as error:
        return error.message
    return None


Given = Callable[[object], Any]


def sensitive_parameters(model: OperationModel) -> list[tuple[str, Given]]:
    """An operation's sensitive parameters, at every depth: each name, and what makes parameters of a value for it."""

    def walk(shape: Shape, given: Given) -> Iterator[tuple[str, Given]]:
        for name, member in shape.members.items():
            inner = partial(lambda name, value: given({snake(name): value}), name)
            if member.sensitive:
                yield snake(name), inner
            yield from walk(member, inner)
        for part, each in shape.parts.items():
            assert not each.sensitive
            yield from walk(
                each, partial(lambda part, value: given([value] if part == "member" else {"key": value}), part)
            )

    return list(walk(model.input, lambda value: value)) if model.input else []


def test_there_are_sensitive_parameters_to_look_at() -> None:
    names = {name for model in EVERY_OPERATION for name, _ in sensitive_parameters(model)}
    assert {"password", "old_password", "new_password", "private_key", "saml_assertion", "uri", "value"} <= names


# What is not of its type: from a form or the shell, never a crash

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WRONG: list[object] = [1, True, 1.5, "text", b"bytes", [], ["a"], {}, {"a": 1}, object(), NOW, 2**31, -(2**40)]
RIGHT: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "blob": bytes,
    "timestamp": datetime,
    "list": list,
    "map": dict,
}


@pytest.mark.parametrize("model", EVERY_OPERATION, ids=lambda model: f"{model.service}:{model.name}")
def test_a_value_of_a_wrong_type_is_a_validation_error(model: OperationModel) -> None:
    for name, shape in model.input.members.items() if model.input else ():
        for value in WRONG:
            if shape.kind == "structure":
                continue  # an unknown member is a bug, and raises TypeError
            message = refusal_or_none(model, {snake(name): value}) or ""
            right = isinstance(value, RIGHT[shape.kind]) and isinstance(value, bool) is (shape.kind == "boolean")
            assert right or f"at '{name[0].lower()}{name[1:]}" in message, (name, value)


@pytest.mark.parametrize(
    ("name", "parameters", "text"),
    [
        ("CreateUser", {"user_name": 5}, "at 'userName' failed to satisfy constraint: Member must be a string"),
        ("ListUsers", {"max_items": True}, "at 'maxItems' failed to satisfy constraint: Member must be an integer"),
        ("ListUsers", {"max_items": "5"}, "at 'maxItems' failed to satisfy constraint: Member must be an integer"),
        ("TagUser", {"user_name": "a", "tags": "x"}, "at 'tags' failed to satisfy constraint: Member must be a list"),
        (
            "TagUser",
            {"user_name": "a", "tags": ["x"]},
            "at 'tags.1.member' failed to satisfy constraint: Member must be a s",
        ),
        ("SimulateCustomPolicy", SIMULATE | {"action_names": ["a:b\x00"]}, "at 'actionNames' failed"),
        ("SimulateCustomPolicy", SIMULATE | {"caller_arn": "\ud800" * 5}, "Member must not contain control characters"),
    ],
)
def test_a_wrong_type_is_told(name: str, parameters: dict[str, object], text: str) -> None:
    assert text in refusal(name, parameters)


def test_a_name_the_model_does_not_know_is_a_bug() -> None:
    for name, parameters in (
        ("CreateUser", {"user_name": "a", "colour": "red"}),
        ("CreateUser", {"UserName": "a"}),
        ("CreateUser", {"user_name": "a", "tags": [{"key": "a", "value": "b", "colour": "red"}]}),
        ("GetAccountSummary", {"max_items": 1}),
    ):
        with pytest.raises(TypeError):
            validate(operation(name), parameters)


# Patterns


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("CreateUser", {"user_name": "Alice.B+c=d,e@f-g_1", "path": "/"}),
        ("CreateUser", {"user_name": "a" * 64, "path": "/a//b/"}),
        ("TagUser", {"user_name": "a", "tags": [{"key": "Größe 名前 _.:/=+-@", "value": ""}]}),
        ("TagUser", {"user_name": "a", "tags": [{"key": "½\u2003٣\U0001d54f", "value": "½\u2028"}]}),
        ("CreateAccountAlias", {"account_alias": "a-b-c"}),
        ("ChangePassword", {"old_password": "ÿ\t ", "new_password": "x"}),
        ("UntagUser", {"user_name": "a", "tag_keys": []}),
        ("GetUser", {}),
        ("GetUser", {"user_name": None}),
        ("GetAccountSummary", {}),
    ],
)
def test_what_keeps_the_constraints_passes(name: str, parameters: dict[str, object]) -> None:
    validate(operation(name), parameters)


@pytest.mark.parametrize("key", ["a;", "a\t", "a\u200b", "😀", "e\u0301", "a\n"])
def test_a_tag_key_is_of_letters_separators_and_numbers(key: str) -> None:
    assert "tags.1.member.key" in refusal("TagUser", {"user_name": "a", "tags": [{"key": key, "value": ""}]})


@pytest.mark.parametrize("alias", ["a", "-ab", "ab-", "a--b", "Abc", "a" * 64, "abc\n"])
def test_an_alias_is_as_the_model_says(alias: str) -> None:
    assert "'accountAlias'" in refusal("CreateAccountAlias", {"account_alias": alias})


def test_unicode_categories_in_patterns_are_unicodes() -> None:
    everything = "".join(map(chr, range(0x110000)))
    found = set(compiled(r"[\p{L}\p{Z}\p{N}]").findall(everything))
    assert found == {each for each in everything if unicodedata.category(each)[0] in "LZN"}


def test_no_pattern_takes_more_than_linear_time() -> None:
    # A million characters a second at the least, on texts that match to the last character and then do not.
    patterns = sorted({shape.pattern for shape in every_shape() if shape.pattern})
    assert len(patterns) > 40
    for pattern in patterns:
        expression = compiled(pattern)
        for piece in ("a", "/a", "/", "a-", "-", "1", "o-a0/r-a", " ", "http://a.", "v1."):
            text = piece * (100_000 // len(piece))
            started = time.process_time()
            expression.fullmatch(text + "\x00")
            expression.fullmatch("/" + text + "\x00")
            assert time.process_time() - started < 0.25, (pattern, piece)


def test_no_pattern_needs_what_python_and_java_read_differently() -> None:
    for pattern in {shape.pattern for shape in every_shape() if shape.pattern}:
        assert not re.search(r"&&|\[[^\]\\]*\[|\\[QEGRXZhHvVk]|\\p\{[^LZN]", pattern), pattern


# The trail's copy


def test_the_trail_keeps_no_secret() -> None:
    given: dict[str, Any] = {"user_name": "alice", "password": "s3cret", "password_reset_required": True}
    masked = mask(operation("CreateLoginProfile"), given)
    assert masked == {"user_name": "alice", "password": "***", "password_reset_required": True}
    assert given["password"] == "s3cret"


def test_every_sensitive_parameter_is_masked() -> None:
    for model in EVERY_OPERATION:
        for _, given in sensitive_parameters(model):
            assert mask(model, given("s3cret")) == given("***")


def test_the_trails_copy_is_fit_for_json() -> None:
    model = {
        "metadata": {"apiVersion": "1", "xmlNamespace": "urn:x"},
        "operations": {"Keep": {"name": "Keep", "input": {"shape": "All"}}},
        "shapes": {
            "All": {
                "type": "structure",
                "members": {
                    "When": {"shape": "When"},
                    "Bytes": {"shape": "Bytes"},
                    "Each": {"shape": "Each"},
                    "Named": {"shape": "Named"},
                    "Missing": {"shape": "When"},
                },
            },
            "When": {"type": "timestamp"},
            "Bytes": {"type": "blob"},
            "Text": {"type": "string"},
            "Secret": {"type": "string", "sensitive": True},
            "One": {"type": "structure", "members": {"Code": {"shape": "Secret"}, "Name": {"shape": "Text"}}},
            "Each": {"type": "list", "member": {"shape": "One"}},
            "Named": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Secret"}},
        },
    }
    keep = shapes._service("x", model).operations["Keep"]
    parameters = {
        "when": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "bytes": b"\x00\xff",
        "each": ({"code": "s3cret", "name": "n"},),
        "named": {"k": "s3cret"},
        "missing": None,
    }
    validate(keep, parameters)
    masked = mask(keep, parameters)
    assert json.loads(json.dumps(masked)) == {
        "when": "2026-01-02T03:04:05+00:00",
        "bytes": "AP8=",
        "each": [{"code": "***", "name": "n"}],
        "named": {"k": "***"},
    }
    with pytest.raises(ValidationError, match="'when' failed to satisfy constraint: Member must be a timestamp"):
        validate(keep, {"when": datetime(2026, 1, 2)})  # noqa: DTZ001 - without a time zone it names no moment


def test_policy_documents_reach_the_trail_as_they_are() -> None:
    document = '{"Version": "2012-10-17",\r\n "Statement": []}'
    given = {"user_name": "a", "policy_name": "p", "policy_document": document}
    assert mask(operation("PutUserPolicy"), given)["policy_document"] == document
    assert mask(operation("GetAccountSummary"), {}) == {}


def test_shapes_are_frozen() -> None:
    shape = services()["iam"].operations["CreateUser"].input
    with pytest.raises(AttributeError):
        shape.min = 1  # type: ignore[misc,union-attr]
