"""GetAccountAuthorizationDetails as auditors call it: whole, by kind, page by page, and equal to what was written."""

import json
from typing import Any

import pytest

from tests.conftest import Person, allow
from tests.faults import fault_of

READ, WRITE = allow("iam:GetUser"), allow("iam:TagUser")
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
LISTS = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
KINDS = {
    "User": ("UserDetailList", ["alice", "bare", "dave"]),
    "Group": ("GroupDetailList", ["empty", "G"]),
    "Role": ("RoleDetailList", []),
    "LocalManagedPolicy": ("Policies", ["Shared"]),
    "AWSManagedPolicy": ("Policies", ["AdministratorAccess"]),
}


@pytest.fixture
def stage(iam: Any, alice: Person) -> Any:
    """A user and a group with everything, and each of them with nothing."""
    arn = iam.create_policy(PolicyName="Shared", PolicyDocument=READ, Description="d")["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=WRITE, SetAsDefault=True)
    iam.create_user(UserName="bare")
    iam.create_user(UserName="dave", Path="/x/", Tags=[{"Key": "a", "Value": "b"}], PermissionsBoundary=arn)
    iam.create_group(GroupName="empty")
    iam.create_group(GroupName="G", Path="/y/")
    iam.add_user_to_group(GroupName="G", UserName="dave")
    iam.put_user_policy(UserName="dave", PolicyName="mine", PolicyDocument=READ)
    iam.put_group_policy(GroupName="G", PolicyName="ours", PolicyDocument=WRITE)
    for attached in (arn, ADMINISTRATOR):
        iam.attach_user_policy(UserName="dave", PolicyArn=attached)
        iam.attach_group_policy(GroupName="G", PolicyArn=attached)
    return iam


def names(answer: dict[str, Any], kind: str) -> list[str]:
    return [each.get("UserName") or each.get("GroupName") or each["PolicyName"] for each in answer[kind]]


def by_name(answer: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    [found] = [each for each, its in zip(answer[kind], names(answer, kind), strict=True) if its == name]
    return dict(found)


def test_users_as_they_were_written(stage: Any) -> None:
    answer = stage.get_account_authorization_details()
    user = stage.get_user(UserName="dave")["User"]
    attached = stage.list_attached_user_policies(UserName="dave")["AttachedPolicies"]
    assert by_name(answer, "UserDetailList", "dave") == user | {
        "GroupList": ["G"],
        "UserPolicyList": [{"PolicyName": "mine", "PolicyDocument": json.loads(READ)}],
        "AttachedManagedPolicies": attached,
    }
    bare = stage.get_user(UserName="bare")["User"]
    assert by_name(answer, "UserDetailList", "bare") == bare | {
        "GroupList": [],
        "AttachedManagedPolicies": [],
        "Tags": [],
    }


def test_groups_as_they_were_written(stage: Any) -> None:
    answer = stage.get_account_authorization_details(Filter=["Group"])
    attached = stage.list_attached_group_policies(GroupName="G")["AttachedPolicies"]
    assert len(attached) == 2
    assert by_name(answer, "GroupDetailList", "G") == stage.get_group(GroupName="G")["Group"] | {
        "GroupPolicyList": [{"PolicyName": "ours", "PolicyDocument": json.loads(WRITE)}],
        "AttachedManagedPolicies": attached,
    }
    empty = stage.get_group(GroupName="empty")["Group"] | {"GroupPolicyList": [], "AttachedManagedPolicies": []}
    assert by_name(answer, "GroupDetailList", "empty") == empty


def test_policies_with_every_field_and_all_versions(stage: Any, alice: Person) -> None:
    answer = stage.get_account_authorization_details(Filter=["LocalManagedPolicy", "AWSManagedPolicy"])
    arn = f"arn:aws:iam::{alice.account_id}:policy/Shared"
    policy = stage.get_policy(PolicyArn=arn)["Policy"]
    versions = [stage.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"] for version in ("v2", "v1")]
    del policy["Tags"], policy["Description"]
    assert by_name(answer, "Policies", "Shared") == policy | {"PolicyVersionList": versions}
    assert (policy["AttachmentCount"], policy["PermissionsBoundaryUsageCount"]) == (2, 1)
    [administrator] = [each for each in answer["Policies"] if each["Arn"] == ADMINISTRATOR]
    assert administrator["AttachmentCount"] == 2
    assert administrator["PolicyVersionList"][0]["IsDefaultVersion"] is True


@pytest.mark.parametrize("kind", KINDS)
def test_a_filter_leaves_one_kind(stage: Any, kind: str) -> None:
    answer = stage.get_account_authorization_details(Filter=[kind])
    member, expected = KINDS[kind]
    assert names(answer, member) == expected
    assert all(answer[other] == [] for other in LISTS if other != member)
    assert answer["IsTruncated"] is False


def test_pages_of_any_size_have_everything_once(stage: Any) -> None:
    whole = stage.get_account_authorization_details()
    for size in (1, 2, 3, 5):
        paginator = stage.get_paginator("get_account_authorization_details")
        pages = list(paginator.paginate(PaginationConfig={"PageSize": size}))
        assert all(sum(len(page[each]) for each in LISTS) <= size for page in pages)
        for each in LISTS:
            assert [found for page in pages for found in page[each]] == whole[each]


def test_a_marker_goes_with_its_filter(stage: Any) -> None:
    marker = stage.get_account_authorization_details(MaxItems=1)["Marker"]
    refused = ("ValidationError", 400, "Marker and Filter do not match")
    assert fault_of(stage.get_account_authorization_details, Marker=marker, Filter=["User"]) == refused
    assert fault_of(stage.get_account_authorization_details, Marker="x") == refused
    assert fault_of(stage.get_account_authorization_details, Filter=["Users"])[0] == "ValidationError"
