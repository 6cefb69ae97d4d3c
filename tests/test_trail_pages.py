"""The trail's pages: filters in the address, one event with before and after, the Activity tabs, and the export."""

import csv
import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.operations.groups import add_user_to_group, remove_user_from_group
from accounts.operations.users import tag_user, update_user
from accounts.operations.whole_users import create_user_with_access, delete_user_with_credentials
from accounts.signin.notices import before_this
from api.shapes import Shape
from audit.finding import BATCH, Asked
from audit.models import LOOKED_UP, Event, EventKey
from audit.record import record_alone
from credentials.operations.login_profiles import create_login_profile, update_login_profile
from credentials.operations.service_credentials import (
    create_service_specific_credential,
    delete_service_specific_credential,
    update_service_specific_credential,
)
from credentials.service_credentials import GIT
from iamconsole.downloads import SANDBOX
from iamconsole.errors import AccessDenied
from iamconsole.operation import every_operation
from permissions.models import UserPolicy
from permissions.operations.attachments import attach_user_policy
from permissions.operations.inline import put_user_policy
from permissions.operations.managed import create_policy
from tests.browser import a_client, give_password, signed_in
from tests.conftest import SECRETS, Person, allow, make_group, make_user
from tests.everything import NEW_PASSWORD, PASSWORD, furnish
from tests.rows import events_of

# What a tag may have; what else may come is in messages and names of others.
LETTERS = "\u05e9\u05dc\u05d5\u05dd\u0e01\u00e9"
ALL_BUT_LOOKING = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "cloudtrail:LookupEvents", "Resource": "*"},
        ],
    }
)
HEBREW, COMBINING = "\u05e9\u05dc\u05d5\u05dd\u202e", "e\u0301\u0323\u0328"


def shown(client: Any, **query: str) -> str:
    return str(client.get(reverse("admin:trail"), query).content.decode())


def counted(text: str) -> int:
    """The rows of the table."""
    return text.count('data-label="Action"')


def test_each_filter_shows_what_it_names(root: Person, alice: Person, mallory: Person) -> None:
    dave = make_user(root, "dave")
    with pytest.raises(AccessDenied):
        update_user(mallory.caller, user_name="dave", new_path="/x/")
    client = signed_in(alice)
    event = events_of(root.account_id)[-1]
    assert counted(shown(client)) > 5
    assert counted(shown(client, actor="mallory")) == 1
    assert counted(shown(client, actor=mallory.user.arn)) == 1
    assert counted(shown(client, actor=mallory.user.user_id)) == 1
    assert counted(shown(client, actor="nobody")) == 0
    assert counted(shown(client, action_name="createuser")) == 3
    assert counted(shown(client, action_name="iam:UpdateUser", result="Refused")) == 1
    assert counted(shown(client, result="AccessDenied")) == 1
    assert counted(shown(client, resource_name="dave")) == counted(shown(client, resource_name=dave.user.arn)) == 3
    assert counted(shown(client, source_ip="10.9.8.7")) == 0
    assert counted(shown(client, start_time="2020-01-01T00:00:00", end_time="2020-01-02T00:00:00")) == 0
    wrong = shown(client, start_time="yesterday")
    assert "Error:" in wrong
    assert (counted(wrong), "Export this view" in wrong) == (0, False)
    detail = client.get(reverse("admin:trail-event", args=[event.event_id])).content.decode()
    assert "is not authorized" in detail
    assert reverse("admin:decision", args=[event.event_id]) in detail


def test_pages_of_the_log_hold_every_event_once(root: Person, alice: Person) -> None:
    for number in range(70):
        record_alone(root.caller.origin(), action="iam:X", resource=f"arn:aws:iam::{root.account_id}:user/u{number}")
    client, seen, query = signed_in(alice), [], {}
    while True:
        answer = client.get(reverse("admin:trail"), query)
        seen += [row.event.sequence for row in answer.context["rows"]]
        marker = answer.context["events"].value.marker
        if not marker:
            break
        query = {"marker": marker}
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == len(seen) >= 73


