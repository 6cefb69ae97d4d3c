"""The whole life of users, as boto3 and the aws CLI see it: every limit, order and message of AWS."""

import string
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.aws_cli import aws
from tests.conftest import SECRETS, Person, allow, make_user
from tests.faults import fault_of, invalid

LEGAL = string.ascii_letters + string.digits + "_+=,.@-"
NAME_PATTERN = r"Member must satisfy regular expression pattern: [\w+=,.@-]+"
DENY_ALL = '{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}'
INVALID_MARKER = ("ValidationError", 400, "Invalid Marker.")


@pytest.fixture
def unchecked(server: Path, alice: Person) -> Any:
    """boto3 that sends what its own checks would refuse."""
    return alice.client(parameter_validation=False)


def names(page: dict[str, Any]) -> list[str]:
    return [user["UserName"] for user in page["Users"]]


# Make and read


def test_a_new_user_has_the_path_the_tags_and_an_id_of_21_characters(iam: Any, alice: Person) -> None:
    tags = [{"Key": "team", "Value": "blue"}, {"Key": "note", "Value": ""}]
    user = iam.create_user(UserName="Dave", Path="/division/team/", Tags=tags)["User"]
    assert user["UserName"] == "Dave"
    assert user["Path"] == "/division/team/"
    assert user["Arn"] == f"arn:aws:iam::{alice.account_id}:user/division/team/Dave"
    assert user["Tags"] == tags
    assert len(user["UserId"]) == 21
    assert user["UserId"].startswith("AIDA")
    assert user["CreateDate"].microsecond == 0
    assert iam.get_user(UserName="Dave")["User"] == user


def test_a_user_without_tags_has_no_tags_member(iam: Any) -> None:
    assert iam.create_user(UserName="Dave")["User"].keys() == {"Path", "UserName", "UserId", "Arn", "CreateDate"}


def test_a_new_user_has_no_credentials_and_no_permissions(iam: Any) -> None:
    iam.create_user(UserName="Dave")
    assert iam.list_access_keys(UserName="Dave")["AccessKeyMetadata"] == []
    assert iam.list_user_policies(UserName="Dave")["PolicyNames"] == []
    assert fault_of(iam.get_login_profile, UserName="Dave") == (
        "NoSuchEntity",
        404,
        "Login Profile for User Dave cannot be found.",
    )


def test_a_name_is_found_in_any_case_and_answered_in_its_own(iam: Any) -> None:
    iam.create_user(UserName="Dave")
    assert iam.get_user(UserName="dAVE")["User"]["UserName"] == "Dave"


def test_a_name_is_taken_in_any_case_and_under_any_path(iam: Any) -> None:
    iam.create_user(UserName="Dave")
    taken = ("EntityAlreadyExists", 409, "User with name dAVE already exists.")
    assert fault_of(iam.create_user, UserName="dAVE") == taken
    assert fault_of(iam.create_user, UserName="dAVE", Path="/else/") == taken


def test_get_user_without_a_name_is_the_caller(iam: Any) -> None:
    assert iam.get_user()["User"]["UserName"] == "alice"


def test_an_unknown_user_is_not_found(iam: Any) -> None:
    missing = ("NoSuchEntity", 404, "The user with name nobody cannot be found.")
    assert fault_of(iam.get_user, UserName="nobody") == missing
    assert fault_of(iam.delete_user, UserName="nobody") == missing
    assert fault_of(iam.update_user, UserName="nobody", NewUserName="dave") == missing
    assert fault_of(iam.list_user_tags, UserName="nobody") == missing


def test_the_waiter_for_a_user_ends_at_once(iam: Any) -> None:
    iam.create_user(UserName="Dave")
    iam.get_waiter("user_exists").wait(UserName="Dave", WaiterConfig={"Delay": 1, "MaxAttempts": 1})


# Names and paths at their limits


def test_names_have_1_to_64_characters(iam: Any, unchecked: Any) -> None:
    assert iam.create_user(UserName="n" * 64)["User"]["UserName"] == "n" * 64
    assert fault_of(iam.create_user, UserName="n" * 65) == invalid(
        ("userName", "Member must have length less than or equal to 64")
    )
    code, status, message = fault_of(unchecked.create_user, UserName="")
    assert (code, status) == ("ValidationError", 400)
    assert "Member must have length greater than or equal to 1" in message


