"""Sign-in as a state machine: what each state may reach, that no step is left out, and that each has a session of its own."""

import base64
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from accounts.models import Session, Throttle, User
from accounts.nonces import new_nonce
from credentials.mfa.models import GuessBudget, MFADevice
from credentials.mfa.recovery_codes import issue
from credentials.operations.login_profiles import update_login_profile
from credentials.operations.mfa_devices import deactivate_mfa_device
from credentials.operations.mfa_requirements import update_mfa_requirement
from credentials.totp import code_at
from tests.authenticators import in_mfa_session
from tests.browser import PASSWORD, a_client, console_addresses, every_route, give_password
from tests.conftest import SECRETS, Person, allow, make_account, make_user
from tests.rows import events_of
from tests.test_console_signin import is_in, key_of, row_of

pytestmark = pytest.mark.pure

ANOTHER = "Green-Goose-8-Ladder"
NOWHERE = "/signin/?message=late"
SEEDS: dict[int, bytes] = {}


def add_device(user: User, name: str = "phone", **fields: Any) -> MFADevice:
    """Enable a virtual device for the user, as the operations do."""
    seed = secrets.token_bytes(20)
    SECRETS.append(base64.b32encode(seed).decode())
    device = MFADevice(
        account_id=user.account_id,
        user=user,
        kind="virtual",
        name=name,
        serial_number=f"arn:aws:iam::{user.account_id}:mfa/{name}-{secrets.token_hex(4)}",
        confirmed=True,
        enable_date=timezone.now(),
        **fields,
    )
    device.seal(seed)
    device.save()
    SEEDS[device.pk] = seed
    return device


def code_of(device: MFADevice, steps: int = 0) -> str:
    """The code the device shows now, or so many steps later."""
    return code_at(SEEDS[device.pk], device.step(datetime.now(UTC)) + steps)


@pytest.fixture
def carol(root: Person) -> Person:
    """May do everything, with a password and a device."""
    carol = make_user(root, "carol", allow("*"))
    give_password(carol)
    add_device(carol.user)
    return carol


def device_of(person: Person) -> MFADevice:
    """The person's first device."""
    return MFADevice.objects.filter(user=person.user).order_by("pk")[0]


def give_password_to(client: Client, person: Person, password: str = PASSWORD) -> Any:
    """Send the first form."""
    form = {"account": person.account_id, "user_name": person.name, "password": password}
    return client.post("/signin/", form)


def give_code(client: Client, code: str, query: str = "") -> Any:
    """Send the second."""
    return client.post(f"/second-factor/{query}", {"code": code})


def choose(client: Client, old: str = PASSWORD, new: str = ANOTHER) -> Any:
    """Send the form of the forced new password."""
    return client.post("/new-password/", {"old_password": old, "new_password": new, "confirm_password": new})


def require_mfa(root: Person, start_date: str = "2020-01-01", grace_period_days: int = 0) -> None:
    """Let the account demand an MFA device of everybody."""
    update_mfa_requirement(root.caller, start_date=start_date, grace_period_days=grace_period_days)


def shown_seed(page: Any) -> tuple[bytes, str]:
    """The seed that the page of the enrolment shows, and the serial number its form sends."""
    seed = "".join(page.context["groups"])
    SECRETS.append(seed)
    return base64.b32decode(seed), page.context["form"]["serial_number"].value()


def two_codes(seed: bytes) -> tuple[str, str]:
    """Two codes in a row, the second of which is the one of now."""
    step = int(datetime.now(UTC).timestamp()) // 30
    return code_at(seed, step - 1), code_at(seed, step)


def enable(client: Client, person: Person, serial_number: str, codes: tuple[str, str], step: str = "codes") -> Any:
    """Send the two codes of the forced enrolment."""
    return client.post(
        "/mfa-enrolment/",
        {
            "step": step,
            "serial_number": serial_number,
            "authentication_code1": codes[0],
            "authentication_code2": codes[1],
            "nonce": new_nonce(person.user),
        },
    )


# The way in