def test_an_event_shows_before_and_after_without_secrets(root: Person, alice: Person) -> None:
    make_user(root, "dave")
    create_login_profile(root.caller, user_name="dave", password=PASSWORD)
    tag_user(root.caller, user_name="dave", tags=[{"key": "team", "value": "blue"}])
    update_user(root.caller, user_name="dave", new_user_name="david")
    renamed, tagged, given = events_of(root.account_id)[:-4:-1]
    arn = f"arn:aws:iam::{root.account_id}:user/"
    assert renamed.changes == [
        {
            "arn": f"{arn}dave",
            "before": {"arn": f"{arn}dave", "user_name": "dave"},
            "after": {"arn": f"{arn}david", "user_name": "david"},
        }
    ]
    assert tagged.changes[0]["before"] == {}
    assert tagged.changes[0]["after"] == {"tags": [{"key": "team", "value": "blue"}]}
    assert given.changes[0]["after"].keys() == {"console_access", "password_last_changed", "password_reset_required"}
    text = signed_in(alice).get(reverse("admin:trail-event", args=[renamed.event_id])).content.decode()
    assert "Before and after" in text
    assert re.search(r'<th scope="row">ARN</th>', text)
    assert reverse("admin:accounts_user_change", args=["root"]) not in text
    assert not [secret for secret in SECRETS if secret in text]


def test_service_credentials_are_told_before_and_after_without_their_secrets(root: Person) -> None:
    make_user(root, "dave")
    issued = create_service_specific_credential(root.caller, user_name="dave", service_name=GIT)
    one = {"user_name": "dave", "service_specific_credential_id": issued.entity.service_specific_credential_id}
    SECRETS.append(issued.secret["service_password"])
    update_service_specific_credential(root.caller, status="Inactive", **one)
    delete_service_specific_credential(root.caller, **one)
    deleted, switched, made = events_of(root.account_id)[:-4:-1]
    told = {change["arn"]: change for change in switched.changes}[one["service_specific_credential_id"]]
    assert (told["before"], told["after"]) == ({"active": True}, {"active": False})
    assert made.changes[0]["after"]["service_specific_credentials"] == {told["arn"]: "Active"}
    assert deleted.changes[0]["before"]
    assert SECRETS[-1] not in repr([made.changes, switched.changes, deleted.changes])


def test_activity_has_memberships_password_resets_and_earlier_names(root: Person, alice: Person, bob: Person) -> None:
    make_user(root, "dave")
    make_group(root, "blue")
    policy = create_policy(root.caller, policy_name="shared", policy_document=allow("s3:*"))
    add_user_to_group(root.caller, group_name="blue", user_name="dave")
    create_login_profile(root.caller, user_name="dave", password=PASSWORD)
    update_login_profile(root.caller, user_name="dave", password=NEW_PASSWORD)
    attach_user_policy(root.caller, user_name="dave", policy_arn=policy.arn)
    update_user(root.caller, user_name="dave", new_user_name="david")
    remove_user_from_group(root.caller, group_name="blue", user_name="david")
    with pytest.raises(AccessDenied):
        update_user(bob.caller, user_name="david", new_path="/x/")
    client = signed_in(alice)

    def actions(route: str, name: str) -> list[str]:
        answer = client.get(reverse(route, args=[name]) + "?tab=activity")
        return [row.event.action.partition(":")[2] for row in answer.context["rows"]]

    membership = ["RemoveUserFromGroup", "AddUserToGroup"]
    assert actions("admin:accounts_user_change", "david") == [
        "UpdateUser", membership[0], "UpdateUser", "AttachUserPolicy", "UpdateLoginProfile", "CreateLoginProfile",
        membership[1], "CreateAccessKey", "CreateUser",
    ]  # fmt: skip
    assert actions("admin:accounts_group_change", "blue") == [*membership, "CreateGroup"]
    assert actions("admin:permissions_managedpolicy_change", policy.arn) == ["AttachUserPolicy", "CreatePolicy"]
    delete_user_with_credentials(root.caller, user_name="david")
    make_user(root, "david")
    assert actions("admin:accounts_user_change", "david") == ["CreateAccessKey", "CreateUser"]


