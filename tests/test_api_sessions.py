"""Temporary credentials through boto3 and the aws CLI: what they may do, and that they end when they must."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from accounts import arns
from accounts.models import User
from accounts.operations.users import delete_user, update_user
from credentials import session_tokens
from credentials.operations.access_keys import delete_access_key, update_access_key
from credentials.operations.login_profiles import create_login_profile
from credentials.operations.mfa_devices import deactivate_mfa_device
from credentials.steps import end_sessions
from permissions.operations.inline import delete_user_policy
from tests.authenticators import App, give_app, in_mfa_session, session_of
from tests.aws_cli import aws
from tests.browser import PASSWORD as BROWSER_PASSWORD
from tests.browser import a_client, give_password
from tests.conftest import SECRETS, Person, make_user
from tests.everything import PASSWORD
from tests.faults import fault_of
from tests.raw import ask, send_inside, signed
from tests.rows import events_of

INVALID = ("InvalidClientTokenId", 403, "The security token included in the request is invalid.")
WITH_MFA = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Action": "iam:*",
        "Resource": "*",
        "Condition": {
            "Bool": {"aws:MultiFactorAuthPresent": "true"},
            "NumericLessThan": {"aws:MultiFactorAuthAge": "3600"},
        },
    },
}


@pytest.fixture
def app(alice: Person) -> App:
    """alice's app, enabled."""
    return give_app(alice.account_id, alice.user, "alices")


def keep(answer: Any) -> dict[str, Any]:
    credentials: dict[str, Any] = answer["Credentials"]
    SECRETS.extend([credentials["SecretAccessKey"], credentials["SessionToken"]])
    return credentials


def life(credentials: dict[str, Any]) -> float:
    return float((credentials["Expiration"] - datetime.now(UTC)).total_seconds())


# Getting them


def test_temporary_credentials_are_got_and_used(alice: Person, app: App, server: Path) -> None:
    got = keep(alice.client("sts").get_session_token(SerialNumber=app.serial_number, TokenCode=app.code()))
    assert got.keys() == {"AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"}
    assert got["AccessKeyId"].startswith("ASIA")
    assert arns.account_of_access_key(got["AccessKeyId"]) == alice.account_id
    assert 12 * 3600 - 60 < life(got) <= 12 * 3600
    session = Person(alice.caller, got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"])
    assert session.client("sts").get_caller_identity()["Arn"] == alice.user.arn
    assert session.client().get_user()["User"]["UserName"] == "alice"
    session.client().create_user(UserName="dave")
    assert events_of(alice.account_id)[-1].access_key_id == got["AccessKeyId"]


def test_the_cli_gets_and_uses_them(alice: Person, app: App, server: Path) -> None:
    code = ("--serial-number", app.serial_number, "--token-code", app.code())
    got = aws(alice, "sts", "get-session-token", *code)["Credentials"]
    SECRETS.extend([got["SecretAccessKey"], got["SessionToken"]])
    session = Person(alice.caller, got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"])
    assert [user["UserName"] for user in aws(session, "iam", "list-users")["Users"]] == ["alice"]


def test_a_session_lasts_from_a_quarter_of_an_hour_to_36_hours_and_the_roots_an_hour(
    alice: Person, root: Person, server: Path
) -> None:
    sts = alice.client("sts")
    for seconds in (900, 129_600):
        assert seconds - 60 < life(keep(sts.get_session_token(DurationSeconds=seconds))) <= seconds
    for seconds in (899, 129_601):
        assert ask(alice, "GetSessionToken", "sts", DurationSeconds=str(seconds)).code == "ValidationError"
    for given in ({}, {"DurationSeconds": 129_600}):
        assert 3540 < life(keep(root.client("sts").get_session_token(**given))) <= 3600


def test_a_session_needs_no_permission_but_minds_a_denial(mallory: Person, root: Person, server: Path) -> None:
    keep(mallory.client("sts").get_session_token())
    denied = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "sts:Get*", "Resource": "*"}}
    erin = make_user(root, "erin", json.dumps(denied))
    assert fault_of(erin.client("sts").get_session_token)[:2] == ("AccessDenied", 403)


