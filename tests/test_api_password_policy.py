"""The account's password policy through boto3, in AWS's words: its fields and limits, and what it does to passwords."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from accounts.models import Throttle
from credentials.operations.password_policies import delete_account_password_policy
from tests.browser import a_client
from tests.conftest import SECRETS, Person, allow, caller_for, make_user
from tests.faults import fault_of, invalid
from tests.raw import Answer, body_of, send_inside, signed

WEAK = ("PasswordPolicyViolation", 400, "Password does not conform to the account password policy.")
DEFAULTS = {
    "MinimumPasswordLength": 6,
    "RequireSymbols": False,
    "RequireNumbers": False,
    "RequireUppercaseCharacters": False,
    "RequireLowercaseCharacters": False,
    "AllowUsersToChangePassword": False,
    "ExpirePasswords": False,
}
FIRST, SECOND, THIRD, FOURTH = (f"Plover-{word}-7" for word in ("Xyzzy", "Frobnicate", "Zaphod", "Garply"))
SECRETS.extend([FIRST, SECOND, THIRD, FOURTH])
START = datetime(2031, 3, 1, 9, tzinfo=UTC)


def policy_in(iam: Any) -> dict[str, Any]:
    """The policy as boto3 reads it."""
    found: dict[str, Any] = iam.get_account_password_policy()["PasswordPolicy"]
    return found


def holder(root: Person, *actions: str, name: str = "carol") -> Person:
    """A user with FIRST as the password, who may do these actions."""
    from credentials.operations.login_profiles import create_login_profile

    person = make_user(root, name, allow(*actions) if actions else None)
    create_login_profile(root.caller, user_name=name, password=FIRST)
    return person


def change(person: Person, old: str, new: str) -> Answer:
    """ChangePassword by the person's key, in this process."""
    return send_inside(signed(person, body_of("ChangePassword", OldPassword=old, NewPassword=new)))


def set_policy(root: Person, **fields: Any) -> None:
    """Set the account's policy, in this process."""
    from credentials.operations.password_policies import update_account_password_policy

    update_account_password_policy(root.caller, **fields)


def sign_in(person: Person, password: str = FIRST) -> Any:
    """Send the sign-in form; returns the client and where it leads."""
    client = a_client()
    fields = {"account": person.account_id, "user_name": person.name, "password": password}
    answer = client.post("/signin/", fields)
    return client, answer.headers.get("Location")


# Get, update, delete


def test_an_account_has_no_policy_until_it_is_set_and_after_it_is_deleted(iam: Any, alice: Person) -> None:
    not_got = ("NoSuchEntity", 404, f"The Password Policy with domain name {alice.account_id} cannot be found.")
    not_deleted = ("NoSuchEntity", 404, "The account policy with name PasswordPolicy cannot be found.")
    assert fault_of(iam.get_account_password_policy) == not_got
    assert fault_of(iam.delete_account_password_policy) == not_deleted
    iam.update_account_password_policy()
    assert policy_in(iam) == DEFAULTS
    iam.delete_account_password_policy()
    assert fault_of(iam.get_account_password_policy) == not_got
    assert fault_of(iam.delete_account_password_policy) == not_deleted


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("MinimumPasswordLength", value) for value in (6, 7, 8, 127, 128)],
        *[(field, value) for field in DEFAULTS if field.startswith(("Require", "Allow")) for value in (True, False)],
        *[("MaxPasswordAge", value) for value in (1, 1095)],
        *[("PasswordReusePrevention", value) for value in (1, 24)],
        *[("HardExpiry", value) for value in (True, False)],
    ],
)
def test_each_field_is_kept_and_what_is_left_out_goes_back_to_the_default(iam: Any, field: str, value: Any) -> None:
    iam.update_account_password_policy(
        MinimumPasswordLength=20,
        RequireSymbols=True,
        RequireNumbers=True,
        RequireUppercaseCharacters=True,
        RequireLowercaseCharacters=True,
        AllowUsersToChangePassword=True,
        MaxPasswordAge=90,
        PasswordReusePrevention=5,
        HardExpiry=True,
    )
    iam.update_account_password_policy(**{field: value})
    assert policy_in(iam) == DEFAULTS | {field: value, "ExpirePasswords": field == "MaxPasswordAge"}
    iam.update_account_password_policy()
    assert policy_in(iam) == DEFAULTS


