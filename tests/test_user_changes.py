"""One change of many users: looked at first, made user by user, told user by user; and the list as a file."""

import csv
import json
import re
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import arns, jobs
from accounts.job_models import Job
from accounts.models import User
from accounts.operations.groups import add_user_to_group, create_group
from accounts.operations.suspension import lock_down_user, suspend_user
from accounts.operations.user_changes import MOST_AT_ONCE, get_user_change, start_user_change
from accounts.operations.user_lists import put_user_list_view, update_user_list_settings
from accounts.operations.users import create_user, tag_user
from accounts.user_changes import CHANGES, Foreseen, users_named
from credentials.models import AccessKey, LoginProfile
from credentials.operations.access_keys import update_access_key
from credentials.session_tokens import Session
from iamconsole.downloads import SANDBOX
from iamconsole.errors import AccessDenied, InvalidInput, LimitExceeded, NoSuchEntity
from permissions.operations.attachments import attach_user_policy
from tests.authenticators import give_app
from tests.browser import signed_in
from tests.conftest import ALLOW_ALL, Person, allow, make_user
from tests.rows import events_of

LIST = "/console/accounts/user/"


def made(person: Person, change: str, *names: str, **more: str) -> dict[str, tuple[str, str]]:
    """Make a change here and now. Returns outcome and words by user."""
    begun = start_user_change(person.caller, change=change, user_names=names, **more)
    assert jobs.run(begun["change_id"])
    told = get_user_change(person.caller, change_id=begun["change_id"])
    assert (told["state"], told["done"], told["total"]) == ("complete", len(names), len(names))
    return {row["user_name"]: (row["outcome"], row["message"]) for row in told["rows"]}


def many(root: Person, number: int) -> None:
    """So many users, u000 and on."""
    names = [f"u{each:03}" for each in range(number)]
    account = root.user.account
    User.objects.bulk_create(
        User(account=account, user_id=arns.new_unique_id("AIDA"), user_name=name, user_name_key=name) for name in names
    )


@pytest.fixture
def crew(root: Person, alice: Person) -> Person:
    """Ann, ben and cleo, of whom ann has a password; alice may do everything but to ben."""
    for name in ("ann", "ben", "cleo"):
        create_user(root.caller, user_name=name)
    LoginProfile.objects.create(user=User.objects.named(root.account_id, "ann").get())
    deny = {"Effect": "Deny", "Action": "iamconsole:*User*", "Resource": "arn:aws:iam::*:user/ben"}
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow, deny]})
    return make_user(root, "andrea", policy)


def test_one_that_is_refused_undoes_no_other_and_each_has_its_line(crew: Person, root: Person) -> None:
    suspend_user(root.caller, user_name="cleo")
    before = len(events_of(root.account_id))
    rows = made(crew, "suspend", "ann", "ben", "cleo", "andrea", reason="Audit")
    assert {name: outcome for name, (outcome, _) in rows.items()} == {
        "ann": "done",
        "ben": "failed",
        "cleo": "unchanged",
        "andrea": "unchanged",
    }
    assert "not authorized to perform: iamconsole:SuspendUser" in rows["ben"][1]
    assert "This is you" in rows["andrea"][1]
    assert User.objects.named(root.account_id, "ann").get().suspension_reason == "Audit"
    lines = [(event.action, event.result, event.resource.rpartition("/")[2]) for event in events_of(root.account_id)]
    assert lines[before:] == [
        ("iamconsole:StartUserChange", "Success", "*"),
        ("iamconsole:SuspendUser", "Success", "ann"),
        ("iamconsole:SuspendUser", "AccessDenied", "ben"),
    ]


def test_every_change_does_what_it_says(crew: Person, root: Person) -> None:
    create_group(root.caller, group_name="Team")
    lock_down_user(root.caller, user_name="cleo")
    assert made(root, "add-to-group", "ann", "cleo", group_name="team")["cleo"][0] == "done"
    assert made(root, "add-to-group", "ann", group_name="Team") == {"ann": ("unchanged", "Is in the group already.")}
    assert made(root, "add-to-group", "ann", group_name="nowhere")["ann"][0] == "failed"
    assert made(root, "suspend", "cleo") == {"cleo": ("unchanged", "Is locked down, which is more.")}
    assert made(root, "reactivate", "ann", "cleo") == {
        "ann": ("unchanged", "Is active already."),
        "cleo": ("done", "Reactivated"),
    }
    rows = made(root, "require-password-change", "ann", "ben")
    assert (rows["ann"][0], rows["ben"]) == ("done", ("unchanged", "Has no password."))
    assert User.objects.named(root.account_id, "ann").get().login_profile.password_reset_required
    epoch = User.objects.named(root.account_id, "ann").get().auth_epoch
    assert made(root, "sign-out", "ann")["ann"][0] == "done"
    assert User.objects.named(root.account_id, "ann").get().auth_epoch > epoch
    assert {each[0] for each in made(root, "delete", "ann", "ben", "nobody").values()} == {"done", "failed"}
    assert not User.objects.named(root.account_id, "ann").exists()


