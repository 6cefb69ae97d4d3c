"""SigV4: AWS's own vectors, the signatures real botocore makes, each refusal by code and message, and mutants."""

import hashlib
import hmac
import json
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import boto3
import pytest
import time_machine
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from api.canonical import SignedRequest, canonical_request
from api.sigv4 import Claim, read_claim, signing_key, string_to_sign, verify
from iamconsole.errors import (
    Fault,
    IncompleteSignature,
    InvalidClientTokenId,
    MissingAuthenticationToken,
    SignatureDoesNotMatch,
)

pytestmark = pytest.mark.pure

KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SERVICES = {"iam", "sts"}
NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
STAMP = "20260301T120000Z"
HOST = "127.0.0.1:8000"
FORM = "application/x-www-form-urlencoded; charset=utf-8"
BODY = b"Action=CreateUser&Version=2010-05-08&UserName=J%C3%B6rg%2Bplus+space&Path=%2F"
INCOMPLETE = "IncompleteSignature"
NO_MATCH = "SignatureDoesNotMatch"
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key"
    " and signing method. Consult the service documentation for details."
)
VECTORS = json.loads((Path(__file__).parent / "data/aws4_testsuite/vectors.json").read_text(encoding="utf-8"))
VECTOR_NOW = datetime(2015, 8, 30, 12, 36, 0, tzinfo=UTC)


class Captured(Exception):  # noqa: N818 - it carries a request out of botocore, nothing is wrong
    def __init__(self, request: Any) -> None:
        super().__init__()
        self.request = request


def as_sent(method: str, url: str, headers: dict[str, Any], body: bytes | str | None) -> SignedRequest:
    """What a server sees of a request botocore is about to send."""
    parts = urlsplit(url)
    texts = {name.lower(): v.decode("latin-1") if isinstance(v, bytes) else str(v) for name, v in headers.items()}
    texts.setdefault("host", parts.netloc)
    octets = body.encode() if isinstance(body, str) else body or b""
    return SignedRequest(method, parts.path, parts.query, tuple(texts.items()), octets)


def client(service: str, *, region: str = "eu-central-1", token: str | None = None) -> Any:
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=f"http://{HOST}",
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
        aws_session_token=token,
    )


def called(service: str, operation: str, *, token: str | None = None, **parameters: Any) -> SignedRequest:
    """The request boto3 sends for this call at NOW."""

    def capture(request: Any, **_: Any) -> None:
        raise Captured(request)

    caller = client(service, token=token)
    caller.meta.events.register(f"before-send.{service}", capture)
    with time_machine.travel(NOW, tick=False), pytest.raises(Captured) as caught:
        getattr(caller, operation)(**parameters)
    sent = caught.value.request
    return as_sent(sent.method, sent.url, sent.headers, sent.body)


def presigned(
    service: str,
    operation: str,
    *,
    method: str = "GET",
    expires: int = 3600,
    token: str | None = None,
    **parameters: Any,
) -> SignedRequest:
    """The request of the URL boto3 presigns for this call at NOW."""
    with time_machine.travel(NOW, tick=False):
        url = client(service, token=token).generate_presigned_url(
            operation, Params=parameters, ExpiresIn=expires, HttpMethod=method
        )
    return as_sent(method, url, {}, None)


def signed(
    *,
    method: str = "POST",
    path_and_query: str = "/",
    headers: dict[str, str] | None = None,
    body: bytes = BODY,
    at: datetime = NOW,
    region: str = "eu-central-1",
    service: str = "iam",
) -> SignedRequest:
    """A request signed by botocore's SigV4Auth, which signs every header it is given but user-agent."""
    url = f"http://{HOST}{path_and_query}"
    request = AWSRequest(method, url, headers={"content-type": FORM, **(headers or {})}, data=body)
    with time_machine.travel(at, tick=False):
        SigV4Auth(Credentials(KEY_ID, SECRET), service, region).add_auth(request)
    return as_sent(method, url, request.headers, body)


def with_header(request: SignedRequest, name: str, *values: str) -> SignedRequest:
    """The request with this header having these values: none takes it away, several repeat it."""
    kept = tuple(pair for pair in request.headers if pair[0] != name)
    return replace(request, headers=(*kept, *((name, value) for value in values)))


def header(request: SignedRequest, name: str) -> str:
    (value,) = (value for found, value in request.headers if found == name)
    return value


def edited(request: SignedRequest, old: str, new: str) -> SignedRequest:
    """The request with this text of its Authorization header replaced."""
    authorization = header(request, "authorization")
    assert old in authorization
    return with_header(request, "authorization", authorization.replace(old, new))


def requery(request: SignedRequest, old: str, new: str) -> SignedRequest:
    assert old in request.query
    return replace(request, query=request.query.replace(old, new))


def resigned(request: SignedRequest, *names: str) -> SignedRequest:
    """The request signed for exactly these headers, by the module's own steps: botocore does not let one choose."""
    claim = Claim(KEY_ID, NOW, STAMP[:8], "eu-central-1", "iam", tuple(sorted(names)), "", None, presigned=False)
    text = string_to_sign(claim, canonical_request(request, claim.signed_headers))
    signature = hmac.new(signing_key(SECRET, claim.date, claim.region, claim.service), text, hashlib.sha256).hexdigest()
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={KEY_ID}/{claim.date}/{claim.region}/{claim.service}/aws4_request,"
        f"SignedHeaders={';'.join(claim.signed_headers)},Signature={signature}"
    )
    return with_header(request, "authorization", authorization)


def admit(request: SignedRequest, *, now: datetime = NOW, secret: str = SECRET) -> Claim:
    """Do what the door does: read the claim, look the key up, prove the claim."""
    claim = read_claim(request, now=now, services=SERVICES)
    if claim.access_key_id != KEY_ID:
        raise InvalidClientTokenId("no such key")
    verify(claim, request, secret)
    return claim


