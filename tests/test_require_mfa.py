"""An account that requires MFA: who has no device enables one half-way in, and only then; what is asked, told and refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.nonces import new_nonce
from credentials.mfa.models import MFADevice, MFARequirement
from credentials.models import LoginProfile
from credentials.operations.mfa_devices import deactivate_mfa_device
from credentials.operations.mfa_requirements import delete_mfa_requirement, preview_mfa_requirement
from credentials.operations.required_mfa_devices import create_required_mfa_device, enable_required_mfa_device
from iamconsole.errors import AccessDenied, NoSuchEntity
from iamconsole.operation import find
from permissions.operations.inline import put_user_policy
from tests.authenticators import App, give_app, in_mfa_session, session_of
from tests.browser import PASSWORD, a_client, give_password, signed_in
from tests.conftest import ALLOW_ALL, SECRETS, Person, allow, caller_for, make_user
from tests.everything import BY_CALLERS, furnish, parameters
from tests.raw import body_of, run, send_inside, signed
from tests.rows import events_of
from tests.test_console_signin import is_in
from tests.test_signin_states import (
    NOWHERE,
    SEEDS,
    add_device,
    choose,
    code_of,
    enable,
    give_code,
    give_password_to,
    require_mfa,
    shown_seed,
    two_codes,
)

DENY_ALL = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})
WITH_MFA = json.dumps(
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
PAGE = "/console/account/mfa-requirement/"


@pytest.fixture
def dora(root: Person) -> Person:
    """Has a password, no device, and may only what asks for a second factor."""
    dora = make_user(root, "dora", WITH_MFA)
    give_password(dora)
    return dora


def text(answer: Any) -> str:
    return str(answer.content.decode())


def name_it(client: Client, person: Person, name: str = "phone") -> Any:
    """Send the first form of the enrolment."""
    return client.post("/mfa-enrolment/", {"virtual_mfa_device_name": name, "nonce": new_nonce(person.user)})


def half_way(person: Person) -> Client:
    """A client that owes the enrolment."""
    client = a_client()
    assert give_password_to(client, person)["Location"] == "/mfa-enrolment/"
    return client


def enrolled(client: Client, person: Person) -> Any:
    """Go through the enrolment. Returns the page of the recovery codes."""
    seed, serial_number = shown_seed(name_it(client, person))
    answer = enable(client, person, serial_number, two_codes(seed))
    SECRETS.extend(answer.context["codes"])
    SEEDS[MFADevice.objects.get(user=person.user).pk] = seed
    return answer


def enrolling(person: Person) -> Any:
    """The caller of the step, with a form's nonce."""
    return replace(caller_for(person.user, "console"), enrolling=True, nonce=new_nonce(person.user))


def actions_of(root: Person, after: int) -> list[tuple[str, str]]:
    return [(event.action, event.result) for event in events_of(root.account_id)[after:]]


# The step


@pytest.mark.asvs("6.3.3")
def test_who_has_no_device_enables_one_at_sign_in_and_is_in_with_mfa(root: Person, dora: Person):
    require_mfa(root)
    before = len(events_of(root.account_id))
    client = half_way(dora)
    assert not is_in(client)
    assert "requires multi-factor authentication" in text(client.get("/mfa-enrolment/"))
    assert "Step 1" not in text(client.get("/mfa-enrolment/"))  # the only one
    made = name_it(client, dora)
    assert made["Cache-Control"] == "no-store"
    assert "<svg" in text(made)
    assert not is_in(client)
    seed, serial_number = shown_seed(made)
    page = enable(client, dora, serial_number, two_codes(seed))
    codes = page.context["codes"]
    SECRETS.extend(codes)
    assert (len(codes), page["Cache-Control"]) == (10, "no-store")
    assert 'href="/console/"' in text(page)
    assert is_in(client)
    assert client.get("/console/accounts/user/").status_code == 200  # its policy asks for a second factor
    assert actions_of(root, before) == [
        ("iamconsole:CreateRequiredMFADevice", "Success"),
        ("iamconsole:EnableRequiredMFADevice", "Success"),
        ("iamconsole:SignIn", "Success"),
    ]
    assert events_of(root.account_id)[-1].response["method"] == "password, new MFA device"
    other = a_client()
    assert give_password_to(other, dora)["Location"] == "/second-factor/"
    assert give_code(other, codes[0], "?device=recovery")["Location"] == "/console/"


