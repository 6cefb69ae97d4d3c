"""What AWS has no operation for, through the AWS door: composites give nothing that their parts do not."""

import json
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from accounts.operations.groups import create_group
from credentials.models import AccessKey
from permissions.operations.boundaries import put_user_permissions_boundary
from tests.conftest import SECRETS, Person, allow, make_account, make_user
from tests.everything import AWS_POLICY, NEW_PASSWORD, PASSWORD, furnish, give_password
from tests.raw import Answer, ask
from tests.rows import events_of

TAGS = {"Tags.member.1.Key": "Team", "Tags.member.1.Value": "blue"}


def own(person: Person, action: str, **parameters: str) -> Answer:
    return ask(person, action, "iamconsole", **parameters)


def names_in(root: Person) -> set[Any]:
    return set(User.objects.in_account(root.account_id).values_list("user_name", flat=True))


def test_a_person_is_made_with_a_password_and_a_policy_to_change_it(root: Person, server: Path) -> None:
    answer = own(root, "CreateUserWithAccess", UserName="Dave", Password=PASSWORD, AllowChangePassword="true", **TAGS)
    assert answer.text("Arn") == f"arn:aws:iam::{root.account_id}:user/Dave"
    assert answer.text("AccessKeyId") is None
    client = root.client()
    assert client.get_login_profile(UserName="dave")["LoginProfile"]["PasswordResetRequired"] is True
    attached = client.list_attached_user_policies(UserName="dave")["AttachedPolicies"]
    assert [policy["PolicyArn"] for policy in attached] == ["arn:aws:iam::aws:policy/IAMUserChangePassword"]
    assert client.list_user_tags(UserName="dave")["Tags"] == [{"Key": "Team", "Value": "blue"}]
    again = own(root, "CreateUserWithAccess", UserName="dAVE", Password=PASSWORD)
    assert again.code == "EntityAlreadyExists"


def test_a_service_account_is_made_with_a_key_that_works(root: Person, server: Path) -> None:
    answer = own(root, "CreateUserWithAccess", UserName="robot", Path="/robots/", AccessKey="true")
    key = Person(root.caller, answer.text("AccessKeyId") or "", answer.text("SecretAccessKey") or "")
    SECRETS.append(key.secret_access_key)
    arn = key.client("sts").get_caller_identity()["Arn"]
    assert arn == f"arn:aws:iam::{root.account_id}:user/robots/robot"


# A user with permissions


ALL_PARTS = [
    "iam:CreateUser", "iam:GetUser", "iam:ListGroupsForUser", "iam:ListAttachedUserPolicies", "iam:ListUserPolicies",
    "iam:GetUserPolicy", "iam:CreateLoginProfile", "iam:CreateAccessKey", "iam:AddUserToGroup", "iam:AttachUserPolicy",
    "iam:PutUserPolicy",
]  # fmt: skip
GIVEN_PARTS = [*ALL_PARTS[1:6], *ALL_PARTS[8:], "iam:PutUserPermissionsBoundary"]
IN_GROUP = {"GroupNames.member.1": "green", "PolicyArns.member.1": AWS_POLICY, "CopyPermissionsFrom": "dave"}


def prepare(root: Person) -> str:
    """dave with one of each, another group, and a boundary's ARN."""
    values = furnish(root)
    create_group(root.caller, group_name="green")
    return str(values["policy_arn"])


def has(root: Person, user_name: str) -> tuple[set[str], set[str], set[str], str]:
    """A user's groups, attached policies, inline policies and boundary, by their names."""
    user = User.objects.named(root.account_id, user_name).get()
    return (
        set(user.groups.values_list("group_name", flat=True)),
        set(user.attached_policies.values_list("policy__policy_name", flat=True)),
        set(user.policies.values_list("policy_name", flat=True)),
        user.boundary.policy_name if user.boundary else "",
    )


def new_lines(root: Person, before: int) -> list[tuple[str, str]]:
    return [(event.action, event.resource) for event in events_of(root.account_id)[before:]]


