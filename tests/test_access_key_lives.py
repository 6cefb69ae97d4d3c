"""Access keys that end, and the rotation of one key by another: at every door, by the clock, and on the pages."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.operations.suspension import lock_down_user
from accounts.operations.whole_users import create_user_with_access
from credentials.key_rotation import KEPT, QUIET
from credentials.models import AccessKey
from credentials.operations.access_keys import create_access_key, list_access_keys, update_access_key
from credentials.operations.key_details import (
    create_access_key_with_details,
    get_access_key_settings,
    list_access_key_rotations,
    update_access_key_details,
    update_access_key_settings,
)
from iamconsole.errors import AccessDenied, EntityAlreadyExists, InvalidClientTokenId, InvalidInput, NoSuchEntity
from permissions.operations.inline import put_user_policy
from tests.browser import nonce_in, signed_in
from tests.conftest import ALLOW_ALL, SECRETS, Person, allow, caller_for, make_user
from tests.raw import body_of, send_inside, signed
from tests.test_console_search import text
from tests.test_suspension import DOORS, SOON

OF_KEYS = (
    "an access key",
    "temporary credentials",
    "a key asked about at /authorize",
    "a request asked about at /authorize",
)
ROTATE = "/console/accounts/user/carol/access-keys/{}/rotate/"


@pytest.fixture
def carol(root: Person) -> Person:
    """Whose key ends."""
    return make_user(root, "carol", ALLOW_ALL)


def key_of(person: Person) -> AccessKey:
    return AccessKey.objects.select_related("user__account").get(access_key_id=person.access_key_id)


def ends(person: Person, when: datetime) -> None:
    AccessKey.objects.filter(access_key_id=person.access_key_id).update(expire_date=when)


def signs(person: Person) -> bool:
    return send_inside(signed(person, body_of("GetCallerIdentity", "sts"), service="sts")).status == 200


# The end of a key


@pytest.mark.parametrize("door", OF_KEYS)
def test_a_key_that_has_expired_is_refused_at_every_door_from_that_second_on(
    root: Person, carol: Person, door: str
) -> None:
    with time_machine.travel(datetime.now(UTC).replace(microsecond=0), tick=False) as clock:
        accepted = DOORS[door](root, carol)
        ends(carol, datetime.now(UTC) + SOON)
        clock.shift(SOON - timedelta(seconds=1))
        assert accepted()
        clock.shift(timedelta(seconds=1))
        assert not accepted()
        update_access_key(root.caller, user_name="carol", access_key_id=carol.access_key_id, status="Active")
        assert not accepted()
        update_access_key_details(root.caller, user_name="carol", access_key_id=carol.access_key_id, never_expires=True)
        assert accepted()


def test_a_change_that_was_on_its_way_when_its_key_ended_is_refused(carol: Person) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        by_key = replace(caller_for(carol.user), access_key=key_of(carol))
        ends(carol, datetime.now(UTC) + SOON)
        clock.shift(SOON)
        with pytest.raises(InvalidClientTokenId):
            put_user_policy(by_key, user_name="carol", policy_name="mine", policy_document=allow("*"))


def test_boto3_is_told_of_expired_keys_by_their_status(iam: Any, root: Person, carol: Person) -> None:
    ends(carol, datetime.now(UTC) - SOON)
    [listed] = iam.list_access_keys(UserName="carol")["AccessKeyMetadata"]
    assert listed["Status"] == "Expired"
    assert key_of(carol).status == "Active"


def test_an_account_lets_new_keys_live_so_long_and_old_ones_stay(root: Person, carol: Person) -> None:
    assert get_access_key_settings(root.caller, maximum_days=30) == {
        "maximum_days": None,
        "keys_without_expiry": 2,  # carol's and the root user's
        "keys_with_longer_life": 0,
    }
    update_access_key_settings(root.caller, maximum_days=90)
    assert key_of(carol).expire_date is None
    plain = create_access_key(root.caller, user_name="carol")
    made = create_user_with_access(root.caller, user_name="robot", access_key=True)
    assert made.access_key is not None
    SECRETS.extend(each.secret["secret_access_key"] for each in (plain, made.access_key))
    for key in (plain.entity, made.access_key.entity):
        assert key.expire_date == key.create_date + timedelta(days=90)
    with pytest.raises(InvalidInput, match="90 days at most"):
        create_access_key_with_details(root.caller, user_name="robot", duration_days=91)
    one = {"user_name": "carol", "access_key_id": plain.entity.access_key_id}
    for wrong in ({"never_expires": True}, {"duration_days": 91}):
        with pytest.raises(InvalidInput, match="90 days after they were made"):
            update_access_key_details(root.caller, **one, **wrong)
    update_access_key_details(root.caller, **one, duration_days=30, description="Backup")
    assert get_access_key_settings(root.caller, maximum_days=60)["keys_with_longer_life"] == 1
    update_access_key_settings(root.caller)
    assert get_access_key_settings(root.caller)["maximum_days"] is None


def test_the_age_counts_from_the_making_of_a_key(root: Person, carol: Person) -> None:
    update_access_key_settings(root.caller, maximum_days=90)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=60), tick=False):
        one = {"user_name": "carol", "access_key_id": carol.access_key_id}
        with pytest.raises(InvalidInput):
            update_access_key_details(root.caller, **one, duration_days=31)
        update_access_key_details(root.caller, **one, duration_days=29)


def test_who_may_create_keys_and_no_more_gives_them_details_and_changes_none(root: Person, carol: Person) -> None:
    helper = make_user(root, "helper", allow("iam:CreateAccessKey")).caller
    SECRETS.append(
        create_access_key_with_details(helper, user_name="carol", description="Backup").secret["secret_access_key"]
    )
    for change in (
        lambda: update_access_key_details(
            helper, user_name="carol", access_key_id=carol.access_key_id, never_expires=True
        ),
        lambda: update_access_key_settings(helper, maximum_days=1),
        lambda: list_access_key_rotations(helper, all_users=True),
    ):
        with pytest.raises(AccessDenied):
            change()


# Rotation


def test_a_key_is_replaced_once_and_only_by_one_of_its_owner(root: Person, carol: Person, bob: Person) -> None:
    with pytest.raises(NoSuchEntity):
        create_access_key_with_details(root.caller, user_name="carol", replaces_access_key_id=bob.access_key_id)
    SECRETS.append(begin(root, carol))
    assert key_of(carol).replaced_by.user == carol.user
    root.user.account.quotas = {"AccessKeysPerUser": 3}
    root.user.account.save(update_fields=["quotas"])
    with pytest.raises(EntityAlreadyExists):
        create_access_key_with_details(root.caller, user_name="carol", replaces_access_key_id=carol.access_key_id)


def begin(root: Person, person: Person) -> str:
    """A key that is to take over from the person's: its secret."""
    made = create_access_key_with_details(
        root.caller, user_name=person.user.user_name, replaces_access_key_id=person.access_key_id
    )
    secret: str = made.secret["secret_access_key"]
    return secret