@pytest.mark.asvs("2.3.1")
def test_password_then_code_then_in(carol: Person):
    client = a_client()
    assert give_password_to(client, carol)["Location"] == "/second-factor/"
    assert not is_in(client)
    page = client.get("/second-factor/").content.decode()
    assert "phone" in page
    assert give_code(client, code_of(device_of(carol)))["Location"] == "/console/"
    assert is_in(client)
    event = [each for each in events_of(carol.account_id) if each.action == "iamconsole:SignIn"][-1]
    assert event.response["method"] == "password, virtual device phone"
    shown = client.get("/console/my-security-credentials/sign-ins/").content.decode()
    assert "password, virtual device phone" in shown


def test_root_too(root: Person):
    give_password(root)
    device = add_device(root.user)
    client = a_client()
    answer = client.post("/signin/?as=root", {"email": root.user.email, "password": PASSWORD})
    assert answer["Location"] == "/second-factor/"
    assert not is_in(client)
    assert give_code(client, code_of(device))["Location"] == "/console/"
    assert is_in(client)


def test_where_one_wanted_to_go_is_kept_through_the_steps_on_the_server(carol: Person):
    client = a_client()
    form = {"account": carol.account_id, "user_name": "carol", "password": PASSWORD}
    assert client.post("/signin/?next=/console/account/", form)["Location"] == "/second-factor/"
    assert give_code(client, code_of(device_of(carol)))["Location"] == "/console/account/"


def test_a_newcomer_with_a_device_takes_all_the_steps_in_their_order(root: Person):
    newcomer = make_user(root, "newcomer", allow("*"))
    give_password(newcomer, must_change=True)
    device = add_device(newcomer.user)
    client = a_client()
    assert give_password_to(client, newcomer)["Location"] == "/second-factor/"
    assert choose(client)["Location"] == NOWHERE
    assert give_password_to(client, newcomer)["Location"] == "/second-factor/"
    assert give_code(client, code_of(device))["Location"] == "/new-password/"
    assert client.get("/second-factor/")["Location"] == NOWHERE
    assert not is_in(client)
    assert choose(client)["Location"] == "/console/"
    assert is_in(client)


@pytest.mark.asvs("7.2.4")
def test_every_step_has_a_session_of_its_own_and_the_old_ones_are_dead(root: Person):
    newcomer = make_user(root, "newcomer", allow("*"))
    give_password(newcomer, must_change=True)
    device = add_device(newcomer.user)
    client = a_client()
    client.cookies["session"] = "a" * 32
    keys = ["a" * 32]
    give_password_to(client, newcomer)
    keys.append(key_of(client))
    give_code(client, code_of(device))
    keys.append(key_of(client))
    choose(client)
    keys.append(key_of(client))
    client.post("/console/confirm/", {"password": ANOTHER})
    keys.append(key_of(client))
    assert len(set(keys)) == 5
    assert is_in(client)
    for key in keys[:-1]:
        stranger = a_client()
        stranger.cookies["session"] = key
        assert not is_in(stranger)
        assert stranger.get("/second-factor/")["Location"] == NOWHERE
        assert stranger.get("/new-password/")["Location"] == NOWHERE


# Codes


@pytest.mark.asvs("6.5.1")
def test_wrong_old_and_used_codes_open_nothing_and_spaces_are_no_matter(carol: Person):
    device = device_of(carol)
    client = a_client()
    give_password_to(client, carol)
    code = code_of(device)
    wrong = f"{(int(code) + 1) % 1000000:06d}"
    for given in (wrong, code_of(device, -3), "", "x" * 6, code.translate({48 + n: 0xFF10 + n for n in range(10)})):
        answer = give_code(client, given)
        assert answer.status_code == 200
        assert not is_in(client)
    GuessBudget.objects.all().delete()
    assert give_code(client, f" {code[:3]} {code[3:]} ")["Location"] == "/console/"
    other = a_client()
    give_password_to(other, carol)
    assert "The code is not right, or was used before." in give_code(other, code).content.decode()
    assert not is_in(other)


def test_after_two_misses_the_page_says_what_may_be_the_matter(carol: Person):
    client = a_client()
    give_password_to(client, carol)
    assert "every 30 seconds" not in give_code(client, "000000").content.decode()
    assert "every 30 seconds" in give_code(client, "000000").content.decode()