def refusal(request: SignedRequest, **options: Any) -> tuple[str, str]:
    with pytest.raises(Fault) as caught:
        admit(request, **options)
    return caught.value.code, caught.value.message


# AWS's test suite


def parsed(text: str) -> SignedRequest:
    """A vector's raw HTTP request. A line that begins with a space continues the header before it."""
    head, _, body = text.partition("\n\n")
    first, *lines = head.rstrip("\n").encode().decode("latin-1").split("\n")
    method, _, rest = first.partition(" ")
    path, _, query = rest.removesuffix(" HTTP/1.1").partition("?")
    headers: list[tuple[str, str]] = []
    for line in lines:
        if line.startswith(" "):
            headers[-1] = (headers[-1][0], f"{headers[-1][1]}\n{line}")
        else:
            name, _, value = line.partition(":")
            headers.append((name.lower(), value))
    return SignedRequest(method, path, query, tuple(headers), body.encode())


def vector_request(vector: dict[str, str]) -> SignedRequest:
    """The request as it was signed. One vector's request is shown before its signer added the session token."""
    request = parsed(vector["req"])
    if vector["name"] == "get-vanilla-with-session-token":
        (token,) = (line for line in vector["creq"].split("\n") if line.startswith("x-amz-security-token:"))
        request = with_header(request, "x-amz-security-token", token.partition(":")[2])
    return request


def vector_claim(vector: dict[str, str]) -> Claim:
    parts = dict(part.split("=", 1) for part in vector["authz"].removeprefix("AWS4-HMAC-SHA256 ").split(", "))
    names = tuple(parts["SignedHeaders"].split(";"))
    return Claim(
        *("AKIDEXAMPLE", VECTOR_NOW, "20150830", "us-east-1", "service"),
        *(names, parts["Signature"], None),
        presigned=False,
    )


def vector_id(vector: dict[str, str]) -> str:
    return vector["name"]


def test_the_suite_is_whole() -> None:
    assert len(VECTORS) == 34


@pytest.mark.parametrize("vector", VECTORS, ids=vector_id)
def test_each_step_gives_what_the_vector_says(vector: dict[str, str]) -> None:
    claim = vector_claim(vector)
    canonical = canonical_request(vector_request(vector), claim.signed_headers)
    assert canonical.decode() == vector["creq"]
    assert string_to_sign(claim, canonical).decode() == vector["sts"]
    verify(claim, vector_request(vector), SECRET)


@pytest.mark.parametrize("vector", VECTORS, ids=vector_id)
def test_the_whole_check_admits_the_signed_request_of_the_vector(vector: dict[str, str]) -> None:
    request = parsed(vector["sreq"])
    if vector["name"] == "get-vanilla-with-session-token":
        # The suite's slip: its signed request carries another vector's signature. Its authz file has the right one.
        request = with_header(request, "authorization", vector["authz"])
    # The suite's key id is shorter than any AWS gives out; the key id is no part of what is signed.
    request = edited(request, "AKIDEXAMPLE/", f"{KEY_ID}/")
    if vector["name"] == "post-sts-token/post-sts-header-after":
        # Deliberately not as some AWS services do: a header x-amz-* that is not signed could be anybody's.
        with pytest.raises(SignatureDoesNotMatch, match="'x-amz-security-token' must be a 'SignedHeader'"):
            read_claim(request, now=VECTOR_NOW, services=None)
        return
    claim = read_claim(request, now=VECTOR_NOW, services={"service"})
    verify(claim, request, SECRET)
    assert (claim.timestamp, claim.region, claim.service) == (VECTOR_NOW, "us-east-1", "service")


def test_s3_paths_can_be_left_as_they_are_and_encoded_once() -> None:
    request = SignedRequest("GET", "/a//b/../c%20d/%7Ee", "", (("host", "h"),), b"")

    def path(**options: bool) -> bytes:
        return canonical_request(request, ("host",), **options).split(b"\n")[1]

    assert path() == b"/a/c%2520d/%257Ee"
    assert path(normalize_path=False) == b"/a//b/../c%2520d/%257Ee"
    assert path(double_encode=False) == b"/a/c%20d/~e"
    assert path(normalize_path=False, double_encode=False) == b"/a//b/../c%20d/~e"


# What real clients sign


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("iam", "list_users", {}),
        ("iam", "get_user", {"UserName": "a+b=c,d.e@f-g_h"}),
        ("iam", "create_user", {"UserName": "joerg", "Tags": [{"Key": "Ort", "Value": "K\u00f6ln / ~*'()!"}]}),
        ("iam", "create_policy", {"PolicyName": "p", "PolicyDocument": '{\n\t"Statement": [] , "x":"%20+&=;"}'}),
        ("sts", "get_caller_identity", {}),
        ("sts", "get_session_token", {"DurationSeconds": 900}),
    ],
)
def test_calls_of_boto3_are_admitted(service: str, operation: str, parameters: dict[str, Any]) -> None:
    claim = admit(called(service, operation, **parameters))
    assert (claim.access_key_id, claim.timestamp, claim.date) == (KEY_ID, NOW, "20260301")
    assert (claim.region, claim.service, claim.session_token, claim.presigned) == ("eu-central-1", service, None, False)
    assert claim.signed_headers == ("content-type", "host", "x-amz-date")


def test_a_session_token_is_read_and_signed() -> None:
    claim = admit(called("sts", "get_caller_identity", token="FwoG/token+=="))
    assert claim.session_token == "FwoG/token+=="
    assert "x-amz-security-token" in claim.signed_headers


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("token", [None, "FwoG/token+=="])
@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("sts", "get_caller_identity", {}),
        ("iam", "create_user", {"UserName": "a+b=c", "Path": "/x/", "Tags": [{"Key": "K", "Value": "\u00e9 ~*"}]}),
    ],
)
def test_presigned_urls_of_boto3_are_admitted(
    method: str, token: str | None, service: str, operation: str, parameters: dict[str, Any]
) -> None:
    claim = admit(presigned(service, operation, method=method, token=token, **parameters))
    assert (claim.presigned, claim.session_token, claim.signed_headers) == (True, token, ("host",))


