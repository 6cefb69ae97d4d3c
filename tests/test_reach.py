"""What is said of much at once: what may be allowed of something that is not chosen yet, and what surely is of everything."""

from typing import Any

import pytest

from permissions.engine import Policies, Request
from permissions.reach import allows_every, allows_some
from tests.engine_policies import source

pytestmark = pytest.mark.pure

USERS = "arn:aws:iam::111122223333:user/"
BOB = f"{USERS}bob"
DEV = f"{USERS}dev/*"
BOUNDARY = {"ArnEquals": {"iam:PermissionsBoundary": "arn:aws:iam::111122223333:policy/edge"}}
NIGHT = {"StringEquals": {"aws:UserAgent": "night"}}


def statement(effect: str = "Allow", **elements: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": "iam:CreateUser", "Resource": "*"} | elements


@pytest.mark.parametrize(
    ("statements", "resource", "some"),
    [
        ([statement()], f"{USERS}*", True),
        ([], f"{USERS}*", False),
        ([statement(Action="iam:DeleteUser")], f"{USERS}*", False),
        ([statement(Action="iam:Create*")], f"{USERS}*", True),
        # Patterns that begin as what may be chosen does.
        ([statement(Resource=DEV)], f"{USERS}*", True),
        ([statement(Resource=f"{USERS}carol")], f"{USERS}*", True),
        ([statement(Resource="arn:aws:iam::*:user/x*")], f"{USERS}*", True),
        ([statement(Resource=USERS + "${aws:username}")], f"{USERS}*", True),
        ([statement(Resource=USERS + "${aws:PrincipalTag/nothing}/*")], f"{USERS}*", True),
        ([statement(Resource="arn:aws:iam::111122223333:group/*")], f"{USERS}*", False),
        ([statement(Resource="arn:aws:iam::444455556666:user/*")], f"{USERS}*", False),
        # One that is chosen is asked about itself.
        ([statement(Resource=DEV)], BOB, False),
        ([statement(Resource=BOB)], BOB, True),
        # Open is what is sent with the request; what is known of it counts.
        ([statement(Condition=BOUNDARY)], f"{USERS}*", True),
        ([statement(Condition={"StringEquals": {"aws:RequestTag/team": "dev"}})], f"{USERS}*", True),
        ([statement(Condition={"StringEquals": {"aws:RequestTags": "dev"}})], f"{USERS}*", False),
        ([statement(Condition=NIGHT)], f"{USERS}*", False),
        ([statement(Condition=BOUNDARY | NIGHT)], f"{USERS}*", False),
        ([statement(Condition={"StringEquals": {"aws:UserAgent": "day"}})], f"{USERS}*", True),
        ([statement(Condition={"StringEquals": {"aws:UserAgent": "${aws:RequestTag/team}"}})], f"{USERS}*", True),
        # A deny counts when nothing escapes it.
        ([statement(), statement("Deny")], f"{USERS}*", False),
        ([statement(), statement("Deny", Resource=f"{USERS}*")], f"{USERS}*", False),
        ([statement(), statement("Deny", Resource=DEV)], f"{USERS}*", True),
        ([statement(), statement("Deny", Condition=BOUNDARY)], f"{USERS}*", True),
        ([statement(), statement("Deny", Condition={"StringEquals": {"aws:UserAgent": "day"}})], f"{USERS}*", False),
        ([statement(), statement("Deny", Condition=NIGHT)], f"{USERS}*", True),
        ([statement(), {"Effect": "Deny", "NotAction": "iam:Get*", "Resource": "*"}], f"{USERS}*", False),
        ([{"Effect": "Allow", "Action": "iam:CreateUser", "NotResource": DEV}], f"{USERS}*", True),
        ([{"Effect": "Allow", "Action": "iam:CreateUser", "NotResource": f"{USERS}*"}], f"{USERS}*", False),
        (
            [statement(), {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:iam::111122223333:group/*"}],
            BOB,
            False,
        ),
        ([statement(), {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::*"}], f"{USERS}*", False),
        ([statement(), {"Effect": "Deny", "Action": "*", "NotResource": DEV}], f"{USERS}*", True),
    ],
)
def test_what_may_be_allowed(statements: list[dict[str, Any]], resource: str, some: bool) -> None:
    asked = Request(
        "iam:CreateUser", resource, {"aws:useragent": ("day",), "aws:username": ("me",)}, principal_arn=f"{USERS}me"
    )
    policies = Policies(identity=(source({"Version": "2012-10-17", "Statement": statements}),) if statements else ())
    open_keys = ("iam:permissionsboundary", "aws:requesttag")
    assert allows_some(asked, policies, open_keys) is some


def test_a_boundary_must_let_something_through_too() -> None:
    allowing = source({"Version": "2012-10-17", "Statement": [statement()]})
    asked = Request("iam:CreateUser", f"{USERS}*", {})
    for edge, some in ((statement(Resource=DEV), True), (statement(Action="s3:*"), False), (statement("Deny"), False)):
        boundary = source({"Version": "2012-10-17", "Statement": [edge]})
        assert allows_some(asked, Policies(identity=(allowing,), boundary=boundary), ()) is some, edge


@pytest.mark.parametrize(
    ("statements", "every"),
    [
        ([statement()], True),
        ([statement(Resource=f"{USERS}*")], True),
        ([statement(Resource="arn:aws:iam::*:user/*")], True),
        ([statement(Resource=["arn:aws:s3:::*", f"{USERS}*"])], True),
        ([statement(Resource=DEV)], False),
        ([statement(Resource=[f"{USERS}?", f"{USERS}~*"])], False),
        ([statement(Resource=f"{USERS}?"), statement(Resource=f"{USERS}~*")], False),
        ([statement(Resource=f"{USERS}*b")], False),
        ([statement(Resource=f"{USERS}?*")], True),
        ([statement(Condition=NIGHT)], False),
        ([statement(), statement("Deny", Resource=DEV)], False),
        ([statement(), statement("Deny", Action="iam:Get*")], True),
        ([{"Effect": "Allow", "Action": "iam:CreateUser", "NotResource": DEV}], False),
        ([{"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}], True),
        ([], False),
    ],
)
def test_what_is_surely_allowed_on_everything(statements: list[dict[str, Any]], every: bool) -> None:
    policies = Policies(identity=(source({"Version": "2012-10-17", "Statement": statements}),) if statements else ())
    asked = Request("iam:CreateUser", f"{USERS}*", {})
    assert allows_every(asked, policies) is every
    nothing = source({"Version": "2012-10-17", "Statement": [statement(Action="s3:*")]})
    assert not allows_every(asked, Policies(identity=policies.identity, boundary=nothing))
