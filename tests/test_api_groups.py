"""Groups and who is in them, as boto3 sees it: every limit, order and message of AWS."""

import json
from pathlib import Path
from typing import Any

import pytest

from accounts.management.commands._shell import operator
from accounts.models import Group, Membership
from accounts.operations.installation import update_account_quota
from tests.conftest import Person, allow, make_user
from tests.faults import fault_of, invalid
from tests.raw import ask
from tests.test_api_policies import denied, sized
from tests.test_races import at_once, clients, codes

DENY_ALL = '{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}'


def names(page: dict[str, Any]) -> list[str]:
    return [group["GroupName"] for group in page["Groups"]]


def missing(name: str) -> tuple[str, int, str]:
    return ("NoSuchEntity", 404, f"The group with name {name} cannot be found.")


def no_user(name: str) -> tuple[str, int, str]:
    return ("NoSuchEntity", 404, f"The user with name {name} cannot be found.")


# Make and read


def test_a_new_group_has_the_path_and_an_id_of_21_characters(iam: Any, alice: Person) -> None:
    group = iam.create_group(GroupName="Admins", Path="/division/team/")["Group"]
    assert group.keys() == {"Path", "GroupName", "GroupId", "Arn", "CreateDate"}
    assert (group["GroupName"], group["Path"]) == ("Admins", "/division/team/")
    assert group["Arn"] == f"arn:aws:iam::{alice.account_id}:group/division/team/Admins"
    assert len(group["GroupId"]) == 21
    assert group["GroupId"].startswith("AGPA")
    got = iam.get_group(GroupName="aDMINS")
    assert got["Group"] == group
    assert (got["Users"], got["IsTruncated"]) == ([], False)


def test_a_name_is_taken_in_any_case_and_under_any_path(iam: Any) -> None:
    iam.create_group(GroupName="Admins")
    taken = ("EntityAlreadyExists", 409, "Group with name aDMINS already exists.")
    assert fault_of(iam.create_group, GroupName="aDMINS") == taken
    assert fault_of(iam.create_group, GroupName="aDMINS", Path="/else/") == taken


def test_names_have_1_to_128_legal_characters(iam: Any) -> None:
    iam.create_group(GroupName="g" * 128)
    longest = "Member must have length less than or equal to 128"
    assert fault_of(iam.create_group, GroupName="g" * 129) == invalid(("groupName", longest))
    assert fault_of(iam.create_group, GroupName="a b")[:2] == ("ValidationError", 400)
    assert fault_of(iam.create_group, GroupName="g", Path="//")[:2] == ("ValidationError", 400)


def test_an_unknown_group_is_not_found(iam: Any) -> None:
    policy = {"PolicyName": "p", "PolicyDocument": allow("iam:GetUser")}
    iam.create_user(UserName="dave")
    for call, parameters in (
        (iam.get_group, {}),
        (iam.update_group, {"NewGroupName": "new"}),
        (iam.delete_group, {}),
        (iam.add_user_to_group, {"UserName": "dave"}),
        (iam.remove_user_from_group, {"UserName": "dave"}),
        (iam.put_group_policy, policy),
        (iam.get_group_policy, {"PolicyName": "p"}),
        (iam.list_group_policies, {}),
        (iam.delete_group_policy, {"PolicyName": "p"}),
        (iam.list_attached_group_policies, {}),
    ):
        assert fault_of(call, GroupName="nobodies", **parameters) == missing("nobodies")


def test_an_account_has_as_many_groups_as_its_quota(iam: Any, alice: Person) -> None:
    update_account_quota(operator(), account=alice.account_id, quota_name="GroupsPerAccount", quota_value=2)
    iam.create_group(GroupName="a")
    iam.create_group(GroupName="b")
    over = ("LimitExceeded", 409, "Cannot exceed quota for GroupsPerAccount: 2")
    assert fault_of(iam.create_group, GroupName="c") == over
    iam.delete_group(GroupName="a")
    iam.create_group(GroupName="c")
    summary = iam.get_account_summary()["SummaryMap"]
    assert (summary["Groups"], summary["GroupsQuota"]) == (2, 2)