def test_a_group_keeps_in_its_activity_what_was_done_with_a_whole_user(root: Person, alice: Person) -> None:
    furnish(root)
    delete_user_with_credentials(root.caller, user_name="dave")
    answer = signed_in(alice).get(reverse("admin:accounts_group_change", args=["blue"]) + "?tab=activity")
    assert answer.context["rows"][0].event.action == "iam:RemoveUserFromGroup"


@pytest.mark.parametrize("name", ["AKIA-backup", "ASIA", "AIDA.x"])
def test_an_actor_whose_name_begins_like_an_id_is_found(root: Person, alice: Person, name: str) -> None:
    user = make_user(root, name)
    with pytest.raises(AccessDenied):
        update_user(user.caller, user_name="alice", new_path="/x/")
    client = signed_in(alice)
    assert counted(shown(client, actor=name)) == 1
    assert counted(shown(client, actor=user.user.user_id)) == 1


def test_who_may_not_look_events_up_sees_none(root: Person, mallory: Person) -> None:
    client = signed_in(mallory)
    event = events_of(root.account_id)[0]
    for address in (reverse("admin:trail"), reverse("admin:trail-event", args=[event.event_id])):
        text = client.get(address).content.decode()
        assert "cloudtrail:LookupEvents" in text
        assert root.user.arn not in text
    before = len(events_of(root.account_id))
    assert client.post(reverse("admin:trail-export"), {"file_format": "csv"}).status_code == 403
    refused = events_of(root.account_id)[before:]
    assert [(line.action, line.result) for line in refused] == [("iamconsole:ExportEvents", "AccessDenied")]


@pytest.mark.parametrize(
    ("policy", "refused"),
    [
        (allow("iamconsole:ExportEvents", "cloudtrail:LookupEvents"), []),
        (allow("iamconsole:ExportEvents"), ["cloudtrail:LookupEvents"]),
        (ALL_BUT_LOOKING, ["cloudtrail:LookupEvents"]),
        (allow("cloudtrail:LookupEvents"), ["iamconsole:ExportEvents"]),
    ],
)
def test_the_export_needs_the_permission_to_read_the_trail_too(root: Person, policy: str, refused: list[str]) -> None:
    client = signed_in(make_user(root, "dave", policy))
    before = len(events_of(root.account_id))
    answer = client.post(reverse("admin:trail-export"), {"file_format": "csv"})
    assert answer.status_code == (403 if refused else 200)
    lines = [(line.action, line.result) for line in events_of(root.account_id)[before:]]
    expected = [(action, "AccessDenied") for action in refused] or [("iamconsole:ExportEvents", "Success")]
    assert lines == expected


def test_an_event_of_another_account_is_not_found(root: Person, trudy: Person) -> None:
    event = events_of(root.account_id)[0]
    assert signed_in(trudy).get(reverse("admin:trail-event", args=[event.event_id])).status_code == 404


# The export


def exported(client: Any, file_format: str, **filters: str) -> str:
    answer = client.post(reverse("admin:trail-export"), {"file_format": file_format, **filters})
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="audit-')
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == SANDBOX
    return b"".join(answer.streaming_content).decode()


