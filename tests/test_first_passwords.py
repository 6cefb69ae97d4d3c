"""Generated passwords: good once, for choosing another, and for seven days. Passwords that somebody chose are not touched."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import User
from credentials.models import LoginProfile, PasswordPolicy
from credentials.operations.login_profiles import (
    change_password,
    create_login_profile,
    generate_password,
    update_login_profile,
)
from credentials.operations.password_policies import update_account_password_policy
from iamconsole.errors import AccessDenied
from tests.browser import PASSWORD, a_client, draft, nonce_in, signed_in
from tests.conftest import SECRETS, Person, allow, caller_for, make_user
from tests.rows import events_of
from tests.test_console_signin import is_in
from tests.test_signin_states import ANOTHER, choose, give_password_to

pytestmark = pytest.mark.pure

SHOWN = "until {:%-d %B %Y, %H:%M} UTC (seven days)"


@pytest.fixture
def dora(root: Person) -> Person:
    """May change the own password, and has none yet."""
    return make_user(root, "dora", allow("iam:ChangePassword"))


def generated_for(person: Person, root: Person) -> str:
    """A generated password of the person."""
    password = str(generate_password(root.caller, user_name=person.name).secret["password"])
    SECRETS.append(password)
    return password


def where(person: Person, password: str, client: Client | None = None) -> Any:
    """Where the password leads."""
    return give_password_to(client or a_client(), person, password)["Location"]


def text(answer: Any) -> str:
    return str(answer.content.decode())


def profile_of(person: Person) -> LoginProfile:
    return LoginProfile.objects.get(user=person.user)


@pytest.mark.asvs("6.4.1")
def test_it_is_good_for_choosing_another_and_for_nothing_else(root: Person, dora: Person):
    password = generated_for(dora, root)
    client = a_client()
    assert where(dora, password, client) == "/new-password/"
    assert not is_in(client)
    again = choose(client, password, password)
    assert "must differ" in text(again)
    assert choose(client, password, ANOTHER)["Location"] == "/console/"
    assert is_in(client)
    assert profile_of(dora).password_expire_date is None
    assert give_password_to(a_client(), dora, password).status_code == 200
    with time_machine.travel(datetime.now(UTC) + timedelta(days=400)):
        assert where(dora, ANOTHER) == "/console/"


@pytest.mark.asvs("6.4.1")
def test_it_expires_seven_days_after_it_was_set(root: Person, dora: Person):
    began = datetime(2027, 5, 1, 12, tzinfo=UTC)
    with time_machine.travel(began, tick=False):
        password = generated_for(dora, root)
    with time_machine.travel(began + timedelta(days=7, seconds=-1), tick=False):
        assert where(dora, password) == "/new-password/"
    with time_machine.travel(began + timedelta(days=7), tick=False):
        client = a_client()
        assert where(dora, password, client) == "/password-expired/"
        assert client.get("/new-password/")["Location"].startswith("/signin/")
        assert "an administrator must set it for you" in text(client.get("/password-expired/"))
        event = [each for each in events_of(root.account_id) if each.action == "iamconsole:SignIn"][-1]
        assert event.result == "PasswordExpired"
        for door in ("api", "console"):
            with pytest.raises(AccessDenied, match="has expired"):
                change_password(caller_for(dora.user, door), old_password=password, new_password=ANOTHER)
        wrong = give_password_to(a_client(), dora, "wrong")
        assert wrong.status_code == 200  # who does not know it learns nothing of it
        second = generated_for(dora, root)
        assert where(dora, second) == "/new-password/"
    with time_machine.travel(began + timedelta(days=15), tick=False):
        assert where(dora, second) == "/password-expired/"


def test_it_expires_while_the_new_one_is_being_chosen(root: Person, dora: Person):
    began = datetime(2027, 5, 1, 12, tzinfo=UTC)
    client = a_client()
    with time_machine.travel(began, tick=False):
        password = generated_for(dora, root)
    with time_machine.travel(began + timedelta(days=7, seconds=-60), tick=False):
        assert where(dora, password, client) == "/new-password/"
    with time_machine.travel(began + timedelta(days=7, seconds=60), tick=False):
        assert "has expired" in text(choose(client, password))
        assert not is_in(client)


def test_a_password_that_an_administrator_chose_does_not_expire(root: Person, dora: Person):
    create_login_profile(root.caller, user_name="dora", password=PASSWORD, password_reset_required=True)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=400)):
        assert where(dora, PASSWORD) == "/new-password/"
    update_login_profile(root.caller, user_name="dora", password_reset_required=False)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=800)):
        assert where(dora, PASSWORD) == "/console/"


def test_another_password_takes_the_end_of_the_generated_one_away(root: Person, dora: Person):
    generated_for(dora, root)
    update_login_profile(root.caller, user_name="dora", password=PASSWORD, password_reset_required=False)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=400)):
        assert where(dora, PASSWORD) == "/console/"


def test_no_flag_makes_a_long_term_password_of_it(root: Person, dora: Person):
    password = generated_for(dora, root)
    update_login_profile(root.caller, user_name="dora", password_reset_required=False)
    assert where(dora, password) == "/new-password/"


def test_an_expiry_by_the_policy_does_not_open_what_has_expired_for_good(root: Person, dora: Person):
    update_account_password_policy(root.caller, minimum_password_length=8, max_password_age=1)
    assert not PasswordPolicy.objects.get(account=root.account_id).hard_expiry
    password = generated_for(dora, root)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=2)):
        assert where(dora, password) == "/new-password/"
    with time_machine.travel(datetime.now(UTC) + timedelta(days=8)):
        assert where(dora, password) == "/password-expired/"


def test_the_wizard_generates_one_and_says_how_long_it_is_good(root: Person):
    began = datetime(2027, 5, 1, 12, tzinfo=UTC)
    with time_machine.travel(began, tick=False):
        client = signed_in(root)
        address = draft(client, "erin", "person", allow_change_password="on")
        page = client.post(address, {"first_password": "generated", "nonce": nonce_in(client.get(address))})
    password = page.context["password"]
    SECRETS.append(password)
    assert SHOWN.format(began + timedelta(days=7)) in text(page)
    erin = User.objects.get(account_id=root.account_id, user_name="erin")
    assert erin.login_profile.password_expire_date == began + timedelta(days=7)
    assert erin.login_profile.must_change
    assert password not in str([event.response for event in events_of(root.account_id)])


def test_the_page_of_console_access_generates_one_and_says_how_long_it_is_good(root: Person, dora: Person):
    client = signed_in(root)
    address = "/console/accounts/user/dora/console-access/"
    for action in ("iam:CreateLoginProfile", "iam:UpdateLoginProfile"):
        page = client.post(address, {"first_password": "generated", "nonce": nonce_in(client.get(address))})
        SECRETS.append(page.context["password"])
        expires = profile_of(dora).password_expire_date
        assert expires
        assert SHOWN.format(expires) in text(page)
        assert events_of(root.account_id)[-1].action == action
        assert where(dora, page.context["password"]) == "/new-password/"
    client.post(address, {"first_password": "custom", "password": PASSWORD, "nonce": nonce_in(client.get(address))})
    assert profile_of(dora).password_expire_date is None


def test_who_may_only_make_login_profiles_cannot_replace_one_by_generating(root: Person, dora: Person):
    helper = make_user(root, "helper", allow("iam:CreateLoginProfile"))
    SECRETS.append(generate_password(helper.caller, user_name="dora").secret["password"])
    with pytest.raises(AccessDenied, match="iam:UpdateLoginProfile"):
        generate_password(helper.caller, user_name="dora")