def test_a_get_with_its_parameters_in_the_query_is_admitted() -> None:
    admit(signed(method="GET", path_and_query="/?Action=ListUsers&Version=2010-05-08&PathPrefix=%2F", body=b""))


def test_the_headers_other_sdks_sign_are_verified_too() -> None:
    names = {
        "content-length": str(len(BODY)),
        "amz-sdk-invocation-id": "b057fc77-ccd8-41df-bdbc-5a749c43dbe8",
        "amz-sdk-request": "attempt=1; max=3",
        "user-agent": "aws-sdk-go-v2/1.30.3  os/linux",
        "x-amz-user-agent": "aws-sdk-js/3.600.0",
        "x-amz-content-sha256": hashlib.sha256(BODY).hexdigest(),
    }
    request = signed(headers=names)
    admit(request)
    request = resigned(request, "host", "x-amz-date", *names)
    admit(request)
    for name, value in names.items():
        assert refusal(with_header(request, name, value + "x"))[0] == NO_MATCH


@pytest.mark.parametrize("region", ["", "cn-north-1", "us-east-1", "wherever I like!"])
def test_any_region_is_admitted_and_bound(region: str) -> None:
    request = signed(region=region)
    assert admit(request).region == region
    assert refusal(edited(request, f"/20260301/{region}/", "/20260301/other/")) == (NO_MATCH, MISMATCH)


def test_a_date_header_dates_a_request_that_has_no_x_amz_date() -> None:
    request = signed(headers={"Date": "to be replaced"})
    assert header(request, "date") == "Sun, 01 Mar 2026 12:00:00 -0000"
    assert admit(request).timestamp == NOW
    for date in ("Sun, 01 Mar 2026 12:00:00 GMT", "Sun, 01 Mar 2026 12:00:00 +0000", STAMP):
        request = resigned(with_header(with_header(signed(), "x-amz-date"), "date", date), "date", "host")
        assert admit(request).timestamp == NOW


@pytest.mark.parametrize("month", range(1, 13))
def test_a_date_header_is_read_in_every_month(month: int) -> None:
    at = datetime(2026, month, 28, 23, 59, 58, tzinfo=UTC)
    assert admit(signed(headers={"Date": "to be replaced"}, at=at), now=at).timestamp == at


def test_x_amz_date_wins_over_a_date_header() -> None:
    assert admit(with_header(signed(), "date", "Mon, 02 Mar 2026 23:00:00 GMT")).timestamp == NOW


def test_a_claim_is_worth_nothing_without_the_right_secret() -> None:
    assert refusal(signed(), secret=SECRET + "x") == (NO_MATCH, MISMATCH)
    assert refusal(signed(), secret="") == (NO_MATCH, MISMATCH)


def test_any_service_is_read_when_none_are_named() -> None:
    request = signed(service="ec2")
    verify(read_claim(request, now=NOW, services=None), request, SECRET)


def test_nothing_secret_shows_when_a_claim_or_a_request_is_printed() -> None:
    request = presigned("sts", "get_caller_identity", token="FwoGtoken")
    claim = admit(request)
    assert claim.signature not in f"{claim!r}{request!r}"
    assert "FwoGtoken" not in f"{claim!r}{request!r}"
    assert header(signed(), "authorization") not in repr(signed())


# Canonical form


@pytest.mark.parametrize(
    ("query", "canonical"),
    [
        ("", b""),
        ("b=2&a=1", b"a=1&b=2"),
        ("a=2&a=10&a=1&a", b"a=&a=1&a=10&a=2"),
        ("a", b"a="),
        ("a&&b=", b"a=&b="),
        ("=x", b"=x"),
        ("a=b=c", b"a=b%3Dc"),
        ("a=b+c", b"a=b%20c"),
        ("a=b%20c", b"a=b%20c"),
        ("a=b%2Bc", b"a=b%2Bc"),
        ("a+b=c", b"a%20b=c"),
        ("a=%2f%7e%41", b"a=%2F~A"),
        ("a=-_.~*!'();:@$,/?[]", b"a=-_.~%2A%21%27%28%29%3B%3A%40%24%2C%2F%3F%5B%5D"),
        ("a=%", b"a=%25"),
        ("a=%zz%4", b"a=%25zz%254"),
        ("a=%252F", b"a=%252F"),
        ("a=\xff%fe\xc3\xa9", b"a=%FF%FE%C3%A9"),
        ("a=%00%0A", b"a=%00%0A"),
        ("a1=x&a=y&A=z&%C3%BC=u", b"%C3%BC=u&A=z&a=y&a1=x"),
    ],
)
def test_a_query_has_one_canonical_form(query: str, canonical: bytes) -> None:
    request = SignedRequest("GET", "/", query, (("host", "h"),), b"")
    assert canonical_request(request, ("host",)).split(b"\n")[2] == canonical


def test_a_plus_in_the_query_is_signed_as_the_space_the_wire_reads() -> None:
    request = signed(method="GET", path_and_query="/?Action=GetUser&UserName=a%2Bb", body=b"")
    admit(request)
    assert refusal(requery(request, "%2B", "+")) == (NO_MATCH, MISMATCH)
    request = signed(method="GET", path_and_query="/?Action=GetUser&UserName=a%20b", body=b"")
    admit(requery(request, "%20", "+"))


