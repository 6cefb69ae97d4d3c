"""AWS's own policies in the database: brought in line with what is published, and not touched when they are."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account
from permissions.aws_managed import AWSManagedPolicy, catalogue
from permissions.catalogue import synchronise
from permissions.models import ManagedPolicy, PolicyVersion
from permissions.operations.attachments import attach_user_policy
from permissions.operations.managed import get_policy
from permissions.operations.versions import get_policy_version
from tests.conftest import Person, allow

MADE = datetime(2015, 2, 6, tzinfo=UTC)
ONE = AWSManagedPolicy("StandInOne", "/", MADE, MADE, 1, allow("iam:GetUser"))
TWO = AWSManagedPolicy("StandInTwo", "/job-function/", MADE, MADE, 4, allow("iam:ListUsers"))


def bring(*policies: AWSManagedPolicy) -> None:
    synchronise({**catalogue(), **{policy.arn: policy for policy in policies}})


@pytest.fixture
def stand_ins() -> Iterator[None]:
    """Two policies beside AWS's own, for the test alone."""
    bring(ONE, TWO)
    yield
    ManagedPolicy.objects.aws_managed().filter(policy_name__startswith="StandIn", attached_users=None).delete()


def epoch(person: Person) -> int:
    return Account.objects.get(pk=person.account_id).policy_epoch


def test_every_policy_of_the_catalogue_is_there() -> None:
    there = {
        policy.arn: policy for policy in ManagedPolicy.objects.aws_managed().exclude(policy_name__startswith="Stand")
    }
    assert there.keys() == catalogue().keys()
    assert PolicyVersion.objects.filter(policy__in=there.values()).count() == len(there)


def test_a_policy_comes_as_it_is_published(root: Person, stand_ins: None) -> None:
    policy = get_policy(root.caller, policy_arn=TWO.arn)
    assert (policy.policy_id, policy.path, policy.default_version_id) == (TWO.policy_id, "/job-function/", "v4")
    assert (policy.create_date, policy.update_date) == (MADE, MADE)
    version = get_policy_version(root.caller, policy_arn=TWO.arn, version_id="v4")
    assert (version.document, version.is_default_version) == (TWO.document, True)


def test_nothing_is_written_when_nothing_changed(root: Person, stand_ins: None) -> None:
    before = epoch(root)
    with CaptureQueriesContext(connection) as captured:
        bring(ONE, TWO)
    written = [query["sql"] for query in captured if query["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    assert written == []
    assert len([query for query in captured if query["sql"].startswith("SELECT")]) <= 3
    assert epoch(root) == before


@pytest.mark.parametrize(
    "changed",
    [{"document": allow("iam:TagUser")}, {"version_number": 5}, {"version_number": 5, "document": allow("*")}],
)
def test_another_document_is_in_force_and_raises_the_epoch(root: Person, stand_ins: None, changed: Any) -> None:
    before = epoch(root)
    now = replace(TWO, **changed)
    bring(ONE, now)
    assert epoch(root) == before + 1
    policy = get_policy(root.caller, policy_arn=TWO.arn)
    version = get_policy_version(root.caller, policy_arn=TWO.arn, version_id=policy.default_version_id)
    assert (policy.default_version_number, version.document) == (now.version_number, now.document)
    assert policy.versions.count() == 1


def test_another_path_is_another_arn_and_no_other_policy(root: Person, stand_ins: None) -> None:
    pk = ManagedPolicy.objects.get(policy_name="StandInTwo").pk
    before = epoch(root)
    moved = replace(TWO, path="/service-role/")
    bring(ONE, moved)
    assert get_policy(root.caller, policy_arn=moved.arn).pk == pk
    assert epoch(root) == before


def test_a_withdrawn_policy_goes_unless_it_is_in_use(root: Person, alice: Person, stand_ins: None) -> None:
    attach_user_policy(root.caller, user_name="alice", policy_arn=TWO.arn)
    bring()
    assert not ManagedPolicy.objects.filter(policy_name="StandInOne").exists()
    assert get_policy(root.caller, policy_arn=TWO.arn).attachment_count == 1
