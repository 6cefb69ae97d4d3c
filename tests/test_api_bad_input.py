"""What no good client sends. Every answer is an error of AWS as well-formed XML; none is a 5xx, none is HTML."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest
import time_machine
from django.conf import settings
from django.test import Client

from accounts import arns
from accounts.signin import BACKEND
from tests.conftest import Person, make_user
from tests.raw import FORM, Answer, ask, body_of, exchange, send, send_inside, signed

MIB_4 = 4 * 1024 * 1024
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key"
    " and signing method. Consult the service documentation for details."
)
INVALID_TOKEN = "The security token included in the request is invalid."
GET_USER = body_of("GetUser")
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def refused(answer: Answer, code: str, status: int = 400, message: str | None = None) -> str:
    """Check that the answer is this error, and that it is in AWS's form. Returns its message."""
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    namespace = "{https://iam.amazonaws.com/doc/2010-05-08/}"
    root = ET.fromstring(answer.body)
    assert root.tag == f"{namespace}ErrorResponse"
    [error, request_id] = root
    assert [each.tag.removeprefix(namespace) for each in (*error, request_id)] == [
        "Type",
        "Code",
        "Message",
        "RequestId",
    ]
    assert re.fullmatch(UUID, str(request_id.text))
    assert answer.headers["x-amzn-requestid"] == request_id.text
    assert "set-cookie" not in answer.headers
    assert (answer.text("Type"), answer.code, answer.status) == ("Sender", code, status)
    assert answer.message == message if message is not None else answer.message
    return answer.message


# Who signs


def test_a_wrong_secret_an_unknown_key_and_a_made_up_token_are_refused(alice: Person, server: Path) -> None:
    refused(send(signed(alice, GET_USER, secret="w" * 40)), "SignatureDoesNotMatch", 403, MISMATCH)
    unknown = Person(alice.caller, arns.new_access_key_id(alice.account_id), alice.secret_access_key)
    refused(send(signed(unknown, GET_USER)), "InvalidClientTokenId", 403, INVALID_TOKEN)
    refused(send(signed(alice, GET_USER, token="made-up")), "InvalidClientTokenId", 403, INVALID_TOKEN)
    query = "Action=GetUser"
    presigned = signed(alice, b"", method="GET", query=query, token="made-up", presigned=True)
    refused(send(presigned), "InvalidClientTokenId", 403, INVALID_TOKEN)


@pytest.mark.parametrize(
    ("authorization", "code", "status"),
    [
        (None, "MissingAuthenticationToken", 403),
        ("", "MissingAuthenticationToken", 403),
        ("Basic YWxpY2U6cGFzc3dvcmQ=", "IncompleteSignature", 400),
        ("AWS AKIAIOSFODNN7EXAMPLE:c2lnbmF0dXJl", "IncompleteSignature", 400),
        ("AWS4-HMAC-SHA256", "IncompleteSignature", 400),
        ("AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=b", "IncompleteSignature", 400),
        ("AWS4-HMAC-SHA256 Credential=\xff/\xfe", "IncompleteSignature", 400),
        ("x" * 8000, "IncompleteSignature", 400),
    ],
)
def test_a_request_without_a_good_authorization_is_refused(
    server: Path, authorization: str | None, code: str, status: int
) -> None:
    headers = {"Content-Type": FORM} | ({"Authorization": authorization} if authorization is not None else {})
    refused(exchange("POST", "/", GET_USER, headers), code, status)


def test_what_was_signed_cannot_be_changed(alice: Person, server: Path) -> None:
    request = signed(alice, GET_USER)
    refused(send(request, body=body_of("GetUser", UserName="bob")), "SignatureDoesNotMatch", 403, MISMATCH)
    refused(send(request, body=b""), "SignatureDoesNotMatch", 403, MISMATCH)
    refused(send(request, headers={"Content-Type": "text/plain"}), "SignatureDoesNotMatch", 403, MISMATCH)
    message = "'x-amz-meta' must be a 'SignedHeader' in the AWS Authorization."
    refused(send(request, headers={"X-Amz-Meta": "1"}), "SignatureDoesNotMatch", 403, message)
    refused(send(request, headers={"X-Amz-Date": None}), "IncompleteSignature")
    request.url += "?UserName=bob"
    refused(send(request), "SignatureDoesNotMatch", 403, MISMATCH)