@pytest.mark.asvs("6.5.1")
def test_wrong_used_and_foreign_codes_get_no_session(alice: Person, bob: Person, app: App, server: Path) -> None:
    def refused(person: Person = alice, **given: str) -> tuple[str, int, str]:
        return fault_of(person.client("sts").get_session_token, **given)

    wrong = "MultiFactorAuthentication failed with invalid MFA one time pass code. "
    unknown = (
        "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and"
        " associated with this user."
    )
    both = "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."
    serial, code = {"SerialNumber": app.serial_number}, {"TokenCode": app.code()}
    assert refused(**serial, TokenCode=app.code(-50)) == ("AccessDenied", 403, wrong)
    keep(alice.client("sts").get_session_token(**serial, **code))
    assert refused(**serial, **code) == ("AccessDenied", 403, wrong)
    assert refused(**serial, TokenCode=app.code(-1)) == ("AccessDenied", 403, wrong)
    assert refused(bob, **serial, TokenCode=app.code(1)) == ("AccessDenied", 403, unknown)
    assert refused(SerialNumber=f"{app.serial_number}x", TokenCode=app.code(1)) == ("AccessDenied", 403, unknown)
    assert refused(**serial) == refused(**code) == ("AccessDenied", 403, both)


def test_who_guesses_by_a_key_leaves_its_user_the_codes_in_the_browser(alice: Person, app: App, server: Path) -> None:
    give_password(alice)

    def refused(code: str) -> str:
        given = {"SerialNumber": app.serial_number, "TokenCode": code}
        return fault_of(alice.client("sts").get_session_token, **given)[2]

    wrong = "MultiFactorAuthentication failed with invalid MFA one time pass code. "
    assert {refused(app.code(-50)) for _ in range(3)} == {wrong}
    assert refused(app.code()) == wrong  # nothing is looked at any more, so it is not spent
    browser = a_client()
    form = {"account": alice.account_id, "user_name": "alice", "password": BROWSER_PASSWORD}
    assert browser.post("/signin/", form)["Location"] == "/second-factor/"
    assert browser.post("/second-factor/", {"code": app.code(-50)}).status_code == 200
    assert browser.post("/second-factor/", {"code": app.code()})["Location"] == "/console/"


# What they may do


def test_a_policy_that_asks_for_mfa_refuses_the_key_and_takes_the_session(root: Person, server: Path) -> None:
    erin = make_user(root, "erin", json.dumps(WITH_MFA))
    app = give_app(root.account_id, erin.user, "erins")
    assert fault_of(erin.client().list_users)[:2] == ("AccessDenied", 403)
    session = session_of(erin, app)
    assert session.client().list_users()["Users"]
    assert session.client().get_user(UserName="erin")["User"]["UserName"] == "erin"


def test_the_age_of_the_second_factor_counts(root: Person, server: Path) -> None:
    erin = make_user(root, "erin", json.dumps(WITH_MFA))
    app = give_app(root.account_id, erin.user, "erins")
    with time_machine.travel(datetime.now(UTC) - timedelta(minutes=59), tick=False):
        young = session_of(erin, app)
    with time_machine.travel(datetime.now(UTC) - timedelta(minutes=61), tick=False):
        other = give_app(root.account_id, erin.user, "other")
        old = session_of(erin, other)
    assert young.client().list_users()["Users"]
    assert fault_of(old.client().list_users)[:2] == ("AccessDenied", 403)


def test_a_session_without_a_second_factor_calls_no_operation_of_iam(alice: Person, server: Path) -> None:
    session = session_of(alice)
    for call in (session.client().list_users, session.client().get_user, session.client().create_access_key):
        assert fault_of(call) == INVALID
    assert ask(session, "ListOwnDecisions", "iamconsole").code == "InvalidClientTokenId"
    assert session.client("sts").get_caller_identity()["Account"] == alice.account_id


def test_a_session_calls_nothing_of_sts_but_who_am_i(alice: Person, app: App, server: Path) -> None:
    for session in (session_of(alice), session_of(alice, app)):
        sts = session.client("sts")
        assert sts.get_caller_identity()["UserId"] == alice.user.user_id
        refused = ("AccessDenied", 403, "Cannot call GetSessionToken with session credentials")
        assert fault_of(sts.get_session_token) == refused
        assert fault_of(sts.get_access_key_info, AccessKeyId=alice.access_key_id)[:2] == ("AccessDenied", 403)


