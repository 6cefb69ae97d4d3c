"""The decision: AWS's documented cases, its order of precedence, and what it costs at worst."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from permissions import engine
from permissions.engine import BUDGET, Decision, Policies, Reason, Request, Source
from permissions.language import Policy, Statement, parse
from permissions.wildcard import WORD, OverBudgetError, Steps, matches, split

pytestmark = pytest.mark.pure

DATA = json.loads((Path(__file__).parent / "data" / "policy_decisions.json").read_text())
CASES = DATA["cases"]
PLENTY = 10**9


def decide(request: Request, identity: Sequence[Source]) -> Decision:
    """Decide by identity-based policies alone."""
    return engine.decide(request, Policies(identity=tuple(identity)))


def source(document: Mapping[str, Any], name: str = "test") -> Source:
    """An inline policy."""
    return Source(name=name, kind="inline", policy=parse(json.dumps(document)))


def statements(*given: Mapping[str, Any]) -> Source:
    """A policy of the current version with these statements."""
    return source({"Version": "2012-10-17", "Statement": list(given)})


POLICIES = {name: source(document, name) for name, document in DATA["policies"].items()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_request_is_decided_as_aws_documents(case: dict[str, Any]) -> None:
    context = {key: tuple(values) for key, values in case.get("context", {}).items()}
    decision = decide(Request(case["action"], case["resource"], context), [POLICIES[name] for name in case["policies"]])
    assert (decision.allowed, decision.reason.value) == (case["allowed"], case["reason"])
    assert (decision.statement.sid if decision.statement else None) == case.get("sid")
    if decision.source and decision.statement:
        assert decision.statement in decision.source.policy.statements


def test_the_cases_have_names_of_their_own_and_name_their_source() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES) >= 120
    assert all(case["source"] for case in CASES)
    assert {name for case in CASES for name in case["policies"]} == set(POLICIES)


# What a decision says.


def test_a_denial_explains_itself_in_aws_words() -> None:
    deny = statements({"Effect": "Deny", "Action": "iam:*", "Resource": "*"})
    request = Request("iam:CreateUser", "*")
    assert decide(request, []).explanation == "because no identity-based policy allows the iam:CreateUser action"
    assert decide(request, [deny]).explanation == "with an explicit deny in an identity-based policy"


def test_what_is_allowed_needs_no_explanation() -> None:
    assert Decision.root().explanation == ""
    assert decide(Request("iam:GetUser", "*"), [POLICIES["everything"]]).explanation == ""


def test_every_reason_has_its_explanation() -> None:
    for reason in Reason:
        assert isinstance(Decision(allowed=False, reason=reason).explanation, str)


def test_the_root_user_is_allowed_by_no_policy() -> None:
    root = Decision.root()
    assert (root.allowed, root.reason, root.source, root.statement) == (True, Reason.ROOT, None, None)


def test_a_decision_is_no_boolean() -> None:
    with pytest.raises(TypeError):
        bool(Decision.root())


# An element the engine does not know.


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterStatement(Statement):
    """What a later release's language may make."""

    obligations: tuple[str, ...] = ()


def later(effect: str, *obligations: str) -> Source:
    """A policy whose one statement covers all of S3 and has an element of a later release."""
    (statement,) = statements({"Effect": effect, "Action": "s3:*", "Resource": "*"}).policy.statements
    known = {member.name: getattr(statement, member.name) for member in fields(statement)}
    grown = LaterStatement(**known, obligations=obligations)
    return Source("later", "inline", Policy("2012-10-17", "", (grown,)))


def test_an_allow_with_an_element_that_is_not_understood_does_not_apply() -> None:
    assert decide(Request("s3:GetObject", "*"), [later("Allow", "?")]).reason is Reason.IMPLICIT_DENY


def test_a_deny_with_an_element_that_is_not_understood_applies() -> None:
    request = Request("s3:GetObject", "*")
    assert decide(request, [POLICIES["everything"], later("Deny", "?")]).reason is Reason.EXPLICIT_DENY


def test_an_element_of_a_later_release_that_is_empty_changes_nothing() -> None:
    assert decide(Request("s3:GetObject", "*"), [later("Allow")]).allowed


# Precedence, against a model written from the text of the guide.


RUN, ONE = "any run of characters", "any character"


def tokens(pattern: str) -> list[str]:
    """The pattern's characters, its wildcards as tokens that no character equals."""
    return [{"*": RUN, "?": ONE}.get(character, character) for character in pattern]


def naive(pattern: Sequence[str], text: str) -> bool:
    """Whether the tokens match the text: the table of all their beginnings, cell by cell."""
    row = [True, *([False] * len(text))]
    for token in pattern:
        before, row = row, [row[0] and token == RUN]
        for place, character in enumerate(text):
            found = before[place + 1] or row[place] if token == RUN else before[place] and token in (ONE, character)
            row.append(found)
    return row[-1]