def test_every_legal_character_can_be_in_a_name(iam: Any) -> None:
    parts = [LEGAL[:35], LEGAL[35:]]
    for part in parts:
        iam.create_user(UserName=part)
        assert iam.get_user(UserName=part)["User"]["UserName"] == part
    for name in (".", "..", "-", "=", "+", ","):
        assert iam.create_user(UserName=name)["User"]["Arn"].endswith(f":user/{name}")


@pytest.mark.parametrize("name", ["a b", "a\n", "\na", "é", "a/b", "a*", "a:b", "a%", "\u212a", "٣", "a\u200b"])
def test_no_other_character_can(iam: Any, name: str) -> None:
    assert fault_of(iam.create_user, UserName=name) == invalid(("userName", NAME_PATTERN))
    assert fault_of(iam.get_user, UserName=name) == invalid(("userName", NAME_PATTERN))


@pytest.mark.parametrize("path", ["/", "/a/", "/a//b/", "/!\"#$%&'()*+,-.:;<=>?@[\\]^_`{|}~/", f"/{'p' * 510}/"])
def test_legal_paths(iam: Any, alice: Person, path: str) -> None:
    user = iam.create_user(UserName="Dave", Path=path)["User"]
    assert user["Path"] == path
    assert user["Arn"] == f"arn:aws:iam::{alice.account_id}:user{path}Dave"


@pytest.mark.parametrize("path", ["//", "a", "/a", "a/", "/a b/", "/a\x7f/", "/é/", "/a\n/", f"/{'p' * 511}/"])
def test_illegal_paths(iam: Any, path: str) -> None:
    code, status, message = fault_of(iam.create_user, UserName="Dave", Path=path)
    assert (code, status) == ("ValidationError", 400)
    assert "Value at 'path' failed to satisfy constraint: Member must" in message
    assert fault_of(iam.get_user, UserName="Dave")[0] == "NoSuchEntity"


def test_everything_wrong_is_said_at_once(unchecked: Any) -> None:
    assert fault_of(unchecked.create_user, UserName="a b", Path="x", Tags=[{"Key": "a"}]) == (
        "ValidationError",
        400,
        (
            r"3 validation errors detected: Value at 'path' failed to satisfy constraint: Member must satisfy regular"
            r" expression pattern: (\u002F)|(\u002F[\u0021-\u007E]+\u002F);"
            rf" Value at 'userName' failed to satisfy constraint: {NAME_PATTERN};"
            " Value null at 'tags.1.member.value' failed to satisfy constraint: Member must not be null"
        ),
    )


# List


def test_users_are_listed_by_name_without_regard_to_case_or_path(iam: Any) -> None:
    for name, path in (("Zoe", "/"), ("bob", "/z/"), ("Adam", "/z/"), ("carl_", "/"), ("Carl2", "/"), ("carl-3", "/")):
        iam.create_user(UserName=name, Path=path, Tags=[{"Key": "a", "Value": "b"}])
    page = iam.list_users()
    assert names(page) == ["Adam", "alice", "bob", "carl-3", "Carl2", "carl_", "Zoe"]
    assert page["IsTruncated"] is False
    assert "Marker" not in page
    assert all("Tags" not in user for user in page["Users"])


def test_a_page_may_have_another_size_than_the_one_before(iam: Any) -> None:
    for number in range(7):
        iam.create_user(UserName=f"u{number}")
    first = iam.list_users(MaxItems=2)
    second = iam.list_users(MaxItems=5, Marker=first["Marker"])
    third = iam.list_users(Marker=second["Marker"])
    assert [first["IsTruncated"], second["IsTruncated"], third["IsTruncated"]] == [True, True, False]
    assert names(first) + names(second) + names(third) == ["alice", *(f"u{number}" for number in range(7))]


def test_a_page_that_just_fits_is_the_last(iam: Any) -> None:
    iam.create_user(UserName="dave")
    assert iam.list_users(MaxItems=2)["IsTruncated"] is False


def test_a_user_who_is_deleted_between_pages_takes_nobody_along(iam: Any) -> None:
    for name in ("b", "c", "d"):
        iam.create_user(UserName=name)
    first = iam.list_users(MaxItems=2)
    iam.delete_user(UserName="b")
    assert names(iam.list_users(Marker=first["Marker"])) == ["c", "d"]