def test_the_root_user_too(root: Person):
    require_mfa(root)
    give_password(root)
    client = a_client()
    answer = client.post("/signin/?as=root", {"email": root.user.email, "password": PASSWORD})
    assert answer["Location"] == "/mfa-enrolment/"
    assert not is_in(client)
    enrolled(client, root)
    assert is_in(client)


def test_a_new_password_comes_before_the_device_and_the_session_after_both(root: Person):
    newcomer = make_user(root, "newcomer", allow("iam:ChangePassword"))
    give_password(newcomer, must_change=True)
    require_mfa(root)
    client = a_client()
    assert give_password_to(client, newcomer)["Location"] == "/new-password/"
    assert client.get("/mfa-enrolment/")["Location"] == NOWHERE
    assert give_password_to(client, newcomer)["Location"] == "/new-password/"
    assert "Step 1 of 2" in text(client.get("/new-password/"))
    assert choose(client)["Location"] == "/mfa-enrolment/"
    assert not is_in(client)
    assert "Step 2 of 2" in text(client.get("/mfa-enrolment/"))
    assert "Step 2 of 2" in text(client.get("/mfa-enrolment/?token"))
    enrolled(client, newcomer)
    assert is_in(client)


def test_every_other_session_ends_when_the_first_device_is_enabled(root: Person, dora: Person):
    before = signed_in(dora)
    temporary = session_of(dora)
    with_a_session = signed(temporary, body_of("GetCallerIdentity", "sts"), service="sts")
    require_mfa(root)
    first, other = half_way(dora), half_way(dora)
    assert before.get("/console/").status_code == 200
    assert send_inside(with_a_session).status == 200
    enrolled(first, dora)
    assert [is_in(each) for each in (first, before, other)] == [True, False, False]
    assert other.get("/mfa-enrolment/")["Location"] == NOWHERE
    assert send_inside(with_a_session).status == 403


@pytest.mark.parametrize("policy", [None, DENY_ALL], ids=["without a policy", "all denied"])
def test_no_policy_keeps_somebody_from_the_device_that_the_account_demands(root: Person, policy: str | None):
    person = make_user(root, "dora", policy)
    give_password(person)
    require_mfa(root)
    client = half_way(person)
    enrolled(client, person)
    assert client.get("/console/").status_code == 200


def test_a_hardware_token_of_the_inventory_will_do(root: Person, dora: Person):
    token = give_app(root.account_id, None, "TOKEN-000001", kind="hardware")
    require_mfa(root)
    client = half_way(dora)
    assert "back of the token" in text(client.get("/mfa-enrolment/?token"))
    page = enable(client, dora, token.serial_number, (token.code(-1), token.code()), step="token")
    SECRETS.extend(page.context["codes"])
    assert is_in(client)
    assert MFADevice.objects.get(user=dora.user).kind == "hardware"


def test_wrong_codes_enable_nothing_and_the_key_is_not_shown_again(root: Person, dora: Person):
    require_mfa(root)
    client = half_way(dora)
    seed, serial_number = shown_seed(name_it(client, dora))
    answer = enable(client, dora, serial_number, ("000000", "000001"))
    assert "Authentication code for device is not valid." in text(answer)
    assert "<svg" not in text(answer)
    assert not is_in(client)
    SECRETS.extend(enable(client, dora, serial_number, two_codes(seed)).context["codes"])
    assert is_in(client)


@pytest.mark.pure
def test_the_step_is_open_for_five_minutes(root: Person, dora: Person):
    require_mfa(root)
    client = half_way(dora)
    seed, serial_number = shown_seed(name_it(client, dora))
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=301)):
        assert enable(client, dora, serial_number, two_codes(seed))["Location"] == NOWHERE
    assert not MFADevice.objects.filter(user=dora.user).exists()


