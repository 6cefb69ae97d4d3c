"""CloudTrail's LookupEvents: the trail, asked by boto3, the aws CLI and requests that no SDK would send."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from accounts.operations.users import delete_user
from api.shapes import services
from audit.models import Event
from iamconsole.errors import AccessDenied
from tests.aws_cli import aws
from tests.conftest import Person, allow, make_account, make_group, make_user
from tests.faults import fault_of
from tests.raw import ask_json, send, signed
from tests.rows import events_of

TARGET = f"{services()['cloudtrail'].target_prefix}.LookupEvents"


@pytest.fixture
def trail(alice: Person, server: Path) -> Any:
    """boto3's CloudTrail client with alice's key."""
    return alice.client("cloudtrail")


def looked_up(trail: Any, key: str, value: str, **more: Any) -> list[dict[str, Any]]:
    attributes = [{"AttributeKey": key, "AttributeValue": value}]
    return list(trail.lookup_events(LookupAttributes=attributes, **more)["Events"])


def names(events: list[dict[str, Any]]) -> list[str]:
    return [event["EventName"] for event in events]


def test_all_events_come_the_latest_first(root: Person, trail: Any) -> None:
    answer = trail.lookup_events()
    recorded = events_of(root.account_id)
    assert [each["EventId"] for each in answer["Events"]] == [str(each.event_id) for each in reversed(recorded)]
    assert "NextToken" not in answer


def test_an_event_is_told_as_cloudtrail_tells_it(root: Person, alice: Person, trail: Any) -> None:
    made = alice.client().create_user(UserName="Dave", Path="/team/")
    [event] = looked_up(trail, "EventName", "CreateUser", MaxResults=1)
    user = made["User"]
    assert event["EventName"] == "CreateUser"
    assert event["EventSource"] == "iam.amazonaws.com"
    assert (event["Username"], event["AccessKeyId"], event["ReadOnly"]) == ("alice", alice.access_key_id, "false")
    assert event["Resources"] == [
        {"ResourceType": "AWS::IAM::User", "ResourceName": name} for name in (user["Arn"], user["UserId"], "Dave")
    ]
    record = json.loads(event["CloudTrailEvent"])
    assert record["eventVersion"] == "1.11"
    assert record["userIdentity"] == {
        "type": "IAMUser",
        "principalId": alice.user.user_id,
        "arn": alice.user.arn,
        "accountId": root.account_id,
        "accessKeyId": alice.access_key_id,
        "userName": "alice",
    }
    assert record["requestParameters"] == {"userName": "Dave", "path": "/team/"}
    assert record["responseElements"]["user"]["userId"] == user["UserId"]
    assert record["requestID"] == made["ResponseMetadata"]["RequestId"]
    assert record["eventID"] == event["EventId"]
    assert record["eventTime"] == f"{event['EventTime'].astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    assert (record["eventType"], record["eventCategory"]) == ("AwsApiCall", "Management")
    assert record["recipientAccountId"] == root.account_id
    assert "errorCode" not in record


def test_a_refusal_has_its_error(root: Person, mallory: Person, trail: Any) -> None:
    with pytest.raises(AccessDenied):
        delete_user(mallory.caller, user_name="alice")
    [event] = looked_up(trail, "Username", "mallory")
    record = json.loads(event["CloudTrailEvent"])
    assert (record["errorCode"], record["eventName"]) == ("AccessDenied", "DeleteUser")
    assert "is not authorized to perform: iam:DeleteUser" in record["errorMessage"]
    assert record["responseElements"] is None


def test_events_are_looked_up_by_each_attribute(root: Person, alice: Person, mallory: Person, trail: Any) -> None:
    make_group(root, "blue", "mallory")
    assert fault_of(mallory.client().list_users)[0] == "AccessDenied"
    dave = make_user(root, "dave")
    event = events_of(root.account_id)[3]
    [found] = looked_up(trail, "EventId", str(event.event_id))
    assert found["EventId"] == str(event.event_id)
    assert names(looked_up(trail, "EventName", "CreateGroup")) == ["CreateGroup"]
    assert names(looked_up(trail, "ReadOnly", "true")) == ["ListUsers"]
    assert "ListUsers" not in names(looked_up(trail, "ReadOnly", "false"))
    assert names(looked_up(trail, "Username", "mallory")) == ["ListUsers"]
    assert {each["Username"] for each in looked_up(trail, "Username", "root")} == {"root"}
    assert names(looked_up(trail, "ResourceType", "AWS::IAM::Group")) == ["AddUserToGroup", "CreateGroup"]
    for name in ("dave", dave.user.arn, dave.user.user_id):
        assert names(looked_up(trail, "ResourceName", name)) == ["CreateAccessKey", "CreateUser"], name
    assert names(looked_up(trail, "ResourceName", "mallory"))[0] == "AddUserToGroup"
    assert {each["EventSource"] for each in looked_up(trail, "EventSource", "iam.amazonaws.com")} == {
        "iam.amazonaws.com"
    }
    assert looked_up(trail, "EventSource", "s3.amazonaws.com") == []
    assert names(looked_up(trail, "AccessKeyId", mallory.access_key_id)) == ["ListUsers"]
    assert looked_up(trail, "EventId", "not an id") == looked_up(trail, "EventName", "RunInstances") == []


def test_times_bound_what_is_looked_up(root: Person, trail: Any) -> None:
    now = datetime.now(UTC)
    hour = timedelta(hours=1)
    every = len(events_of(root.account_id))
    assert len(trail.lookup_events(StartTime=now - hour, EndTime=now + hour)["Events"]) == every
    assert trail.lookup_events(StartTime=now + hour)["Events"] == []
    assert trail.lookup_events(EndTime=now - hour)["Events"] == []
    code, status, _ = fault_of(trail.lookup_events, StartTime=now, EndTime=now - hour)
    assert (code, status) == ("InvalidTimeRangeException", 400)


def test_pages_hold_every_event_once_and_a_token_is_of_its_query_alone(root: Person, alice: Person, trail: Any) -> None:
    for number in range(7):
        make_user(root, f"user{number}")
    pages = list(trail.get_paginator("lookup_events").paginate(PaginationConfig={"PageSize": 3}))
    assert {len(page["Events"]) for page in pages[:-1]} == {3}
    seen = [each["EventId"] for page in pages for each in page["Events"]]
    assert seen == [str(each.event_id) for each in reversed(events_of(root.account_id))]
    created = trail.get_paginator("lookup_events").paginate(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "CreateUser"}],
        PaginationConfig={"PageSize": 2},
    )
    assert len([each for page in created for each in page["Events"]]) == 8
    token = trail.lookup_events(MaxResults=1)["NextToken"]
    other = [{"AttributeKey": "Username", "AttributeValue": "root"}]
    assert (
        fault_of(trail.lookup_events, MaxResults=1, NextToken=token, LookupAttributes=other)[0]
        == "InvalidNextTokenException"
    )
    assert fault_of(trail.lookup_events, NextToken="made up")[0] == "InvalidNextTokenException"
    neighbour = make_user(make_account(), "trudy", allow("*")).client("cloudtrail")
    assert fault_of(neighbour.lookup_events, NextToken=token)[0] == "InvalidNextTokenException"


def test_what_is_wrong_with_a_request_has_cloudtrails_error(alice: Person, trail: Any) -> None:
    two = [{"AttributeKey": "Username", "AttributeValue": each} for each in ("alice", "bob")]
    assert fault_of(trail.lookup_events, LookupAttributes=two)[:2] == ("InvalidLookupAttributesException", 400)
    unknown = [{"AttributeKey": "Colour", "AttributeValue": "blue"}]
    assert fault_of(trail.lookup_events, LookupAttributes=unknown)[0] == "InvalidLookupAttributesException"
    maybe = [{"AttributeKey": "ReadOnly", "AttributeValue": "perhaps"}]
    assert fault_of(trail.lookup_events, LookupAttributes=maybe)[0] == "InvalidLookupAttributesException"
    assert fault_of(trail.lookup_events, MaxResults=51)[:2] == ("InvalidMaxResultsException", 400)
    assert fault_of(trail.lookup_events, EventCategory="other")[0] == "InvalidEventCategoryException"
    assert trail.lookup_events(EventCategory="insight")["Events"] == []


@pytest.mark.parametrize(
    ("target", "body", "code"),
    [
        (TARGET.replace("LookupEvents", "DescribeTrails"), b"{}", "UnknownOperationException"),
        (TARGET.replace("LookupEvents", "Nothing"), b"{}", "UnknownOperationException"),
        ("LookupEvents", b"{}", "UnknownOperationException"),
        (TARGET, b"{", "SerializationException"),
        (TARGET, b"[]", "SerializationException"),
        (TARGET, b'{"MaxResults": "5"}', "SerializationException"),
        (TARGET, b'{"MaxResults": true}', "SerializationException"),
        (TARGET, b'{"MaxResults": 1, "MaxResults": 2}', "SerializationException"),
        (TARGET, b'{"StartTime": NaN}', "SerializationException"),
        (TARGET, b'{"StartTime": 1e300}', "SerializationException"),
        (TARGET, b'{"NextToken": "\\u0000"}', "SerializationException"),
        (TARGET, b'{"NextToken": "\xff"}', "SerializationException"),
        (TARGET, b'{"LookupAttributes": ' + b"[" * 5000 + b"]" * 5000 + b"}", "SerializationException"),
        (TARGET, b'{"LookupAttributes": [{"AttributeKey": "Username"}]}', "InvalidLookupAttributesException"),
    ],
)
def test_what_no_sdk_sends_is_refused_in_json(alice: Person, server: Path, target: str, body: bytes, code: str) -> None:
    answer = ask_json(alice, target, body)
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    assert answer.json["__type"] == code
    assert answer.headers["x-amzn-requestid"]


def test_a_signature_that_is_wrong_or_of_another_service_opens_nothing(alice: Person, server: Path) -> None:
    headers = {"X-Amz-Target": TARGET, "Content-Type": "application/x-amz-json-1.1"}
    wrong = send(signed(alice, b"{}", service="cloudtrail", headers=headers, secret="w" * 40))
    assert (wrong.status, wrong.json["__type"]) == (400, "InvalidSignatureException")
    assert ask_json(alice, TARGET, {}, service="iam").json["__type"] == "UnknownOperationException"
    moved = send(signed(alice, b"{}", service="cloudtrail"), headers={"X-Amz-Target": TARGET})
    assert moved.json["__type"] in ("InvalidSignatureException", "IncompleteSignatureException")
    query = send(signed(alice, b"Action=LookupEvents&Version=2013-11-01", service="cloudtrail"))
    assert (query.status, query.code) == (400, "InvalidAction")


@pytest.mark.parametrize("name", ["AKIA-backup", "ASIA", "AIDA.x", "AKIAAAAAAAAAAAAAAAAA", "AIDAAAAAAAAAAAAAAAAAA"])
def test_a_username_is_a_name_whatever_it_looks_like(root: Person, trail: Any, name: str) -> None:
    user = make_user(root, name)
    with pytest.raises(AccessDenied):
        delete_user(user.caller, user_name="alice")
    assert names(looked_up(trail, "Username", name)) == ["DeleteUser"]
    assert looked_up(trail, "Username", user.user.user_id) == []


def test_the_permission_is_cloudtrails_and_a_refusal_is_one_line(root: Person, bob: Person, server: Path) -> None:
    before = len(events_of(root.account_id))
    code, status, message = fault_of(bob.client("cloudtrail").lookup_events)
    assert (code, status) == ("AccessDeniedException", 400)
    assert "cloudtrail:LookupEvents" in message
    lines = events_of(root.account_id)[before:]
    assert [(line.action, line.result, line.read_only) for line in lines] == [
        ("cloudtrail:LookupEvents", "AccessDenied", True)
    ]
    reader = make_user(root, "reader", allow("cloudtrail:LookupEvents"))
    assert reader.client("cloudtrail").lookup_events()["Events"]


def test_nobody_sees_the_trail_of_another_account(root: Person, trudy: Person, server: Path) -> None:
    theirs = {str(event.event_id) for event in events_of(root.account_id)}
    client = trudy.client("cloudtrail")
    seen = {each["EventId"] for page in client.get_paginator("lookup_events").paginate() for each in page["Events"]}
    assert seen
    assert not seen & theirs
    assert looked_up(client, "EventId", min(theirs)) == []
    assert looked_up(client, "ResourceName", root.user.arn) == []
    assert Event.objects.filter(chain=trudy.account_id).count() == len(seen)


def test_the_aws_cli_looks_events_up(alice: Person, server: Path) -> None:
    alice.client().create_user(UserName="dave")
    attribute = "AttributeKey=ResourceName,AttributeValue=dave"
    [event] = aws(alice, "cloudtrail", "lookup-events", "--max-items", "1", "--lookup-attributes", attribute)["Events"]
    assert (event["EventName"], event["Username"]) == ("CreateUser", "alice")
    assert json.loads(event["CloudTrailEvent"])["eventName"] == "CreateUser"