def test_a_path_prefix_is_a_plain_prefix_and_minds_its_case(iam: Any) -> None:
    for name, path in (("a", "/div/"), ("b", "/division/"), ("c", "/Div/"), ("d", "/x/div/"), ("e", "/d%v/")):
        iam.create_user(UserName=name, Path=path)
    assert names(iam.list_users(PathPrefix="/div")) == ["a", "b"]
    assert names(iam.list_users(PathPrefix="/div/")) == ["a"]
    assert names(iam.list_users(PathPrefix="/d%")) == ["e"]
    assert names(iam.list_users(PathPrefix="/d_v")) == []
    assert names(iam.list_users(PathPrefix="/")) == ["a", "alice", "b", "c", "d", "e"]


def test_markers_of_another_listing_or_account_or_none_are_invalid(iam: Any, trudy: Person) -> None:
    for name in ("b", "c"):
        iam.create_user(UserName=name, Path="/div/")
    marker = iam.list_users(MaxItems=1)["Marker"]
    trudy.client().create_user(UserName="ursula")
    foreign = trudy.client().list_users(MaxItems=1)["Marker"]
    iam.tag_user(UserName="alice", Tags=[{"Key": "a", "Value": ""}, {"Key": "b", "Value": ""}])
    of_tags = iam.list_user_tags(UserName="alice", MaxItems=1)["Marker"]
    for wrong in (foreign, of_tags, "invented", marker[:-1], f"{marker}x", " ", "é", "a:b:c", ":" * 320):
        assert fault_of(iam.list_users, Marker=wrong) == INVALID_MARKER
    assert fault_of(iam.list_users, Marker=marker, PathPrefix="/div/") == INVALID_MARKER
    assert fault_of(iam.list_users, Marker="m" * 321)[0] == "ValidationError"


def test_boto3s_paginators_find_everything_once(iam: Any) -> None:
    for number in range(5):
        iam.create_user(UserName=f"u{number}")
        iam.put_user_policy(UserName="u0", PolicyName=f"p{number}", PolicyDocument=allow("iam:GetUser"))
        iam.tag_user(UserName="u0", Tags=[{"Key": f"t{number}", "Value": "v"}])
    for _ in range(2):
        SECRETS.append(iam.create_access_key(UserName="u0")["AccessKey"]["SecretAccessKey"])
    one = {"PageSize": 1}

    def found(operation: str, member: str, **parameters: str) -> list[Any]:
        pages = list(iam.get_paginator(operation).paginate(PaginationConfig=one, **parameters))
        assert all(len(page[member]) == 1 for page in pages)
        return [page[member][0] for page in pages]

    assert [user["UserName"] for user in found("list_users", "Users")] == ["alice", *(f"u{n}" for n in range(5))]
    assert len({key["AccessKeyId"] for key in found("list_access_keys", "AccessKeyMetadata", UserName="u0")}) == 2
    assert found("list_user_policies", "PolicyNames", UserName="u0") == [f"p{n}" for n in range(5)]
    assert [tag["Key"] for tag in found("list_user_tags", "Tags", UserName="u0")] == [f"t{n}" for n in range(5)]


# Rename and move


def test_a_renamed_and_moved_user_keeps_id_keys_and_policies(iam: Any, root: Person, alice: Person) -> None:
    dave = make_user(root, "dave", allow("iam:GetUser"))
    before = iam.get_user(UserName="dave")["User"]
    iam.update_user(UserName="DAVE", NewUserName="David", NewPath="/moved/")
    after = iam.get_user(UserName="david")["User"]
    assert after == before | {
        "UserName": "David",
        "Path": "/moved/",
        "Arn": f"arn:aws:iam::{alice.account_id}:user/moved/David",
    }
    assert dave.client().get_user()["User"] == after
    assert iam.list_access_keys(UserName="david")["AccessKeyMetadata"][0]["UserName"] == "David"
    assert fault_of(iam.get_user, UserName="dave")[0] == "NoSuchEntity"
    assert iam.create_user(UserName="dave")["User"]["UserId"] != before["UserId"]


def test_only_the_case_of_a_name_can_be_changed(iam: Any) -> None:
    iam.create_user(UserName="dave")
    iam.update_user(UserName="dave", NewUserName="DaVe")
    assert iam.get_user(UserName="dave")["User"]["UserName"] == "DaVe"


