"""The generated requests and policies: that they are worth comparing implementations on."""

import json
from collections import Counter
from itertools import islice
from random import Random
from typing import Any

import pytest

from tests.naive_policies import naive_decide
from tests.policy_generator import FAMILIES, OPERATORS, generate

pytestmark = pytest.mark.pure

Case = tuple[dict[str, Any], dict[str, Any]]


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return first(8000, seed=20260101)


def first(count: int, *, seed: int) -> list[Case]:
    return list(islice(generate(Random(seed)), count))


def documents(case: Case) -> list[dict[str, Any]]:
    policies = case[1]
    return [*policies["identity"], *filter(None, (policies["boundary"], policies["resource"]))]


def statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    return document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]


def test_one_seed_generates_one_case() -> None:
    assert first(9, seed=7) == first(9, seed=7) != first(9, seed=8)


def test_every_decision_is_frequent(cases: list[Case]) -> None:
    decisions = Counter(naive_decide(*case)[0] for case in cases)
    assert set(decisions) == {"allowed", "explicitDeny", "implicitDeny"}
    assert min(decisions.values()) >= len(cases) * 0.15


def test_every_kind_of_policy_decides_at_times(cases: list[Case]) -> None:
    decisions = Counter(naive_decide(*case) for case in cases)
    assert len(decisions) == 8
    assert min(decisions.values()) >= len(cases) * 0.005


def test_a_decision_does_not_hang_on_the_form_of_its_documents(cases: list[Case]) -> None:
    for request, policies in cases[:200]:
        assert naive_decide(*json.loads(json.dumps([request, policies]))) == naive_decide(request, policies)


def test_every_operator_is_generated_in_every_form(cases: list[Case]) -> None:
    used = {
        operator
        for case in cases
        for document in documents(case)
        for statement in statements(document)
        for operator in statement.get("Condition", {})
    }
    plain = {
        ending if family == "IpAddress" else family + ending
        for family in set(FAMILIES) - {"Null"}
        for ending in OPERATORS[family]
    }
    assert len(plain) == 26
    forms = {
        f"{prefix}{operator}{suffix}"
        for prefix in ("", "ForAllValues:", "ForAnyValue:")
        for operator in plain
        for suffix in ("", "IfExists")
    }
    assert used == forms | {"Null"}


def test_every_element_and_version_is_generated(cases: list[Case]) -> None:
    found = [document for case in cases for document in documents(case)]
    assert {document.get("Version") for document in found} == {"2012-10-17", "2008-10-17", None}
    elements = {element for document in found for statement in statements(document) for element in statement}
    pairs = {"Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal"}
    assert elements == {"Effect", "Condition"} | pairs


def test_a_deny_more_never_allows_more(cases: list[Case]) -> None:
    deny = {"Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::a/*"}}
    for request, policies in cases[:500]:
        stricter = {**policies, "identity": [*policies["identity"], deny]}
        assert naive_decide(request, stricter) in {naive_decide(request, policies), ("explicitDeny", "identity")}
