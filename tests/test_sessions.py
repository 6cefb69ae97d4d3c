"""Sessions: every one that must die, dies; and those that live are listed, warned and ended by their owners."""

import math
import random
import re
import string
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from accounts.models import Session, User
from accounts.operations.sessions import end_other_sessions, end_own_session
from accounts.operations.users import update_user
from accounts.sessions import IDLE, LIFETIME, SessionStore, digest
from accounts.signin import caller_of
from accounts.signin.notices import CHANGES, TOLD_BY_THE_FORM
from credentials.operations.access_keys import create_access_key
from credentials.operations.login_profiles import change_password, update_login_profile
from credentials.operations.service_credentials import (
    create_service_specific_credential,
    delete_service_specific_credential,
    reset_service_specific_credential,
    update_service_specific_credential,
)
from iamconsole.errors import AccessDenied
from iamconsole.operation import every_operation
from tests.authenticators import give_app, in_mfa_session
from tests.browser import PASSWORD, Visitor, a_client, give_password, main_of, signed_in
from tests.conftest import SECRETS, Person, caller_for
from tests.rows import events_of

ANOTHER = "Green-Goose-8-Ladder"
ME = "/console/my-security-credentials/"
SECRETS.append(ANOTHER)


def is_in(client: Client) -> bool:
    """Whether the client has a live session."""
    return client.get("/console/").status_code == 200


def row_of(client: Client) -> Session:
    """The row of the client's session."""
    return Session.objects.get(pk=digest(client.cookies["session"].value))


def by_form(person: Person) -> Client:
    """A client that came in by the form."""
    client = a_client()
    form = {"account": person.account_id, "user_name": person.name, "password": PASSWORD}
    assert client.post("/signin/", form).status_code == 302
    return client


# What ends sessions (tests/test_session_triggers.py has the table)


def test_a_session_that_was_ended_makes_no_change_that_was_on_its_way(root: Person, alice: Person, bob: Person):
    from dataclasses import replace

    from accounts.operations.sessions import end_session
    from iamconsole.errors import AccessDenied
    from permissions.operations.inline import put_user_policy
    from tests.conftest import allow

    client = signed_in(alice)
    waiting = replace(caller_for(alice.user, door="console"), session_id=row_of(client).session_id)
    end_session(root.caller, user_name="alice", session_id=row_of(client).session_id)
    with pytest.raises(AccessDenied, match="Your session has ended"):
        put_user_policy(waiting, user_name="bob", policy_name="p", policy_document=allow("*"))


def test_a_session_that_was_ended_is_not_brought_back_by_a_confirmation(alice: Person):
    from accounts.sessions import SessionStore

    client = signed_in(alice)
    session = SessionStore(client.cookies["session"].value)
    assert session.get("signed_in")
    row_of(client).delete()
    assert not session.exchange_key()
    assert not Session.objects.filter(user=alice.user).exists()


# Time


@pytest.fixture
def clock() -> Any:
    """A clock that stands still until it is moved."""
    with time_machine.travel(datetime.now(UTC).replace(microsecond=0), tick=False) as clock:
        yield clock


@pytest.mark.asvs("7.3.1")
def test_a_session_ends_after_an_hour_without_use(alice: Person, clock: Any):
    client = signed_in(alice)
    for _ in range(3):
        clock.shift(IDLE - timedelta(seconds=1))
        assert is_in(client)
    clock.shift(IDLE)
    assert not is_in(client)
    clock.shift(-IDLE)  # a clock that is set back opens nothing that the server has forgotten
    assert "session" not in client.cookies or not client.cookies["session"].value or is_in(client)


@pytest.mark.asvs("7.3.2")
def test_a_session_ends_after_twelve_hours_however_much_it_is_used(alice: Person, clock: Any):
    client = signed_in(alice)
    for _ in range(12 * 4 - 1):
        clock.shift(timedelta(minutes=15))
        assert is_in(client)
    clock.shift(timedelta(minutes=15))
    assert not is_in(client)
    assert timedelta(hours=12) == LIFETIME