def test_all_fields_are_kept_together(iam: Any) -> None:
    every = {
        "MinimumPasswordLength": 14,
        "RequireSymbols": True,
        "RequireNumbers": True,
        "RequireUppercaseCharacters": True,
        "RequireLowercaseCharacters": True,
        "AllowUsersToChangePassword": True,
        "MaxPasswordAge": 90,
        "PasswordReusePrevention": 24,
        "HardExpiry": True,
    }
    iam.update_account_password_policy(**every)
    assert policy_in(iam) == every | {"ExpirePasswords": True}


@pytest.mark.parametrize(
    ("field", "value", "constraint"),
    [
        ("MinimumPasswordLength", 5, "greater than or equal to 6"),
        ("MinimumPasswordLength", 129, "less than or equal to 128"),
        ("MaxPasswordAge", 0, "greater than or equal to 1"),
        ("MaxPasswordAge", 1096, "less than or equal to 1095"),
        ("PasswordReusePrevention", 0, "greater than or equal to 1"),
        ("PasswordReusePrevention", 25, "less than or equal to 24"),
    ],
)
def test_a_value_beyond_the_limits_changes_nothing(
    alice: Person, server: Path, field: str, value: int, constraint: str
) -> None:
    iam = alice.client(parameter_validation=False)
    iam.update_account_password_policy(MinimumPasswordLength=9)
    member = field[0].lower() + field[1:]
    expected = invalid((member, f"Member must have value {constraint}"))
    assert fault_of(iam.update_account_password_policy, **{field: value}) == expected
    assert policy_in(iam) == DEFAULTS | {"MinimumPasswordLength": 9}


def test_all_values_beyond_the_limits_are_told_at_once(alice: Person, server: Path) -> None:
    iam = alice.client(parameter_validation=False)
    code, status, message = fault_of(
        iam.update_account_password_policy,
        MinimumPasswordLength=129,
        PasswordReusePrevention=25,
        MaxPasswordAge=1096,
    )
    assert (code, status) == ("ValidationError", 400)
    start, _, rest = message.partition(": ")
    assert start == "3 validation errors detected"
    limits = {"minimumPasswordLength": 128, "passwordReusePrevention": 24, "maxPasswordAge": 1095}
    assert set(rest.split("; ")) == {
        f"Value at '{member}' failed to satisfy constraint: Member must have value less than or equal to {limit}"
        for member, limit in limits.items()
    }


def test_a_policy_is_the_accounts_and_nobody_elses(iam: Any, trudy: Person) -> None:
    iam.update_account_password_policy(MinimumPasswordLength=30)
    theirs = trudy.client()
    assert fault_of(theirs.get_account_password_policy)[0] == "NoSuchEntity"
    theirs.update_account_password_policy(MinimumPasswordLength=9)
    assert policy_in(iam)["MinimumPasswordLength"] == 30


def test_the_permission_is_for_the_account_as_a_whole(root: Person, server: Path) -> None:
    actions = ["iam:GetAccountPasswordPolicy", "iam:UpdateAccountPasswordPolicy", "iam:DeleteAccountPasswordPolicy"]
    everywhere = make_user(root, "carol", allow(*actions)).client()
    elsewhere = make_user(root, "dan", allow(*actions, resource=f"arn:aws:iam::{root.account_id}:*")).client()
    everywhere.update_account_password_policy()
    everywhere.get_account_password_policy()
    for call in (
        elsewhere.get_account_password_policy,
        elsewhere.update_account_password_policy,
        elsewhere.delete_account_password_policy,
    ):
        code, _, message = fault_of(call)
        assert code == "AccessDenied"
        assert " on resource: * because no identity-based policy allows " in message
    everywhere.delete_account_password_policy()


# What a policy demands, wherever a password is set


