"""The dashboard's findings, each both ways: an account where all is as it should be shows none, and each fault shows its own."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import arns
from accounts.models import Throttle, User
from accounts.operations.groups import add_user_to_group, create_group
from accounts.operations.suspension import suspend_user
from accounts.operations.users import create_user, tag_user
from audit.record import Origin, record_alone
from credentials.mfa.models import MFADevice
from credentials.models import AccessKey, LoginProfile
from credentials.operations.password_policies import update_account_password_policy
from credentials.operations.security_findings import list_security_findings
from credentials.operations.ssh_public_keys import upload_ssh_public_key
from credentials.security_findings import ADMINISTRATORS, ORDER
from credentials.ssh.models import SSHPublicKey
from credentials.unused.exemption import KEY, new_exemption
from credentials.views.security import FIXES
from iamconsole.errors import AccessDenied
from permissions.administrators import allows_everything
from permissions.operations.attachments import attach_group_policy, attach_user_policy
from permissions.operations.inline import put_group_policy, put_user_policy
from tests.browser import a_client, signed_in
from tests.conftest import ALLOW_ALL, Person, allow, make_account
from tests.everything import give_password
from tests.ssh_keys import new_ssh_key

DAY0 = datetime(2026, 1, 1, 12, tzinfo=UTC)
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


@pytest.fixture
def clock() -> Iterator[Any]:
    """The first of January, until it is moved."""
    with time_machine.travel(DAY0, tick=False) as traveller:
        yield traveller


@pytest.fixture
def root(clock: Any) -> Person:
    """The root user of an account where all is as it should be."""
    root = make_account()
    AccessKey.objects.filter(user=root.user).delete()
    give_password(root.user)
    device(root.user)
    policy = {"minimum_password_length": 14, "password_reuse_prevention": 24, "max_password_age": 90}
    update_account_password_policy(root.caller, **policy)
    create_group(root.caller, group_name="admins")
    attach_group_policy(root.caller, group_name="admins", policy_arn=ADMINISTRATOR)
    for name in ("alice", "ann"):
        person(root, name)
        add_user_to_group(root.caller, group_name="admins", user_name=name)
    return root


def person(root: Person, name: str, *, mfa: bool = True) -> User:
    """A user with a password, and a device."""
    user = create_user(root.caller, user_name=name)
    give_password(user)
    if mfa:
        device(user)
    return user


def device(user: User) -> None:
    """A second factor."""
    MFADevice.objects.create(
        account=user.account, user=user, kind="virtual", sealed_seed="x", confirmed=True, enable_date=datetime.now(UTC),
        serial_number=arns.mfa(user.account_id, "/", f"of-{user.user_id}"), name="app",
    )  # fmt: skip


def key(root: Person, name: str | None = "alice", **facts: Any) -> AccessKey:
    """An access key that was just made, unless told otherwise."""
    user = User.objects.get(account=root.account_id, user_name=name)
    given = {"create_date": datetime.now(UTC)} | facts
    return AccessKey.objects.create(user=user, access_key_id=arns.new_access_key_id(root.account_id), **given)


def found(root: Person) -> dict[str, int]:
    """The findings by name, with their counts."""
    return {each.name: each.count for each in list_security_findings(root.caller)}


def ago(days: float) -> datetime:
    """So many days ago."""
    return datetime.now(UTC) - timedelta(days=days)


def root_key(root: Person) -> None:
    key(root, None)


def root_without_device(root: Person) -> None:
    MFADevice.objects.filter(user=root.user).delete()


def root_signed_in(root: Person) -> None:
    User.objects.filter(pk=root.user.pk).update(password_last_used=ago(6.9))


def administrator_without_device(root: Person) -> None:
    MFADevice.objects.filter(user__user_name="ann", account=root.account_id).delete()


def one_administrator_left(root: Person) -> None:
    suspend_user(root.caller, user_name="ann")


def user_without_device(root: Person) -> None:
    person(root, "bare", mfa=False)


def short_passwords(root: Person) -> None:
    update_account_password_policy(
        root.caller, minimum_password_length=13, password_reuse_prevention=24, max_password_age=90
    )


def default_policy(root: Person) -> None:
    update_account_password_policy(root.caller)


def tried_too_often(root: Person) -> None:
    for name in ("alice", "alice", "ann"):
        origin = Origin(chain=root.account_id, door="console")
        user = arns.user(root.account_id, "/", name)
        record_alone(origin, action="iamconsole:SignIn", resource=user, result="Throttling")


def old_key(root: Person) -> None:
    key(root, create_date=ago(90.1), last_used_date=ago(1))


def unused_key(root: Person) -> None:
    key(root, create_date=ago(90.1), last_used_date=ago(90.1))


def unused_password(root: Person) -> None:
    LoginProfile.objects.filter(user__account=root.account_id, user__user_name="ann").update(create_date=ago(91))


def never_used_key(root: Person) -> None:
    key(root, create_date=ago(46))


def two_keys(root: Person) -> None:
    for _ in range(2):
        key(root)


def shared_ssh_keys(root: Person) -> None:
    body = new_ssh_key()
    for name, key in (("alice", body), ("ann", body), ("ann", new_ssh_key())):
        upload_ssh_public_key(root.caller, user_name=name, ssh_public_key_body=key)


def attached(root: Person) -> None:
    policy_arn = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"
    attach_user_policy(root.caller, user_name="alice", policy_arn=policy_arn)
    put_user_policy(root.caller, user_name="alice", policy_name="own", policy_document=allow("s3:GetObject"))
    put_user_policy(root.caller, user_name="ann", policy_name="own", policy_document=allow("s3:GetObject"))


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (root_key, {"root-keys": 1}),
        (root_without_device, {"root-mfa": 1}),
        (root_signed_in, {"root-in-use": 1}),
        (administrator_without_device, {"administrators-mfa": 1, "users-mfa": 1}),
        (one_administrator_left, {"administrators": 1}),
        (user_without_device, {"users-mfa": 1}),
        (short_passwords, {"password-policy": 1}),
        (default_policy, {"password-policy": 3}),
        (tried_too_often, {"lockouts": 2}),
        (old_key, {"old-keys": 1}),
        (unused_key, {"old-keys": 1, "unused": 1}),
        (unused_password, {"unused": 1}),
        (never_used_key, {"never-used-keys": 1}),
        (two_keys, {"two-keys": 1}),
        (attached, {"direct-policies": 2}),
        (shared_ssh_keys, {"shared-ssh-keys": 2}),
    ],
)
def test_each_fault_is_found_where_there_was_none(
    root: Person, fault: Callable[[Person], None], expected: dict[str, int]
) -> None:
    assert found(root) == {}
    fault(root)
    assert found(root) == expected


def use_of_root_long_ago(root: Person) -> None:
    User.objects.filter(pk=root.user.pk).update(password_last_used=ago(7.1))


def key_of_ninety_days(root: Person) -> None:
    key(root, create_date=ago(90), last_used_date=ago(90))


def exempted_key(root: Person) -> None:
    never_used_key(root)
    exempt(root, "alice")


def young_key(root: Person) -> None:
    key(root, create_date=ago(45))


def second_key_off(root: Person) -> None:
    key(root)
    key(root, status="Inactive", create_date=ago(400))


def user_without_a_password(root: Person) -> None:
    create_user(root.caller, user_name="program")


def tried_too_often_yesterday(root: Person) -> None:
    with time_machine.travel(DAY0 - timedelta(hours=12, seconds=1), tick=False):
        tried_too_often(root)


def shared_ssh_key_off(root: Person) -> None:
    shared_ssh_keys(root)
    SSHPublicKey.objects.filter(user__account=root.account_id, user__user_name="alice").update(status="Inactive")


def exempted(root: Person) -> None:
    unused_password(root)
    exempt(root, "ann")


def exempt(root: Person, name: str) -> None:
    value = new_exemption(date(2026, 2, 1), "Parental leave", DAY0).value
    tag_user(root.caller, user_name=name, tags=[{"key": KEY, "value": value}])


@pytest.mark.parametrize(
    "harmless",
    [
        use_of_root_long_ago,
        key_of_ninety_days,
        young_key,
        second_key_off,
        user_without_a_password,
        tried_too_often_yesterday,
        shared_ssh_key_off,
        exempted,
        exempted_key,
    ],
)
def test_what_only_looks_like_a_fault_is_none(root: Person, harmless: Callable[[Person], None]) -> None:
    harmless(root)
    assert found(root) == {}


@pytest.mark.parametrize("name", ["alice", "ann"])
def test_a_lockout_at_the_sign_in_page_is_found_at_once(root: Person, name: str) -> None:
    Throttle.objects.all().delete()  # what others have spent of everybody's tries, by another clock
    client = a_client()
    form = {"account": root.account_id, "user_name": name, "password": "wrong"}
    for turn in range(11):
        assert found(root) == {}, turn
        client.post("/signin/", form)
    assert found(root) == {"lockouts": 1}


def test_the_worst_comes_first_and_each_is_named_and_has_a_fix(root: Person, clock: Any) -> None:
    for fault in (
        attached,
        shared_ssh_keys,
        two_keys,
        unused_password,
        root_key,
        user_without_device,
        tried_too_often,
    ):
        fault(root)
    rows = list_security_findings(root.caller)
    medium = ["unused", "shared-ssh-keys"]
    assert [row.name for row in rows] == ["root-keys", "users-mfa", "lockouts", *medium, "two-keys", "direct-policies"]
    assert rows[4].user_names == ["alice", "ann"]
    severities = ["Critical", "High", "Medium", "Low"]
    assert [row.severity for row in rows] == sorted((row.severity for row in rows), key=severities.index)
    assert set(ORDER) == FIXES.keys()
    assert rows[-1].user_names == ["alice", "ann"]
    shown = signed_in(root).get(reverse("admin:index")).content.decode()
    assert "?console=enabled&amp;mfa=no" in shown
    for text in ("?key=two", "iam_no_root_access_key", "iam_policy_attached_only_to_group_or_roles", "?days=90"):
        assert text in shown


def old_keys(root: Person) -> None:
    """Two of one user, which is one to mend, and one on the very day."""
    for days in (90, 91, 92):
        key(root, "ann" if days == 90 else "alice", create_date=ago(days), last_used_date=ago(1))


def unused_of_all_kinds(root: Person) -> None:
    """Keys that were used and one that never was, a password, and all of that again of somebody who is exempt."""
    create_user(root.caller, user_name="spared")
    exempt(root, "spared")
    for name in ("alice", "spared"):
        key(root, name, create_date=ago(91), last_used_date=ago(90.1))
        key(root, name, create_date=ago(91))
    unused_password(root)


def administrators_of_all_kinds(root: Person) -> None:
    """One has a device and one none; a third is suspended, a fourth has no password."""
    administrator_without_device(root)
    for name in ("third", "fourth"):
        create_user(root.caller, user_name=name)
        attach_user_policy(root.caller, user_name=name, policy_arn=ADMINISTRATOR)
    give_password(User.objects.get(account=root.account_id, user_name="third"))
    suspend_user(root.caller, user_name="third")


HEADING = re.compile(r"<h2 id=\"\w+-heading\">([^<]*)<span class=\"count\">\((\d+)")


def behind(client: Any, url: str) -> int:
    """How many there are on the page that a finding leads to: users, rows of what is unused, or targets of the trail."""
    page = client.get(url).content.decode()
    if url.startswith(reverse("admin:accounts_user_changelist")):
        assert "Nobody is left out by this filter" not in page
        return len(set(re.findall(r"/user/([^/]+)/change/", "".join(re.findall(r"<th scope=.row.*?</th>", page)))))
    if url.startswith(reverse("admin:unused")):
        return sum(int(number) for _, number in HEADING.findall(page))
    return len(set(re.findall(r'data-label="Target">(.*?)</td>', page, re.DOTALL)))


@pytest.mark.parametrize(
    ("fault", "names"),
    [
        (root_signed_in, ["root-in-use"]),
        (administrators_of_all_kinds, ["administrators-mfa", "users-mfa", "direct-policies"]),
        (one_administrator_left, ["administrators"]),
        (user_without_device, ["users-mfa"]),
        (tried_too_often, ["lockouts"]),
        (old_keys, ["old-keys", "two-keys"]),
        (unused_of_all_kinds, ["old-keys", "unused", "never-used-keys", "two-keys"]),
        (two_keys, ["two-keys"]),
        (attached, ["direct-policies"]),
        (shared_ssh_keys, ["shared-ssh-keys"]),
    ],
)
def test_behind_each_finding_there_are_as_many_as_it_counts(
    root: Person, clock: Any, fault: Callable[[Person], None], names: list[str]
) -> None:
    with time_machine.travel(DAY0 - timedelta(days=1), tick=False):
        tried_too_often(root)  # that was yesterday
    fault(root)
    client, told = signed_in(root), {}
    for row in client.get(reverse("admin:index")).context["findings"]["rows"]:
        told[row.finding.name] = (row.finding.count, behind(client, row.url))
    assert list(told) == [name for name in ORDER if name in names]
    for name, (count, there) in told.items():
        assert there == (ADMINISTRATORS - count if name == "administrators" else count), name


def test_what_only_the_root_user_mends_leads_to_its_own_page_and_nobody_elses(root: Person, clock: Any) -> None:
    root_key(root)
    root_without_device(root)
    alice = User.objects.get(account=root.account_id, user_name="alice")
    for user, urls in ((root.user, ["#keys-heading", "#mfa-heading"]), (alice, ["", ""])):
        page = signed_in(Person(type(root.caller)(user=user, door="api"), "", "")).get(reverse("admin:index"))
        rows = page.context["findings"]["rows"]
        assert [row.url.removeprefix(reverse("admin:me")) for row in rows] == urls
        assert page.content.decode().count("The root user mends this") == urls.count("")
    shown = signed_in(root).get(reverse("admin:me")).content.decode()
    assert 'id="keys-heading"' in shown
    assert 'id="mfa-heading"' in shown


def test_a_dashboard_without_findings_says_so_and_one_that_may_not_be_seen_names_the_permission(root: Person) -> None:
    with time_machine.travel(DAY0, tick=False):
        assert "All green" in signed_in(root).get(reverse("admin:index")).content.decode()
        mallory = person(root, "mallory")
        shown = signed_in(mallory).get(reverse("admin:index")).content.decode()
    assert "All green" not in shown
    assert "iamconsole:ListSecurityFindings" in shown
    with pytest.raises(AccessDenied):
        list_security_findings(type(root.caller)(user=mallory, door="api"))


@pytest.mark.parametrize(
    ("document", "everything"),
    [
        (ALLOW_ALL, True),
        (ALLOW_ALL.replace('"Action": "*"', '"Action": ["s3:GetObject", "*:*"]'), True),
        (ALLOW_ALL.replace("Allow", "Deny"), False),
        (ALLOW_ALL.replace('"Action"', '"NotAction"').replace('"*", "R', '"iam:*", "R'), False),
        (allow("s3:*"), False),
        (allow("*", resource="arn:aws:s3:::a"), False),
        ("no policy", False),
    ],
)
def test_who_counts_as_an_administrator(document: str, everything: bool) -> None:
    assert allows_everything(document) is everything


@pytest.mark.parametrize("way", ["own", "attached", "of a group"])
def test_an_administrator_is_found_by_whatever_way(root: Person, way: str) -> None:
    one_administrator_left(root)
    person(root, "third")
    assert found(root)["administrators"] == 1
    if way == "own":
        put_user_policy(root.caller, user_name="third", policy_name="all", policy_document=ALLOW_ALL)
    elif way == "attached":
        attach_user_policy(root.caller, user_name="third", policy_arn=ADMINISTRATOR)
    else:
        create_group(root.caller, group_name="more")
        put_group_policy(root.caller, group_name="more", policy_name="all", policy_document=ALLOW_ALL)
        add_user_to_group(root.caller, group_name="more", user_name="third")
    assert "administrators" not in found(root)


def test_nothing_of_another_account_counts(root: Person) -> None:
    stranger = make_account()
    for name in ("alice", "ann"):
        person(stranger, name, mfa=False)
        put_user_policy(stranger.caller, user_name=name, policy_name="all", policy_document=ALLOW_ALL)
    two_keys(stranger)
    shared_ssh_keys(stranger)
    tried_too_often(stranger)
    body = SSHPublicKey.objects.filter(user__account=stranger.account_id).first().body  # type: ignore[union-attr]
    upload_ssh_public_key(root.caller, user_name="alice", ssh_public_key_body=body)
    assert found(root) == {}


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite alone tells how many steps a query took")
def test_shared_ssh_keys_are_found_in_steps_that_grow_with_the_keys_and_not_with_their_square() -> None:
    taken = {}
    for number in (200, 400):
        account = make_account().user.account
        users = [User(account=account, user_id=arns.new_unique_id("AIDA")) for _ in range(number)]
        for each in users:
            each.rename(f"u-{each.user_id}")
        users = User.objects.bulk_create(users)
        SSHPublicKey.objects.bulk_create(
            SSHPublicKey(user=each, ssh_public_key_id=arns.new_access_key_id(account.pk, "APKA"), digest=each.user_id)
            for each in users
        )
        with steps() as counted:
            assert not SSHPublicKey.objects.shared(account).exists()
        taken[number] = len(counted)
    assert 0 < taken[400] < 3 * taken[200]


@contextmanager
def steps() -> Iterator[list[None]]:
    """A list that has an item for each ten instructions of SQLite's machine."""
    counted: list[None] = []
    connection.ensure_connection()
    connection.connection.set_progress_handler(lambda: counted.append(None), 10)
    try:
        yield counted
    finally:
        connection.connection.set_progress_handler(None, 0)


def test_the_number_of_queries_does_not_grow_with_the_account(root: Person) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            list_security_findings(root.caller)
        return len(captured)

    for fault in (
        attached,
        shared_ssh_keys,
        two_keys,
        exempted,
        unused_key,
        user_without_device,
        administrator_without_device,
        root_key,
    ):
        fault(root)
    before = queries()
    users = []
    for number in range(60):
        user = User(account_id=root.account_id, user_id=arns.new_unique_id("AIDA"))
        user.rename(f"more-{number}")
        users.append(user)
    users = User.objects.bulk_create(users)
    LoginProfile.objects.bulk_create(LoginProfile(user=user, create_date=ago(100)) for user in users)
    AccessKey.objects.bulk_create(
        AccessKey(user=user, access_key_id=arns.new_access_key_id(root.account_id), create_date=ago(100))
        for user in users
    )
    assert queries() == before <= 20
