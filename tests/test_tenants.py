"""trudy administers another account and knows every name in alice's. She sees, counts and touches nothing of it.

What she asks about alice's things is answered as if they had never been; and through every door alike.
"""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from accounts.job_models import Job
from accounts.models import Group, User
from accounts.nonces import new_nonce
from accounts.operations.user_changes import KIND as CHANGE
from api import wire
from credentials.operations.credential_reports import generate_credential_report
from iamconsole.errors import Fault
from iamconsole.operation import Operation, every_operation
from permissions.models import ManagedPolicy
from tests.conftest import ALLOW_ALL, SECRETS, Person, caller_for, make_account, make_user
from tests.everything import AWS_POLICY, Values, furnish, give_password, invent, names_of, parameters, without_names
from tests.raw import Answer, ask, run
from tests.rows import rows_of

EVERY = list(every_operation())
# What is unique in the whole installation can be seen to be taken, on AWS as here.
GLOBAL = {"iam:CreateAccountAlias": "account_alias", "iamconsole:UpdateRootUserEmail": "email"}
Rows = dict[str, Any]
SHOWN_ONCE = ("SecretAccessKey", "SessionToken", "Base32StringSeed", "QRCodePNG", "Password")
SECRET = re.compile("|".join(rf"(?<=<{name}>)[^<]+|(?<='{name}': ')[^']+" for name in SHOWN_ONCE))
NEW = re.compile(
    r"(AIDA|AKIA|ASIA|AGPA|ANPA|ASCA)[A-Z2-7]{16,17}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[0-9:.]+Z"
    r"|FILE-[0-9a-f]{8}|(?<=\"challenge\": \")[\w-]+"
)


@pytest.fixture
def other() -> Person:
    """The root user of trudy's account, where a credential report is on the way: who asks twice gets one answer."""
    other = make_account()
    generate_credential_report(other.caller)
    return other


@pytest.fixture
def trudy(other: Person) -> Person:
    return make_user(other, "trudy", ALLOW_ALL)


def identifiers(root: Person, values: Values) -> list[str]:
    """What an answer would hold that told something of the account."""
    dave = User.objects.get(account_id=root.account_id, user_name="dave")
    ids = [dave.user_id, root.access_key_id, f"arn:aws:iam::{root.account_id}", str(root.user.email)]
    ids += Group.objects.in_account(root.account_id).values_list("group_id", flat=True)
    return ids + list(ManagedPolicy.objects.own(root.account_id).values_list("policy_id", flat=True))


def by_door(trudy: Person, door: Any, operation: Operation[Any], given: Values) -> str:
    """What an operation answers to trudy in the console or the shell, as data or as the fault."""
    caller = caller_for(trudy.user, door)
    caller = replace(caller, nonce=new_nonce(caller.user) if door == "console" else None)
    try:
        result = operation(caller, **given)
    except Fault as fault:
        return f"{fault.code}: {fault.message}"
    return repr(wire.pick(operation.model.output, result, secrets=True, omits=operation.omits))


def exposed(operation: Operation[Any], existing: Values, invented: Values) -> Values:
    """The existing values, without the one that another account may see to be taken."""
    name = GLOBAL.get(operation.action)
    return {**existing, name: invented[name]} if name else existing


@pytest.fixture(scope="module")
def untouched(server: Path) -> tuple[Person, Values, Rows]:
    """The root user of an account, and what exists there, which nobody of another one changes: by name, and all rows."""
    root = make_account()
    values = furnish(root)
    return root, values, rows_of(root.account_id)