@pytest.mark.asvs("6.6.3")
def test_guesses_are_counted_for_the_user_whatever_session_they_come_in(carol: Person):
    seen = []
    for _ in range(8):
        client = a_client()
        give_password_to(client, carol)
        seen.append(give_code(client, "000000").status_code)
    assert seen == [200] * 5 + [429] * 3
    client = a_client()
    give_password_to(client, carol)
    answer = give_code(client, code_of(device_of(carol)))
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert "Too many attempts. Try again in" in answer.content.decode()
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=5)):
        give_password_to(client, carol)
        assert give_code(client, code_of(device_of(carol)))["Location"] == "/console/"
    Throttle.objects.all().delete()  # what was used up five minutes from now


def test_who_mistypes_and_then_signs_in_or_confirms_has_nothing_add_up(carol: Person):
    device = device_of(carol)
    stranger, client = a_client(), a_client()
    for each in (stranger, client, client):
        give_password_to(each, carol)
        give_code(each, "000000")
    give_code(client, "111111")
    budget = GuessBudget.objects.get(user=carol.user)
    assert budget.failures == 4
    # The second password began another session, whose right code answers for itself alone.
    assert give_code(client, code_of(device))["Location"] == "/console/"
    budget.refresh_from_db()
    assert budget.failures == 2
    GuessBudget.objects.update(five_minutes=0)
    MFADevice.objects.filter(pk=device.pk).update(last_t=-1)
    for code, status, failures in (("000000", 200, 3), ("111111", 200, 4), (code_of(device), 302, 2)):
        assert client.post("/console/confirm/", {"device": device.pk, "code": code}).status_code == status
        budget.refresh_from_db()
        assert budget.failures == failures


def give_two(client: Client, device: MFADevice, off: int) -> Any:
    """Give the codes of that step from now and the next, as of a device whose clock is off."""
    pair = {"authentication_code1": code_of(device, off), "authentication_code2": code_of(device, off + 1)}
    return client.post(f"/second-factor/?device={device.pk}&off", pair)


@pytest.mark.asvs("6.5.1")
@pytest.mark.parametrize("off", [-20, -5, 0, 19])
def test_who_has_a_clock_that_is_off_signs_in_by_two_codes_in_a_row_which_set_it_right(carol: Person, off: int):
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        device, client = device_of(carol), a_client()
        give_password_to(client, carol)
        if off:
            for _ in range(2):
                answer = give_code(client, code_of(device, off + 2 if off > 0 else off - 2)).content.decode()
            assert f'href="?device={device.pk}&amp;off">sign in with two codes in a row' in answer
        assert "how far its clock is off" in client.get(f"/second-factor/?device={device.pk}&off").content.decode()
        wrong = GuessBudget.objects.filter(user=carol.user).values_list("failures", flat=True)
        assert list(wrong) == ([2] if off else [])
        assert give_two(client, device, off)["Location"] == "/console/"
        assert GuessBudget.objects.get(user=carol.user).failures == 0
        assert (
            events_of(carol.account_id)[-1].response["method"] == f"password, virtual device {device.name}, set right"
        )
        # Neither is good again; the next one of the same clock is, by itself.
        for code in (code_of(device, off), code_of(device, off + 1)):
            again = a_client()
            give_password_to(again, carol)
            give_code(again, code)
            assert not is_in(again)
        clock.shift(timedelta(seconds=30))
        assert give_code(again, code_of(device, off + 1))["Location"] == "/console/"


@pytest.mark.asvs("6.5.5")
def test_two_codes_that_are_too_far_off_not_in_a_row_used_or_wrong_open_nothing(carol: Person):
    with time_machine.travel(datetime.now(UTC), tick=False):
        device = device_of(carol)
        used = a_client()
        give_password_to(used, carol)
        assert give_code(used, code_of(device))["Location"] == "/console/"
        client = a_client()
        give_password_to(client, carol)
        seen = []
        for first, second in ((-22, -21), (21, 22), (0, 1), (1, 1), (1, 3), (2, 1), (-1, 0)):
            pair = {
                "authentication_code1": code_of(device, first),
                "authentication_code2": code_of(device, second),
            }
            answer = client.post(f"/second-factor/?device={device.pk}&off", pair)
            assert not is_in(client)
            seen.append((answer.status_code, "not two codes in a row" in answer.content.decode()))
            if len(seen) == 5:
                assert GuessBudget.objects.get(user=carol.user).failures == 5  # each pair is one guess
                assert answer.status_code == 200
        assert seen == [(200, True)] * 5 + [(429, False)] * 2
        GuessBudget.objects.all().delete()
        halves = {"authentication_code1": "x", "authentication_code2": "y"}
        for malformed in ({}, {"authentication_code1": "123456"}, halves):
            assert client.post(f"/second-factor/?device={device.pk}&off", malformed).status_code == 200
            assert not is_in(client)
        assert not GuessBudget.objects.filter(user=carol.user, failures__gt=0).exists()  # what is no code is no guess


