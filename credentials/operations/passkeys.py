"""Passkeys and security keys of one's own: what a browser is asked, and what it answered. They are listed as AWS lists them."""

import json
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from accounts import arns
from accounts.caller import Caller
from accounts.models import User
from accounts.quotas import refuse_beyond
from credentials import targets
from credentials.mfa import passkeys, throttle
from credentials.mfa.models import MFADevice
from credentials.steps import end_sessions
from iamconsole.errors import EntityAlreadyExists, InvalidAuthenticationCode
from iamconsole.operation import operation


@operation("iamconsole:BeginPasskeyRegistration", on=targets.own_factors, lock=True, public=True, sensitive=True)
def begin_passkey_registration(caller: Caller, *, user: User) -> dict[str, str]:
    """Options for the browser's ``navigator.credentials.create``, good for five minutes and one answer. They allow nothing.

    Raises LimitExceeded at eight devices, AccessDenied where an own device is to be shown first.
    """
    refuse_beyond("MFADevicesPerUser", user.account, MFADevice.objects.filter(user=user))
    return {"creation_options": json.dumps(passkeys.registration_options(user, caller.door, timezone.now()))}


def _registering(admitted: Mapping[str, Any]) -> Mapping[str, Any]:
    """Check the browser's answer, spending the challenge. Raises InvalidAuthenticationCode."""
    credential = passkeys.register(admitted["user"], admitted["caller"].door, admitted["credential"], timezone.now())
    if credential is None:
        raise InvalidAuthenticationCode(
            "The answer of the passkey does not fit what it was asked, or came too late. Begin the registration again."
        )
    return {"credential": credential}


@operation(
    "iamconsole:FinishPasskeyRegistration",
    on=targets.own_factors,
    lock=True,
    sensitive=True,
    performs={"iam:EnableMFADevice": lambda admitted: True},
    before=_registering,
)
def finish_passkey_registration(
    caller: Caller, *, user: User, mfa_device_name: str, credential: passkeys.Credential
) -> MFADevice:
    """Enable the passkey whose answer this is for the caller, which ends the caller's sessions.

    Raises InvalidAuthenticationCode, LimitExceeded at eight devices, EntityAlreadyExists, AccessDenied as for any device.
    """
    refuse_beyond("MFADevicesPerUser", user.account, MFADevice.objects.filter(user=user))
    if MFADevice.objects.filter(credential_id=credential.credential_id).exists():
        raise EntityAlreadyExists("This passkey is registered already.")
    device = MFADevice.objects.create(
        account=user.account,
        user=user,
        kind=MFADevice.Kind.PASSKEY,
        serial_number=arns.u2f(user.account_id, user.user_name, mfa_device_name),
        name=mfa_device_name,
        enable_date=timezone.now(),
        confirmed=True,
        credential_id=credential.credential_id,
        public_key=credential.public_key,
        sign_count=credential.sign_count,
    )
    throttle.forgive(user)
    end_sessions(user)
    return device
