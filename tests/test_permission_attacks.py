"""What a hostile colleague tried: tags as a way around conditions, refusals as a source of knowledge, pages as a second path."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from accounts.arns import new_access_key_id
from accounts.models import User
from permissions.operations.inline import put_user_policy
from tests.browser import signed_in
from tests.conftest import ALLOW_ALL, Person, allow, make_user
from tests.faults import fault_of
from tests.raw import ask
from tests.test_verifier import issue

POLICY = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Resource": "*"} | each for each in statements]})


def tags(**pairs: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in pairs.items()]


def tags_of(name: str, person: Person) -> dict[str, str]:
    user = User.objects.get(account=person.account_id, user_name=name)
    return {tag["key"]: tag["value"] for tag in user.tags}


EVERYTHING = {"Effect": "Allow", "Action": "*"}


# Tags


def test_setting_all_tags_is_decided_on_what_is_set_and_on_what_goes(iam: Any, root: Person) -> None:
    keep_team = {
        "Effect": "Deny",
        "Action": "iam:UntagUser",
        "Condition": {"ForAnyValue:StringEquals": {"aws:TagKeys": "team"}},
    }
    only_cost = {
        "Effect": "Deny",
        "Action": "iam:TagUser",
        "Condition": {"ForAnyValue:StringNotEquals": {"aws:TagKeys": "cost"}},
    }
    eve = make_user(root, "eve", document(EVERYTHING, keep_team, only_cost))
    make_user(root, "dave")
    iam.tag_user(UserName="dave", Tags=tags(team="red", cost="1"))

    def set_all(**pairs: str) -> str | None:
        sent = {
            f"Tags.member.{number}.{part}": text
            for number, pair in enumerate(pairs.items(), 1)
            for part, text in zip(("Key", "Value"), pair, strict=True)
        }
        return ask(eve, "SetUserTags", "iamconsole", UserName="dave", **sent).code

    assert set_all(cost="1") == "AccessDenied"
    assert set_all(team="blue", cost="1") == "AccessDenied"
    assert tags_of("dave", root) == {"team": "red", "cost": "1"}
    assert set_all(team="red", cost="2") is None
    assert tags_of("dave", root) == {"team": "red", "cost": "2"}


def test_tags_of_a_policy_that_differ_in_case_hide_nothing(iam: Any, root: Person) -> None:
    no_admin = {
        "Effect": "Deny",
        "Action": "iam:TagPolicy",
        "Condition": {"StringEquals": {"aws:RequestTag/team": "admin"}},
    }
    eve = make_user(root, "eve", document(EVERYTHING, no_admin)).client()
    arn = iam.create_policy(PolicyName="p", PolicyDocument=allow("s3:*"))["Policy"]["Arn"]
    for given in (tags(team="admin"), tags(team="admin", TEAM="x"), tags(TEAM="x", team="admin")):
        assert fault_of(eve.tag_policy, PolicyArn=arn, Tags=given)[0] == "AccessDenied"
    eve.tag_policy(PolicyArn=arn, Tags=tags(team="x"))


def test_a_key_that_only_unicode_takes_for_another_is_another(iam: Any, root: Person) -> None:
    kelvin = "ran\u212a"
    assert kelvin.lower() == "rank"
    eve = make_user(
        root,
        "eve",
        document(
            {
                "Effect": "Allow",
                "Action": "iam:ListUsers",
                "Condition": {"StringEquals": {"aws:PrincipalTag/rank": "admin"}},
            }
        ),
    )
    iam.tag_user(UserName="eve", Tags=[{"Key": kelvin, "Value": "admin"}])
    assert fault_of(eve.client().list_users)[0] == "AccessDenied"
    iam.tag_user(UserName="eve", Tags=tags(RANK="admin"))
    eve.client().list_users()
    assert tags_of("eve", root) == {kelvin: "admin", "RANK": "admin"}


def test_a_protected_user_is_protected_from_every_operation(iam: Any, root: Person) -> None:
    protect = {"Effect": "Deny", "Action": "*", "Condition": {"StringEquals": {"aws:ResourceTag/protected": "yes"}}}
    eve = make_user(root, "eve", document(EVERYTHING, protect))
    make_user(root, "dave")
    iam.tag_user(UserName="dave", Tags=tags(protected="yes"))
    for action in ("CreateServiceToken", "ListServiceTokens", "DeleteUserWithCredentials"):
        assert ask(eve, action, "iamconsole", UserName="dave").code == "AccessDenied"
    assert ask(eve, "CreateAccessKey", UserName="dave").code == "AccessDenied"


# Knowledge


def test_ones_own_refusals_tell_nothing_of_what_they_were_about(iam: Any, root: Person, mallory: Person) -> None:
    make_user(root, "dave", path="/secret-project/")
    iam.tag_user(UserName="dave", Tags=tags(salary="E7"))
    iam.put_user_permissions_boundary(UserName="dave", PermissionsBoundary=POLICY)
    key = iam.create_access_key(UserName="dave")["AccessKey"]["AccessKeyId"]
    told = []
    for name in ("dave", "nemo"):
        ask(mallory, "GetUser", UserName=name)
        ask(mallory, "DetachUserPolicy", UserName=name, PolicyArn=POLICY)
        ask(mallory, "GetAccessKeyLastUsed", AccessKeyId=key)
        text = ask(mallory, "ListOwnDecisions", "iamconsole", MaxItems="3").body.decode()
        assert "user dave" in text or name == "nemo"
        assert not [each for each in ("secret-project", "salary", "E7", "permissionsboundary") if each in text.lower()]
        told.append(text)
    assert "E7" in ask(root, "GetDecision", "iamconsole", DecisionId=decision_of(mallory, "GetUser")).body.decode()


def test_a_key_that_one_may_not_ask_about_is_refused_like_one_that_never_was(iam: Any, root: Person) -> None:
    secret = make_user(root, "secret")
    away = {"Effect": "Deny", "Action": "iam:*", "Resource": secret.user.arn}
    eve = make_user(root, "eve", document(EVERYTHING, away))
    answers, told = set(), set()
    for key_id in (secret.access_key_id, new_access_key_id(root.account_id)):
        answer = ask(eve, "GetAccessKeyLastUsed", AccessKeyId=key_id)
        assert answer.code == "AccessDenied"
        named = re.search(r"decision id: ([0-9a-f-]{36})", answer.body.decode())
        assert named
        answers.add(blurred(answer.body.decode(), key_id))
        own = ask(eve, "ListOwnDecisions", "iamconsole", DecisionId=named[1]).body.decode()
        assert "GetAccessKeyLastUsed" in own
        told.add(blurred(own, key_id))
        full = ask(root, "GetDecision", "iamconsole", DecisionId=named[1]).body.decode()
        assert ("missing" in full) is (key_id != secret.access_key_id)
    assert len(answers) == len(told) == 1


def blurred(text: str, key_id: str) -> str:
    """The text without the key's id, and what differs from one request to the next."""
    text = re.sub(
        r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9-]{10}T[0-9:.]{8,15}Z", "…", text.replace(key_id, "…")
    )
    return re.sub(r"\b1[0-9]{9}\b", "…", text)


