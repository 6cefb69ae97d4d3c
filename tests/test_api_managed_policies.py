"""Managed policies, their versions and tags, as boto3 and Terraform see them."""

import json
from pathlib import Path
from typing import Any

import pytest

from accounts.management.commands._shell import operator
from accounts.operations.installation import update_account_quota
from permissions.models import ManagedPolicy, PolicyVersion
from tests.conftest import Person, allow, make_user
from tests.faults import fault_of, invalid
from tests.raw import ask
from tests.test_api_policies import ODD, denied, sized
from tests.test_races import at_once, clients, codes

READ, WRITE = allow("iam:GetUser"), allow("iam:TagUser")
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
CURRENT = ("MalformedPolicyDocument", 400, "Policy document must be version 2012-10-17 or greater.")
STATEMENT = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}


@pytest.fixture
def policy(iam: Any) -> str:
    """The ARN of a policy of the account's own."""
    return str(iam.create_policy(PolicyName="Read", PolicyDocument=READ)["Policy"]["Arn"])


def not_found(arn: str) -> tuple[str, int, str]:
    return ("NoSuchEntity", 404, f"Policy {arn} was not found.")


def not_attachable(arn: str) -> tuple[str, int, str]:
    return ("NoSuchEntity", 404, f"Policy {arn} does not exist or is not attachable.")


def no_version(arn: str, version: str) -> tuple[str, int, str]:
    return ("NoSuchEntity", 404, f"Policy {arn} version {version} does not exist or is not attachable.")


def versions(iam: Any, arn: str) -> list[tuple[str, bool]]:
    listed = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert all(version.keys() == {"VersionId", "IsDefaultVersion", "CreateDate"} for version in listed)
    return [(version["VersionId"], version["IsDefaultVersion"]) for version in listed]


# Make and read


def test_a_new_policy_is_answered_as_aws_does(iam: Any, alice: Person) -> None:
    tags = [{"Key": "b", "Value": "1"}, {"Key": "a", "Value": ""}]
    made = iam.create_policy(PolicyName="Read", Path="/team/", PolicyDocument=READ, Description="to read", Tags=tags)[
        "Policy"
    ]
    assert made["Arn"] == f"arn:aws:iam::{alice.account_id}:policy/team/Read"
    assert made["PolicyId"].startswith("ANPA")
    assert len(made["PolicyId"]) == 21
    assert made["CreateDate"] == made["UpdateDate"]
    assert (
        made.items()
        >= {
            "PolicyName": "Read",
            "Path": "/team/",
            "DefaultVersionId": "v1",
            "AttachmentCount": 0,
            "PermissionsBoundaryUsageCount": 0,
            "IsAttachable": True,
        }.items()
    )
    assert made["Tags"] == tags
    assert "Description" not in made
    assert iam.get_policy(PolicyArn=made["Arn"])["Policy"] == made | {"Description": "to read"}
    [listed] = iam.list_policies(Scope="Local")["Policies"]
    assert listed == {key: value for key, value in made.items() if key != "Tags"}


def test_a_policy_without_tags_and_description(iam: Any) -> None:
    made = iam.create_policy(PolicyName="Read", PolicyDocument=READ)["Policy"]
    assert not made.keys() & {"Tags", "Description"}
    assert iam.get_policy(PolicyArn=made["Arn"])["Policy"] == made | {"Tags": []}


def test_a_document_comes_back_to_the_byte(alice: Person, iam: Any) -> None:
    document = ODD.replace('"Sid":""', '"Sid":"A"')
    arn = iam.create_policy(PolicyName="p", PolicyDocument=document)["Policy"]["Arn"]
    from urllib.parse import unquote

    answer = ask(alice, "GetPolicyVersion", PolicyArn=arn, VersionId="v1")
    assert unquote(answer.text("Document") or "") == document


def test_a_name_is_taken_in_any_case_and_under_any_path(iam: Any, policy: str) -> None:
    taken = ("EntityAlreadyExists", 409, "A policy called rEAD already exists. Duplicate names are not allowed.")
    assert fault_of(iam.create_policy, PolicyName="rEAD", PolicyDocument=READ) == taken
    assert fault_of(iam.create_policy, PolicyName="rEAD", Path="/else/", PolicyDocument=READ) == taken
    iam.create_policy(PolicyName="AdministratorAccess", PolicyDocument=READ)


