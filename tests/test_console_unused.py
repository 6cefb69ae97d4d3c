"""The page Unused credentials: rows are ticked, done one by one as policies decide, and undone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import User
from accounts.operations.suspension import lock_down_user, reactivate_user, suspend_user
from credentials.models import AccessKey, LoginProfile
from credentials.unused.exemption import exemption_of
from credentials.views.unused import SUSPENDED_FOR
from tests.browser import signed_in
from tests.conftest import Person, allow, make_user
from tests.everything import give_password, new_target
from tests.test_signin_states import add_device

LONG_AGO = datetime(2020, 1, 31, tzinfo=UTC)
DEACTIVATE, DELETE, UNDO = (reverse(f"admin:unused-{each}") for each in ("deactivate", "delete", "undo"))


@pytest.fixture
def dormant(root: Person) -> Person:
    """Who has a password, a key and a device that nobody uses; a user with nothing is there too."""
    dormant = make_user(root, "dormant")
    give_password(dormant.user)
    add_device(dormant.user)
    new_target(root, "shadow")
    User.objects.filter(account=root.account_id).update(create_date=LONG_AGO, password_last_changed=LONG_AGO)
    for model in (AccessKey, LoginProfile):
        model.objects.filter(user=dormant.user).update(create_date=LONG_AGO)
    return dormant


def text(answer: Any) -> str:
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_rows_are_deactivated_and_the_result_undoes_them(alice: Person, dormant: Person) -> None:
    client, key = signed_in(alice), dormant.access_key_id
    rows = ["Password:dormant:", f"AccessKey:dormant:{key}", "User:shadow:"]
    shown = text(client.get(reverse("admin:unused")))
    assert all(f'value="{row}"' in shown for row in rows)
    told = text(client.post(DEACTIVATE, {"row": rows}))
    assert told.count('ok">Deactivated<') == 3
    assert not LoginProfile.objects.filter(user=dormant.user).exists()
    assert AccessKey.objects.get(user=dormant.user).status == "Inactive"
    assert User.objects.get(account=alice.account_id, user_name="shadow").suspended_date
    assert "Refused" in text(client.post(DEACTIVATE, {"row": rows}))
    assert text(client.post(UNDO, {"row": rows})).count('ok">Brought back<') == 3
    assert LoginProfile.objects.get(user=dormant.user).create_date == LONG_AGO
    assert AccessKey.objects.get(user=dormant.user).status == "Active"
    assert not User.objects.get(account=alice.account_id, user_name="shadow").suspended_date


@pytest.mark.parametrize("what", ["locked down", "suspended anew", "suspended until", "past the end", "active"])
def test_undo_lifts_nothing_but_what_the_page_has_done(alice: Person, dormant: Person, root: Person, what: str) -> None:
    client, rows, soon = signed_in(alice), ["User:shadow:"], datetime.now(UTC) + timedelta(hours=1)
    users = User.objects.filter(account=alice.account_id, user_name="shadow")
    assert "Deactivated" in text(client.post(DEACTIVATE, {"row": rows}))
    if what == "locked down":
        lock_down_user(root.caller, user_name="shadow", reason=SUSPENDED_FOR)
    elif what == "suspended anew":
        suspend_user(root.caller, user_name="shadow", reason="Under investigation")
    elif what == "suspended until":
        suspend_user(root.caller, user_name="shadow", reason=SUSPENDED_FOR, until=soon)
    elif what == "past the end":
        users.update(end_date=LONG_AGO)
    else:
        reactivate_user(root.caller, user_name="shadow")
    before = users.values().get()
    told = text(client.post(UNDO, {"row": rows}))
    assert "Refused" in told
    assert "See on the user&#x27;s page what keeps the user out" in told
    assert users.values().get() == before


def test_deleting_asks_first(alice: Person, dormant: Person) -> None:
    client, key = signed_in(alice), dormant.access_key_id
    rows = ["Password:dormant:", f"AccessKey:dormant:{key}", "User:shadow:"]
    client.post(DEACTIVATE, {"row": rows[:1]})
    assert "This cannot be undone" in text(client.post(DELETE, {"shown": rows, "every": "1"}))
    assert AccessKey.objects.filter(user=dormant.user).exists()
    assert text(client.post(DELETE, {"row": rows, "confirmed": "1"})).count('ok">Deleted<') == 3
    assert not AccessKey.objects.filter(user=dormant.user).exists()
    assert not User.objects.filter(account=alice.account_id, user_name="shadow").exists()
    assert "Refused" in text(client.post(UNDO, {"row": rows[:1]}))


def test_each_row_is_decided_by_the_callers_policies(root: Person, dormant: Person) -> None:
    actions = ("iamconsole:DeactivateCredential", "iam:UpdateAccessKey", "iamconsole:ListUnusedCredentials")
    client = signed_in(make_user(root, "keykeeper", allow(*actions)))
    rows = ["Password:dormant:", f"AccessKey:dormant:{dormant.access_key_id}"]
    told = text(client.post(DEACTIVATE, {"row": rows}))
    assert told.count('ok">Deactivated<') == 1
    assert "iam:DeleteLoginProfile" in told
    assert LoginProfile.objects.filter(user=dormant.user).exists()


@pytest.mark.parametrize("row", ["", "x", "RootUser:root:", "Password::", "AccessKey:dormant", "<b>:\u202e:\x00"])
def test_what_is_no_row_is_refused(alice: Person, dormant: Person, row: str) -> None:
    answer = signed_in(alice).post(DEACTIVATE, {"row": [row]})
    assert answer.status_code == 400 or "Refused" in text(answer)


def test_nothing_ticked_and_too_much_ticked_change_nothing(alice: Person, dormant: Person) -> None:
    client = signed_in(alice)
    for address in (DEACTIVATE, DELETE, UNDO):
        assert "Nothing is ticked" in text(client.post(address))
        assert client.post(address, {"row": [f"Password:u{n}:" for n in range(201)]}).status_code == 400


@pytest.mark.parametrize("days", ["0", "-1", "x", "99999999999999999999", ""])
def test_no_threshold_shows_the_usual_one_and_what_is_wrong(alice: Person, dormant: Person, days: str) -> None:
    shown = text(signed_in(alice).get(reverse("admin:unused"), {"days": days}))
    assert "Check what you entered" in shown
    assert "more than 90 days" in shown


def test_an_exemption_is_set_and_removed_on_the_page(alice: Person, dormant: Person) -> None:
    client, address = signed_in(alice), reverse("admin:unused-exemption", args=["dormant"])
    until = datetime.now(UTC).date() + timedelta(days=30)
    assert "Name a day" in text(client.post(address, {"until": "2020-01-01", "reason": "past"}))
    assert client.post(address, {"until": until.isoformat(), "reason": "Parental leave"}).status_code == 302
    exemption = exemption_of(User.objects.get(pk=dormant.user.pk).tags)
    assert exemption is not None
    assert (exemption.until, exemption.reason) == (until, "Parental leave")
    shown = text(client.get(reverse("admin:unused")))
    assert f"Until {until}: Parental leave" in shown
    assert 'value="Password:dormant:"' not in shown
    assert client.post(address, {"remove": "1"}).status_code == 302
    assert exemption_of(User.objects.get(pk=dormant.user.pk).tags) is None


def test_what_was_deactivated_of_a_user_who_is_exempt_since_can_be_undone(alice: Person, dormant: Person) -> None:
    client, rows = signed_in(alice), ["Password:dormant:", f"AccessKey:dormant:{dormant.access_key_id}"]
    client.post(DEACTIVATE, {"row": rows})
    until = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
    client.post(reverse("admin:unused-exemption", args=["dormant"]), {"until": until, "reason": "Parental leave"})
    shown = text(client.get(reverse("admin:unused"), {"group": "Deactivated"}))
    assert f"Until {until}" in shown
    for row in rows:
        assert f'name="row" value="{row}"' in shown
        assert f'name="shown" value="{row}"' in shown
    assert text(client.post(UNDO, {"shown": rows, "every": "1"})).count('ok">Brought back<') == 2
    assert LoginProfile.objects.filter(user=dormant.user).exists()
