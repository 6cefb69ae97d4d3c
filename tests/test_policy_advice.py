"""What an editor tells about a policy: faults with their lines, and what a policy allows that may not be meant."""

import json
from typing import Any

import pytest

from iamconsole.errors import MalformedPolicyDocument
from permissions import language
from permissions.advice import advise
from permissions.comparison import conditions_differ, diff, flips
from permissions.summary import summarise
from tests.conftest import ALLOW_ALL, ROOT

pytestmark = pytest.mark.pure


def statement(**members: Any) -> dict[str, Any]:
    """A statement that nothing is to be said about, with other members."""
    plain = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::reports/*"}
    for one, other in (("Action", "NotAction"), ("Resource", "NotResource")):
        if other in members:
            del plain[one]
    return {**plain, **members}


def document(*statements: dict[str, Any], **members: Any) -> str:
    """A policy, a member a line."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **members}, indent=1)


def line_of(text: str, part: str) -> int:
    """The first line that has the part."""
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


FAULTS = [
    ("", 1, "not JSON"),
    ('{"Version": "2012-10-17"\n', 2, "not JSON"),
    ('{"Statement": [\n{"Effect": "Allow",\n}]}', 3, "not JSON"),
    ("[" * 100_000, 1, "nested"),
    ("[]", 1, "one JSON object"),
    ("{}", 1, "needs “Statement”"),
    ('{"Version":\nNaN}', 1, "NaN"),
    ('{"Version": "2012-10-17",\n"Version": "2012-10-17"}', 2, "“Version” stands twice"),
    (document(statement(), Statements=[]), '"Statements"', "Do you mean “Statement”?"),
    (document(statement(), Version="2026-01-01"), '"Version"', "2012-10-17"),
    (document(statement(), Id=5), '"Id"', "Id must be a text"),
    (document(statement(Actions="s3:*")), '"Actions"', "Do you mean “Action”?"),
    (document(statement(Effect="allow")), '"Effect"', "Allow or Deny"),
    (document(statement(), statement(Effect=None, Sid="second")), '"Effect": null', "Allow or Deny"),
    (document(statement(), {"Effect": "Allow", "Resource": "*"}), "}", "needs Action or NotAction"),
    (document(statement(NotAction="s3:*", Action="s3:*")), '"NotAction"', "not both"),
    (document(statement(Action=["s3:GetObject", "GetObject"])), '"GetObject"', "begins with its service"),
    (document(statement(Action=["s3:Get:Object"])), '"s3:Get:Object"', "one colon"),
    (document(statement(Action=[])), '"Action"', "at least one"),
    (document(statement(Resource=5)), '"Resource"', "in double quotes"),
    (document(statement(Resource=["*", "reports"])), '"reports"', "ARN format"),
    (document(statement(Resource="arn:aws:iam::1:nothing/x")), '"Resource"', "IAM resource path"),
    (document(statement(Principal="*")), '"Principal"', "no principal"),
    (document(statement(Sid="not good")), '"Sid"', "alpha-numeric"),
    (document(statement(Sid="a"), statement(Sid="b"), statement(Action="s3:*", Sid="a")), '"Sid"', "taken"),
    (document(statement(Condition=["x"])), '"Condition"', "object of operators"),
    (document(statement(Condition={"StringEqual": {"aws:username": "a"}})), '"StringEqual"', "Do you mean StringEquals?"),
    (document(statement(Condition={"StringEquals": "x"})), '"StringEquals"', "object of context keys"),
    (document(statement(Condition={"Bool": {"aws:SecureTransport": "yes"}})), "SecureTransport", "not of the kind that Bool"),
    (document(statement(Resource="arn:aws:s3:::${aws:username")), '"Resource"', "kind"),
    (document(statement(Sid="€")).replace("\\u20ac", "€"), '"Sid"', "'€' is not accepted"),
    ("5", 1, "one JSON object"),
    (" " * 200_000, 1, "longer than"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "where", "says"), FAULTS, ids=lambda each: str(each)[:24])
def test_a_fault_is_told_with_its_line(text: str, where: int | str, says: str):
    told = advise(text).errors
    assert told
    found = [each for each in told if says in each.text]
    assert found, [each.text for each in told]
    line = where if isinstance(where, int) else None
    if line is None and "taken" not in says and where != "}":
        line = line_of(text, str(where))
    assert line is None or found[0].line == line
    assert all(each.severity == "error" for each in told)
    assert advise(text).warnings == ()


def test_every_fault_is_told_not_only_the_first():
    text = document(statement(Effect="allow", Action="GetObject"), statement(Resource="reports", Sid="no good"))
    assert len(advise(text).errors) == 4


def test_what_the_language_refuses_has_an_error_and_what_it_takes_has_none():
    for case in json.loads((ROOT / "tests/data/policy_documents.json").read_text()):
        text = case["text"] if "text" in case else json.dumps(case["document"])
        try:
            language.parse(text)
            refused = False
        except MalformedPolicyDocument:
            refused = True
        assert bool(advise(text).errors) is refused, text


WARNINGS = [
    (statement(Action="*", Resource="*"), "security", "every action on every resource"),
    (statement(Action=["s3:*"], Resource=["arn:aws:s3:::x", "*"]), "security", "all of s3 on every resource"),
    (statement(NotAction="iam:*"), "security", "Allow with NotAction"),
    (statement(NotResource="arn:aws:s3:::x"), "security", "Allow with NotResource"),
    (statement(Action="iam:PassRole", Resource="*"), "security", "iam:PassRole on every role"),
    (statement(Action="s3:GetObjekt"), "warning", "Do you mean s3:GetObject?"),
    (statement(Action="s3:Nothing*"), "warning", "No known action matches s3:Nothing*"),
    (statement(Action="iamconsole:LetIn"), "warning", "No known action matches iamconsole:LetIn"),
    (statement(Action="warehouse:Ship"), "warning", "The service warehouse is not known"),
    (statement(Condition={"StringEquals": {"aws:UserNam": "x"}}), "warning", "no global context key aws:UserNam"),
    (statement(Condition={"StringEquals": {"warehouse:Shelf": "x"}}), "warning", "of no known service"),
    (statement(Condition={"StringEquals": {"aws:username": []}}), "warning", "compared with no value"),
    (
        statement(Condition={"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}),
        "security",
        '"Null": {"aws:TagKeys": "false"}',
    ),
    (statement(Action="iam:AttachUserPolicy"), "suggestion", "aws:MultiFactorAuthPresent"),
    (statement(Action=["s3:Get*", "s3:GetObject"]), "suggestion", "s3:GetObject is covered by s3:Get*"),
    (statement(Sid=""), "suggestion", "The Sid is empty"),
]
SILENT = [
    statement(),
    statement(Sid="Read"),
    statement(Action=["iamconsole:CreateServiceToken", "*:List*", "S3:getobject"]),
    statement(Effect="Deny", Action="*", Resource="*"),
    statement(Effect="Deny", NotAction="s3:*", Resource="*"),
    statement(
        Action="iam:PassRole",
        Resource="arn:aws:iam::123456789012:role/worker",
        Condition={"NumericLessThan": {"aws:MultiFactorAuthAge": "900"}},
    ),
    statement(Condition={"StringEquals": {"aws:PrincipalTag/team": "a", "s3:prefix": "home"}}),
    statement(
        Action="iam:AttachUserPolicy",
        Resource="arn:aws:iam::123456789012:user/x",
        Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    ),
    statement(
        Condition={"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}, "Null": {"aws:TagKeys": "false"}},
    ),
    statement(Effect="Deny", Condition={"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}),
]


@pytest.mark.parametrize(("given", "severity", "says"), WARNINGS, ids=lambda each: str(each)[:40])
def test_what_may_not_be_meant_is_told_with_what_to_do(given: dict[str, Any], severity: str, says: str):
    text = document(statement(Action="s3:PutObject"), given)
    told = [each for each in advise(text).warnings if says in each.text]
    assert [each.severity for each in told] == [severity]
    assert told[0].line > line_of(text, "PutObject")
    single = json.dumps({"Version": "2012-10-17", "Statement": given})
    assert any(says in each.text for each in advise(single).warnings)


@pytest.mark.parametrize("given", SILENT, ids=lambda each: str(each)[:40])
def test_nothing_is_said_of_a_careful_policy(given: dict[str, Any]):
    advice = advise(document(given))
    assert advice.errors == ()
    assert [each.text for each in advice.warnings] == []


def test_the_older_version_is_told_and_more_so_when_variables_are_meant():
    for members in ({"Version": "2008-10-17"}, {}):
        old = json.dumps({**members, "Statement": [statement()]})
        assert [each.severity for each in advise(old).warnings] == ["suggestion"]
        variable = json.dumps({**members, "Statement": [statement(Resource="arn:aws:s3:::x/${aws:username}")]})
        assert [each.severity for each in advise(variable).warnings] == ["security"]


def test_statements_that_say_the_same_are_told():
    text = document(statement(Sid="a"), statement(Action="s3:PutObject"), statement(Sid="b"))
    assert [each.text for each in advise(text).warnings] == [
        "This statement says the same as statement 1. Remove one of them."
    ]


def test_the_worst_comes_first():
    told = advise(document(statement(Sid="", Action=["s3:Get*", "s3:GetObjekt", "*"], Resource="*"))).warnings
    kinds = [each.severity for each in told]
    assert kinds == sorted(kinds, key=["security", "warning", "suggestion"].index)


def test_the_size_is_counted_without_white_space_and_held_against_the_quota():
    assert advise("{ }").size == 2
    text = document(statement())
    size = language.quota_size(text)
    assert advise(text, quota=size).errors == ()
    (error,) = advise(text, quota=size - 1).errors
    assert f"{size} characters without white space; {size - 1} are allowed" in error.text


# The summary


def test_a_summary_tells_service_access_resources_and_conditions():
    policy = language.parse(
        document(
            statement(Action=["s3:GetObject"], Condition={"Bool": {"aws:SecureTransport": "true"}}),
            statement(Action="s3:*", Resource="*"),
            statement(Effect="Deny", NotAction="iam:*", Resource="*"),
            statement(Action="warehouse:Ship"),
        )
    )
    lines = [(each.effect, each.service, each.access, each.resource, each.condition) for each in summarise(policy)]
    assert lines[0] == ("Deny", "All services", "All actions but iam:*", "All resources", "None")
    assert ("Allow", "s3", "Full access", "All resources", "None") in lines
    assert ("Allow", "warehouse", "warehouse:Ship", "arn:aws:s3:::reports/*", "None") in lines
    limited = next(each for each in lines if each[4] != "None")
    assert limited[2].startswith("Read (1 of ")
    assert limited[4] == "aws:SecureTransport (Bool)"
    assert [each.access for each in summarise(language.parse(ALLOW_ALL))] == ["Full access"]


# Old and new


def test_answers_that_flip_are_listed_with_the_old_and_the_new_one():
    old = language.parse(document(statement(Action=["s3:GetObject", "s3:PutObject"])))
    new = language.parse(document(statement(), statement(Effect="Deny", Action="s3:DeleteObject")))
    told = {(each.action, each.before, each.after) for each in flips(old, new)}
    assert told == {
        ("s3:PutObject", "Allowed", "Not allowed"),
        ("s3:DeleteObject", "Not allowed", "Denied explicitly"),
    }
    assert flips(old, old) == []


def test_a_condition_that_changes_is_told_though_no_sample_flips():
    old = language.parse(document(statement()))
    new = language.parse(document(statement(Condition={"Bool": {"aws:SecureTransport": "true"}})))
    assert flips(old, new) == []
    assert conditions_differ(old, new)
    assert not conditions_differ(new, new)


def test_a_diff_names_the_kind_of_each_line():
    lines = diff("a\nb\nc", "a\nB\nc", names=("v1", "v2"))
    assert [(each.kind, each.text) for each in lines] == [
        ("place", "From line 1, now line 1"),
        ("same", "a"),
        ("removed", "b"),
        ("added", "B"),
        ("same", "c"),
    ]
    assert diff("a", "a", names=("v1", "v2")) == []