def test_nobody_else_is_told_of_a_rotation(root: Person, carol: Person, mallory: Person, trudy: Person) -> None:
    SECRETS.append(begin(root, carol))
    told = list_access_key_rotations(root.caller, all_users=True)
    assert [(each.user_name, each.step) for each in told] == [("carol", "HandOver")]
    assert list_access_key_rotations(trudy.caller, all_users=True) == []
    with pytest.raises(AccessDenied):
        list_access_key_rotations(mallory.caller, user_name="carol")
    assert "being rotated" in text(signed_in(root).get("/console/"))
    for other in (mallory, trudy):
        assert "being rotated" not in text(signed_in(other).get("/console/"))


def press(client: Client, carol: Person, **fields: str) -> Any:
    """Post a button of the assistant, which leads back to it."""
    address = ROTATE.format(carol.access_key_id)
    answer: Any = client.post(address.replace("/rotate/", "/status/"), {"rotating": "1", **fields})
    assert (answer.status_code, answer["Location"]) == (302, address)
    return client.get(address)


def test_the_assistant_leads_from_one_key_to_the_next_and_back(root: Person, alice: Person, carol: Person) -> None:
    address = ROTATE.format(carol.access_key_id)
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        client = signed_in(alice)
        assert signs(carol)
        form = {"nonce": nonce_in(client.get(address)), "description": "Backup", "expiry": "90"}
        shown: Any = client.post(address, form)
        assert "shown once" in text(shown)
        assert address in shown.content.decode()  # where "I have saved it" leads
        new = AccessKey.objects.get(replaces__access_key_id=carol.access_key_id)
        SECRETS.append(secret := shown.context["secret"])
        successor = Person(carol.caller, new.access_key_id, secret)
        assert (new.description, new.expire_date) == ("Backup", new.create_date + timedelta(days=90))
        assert "The new key has not been used yet" in text(client.get(address))
        assert signs(successor)
        assert "The new key is in use. Wait until the old one" in text(client.get(address))

        clock.shift(QUIET)
        client = signed_in(alice)
        assert "has been quiet for 7 days: deactivate it" in text(client.get("/console/"))
        assert signs(carol)  # something was forgotten
        assert "The new key is in use. Wait until the old one" in text(client.get(address))

        clock.shift(QUIET)
        client = signed_in(alice)
        assert "Deactivate the old key" in text(client.get(address))
        off = press(client, carol, status="Inactive")
        assert "Keep it for 7 days in case something misses it" in text(off)
        assert not signs(carol)
        assert signs(successor)
        back = press(client, carol, status="Active")
        assert "Activate the old key again" not in text(back)
        assert signs(carol)
        press(client, carol, status="Inactive")

        clock.shift(KEPT)
        client = signed_in(alice)
        assert "Nothing has missed the old key: delete it" in text(client.get("/console/"))
        gone: Any = client.post(address.replace("/rotate/", "/delete/"), {"typed_id": carol.access_key_id})
        assert gone.status_code == 302
        assert "being rotated" not in text(client.get("/console/"))
        assert [key.access_key_id for key in list_access_keys(root.caller, user_name="carol").items] == [
            new.access_key_id
        ]
        assert signs(successor)


