"""Managed policies on users and groups, permissions boundaries, and who has which, as boto3 sees it."""

import json
from pathlib import Path
from typing import Any

import pytest

from accounts.management.commands._shell import operator
from accounts.operations.installation import update_account_quota
from permissions.models import AttachedUserPolicy
from tests.conftest import Person, allow, make_user
from tests.faults import fault_of
from tests.test_races import at_once, clients, codes

READ = allow("iam:GetUser")
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


def made(iam: Any, name: str, document: str = READ, path: str = "/") -> str:
    """A new policy's ARN."""
    return str(iam.create_policy(PolicyName=name, Path=path, PolicyDocument=document)["Policy"]["Arn"])


@pytest.fixture
def policy(iam: Any) -> str:
    return made(iam, "Read")


def attached(iam: Any, owner: str = "user", **parameters: Any) -> list[tuple[str, str]]:
    """Names and ARNs of what is attached to alice or to the group g."""
    named = {"UserName": "alice"} if owner == "user" else {"GroupName": "g"}
    pages = iam.get_paginator(f"list_attached_{owner}_policies").paginate(**(named | parameters))
    return [(each["PolicyName"], each["PolicyArn"]) for page in pages for each in page["AttachedPolicies"]]


def doors(iam: Any) -> list[tuple[str, Any, Any, dict[str, str]]]:
    """Attaching to and detaching from a user and a group."""
    iam.create_group(GroupName="g")
    return [
        ("user", iam.attach_user_policy, iam.detach_user_policy, {"UserName": "ALICE"}),
        ("group", iam.attach_group_policy, iam.detach_group_policy, {"GroupName": "G"}),
    ]


# Attach and detach


def test_a_policy_is_attached_once_or_often_and_detached_once(iam: Any, policy: str) -> None:
    for owner, attach, detach, named in doors(iam):
        for arn in (policy, policy, ADMINISTRATOR):
            attach(PolicyArn=arn, **named)
        assert attached(iam, owner) == [("AdministratorAccess", ADMINISTRATOR), ("Read", policy)]
        assert attached(iam, owner, PathPrefix="/x/") == []
        detach(PolicyArn=policy, **named)
        assert attached(iam, owner) == [("AdministratorAccess", ADMINISTRATOR)]
        for arn in (policy, "arn:aws:iam::aws:policy/Nonexistent"):
            gone = ("NoSuchEntity", 404, f"Policy {arn} was not found.")
            assert fault_of(detach, PolicyArn=arn, **named) == gone


def test_a_policy_that_is_not_there_is_not_attached(iam: Any, trudy: Person) -> None:
    other = made(trudy.client(), "Read")
    for _, attach, _, named in doors(iam):
        for arn in (
            other,
            f"{ADMINISTRATOR}123",
            ADMINISTRATOR.lower(),
            ADMINISTRATOR.replace("aws:iam", "aws-cn:iam"),
        ):
            missing = ("NoSuchEntity", 404, f"Policy {arn} does not exist or is not attachable.")
            assert fault_of(attach, PolicyArn=arn, **named) == missing
        invalid = ("ValidationError", 400, "ARN longpolicynamebutnoarn is not valid.")
        assert fault_of(attach, PolicyArn="longpolicynamebutnoarn", **named) == invalid


def test_a_missing_user_or_group_is_reported_before_a_missing_policy(iam: Any) -> None:
    arn = f"{ADMINISTRATOR}123"
    for call in (iam.attach_user_policy, iam.detach_user_policy):
        missing = ("NoSuchEntity", 404, "The user with name nobody cannot be found.")
        assert fault_of(call, UserName="nobody", PolicyArn=arn) == missing
    for call in (iam.attach_group_policy, iam.detach_group_policy):
        missing = ("NoSuchEntity", 404, "The group with name nobodies cannot be found.")
        assert fault_of(call, GroupName="nobodies", PolicyArn=arn) == missing


def test_ten_policies_are_attached_at_most(iam: Any, alice: Person) -> None:
    arns = [made(iam, f"p{number:02}") for number in range(11)]
    for owner, attach, _, named in doors(iam):
        for arn in arns[:10]:
            attach(PolicyArn=arn, **named)
        quota = f"PoliciesPer{owner.capitalize()}"
        over = ("LimitExceeded", 409, f"Cannot exceed quota for {quota}: 10")
        assert fault_of(attach, PolicyArn=arns[10], **named) == over
        attach(PolicyArn=arns[0], **named)
        assert [arn for _, arn in attached(iam, owner, PaginationConfig={"PageSize": 3})] == arns[:10]
        update_account_quota(operator(), account=alice.account_id, quota_name=quota, quota_value=11)
        attach(PolicyArn=arns[10], **named)
        assert iam.get_account_summary()["SummaryMap"][f"Attached{quota}Quota"] == 11