# When they end


def deactivated(alice: Person, root: Person) -> None:
    update_access_key(root.caller, user_name="alice", access_key_id=alice.access_key_id, status="Inactive")


def key_deleted(alice: Person, root: Person) -> None:
    delete_access_key(root.caller, user_name="alice", access_key_id=alice.access_key_id)


def sessions_ended(alice: Person, root: Person) -> None:
    end_sessions(User.objects.get(pk=alice.user.pk))


def password_set(alice: Person, root: Person) -> None:
    create_login_profile(root.caller, user_name="alice", password=PASSWORD)


def factor_removed(alice: Person, root: Person) -> None:
    serial = arns.mfa(alice.account_id, "/", "alices")
    deactivate_mfa_device(in_mfa_session(root), user_name="alice", serial_number=serial)


def user_deleted(alice: Person, root: Person) -> None:
    key_deleted(alice, root)
    factor_removed(alice, root)
    delete_user_policy(root.caller, user_name="alice", policy_name="given")
    delete_user(root.caller, user_name="alice")


@pytest.mark.asvs("7.4.2")
@pytest.mark.asvs("7.4.3")
@pytest.mark.parametrize(
    "event", [deactivated, key_deleted, sessions_ended, password_set, factor_removed, user_deleted]
)
def test_a_session_ends_with_what_it_hangs_on(
    event: Callable[[Person, Person], None], alice: Person, root: Person, app: App, server: Path
) -> None:
    session = session_of(alice, app)
    assert session.client().list_users()["Users"]
    event(alice, root)
    assert fault_of(session.client().list_users) == INVALID
    assert fault_of(session.client("sts").get_caller_identity) == INVALID


def test_a_rename_ends_no_session(alice: Person, root: Person, app: App, server: Path) -> None:
    session = session_of(alice, app)
    update_user(root.caller, user_name="alice", new_user_name="alicia")
    assert session.client().get_user()["User"]["UserName"] == "alicia"


def test_a_session_that_is_over_is_told_so(alice: Person, app: App, server: Path) -> None:
    with time_machine.travel(datetime.now(UTC) - timedelta(minutes=16), tick=False):
        over = session_of(alice, app, duration_seconds=900)
    expired = ("ExpiredToken", 403, "The security token included in the request is expired")
    assert fault_of(over.client().list_users) == expired


# Made up


def test_what_is_not_this_servers_token_is_refused(
    alice: Person, trudy: Person, app: App, server: Path, subtests: Any
) -> None:
    session = session_of(alice, app)
    token = str(session.session_token)
    other = session_of(trudy)
    for what, forged in {
        "another session's": replace(session, session_token=other.session_token),
        "another key's": replace(session, access_key_id=other.access_key_id),
        "of a long-term key": replace(alice, session_token=token),
        "none": replace(session, session_token=None),
        "cut off": replace(session, session_token=token[:-4]),
        "no Base64": replace(session, session_token="test:!"),
        "of an unknown key": replace(session, session_token=f"other{token[4:]}"),
        "nothing": replace(session, session_token=":"),
        "long": replace(session, session_token="a" * 2000),
    }.items():
        with subtests.test(what):
            assert fault_of(forged.client().list_users) == INVALID
    wrong_secret = replace(session, secret_access_key=alice.secret_access_key)
    assert fault_of(wrong_secret.client().list_users)[0] == "SignatureDoesNotMatch"


@pytest.mark.asvs("11.2.4")
def test_no_altered_token_is_taken(alice: Person, rounds: Callable[[int, int], int]) -> None:
    session = session_of(alice)
    token = str(session.session_token)
    assert session_tokens.read(token, session.access_key_id) is not None
    step = max(1, len(token) // rounds(60, 10_000))
    for place in range(0, len(token), step):
        altered = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert session_tokens.read(altered, session.access_key_id) is None


def test_a_presigned_session_is_taken_too(alice: Person, app: App) -> None:
    session = session_of(alice, app)
    query = "Action=GetCallerIdentity&Version=2011-06-15"
    request = signed(session, b"", service="sts", method="GET", query=query, presigned=True)
    assert send_inside(request).status == 200
