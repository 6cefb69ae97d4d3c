"""The shell door: accounts, and any operation as an account's root user."""

import json
import secrets
import subprocess
import sys
from contextlib import suppress
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.quotas import GREATEST, QUOTAS
from accounts.throttle import reserve, sign_in_budgets
from api.shapes import services
from credentials.mfa.models import GuessBudget
from credentials.mfa.throttle import MOST_FAILURES, Guesser
from iamconsole.errors import Throttling
from tests.authenticators import give_app
from tests.browser import PASSWORD, a_client, give_password
from tests.conftest import ROOT, SECRETS, Person, allow, make_account, make_user

pytestmark = pytest.mark.pure

ANOTHER = "Green-Goose-8-Ladder"


def manage(*arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def new_account(*arguments: str) -> dict[str, Any]:
    done = manage(
        "createaccount", "Shell Ltd", "--root-email", f"{secrets.token_hex(6)}@example.org", "--json", *arguments
    )
    assert done.returncode == 0, done.stderr
    made: dict[str, Any] = json.loads(done.stdout)
    SECRETS.extend(
        secret
        for secret in (
            made["secret_access_key"],
            made["root_secret_access_key"],
            made["root_setup_url"].rstrip("/").split("/")[-1],
        )
        if secret
    )
    return made


def test_createaccount_prints_one_json_object_and_nothing_else() -> None:
    alias = f"shell-{secrets.token_hex(4)}"
    made = new_account("--alias", alias, "--admin-user", "admin", "--root-access-key")
    assert list(made) == [
        "account_id", "alias", "root_email", "sign_in_url", "root_setup_url", "admin_user_name", "access_key_id",
        "secret_access_key", "root_access_key_id", "root_secret_access_key",
    ]  # fmt: skip
    assert made["alias"] == alias
    assert made["sign_in_url"].endswith(f"/signin/{alias}/")
    assert len(made["secret_access_key"]) == len(made["root_secret_access_key"]) == 40


def test_createaccount_leaves_null_what_was_not_asked_for() -> None:
    made = new_account()
    assert [made[name] for name in ("alias", "admin_user_name", "access_key_id", "root_access_key_id")] == [None] * 4


@pytest.mark.asvs("6.3.2")
def test_a_new_account_has_nothing_to_sign_in_with_but_its_link() -> None:
    made = new_account()
    users = User.objects.filter(account_id=made["account_id"])
    assert [(each.user_name, each.has_usable_password(), each.access_keys.count()) for each in users] == [
        (None, False, 0)
    ]
    assert len(made["root_setup_url"].rstrip("/").rpartition("/")[2]) >= 32


def test_the_administrator_of_a_new_account_may_do_everything(server: Any) -> None:
    made = new_account("--admin-user", "admin")
    from accounts.models import User

    admin = User.objects.get(account_id=made["account_id"], user_name="admin")
    from tests.conftest import caller_for

    iam = Person(caller_for(admin), made["access_key_id"], made["secret_access_key"]).client()
    assert [user["UserName"] for user in iam.list_users()["Users"]] == ["admin"]
    (attached,) = iam.list_attached_user_policies(UserName="admin")["AttachedPolicies"]
    assert attached["PolicyArn"] == "arn:aws:iam::aws:policy/AdministratorAccess"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--root-email", "nobody"], "InvalidInput: nobody is not an e-mail address."),
        (["--root-email", "a@example.org", "--alias", "Not-An-Alias"], "accountLabelType|alias"),
        (["--root-email", "a@example.org", "--alias", "a--b"], "An alias has 3 to 63"),
        (["--root-email", "a@example.org", "--alias", "123456789012"], "is not twelve digits"),
        (["--root-email", "a@example.org", "--admin-user", "not a name"], "ValidationError"),
    ],
)
def test_createaccount_says_what_is_wrong(arguments: list[str], words: str) -> None:
    done = manage("createaccount", "Wrong", *arguments)
    assert done.returncode == 1
    assert any(word in done.stderr for word in words.split("|")), done.stderr
    assert "Traceback" not in done.stderr


def test_an_alias_and_a_root_address_are_taken_once() -> None:
    alias = f"taken-{secrets.token_hex(4)}"
    made = new_account("--alias", alias)
    again = manage("createaccount", "Again", "--root-email", made["root_email"].upper())
    assert "Another account's root user has the e-mail address" in again.stderr
    again = manage("createaccount", "Again", "--root-email", "other@example.org", "--alias", alias)
    assert f"The account alias {alias} already exists." in again.stderr


def test_the_administrator_gets_nothing_when_the_account_cannot_be_made() -> None:
    from accounts.models import Account

    before = Account.objects.count()
    assert manage("createaccount", "Half", "--root-email", "half@example.org", "--admin-user", "é").returncode == 1
    assert Account.objects.count() == before


