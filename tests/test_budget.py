"""Token buckets: how much one key or one address may ask."""

import pytest

from api.budget import Budget
from iamconsole.errors import Throttling


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