def test_an_old_key_that_ends_by_itself_is_off_and_not_switched_on_again(root: Person, carol: Person) -> None:
    SECRETS.append(begin(root, carol))
    ends(carol, datetime.now(UTC) - SOON)
    page = text(signed_in(root).get(ROTATE.format(carol.access_key_id)))
    assert "The old key is off" in page
    assert "Activate the old key again" not in page


def test_a_rotation_takes_both_places(root: Person, carol: Person) -> None:
    SECRETS.append(create_access_key(root.caller, user_name="carol").secret["secret_access_key"])
    page: Any = signed_in(root).get(ROTATE.format(carol.access_key_id))
    assert "Both places for keys are taken" in text(page)
    assert "Create the second key</button>" not in page.content.decode()


def test_the_root_user_is_told_of_its_own_rotation_and_nobody_else_is(root: Person, alice: Person) -> None:
    made = create_access_key_with_details(root.caller, replaces_access_key_id=root.access_key_id)
    SECRETS.append(made.secret["secret_access_key"])
    assert root.access_key_id in text(signed_in(root).get("/console/"))
    assert root.access_key_id not in text(signed_in(alice).get("/console/"))


def test_a_key_that_a_lock_down_switched_off_is_kept_its_seven_days_too(root: Person, carol: Person) -> None:
    SECRETS.append(begin(root, carol))
    start = datetime.now(UTC)
    with time_machine.travel(start + timedelta(days=30), tick=False):
        lock_down_user(root.caller, user_name="carol")
        [rotation] = list_access_key_rotations(root.caller, user_name="carol")
        assert rotation.step == "Wait"
        assert rotation.next_date == datetime.now(UTC) + KEPT