def test_iam_runs_an_operation_and_prints_its_answer(alice: Person) -> None:
    done = manage(
        "iam",
        "CreateUser",
        "UserName=dave",
        "Tags.member.1.Key=team",
        "Tags.member.1.Value=blue",
        "--account",
        alice.account_id,
    )
    user = json.loads(done.stdout)["User"]
    assert user["Arn"] == f"arn:aws:iam::{alice.account_id}:user/dave"
    assert user["Tags"] == [{"Key": "team", "Value": "blue"}]
    done = manage("iam", "DeleteUser", "UserName=dave", "--account", alice.account_id)
    assert (done.returncode, done.stdout) == (0, "")


def test_iam_says_a_fault_by_its_code(alice: Person) -> None:
    done = manage("iam", "GetUser", "UserName=nobody", "--account", alice.account_id)
    assert done.returncode == 1
    assert "NoSuchEntity: The user with name nobody cannot be found." in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["Nonsense"], "There is no operation Nonsense."),
        (["CreateRole"], "CreateRole is not supported by this release"),
        (["CreateAccount", "Name=x"], "has a command of its own"),
        (["GetUser", "Name=x"], "GetUser has no parameter Name. It has: UserName"),
        (["GetUser", "x"], "write parameters as Key=Value"),
        (["GetUser", "UserName=a", "UserName=b"], "given twice"),
        (["CreateLoginProfile", "UserName=bob", "Password=Secret-123"], "write Password=-"),
        (
            [
                "Authorize",
                "Signer.Request.Headers.member.1.Name=Authorization",
                "Signer.Request.Headers.member.1.Value=x",
            ],
            "write Signer.Request.Headers.member.1.Value=-",
        ),
    ],
)
def test_iam_explains_wrong_words(alice: Person, arguments: list[str], words: str) -> None:
    done = manage("iam", *arguments, "--account", alice.account_id)
    assert done.returncode == 1
    assert words in done.stderr


def test_a_secret_comes_by_standard_input(alice: Person, bob: Person) -> None:
    SECRETS.append("From-Stdin-77!")
    done = manage(
        "iam",
        "CreateLoginProfile",
        "UserName=bob",
        "Password=-",
        "--account",
        alice.account_id,
        stdin="From-Stdin-77!\n",
    )
    assert json.loads(done.stdout)["LoginProfile"]["UserName"] == "bob"
    bob.user.refresh_from_db()
    assert bob.user.check_password("From-Stdin-77!")


def test_an_unknown_account_is_said(alice: Person) -> None:
    assert (
        "There is no account with the id or alias nowhere." in manage("iam", "ListUsers", "--account", "nowhere").stderr
    )


def test_recoverroot_ends_password_and_sessions_and_stands_in_the_trail() -> None:
    from accounts.models import Session, User
    from audit.models import Event

    root = make_account()
    User.objects.filter(pk=root.user.pk).update(password="argon2$not-a-real-hash")
    from django.utils import timezone

    Session.objects.create(
        session_key=secrets.token_hex(32), session_data="", expire_date=timezone.now(), user=root.user
    )
    done = manage("recoverroot", root.account_id)
    token = done.stdout.strip().rstrip("/").rpartition("/")[2]
    SECRETS.append(token)
    assert "/setup/" in done.stdout
    after = User.objects.get(pk=root.user.pk)
    assert not after.has_usable_password()
    assert after.auth_epoch == root.user.auth_epoch + 1
    assert not after.sessions.exists()
    event = Event.objects.filter(chain=root.account_id).latest("sequence")
    assert (event.action, event.result, event.door) == ("iamconsole:RecoverRootUser", "Success", "shell")


def test_recoverroot_lets_a_root_user_in_who_has_lost_the_mfa_device_too() -> None:
    root = make_account()
    give_password(root)
    give_app(root.account_id, root.user, "lost")
    sign_in = {"email": root.user.email, "password": PASSWORD}
    assert a_client().post("/signin/?as=root", sign_in)["Location"] == "/second-factor/"
    guesser = Guesser(root.user, "console")
    while guesser.reserve(timezone.now()):
        pass
    GuessBudget.objects.filter(user=root.user).update(failures=MOST_FAILURES)
    strangers = sign_in_budgets(account=root.user.email, who=root.user.email, address="192.0.2.1")
    with suppress(Throttling):
        while True:
            reserve(strangers[:2])
    link = manage("recoverroot", root.account_id).stdout.strip().rpartition("/setup/")[2].rstrip("/")
    SECRETS.append(link)
    assert a_client().post("/signin/?as=root", sign_in).status_code == 200  # the old password is none any more
    set_up = {"new_password": ANOTHER, "confirm_password": ANOTHER}
    assert a_client().post(f"/setup/{link}/", set_up).status_code == 302
    client = a_client()
    assert client.post("/signin/?as=root", sign_in | {"password": ANOTHER})["Location"] == "/console/"
    assert client.get("/console/").status_code == 200
    assert not root.user.mfa_devices.exists()
    app = give_app(root.account_id, root.user, "new")
    client = a_client()
    assert client.post("/signin/?as=root", sign_in | {"password": ANOTHER})["Location"] == "/second-factor/"
    assert client.post("/second-factor/", {"code": app.code()})["Location"] == "/console/"