def decision_of(person: Person, action: str) -> str:
    """The id of the person's first refusal of the action."""
    from audit.models import Event

    event = Event.objects.filter(actor_id=person.user.user_id, action=f"iam:{action}").order_by("sequence").first()
    assert event
    return str(event.event_id)


def test_a_refused_deletion_names_no_group(iam: Any, root: Person) -> None:
    eve = make_user(root, "eve", allow("iam:Delete*", "iam:Detach*", "iamconsole:*"))
    make_user(root, "dave")
    iam.create_group(GroupName="TopSecretProject")
    iam.add_user_to_group(GroupName="TopSecretProject", UserName="dave")
    answer = ask(eve, "DeleteUserWithCredentials", "iamconsole", UserName="dave")
    assert answer.code == "AccessDenied"
    assert "TopSecretProject" not in answer.message


def test_the_simulator_reads_nothing_of_the_user_that_callerarn_names(iam: Any, root: Person) -> None:
    eve = make_user(root, "eve")
    own = allow("iam:SimulatePrincipalPolicy", resource=eve.user.arn)
    put_user_policy(root.caller, user_name="eve", policy_name="own", policy_document=own)
    dave = make_user(root, "dave")
    iam.tag_user(UserName="dave", Tags=tags(salary="E7"))
    probe = document(
        {"Effect": "Allow", "Action": "s3:Get", "Condition": {"StringEquals": {"aws:PrincipalTag/salary": "E7"}}}
    )
    for arn in (dave.user.arn, f"arn:aws:iam::{root.account_id}:user/nemo"):
        (result,) = eve.client().simulate_principal_policy(
            PolicySourceArn=eve.user.arn, CallerArn=arn, ActionNames=["s3:Get"], PolicyInputList=[probe]
        )["EvaluationResults"]
        assert result["EvalDecision"] == "implicitDeny"


def test_pages_show_no_more_of_what_is_denied_than_was_asked(iam: Any, root: Person) -> None:
    eve = make_user(root, "eve", allow("iam:GetPolicy", "iam:CreateUser", "iam:ListUsers"))
    make_user(root, "dave", path="/secret-project/")
    arn = iam.create_policy(PolicyName="p", PolicyDocument=allow("s3:*"))["Policy"]["Arn"].replace("/", "~1")
    client = signed_in(eve)
    pages = [client.get(f"/console/policies/{arn}/users/{name}/detach/").content.decode() for name in ("dave", "nemo")]
    assert "secret-project" not in pages[0]


# Pages decide as operations do


