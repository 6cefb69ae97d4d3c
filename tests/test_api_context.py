"""The context keys of real requests: each one as a policy's condition finds it, through the AWS door and in the console."""

import json
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from accounts.operations.users import list_users
from iamconsole.context_keys import KEYS
from iamconsole.errors import AccessDenied
from iamconsole.operation import every_operation
from permissions.actions import reference_of_iam
from tests.browser import a_client, give_password
from tests.conftest import ALLOW_ALL, Person, allow, caller_for, make_user
from tests.everything import served_to_all

POLICY = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"
OTHER_POLICY = "arn:aws:iam::aws:policy/PowerUserAccess"


def on_condition(condition: Mapping[str, Any], *actions: str) -> str:
    """A policy that allows actions, or everything, under a condition."""
    statement = {"Effect": "Allow", "Action": list(actions) or "*", "Resource": "*", "Condition": condition}
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


def may(person: Person, call: str, **parameters: Any) -> bool:
    """Whether the call is allowed; any other refusal than AccessDenied fails."""
    client = person.client()
    try:
        getattr(client, call)(**parameters)
    except client.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == "AccessDenied"
        return False
    return True


NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, True),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, False),
        ({"Bool": {"aws:SecureTransport": "false"}}, True),
        ({"Bool": {"aws:SecureTransport": "true"}}, False),
        ({"StringLike": {"aws:UserAgent": "Boto3/*"}}, True),
        ({"StringLike": {"aws:UserAgent": "curl/*"}}, False),
        ({"DateGreaterThan": {"aws:CurrentTime": (NOW - HOUR).isoformat(timespec="seconds")}}, True),
        ({"DateGreaterThan": {"aws:CurrentTime": (NOW + HOUR).isoformat(timespec="seconds")}}, False),
        ({"NumericLessThan": {"aws:EpochTime": int((NOW + HOUR).timestamp())}}, True),
        ({"NumericLessThan": {"aws:EpochTime": int((NOW - HOUR).timestamp())}}, False),
        ({"StringEquals": {"aws:username": "carol"}}, True),
        ({"StringEquals": {"aws:username": "Carol"}}, False),
        ({"StringLike": {"aws:userid": "AIDA*"}}, True),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/carol"}}, True),
        ({"StringEquals": {"aws:PrincipalType": "User"}}, True),
        ({"StringEquals": {"aws:PrincipalAccount": "${aws:ResourceAccount}"}}, True),
        ({"StringEquals": {"aws:PrincipalTag/TEAM": "blue"}}, True),
        ({"StringEquals": {"aws:PrincipalTag/team": "red"}}, False),
        ({"Null": {"aws:MultiFactorAuthPresent": "true"}}, True),
        ({"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}, True),
        ({"Null": {"aws:TokenIssueTime": "false"}}, False),
    ],
    ids=str,
)
def test_a_key_of_every_request_is_what_it_is(iam: Any, root: Person, condition: dict[str, Any], allowed: bool) -> None:
    carol = make_user(root, "carol", on_condition(condition))
    iam.tag_user(UserName="carol", Tags=[{"Key": "Team", "Value": "blue"}])
    assert may(carol, "list_users") is allowed


def test_the_key_of_the_account_is_the_account(iam: Any, root: Person) -> None:
    carol = make_user(root, "carol", on_condition({"StringEquals": {"aws:PrincipalAccount": root.account_id}}))
    assert may(carol, "list_users")


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"Bool": {"aws:MultiFactorAuthPresent": "false"}}, True),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, False),
        ({"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}, False),
        ({"Null": {"aws:MultiFactorAuthAge": "true"}}, True),
        ({"DateGreaterThan": {"aws:TokenIssueTime": (NOW - HOUR).isoformat(timespec="seconds")}}, True),
        ({"DateGreaterThan": {"aws:TokenIssueTime": (NOW + HOUR).isoformat(timespec="seconds")}}, False),
    ],
    ids=str,
)
def test_a_session_of_the_console_has_its_start_and_no_second_factor(
    root: Person, condition: dict[str, Any], allowed: bool
) -> None:
    carol = make_user(root, "carol", on_condition(condition))
    password = give_password(carol)
    client = a_client()
    form = {"account": carol.account_id, "user_name": "carol", "password": password}
    assert client.post("/signin/", form).status_code == 302
    assert (client.get("/console/accounts/user/").status_code == 200) is allowed