def test_a_user_is_made_with_everything_at_once_and_a_line_for_each_thing(root: Person, server: Path) -> None:
    prepare(root)
    before = len(events_of(root.account_id))
    whole = {"UserName": "new", "Password": PASSWORD, "AccessKey": "true", "AllowChangePassword": "true"} | IN_GROUP
    answer = own(root, "CreateUserWithAccess", **whole)
    assert answer.status == 200
    SECRETS.append(answer.text("SecretAccessKey") or "")
    policies = {"shared", "IAMReadOnlyAccess", "IAMUserChangePassword"}
    assert has(root, "new") == ({"blue", "green"}, policies, {"given"}, "shared")
    user, group = f"arn:aws:iam::{root.account_id}:user/new", f"arn:aws:iam::{root.account_id}:group/"
    assert new_lines(root, before) == [
        ("iam:CreateUser", user),
        ("iam:CreateLoginProfile", user),
        ("iam:CreateAccessKey", user),
        ("iam:AddUserToGroup", f"{group}green"),
        ("iam:AddUserToGroup", f"{group}blue"),
        ("iam:AttachUserPolicy", user),
        ("iam:AttachUserPolicy", user),
        ("iam:AttachUserPolicy", user),
        ("iam:PutUserPolicy", user),
    ]
    attached = [line.parameters["policy_arn"] for line in events_of(root.account_id) if "Attach" in line.action]
    assert AWS_POLICY in attached


@pytest.mark.parametrize(
    ("action", "parts", "more"),
    [
        ("CreateUserWithAccess", ALL_PARTS, {"UserName": "new", "Password": PASSWORD, "AccessKey": "true"}),
        ("AddUserPermissions", GIVEN_PARTS, {"UserName": "erin"}),
    ],
)
def test_without_one_part_nothing_happens_and_that_part_is_named(
    root: Person, server: Path, action: str, parts: list[str], more: dict[str, str]
) -> None:
    prepare(root)
    make_user(root, "erin")
    for missing in parts:
        carol = make_user(root, f"carol-{missing[4:]}", allow(*(each for each in parts if each != missing)))
        before = names_in(root), len(events_of(root.account_id))
        answer = own(carol, action, **more, **IN_GROUP)
        assert answer.code == "AccessDenied"
        assert f"perform: {missing} on resource" in answer.message
        assert names_in(root) == before[0]
        assert has(root, "erin") == (set(), set(), set(), "")
        assert [line[0] for line in new_lines(root, before[1])] == [missing]
    carol = make_user(root, "carol", allow(*parts))
    answer = own(carol, action, **more, **IN_GROUP)
    assert answer.status == 200, answer.message
    SECRETS.extend(filter(None, [answer.text("SecretAccessKey")]))
    assert has(root, more["UserName"])[0] == {"blue", "green"}


@pytest.mark.parametrize("action", ["CreateUserWithAccess", "AddUserPermissions"])
def test_each_part_is_decided_on_its_own_resource_and_policy(root: Person, server: Path, action: str) -> None:
    arn = prepare(root)
    make_user(root, "erin")
    user_name = "new" if action.startswith("Create") else "erin"
    statements = [
        {"Effect": "Allow", "Action": ["iam:CreateUser"], "Resource": "*"},
        {"Effect": "Allow", "Action": "iam:AddUserToGroup", "Resource": "arn:aws:iam::*:group/green"},
        {"Effect": "Allow", "Action": "iam:AttachUserPolicy", "Resource": "*",
         "Condition": {"ArnEquals": {"iam:PolicyARN": AWS_POLICY}}},
    ]  # fmt: skip
    carol = make_user(root, "carol", json.dumps({"Version": "2012-10-17", "Statement": statements}))
    other = own(carol, action, UserName=user_name, **{"GroupNames.member.1": "green", "GroupNames.member.2": "blue"})
    assert "perform: iam:AddUserToGroup on resource: group blue" in other.message
    other = own(carol, action, UserName=user_name, **{"PolicyArns.member.1": AWS_POLICY, "PolicyArns.member.2": arn})
    assert f"perform: iam:AttachUserPolicy on resource: user {user_name}" in other.message
    fitting = {"GroupNames.member.1": "Green", "PolicyArns.member.1": AWS_POLICY}
    assert own(carol, action, UserName=user_name, **fitting).status == 200
    assert has(root, user_name) == ({"green"}, {"IAMReadOnlyAccess"}, set(), "")


def test_who_must_bound_a_new_user_bounds_it_by_a_boundary_given_or_copied(root: Person, server: Path) -> None:
    arn = prepare(root)
    make_user(root, "free")
    bounded = {"StringEquals": {"iam:PermissionsBoundary": arn}}
    statements = [
        {"Effect": "Allow", "Action": ["iam:Get*", "iam:List*", "iam:AddUserToGroup"], "Resource": "*"},
        {"Effect": "Allow", "Action": ["iam:CreateUser", "iam:AttachUserPolicy", "iam:PutUserPolicy"], "Resource": "*",
         "Condition": bounded},
    ]  # fmt: skip
    carol = make_user(root, "carol", json.dumps({"Version": "2012-10-17", "Statement": statements}))
    assert own(carol, "CreateUserWithAccess", UserName="a").code == "AccessDenied"
    assert own(carol, "CreateUserWithAccess", UserName="a", CopyPermissionsFrom="free").code == "AccessDenied"
    assert own(carol, "CreateUserWithAccess", UserName="a", PermissionsBoundary=AWS_POLICY).code == "AccessDenied"
    assert own(carol, "CreateUserWithAccess", UserName="a", PermissionsBoundary=arn).status == 200
    assert own(carol, "CreateUserWithAccess", UserName="b", CopyPermissionsFrom="dave").status == 200
    assert (has(root, "a")[3], has(root, "b")[3]) == ("shared", "shared")


