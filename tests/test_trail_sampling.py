"""Failures of somebody who has not proved who it is: which are written to whose trail, and what is told of the others."""

import time
from collections import Counter
from typing import Any

import pytest

from accounts.models import Throttle
from audit.models import INSTALLATION
from audit.record import Origin, Sampler, record_unauthenticated
from credentials.mfa.models import GuessBudget
from tests.authenticators import App, give_app
from tests.browser import PASSWORD, a_client, give_password
from tests.conftest import Person
from tests.rows import events_of


@pytest.fixture(autouse=True)
def _fresh() -> None:
    """No test begins in the last seconds of a sampler's minute, nor with tries that others have spent."""
    if (left := 60 - time.monotonic() % 60) < 5:
        time.sleep(left)
    Throttle.objects.all().delete()


def fail(client: Any, account: str, user_name: str, times: int) -> None:
    for _ in range(times):
        client.post("/signin/", {"account": account, "user_name": user_name, "password": "wrong"})


def failures(chain: str) -> list[Any]:
    return [event for event in events_of(chain) if event.action == "iamconsole:SignIn" and event.refused]


def test_failures_at_one_account_hide_none_at_another_from_the_same_address(root: Person, trudy: Person) -> None:
    client = a_client()
    fail(client, root.account_id, "nobody", 15)
    fail(client, trudy.account_id, "trudy", 1)
    [event] = failures(trudy.account_id)
    assert (event.actor_arn, event.result) == (trudy.user.arn, "Failure")
    assert event.parameters == {}  # nothing was left out


def test_each_password_that_was_looked_at_is_written_whatever_names_were_tried_before(
    root: Person, alice: Person
) -> None:
    give_password(alice)
    client = a_client()
    for number in range(10):
        fail(client, root.account_id, f"nobody{number}", 1)
    fail(client, root.account_id, "alice", 10)
    assert [event.result for event in failures(root.account_id)] == ["Failure"] * 20
    assert sum(event.resource == alice.user.arn for event in failures(root.account_id)) == 10
    fail(client, root.account_id, "nobody", 15)  # the address has none left: these are not looked at, and are sampled
    assert Counter(event.result for event in failures(root.account_id)) == {"Failure": 20, "Throttling": 10}
    Throttle.objects.all().delete()
    assert "10 sign-in attempts failed since then" in signing_in(alice)


def test_each_code_that_was_looked_at_is_written_whatever_names_were_tried_before(root: Person, alice: Person) -> None:
    give_password(alice)
    app = give_app(root.account_id, alice.user, "phone")
    stranger = a_client()
    for number in range(12):
        fail(stranger, root.account_id, f"nobody{number}", 1)
    form = {"account": root.account_id, "user_name": "alice", "password": PASSWORD}
    stranger.post("/signin/", form)
    for code in ("x", *["000000"] * 7):
        stranger.post("/second-factor/", {"code": code})
    hers = [event for event in failures(root.account_id) if event.resource == alice.user.arn]
    assert Counter(event.result for event in hers) == {
        "Failure": 6,
        "Throttling": 2,
    }  # "x" costs nothing, and is sampled
    GuessBudget.objects.all().delete()
    assert "8 sign-in attempts failed since then" in signing_in(alice, app)


def signing_in(person: Person, app: App | None = None) -> str:
    """The page after a sign-in, from another address."""
    client = a_client()
    form = {"account": person.account_id, "user_name": "alice", "password": PASSWORD}
    answer = client.post("/signin/", form, follow=True)
    if app:
        answer = client.post("/second-factor/", {"code": app.code()}, follow=True)
    return str(answer.content.decode())


def test_the_tries_at_accounts_that_are_not_there_are_written_as_often_as_at_those_that_are(root: Person) -> None:
    client = a_client()
    before = Counter(event.result for event in failures(INSTALLATION))
    for label in ("not-there-1", "not-there-2"):
        Throttle.objects.all().delete()
        fail(client, label, "alice", 16)
    Throttle.objects.all().delete()
    fail(client, root.account_id, "alice", 16)
    expected = Counter({"Failure": 10, "Throttling": 6})
    assert Counter(event.result for event in failures(root.account_id)) == expected
    written = Counter(event.result for event in failures(INSTALLATION)) - before
    assert written == Counter({result: 2 * number for result, number in expected.items()})


def test_an_address_writes_no_more_by_naming_more_accounts() -> None:
    address = a_client().defaults["REMOTE_ADDR"]
    origin = Origin(door="console", source_ip=str(address))
    before = len(events_of(INSTALLATION))
    for number in range(120):
        record_unauthenticated(origin, action="iamconsole:SignIn", resource="*", result="Failure", whose=f"a{number}")
    assert len(events_of(INSTALLATION)) - before == 100


def test_what_was_left_out_is_told_with_the_next_of_its_key_and_no_other() -> None:
    sampler = Sampler(per_minute=2)
    assert [sampler.admit("a", "x") for _ in range(5)] == [0, 0, None, None, None]
    assert sampler.admit("b", "x") == 0
    sampler._minute -= 1
    assert [sampler.admit(key, "x") for key in ("b", "a", "a")] == [0, 3, 0]


def test_what_is_kept_of_keys_and_addresses_is_bounded() -> None:
    sampler = Sampler(per_minute=1, most_keys=3)
    for turn in range(10):
        for number in range(20):
            sampler.admit(f"{turn} {number}", f"{turn} {number}")
            sampler.admit(f"{turn} {number}", f"{turn} {number}")
        sampler._minute -= 1
    kept = (sampler._seen, sampler._sources, sampler._left_out)
    assert all(len(each) <= 4 for each in kept)  # so many keys, and what the others share


def test_more_keys_than_are_kept_share_what_one_may_have() -> None:
    sampler = Sampler(per_minute=2, most_keys=1)
    assert [sampler.admit(key, "x") for key in ("a", "b", "c", "d", "a")] == [0, 0, 0, None, 0]