def test_credentials_stand_in_one_place(alice: Person, server: Path) -> None:
    request = signed(alice, b"", method="GET", query="Action=GetUser", presigned=True)
    authorization = dict(signed(alice, GET_USER).headers)["Authorization"]
    refused(send(request, headers={"Authorization": authorization}), "IncompleteSignature")


def test_a_signature_is_for_this_service(alice: Person, server: Path) -> None:
    message = refused(send(signed(alice, GET_USER, service="s3")), "SignatureDoesNotMatch", 403)
    assert message == "Credential should be scoped to correct service: 'cloudtrail' or 'iam' or 'iamconsole' or 'sts'."
    refused(send(signed(alice, GET_USER, service="sts")), "InvalidAction")
    refused(ask(alice, "GetCallerIdentity"), "InvalidAction")


@pytest.mark.parametrize("region", ["", "eu-west-1", "cn-north-1", "nowhere at all", "r" * 300])
def test_a_signature_is_for_any_region(alice: Person, server: Path, region: str) -> None:
    assert send(signed(alice, GET_USER, region=region)).status == 200


def test_a_clock_may_be_wrong_by_15_minutes_and_not_by_a_second_more(alice: Person) -> None:
    now = datetime.now(UTC).replace(microsecond=0)

    def at(seconds: int) -> Answer:
        request = signed(alice, GET_USER, at=now + timedelta(seconds=seconds))
        with time_machine.travel(now, tick=False):
            return send_inside(request)

    def stamp(seconds: int) -> str:
        return f"{now + timedelta(seconds=seconds):%Y%m%dT%H%M%SZ}"

    for seconds in (-900, -899, 0, 899, 900):
        assert at(seconds).status == 200
    late = f"Signature expired: {stamp(-901)} is now earlier than {stamp(-900)} ({stamp(0)} - 15 min.)"
    refused(at(-901), "SignatureDoesNotMatch", 403, late)
    early = f"Signature not yet current: {stamp(901)} is still later than {stamp(900)} ({stamp(0)} + 15 min.)"
    refused(at(901), "SignatureDoesNotMatch", 403, early)


def test_an_old_request_cannot_be_replayed(alice: Person, server: Path) -> None:
    then = datetime.now(UTC) - timedelta(minutes=20)
    message = refused(send(signed(alice, GET_USER, at=then)), "SignatureDoesNotMatch", 403)
    assert message.startswith("Signature expired: ")


def test_a_presigned_url_works_as_long_as_it_says(alice: Person, server: Path) -> None:
    query = urlencode({"Action": "GetUser", "Version": "2010-05-08"})
    assert send(signed(alice, b"", method="GET", query=query, presigned=True)).text("UserName") == "alice"
    then = datetime.now(UTC) - timedelta(seconds=3700)
    old = signed(alice, b"", method="GET", query=query, presigned=True, at=then)
    refused(send(old), "SignatureDoesNotMatch", 403)


def test_a_signed_get_works_and_its_body_is_not_read_for_parameters(alice: Person, server: Path) -> None:
    query = urlencode({"Action": "GetUser", "Version": "2010-05-08"})
    assert send(signed(alice, b"", method="GET", query=query)).text("UserName") == "alice"
    assert send(signed(alice, b"UserName=bob", method="GET", query=query)).text("UserName") == "alice"


