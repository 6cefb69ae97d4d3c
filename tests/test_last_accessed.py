"""Service last accessed details: what is noted of whom, and what AWS's three operations make of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.operations.users import get_user, list_users
from credentials.operations.authorize import authorize
from credentials.reports.models import LastAccess
from iamconsole.errors import AccessDenied, NoSuchEntity
from permissions.operations.attachments import attach_user_policy
from permissions.operations.last_accessed import (
    generate_service_last_accessed_details,
    get_service_last_accessed_details,
    get_service_last_accessed_details_with_entities,
    list_last_accessed_services,
)
from permissions.operations.managed import create_policy
from tests.browser import signed_in
from tests.conftest import Person, allow, caller_for, make_group, make_user
from tests.raw import body_of, send_inside, signed

S3_AND_IAM = allow("s3:GetObject", "iam:GetUser")


def noted(person: Person) -> dict[str, datetime]:
    """The actions that are noted of a person, with their times."""
    rows = LastAccess.objects.filter(user=person.user)
    return {f"{row.service_namespace}:{row.action_name}": row.last_date for row in rows}


def services_of(root: Person, arn: str, granularity: str = "SERVICE_LEVEL") -> dict[str, Any]:
    """What a new job says of an entity, by service."""
    job = generate_service_last_accessed_details(root.caller, arn=arn, granularity=granularity)
    found = get_service_last_accessed_details(root.caller, job_id=job["job_id"], max_items=1000)
    return {each["service_namespace"]: each for each in found["services_last_accessed"]}


def test_boto3_is_told_what_a_user_used_and_what_not(root: Person, alice: Person, server: Path) -> None:
    bob = make_user(root, "bob", S3_AND_IAM)
    bob.client().get_user()
    iam = alice.client()
    job = iam.generate_service_last_accessed_details(Arn=bob.user.arn)["JobId"]
    answer = iam.get_service_last_accessed_details(JobId=job)
    assert (answer["JobStatus"], answer["JobType"]) == ("COMPLETED", "SERVICE_LEVEL")
    used, unused = answer["ServicesLastAccessed"]
    assert (used["ServiceNamespace"], used["ServiceName"]) == ("iam", "AWS Identity and Access Management (IAM)")
    assert (used["LastAuthenticatedEntity"], used["LastAuthenticatedRegion"]) == (bob.user.arn, "us-east-1")
    assert used["TotalAuthenticatedEntities"] == 1
    assert abs(used["LastAuthenticated"] - datetime.now(UTC)) < timedelta(minutes=10)
    assert unused == {"ServiceName": "Amazon S3", "ServiceNamespace": "s3", "TotalAuthenticatedEntities": 0}
    entities = iam.get_service_last_accessed_details_with_entities(JobId=job, ServiceNamespace="iam")
    [one] = entities["EntityDetailsList"]
    told = {"Arn": bob.user.arn, "Name": "bob", "Type": "USER", "Id": bob.user.user_id, "Path": "/"}
    assert one["EntityInfo"] == told
    assert one["LastAuthenticated"] == used["LastAuthenticated"]


def test_actions_are_told_where_they_are_asked_for(root: Person) -> None:
    bob = make_user(root, "bob", S3_AND_IAM)
    get_user(bob.caller)
    service = services_of(root, bob.user.arn, "ACTION_LEVEL")["iam"]
    [action] = service["tracked_actions_last_accessed"]
    assert (action["action_name"], action["last_accessed_entity"]) == ("GetUser", bob.user.arn)
    assert services_of(root, bob.user.arn)["iam"]["tracked_actions_last_accessed"] is None


def test_a_group_and_a_policy_tell_of_all_whom_they_give_something(root: Person) -> None:
    policy = create_policy(root.caller, policy_name="reading", policy_document=allow("iam:Get*"))
    people = [make_user(root, name) for name in ("al", "bo", "cy")]
    make_group(root, "readers", "al", "bo", policy_arn=policy.arn)
    attach_user_policy(root.caller, user_name="cy", policy_arn=policy.arn)
    for person in (people[0], people[2]):
        get_user(caller_for(person.user))
    group = f"arn:aws:iam::{root.account_id}:group/readers"
    assert services_of(root, group)["iam"]["total_authenticated_entities"] == 1
    assert services_of(root, policy.arn)["iam"]["total_authenticated_entities"] == 2
    assert services_of(root, policy.arn)["iam"]["last_authenticated_entity"] == people[2].user.arn
    job = generate_service_last_accessed_details(root.caller, arn=policy.arn)["job_id"]

    def page(marker: str | None = None) -> Any:
        return get_service_last_accessed_details_with_entities(
            root.caller, job_id=job, service_namespace="iam", max_items=2, marker=marker
        )

    first = page()
    second = page(first["marker"])
    entries = first["entity_details_list"] + second["entity_details_list"]
    assert [each["entity_info"]["name"] for each in entries] == ["al", "bo", "cy"]
    assert [each["last_authenticated"] is None for each in entries] == [False, True, False]
    assert not second["is_truncated"]


def test_an_unattached_policy_of_aws_tells_of_nobody(root: Person) -> None:
    services = services_of(root, "arn:aws:iam::aws:policy/IAMReadOnlyAccess")
    assert services["iam"]["total_authenticated_entities"] == 0


def test_what_other_services_ask_about_is_noted_of_the_signer(root: Person, alice: Person, bob: Person) -> None:
    for action in ("s3:GetObject", "s3:Made-Up-By-Somebody", "gateway:Anything"):
        authorize(
            alice.caller,
            signer={"access_key_id": bob.access_key_id},
            action_name=action,
            resource_arn="arn:aws:s3:::reports/a",
        )
    assert set(noted(bob)) == {"s3:GetObject", "s3:", "gateway:"}
    assert set(noted(alice)) == {"iamconsole:Authorize"}


def test_a_refusal_is_a_use_and_who_needs_no_permission_uses_nothing(root: Person, mallory: Person) -> None:
    with pytest.raises(AccessDenied):
        list_users(mallory.caller)
    assert send_inside(signed(mallory, body_of("GetCallerIdentity", "sts"), service="sts")).status == 200
    assert set(noted(mallory)) == {"iam:ListUsers"}
    list_users(root.caller)
    assert noted(root) == {}


def test_a_use_is_written_once_a_minute_and_costs_nothing_in_between(alice: Person) -> None:
    start = datetime.now(UTC).replace(microsecond=0)
    with time_machine.travel(start, tick=False) as clock:
        list_users(caller_for(alice.user))
        clock.shift(timedelta(seconds=59))
        caller = caller_for(alice.user)
        with CaptureQueriesContext(connection) as captured:
            list_users(caller)
        assert not [query for query in captured.captured_queries if "lastaccess" in query["sql"]]
        assert noted(alice) == {"iam:ListUsers": start}
        clock.shift(timedelta(seconds=1))
        list_users(caller_for(alice.user))
        assert noted(alice) == {"iam:ListUsers": start + timedelta(minutes=1)}


def test_another_process_writes_no_second_time_within_the_minute(alice: Person) -> None:
    from credentials import last_access

    start = datetime.now(UTC).replace(microsecond=0)
    last_access.note_access(alice.user, start, action="iam:GetUser", tracked=True)
    last_access._noted.clear()  # as in a process that knows of nothing
    last_access.note_access(alice.user, start + timedelta(seconds=30), action="iam:GetUser", tracked=True, region="x")
    row = LastAccess.objects.get(user=alice.user)
    assert (row.last_date, row.region) == (start, "")


def test_what_is_longer_ago_than_the_tracking_period_was_never(root: Person) -> None:
    bob = make_user(root, "bob", S3_AND_IAM)
    get_user(bob.caller)
    LastAccess.objects.filter(user=bob.user).update(last_date=datetime.now(UTC) - timedelta(days=401))
    assert services_of(root, bob.user.arn)["iam"]["last_authenticated"] is None


def test_what_is_no_longer_granted_is_not_told(root: Person) -> None:
    bob = make_user(root, "bob", allow("s3:GetObject"))
    with pytest.raises(AccessDenied):
        list_users(bob.caller)
    assert set(services_of(root, bob.user.arn)) == {"s3"}


def test_an_administrator_is_granted_every_service(root: Person, alice: Person) -> None:
    services = list_last_accessed_services(alice.caller, arn=alice.user.arn)
    assert len(services) > 400
    assert services[0]["service_namespace"] == "iamconsole"


def test_the_pages_of_a_user_a_group_and_a_policy_tell_it(root: Person, trudy: Person, mallory: Person) -> None:
    policy = create_policy(root.caller, policy_name="reading", policy_document=allow("iam:Get*", "s3:GetObject"))
    al = make_user(root, "al")
    make_group(root, "readers", "al", policy_arn=policy.arn)
    get_user(caller_for(al.user))
    pages = {
        "al": reverse("admin:accounts_user_change", args=["al"]),
        "group": reverse("admin:accounts_group_change", args=["readers"]),
        "policy": reverse("admin:permissions_managedpolicy_change", args=[policy.arn]),
    }
    for name, page in pages.items():
        shown = signed_in(root).get(f"{page}?tab=last-accessed").content.decode()
        assert "<code>iam</code></th>" in shown
        assert "Not accessed in the tracking period" in shown
        assert "<code>s3</code></li>" in shown
        assert ('data-label="Last by"><a href="/console/accounts/user/al/change/">' in shown) is (name != "al")
        assert ('data-label="Users">1<' in shown) is (name != "al")
    reads = allow("iam:GetGroup", "iam:GetPolicy", "iam:GetUser")
    reader = signed_in(make_user(root, "reader", reads))
    for page in pages.values():
        assert "iamconsole:ListLastAccessedServices" in reader.get(f"{page}?tab=last-accessed").content.decode()
    for arn in (policy.arn, al.user.arn):
        with pytest.raises(NoSuchEntity):
            list_last_accessed_services(trudy.caller, arn=arn)
        with pytest.raises(AccessDenied):
            list_last_accessed_services(mallory.caller, arn=arn)


def test_a_job_is_the_accounts_own(root: Person, trudy: Person, bob: Person) -> None:
    job = generate_service_last_accessed_details(root.caller, arn=bob.user.arn)["job_id"]
    for job_id in (job, "0" * 36, "x" * 36):
        with pytest.raises(NoSuchEntity):
            get_service_last_accessed_details(trudy.caller, job_id=job_id)
    with pytest.raises(NoSuchEntity):
        generate_service_last_accessed_details(trudy.caller, arn=bob.user.arn)


def test_the_services_come_in_pages(root: Person, alice: Person) -> None:
    job = generate_service_last_accessed_details(root.caller, arn=alice.user.arn)["job_id"]
    found: list[str] = []
    marker: str | None = None
    while True:
        page = get_service_last_accessed_details(root.caller, job_id=job, max_items=200, marker=marker)
        found += [each["service_namespace"] for each in page["services_last_accessed"]]
        marker = page["marker"]
        if not page["is_truncated"]:
            break
    assert found == sorted(set(found))
    assert len(found) > 400