ACTIONS = ["s3:Get", "s3:Put", "iam:Get", "s3:*", "*", "s3:?et", "*:Get"]
RESOURCES = ["arn:aws:s3:::a", "arn:aws:s3:::a/b", "arn:aws:s3:::b", "arn:aws:s3:::*", "arn:aws:s3:::?", "*"]
STATEMENTS = st.builds(
    lambda effect, action, actions, resource, resources: {"Effect": effect, action: actions, resource: resources},
    st.sampled_from(["Allow", "Deny"]),
    st.sampled_from(["Action", "NotAction"]),
    st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=3),
    st.sampled_from(["Resource", "NotResource"]),
    st.lists(st.sampled_from(RESOURCES), min_size=1, max_size=3),
)


def model(given: Sequence[Mapping[str, Any]], action: str, resource: str) -> Reason:
    """The guide's evaluation logic over the JSON itself."""

    def covers(statement: Mapping[str, Any]) -> bool:
        actions = statement.get("Action", statement.get("NotAction"))
        resources = statement.get("Resource", statement.get("NotResource"))
        named = any(naive(tokens(pattern.lower()), action.lower()) for pattern in actions)
        meant = any(naive(tokens(pattern), resource) for pattern in resources)
        return named == ("Action" in statement) and meant == ("Resource" in statement)

    effects = {statement["Effect"] for statement in given if covers(statement)}
    if "Deny" in effects:
        return Reason.EXPLICIT_DENY
    return Reason.ALLOWED if effects else Reason.IMPLICIT_DENY


@given(
    st.lists(STATEMENTS, min_size=1, max_size=6),
    st.sampled_from(["s3:Get", "S3:PUT", "iam:get", "sts:Get"]),
    st.sampled_from(["arn:aws:s3:::a", "arn:aws:s3:::a/b", "arn:aws:s3:::b", "*"]),
    st.randoms(use_true_random=False),
)
def test_the_order_of_statements_and_of_policies_never_changes_the_outcome(
    given_statements: list[dict[str, Any]], action: str, resource: str, random: Any
) -> None:
    request = Request(action, resource)
    together = decide(request, [statements(*given_statements)])
    assert together.reason is model(given_statements, action, resource)
    shuffled = random.sample(given_statements, len(given_statements))
    assert decide(request, [statements(*shuffled)]).reason is together.reason
    assert decide(request, [statements(statement) for statement in shuffled]).reason is together.reason


@given(st.lists(STATEMENTS, max_size=4), st.integers(0, 4))
def test_an_explicit_deny_wins_wherever_it_stands(allows: list[dict[str, Any]], place: int) -> None:
    deny = {"Effect": "Deny", "Action": "s3:Get", "Resource": "arn:aws:s3:::a"}
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    mixed = [allow, *allows]
    mixed.insert(place, deny)
    assert decide(Request("s3:Get", "arn:aws:s3:::a"), [statements(*mixed)]).reason is Reason.EXPLICIT_DENY


# Wildcards.


def test_short_patterns_match_as_the_table_says() -> None:
    texts = ["".join(letters) for length in range(5) for letters in product("ab*", repeat=length)]
    for length in range(5):
        for letters in product("ab*?", repeat=length):
            pattern = "".join(letters)
            for text in texts:
                assert matches(split(pattern), text, Steps(PLENTY)) == naive(tokens(pattern), text), (pattern, text)


@given(st.text("aab*?", max_size=12), st.text("aab?", max_size=20))
def test_patterns_match_as_the_table_says(pattern: str, text: str) -> None:
    assert matches(split(pattern), text, Steps(PLENTY)) == naive(tokens(pattern), text)


@given(st.lists(st.sampled_from(["a" * 40, "a" * 33 + "b", "?" * 8, "b?", "*", "ab", "a"]), max_size=6), st.data())
def test_patterns_with_long_pieces_match_as_the_table_says(parts: list[str], data: st.DataObject) -> None:
    pattern = "".join(parts)
    meant = pattern.replace("?", "a").replace("*", data.draw(st.sampled_from(["", "a", "ab", "a" * 40])))
    text = data.draw(st.just(meant) | st.just(meant + "a") | st.just("a" * 50 + meant) | st.text("aab", max_size=90))
    assert matches(split(pattern), text, Steps(PLENTY)) == naive(tokens(pattern), text)


VALUES = st.text("ab*?/$\ue000\U000f0000", min_size=1, max_size=3)
PARTS = st.lists(
    st.sampled_from(["*", "?", "a", "/", "${*}", "${?}", "${$}", "${k}", "${K, 'd*'}", "${none, '?'}", "}"]), max_size=6
)