def test_cookies_are_not_looked_at(alice: Person, mallory: Person, server: Path) -> None:
    browser = Client()
    browser.force_login(alice.user, backend=BACKEND)
    cookie = f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"
    refused(
        exchange("POST", "/", GET_USER, {"Content-Type": FORM, "Cookie": cookie}), "MissingAuthenticationToken", 403
    )
    refused(exchange("GET", "/?Action=GetUser", headers={"Cookie": cookie}), "MissingAuthenticationToken", 403)
    refused(send(signed(mallory, GET_USER), headers={"Cookie": cookie}), "AccessDenied", 403)
    assert "set-cookie" not in send(signed(alice, GET_USER), headers={"Cookie": f"session={'x' * 32}"}).headers


# What is asked


def test_actions_that_are_not_there_are_refused_by_name(alice: Person, server: Path) -> None:
    message = refused(ask(alice, "CreateRole", RoleName="r", AssumeRolePolicyDocument="{}"), "InvalidAction")
    assert "CreateRole" in message
    unknown = "Could not find operation DescribeInstances for version 2010-05-08"
    refused(ask(alice, "DescribeInstances"), "InvalidAction", 400, unknown)
    refused(ask(alice, "GetUser", Version="2011-06-15"), "InvalidAction")
    refused(ask(alice, "getuser"), "InvalidAction")
    refused(ask(alice, "GetUser\N{GREEK SMALL LETTER ALPHA}<&>\"'"), "InvalidAction")
    assert len(refused(ask(alice, "A" * 1_000_000, Version="2" * 1_000_000), "InvalidAction")) < 300
    refused(send(signed(alice, b"")), "MissingAction")
    refused(send(signed(alice, b"Action=")), "MissingAction")
    refused(send(signed(alice, b"{}", headers={"Content-Type": "application/json"})), "MissingAction")


def test_an_action_may_come_without_a_version(alice: Person, server: Path) -> None:
    assert send(signed(alice, b"Action=GetUser")).status == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
def test_other_methods_are_refused(alice: Person, server: Path, method: str) -> None:
    refused(send(signed(alice, GET_USER, method=method)), "InvalidAction")
    refused(exchange(method, "/"), "InvalidAction")


def test_a_head_request_has_an_answer_without_a_body(server: Path) -> None:
    answer = exchange("HEAD", "/?Action=GetUser")
    assert (answer.status, answer.body, answer.headers["content-type"]) == (400, b"", "text/xml; charset=utf-8")


def test_a_host_this_server_does_not_answer_to_is_an_error_as_xml(alice: Person, server: Path) -> None:
    message = refused(send(signed(alice, GET_USER, headers={"Host": "evil.example"})), "ValidationError")
    assert "ALLOWED_HOSTS" in message


def test_a_browser_is_sent_to_the_console(server: Path) -> None:
    answer = exchange("GET", "/")
    assert (answer.status, answer.headers["location"]) == (302, "/console/")


# Parameters


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({}, "ValidationError"),
        ({"UserName": ""}, "ValidationError"),
        ({"UserName": "a b"}, "ValidationError"),
        ({"UserName": "a\x00"}, "ValidationError"),
        ({"UserName": "a\x1f"}, "ValidationError"),
        ({"UserName": "a\uffff"}, "ValidationError"),
        ({"UserName": "\U0001f600"}, "ValidationError"),
        ({"username": "dave"}, "ValidationError"),
        ({"UserName.member.1": "dave"}, "ValidationError"),
        ({"UserName": "dave", "Tags": "x"}, "MalformedInput"),
        ({"UserName": "dave", "Tags.member.0.Key": "x"}, "MalformedInput"),
        ({"UserName": "dave", "Tags.member.-1.Key": "x"}, "MalformedInput"),
        ({"UserName": "dave", "Tags.member.x.Key": "x"}, "MalformedInput"),
        ({"UserName": "dave", "Tags.member.1.Key": "a", "Tags.member.01.Value": "b"}, "MalformedInput"),
        ({"UserName": "dave", "Tags.member.1": "x"}, "MalformedInput"),
        ({"UserName": "dave", "Tags.member.1.Key": "x"}, "ValidationError"),
        ({"UserName": "dave", f"Tags{'.member.1' * 50}": "x"}, "MalformedInput"),
    ],
)
def test_bad_parameters_make_no_user(alice: Person, server: Path, parameters: Mapping[str, str], code: str) -> None:
    refused(ask(alice, "CreateUser", **parameters), code)
    refused(ask(alice, "GetUser", UserName="dave"), "NoSuchEntity", 404)


