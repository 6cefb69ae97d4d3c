"""The simulator through the AWS door: exactly the engine's decisions, each with the statement that made it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ALLOW_ALL, Person, allow, make_user
from tests.faults import fault_of

pytestmark = pytest.mark.pure

INSTANCE = "arn:aws:ec2:eu-west-1:{account}:instance/i-0123456789abcdef0"
TABLE = "arn:aws:dynamodb:eu-west-1:{account}:table/orders"
NO_ACTIONS = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Resource": "*"}}'


def document(*statements: Mapping[str, Any]) -> str:
    """A policy of the current version."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, indent=2)


def entry(name: str, *values: str, kind: str = "string") -> dict[str, Any]:
    """A context entry."""
    return {"ContextKeyName": name, "ContextKeyValues": list(values), "ContextKeyType": kind}


def custom(iam: Any, policies: Sequence[str], *, action: str = "s3:GetObject", **more: Any) -> dict[str, Any]:
    """The one result of a custom simulation."""
    (result,) = iam.simulate_custom_policy(PolicyInputList=list(policies), ActionNames=[action], **more)[
        "EvaluationResults"
    ]
    return result


@pytest.fixture
def dave(root: Person) -> Person:
    """May launch one EC2 instance and read one table, and nothing else."""
    policy = document(
        {
            "Sid": "LaunchOne",
            "Effect": "Allow",
            "Action": "ec2:RunInstances",
            "Resource": INSTANCE.format(account=root.account_id),
        },
        {
            "Sid": "ReadOne",
            "Effect": "Allow",
            "Action": ["dynamodb:GetItem", "dynamodb:Query"],
            "Resource": TABLE.format(account=root.account_id),
        },
    )
    return make_user(root, "dave", policy)


def test_dave_may_launch_one_instance_and_read_one_table(iam: Any, dave: Person) -> None:
    instance, table = INSTANCE.format(account=dave.account_id), TABLE.format(account=dave.account_id)
    answer = iam.simulate_principal_policy(
        PolicySourceArn=dave.user.arn,
        ActionNames=["ec2:RunInstances", "dynamodb:GetItem", "dynamodb:PutItem"],
        ResourceArns=[instance, instance[:-1] + "1", table, f"{table}2"],
    )
    decided = {(each["EvalActionName"], each["EvalResourceName"]): each for each in answer["EvaluationResults"]}
    allowed = {pair for pair, each in decided.items() if each["EvalDecision"] == "allowed"}
    assert allowed == {("ec2:RunInstances", instance), ("dynamodb:GetItem", table)}
    assert len(decided) == 12
    assert {each["EvalDecision"] for pair, each in decided.items() if pair not in allowed} == {"implicitDeny"}
    assert answer["IsTruncated"] is False


def test_a_result_names_the_statement_and_where_it_stands(iam: Any, dave: Person) -> None:
    table = TABLE.format(account=dave.account_id)
    (result,) = iam.simulate_principal_policy(
        PolicySourceArn=dave.user.arn, ActionNames=["dynamodb:Query"], ResourceArns=[table]
    )["EvaluationResults"]
    (statement,) = result["MatchedStatements"]
    assert (statement["SourcePolicyId"], statement["SourcePolicyType"]) == ("given", "IAM Policy")
    kept = iam.get_user_policy(UserName="dave", PolicyName="given")["PolicyDocument"]
    lines = json.dumps(kept, indent=2).split("\n")
    assert '"Sid": "ReadOne"' in "\n".join(lines[statement["StartPosition"]["Line"] : statement["EndPosition"]["Line"]])
    (specific,) = result["ResourceSpecificResults"]
    assert (specific["EvalResourceName"], specific["EvalResourceDecision"]) == (table, "allowed")
    assert specific["MatchedStatements"] == result["MatchedStatements"]
    assert result["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": True}


def test_a_deny_shows_every_statement_that_denies_and_no_allow(iam: Any) -> None:
    deny = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}
    result = custom(iam, [ALLOW_ALL, document(deny), document(deny | {"Action": "s3:Get*"})])
    assert result["EvalDecision"] == "explicitDeny"
    assert [each["SourcePolicyId"] for each in result["MatchedStatements"]] == [
        "PolicyInputList.2",
        "PolicyInputList.3",
    ]


def test_without_resources_it_is_about_everything(iam: Any) -> None:
    result = custom(iam, [ALLOW_ALL])
    assert (result["EvalResourceName"], result["ResourceSpecificResults"]) == ("*", [])
    one = document({"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::a"})
    assert custom(iam, [one])["EvalDecision"] == "implicitDeny"


