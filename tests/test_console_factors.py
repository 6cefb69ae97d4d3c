"""Passkeys and text messages: assigned in the console, asked for at sign-in and when who is in is asked again."""

import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.templatetags.static import static
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import CDPSession, Page, expect

from accounts.models import Throttle
from credentials.mfa.models import GuessBudget, MFADevice, PasskeyChallenge, TextCode
from credentials.mfa.recovery_codes import issue
from credentials.mfa.throttle import MOST_FAILURES
from tests.authenticators import App, SecurityKey, a_number, give_app, give_key, give_number, text_code
from tests.browser import Visitor, a_client, give_password, nonce_in, proved, signed_in
from tests.conftest import SECRETS, Person
from tests.everything import file_of_tokens
from tests.rows import events_of
from tests.test_api_mfa import oathtool
from tests.test_console_mfa import codes_on, scan, text, with_factor
from tests.test_console_signin import is_in
from tests.test_signin_states import NOWHERE, give_code, give_password_to

pytestmark = pytest.mark.pure

ME = "/console/my-security-credentials/"
PASSKEY, NUMBERS = f"{ME}mfa/passkey/", f"{ME}mfa/text-message/"
STEP = "/second-factor/"
OTHER = a_number()
NOT_IT = "does not fit what it was asked"


def half_way(person: Person, **options: Any) -> Client:
    """A client in which the person's password was given."""
    client = a_client(**options)
    give_password_to(client, person)
    return client


def asked(client: Client, address: str = STEP) -> dict[str, Any]:
    """What the browser is to ask of a passkey."""
    return dict(client.post(address, {"go": "passkey"}).json())


def send(client: Client, device: MFADevice) -> Any:
    """Press Send code. The answer is the page after it."""
    return client.post(f"{STEP}?device={device.pk}", {"go": "text"}, follow=True)


def wrong(code: str) -> str:
    """A code that is not this one."""
    return f"{(int(code) + 1) % 10**6:06d}"


def methods_of(person: Person) -> list[str]:
    """How the person signed in and tried to, as the trail has it."""
    events = [each for each in events_of(person.account_id) if each.action == "iamconsole:SignIn"]
    return [f"{each.result} {each.response['method']}" for each in events if each.actor_id == person.user.user_id]


@pytest.fixture
def erin(alice: Person) -> Person:
    """alice, who has a password."""
    give_password(alice)
    return alice


# Assigning


@pytest.mark.parametrize("who", ["alice", "root"])
def test_a_passkey_is_assigned_and_followed_by_recovery_codes(who: str, request: pytest.FixtureRequest) -> None:
    person: Person = request.getfixturevalue(who)
    client, elsewhere, key = signed_in(person), signed_in(person), SecurityKey()
    step = client.post(PASSKEY, {"mfa_device_name": "blue-key"})
    options = json.loads(step.context["options"])
    answers = {"mfa_device_name": "blue-key", "credential": key.create(options), "nonce": nonce_in(step)}
    assert len(codes_on(text(client.post(PASSKEY, answers)))) == 10
    device = MFADevice.objects.get(user=person.user)
    owner = "user/alice" if who == "alice" else "root-account"
    assert device.serial_number.startswith(f"arn:aws:iam::{person.account_id}:u2f/{owner}/blue-key-")
    card = text(client.get(ME))
    assert "Passkey or security key" in card
    assert "/resync/" not in card
    assert elsewhere.get(ME).status_code == 302


def test_what_a_passkey_answered_wrongly_begins_anew(alice: Person) -> None:
    client = signed_in(alice)
    options = json.loads(client.post(PASSKEY, {"mfa_device_name": "key"}).context["options"])
    good = SecurityKey().create(options)
    elsewhere = SecurityKey(origin="https://evil.example").create(options)
    for answer in (elsewhere, good, "{}", "x" * 70_000):  # the challenge was spent by the first
        page = client.post(PASSKEY, {"mfa_device_name": "key", "credential": answer})
        assert "Error:" in text(page)
        assert page.context["options"] == ""
        assert 'value="key"' in text(page)
    assert not MFADevice.objects.filter(user=alice.user).exists()


def test_a_bad_name_is_told_before_the_passkey_is_asked(alice: Person) -> None:
    client = signed_in(alice)
    for page in (PASSKEY, NUMBERS):
        answer = client.post(page, {"mfa_device_name": "blue key", "phone_number": OTHER})
        assert "without spaces" in text(answer)
    assert not PasskeyChallenge.objects.filter(user=alice.user).exists()
    assert not TextCode.objects.filter(user=alice.user).exists()