# List


def test_groups_are_listed_by_name_whatever_case_and_path(iam: Any) -> None:
    for name, path in (("b", "/"), ("C", "/x/"), ("a", "/z/")):
        iam.create_group(GroupName=name, Path=path)
    assert names(iam.list_groups()) == ["a", "b", "C"]
    assert names(iam.list_groups(PathPrefix="/x")) == ["C"]
    assert names(iam.list_groups(PathPrefix="/X")) == []


def test_paginators_read_every_page(iam: Any) -> None:
    for number in range(4):
        iam.create_group(GroupName=f"g{number}")
        iam.create_user(UserName=f"u{number}")
        iam.add_user_to_group(GroupName="g0", UserName=f"u{number}")
        iam.put_group_policy(GroupName="g0", PolicyName=f"p{number}", PolicyDocument=allow("iam:GetUser"))
        iam.add_user_to_group(GroupName=f"g{number}", UserName="u0")

    def found(operation: str, member: str, **parameters: str) -> list[Any]:
        pages = list(iam.get_paginator(operation).paginate(PaginationConfig={"PageSize": 1}, **parameters))
        assert all(len(page[member]) == 1 for page in pages)
        assert "Marker" not in pages[-1]
        return [page[member][0] for page in pages]

    assert [each["GroupName"] for each in found("list_groups", "Groups")] == ["g0", "g1", "g2", "g3"]
    assert [each["UserName"] for each in found("get_group", "Users", GroupName="g0")] == ["u0", "u1", "u2", "u3"]
    assert found("list_group_policies", "PolicyNames", GroupName="g0") == ["p0", "p1", "p2", "p3"]
    groups = found("list_groups_for_user", "Groups", UserName="u0")
    assert [each["GroupName"] for each in groups] == ["g0", "g1", "g2", "g3"]


def test_a_marker_of_another_listing_is_refused(iam: Any) -> None:
    for name in "ab":
        iam.create_group(GroupName=name)
    marker = iam.list_groups(MaxItems=1)["Marker"]
    bad = ("ValidationError", 400, "Invalid Marker.")
    assert fault_of(iam.list_groups, Marker=marker, PathPrefix="/x/") == bad
    assert fault_of(iam.list_groups, Marker="x") == bad
    assert fault_of(iam.get_group, GroupName="a", Marker=marker) == bad


# Members


def test_a_member_is_added_and_removed_once_or_often(iam: Any) -> None:
    iam.create_group(GroupName="Admins")
    user = iam.create_user(UserName="Dave", Tags=[{"Key": "a", "Value": "b"}])["User"]
    for _ in range(2):
        iam.add_user_to_group(GroupName="admins", UserName="dave")
    [member] = iam.get_group(GroupName="Admins")["Users"]
    assert member == {key: value for key, value in user.items() if key != "Tags"}
    assert names(iam.list_groups_for_user(UserName="dave")) == ["Admins"]
    for _ in range(2):
        iam.remove_user_from_group(GroupName="ADMINS", UserName="DAVE")
    assert iam.get_group(GroupName="Admins")["Users"] == []
    assert names(iam.list_groups_for_user(UserName="dave")) == []


def test_a_missing_user_is_reported_before_a_missing_group(iam: Any) -> None:
    iam.create_group(GroupName="Admins")
    for call in (iam.add_user_to_group, iam.remove_user_from_group):
        assert fault_of(call, GroupName="Admins", UserName="nobody") == no_user("nobody")
        assert fault_of(call, GroupName="nobodies", UserName="nobody") == no_user("nobody")
    assert fault_of(iam.list_groups_for_user, UserName="nobody") == no_user("nobody")