@pytest.mark.parametrize(
    ("values", "canonical"),
    [
        (("v",), b"x-test:v"),
        (("",), b"x-test:"),
        (("  a   b  ",), b"x-test:a b"),
        (("a\t \tb",), b"x-test:a b"),
        (('"a   b"',), b'x-test:"a b"'),
        (("b", " a ", "b"), b"x-test:b,a,b"),
        (("b,a,b",), b"x-test:b,a,b"),
        (("\xff\xe9\xa0x",), b"x-test:\xff\xe9\xa0x"),
    ],
)
def test_a_header_has_one_canonical_form(values: tuple[str, ...], canonical: bytes) -> None:
    request = SignedRequest("GET", "/", "", (("host", "h"), *(("x-test", value) for value in values)), b"")
    assert canonical_request(request, ("x-test",)).split(b"\n")[3] == canonical


@pytest.mark.parametrize("path", ["", "/", "//", "/./", "/a/.."])
def test_the_root_has_one_canonical_form(path: str) -> None:
    assert canonical_request(SignedRequest("GET", path, "", (), b""), ()).split(b"\n")[1] == b"/"


def test_a_body_of_any_bytes_is_hashed_as_received() -> None:
    admit(signed(body=bytes(range(256))))


# Time


@pytest.mark.parametrize("seconds", [0, 1, 899, 900, -899, -900])
def test_a_clock_within_fifteen_minutes_is_admitted(seconds: int) -> None:
    admit(signed(), now=NOW + timedelta(seconds=seconds))


def test_a_fraction_of_a_second_does_not_count() -> None:
    admit(signed(), now=NOW + timedelta(seconds=900, microseconds=999_999))


def test_now_may_be_told_in_any_zone() -> None:
    elsewhere = datetime.fromisoformat("2026-03-01T17:30:00+05:30")
    admit(signed(), now=elsewhere)


def test_a_signature_older_than_fifteen_minutes_has_expired() -> None:
    expected = "Signature expired: 20260301T120000Z is now earlier than 20260301T120001Z (20260301T121501Z - 15 min.)"
    assert refusal(signed(), now=NOW + timedelta(seconds=901)) == (NO_MATCH, expected)


def test_a_signature_more_than_fifteen_minutes_ahead_is_not_yet_current() -> None:
    expected = (
        "Signature not yet current: 20260301T120000Z is still later than 20260301T115959Z (20260301T114459Z + 15 min.)"
    )
    assert refusal(signed(), now=NOW - timedelta(seconds=901)) == (NO_MATCH, expected)


def test_the_skew_is_a_setting() -> None:
    late = NOW + timedelta(seconds=301)
    with pytest.raises(SignatureDoesNotMatch, match=r"\(20260301T120501Z - 5 min\.\)"):
        read_claim(signed(), now=late, services=SERVICES, skew=timedelta(minutes=5))
    read_claim(signed(), now=late, services=SERVICES, skew=timedelta(seconds=301))
    with pytest.raises(SignatureDoesNotMatch, match=r"\(20260301T120501Z - 1\.5 min\.\)"):
        read_claim(signed(), now=late, services=SERVICES, skew=timedelta(seconds=90))


@pytest.mark.parametrize("expires", [1, 60, 3600, 604_800])
def test_a_presigned_url_lives_from_its_time_to_its_end(expires: int) -> None:
    request = presigned("sts", "get_caller_identity", expires=expires)
    for seconds in (-900, 0, expires):
        admit(request, now=NOW + timedelta(seconds=seconds))
    code, message = refusal(request, now=NOW + timedelta(seconds=expires + 1))
    assert (code, message.partition(":")[0]) == (NO_MATCH, "Signature expired")
    code, message = refusal(request, now=NOW - timedelta(seconds=901))
    assert (code, message.partition(":")[0]) == (NO_MATCH, "Signature not yet current")


def test_a_presigned_url_is_dated_in_the_basic_form_alone() -> None:
    request = presigned("sts", "get_caller_identity")
    code, message = refusal(requery(request, f"Date={STAMP}", "Date=Sun,%2001%20Mar%202026%2012:00:00%20GMT"))
    assert (code, message.partition(".")[0]) == (INCOMPLETE, "Date must be in ISO-8601 'basic format'")


def test_the_message_of_an_expired_url_names_its_own_life() -> None:
    request = presigned("sts", "get_caller_identity", expires=60)
    assert refusal(request, now=NOW + timedelta(hours=1))[1] == (
        "Signature expired: 20260301T120000Z is now earlier than 20260301T125900Z (20260301T130000Z - 1 min.)"
    )


@pytest.mark.parametrize(
    "date",
    [
        "",
        "201",
        "20260301",
        "20260301T120000",
        "20260301T120000z",
        "20260301t120000Z",
        "20260301T120000Z0",
        "20260301T120000.000Z",
        "2026-03-01T12:00:00Z",
        "20260301T120000+0000",
        "20260230T120000Z",
        "20261301T120000Z",
        "20260301T240000Z",
        "20260301T120060Z",
        "00000101T000000Z",
        "20260301T12000\xb2Z",
        "Sun, 01 Mar 2026 12:00:00 GMT",
        f"{STAMP},{STAMP}",
    ],
)
def test_x_amz_date_has_one_form(date: str) -> None:
    code, message = refusal(with_header(signed(), "x-amz-date", date))
    shown = date.replace("\xb2", "?")
    assert code == INCOMPLETE
    assert message == (
        f"Date must be in ISO-8601 'basic format'. Got '{shown}'. See http://en.wikipedia.org/wiki/ISO_8601"
    )


@pytest.mark.parametrize(
    "date",
    [
        "Sun, 01 Mar 2026 12:00:00",
        "Sun, 01 Mar 2026 12:00:00 +0100",
        "Sun, 01 Mar 2026 12:00:00 GMT+1",
        "Sun, 1 Mar 2026 12:00:00 GMT",
        "Sun, 01 M\xe4r 2026 12:00:00 GMT",
        "Sun, 01 Foo 2026 12:00:00 GMT",
        "Sun, 31 Feb 2026 12:00:00 GMT",
        "Sunday, 01-Mar-26 12:00:00 GMT",
        "Sun Mar  1 12:00:00 2026",
    ],
)
def test_a_date_header_has_the_form_of_rfc_1123(date: str) -> None:
    request = resigned(with_header(with_header(signed(), "x-amz-date"), "date", date), "date", "host")
    code, message = refusal(request)
    assert (code, message.partition(".")[0]) == (INCOMPLETE, "Date must be in ISO-8601 'basic format'")


