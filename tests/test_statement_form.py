"""The two views of a policy: form rows and JSON. Nothing gets lost between them."""

import json
from typing import Any

import pytest

from iamconsole.errors import MalformedPolicyDocument
from permissions import language
from permissions.statement_form import (
    MOST_FIELDS,
    ConditionRow,
    NotShownError,
    StatementForm,
    StatementRow,
    from_document,
    from_fields,
    indented,
    repeated,
    to_document,
)
from permissions.strict_json import NotStrictError
from tests.conftest import ALLOW_ALL, ROOT

pytestmark = pytest.mark.pure

CASES = json.loads((ROOT / "tests/data/policy_documents.json").read_text())
TEXTS = [case["text"] if "text" in case else json.dumps(case["document"]) for case in CASES]


def policy(**statement: Any) -> str:
    """A policy of one statement."""
    plain = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**plain, **statement}]})


def fields(form: StatementForm) -> dict[str, str]:
    """What a browser sends of the form's page."""
    sent = {"version": form.version, "id": form.id}
    for number, row in enumerate(form.statements):
        sent |= {
            f"s{number}-sid": row.sid,
            f"s{number}-effect": row.effect,
            f"s{number}-acts": row.acts,
            f"s{number}-actions": row.actions_text.replace("\n", "\r\n"),
            f"s{number}-covers": row.covers,
            f"s{number}-resources": row.resources_text.replace("\n", "\r\n"),
        }
        for index, condition in enumerate(row.conditions):
            sent |= {
                f"s{number}-c{index}-operator": condition.operator,
                f"s{number}-c{index}-key": condition.key,
                f"s{number}-c{index}-values": condition.values_text.replace("\n", "\r\n"),
            }
    return sent


def shape(text: str) -> Any:
    """What a document says, without the places it says it at."""
    read = language.parse(text)
    return [
        (read.version, read.id),
        *(
            (
                each.sid, each.effect, each.actions, each.not_actions, each.resources, each.not_resources,
                sorted(each.conditions, key=lambda one: (one.operator, one.name)),
            )
            for each in read.statements
        ),
    ]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS, ids=[case["name"] for case in CASES])
def test_what_the_form_shows_comes_back_the_same(text: str):
    try:
        language.parse(text)
    except MalformedPolicyDocument:
        with pytest.raises(NotShownError, match="without errors"):
            from_document(text)
        return
    try:
        form = from_document(text)
    except NotShownError as refused:
        assert str(refused).endswith(".")
        return
    assert shape(to_document(form)) == shape(text)
    assert from_document(to_document(form)) == form
    assert from_fields(fields(form)) == form


def test_most_policies_are_shown():
    shown = 0
    for text in TEXTS:
        try:
            from_document(text)
            shown += 1
        except NotShownError:
            pass
    assert shown > sum(case["message"] is None for case in CASES) * 0.8


def test_rows_have_all_there_is_of_a_statement():
    condition = {"StringLike": {"s3:prefix": ["home/", "tmp/"]}, "Bool": {"aws:SecureTransport": True}}
    text = json.dumps(
        {
            "Version": "2012-10-17",
            "Id": "mine",
            "Statement": {
                "Sid": "One",
                "Effect": "Deny",
                "NotAction": ["iam:*", "sts:*"],
                "NotResource": "arn:aws:s3:::x",
                "Condition": condition,
            },
        }
    )
    form = from_document(text)
    assert form == StatementForm(
        (
            StatementRow(
                sid="One",
                effect="Deny",
                acts="NotAction",
                actions=("iam:*", "sts:*"),
                covers="NotResource",
                resources=("arn:aws:s3:::x",),
                conditions=(
                    ConditionRow("StringLike", "s3:prefix", ("home/", "tmp/")),
                    ConditionRow("Bool", "aws:SecureTransport", ("true",)),
                ),
            ),
        ),
        id="mine",
    )
    assert shape(to_document(form)) == shape(text)


EXOTIC = [
    ("{", "without errors"),
    (policy(Principal="*"), "without errors"),
    (policy(Condition={"StringEquals": {"aws:username": []}}), "with no value"),
    (policy(Condition={"StringEquals": {"aws:username": ""}}), "is empty"),
    (policy(Condition={"StringEquals": {"aws:username": "a\nb"}}), "a line break"),
    (policy(Condition={"StringEquals": {"aws:username": " a"}}), "a space at its end"),
    (policy(Condition={"Sometimes": {}}), "without a context key"),
    (
        policy(Condition={"StringEquals": {f"aws:PrincipalTag/{number}": "x" for number in range(MOST_FIELDS // 3)}}),
        "too many statements and conditions",
    ),
    (
        json.dumps({"Version": "2012-10-17", "Statement": json.loads(policy())["Statement"] * (MOST_FIELDS // 6 + 1)}),
        "too many statements and conditions",
    ),
]


@pytest.mark.parametrize(("text", "why"), EXOTIC, ids=lambda each: each[:40])
def test_what_the_form_cannot_show_stays_json_and_it_says_why(text: str, why: str):
    with pytest.raises(NotShownError, match=why):
        from_document(text)


def test_rows_are_added_and_removed():
    form = from_document(policy(Sid="a")).with_statement()
    assert [row.sid for row in form.statements] == ["a", ""]
    assert [row.sid for row in form.without_statement(0).statements] == [""]
    form = form.with_condition(1).with_condition(1)
    assert [len(row.conditions) for row in form.statements] == [0, 2]
    assert [len(row.conditions) for row in form.without_condition(1, 0).statements] == [0, 1]
    assert form.without_condition(7, 0) == form


def test_a_blank_condition_is_none_and_what_is_missing_is_missing_in_the_json():
    form = StatementForm((StatementRow(conditions=(ConditionRow(),)),))
    statement = json.loads(to_document(form))["Statement"][0]
    assert statement == {"Effect": "Allow", "Action": [], "Resource": []}


def test_a_condition_that_stands_twice_is_told_and_not_merged_silently():
    twice = (ConditionRow("StringEquals", "aws:username", ("a",)), ConditionRow("StringEquals", "aws:username", ("b",)))
    (told,) = repeated(StatementForm((StatementRow(conditions=twice),)))
    assert told.startswith("Statement 1 has StringEquals on aws:username twice. Put all values into one condition")
    assert repeated(StatementForm((StatementRow(conditions=(ConditionRow(), ConditionRow())),))) == []
    assert repeated(from_document(ALLOW_ALL)) == []


def test_fields_are_read_without_spaces_and_empty_lines():
    form = from_fields(
        {"s0-effect": "Nonsense", "s0-actions": " s3:GetObject \r\n\r\n s3:PutObject", "s2-effect": "Deny"}
    )
    assert form.statements == (StatementRow(actions=("s3:GetObject", "s3:PutObject")),)
    full = from_fields({f"s{number}-effect": "Deny" for number in range(MOST_FIELDS // 6 + 1)})
    assert (full.is_full, full.without_statement(0).is_full) == (True, False)


def test_json_is_indented_without_losing_a_digit():
    text = '{"a":[1,2.50,"ü\\n",1.00000000000000000001],"b":{}}'
    assert indented(text) == (
        '{\n  "a": [\n    1,\n    2.50,\n    "ü\\n",\n    1.00000000000000000001\n  ],\n  "b": {}\n}'
    )
    for broken in ("{", '{"a": 1, "a": 2}'):
        with pytest.raises(NotStrictError):
            indented(broken)