def test_a_user_is_in_ten_groups_at_most(iam: Any, alice: Person) -> None:
    iam.create_user(UserName="dave")
    for number in range(11):
        iam.create_group(GroupName=f"g{number}")
    for number in range(10):
        iam.add_user_to_group(GroupName=f"g{number}", UserName="dave")
    over = ("LimitExceeded", 409, "Cannot exceed quota for GroupsPerUser: 10")
    assert fault_of(iam.add_user_to_group, GroupName="g10", UserName="dave") == over
    iam.add_user_to_group(GroupName="g0", UserName="dave")
    iam.add_user_to_group(GroupName="g10", UserName="alice")
    update_account_quota(operator(), account=alice.account_id, quota_name="GroupsPerUser", quota_value=11)
    iam.add_user_to_group(GroupName="g10", UserName="dave")


def test_no_eleventh_group_however_many_ask_at_once(iam: Any, alice: Person) -> None:
    for number in range(14):
        iam.create_group(GroupName=f"g{number}")
    for turn in range(2):
        iam.create_user(UserName=f"u{turn}")
        answers = at_once(
            [
                lambda iam=each, number=number, turn=turn: iam.add_user_to_group(
                    GroupName=f"g{number}", UserName=f"u{turn}"
                )
                for number, each in enumerate(clients(alice, 14))
            ]
        )
        assert codes(answers) == {"done": 10, "LimitExceeded": 4}
        assert Membership.objects.filter(user__user_name=f"u{turn}", user__account=alice.account_id).count() == 10


def test_a_group_name_is_given_once_in_whatever_case(alice: Person, server: Path) -> None:
    answers = at_once(
        [
            lambda iam=iam, name=name: iam.create_group(GroupName=name)
            for iam, name in zip(clients(alice, 6), ["same", "SAME"] * 3, strict=True)
        ]
    )
    assert codes(answers) == {"done": 1, "EntityAlreadyExists": 5}
    assert Group.objects.named(alice.account_id, "same").count() == 1


# Rename and delete


def test_a_renamed_group_keeps_id_members_and_policies(iam: Any, alice: Person) -> None:
    before = iam.create_group(GroupName="Admins")["Group"]
    iam.add_user_to_group(GroupName="Admins", UserName="alice")
    iam.put_group_policy(GroupName="Admins", PolicyName="p", PolicyDocument=allow("iam:GetUser"))
    iam.update_group(GroupName="aDMINS", NewGroupName="Crew", NewPath="/moved/")
    after = iam.get_group(GroupName="crew")
    arn = f"arn:aws:iam::{alice.account_id}:group/moved/Crew"
    assert after["Group"] == before | {"GroupName": "Crew", "Path": "/moved/", "Arn": arn}
    assert [user["UserName"] for user in after["Users"]] == ["alice"]
    assert iam.get_group_policy(GroupName="Crew", PolicyName="P")["GroupName"] == "Crew"
    assert fault_of(iam.get_group, GroupName="Admins") == missing("Admins")


def test_a_group_cannot_take_anothers_name_but_may_change_case(iam: Any) -> None:
    iam.create_group(GroupName="a")
    iam.create_group(GroupName="B")
    taken = ("EntityAlreadyExists", 409, "Group with name b already exists.")
    assert fault_of(iam.update_group, GroupName="a", NewGroupName="b") == taken
    iam.update_group(GroupName="a", NewGroupName="A")
    assert names(iam.list_groups()) == ["A", "B"]


def test_the_one_who_renames_needs_the_permission_on_both_names(root: Person, server: Path) -> None:
    arn = f"arn:aws:iam::{root.account_id}:group/team/"
    root.client().create_group(GroupName="a", Path="/team/")
    lead = make_user(root, "lead", allow("iam:UpdateGroup", resource=f"{arn}*")).client()
    lead.update_group(GroupName="a", NewGroupName="b")
    assert fault_of(lead.update_group, GroupName="b", NewPath="/")[0] == "AccessDenied"


