"""Temporary credentials of one's own, for programs: with a second factor they may do what needs one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.caller import Caller
from accounts.models import User
from credentials import targets
from credentials.mfa.codes import verify
from credentials.mfa.models import MFADevice
from credentials.mfa.throttle import Guesser
from credentials.session_tokens import Session
from iamconsole.errors import AccessDenied
from iamconsole.operation import Issued, operation

DURATION = 12 * 60 * 60
LONGEST_OF_ROOT = 60 * 60


@dataclass(frozen=True)
class ProvenCode:
    """A code that was good, and when."""

    time: datetime


def _proving(admitted: Mapping[str, Any]) -> Mapping[str, Any]:
    """Check the code, spending it. Raises AccessDenied in AWS's words."""
    serial_number, code = admitted.get("serial_number"), admitted.get("token_code")
    if serial_number is None and code is None:
        return {}
    if serial_number is None or code is None:
        raise AccessDenied(
            "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."
        )
    user: User = admitted["user"]
    device = MFADevice.objects.filter(user=user, serial_number=serial_number).first()
    if device is None:
        raise AccessDenied(
            "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and"
            " associated with this user."
        )
    now = timezone.now()
    if not verify(Guesser(user, admitted["caller"].door), device, code, now):
        raise AccessDenied("MultiFactorAuthentication failed with invalid MFA one time pass code. ")
    return {"token_code": ProvenCode(now)}


@operation("sts:GetSessionToken", on=targets.new_session, issues_secret=True, unless_denied=True, before=_proving)
def get_session_token(
    caller: Caller,
    *,
    user: User,
    duration_seconds: int = DURATION,
    serial_number: str | None = None,
    token_code: ProvenCode | None = None,
) -> Issued[Mapping[str, Any]]:
    """Temporary credentials of the caller: 15 minutes to 36 hours, 12 hours unless asked; the root user's an hour at most.

    With an MFA device's serial number and code they satisfy policies that ask for one. Without they call no operation of IAM.
    They end with the user's sessions and with the access key they were got with. Raises AccessDenied for a wrong code.
    """
    if user.is_root:
        duration_seconds = min(duration_seconds, LONGEST_OF_ROOT)
    session = Session.begin(
        user,
        life=timedelta(seconds=duration_seconds),
        mfa_time=token_code.time if token_code else None,
        parent=caller.access_key_id,
        now=timezone.now(),
    )
    credentials = {
        "access_key_id": session.access_key_id,
        "secret_access_key": session.secret_access_key,
        "session_token": session.token(),
        "expiration": session.expiration,
    }
    return Issued({}, {"credentials": credentials})