@pytest.mark.asvs("1.2.10")
def test_the_export_round_trips_and_is_an_event_itself(root: Person, alice: Person) -> None:
    user = make_user(root, "=1+1")
    make_user(root, "@sum,a")
    tags = [{"key": f"k{number:02}", "value": LETTERS + "x" * 230} for number in range(49)]
    tag_user(root.caller, user_name="=1+1", tags=[*tags, {"key": "f", "value": "=1+1"}])
    record_alone(root.caller.origin(), action="iam:X", resource="=1+1", message=f'{HEBREW}\u2028\r\n"{COMBINING}')
    client = signed_in(alice)
    recorded = list(reversed(events_of(root.account_id)))

    raw = list(csv.DictReader(io.StringIO(exported(client, "csv-raw"), newline="")))
    assert [row["event_id"] for row in raw] == [str(event.event_id) for event in recorded]
    assert [row["message"] for row in raw] == [event.message for event in recorded]
    assert [row["resource"] for row in raw] == [event.resource for event in recorded]
    assert [json.loads(row["parameters"] or "{}") for row in raw] == [event.parameters for event in recorded]
    assert [json.loads(row["changes"] or "[]") for row in raw] == [event.changes for event in recorded]

    told = events_of(root.account_id)[-1]
    assert (told.action, told.result, told.parameters) == (
        "iamconsole:ExportEvents", "Success", {"file_format": "csv-raw"},
    )  # fmt: skip

    safe = list(csv.DictReader(io.StringIO(exported(client, "csv", resource_name="=1+1"), newline="")))
    assert {row["resource"] for row in safe} == {"'=1+1", user.user.arn}
    assert not [cell for row in safe for cell in row.values() if cell[:1] in ("=", "+", "-", "@", "\t", "\r")]

    lines = exported(client, "jsonl", action_name="TagUser").split("\n")
    assert lines.pop() == ""
    assert len(lines) == len("".join(lines).splitlines()) == 1
    [record] = map(json.loads, lines)
    assert record["eventName"] == "TagUser"
    assert record["requestParameters"]["tags"][0]["value"] == tags[0]["value"]
    every = [json.loads(line) for line in exported(client, "jsonl").splitlines()]
    assert {each["eventID"] for each in every} >= {str(event.event_id) for event in recorded}


def test_names_of_every_script_survive_the_pages(root: Person, alice: Person) -> None:
    make_user(root, "=1+1")
    tag_user(root.caller, user_name="=1+1", tags=[{"key": LETTERS, "value": ""}])
    record_alone(root.caller.origin(), action="iam:X", resource=f"{HEBREW}{COMBINING}", message=f"{HEBREW}{COMBINING}")
    client = signed_in(alice)
    tagged, strange = events_of(root.account_id)[-2:]
    assert LETTERS in client.get(reverse("admin:trail-event", args=[tagged.event_id])).content.decode()
    text = client.get(reverse("admin:trail-event", args=[strange.event_id])).content.decode()
    assert text.count(f"{HEBREW}{COMBINING}") >= 3
    assert f"{HEBREW}{COMBINING}" in shown(client, resource_name=f"{HEBREW}{COMBINING}")
    assert "user/=1+1" in shown(client, resource_name="=1+1")
    assert reverse("admin:accounts_user_change", args=["=1+1"]) in shown(client)


def test_the_names_of_policies_that_are_copied_stay_as_they_are_in_the_export(root: Person, alice: Person) -> None:
    make_user(root, "erin", allow("s3:Get_It"))
    put_user_policy(root.caller, user_name="erin", policy_name="Read_Only_all", policy_document=allow("s3:Put_It"))
    create_user_with_access(root.caller, user_name="dave", copy_permissions_from="erin")
    [line] = exported(signed_in(alice), "jsonl", action_name="PutUserPolicy", resource_name="dave").splitlines()
    policies = json.loads(line)["requestParameters"]["policies"]
    assert policies == [
        {"policyName": name, "policyDocument": document}
        for name, document in UserPolicy.objects.filter(user__user_name="dave", user__account=root.account_id)
        .order_by("pk")
        .values_list("policy_name", "policy_document")
    ]
    assert "Read_Only_all" in [each["policyName"] for each in policies]


def test_no_event_has_a_map_whose_keys_the_export_would_rename() -> None:
    def kinds(shape: Shape | None, above: frozenset[str] = frozenset()) -> set[str]:
        if shape is None or shape.name in above:
            return set()
        inner = [*shape.members.values(), *shape.parts.values()]
        return {shape.kind}.union(*(kinds(each, above | {shape.name}) for each in inner))

    for each in every_operation():
        if not each.reads:
            assert "map" not in kinds(each.model.input) | kinds(each.model.output), each.action
        assert "map" not in kinds(each.model.input), each.action