def test_a_user_cannot_take_anothers_name(iam: Any) -> None:
    iam.create_user(UserName="dave")
    iam.create_user(UserName="Erin")
    taken = ("EntityAlreadyExists", 409, "User with name eRIN already exists.")
    assert fault_of(iam.update_user, UserName="dave", NewUserName="eRIN", NewPath="/moved/") == taken
    assert iam.get_user(UserName="dave")["User"]["Path"] == "/"


def test_the_one_who_renames_needs_the_permission_on_both_names(root: Person, server: Path) -> None:
    arn = f"arn:aws:iam::{root.account_id}:user/team/"
    make_user(root, "dave", path="/team/")
    lead = make_user(root, "lead", allow("iam:UpdateUser", resource=f"{arn}*")).client()
    lead.update_user(UserName="dave", NewUserName="david")
    assert fault_of(lead.update_user, UserName="david", NewPath="/")[0] == "AccessDenied"
    assert fault_of(lead.update_user, UserName="lead", NewPath="/team/")[0] == "AccessDenied"


def test_a_user_of_an_old_name_is_a_new_user(iam: Any) -> None:
    first = iam.create_user(UserName="dave", Tags=[{"Key": "a", "Value": "b"}])["User"]["UserId"]
    iam.delete_user(UserName="dave")
    again = iam.create_user(UserName="dave")["User"]
    assert again["UserId"] != first
    assert "Tags" not in again


# Delete


def test_a_user_who_has_something_left_is_not_deleted(iam: Any) -> None:
    conflict = "Cannot delete entity, must {}"
    iam.create_user(UserName="dave", Tags=[{"Key": "a", "Value": "b"}])
    SECRETS.append(password := "Correct-Horse-7")
    iam.create_login_profile(UserName="dave", Password=password)
    key = iam.create_access_key(UserName="dave")["AccessKey"]
    SECRETS.append(key["SecretAccessKey"])
    iam.put_user_policy(UserName="dave", PolicyName="p", PolicyDocument=allow("iam:GetUser"))
    for what, remove, parameters in (
        ("delete login profile first.", iam.delete_login_profile, {}),
        ("delete access keys first.", iam.delete_access_key, {"AccessKeyId": key["AccessKeyId"]}),
        ("delete policies first.", iam.delete_user_policy, {"PolicyName": "P"}),
    ):
        assert fault_of(iam.delete_user, UserName="dave") == ("DeleteConflict", 409, conflict.format(what))
        remove(UserName="dave", **parameters)
    iam.delete_user(UserName="Dave")
    assert fault_of(iam.delete_user, UserName="dave")[0] == "NoSuchEntity"


# Who am I


def test_the_root_user_is_its_account(root: Person, server: Path) -> None:
    arn = f"arn:aws:iam::{root.account_id}:root"
    user = root.client().get_user()["User"]
    assert user["UserId"] == root.account_id
    assert user["Arn"] == arn
    assert "UserName" not in user
    identity = root.client("sts").get_caller_identity()
    assert {name: identity[name] for name in ("UserId", "Account", "Arn")} == {
        "UserId": root.account_id,
        "Account": root.account_id,
        "Arn": arn,
    }


def test_the_root_user_must_say_which_user_it_means(root: Person, server: Path) -> None:
    must = ("ValidationError", 400, "Must specify userName when calling with non-User credentials")
    assert fault_of(root.client().create_login_profile, Password="Correct-Horse-7") == must
    assert fault_of(root.client().get_login_profile) == must


def test_a_caller_learns_who_it_is_even_when_everything_is_denied(root: Person, server: Path) -> None:
    denied = make_user(root, "denied", DENY_ALL, path="/team/")
    identity = denied.client("sts").get_caller_identity()
    assert identity["UserId"] == denied.user.user_id
    assert identity["Account"] == root.account_id
    assert identity["Arn"] == f"arn:aws:iam::{root.account_id}:user/team/denied"
    assert fault_of(denied.client().get_user)[0] == "AccessDenied"


# The other client


def test_the_aws_cli_runs_a_users_whole_life(alice: Person, server: Path) -> None:
    cli = partial(aws, alice)
    made = cli("iam", "create-user", "--user-name", "dave", "--path", "/ops/", "--tags", "Key=team,Value=blue")
    assert made["User"]["Arn"] == f"arn:aws:iam::{alice.account_id}:user/ops/dave"
    assert [user["UserName"] for user in cli("iam", "list-users", "--page-size", "1")["Users"]] == ["alice", "dave"]
    assert cli("iam", "delete-user", "--user-name", "dave") is None
