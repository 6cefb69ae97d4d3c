"""The aws command of a change: what it says, that the aws CLI takes it, and where it is shown."""

import html
import re
import shlex
from datetime import UTC, datetime
from typing import Any

import pytest

from accounts.models import User
from api.shapes import mask
from iamconsole.commands import command_of
from iamconsole.operation import Operation, every_operation
from tests.browser import signed_in
from tests.conftest import Person, make_account
from tests.everything import PASSWORD, Values, furnish, names_of, parameters

URL = "https://iam.example.org"
OF_AWS = [each for each in every_operation() if each.service == "iam" and not each.reads]


def said(action: str, resource: str = "*", **given: Any) -> list[str]:
    """The words of a command, without the address at its end."""
    command = command_of(action, resource, given, URL)
    assert command is not None
    words = shlex.split(command.replace("\\\n", ""))
    assert words[-2:] == ["--endpoint-url", URL]
    return words[:-2]


@pytest.mark.parametrize(
    ("action", "given", "words"),
    [
        ("iam:CreateUser", {"user_name": "ann"}, "create-user --user-name ann"),
        ("iam:CreateUser", {"user_name": "--help"}, "create-user --user-name=--help"),
        ("iam:CreateUser", {"user_name": "a$(id)"}, "create-user --user-name 'a$(id)'"),
        ("iam:UntagUser", {"user_name": "a", "tag_keys": ["x y", "z"]}, "untag-user --user-name a --tag-keys 'x y' z"),
        (
            "iam:TagUser",
            {"user_name": "a", "tags": [{"key": "Team", "value": "it's"}]},
            'tag-user --user-name a --tags \'[{"Key": "Team", "Value": "it\'"\'"\'s"}]\'',
        ),
        (
            "iam:UpdateLoginProfile",
            {"user_name": "a", "password": "***", "password_reset_required": False},
            "update-login-profile --user-name a --password file://password.txt --no-password-reset-required",
        ),
        (
            "iam:CreateLoginProfile",
            {"user_name": "a"},
            "create-login-profile --user-name a --password file://password.txt",
        ),
        (
            "iam:PutUserPolicy",
            {"user_name": "a", "policy_name": "p", "policy_document": "{" + " " * 300 + "}"},
            "put-user-policy --user-name a --policy-name p --policy-document file://policy-document.json",
        ),
        (
            "iam:UpdateUser",
            {"user_name": "a", "new_path": "file:///etc/passwd"},
            "update-user --user-name a --new-path file://new-path.txt",
        ),
        (
            "iam:DeleteAccessKey",
            {"user_name": "a"},
            "delete-access-key --user-name a --access-key-id '<ACCESS-KEY-ID>'",
        ),
    ],
)
def test_a_command_says_what_was_done(action: str, given: dict[str, Any], words: str) -> None:
    assert said(action, **given) == shlex.split(f"aws iam {words}")


def test_what_a_part_was_done_to_is_in_its_arn_and_our_own_actions_have_no_command() -> None:
    group = "arn:aws:iam::123456789012:group/design/Team"
    assert said("iam:AddUserToGroup", group, user_name="ann")[2:] == [
        "add-user-to-group",
        "--group-name",
        "Team",
        "--user-name",
        "ann",
    ]
    assert command_of("iamconsole:SuspendUser", group, {"user_name": "ann"}, URL) is None


@pytest.fixture(scope="module")
def values(django_db_blocker: Any, django_db_setup: None) -> Any:
    with django_db_blocker.unblock():
        yield furnish(make_account())


@pytest.fixture(scope="module")
def cli() -> Any:
    """The commands of the aws CLI, as it makes them from its own model."""
    from awscli.clidriver import create_clidriver

    return create_clidriver()._get_command_table()["iam"]._get_command_table()


@pytest.mark.parametrize("operation", OF_AWS, ids=names_of(OF_AWS))
def test_the_aws_cli_takes_every_command_and_none_has_a_secret(
    operation: Operation[Any], values: Values, cli: Any
) -> None:
    given = parameters(operation, values)
    words = said(operation.action, **mask(operation.model, given))
    options = cli[words[2]].arg_table
    named = [word.partition("=")[0][2:] for word in words[3:] if re.match(r"--[a-z]", word)]
    assert set(named) <= set(options), words
    assert {name for name, each in options.items() if each.required} <= set(named)
    assert PASSWORD not in " ".join(words)


def test_the_page_after_a_change_shows_its_command_once(root: Person, bob: Person) -> None:
    client = signed_in(root)
    page = "/console/accounts/user/bob/"
    moved = client.post(f"{page}rename/", {"new_user_name": "rob", "new_path": "/x/"}, follow=True).content.decode()
    told = html.unescape(re.findall(r'<pre id="command-1">(.*?)</pre>', moved, re.DOTALL)[0])
    assert shlex.split(told.replace("\\\n", ""))[:9] == shlex.split(
        "aws iam update-user --user-name bob --new-path /x/ --new-user-name rob"
    )
    assert "command-1" not in client.get("/console/accounts/user/rob/change/").content.decode()
    suspended = client.post("/console/accounts/user/rob/suspend/", {"reason": "x"}, follow=True).content.decode()
    assert "is suspended" in suspended
    assert "command-1" not in suspended
    assert User.objects.named(root.account_id, "rob").get().is_suspended_at(datetime.now(UTC))


def test_no_password_is_in_the_command_of_a_change(root: Person, bob: Person) -> None:
    sent = {"first_password": "custom", "password": "Blue-Horse-9-Battery", "confirm_password": "Blue-Horse-9-Battery"}
    page = signed_in(root).get("/console/accounts/user/bob/console-access/").content.decode()
    sent["nonce"] = re.findall(r'name="nonce" value="([^"]*)"', page)[0]
    client = signed_in(root)
    shown = client.post("/console/accounts/user/bob/console-access/", sent, follow=True).content.decode()
    assert "create-login-profile" in shown
    assert "Blue-Horse-9" not in shown