def test_the_list_and_the_search_heed_conditions_on_the_users_tags(iam: Any, root: Person) -> None:
    hide = {
        "Effect": "Deny",
        "Action": ["iam:ListAccessKeys", "iam:ListGroupsForUser", "iam:GetLoginProfile"],
        "Condition": {"StringEquals": {"aws:ResourceTag/vip": "yes"}},
    }
    eve = make_user(root, "eve", document(EVERYTHING, hide))
    vip = make_user(root, "vip")
    iam.tag_user(UserName="vip", Tags=tags(vip="yes"))
    iam.create_group(GroupName="board")
    iam.add_user_to_group(GroupName="board", UserName="vip")
    client = signed_in(eve)
    users = "/console/accounts/user/"
    for page in (client.get(users), client.get(users, {"q": vip.access_key_id})):
        assert "board" not in page.content.decode().partition("<main")[2].replace('href="#', "")
    assert vip.access_key_id not in client.get(users).content.decode()
    assert "(0 of" in client.get(users, {"q": vip.access_key_id}).content.decode()
    assert client.get("/console/search/", {"q": vip.access_key_id}).status_code == 200


def test_no_page_asks_the_engine_past_the_operations() -> None:
    root = Path(__file__).resolve().parent.parent
    asking = {
        str(path.relative_to(root))
        for app in ("accounts", "api", "audit", "credentials", "iamconsole", "permissions")
        for path in (root / app).rglob("*.py")
        if "caller.decide(" in path.read_text() or "asked_for.decide(" in path.read_text()
    }
    assert asking == {"iamconsole/decided.py", "credentials/operations/authorize.py"}


# The verifier and resource-based policies


@pytest.mark.parametrize("address", ["192.0.2.7", "::ffff:192.0.2.7", "::ffff:c000:207"])
def test_a_mapped_address_is_the_address_at_the_verifier_door(root: Person, server: Path, address: str) -> None:
    from credentials.operations.authorize import authorize
    from tests.conftest import caller_for

    block = {"Effect": "Deny", "Action": "*", "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}
    dave = make_user(root, "dave", document(EVERYTHING, block))
    asker = make_user(root, "asker", allow("iamconsole:Authorize"))
    assert issue(root, "asker")
    answer = authorize(
        caller_for(asker.user),
        signer={"access_key_id": dave.access_key_id},
        action_name="s3:Get",
        resource_arn="*",
        context=[{"key": "aws:SourceIp", "values": [address]}],
    )
    assert answer.decision == "explicitDeny"


def test_a_principal_may_be_named_by_its_unique_id(iam: Any, bob: Person) -> None:
    statement = {"Effect": "Deny", "Principal": {"AWS": bob.user.user_id}, "Action": "s3:*", "Resource": "*"}
    iam.put_user_policy(UserName="bob", PolicyName="all", PolicyDocument=ALLOW_ALL)
    (result,) = iam.simulate_principal_policy(
        PolicySourceArn=bob.user.arn, ActionNames=["s3:Get"], ResourcePolicy=document(statement)
    )["EvaluationResults"]
    assert result["EvalDecision"] == "explicitDeny"


@pytest.mark.parametrize("principal", ["arn:aws:iam::123456789012:user/*", "arn:aws:iam::123456789012:user/al?ce"])
def test_a_principal_with_a_wildcard_is_refused(iam: Any, alice: Person, principal: str) -> None:
    policy = document({"Effect": "Deny", "Principal": {"AWS": principal}, "Action": "s3:*"})
    code, _, message = fault_of(
        iam.simulate_principal_policy,
        PolicySourceArn=alice.user.arn,
        ActionNames=["s3:Get"],
        ResourcePolicy=policy,
    )
    assert (code, "Invalid principal in policy" in message) == ("InvalidInput", True)


# Cost


def test_a_page_of_the_simulator_ends_before_its_answer_is_huge(iam: Any) -> None:
    many = document(*[{"Effect": "Allow", "Action": "*"}] * 1500)
    asking = document(
        {"Effect": "Deny", "Action": "*", "Condition": {"StringEquals": {f"aws:k{n}": "v" for n in range(3000)}}}
    )
    for policy in (many, asking):
        answer = ask_simulation(iam, policy)
        assert answer["IsTruncated"]
        assert 0 < len(answer["EvaluationResults"]) < 20


def ask_simulation(iam: Any, policy: str) -> Any:
    return iam.simulate_custom_policy(
        PolicyInputList=[policy], ActionNames=[f"s3:A{n}" for n in range(300)], MaxItems=1000
    )


def test_what_was_copied_stands_in_the_trail(iam: Any, root: Person) -> None:
    from tests.rows import events_of

    make_user(root, "dave", allow("s3:GetObject"))
    make_user(root, "erin")
    assert ask(root, "AddUserPermissions", "iamconsole", UserName="erin", CopyPermissionsFrom="dave").status == 200
    (put,) = [
        each
        for each in events_of(root.account_id)
        if each.action == "iam:PutUserPolicy" and each.resource.endswith("erin")
    ]
    assert "s3:GetObject" in json.dumps(put.parameters)