@pytest.mark.parametrize("operation", EVERY, ids=names_of(EVERY))
def test_nothing_of_another_account_is_seen_or_touched(
    operation: Operation[Any], untouched: tuple[Person, Values, Rows], other: Person, trudy: Person
) -> None:
    root, existing, before = untouched
    invented = invent(root)
    hidden = identifiers(root, existing)
    for door in ("api", "console", "shell"):
        answers = []
        for values in (exposed(operation, existing, invented), invented):
            # Each door and each turn makes its own users, or the second would find the first one's.
            new = f"new-{door}-{len(answers)}"
            turn = {"new_user_name": new, "new_group_name": new}
            given = parameters(operation, {**values, **turn})
            if door == "api":
                answer: Answer = run(trudy, operation.model, given)
                text = f"{answer.status} {answer.body.decode()}"
            else:
                text = by_door(trudy, door, operation, given)
            Job.objects.filter(account=other.account_id, kind=CHANGE).delete()  # no more than five go on at once
            SECRETS.extend(SECRET.findall(text))
            told = without_names(SECRET.sub("<new>", text), given)
            assert not [each for each in hidden if each in told]
            # The own trail is longer by what was just done.
            answers.append(re.sub(r"(LastSequence\W+)\d+", r"\1<own>", NEW.sub("<new>", told)))
        assert answers[0] == answers[1], f"{door} tells what exists in another account"
    assert rows_of(root.account_id) == before


def test_the_root_user_of_another_account_is_no_better(root: Person, other: Person, server: Path) -> None:
    existing = furnish(root)
    give_password(other.user)
    before = rows_of(root.account_id)
    for operation in EVERY:
        values = {**existing, "new_user_name": "newcomer", "new_group_name": "newcomers"}
        given = parameters(operation, values)
        text = run(other, operation.model, given).body.decode()
        SECRETS.extend(SECRET.findall(text))
        told = without_names(text, given).replace(str(existing["email"]), "")
        assert not [each for each in identifiers(root, existing) if each in told]
    assert rows_of(root.account_id) == before


def test_nothing_of_another_account_is_counted(root: Person, other: Person, trudy: Person, server: Path) -> None:
    mine = trudy.client()
    before = mine.get_account_summary()["SummaryMap"]
    shared = mine.get_policy(PolicyArn=AWS_POLICY)["Policy"]
    furnish(root)
    assert mine.get_account_summary()["SummaryMap"] == before
    assert [user["UserName"] for user in mine.list_users()["Users"]] == ["trudy"]
    assert mine.list_groups()["Groups"] == []
    assert mine.list_policies(Scope="Local")["Policies"] == mine.list_policies(OnlyAttached=True)["Policies"] == []
    assert mine.get_policy(PolicyArn=AWS_POLICY)["Policy"] == shared
    assert mine.list_entities_for_policy(PolicyArn=AWS_POLICY)["PolicyGroups"] == []
    details = mine.get_account_authorization_details()
    assert details["GroupDetailList"] == details["Policies"] == []


def test_a_policy_that_names_another_accounts_arn_gives_nothing_there(
    root: Person, other: Person, server: Path
) -> None:
    furnish(root)
    arn = f"arn:aws:iam::{root.account_id}:*"
    policy = f'{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "*", "Resource": "{arn}"}}}}'
    eve = make_user(other, "eve", policy)
    for action in ("GetUser", "DeleteUser", "ListUserPolicies", "CreateAccessKey"):
        answer = ask(eve, action, UserName="dave")
        assert (answer.status, answer.code) == (403, "AccessDenied")
        assert root.account_id not in answer.message


def test_an_arn_or_an_id_is_no_name(root: Person, trudy: Person, server: Path) -> None:
    furnish(root)
    dave = User.objects.get(account_id=root.account_id, user_name="dave")
    assert ask(trudy, "GetUser", UserName=dave.arn).code == "ValidationError"
    assert ask(trudy, "GetUser", UserName=dave.user_id).code == "NoSuchEntity"
    assert ask(trudy, "GetUser", UserName=f"{root.account_id}.dave").code == "NoSuchEntity"


def test_same_names_in_two_accounts_are_two_users(root: Person, other: Person, trudy: Person, server: Path) -> None:
    furnish(root)
    before = rows_of(root.account_id)
    make_user(other, "dave")
    mine = trudy.client()
    mine.update_user(UserName="dave", NewPath="/mine/")
    mine.tag_user(UserName="dave", Tags=[{"Key": "mine", "Value": ""}])
    for key in mine.list_access_keys(UserName="dave")["AccessKeyMetadata"]:
        mine.delete_access_key(UserName="dave", AccessKeyId=key["AccessKeyId"])
    mine.delete_user(UserName="dave")
    assert rows_of(root.account_id) == before
