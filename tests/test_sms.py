"""Codes by text message: bound, short-lived, few tries; sent to an outbox here, and to a gateway on this machine."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.utils import timezone

from credentials import sms
from credentials.mfa import text_codes
from credentials.mfa.models import GuessBudget, MFADevice, TextCode
from credentials.mfa.throttle import Guesser
from credentials.operations.mfa_devices import deactivate_mfa_device
from credentials.operations.text_messages import begin_sms_registration, finish_sms_registration
from iamconsole.configuration import sms_url
from iamconsole.errors import AccessDenied, InvalidAuthenticationCode, InvalidInput, LimitExceeded, ServiceUnavailable
from tests.authenticators import a_number, give_app, in_mfa_session, text_code
from tests.conftest import Person, caller_for

NUMBER = a_number()


@pytest.fixture
def device(alice: Person) -> MFADevice:
    """alice's number, enabled."""
    begin_sms_registration(alice.caller, phone_number=NUMBER)
    return finish_sms_registration(
        alice.caller, mfa_device_name="mobile", phone_number=NUMBER, authentication_code1=text_code(NUMBER)
    )


def sent(alice: Person, purpose: str = "sign-in 1") -> str:
    text_codes.send(alice.user, NUMBER, purpose, timezone.now())
    return text_code(NUMBER)


def verified(alice: Person, code: str, purpose: str = "sign-in 1", **later: int) -> bool:
    now = timezone.now() + timedelta(**later)
    return text_codes.verify(Guesser(alice.user, "console"), code, now, phone_number=NUMBER, purpose=purpose)


@pytest.mark.asvs("6.6.1")
def test_a_number_is_proved_before_it_is_a_factor(alice: Person) -> None:
    wrong = {"mfa_device_name": "mobile", "phone_number": NUMBER, "authentication_code1": "000000"}
    with pytest.raises(InvalidAuthenticationCode):
        finish_sms_registration(alice.caller, **wrong)
    begin_sms_registration(alice.caller, phone_number=NUMBER)
    code = text_code(NUMBER)
    with pytest.raises(InvalidAuthenticationCode):
        finish_sms_registration(alice.caller, **wrong | {"phone_number": "+15550003333", "authentication_code1": code})
    assert not MFADevice.objects.filter(user=alice.user).exists()
    made = finish_sms_registration(alice.caller, **wrong | {"authentication_code1": code})
    assert made.serial_number.startswith(f"arn:aws:iam::{alice.account_id}:sms-mfa/mobile-")


@pytest.mark.asvs("6.6.2")
def test_a_code_is_bound_to_what_it_was_sent_for(alice: Person, device: MFADevice) -> None:
    code = sent(alice)
    assert not verified(alice, code, "sign-in 2")
    assert verified(alice, f"{code[:3]} {code[3:]}")
    assert not verified(alice, code)


@pytest.mark.asvs("6.5.4")
@pytest.mark.asvs("6.5.5")
def test_a_code_lives_five_minutes_and_only_the_last_one_lives(alice: Person, device: MFADevice) -> None:
    assert not verified(alice, sent(alice), minutes=5)
    first, second = sent(alice), sent(alice)
    assert first == second or not verified(alice, first)
    assert verified(alice, second, minutes=4)


@pytest.mark.asvs("6.6.3")
def test_a_code_has_three_tries(alice: Person, device: MFADevice) -> None:
    code = sent(alice)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    for _ in range(3):
        assert not verified(alice, wrong)
    GuessBudget.objects.filter(user=alice.user).delete()
    assert not verified(alice, code)


def test_a_code_is_taken_once_however_many_try_it_at_once(alice: Person, device: MFADevice) -> None:
    code, together = sent(alice), threading.Barrier(20)

    def take() -> bool:
        together.wait(30)
        try:
            return verified(alice, code)
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        assert sum(each.result() for each in [pool.submit(take) for _ in range(20)]) == 1