def test_setuplink_is_issued_anew_until_there_is_a_password() -> None:
    from accounts.models import SetupLink, User

    root = make_account()
    done = manage("setuplink", root.account_id)
    SECRETS.append(done.stdout.strip().rstrip("/").rpartition("/")[2])
    assert SetupLink.objects.filter(user=root.user).count() == 1  # the first one is gone
    User.objects.filter(pk=root.user.pk).update(password="argon2$not-a-real-hash")
    assert "manage.py recoverroot" in manage("setuplink", root.account_id).stderr


def test_closeaccount_refuses_while_anything_is_held() -> None:
    root = make_account()
    make_user(root, "bob")
    done = manage("closeaccount", root.account_id, stdin=f"{root.account_id}\n")
    assert "still holds 1 IAM users and 1 root access keys" in done.stderr
    assert done.returncode == 1


def test_closeaccount_counts_groups_and_managed_policies() -> None:
    from accounts.operations.groups import create_group
    from permissions.operations.managed import create_policy

    root = make_account()
    create_group(root.caller, group_name="g")
    create_policy(root.caller, policy_name="p", policy_document=allow("iam:GetUser"))
    done = manage("closeaccount", root.account_id, stdin=f"{root.account_id}\n")
    assert "still holds 1 groups and 1 managed policies and 1 root access keys" in done.stderr


def test_setquota_sets_and_lists_an_accounts_quotas() -> None:
    from accounts.models import Account
    from audit.models import Event

    root = make_account()
    done = manage("setquota", root.account_id, "GroupsPerUser", "20")
    assert done.stdout == f"GroupsPerUser of account {root.account_id} is 20.\n"
    assert Account.objects.get(pk=root.account_id).quotas == {"GroupsPerUser": 20}
    event = Event.objects.filter(chain=root.account_id).latest("sequence")
    assert (event.action, event.actor_arn) == ("iamconsole:UpdateAccountQuota", "operator")
    assert event.parameters == {"account": root.account_id, "quota_name": "GroupsPerUser", "quota_value": 20}
    listed = {
        line.split()[0]: line.split()[1:] for line in manage("setquota", root.account_id, "--list").stdout.splitlines()
    }
    assert listed["GroupsPerUser"] == ["20", "10", "-"]
    assert listed["GroupsPerAccount"] == ["300", "300", "500"]
    assert listed.keys() == {"NAME", *QUOTAS}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Name a quota and its new value, or ask for --list."),
        (["GroupsPerUser"], "Name a quota and its new value, or ask for --list."),
        (["GroupsPerAccount", "501"], "InvalidInput: GroupsPerAccount is at most 500."),
        (["GroupsPerUser", "0"], "Member must have value greater than or equal to 1"),
        (["Groups", "5"], "Value at 'quotaName' failed to satisfy constraint: Member must satisfy enum value set"),
    ],
)
def test_setquota_says_what_is_wrong(arguments: list[str], words: str) -> None:
    from accounts.models import Account

    root = make_account()
    done = manage("setquota", root.account_id, *arguments)
    assert done.returncode == 1
    assert words in done.stderr
    assert Account.objects.get(pk=root.account_id).quotas == {}


def test_the_model_names_every_quota() -> None:
    named = services()["iamconsole"].operations["UpdateAccountQuota"].input
    assert named is not None
    assert list(named.members["QuotaName"].enum) == list(QUOTAS)
    assert GREATEST.keys() <= QUOTAS.keys()


def test_closeaccount_asks_for_the_id_and_keeps_the_trail() -> None:
    from accounts.models import Account
    from audit.models import Event

    account_id = new_account()["account_id"]
    assert "Nothing was changed" in manage("closeaccount", account_id, stdin="yes\n").stderr
    assert Account.objects.filter(pk=account_id).exists()
    done = manage("closeaccount", account_id, stdin=f"{account_id}\n")
    assert f"Account {account_id} is closed." in done.stdout
    assert not Account.objects.filter(pk=account_id).exists()
    assert Event.objects.filter(chain=account_id, action="iamconsole:CloseAccount", result="Success").exists()


@pytest.mark.parametrize(
    ("command", "words"), [("createsuperuser", "createaccount"), ("changepassword", "recoverroot")]
)
def test_django_commands_that_would_be_second_paths_refuse(command: str, words: str) -> None:
    done = manage(command)
    assert done.returncode == 1
    assert words in done.stderr


def test_no_policy_can_grant_what_is_the_operators(alice: Person, root: Person) -> None:
    from accounts.operations.installation import close_account, create_account, recover_root_user
    from iamconsole.errors import AccessDenied

    for person in (alice, root):
        with pytest.raises(AccessDenied, match="for the operator of the installation"):
            close_account(person.caller, account=person.account_id)
        with pytest.raises(AccessDenied):
            recover_root_user(person.caller, account=person.account_id)
        with pytest.raises(AccessDenied):
            create_account(person.caller, name="Mine", root_email="mine@example.org")