@pytest.mark.asvs("6.6.1")
def test_a_number_is_assigned_by_the_code_that_was_sent_to_it(alice: Person) -> None:
    client, number = signed_in(alice), a_number()
    page = client.get(NUMBERS)
    assert "the weakest kind" in text(page)
    assert "sms-outbox.jsonl" in text(page)
    assert not TextCode.objects.filter(user=alice.user).exists()
    assert "Begin with +" in text(client.post(NUMBERS, {"mfa_device_name": "mobile", "phone_number": "0555"}))
    answers = {"mfa_device_name": "mobile", "phone_number": f"{number[:2]} ({number[2:5]}) {number[5:]}"}
    step = client.post(NUMBERS, answers)
    first = text_code(number)
    answers |= {"phone_number": number, "nonce": nonce_in(step)}
    refused = client.post(NUMBERS, answers | {"authentication_code1": wrong(first)})
    assert "not the one that was sent last" in text(refused)
    client.post(NUMBERS, {"mfa_device_name": "mobile", "phone_number": number})  # Send another code
    code = text_code(number)
    spaced = f"{code[:3]} {code[3:]}"
    assert len(codes_on(text(client.post(NUMBERS, answers | {"authentication_code1": spaced})))) == 10
    assert MFADevice.objects.get(user=alice.user).phone_number == number
    card = text(client.get(ME))
    assert f"ends in {number[-2:]}" in card
    assert "/resync/" not in card


def test_text_messages_are_off_with_the_reason_until_the_operator_names_a_gateway(alice: Person, settings: Any) -> None:
    settings.SMS_URL = ""
    client = signed_in(alice)
    page = text(client.get(NUMBERS))
    assert "has named no gateway (<code>SMS_URL</code>)" in page
    assert 'name="phone_number"' not in page
    refused = client.post(NUMBERS, {"mfa_device_name": "mobile", "phone_number": OTHER})
    assert "Text messages are off" in text(refused)


def test_a_gateway_that_is_down_when_a_number_is_assigned_is_told(alice: Person, settings: Any) -> None:
    settings.SMS_URL = "json://127.0.0.1:9/{number}"
    answer = signed_in(alice).post(NUMBERS, {"mfa_device_name": "mobile", "phone_number": OTHER})
    assert "could not be sent" in text(answer)


@pytest.mark.asvs("6.6.1")
def test_a_number_is_proved_through_a_gateway(alice: Person, gateway: Any, settings: Any) -> None:
    settings.SMS_URL, received, _ = gateway
    client = signed_in(alice)
    step = client.post(NUMBERS, {"mfa_device_name": "mobile", "phone_number": OTHER})
    code = received[-1][1]["message"].partition(" ")[0]
    assert "data folder" not in text(step)
    answers = {"mfa_device_name": "mobile", "phone_number": OTHER, "nonce": nonce_in(step)}
    codes_on(text(client.post(NUMBERS, answers | {"authentication_code1": code})))
    assert MFADevice.objects.filter(user=alice.user, kind="sms").exists()


def test_long_after_sign_in_a_passkey_or_number_wants_a_proof_first(alice: Person) -> None:
    client = signed_in(alice)
    session = client.session
    session["proved"] -= 3600
    session.save()
    for page in (PASSKEY, NUMBERS):
        for more in ({}, {"credential": "{}"}, {"authentication_code1": "123456"}):
            answers = {"mfa_device_name": "mine", "phone_number": OTHER} | more
            assert "Confirm that it is you" in text(client.post(page, answers))
    assert not PasskeyChallenge.objects.filter(user=alice.user).exists()
    assert not TextCode.objects.filter(user=alice.user).exists()


@pytest.mark.asvs("6.4.4")
def test_without_the_own_factor_no_passkey_and_no_number_is_added(alice: Person) -> None:
    give_app(alice.account_id, alice.user, "phone")
    client = signed_in(alice)
    for page in (PASSKEY, NUMBERS):
        for more in ({}, {"credential": "{}"}, {"authentication_code1": "123456"}):
            answers = {"mfa_device_name": "thief", "phone_number": OTHER} | more
            assert "must use it first" in text(client.post(page, answers))
    assert MFADevice.objects.get(user=alice.user).name == "phone"
    assert not PasskeyChallenge.objects.filter(user=alice.user).exists()
    assert not TextCode.objects.filter(user=alice.user).exists()
    options = with_factor(alice).post(PASSKEY, {"mfa_device_name": "backup"}).context["options"]
    assert json.loads(options)["rp"]["id"] == "localhost"