def test_passwords_follow_the_policy_from_its_next_change_on(iam: Any, root: Person, server: Path) -> None:
    carol = holder(root, "iam:ChangePassword").client()
    make_user(root, "dave")
    iam.update_account_password_policy(MinimumPasswordLength=20, RequireUppercaseCharacters=True)
    for weak in (SECOND, "no-upper-case-letter-is-in-this-1"):
        assert fault_of(iam.create_login_profile, UserName="dave", Password=weak) == WEAK
        assert fault_of(iam.update_login_profile, UserName="carol", Password=weak) == WEAK
        assert fault_of(carol.change_password, OldPassword=FIRST, NewPassword=weak) == WEAK
    assert fault_of(iam.get_login_profile, UserName="dave")[0] == "NoSuchEntity"
    good = "Four kinds are not wanted here"
    SECRETS.append(good)
    carol.change_password(OldPassword=FIRST, NewPassword=good)
    iam.create_login_profile(UserName="dave", Password=good)


def test_eight_characters_are_demanded_whatever_the_policy_says(iam: Any, root: Person) -> None:
    make_user(root, "dave")
    iam.update_account_password_policy(MinimumPasswordLength=6)
    assert fault_of(iam.create_login_profile, UserName="dave", Password="xyzzy7!") == WEAK
    iam.create_login_profile(UserName="dave", Password="xyzzy 7!")
    SECRETS.append("xyzzy 7!")


@pytest.mark.asvs("6.2.4")
def test_what_many_people_use_is_refused_whatever_the_policy_says(iam: Any, root: Person) -> None:
    make_user(root, "dave")
    for _ in range(2):
        for common in ("Password1", "1qaz@WSX", "Qwerty123456", "P@ssw0rd"):
            assert fault_of(iam.create_login_profile, UserName="dave", Password=common) == WEAK
        iam.update_account_password_policy()


@pytest.mark.asvs("6.2.8")
def test_128_characters_all_count(iam: Any, root: Person) -> None:
    carol = holder(root, "iam:ChangePassword").client()
    iam.update_account_password_policy()
    longest = "ÿ" * 128
    carol.change_password(OldPassword=FIRST, NewPassword=longest)
    wrong = ("AccessDenied", 403, "The old password was incorrect.")
    assert fault_of(carol.change_password, OldPassword="ÿ" * 127 + "þ", NewPassword=SECOND) == wrong
    assert fault_of(carol.change_password, OldPassword="ÿ" * 127, NewPassword=SECOND) == wrong
    too_long = fault_of(carol.change_password, OldPassword=longest, NewPassword="ÿ" * 129)
    assert too_long == invalid(("newPassword", "Member must have length less than or equal to 128"))
    carol.change_password(OldPassword=longest, NewPassword=SECOND)


def test_a_set_up_link_of_a_user_is_under_the_policy_and_of_the_root_user_is_not(root: Person) -> None:
    from accounts.setup_links import issue, redeem
    from iamconsole.errors import PasswordPolicyViolation
    from tests.browser import token_of

    set_policy(root, minimum_password_length=20)
    dave = make_user(root, "dave").user
    where = {"source_ip": "127.0.0.1", "user_agent": "", "request_id": ""}
    token = token_of(issue(dave))
    with pytest.raises(PasswordPolicyViolation) as caught:
        redeem(token, FIRST, **where)
    assert caught.value.broken == ["It has 20 to 128 characters."]
    redeem(token, FIRST * 2, **where)
    redeem(token_of(issue(root.user)), FIRST, **where)


def test_the_root_users_password_is_under_the_default_policy(root: Person) -> None:
    from accounts.operations.root import update_root_user_password
    from iamconsole.errors import PasswordPolicyViolation
    from tests.browser import give_password

    set_policy(root, minimum_password_length=30, password_reuse_prevention=5, max_password_age=1, hard_expiry=True)
    give_password(root, password=FIRST)
    update_root_user_password(caller_for(root.user), old_password=FIRST, new_password=SECOND)
    update_root_user_password(caller_for(root.user), old_password=SECOND, new_password=FIRST)
    with pytest.raises(PasswordPolicyViolation) as caught:
        update_root_user_password(caller_for(root.user), old_password=FIRST, new_password="plover-xyzzy")
    assert len(caught.value.broken) == 1
    with time_machine.travel(datetime.now(UTC) + timedelta(days=9), tick=False):
        answer = a_client().post("/signin/?as=root", {"email": root.user.email, "password": FIRST})
        assert answer.headers["Location"] == "/console/"