def test_an_arn_is_found_to_the_letter_only(iam: Any, policy: str, trudy: Person) -> None:
    other = trudy.client().create_policy(PolicyName="Read", PolicyDocument=READ)["Policy"]["Arn"]
    for arn in (policy.replace("Read", "rEAD"), policy.replace("policy/", "policy/x/"), other, f"{ADMINISTRATOR}2"):
        assert fault_of(iam.get_policy, PolicyArn=arn) == not_found(arn)


@pytest.mark.parametrize("arn", ["longpolicynamebutnoarn", "arn:aws:iam::123456789012:not_a_policy/x"])
def test_what_is_no_arn_of_a_policy_is_not_valid(iam: Any, arn: str) -> None:
    for call, more in (
        (iam.get_policy, {}),
        (iam.delete_policy, {}),
        (iam.list_policy_versions, {}),
        (iam.get_policy_version, {"VersionId": "v1"}),
        (iam.attach_user_policy, {"UserName": "alice"}),
        (iam.list_entities_for_policy, {}),
    ):
        assert fault_of(call, PolicyArn=arn, **more) == ("ValidationError", 400, f"ARN {arn} is not valid.")


def test_an_unknown_policy_is_not_found_in_the_words_of_each_operation(iam: Any, alice: Person) -> None:
    arn = f"arn:aws:iam::{alice.account_id}:policy/nothing"
    for call, more in (
        (iam.get_policy, {}),
        (iam.delete_policy, {}),
        (iam.tag_policy, {"Tags": [{"Key": "a", "Value": "b"}]}),
        (iam.untag_policy, {"TagKeys": ["a"]}),
        (iam.list_policy_tags, {}),
        (iam.detach_user_policy, {"UserName": "alice"}),
    ):
        assert fault_of(call, PolicyArn=arn, **more) == not_found(arn)
    for call, more in (
        (iam.create_policy_version, {"PolicyDocument": READ}),
        (iam.list_policy_versions, {}),
        (iam.list_entities_for_policy, {}),
        (iam.attach_user_policy, {"UserName": "alice"}),
    ):
        assert fault_of(call, PolicyArn=arn, **more) == not_attachable(arn)
    for call in (iam.get_policy_version, iam.set_default_policy_version, iam.delete_policy_version):
        assert fault_of(call, PolicyArn=arn, VersionId="v1") == no_version(arn, "v1")


# Documents and quotas


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"Statement": STATEMENT}, CURRENT[2]),
        ({"Version": "2008-10-17", "Statement": STATEMENT}, CURRENT[2]),
        ({"Statement": [STATEMENT | {"Sid": "a"}, {"Sid": "a", "Effect": "Allow"}]}, CURRENT[2]),
        ({"Version": "2013-10-17", "Statement": STATEMENT}, "Syntax errors in policy."),
        ({"Statement": STATEMENT | {"Effect": "denY"}}, "The policy failed legacy parsing"),
        ({"Version": "2012-10-17", "Statement": {"Effect": "Allow"}}, "Policy statement must contain actions."),
    ],
    ids=["none", "older", "older, and a Sid twice", "unknown", "none, and a bad effect", "current"],
)
def test_only_the_current_version_of_the_language_is_taken(iam: Any, policy: str, document: Any, message: str) -> None:
    refused = ("MalformedPolicyDocument", 400, message)
    text = json.dumps(document)
    assert fault_of(iam.create_policy, PolicyName="p", PolicyDocument=text) == refused
    assert fault_of(iam.create_policy_version, PolicyArn=policy, PolicyDocument=text) == refused
    assert versions(iam, policy) == [("v1", True)]


def test_a_document_has_6144_characters_without_white_space(iam: Any, policy: str) -> None:
    over = ("LimitExceeded", 409, "Cannot exceed quota for PolicySize: 6144")
    iam.create_policy(PolicyName="p", PolicyDocument=sized(6144))
    assert fault_of(iam.create_policy, PolicyName="q", PolicyDocument=sized(6145)) == over
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=sized(6144))
    assert fault_of(iam.create_policy_version, PolicyArn=policy, PolicyDocument=sized(6145)) == over


def test_an_account_has_as_many_policies_as_its_quota(iam: Any, alice: Person, policy: str) -> None:
    update_account_quota(operator(), account=alice.account_id, quota_name="PoliciesPerAccount", quota_value=2)
    iam.create_policy(PolicyName="b", PolicyDocument=READ)
    over = ("LimitExceeded", 409, "Cannot exceed quota for PoliciesPerAccount: 2")
    assert fault_of(iam.create_policy, PolicyName="c", PolicyDocument=READ) == over
    summary = iam.get_account_summary()["SummaryMap"]
    assert (summary["Policies"], summary["PoliciesQuota"], summary["PolicyVersionsInUse"]) == (2, 2, 0)