def test_a_form_that_is_sent_twice_shows_no_second_key(root: Person, dora: Person):
    require_mfa(root)
    client = half_way(dora)
    form = {"virtual_mfa_device_name": "phone", "nonce": new_nonce(dora.user)}
    shown_seed(client.post("/mfa-enrolment/", form))
    assert "already shown" in text(client.post("/mfa-enrolment/", form))
    assert "out of date" in text(client.post("/mfa-enrolment/", form | {"nonce": ""}))


def test_what_is_left_half_way_is_one_device_at_most(root: Person, dora: Person):
    require_mfa(root)
    for name in ("phone", "tablet", "phone"):
        client = half_way(dora)
        shown_seed(name_it(client, dora, name))
    assert [each.name for each in MFADevice.objects.filter(account=root.account_id)] == ["phone"]


# Nobody else


@pytest.mark.asvs("6.3.3")
def test_a_password_alone_adds_no_factor_where_there_is_one_or_none_is_demanded(root: Person, dora: Person):
    app = App("x", b"")
    enable_it = {**app.two_codes(), "serial_number": "TOKEN-000001"}
    token = give_app(root.account_id, None, "TOKEN-000001", kind="hardware")
    good = {
        "serial_number": "TOKEN-000001",
        "authentication_code1": token.code(-1),
        "authentication_code2": token.code(),
    }

    def refused() -> None:
        for operation, given in (
            (create_required_mfa_device, {"virtual_mfa_device_name": "sly"}),
            (enable_required_mfa_device, good),
            (enable_required_mfa_device, enable_it),
        ):
            with pytest.raises(AccessDenied, match="only while the account demands one and the user has none"):
                operation(enrolling(dora), **given)

    refused()  # nothing is demanded
    require_mfa(root, "2099-01-01")
    refused()  # not yet
    require_mfa(root, grace_period_days=1)
    refused()  # in grace
    require_mfa(root)
    device = add_device(dora.user)
    refused()  # there is a factor
    assert [each.pk for each in MFADevice.objects.filter(user=dora.user)] == [device.pk]
    assert MFADevice.objects.filter(account=root.account_id).count() == 2


def test_a_device_that_was_added_meanwhile_ends_the_step(root: Person, dora: Person):
    require_mfa(root)
    first, second = half_way(dora), half_way(dora)
    seed, serial_number = shown_seed(name_it(second, dora))
    token = give_app(root.account_id, None, "TOKEN-000002", kind="hardware")
    page = enable(first, dora, token.serial_number, (token.code(-1), token.code()), step="token")
    SECRETS.extend(page.context["codes"])
    assert enable(second, dora, serial_number, two_codes(seed))["Location"] == NOWHERE
    assert MFADevice.objects.filter(user=dora.user).count() == 1


def test_no_full_session_and_no_key_reaches_the_step(root: Person, dora: Person):
    require_mfa(root)
    client = signed_in(dora)
    assert name_it(client, dora)["Location"] == NOWHERE
    for caller in (caller_for(dora.user), replace(caller_for(dora.user, "console"), nonce=new_nonce(dora.user))):
        with pytest.raises(AccessDenied, match="is for a user half-way in at sign-in"):
            create_required_mfa_device(caller, virtual_mfa_device_name="sly")


def test_another_users_device_and_the_accounts_loose_ones_are_not_to_be_taken(root: Person, dora: Person):
    require_mfa(root)
    loose = give_app(root.account_id, None, "loose")
    carol = make_user(root, "carol", ALLOW_ALL)
    theirs = give_app(root.account_id, carol.user, "carols")
    client = half_way(dora)
    for app in (loose, theirs):
        answer = enable(client, dora, app.serial_number, (app.code(-1), app.code()))
        assert "does not exist." in text(answer)
    with pytest.raises(NoSuchEntity):
        enable_required_mfa_device(enrolling(dora), **loose.two_codes(-1))
    assert not is_in(client)


