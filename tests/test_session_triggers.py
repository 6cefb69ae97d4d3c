"""Every session that must die, dies: what ends sessions, against every kind of session there is, by the pages that do it."""

import html
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.hashers import check_password
from django.test import Client
from django.urls import reverse

from accounts.management.commands._shell import operator
from accounts.models import Session, User
from accounts.nonces import new_nonce
from accounts.operations.installation import close_account, recover_root_user
from accounts.sessions import digest
from accounts.setup_links import issue
from credentials.hashers import Argon2id
from credentials.mfa.models import MFADevice, RecoveryCode
from credentials.models import AccessKey, LoginProfile
from credentials.operations.unused import restore_credential
from permissions.operations.inline import put_user_policy
from tests.authenticators import App, SecurityKey, a_number, give_app, session_of, text_code
from tests.browser import PASSWORD, a_client, give_password, signed_in, token_of
from tests.conftest import SECRETS, Person, allow
from tests.everything import new_app
from tests.raw import body_of, send_inside, signed

ANOTHER = "Green-Goose-8-Ladder"
SECRETS.append(ANOTHER)
ME = "/console/my-security-credentials/"


@dataclass
class Stage:
    """alice with two apps and a session of every kind; her account's root user in a browser; bob beside her."""

    root: Person
    alice: Person
    app: App  # the triggers use its codes; what is set up here uses the spare one's
    hers: Client
    there: Client
    owes_code: Client
    owes_password: Client
    temporary: Person
    roots: Client
    bobs: Client
    clock: Any

    @property
    def living(self) -> str:
        """Which of alice's sessions live, by their letters."""
        return "".join(
            letter if lives else "."
            for letter, lives in (
                ("h", self.hers.get("/console/").status_code == 200),
                ("t", self.there.get("/console/").status_code == 200),
                ("c", self.owes_code.get("/second-factor/").status_code == 200),
                ("p", self.owes_password.get("/new-password/").status_code == 200),
                ("k", send_inside(signed(self.temporary, body_of("ListUsers"))).status == 200),
            )
        )

    def by_root(self, route: str, *more: str, **fields: str) -> None:
        """Root sends a form of one of alice's pages."""
        answer = self.roots.post(reverse(f"admin:{route}", args=["alice", *more]), fields)
        assert answer.status_code == 302, answer.content.decode()

    def by_alice(self, path: str, **fields: str) -> None:
        """alice sends a form in the browser that is hers."""
        answer = self.hers.post(path, fields)
        assert answer.status_code in (200, 302), answer.content.decode()
        assert b'aria-invalid="true"' not in answer.content


def _with_factor(person: Person) -> Client:
    client = signed_in(person)
    session = client.session
    session["mfa_time"] = datetime.now(UTC).timestamp()
    session.save()
    return client


def _half_way(alice: Person, *, must_change: bool, spare: App, off: int = 0) -> Client:
    """A browser after the password, or after the code as well when a new password is owed."""
    profile = alice.user.login_profile
    profile.password_reset_required = must_change
    profile.save(update_fields=["password_reset_required"])
    client = a_client()
    form = {"account": alice.account_id, "user_name": "alice", "password": PASSWORD}
    assert client.post("/signin/", form)["Location"] == "/second-factor/"
    if must_change:
        device = MFADevice.objects.get(serial_number=spare.serial_number)
        answer = client.post(f"/second-factor/?device={device.pk}", {"code": spare.code(off)})
        assert answer["Location"] == "/new-password/"
    return client


@pytest.fixture
def stage(root: Person, alice: Person, bob: Person) -> Any:
    with time_machine.travel(datetime.now(UTC).replace(microsecond=0), tick=False) as clock:
        give_password(alice)
        give_password(bob)
        app, spare = (give_app(alice.account_id, alice.user, name) for name in ("first", "spare"))
        owes_password = _half_way(alice, must_change=True, spare=spare, off=-1)
        owes_code = _half_way(alice, must_change=False, spare=spare)
        temporary = session_of(alice, spare)
        hers, there = _with_factor(alice), _with_factor(alice)
        browsers = {"roots": _with_factor(root), "bobs": signed_in(bob)}
        stage = Stage(root, alice, app, hers, there, owes_code, owes_password, temporary, clock=clock, **browsers)
        assert stage.living == "htcpk"
        yield stage


def _own_password(stage: Stage) -> None:
    stage.by_alice(f"{ME}password/", old_password=PASSWORD, new_password=ANOTHER, confirm_password=ANOTHER)


