"""Inline policies through the AWS door: kept to the byte, found in any case, limited in size, in force at once."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest

from tests.conftest import Person, allow, make_user
from tests.faults import fault_of, invalid
from tests.raw import Answer, ask

QUOTA = 2048
ODD = (
    '\t{ "Version":"2012-10-17",\r\n\n  "Id" : "Gr\u00fc\u00dfe \u00a7 + & <b> \\u00e9 %41",   \n'
    '"Statement":[ {"Effect":"Allow","Action":["iam:Get*"],"Resource":"*","Sid":""} ] }\n '
)


@pytest.fixture
def dave(iam: Any) -> str:
    """The name of a user without anything."""
    return str(iam.create_user(UserName="dave")["User"]["UserName"])


def sized(characters: int) -> str:
    """A policy of so many characters that count, and as much white space again."""
    policy = allow("iam:GetUser").replace(" ", "")
    return policy.replace('"Effect"', f'"Sid":"{"s" * (characters - len(policy) - 9)}","Effect"') + " \n\t\r" * 600


def test_a_document_comes_back_to_the_byte_percent_encoded(alice: Person, iam: Any, dave: str) -> None:
    for document in (ODD, allow("iam:*"), json.dumps(json.loads(allow("iam:*")), indent=8)):
        iam.put_user_policy(UserName=dave, PolicyName="p", PolicyDocument=document)
        answer = ask(alice, "GetUserPolicy", UserName=dave, PolicyName="p")
        encoded = answer.text("PolicyDocument") or ""
        assert unquote(encoded) == document
        assert encoded == quote(document, safe="")


def test_names_are_found_in_any_case_and_keep_the_first_one(iam: Any, dave: str) -> None:
    iam.put_user_policy(UserName=dave, PolicyName="Read", PolicyDocument=allow("iam:GetUser"))
    iam.put_user_policy(UserName=dave, PolicyName="rEAD", PolicyDocument=allow("iam:ListUsers"))
    iam.put_user_policy(UserName=dave, PolicyName="audit", PolicyDocument=allow("iam:ListUsers"))
    assert iam.list_user_policies(UserName=dave)["PolicyNames"] == ["audit", "Read"]
    got = iam.get_user_policy(UserName="DAVE", PolicyName="READ")
    assert (got["UserName"], got["PolicyName"]) == ("dave", "Read")
    assert got["PolicyDocument"] == json.loads(allow("iam:ListUsers"))
    iam.delete_user_policy(UserName=dave, PolicyName="read")
    missing = ("NoSuchEntity", 404, "The user policy with name read cannot be found.")
    assert fault_of(iam.get_user_policy, UserName=dave, PolicyName="read") == missing
    assert fault_of(iam.delete_user_policy, UserName=dave, PolicyName="read") == missing


def test_policies_of_a_user_are_not_anothers(iam: Any, dave: str) -> None:
    iam.put_user_policy(UserName="alice", PolicyName="mine", PolicyDocument=allow("iam:GetUser"))
    assert fault_of(iam.get_user_policy, UserName=dave, PolicyName="mine")[0] == "NoSuchEntity"


def test_all_policies_of_a_user_share_2048_characters_without_white_space(iam: Any, dave: str) -> None:
    over = ("LimitExceeded", 409, f"Maximum policy size of {QUOTA} bytes exceeded for user dave")

    def put(name: str, size: int) -> None:
        iam.put_user_policy(UserName=dave, PolicyName=name, PolicyDocument=sized(size))

    put("a", QUOTA)
    put("A", QUOTA)
    assert fault_of(put, name="b", size=200) == over
    assert fault_of(put, name="a", size=QUOTA + 1) == over
    put("a", QUOTA - 200)
    put("b", 200)
    assert fault_of(put, name="b", size=201) == over
    assert iam.list_user_policies(UserName=dave)["PolicyNames"] == ["a", "b"]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("x", "Syntax errors in policy."),
        ("[]", "Syntax errors in policy."),
        ('{"Version":"2012-10-17","Version":"2012-10-17","Statement":[]}', "Syntax errors in policy."),
        ("[" * 100_000, "Syntax errors in policy."),
        (
            '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Resource":"*"}}',
            "Policy statement must contain actions.",
        ),
        (
            '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:*"}}',
            "Policy statement must contain resources.",
        ),
        (
            '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"DateEquals":{"a":"soon"}}}}',
            "The policy failed legacy parsing",
        ),
    ],
    ids=["no JSON", "no object", "a key twice", "deep", "no action", "no resource", "no date"],
)
def test_a_malformed_document_is_refused_and_changes_nothing(iam: Any, dave: str, document: str, message: str) -> None:
    iam.put_user_policy(UserName=dave, PolicyName="p", PolicyDocument=allow("iam:GetUser"))
    refused = fault_of(iam.put_user_policy, UserName=dave, PolicyName="p", PolicyDocument=document)
    assert refused == ("MalformedPolicyDocument", 400, message)
    kept = iam.get_user_policy(UserName=dave, PolicyName="p")["PolicyDocument"]
    assert kept == json.loads(allow("iam:GetUser"))


def test_a_document_outside_of_latin_1_or_too_long_is_invalid(iam: Any, dave: str) -> None:
    pattern = r"Member must satisfy regular expression pattern: [\u0009\u000A\u000D\u0020-\u00FF]+"
    longest = "Member must have length less than or equal to 131072"
    for document, constraint in (("{}\u0100", pattern), (" " * 131_073, longest)):
        refused = fault_of(iam.put_user_policy, UserName=dave, PolicyName="p", PolicyDocument=document)
        assert refused == invalid(("policyDocument", constraint))


def test_policy_names_have_1_to_128_characters(iam: Any, dave: str) -> None:
    iam.put_user_policy(UserName=dave, PolicyName="p" * 128, PolicyDocument=allow("iam:GetUser"))
    assert fault_of(iam.get_user_policy, UserName=dave, PolicyName="p" * 129) == invalid(
        ("policyName", "Member must have length less than or equal to 128")
    )
    assert fault_of(iam.get_user_policy, UserName=dave, PolicyName="a b")[0] == "ValidationError"


# What AccessDenied says, word for word


def denied(answer: Answer) -> str:
    """AWS's words of a refusal, behind which the decision's id stands."""
    assert (answer.status, answer.code) == (403, "AccessDenied")
    words, told, decision_id = answer.message.partition(" (decision id: ")
    assert told
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\)", decision_id)
    return words


def test_access_denied_names_the_caller_the_action_and_the_resource_as_aws_does(mallory: Person, server: Path) -> None:
    account = mallory.account_id
    user = f"User: arn:aws:iam::{account}:user/mallory is not authorized to perform"

    def because(action: str) -> str:
        return f"because no identity-based policy allows the {action} action"

    for action, parameters, resource in (
        ("GetUser", {"UserName": "Dave"}, "user Dave"),
        ("GetUser", {}, "user mallory"),
        ("DeleteUser", {"UserName": "Dave"}, "user Dave"),
        ("UpdateUser", {"UserName": "Dave", "NewUserName": "D"}, "user Dave"),
        ("CreateAccessKey", {"UserName": "Dave"}, "user Dave"),
        ("PutUserPolicy", {"UserName": "Dave", "PolicyName": "p", "PolicyDocument": "{}"}, "user Dave"),
        ("ChangePassword", {"OldPassword": "a", "NewPassword": "b"}, "user mallory"),
        ("ListUsers", {}, f"arn:aws:iam::{account}:user/"),
        ("ListUsers", {"PathPrefix": "/team/"}, f"arn:aws:iam::{account}:user/team/"),
        ("CreateUser", {"UserName": "Dave", "Path": "/team/"}, f"arn:aws:iam::{account}:user/team/Dave"),
        ("GetAccountSummary", {}, "*"),
        ("CreateAccountAlias", {"AccountAlias": "acme"}, "*"),
    ):
        expected = f"{user}: iam:{action} on resource: {resource} {because(f'iam:{action}')}"
        assert denied(ask(mallory, action, **parameters)) == expected
    key = "AKIAIOSFODNN7EXAMPLE"
    last_used = denied(ask(mallory, "GetAccessKeyLastUsed", AccessKeyId=key))
    assert last_used == f"{user} iam:GetAccessKeyLastUsed on resource: access key {key}"
    information = denied(ask(mallory, "GetAccessKeyInfo", "sts", AccessKeyId=key))
    assert information == f"{user}: sts:GetAccessKeyInfo on resource: * {because('sts:GetAccessKeyInfo')}"


def test_access_denied_tells_an_explicit_deny(root: Person, server: Path) -> None:
    statements = [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "iam:DeleteUser", "Resource": f"arn:aws:iam::{root.account_id}:user/team/*"},
    ]
    make_user(root, "Dave", path="/team/")
    carol = make_user(root, "carol", json.dumps({"Version": "2012-10-17", "Statement": statements}))
    assert denied(ask(carol, "DeleteUser", UserName="Dave")) == (
        f"User: arn:aws:iam::{root.account_id}:user/carol is not authorized to perform: iam:DeleteUser"
        " on resource: user Dave with an explicit deny in an identity-based policy"
    )


def test_a_policy_is_in_force_for_the_next_request(iam: Any, bob: Person) -> None:
    read = bob.client().list_users
    assert fault_of(read)[0] == "AccessDenied"
    iam.put_user_policy(UserName="bob", PolicyName="p", PolicyDocument=allow("iam:ListUsers"))
    read()
    iam.delete_user_policy(UserName="bob", PolicyName="p")
    assert fault_of(read)[0] == "AccessDenied"