def test_the_export_reads_by_batches_whatever_its_length(root: Person, alice: Person) -> None:
    for number in range(20):
        record_alone(root.caller.origin(), action="iam:X", resource=f"r{number}")
    until = events_of(root.account_id)[-1].sequence
    with CaptureQueriesContext(connection) as asked:
        found = sum(1 for _ in Asked().all_of(root.account_id, until=until))
    assert found == until
    assert len(asked) == 2
    assert all(f"LIMIT {BATCH}" in query["sql"] for query in asked.captured_queries)


# Indexes


def plans(ask: Callable[[], object]) -> str:
    """How the database finds what is asked; PostgreSQL would read a small table whole, so that is forbidden it."""
    with CaptureQueriesContext(connection) as captured:
        ask()
    told: list[str] = []
    sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        for name in () if sqlite else ("seqscan", "sort", "bitmapscan"):
            cursor.execute(f"SET enable_{name} = off")
        for query in captured.captured_queries:
            cursor.execute(f"EXPLAIN {'QUERY PLAN' if sqlite else ''} {query['sql']}")
            told += [row[3 if sqlite else 0] for row in cursor.fetchall()]
        for name in () if sqlite else ("seqscan", "sort", "bitmapscan"):
            cursor.execute(f"RESET enable_{name}")
    return "\n".join(told)


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({}, "event_by_time"),
        ({"actor": "alice"}, "event_by_actor_name"),
        ({"actor": "AIDAAAAAAAAAAAAAAAAAA"}, "event_by_actor_id"),
        ({"action": "iam:CreateUser"}, "event_by_action"),
        ({"result": "AccessDenied"}, "event_by_result"),
        ({"result": "Refused"}, "event_by_refused"),
        ({"source_ip": "127.0.0.1"}, "event_by_source_ip"),
        ({"access_key_id": "AKIAAAAAAAAAAAAAAAAA"}, "event_by_access_key_id"),
        ({"event_source": "sts.amazonaws.com"}, "event_by_event_source"),
        ({"read_only": True}, "event_by_read_only"),
        ({"event_request_id": "00000000-0000-4000-8000-000000000000"}, "event_request_id"),
        ({"event_id": "00000000-0000-4000-8000-000000000000"}, "event_id"),
        ({"resource_name": "dave"}, "event_key_once"),
        ({"resource_type": "AWS::IAM::User"}, "event_key_once"),
    ],
)
def test_no_filter_reads_the_whole_trail(root: Person, asked: dict[str, Any], index: str) -> None:
    told = plans(lambda: Asked(**asked).of(root.account_id, after=None, most=51))
    if connection.vendor == "postgresql" and index in ("event_by_refused", "event_by_read_only"):
        index = index if index in told else "event_by_time"  # of a table this small both cost the same there
    by_unique = index in ("event_request_id", "event_id")
    assert index in told or (index == "event_key_once" and "sqlite_autoindex_audit_eventkey" in told) or by_unique, told
    assert "Seq Scan" not in told
    assert "SCAN" not in told, told
    assert by_unique or ("TEMP B-TREE" not in told and "Sort" not in told), told


def test_what_is_said_after_a_sign_in_is_found_by_indexes(root: Person, alice: Person) -> None:
    give_password(alice, password=PASSWORD)
    form = {"account": alice.account_id, "user_name": "alice", "password": PASSWORD}
    assert a_client().post("/signin/", form).status_code == 302
    told = plans(lambda: before_this(alice.user))
    assert "event_by_actor" in told, told
    assert "event_key_once" in told or "sqlite_autoindex_audit_eventkey" in told, told
    assert "Seq Scan" not in told
    assert "SCAN" not in told, told
    assert "TEMP B-TREE" not in told
    assert "Sort" not in told, told


def test_every_column_that_is_looked_up_has_its_index() -> None:
    names = {index.name for index in Event._meta.indexes}
    assert {f"event_by_{column}" for column in LOOKED_UP} <= names
    assert [each.name for each in EventKey._meta.constraints] == ["event_key_once"]