def test_a_new_person_is_under_the_policy(root: Person) -> None:
    from accounts.operations.whole_users import create_user_with_access
    from iamconsole.errors import PasswordPolicyViolation

    set_policy(root, require_symbols=True)
    with pytest.raises(PasswordPolicyViolation):
        create_user_with_access(root.caller, user_name="erin", password="PloverXyzzy7")
    create_user_with_access(root.caller, user_name="erin", password=FIRST)


# AllowUsersToChangePassword


@pytest.mark.asvs("6.2.2")
@pytest.mark.asvs("6.2.3")
def test_users_change_their_own_password_when_the_policy_lets_them(iam: Any, root: Person, server: Path) -> None:
    person = holder(root)
    carol = person.client()
    assert fault_of(carol.change_password, OldPassword=FIRST, NewPassword=SECOND)[0] == "AccessDenied"
    iam.update_account_password_policy(AllowUsersToChangePassword=True)
    wrong = fault_of(carol.change_password, OldPassword=SECOND, NewPassword=THIRD)
    assert wrong == ("AccessDenied", 403, "The old password was incorrect.")
    carol.change_password(OldPassword=FIRST, NewPassword=SECOND)
    assert carol.get_account_password_policy()["PasswordPolicy"]["AllowUsersToChangePassword"] is True
    for call, parameters in (
        (carol.update_account_password_policy, {}),
        (carol.get_login_profile, {"UserName": "carol"}),
        (carol.update_login_profile, {"UserName": "alice", "Password": THIRD}),
    ):
        assert fault_of(call, **parameters)[0] == "AccessDenied"
    iam.update_account_password_policy()
    assert fault_of(carol.change_password, OldPassword=SECOND, NewPassword=THIRD)[0] == "AccessDenied"
    assert fault_of(carol.get_account_password_policy)[0] == "AccessDenied"
    iam.update_account_password_policy(AllowUsersToChangePassword=True)
    iam.delete_account_password_policy()
    assert fault_of(carol.change_password, OldPassword=SECOND, NewPassword=THIRD)[0] == "AccessDenied"


def test_what_lets_them_is_named_in_the_decision_and_is_about_themselves(root: Person) -> None:
    set_policy(root, allow_users_to_change_password=True)
    carol = make_user(root, "carol", path="/design/team/")
    dan = make_user(root, "dan")
    caller = caller_for(carol.user)
    decision = caller.decide("iam:ChangePassword", caller.arn)
    assert decision.allowed
    assert decision.told["policy"] == {"name": "account password policy", "kind": "account setting"}
    assert decision.told["statement"]["sid"] == "AllowUsersToChangePassword"
    assert not caller.decide("iam:ChangePassword", dan.user.arn).allowed
    assert caller.decide("iam:GetAccountPasswordPolicy", "*").allowed
    assert not caller.decide("iam:UpdateAccountPasswordPolicy", "*").allowed


def test_a_deny_takes_it_away(root: Person) -> None:
    from permissions.operations.inline import put_user_policy

    set_policy(root, allow_users_to_change_password=True)
    carol = make_user(root, "carol")
    denied = '{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}}'
    put_user_policy(root.caller, user_name="carol", policy_name="no", policy_document=denied)
    caller = caller_for(carol.user)
    assert not caller.decide("iam:ChangePassword", caller.arn).allowed


def test_a_boundary_takes_it_away(root: Person) -> None:
    from permissions.operations.boundaries import put_user_permissions_boundary

    set_policy(root, allow_users_to_change_password=True)
    carol = make_user(root, "carol")
    assert caller_for(carol.user).decide("iam:ChangePassword", carol.user.arn).allowed
    boundary = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    put_user_permissions_boundary(root.caller, user_name="carol", permissions_boundary=boundary)
    assert not caller_for(carol.user).decide("iam:ChangePassword", carol.user.arn).allowed


def test_it_is_no_policy_to_list(iam: Any, root: Person) -> None:
    carol = make_user(root, "carol")
    iam.update_account_password_policy(AllowUsersToChangePassword=True)
    [entry] = iam.list_policies_granting_service_access(Arn=carol.user.arn, ServiceNamespaces=["iam"])[
        "PoliciesGrantingServiceAccess"
    ]
    assert entry["Policies"] == []


