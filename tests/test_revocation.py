"""What is revoked is revoked for a write that was already on its way, and for sessions that are being made."""

import threading
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.test import Client

from accounts.models import Session, User
from credentials.models import AccessKey, LoginProfile
from credentials.operations.access_keys import create_access_key, update_access_key
from iamconsole.errors import AccessDenied, InvalidClientTokenId
from permissions.operations.inline import delete_user_policy, put_user_policy
from tests.conftest import SECRETS, Person, allow, caller_for, make_user

PASSWORD = "Revoked-Password-1"
SECRETS.append(PASSWORD)


def on_its_way(person: Person) -> Any:
    """The person's caller as a signed request has it, read before what the test does next."""
    key = AccessKey.objects.get(access_key_id=person.access_key_id)
    return replace(caller_for(person.user), access_key=key)


def test_a_key_that_was_switched_off_cannot_switch_itself_on_again(root: Person) -> None:
    mallory = make_user(root, "mallory", allow("iam:UpdateAccessKey"))
    waiting = on_its_way(mallory)
    update_access_key(root.caller, user_name="mallory", access_key_id=mallory.access_key_id, status="Inactive")
    with pytest.raises(InvalidClientTokenId):
        update_access_key(waiting, access_key_id=mallory.access_key_id, status="Active")
    assert AccessKey.objects.get(access_key_id=mallory.access_key_id).status == "Inactive"


def test_a_write_that_waits_for_a_lock_is_decided_when_it_gets_it(root: Person, bob: Person) -> None:
    mallory = make_user(root, "mallory", allow("iam:CreateAccessKey"))
    waiting = on_its_way(mallory)
    refused: list[Exception] = []
    started = threading.Event()

    def write() -> None:
        started.set()
        try:
            create_access_key(waiting, user_name="bob")
        except AccessDenied as fault:
            refused.append(fault)
        finally:
            connection.close()

    writer = threading.Thread(target=write)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=bob.user.pk)
        writer.start()
        started.wait(10)
        writer.join(0.3)  # it waits for bob's row now; if not yet, it will
        assert writer.is_alive()
        # What DeleteUserPolicy does, within the transaction that holds bob's row.
        mallory.user.policies.all().delete()
        mallory.user.account.policy_epoch += 1
        mallory.user.account.save(update_fields=["policy_epoch"])
    writer.join(30)
    assert len(refused) == 1
    assert bob.user.access_keys.count() == 1


def test_a_policy_that_was_deleted_allows_no_write_on_its_way(root: Person, bob: Person) -> None:
    mallory = make_user(root, "mallory", allow("iam:*"))
    waiting = on_its_way(mallory)
    delete_user_policy(root.caller, user_name="mallory", policy_name="given")
    with pytest.raises(AccessDenied):
        put_user_policy(waiting, user_name="mallory", policy_name="mine", policy_document=allow("*"))


def test_a_console_write_ends_with_its_session(root: Person) -> None:
    mallory = make_user(root, "mallory", allow("iam:*"))
    waiting = caller_for(mallory.user, door="console")
    User.objects.filter(pk=mallory.user.pk).update(auth_epoch=mallory.user.auth_epoch + 1)
    with pytest.raises(AccessDenied, match="Your session has ended"):
        put_user_policy(waiting, user_name="mallory", policy_name="mine", policy_document=allow("*"))


def test_who_is_refused_locks_nobody(mallory: Person, bob: Person) -> None:
    """The refusal comes before the transaction: it does not wait for a row that somebody else holds."""
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one lock for all writers, and the refusal's own line needs it")
    refused: list[Exception] = []

    def write() -> None:
        try:
            put_user_policy(mallory.caller, user_name="bob", policy_name="x", policy_document=allow("*"))
        except AccessDenied as fault:
            refused.append(fault)
        finally:
            connection.close()

    with transaction.atomic():
        User.objects.select_for_update().get(pk=bob.user.pk)
        writer = threading.Thread(target=write)
        writer.start()
        writer.join(10)
        assert refused
        assert not writer.is_alive()


def signed_in(person: Person) -> Client:
    """A browser in which the person is signed in by password."""
    User.objects.filter(pk=person.user.pk).update(password=make_password(PASSWORD))
    LoginProfile.objects.get_or_create(user=person.user)
    client = Client(HTTP_HOST="localhost")
    form = {"account": person.account_id, "user_name": person.name, "password": PASSWORD}
    assert client.post("/signin/", form).status_code == 302
    return client


def test_who_deletes_the_own_user_is_signed_out_and_told_so_by_the_sign_in_page(alice: Person) -> None:
    client = signed_in(alice)
    answer = client.post("/console/accounts/user/alice/delete/", {"typed_name": "alice"})
    assert answer.status_code == 302
    assert not User.objects.filter(pk=alice.user.pk).exists()
    assert client.get("/console/").headers["Location"].startswith("/signin/")


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("console-access/disable/", {}),
        ("console-access/", {"first_password": "custom", "password": "Another-Password-2"}),
    ],
)
def test_who_ends_the_own_sessions_finds_the_change_made_and_the_session_over(
    alice: Person, path: str, form: dict[str, str]
) -> None:
    from accounts.nonces import new_nonce

    client = signed_in(alice)
    SECRETS.append("Another-Password-2")
    answer = client.post(f"/console/accounts/user/alice/{path}", form | {"nonce": new_nonce(alice.user)})
    assert answer.status_code == 302
    assert not Session.objects.filter(user=alice.user).exists()
    assert client.get("/console/").headers["Location"].startswith("/signin/")


def test_a_password_that_was_changed_while_it_was_checked_opens_nothing(alice: Person) -> None:
    """``begin`` makes the session only for the user as the password was checked."""
    from django.test import RequestFactory

    from accounts import signin
    from accounts.sessions import SessionStore

    signed_in(alice)
    checked = User.objects.select_related("account", "login_profile").get(pk=alice.user.pk)
    User.objects.filter(pk=checked.pk).update(auth_epoch=checked.auth_epoch + 1)
    request = RequestFactory().post("/signin/")
    request.session = SessionStore()
    before = Session.objects.filter(user=checked).count()
    assert signin.begin(request, checked, "/console/") is None
    User.objects.filter(pk=checked.pk).delete()
    assert signin.begin(request, checked, "/console/") is None
    assert Session.objects.filter(user_id=checked.pk).count() <= before