def test_any_of_the_devices_signs_in_and_another_can_be_chosen(carol: Person):
    second = add_device(carol.user, "tablet")
    client = a_client()
    give_password_to(client, carol)
    assert "tablet" in client.get("/second-factor/").content.decode()
    query = f"?device={second.pk}"
    assert "<strong>tablet</strong>" in client.get(f"/second-factor/{query}").content.decode()
    assert give_code(client, code_of(second), query)["Location"] == "/console/"


def test_the_device_of_another_user_cannot_be_chosen(root: Person, carol: Person):
    theirs = add_device(root.user, "root-phone")
    client = a_client()
    give_password_to(client, carol)
    query = f"?device={theirs.pk}"
    page = client.get(f"/second-factor/{query}").content.decode()
    assert "root-phone" not in page
    assert give_code(client, code_of(theirs), query).status_code == 200
    assert not is_in(client)


def test_a_recovery_code_opens_once(carol: Person):
    codes = issue(carol.user)
    SECRETS.extend(codes)
    client = a_client()
    give_password_to(client, carol)
    assert "recovery code" in client.get("/second-factor/?device=recovery").content.decode()
    assert give_code(client, codes[0]).status_code == 200  # it is no code of the device
    assert give_code(client, codes[0].lower(), "?device=recovery")["Location"] == "/console/"
    again = a_client()
    give_password_to(again, carol)
    assert give_code(again, codes[0], "?device=recovery").status_code == 200
    assert not is_in(again)
    event = [each for each in events_of(carol.account_id) if each.result == "Success"][-1]
    assert event.response["method"] == "password, recovery code"


@pytest.mark.asvs("6.4.3")
def test_a_password_set_anew_does_not_pass_by_the_second_factor(root: Person, carol: Person):
    update_login_profile(root.caller, user_name="carol", password=ANOTHER, password_reset_required=False)
    client = a_client()
    assert give_password_to(client, carol, ANOTHER).url == "/second-factor/"
    assert not is_in(client)
    assert MFADevice.objects.filter(user=carol.user).count() == 1


def test_cancel_ends_the_pending_state(carol: Person):
    client = a_client()
    give_password_to(client, carol)
    client.post("/signout/")
    assert client.get("/second-factor/")["Location"] == NOWHERE


def test_the_pending_state_ends_after_five_minutes_and_when_anything_of_the_user_changes(carol: Person):
    client = a_client()
    give_password_to(client, carol)
    row = row_of(client)
    assert row.user_id is None  # not the user's session
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=301)):
        assert give_code(client, code_of(device_of(carol)))["Location"] == NOWHERE
    assert client.get("/second-factor/").status_code == 200
    User.objects.filter(pk=carol.user.pk).update(auth_epoch=carol.user.auth_epoch + 5)
    assert give_code(client, code_of(device_of(carol)))["Location"] == NOWHERE
    assert not is_in(client)


def test_in_policies_a_second_factor_is_present_for_who_showed_it(root: Person):
    import json

    policy = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Action": "iam:ListUsers",
                "Resource": "*",
                "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
            },
        }
    )
    dora = make_user(root, "dora", policy)
    give_password(dora)
    client = a_client()
    give_password_to(client, dora)
    assert client.get("/console/accounts/user/").status_code == 403
    device = add_device(dora.user)
    give_password_to(client, dora)
    give_code(client, code_of(device))
    assert client.get("/console/accounts/user/").status_code == 200


