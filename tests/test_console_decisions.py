"""The page of a decision: each kind of refusal in sentences, for those who may know, and for the one who was refused."""

import html
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, get_args

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from accounts.operations.groups import add_user_to_group, create_group
from accounts.operations.users import create_user, list_users
from audit.models import Event
from iamconsole.errors import AccessDenied
from permissions.operations.boundaries import put_user_permissions_boundary
from permissions.operations.inline import put_group_policy
from permissions.operations.managed import create_policy
from permissions.operations.versions import create_policy_version
from tests.browser import Visitor, give_password, signed_in
from tests.conftest import Person, allow, caller_for, make_user

pytestmark = pytest.mark.pure

MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def text(answer: Any, status: int = 200) -> str:
    """What the page says, without its markup and frame."""
    assert answer.status_code == status
    main = str(answer.content.decode()).partition("<main")[2].partition("</main>")[0]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", main)))


def policy(*statements: Mapping[str, Any]) -> str:
    """A policy on everything."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Resource": "*"} | each for each in statements]})


def refused(person: Person, act: Callable[..., Any] = list_users, **parameters: Any) -> str:
    """The address of the decision by which the person's request was just denied."""
    with pytest.raises(AccessDenied) as caught:
        act(caller_for(person.user), **parameters)
    return reverse("admin:decision", args=[caught.value.decision_id])


def test_a_deny_is_told_with_its_statement_and_policy(root: Person, alice: Person) -> None:
    deny = policy({"Effect": "Allow", "Action": "*"}, {"Sid": "NoLists", "Effect": "Deny", "Action": "iam:List*"})
    dave = make_user(root, "dave", deny)
    page = text(signed_in(alice).get(refused(dave)))
    assert "The statement NoLists of the inline policy given denies it. An explicit deny beats every allow." in page
    for words in (dave.user.arn, "iam:ListUsers", f"arn:aws:iam::{root.account_id}:user/", "the AWS API", "just now"):
        assert words in page
    assert "narrow that statement or remove it" in page
    assert "Permissions of dave" in page


def test_a_missing_allow_is_told_with_what_would_have_allowed_it(root: Person, alice: Person) -> None:
    dave = make_user(root, "dave", policy({"Sid": "Mfa", "Effect": "Allow", "Action": "iam:*", "Condition": MFA}))
    page = text(signed_in(alice).get(refused(dave, create_user, user_name="x")))
    assert f"No policy allows iam:CreateUser on arn:aws:iam::{root.account_id}:user/x." in page
    would = "The statement Mfa of the policy given would allow it if the condition Bool on aws:MultiFactorAuthPresent were met."
    assert would in page.replace(" .", ".")
    assert "The request did not have this key." in page
    assert "Sign in with a second factor" in page


def test_a_condition_that_was_not_met_is_told_with_what_the_request_had(root: Person, alice: Person) -> None:
    here = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    dave = make_user(root, "dave", policy({"Effect": "Allow", "Action": "iam:*", "Condition": here}))
    page = text(signed_in(alice).get(refused(dave)))
    assert "The statement number 1 of the policy given would allow it" in page
    assert "The request had 127.0.0.1" in page
    assert "What was known of the request" in page


def test_a_boundary_is_told(root: Person, alice: Person) -> None:
    dave = make_user(root, "dave", allow("*"))
    bound = create_policy(root.caller, policy_name="Bound", policy_document=allow("s3:*"))
    put_user_permissions_boundary(root.caller, user_name="dave", permissions_boundary=bound.arn)
    page = text(signed_in(alice).get(refused(dave)))
    assert "A policy allows iam:ListUsers on" in page
    assert "but the permissions boundary does not." in page
    assert "the permissions boundary must allow the action too" in page
    never = policy({"Sid": "Never", "Effect": "Deny", "Action": "iam:*"})
    create_policy_version(root.caller, policy_arn=bound.arn, policy_document=never, set_as_default=True)
    answer = signed_in(alice).get(refused(dave))
    assert reverse("admin:permissions_managedpolicy_change", args=[bound.arn]) in str(answer.content)
    page = text(answer)
    assert "The statement Never of the customer managed policy Bound, the permissions boundary, denies it." in page


