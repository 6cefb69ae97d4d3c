"""The engine against the naive model, on requests and policies generated to meet in odd ways."""

import json
import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from random import Random

import pytest

from tests.engine_policies import engine_decide
from tests.naive_policies import naive_decide
from tests.policy_generator import generate

pytestmark = pytest.mark.pure
CHUNK = 5_000


def disagreements(seed: int) -> tuple[Counter[str], list[str]]:
    """One chunk of decisions: how often each answer was given, and where the two differ."""
    rng, answers, found = Random(seed), Counter[str](), []
    for number, (request, policies) in enumerate(islice(generate(rng), CHUNK)):
        expected, decided = naive_decide(request, policies), engine_decide(request, policies)
        answers[expected[0]] += 1
        if expected != decided:
            found.append(f"seed {seed}, number {number}: {expected} {decided} {json.dumps([request, policies])}")
    return answers, found


def test_the_engine_and_the_naive_model_agree(rounds: Callable[[int, int], int]) -> None:
    chunks = rounds(100_000, 1_000_000) // CHUNK
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        results = list(pool.map(disagreements, range(chunks)))
    found = [each for _, chunk in results for each in chunk]
    assert found[:3] == []
    answers = sum((chunk for chunk, _ in results), Counter())
    assert answers.total() == chunks * CHUNK
    assert min(answers[decision] for decision in ("allowed", "explicitDeny", "implicitDeny")) > 0.15 * answers.total()
