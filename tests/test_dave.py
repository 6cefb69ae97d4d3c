"""Dave may launch one EC2 instance and read one table, and nothing else: so say the simulator, the API and /authorize alike."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.browser import signed_in
from tests.conftest import SECRETS, URL, Person, allow, make_user
from tests.raw import exchange

INSTANCE = "arn:aws:ec2:eu-west-1:ACCOUNT:instance/i-0123456789abcdef0"
TABLE = "arn:aws:dynamodb:eu-west-1:ACCOUNT:table/orders"
POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "LaunchOne", "Effect": "Allow", "Action": "ec2:RunInstances", "Resource": INSTANCE},
            {"Sid": "ReadOne", "Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": TABLE},
        ],
    }
)
QUESTIONS = [
    ("ec2:RunInstances", INSTANCE, "LaunchOne"),
    ("dynamodb:GetItem", TABLE, "ReadOne"),
    ("ec2:RunInstances", INSTANCE.replace("abcdef0", "abcdef1"), None),
    ("ec2:TerminateInstances", INSTANCE, None),
    ("dynamodb:GetItem", f"{TABLE}-archive", None),
    ("dynamodb:GetItem", TABLE.replace("eu-west-1", "eu-west-2"), None),
    ("dynamodb:PutItem", TABLE, None),
    ("dynamodb:GetItem", INSTANCE, None),
]


def questions(dave: Person) -> list[tuple[str, str, str | None]]:
    """An action, a resource of Dave's account, and the statement that gives it."""
    return [(action, resource.replace("ACCOUNT", dave.account_id), sid) for action, resource, sid in QUESTIONS]


@pytest.fixture
def dave(root: Person) -> Person:
    return make_user(root, "dave", POLICY.replace("ACCOUNT", root.account_id))


def test_the_api_says_so_with_the_reason(iam: Any, dave: Person) -> None:
    for action, resource, sid in questions(dave):
        (result,) = iam.simulate_principal_policy(
            PolicySourceArn=dave.user.arn, ActionNames=[action], ResourceArns=[resource]
        )["EvaluationResults"]
        assert result["EvalDecision"] == ("allowed" if sid else "implicitDeny")
        assert len(result["MatchedStatements"]) == (1 if sid else 0)


def test_the_verifier_door_says_so_with_the_reason(root: Person, dave: Person, server: Path) -> None:
    from credentials.operations.service_tokens import create_service_token

    make_user(root, "gateway", allow("iamconsole:Authorize"))
    token = create_service_token(root.caller, user_name="gateway").secret["token"]
    SECRETS.append(token)
    headers = {"X-Iamconsole-Token": token, "Content-Type": "application/json", "Host": URL.partition("//")[2]}
    for action, resource, sid in questions(dave):
        body = json.dumps({"access_key_id": dave.access_key_id, "action": action, "resource": resource}).encode()
        answer = json.loads(exchange("POST", "/authorize", body, headers).body)
        assert (answer["allowed"], answer["decision"]) == (bool(sid), "allowed" if sid else "implicitDeny")
        if sid:
            assert answer["statement"]["sid"] == sid
        else:
            assert f"no identity-based policy allows the {action} action" in answer["reason"]


def test_the_simulators_page_says_so_with_the_reason(root: Person, dave: Person, alice: Person) -> None:
    client = signed_in(alice)
    for action, resource, sid in questions(dave):
        page = client.get(
            "/console/simulator/", {"policy_source_arn": "dave", "action_names": action, "resource_arns": resource}
        ).content.decode()
        assert ("Allowed" in page) is bool(sid)
        assert (sid or "No statement allows it") in page
