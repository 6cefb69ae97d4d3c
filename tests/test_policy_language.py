"""The policy language: which documents are understood, and what AWS says of the others."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iamconsole.errors import MalformedPolicyDocument
from permissions import strict_json
from permissions.language import LONGEST_DOCUMENT, Policy, Position, parse, quota_size
from permissions.wildcard import Variable

pytestmark = pytest.mark.pure

CASES = json.loads((Path(__file__).parent / "data" / "policy_documents.json").read_text())
ACCEPTED = [case for case in CASES if case["message"] is None]
SINGLE = [case for case in CASES if isinstance(case.get("document", {}).get("Statement"), dict)]
SYNTAX = "Syntax errors in policy."
ANY = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}'


def text_of(case: dict[str, Any]) -> str:
    """The case's document as text: given as such, or as an object."""
    return str(case["text"]) if "text" in case else json.dumps(case["document"])


def answer_to(document: str) -> str | None:
    """AWS's message, None when the document is accepted. Any other exception goes through."""
    try:
        parse(document)
    except MalformedPolicyDocument as fault:
        return fault.message
    return None


def policy(**elements: object) -> Policy:
    """A policy of one statement of the current version."""
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"} | elements
    return parse(json.dumps({"Version": "2012-10-17", "Statement": statement}))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_document_is_accepted_or_refused_in_aws_words(case: dict[str, Any]) -> None:
    assert answer_to(text_of(case)) == case["message"]


@pytest.mark.parametrize("case", SINGLE, ids=lambda case: case["name"])
def test_a_statement_in_a_list_of_one_gets_the_same_answer(case: dict[str, Any]) -> None:
    document = case["document"] | {"Statement": [case["document"]["Statement"]]}
    assert answer_to(json.dumps(document, indent=4)) == case["message"]


def test_the_cases_have_names_of_their_own_and_name_their_source() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES) >= 80
    assert all(case["source"] for case in CASES)


# Statements.


def test_a_statement_keeps_what_was_written() -> None:
    document = {
        "Version": "2012-10-17",
        "Id": "Reports",
        "Statement": [
            {"Sid": "Read", "Effect": "Allow", "Action": "S3:Get*", "Resource": ["arn:aws:s3:::a", "arn:aws:s3:::b"]},
            {"Effect": "Deny", "NotAction": ["iam:*"], "NotResource": "*"},
        ],
    }
    understood = parse(json.dumps(document))
    read, deny = understood.statements
    assert (understood.version, understood.id) == ("2012-10-17", "Reports")
    assert (read.index, read.sid, read.effect) == (0, "Read", "Allow")
    assert [pattern.text for pattern in read.actions] == ["S3:Get*"]
    assert [pattern.text for pattern in read.resources] == ["arn:aws:s3:::a", "arn:aws:s3:::b"]
    assert (read.not_actions, read.not_resources) == ((), ())
    assert (deny.index, deny.sid, deny.effect) == (1, "", "Deny")
    assert [pattern.text for pattern in deny.not_actions + deny.not_resources] == ["iam:*", "*"]


def test_a_document_without_a_version_is_of_the_older_one() -> None:
    assert parse(ANY.replace('"Version":"2012-10-17",', "")).version == "2008-10-17"


def test_variables_keep_their_key_in_lower_case_and_their_default_as_written() -> None:
    resource = "arn:aws:s3:::${aws:PrincipalTag/Team, 'Company-Wide'}/${AWS:UserName}"
    (pattern,) = policy(Resource=resource).statements[0].resources
    assert pattern.text == resource
    assert pattern.variables == (Variable("aws:principaltag/team", "Company-Wide"), Variable("aws:username", None))


def test_a_statement_cannot_be_made_of_two_opposites_or_of_none() -> None:
    (statement,) = policy().statements
    with pytest.raises(ValueError, match="opposites"):
        type(statement)(index=0, sid="", effect="Allow", start=statement.start, end=statement.end)


# Positions. AWS's answers: the example of `aws iam simulate-custom-policy help`, and AdministratorAccess as it is
# shown in many reports of SimulatePrincipalPolicy.


def test_a_statement_that_is_no_list_begins_after_its_brace() -> None:
    document = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}}'
    (statement,) = parse(document).statements
    assert (statement.start, statement.end) == (Position(1, 38), Position(1, len(document)))


