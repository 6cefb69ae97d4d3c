"""Text messages as a second factor of one's own, where the operator allows it: the number is proved by a code first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from accounts import arns
from accounts.caller import Caller
from accounts.models import User
from accounts.quotas import refuse_beyond
from accounts.throttle import number_budgets, reserve
from credentials import sms, targets
from credentials.mfa import text_codes, throttle
from credentials.mfa.models import MFADevice
from credentials.steps import end_sessions
from iamconsole.errors import InvalidAuthenticationCode, InvalidInput
from iamconsole.operation import operation


@dataclass(frozen=True)
class ProvenNumber:
    """A number whose owner told the code that was sent to it."""

    number: str


def _sending(admitted: Mapping[str, Any]) -> Mapping[str, Any]:
    """Send the code, if there is room for another device.

    Raises InvalidInput, LimitExceeded, Throttling, ServiceUnavailable.
    """
    if not sms.is_on():
        raise InvalidInput("Text messages are off: the operator of this installation has named no gateway (SMS_URL).")
    user: User = admitted["user"]
    refuse_beyond("MFADevicesPerUser", user.account, MFADevice.objects.filter(user=user))
    reserve(number_budgets(user, admitted["phone_number"]))
    text_codes.send(user, admitted["phone_number"], text_codes.REGISTERING, timezone.now())
    return {}


def _proving(admitted: Mapping[str, Any]) -> Mapping[str, Any]:
    """Check the code that was sent, spending it. Raises InvalidAuthenticationCode."""
    user, number = admitted["user"], admitted["phone_number"]
    proved = text_codes.verify(
        throttle.Guesser(user, admitted["caller"].door),
        admitted["authentication_code1"],
        timezone.now(),
        phone_number=number,
        purpose=text_codes.REGISTERING,
    )
    if not proved:
        raise InvalidAuthenticationCode("The code is not the one that was sent last to this number, or it is too old.")
    return {"phone_number": ProvenNumber(number)}


@operation("iamconsole:BeginSMSRegistration", on=targets.own_factors, lock=True, sensitive=True, before=_sending)
def begin_sms_registration(caller: Caller, *, user: User, phone_number: str) -> None:
    """Send a code to a number that is to become an MFA device of the caller. It is the weakest kind: prefer any other.

    Raises InvalidInput where text messages are off, LimitExceeded past ten an hour and at eight devices, Throttling past ten an
    hour to one number or a hundred from one account, ServiceUnavailable, AccessDenied where an own device is to be shown first.
    """


@operation(
    "iamconsole:FinishSMSRegistration",
    on=targets.own_factors,
    lock=True,
    sensitive=True,
    performs={"iam:EnableMFADevice": lambda admitted: True},
    before=_proving,
)
def finish_sms_registration(
    caller: Caller, *, user: User, mfa_device_name: str, phone_number: ProvenNumber, authentication_code1: str
) -> MFADevice:
    """Enable the number to which the code was sent for the caller, which ends the caller's sessions.

    Raises InvalidAuthenticationCode, LimitExceeded at eight devices, AccessDenied as for any device.
    """
    refuse_beyond("MFADevicesPerUser", user.account, MFADevice.objects.filter(user=user))
    device = MFADevice.objects.create(
        account=user.account,
        user=user,
        kind=MFADevice.Kind.SMS,
        serial_number=arns.sms(user.account_id, mfa_device_name),
        name=mfa_device_name,
        enable_date=timezone.now(),
        confirmed=True,
        phone_number=phone_number.number,
    )
    throttle.forgive(user)
    end_sessions(user)
    return device