def test_no_new_key_of_a_session_makes_it_live_longer(alice: Person, clock: Any):
    give_password(alice)
    client = signed_in(alice)
    first = row_of(client)
    clock.shift(timedelta(minutes=50))
    client.post("/console/confirm/", {"password": PASSWORD})
    second = row_of(client)
    fields = {"old_password": PASSWORD, "new_password": ANOTHER, "confirm_password": ANOTHER}
    client.post(f"{ME}password/", fields)
    third = row_of(client)
    assert len({first.pk, second.pk, third.pk}) == 3
    assert first.expire_date == second.expire_date == third.expire_date
    assert second.source_ip == third.source_ip is not None


def test_that_it_was_seen_is_written_once_a_minute(alice: Person, clock: Any):
    client = signed_in(alice)
    start = row_of(client).last_seen_date
    for seconds, seen in ((59, 0), (1, 60), (30, 60), (31, 121)):
        clock.shift(seconds)
        assert is_in(client)
        assert row_of(client).last_seen_date == start + timedelta(seconds=seen)


def test_sessions_that_have_run_out_are_forgotten(alice: Person, clock: Any):
    from accounts.sessions import SessionStore

    signed_in(alice)
    clock.shift(IDLE / 2)
    kept = signed_in(alice)
    clock.shift(IDLE / 2 + timedelta(seconds=1))
    SessionStore.clear_expired()
    assert list(Session.objects.filter(user=alice.user)) == [row_of(kept)]


@pytest.mark.pure
def test_the_page_says_when_the_session_ends_and_staying_puts_it_off(alice: Person, clock: Any):
    client = signed_in(alice)
    page = client.get(ME).content.decode()
    end = datetime.now(UTC) + LIFETIME
    assert f"after an hour without use, and at {end:%H:%M} UTC at the latest" in page
    assert 'data-seconds="3600"' in page
    clock.shift(timedelta(minutes=58))
    answer = client.post("/console/stay/")
    assert (answer.status_code, answer.content) == (200, b"3600")
    for _ in range(11):
        clock.shift(timedelta(minutes=58))
        answer = client.post("/console/stay/")
    assert answer.content == b"1440"
    assert "Save your work and sign in again." in client.get(ME).content.decode()
    assert client.get("/console/stay/").status_code == 405


@pytest.mark.pure
def test_the_browser_warns_two_minutes_before_and_one_click_extends(visitor: Visitor, alice: Person):
    give_password(alice)
    page = visitor.sign_in(alice)
    expect(page.locator("#session-end")).to_be_hidden()
    page.clock.install()
    visitor.open("/console/accounts/user/")
    page.clock.fast_forward(3600_000 - 141_000)
    expect(page.locator("#session-end")).to_be_hidden()
    page.clock.fast_forward(2_000)
    expect(page.locator("#session-end")).to_contain_text("Your session ends in two minutes.")
    with page.expect_response("**/console/stay/") as stayed:
        page.get_by_role("button", name="Stay signed in").click()
    assert stayed.value.text() == "3600"
    expect(page.locator("#session-end")).to_be_hidden()
    page.evaluate("new Promise((done) => requestIdleCallback(done))")  # until the script has read the answer
    Session.objects.filter(user=alice.user).delete()
    page.clock.fast_forward(3600_000 - 139_000)
    page.get_by_role("button", name="Stay signed in").click()
    expect(page.locator("h1")).to_have_text("Sign in as IAM user")


# Lists