def _own_password_by_api(stage: Stage) -> None:
    request = signed(stage.alice, body_of("ChangePassword", OldPassword=PASSWORD, NewPassword=ANOTHER))
    assert send_inside(request).status == 200


def _set_password(stage: Stage) -> None:
    stage.by_root("user-console-access", first_password="custom", password=ANOTHER, nonce=new_nonce(stage.root.user))


def _generate_password(stage: Stage) -> None:
    _shown_once(stage, "generated")


def _setup_link(stage: Stage) -> None:
    _shown_once(stage, "setup_link")


def _shown_once(stage: Stage, what: str) -> None:
    fields = {"first_password": what, "nonce": new_nonce(stage.root.user)}
    answer = stage.roots.post(reverse("admin:user-console-access", args=["alice"]), fields)
    shown = re.findall(r"data-secret[^>]*>([^<]+)<", answer.content.decode())
    assert shown, answer.content.decode()
    SECRETS.extend(html.unescape(each).rstrip("/").rpartition("/")[2] for each in shown)


def _redeem_link(stage: Stage) -> None:
    token = token_of(issue(stage.alice.user))
    assert stage.living == "htcpk"  # such a link alone ends nothing
    fields = {"new_password": ANOTHER, "confirm_password": ANOTHER}
    assert a_client().post(reverse("setup", args=[token]), fields).status_code in (200, 302)
    assert check_password(ANOTHER, User.objects.get(pk=stage.alice.user.pk).password)


def _deactivate_password(stage: Stage) -> None:
    answer = stage.roots.post(reverse("admin:unused-deactivate"), {"row": "Password:alice:"})
    assert answer.status_code in (200, 302), answer.content.decode()
    assert not LoginProfile.objects.filter(user=stage.alice.user).exists()


def _deactivate_and_restore_password(stage: Stage) -> None:
    _deactivate_password(stage)
    restore_credential(stage.root.caller, user_name="alice", credential_type="Password")
    assert LoginProfile.objects.filter(user=stage.alice.user).exists()


def _add_own_passkey(stage: Stage) -> None:
    page, key = reverse("admin:me-mfa-passkey"), SecurityKey()
    begun = stage.hers.post(page, {"mfa_device_name": "key"})
    answer = key.create(json.loads(begun.context["options"]))
    stage.by_alice(page, mfa_device_name="key", credential=answer, nonce=new_nonce(stage.alice.user))
    assert MFADevice.objects.filter(user=stage.alice.user, kind="passkey").exists()


def _add_own_number(stage: Stage) -> None:
    page, number = reverse("admin:me-mfa-text-message"), a_number()
    stage.by_alice(page, mfa_device_name="mobile", phone_number=number)
    assert stage.living == "htcpk"  # a number that is not proved yet is no factor
    code = {"authentication_code1": text_code(number), "nonce": new_nonce(stage.alice.user)}
    stage.by_alice(page, mfa_device_name="mobile", phone_number=number, **code)
    assert MFADevice.objects.filter(user=stage.alice.user, kind="sms").exists()


def _wrong_own_password(stage: Stage) -> None:
    fields = {"old_password": "wrong", "new_password": ANOTHER, "confirm_password": ANOTHER}
    assert b'role="alert"' in stage.hers.post(f"{ME}password/", fields).content


def _recovery_codes(stage: Stage) -> None:
    answer = stage.hers.post(reverse("admin:me-recovery-codes"), {"nonce": new_nonce(stage.alice.user)})
    SECRETS.extend(re.findall(r">([A-Z2-7]{4}(?:-[A-Z2-7]{4}){3})<", answer.content.decode()))
    assert RecoveryCode.objects.filter(user=stage.alice.user).count() == 10


def _allow_new_attempts(stage: Stage) -> None:
    stage.by_root("user-throttle-reset")


def _give_permissions(stage: Stage) -> None:
    document = allow("s3:*")
    put_user_policy(stage.root.caller, user_name="alice", policy_name="more", policy_document=document)


def _hash_anew(stage: Stage) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Argon2id, "time_cost", 2)
        _half_way(stage.alice, must_change=False, spare=stage.app)
    assert "t=2" in User.objects.get(pk=stage.alice.user.pk).password


def _add_own_device(stage: Stage) -> None:
    fields = new_app(stage.root, "third").two_codes() | {"nonce": new_nonce(stage.alice.user)}
    stage.by_alice(f"{ME}mfa/enable/", **fields)