def test_no_eleventh_policy_however_many_ask_at_once(iam: Any, alice: Person) -> None:
    arns = [made(iam, f"p{number:02}") for number in range(13)]
    for turn in range(2):
        iam.create_user(UserName=f"u{turn}")
        answers = at_once(
            [
                lambda iam=each, arn=arn, turn=turn: iam.attach_user_policy(UserName=f"u{turn}", PolicyArn=arn)
                for each, arn in zip(clients(alice, 13), arns, strict=True)
            ]
        )
        assert codes(answers) == {"done": 10, "LimitExceeded": 3}
        held = AttachedUserPolicy.objects.filter(user__account=alice.account_id, user__user_name=f"u{turn}")
        assert held.count() == 10


def test_attaching_and_deleting_at_once_leaves_no_dangling_policy(iam: Any, alice: Person) -> None:
    for turn in range(4):
        arn = made(iam, f"p{turn}")
        one, two = clients(alice, 2)
        answers = at_once(
            [
                lambda arn=arn, iam=one: iam.attach_user_policy(UserName="alice", PolicyArn=arn),
                lambda arn=arn, iam=two: iam.delete_policy(PolicyArn=arn),
            ]
        )
        assert sorted(map(str, codes(answers))) in (["DeleteConflict", "done"], ["NoSuchEntity", "done"])


def test_an_attached_policy_is_in_force_at_once(iam: Any, bob: Person, policy: str) -> None:
    his = bob.client()
    iam.create_group(GroupName="g")
    iam.add_user_to_group(GroupName="g", UserName="bob")
    for attach, detach, named in (
        (iam.attach_user_policy, iam.detach_user_policy, {"UserName": "bob"}),
        (iam.attach_group_policy, iam.detach_group_policy, {"GroupName": "g"}),
    ):
        assert fault_of(his.get_user)[0] == "AccessDenied"
        attach(PolicyArn=policy, **named)
        his.get_user()
        detach(PolicyArn=policy, **named)
    assert fault_of(his.get_user)[0] == "AccessDenied"


def test_a_user_with_a_policy_attached_is_not_deleted(iam: Any, policy: str) -> None:
    iam.create_user(UserName="dave", PermissionsBoundary=policy)
    iam.attach_user_policy(UserName="dave", PolicyArn=policy)
    conflict = ("DeleteConflict", 409, "Cannot delete entity, must detach all policies first.")
    assert fault_of(iam.delete_user, UserName="dave") == conflict
    iam.detach_user_policy(UserName="dave", PolicyArn=policy)
    iam.delete_user(UserName="dave")
    iam.delete_policy(PolicyArn=policy)


def test_which_policies_may_be_attached_can_be_said(root: Person, server: Path) -> None:
    iam = root.client()
    iam.create_user(UserName="dave")
    mine, other = made(iam, "mine"), made(iam, "other")
    statement = {
        "Effect": "Allow",
        "Action": ["iam:AttachUserPolicy", "iam:DetachUserPolicy"],
        "Resource": "*",
        "Condition": {"ArnEquals": {"iam:PolicyARN": mine}},
    }
    lead = make_user(root, "lead", json.dumps({"Version": "2012-10-17", "Statement": statement})).client()
    lead.attach_user_policy(UserName="dave", PolicyArn=mine)
    lead.detach_user_policy(UserName="dave", PolicyArn=mine)
    for arn in (other, ADMINISTRATOR):
        assert fault_of(lead.attach_user_policy, UserName="dave", PolicyArn=arn)[0] == "AccessDenied"


# Boundaries


def test_the_life_of_a_boundary(iam: Any, policy: str) -> None:
    boundary = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": policy}
    assert iam.create_user(UserName="dave", PermissionsBoundary=policy)["User"]["PermissionsBoundary"] == boundary
    assert iam.get_user(UserName="dave")["User"]["PermissionsBoundary"] == boundary
    assert all("PermissionsBoundary" not in user for user in iam.list_users()["Users"])
    for _ in range(2):
        iam.put_user_permissions_boundary(UserName="dave", PermissionsBoundary=ADMINISTRATOR)
    arn = iam.get_user(UserName="dave")["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"]
    assert arn == ADMINISTRATOR
    for _ in range(2):
        iam.delete_user_permissions_boundary(UserName="dave")
    assert "PermissionsBoundary" not in iam.get_user(UserName="dave")["User"]


