"""Suspend, end date, lock down: the user is kept out at every door from the moment the operation has answered, and comes back."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Session, SetupLink, User
from accounts.operations.sessions import list_sessions
from accounts.operations.suspension import (
    delete_user_end_date,
    get_user_status,
    lock_down_user,
    put_user_end_date,
    reactivate_user,
    suspend_user,
    undo_lock_down,
)
from accounts.setup_links import issue
from credentials.models import AccessKey
from credentials.operations.access_keys import create_access_key, delete_access_key, update_access_key
from credentials.operations.service_tokens import create_service_token
from iamconsole.errors import AccessDenied, Fault, InvalidClientTokenId, InvalidInput, NoSuchEntity, ValidationError
from permissions.operations.inline import put_user_policy
from tests.authenticators import session_of
from tests.browser import PASSWORD, Visitor, a_client, give_password, signed_in, token_of
from tests.conftest import ALLOW_ALL, SECRETS, URL, Person, allow, caller_for, make_user
from tests.raw import body_of, send_inside, signed
from tests.rows import events_of
from tests.test_signin_states import add_device, code_of, device_of, give_code, give_password_to
from tests.test_signin_throttle import attempt, hashes, told

__all__ = ["hashes"]
SOON = timedelta(minutes=2)  # a session, a pending state and a signature live longer than this
Accepted = Callable[[], bool]


@pytest.fixture
def carol(root: Person) -> Person:
    """Who is kept out."""
    return make_user(root, "carol", ALLOW_ALL)


# Every door, as something that says whether it still lets the user in


def _signature(root: Person, carol: Person) -> Accepted:
    return lambda: _answers(carol)


def _answers(person: Person) -> bool:
    answer = send_inside(signed(person, body_of("GetCallerIdentity", "sts"), service="sts"))
    assert answer.code in (None, "InvalidClientTokenId")
    return answer.status == 200


def _temporary_credentials(root: Person, carol: Person) -> Accepted:
    session = session_of(carol)
    return lambda: _answers(session)


def _authorize(token: str, signer: Any) -> Any:
    body = {**signer, "action": "s3:GetObject", "resource": "*"}
    headers = {"X-Iamconsole-Token": token, "Host": "localhost"}
    answer = a_client().post("/authorize", json.dumps(body), content_type="application/json", headers=headers)
    return answer.json()


def _token_of(root: Person, user_name: str) -> str:
    token: str = create_service_token(root.caller, user_name=user_name).secret["token"]
    SECRETS.append(token)
    return token


def _service_token(root: Person, carol: Person) -> Accepted:
    dave, token = make_user(root, "dave", ALLOW_ALL), _token_of(root, "carol")
    return lambda: "error" not in _authorize(token, {"access_key_id": dave.access_key_id})


def _signer(root: Person, carol: Person) -> Accepted:
    make_user(root, "keeper", allow("iamconsole:Authorize"))
    token = _token_of(root, "keeper")
    return lambda: "error" not in _authorize(token, {"access_key_id": carol.access_key_id})


def _signers_request(root: Person, carol: Person) -> Accepted:
    make_user(root, "keeper", allow("iamconsole:Authorize"))
    token = _token_of(root, "keeper")

    def accepted() -> bool:
        request = signed(carol, b"", service="s3", method="GET", headers={"Host": URL.partition("//")[2]})
        sent = [
            [name, value.decode() if isinstance(value, bytes) else value] for name, value in request.headers.items()
        ]
        answer = _authorize(token, {"request": {"method": "GET", "uri": "/", "headers": sent}})
        assert "error" not in answer or answer["error"]["code"] == "InvalidClientTokenId", answer
        return "error" not in answer

    return accepted


def _browser(root: Person, carol: Person) -> Accepted:
    client = signed_in(carol)
    return lambda: client.get("/console/").status_code == 200


def _password(root: Person, carol: Person) -> Accepted:
    give_password(carol)
    return lambda: attempt(a_client(), carol.account_id, "carol", PASSWORD).status_code == 302


def _second_factor(root: Person, carol: Person) -> Accepted:
    give_password(carol)
    add_device(carol.user)
    client = a_client()
    give_password_to(client, carol)

    def accepted() -> bool:
        if client.get("/second-factor/").status_code != 200:
            return give_code(client, code_of(device_of(carol)))["Location"] != "/signin/?message=late"
        return True

    return accepted


def _new_password(root: Person, carol: Person) -> Accepted:
    give_password(carol, must_change=True)
    client = a_client()
    give_password_to(client, carol)
    return lambda: client.get("/new-password/").status_code == 200


def _setup_link(root: Person, carol: Person) -> Accepted:
    path = f"/setup/{token_of(issue(carol.user))}/"
    return lambda: a_client().get(path).status_code == 200


DOORS: dict[str, Callable[[Person, Person], Accepted]] = {
    "an access key": _signature,
    "temporary credentials": _temporary_credentials,
    "a service token": _service_token,
    "a key asked about at /authorize": _signer,
    "a request asked about at /authorize": _signers_request,
    "a browser's session": _browser,
    "the password": _password,
    "a sign-in that owes a code": _second_factor,
    "a sign-in that owes a new password": _new_password,
    "a set-up link": _setup_link,
}
WAYS: dict[str, Callable[[Person], Any]] = {
    "suspended": lambda root: suspend_user(root.caller, user_name="carol"),
    "suspended for a day": lambda root: suspend_user(
        root.caller, user_name="carol", until=datetime.now(UTC) + timedelta(days=1)
    ),
    "past the end date": lambda root: put_user_end_date(
        root.caller, user_name="carol", end_date=datetime.now(UTC) + SOON
    ),
    "locked down": lambda root: lock_down_user(root.caller, user_name="carol"),
}


@pytest.mark.asvs("7.4.2")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("door", DOORS)
def test_who_is_kept_out_is_kept_out_at_every_door(root: Person, carol: Person, door: str, way: str) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        accepted = DOORS[door](root, carol)
        assert accepted()
        WAYS[way](root)
        if way == "past the end date":
            assert accepted()
            clock.shift(SOON)
        assert not accepted()
        reactivate_user(root.caller, user_name="carol")
        comes_back = {"a service token", "the password"}
        if way != "locked down":
            comes_back |= {"an access key", "a key asked about at /authorize", "a request asked about at /authorize"}
        if way == "past the end date":
            comes_back.add("a set-up link")
        assert accepted() is (door in comes_back)


@pytest.mark.asvs("7.4.2")
@pytest.mark.parametrize("way", WAYS)
def test_a_change_that_was_on_its_way_is_refused(root: Person, carol: Person, way: str) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        key = AccessKey.objects.get(access_key_id=carol.access_key_id)
        by_key = replace(caller_for(carol.user), access_key=key)
        by_browser = caller_for(carol.user, "console")
        WAYS[way](root)
        clock.shift(SOON)
        for waiting, fault in ((by_key, InvalidClientTokenId), (by_browser, AccessDenied)):
            with pytest.raises(fault):
                put_user_policy(waiting, user_name="carol", policy_name="mine", policy_document=allow("*"))
    assert not carol.user.policies.filter(policy_name="mine").exists()


@pytest.mark.parametrize("way", WAYS)
def test_a_password_that_was_right_just_before_makes_no_session(root: Person, carol: Person, way: str) -> None:
    from django.test import RequestFactory

    from accounts import signin
    from accounts.sessions import SessionStore

    give_password(carol)
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        checked = User.objects.select_related("account", "login_profile").get(pk=carol.user.pk)
        WAYS[way](root)
        clock.shift(SOON)
        request = RequestFactory().post("/signin/")
        request.session = SessionStore()
        assert signin.begin(request, checked, "/console/") is None
    assert not Session.objects.filter(user=carol.user).exists()


def test_a_suspension_until_a_time_ends_by_the_clock_and_sessions_do_not_come_back(root: Person, carol: Person) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        temporary, client = session_of(carol), signed_in(carol)
        suspend_user(root.caller, user_name="carol", until=datetime.now(UTC) + SOON)
        clock.shift(SOON - timedelta(seconds=1))
        assert not _answers(carol)
        clock.shift(1)
        assert _answers(carol)
        assert get_user_status(root.caller, user_name="carol").status == "Active"
        assert not _answers(temporary)
        assert client.get("/console/").status_code == 302


@pytest.mark.parametrize("back", [delete_user_end_date, reactivate_user])
def test_no_session_lives_again_when_an_end_date_is_moved(root: Person, carol: Person, back: Any) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        temporary, client = session_of(carol), signed_in(carol)
        put_user_end_date(root.caller, user_name="carol", end_date=datetime.now(UTC) + SOON)
        clock.shift(SOON)
        assert list_sessions(root.caller, user_name="carol") == []
        back(root.caller, user_name="carol")
        assert _answers(carol)
        assert not _answers(temporary)
        assert client.get("/console/").status_code == 302
        assert not Session.objects.filter(user=carol.user).exists()


def test_an_end_date_that_is_still_to_come_ends_no_session(root: Person, carol: Person) -> None:
    client = signed_in(carol)
    put_user_end_date(root.caller, user_name="carol", end_date=datetime.now(UTC) + timedelta(days=1))
    assert client.get("/console/").status_code == 200
    delete_user_end_date(root.caller, user_name="carol")
    assert client.get("/console/").status_code == 200


# What a suspended user is told


def kept_out(root: Person, user_name: str, way: str) -> Person:
    """A user with a password who is kept out, or a user like any other."""
    person = make_user(root, user_name, ALLOW_ALL)
    give_password(person)
    if way == "suspended":
        suspend_user(root.caller, user_name=user_name)
    if way == "locked down":
        lock_down_user(root.caller, user_name=user_name)
    if way == "ended":
        User.objects.filter(pk=person.user.pk).update(end_date=datetime.now(UTC))
    return person


@pytest.mark.asvs("6.3.8")
def test_a_right_password_of_who_is_kept_out_is_told_in_the_bytes_of_a_wrong_one_and_costs_one_hash(
    root: Person, hashes: list[str]
) -> None:
    answers, queries = set(), set()
    for way in ("active", "suspended", "locked down", "ended"):
        kept_out(root, f"u-{way.replace(' ', '-')}", way)
    for way in ("active", "suspended", "locked down", "ended"):
        for password in ("wrong", PASSWORD) if way != "active" else ("wrong", "wrong-too"):
            given = {"account": root.account_id, "user_name": f"u-{way.replace(' ', '-')}", "password": password}
            client = a_client()
            client.post("/signin/", given)
            hashes.clear()
            with CaptureQueriesContext(connection) as captured:
                answers.add(told(client.post("/signin/", given), given))
            assert hashes == ["verify"], (way, password)
            queries.add(tuple(query["sql"].split()[0] for query in captured))
    assert len(answers) == 1
    assert len(queries) == 1
    hashes.clear()
    assert attempt(a_client(), root.account_id, "u-active", PASSWORD).status_code == 302
    assert hashes == ["verify"]


@pytest.mark.asvs("6.3.8")
@pytest.mark.parametrize("way", WAYS)
def test_half_way_who_is_kept_out_is_told_what_everybody_is_told_whose_time_is_over(
    root: Person, carol: Person, way: str, hashes: list[str]
) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        give_password(carol)
        add_device(carol.user)
        client, late = a_client(), a_client()
        give_password_to(client, carol)
        give_password_to(late, carol)
        WAYS[way](root)
        clock.shift(SOON)
        hashes.clear()
        answers = [client.get("/second-factor/"), give_code(client, code_of(device_of(carol)))]
        if way == "past the end date":
            delete_user_end_date(root.caller, user_name="carol")
        else:
            reactivate_user(root.caller, user_name="carol")
        clock.shift(timedelta(minutes=5))
        answers += [late.get("/second-factor/"), give_code(late, code_of(device_of(carol)))]
        assert hashes == []
    assert len({told(answer, {}) for answer in answers}) == 1
    assert not Session.objects.filter(user=carol.user).exists()


def test_an_inactive_key_and_a_key_of_a_suspended_user_are_refused_in_the_same_words(root: Person) -> None:
    off, kept = make_user(root, "off"), make_user(root, "kept")
    update_access_key(root.caller, user_name="off", access_key_id=off.access_key_id, status="Inactive")
    suspend_user(root.caller, user_name="kept")
    answers = [send_inside(signed(person, body_of("GetUser"))) for person in (off, kept)]
    assert {(each.status, each.code, each.message) for each in answers} == {
        (403, "InvalidClientTokenId", "The security token included in the request is invalid.")
    }


# Lock down and undo


def state_of(carol: Person) -> Any:
    """Everything that a lock-down touches, but sessions."""
    fields = ("suspended_date", "suspended_until", "suspension_reason", "end_date", "lock_down")
    return (
        User.objects.filter(pk=carol.user.pk).values(*fields).get(),
        list(AccessKey.objects.filter(user=carol.user).order_by("pk").values("access_key_id", "status")),
        list(SetupLink.objects.filter(user=carol.user).values("pk", "expire_date", "used_date")),
    )


@pytest.mark.parametrize("before", ["active", "suspended", "suspended for a day"])
def test_undoing_a_lock_down_brings_back_exactly_what_was(root: Person, carol: Person, before: str) -> None:
    issued = create_access_key(root.caller, user_name="carol")
    SECRETS.append(issued.secret["secret_access_key"])
    update_access_key(root.caller, user_name="carol", access_key_id=issued.entity.access_key_id, status="Inactive")
    token_of(issue(carol.user))
    if before != "active":
        until = datetime.now(UTC) + timedelta(days=1) if before == "suspended for a day" else None
        suspend_user(root.caller, user_name="carol", until=until, reason="a long leave")
    client = signed_in(carol)
    was = state_of(carol)
    lock_down_user(root.caller, user_name="carol", reason="the laptop is gone")
    assert set(AccessKey.objects.filter(user=carol.user).values_list("status", flat=True)) == {"Inactive"}
    assert not SetupLink.objects.filter(user=carol.user, expire_date__gt=datetime.now(UTC)).exists()
    status = get_user_status(root.caller, user_name="carol")
    assert (status.status, status.locked_down, status.suspension_reason) == ("Locked down", True, "the laptop is gone")
    undo_lock_down(root.caller, user_name="carol")
    assert state_of(carol) == was
    assert client.get("/console/").status_code == 302
    with pytest.raises(InvalidInput, match="is not locked down"):
        undo_lock_down(root.caller, user_name="carol")


def test_locking_down_once_more_takes_what_is_new_and_undoing_goes_back_to_the_first(
    root: Person, carol: Person
) -> None:
    lock_down_user(root.caller, user_name="carol")
    second = create_access_key(root.caller, user_name="carol")
    SECRETS.append(second.secret["secret_access_key"])
    lock_down_user(root.caller, user_name="carol")
    assert set(AccessKey.objects.filter(user=carol.user).values_list("status", flat=True)) == {"Inactive"}
    delete_access_key(root.caller, user_name="carol", access_key_id=carol.access_key_id)
    undo_lock_down(root.caller, user_name="carol")
    keys = AccessKey.objects.filter(user=carol.user).values_list("access_key_id", "status")
    assert list(keys) == [(second.entity.access_key_id, "Active")]
    assert User.objects.get(pk=carol.user.pk).suspended_date is None


def test_a_lock_down_is_one_request_and_its_lines_name_each_key(root: Person, carol: Person) -> None:
    before = len(events_of(root.account_id))
    lock_down_user(root.caller, user_name="carol", reason="gone")
    lines = events_of(root.account_id)[before:]
    actions = ["iamconsole:LockDownUser", "iamconsole:SuspendUser", "iam:UpdateAccessKey", "iamconsole:EndAllSessions"]
    assert [line.action for line in lines] == actions
    assert lines[2].parameters["access_key_id"] == carol.access_key_id
    assert lines[0].changes[0]["after"]["locked_down"] is True
    assert {line.request_id for line in lines} == {root.caller.request_id}
    before = len(events_of(root.account_id))
    undo_lock_down(root.caller, user_name="carol")
    actions = ["iamconsole:UndoLockDown", "iamconsole:ReactivateUser", "iam:UpdateAccessKey"]
    lines = events_of(root.account_id)[before:]
    assert [line.action for line in lines] == actions
    assert lines[0].changes[0]["before"]["locked_down"] is True
    assert "locked_down" not in lines[0].changes[0]["after"]


@pytest.mark.parametrize("missing", ["iamconsole:SuspendUser", "iam:UpdateAccessKey", "iamconsole:EndAllSessions"])
def test_a_lock_down_grants_nothing_that_its_parts_do_not(root: Person, carol: Person, missing: str) -> None:
    actions = {"iamconsole:LockDownUser", "iamconsole:SuspendUser", "iam:UpdateAccessKey", "iamconsole:EndAllSessions"}
    guard = make_user(root, "guard", allow(*(actions - {missing})))
    was = state_of(carol)
    with pytest.raises(AccessDenied, match=missing):
        lock_down_user(guard.caller, user_name="carol")
    assert state_of(carol) == was


def test_who_is_locked_down_is_not_let_in_sooner_by_suspending_until(root: Person, carol: Person) -> None:
    lock_down_user(root.caller, user_name="carol")
    with pytest.raises(InvalidInput, match="is locked down"):
        suspend_user(root.caller, user_name="carol", until=datetime.now(UTC) + timedelta(minutes=1))


# Who is not suspended


@pytest.mark.parametrize(
    "change",
    [
        lambda caller: suspend_user(caller, user_name="alice"),
        lambda caller: lock_down_user(caller, user_name="alice"),
        lambda caller: put_user_end_date(caller, user_name="alice", end_date=datetime.now(UTC) + SOON),
        lambda caller: delete_user_end_date(caller, user_name="alice"),
    ],
)
def test_nobody_suspends_oneself(alice: Person, change: Callable[[Any], Any]) -> None:
    with pytest.raises(InvalidInput, match="Ask another administrator"):
        change(alice.caller)
    assert _answers(alice)


def test_the_root_user_is_never_suspended(root: Person, alice: Person) -> None:
    for change in (suspend_user, lock_down_user, put_user_end_date):
        more = {"end_date": datetime.now(UTC) + SOON} if change is put_user_end_date else {}
        for caller in (root.caller, alice.caller):
            for name in ("root", str(root.user.email), root.account_id):
                with pytest.raises(NoSuchEntity):
                    change(caller, user_name=name, **more)
            with pytest.raises((ValidationError, InvalidInput)):
                change(caller, **more)
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=root.user.pk).update(suspended_date=datetime.now(UTC))


def test_a_time_that_is_past_is_refused(root: Person, carol: Person) -> None:
    for change, name in ((suspend_user, "until"), (put_user_end_date, "end_date")):
        with pytest.raises(InvalidInput, match="This time is past"):
            change(root.caller, user_name="carol", **{name: datetime.now(UTC) - timedelta(seconds=1)})
    assert _answers(carol)


def test_reactivating_who_is_active_changes_nothing(root: Person, carol: Person) -> None:
    put_user_end_date(root.caller, user_name="carol", end_date=datetime.now(UTC) + timedelta(days=1))
    client, was = signed_in(carol), state_of(carol)
    reactivate_user(root.caller, user_name="carol")
    assert state_of(carol) == was
    assert client.get("/console/").status_code == 200


def test_the_queryset_and_the_method_say_the_same(root: Person, carol: Person) -> None:
    now = datetime.now(UTC)
    times = (None, now - SOON, now, now + SOON)
    for suspended in (None, now):
        for until in times if suspended else (None,):
            for end in times:
                fields = {"suspended_date": suspended, "suspended_until": until, "end_date": end}
                User.objects.filter(pk=carol.user.pk).update(**fields)
                user = User.objects.get(pk=carol.user.pk)
                assert User.objects.active(now).filter(pk=user.pk).exists() is user.is_active_at(now), fields


def test_through_the_aws_door_times_are_iso_8601(root: Person, carol: Person) -> None:
    given = {"UserName": "carol", "Until": "2199-01-31T08:00:00Z", "Reason": "leave"}
    for action, parameters in (("SuspendUser", given), ("GetUserStatus", {"UserName": "carol"})):
        answer = send_inside(signed(root, body_of(action, "iamconsole", **parameters), service="iamconsole"))
        assert answer.status == 200
    assert answer.text("Status") == "Suspended until 2199-01-31 08:00 UTC"
    assert answer.text("SuspendedUntil") == "2199-01-31T08:00:00Z"


def test_only_a_suspension_for_the_reason_that_is_named_is_lifted(root: Person, carol: Person) -> None:
    for reason in ("travels", ""):
        suspend_user(root.caller, user_name="carol", reason=reason)
        with pytest.raises(InvalidInput, match="not suspended for this reason"):
            reactivate_user(root.caller, user_name="carol", suspension_reason="other")
        assert not _answers(carol)
        reactivate_user(root.caller, user_name="carol", suspension_reason=reason)
        assert _answers(carol)


# In the console


def test_suspend_reactivate_lock_down_and_undo_by_hand(
    visitor: Visitor, root: Person, alice: Person, carol: Person
) -> None:
    from playwright.sync_api import expect

    give_password(alice)
    page = visitor.sign_in(alice)
    visitor.open("/console/accounts/user/carol/change/")
    main = page.locator("main")
    page.get_by_role("link", name="Suspend").click()
    page.get_by_label("Until").fill("2020-01-01T00:00")
    page.get_by_role("button", name="Suspend user").click()
    expect(main).to_contain_text("This time is past")
    page.get_by_label("Until").fill("2199-01-31T08:00")
    page.get_by_label("Reason").fill("parental leave")
    page.get_by_role("button", name="Suspend user").click()
    expect(main).to_contain_text("Suspended until 2199-01-31 08:00 UTC")
    expect(main).to_contain_text("Reason: parental leave")
    assert not _answers(carol)
    visitor.open("/console/accounts/user/")
    expect(page.locator("tr", has_text="carol")).to_contain_text("Suspended until 2199-01-31 08:00 UTC")
    visitor.open("/console/accounts/user/carol/change/")
    page.get_by_role("button", name="Reactivate").click()
    expect(main).to_contain_text("carol is active again")
    assert _answers(carol)
    page.get_by_role("link", name="Lock down").click()
    expect(main).to_contain_text(f"Access key {carol.access_key_id} is switched off.")
    page.get_by_role("button", name="Lock down user").click()
    expect(main).to_contain_text("carol is locked down.")
    assert not _answers(carol)
    page.get_by_role("button", name="Undo lock-down").click()
    expect(main).to_contain_text("The lock-down of carol is undone.")
    assert _answers(carol)
    page.get_by_role("link", name="End date").click()
    page.get_by_label("End date").fill("2199-01-31T08:00")
    page.get_by_role("button", name="Save").click()
    expect(main).to_contain_text("Ends on 2199-01-31 08:00 UTC")
    page.get_by_role("link", name="End date").click()
    expect(page.get_by_label("End date")).to_have_value("2199-01-31T08:00")
    page.get_by_label("End date").fill("")
    page.get_by_role("button", name="Save").click()
    expect(main.locator("dl.facts")).to_contain_text("Active")


def test_ones_own_page_has_no_button_to_suspend_oneself(alice: Person) -> None:
    client = signed_in(alice)
    page = client.get("/console/accounts/user/alice/change/").content.decode()
    for name in ("suspend", "lock-down", "end-date"):
        assert f"/alice/{name}/" not in page
        answer = client.post(f"/console/accounts/user/alice/{name}/", {"end_date": "2199-01-01T00:00"})
        assert "Ask another administrator" in answer.content.decode()
    assert _answers(alice)


def test_who_may_not_read_the_status_is_not_told_it(root: Person, carol: Person) -> None:
    suspend_user(root.caller, user_name="carol", reason="secret reason")
    helper = make_user(root, "helper", allow("iam:GetUser", "iam:ListUsers"))
    client = signed_in(helper)
    for path in ("/console/accounts/user/carol/change/", "/console/accounts/user/"):
        page = client.get(path).content.decode()
        assert "Not permitted" in page
        assert "Suspended" not in page
        assert "secret reason" not in page
    with pytest.raises(Fault):
        get_user_status(helper.caller, user_name="carol")