def test_who_has_eight_devices_is_asked_for_none(alice: Person) -> None:
    for number in range(8):
        give_app(alice.account_id, alice.user, f"phone{number}")
    client = with_factor(alice)
    for page in (PASSKEY, NUMBERS):
        answer = client.post(page, {"mfa_device_name": "ninth", "phone_number": OTHER})
        assert "Cannot exceed quota for MFADevicesPerUser: 8" in text(answer)
    assert not TextCode.objects.filter(user=alice.user).exists()


@pytest.mark.asvs("6.5.6")
def test_a_passkey_and_a_number_are_removed_and_have_nothing_to_set_right(alice: Person) -> None:
    _, key = give_key(alice)
    number = give_number(alice)
    client = with_factor(alice)
    for device, words in ((key, "can be deleted there"), (number, "No codes are sent")):
        refused = client.get(reverse("admin:me-mfa-resync", args=[device.serial_number]))
        assert (refused.status_code, "nothing to set right" in text(refused)) == (400, True)
        address = reverse("admin:me-mfa-remove", args=[device.serial_number])
        assert words in text(client.get(address))
        assert "does not sign in any more" in text(client.post(address, {"understood": "on"}, follow=True))
    assert not MFADevice.objects.filter(user=alice.user).exists()


# Signing in with a passkey


@pytest.mark.asvs("6.7.2")
def test_a_passkey_signs_in_and_its_answer_does_so_once(erin: Person) -> None:
    key, device = give_key(erin)
    client = half_way(erin)
    page = client.get(STEP)
    assert static("passkeys.js") in text(page)
    assert not PasskeyChallenge.objects.filter(user=erin.user).exists()  # a page that is looked at asks nothing
    answer = key.get(asked(client))
    assert client.post(STEP, {"credential": answer})["Location"] == "/console/"
    assert is_in(client)
    assert client.session["mfa_time"]
    assert methods_of(erin)[-1] == f"Success password, passkey device {device.name}"
    again = half_way(erin)
    assert NOT_IT in text(again.post(STEP, {"credential": answer}))
    assert not is_in(again)
    assert methods_of(erin)[-1] == f"Failure passkey device {device.name}"


@pytest.mark.asvs("6.7.2")
def test_an_answer_is_good_for_its_own_sign_in_at_its_own_address_and_for_five_minutes(erin: Person) -> None:
    key, _ = give_key(erin)
    client, other = half_way(erin), half_way(erin)
    stranger = SecurityKey(credential_id=key.credential_id)
    for answer in (
        key.get(asked(other)),  # of another pending sign-in
        key.get(asked(client), origin="https://evil.example"),
        key.get(asked(client) | {"rpId": "evil.example"}),
        stranger.get(asked(client)),
        "{}",
    ):
        assert NOT_IT in text(client.post(STEP, {"credential": answer}))
        assert not is_in(client)
    GuessBudget.objects.filter(user=erin.user).delete()
    late = key.get(asked(client))
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=301)):
        assert client.post(STEP, {"credential": late})["Location"] == NOWHERE
    assert client.post(STEP, {"credential": key.get(asked(client))})["Location"] == "/console/"


def test_who_guesses_at_codes_holds_up_no_passkey_and_no_recovery_code(erin: Person) -> None:
    key, _ = give_key(erin)
    app = MFADevice.objects.get(serial_number=give_app(erin.account_id, erin.user, "phone").serial_number)
    SECRETS.extend(recovery := issue(erin.user))
    stranger = half_way(erin)
    seen = [stranger.post(f"{STEP}?device={app.pk}", {"code": "000000"}).status_code for _ in range(7)]
    assert seen == [200] * 5 + [429] * 2
    told = text(stranger.get(f"{STEP}?device={app.pk}")) + text(
        stranger.post(f"{STEP}?device={app.pk}", {"code": "1" * 6})
    )
    assert "Passkeys and, at sign-in, recovery codes are not held up." in told
    client = half_way(erin)
    assert client.post(STEP, {"credential": key.get(asked(client))})["Location"] == "/console/"
    client = half_way(erin)
    assert client.post(f"{STEP}?device=recovery", {"code": recovery[0]})["Location"] == "/console/"