def test_a_boundary_that_is_no_policy(iam: Any, alice: Person, trudy: Person) -> None:
    iam.create_user(UserName="dave")
    other = made(trudy.client(), "Read")
    for name, call in (("dave", iam.put_user_permissions_boundary), ("erin", iam.create_user)):
        for arn in (f"arn:aws:iam::{alice.account_id}:policy/nothing", other):
            missing = ("NoSuchEntity", 404, f"Scope ARN: {arn} does not exist or is not attachable.")
            assert fault_of(call, UserName=name, PermissionsBoundary=arn) == missing
        arn = f"arn:aws:iam::{alice.account_id}:not_a_policy/invalid"
        refused = ("InvalidInput", 400, f"ARN {arn} is not valid.")
        assert fault_of(call, UserName=name, PermissionsBoundary=arn) == refused
    assert fault_of(iam.get_user, UserName="erin")[0] == "NoSuchEntity"
    for call, more in (
        (iam.put_user_permissions_boundary, {"PermissionsBoundary": ADMINISTRATOR}),
        (iam.delete_user_permissions_boundary, {}),
    ):
        missing = ("NoSuchEntity", 404, "The user with name nobody cannot be found.")
        assert fault_of(call, UserName="nobody", **more) == missing


def test_a_boundary_bounds_at_once(root: Person, server: Path) -> None:
    iam = root.client()
    dave = make_user(root, "dave", allow("iam:*")).client()
    dave.list_users()
    iam.put_user_permissions_boundary(UserName="dave", PermissionsBoundary=made(iam, "Read"))
    code, _, message = fault_of(dave.list_users)
    assert code == "AccessDenied"
    assert "because no permissions boundary allows the iam:ListUsers action" in message
    dave.get_user()
    iam.delete_user_permissions_boundary(UserName="dave")
    dave.list_users()


def test_who_makes_users_can_be_held_to_a_boundary(root: Person, server: Path) -> None:
    iam = root.client()
    boundary = made(iam, "Boundary")
    statement = {
        "Effect": "Allow",
        "Action": ["iam:CreateUser", "iam:AttachUserPolicy", "iam:PutUserPolicy", "iam:PutUserPermissionsBoundary"],
        "Resource": "*",
        "Condition": {"StringEquals": {"iam:PermissionsBoundary": boundary}},
    }
    lead = make_user(root, "lead", json.dumps({"Version": "2012-10-17", "Statement": statement})).client()
    lead.create_user(UserName="dave", PermissionsBoundary=boundary)
    lead.attach_user_policy(UserName="dave", PolicyArn=ADMINISTRATOR)
    lead.put_user_policy(UserName="dave", PolicyName="p", PolicyDocument=READ)
    lead.put_user_permissions_boundary(UserName="dave", PermissionsBoundary=boundary)
    for call, parameters in (
        (lead.create_user, {"UserName": "erin"}),
        (lead.create_user, {"UserName": "erin", "PermissionsBoundary": ADMINISTRATOR}),
        (lead.attach_user_policy, {"UserName": "lead", "PolicyArn": ADMINISTRATOR}),
        (lead.put_user_permissions_boundary, {"UserName": "dave", "PermissionsBoundary": ADMINISTRATOR}),
        (lead.delete_user_permissions_boundary, {"UserName": "dave"}),
    ):
        assert fault_of(call, **parameters)[0] == "AccessDenied"


# Who has a policy


@pytest.fixture
def spread(iam: Any, policy: str) -> str:
    """The policy on two groups and two users, one of whom it also bounds, and bounding a third."""
    for name, path in (("g1", "/"), ("g2", "/x/")):
        iam.create_group(GroupName=name, Path=path)
        iam.attach_group_policy(GroupName=name, PolicyArn=policy)
    for name, path, more in (
        ("attached", "/", {}),
        ("both", "/x/", {"PermissionsBoundary": policy}),
        ("bounded", "/", {"PermissionsBoundary": policy}),
    ):
        iam.create_user(UserName=name, Path=path, **more)
    for name in ("attached", "both"):
        iam.attach_user_policy(UserName=name, PolicyArn=policy)
    return policy