@pytest.mark.pure
@pytest.mark.asvs("7.5.2")
def test_one_sees_the_own_sessions_and_ends_them(visit: Callable[..., Visitor], alice: Person):
    give_password(alice)
    here, there = visit(), visit(user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
    there.sign_in(alice)
    expect(there.page.locator("h1")).to_have_text("Dashboard")
    page = here.sign_in(alice)
    expect(page.locator("main")).to_contain_text("Last sign-in: ")
    expect(page.locator("main")).to_contain_text("with Firefox on Linux.")
    here.open(ME)
    assert "Last sign-in: 2" not in main_of(page)  # told once
    rows = page.locator("section[aria-labelledby=sessions-heading] tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("This session")
    expect(rows.nth(1)).to_contain_text("Firefox on Linux")
    rows.nth(1).get_by_role("button", name="End").click()
    expect(page.locator("main")).to_contain_text("The session has ended.")
    there.open("/console/")
    expect(there.page.locator("h1")).to_have_text("Sign in as IAM user")
    there.sign_in(alice)
    expect(there.page.locator("h1")).to_have_text("Dashboard")
    here.open(ME)
    page.get_by_role("button", name="Sign out other sessions").click()
    expect(page.locator("main")).to_contain_text("Your other sessions have ended.")
    expect(rows).to_have_count(1)


@pytest.mark.asvs("7.4.5")
def test_an_administrator_ends_a_users_sessions_in_the_tab(visitor: Visitor, root: Person, alice: Person, bob: Person):
    give_password(alice)
    give_password(bob)
    first, second = by_form(bob), by_form(bob)
    page = visitor.sign_in(alice)
    visitor.open("/console/accounts/user/bob/change/?tab=sessions")
    rows = page.locator("section[aria-labelledby=sessions-heading] tbody tr")
    expect(rows).to_have_count(2)
    rows.first.get_by_role("button", name="End").click()
    expect(rows).to_have_count(1)
    assert [is_in(first), is_in(second)] == [True, False]
    page.get_by_role("button", name="End all sessions").click()
    expect(page.locator("main")).to_contain_text("Every session of bob has ended.")
    assert not is_in(first)
    page.get_by_role("button", name="Allow new sign-in attempts").click()
    expect(page.locator("main")).to_contain_text("bob can try to sign in again at once.")


def test_new_attempts_at_mfa_devices_are_allowed_by_who_has_shown_an_own_one(alice: Person, bob: Person):
    give_app(bob.account_id, bob.user, "bobs")
    client, tab = signed_in(alice), "/console/accounts/user/bob/change/?tab=sessions"
    reset = reverse("admin:user-throttle-reset", args=["bob"])
    page = client.get(tab).content.decode()
    assert "assign an MFA device to yourself" in page
    assert reset not in page
    assert client.post(reset).status_code == 403
    line = events_of(alice.account_id)[-1]
    assert (line.action, line.result) == ("iamconsole:ResetSignInThrottle", "AccessDenied")
    session = client.session
    session["mfa_time"] = session["proved"]
    session.save()
    assert reset in client.get(tab).content.decode()
    assert "bob can try to sign in again at once." in client.post(reset, follow=True).content.decode()


@pytest.mark.pure
@pytest.mark.asvs("7.2.3")
def test_session_keys_are_random_unique_and_of_more_than_128_bits(alice: Person):
    give_password(alice)
    keys = []
    for _ in range(2000):
        random.seed(1)  # which says what comes of `random`, and nothing of the system's secure numbers
        keys.append(SessionStore()._get_new_session_key())
    assert len(set(keys)) == 2000
    alphabet = set("".join(keys))
    assert alphabet == set(string.ascii_lowercase + string.digits)
    assert {len(key) for key in keys} == {32}
    assert 32 * math.log2(len(alphabet)) > 128
    for place in zip(*keys, strict=True):  # every character comes in every place, and none much more often than another
        often = Counter(place)
        assert set(often) == alphabet
        assert max(often.values()) < 4 * len(keys) / len(alphabet)
    # That is what a browser is given, and what the table has opens nothing.
    browsers = [by_form(alice) for _ in range(3)]
    given = [client.cookies["session"].value for client in browsers]
    assert all(re.fullmatch("[a-z0-9]{32}", key) for key in given)
    assert len(set(given)) == 3
    rows = set(Session.objects.filter(user=alice.user).values_list("pk", flat=True))
    assert rows == {digest(key) for key in given}
    for row in rows:
        stranger = a_client()
        stranger.cookies["session"] = row
        assert not is_in(stranger)


def test_nobody_ends_anothers_session_as_an_own_one(alice: Person, bob: Person):
    bobs, hers = signed_in(bob), signed_in(alice)
    hers.post(f"{ME}sessions/{row_of(bobs).session_id}/end/")
    assert is_in(bobs)


@pytest.mark.asvs("7.5.2")
def test_a_session_is_ended_by_the_id_it_had_in_the_list_however_often_it_was_confirmed_since(alice: Person):
    give_password(alice)
    owner, thief = signed_in(alice), signed_in(alice)
    listed = {each.session_id for each in Session.objects.filter(user=alice.user)}
    stolen = row_of(thief).session_id
    for _ in range(2):
        key = thief.cookies["session"].value
        assert thief.post("/console/confirm/", {"password": PASSWORD}).status_code == 302
        assert thief.cookies["session"].value != key
    assert {each.session_id for each in Session.objects.filter(user=alice.user)} == listed
    owner.post(f"{ME}sessions/{stolen}/end/")
    assert [is_in(owner), is_in(thief)] == [True, False]


@pytest.mark.asvs("7.5.2")
def test_a_session_that_is_being_confirmed_does_not_get_away(alice: Person, monkeypatch: pytest.MonkeyPatch):
    give_password(alice)
    owner, thief = signed_in(alice), signed_in(alice)
    create = SessionStore.create

    def end_others() -> None:
        try:
            owner.post(f"{ME}sessions/end-others/")
        finally:
            connection.close()

    ending = threading.Thread(target=end_others)

    def created(store: SessionStore) -> None:
        create(store)
        if threading.current_thread() is not ending:
            ending.start()
            ending.join(0.5)  # it waits for the row that this one holds, or is done before

    monkeypatch.setattr(SessionStore, "create", created)
    assert thief.post("/console/confirm/", {"password": PASSWORD}).status_code == 302
    ending.join(30)  # which raises if it was never started
    assert not ending.is_alive()
    assert [is_in(owner), is_in(thief)] == [True, False]


@pytest.mark.asvs("7.4.1")
def test_signing_out_ends_the_session_that_is_confirmed_meanwhile(alice: Person, monkeypatch: pytest.MonkeyPatch):
    give_password(alice)
    hers, thief = signed_in(alice), a_client()
    thief.cookies["session"] = hers.cookies["session"].value
    meanwhile = [lambda: thief.post("/console/confirm/", {"password": PASSWORD})]

    def first_confirmed(request: Any) -> Any:
        caller = caller_of(request)
        while meanwhile:
            assert meanwhile.pop()().status_code == 302
        return caller

    monkeypatch.setattr("accounts.signin.session.caller_of", first_confirmed)
    hers.post("/signout/")
    assert not meanwhile
    assert not is_in(thief)
    assert not Session.objects.filter(user=alice.user).exists()


def test_a_key_alone_does_not_keep_its_user_out_of_the_console(alice: Person, bob: Person):
    hers = signed_in(alice)
    session_id = row_of(hers).session_id
    for operation, given in ((end_other_sessions, {}), (end_own_session, {"session_id": session_id})):
        with pytest.raises(AccessDenied, match="ends own sessions in the console, or with multi-factor"):
            operation(alice.caller, **given)
    assert is_in(hers)
    end_other_sessions(in_mfa_session(alice))
    assert not is_in(hers)


def test_a_user_has_fifty_sessions_at_most_the_oldest_goes(alice: Person, clock: Any):
    from accounts.signin.session import SESSIONS_PER_USER

    give_password(alice)
    Session.objects.bulk_create(
        Session(
            session_key=f"{number:064x}",
            user=alice.user,
            expire_date=datetime.now(UTC) + LIFETIME,
            create_date=datetime.now(UTC) - timedelta(minutes=number),
        )
        for number in range(SESSIONS_PER_USER)
    )
    by_form(alice)
    assert Session.objects.filter(user=alice.user).count() == SESSIONS_PER_USER
    assert not Session.objects.filter(pk=f"{SESSIONS_PER_USER - 1:064x}").exists()


# Who signed in


@pytest.mark.asvs("6.3.5")
def test_sign_ins_and_failures_are_told_and_recorded(alice: Person):
    give_password(alice)
    first = by_form(alice)
    assert "You have signed in for the first time." in first.get("/console/").content.decode()
    for _ in range(2):
        a_client().post("/signin/", {"account": alice.account_id, "user_name": "alice", "password": "wrong"})
    client = by_form(alice)
    page = client.get("/console/").content.decode()
    assert "2 sign-in attempts failed since then." in page
    assert "failed since" not in client.get("/console/").content.decode()
    event = [each for each in events_of(alice.account_id) if each.action == "iamconsole:SignIn"][-1]
    assert event.response == {"method": "password", "known_browser": False, "failures_before": 2}
    first.post("/signout/")
    first.post("/signin/", {"account": alice.account_id, "user_name": "alice", "password": PASSWORD})
    event = [each for each in events_of(alice.account_id) if each.action == "iamconsole:SignIn"][-1]
    assert event.response == {"method": "password", "known_browser": True, "failures_before": 0}


@pytest.mark.asvs("6.3.7")
def test_what_became_of_the_own_credentials_is_told_once(root: Person, alice: Person):
    give_password(alice)
    by_form(alice)
    SECRETS.append(create_access_key(root.caller, user_name="alice").secret["secret_access_key"])
    update_login_profile(caller_for(alice.user), user_name="alice", password=PASSWORD)
    page = by_form(alice).get("/console/").content.decode()
    assert re.search(r"Changed since then: the password was set by you \([-\d: ]+UTC\);", page)
    assert re.search(r"an access key was created by the root user \([-\d: ]+UTC\)\.", page)
    for _ in range(6):
        update_login_profile(caller_for(alice.user), user_name="alice", password=PASSWORD)
    client = by_form(alice)
    page = client.get("/console/").content.decode()
    assert page.count("the password was set by you") == 5
    assert "; and 1 more." in page
    assert "Changed since" not in client.get("/console/").content.decode()
    assert "Changed since" not in by_form(alice).get("/console/").content.decode()
    update_user(root.caller, user_name="alice", new_user_name="alicia")
    form = {"account": alice.account_id, "user_name": "alicia", "password": PASSWORD}
    client.post("/signout/")
    client.post("/signin/", form)
    assert "the user was renamed or moved by the root user" in client.get("/console/").content.decode()


@pytest.mark.asvs("6.3.7")
def test_a_password_that_was_changed_by_a_key_is_told_and_one_by_the_form_is_not(alice: Person):
    give_password(alice)
    by_form(alice)
    change_password(caller_for(alice.user, "console"), old_password=PASSWORD, new_password="Green-Goose-8-Ladder")
    change_password(caller_for(alice.user, "api"), old_password="Green-Goose-8-Ladder", new_password=PASSWORD)
    page = by_form(alice).get("/console/").content.decode()
    assert page.count("the password was changed by you") == 1


@pytest.mark.asvs("6.3.7")
def test_what_became_of_service_specific_credentials_is_told(root: Person, alice: Person):
    give_password(alice)
    by_form(alice)
    made = create_service_specific_credential(root.caller, user_name="alice", service_name="codecommit.amazonaws.com")
    which = {"user_name": "alice", "service_specific_credential_id": made.entity.service_specific_credential_id}
    again = reset_service_specific_credential(root.caller, **which)
    SECRETS.extend([*made.secret.values(), *again.secret.values()])
    update_service_specific_credential(root.caller, **which, status="Inactive")
    delete_service_specific_credential(root.caller, **which)
    page = by_form(alice).get("/console/").content.decode()
    for change in ("created", "given a new password", "switched on or off", "deleted"):
        assert f"a service-specific credential was {change} by the root user" in page


NOT_TOLD = {
    "iam:CreateVirtualMFADevice": "nobody's yet: told when it is enabled",
    "iam:DeleteAccountPasswordPolicy": "the account's",
    "iam:DeleteServerCertificate": "the account's",
    "iam:DeleteVirtualMFADevice": "nobody's any more: told when it was deactivated",
    "iam:GenerateCredentialReport": "changes no credential",
    "iam:TagMFADevice": "changes no credential",
    "iam:TagServerCertificate": "the account's",
    "iam:UntagMFADevice": "changes no credential",
    "iam:UntagServerCertificate": "the account's",
    "iam:UpdateAccountPasswordPolicy": "the account's",
    "iam:UpdateServerCertificate": "the account's",
    "iam:UploadServerCertificate": "the account's",
    "iamconsole:BeginPasskeyRegistration": "told when it is finished",
    "iamconsole:BeginSMSRegistration": "told when it is finished",
    "iamconsole:CreateRequiredMFADevice": "told by the sign-in that it is a step of",
    "iamconsole:DeleteHardwareToken": "nobody's: one that is in use is not deleted",
    "iamconsole:DeleteMFARequirement": "the account's",
    "iamconsole:EnableRequiredMFADevice": "told by the sign-in that it is a step of",
    "iamconsole:ExportServerCertificate": "the account's",
    "iamconsole:ImportHardwareTokens": "nobody's yet: told when they are enabled",
    "iamconsole:RefreshCredentialReport": "changes no credential",
    "iamconsole:UpdateAccessKeySettings": "the account's, and changes no key that is there",
    "iamconsole:UpdateMFARequirement": "the account's",
    "sts:GetSessionToken": "ends by itself, and changes no credential that is there",
}


def test_every_change_of_a_users_credentials_is_told_or_has_a_reason_not_to_be():
    writes = {each.action: each for each in every_operation() if not each.reads}
    assert set(CHANGES) <= set(writes)
    assert set(CHANGES) >= TOLD_BY_THE_FORM
    places = ("credentials.operations.", "accounts.operations.root")
    # What is made of several actions is in the trail, and is told, as these.
    alone = {
        action for action, each in writes.items() if each.function.__module__.startswith(places) and not each.performs
    }
    assert alone - set(CHANGES) == set(NOT_TOLD)


def test_the_list_of_sign_ins_is_cut_into_pages_and_shows_only_ones_own(root: Person, alice: Person, bob: Person):
    from audit.operations.sign_ins import list_own_sign_ins

    give_password(alice)
    give_password(bob)
    by_form(bob)
    for _ in range(3):
        a_client().post("/signin/", {"account": alice.account_id, "user_name": "alice", "password": "wrong"})
    client = by_form(alice)
    page = list_own_sign_ins(alice.caller, max_items=3)
    assert [each["result"] for each in page.items] == ["Success", "Failure", "Failure"]
    rest = list_own_sign_ins(alice.caller, max_items=3, marker=page.marker)
    assert ([each["result"] for each in rest.items], rest.marker) == (["Failure"], None)
    shown = client.get(f"{ME}sign-ins/").content.decode()
    assert (shown.count(">Failed<"), shown.count(">Signed in<")) == (3, 1)
    assert User.objects.filter(pk=bob.user.pk).exists()


# Sudo


def old_session(person: Person, minutes: int) -> Client:
    """A client whose owner proved who it is so many minutes ago."""
    client = signed_in(person)
    session = client.session
    session["proved"] -= minutes * 60
    session.save()
    return client


SENSITIVE: list[tuple[str, dict[str, Any]]] = [
    ("/console/accounts/user/bob/policies/create/", {"policy_name": "p", "policy_document": "{}"}),
    ("/console/accounts/user/bob/access-keys/create/", {}),
    ("/console/accounts/user/bob/console-access/", {"first_password": "generated"}),
    ("/console/accounts/user/bob/console-access/disable/", {}),
    ("/console/accounts/user/bob/delete/", {"typed_name": "bob"}),
    ("/console/accounts/user/bob/tags/", {"tag_key": "team", "tag_value": "blue"}),
    (f"{ME}access-keys/create/", {}),
]


@pytest.mark.pure
@pytest.mark.asvs("7.5.1")
@pytest.mark.asvs("7.5.3")
@pytest.mark.parametrize(("address", "fields"), SENSITIVE)
def test_a_sensitive_change_wants_a_proof_of_the_last_quarter_of_an_hour(
    root: Person, alice: Person, bob: Person, address: str, fields: dict[str, Any]
):
    from accounts.nonces import new_nonce
    from tests.rows import rows_of

    give_password(alice)
    if "policies" in address:
        from tests.conftest import allow

        fields = {**fields, "policy_document": allow("iam:GetUser")}
    if "disable" in address:
        give_password(bob)
    fields = {**fields, "nonce": new_nonce(alice.user)}
    client = old_session(alice, 16)
    before = {**rows_of(alice.account_id), "Session": []}
    answer = client.post(address, fields)
    assert answer.status_code == 403
    assert "Confirm that it is you" in answer.content.decode()
    assert {**rows_of(alice.account_id), "Session": []} == before  # not even a line in the trail
    again = answer.context["form"]["again"].value()
    key = client.cookies["session"].value
    wrong = client.post("/console/confirm/", {"password": "wrong", "again": again})
    assert "This is not your password." in wrong.content.decode()
    done = client.post("/console/confirm/", {"password": PASSWORD, "again": again})
    assert done.status_code in (200, 302)
    assert "Confirm that it is you" not in done.content.decode()
    SECRETS.extend(
        filter(None, [str((done.context or {}).get("secret") or (done.context or {}).get("password") or "")])
    )
    after = {**rows_of(alice.account_id), "Session": []}
    assert after != before
    assert client.cookies["session"].value != key
    assert is_in(client)
    assert old_session(alice, 14).post(address, fields).status_code in (200, 302, 409, 404)


@pytest.mark.pure
@pytest.mark.asvs("7.5.3")
@pytest.mark.parametrize(("seconds", "status"), [(15 * 60 - 5, 302), (15 * 60 + 1, 403)])
def test_a_proof_holds_for_a_quarter_of_an_hour(alice: Person, bob: Person, seconds: int, status: int):
    client = signed_in(alice)
    session = client.session
    session["proved"] -= seconds
    session.save()
    answer = client.post("/console/accounts/user/bob/suspend/")
    assert answer.status_code == status


@pytest.mark.pure
def test_what_is_not_sensitive_asks_nothing(alice: Person):
    client = old_session(alice, 300)
    for address in (ME, "/console/", "/console/accounts/user/", "/console/accounts/user/alice/change/"):
        assert client.get(address).status_code == 200
    alias = {"account_alias": f"acme-{alice.account_id}", "alias": f"acme-{alice.account_id}"}
    assert client.post("/console/account/alias/", alias).status_code == 302
    assert client.post(f"{ME}sessions/end-others/").status_code == 403  # ends sessions, so it is asked


@pytest.mark.pure
def test_a_secret_of_the_form_is_not_kept_while_it_is_asked_who_it_is(alice: Person, bob: Person):
    from accounts.nonces import new_nonce
    from credentials.models import LoginProfile

    give_password(alice)
    client = old_session(alice, 16)
    fields = {"first_password": "custom", "password": ANOTHER, "password_reset_required": "on"}
    fields |= {"nonce": new_nonce(alice.user)}
    answer = client.post("/console/accounts/user/bob/console-access/", fields)
    assert ANOTHER not in answer.content.decode()
    again = answer.context["form"]["again"].value()
    done = client.post("/console/confirm/", {"password": PASSWORD, "again": again})
    assert "Passwords and files were not kept: enter them again." in done.content.decode()
    assert not LoginProfile.objects.filter(user=bob.user).exists()
    assert done.context["form"]["password_reset_required"].value()


@pytest.mark.pure
def test_a_form_to_send_again_is_good_for_its_user_alone_and_not_for_long(root: Person, alice: Person, bob: Person):
    from tests.conftest import make_user

    eve = make_user(root, "eve")
    for person in (alice, eve):
        give_password(person)
    asked = old_session(alice, 16).post("/console/accounts/user/bob/delete/", {"typed_name": "bob"})
    again = asked.context["form"]["again"].value()
    for forged in (again, "x", again[:-1]):
        answer = old_session(eve, 16).post("/console/confirm/", {"password": PASSWORD, "again": forged})
        assert answer["Location"] == "/console/"
    assert User.objects.filter(pk=bob.user.pk).exists()
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=16)):
        old_session(alice, 16).post("/console/confirm/", {"password": PASSWORD, "again": again})
    assert User.objects.filter(pk=bob.user.pk).exists()


@pytest.mark.pure
def test_keys_and_the_shell_are_not_asked(alice: Person, root: Person):
    from dataclasses import replace

    from credentials.operations.access_keys import update_access_key

    for door in ("api", "shell"):
        caller = replace(caller_for(alice.user, door=door), sudo_time=None)
        update_access_key(caller, access_key_id=alice.access_key_id, status="Active")