def test_the_group_that_brings_a_policy_is_told(root: Person, alice: Person) -> None:
    dave = make_user(root, "dave")
    create_group(root.caller, group_name="devs")
    add_user_to_group(root.caller, group_name="devs", user_name="dave")
    deny = policy(
        {"Effect": "Deny", "Action": "iam:ListUsers"}, {"Effect": "Allow", "Action": "iam:*", "Condition": MFA}
    )
    put_group_policy(root.caller, group_name="devs", policy_name="p", policy_document=deny)
    page = text(signed_in(alice).get(refused(dave)))
    assert "The statement number 1 of the inline policy p of the group devs denies it." in page
    page = text(signed_in(alice).get(refused(dave, create_user, user_name="x")))
    assert "The statement number 2 of the policy p of the group devs would allow it" in page


def test_every_door_has_a_name() -> None:
    from accounts.caller import Door
    from audit.views.decisions import DOORS

    assert set(get_args(Door)) == DOORS.keys()


def test_one_reads_the_own_decisions_without_names_of_policies(root: Person) -> None:
    deny = policy({"Sid": "NoLists", "Effect": "Deny", "Action": "iam:List*"})
    dave = make_user(root, "dave", deny)
    page = text(signed_in(dave).get(refused(dave)))
    assert "A statement of a policy denies it." in page
    assert "send the decision ID to an administrator" in page
    assert "iamconsole:GetDecision" in page
    assert "NoLists" not in page
    assert "given" not in page
    assert "Simulate this request" not in page


def test_nobody_reads_the_decisions_of_others(root: Person, bob: Person, mallory: Person, trudy: Person) -> None:
    decision = refused(bob)
    made_up = reverse("admin:decision", args=["00000000-0000-4000-8000-000000000000"])
    for person in (mallory, trudy):
        events = Event.objects.count()
        pages = [text(signed_in(person).get(address), 404) for address in (decision, made_up)]
        assert "There is no decision of this ID that you may read." in pages[0]
        strip = re.compile(r"[0-9a-f-]{36}")
        assert strip.sub("", pages[0]) == strip.sub("", pages[1])
        assert Event.objects.count() == events
    assert signed_in(bob).get(decision).status_code == 200


def test_who_may_read_decisions_of_one_user_reads_those_alone(root: Person, bob: Person, mallory: Person) -> None:
    reader = make_user(root, "reader", allow("iamconsole:GetDecision", resource=bob.user.arn))
    assert "No policy allows" in text(signed_in(reader).get(refused(bob)))
    assert signed_in(reader).get(refused(mallory)).status_code == 404


def test_a_decision_of_a_user_that_is_gone_can_still_be_read(root: Person, alice: Person) -> None:
    from accounts.operations.whole_users import delete_user_with_credentials

    dave = make_user(root, "dave")
    address = refused(dave)
    delete_user_with_credentials(root.caller, user_name="dave")
    page = text(signed_in(alice).get(address))
    assert "No policy allows iam:ListUsers" in page
    assert "Permissions of" not in page
    assert "Simulate this request" not in page


def test_a_refusal_in_the_console_leads_to_its_reason_and_to_the_simulator(
    visitor: Visitor, root: Person, alice: Person
) -> None:
    dave = make_user(root, "dave", policy({"Sid": "NoLists", "Effect": "Deny", "Action": "iam:List*"}))
    for person in (dave, alice):
        give_password(person)
    page = visitor.sign_in(dave)
    visitor.open("/console/accounts/user/")
    expect(page.locator("main")).to_contain_text("iam:ListUsers")
    expect(page.locator("main")).not_to_contain_text("(decision id")
    page.get_by_role("link", name="Why was this denied?").click()
    expect(page.locator("main")).to_contain_text("A statement of a policy denies it")
    expect(page.locator("main")).to_contain_text("the console")
    address = page.url
    visitor.sign_out()
    visitor.sign_in(alice)
    expect(page.locator("h1")).to_have_text("Dashboard")
    page.keyboard.press("/")
    page.keyboard.type(address.rstrip("/").rpartition("/")[2])
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("The statement NoLists of the inline policy given denies it")
    assert page.url == address
    page.get_by_role("link", name="Simulate this request").click()
    expect(page.locator("table.results tbody tr")).to_have_count(1)
    expect(page.locator("table.results tbody tr")).to_contain_text("Explicitly denied")
    expect(page.locator("table.results tbody tr")).to_contain_text("NoLists")