def test_a_statement_in_a_list_begins_after_what_was_read_before_it() -> None:
    one = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [one, one]}, indent=2)
    first, second = parse(document).statements
    assert (first.start, first.end) == (Position(3, 17), Position(8, 6))
    assert (second.start, second.end) == (Position(8, 6), Position(13, 6))


def test_brackets_and_quotes_in_strings_do_not_move_a_statement() -> None:
    document = '{"Id":"}]{[\\"{","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}'
    (statement,) = parse(document).statements
    assert (statement.start, statement.end) == (
        Position(1, document.index('{"Eff') + 1),
        Position(1, len(document) - 1),
    )


# The strict loader.


@pytest.mark.parametrize(
    "document",
    [
        "[" * 50_000,
        '{"a":' * 50_000,
        "[" * 5_000 + "]" * 5_000,
        ANY.replace('"*"', "1" * 5_000),
        '"' + '\\"' * 60_000,
        '"\\u0000' * 10_000,
        ANY + " " * LONGEST_DOCUMENT,
    ],
    ids=["brackets", "objects", "nested", "digits", "quotes", "escapes", "too long"],
)
def test_a_huge_document_is_a_syntax_error(document: str) -> None:
    assert answer_to(document) == SYNTAX


def test_a_document_may_be_as_long_as_aws_allows() -> None:
    assert answer_to(ANY + " " * (LONGEST_DOCUMENT - len(ANY))) is None
    assert answer_to(ANY + " " * (LONGEST_DOCUMENT - len(ANY) + 1)) == SYNTAX


def test_nesting_may_be_twenty_deep() -> None:
    assert strict_json.load("[" * 20 + "]" * 20)
    with pytest.raises(strict_json.NotStrictError):
        strict_json.load("[" * 21 + "]" * 21)


def test_an_integer_may_have_twenty_digits() -> None:
    document = ANY.replace('"*"}', '"*","Condition":{"NumericEquals":{"a":%s}}}')
    assert answer_to(document % ("-" + "9" * 20)) is None
    assert answer_to(document % ("9" * 21)) == SYNTAX


@given(st.text())
def test_any_text_is_a_policy_or_a_malformed_document(text: str) -> None:
    answer_to(text)


@given(st.text(alphabet='{}[]":,\\ *ae', max_size=60))
def test_any_text_of_json_characters_is_a_policy_or_a_malformed_document(text: str) -> None:
    answer_to(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("Allow") | st.just("*"),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=4), values, max_size=3),
    max_leaves=8,
)
KEYS = ["Version", "Id", "Statement", "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"]


@given(st.sampled_from(ACCEPTED), st.data())
def test_an_accepted_document_with_one_value_changed_is_a_policy_or_a_malformed_document(
    case: dict[str, Any], data: st.DataObject
) -> None:
    document = json.loads(text_of(case))
    statements = document["Statement"]
    places = [document, *(statements if isinstance(statements, list) else [statements])]
    data.draw(st.sampled_from(places))[data.draw(st.sampled_from(KEYS))] = data.draw(JSON)
    answer_to(json.dumps(document, ensure_ascii=data.draw(st.booleans())))


@given(st.sampled_from(ACCEPTED), st.data())
def test_an_accepted_document_with_its_text_damaged_is_a_policy_or_a_malformed_document(
    case: dict[str, Any], data: st.DataObject
) -> None:
    text = text_of(case)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 12)))
        text = (
            text[:start]
            + data.draw(st.sampled_from(["", '"', "\\", "{", "}", ",", "${", text[:20], "\ud800"]))
            + text[end:]
        )
    answer_to(text)


@given(st.text(alphabet="${}*?', :abc", max_size=30))
def test_any_resource_is_understood_or_a_malformed_document(tail: str) -> None:
    answer_to(json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": tail}}))
    answer_to(ANY.replace('"*"', json.dumps("arn:aws:s3:::" + tail)))


# Quotas.


def test_a_quota_counts_characters_without_white_space() -> None:
    assert quota_size("") == 0
    assert quota_size(' {\r\n\t"Sid" : "a b"\n}') == len('{"Sid":"ab"}')
    assert quota_size(json.dumps(json.loads(ANY), indent=4)) == quota_size(ANY) == len(ANY)


def test_a_no_break_space_counts() -> None:
    assert quota_size("\u00a0") == 1