def test_a_sensitive_change_can_be_confirmed_by_a_code(carol: Person):
    device = device_of(carol)
    client = a_client()
    give_password_to(client, carol)
    give_code(client, code_of(device))
    session = client.session
    session["proved"] -= 16 * 60
    session.save()
    asked = client.post("/console/accounts/user/carol/tags/", {"tag_key": "team", "tag_value": "blue"})
    assert asked.status_code == 403
    again = asked.context["form"]["again"].value()
    wrong = client.post("/console/confirm/", {"device": device.pk, "code": "000000", "again": again})
    assert "not right" in wrong.content.decode()
    nothing = client.post("/console/confirm/", {"device": device.pk, "again": again})
    assert "Enter your password or an MFA code." in nothing.content.decode()
    fields = {"device": device.pk, "code": code_of(device, 1), "again": again}
    assert client.post("/console/confirm/", fields).status_code == 302
    assert User.objects.get(pk=carol.user.pk).tags == [{"key": "team", "value": "blue"}]


# Nothing but the next step


def everything_of(account_id: str) -> list[Any]:
    """What must not change half-way: devices, keys, policies, users and sessions of the account."""
    from permissions.models import UserPolicy

    return [
        sorted(MFADevice.objects.filter(account=account_id).values_list("pk", "user")),
        sorted(User.objects.filter(account=account_id).values_list("pk", "auth_epoch", "password")),
        sorted(UserPolicy.objects.filter(user__account=account_id).values_list("pk", "policy_document")),
        sorted(Session.objects.filter(user__account=account_id).values_list("pk")),
    ]


STEPS = {"second-factor", "new-password", "mfa-enrolment"}
OPEN = {  # what anybody reaches, signed in or not
    "api", "authorize", "signin", "signin-account", "setup", "signout", "theme", "help", "healthz", "readyz",
    "password-expired", "ssh-login-names", "ssh-authorized-keys",
}  # fmt: skip


@pytest.mark.asvs("2.3.1")
@pytest.mark.asvs("6.3.3")
@pytest.mark.parametrize("state", sorted(STEPS))
def test_with_the_password_alone_no_page_and_no_action_answers_but_the_next_step(root: Person, state: str):
    person = make_user(root, "dora", allow("*"))
    give_password(person, must_change=state == "new-password")
    if state == "second-factor":
        add_device(person.user)
    require_mfa(root)  # with a device or a new password owed first, it must not open the door of enrolment
    client = a_client()
    assert give_password_to(client, person)["Location"] == f"/{state}/"
    before = everything_of(person.account_id)
    names = {"user_name": "dora", "access_key_id": person.access_key_id, "policy_name": "given"}
    fields = {"code": "000000", "password": PASSWORD, "user_name": "x", "policy_name": "p", "typed_name": "dora"}
    for address in console_addresses(**names):
        for ask in (client.get, client.head, client.post, client.put, client.delete):
            answer = ask(address, fields if ask == client.post else None)
            assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/signin/"), address
    fields |= {"step": "name", "virtual_mfa_device_name": "sly", "nonce": new_nonce(person.user)}
    for step in STEPS - {state}:
        assert client.get(f"/{step}/")["Location"] == NOWHERE
        assert client.post(f"/{step}/", fields)["Location"] == NOWHERE
    routes = {name for name, _ in every_route() if not name.startswith("admin:")}
    assert routes - OPEN == STEPS
    assert everything_of(person.account_id) == before
    assert client.get(f"/{state}/").status_code == 200  # nothing of it has moved the state
    assert "Sign out" not in client.get("/help/").content.decode()