def test_a_group_that_has_something_left_is_not_deleted(iam: Any) -> None:
    iam.create_group(GroupName="g")
    arn = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"
    iam.add_user_to_group(GroupName="g", UserName="alice")
    iam.put_group_policy(GroupName="g", PolicyName="p", PolicyDocument=allow("iam:GetUser"))
    iam.attach_group_policy(GroupName="g", PolicyArn=arn)
    for first, remove, parameters in (
        ("remove users from group", iam.remove_user_from_group, {"UserName": "alice"}),
        ("delete policies", iam.delete_group_policy, {"PolicyName": "p"}),
        ("detach all policies", iam.detach_group_policy, {"PolicyArn": arn}),
    ):
        conflict = ("DeleteConflict", 409, f"Cannot delete entity, must {first} first.")
        assert fault_of(iam.delete_group, GroupName="g") == conflict
        remove(GroupName="g", **parameters)
    iam.delete_group(GroupName="g")
    assert fault_of(iam.get_group, GroupName="g") == missing("g")


def test_a_member_is_not_deleted(iam: Any) -> None:
    iam.create_user(UserName="dave")
    iam.create_group(GroupName="g")
    iam.add_user_to_group(GroupName="g", UserName="dave")
    conflict = ("DeleteConflict", 409, "Cannot delete entity, must remove users from group first.")
    assert fault_of(iam.delete_user, UserName="dave") == conflict
    iam.remove_user_from_group(GroupName="g", UserName="dave")
    iam.delete_user(UserName="dave")


# Inline policies, and what they do


def test_inline_policies_are_found_in_any_case_and_keep_the_first_name(iam: Any) -> None:
    iam.create_group(GroupName="g")
    iam.put_group_policy(GroupName="g", PolicyName="Read", PolicyDocument=allow("iam:GetUser"))
    iam.put_group_policy(GroupName="G", PolicyName="rEAD", PolicyDocument=allow("iam:ListUsers"))
    iam.put_group_policy(GroupName="g", PolicyName="audit", PolicyDocument=allow("iam:ListUsers"))
    assert iam.list_group_policies(GroupName="g")["PolicyNames"] == ["audit", "Read"]
    got = iam.get_group_policy(GroupName="g", PolicyName="READ")
    assert (got["GroupName"], got["PolicyName"]) == ("g", "Read")
    assert got["PolicyDocument"] == json.loads(allow("iam:ListUsers"))
    iam.delete_group_policy(GroupName="g", PolicyName="read")
    gone = ("NoSuchEntity", 404, "The group policy with name read cannot be found.")
    assert fault_of(iam.get_group_policy, GroupName="g", PolicyName="read") == gone
    assert fault_of(iam.delete_group_policy, GroupName="g", PolicyName="read") == gone


def test_all_policies_of_a_group_share_5120_characters(iam: Any) -> None:
    iam.create_group(GroupName="g")
    over = ("LimitExceeded", 409, "Maximum policy size of 5120 bytes exceeded for group g")
    iam.put_group_policy(GroupName="g", PolicyName="a", PolicyDocument=sized(5000))
    iam.put_group_policy(GroupName="g", PolicyName="b", PolicyDocument=sized(120))
    assert fault_of(iam.put_group_policy, GroupName="g", PolicyName="b", PolicyDocument=sized(121)) == over
    assert fault_of(iam.put_group_policy, GroupName="g", PolicyName="c", PolicyDocument="x")[:2] == (
        "MalformedPolicyDocument",
        400,
    )


def test_a_member_may_what_the_group_may_at_once_and_no_longer(iam: Any, bob: Person) -> None:
    iam.create_group(GroupName="g")
    iam.put_group_policy(GroupName="g", PolicyName="p", PolicyDocument=allow("iam:ListUsers"))
    his = bob.client()
    assert fault_of(his.list_users)[0] == "AccessDenied"
    iam.add_user_to_group(GroupName="g", UserName="bob")
    his.list_users()
    iam.put_group_policy(GroupName="g", PolicyName="deny", PolicyDocument=DENY_ALL)
    assert fault_of(his.list_users)[0] == "AccessDenied"
    iam.delete_group_policy(GroupName="g", PolicyName="deny")
    his.list_users()
    iam.remove_user_from_group(GroupName="g", UserName="bob")
    assert fault_of(his.list_users)[0] == "AccessDenied"