def test_paths_and_descriptions_keep_to_the_model(iam: Any) -> None:
    for path in ("//", "/a b/", "a", "/a"):
        assert fault_of(iam.create_policy, PolicyName="p", PolicyDocument=READ, Path=path)[0] == "ValidationError"
    longest = "Member must have length less than or equal to 1000"
    refused = fault_of(iam.create_policy, PolicyName="p", PolicyDocument=READ, Description="d" * 1001)
    assert refused == invalid(("description", longest))


# Versions


def test_the_life_of_versions(iam: Any, policy: str) -> None:
    made = iam.create_policy_version(PolicyArn=policy, PolicyDocument=WRITE, SetAsDefault=True)["PolicyVersion"]
    assert made.keys() == {"VersionId", "IsDefaultVersion", "CreateDate"}
    assert (made["VersionId"], made["IsDefaultVersion"]) == ("v2", True)
    third = iam.create_policy_version(PolicyArn=policy, PolicyDocument=READ)["PolicyVersion"]
    assert (third["VersionId"], third["IsDefaultVersion"]) == ("v3", False)
    assert versions(iam, policy) == [("v3", False), ("v2", True), ("v1", False)]
    got = iam.get_policy_version(PolicyArn=policy, VersionId="v2")["PolicyVersion"]
    assert got == made | {"Document": json.loads(WRITE)}
    assert iam.get_policy(PolicyArn=policy)["Policy"]["DefaultVersionId"] == "v2"
    iam.set_default_policy_version(PolicyArn=policy, VersionId="v1")
    assert versions(iam, policy) == [("v3", False), ("v2", False), ("v1", True)]
    iam.delete_policy_version(PolicyArn=policy, VersionId="v3")
    fourth = iam.create_policy_version(PolicyArn=policy, PolicyDocument=READ)["PolicyVersion"]
    assert fourth["VersionId"] == "v4"
    pages = iam.get_paginator("list_policy_versions").paginate(PolicyArn=policy, PaginationConfig={"PageSize": 1})
    assert [version["VersionId"] for page in pages for version in page["Versions"]] == ["v4", "v2", "v1"]


def test_a_version_that_is_not_there_or_in_force(iam: Any, policy: str) -> None:
    for call in (iam.get_policy_version, iam.set_default_policy_version, iam.delete_policy_version):
        for version in ("v9", f"v{'9' * 30}", "v1.a"):
            assert fault_of(call, PolicyArn=policy, VersionId=version) == no_version(policy, version)
        pattern = r"Member must satisfy regular expression pattern: v[1-9][0-9]*(\.[A-Za-z0-9-]*)?"
        refused = fault_of(call, PolicyArn=policy, VersionId="v2-does-not-exist")
        assert refused == invalid(("versionId", pattern))
    default = ("DeleteConflict", 409, "Cannot delete the default version of a policy.")
    assert fault_of(iam.delete_policy_version, PolicyArn=policy, VersionId="v1") == default


def test_a_policy_has_five_versions(iam: Any, alice: Person, policy: str) -> None:
    for _ in range(4):
        iam.create_policy_version(PolicyArn=policy, PolicyDocument=READ)
    over = (
        "LimitExceeded",
        409,
        "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.",
    )
    assert fault_of(iam.create_policy_version, PolicyArn=policy, PolicyDocument=READ) == over
    iam.delete_policy_version(PolicyArn=policy, VersionId="v3")
    sixth = iam.create_policy_version(PolicyArn=policy, PolicyDocument=READ)["PolicyVersion"]
    assert sixth["VersionId"] == "v6"


def test_no_sixth_version_however_many_ask_at_once(iam: Any, alice: Person, policy: str) -> None:
    for _ in range(2):
        answers = at_once(
            [
                lambda iam=each: iam.create_policy_version(PolicyArn=policy, PolicyDocument=READ, SetAsDefault=True)
                for each in clients(alice, 8)
            ]
        )
        assert codes(answers) == {"done": 4, "LimitExceeded": 4}
        stored = PolicyVersion.objects.filter(policy__account=alice.account_id)
        assert stored.count() == 5
        kept = ManagedPolicy.objects.get(account=alice.account_id)
        assert kept.default_version_number == kept.latest_version_number
        stored.exclude(number=kept.default_version_number).delete()