def test_who_enrols_may_do_nothing_else(root: Person, subtests: Any):
    values = furnish(root)
    caller = replace(caller_for(root.user, "console"), enrolling=True, nonce=new_nonce(root.user))
    for operation in BY_CALLERS:
        with (
            subtests.test(operation.action),
            pytest.raises(AccessDenied, match="is not for a user half-way in at sign-in"),
        ):
            operation(caller, **parameters(operation, values))


# When


def at(when: datetime, act: Callable[[], Any]) -> Any:
    with time_machine.travel(when, tick=False):
        return act()


def test_grace_counts_from_the_later_of_the_day_and_the_access_to_the_console(root: Person, dora: Person):
    day = datetime(2027, 3, 1, tzinfo=UTC)
    require_mfa(root, "2027-03-01", 3)
    User.objects.filter(pk=dora.user.pk).update(password_last_changed=day)

    def where() -> str:
        return str(give_password_to(a_client(), dora)["Location"])

    assert at(day - timedelta(days=30), where) == "/console/"
    assert at(day + timedelta(days=3, seconds=-1), where) == "/console/"
    assert at(day + timedelta(days=3), where) == "/mfa-enrolment/"
    LoginProfile.objects.filter(user=dora.user).update(create_date=day + timedelta(days=10))
    assert at(day + timedelta(days=13, seconds=-1), where) == "/console/"
    assert at(day + timedelta(days=13), where) == "/mfa-enrolment/"


@pytest.mark.pure
def test_in_grace_the_dashboard_says_by_when(root: Person, dora: Person):
    require_mfa(root, "2099-12-01", 2)
    client = a_client()
    assert give_password_to(client, dora)["Location"] == "/console/"
    page = text(client.get("/console/"))
    assert "Add an MFA device by 3 December 2099" in page
    assert 'href="/console/my-security-credentials/mfa/assign/"' in page
    add_device(dora.user)
    assert "Add an MFA device" not in text(client.get("/console/"))


def test_keys_and_the_credentials_they_get_go_on(root: Person):
    robot = make_user(root, "robot", ALLOW_ALL)
    give_password(robot)
    require_mfa(root)
    assert robot.caller.mfa_time is None
    assert preview_mfa_requirement(caller_for(robot.user), start_date="2020-01-01")["console_users"] == 1
    assert session_of(robot).session_token


# The last device


def test_ones_own_last_device_stays_while_one_is_demanded(root: Person, dora: Person):
    device = add_device(dora.user)
    mighty = make_user(root, "erin", allow("iam:*"))
    caller = replace(caller_for(dora.user, "console"), mfa_time=datetime.now(UTC))
    put_user_policy(root.caller, user_name="dora", policy_name="all", policy_document=ALLOW_ALL)
    require_mfa(root)
    with pytest.raises(AccessDenied, match="this is your last MFA device: assign another one first"):
        deactivate_mfa_device(caller, serial_number=device.serial_number)
    second = add_device(dora.user, "tablet")
    deactivate_mfa_device(caller, serial_number=device.serial_number)
    assert [each.pk for each in MFADevice.objects.filter(user=dora.user)] == [second.pk]
    # An administrator can, for the day it is lost; then another is enabled at the next sign-in.
    deactivate_mfa_device(in_mfa_session(mighty), user_name="dora", serial_number=second.serial_number)
    half_way(dora)


def test_in_grace_it_may_go(root: Person, dora: Person):
    device = add_device(root.user)
    require_mfa(root, "2099-01-01")
    deactivate_mfa_device(
        replace(caller_for(root.user, "console"), mfa_time=datetime.now(UTC)), serial_number=device.serial_number
    )
    assert not MFADevice.objects.filter(user=root.user).exists()


@pytest.mark.pure
def test_the_page_says_why_it_stays(root: Person):
    require_mfa(root)
    give_password(root)
    device = add_device(root.user)
    client = a_client()
    client.post("/signin/?as=root", {"email": root.user.email, "password": PASSWORD})
    give_code(client, code_of(device))
    address = reverse("admin:me-mfa-remove", args=[device.serial_number])
    answer = client.post(address, {"understood": "on"})
    assert "Your account requires MFA, and this is your last MFA device" in text(answer)
    assert MFADevice.objects.filter(user=root.user).exists()