def test_context_keys_are_asked_for_until_they_are_given(iam: Any) -> None:
    policy = document(
        {
            "Effect": "Allow",
            "Action": "s3:*",
            "Resource": "arn:aws:s3:::${aws:PrincipalTag/team}",
            "Condition": {
                "NumericLessThan": {"aws:MultiFactorAuthAge": "3600"},
                "ForAnyValue:StringEquals": {"aws:TagKeys": ["a"]},
            },
        }
    )
    bucket = ["arn:aws:s3:::blue"]
    before = custom(iam, [policy], ResourceArns=bucket)
    asked = ["aws:MultiFactorAuthAge", "aws:principaltag/team", "aws:TagKeys"]
    assert (before["EvalDecision"], before["MissingContextValues"]) == ("implicitDeny", asked)
    assert iam.get_context_keys_for_custom_policy(PolicyInputList=[policy])["ContextKeyNames"] == asked
    entries = [
        entry("aws:multifactorauthage", "60", kind="numeric"),
        entry("aws:PrincipalTag/team", "blue"),
        entry("aws:TagKeys", "b", "a", kind="stringList"),
    ]
    after = custom(iam, [policy], ResourceArns=bucket, ContextEntries=entries)
    assert (after["EvalDecision"], after["MissingContextValues"]) == ("allowed", [])