def test_a_copied_boundary_never_takes_the_place_of_one_that_is_there(root: Person, server: Path) -> None:
    prepare(root)
    make_user(root, "erin")
    put_user_permissions_boundary(root.caller, user_name="erin", permissions_boundary=AWS_POLICY)
    assert own(root, "AddUserPermissions", UserName="erin", CopyPermissionsFrom="dave").status == 200
    assert has(root, "erin") == ({"blue"}, {"shared"}, {"given"}, "IAMReadOnlyAccess")


def test_what_is_not_there_is_told_to_those_who_might_have_it_only(root: Person, mallory: Person, server: Path) -> None:
    prepare(root)
    missing = {
        "GroupNames.member.1": "nobodies",
        "PolicyArns.member.1": f"arn:aws:iam::{root.account_id}:policy/nothing",
        "CopyPermissionsFrom": "nemo",
    }
    maker = make_user(root, "maker", allow("iam:CreateUser"))
    for name, value in missing.items():
        for action, user_name in (("CreateUserWithAccess", "new"), ("AddUserPermissions", "dave")):
            assert own(root, action, UserName=user_name, **{name: value}).code == "NoSuchEntity"
            assert own(maker, action, UserName=user_name, **{name: value}).code == "AccessDenied"
            assert own(mallory, action, UserName=user_name, **{name: value}).code == "AccessDenied"
    nothing = own(root, "CreateUserWithAccess", UserName="new", PermissionsBoundary=missing["PolicyArns.member.1"])
    assert nothing.code == "NoSuchEntity"
    assert own(root, "AddUserPermissions", UserName="nemo", **IN_GROUP).code == "NoSuchEntity"
    assert own(root, "AddUserPermissions", UserName="dave").code == "InvalidInput"
    assert "new" not in names_in(root)


def test_an_inline_policy_that_says_something_else_is_not_replaced_by_a_copy(root: Person, server: Path) -> None:
    prepare(root)
    make_user(root, "erin", allow("iam:ListUsers"))
    answer = own(root, "AddUserPermissions", UserName="erin", CopyPermissionsFrom="dave")
    assert answer.code == "EntityAlreadyExists"
    assert has(root, "erin") == (set(), set(), {"given"}, "")


def test_a_group_is_deleted_with_its_memberships_and_policies_and_its_users_stay(root: Person, server: Path) -> None:
    prepare(root)
    parts = ["iam:DeleteGroupPolicy", "iam:DeleteGroup", "iam:RemoveUserFromGroup", "iam:DetachGroupPolicy"]
    for missing in parts:
        carol = make_user(root, f"carol-{missing[4:]}", allow(*(each for each in parts if each != missing)))
        answer = own(carol, "DeleteGroupWithMembers", GroupName="blue")
        assert f"perform: {missing} on resource" in answer.message
    assert has(root, "dave")[0] == {"blue"}
    carol = make_user(root, "carol", allow(*parts))
    before = len(events_of(root.account_id))
    assert own(carol, "DeleteGroupWithMembers", GroupName="BLUE").status == 200
    assert has(root, "dave")[0] == set()
    lines = events_of(root.account_id)[before:]
    done = ["iam:RemoveUserFromGroup", "iam:DeleteGroupPolicy", "iam:DetachGroupPolicy", "iam:DetachGroupPolicy"]
    assert [line.action for line in lines] == [*done, "iam:DeleteGroup"]
    assert lines[0].parameters["user_names"] == ["dave"]
    assert own(root, "DeleteGroupWithMembers", GroupName="blue").code == "NoSuchEntity"


