"""What a hostile user tried on the way in, and what a hostile colleague tried around it."""

import contextlib
import json
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from accounts.models import User
from accounts.operations.suspension import lock_down_user, suspend_user, undo_lock_down
from accounts.operations.users import update_user
from credentials.models import AccessKey
from credentials.operations.access_keys import create_access_key, update_access_key
from credentials.operations.login_profiles import update_login_profile
from credentials.operations.service_tokens import create_service_token
from credentials.operations.ssh_public_keys import upload_ssh_public_key
from credentials.operations.text_messages import begin_sms_registration
from iamconsole.errors import AccessDenied, InvalidInput, LimitExceeded, Throttling
from tests.authenticators import a_number, give_key
from tests.browser import PASSWORD, a_client, give_password
from tests.conftest import SECRETS, Person, allow, make_account, make_user
from tests.ssh_keys import new_ssh_key
from tests.test_console_signin import is_in
from tests.test_signin_states import ANOTHER, give_password_to, require_mfa

pytestmark = pytest.mark.pure


@pytest.fixture
def dora(root: Person) -> Person:
    """May do everything, with a password and no device."""
    dora = make_user(root, "dora", allow("*"))
    give_password(dora)
    return dora


# Where one wanted to go


@pytest.mark.parametrize("after", ["foo", "foo?x=1", "signout", "second-factor", "//evil.example/", "/\\evil.example"])
def test_a_place_to_go_on_to_is_a_path_of_this_server_and_nothing_else(dora: Person, after: str):
    client = a_client()
    form = {"account": dora.account_id, "user_name": dora.name, "password": PASSWORD}
    assert client.post(f"/signin/?next={after}", form)["Location"] == "/console/"
    assert is_in(client)


# Forced devices


def test_no_day_that_an_account_sets_keeps_its_users_from_signing_in(root: Person, dora: Person):
    with pytest.raises(InvalidInput, match="is too late"):
        require_mfa(root, "9999-12-31", grace_period_days=90)
    require_mfa(root, "9998-12-31", grace_period_days=90)
    client = a_client()
    form = {"account": dora.account_id, "user_name": dora.name, "password": PASSWORD}
    assert client.post("/signin/", form)["Location"] == "/console/"
    assert client.get("/console/").status_code == 200


# Passkeys


@pytest.mark.parametrize("name", ["\ud800", "\0", "é", ""])
def test_an_answer_that_names_no_possible_passkey_is_a_wrong_one(dora: Person, name: str):
    key, _ = give_key(dora)
    client = a_client()
    assert give_password_to(client, dora)["Location"] == "/second-factor/"
    answer = json.loads(key.get(client.post("/second-factor/", {"go": "passkey"}).json()))
    page = client.post("/second-factor/", {"credential": json.dumps(answer | {"id": name})})
    assert (page.status_code, is_in(client)) == (200, False)
    assert "does not fit what it was asked" in page.content.decode()


# Text messages


def messages_to(person: Person, numbers: list[str]) -> int:
    """How many of the messages were sent that the person asked for, one to each number."""
    sent = 0
    for number in numbers:
        with contextlib.suppress(Throttling, LimitExceeded):
            begin_sms_registration(person.caller, phone_number=number)
            sent += 1
    return sent


def test_no_number_is_flooded_by_many_users(root: Person):
    number = a_number()
    first, second = (make_user(root, name, allow("*")) for name in ("first", "second"))
    stranger = make_user(make_account(), "stranger", allow("*"))
    assert messages_to(first, [number] * 6) == 6
    assert messages_to(second, [number] * 6) == 4
    assert messages_to(stranger, [number]) == 0
    with pytest.raises(Throttling) as caught:
        begin_sms_registration(stranger.caller, phone_number=number)
    assert caught.value.wait > 0
    assert messages_to(stranger, [a_number()]) == 1


def test_no_account_sends_messages_to_numbers_without_end(root: Person):
    people = [make_user(root, f"pumper{number}", allow("*")) for number in range(11)]
    assert sum(messages_to(each, [a_number() for _ in range(10)]) for each in people) == 100


# Lock-downs


def test_undoing_a_lock_down_leaves_a_key_that_somebody_has_switched_off_since(root: Person, dora: Person):
    lock_down_user(root.caller, user_name="dora")
    update_access_key(root.caller, user_name="dora", access_key_id=dora.access_key_id, status="Inactive")
    undo_lock_down(root.caller, user_name="dora")
    assert AccessKey.objects.get(user=dora.user).status == "Inactive"


def test_undoing_a_lock_down_lets_nobody_in_without_the_permission_to_reactivate(root: Person, dora: Person):
    guard = make_user(root, "guard", allow("iamconsole:UndoLockDown", "iam:UpdateAccessKey"))
    suspend_user(root.caller, user_name="dora", until=datetime.now(UTC) + timedelta(hours=1))
    lock_down_user(root.caller, user_name="dora")
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=2)):
        with pytest.raises(AccessDenied, match="ReactivateUser"):
            undo_lock_down(guard.caller, user_name="dora")
        assert not User.objects.get(pk=dora.user.pk).is_active_at(datetime.now(UTC))
    undo_lock_down(guard.caller, user_name="dora")  # while the earlier suspension holds
    assert not User.objects.get(pk=dora.user.pk).is_active_at(datetime.now(UTC))


# What is told of one's credentials


def notices_of(person: Person, user_name: str, password: str = PASSWORD) -> str:
    """What the first page says to somebody who has just signed in."""
    client = a_client()
    form = {"account": person.account_id, "user_name": user_name, "password": password}
    assert client.post("/signin/", form)["Location"] == "/console/"
    return "".join(str(each) for each in client.get("/console/").context["messages"])


def test_renaming_a_user_hides_nothing_of_what_was_done_before(root: Person, dora: Person):
    notices_of(dora, "dora")
    update_login_profile(root.caller, user_name="dora", password=ANOTHER)
    update_user(root.caller, user_name="dora", new_user_name="ada", new_path="/red/")
    make_user(root, "dora")  # with a key, another user under the name that is free now
    SECRETS.append(create_access_key(root.caller, user_name="ada").secret["secret_access_key"])
    update_user(root.caller, user_name="ada", new_user_name="eve")
    told = notices_of(dora, "eve", ANOTHER)
    assert told.count("the user was renamed or moved") == 2
    assert told.count("the password was set") == 1
    assert told.count("an access key was created") == 1


def test_keys_and_tokens_that_others_added_to_oneself_are_told(root: Person, dora: Person):
    notices_of(dora, "dora")
    upload_ssh_public_key(root.caller, user_name="dora", ssh_public_key_body=new_ssh_key())
    token = create_service_token(root.caller, user_name="dora", description="mine")
    SECRETS.append(token.secret["token"])
    told = notices_of(dora, "dora")
    assert "an SSH public key was uploaded by the root user" in told
    assert "a service token was created by the root user" in told


def test_nobody_is_told_to_have_done_oneself_what_a_user_of_the_name_you_did(root: Person, dora: Person):
    you = make_user(root, "you", allow("*"))
    notices_of(dora, "dora")
    update_login_profile(you.caller, user_name="dora", password=ANOTHER)
    told = notices_of(dora, "dora", ANOTHER)
    assert "the password was set by user you (" in told
    assert "by you" not in told
