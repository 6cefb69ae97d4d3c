"""Access keys, passwords and the account's alias and summary through boto3, in AWS's words."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from accounts import arns
from api.shapes import services
from tests.conftest import SECRETS, Person, allow, make_account, make_user
from tests.faults import fault_of, invalid

INVALID_TOKEN = ("InvalidClientTokenId", 403, "The security token included in the request is invalid.")
TOO_MANY_KEYS = ("LimitExceeded", 409, "Cannot exceed quota for AccessKeysPerUser: 2")
WEAK = ("PasswordPolicyViolation", 400, "Password does not conform to the account password policy.")
PASSWORD, OTHER = "Correct-Horse-7", "Battery-Staple-8"
SECRETS.extend([PASSWORD, OTHER])


@pytest.fixture
def dave(iam: Any) -> str:
    """The name of a user without anything."""
    return str(iam.create_user(UserName="Dave")["User"]["UserName"])


def new_key(iam: Any, **user: str) -> dict[str, Any]:
    key: dict[str, Any] = iam.create_access_key(**user)["AccessKey"]
    SECRETS.append(key["SecretAccessKey"])
    return key


def person_with(key: dict[str, Any], owner: Person) -> Person:
    """The owner, signing with that key."""
    return Person(owner.caller, key["AccessKeyId"], key["SecretAccessKey"])


# Access keys


def test_a_key_is_issued_with_a_secret_of_40_characters_and_works_at_once(iam: Any, dave: str, alice: Person) -> None:
    key = new_key(iam, UserName="DAVE")
    assert key.keys() == {"UserName", "AccessKeyId", "Status", "SecretAccessKey", "CreateDate"}
    assert (key["UserName"], key["Status"]) == (dave, "Active")
    assert len(key["AccessKeyId"]) == 20
    assert key["AccessKeyId"].startswith("AKIA")
    assert len(key["SecretAccessKey"]) == 40
    identity = person_with(key, alice).client("sts").get_caller_identity()
    assert identity["Arn"] == f"arn:aws:iam::{alice.account_id}:user/Dave"


def test_a_listed_key_has_no_secret(iam: Any, dave: str) -> None:
    key = new_key(iam, UserName=dave)
    [listed] = iam.list_access_keys(UserName=dave)["AccessKeyMetadata"]
    assert listed == {name: value for name, value in key.items() if name != "SecretAccessKey"}


def test_a_user_may_hold_two_keys_active_or_not(iam: Any, dave: str) -> None:
    first = new_key(iam, UserName=dave)
    new_key(iam, UserName=dave)
    assert fault_of(iam.create_access_key, UserName=dave) == TOO_MANY_KEYS
    iam.update_access_key(UserName=dave, AccessKeyId=first["AccessKeyId"], Status="Inactive")
    assert fault_of(iam.create_access_key, UserName=dave) == TOO_MANY_KEYS
    iam.delete_access_key(UserName=dave, AccessKeyId=first["AccessKeyId"])
    new_key(iam, UserName=dave)


def test_the_root_user_holds_two_keys_and_manages_them_without_a_name(root: Person, server: Path) -> None:
    client = root.client()
    key = new_key(client)
    assert "UserName" not in key
    assert fault_of(client.create_access_key) == TOO_MANY_KEYS
    client.update_access_key(AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert [each["Status"] for each in client.list_access_keys()["AccessKeyMetadata"]] == ["Active", "Inactive"]
    client.delete_access_key(AccessKeyId=key["AccessKeyId"])
    used = client.get_access_key_last_used(AccessKeyId=root.access_key_id)
    assert "UserName" not in used


def test_a_user_without_a_name_given_manages_its_own_keys(root: Person, server: Path) -> None:
    actions = ["iam:CreateAccessKey", "iam:ListAccessKeys", "iam:UpdateAccessKey", "iam:DeleteAccessKey"]
    own = f"arn:aws:iam::{root.account_id}:user/${{aws:username}}"
    carol = make_user(root, "carol", allow(*actions, resource=own)).client()
    key = new_key(carol)
    assert key["UserName"] == "carol"
    carol.update_access_key(AccessKeyId=key["AccessKeyId"], Status="Inactive")
    carol.delete_access_key(UserName="carol", AccessKeyId=key["AccessKeyId"])
    make_user(root, "dave")
    assert fault_of(carol.create_access_key, UserName="dave")[0] == "AccessDenied"


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        ("Expired", ("InvalidInput", 400, "Operation does not support status Expired")),
        ("active", invalid(("status", "Member must satisfy enum value set: [Active, Inactive, Expired]"))),
        ("", invalid(("status", "Member must satisfy enum value set: [Active, Inactive, Expired]"))),
    ],
)
def test_a_key_is_active_or_inactive_and_nothing_else(
    iam: Any, bob: Person, status: str, fault: tuple[str, int, str]
) -> None:
    assert fault_of(iam.update_access_key, UserName="bob", AccessKeyId=bob.access_key_id, Status=status) == fault
    assert [key["Status"] for key in iam.list_access_keys(UserName="bob")["AccessKeyMetadata"]] == ["Active"]


def test_a_key_is_found_only_with_its_owner(iam: Any, dave: str, bob: Person, trudy: Person) -> None:
    for key_id in (bob.access_key_id, trudy.access_key_id, "AKIAIOSFODNN7EXAMPLE", bob.access_key_id.lower()):
        missing = ("NoSuchEntity", 404, f"The Access Key with id {key_id} cannot be found.")
        assert fault_of(iam.delete_access_key, UserName=dave, AccessKeyId=key_id) == missing
        assert fault_of(iam.update_access_key, UserName=dave, AccessKeyId=key_id, Status="Inactive") == missing
        assert fault_of(iam.delete_access_key, AccessKeyId=key_id) == missing
    assert bob.client("sts").get_caller_identity()["Account"] == bob.account_id


def test_an_inactive_key_does_not_sign_until_it_is_active_again(iam: Any, bob: Person) -> None:
    me = bob.client("sts").get_caller_identity
    iam.update_access_key(UserName="bob", AccessKeyId=bob.access_key_id, Status="Inactive")
    assert fault_of(me) == INVALID_TOKEN
    iam.update_access_key(UserName="bob", AccessKeyId=bob.access_key_id, Status="Active")
    me()
    iam.delete_access_key(UserName="bob", AccessKeyId=bob.access_key_id)
    assert fault_of(me) == INVALID_TOKEN


def test_a_key_was_never_used_until_it_is(iam: Any, bob: Person) -> None:
    last_used = iam.get_access_key_last_used(AccessKeyId=bob.access_key_id)
    assert last_used["UserName"] == "bob"
    assert last_used["AccessKeyLastUsed"] == {"ServiceName": "N/A", "Region": "N/A"}
    bob.client("sts").get_caller_identity()
    used = iam.get_access_key_last_used(AccessKeyId=bob.access_key_id)["AccessKeyLastUsed"]
    assert (used["ServiceName"], used["Region"]) == ("sts", "us-east-1")
    assert abs(datetime.now(UTC) - used["LastUsedDate"]) < timedelta(minutes=2)


def test_a_key_of_another_account_is_refused_like_one_that_never_was(iam: Any, alice: Person, trudy: Person) -> None:
    for key_id in (trudy.access_key_id, arns.new_access_key_id(trudy.account_id), "A" * 16, "A" * 128):
        code, status, message = fault_of(iam.get_access_key_last_used, AccessKeyId=key_id)
        assert (code, status) == ("AccessDenied", 403)
        assert message.partition(" (decision id: ")[0] == (
            f"User: arn:aws:iam::{alice.account_id}:user/alice is not authorized to perform"
            f" iam:GetAccessKeyLastUsed on resource: access key {key_id}"
        )


def test_a_key_id_tells_its_account_whether_it_exists_or_not(alice: Person, trudy: Person, server: Path) -> None:
    ask = alice.client("sts").get_access_key_info
    for key_id in (trudy.access_key_id, arns.new_access_key_id(trudy.account_id)):
        assert ask(AccessKeyId=key_id)["Account"] == trudy.account_id
    assert ask(AccessKeyId=f"ASIA{trudy.access_key_id[4:]}")["Account"] == trudy.account_id
    for wrong in ("AKIA0189AAAAAAAAAAAA", "A" * 20, "AKIA" + "A" * 17):
        assert fault_of(ask, AccessKeyId=wrong)[:2] == ("ValidationError", 400)


# Passwords


def test_a_login_profile_is_given_read_changed_and_taken(iam: Any, dave: str) -> None:
    missing = ("NoSuchEntity", 404, "Login Profile for User Dave cannot be found.")
    for call, parameters in (
        (iam.get_login_profile, {}),
        (iam.update_login_profile, {"Password": OTHER}),
        (iam.delete_login_profile, {}),
    ):
        assert fault_of(call, UserName=dave, **parameters) == missing
    made = iam.create_login_profile(UserName="dave", Password=PASSWORD, PasswordResetRequired=True)["LoginProfile"]
    assert made.keys() == {"UserName", "CreateDate", "PasswordResetRequired"}
    assert (made["UserName"], made["PasswordResetRequired"]) == (dave, True)
    assert iam.get_login_profile(UserName=dave)["LoginProfile"] == made
    assert fault_of(iam.create_login_profile, UserName=dave, Password=OTHER) == (
        "EntityAlreadyExists",
        409,
        "Login Profile for user Dave already exists.",
    )
    iam.delete_login_profile(UserName=dave)
    assert fault_of(iam.get_login_profile, UserName=dave) == missing


def test_what_an_update_leaves_out_stays_as_it_was(iam: Any, dave: str) -> None:
    def required() -> bool:
        return bool(iam.get_login_profile(UserName=dave)["LoginProfile"]["PasswordResetRequired"])

    iam.create_login_profile(UserName=dave, Password=PASSWORD, PasswordResetRequired=True)
    iam.update_login_profile(UserName=dave, Password=OTHER)
    assert required()
    iam.update_login_profile(UserName=dave, PasswordResetRequired=False)
    assert not required()
    iam.update_login_profile(UserName=dave)
    assert not required()


@pytest.mark.parametrize("weak", ["Short-1", "onlylowercase", "NODIGITS", "12345678", "lower-case"])
def test_a_weak_password_is_refused(iam: Any, dave: str, weak: str) -> None:
    assert fault_of(iam.create_login_profile, UserName=dave, Password=weak) == WEAK
    assert fault_of(iam.get_login_profile, UserName=dave)[0] == "NoSuchEntity"


def test_a_password_is_not_the_users_name(iam: Any) -> None:
    iam.create_user(UserName="Dave-Grohl-69")
    assert fault_of(iam.create_login_profile, UserName="Dave-Grohl-69", Password="dave-grohl-69") == WEAK


def test_a_password_outside_of_latin_1_is_refused_and_never_repeated(iam: Any, dave: str) -> None:
    for password in ("Пароль-Пароль-7", f"{PASSWORD}\u0100"):
        code, status, message = fault_of(iam.create_login_profile, UserName=dave, Password=password)
        assert (code, status) == ("ValidationError", 400)
        assert "Value at 'password' failed" in message
        assert password not in message
    iam.create_login_profile(UserName=dave, Password="Grüße-aus-Köln-7")
    SECRETS.append("Grüße-aus-Köln-7")


def test_a_password_must_be_given(iam: Any, dave: str) -> None:
    assert fault_of(iam.create_login_profile, UserName=dave) == (
        "ValidationError",
        400,
        "1 validation error detected: Value null at 'password' failed to satisfy constraint: Member must not be null",
    )


def test_users_change_their_own_password(iam: Any, root: Person) -> None:
    carol = make_user(root, "carol", allow("iam:ChangePassword")).client()
    missing = ("NoSuchEntity", 404, "Login Profile for User carol cannot be found.")
    assert fault_of(carol.change_password, OldPassword=PASSWORD, NewPassword=OTHER) == missing
    iam.create_login_profile(UserName="carol", Password=PASSWORD, PasswordResetRequired=True)
    wrong = fault_of(carol.change_password, OldPassword=OTHER, NewPassword=OTHER)
    assert wrong == ("AccessDenied", 403, "The old password was incorrect.")
    again = fault_of(carol.change_password, OldPassword=PASSWORD, NewPassword=PASSWORD)
    assert again == ("AccessDenied", 403, "The new password must differ from the old one.")
    assert fault_of(carol.change_password, OldPassword=PASSWORD, NewPassword="weak") == WEAK
    assert iam.get_login_profile(UserName="carol")["LoginProfile"]["PasswordResetRequired"] is True
    carol.change_password(OldPassword=PASSWORD, NewPassword=OTHER)
    assert iam.get_login_profile(UserName="carol")["LoginProfile"]["PasswordResetRequired"] is False
    assert fault_of(carol.change_password, OldPassword=PASSWORD, NewPassword=OTHER)[0] == "AccessDenied"


def test_the_root_user_does_not_change_its_password_by_this_operation(root: Person, server: Path) -> None:
    code, status, message = fault_of(root.client().change_password, OldPassword=PASSWORD, NewPassword=OTHER)
    assert (code, status) == ("InvalidUserType", 400)
    assert "Only IAM users can change their password" in message


def test_keys_go_on_working_without_a_password(iam: Any, bob: Person) -> None:
    iam.create_login_profile(UserName="bob", Password=PASSWORD)
    iam.delete_login_profile(UserName="bob")
    bob.client("sts").get_caller_identity()


# The account


def test_an_account_has_one_alias_that_no_other_account_has(iam: Any, trudy: Person) -> None:
    name = f"acme-{trudy.account_id}"
    iam.create_account_alias(AccountAlias=name)
    iam.create_account_alias(AccountAlias=f"{name}-2")
    assert iam.list_account_aliases()["AccountAliases"] == [f"{name}-2"]
    theirs = trudy.client()
    assert fault_of(theirs.create_account_alias, AccountAlias=f"{name}-2") == (
        "EntityAlreadyExists",
        409,
        f"The account alias {name}-2 already exists.",
    )
    theirs.create_account_alias(AccountAlias=name)
    assert fault_of(iam.delete_account_alias, AccountAlias=name) == (
        "NoSuchEntity",
        404,
        f"The Account Alias with name {name} cannot be found.",
    )
    iam.delete_account_alias(AccountAlias=f"{name}-2")
    assert iam.list_account_aliases()["AccountAliases"] == []
    assert theirs.list_account_aliases()["AccountAliases"] == [name]


def test_aliases_look_like_labels_and_not_like_account_ids(alice: Person, server: Path) -> None:
    iam = alice.client(parameter_validation=False)
    assert fault_of(iam.create_account_alias, AccountAlias="123456789012")[:2] == ("InvalidInput", 400)
    for wrong in ("ab", "a" * 64, "Upper", "a--b", "-ab", "ab-", "a_b", "a.b", "äbc"):
        assert fault_of(iam.create_account_alias, AccountAlias=wrong)[:2] == ("ValidationError", 400)
    assert iam.list_account_aliases()["AccountAliases"] == []


def test_the_summary_has_awss_34_keys_and_counts(iam: Any, root: Person) -> None:
    operations = services()["iam"].operations
    output = operations["GetAccountSummary"].output
    assert output is not None
    summary = iam.get_account_summary()["SummaryMap"]
    assert summary.keys() == set(output.members["SummaryMap"].key.enum)
    assert len(summary) == 34
    assert (summary["Users"], summary["AccountAccessKeysPresent"], summary["AccountPasswordPresent"]) == (1, 1, 0)
    assert (summary["UsersQuota"], summary["AccessKeysPerUserQuota"], summary["UserPolicySizeQuota"]) == (5000, 2, 2048)
    iam.create_user(UserName="dave")
    root.client().delete_access_key(AccessKeyId=root.access_key_id)
    summary = iam.get_account_summary()["SummaryMap"]
    assert (summary["Users"], summary["AccountAccessKeysPresent"]) == (2, 0)


def test_what_this_release_has_none_of_is_listed_as_none(iam: Any) -> None:
    assert iam.list_roles()["Roles"] == []
    assert iam.list_instance_profiles()["InstanceProfiles"] == []
    assert iam.list_saml_providers()["SAMLProviderList"] == []
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []


def test_two_accounts_may_have_users_of_the_same_name(iam: Any, dave: str) -> None:
    other = make_account().client()
    assert other.create_user(UserName=dave)["User"]["UserId"] != iam.get_user(UserName=dave)["User"]["UserId"]
