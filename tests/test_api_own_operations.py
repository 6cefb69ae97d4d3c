"""What AWS has no operation for, through the AWS door: composites give nothing that their parts do not."""

from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from credentials.models import AccessKey
from tests.conftest import SECRETS, Person, allow, make_account, make_user
from tests.everything import NEW_PASSWORD, PASSWORD, furnish, give_password
from tests.raw import Answer, ask

TAGS = {"Tags.member.1.Key": "Team", "Tags.member.1.Value": "blue"}


def own(person: Person, action: str, **parameters: str) -> Answer:
    return ask(person, action, "iamconsole", **parameters)


def names_in(root: Person) -> set[Any]:
    return set(User.objects.in_account(root.account_id).values_list("user_name", flat=True))


def test_a_person_is_made_with_a_password_and_a_policy_to_change_it(root: Person, server: Path) -> None:
    answer = own(root, "CreatePerson", UserName="Dave", Password=PASSWORD, AllowChangePassword="true", **TAGS)
    assert answer.text("Arn") == f"arn:aws:iam::{root.account_id}:user/Dave"
    client = root.client()
    assert client.get_login_profile(UserName="dave")["LoginProfile"]["PasswordResetRequired"] is True
    assert client.list_user_policies(UserName="dave")["PolicyNames"] == ["IAMUserChangePassword"]
    assert client.list_user_tags(UserName="dave")["Tags"] == [{"Key": "Team", "Value": "blue"}]
    assert own(root, "CreatePerson", UserName="dAVE", Password=PASSWORD).code == "EntityAlreadyExists"


def test_a_service_account_is_made_with_a_key_that_works(root: Person, server: Path) -> None:
    answer = own(root, "CreateServiceAccount", UserName="robot", Path="/robots/")
    key = Person(root.caller, answer.text("AccessKeyId") or "", answer.text("SecretAccessKey") or "")
    SECRETS.append(key.secret_access_key)
    arn = key.client("sts").get_caller_identity()["Arn"]
    assert arn == f"arn:aws:iam::{root.account_id}:user/robots/robot"


@pytest.mark.parametrize(
    ("action", "needed", "parameters"),
    [
        ("CreatePerson", ["iam:CreateUser", "iam:CreateLoginProfile"], {"UserName": "new", "Password": PASSWORD}),
        (
            "CreatePerson",
            ["iam:CreateUser", "iam:CreateLoginProfile", "iam:PutUserPolicy"],
            {"UserName": "new", "Password": PASSWORD, "AllowChangePassword": "true"},
        ),
        ("CreateServiceAccount", ["iam:CreateUser", "iam:CreateAccessKey"], {"UserName": "new"}),
        (
            "DeleteUserWithCredentials",
            [
                "iam:DeleteLoginProfile",
                "iam:DeleteAccessKey",
                "iamconsole:DeleteServiceToken",
                "iam:DeleteUserPolicy",
                "iam:DetachUserPolicy",
                "iam:RemoveUserFromGroup",
                "iam:DeleteUser",
            ],
            {"UserName": "dave"},
        ),
        (
            "SetUserTags",
            ["iam:TagUser", "iam:UntagUser"],
            {"UserName": "dave", "Tags.member.1.Key": "a", "Tags.member.1.Value": ""},
        ),
    ],
)
def test_a_composite_needs_the_permission_for_every_part_and_no_other(
    root: Person, server: Path, action: str, needed: list[str], parameters: dict[str, str]
) -> None:
    furnish(root)
    before = names_in(root)
    for number, missing in enumerate(needed):
        rest = [each for each in needed if each != missing]
        carol = make_user(root, f"carol{number}", allow(f"iamconsole:{action}", *rest))
        answer = own(carol, action, **parameters)
        assert answer.code == "AccessDenied"
        assert f"perform: {missing} on resource" in answer.message
    assert names_in(root) == before | {f"carol{number}" for number in range(len(needed))}
    carol = make_user(root, "carol", allow(*needed))
    answer = own(carol, action, **parameters)
    assert answer.status == 200
    SECRETS.extend(filter(None, [answer.text("SecretAccessKey")]))


def test_setting_the_tags_that_are_there_needs_a_permission_too(root: Person, mallory: Person, server: Path) -> None:
    furnish(root)
    existing = own(mallory, "SetUserTags", UserName="dave", **TAGS)
    without = own(mallory, "SetUserTags", UserName="dave", Tags="")
    missing = own(mallory, "SetUserTags", UserName="nemo", **TAGS)
    assert existing.code == without.code == missing.code == "AccessDenied"
    assert existing.words == without.words == missing.words.replace("nemo", "dave")


def test_what_a_user_holds_is_not_told_by_how_deleting_is_refused(root: Person, mallory: Person, server: Path) -> None:
    furnish(root)
    make_user(root, "erin")
    denied = (
        f"User: {mallory.user.arn} is not authorized to perform: iam:DeleteLoginProfile on resource: user {{}}"
        " because no identity-based policy allows the iam:DeleteLoginProfile action"
    )
    for name in ("dave", "erin", "nemo"):
        assert own(mallory, "DeleteUserWithCredentials", UserName=name).words == denied.format(name)


def test_a_user_with_everything_is_deleted_whole(root: Person, server: Path) -> None:
    furnish(root)
    assert own(root, "DeleteUserWithCredentials", UserName="DAVE").status == 200
    assert "dave" not in names_in(root)
    assert not AccessKey.objects.filter(user__account=root.account_id, user__user_name="dave").exists()
    assert own(root, "DeleteUserWithCredentials", UserName="dave").code == "NoSuchEntity"


def test_the_root_users_address_is_one_and_is_its_alone(root: Person, alice: Person, server: Path) -> None:
    give_password(root.user)
    other = make_account()
    new = f"New-{root.account_id}@example.org"
    assert own(alice, "UpdateRootUserEmail", Email=new, Password=PASSWORD).code == "InvalidUserType"
    assert own(root, "UpdateRootUserEmail", Email=new, Password=NEW_PASSWORD).code == "AccessDenied"
    assert own(root, "UpdateRootUserEmail", Email="nonsense", Password=PASSWORD).code == "InvalidInput"
    taken = own(root, "UpdateRootUserEmail", Email=str(other.user.email).upper(), Password=PASSWORD)
    assert taken.code == "EntityAlreadyExists"
    assert own(root, "UpdateRootUserEmail", Email=new, Password=PASSWORD).status == 200
    assert User.objects.get(pk=root.user.pk).email == new.lower()


def test_the_root_user_changes_its_password_with_the_old_one(root: Person, server: Path) -> None:
    give_password(root.user)

    def change(old: str, new: str) -> Answer:
        return own(root, "UpdateRootUserPassword", OldPassword=old, NewPassword=new)

    assert change(NEW_PASSWORD, NEW_PASSWORD).code == "AccessDenied"
    assert change(PASSWORD, PASSWORD).code == "AccessDenied"
    assert change(PASSWORD, "weak").code == "PasswordPolicyViolation"
    assert change(PASSWORD, str(root.user.email)).code == "PasswordPolicyViolation"
    assert change(PASSWORD, NEW_PASSWORD).status == 200
    assert change(PASSWORD, NEW_PASSWORD).code == "AccessDenied"