class Visit(RuleBasedStateMachine):
    """A visitor of any skill does whatever in whatever order; a model of three facts says where that leads."""

    def __init__(self) -> None:
        super().__init__()
        self.root = make_account()
        self.person = make_user(self.root, "dora", allow("*"))
        give_password(self.person, must_change=True)
        require_mfa(self.root)
        self.device: MFADevice | None = None
        self.password = PASSWORD
        self.must_change = True
        self.state = "out"
        self.client = a_client()
        self.shown = False
        self.keys: set[str] = set()

    def _moved(self, state: str) -> None:
        self.state = state
        key = self.client.cookies["session"].value
        assert key not in self.keys
        self.keys.add(key)

    def _next(self, *, shown: bool) -> tuple[str, str]:
        """The state after a step, and its address; ``shown``: a second factor was."""
        if self.device and not shown:
            state = "second-factor"
        elif self.must_change:
            state = "new-password"
        else:
            state = "in" if shown else "mfa-enrolment"
        return state, "/console/" if state == "in" else f"/{state}/"

    def _go(self, answer: Any, *, shown: bool) -> None:
        state, address = self._next(shown=shown)
        assert answer["Location"] == address
        self.shown = shown
        self._moved(state)

    @rule()
    def right_password(self) -> None:
        """Sign in, wherever one was."""
        self._go(give_password_to(self.client, self.person, self.password), shown=False)

    @rule()
    def wrong_password(self) -> None:
        """Fail, which changes nothing."""
        assert give_password_to(self.client, self.person, "wrong").status_code in (200, 429)

    @rule()
    def right_code(self) -> None:
        """Give a code of the device that was not used."""
        if self.device:
            MFADevice.objects.filter(pk=self.device.pk).update(last_t=-1)
        GuessBudget.objects.all().delete()
        answer = give_code(self.client, code_of(self.device) if self.device else "123456")
        if self.state == "second-factor":
            self._go(answer, shown=True)
        else:
            assert answer["Location"] == NOWHERE

    @rule()
    def wrong_code(self) -> None:
        """Give a code that is none."""
        answer = give_code(self.client, "12345")
        if self.state == "second-factor":
            assert answer.status_code in (200, 429)
        else:
            assert answer["Location"] == NOWHERE

    @rule()
    def new_password(self) -> None:
        """Choose another password."""
        new = f"Green-Goose-{len(self.keys)}-{secrets.token_hex(2)}"
        SECRETS.append(new)
        answer = choose(self.client, self.password, new)
        if self.state == "new-password":
            self.password, self.must_change = new, False
            self._go(answer, shown=self.shown)
        else:
            assert answer["Location"] == NOWHERE

    @rule()
    def enrol(self) -> None:
        """Make a device and enable it by two codes."""
        nonce = new_nonce(self.person.user)
        made = self.client.post("/mfa-enrolment/", {"virtual_mfa_device_name": "phone", "nonce": nonce})
        if self.state != "mfa-enrolment":
            assert made["Location"] == NOWHERE
            assert enable(self.client, self.person, "arn:aws:iam::1:mfa/x", ("123456", "654321"))["Location"] == NOWHERE
            return
        seed, serial_number = shown_seed(made)
        answer = enable(self.client, self.person, serial_number, two_codes(seed))
        assert answer.status_code == 200
        SECRETS.extend(answer.context["codes"])
        self.device = MFADevice.objects.get(user=self.person.user)
        SEEDS[self.device.pk] = seed
        self.shown = True
        self._moved("in")

    @rule()
    def enrol_with_wrong_codes(self) -> None:
        """Enable nothing."""
        answer = enable(self.client, self.person, "arn:aws:iam::1:mfa/x", ("12345", ""))
        assert answer.status_code == 200 if self.state == "mfa-enrolment" else answer["Location"] == NOWHERE

    @rule()
    def removed_by_an_administrator(self) -> None:
        """The device is lost, and taken away: whoever is in or half-way in is out, and enrols anew."""
        if self.device:
            deactivate_mfa_device(in_mfa_session(self.root), user_name="dora", serial_number=self.device.serial_number)
            self.device, self.state = None, "out"

    @precondition(lambda self: self.state == "in")
    @rule()
    def ended_by_an_administrator(self) -> None:
        """Every session ends."""
        from accounts.operations.sessions import end_all_sessions

        end_all_sessions(self.root.caller, user_name="dora")
        self.state = "out"

    @rule()
    def sign_out(self) -> None:
        """Leave."""
        self.client.post("/signout/")
        self.state = "out"

    @invariant()
    def the_console_answers_who_is_in_and_nobody_else(self) -> None:
        """What the model says is so."""
        assert is_in(self.client) is (self.state == "in")
        for step in STEPS:
            assert (self.client.get(f"/{step}/").status_code == 200) is (self.state == step)
        assert Session.objects.filter(user=self.person.user).exists() is (self.state == "in")


@pytest.mark.asvs("2.3.1")
def test_no_order_of_steps_leads_in_but_the_right_one(rounds: Any):
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        Visit,
        settings=settings(
            max_examples=rounds(8, 150),
            stateful_step_count=16,
            deadline=None,
            suppress_health_check=checks,
            database=None,
        ),
    )