@pytest.mark.parametrize(
    ("query", "form"),
    [("", {"credential": "{}"}), ("?device=recovery", {"code": "A" * 16})],
    ids=["passkey", "recovery"],
)
def test_answers_that_cannot_be_guessed_hold_up_the_session_alone_that_sends_them(
    erin: Person, query: str, form: dict[str, str]
) -> None:
    key, _ = give_key(erin)
    client, other = half_way(erin), half_way(erin)
    seen = [client.post(STEP + query, form) for _ in range(12)]
    assert [each.status_code for each in seen] == [200] * 10 + [429] * 2
    assert "Too many attempts. Try again in" in text(seen[-1])
    assert seen[-1]["Retry-After"]
    assert Counter(event.result for event in events_of(erin.account_id))["Throttling"] >= 1
    assert not GuessBudget.objects.filter(user=erin.user).exists()
    assert other.post(STEP, {"credential": key.get(asked(other))})["Location"] == "/console/"
    Throttle.objects.all().delete()


def test_many_sign_ins_that_somebody_begins_do_not_disturb_this_one(erin: Person) -> None:
    key, _ = give_key(erin)
    client = half_way(erin)
    options = asked(client)
    for _ in range(12):
        asked(half_way(erin))
    assert client.post(STEP, {"credential": key.get(options)})["Location"] == "/console/"


def test_roots_passkey_signs_in(root: Person) -> None:
    give_password(root)
    key, _ = give_key(root)
    client = a_client()
    client.post("/signin/?as=root", {"email": root.user.email, "password": "Blue-Horse-7-Battery"})
    assert client.post(STEP, {"credential": key.get(asked(client))})["Location"] == "/console/"


# Signing in with a text message


@pytest.mark.asvs("6.6.2")
def test_a_text_message_signs_in_and_only_a_press_of_the_button_sends_one(erin: Person) -> None:
    device = give_number(erin)
    client = half_way(erin)
    assert "Send code" in text(client.get(STEP))
    assert device.phone_number not in text(client.get(STEP))  # no more of it than its end
    assert not TextCode.objects.filter(user=erin.user).exists()
    page = send(client, device)
    assert "A code is on its way" in text(page)
    assert f"ends in {device.phone_number[-2:]}" in text(page)
    code = text_code(device.phone_number)
    assert "not the one that was sent last" in text(give_code(client, wrong(code)))
    assert give_code(client, f"{code[:3]} {code[3:]}")["Location"] == "/console/"
    assert is_in(client)
    assert methods_of(erin)[-2:] == ["Failure sms device mobile", "Success password, sms device mobile"]
    assert TextCode.objects.filter(user=erin.user).count() == 1


@pytest.mark.asvs("6.6.2")
def test_a_code_is_good_for_the_sign_in_that_asked_for_it_and_only_the_last(erin: Person) -> None:
    device = give_number(erin)
    client, other = half_way(erin), half_way(erin)
    send(client, device)
    code = text_code(device.phone_number)
    give_code(other, code)
    assert not is_in(other)
    send(other, device)
    give_code(other, code)
    assert not is_in(other)
    assert give_code(client, code)["Location"] == "/console/"  # another's asking does not end it
    again = half_way(erin)
    send(again, device)
    first = text_code(device.phone_number)
    send(again, device)
    assert first == text_code(device.phone_number) or not is_in_after(again, first)
    assert give_code(again, text_code(device.phone_number))["Location"] == "/console/"


def is_in_after(client: Client, code: str) -> bool:
    """Whether the code lets in."""
    give_code(client, code)
    return is_in(client)


@pytest.mark.asvs("6.6.3")
def test_the_fourth_try_of_a_code_is_none(erin: Person) -> None:
    device = give_number(erin)
    client = half_way(erin)
    send(client, device)
    code = text_code(device.phone_number)
    for _ in range(3):
        give_code(client, wrong(code))
    GuessBudget.objects.filter(user=erin.user).delete()
    assert "Send code" in text(client.get(STEP))  # it is asked for anew, and says so
    give_code(client, code)
    assert not is_in(client)
    send(client, device)
    GuessBudget.objects.filter(user=erin.user).delete()
    assert give_code(client, text_code(device.phone_number))["Location"] == "/console/"