@pytest.mark.parametrize(
    ("action", "needed", "parameters"),
    [
        (
            "DeleteUserWithCredentials",
            [
                "iam:DeleteLoginProfile",
                "iam:DeleteAccessKey",
                "iam:DeleteSigningCertificate",
                "iam:DeleteSSHPublicKey",
                "iam:DeleteServiceSpecificCredential",
                "iamconsole:DeleteServiceToken",
                "iam:DeactivateMFADevice",
                "iam:DeleteVirtualMFADevice",
                "iam:DeleteUserPolicy",
                "iam:DetachUserPolicy",
                "iam:RemoveUserFromGroup",
                "iam:DeleteUser",
            ],
            {"UserName": "dave"},
        ),
        (
            "SetUserTags",
            ["iam:TagUser", "iam:UntagUser"],
            {"UserName": "dave", "Tags.member.1.Key": "a", "Tags.member.1.Value": ""},
        ),
    ],
)
def test_a_composite_needs_the_permission_for_every_part_and_no_other(
    root: Person, server: Path, action: str, needed: list[str], parameters: dict[str, str]
) -> None:
    furnish(root)
    before = names_in(root)
    for number, missing in enumerate(needed):
        rest = [each for each in needed if each != missing]
        carol = make_user(root, f"carol{number}", allow(f"iamconsole:{action}", *rest))
        answer = own(carol, action, **parameters)
        assert answer.code == "AccessDenied"
        assert f"perform: {missing} on resource" in answer.message
    assert names_in(root) == before | {f"carol{number}" for number in range(len(needed))}
    carol = make_user(root, "carol", allow(*needed))
    answer = own(carol, action, **parameters)
    assert answer.status == 200
    SECRETS.extend(filter(None, [answer.text("SecretAccessKey")]))


def test_setting_the_tags_that_are_there_needs_a_permission_too(root: Person, mallory: Person, server: Path) -> None:
    furnish(root)
    existing = own(mallory, "SetUserTags", UserName="dave", **TAGS)
    without = own(mallory, "SetUserTags", UserName="dave", Tags="")
    missing = own(mallory, "SetUserTags", UserName="nemo", **TAGS)
    assert existing.code == without.code == missing.code == "AccessDenied"
    assert existing.words == without.words == missing.words.replace("nemo", "dave")


def test_what_a_user_holds_is_not_told_by_how_deleting_is_refused(root: Person, mallory: Person, server: Path) -> None:
    furnish(root)
    make_user(root, "erin")
    denied = (
        f"User: {mallory.user.arn} is not authorized to perform: iam:DeleteLoginProfile on resource: user {{}}"
        " because no identity-based policy allows the iam:DeleteLoginProfile action"
    )
    for name in ("dave", "erin", "nemo"):
        assert own(mallory, "DeleteUserWithCredentials", UserName=name).words == denied.format(name)


def test_a_user_with_everything_is_deleted_whole(root: Person, server: Path) -> None:
    furnish(root)
    assert own(root, "DeleteUserWithCredentials", UserName="DAVE").status == 200
    assert "dave" not in names_in(root)
    assert not AccessKey.objects.filter(user__account=root.account_id, user__user_name="dave").exists()
    assert own(root, "DeleteUserWithCredentials", UserName="dave").code == "NoSuchEntity"


def test_the_root_users_address_is_one_and_is_its_alone(root: Person, alice: Person, server: Path) -> None:
    give_password(root.user)
    other = make_account()
    new = f"New-{root.account_id}@example.org"
    assert own(alice, "UpdateRootUserEmail", Email=new, Password=PASSWORD).code == "InvalidUserType"
    assert own(root, "UpdateRootUserEmail", Email=new, Password=NEW_PASSWORD).code == "AccessDenied"
    assert own(root, "UpdateRootUserEmail", Email="nonsense", Password=PASSWORD).code == "InvalidInput"
    taken = own(root, "UpdateRootUserEmail", Email=str(other.user.email).upper(), Password=PASSWORD)
    assert taken.code == "EntityAlreadyExists"
    assert own(root, "UpdateRootUserEmail", Email=new, Password=PASSWORD).status == 200
    assert User.objects.get(pk=root.user.pk).email == new.lower()


def test_the_root_user_changes_its_password_with_the_old_one(root: Person, server: Path) -> None:
    give_password(root.user)

    def change(old: str, new: str) -> Answer:
        return own(root, "UpdateRootUserPassword", OldPassword=old, NewPassword=new)

    assert change(NEW_PASSWORD, NEW_PASSWORD).code == "AccessDenied"
    assert change(PASSWORD, PASSWORD).code == "AccessDenied"
    assert change(PASSWORD, "weak").code == "PasswordPolicyViolation"
    assert change(PASSWORD, str(root.user.email)).code == "PasswordPolicyViolation"
    assert change(PASSWORD, NEW_PASSWORD).status == 200
    assert change(PASSWORD, NEW_PASSWORD).code == "AccessDenied"