def test_the_simulators_page_shows_what_lets_them(root: Person) -> None:
    from tests.browser import signed_in

    set_policy(root, allow_users_to_change_password=True)
    carol = make_user(root, "carol")
    shown = (
        signed_in(root)
        .get(
            "/console/simulator/",
            {
                "policy_source_arn": carol.user.arn,
                "action_names": "iam:ChangePassword",
                "resource_arns": carol.user.arn,
            },
        )
        .content.decode()
    )
    assert "the account password policy" in shown
    assert "AllowUsersToChangePassword" in shown


def test_the_simulator_counts_it_too(iam: Any, root: Person, alice: Person) -> None:
    carol = make_user(root, "carol")
    asked = {
        "PolicySourceArn": carol.user.arn,
        "ActionNames": ["iam:ChangePassword"],
        "ResourceArns": [carol.user.arn],
    }
    assert iam.simulate_principal_policy(**asked)["EvaluationResults"][0]["EvalDecision"] == "implicitDeny"
    iam.update_account_password_policy(AllowUsersToChangePassword=True)
    [result] = iam.simulate_principal_policy(**asked)["EvaluationResults"]
    assert result["EvalDecision"] == "allowed"
    assert result["MatchedStatements"][0]["SourcePolicyId"] == "account password policy"


# Reuse


def test_earlier_passwords_may_not_be_used_again_as_many_as_the_policy_says(root: Person) -> None:
    from credentials.models import PasswordHistory

    carol = holder(root, "iam:ChangePassword")
    set_policy(root, password_reuse_prevention=2)
    assert change(carol, FIRST, FIRST).code == "AccessDenied"
    assert change(carol, FIRST, SECOND).status == 200
    assert change(carol, SECOND, FIRST).code == "PasswordPolicyViolation"
    assert change(carol, SECOND, THIRD).status == 200
    for earlier in (FIRST, SECOND):
        assert (change(carol, THIRD, earlier).code, change(carol, THIRD, earlier).message) == (WEAK[0], WEAK[2])
    assert change(carol, THIRD, FOURTH).status == 200
    assert change(carol, FOURTH, SECOND).code == "PasswordPolicyViolation"
    kept = PasswordHistory.newest(carol.user)
    assert kept.count() == 2
    assert all(row.encoded.startswith("argon2$argon2id$") for row in kept)
    assert change(carol, FOURTH, FIRST).status == 200


def test_an_administrator_sets_no_earlier_password_either(root: Person) -> None:
    from credentials.operations.login_profiles import create_login_profile, delete_login_profile, update_login_profile
    from iamconsole.errors import PasswordPolicyViolation

    holder(root)
    update_login_profile(root.caller, user_name="carol", password=FIRST)  # nothing forbids it yet
    set_policy(root, password_reuse_prevention=1)
    with pytest.raises(PasswordPolicyViolation) as caught:
        update_login_profile(root.caller, user_name="carol", password=FIRST)
    assert caught.value.broken == ["It is not the current password nor the one before it."]
    delete_login_profile(root.caller, user_name="carol")
    with pytest.raises(PasswordPolicyViolation):
        create_login_profile(root.caller, user_name="carol", password=FIRST)
    create_login_profile(root.caller, user_name="carol", password=SECOND)


def test_nothing_is_remembered_unless_the_policy_wants_it(root: Person) -> None:
    from credentials.models import PasswordHistory

    carol = holder(root, "iam:ChangePassword")
    assert change(carol, FIRST, SECOND).status == 200
    assert not PasswordHistory.objects.filter(user=carol.user).exists()
    set_policy(root, password_reuse_prevention=24)
    assert change(carol, SECOND, FIRST).status == 200
    assert PasswordHistory.objects.filter(user=carol.user).count() == 1
    set_policy(root)
    assert not PasswordHistory.objects.filter(user=carol.user).exists()  # at once, whenever she changes it next
    assert change(carol, FIRST, SECOND).status == 200
    assert not PasswordHistory.objects.filter(user=carol.user).exists()