@pytest.mark.asvs("6.5.4")
@pytest.mark.asvs("6.5.5")
def test_a_code_is_too_old_after_five_minutes(erin: Person) -> None:
    device = give_number(erin)
    client = half_way(erin)
    send(client, device)
    TextCode.objects.filter(user=erin.user).update(create_date=timezone.now() - timedelta(seconds=301))
    give_code(client, text_code(device.phone_number))
    assert not is_in(client)
    assert "Send code" in text(client.get(STEP))


def test_no_message_is_sent_that_could_not_be_answered_and_ten_an_hour_at_most(erin: Person) -> None:
    device = give_number(erin)
    client = half_way(erin)
    send(client, device)
    for _ in range(5):
        give_code(client, wrong(text_code(device.phone_number)))
    assert "Too many attempts" in text(send(client, device))
    assert TextCode.objects.filter(user=erin.user).count() == 1
    GuessBudget.objects.filter(user=erin.user).delete()
    for _ in range(9):
        assert "on its way" in text(send(client, device))
    assert "No more text messages" in text(send(half_way(erin), device))
    assert TextCode.objects.filter(user=erin.user).count() == 10
    assert methods_of(erin)[-1] == "LimitExceeded sms device mobile"
    GuessBudget.objects.update_or_create(user=erin.user, defaults={"failures": MOST_FAILURES})
    TextCode.objects.filter(user=erin.user).delete()
    assert "Codes are stopped" in text(send(client, device))
    assert not TextCode.objects.filter(user=erin.user).exists()


def test_a_gateway_that_is_down_offers_the_other_factors(erin: Person, settings: Any) -> None:
    device = give_number(erin)
    app = give_app(erin.account_id, erin.user, "phone")
    client = half_way(erin)
    settings.SMS_URL = "json://127.0.0.1:9/{number}"
    page = text(send(client, device))
    assert "could not be sent" in page
    assert re.search(r"<details class=\"fold\" open>", page)
    assert re.search("phone</a> . Authenticator app", page)
    query = f"?device={MFADevice.objects.get(serial_number=app.serial_number).pk}"
    assert give_code(client, app.code(), query)["Location"] == "/console/"


def test_a_message_that_fails_is_not_told_as_sent_and_the_code_before_it_signs_in(erin: Person, settings: Any) -> None:
    device, outbox = give_number(erin), settings.SMS_URL
    client = half_way(erin)
    for settings.SMS_URL, reason in (
        ("json://127.0.0.1:9/{number}", "could not be sent"),
        ("", "Text messages are off"),
    ):
        page = text(send(client, device))
        assert reason in page
        assert "Send code" in page
        assert "Enter the code that was sent" not in page
        assert methods_of(erin)[-1] == "ServiceUnavailable sms device mobile"
    settings.SMS_URL = outbox
    send(client, device)
    code = text_code(device.phone_number)
    settings.SMS_URL = "json://127.0.0.1:9/{number}"
    page = text(send(client, device))
    assert "could not be sent" in page
    assert "Enter the code that was sent" in page
    assert give_code(client, code)["Location"] == "/console/"


def test_a_gateway_that_answers_signs_in(erin: Person, gateway: Any, settings: Any) -> None:
    device = give_number(erin)
    settings.SMS_URL, received, _ = gateway
    client = half_way(erin)
    page = send(client, device)
    [(path, body)] = received
    assert path.replace("%2B", "+").rstrip("/") == f"/sms/{device.phone_number}"
    assert "data folder" not in text(page)
    assert give_code(client, body["message"].partition(" ")[0])["Location"] == "/console/"


def test_nobody_sends_messages_to_another_users_number(erin: Person, root: Person) -> None:
    theirs = give_number(root, "roots")
    give_app(erin.account_id, erin.user, "phone")
    client = half_way(erin)
    send(client, theirs)
    client.post(STEP, {"go": "text"})
    assert not TextCode.objects.filter(phone_number=theirs.phone_number).exists()
    fields = {"send": theirs.pk, "again": ""}
    signed_in(erin).post("/console/confirm/", fields)
    assert not TextCode.objects.filter(phone_number=theirs.phone_number).exists()


# Every kind, and when who is in is asked again


