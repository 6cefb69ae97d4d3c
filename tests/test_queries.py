"""How many queries a request costs, and how seldom a key's use is written."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.operations.groups import add_user_to_group, create_group
from accounts.operations.users import get_user, update_user
from accounts.operations.whole_users import delete_user_with_credentials
from credentials.models import AccessKey
from iamconsole.errors import NoSuchEntity
from iamconsole.logs import SERVED, Served, served
from permissions.operations.attachments import attach_group_policy, attach_user_policy
from permissions.operations.boundaries import put_user_permissions_boundary
from permissions.operations.inline import put_user_policy
from permissions.operations.managed import create_policy
from tests.authenticators import give_app
from tests.browser import signed_in
from tests.conftest import Person, allow, make_user
from tests.raw import Answer, body_of, send_inside, signed


def ask_inside(person: Person, action: str, service: str = "iam", **parameters: str) -> Answer:
    return send_inside(signed(person, body_of(action, service, **parameters), service=service))


def queries_of(person: Person, action: str, service: str = "iam", **parameters: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        assert ask_inside(person, action, service, **parameters).status == 200
    return [query["sql"] for query in captured.captured_queries]


def row_of(person: Person) -> dict[str, Any]:
    """The row of the person's key."""
    return AccessKey.objects.filter(access_key_id=person.access_key_id).values().get()


def use_of(person: Person) -> tuple[datetime | None, str, str]:
    row = row_of(person)
    return row["last_used_date"], row["last_used_service"], row["last_used_region"]


