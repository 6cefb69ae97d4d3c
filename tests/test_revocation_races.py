"""What is revoked is accepted by no later request, by whatever it was given, on any worker and at every door."""

import json
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

import pytest

from accounts.models import User
from credentials.operations.service_tokens import create_service_token
from iamconsole.errors import InvalidInput
from iamconsole.operation import find
from tests.authenticators import session_of
from tests.browser import PASSWORD, give_password
from tests.conftest import ALLOW_ALL, SECRETS, URL, Person, allow, caller_for, make_user
from tests.raw import ask, exchange

Rounds = Callable[[int, int], int]
POLICY = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"
ONLY_S3 = allow("s3:*")
S3_BOUNDARY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
FOR_ENGINEERS = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Action": "*",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:PrincipalTag/team": "engineering"}},
        },
    }
)
# What is given to a user, and what takes it away; the code that the next request gets.
REVOCATIONS: dict[str, tuple[Callable[[Any, str], None], Callable[[Any, str, Person], Any], str]] = {}


def revocation(code: str, give: Callable[[Any, str], None]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def register(take: Callable[[Any, str, Person], Any]) -> Callable[[Any, str, Person], Any]:
        REVOCATIONS[take.__name__] = give, take, code
        return take

    return register


def by_inline_policy(iam: Any, name: str) -> None:
    iam.put_user_policy(UserName=name, PolicyName="given", PolicyDocument=ALLOW_ALL)


def by_attachment(iam: Any, name: str) -> None:
    iam.attach_user_policy(UserName=name, PolicyArn=POLICY)


def by_group(iam: Any, name: str) -> None:
    iam.create_group(GroupName=name)
    iam.attach_group_policy(GroupName=name, PolicyArn=POLICY)
    iam.add_user_to_group(GroupName=name, UserName=name)


def by_inline_policy_of_a_group(iam: Any, name: str) -> None:
    iam.create_group(GroupName=name)
    iam.put_group_policy(GroupName=name, PolicyName="given", PolicyDocument=ALLOW_ALL)
    iam.add_user_to_group(GroupName=name, UserName=name)


def by_tag(iam: Any, name: str) -> None:
    iam.tag_user(UserName=name, Tags=[{"Key": "team", "Value": "engineering"}])
    iam.put_user_policy(UserName=name, PolicyName="given", PolicyDocument=FOR_ENGINEERS)


def within_a_boundary(iam: Any, name: str) -> None:
    by_attachment(iam, name)
    iam.put_user_permissions_boundary(UserName=name, PermissionsBoundary=POLICY)


def by_own_policy(iam: Any, name: str) -> None:
    arn = iam.create_policy(PolicyName=name, PolicyDocument=ALLOW_ALL)["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=ONLY_S3)
    iam.attach_user_policy(UserName=name, PolicyArn=arn)


def arn_of(person: Person) -> str:
    return f"arn:aws:iam::{person.account_id}:policy/{person.name}"


@revocation("AccessDenied", by_inline_policy)
def deleting_the_policy(iam: Any, name: str, person: Person) -> None:
    iam.delete_user_policy(UserName=name, PolicyName="given")


@revocation("AccessDenied", by_inline_policy)
def narrowing_the_policy(iam: Any, name: str, person: Person) -> None:
    iam.put_user_policy(UserName=name, PolicyName="given", PolicyDocument=ONLY_S3)


@revocation("AccessDenied", by_inline_policy_of_a_group)
def deleting_the_policy_of_the_group(iam: Any, name: str, person: Person) -> None:
    iam.delete_group_policy(GroupName=name, PolicyName="given")


@revocation("AccessDenied", by_inline_policy_of_a_group)
def narrowing_the_policy_of_the_group(iam: Any, name: str, person: Person) -> None:
    iam.put_group_policy(GroupName=name, PolicyName="given", PolicyDocument=ONLY_S3)


@revocation("AccessDenied", by_attachment)
def detaching_the_policy(iam: Any, name: str, person: Person) -> None:
    iam.detach_user_policy(UserName=name, PolicyArn=POLICY)


@revocation("AccessDenied", by_group)
def leaving_the_group(iam: Any, name: str, person: Person) -> None:
    iam.remove_user_from_group(GroupName=name, UserName=name)


@revocation("AccessDenied", by_group)
def detaching_the_policy_from_the_group(iam: Any, name: str, person: Person) -> None:
    iam.detach_group_policy(GroupName=name, PolicyArn=POLICY)


@revocation("AccessDenied", by_own_policy)
def setting_another_version(iam: Any, name: str, person: Person) -> None:
    iam.set_default_policy_version(PolicyArn=arn_of(person), VersionId="v2")


@revocation("AccessDenied", by_own_policy)
def making_another_version_the_default(iam: Any, name: str, person: Person) -> None:
    iam.create_policy_version(PolicyArn=arn_of(person), PolicyDocument=ONLY_S3, SetAsDefault=True)


@revocation("AccessDenied", by_tag)
def taking_the_tag_away(iam: Any, name: str, person: Person) -> None:
    iam.untag_user(UserName=name, TagKeys=["team"])


@revocation("AccessDenied", by_tag)
def changing_the_tag(iam: Any, name: str, person: Person) -> None:
    iam.tag_user(UserName=name, Tags=[{"Key": "team", "Value": "sales"}])


@revocation("AccessDenied", by_attachment)
def setting_a_boundary(iam: Any, name: str, person: Person) -> None:
    iam.put_user_permissions_boundary(UserName=name, PermissionsBoundary=S3_BOUNDARY)


@revocation("AccessDenied", within_a_boundary)
def setting_another_boundary(iam: Any, name: str, person: Person) -> None:
    iam.put_user_permissions_boundary(UserName=name, PermissionsBoundary=S3_BOUNDARY)


@revocation("InvalidClientTokenId", by_attachment)
def switching_the_key_off(iam: Any, name: str, person: Person) -> None:
    iam.update_access_key(UserName=name, AccessKeyId=person.access_key_id, Status="Inactive")


@revocation("InvalidClientTokenId", by_attachment)
def deleting_the_user(iam: Any, name: str, person: Person) -> None:
    operation = find("iamconsole", "DeleteUserWithCredentials")
    assert operation is not None
    root = User.objects.select_related("account").get(account=person.account_id, user_name__isnull=True)
    operation(caller_for(root), user_name=name)


def by_root(person: Person, name: str, **parameters: Any) -> None:
    operation = find("iamconsole", name)
    assert operation is not None
    root = User.objects.select_related("account").get(account=person.account_id, user_name__isnull=True)
    operation(caller_for(root), user_name=person.name, **parameters)


@revocation("InvalidClientTokenId", by_attachment)
def suspending_the_user(iam: Any, name: str, person: Person) -> None:
    by_root(person, "SuspendUser")


@revocation("InvalidClientTokenId", by_attachment)
def locking_the_user_down(iam: Any, name: str, person: Person) -> None:
    by_root(person, "LockDownUser")


@revocation("InvalidClientTokenId", by_attachment)
def reaching_the_end_date(iam: Any, name: str, person: Person) -> None:
    for seconds in (0.2, 1, 5):  # a busy machine may take longer than a moment to set it
        end = datetime.now(UTC) + timedelta(seconds=seconds)
        with suppress(InvalidInput):
            by_root(person, "PutUserEndDate", end_date=end)
            break
    until(lambda: datetime.now(UTC) >= end)


def until(what: Callable[[], bool]) -> None:
    """Wait for something, for a minute at most."""
    end = time.monotonic() + 60
    while not what():
        assert time.monotonic() < end, "it has not come"
        time.sleep(0.005)


def code_of(person: Person) -> str | None:
    """What the person's request is refused with."""
    return ask(person, "ListUsers").code


def seen_by(
    ask_once: Callable[[], str | None], revoke: Callable[[], object]
) -> tuple[set[str | None], set[str | None]]:
    """What four who keep asking are answered before and after the revocation was answered, by when they asked."""
    stop, seen = Event(), list[tuple[float, str | None]]()

    def keep_asking() -> None:
        while not stop.is_set():
            started = time.monotonic()
            seen.append((started, ask_once()))

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(keep_asking) for _ in range(4)]
        try:
            until(lambda: len(seen) >= 4)
            revoke()
            revoked = time.monotonic()
            until(lambda: sum(started > revoked for started, _ in seen) >= 8)
        finally:
            stop.set()
        for each in asking:
            each.result()
    return {code for started, code in seen if started < revoked}, {code for started, code in seen if started > revoked}


@pytest.mark.parametrize("what", REVOCATIONS)
def test_what_is_revoked_is_accepted_by_no_later_request_on_any_worker(
    root: Person, server: Path, rounds: Rounds, what: str
) -> None:
    give, take, code = REVOCATIONS[what]
    iam = root.client()
    for number in range(rounds(2, 20)):
        name = f"u{number}"
        person = make_user(root, name)
        give(iam, name)
        before, after = seen_by(partial(code_of, person), partial(take, iam, name, person))
        assert None in before
        assert after == {code}


def console_code(person: Person) -> Callable[[], str | None]:
    """Asks for the list of users in the console, signed in as the person: None when it is shown."""
    give_password(person)
    opener = build_opener(HTTPCookieProcessor())
    page = opener.open(f"{URL}/signin/").read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    form = {
        "account": person.account_id,
        "user_name": person.name,
        "password": PASSWORD,
        "csrfmiddlewaretoken": token[1],
    }
    opener.open(Request(f"{URL}/signin/", urlencode(form).encode(), {"Origin": URL})).read()
    cookie = "; ".join(
        f"{each.name}={each.value}"
        for handler in opener.handlers
        if isinstance(handler, HTTPCookieProcessor)
        for each in handler.cookiejar
    )

    def once() -> str | None:
        status = exchange(
            "GET", "/console/accounts/user/", headers={"Cookie": cookie, "Host": URL.partition("//")[2]}
        ).status
        return {200: None, 403: "AccessDenied"}.get(status, str(status))

    return once


def verifier_code(root: Person, person: Person) -> Callable[[], str | None]:
    """Asks /authorize about the person: None when it allows."""
    keeper = make_user(root, f"keeper-of-{person.name}", allow("iamconsole:Authorize"))
    issued = create_service_token(root.caller, user_name=keeper.name)
    token = issued.secret["token"]
    SECRETS.append(token)
    body = {"access_key_id": person.access_key_id, "action": "iam:ListUsers", "resource": "*"}

    def once() -> str | None:
        headers = {"X-Iamconsole-Token": token, "Content-Type": "application/json", "Host": URL.partition("//")[2]}
        answer = json.loads(exchange("POST", "/authorize", json.dumps(body).encode(), headers).body)
        if "error" in answer:
            return str(answer["error"]["code"])
        return None if answer["allowed"] else "AccessDenied"

    return once


def code_at(door: str, root: Person, person: Person) -> Callable[[], str | None]:
    """Asks at a door for the list of users, or about it: None when it is allowed."""
    if door == "api":
        return partial(code_of, person)
    return console_code(person) if door == "console" else verifier_code(root, person)


@pytest.mark.parametrize("door", ["console", "verifier"])
@pytest.mark.parametrize("what", [what for what, (_, _, code) in REVOCATIONS.items() if code == "AccessDenied"])
def test_what_is_revoked_is_revoked_at_every_door(
    root: Person, server: Path, rounds: Rounds, what: str, door: str
) -> None:
    give, take, code = REVOCATIONS[what]
    iam = root.client()
    for number in range(rounds(1, 20)):
        person = make_user(root, f"u{number}")
        give(iam, person.name)
        before, after = seen_by(code_at(door, root, person), partial(take, iam, person.name, person))
        assert None in before
        assert after == {code}


@pytest.mark.parametrize("door", ["api", "console", "verifier"])
def test_a_boundary_that_is_taken_away_bounds_no_later_request(
    root: Person, server: Path, rounds: Rounds, door: str
) -> None:
    iam = root.client()
    for number in range(rounds(1, 20)):
        person = make_user(root, f"u{number}")
        by_attachment(iam, person.name)
        iam.put_user_permissions_boundary(UserName=person.name, PermissionsBoundary=S3_BOUNDARY)
        take = partial(iam.delete_user_permissions_boundary, UserName=person.name)
        before, after = seen_by(code_at(door, root, person), take)
        assert "AccessDenied" in before
        assert after == {None}


@pytest.mark.parametrize("door", ["console", "verifier", "session"])
@pytest.mark.parametrize("what", ["suspending_the_user", "reaching_the_end_date", "locking_the_user_down"])
def test_who_is_kept_out_is_kept_out_at_every_door_at_once(
    root: Person, server: Path, rounds: Rounds, what: str, door: str
) -> None:
    give, take, code = REVOCATIONS[what]
    iam = root.client()
    for number in range(rounds(1, 20)):
        person = make_user(root, f"u{number}")
        give(iam, person.name)
        if door == "session":
            once: Callable[[], str | None] = partial(identity_code, session_of(person))
        else:
            once = code_at(door, root, person)
        before, after = seen_by(once, partial(take, iam, person.name, person))
        assert None in before
        assert after == {"302" if door == "console" else code}


def identity_code(person: Person) -> str | None:
    """What the person is refused with who asks who that is."""
    return ask(person, "GetCallerIdentity", "sts").code