def test_a_user_with_every_kind_may_use_any_of_them(erin: Person) -> None:
    app = give_app(erin.account_id, erin.user, "phone")
    token = give_app(erin.account_id, erin.user, f"TOKEN{erin.account_id}", kind="hardware")
    number = give_number(erin)
    key, passkey = give_key(erin)
    recovery = issue(erin.user)
    SECRETS.extend(recovery)
    pk = {each.kind: each.pk for each in MFADevice.objects.filter(user=erin.user)}

    def code_by_text(client: Client) -> str:
        send(client, number)
        return text_code(number.phone_number)

    answers: list[tuple[str, str, Callable[[Client], str]]] = [
        (f"?device={pk['virtual']}", "code", lambda _: app.code()),
        (f"?device={pk['hardware']}", "code", lambda _: token.code()),
        (f"?device={pk['sms']}", "code", code_by_text),
        (f"?device={passkey.pk}", "credential", lambda client: key.get(asked(client))),
        ("?device=recovery", "code", lambda _: recovery[0]),
    ]
    for query, field, answer in answers:
        client = half_way(erin)
        page = text(client.get(f"{STEP}{query}"))
        links = re.findall(r'href="(\?device=\w+)">', page)
        assert sorted([query, *links]) == sorted(each for each, _, _ in answers)
        assert client.post(f"{STEP}{query}", {field: answer(client)})["Location"] == "/console/", query
        assert is_in(client)


def ask_again(client: Client) -> str:
    """Want something sensitive long after sign-in: the form that is kept meanwhile."""
    session = client.session
    session["proved"] -= 16 * 60
    session.save()
    answer = client.post("/console/accounts/user/alice/tags/", {"tag_key": "team", "tag_value": "blue"})
    assert answer.status_code == 403
    return str(answer.context["form"]["again"].value())


def test_a_sensitive_change_is_confirmed_by_a_passkey(alice: Person) -> None:
    key, _ = give_key(alice)
    client = signed_in(alice)
    again = ask_again(client)
    confirm = "/console/confirm/"
    other = signed_in(alice)
    stolen = key.get(asked(other, confirm))
    assert NOT_IT in text(client.post(confirm, {"credential": stolen, "again": again}))
    assert "use a passkey" in text(client.post(confirm, {"again": again}))
    answer = key.get(asked(client, confirm))
    assert client.post(confirm, {"credential": answer, "again": again}).status_code == 302
    alice.user.refresh_from_db()
    assert alice.user.tags == [{"key": "team", "value": "blue"}]
    assert client.session["mfa_time"]
    event = [each for each in events_of(alice.account_id) if each.action == "iamconsole:ConfirmIdentity"][-1]
    assert event.response["method"] == "passkey device key"


def test_a_sensitive_change_is_confirmed_by_a_text_message(alice: Person) -> None:
    device = give_number(alice)
    client = signed_in(alice)
    again = ask_again(client)
    assert not TextCode.objects.filter(user=alice.user).exists()
    page = client.post("/console/confirm/", {"send": device.pk, "again": again})
    assert "on its way" in text(page)
    assert page.context["form"]["again"].value() == again
    answers = {"device": device.pk, "again": again}
    code = text_code(device.phone_number)
    assert "not the one" in text(client.post("/console/confirm/", answers | {"code": wrong(code)}))
    assert "Choose the device" in text(client.post("/console/confirm/", {"code": code, "again": again}))
    assert client.post("/console/confirm/", answers | {"code": code}).status_code == 302
    alice.user.refresh_from_db()
    assert alice.user.tags == [{"key": "team", "value": "blue"}]


# By browser