@pytest.mark.parametrize("stamp", ["00010101T000000Z", "99991231T235959Z"])
def test_the_ends_of_the_calendar_are_only_out_of_date(stamp: str) -> None:
    code, message = refusal(with_header(signed(), "x-amz-date", stamp))
    assert code == NO_MATCH
    assert f": {stamp} is " in message


# Refusals


def test_a_request_that_is_not_signed_is_told_so() -> None:
    missing = ("MissingAuthenticationToken", "Request is missing Authentication Token")
    assert refusal(with_header(signed(), "authorization")) == missing
    assert refusal(with_header(signed(), "authorization", " ")) == missing
    assert MissingAuthenticationToken.status == 403


AUTHORIZATION = "Authorization=AWS4-HMAC-SHA256"
NO_CREDENTIAL = "Authorization header requires 'Credential' parameter."
NO_SIGNATURE = "Authorization header requires 'Signature' parameter."
NO_SIGNED_HEADERS = "Authorization header requires 'SignedHeaders' parameter."
NO_DATE = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
NO_PAIR = "not a valid key=value pair (missing equal-sign) in Authorization header."
HMAC = "AWS4-HMAC-SHA256"


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        ("AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=", "Unsupported AWS 'algorithm': 'AWS'."),
        ("AWS4-ECDSA-P256-SHA256 Credential=a", "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'."),
        ("AWS4-HMAC-SHA512 Credential=a", "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA512'."),
        ("aws4-hmac-sha256 Credential=a", "Unsupported AWS 'algorithm': 'aws4-hmac-sha256'."),
        (f"{HMAC},Credential=a", "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA256,Credential=a'."),
        ("Bearer token", "Unsupported AWS 'algorithm': 'Bearer'."),
        ("Basic\x01\xff x", "Unsupported AWS 'algorithm': 'Basic??'."),
        ("x" * 999, f"Unsupported AWS 'algorithm': '{'x' * 128}'."),
        (HMAC, f"{NO_CREDENTIAL} {NO_SIGNATURE} {NO_SIGNED_HEADERS} {AUTHORIZATION}"),
        (f"{HMAC} SignedHeaders=host, Signature=b", f"{NO_CREDENTIAL} {AUTHORIZATION}"),
        (f"{HMAC} Credential=a, SignedHeaders=host", f"{NO_SIGNATURE} {AUTHORIZATION}"),
        (f"{HMAC} Credential=a,SignedHeaders=host,Signature=", f"{NO_SIGNATURE} {AUTHORIZATION}"),
        (f"{HMAC} Credential=a, Signature=b", f"{NO_SIGNED_HEADERS} {AUTHORIZATION}"),
        (f"{HMAC} Credential", f"'Credential' {NO_PAIR}"),
        (f"{HMAC} Credential=a,,Signature=b", f"'' {NO_PAIR}"),
        (f"{HMAC} credential=a", "Authorization header has an unknown parameter 'credential'."),
        (f"{HMAC} Credential=a, Credential=b", "Authorization header has the parameter 'Credential' more than once."),
        (
            f"{HMAC} Signature=a, {HMAC} Signature=a",
            f"Authorization header has an unknown parameter '{HMAC} Signature'.",
        ),
    ],
)
def test_an_authorization_header_that_cannot_be_read_is_refused(authorization: str, message: str) -> None:
    assert refusal(with_header(signed(), "authorization", authorization)) == (INCOMPLETE, message)
    assert IncompleteSignature.status == 400


def test_an_undated_request_is_refused() -> None:
    undated = with_header(signed(), "x-amz-date")
    assert refusal(undated) == (INCOMPLETE, f"{NO_DATE} {AUTHORIZATION}")
    everything = f"{NO_CREDENTIAL} {NO_SIGNATURE} {NO_SIGNED_HEADERS} {NO_DATE} {AUTHORIZATION}"
    assert refusal(with_header(undated, "authorization", HMAC)) == (INCOMPLETE, everything)