def test_nobody_deletes_or_signs_out_oneself_with_others(crew: Person) -> None:
    for change in ("delete", "sign-out", "suspend"):
        assert made(crew, change, "andrea")["andrea"][0] == "unchanged"
    assert {name for name, change in CHANGES.items() if change.spares_oneself} == {"delete", "sign-out", "suspend"}


def test_who_began_it_and_is_shut_out_since_changes_nobody_more(crew: Person, root: Person) -> None:
    begun = start_user_change(crew.caller, change="suspend", user_names=["ann", "cleo"])
    suspend_user(root.caller, user_name="andrea")
    assert jobs.run(begun["change_id"])
    rows = get_user_change(root.caller, change_id=begun["change_id"])["rows"]
    assert {row["outcome"] for row in rows} == {"failed"}
    assert User.objects.named(root.account_id, "ann").get().suspended_date is None


def test_what_was_begun_with_a_key_ends_with_it_and_is_told_of_it(crew: Person, root: Person) -> None:
    key = AccessKey.objects.get(access_key_id=root.access_key_id)
    caller = replace(root.caller, door="api", access_key=key)
    begun = start_user_change(caller, change="suspend", user_names=["ann"])
    jobs.run(begun["change_id"])
    told = [event for event in events_of(root.account_id) if event.action == "iamconsole:SuspendUser"]
    assert [(event.access_key_id, event.result) for event in told] == [(root.access_key_id, "Success")]
    begun = start_user_change(caller, change="suspend", user_names=["cleo"])
    update_access_key(root.caller, access_key_id=root.access_key_id, status="Inactive")
    jobs.run(begun["change_id"])
    (row,) = get_user_change(root.caller, change_id=begun["change_id"])["rows"]
    assert (row["outcome"], "access key" in row["message"]) == ("failed", True)
    assert not User.objects.get(account=root.account_id, user_name="cleo").suspended_date


def test_what_was_begun_in_a_console_session_ends_with_it(crew: Person, root: Person) -> None:
    client = signed_in(root)
    caller = replace(root.caller, door="console", session_id=client.session.session_id)
    begun = [start_user_change(caller, change="suspend", user_names=[name]) for name in ("ann", "cleo")]
    assert jobs.run(begun[0]["change_id"])
    client.logout()
    assert jobs.run(begun[1]["change_id"])
    rows = [get_user_change(root.caller, change_id=each["change_id"])["rows"][0] for each in begun]
    assert [(row["outcome"], "session" in row["message"]) for row in rows] == [("done", False), ("failed", True)]
    assert not User.objects.get(account=root.account_id, user_name="cleo").suspended_date


def test_what_was_begun_with_temporary_credentials_ends_with_them_and_is_told_of_them(
    crew: Person, root: Person
) -> None:
    key, rows = AccessKey.objects.get(access_key_id=root.access_key_id), []
    for name, ago in (("ann", 0), ("cleo", 2)):
        session = Session.begin(
            root.user,
            life=timedelta(hours=1),
            mfa_time=datetime.now(UTC),
            parent=root.access_key_id,
            now=datetime.now(UTC) - timedelta(hours=ago),
        )
        caller = replace(root.caller, door="api", access_key=key, session=session, mfa_time=session.mfa_time)
        begun = start_user_change(caller, change="suspend", user_names=[name])
        assert session.secret_access_key not in json.dumps(Job.objects.get(pk=begun["change_id"]).parameters)
        assert jobs.run(begun["change_id"])
        rows += get_user_change(root.caller, change_id=begun["change_id"])["rows"]
        told = [event for event in events_of(root.account_id) if event.action == "iamconsole:SuspendUser"]
        if not ago:
            assert [event.access_key_id for event in told] == [session.access_key_id]
    assert [(row["outcome"], "have expired" in row["message"]) for row in rows] == [("done", False), ("failed", True)]
    assert not User.objects.get(account=root.account_id, user_name="cleo").suspended_date