def test_another_version_is_in_force_at_once(iam: Any, bob: Person, policy: str) -> None:
    iam.attach_user_policy(UserName="bob", PolicyArn=policy)
    his = bob.client()
    his.get_user()
    tag = {"UserName": "bob", "Tags": [{"Key": "a", "Value": "b"}]}
    assert fault_of(his.tag_user, **tag)[0] == "AccessDenied"
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=WRITE, SetAsDefault=True)
    his.tag_user(**tag)
    assert fault_of(his.get_user)[0] == "AccessDenied"
    iam.set_default_policy_version(PolicyArn=policy, VersionId="v1")
    his.get_user()


# Delete


def test_a_policy_is_deleted_when_it_is_used_nowhere_and_has_one_version(iam: Any, policy: str) -> None:
    attached = ("DeleteConflict", 409, "Cannot delete a policy attached to entities.")
    iam.create_group(GroupName="g")
    for use, stop in (
        (
            lambda: iam.attach_user_policy(UserName="alice", PolicyArn=policy),
            lambda: iam.detach_user_policy(UserName="alice", PolicyArn=policy),
        ),
        (
            lambda: iam.attach_group_policy(GroupName="g", PolicyArn=policy),
            lambda: iam.detach_group_policy(GroupName="g", PolicyArn=policy),
        ),
        (
            lambda: iam.create_user(UserName="dave", PermissionsBoundary=policy),
            lambda: iam.delete_user_permissions_boundary(UserName="dave"),
        ),
    ):
        use()
        assert fault_of(iam.delete_policy, PolicyArn=policy) == attached
        stop()
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=READ)
    assert fault_of(iam.delete_policy, PolicyArn=policy) == (
        "DeleteConflict",
        409,
        (
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions."
            " The default version is deleted with the policy."
        ),
    )
    iam.delete_policy_version(PolicyArn=policy, VersionId="v2")
    iam.delete_policy(PolicyArn=policy)
    assert fault_of(iam.get_policy, PolicyArn=policy) == not_found(policy)


# AWS's own