def test_ten_messages_an_hour_go_to_one_user(alice: Person) -> None:
    for _ in range(10):
        begin_sms_registration(alice.caller, phone_number=a_number())
    with pytest.raises(LimitExceeded):
        begin_sms_registration(alice.caller, phone_number=a_number())
    text_codes.send(alice.user, NUMBER, "later", timezone.now() + timedelta(hours=1, seconds=1))


def test_a_message_that_fails_leaves_the_code_before_it_good_and_is_none_of_the_ten(
    alice: Person, device: MFADevice, settings: Any
) -> None:
    code, outbox = sent(alice), settings.SMS_URL
    settings.SMS_URL = "json://127.0.0.1:9/{number}"
    for _ in range(text_codes.MOST_FAILED_AN_HOUR):
        with pytest.raises(ServiceUnavailable):
            text_codes.send(alice.user, NUMBER, "sign-in 1", timezone.now())
    with pytest.raises(LimitExceeded):
        text_codes.send(alice.user, NUMBER, "sign-in 1", timezone.now())
    assert verified(alice, code)
    settings.SMS_URL = outbox
    TextCode.objects.filter(user=alice.user, purpose=text_codes.NOT_SENT).first().delete()
    for _ in range(text_codes.MOST_AN_HOUR - 2):  # one has registered the number, and one was sent
        sent(alice)
    with pytest.raises(LimitExceeded):
        sent(alice)


def test_a_number_is_not_added_past_a_factor_that_was_not_shown(alice: Person) -> None:
    begin_sms_registration(alice.caller, phone_number=NUMBER)
    give_app(alice.account_id, alice.user, "alices")
    sent = TextCode.objects.filter(user=alice.user).count()
    with pytest.raises(AccessDenied, match="must use it first"):
        begin_sms_registration(alice.caller, phone_number=NUMBER)
    assert TextCode.objects.filter(user=alice.user).count() == sent
    with pytest.raises(AccessDenied, match="must use it first"):
        finish_sms_registration(
            alice.caller, mfa_device_name="mobile", phone_number=NUMBER, authentication_code1=text_code(NUMBER)
        )


def test_a_deactivated_number_is_gone(alice: Person, root: Person, device: MFADevice) -> None:
    deactivate_mfa_device(in_mfa_session(root), user_name="alice", serial_number=device.serial_number)
    assert not MFADevice.objects.filter(pk=device.pk).exists()


def test_it_is_off_until_the_operator_turns_it_on(alice: Person, settings: Any) -> None:
    settings.SMS_URL = ""
    with pytest.raises(InvalidInput, match="SMS_URL"):
        begin_sms_registration(caller_for(alice.user), phone_number=NUMBER)


def test_the_outbox_is_the_owners_alone(device: MFADevice) -> None:
    assert (settings.DATA / "sms-outbox.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_gateway_gets_the_number_and_the_text(gateway: Any, settings: Any) -> None:
    settings.SMS_URL, received, statuses = gateway
    sms.send(NUMBER, "123456 is your code.")
    [(path, body)] = received
    assert path.replace("%2B", "+").rstrip("/") == f"/sms/{NUMBER}"
    assert body["message"] == "123456 is your code."
    statuses.append(500)
    with pytest.raises(ServiceUnavailable):
        sms.send(NUMBER, "123456 is your code.")


def test_a_gateway_that_is_down_is_told(settings: Any) -> None:
    settings.SMS_URL = "json://127.0.0.1:9/{number}"
    with pytest.raises(ServiceUnavailable):
        sms.send(NUMBER, "123456 is your code.")


@pytest.mark.pure
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("mailto://a:b@example.org/{number}", "must be outbox: or begin with"),
        ("file:///tmp/{number}", "must be outbox: or begin with"),
        ("twilio://a:b@c/d", "must have {number}"),
        ("json://{number}/{number}", "must have {number}"),
    ],
)
def test_a_gateway_that_is_none_stops_the_start(value: str, reason: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=reason.replace("{", "\\{")):
        sms_url(value)
    assert sms_url("") == ""
    assert sms_url("outbox:") == "outbox:"