@given(PARTS, VALUES, st.sampled_from(["", "a", "/*"]), st.data())
def test_values_and_defaults_are_compared_as_they_stand(
    parts: list[str], value: str, run: str, data: st.DataObject
) -> None:
    said = {"${*}": "*", "${?}": "?", "${$}": "$", "${k}": value, "${K, 'd*'}": value, "${none, '?'}": "?"}
    meant = [*"arn:aws:s3:::"]
    for part in parts:
        meant += said[part] if part in said else tokens(part)
    example = "".join({RUN: run, ONE: "a"}.get(token, token) for token in meant)
    text = data.draw(st.sampled_from([example, example + "a", example.replace("*", "b"), example.replace("?", "b")]))
    allow = {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::" + "".join(parts)}
    decision = decide(Request("s3:Get", text, {"k": (value,)}), [statements(allow)])
    assert decision.allowed == naive(meant, text)


# What it costs. Steps are counted, not seconds.

WORST: dict[str, Callable[[int], tuple[str, str]]] = {
    "stars": lambda n: ("*a" * n + "*b", "a" * 2 * n),
    "stars around question marks": lambda n: ("*a?" * n + "*b*", "a" * 4 * n),
    "a long word that almost fits everywhere": lambda n: ("*" + "a" * n + "b*", "a" * 4 * n),
    "a short word that almost fits everywhere": lambda n: ("*" + "a" * 15 + "b" + "a" * 15 + "*", "a" * 4 * n),
    "question marks that almost fit everywhere": lambda n: ("*" + "?" * n + "b*", "a" * 4 * n),
    "letters and question marks in turn": lambda n: ("*" + "a?" * (n // 2) + "b*", "a" * 4 * n),
    "many words, the last one missing": lambda n: ("*ab" * n + "*c*", "ab" * 2 * n),
    "question marks alone": lambda n: ("?" * n, "a" * n),
    "a growing text": lambda n: ("*a*a*a*a*a*b*c", "a" * n),
    "a growing text against question marks": lambda n: ("*a?a?a?b*", "a" * n),
    "a growing pattern": lambda n: ("*a" * n + "*b*", "a" * 1024),
    "a growing pattern of one piece": lambda n: ("*" + "?a" * (n // 2) + "b*", "a" * 2048),
}


def steps_for(pattern: str, text: str) -> int:
    """How many steps a match takes."""
    steps = Steps(PLENTY)
    matches(split(pattern), text, steps)
    return steps.taken


@pytest.mark.parametrize("worst", WORST.values(), ids=WORST.keys())
def test_an_input_of_twice_the_size_takes_at_most_twice_the_steps(
    worst: Callable[[int], tuple[str, str]],
) -> None:
    for size in (64, 128, 256, 512):
        assert steps_for(*worst(2 * size)) <= 2 * steps_for(*worst(size)) + 64


def test_a_piece_wider_than_a_word_pays_for_its_width() -> None:
    text = "a" * 10_000
    assert steps_for("*" + "?" * (3 * WORD) + "b*", text) > 2 * steps_for("*" + "?" * 100 + "b*", text)


def test_a_match_stops_when_the_steps_are_used_up() -> None:
    with pytest.raises(OverBudgetError):
        matches(split("*a*a*b*"), "a" * 1000, Steps(100))
    with pytest.raises(OverBudgetError):
        matches(split("*a?a?b*"), "a" * 1000, Steps(1000))


HUGE = "arn:aws:s3:::" + "a" * 2000
SLOW = {"Action": "*", "Resource": [f"arn:aws:s3:::*{'a?' * 20}{number}*" for number in range(100)]}


def test_a_decision_over_the_budget_is_a_denial() -> None:
    decision = decide(Request("s3:Get", HUGE), [statements({"Effect": "Allow", **SLOW})])
    assert (decision.allowed, decision.reason) == (False, Reason.BUDGET)
    assert (decision.source, decision.statement) == (None, None)
    assert decision.explanation == "because the policies take too long to evaluate"


def test_a_decision_over_the_budget_is_a_denial_though_an_allow_came_first() -> None:
    policies = [POLICIES["everything"], statements({"Effect": "Deny", **SLOW})]
    assert decide(Request("s3:Get", HUGE), policies).reason is Reason.BUDGET
    assert decide(Request("s3:Get", "arn:aws:s3:::a"), policies).reason is Reason.ALLOWED


def test_values_count_towards_the_budget() -> None:
    grown = statements({"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::" + "${aws:username}" * 100})
    decision = decide(Request("s3:Get", "arn:aws:s3:::a", {"aws:username": ("a" * (BUDGET // 50),)}), [grown])
    assert decision.reason is Reason.BUDGET


def test_the_largest_policies_of_a_user_stay_within_the_budget() -> None:
    """Ten groups with ten managed policies of 6,144 characters each, all for one service (IAM User Guide, quotas)."""
    actions = [
        f"iam:{verb}{noun}{number}" for number in range(7) for verb in ("Get", "Put") for noun in ("User", "Role")
    ]
    allow = {"Effect": "Allow", "Action": actions, "Resource": "arn:aws:iam::123456789012:user/staff/*"}
    decision = decide(Request("iam:GetUser", "arn:aws:iam::123456789012:user/bob"), [statements(*[allow] * 8)] * 110)
    assert decision.reason is Reason.IMPLICIT_DENY