@pytest.mark.parametrize(
    ("filters", "groups", "users"),
    [
        ({}, ["g1", "g2"], ["attached", "both", "bounded"]),
        ({"EntityFilter": "User"}, [], ["attached", "both", "bounded"]),
        ({"EntityFilter": "Group"}, ["g1", "g2"], []),
        ({"EntityFilter": "Role"}, [], []),
        ({"EntityFilter": "LocalManagedPolicy"}, ["g1", "g2"], ["attached", "both", "bounded"]),
        ({"PolicyUsageFilter": "PermissionsPolicy"}, ["g1", "g2"], ["attached", "both"]),
        ({"PolicyUsageFilter": "PermissionsBoundary"}, [], ["both", "bounded"]),
        ({"PathPrefix": "/x/"}, ["g2"], ["both"]),
        ({"PathPrefix": "/x/", "EntityFilter": "User", "PolicyUsageFilter": "PermissionsBoundary"}, [], ["both"]),
    ],
    ids=str,
)
def test_entities_of_a_policy(
    iam: Any, spread: str, filters: dict[str, str], groups: list[str], users: list[str]
) -> None:
    for size in (1, 2, 100):
        pages = list(
            iam.get_paginator("list_entities_for_policy").paginate(
                PolicyArn=spread, PaginationConfig={"PageSize": size}, **filters
            )
        )
        assert [group["GroupName"] for page in pages for group in page["PolicyGroups"]] == groups
        assert [user["UserName"] for page in pages for user in page["PolicyUsers"]] == users
        assert all(page["PolicyRoles"] == [] for page in pages)
    if users:
        [user] = [user for page in pages for user in page["PolicyUsers"] if user["UserName"] == users[0]]
        assert user == {"UserName": users[0], "UserId": iam.get_user(UserName=users[0])["User"]["UserId"]}


# Which policies let somebody use a service


def granting(iam: Any, arn: str, *services: str) -> dict[str, list[dict[str, str]]]:
    answer = iam.list_policies_granting_service_access(Arn=arn, ServiceNamespaces=list(services))
    assert answer["IsTruncated"] is False
    return {each["ServiceNamespace"]: each["Policies"] for each in answer["PoliciesGrantingServiceAccess"]}


def test_policies_that_grant_a_service(iam: Any, root: Person) -> None:
    document = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": ["S3:Get*", "sqs:SendMessage"], "Resource": "*"},
                {"Effect": "Deny", "Action": "ec2:*", "Resource": "*"},
            ],
        }
    )
    all_but = json.dumps(
        {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "NotAction": "sqs:*", "Resource": "*"}}
    )
    dave = make_user(root, "dave", document)
    group = iam.create_group(GroupName="g")["Group"]["Arn"]
    iam.add_user_to_group(GroupName="g", UserName="dave")
    iam.put_group_policy(GroupName="g", PolicyName="allbut", PolicyDocument=all_but)
    iam.attach_group_policy(GroupName="g", PolicyArn=ADMINISTRATOR)
    mine = {"PolicyName": "given", "PolicyType": "INLINE", "EntityType": "USER", "EntityName": "dave"}
    groups = {"PolicyName": "allbut", "PolicyType": "INLINE", "EntityType": "GROUP", "EntityName": "g"}
    managed = {"PolicyName": "AdministratorAccess", "PolicyType": "MANAGED", "PolicyArn": ADMINISTRATOR}
    found = granting(iam, dave.user.arn, "s3", "ec2", "sqs")
    assert list(found) == ["s3", "ec2", "sqs"]
    assert sorted(found["s3"], key=str) == sorted([mine, groups, managed], key=str)
    assert sorted(found["ec2"], key=str) == sorted([groups, managed], key=str)
    assert sorted(found["sqs"], key=str) == sorted([mine, managed], key=str)
    assert granting(iam, group, "sqs") == {"sqs": [managed]}


def test_an_identity_that_is_not_there_grants_nothing(iam: Any, alice: Person, trudy: Person) -> None:
    for arn in (f"arn:aws:iam::{alice.account_id}:role/r", f"arn:aws:iam::{alice.account_id}:user/x", trudy.user.arn):
        refused = fault_of(iam.list_policies_granting_service_access, Arn=arn, ServiceNamespaces=["iam"])
        assert refused == ("NoSuchEntity", 404, f"The entity with ARN {arn} cannot be found.")