@pytest.mark.parametrize(
    ("began", "shown", "allowed"),
    [(2 * HOUR, timedelta(minutes=59), True), (timedelta(0), HOUR + timedelta(minutes=1), False)],
    ids=["shown again in an old session", "shown long ago"],
)
def test_the_age_of_the_second_factor_counts_from_when_it_was_shown(
    root: Person, began: timedelta, shown: timedelta, allowed: bool
) -> None:
    carol = make_user(root, "carol", on_condition({"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}))
    now = datetime.now(UTC)
    caller = replace(caller_for(carol.user, "console"), session_start=now - began, mfa_time=now - shown)
    with nullcontext() if allowed else pytest.raises(AccessDenied):
        list_users(caller)


def test_tags_of_the_request_are_keys_of_it(iam: Any, root: Person) -> None:
    only_blue = {
        "StringEquals": {"aws:RequestTag/team": "blue"},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["team", "Team", "project"]},
    }
    carol = make_user(root, "carol", on_condition(only_blue, "iam:CreateUser", "iam:TagUser"))
    make_user(root, "dave")

    def tagged(*tags: tuple[str, str]) -> list[dict[str, str]]:
        return [{"Key": key, "Value": value} for key, value in tags]

    for number, (tags, allowed) in enumerate(
        [
            ([("team", "blue")], True),
            ([("Team", "blue"), ("project", "x")], True),
            ([("team", "red")], False),
            ([("team", "blue"), ("cost", "x")], False),
            ([], False),
        ]
    ):
        assert may(carol, "create_user", UserName=f"u{number}", Tags=tagged(*tags)) is allowed
        if tags:
            assert may(carol, "tag_user", UserName="dave", Tags=tagged(*tags)) is allowed


def test_what_is_made_with_tags_wants_the_permission_to_tag_it(iam: Any, root: Person) -> None:
    made = ("iam:CreateUser", "iam:CreatePolicy", "iam:CreateVirtualMFADevice", "iam:UploadServerCertificate")
    blue = [{"Key": "team", "Value": "blue"}]
    makes: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("create_user", "iam:TagUser", {"UserName": "u"}),
        ("create_policy", "iam:TagPolicy", {"PolicyName": "p", "PolicyDocument": allow("s3:*")}),
        ("create_virtual_mfa_device", "iam:TagMFADevice", {"VirtualMFADeviceName": "d"}),
        ("upload_server_certificate", "iam:TagServerCertificate", served_to_all().parameters("c")),
    )
    maker, tagger = make_user(root, "maker", allow(*made)), make_user(root, "tagger", allow(*made, "iam:Tag*"))
    only_blue = {"StringEquals": {"aws:RequestTag/team": "blue"}}
    bound = make_user(root, "bound", on_condition(only_blue, *made, "iam:Tag*"))
    for ask, action, parameters in makes:
        with pytest.raises(ClientError, match=rf"not authorized to perform: {action} on resource: ") as caught:
            getattr(maker.client(), ask)(**parameters, Tags=blue)
        assert caught.value.response["Error"]["Code"] == "AccessDenied"
        assert may(bound, ask, **parameters, Tags=[{"Key": "team", "Value": "red"}]) is False
        assert may(bound, ask, **parameters, Tags=blue)
        name = next(iter(parameters))
        assert may(tagger, ask, **(parameters | {name: f"{parameters[name]}2"}), Tags=blue)
        assert may(maker, ask, **(parameters | {name: f"{parameters[name]}3"}))


def test_keys_of_tags_that_are_removed_are_keys_of_the_request(iam: Any, root: Person) -> None:
    keeping = {"ForAllValues:StringNotEquals": {"aws:TagKeys": ["owner"]}, "Null": {"aws:TagKeys": "false"}}
    carol = make_user(root, "carol", on_condition(keeping, "iam:UntagUser"))
    make_user(root, "dave")
    assert may(carol, "untag_user", UserName="dave", TagKeys=["team"])
    assert not may(carol, "untag_user", UserName="dave", TagKeys=["team", "owner"])


@pytest.mark.parametrize("prefix", ["aws", "iam"])
def test_tags_of_a_user_are_keys_of_what_is_done_to_it(iam: Any, root: Person, prefix: str) -> None:
    condition = {"StringEquals": {f"{prefix}:ResourceTag/team": "${aws:PrincipalTag/team}"}}
    carol = make_user(root, "carol", on_condition(condition))
    for name, team in (("carol", "blue"), ("dave", "blue"), ("erin", "red")):
        if name != "carol":
            make_user(root, name)
        iam.tag_user(UserName=name, Tags=[{"Key": "team", "Value": team}])
    make_user(root, "untagged")
    for call, parameters in (
        ("get_user", {}),
        ("list_access_keys", {}),
        ("list_user_policies", {}),
        ("list_user_tags", {}),
    ):
        assert may(carol, call, UserName="dave", **parameters)
        assert not may(carol, call, UserName="erin", **parameters)
        assert not may(carol, call, UserName="untagged", **parameters)
    assert not may(carol, "list_users")


def test_the_policy_that_is_attached_is_a_key_of_the_request(iam: Any, root: Person) -> None:
    condition = {"ArnEquals": {"iam:PolicyARN": POLICY}}
    carol = make_user(root, "carol", on_condition(condition))
    make_user(root, "dave")
    iam.create_group(GroupName="staff")
    for kind, name in (("user", {"UserName": "dave"}), ("group", {"GroupName": "staff"})):
        assert may(carol, f"attach_{kind}_policy", PolicyArn=POLICY, **name)
        assert not may(carol, f"attach_{kind}_policy", PolicyArn=OTHER_POLICY, **name)
        assert not may(carol, f"detach_{kind}_policy", PolicyArn=OTHER_POLICY, **name)
        assert may(carol, f"detach_{kind}_policy", PolicyArn=POLICY, **name)


def test_an_administrator_can_be_held_to_a_boundary(iam: Any, root: Person) -> None:
    """AWS's own example: users may be made only with the boundary, and nothing given to those who have none."""
    bounded = {"StringEquals": {"iam:PermissionsBoundary": POLICY}}
    actions = ("iam:CreateUser", "iam:AttachUserPolicy", "iam:PutUserPolicy", "iam:PutUserPermissionsBoundary")
    carol = make_user(root, "carol", on_condition(bounded, *actions))
    make_user(root, "free")
    assert not may(carol, "create_user", UserName="dave")
    assert not may(carol, "create_user", UserName="dave", PermissionsBoundary=OTHER_POLICY)
    assert may(carol, "create_user", UserName="dave", PermissionsBoundary=POLICY)
    for name, allowed in (("dave", True), ("free", False)):
        assert may(carol, "attach_user_policy", UserName=name, PolicyArn=OTHER_POLICY) is allowed
        assert may(carol, "put_user_policy", UserName=name, PolicyName="p", PolicyDocument=ALLOW_ALL) is allowed
    assert not may(carol, "put_user_permissions_boundary", UserName="dave", PermissionsBoundary=OTHER_POLICY)
    assert may(carol, "put_user_permissions_boundary", UserName="free", PermissionsBoundary=POLICY)
    assert not may(carol, "delete_user_permissions_boundary", UserName="dave")


# What is declared.


def test_every_operation_of_iam_declares_the_keys_that_aws_lists(subtests: Any) -> None:
    reference = reference_of_iam()
    for operation in every_operation():
        if operation.service == "iam" and not operation.performs:
            with subtests.test(operation.name):
                listed = reference[operation.name]
                assert set(operation.keys) == {*listed["keys"], *listed["resource_keys"]} & KEYS.keys()


def test_every_key_that_can_be_declared_is_one_of_aws() -> None:
    listed = {key for each in reference_of_iam().values() for key in (*each["keys"], *each["resource_keys"])}
    assert KEYS.keys() <= listed