# Who may


def test_access_denied_names_the_group_as_aws_does(mallory: Person, server: Path) -> None:
    account = mallory.account_id
    for action, parameters, resource in (
        ("CreateGroup", {"GroupName": "G", "Path": "/t/"}, f"arn:aws:iam::{account}:group/t/G"),
        ("GetGroup", {"GroupName": "G"}, "group G"),
        ("ListGroups", {}, f"arn:aws:iam::{account}:group/"),
        ("UpdateGroup", {"GroupName": "G"}, "group G"),
        ("DeleteGroup", {"GroupName": "G"}, "group G"),
        ("AddUserToGroup", {"GroupName": "G", "UserName": "Dave"}, "group G"),
        ("RemoveUserFromGroup", {"GroupName": "G", "UserName": "Dave"}, "group G"),
        ("ListGroupsForUser", {"UserName": "Dave"}, "user Dave"),
        ("ListGroupPolicies", {"GroupName": "G"}, "group G"),
    ):
        assert denied(ask(mallory, action, **parameters)) == (
            f"User: {mallory.user.arn} is not authorized to perform: iam:{action} on resource: {resource}"
            f" because no identity-based policy allows the iam:{action} action"
        )


def test_memberships_are_decided_on_the_group(root: Person, server: Path) -> None:
    iam = root.client()
    for path in ("/mine/", "/other/"):
        iam.create_group(GroupName=path.strip("/"), Path=path)
    arn = f"arn:aws:iam::{root.account_id}:group/mine/*"
    lead = make_user(root, "lead", allow("iam:AddUserToGroup", "iam:RemoveUserFromGroup", resource=arn)).client()
    lead.add_user_to_group(GroupName="mine", UserName="lead")
    lead.remove_user_from_group(GroupName="mine", UserName="lead")
    assert fault_of(lead.add_user_to_group, GroupName="other", UserName="lead")[0] == "AccessDenied"


def test_groups_of_a_user_are_decided_on_the_user_and_the_users_tags(root: Person, server: Path) -> None:
    iam = root.client()
    iam.create_user(UserName="dave", Tags=[{"Key": "team", "Value": "blue"}])
    iam.create_user(UserName="erin")
    condition = {"StringEquals": {"aws:ResourceTag/team": "blue"}}
    statement = {"Effect": "Allow", "Action": "iam:ListGroupsForUser", "Resource": "*", "Condition": condition}
    lead = make_user(root, "lead", json.dumps({"Version": "2012-10-17", "Statement": statement})).client()
    assert lead.list_groups_for_user(UserName="dave")["Groups"] == []
    assert fault_of(lead.list_groups_for_user, UserName="erin")[0] == "AccessDenied"


@pytest.mark.parametrize("name", ["a", "B"])
def test_as_terraform_makes_and_destroys_a_group_with_members(iam: Any, name: str) -> None:
    group = iam.create_group(GroupName=name, Path="/")["Group"]
    assert iam.get_group(GroupName=name)["Group"] == group
    for user in ("dave", "erin"):
        iam.create_user(UserName=user)
        iam.add_user_to_group(GroupName=name, UserName=user)
    assert [user["UserName"] for user in iam.get_group(GroupName=name)["Users"]] == ["dave", "erin"]
    iam.update_group(GroupName=name, NewGroupName=f"{name}2", NewPath="/x/")
    for user in ("dave", "erin"):
        [found] = iam.list_groups_for_user(UserName=user)["Groups"]
        iam.remove_user_from_group(GroupName=found["GroupName"], UserName=user)
        iam.delete_user(UserName=user)
    iam.delete_group(GroupName=f"{name}2")