def test_what_a_policy_forbids_no_more_is_forgotten_at_once_of_everybody_and_of_no_other_account(
    root: Person, trudy: Person
) -> None:
    from credentials.models import PasswordHistory

    users = [holder(root, "iam:ChangePassword"), make_user(root, "dora"), trudy]
    for person in users:
        for number in range(5):
            PasswordHistory.objects.create(user=person.user, encoded=f"{number}")

    def kept() -> list[list[str]]:
        return [list(PasswordHistory.newest(each.user).values_list("encoded", flat=True)) for each in users]

    set_policy(root, password_reuse_prevention=2)
    assert kept() == [["4", "3"], ["4", "3"], ["4", "3", "2", "1", "0"]]
    delete_account_password_policy(root.caller)
    assert kept() == [[], [], ["4", "3", "2", "1", "0"]]


def test_a_history_that_changed_meanwhile_is_looked_at_again(root: Person) -> None:
    """Two changes at once: the second was compared with the history as it was before the first."""
    from credentials.passwords import NewPassword
    from credentials.steps import set_password
    from iamconsole.errors import ConcurrentModification

    carol = holder(root, "iam:ChangePassword")
    set_policy(root, password_reuse_prevention=3)
    slow = NewPassword.of(THIRD, caller_for(carol.user).user)
    assert change(carol, FIRST, THIRD).status == 200
    assert change(carol, THIRD, SECOND).status == 200
    with pytest.raises(ConcurrentModification):
        set_password(caller_for(carol.user).user, slow)
    set_policy(root)
    unaware = NewPassword.of(FOURTH, caller_for(carol.user).user)
    set_policy(root, password_reuse_prevention=3)
    with pytest.raises(ConcurrentModification):
        set_password(caller_for(carol.user).user, unaware)


# Expiry


@pytest.fixture
def clock() -> Iterator[Any]:
    """A clock that stands still until a test moves it. What sign-ins at another time have used up counts for none."""
    Throttle.objects.all().delete()
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller
    Throttle.objects.all().delete()


def expiry_of(person: Person) -> Any:
    from credentials.passwords import expiry

    return expiry(caller_for(person.user).user)


@pytest.mark.asvs("6.2.10")
def test_a_password_never_expires_unless_the_policy_says_so(root: Person, clock: Any) -> None:
    carol = holder(root)
    for fields in (None, {}, {"hard_expiry": True}):
        if fields is not None:
            set_policy(root, **fields)
        assert expiry_of(carol) is None
    clock.move_to(START + timedelta(days=4000))
    assert sign_in(carol)[1] == "/console/"


def test_expiry_is_counted_from_the_last_change_and_told_15_days_before(root: Person, clock: Any) -> None:
    carol = holder(root)
    clock.move_to(START + timedelta(days=60))
    set_policy(root, max_password_age=90)
    for days, left, is_near in ((60, 30, False), (74.99, 16, False), (75, 15, True), (89.5, 1, True), (90, 0, True)):
        clock.move_to(START + timedelta(days=days))
        found = expiry_of(carol)
        assert (found.when, found.days_left, found.is_near) == (START + timedelta(days=90), left, is_near)
        assert found.passed is (days >= 90)
    set_policy(root, max_password_age=100, hard_expiry=True)
    assert (expiry_of(carol).days_left, expiry_of(carol).hard) == (10, True)


def test_an_age_holds_at_once_and_the_sign_in_then_asks_for_a_new_password(root: Person, clock: Any) -> None:
    carol = holder(root, "iam:ChangePassword")
    clock.move_to(START + timedelta(days=30))
    assert sign_in(carol)[1] == "/console/"
    set_policy(root, max_password_age=30)
    client, after = sign_in(carol)
    assert after == "/new-password/"
    assert client.get("/console/").status_code == 302
    given = {"old_password": FIRST, "new_password": SECOND, "confirm_password": SECOND}
    assert client.post("/new-password/", given).headers["Location"] == "/console/"
    assert client.get("/console/").status_code == 200
    assert sign_in(carol, SECOND)[1] == "/console/"
    clock.move_to(START + timedelta(days=60))
    assert sign_in(carol, SECOND)[1] == "/new-password/"