def test_what_is_asked_must_make_sense_and_be_allowed(crew: Person, root: Person, trudy: Person, bob: Person) -> None:
    for more in (
        {"change": "add-to-group"},
        {"change": "suspend", "group_name": "x"},
        {"change": "delete", "reason": "x"},
    ):
        with pytest.raises(InvalidInput):
            start_user_change(root.caller, user_names=["ann"], **more)
    with pytest.raises(AccessDenied):
        start_user_change(bob.caller, change="suspend", user_names=["ann"])
    begun = [start_user_change(root.caller, change="sign-out", user_names=["ann"]) for _ in range(MOST_AT_ONCE)]
    with pytest.raises(LimitExceeded):
        start_user_change(root.caller, change="sign-out", user_names=["ann"])
    with pytest.raises(NoSuchEntity):
        get_user_change(trudy.caller, change_id=begun[0]["change_id"])


def test_the_preview_of_a_deletion_decides_on_all_that_goes_with_each_user(root: Person) -> None:
    make_user(root, "ann", allow("s3:GetObject"))  # has a policy and a key
    for name in ("ben", "cleo", "dan", "eve", "fay"):
        create_user(root.caller, user_name=name)
    cleo, dan, eve, fay = (User.objects.named(root.account_id, name).get() for name in ("cleo", "dan", "eve", "fay"))
    LoginProfile.objects.create(user=cleo)
    create_group(root.caller, group_name="team")
    add_user_to_group(root.caller, group_name="team", user_name=str(dan.user_name))
    give_app(root.account_id, eve, "eve")
    attach_user_policy(root.caller, user_name=str(fay.user_name), policy_arn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    caller = make_user(
        root, "gil", allow("iam:DeleteUser", "iam:DeleteLoginProfile", "iam:ListUsers", "iamconsole:*UserChange")
    )
    names = ["ann", "ben", "cleo", "dan", "eve", "fay"]

    def foreseen(of: list[str]) -> tuple[dict[str, bool], int]:
        users = list(users_named(root.account_id, of))
        with CaptureQueriesContext(connection) as captured:
            sight = Foreseen.of(caller.caller, CHANGES["delete"], users)
            return {str(user.user_name): not sight.why_not(user) for user in users}, len(captured)

    foreseen(names)
    told, asked = foreseen(names)
    assert told == {"ann": False, "ben": True, "cleo": True, "dan": False, "eve": False, "fay": False}
    more = [f"more-{number}" for number in range(20)]
    for name in more:
        make_user(root, name, allow("s3:GetObject"))
    foreseen(names)  # reads the caller's policies, as every first decision after a change
    assert foreseen([*names, *more])[1] == asked
    done = made(caller, "delete", *names)
    assert {name: outcome == "done" for name, (outcome, _) in done.items()} == told


def test_the_pages_say_what_will_happen_and_what_has(crew: Person, root: Person) -> None:
    client = signed_in(crew)
    shown = client.post(f"{LIST}change/", {"change": "suspend", "user_names": ["ann", "ben", "andrea"]})
    page = re.sub(r"\s+", " ", shown.content.decode())
    assert "Suspend: 3 users" in page
    assert page.count("Nothing</span>") == 2
    assert "Your policies do not allow it." in page
    assert "This is you" in page
    assert User.objects.named(root.account_id, "ann").get().suspended_date is None
    sent = {"change": "delete", "user_names": ["ann", "cleo"], "count": "2", "confirmed": "1", "typed_count": "1"}
    assert "This is not the number" in client.post(f"{LIST}change/", sent).content.decode()
    answer = client.post(f"{LIST}change/", sent | {"typed_count": "2"})
    told = client.get(answer["Location"]).content.decode()
    assert "2 of 2: deleted" in told
    assert "<bdi>ann</bdi>" in told
    assert "/user/ann/change/" not in told
    assert not User.objects.named(root.account_id, "ann").exists()
    assert client.post(f"{LIST}change/", {"change": "fly", "user_names": ["ben"]}).status_code == 400
    assert client.post(f"{LIST}change/", {"change": "suspend"}).status_code == 400


def test_the_preview_of_a_group_says_at_once_who_is_in_it_and_of_another_when_it_is_chosen(
    crew: Person, root: Person
) -> None:
    for name, members in (("Alpha", ["ann"]), ("Beta", ["ann", "ben"])):
        create_group(root.caller, group_name=name)
        for member in members:
            add_user_to_group(root.caller, group_name=name, user_name=member)
    client, sent = signed_in(root), {"change": "add-to-group", "user_names": ["ann", "ben", "cleo"]}

    def nothing_for(**more: str) -> list[str]:
        page = client.post(f"{LIST}change/", sent | more).content.decode()
        shown = re.findall(r"<bdi>(\w+)</bdi></th>\s*<td[^>]*>(.*?)</td>", page, re.DOTALL)
        assert [name for name, _ in shown] == ["ann", "ben", "cleo"]
        assert f"<option selected>{more.get('group_name', 'Alpha')}</option>" in page
        assert f"With the group <bdi>{more.get('group_name', 'Alpha')}</bdi>:" in page
        return [name for name, told in shown if "Is in the group already." in told]

    assert nothing_for() == ["ann"]
    assert nothing_for(group_name="Beta") == ["ann", "ben"]
    done = client.post(f"{LIST}change/", sent | {"group_name": "Beta", "count": "3", "confirmed": "1"})
    told = client.get(done["Location"]).content.decode()
    assert "1 of 3: added to the group" in told
    assert "/user/ann/change/" in told


def test_all_that_match_are_changed_if_they_are_as_many_as_were_shown(crew: Person, root: Person) -> None:
    client = signed_in(root)
    many(root, 150)
    sent = {"change": "require-password-change", "all": "1", "query": "q=u0", "count": "100"}
    shown = client.post(f"{LIST}change/", sent).content.decode()
    assert "Require password change: 100 users" in re.sub(r"\s+", " ", shown)
    refused = client.post(f"{LIST}change/", sent | {"query": "q=u1", "confirmed": "1"}).content.decode()
    assert "The list has changed" in refused
    for query in ("mfa=perhaps", "q=u1&status=asleep"):
        answer = client.post(f"{LIST}change/", sent | {"query": query})
        assert (answer.status_code, "Nobody is left out" in answer.content.decode()) == (400, True)
    waiting = client.post(f"{LIST}change/", sent | {"query": "o=user_name&q=u", "count": "150", "confirmed": "1"})
    assert "0 of 150 users" in client.get(waiting["Location"]).content.decode()
    change_id = waiting["Location"].rstrip("/").rpartition("/")[2]
    assert jobs.run(change_id)
    assert len(get_user_change(root.caller, change_id=change_id)["rows"]) == 150


def test_what_came_of_a_change_is_kept_for_ninety_days(crew: Person, root: Person) -> None:
    old = [start_user_change(root.caller, change="suspend", user_names=["ann"])["change_id"] for _ in range(2)]
    for change_id, days in zip(old, (89, 91), strict=True):
        assert jobs.run(change_id)
        Job.objects.filter(pk=change_id).update(create_date=timezone.now() - timedelta(days=days))
    start_user_change(root.caller, change="reactivate", user_names=["ann"])
    assert list(Job.objects.filter(pk__in=old).values_list("pk", flat=True)) == [uuid.UUID(old[0])]
    with pytest.raises(NoSuchEntity):
        get_user_change(root.caller, change_id=old[1])


# The file


def read(answer: Any) -> list[list[str]]:
    assert answer["Content-Security-Policy"] == SANDBOX
    return list(csv.reader("".join(part.decode() for part in answer.streaming_content).splitlines()))


def test_the_file_has_the_columns_and_users_of_the_list_and_no_formula(crew: Person, root: Person) -> None:
    make_user(root, "=1+1", ALLOW_ALL)
    tag_user(root.caller, user_name="ann", tags=[{"key": "team", "value": "blue"}])
    update_user_list_settings(root.caller, columns=["path", "created"])
    client = signed_in(root)
    rows = read(client.get(f"{LIST}export/"))
    assert rows[0] == ["User name", "Status", "Path", "Created"]
    assert rows[1] == ["'=1+1", "Active", "/", f"{datetime.now(UTC):%Y-%m-%d}"]
    assert [row[0] for row in read(client.get(f"{LIST}export/?q=team=blue"))] == ["User name", "ann"]
    suspend_user(root.caller, user_name="ann", reason="leave")
    put_user_list_view(root.caller, view_name="resting", query="status=suspended", columns=["arn"])
    ann = User.objects.named(root.account_id, "ann").get()
    kept = [["User name", "Status", "ARN"], ["ann", "Suspended", ann.arn]]
    assert read(client.get(f"{LIST}export/?view=resting&status=suspended")) == kept
    reader = signed_in(make_user(root, "reader", allow("iam:ListUsers")))
    assert {row[1] for row in read(reader.get(f"{LIST}export/"))[1:]} == {"Not permitted"}
    assert [row[0] for row in read(client.get(f"{LIST}export/?o=-user_name&q=an"))] == ["User name", "ann", "andrea"]


def test_the_file_is_read_in_pieces(root: Person) -> None:
    many(root, 1200)
    answer = signed_in(root).get(f"{LIST}export/")
    with CaptureQueriesContext(connection) as captured:
        parts = sum(1 for _ in answer.streaming_content)
    assert parts == 1201
    assert len(captured) < 30
