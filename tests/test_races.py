"""Many at once, through every worker and from several processes: limits hold and nothing is lost."""

import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

from botocore.exceptions import ClientError

from accounts.models import Account, User
from credentials.models import AccessKey, LoginProfile
from permissions.models import UserPolicy
from tests.conftest import ROOT, SECRETS, Person, allow, make_account
from tests.everything import new_target
from tests.raw import ask
from tests.rows import breaks, events_of
from tests.test_api_policies import sized

MANY = 20
Rounds = Callable[[int, int], int]
IN_A_PROCESS = """
import sys
import django
django.setup()
from accounts.caller import Caller
from accounts.models import User
from credentials.operations.access_keys import create_access_key
from iamconsole.errors import Fault
user = User.objects.select_related("account").get(user_id=sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[2])):
    try:
        issued = create_access_key(Caller(user=user, door="shell"), user_name="dave")
    except Fault as fault:
        print(fault.code)
    else:
        print(issued.secret["secret_access_key"])
"""


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Make all calls at the same moment. Returns what each answered, or the code it was refused with."""
    together = Barrier(len(calls))

    def make(call: Callable[[], Any]) -> Any:
        together.wait(30)
        try:
            return call()
        except ClientError as error:
            return error.response["Error"]["Code"]

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(make, calls))


def codes(answers: Sequence[Any]) -> Counter[str]:
    """How often each code was answered; ``done`` for a success."""
    return Counter(answer if isinstance(answer, str) else "done" for answer in answers)


def clients(person: Person, number: int = MANY) -> list[Any]:
    """A client for each thread, made here: boto3 does not make them in several threads."""
    return [person.client() for _ in range(number)]


def tag(number: int) -> list[dict[str, str]]:
    return [{"Key": f"k{number}", "Value": "v"}]


def keep_secrets(answers: Sequence[Any]) -> None:
    SECRETS.extend(answer["AccessKey"]["SecretAccessKey"] for answer in answers if not isinstance(answer, str))


# Limits and names


def test_no_third_key_however_many_ask_at_once(root: Person, alice: Person, server: Path, rounds: Rounds) -> None:
    each = clients(alice)
    for number in range(rounds(2, 50)):
        user = new_target(root, f"u{number}")
        answers = at_once([lambda iam=iam, name=user.user_name: iam.create_access_key(UserName=name) for iam in each])
        keep_secrets(answers)
        assert codes(answers) == {"done": 2, "LimitExceeded": MANY - 2}
        assert AccessKey.objects.filter(user=user).count() == 2


def test_no_third_key_from_several_processes(root: Person, rounds: Rounds) -> None:
    new_target(root, "dave")
    command = [sys.executable, "-c", IN_A_PROCESS, root.account_id, str(rounds(7, 50))]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "iamconsole.settings"}
    processes = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [line for process in processes for line in process.communicate(timeout=120)[0].split()]
    made = [line for line in answers if line != "LimitExceeded"]
    SECRETS.extend(made)
    assert len(answers) == 3 * rounds(7, 50)
    assert len(made) == AccessKey.objects.filter(user__account=root.account_id, user__user_name="dave").count() == 2
    assert breaks(events_of(root.account_id)) == []


def test_a_name_is_given_once_in_whatever_case(alice: Person, server: Path, rounds: Rounds) -> None:
    each = clients(alice)
    for number in range(rounds(2, 50)):
        name = f"dave{number}"
        spellings = [name if turn % 2 else name.upper() for turn in range(MANY)]
        answers = at_once(
            [
                lambda iam=iam, name=name: iam.create_user(UserName=name)
                for iam, name in zip(each, spellings, strict=True)
            ]
        )
        assert codes(answers) == {"done": 1, "EntityAlreadyExists": MANY - 1}
        assert User.objects.named(alice.account_id, name).count() == 1


def test_a_name_is_taken_over_once(root: Person, alice: Person, server: Path) -> None:
    each = clients(alice)
    for number in range(MANY):
        new_target(root, f"u{number}")
    answers = at_once(
        [
            lambda iam=iam, number=number: iam.update_user(UserName=f"u{number}", NewUserName="same")
            for number, iam in enumerate(each)
        ]
    )
    assert codes(answers) == {"done": 1, "EntityAlreadyExists": MANY - 1}


def test_an_alias_goes_to_one_of_two_accounts(root: Person, server: Path, rounds: Rounds) -> None:
    other = make_account()
    each = clients(root, 4) + clients(other, 4)
    for number in range(rounds(3, 50)):
        alias = f"race-{root.account_id}-{number}"
        at_once([lambda iam=iam, alias=alias: iam.create_account_alias(AccountAlias=alias) for iam in each])
        assert Account.objects.filter(alias=alias).count() == 1


def test_a_password_is_given_once(root: Person, alice: Person, server: Path) -> None:
    new_target(root, "dave")
    password = "Correct-Horse-7"
    SECRETS.append(password)
    answers = at_once(
        [lambda iam=iam: iam.create_login_profile(UserName="dave", Password=password) for iam in clients(alice, 5)]
    )
    assert codes(answers) == {"done": 1, "EntityAlreadyExists": 4}
    assert LoginProfile.objects.filter(user__account=root.account_id).count() == 1


def test_policies_put_at_once_stay_inside_their_quota(root: Person, alice: Person, server: Path) -> None:
    user = new_target(root, "dave")
    answers = at_once(
        [
            lambda iam=iam, n=number: iam.put_user_policy(
                UserName="dave", PolicyName=f"p{n}", PolicyDocument=sized(500)
            )
            for number, iam in enumerate(clients(alice, 10))
        ]
    )
    assert codes(answers) == {"done": 4, "LimitExceeded": 6}
    assert UserPolicy.objects.filter(user=user).count() == 4


# Nothing is lost


def test_tags_set_at_once_are_all_there(root: Person, alice: Person, server: Path) -> None:
    new_target(root, "dave")
    each = clients(alice)
    answers = at_once([lambda iam=iam, n=n: iam.tag_user(UserName="dave", Tags=tag(n)) for n, iam in enumerate(each)])
    assert codes(answers) == {"done": MANY}
    assert len(each[0].list_user_tags(UserName="dave")["Tags"]) == MANY


def test_the_chain_has_no_gap_and_no_fork(root: Person, alice: Person, mallory: Person, server: Path) -> None:
    for name in ("dave", "erin"):
        new_target(root, name)
    before = len(events_of(root.account_id))
    calls: list[Callable[[], Any]] = []
    for number in range(5):
        mine, hers = alice.client(), mallory.client()
        calls += [
            lambda iam=mine, n=number: iam.create_user(UserName=f"u{n}"),
            lambda iam=mine, n=number: iam.tag_user(UserName="dave", Tags=tag(n)),
            lambda iam=mine: iam.put_user_policy(UserName="erin", PolicyName="p", PolicyDocument=allow("iam:GetUser")),
            lambda iam=hers: iam.list_users(),
        ]
    assert codes(at_once(calls)) == {"done": 15, "AccessDenied": 5}
    events = events_of(root.account_id)
    assert len(events) == before + MANY
    assert breaks(events) == []


def test_any_changes_at_once_end_without_a_failure(root: Person, alice: Person, server: Path, rounds: Rounds) -> None:
    """Deadlocks and rows that vanish under a change would be a 5xx."""
    chance = random.Random(7)
    names = ["dave", "erin", "frank"]
    document = allow("iam:GetUser")
    policy = f"arn:aws:iam::{root.account_id}:policy/p"

    def one(user: str) -> Any:
        action, more = chance.choice(
            [
                ("CreateUser", {}),
                ("CreateAccessKey", {}),
                ("ListAccessKeys", {}),
                ("PutUserPolicy", {"PolicyName": "p", "PolicyDocument": document}),
                ("DeleteUserPolicy", {"PolicyName": "p"}),
                ("TagUser", {"Tags.member.1.Key": "a", "Tags.member.1.Value": str(chance.random())}),
                ("UpdateUser", {"NewUserName": chance.choice(names)}),
                ("DeleteUser", {}),
                ("AddUserToGroup", {"GroupName": "g"}),
                ("RemoveUserFromGroup", {"GroupName": "g"}),
                ("AttachUserPolicy", {"PolicyArn": policy}),
                ("DetachUserPolicy", {"PolicyArn": policy}),
                ("PutUserPermissionsBoundary", {"PermissionsBoundary": policy}),
                ("DeleteUserPermissionsBoundary", {}),
            ]
        )
        return lambda: ask(alice, action, UserName=user, **more)

    def shared(_: str) -> Any:
        action, more = chance.choice(
            [
                ("CreatePolicyVersion", {"PolicyArn": policy, "PolicyDocument": document, "SetAsDefault": "true"}),
                ("DeletePolicyVersion", {"PolicyArn": policy, "VersionId": f"v{chance.randint(1, 9)}"}),
                ("DeletePolicy", {"PolicyArn": policy}),
                ("CreatePolicy", {"PolicyName": "p", "PolicyDocument": document}),
                ("AttachGroupPolicy", {"GroupName": "g", "PolicyArn": policy}),
                ("DetachGroupPolicy", {"GroupName": "g", "PolicyArn": policy}),
                ("CreateGroup", {"GroupName": "g"}),
                ("DeleteGroup", {"GroupName": "g"}),
            ]
        )
        return lambda: ask(alice, action, **more)

    def whole(user: str) -> Any:
        action, more = chance.choice(
            [
                ("CreateUserWithAccess", {"AccessKey": "true", "CopyPermissionsFrom": chance.choice(names)}),
                ("AddUserPermissions", {"CopyPermissionsFrom": chance.choice(names)}),
                ("DeleteUserWithCredentials", {}),
            ]
        )
        return lambda: ask(alice, action, "iamconsole", UserName=user, **more)

    statuses = Counter[int]()
    for _ in range(rounds(3, 50)):
        calls = [chance.choice([one, one, shared, whole])(chance.choice(names)) for _ in range(MANY)]
        for answer in at_once(calls):
            statuses[answer.status] += 1
            SECRETS.extend(filter(None, [answer.text("SecretAccessKey")]))
    assert max(statuses) < 500, statuses
    assert statuses[200]
    assert breaks(events_of(root.account_id)) == []
    assert all(user.access_keys.count() <= 2 for user in User.objects.in_account(root.account_id))
