"""What is unused is found, put away and brought back as it was, and what is exempt is kept."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import arns
from accounts.models import User
from accounts.operations.users import tag_user
from credentials.mfa.models import MFADevice
from credentials.models import AccessKey, LoginProfile, PasswordHistory
from credentials.operations.access_keys import create_access_key, delete_access_key, update_access_key
from credentials.operations.login_profiles import create_login_profile, delete_login_profile
from credentials.operations.password_policies import update_account_password_policy
from credentials.operations.unused import deactivate_credential, list_unused_credentials, restore_credential
from credentials.unused import exemption
from credentials.unused.found import Group
from credentials.unused.meaning import is_unused
from credentials.unused.models import Deactivation
from iamconsole.errors import AccessDenied, InvalidInput, NoSuchEntity
from tests.conftest import Person, allow, make_user
from tests.everything import give_password, new_target
from tests.rows import events_of
from tests.test_signin_states import add_device

DAY0 = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEY = {"credential_type": "AccessKey"}
PASSWORD = {"credential_type": "Password", "user_name": "carol"}


@pytest.fixture
def clock() -> Iterator[Any]:
    """The first of January, until it is shifted."""
    with time_machine.travel(DAY0, tick=False) as traveller:
        yield traveller


@pytest.fixture
def root(clock: Any) -> Person:
    """The root user of an account that was made that day."""
    from tests.conftest import make_account

    return make_account()


@pytest.fixture
def carol(root: Person) -> Person:
    """With a password and a key that she never used."""
    carol = make_user(root, "carol", allow("iam:*"))
    give_password(carol.user)
    User.objects.filter(pk=carol.user.pk).update(password_last_changed=DAY0)
    return carol


def found(root: Person, group: str, days: int = 45) -> list[str]:
    """The names in a group, and what is found of them."""
    rows = list_unused_credentials(root.caller, credential_group=group, unused_days=days).items
    return [str(row.user_name) for row in rows]


def days_later(clock: Any, days: float) -> None:
    """Let so many days pass."""
    clock.shift(timedelta(days=days))


def test_a_password_is_unused_when_nothing_happened_to_it_for_so_long(root: Person, carol: Person, clock: Any) -> None:
    days_later(clock, 45)
    assert found(root, Group.PASSWORD) == []
    days_later(clock, 0.1)
    assert found(root, Group.PASSWORD) == ["carol"]
    User.objects.filter(pk=carol.user.pk).update(password_last_used=DAY0 + timedelta(days=1))
    assert found(root, Group.PASSWORD) == []
    assert found(root, Group.PASSWORD, 30) == ["carol"]
    User.objects.filter(pk=carol.user.pk).update(password_last_changed=DAY0 + timedelta(days=44))
    assert found(root, Group.PASSWORD, 30) == []


def test_keys_are_found_by_whether_they_were_ever_used(root: Person, carol: Person, clock: Any) -> None:
    create_access_key(root.caller, user_name="carol")
    AccessKey.objects.filter(access_key_id=carol.access_key_id).update(last_used_date=DAY0 + timedelta(days=1))
    days_later(clock, 50)
    rows = list_unused_credentials(root.caller, credential_group=Group.ACCESS_KEY, unused_days=45).items
    assert [(row.access_key_id, row.unused_days) for row in rows] == [(carol.access_key_id, 49)]
    assert found(root, Group.NEVER_USED) == ["carol"]
    assert found(root, Group.ACCESS_KEY, 49) == []
    update_access_key(root.caller, user_name="carol", access_key_id=carol.access_key_id, status="Inactive")
    assert found(root, Group.ACCESS_KEY) == []
    update_access_key(root.caller, user_name="carol", access_key_id=carol.access_key_id, status="Active")
    assert found(root, Group.ACCESS_KEY) == []  # somebody has just decided that it is needed


def test_an_expired_key_is_not_unused_for_it_signs_nothing(root: Person, carol: Person, clock: Any) -> None:
    AccessKey.objects.filter(user=carol.user).update(expire_date=DAY0 + timedelta(days=40))
    days_later(clock, 50)
    assert found(root, Group.NEVER_USED) == []


def test_an_mfa_device_is_found_until_it_lets_somebody_in(root: Person, carol: Person, clock: Any) -> None:
    device = add_device(carol.user)
    days_later(clock, 50)
    assert found(root, Group.MFA_DEVICE) == ["carol"]
    MFADevice.objects.filter(pk=device.pk).update(last_used_date=DAY0 + timedelta(days=20))
    assert found(root, Group.MFA_DEVICE) == []


def test_a_user_by_whom_nobody_can_come_in_is_found(root: Person, carol: Person, clock: Any) -> None:
    new_target(root, "shadow")
    days_later(clock, 50)
    assert found(root, Group.USER) == ["shadow"]
    delete_access_key(root.caller, user_name="carol", access_key_id=carol.access_key_id)
    assert found(root, Group.USER) == ["shadow"]
    delete_login_profile(root.caller, user_name="carol")
    assert found(root, Group.USER) == ["carol", "shadow"]


def test_the_root_user_is_found_when_in_use_and_never_as_unused(root: Person, clock: Any) -> None:
    give_password(root.user)
    days_later(clock, 100)
    assert [found(root, group) for group in Group] == [[] for _ in Group]
    User.objects.filter(pk=root.user.pk).update(password_last_used=DAY0 + timedelta(days=90))
    AccessKey.objects.filter(user=root.user).update(last_used_date=DAY0 + timedelta(days=99))
    assert found(root, Group.ROOT) == ["None", "None"]
    assert found(root, Group.ROOT, 5) == ["None"]


def test_nothing_of_another_account_is_found(root: Person, carol: Person, clock: Any) -> None:
    from tests.conftest import make_account

    stranger = make_account()
    days_later(clock, 100)
    assert [found(stranger, group) for group in Group] == [[] for _ in Group]


def test_who_may_not_list_learns_nothing(root: Person, carol: Person) -> None:
    bob = make_user(root, "bob")
    with pytest.raises(AccessDenied):
        list_unused_credentials(bob.caller, credential_group=Group.PASSWORD, unused_days=1)


@pytest.mark.parametrize("group", list(Group))
def test_a_page_costs_as_many_queries_whatever_stands_on_it(root: Person, clock: Any, group: Group) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            list_unused_credentials(root.caller, credential_group=group, unused_days=45)
        return len(captured)

    idle(root, 1)
    days_later(clock, 100)
    before = queries()
    idle(root, 30)
    days_later(clock, 100)
    assert queries() == before <= 4


def idle(root: Person, number: int) -> None:
    """So many users of each sort, with credentials that nobody will use."""
    now, account = datetime.now(UTC), root.account_id
    users = []
    for _ in range(2 * number):
        user = User(account_id=account, user_id=arns.new_unique_id("AIDA"), create_date=now)
        user.rename(f"idle-{user.user_id}")
        users.append(user)
    users = User.objects.bulk_create(users)
    LoginProfile.objects.bulk_create(LoginProfile(user=user, create_date=now) for user in users[:number])
    for last in (None, now):
        AccessKey.objects.bulk_create(
            AccessKey(user=user, access_key_id=arns.new_access_key_id(account), create_date=now, last_used_date=last)
            for user in users[:number]
        )
    MFADevice.objects.bulk_create(
        MFADevice(
            account_id=account, user=user, kind="virtual", sealed_seed="x", confirmed=True, enable_date=now,
            serial_number=arns.mfa(account, "/", str(user.user_name)), name=str(user.user_name),
        )
        for user in users[:number]
    )  # fmt: skip


def test_pages_follow_each_other_to_the_end(root: Person, clock: Any) -> None:
    idle(root, 5)
    days_later(clock, 100)
    given: dict[str, Any] = {"credential_group": Group.PASSWORD, "unused_days": 45, "max_items": 2}
    names, marker = [], None
    while True:
        page = list_unused_credentials(root.caller, **given, marker=marker)
        names += [row.user_name for row in page.items]
        marker = page.marker
        if marker is None:
            break
    assert len(set(names)) == len(names) == 5


# Put away, and brought back


def snapshot(user: User) -> dict[str, Any]:
    """All that a password is."""
    user.refresh_from_db()
    profile = LoginProfile.objects.filter(user=user).values(
        "create_date", "password_reset_required", "password_expire_date"
    )
    return {
        "profile": list(profile),
        "password": user.password,
        "changed": user.password_last_changed,
        "history": list(PasswordHistory.objects.filter(user=user).values_list("encoded", flat=True)),
    }


def test_a_password_that_is_put_away_opens_nothing_and_comes_back_as_it_was(
    root: Person, carol: Person, clock: Any
) -> None:
    update_account_password_policy(root.caller, password_reuse_prevention=3)
    LoginProfile.objects.filter(user=carol.user).update(
        password_reset_required=True, password_expire_date=DAY0 + timedelta(days=7)
    )
    before = snapshot(carol.user)
    days_later(clock, 60)
    deactivate_credential(root.caller, **PASSWORD)
    assert snapshot(carol.user)["profile"] == []
    assert not User.objects.get(pk=carol.user.pk).has_usable_password()
    assert found(root, Group.DEACTIVATED) == ["carol"]
    assert found(root, Group.PASSWORD) == found(root, Group.USER) == []
    restore_credential(root.caller, **PASSWORD)
    assert snapshot(carol.user) == before
    assert found(root, Group.DEACTIVATED) == []
    assert found(root, Group.PASSWORD) == []  # who gave it back wants it
    days_later(clock, 46)
    assert found(root, Group.PASSWORD) == ["carol"]


def test_a_key_that_is_put_away_comes_back(root: Person, carol: Person, clock: Any) -> None:
    named = {"user_name": "carol", "access_key_id": carol.access_key_id, **KEY}
    deactivate_credential(root.caller, **named)
    key = AccessKey.objects.get(user=carol.user)
    assert key.status == "Inactive"
    assert found(root, Group.DEACTIVATED) == ["carol"]
    with pytest.raises(InvalidInput):
        deactivate_credential(root.caller, **named)
    restore_credential(root.caller, **named)
    key.refresh_from_db()
    assert key.status == "Active"
    with pytest.raises(InvalidInput):
        restore_credential(root.caller, **named)


def test_what_somebody_has_decided_since_is_not_undone(root: Person, carol: Person, clock: Any) -> None:
    named = {"user_name": "carol", "access_key_id": carol.access_key_id}
    deactivate_credential(root.caller, **named, **KEY)
    update_access_key(root.caller, **named, status="Active")
    days_later(clock, 1)
    update_access_key(root.caller, **named, status="Inactive")
    with pytest.raises(InvalidInput):
        restore_credential(root.caller, **named, **KEY)
    deactivate_credential(root.caller, **PASSWORD)
    create_login_profile(root.caller, user_name="carol", password="Another-Password-77")
    with pytest.raises(InvalidInput):
        restore_credential(root.caller, **PASSWORD)
    assert not Deactivation.objects.filter(user=carol.user).exists()


def test_both_parts_are_decided_and_told(root: Person, carol: Person, clock: Any) -> None:
    named = {"user_name": "carol", "access_key_id": carol.access_key_id, **KEY}
    for allowed in (allow("iamconsole:DeactivateCredential"), allow("iam:UpdateAccessKey")):
        half = make_user(root, f"half-{len(allowed)}", allowed)
        with pytest.raises(AccessDenied):
            deactivate_credential(half.caller, **named)
    both = make_user(root, "both", allow("iamconsole:DeactivateCredential", "iam:UpdateAccessKey"))
    before = len(events_of(root.account_id))
    deactivate_credential(both.caller, **named)
    told = events_of(root.account_id)[before:]
    assert [event.action for event in told] == ["iamconsole:DeactivateCredential", "iam:UpdateAccessKey"]
    with pytest.raises(AccessDenied):
        deactivate_credential(both.caller, **PASSWORD)


@pytest.mark.parametrize("operation", [deactivate_credential, restore_credential])
def test_what_is_not_there_is_not_found(root: Person, carol: Person, operation: Any) -> None:
    for named in (
        {"user_name": "nemo", "credential_type": "Password"},
        {"user_name": "carol", "credential_type": "AccessKey", "access_key_id": root.access_key_id},
        {"user_name": "carol", "credential_type": "AccessKey"},
    ):
        with pytest.raises(NoSuchEntity):
            operation(root.caller, **named)


# Exemptions


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        ("2026-01-01 Parental leave", True),
        ("2026-12-31  the night shift", True),
        ("2025-12-31 over", False),
        ("2026-02-30 no such day", False),
        ("2026-02-01", False),
        ("for ever", False),
        ("", False),
    ],
)
def test_an_exemption_is_a_day_and_a_reason(value: str, holds: bool) -> None:
    tags: Any = [{"key": "team", "value": "blue"}, {"key": exemption.KEY.title(), "value": value}]
    assert exemption.is_exempt(tags, DAY0) is holds
    assert exemption.is_misread(tags) is (exemption.exemption_of(tags) is None)


@pytest.mark.parametrize(
    ("until", "reason"),
    [
        (date(2025, 12, 31), "past"),
        (date(2027, 2, 1), "too far"),
        (date(2026, 2, 1), ""),
        (date(2026, 2, 1), "<b>"),
        (date(2026, 2, 1), "x" * 201),
    ],
)
def test_an_exemption_that_does_not_end_or_has_no_reason_is_not_set(until: date, reason: str) -> None:
    with pytest.raises(InvalidInput):
        exemption.new_exemption(until, reason, DAY0)


def test_an_exemption_is_told_with_the_row(root: Person, carol: Person, clock: Any) -> None:
    value = exemption.new_exemption(date(2026, 3, 1), "Parental  leave", DAY0).value
    tag_user(root.caller, user_name="carol", tags=[{"key": exemption.KEY, "value": value}])
    days_later(clock, 50)
    [row] = list_unused_credentials(root.caller, credential_group=Group.PASSWORD, unused_days=45).items
    assert (row.exempt_until, row.exempt_reason) == ("2026-03-01", "Parental leave")
    days_later(clock, 20)
    [row] = list_unused_credentials(root.caller, credential_group=Group.PASSWORD, unused_days=45).items
    assert (row.exempt_until, row.exempt_reason) == (None, None)


def test_what_nothing_is_known_of_is_not_unused() -> None:
    assert not is_unused(DAY0, None)
    assert is_unused(DAY0, None, DAY0 - timedelta(seconds=1))
    assert not is_unused(DAY0, DAY0, DAY0 - timedelta(days=1))