def _resync_own_device(stage: Stage) -> None:
    stage.by_alice(reverse("admin:me-mfa-resync", args=[stage.app.serial_number]), **stage.app.two_codes())


def _remove_own_device(stage: Stage) -> None:
    stage.by_alice(reverse("admin:me-mfa-remove", args=[stage.app.serial_number]))


def _add_device(stage: Stage) -> None:
    stage.by_root("user-mfa-enable", **new_app(stage.root, "third").two_codes())


def _resync_device(stage: Stage) -> None:
    stage.by_root("user-mfa-resync", stage.app.serial_number, **stage.app.two_codes())


def _remove_device(stage: Stage) -> None:
    stage.by_root("user-mfa-remove", stage.app.serial_number)


def _suspend(stage: Stage) -> None:
    stage.by_root("user-suspend")


def _suspend_and_reactivate(stage: Stage) -> None:
    stage.by_root("user-suspend")
    stage.by_root("user-reactivate")


def _end_date(stage: Stage) -> None:
    end = datetime.now(UTC) + timedelta(minutes=1)
    stage.by_root("user-end-date", end_date=f"{end:%Y-%m-%dT%H:%M:%S}")
    assert stage.living == "htcpk"
    stage.clock.shift(timedelta(minutes=1))


def _end_date_taken_back(stage: Stage) -> None:
    _end_date(stage)
    stage.by_root("user-end-date", end_date="")


def _lock_down(stage: Stage) -> None:
    stage.by_root("user-lock-down")


def _lock_down_and_undo(stage: Stage) -> None:
    stage.by_root("user-lock-down")
    stage.by_root("user-lock-down-undo")


def _delete_login_profile(stage: Stage) -> None:
    stage.by_root("user-console-disable")


def _delete_user(stage: Stage) -> None:
    stage.by_root("accounts_user_delete", typed_name="alice")


def _switch_key_off(stage: Stage) -> None:
    stage.by_root("user-key-status", stage.alice.access_key_id, status="Inactive")


def _end_all(stage: Stage) -> None:
    stage.by_root("user-sessions-end")


def _end_one(stage: Stage) -> None:
    stage.by_root("user-session-end", digest(stage.hers.cookies["session"].value))


def _end_others(stage: Stage) -> None:
    stage.by_alice(f"{ME}sessions/end-others/")


def _end_own(stage: Stage) -> None:
    stage.by_alice(f"{ME}sessions/{digest(stage.there.cookies['session'].value)}/end/")


def _sign_out(stage: Stage) -> None:
    stage.by_alice("/signout/")


def _five_minutes(stage: Stage) -> None:
    stage.clock.shift(timedelta(minutes=5, seconds=1))


def _an_hour_unused(stage: Stage) -> None:
    stage.clock.shift(timedelta(hours=1))


def _twelve_hours(stage: Stage) -> None:
    for _ in range(12 * 2):
        assert stage.hers.get("/console/").status_code == 200
        stage.clock.shift(timedelta(minutes=30))


Trigger = Callable[[Stage], None]
# What is done, and what lives on of: h, the browser it is done in, or hers if somebody else does it; t, another browser of
# hers; c, a sign-in that owes a code; p, one that owes a new password; k, temporary credentials.
TABLE: list[tuple[Trigger, str]] = [
    (_own_password, "h...."),
    (_own_password_by_api, "....."),
    (_set_password, "....."),
    (_generate_password, "....."),
    (_setup_link, "....."),
    (_redeem_link, "....."),
    (_deactivate_password, "....."),
    (_deactivate_and_restore_password, "....."),
    (_add_own_passkey, "h...."),
    (_add_own_number, "h...."),
    (_wrong_own_password, "htcpk"),
    (_recovery_codes, "htcpk"),
    (_allow_new_attempts, "htcpk"),
    (_give_permissions, "htcpk"),
    (_hash_anew, "htcpk"),
    (_add_own_device, "h...."),
    (_resync_own_device, "h...."),
    (_remove_own_device, "h...."),
    (_add_device, "....."),
    (_resync_device, "....."),
    (_remove_device, "....."),
    (_suspend, "....."),
    (_suspend_and_reactivate, "....."),
    (_end_date, "....."),
    (_end_date_taken_back, "....."),
    (_lock_down, "....."),
    (_lock_down_and_undo, "....."),
    (_delete_login_profile, "....."),
    (_delete_user, "....."),
    (_end_all, "....."),
    (_switch_key_off, "htcp."),  # temporary credentials end with the key they were got with
    (_end_one, ".tcpk"),
    (_end_others, "h.cpk"),
    (_end_own, "h.cpk"),
    (_sign_out, ".tcpk"),
    (_five_minutes, "ht..k"),
    (_an_hour_unused, "....k"),  # of their own length, 12 hours unless asked
    (_twelve_hours, "....."),
]