# The setting


def test_the_page_tells_whom_it_touches_before_it_saves(root: Person, dora: Person):
    for name in ("carol", "erin"):
        add_device(make_console_user(root, name).user)
    make_console_user(root, "frank")
    make_user(root, "robot")
    give_password(root)
    client = signed_in(root)
    assert "signs in with the password alone" in text(client.get("/console/account/"))
    page = text(client.get(PAGE))
    assert "aws:MultiFactorAuthPresent" in page
    assert "Nobody is locked out" in page
    form = {"required": "yes", "start_date": "2020-01-01", "grace_period_days": "0"}
    review = text(client.post(PAGE, form | {"step": "review"}))
    assert "3 of 5 console users have no MFA device; 3 would have to set one up at the next sign-in." in review
    assert "?console=enabled&amp;mfa=no" in review
    assert not requirement_of(root)
    later = text(client.post(PAGE, form | {"step": "review", "grace_period_days": "7"}))
    assert "3 of 5 console users have no MFA device; 0 would" in later
    before = len(events_of(root.account_id))
    assert client.post(PAGE, form | {"step": "save"})["Location"] == "/console/account/"
    assert actions_of(root, before) == [("iamconsole:UpdateMFARequirement", "Success")]
    assert "From 2020-01-01 (UTC) on every console user needs an MFA device." in text(client.get("/console/account/"))
    assert is_in(client)  # who set it is not out, and enrols at the next sign-in as everybody
    assert "no longer" in text(client.post(PAGE, {"required": "no", "step": "review"}))
    client.post(PAGE, {"required": "no", "step": "save"})
    assert not requirement_of(root)
    assert "requires no MFA device as it is" in text(client.post(PAGE, {"required": "no", "step": "save"}))


def requirement_of(root: Person) -> bool:
    return MFARequirement.objects.filter(account=root.account_id).exists()


def make_console_user(root: Person, name: str) -> Person:
    person = make_user(root, name)
    give_password(person)
    return person


@pytest.mark.pure
@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("start_date", "", "Enter the day from which"),
        ("start_date", "soon", "YYYY-MM-DD"),
        ("grace_period_days", "91", "90"),
        ("required", "maybe", "maybe"),
    ],
)
def test_what_is_no_setting_is_told_at_its_field(root: Person, field: str, value: str, told: str):
    form = {"required": "yes", "start_date": "2026-12-01", "grace_period_days": "7", "step": "save"} | {field: value}
    answer = text(signed_in(root).post(PAGE, form))
    assert "Error: " in answer
    assert told in answer
    assert not requirement_of(root)


def test_it_is_set_by_who_may_and_has_just_proved_to_be_who_it_is(root: Person, dora: Person, mallory: Person):
    form = {"required": "yes", "start_date": "2026-12-01", "grace_period_days": "7", "step": "save"}
    client = signed_in(mallory)
    assert "iamconsole:GetMFARequirement" in text(client.get(PAGE))
    assert "iamconsole:GetMFARequirement" in text(client.post(PAGE, form))
    assert not requirement_of(root)
    client = signed_in(root)
    session = client.session
    session["proved"] -= 16 * 60
    session.save()
    assert client.post(PAGE, form).status_code == 403
    assert not requirement_of(root)


def test_by_the_api(root: Person, alice: Person, server: Any):
    update, get, delete = (find("iamconsole", f"{verb}MFARequirement") for verb in ("Update", "Get", "Delete"))
    assert update and get and delete
    assert run(alice, get.model, {}).code == "NoSuchEntity"
    assert run(alice, update.model, {"start_date": "2026-13-01"}).code == "InvalidInput"
    assert run(alice, update.model, {"start_date": "2026-12-01", "grace_period_days": 14}).status == 200
    told = run(alice, get.model, {})
    assert (told.text("StartDate"), told.text("GracePeriodDays")) == ("2026-12-01", "14")
    assert run(alice, delete.model, {}).status == 200
    with pytest.raises(NoSuchEntity):
        delete_mfa_requirement(root.caller)
