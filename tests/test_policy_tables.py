"""AWS's documented rules as tables of cases, put to each implementation of them.

A table names its longer documents once; a case names one of them or holds its own. Where a case does not say who asks,
it is alice of account 123456789012, and the resource is in that account.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.engine_policies import engine_decide
from tests.naive_policies import naive_decide
from tests.policy_shapes import shape_of, statements_of

pytestmark = pytest.mark.pure

DATA = Path(__file__).parent / "data"
TABLES = ["policy_conditions", "policy_variables", "policy_evaluation"]
ALICE = {"principal_arn": "arn:aws:iam::123456789012:user/alice", "principal_account": "123456789012", "context": {}}
IMPLEMENTATIONS: list[Callable[[Mapping[str, Any], Mapping[str, Any]], tuple[str, str]]] = [naive_decide, engine_decide]


def load(table: str) -> list[dict[str, Any]]:
    """The cases of a table, whole: with their documents and with who asks."""
    content = json.loads((DATA / f"{table}.json").read_text())
    documents = content["documents"]

    def whole(document: Any) -> Any:
        return documents[document] if isinstance(document, str) else document

    return [
        {
            **case,
            "request": {**ALICE, **case["request"]},
            "policies": {
                "identity": [whole(document) for document in case["policies"]["identity"]],
                "boundary": whole(case["policies"].get("boundary")),
                "resource": whole(case["policies"].get("resource")),
            },
        }
        for case in content["cases"]
    ]


CASES = [case for table in TABLES for case in load(table)]


@pytest.mark.parametrize("decide", IMPLEMENTATIONS, ids=lambda decide: decide.__name__)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_request_is_decided_as_the_tables_say(case: dict[str, Any], decide: Callable[..., tuple[str, str]]) -> None:
    assert decide(case["request"], case["policies"]) == (case["decision"], case["decided_by"])


def test_the_tables_are_large_and_their_cases_differ() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES) >= 650
    contents = Counter(json.dumps([case["request"], case["policies"]], sort_keys=True) for case in CASES)
    assert [content for content, count in contents.items() if count > 1] == []
    shapes = Counter(shape_of(case) for case in CASES)
    assert {shape: count for shape, count in shapes.items() if count > 10} == {}


def one_case(name: str, *changes: tuple[str, str]) -> dict[str, Any]:
    """A case with words put for others, wherever they stand."""
    text = json.dumps(next(case for case in CASES if case["name"] == name))
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return dict(json.loads(text))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("StringEquals allows PrincipalTag/team finance", "s3:GetObject", "ec2:RunInstances"),
        ("StringEquals allows PrincipalTag/team finance", "finance", "sales"),
        ("StringEquals allows PrincipalTag/team finance", "StringEquals", "StringLike"),
        ("StringEquals allows PrincipalTag/team finance", '"audit"]', '"audit", "sales"]'),
        ("StringEquals allows PrincipalTag/team finance", "arn:aws:s3:::reports/q1.txt", "arn:aws:s3:::other/q2.txt"),
        ("NumericLessThanEqualsIfExists allows where max-keys is missing", '"10"', '"77"'),
        ("NumericLessThanEqualsIfExists allows where max-keys is missing", "LessThanEquals", "GreaterThan"),
        ("alice does not read bob's home", "aws:username", "aws:userid"),
    ],
)
def test_cases_that_differ_in_words_alone_are_alike(name: str, old: str, new: str) -> None:
    assert shape_of(one_case(name, (old, new))) == shape_of(one_case(name))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("StringEquals allows PrincipalTag/team finance", "StringEquals", "StringNotEquals"),
        ("StringEquals allows PrincipalTag/team finance", "StringEquals", "StringEqualsIfExists"),
        ("StringEquals allows PrincipalTag/team finance", "StringEquals", "ForAnyValue:StringEquals"),
        ("StringEquals allows PrincipalTag/team finance", "StringEquals", "ArnEquals"),
        ("StringEquals allows PrincipalTag/team finance", '"finance", "audit"', '"finance"'),
        ("StringEquals allows PrincipalTag/team finance", '"finance", "audit"', '"finance", "aud*"'),
        ("StringEquals allows PrincipalTag/team finance", "aws:principaltag/team", "aws:principaltag/other"),
        ("StringEquals allows PrincipalTag/team finance", '"Action"', '"NotAction"'),
        ("StringEquals allows PrincipalTag/team finance", '"Allow"', '"Deny"'),
        ("StringEquals allows PrincipalTag/team finance", "2012-10-17", "2008-10-17"),
        ("StringEquals allows PrincipalTag/team finance", '"decision": "allowed"', '"decision": "implicitDeny"'),
        ("NumericLessThanEqualsIfExists allows where max-keys is missing", '"10"', '"10.5"'),
        ("alice does not read bob's home", "${aws:username}/*", "${aws:username}"),
        ("alice does not read bob's home", "${aws:username}", "${aws:username, 'none'}"),
        ("alice does not read bob's home", "${aws:username}", "${aws:userid}"),
        ("alice does not read bob's home", "${aws:username}", "alice"),
    ],
)
def test_cases_that_ask_something_else_are_not_alike(name: str, old: str, new: str) -> None:
    assert shape_of(one_case(name, (old, new))) != shape_of(one_case(name))


def test_every_case_names_its_source_and_a_decision_that_there_is() -> None:
    for case in CASES:
        assert case["source"].startswith("IAM User Guide, ")
        assert case["decided_by"] in {"identity", "boundary", "resource"}
        assert case["decision"] in {"allowed", "explicitDeny", "implicitDeny"}
        assert (case["decision"], case["decided_by"]) != ("allowed", "boundary")
        assert all(key == key.lower() for key in case["request"]["context"])


def test_every_named_document_is_used() -> None:
    for table in TABLES:
        content = json.loads((DATA / f"{table}.json").read_text())
        used = {
            document
            for case in content["cases"]
            for document in [*case["policies"]["identity"], *list(case["policies"].values())[1:]]
            if isinstance(document, str)
        }
        assert used == set(content["documents"])


def test_the_tables_hold_every_operator_in_every_form() -> None:
    used = {
        operator
        for case in CASES
        for document in [*case["policies"]["identity"], case["policies"]["boundary"], case["policies"]["resource"]]
        if document
        for statement in statements_of(document)
        for operator in statement.get("Condition", {})
    }
    plain = {operator.rpartition(":")[2].removesuffix("IfExists") for operator in used} - {"Null"}
    assert len(plain) == 26
    forms = {
        f"{prefix}{operator}{suffix}"
        for prefix in ("", "ForAllValues:", "ForAnyValue:")
        for operator in plain
        for suffix in ("", "IfExists")
    }
    assert used == forms | {"Null"}