@pytest.mark.parametrize(
    ("action", "parameters"),
    [
        ("GetUser", {"UserName": "bob"}),
        ("ListUsers", {}),
        ("ListUserTags", {"UserName": "bob"}),
        ("ListGroups", {}),
        ("GetPolicy", {"PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
        ("GetAccessKeyLastUsed", {"AccessKeyId": ""}),
    ],
)
def test_a_signed_read_costs_two_queries(alice: Person, bob: Person, action: str, parameters: dict[str, str]) -> None:
    given = {name: value or bob.access_key_id for name, value in parameters.items()}
    ask_inside(alice, action, **given)
    first, second = queries_of(alice, action, **given)
    assert "credentials_accesskey" in first
    assert all(query.startswith("SELECT") for query in (first, second))


def test_telling_before_and_after_costs_a_change_three_queries_at_most(
    root: Person, alice: Person, bob: Person, subtests: pytest.Subtests
) -> None:
    create_group(root.caller, group_name="team")
    for number in range(3):
        document = allow(f"iam:GetUser{number}")
        put_user_policy(root.caller, user_name="bob", policy_name=f"p{number}", policy_document=document)
    policy = {"PolicyName": "p", "PolicyDocument": allow("iam:GetUser")}
    # What it reads altogether, and how often the parts of something.
    for action, parameters, reads, portraits in (
        ("CreateUser", {"UserName": "eve"}, 8, 1),
        ("UpdateUser", {"UserName": "bob", "NewPath": "/moved/"}, 10, 2),
        ("AttachUserPolicy", {"UserName": "bob", "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}, 13, 2),
        ("AddUserToGroup", {"UserName": "bob", "GroupName": "team"}, 13, 2),
        ("PutGroupPolicy", {"GroupName": "team", **policy}, 11, 2),
    ):
        ask_inside(alice, "ListUsers")
        asked = [each for each in queries_of(alice, action, **parameters) if each.lstrip("(").startswith("SELECT")]
        with subtests.test(action):
            assert len([each for each in asked if "told_sort" in each]) == portraits
            assert len(asked) == reads


def test_a_boundary_costs_nothing_more(root: Person, alice: Person, bob: Person) -> None:
    for user_name in ("alice", "bob"):
        boundary = "arn:aws:iam::aws:policy/AdministratorAccess"
        put_user_permissions_boundary(root.caller, user_name=user_name, permissions_boundary=boundary)
    ask_inside(alice, "GetUser")
    assert len(queries_of(alice, "GetUser", UserName="bob")) == 2
    assert len(queries_of(alice, "GetUser")) == 1


def test_what_the_details_cost_does_not_grow_with_what_there_is(root: Person, alice: Person) -> None:
    ask_inside(alice, "ListUsers")
    alone = len(queries_of(alice, "GetAccountAuthorizationDetails"))
    for number in range(3):
        make_user(root, f"u{number}", allow("iam:GetUser"))
        create_group(root.caller, group_name=f"g{number}")
        add_user_to_group(root.caller, group_name=f"g{number}", user_name=f"u{number}")
        policy = create_policy(root.caller, policy_name=f"p{number}", policy_document=allow("iam:GetUser"))
        attach_user_policy(root.caller, user_name=f"u{number}", policy_arn=policy.arn)
        attach_group_policy(root.caller, group_name=f"g{number}", policy_arn=policy.arn)
    ask_inside(alice, "ListUsers")
    some = len(queries_of(alice, "GetAccountAuthorizationDetails"))
    make_user(root, "u4", allow("iam:GetUser"))
    ask_inside(alice, "ListUsers")
    assert len(queries_of(alice, "GetAccountAuthorizationDetails")) == some < alone + 10


def test_who_the_caller_is_costs_one(alice: Person) -> None:
    ask_inside(alice, "GetUser")
    assert len(queries_of(alice, "GetUser")) == 1
    assert len(queries_of(alice, "GetCallerIdentity", "sts")) == 1


def test_the_first_read_also_reads_the_policies_and_notes_the_use(alice: Person) -> None:
    kinds = [query.split()[0].strip("(") for query in queries_of(alice, "ListUsers")]
    assert sorted(kind for kind in kinds if kind in ("SELECT", "UPDATE")) == ["SELECT", "SELECT", "SELECT", "UPDATE"]


def test_a_listing_costs_the_same_however_long_it_is(root: Person, alice: Person) -> None:
    for number in range(20):
        make_user(root, f"u{number}", allow("iam:GetUser"))
    ask_inside(alice, "ListUsers")
    assert len(queries_of(alice, "ListUsers")) == 2


def test_a_change_of_permissions_reads_the_policies_once_more(root: Person, alice: Person) -> None:
    ask_inside(alice, "ListUsers")
    make_user(root, "dave", allow("iam:GetUser"))
    assert len(queries_of(alice, "ListUsers")) == 3
    assert len(queries_of(alice, "ListUsers")) == 2


def test_a_use_is_written_at_most_once_a_minute(alice: Person) -> None:
    start = datetime.now(UTC).replace(microsecond=0)
    with time_machine.travel(start, tick=False) as clock:
        assert ask_inside(alice, "GetUser").status == 200
        assert use_of(alice) == (start, "iam", "us-east-1")
        clock.shift(timedelta(seconds=59))
        ask_inside(alice, "GetCallerIdentity", "sts")
        assert use_of(alice) == (start, "iam", "us-east-1")
        clock.shift(timedelta(seconds=1))
        ask_inside(alice, "GetCallerIdentity", "sts")
        assert use_of(alice) == (start + timedelta(seconds=60), "sts", "us-east-1")


def test_a_refused_action_is_a_use_of_the_key(mallory: Person) -> None:
    assert ask_inside(mallory, "ListUsers").code == "AccessDenied"
    assert use_of(mallory)[0] is not None


def test_a_refused_signature_writes_nothing_to_the_key(alice: Person) -> None:
    before = row_of(alice)
    body = body_of("GetUser")
    for request in (
        signed(alice, body, secret="w" * 40),
        signed(alice, body, token="made-up"),
        signed(alice, body, at=datetime.now(UTC) - timedelta(hours=1)),
        signed(alice, body, service="s3"),
    ):
        assert send_inside(request).status == 403
    AccessKey.objects.filter(access_key_id=alice.access_key_id).update(status="Inactive")
    assert send_inside(signed(alice, body)).code == "InvalidClientTokenId"
    AccessKey.objects.filter(access_key_id=alice.access_key_id).update(status="Active")
    assert row_of(alice) == before


def test_a_region_without_a_name_is_noted_as_none(alice: Person) -> None:
    assert send_inside(signed(alice, body_of("GetUser"), region="")).status == 200
    assert use_of(alice)[2] == "N/A"


def test_the_list_of_users_tells_mfa_by_no_query_more_whatever_its_length(root: Person) -> None:
    client = signed_in(root)
    counts, kinds = [], {"virtual": "Virtual", "hardware": "Hardware"}
    for name, kind in (("ann", "virtual"), ("ben", "hardware"), ("cleo", "")):
        user = make_user(root, name).user
        if kind:
            give_app(root.account_id, user, f"{kind}-of-{name}-{root.account_id}", kind=kind)
        with CaptureQueriesContext(connection) as captured:
            page = client.get("/console/accounts/user/").content.decode()
        counts.append(len(captured))
        assert kinds.get(kind, "None") in page
    assert counts == [counts[0]] * 3
    for chosen, name in (("virtual", "ann"), ("hardware", "ben"), ("no", "cleo")):
        page = client.get(f"/console/accounts/user/?mfa={chosen}").content.decode()
        assert [each for each in ("ann", "ben", "cleo") if f"/user/{each}/change/" in page] == [name]


@pytest.mark.parametrize("tab", ["", "?tab=credentials", "?tab=tags"])
def test_a_page_about_a_user_reads_the_user_once_whatever_its_buttons(root: Person, bob: Person, tab: str) -> None:
    client = signed_in(root)
    client.get("/console/accounts/user/bob/change/")
    with CaptureQueriesContext(connection) as captured:
        assert client.get(f"/console/accounts/user/bob/change/{tab}").status_code == 200
    named = [each for each in captured.captured_queries if "\"user_name_key\" = 'bob'" in each["sql"]]
    assert len(named) == 1


def test_what_a_request_has_seen_is_forgotten_when_it_writes(root: Person, bob: Person) -> None:
    token = SERVED.set(Served())
    try:
        assert get_user(root.caller, user_name="bob").path == "/"
        with CaptureQueriesContext(connection) as captured:
            assert get_user(root.caller, user_name="bob").path == "/"
        assert not [each for each in captured.captured_queries if "user_name_key" in each["sql"]]
        update_user(root.caller, user_name="bob", new_path="/moved/")
        assert get_user(root.caller, user_name="bob").path == "/moved/"
        delete_user_with_credentials(root.caller, user_name="bob")
        with pytest.raises(NoSuchEntity):
            get_user(root.caller, user_name="bob")
    finally:
        SERVED.reset(token)
    assert not served().seen