# What time alone does says nothing of the database.
BY_TIME = (_five_minutes, _an_hour_unused, _twelve_hours)


@pytest.mark.asvs("7.4.1")
@pytest.mark.asvs("7.4.2")
@pytest.mark.asvs("7.4.3")
@pytest.mark.parametrize(
    ("trigger", "lives"),
    [
        pytest.param(*row, id=row[0].__name__[1:], marks=[pytest.mark.pure] if row[0] in BY_TIME else [])
        for row in TABLE
    ],
)
def test_every_session_that_must_die_dies(stage: Stage, trigger: Trigger, lives: str) -> None:
    key = stage.hers.cookies["session"].value
    trigger(stage)
    assert stage.living == lives
    assert stage.living == lives  # asking brings nothing to life
    if trigger not in (_an_hour_unused, _twelve_hours):
        assert stage.roots.get("/console/").status_code == 200
        assert stage.bobs.get("/console/").status_code == 200
    if lives == "h....":  # it goes on under a new key, and the old one opens nothing
        assert stage.hers.cookies["session"].value != key
        assert not Session.objects.filter(pk=digest(key)).exists()
    for half_way in (stage.owes_code, stage.owes_password):
        assert half_way.get("/console/").status_code == 302


# The root user's own sessions


def _recover(person: Person, hers: Client) -> None:
    made = recover_root_user(operator(), account=person.account_id)
    token_of(made.secret["root_setup_url"])


def _roots_own_password(person: Person, hers: Client) -> None:
    fields = {"old_password": PASSWORD, "new_password": ANOTHER, "confirm_password": ANOTHER}
    assert hers.post(f"{ME}password/", fields).status_code == 302


def _roots_own_device(person: Person, hers: Client) -> None:
    fields = new_app(person, "third").two_codes() | {"nonce": new_nonce(person.user)}
    SECRETS.extend(
        re.findall(r">([A-Z2-7]{4}(?:-[A-Z2-7]{4}){3})<", hers.post(f"{ME}mfa/enable/", fields).content.decode())
    )
    assert MFADevice.objects.filter(user=person.user).count() == 2


def _new_link_of_root(person: Person, hers: Client) -> None:
    token_of(issue(person.user))


@pytest.mark.asvs("7.4.3")
@pytest.mark.parametrize(
    ("trigger", "lives"),
    [
        (_recover, [False, False, False]),
        (_roots_own_password, [True, False, False]),
        (_roots_own_device, [True, False, False]),
        (_new_link_of_root, [True, True, True]),
    ],
    ids=["recover", "own_password", "own_device", "new_link"],
)
def test_every_session_of_the_root_user_that_must_die_dies(
    root: Person, alice: Person, trigger: Callable[[Person, Client], None], lives: list[bool]
) -> None:
    give_password(root)
    give_password(alice)
    app = give_app(root.account_id, root.user, "roots")
    temporary = session_of(root, app)
    here, there, alices = _with_factor(root), _with_factor(root), signed_in(alice)
    trigger(root, here)
    for _ in range(2):
        assert [
            here.get("/console/").status_code == 200,
            there.get("/console/").status_code == 200,
            send_inside(signed(temporary, body_of("ListUsers"))).status == 200,
        ] == lives
    assert alices.get("/console/").status_code == 200


@pytest.mark.asvs("7.4.2")
def test_every_session_of_an_account_that_is_closed_dies(root: Person) -> None:
    give_password(root)
    give_app(root.account_id, root.user, "roots")
    hers, half_way = signed_in(root), a_client()
    half_way.post("/signin/?as=root", {"email": root.user.email, "password": PASSWORD})
    AccessKey.objects.filter(user=root.user).delete()  # which an account that is closed must not have
    assert [hers.get("/console/").status_code, half_way.get("/second-factor/").status_code] == [200, 200]
    close_account(operator(), account=root.account_id)
    assert [hers.get("/console/").status_code, half_way.get("/second-factor/").status_code] == [302, 302]
    assert not Session.objects.filter(pk=digest(hers.cookies["session"].value)).exists()