def test_after_a_hard_expiry_only_an_administrator_helps(root: Person, clock: Any) -> None:
    from credentials.operations.login_profiles import update_login_profile
    from tests.rows import events_of

    carol = holder(root, "iam:ChangePassword")
    inside, _ = sign_in(carol)
    set_policy(root, max_password_age=30, hard_expiry=True)
    clock.move_to(START + timedelta(days=29, hours=23, minutes=30))
    inside, after = sign_in(carol)
    assert after == "/console/"
    clock.move_to(START + timedelta(days=30))
    client, after = sign_in(carol)
    assert after == "/password-expired/"
    assert "administrator must set" in client.get(after).content.decode()
    assert client.get("/console/").status_code == 302
    assert client.get("/new-password/").headers["Location"] == "/signin/?message=late"
    last = events_of(root.account_id)[-1]
    assert (last.action, last.result) == ("iamconsole:SignIn", "PasswordExpired")
    given = {"old_password": FIRST, "new_password": SECOND, "confirm_password": SECOND}
    refused = inside.post("/console/my-security-credentials/password/", given)
    assert "An administrator must set another one" in refused.content.decode()
    update_login_profile(root.caller, user_name="carol", password=THIRD)
    assert sign_in(carol, THIRD)[1] == "/console/"


@pytest.mark.parametrize("hard", [True, False])
def test_keys_go_on_working_when_the_password_has_expired(root: Person, clock: Any, hard: bool) -> None:
    carol = holder(root, "iam:ChangePassword", "iam:GetUser")
    set_policy(root, max_password_age=1, hard_expiry=hard)
    clock.move_to(START + timedelta(days=400))
    assert expiry_of(carol).passed
    assert send_inside(signed(carol, body_of("GetUser"))).status == 200
    assert change(carol, FIRST, SECOND).status == 200
    assert not expiry_of(carol).passed
    assert sign_in(carol, SECOND)[1] == "/console/"


def test_a_wrong_password_that_has_expired_is_refused_as_any_wrong_one(root: Person, clock: Any) -> None:
    carol = holder(root)
    set_policy(root, max_password_age=1, hard_expiry=True)
    clock.move_to(START + timedelta(days=3))
    assert sign_in(carol, SECOND)[1] is None


def test_must_change_and_expired_are_one_step(root: Person, clock: Any) -> None:
    from credentials.operations.login_profiles import get_login_profile, update_login_profile

    carol = holder(root)
    update_login_profile(root.caller, user_name="carol", password_reset_required=True)
    set_policy(root, max_password_age=1, allow_users_to_change_password=True)
    clock.move_to(START + timedelta(days=3))
    client, after = sign_in(carol)
    assert after == "/new-password/"
    given = {"old_password": FIRST, "new_password": SECOND, "confirm_password": SECOND}
    assert client.post("/new-password/", given).headers["Location"] == "/console/"
    assert not get_login_profile(root.caller, user_name="carol").password_reset_required
    assert sign_in(carol, SECOND)[1] == "/console/"


# Whom a policy touches


def test_the_impact_is_counted_before_anything_is_set(root: Person, clock: Any) -> None:
    from credentials.operations.login_profiles import update_login_profile
    from credentials.operations.password_policies import preview_account_password_policy

    def impact(age: int | None) -> dict[str, int]:
        found: dict[str, int] = preview_account_password_policy(root.caller, max_password_age=age)
        return found

    assert impact(1) == {"console_users": 0, "expired": 0, "must_change": 0, "expire_today": 0}
    for name, days in (("old", 0), ("older", 0), ("today", 10), ("evening", 10.6), ("tomorrow", 10.7), ("new", 20)):
        clock.move_to(START + timedelta(days=days))
        holder(root, name=name)
    make_user(root, "without")
    clock.move_to(START + timedelta(days=20))
    update_login_profile(root.caller, user_name="new", password_reset_required=True)
    # At nine in the morning of the twentieth day: ten days ago is expired, the same evening expires today.
    assert impact(10) == {"console_users": 6, "expired": 3, "must_change": 4, "expire_today": 1}
    assert impact(20) == {"console_users": 6, "expired": 2, "must_change": 3, "expire_today": 0}
    assert impact(None) == {"console_users": 6, "expired": 0, "must_change": 1, "expire_today": 0}
    assert impact(1095) == {"console_users": 6, "expired": 0, "must_change": 1, "expire_today": 0}


def test_the_impact_costs_one_query(root: Person) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from credentials.operations.password_policies import preview_account_password_policy

    holder(root)
    with CaptureQueriesContext(connection) as captured:
        preview_account_password_policy(root.caller, max_password_age=30)
    assert len(captured) == 1