def test_a_principals_own_keys_are_filled_in(iam: Any, bob: Person) -> None:
    iam.tag_user(UserName="bob", Tags=[{"Key": "Team", "Value": "blue"}])
    own = document(
        {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::${aws:username}/${aws:PrincipalTag/team}"}
    )
    iam.put_user_policy(UserName="bob", PolicyName="own", PolicyDocument=own)
    for arn, decision in (("arn:aws:s3:::bob/blue", "allowed"), ("arn:aws:s3:::alice/blue", "implicitDeny")):
        (result,) = iam.simulate_principal_policy(
            PolicySourceArn=bob.user.arn, ActionNames=["s3:GetObject"], ResourceArns=[arn]
        )["EvaluationResults"]
        assert (result["EvalDecision"], result["MissingContextValues"]) == (decision, [])
    keys = iam.get_context_keys_for_principal_policy(PolicySourceArn=bob.user.arn)["ContextKeyNames"]
    assert keys == ["aws:principaltag/team", "aws:username"]


def test_a_boundary_takes_away_and_tells(iam: Any) -> None:
    only_s3 = document({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    for action, allowed in (("s3:GetObject", True), ("ec2:RunInstances", False)):
        result = custom(iam, [ALLOW_ALL], action=action, PermissionsBoundaryPolicyInputList=[only_s3])
        assert result["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": allowed}
        assert result["EvalDecision"] == ("allowed" if allowed else "implicitDeny")
    assert "PermissionsBoundaryDecisionDetail" not in custom(iam, [ALLOW_ALL])


def test_a_resource_policy_gives_within_the_account_and_both_must_across(iam: Any, alice: Person) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": alice.user.arn}, "Action": "s3:*", "Resource": "*"}
    nothing = document({"Effect": "Allow", "Action": "ec2:*", "Resource": "*"})
    here = {"ResourcePolicy": document(statement), "CallerArn": alice.user.arn}
    assert custom(iam, [nothing], **here)["EvalDecision"] == "allowed"
    assert custom(iam, [nothing], **here)["MatchedStatements"][0]["SourcePolicyId"] == "ResourcePolicy.1"
    there = here | {"ResourceOwner": "arn:aws:iam::999999999999:root"}
    result = custom(iam, [nothing], **there)
    assert result["EvalDecision"] == "implicitDeny"
    assert result["EvalDecisionDetails"] == {"IAM Policy": "implicitDeny", "Resource Policy": "allowed"}
    assert custom(iam, [ALLOW_ALL], **there)["EvalDecision"] == "allowed"


def test_an_arn_of_another_account_crosses_to_it_where_its_policy_is_given(iam: Any, alice: Person) -> None:
    table = "arn:aws:dynamodb:eu-west-1:999999999999:table/t"
    nobody = document({"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "s3:*", "Resource": "*"})
    asked: dict[str, Any] = {"action": "dynamodb:GetItem", "ResourceArns": [table], "CallerArn": alice.user.arn}
    result = custom(iam, [ALLOW_ALL], **asked, ResourcePolicy=nobody)
    assert result["EvalDecision"] == "implicitDeny"
    assert result["EvalDecisionDetails"] == {"IAM Policy": "allowed", "Resource Policy": "implicitDeny"}
    mine = nobody.replace("111122223333", alice.account_id).replace("s3:*", "dynamodb:*")
    assert custom(iam, [ALLOW_ALL], **asked, ResourcePolicy=mine)["EvalDecision"] == "allowed"
    assert custom(iam, [ALLOW_ALL], **asked)["EvalDecision"] == "allowed"
    own = asked | {"ResourceArns": [table.replace("999999999999", alice.account_id)]}
    assert custom(iam, [ALLOW_ALL], **own, ResourcePolicy=nobody)["EvalDecision"] == "allowed"


def test_only_a_to_z_lose_their_case_in_keys_as_where_it_is_decided(iam: Any, root: Person) -> None:
    for key, given, decision in (
        ("aws:PrincipalTag/\u00c9quipe", "aws:PrincipalTag/\u00c9quipe", "allowed"),
        ("aws:PrincipalTag/\u00c9quipe", "aws:principaltag/\u00c9QUIPE", "allowed"),
        ("aws:PrincipalTag/\u00c9quipe", "aws:PrincipalTag/\u00e9quipe", "implicitDeny"),
        ("aws:PrincipalTag/rank", "aws:PrincipalTag/ran\u212a", "implicitDeny"),
    ):
        policy = document(
            {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {key: "x"}}}
        )
        entry = {"ContextKeyName": given, "ContextKeyValues": ["x"], "ContextKeyType": "string"}
        assert custom(iam, [policy], ContextEntries=[entry])["EvalDecision"] == decision, (key, given)


def test_results_come_in_pages(iam: Any, dave: Person) -> None:
    actions = [f"s3:Action{number}" for number in range(7)]
    pages = iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=dave.user.arn, ActionNames=actions, PaginationConfig={"PageSize": 3}
    )
    names = [[each["EvalActionName"] for each in page["EvaluationResults"]] for page in pages]
    assert names == [actions[:3], actions[3:6], actions[6:]]


def test_a_page_ends_early_when_its_decisions_cost_much(iam: Any) -> None:
    slow = document(*[{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::*" + "?" * 1000 + "b*"}] * 20)
    answer = iam.simulate_custom_policy(
        PolicyInputList=[slow], ActionNames=["s3:Get"] * 200, ResourceArns=["arn:aws:s3:::" + "a" * 2000], MaxItems=1000
    )
    assert answer["IsTruncated"]
    assert 0 < len(answer["EvaluationResults"]) < 100


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        (
            {"PolicyInputList": [NO_ACTIONS]},
            "PolicyInputList.1 is not a policy: Policy statement must contain actions.",
        ),
        ({"ActionNames": ["GetObject"]}, "GetObject is not an action"),
        ({"ResourceArns": ["bucket"]}, "bucket is not the ARN of a resource"),
        ({"CallerArn": "arn:aws:iam::123456789012:role/x"}, "CallerArn must be the ARN of an IAM user"),
        ({"PermissionsBoundaryPolicyInputList": [ALLOW_ALL, ALLOW_ALL]}, "takes one policy"),
        ({"ResourcePolicy": ALLOW_ALL, "CallerArn": "arn:aws:iam::123456789012:user/x"}, "Missing required field"),
        ({"ResourcePolicy": ALLOW_ALL}, "CallerArn must be given"),
        ({"ContextEntries": [entry("aws:x", "1", "2")]}, "its type must be stringList"),
        ({"ContextEntries": [entry("aws:x", "1"), entry("AWS:X", "1")]}, "more than once"),
        ({"ContextEntries": [entry("aws:x", "soon", kind="date")]}, "is not of the type date"),
        ({"ResourceHandlingOption": "EC2-VPC-EBS"}, "is not supported by this release"),
    ],
)
def test_what_cannot_be_simulated_is_refused(iam: Any, parameters: dict[str, Any], words: str) -> None:
    given = {"PolicyInputList": [ALLOW_ALL], "ActionNames": ["s3:GetObject"]} | parameters
    code, status, message = fault_of(iam.simulate_custom_policy, **given)
    assert (code, status) == ("InvalidInput", 400)
    assert words in message


def test_a_principal_of_another_account_is_not_found(iam: Any, alice: Person, trudy: Person) -> None:
    for arn in (
        trudy.user.arn,
        f"arn:aws:iam::{alice.account_id}:user/nobody",
        f"arn:aws:iam::{alice.account_id}:role/x",
    ):
        code, status, _ = fault_of(iam.simulate_principal_policy, PolicySourceArn=arn, ActionNames=["s3:Get"])
        assert (code, status) == ("NoSuchEntity", 404)


def test_the_simulator_says_of_its_own_server_what_happens(iam: Any, root: Person, server: Path) -> None:
    """What SimulatePrincipalPolicy foretells is what the request then meets."""
    carol = make_user(root, "carol", allow("iam:GetUser", resource=f"arn:aws:iam::{root.account_id}:user/c*"))
    for name, allowed in (("carol", True), ("alice", False)):
        (result,) = iam.simulate_principal_policy(
            PolicySourceArn=carol.user.arn,
            ActionNames=["iam:GetUser"],
            ResourceArns=[f"arn:aws:iam::{root.account_id}:user/{name}"],
        )["EvaluationResults"]
        assert (result["EvalDecision"] == "allowed") is allowed
        if allowed:
            assert carol.client().get_user(UserName=name)["User"]["UserName"] == name
        else:
            assert fault_of(carol.client().get_user, UserName=name)[0] == "AccessDenied"