def authenticator(page: Page) -> tuple[CDPSession, str]:
    """Give the page's browser a security key that is touched at once."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "usb", "automaticPresenceSimulation": True}
    made = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return devtools, made["authenticatorId"]


def assign_passkey(page: Page, name: str = "blue-key") -> None:
    """Go from the card to the moment the browser has asked."""
    page.goto(ME)
    page.get_by_role("link", name="Assign MFA device").click()
    page.get_by_role("link", name="Passkey or security key").click()
    page.get_by_label("Device name").fill(name)
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Use this passkey or key").click()


@pytest.mark.asvs("6.7.2")
def test_a_passkey_in_a_browser_from_enrolment_to_removal(visit: Callable[..., Visitor], erin: Person) -> None:
    page = (visitor := visit()).sign_in(erin)
    authenticator(page)
    assign_passkey(page)
    expect(page.locator("h1")).to_contain_text("Save your recovery codes")
    SECRETS.extend(page.locator("#codes").inner_text().split())
    page.get_by_role("link", name="I have saved these").click()
    expect(page.locator("main")).to_contain_text("blue-key")
    assign_passkey(page, "the-same")
    expect(page.get_by_text("assigned to you already")).to_be_visible()
    visitor.sign_out()
    visitor.sign_in(erin)
    expect(page.locator("h1")).to_have_text("Multi-factor authentication")
    page.get_by_role("button", name="Use passkey").click()
    expect(page.locator("h1")).to_have_text("Dashboard")
    page.goto(ME)
    page.get_by_role("link", name="Remove blue-key").click()
    page.get_by_label("I understand").check()
    page.get_by_role("button", name="Remove MFA device").click()
    expect(page.locator("main")).to_contain_text("blue-key is removed. It does not sign in any more.")


def test_who_cancels_may_try_again_and_use_another_device(visit: Callable[..., Visitor], erin: Person) -> None:
    page = (visitor := visit()).sign_in(erin)
    devtools, key = authenticator(page)
    assign_passkey(page)
    expect(page.locator("h1")).to_contain_text("Save your recovery codes")
    codes = page.locator("#codes").inner_text().split()
    SECRETS.extend(codes)
    page.get_by_role("link", name="I have saved these").click()
    visitor.sign_out()
    visitor.sign_in(erin)
    kept = devtools.send("WebAuthn.getCredentials", {"authenticatorId": key})["credentials"]
    devtools.send("WebAuthn.clearCredentials", {"authenticatorId": key})
    page.get_by_role("button", name="Use passkey").click()
    expect(page.get_by_text("Nothing was sent")).to_be_visible()
    for each in kept:
        devtools.send("WebAuthn.addCredential", {"authenticatorId": key, "credential": each})
    page.get_by_role("link", name="A recovery code").click()
    page.get_by_role("textbox").fill(codes[0])
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("h1")).to_have_text("Dashboard")


def test_a_browser_without_passkeys_or_without_javascript_is_told(visit: Callable[..., Visitor], erin: Person) -> None:
    give_key(erin)
    old = visit()
    old.context.add_init_script("delete window.PublicKeyCredential")
    page = old.sign_in(erin)
    expect(page.get_by_text("This browser knows no passkeys")).to_be_visible()
    expect(page.get_by_text("A passkey needs JavaScript")).to_be_hidden()
    expect(page.get_by_role("button", name="Use passkey")).to_be_hidden()
    page = visit(java_script_enabled=False).sign_in(erin)
    expect(page.get_by_text("A passkey needs JavaScript")).to_be_visible()
    expect(page.get_by_role("link", name="A recovery code")).to_be_visible()


def test_a_text_message_in_a_browser_without_javascript(visit: Callable[..., Visitor], erin: Person) -> None:
    number = a_number()
    page = (visitor := visit(java_script_enabled=False)).sign_in(erin)
    page.goto(f"{ME}mfa/assign/")
    page.get_by_role("link", name="Text message").click()
    page.get_by_label("Device name").fill("mobile")
    page.get_by_label("Phone number").fill(number)
    page.get_by_role("button", name="Send code").click()
    page.get_by_role("button", name="Send another code").click()
    page.get_by_label("Code").fill(text_code(number))
    page.get_by_role("button", name="Add MFA").click()
    expect(page.locator("h1")).to_contain_text("Save your recovery codes")
    SECRETS.extend(page.locator("#codes").inner_text().split())
    visitor.sign_out()
    visitor.sign_in(erin)
    page.get_by_role("button", name="Send code").click()
    code = text_code(number)
    page.get_by_label("Code").fill(wrong(code))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("not the one that was sent last")
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("h1")).to_have_text("Dashboard")


def test_a_change_is_confirmed_by_a_passkey_in_a_browser(visit: Callable[..., Visitor], erin: Person) -> None:
    page = visit().sign_in(erin)
    authenticator(page)
    assign_passkey(page)
    SECRETS.extend(page.locator("#codes").inner_text().split())
    page.get_by_role("link", name="I have saved these").click()
    proved(erin, 3600)
    page.goto("/console/accounts/user/alice/rename/")
    page.get_by_label("User name").fill("alicia")
    page.locator("main").get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("Confirm that it is you")
    page.get_by_role("button", name="Or use a passkey").click()
    expect(page.locator("h1")).to_contain_text("alicia")


def enter(page: Page, code: str) -> None:
    """Give a code at sign-in."""
    page.get_by_label("MFA code").fill(code)
    page.get_by_role("button", name="Sign in").click()


@pytest.mark.asvs("6.5.1")
def test_an_app_in_a_browser_from_the_picture_to_a_lost_phone(visit: Callable[..., Visitor], erin: Person) -> None:
    page = (visitor := visit()).sign_in(erin)
    page.goto(f"{ME}mfa/assign/")
    page.get_by_label("Device name").fill("pixel-9")
    page.get_by_role("button", name="Show QR code").click()
    [seed] = parse_qs(urlsplit(scan(page.locator(".qr").screenshot())).query)["secret"]
    SECRETS.append(seed)
    page.get_by_label("MFA code 1").fill(oathtool(seed, -1))
    page.get_by_label("MFA code 2").fill(oathtool(seed))
    page.get_by_role("button", name="Add MFA").click()
    expect(page.locator("h1")).to_contain_text("Save your recovery codes")
    recovery = page.locator("#codes").inner_text().split()
    SECRETS.extend(recovery)
    page.get_by_role("link", name="I have saved these").click()
    visitor.sign_out()
    visitor.sign_in(erin)
    code = oathtool(seed, 1)
    for refused in (wrong(code), oathtool(seed, -4)):
        enter(page, refused)
        expect(page.get_by_role("alert")).to_contain_text("not right, or was used before")
    enter(page, f"{code[:3]} {code[3:]}")
    expect(page.locator("h1")).to_have_text("Dashboard")
    visitor.sign_out()
    visitor.sign_in(erin)
    enter(page, code)
    expect(page.get_by_role("alert")).to_contain_text("not right, or was used before")
    enter(page, oathtool(seed, 20))  # of a clock that is ten minutes fast by now
    expect(page.get_by_role("alert")).to_contain_text("not right, or was used before")
    expect(page.get_by_role("link", name="sign in with two codes in a row")).to_be_visible()
    page.get_by_role("link", name="A recovery code").click()
    page.get_by_label("Recovery code").fill(recovery[0])
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("h1")).to_have_text("Dashboard")
    page.goto(ME)
    page.get_by_role("link", name="Resync pixel-9").click()
    first, second = oathtool(seed, 20), oathtool(seed, 21)  # before the half minute turns
    page.get_by_label("MFA code 1").fill(first)
    page.get_by_label("MFA code 2").fill(second)
    page.get_by_role("button", name="Resync").click()
    expect(page.locator("main")).to_contain_text("is set right")
    visitor.sign_out()
    MFADevice.objects.filter(user=erin.user).update(last_t=0)  # some minutes later
    visitor.sign_in(erin)
    enter(page, oathtool(seed, 20))
    expect(page.locator("h1")).to_have_text("Dashboard")


def test_a_hardware_token_in_a_browser_from_its_vendors_file(visit: Callable[..., Visitor], erin: Person) -> None:
    page = (visitor := visit()).sign_in(erin)
    page.goto("/console/mfa-devices/import/")
    content = file_of_tokens()
    serial_number, seed = content.decode().split("\n")[1].split(",")[0], content.decode().strip().rpartition(",")[2]
    SECRETS.append(seed)
    file = {"name": "tokens.csv", "mimeType": "text/csv", "buffer": content}
    page.get_by_label("The vendor's file").set_input_files(file)  # type: ignore[arg-type]
    page.get_by_role("button", name="Import tokens").click()
    expect(page.locator("main")).to_contain_text("1 hardware token imported")
    token = App(serial_number, bytes.fromhex(seed))
    page.goto(f"{ME}mfa/assign/")
    page.get_by_role("link", name="Hardware token").click()
    page.get_by_label("Serial number").fill(serial_number)
    page.get_by_label("MFA code 1").fill(token.code(-1))
    page.get_by_label("MFA code 2").fill(token.code())
    page.get_by_role("button", name="Add MFA").click()
    expect(page.locator("h1")).to_contain_text("Save your recovery codes")
    SECRETS.extend(page.locator("#codes").inner_text().split())
    page.get_by_role("link", name="I have saved these").click()
    visitor.sign_out()
    visitor.sign_in(erin)
    enter(page, token.code(1))
    expect(page.locator("h1")).to_have_text("Dashboard")