@pytest.mark.parametrize(
    "name", ["authorization", "date", "host", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"]
)
def test_a_header_that_decides_something_may_not_repeat(name: str) -> None:
    request = with_header(signed(), "date", "Sun, 01 Mar 2026 12:00:00 GMT")
    value = next((value for found, value in request.headers if found == name), "x")
    expected = (INCOMPLETE, f"The header '{name}' is present more than once.")
    assert refusal(with_header(request, name, value, value)) == expected


FIVE = "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got"
PRINTABLE = "Credential must be printable ASCII."
WRONG_SERVICE = "Credential should be scoped to correct service: 'iam' or 'sts'."
WRONG_END = "Credential should be scoped with a valid terminator: 'aws4_request', not"
WRONG_DATE = "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP:"
RIGHT_DATE = "!= '20260301', from '20260301T120000Z'."
SCOPE = "20260301/eu-central-1/iam/aws4_request"


@pytest.mark.parametrize(
    ("scope", "code", "message"),
    [
        ("", INCOMPLETE, f"{FIVE} '{KEY_ID}/'"),
        ("20260301/eu-central-1/iam", INCOMPLETE, f"{FIVE} '{KEY_ID}/20260301/eu-central-1/iam'"),
        (f"{SCOPE}/", INCOMPLETE, f"{FIVE} '{KEY_ID}/{SCOPE}/'"),
        ("20260301/eu\x00/iam/aws4_request", INCOMPLETE, PRINTABLE),
        ("20260301/\xfc/iam/aws4_request", INCOMPLETE, PRINTABLE),
        ("20260301/eu-central-1/ec2/aws4_request", NO_MATCH, WRONG_SERVICE),
        ("20260301/eu-central-1/IAM/aws4_request", NO_MATCH, WRONG_SERVICE),
        ("20260301/eu-central-1//aws4_request", NO_MATCH, WRONG_SERVICE),
        ("20260301/eu-central-1/iam/aws5_request", NO_MATCH, f"{WRONG_END} 'aws5_request'."),
        ("20260301/eu-central-1/iam/AWS4_request", NO_MATCH, f"{WRONG_END} 'AWS4_request'."),
        ("20260228/eu-central-1/iam/aws4_request", NO_MATCH, f"{WRONG_DATE} '20260228' {RIGHT_DATE}"),
        ("2026-03-01/eu-central-1/iam/aws4_request", NO_MATCH, f"{WRONG_DATE} '2026-03-01' {RIGHT_DATE}"),
        ("//s3/aws4", NO_MATCH, f"{WRONG_SERVICE} {WRONG_END} 'aws4'. {WRONG_DATE} '' {RIGHT_DATE}"),
    ],
)
def test_a_wrong_scope_is_refused(scope: str, code: str, message: str) -> None:
    assert refusal(edited(signed(), SCOPE, scope)) == (code, message)


def test_a_single_service_is_named_as_aws_names_it() -> None:
    with pytest.raises(SignatureDoesNotMatch) as caught:
        read_claim(signed(service="sts"), now=NOW, services=("iam",))
    assert caught.value.message == "Credential should be scoped to correct service: 'iam'."
    assert caught.value.status == 403


@pytest.mark.parametrize("key_id", ["", "A" * 15, "A" * 129, "AKIA IOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPL-"])
def test_an_impossible_access_key_id_is_unknown(key_id: str) -> None:
    expected = ("InvalidClientTokenId", "The security token included in the request is invalid.")
    assert refusal(edited(signed(), KEY_ID, key_id)) == expected
    assert InvalidClientTokenId.status == 403


@pytest.mark.parametrize("key_id", ["A" * 16, "z_9" * 42 + "zz"])
def test_a_possible_access_key_id_is_read(key_id: str) -> None:
    assert read_claim(edited(signed(), KEY_ID, key_id), now=NOW, services=SERVICES).access_key_id == key_id


@pytest.mark.parametrize(
    "change",
    [
        str.upper,
        lambda s: s[:-1],
        lambda s: s + "0",
        lambda s: "g" + s[1:],
        lambda s: s[1:] + s[0],
        lambda s: "0" * len(s),
    ],
    ids=["upper case", "short", "long", "no hex", "turned", "zero"],
)
def test_a_wrong_signature_does_not_match(change: Callable[[str], str]) -> None:
    request = signed()
    _, _, signature = header(request, "authorization").rpartition("=")
    wrong = edited(request, signature, change(signature))
    assert refusal(wrong) == (NO_MATCH, MISMATCH)


@pytest.mark.parametrize("signature", ["a" * 63, "a" * 65, "A" * 64, "g" * 64, "\xe9" * 64])
def test_what_is_no_signature_costs_no_look_up(signature: str) -> None:
    request = signed()
    _, _, right = header(request, "authorization").rpartition("=")
    with pytest.raises(SignatureDoesNotMatch) as caught:
        read_claim(edited(request, right, signature), now=NOW, services=SERVICES)
    assert caught.value.message == MISMATCH


def test_white_space_around_a_header_is_no_part_of_it() -> None:
    request = signed(headers={"x-amz-content-sha256": hashlib.sha256(BODY).hexdigest()})
    for name, value in request.headers:
        request = with_header(request, name, f"\t {value} \t")
    admit(request)


SORTED = "'SignedHeaders' must be header names in lower case, sorted, each of them once."
UNSIGNED = "must be a 'SignedHeader' in the AWS Authorization."
UNSIGNED_HOST = f"'Host' or ':authority' {UNSIGNED}"


@pytest.mark.parametrize(
    ("names", "code", "message"),
    [
        ("host;content-type;x-amz-date", INCOMPLETE, SORTED),
        ("Host;x-amz-date", INCOMPLETE, SORTED),
        ("host;host;x-amz-date", INCOMPLETE, SORTED),
        ("host;x-amz-date;", INCOMPLETE, SORTED),
        (";", INCOMPLETE, SORTED),
        ("host; x-amz-date", INCOMPLETE, SORTED),
        ("host\n;x-amz-date", INCOMPLETE, SORTED),
        ("content-type;x-amz-date", NO_MATCH, UNSIGNED_HOST),
        ("content-type;host", NO_MATCH, f"'x-amz-date' {UNSIGNED}"),
        ("content-type;host;x-amz-date;x-b", NO_MATCH, "The 'SignedHeader' 'x-b' is not in the request."),
    ],
)
def test_signed_headers_must_be_well_formed_and_cover_the_request(names: str, code: str, message: str) -> None:
    assert refusal(edited(signed(), "content-type;host;x-amz-date", names)) == (code, message)


def test_a_date_header_that_dates_the_request_must_be_signed() -> None:
    request = with_header(with_header(signed(), "x-amz-date"), "date", "Sun, 01 Mar 2026 12:00:00 GMT")
    expected = (NO_MATCH, f"'Date' {UNSIGNED}")
    assert refusal(resigned(request, "host")) == expected


@pytest.mark.parametrize("make", [signed, lambda: presigned("sts", "get_caller_identity")], ids=["header", "presigned"])
def test_an_x_amz_header_that_is_not_signed_is_refused(make: Callable[[], SignedRequest]) -> None:
    request = with_header(make(), "x-amz-target", "AWSIdentity.DeleteUser")
    expected = (NO_MATCH, f"'x-amz-target' {UNSIGNED}")
    assert refusal(request) == expected


STATED = (
    "The provided 'x-amz-content-sha256' is not the SHA-256 of the body as received; unsigned and streaming"
    " payloads are not supported."
)


@pytest.mark.parametrize(
    "stated",
    [
        "UNSIGNED-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        hashlib.sha256(b"").hexdigest(),
        hashlib.sha256(BODY).hexdigest().upper(),
        "",
    ],
)
def test_a_stated_hash_must_be_the_bodys(stated: str) -> None:
    assert refusal(signed(headers={"x-amz-content-sha256": stated})) == (NO_MATCH, STATED)
    query = f"/?X-Amz-Content-Sha256={stated}"
    assert refusal(signed(path_and_query=query)) == (NO_MATCH, STATED)


def test_a_stated_hash_that_is_the_bodys_is_admitted() -> None:
    admit(signed(headers={"x-amz-content-sha256": hashlib.sha256(BODY).hexdigest()}))
    admit(signed(path_and_query=f"/?X-Amz-Content-Sha256={hashlib.sha256(BODY).hexdigest()}"))


# One source of credentials


def test_a_header_beside_a_presigned_query_is_refused() -> None:
    url = presigned("sts", "get_caller_identity")
    both = replace(signed(), query=url.query)
    message = "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."
    assert refusal(both) == (INCOMPLETE, message)
    assert refusal(with_header(url, "authorization", "Basic YTpi")) == (INCOMPLETE, message)
    assert refusal(with_header(url, "authorization", "")) == (INCOMPLETE, message)
    message = "Found both 'X-Amz-Algorithm' as a query-string param and 'X-Amz-Security-Token' as HTTP header."
    assert refusal(with_header(url, "x-amz-security-token", "t")) == (INCOMPLETE, message)


@pytest.mark.parametrize(
    "parameter",
    [
        "X-Amz-Algorithm=AWS4-HMAC-SHA256",
        "X-Amz-Credential=x",
        "X-Amz-Date=20260301T120000Z",
        "X-Amz-Expires=60",
        "X-Amz-SignedHeaders=host",
        "X-Amz-Signature=x",
        "X-Amz-Security-Token=x",
        "x-amz-signature=x",
        "X%2DAmz%2DSignature",
        "AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE",
        "SignatureVersion=2",
    ],
)
def test_any_credential_parameter_beside_a_header_is_refused(parameter: str) -> None:
    request = signed(path_and_query=f"/?Action=ListUsers&{parameter}")
    code, message = refusal(request)
    assert code == INCOMPLETE
    assert message.startswith("Found both '")


def test_signature_version_2_is_refused() -> None:
    query = (
        "Action=ListUsers&AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&SignatureVersion=2&SignatureMethod=HmacSHA256&Signature=x"
    )
    request = SignedRequest("GET", "/", query, (("host", HOST),), b"")
    message = "Unsupported AWS signature version: only AWS4-HMAC-SHA256 is supported."
    assert refusal(request) == (INCOMPLETE, message)


def test_credentials_in_the_body_are_none() -> None:
    url = presigned("sts", "get_caller_identity")
    request = replace(url, method="POST", query="", body=url.query.encode())
    assert refusal(request) == ("MissingAuthenticationToken", "Request is missing Authentication Token")


QUERY_FIELDS = ("Algorithm", "Credential", "Signature", "SignedHeaders", "Date", "Expires")


@pytest.mark.parametrize("name", QUERY_FIELDS)
def test_a_presigned_query_needs_each_of_its_parameters_once(name: str) -> None:
    request = presigned("sts", "get_caller_identity")
    pairs = request.query.split("&")
    (mine,) = (pair for pair in pairs if pair.startswith(f"X-Amz-{name}="))
    expected = (
        INCOMPLETE,
        f"AWS query-string parameters must include 'X-Amz-{name}'. Re-examine the query-string parameters.",
    )
    assert refusal(replace(request, query="&".join(pair for pair in pairs if pair != mine))) == expected
    assert refusal(requery(request, mine, f"X-Amz-{name}=")) == expected
    assert refusal(requery(request, mine, mine.replace("X-Amz", "x-amz"))) == expected
    twice = (INCOMPLETE, f"AWS query-string parameter 'x-amz-{name.lower()}' is present more than once.")
    assert refusal(replace(request, query=f"{request.query}&{mine}")) == twice
    assert refusal(replace(request, query=f"{mine.lower()}&{request.query}")) == twice
    assert refusal(replace(request, query=f"X%2D{mine[2:]}&{request.query}")) == twice


def test_a_presigned_session_token_may_not_repeat() -> None:
    request = presigned("sts", "get_caller_identity", token="t")
    code, message = refusal(replace(request, query=f"{request.query}&X-Amz-Security-Token=t"))
    assert (code, message.endswith("is present more than once.")) == (INCOMPLETE, True)


def test_every_missing_query_parameter_is_named_at_once() -> None:
    request = SignedRequest("GET", "/", "X-Amz-Security-Token=t", (("host", HOST),), b"")
    names = " ".join(f"AWS query-string parameters must include 'X-Amz-{name}'." for name in QUERY_FIELDS)
    assert refusal(request) == (INCOMPLETE, f"{names} Re-examine the query-string parameters.")


@pytest.mark.parametrize(
    ("old", "new", "code", "message"),
    [
        (HMAC, "AWS4-ECDSA-P256-SHA256", INCOMPLETE, "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'."),
        ("SignedHeaders=host", "SignedHeaders=Host", INCOMPLETE, SORTED),
        ("SignedHeaders=host", "SignedHeaders=date", NO_MATCH, UNSIGNED_HOST),
        ("%2Fsts%2F", "%2Fs3%2F", NO_MATCH, WRONG_SERVICE),
        ("eu-central-1", "%00", INCOMPLETE, PRINTABLE),
        ("X-Amz-Signature=", "X-Amz-Signature=%20", NO_MATCH, MISMATCH),
        ("Action=GetCallerIdentity", "Action=GetSessionToken", NO_MATCH, MISMATCH),
    ],
)
def test_a_presigned_query_is_checked_like_a_header(old: str, new: str, code: str, message: str) -> None:
    assert refusal(requery(presigned("sts", "get_caller_identity"), old, new)) == (code, message)


@pytest.mark.parametrize("expires", ["0", "604801", "-1", "+60", "60.0", " 60", "6_0", "1e3", "9" * 7, "%D9%A6"])
def test_a_presigned_life_is_one_second_to_one_week(expires: str) -> None:
    request = requery(presigned("sts", "get_caller_identity"), "Expires=3600", f"Expires={expires}")
    message = "'X-Amz-Expires' must be a whole number of seconds from 1 to 604800."
    assert refusal(request) == (INCOMPLETE, message)


def test_a_body_added_to_a_presigned_request_does_not_match() -> None:
    request = presigned("iam", "list_users", method="POST")
    admit(request)
    assert refusal(replace(request, body=b"UserName=bob")) == (NO_MATCH, MISMATCH)


# Mutants

ANY_BYTE = [chr(code) for code in range(256)]


def mutated(dice: random.Random, text: str) -> str:
    """The text with one byte changed, added or taken away."""
    at = dice.randrange(len(text) + 1)
    if at == len(text) or dice.random() < 0.2:
        return text[:at] + dice.choice(ANY_BYTE) + text[at:]
    return text[:at] + ("" if dice.random() < 0.2 else dice.choice(ANY_BYTE)) + text[at + 1 :]


def meaning(request: SignedRequest) -> tuple[object, ...]:
    """What a request says, told apart from how: white space in headers, escapes and order in the query."""
    query = sorted(parse_qsl(request.query, keep_blank_values=True, encoding="latin-1"))
    headers: dict[str, object] = {}
    for name, value in request.headers:
        if name == "authorization":
            headers[name] = [part.strip(" \t") for part in value.split(",")]
        else:
            headers[name] = (headers.get(name), value.encode("latin-1").split())
    segments = [segment for segment in request.path.split("/") if segment not in {"", "."}]
    return request.method, segments, query, tuple(sorted(headers.items(), key=str)), request.body


def mutant(dice: random.Random, request: SignedRequest) -> SignedRequest:
    kind = dice.choice(["method", "path", "query", "body", "header", "header", "authorization", "drop", "repeat"])
    name, value = dice.choice(request.headers)
    values = {"header": (mutated(dice, value),), "drop": (), "repeat": (value, value)}
    if kind in {"method", "path", "query"}:
        changes: dict[str, Any] = {kind: mutated(dice, getattr(request, kind))}
        return replace(request, **changes)
    if kind == "body":
        return replace(request, body=mutated(dice, request.body.decode("latin-1")).encode("latin-1"))
    if kind in values:
        return with_header(request, name, *values[kind])
    if any(found == "authorization" for found, _ in request.headers):
        return with_header(request, "authorization", mutated(dice, header(request, "authorization")))
    return requery(request, "X-Amz-", dice.choice(["X-Amz", "x-amz-", "X-Amz-X", ""]))


def mutation_bases() -> list[SignedRequest]:
    get = signed(
        method="GET", path_and_query="/a/b?Action=GetUser&UserName=a%2Bb%20c&Empty=&Version=2010-05-08", body=b""
    )
    sdk_headers = {"x-amz-content-sha256": hashlib.sha256(BODY).hexdigest(), "amz-sdk-request": "attempt=1; max=3"}
    temporary = called("iam", "create_user", token="FwoG/token+==", UserName="a+b=c")
    # What is not signed may change; only signed headers can be mutants.
    unsigned = {"user-agent", "amz-sdk-invocation-id", "amz-sdk-request", "content-length"}
    temporary = replace(temporary, headers=tuple(pair for pair in temporary.headers if pair[0] not in unsigned))
    url = presigned("iam", "create_user", UserName="a+b=c", Path="/x/")
    return [signed(), signed(headers=sdk_headers), get, temporary, url, presigned("sts", "get_caller_identity")]


@pytest.mark.parametrize("base", range(6))
def test_no_mutant_of_a_good_request_is_admitted(base: int) -> None:
    request = mutation_bases()[base]
    admit(request)
    dice = random.Random(20150830 + base)
    refused = 0
    for _ in range(2_500):
        changed = mutant(dice, request)
        if meaning(changed) == meaning(request):
            continue
        with pytest.raises(Fault) as caught:
            admit(changed)
        assert caught.value.message.isprintable()
        refused += 1
    assert refused > 2_000


@pytest.mark.parametrize("base", range(6))
def test_every_single_bit_of_a_signature_counts(base: int) -> None:
    request = mutation_bases()[base]
    claim = admit(request)
    for digit in range(64):
        for bit in range(4):
            flipped = f"{int(claim.signature[digit], 16) ^ (1 << bit):x}"
            signature = claim.signature[:digit] + flipped + claim.signature[digit + 1 :]
            with pytest.raises(SignatureDoesNotMatch):
                verify(replace(claim, signature=signature), request, SECRET)


def test_any_bytes_at_all_are_answered_with_a_fault() -> None:
    dice = random.Random(1)
    pieces = ["AWS4-HMAC-SHA256 ", "Credential=", "SignedHeaders=host", "Signature=", ",", "/", "=", ";", STAMP, "&"]
    pieces += [f"X-Amz-{name}=" for name in QUERY_FIELDS] + ["AWS4-HMAC-SHA256", "host", KEY_ID, "60", "a" * 64]

    def noise() -> str:
        return "".join(dice.choice(pieces) if dice.random() < 0.8 else dice.choice(ANY_BYTE) for _ in range(12))

    for _ in range(5_000):
        query = noise() if dice.random() < 0.5 else ""
        headers = [("host", noise()), ("x-amz-date", STAMP)]
        if not query:
            headers.append(("authorization", "AWS4-HMAC-SHA256 " + noise()))
        with pytest.raises(Fault):
            admit(SignedRequest(noise(), noise(), query, tuple(headers), noise().encode("latin-1")))
