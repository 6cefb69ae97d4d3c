"""Passkeys and security keys (WebAuthn, FIDO2) as second factors, by py_webauthn.

A challenge is kept here, for one user and one purpose, five minutes long; whoever deletes its row may use it, so that it is used
once however many answers come at once. Origin and relying party are PUBLIC_URL's, never the request's.
"""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import webauthn
from django.conf import settings
from django.db import transaction
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from accounts.models import User
from credentials.mfa.models import MFADevice, Passkey, PasskeyChallenge

LIFE: Final = timedelta(minutes=5)
CHALLENGE_BYTES: Final = 32
OPEN_CHALLENGES: Final = 10  # of a user for one purpose; a further one ends the oldest
LARGEST_ANSWER: Final = 64 * 1024
REGISTERING: Final = "registering"
RELYING_PARTY_NAME: Final = "iamconsole"


@dataclass(frozen=True)
class Credential:
    """What a new passkey has told of itself."""

    credential_id: str
    public_key: bytes
    sign_count: int


def registration_options(user: User, door: str, now: datetime) -> dict[str, Any]:
    """What ``navigator.credentials.create`` is to be asked (its PublicKeyCredentialCreationOptions, as JSON has them).

    The answer must come by the same door: whoever has a key ends no registration that is begun in the browser.
    """
    options = webauthn.generate_registration_options(
        rp_id=_relying_party(),
        rp_name=RELYING_PARTY_NAME,
        user_id=user.user_id.encode(),
        user_name=f"{user.label} @ {user.account.label}",
        challenge=_new_challenge(user, f"{REGISTERING} {door}", now),
        timeout=LIFE // timedelta(milliseconds=1),
        exclude_credentials=_credentials_of(user),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.DISCOURAGED,
            user_verification=UserVerificationRequirement.DISCOURAGED,
        ),
    )
    return dict(json.loads(webauthn.options_to_json(options)))


def register(user: User, door: str, answer: str, now: datetime) -> Credential | None:
    """The credential that a browser's answer to the options proves, spending the challenge; None when it proves nothing."""
    challenge = _take_challenge(user, f"{REGISTERING} {door}", answer, now)
    if challenge is None:
        return None
    try:
        verified = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=_relying_party(),
            expected_origin=_origin(),
        )
    except (WebAuthnException, ValueError):
        return None
    return Credential(bytes_to_base64url(verified.credential_id), verified.credential_public_key, verified.sign_count)


def authentication_options(user: User, purpose: str, now: datetime) -> dict[str, Any]:
    """What ``navigator.credentials.get`` is to be asked. ``purpose`` binds the answer, to the pending sign-in for example."""
    options = webauthn.generate_authentication_options(
        rp_id=_relying_party(),
        challenge=_new_challenge(user, purpose, now),
        timeout=LIFE // timedelta(milliseconds=1),
        allow_credentials=_credentials_of(user),
        user_verification=UserVerificationRequirement.DISCOURAGED,
    )
    return dict(json.loads(webauthn.options_to_json(options)))


def verify(user: User, answer: str, purpose: str, now: datetime) -> MFADevice | None:
    """The user's passkey whose signature a browser's answer proves, spending the challenge; None when it proves nothing.

    Like `credentials.mfa.codes.verify`, never in a transaction. It costs no guess: a signature cannot be guessed.
    """
    challenge = _take_challenge(user, purpose, answer, now)
    if challenge is None:
        return None
    try:
        # The id is whatever text the answer has, half characters and NULs that no database takes: never asked for as it is.
        named = bytes_to_base64url(base64url_to_bytes(str(_read(answer).get("id", ""))))
        device = Passkey.objects.filter(user=user, credential_id=named).first()
        if device is None:
            return None
        verified = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=_relying_party(),
            expected_origin=_origin(),
            credential_public_key=bytes(device.public_key),
            credential_current_sign_count=device.sign_count,
        )
    except (WebAuthnException, ValueError):
        return None
    # A passkey that was removed while it signed proves nothing any more.
    used = {"sign_count": verified.new_sign_count, "last_used_date": now}
    return device if Passkey.objects.filter(pk=device.pk, user=user).update(**used) else None


def _relying_party() -> str:
    return urlsplit(settings.PUBLIC_URL).hostname or ""


def _origin() -> str:
    parts = urlsplit(settings.PUBLIC_URL)
    return f"{parts.scheme}://{parts.netloc}"


def _credentials_of(user: User) -> list[PublicKeyCredentialDescriptor]:
    ids = Passkey.objects.filter(user=user).order_by("pk").values_list("credential_id", flat=True)
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(each)) for each in ids]


def _new_challenge(user: User, purpose: str, now: datetime) -> bytes:
    # Counted for each purpose: whoever begins many sign-ins as the user ends no challenge of the user's own.
    challenges = PasskeyChallenge.objects.filter(user=user, purpose=purpose)
    PasskeyChallenge.objects.filter(expire_date__lte=now).delete()
    kept = challenges.order_by("-pk").values_list("pk", flat=True)[: OPEN_CHALLENGES - 1]
    challenges.exclude(pk__in=list(kept)).delete()
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    PasskeyChallenge.objects.create(user=user, challenge=challenge, purpose=purpose, expire_date=now + LIFE)
    return challenge


def _take_challenge(user: User, purpose: str, answer: str, now: datetime) -> bytes | None:
    """The challenge that an answer names, if it is open and for this; it is gone with that, at once and for good."""
    try:
        client_data = json.loads(base64url_to_bytes(_read(answer)["response"]["clientDataJSON"]))
        named = base64url_to_bytes(client_data["challenge"])
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return None
    found = PasskeyChallenge.objects.filter(user=user, purpose=purpose, challenge=named, expire_date__gt=now).first()
    if found is None:
        return None
    with transaction.atomic(durable=True):
        deleted, _ = PasskeyChallenge.objects.filter(pk=found.pk).delete()
    return named if deleted else None


def _read(answer: str) -> dict[str, Any]:
    """An answer as JSON. Raises ValueError."""
    if len(answer) > LARGEST_ANSWER:
        raise ValueError("the answer is too long")
    return dict(json.loads(answer))
