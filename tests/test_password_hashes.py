"""Hashes that were made at other costs than the product's: made anew by the right password, and as long to fail."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password, make_password

from accounts.models import User
from accounts.signin.password import hash_anew
from credentials.hashers import Argon2id
from credentials.models import PasswordHistory
from credentials.operations.password_policies import update_account_password_policy
from tests.browser import PASSWORD, a_client, give_password, signed_in
from tests.conftest import Person
from tests.rows import events_of, rows_of
from tests.test_console_signin import is_in
from tests.test_signin_throttle import attempt


@pytest.fixture
def old(alice: Person, root: Person) -> User:
    """alice, whose password was hashed when it cost less, and is remembered when it is changed."""
    update_account_password_policy(root.caller, password_reuse_prevention=3)
    give_password(alice)
    User.objects.filter(pk=alice.user.pk).update(password_last_changed=datetime(2026, 1, 1, tzinfo=UTC))
    return now(alice)


@pytest.fixture
def dearer(old: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash costs three times as much from now on."""
    monkeypatch.setattr(Argon2id, "time_cost", 3)


def now(alice: Person) -> User:
    """The user as the database has her now."""
    return User.objects.get(pk=alice.user.pk)


def test_the_right_password_is_hashed_anew_and_nothing_else_changes(
    alice: Person, old: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = signed_in(alice)
    monkeypatch.setattr(Argon2id, "time_cost", 3)
    here = a_client()
    lines = len(events_of(alice.account_id))
    assert attempt(here, alice.account_id, password=PASSWORD)["Location"] == "/console/"
    new = now(alice)
    assert "$m=64,t=1,p=1$" in old.password
    assert "$m=64,t=3,p=1$" in new.password
    assert check_password(PASSWORD, new.password)
    assert (is_in(here), is_in(there)) == (True, True)
    for name in ("auth_epoch", "password_last_changed"):
        assert getattr(new, name) == getattr(old, name)
    assert not PasswordHistory.objects.filter(user=new).exists()
    assert [each.action for each in events_of(alice.account_id)[lines:]] == ["iamconsole:SignIn"]
    assert attempt(a_client(), alice.account_id, password=PASSWORD)["Location"] == "/console/"
    assert now(alice).password == new.password


def test_who_proves_the_password_again_has_it_hashed_anew_and_stays_in(alice: Person, dearer: None) -> None:
    client = signed_in(alice)
    client.post("/console/confirm/", {"password": "wrong"})
    assert "t=1" in now(alice).password
    client.post("/console/confirm/", {"password": PASSWORD})
    assert "t=3" in now(alice).password
    assert is_in(client)


@pytest.mark.parametrize("kept_out", [False, True])
def test_a_wrong_password_changes_nothing(alice: Person, old: User, dearer: None, *, kept_out: bool) -> None:
    if kept_out:
        User.objects.filter(pk=old.pk).update(suspended_date=datetime.now(UTC))
    before = rows_of(alice.account_id) | {"Event": []}
    assert attempt(a_client(), alice.account_id, password=PASSWORD if kept_out else "wrong").status_code == 200
    assert now(alice).password == old.password
    assert rows_of(alice.account_id) | {"Event": []} == before  # but for the line of the failure


def test_a_password_that_was_changed_meanwhile_stays_the_new_one(alice: Person, old: User) -> None:
    User.objects.filter(pk=old.pk).update(password=make_password("Green-Goose-8-Ladder"))
    hash_anew(old, old.password, PASSWORD)
    assert check_password("Green-Goose-8-Ladder", now(alice).password)


@pytest.mark.parametrize(("memory", "passes"), [(64, 1), (32 * 1024, 1), (19 * 1024, 2), (32 * 1024, 2), (65536, 4)])
@pytest.mark.usefixtures("full_hashes")
def test_what_fails_takes_the_work_of_a_new_hash_however_old_it_is(
    memory: int, passes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Argon2id()
    monkeypatch.setattr(made, "memory_cost", memory)
    monkeypatch.setattr(made, "time_cost", passes)
    encoded = made.encode(PASSWORD, "0123456789abcdef")
    new = Argon2id()
    time_cost, memory_cost = new.missing_work(encoded)
    done, whole = memory * passes + time_cost * memory_cost, new.time_cost * new.memory_cost
    assert abs(max(whole, memory * passes) - done) < new.time_cost
    assert memory_cost <= new.memory_cost  # no more memory at once than any sign-in takes


@pytest.mark.usefixtures("full_hashes")
def test_a_wrong_password_to_a_cheap_hash_takes_as_long_as_to_a_new_one(old: User) -> None:
    import time

    def took(encoded: str) -> float:
        times = []
        for _ in range(7):
            start = time.process_time()
            assert not check_password("wrong", encoded)
            times.append(time.process_time() - start)
        return sorted(times)[3]

    new = make_password(PASSWORD)
    assert 0.6 < took(old.password) / took(new) < 1.6


def test_a_cheap_hash_is_not_padded_where_costs_are_what_they_were(old: User) -> None:
    hasher: Any = Argon2id()
    assert hasher.missing_work(old.password)[1] == 0
