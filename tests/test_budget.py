"""Token buckets: how much one key or one address may ask."""

from collections.abc import Iterator
from typing import Any

import pytest

from api import authenticate
from api.budget import Acquaintances, Budget
from iamconsole.errors import Throttling
from tests.conftest import Person
from tests.test_queries import ask_inside


def spend(budget: Budget, key: str, count: int, now: float) -> int:
    """How many of ``count`` requests pass."""
    passed = 0
    for _ in range(count):
        try:
            budget.require(key, now=now)
        except Throttling:
            continue
        budget.take(key, now=now)
        passed += 1
    return passed


def test_ten_seconds_worth_passes_at_once_and_then_what_refills() -> None:
    budget = Budget(per_second=5)
    assert spend(budget, "a", 100, now=1000.0) == 50
    assert spend(budget, "a", 100, now=1002.0) == 10
    assert spend(budget, "a", 100, now=9999.0) == 50


def test_one_keys_requests_cost_another_nothing() -> None:
    budget = Budget(per_second=1)
    assert spend(budget, "a", 100, now=0.0) == 10
    assert spend(budget, "b", 5, now=0.0) == 5


def test_a_clock_that_goes_back_takes_nothing_away_and_gives_nothing() -> None:
    budget = Budget(per_second=1)
    assert spend(budget, "a", 10, now=100.0) == 10
    assert spend(budget, "a", 10, now=50.0) == 0


def test_memory_is_bounded() -> None:
    budget = Budget(per_second=1, most_keys=10)
    for number in range(1000):
        budget.take(str(number), now=0.0)
    assert len(budget._left) == 10


def test_nothing_left_is_aws_throttling() -> None:
    budget = Budget(per_second=0.1)
    budget.take("a", now=0.0)
    with pytest.raises(Throttling, match="Rate exceeded"):
        budget.require("a", now=0.0)


def test_the_longest_unseen_is_forgotten() -> None:
    acquaintances = Acquaintances(most=2)
    for who in ("a", "b", "a", "c"):
        acquaintances.meet(who)
    assert [acquaintances.know(who) for who in ("a", "b", "c")] == [True, False, True]


@pytest.fixture
def scarce(settings: Any) -> Iterator[None]:
    """One failure an address, and one request a key, and next to no refill."""
    settings.API_FAILURES_PER_MINUTE = settings.API_REQUESTS_PER_SECOND = 0.001
    authenticate.failures.cache_clear()
    authenticate.requests.cache_clear()
    yield
    authenticate.failures.cache_clear()
    authenticate.requests.cache_clear()


def test_a_key_that_asks_too_much_is_throttled_alone(scarce: None, alice: Person, bob: Person) -> None:
    assert ask_inside(alice, "GetCallerIdentity", "sts").status == 200
    assert ask_inside(alice, "GetCallerIdentity", "sts").code == "Throttling"
    assert ask_inside(bob, "GetCallerIdentity", "sts").status == 200


def test_an_address_whose_signatures_fail_is_throttled_but_for_the_keys_it_is_known_by(
    scarce: None, alice: Person, bob: Person, settings: Any
) -> None:
    settings.API_REQUESTS_PER_SECOND = 1000
    assert ask_inside(alice, "GetCallerIdentity", "sts").status == 200
    wrong = Person(bob.caller, bob.access_key_id, "not the secret")
    assert ask_inside(wrong, "GetCallerIdentity", "sts").code == "SignatureDoesNotMatch"
    assert ask_inside(wrong, "GetCallerIdentity", "sts").code == "Throttling"
    assert ask_inside(bob, "GetCallerIdentity", "sts").code == "Throttling"
    assert ask_inside(alice, "GetCallerIdentity", "sts").status == 200