@pytest.mark.parametrize(
    ("size", "code"),
    [
        ("0", "ValidationError"),
        ("-1", "ValidationError"),
        ("1001", "ValidationError"),
        ("2147483647", "ValidationError"),
        ("2147483648", "MalformedInput"),
        ("-2147483649", "MalformedInput"),
        ("9" * 5000, "MalformedInput"),
        ("1.0", "MalformedInput"),
        (" 1 ", "MalformedInput"),
        ("1e0", "MalformedInput"),
        ("\u0661", "MalformedInput"),
        ("", "MalformedInput"),
        ("1", None),
        ("01", None),
        ("+1", None),
        ("1000", None),
    ],
)
def test_page_sizes(alice: Person, server: Path, size: str, code: str | None) -> None:
    answer = ask(alice, "ListUsers", MaxItems=size)
    assert answer.status == 200 if code is None else refused(answer, code)


@pytest.mark.parametrize("value", ["True", "TRUE", "yes", "", "2"])
def test_a_boolean_is_true_or_false_or_1_or_0(alice: Person, server: Path, value: str) -> None:
    refused(ask(alice, "UpdateLoginProfile", UserName="bob", PasswordResetRequired=value), "MalformedInput")


def test_parameters_that_nobody_knows_are_passed_over(alice: Person, server: Path) -> None:
    assert ask(alice, "GetUser", Unknown="x", **{"": "y", "UserName2": "z", "a.b.c": ""}).status == 200


def test_no_parameter_stands_twice(root: Person, alice: Person, server: Path) -> None:
    make_user(root, "bob")
    for body in (b"Action=GetUser&UserName=alice&UserName=bob", b"Action=GetUser&Action=DeleteUser&UserName=bob"):
        refused(send(signed(alice, body)), "ValidationError")
    again = signed(alice, b"Action=GetUser&UserName=alice", query="UserName=bob")
    refused(send(again), "ValidationError", 400, "The parameter UserName stands in the query and in the body.")
    apart = signed(alice, b"Action=GetUser", query="UserName=bob")
    assert send(apart).text("UserName") == "bob"


def test_what_is_no_utf_8_is_malformed(alice: Person, server: Path) -> None:
    for body in (
        b"Action=GetUser&UserName=%ff",
        b"Action=GetUser&UserName=\xff",
        b"Action=GetUser&%c3=x",
        b"\xff" * 99,
    ):
        refused(send(signed(alice, body)), "MalformedInput")
    refused(send(signed(alice, b"Action=GetUser&UserName=%ed%a0%80")), "MalformedInput")
    refused(send(signed(alice, b"", method="GET", query="Action=GetUser&UserName=%FF")), "MalformedInput")


def test_a_body_has_4_mib_and_not_a_byte_more(alice: Person, server: Path) -> None:
    body = GET_USER + b"&Unknown="
    body += b"a" * (MIB_4 - len(body))
    assert send(signed(alice, body)).status == 200
    refused(send(signed(alice, body + b"a")), "RequestEntityTooLarge", 413)
    refused(exchange("POST", "/", body * 2), "RequestEntityTooLarge", 413)


def test_a_request_has_10_000_parameters_and_no_more(alice: Person, server: Path) -> None:
    few = GET_USER + b"".join(b"&p%d=" % number for number in range(9998))
    assert send(signed(alice, few)).status == 200
    refused(send(signed(alice, few + b"&p=&q=")), "ValidationError")