def test_aws_policies_are_read_by_everybody(iam: Any) -> None:
    policy = iam.get_policy(PolicyArn=ADMINISTRATOR)["Policy"]
    assert (policy["PolicyName"], policy["Path"], policy["Tags"]) == ("AdministratorAccess", "/", [])
    assert (policy["IsAttachable"], policy["AttachmentCount"]) == (True, 0)
    version = iam.get_policy_version(PolicyArn=ADMINISTRATOR, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
    assert version["IsDefaultVersion"] is True
    [statement] = version["Document"]["Statement"]
    assert (statement["Effect"], statement["Action"], statement["Resource"]) == ("Allow", "*", "*")
    assert versions(iam, ADMINISTRATOR) == [(policy["DefaultVersionId"], True)]


def test_aws_policies_are_changed_by_nobody(iam: Any, root: Person) -> None:
    update = "Cannot update policies outside your own account."
    for client in (iam, root.client()):
        for call, more, message in (
            (client.create_policy_version, {"PolicyDocument": READ}, update),
            (client.set_default_policy_version, {"VersionId": "v2"}, update),
            (client.tag_policy, {"Tags": [{"Key": "a", "Value": "b"}]}, update),
            (client.untag_policy, {"TagKeys": ["a"]}, update),
            (client.delete_policy, {}, "Cannot delete policies outside your own account."),
            (
                client.delete_policy_version,
                {"VersionId": "v2"},
                "Cannot delete policy versions for policies outside your own account.",
            ),
        ):
            assert fault_of(call, PolicyArn=ADMINISTRATOR, **more) == ("AccessDenied", 403, message)
    assert iam.list_policy_tags(PolicyArn=ADMINISTRATOR)["Tags"] == []


# List


def names(iam: Any, **parameters: Any) -> list[str]:
    pages = iam.get_paginator("list_policies").paginate(**parameters)
    return [policy["PolicyName"] for page in pages for policy in page["Policies"]]


def test_policies_are_listed_own_before_awss_each_by_name(iam: Any) -> None:
    for name, path in (("b", "/"), ("C", "/x/"), ("a", "/z/")):
        iam.create_policy(PolicyName=name, Path=path, PolicyDocument=READ)
    assert names(iam, Scope="Local") == ["a", "b", "C"]
    aws = names(iam, Scope="AWS")
    assert aws == sorted(aws, key=str.lower)
    assert "AdministratorAccess" in aws
    assert names(iam) == names(iam, Scope="All") == ["a", "b", "C", *aws]
    assert names(iam, PaginationConfig={"PageSize": 7}) == ["a", "b", "C", *aws]
    assert names(iam, PathPrefix="/x/") == ["C"]
    assert "DataScientist" in names(iam, PathPrefix="/job-function/")
    marker = iam.list_policies(MaxItems=1)["Marker"]
    assert fault_of(iam.list_policies, Marker=marker, Scope="AWS") == ("ValidationError", 400, "Invalid Marker.")


def test_policies_are_listed_by_their_use(iam: Any) -> None:
    arns = {
        name: iam.create_policy(PolicyName=name, PolicyDocument=READ)["Policy"]["Arn"]
        for name in ("attached", "bounding", "both", "unused")
    }
    iam.create_group(GroupName="g")
    iam.create_user(UserName="dave", PermissionsBoundary=arns["both"])
    iam.create_user(UserName="erin", PermissionsBoundary=arns["bounding"])
    iam.attach_user_policy(UserName="dave", PolicyArn=arns["both"])
    iam.attach_user_policy(UserName="erin", PolicyArn=arns["attached"])
    iam.attach_group_policy(GroupName="g", PolicyArn=arns["attached"])
    iam.attach_group_policy(GroupName="g", PolicyArn=ADMINISTRATOR)
    assert names(iam, OnlyAttached=True) == ["attached", "both", "AdministratorAccess"]
    assert names(iam, PolicyUsageFilter="PermissionsPolicy") == ["attached", "both", "AdministratorAccess"]
    assert names(iam, PolicyUsageFilter="PermissionsBoundary") == ["both", "bounding"]
    assert names(iam, PolicyUsageFilter="PermissionsBoundary", OnlyAttached=True, Scope="AWS") == []
    counts = {
        policy["PolicyName"]: (policy["AttachmentCount"], policy["PermissionsBoundaryUsageCount"])
        for policy in iam.list_policies(Scope="Local")["Policies"]
    }
    assert counts == {"attached": (2, 0), "bounding": (0, 1), "both": (1, 1), "unused": (0, 0)}
    assert iam.get_policy(PolicyArn=arns["both"])["Policy"]["PermissionsBoundaryUsageCount"] == 1
    assert iam.get_account_summary()["SummaryMap"]["PolicyVersionsInUse"] == 4


def test_uses_are_counted_in_the_own_account_only(iam: Any, trudy: Person) -> None:
    hers = trudy.client()
    hers.attach_user_policy(UserName="trudy", PolicyArn=ADMINISTRATOR)
    hers.create_user(UserName="bounded", PermissionsBoundary=ADMINISTRATOR)
    for client, attached, bounding in ((iam, 0, 0), (hers, 1, 1)):
        policy = client.get_policy(PolicyArn=ADMINISTRATOR)["Policy"]
        assert (policy["AttachmentCount"], policy["PermissionsBoundaryUsageCount"]) == (attached, bounding)
        assert len(client.list_policies(OnlyAttached=True)["Policies"]) == attached
        assert len(client.list_entities_for_policy(PolicyArn=ADMINISTRATOR)["PolicyUsers"]) == 2 * attached


# Tags


def test_keys_of_tags_mind_case(iam: Any, policy: str) -> None:
    iam.tag_policy(PolicyArn=policy, Tags=[{"Key": "a", "Value": "lower"}, {"Key": "A", "Value": "upper"}])
    iam.tag_policy(PolicyArn=policy, Tags=[{"Key": "a", "Value": ""}])
    listed = [{"Key": "A", "Value": "upper"}, {"Key": "a", "Value": ""}]
    assert iam.list_policy_tags(PolicyArn=policy)["Tags"] == listed
    pages = iam.get_paginator("list_policy_tags").paginate(PolicyArn=policy, PaginationConfig={"PageSize": 1})
    assert [tag for page in pages for tag in page["Tags"]] == listed
    iam.untag_policy(PolicyArn=policy, TagKeys=["a", "nothing"])
    assert iam.get_policy(PolicyArn=policy)["Policy"]["Tags"] == listed[:1]
    iam.untag_policy(PolicyArn=policy, TagKeys=["A"])
    assert iam.list_policy_tags(PolicyArn=policy)["Tags"] == []


def test_tags_that_are_refused(iam: Any, policy: str) -> None:
    twice = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
    reserved = [{"Key": "AWS:x", "Value": "1"}]
    many = [{"Key": f"k{number}", "Value": ""} for number in range(51)]
    for call in (
        lambda tags: iam.tag_policy(PolicyArn=policy, Tags=tags),
        lambda tags: iam.create_policy(PolicyName="p", PolicyDocument=READ, Tags=tags),
    ):
        assert fault_of(call, tags=twice) == ("InvalidInput", 400, "Duplicate tag keys found.")
        assert fault_of(call, tags=reserved)[:2] == ("InvalidInput", 400)
        assert fault_of(call, tags=many) == invalid(("tags", "Member must have length less than or equal to 50"))
    iam.tag_policy(PolicyArn=policy, Tags=many[:50])
    over = ("LimitExceeded", 409, "The number of tags has reached the maximum limit.")
    assert fault_of(iam.tag_policy, PolicyArn=policy, Tags=many[50:]) == over
    assert fault_of(iam.tag_policy, PolicyArn=policy, Tags=[])[:2] == ("InvalidInput", 400)


def test_tags_of_a_policy_decide(root: Person, server: Path) -> None:
    iam = root.client()
    blue = iam.create_policy(PolicyName="blue", PolicyDocument=READ, Tags=[{"Key": "team", "Value": "blue"}])
    red = iam.create_policy(PolicyName="red", PolicyDocument=READ)
    statement = {
        "Effect": "Allow",
        "Action": "iam:CreatePolicyVersion",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:ResourceTag/team": "blue"}},
    }
    lead = make_user(root, "lead", json.dumps({"Version": "2012-10-17", "Statement": statement})).client()
    lead.create_policy_version(PolicyArn=blue["Policy"]["Arn"], PolicyDocument=READ)
    refused = fault_of(lead.create_policy_version, PolicyArn=red["Policy"]["Arn"], PolicyDocument=READ)
    assert refused[0] == "AccessDenied"


# Who may


def test_access_denied_names_the_policy_as_aws_does(mallory: Person, server: Path) -> None:
    arn = f"arn:aws:iam::{mallory.account_id}:policy/p"
    for action, parameters, resource in (
        ("CreatePolicy", {"PolicyName": "p", "PolicyDocument": READ}, "policy p"),
        ("GetPolicy", {"PolicyArn": arn}, f"policy {arn}"),
        ("GetPolicy", {"PolicyArn": ADMINISTRATOR}, f"policy {ADMINISTRATOR}"),
        ("DeletePolicy", {"PolicyArn": ADMINISTRATOR}, f"policy {ADMINISTRATOR}"),
        ("ListPolicies", {}, "policy path /"),
        ("ListPolicies", {"PathPrefix": "/team/"}, "policy path /team/"),
        ("CreatePolicyVersion", {"PolicyArn": arn, "PolicyDocument": READ}, f"policy {arn}"),
        ("AttachUserPolicy", {"UserName": "Dave", "PolicyArn": arn}, "user Dave"),
        ("AttachGroupPolicy", {"GroupName": "G", "PolicyArn": arn}, "group G"),
        ("PutUserPermissionsBoundary", {"UserName": "Dave", "PermissionsBoundary": arn}, "user Dave"),
        ("GetAccountAuthorizationDetails", {}, "*"),
    ):
        assert denied(ask(mallory, action, **parameters)) == (
            f"User: {mallory.user.arn} is not authorized to perform: iam:{action} on resource: {resource}"
            f" because no identity-based policy allows the iam:{action} action"
        )


def test_as_terraform_makes_changes_and_destroys_a_policy(iam: Any) -> None:
    made = iam.create_policy(PolicyName="tf", Path="/", PolicyDocument=READ, Tags=[{"Key": "a", "Value": "b"}])
    arn = made["Policy"]["Arn"]
    for document in (WRITE, READ, WRITE, READ, WRITE, READ):
        listed = iam.list_policy_versions(PolicyArn=arn)["Versions"]
        if len(listed) == 5:
            oldest = min(
                (each for each in listed if not each["IsDefaultVersion"]), key=lambda each: int(each["VersionId"][1:])
            )
            iam.delete_policy_version(PolicyArn=arn, VersionId=oldest["VersionId"])
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)
        policy = iam.get_policy(PolicyArn=arn)["Policy"]
        version = iam.get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
        assert version["Document"] == json.loads(document)
    assert policy["UpdateDate"] >= policy["CreateDate"]
    for each in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
        if not each["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=arn, VersionId=each["VersionId"])
    iam.delete_policy(PolicyArn=arn)
