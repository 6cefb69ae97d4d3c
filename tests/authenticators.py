"""What people hold in their hands, written from the standards: apps and tokens that show codes, and a security key."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass, field, replace
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from django.conf import settings
from django.utils import timezone

from accounts.models import User
from credentials.mfa.models import MFADevice
from credentials.models import AccessKey
from credentials.operations.passkeys import begin_passkey_registration, finish_passkey_registration
from credentials.operations.session_tokens import get_session_token
from tests.conftest import SECRETS, URL, Person, caller_for


@dataclass
class App:
    """An authenticator app with one seed (RFC 6238), and the serial number it is known by here."""

    serial_number: str
    seed: bytes
    period: int = 30

    def now(self) -> int:
        """The step its clock shows."""
        return int(time.time()) // self.period

    def code(self, off: int = 0) -> str:
        """The code it shows, or showed, or will show that many steps from now."""
        digest = hmac.digest(self.seed, (self.now() + off).to_bytes(8, "big"), hashlib.sha1)
        start = digest[-1] & 0xF
        return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 10**6:06d}"

    def two(self, off: int = 0) -> dict[str, str]:
        """The codes of that step and the next, as AWS's operations take them."""
        return {"AuthenticationCode1": self.code(off), "AuthenticationCode2": self.code(off + 1)}

    def two_codes(self, off: int = 0) -> dict[str, str]:
        """The same in snake case, with the serial number."""
        return {
            "serial_number": self.serial_number,
            "authentication_code1": self.code(off),
            "authentication_code2": self.code(off + 1),
        }


def app_of(answer: Any) -> App:
    """The app that took over the seed of CreateVirtualMFADevice's answer to boto3."""
    device = answer["VirtualMFADevice"]
    SECRETS.append(device["Base32StringSeed"].decode())
    return App(device["SerialNumber"], base64.b32decode(device["Base32StringSeed"]))


def give_app(account_id: str, user: User | None, name: str, *, kind: str = "virtual", period: int = 30) -> App:
    """Put an app, or a token, into an account, enabled for the user if there is one; none of its codes is spent."""
    seed = secrets.token_bytes(20)
    SECRETS.append(base64.b32encode(seed).decode())
    serial_number = f"arn:aws:iam::{account_id}:mfa/{name}" if kind == "virtual" else name
    device = MFADevice(
        account_id=account_id, user=user, kind=kind, serial_number=serial_number, name=name, period=period
    )
    device.enable_date, device.confirmed = (timezone.now(), True) if user else (None, False)
    device.seal(seed)
    device.save(force_insert=True)
    return App(serial_number, seed, period)


def session_of(person: Person, app: App | None = None, off: int = 0, **parameters: Any) -> Person:
    """The person with temporary credentials, got with the app's code if there is an app."""
    factor = {"serial_number": app.serial_number, "token_code": app.code(off)} if app else {}
    key = AccessKey.objects.get(access_key_id=person.access_key_id)
    caller = replace(caller_for(person.user), access_key=key)
    made = get_session_token(caller, **factor, **parameters).secret["credentials"]
    SECRETS.extend([made["secret_access_key"], made["session_token"]])
    return Person(person.caller, made["access_key_id"], made["secret_access_key"], made["session_token"])


def in_mfa_session(person: Person) -> Any:
    """The person as a caller who has shown a second factor, which changing the devices of others wants."""
    return replace(caller_for(person.user), mfa_time=timezone.now())


def text_code(number: str) -> str:
    """The code of the last text message that was sent to a number, out of the outbox."""
    lines = [json.loads(line) for line in (settings.DATA / "sms-outbox.jsonl").read_text().splitlines()]
    return str([line["text"] for line in lines if line["number"] == number][-1].partition(" ")[0])


def a_number() -> str:
    """A phone number that nobody else has."""
    return f"+1555{secrets.randbelow(10**5):05d}22"


def give_number(person: Person, name: str = "mobile") -> MFADevice:
    """Enable a phone number for the person."""
    serial_number = f"arn:aws:iam::{person.account_id}:sms-mfa/{name}-AAAA"
    return MFADevice.objects.create(
        account_id=person.account_id,
        user=person.user,
        kind="sms",
        name=name,
        serial_number=serial_number,
        phone_number=a_number(),
        confirmed=True,
        enable_date=timezone.now(),
    )


def give_key(person: Person, name: str = "key") -> tuple["SecurityKey", MFADevice]:
    """Enable a security key for the person."""
    key = SecurityKey()
    caller = caller_for(person.user, "shell")
    options = json.loads(begin_passkey_registration(caller)["creation_options"])
    return key, finish_passkey_registration(caller, mfa_device_name=name, credential=key.create(options))


@dataclass
class SecurityKey:
    """A security key with one credential (WebAuthn level 2, attestation "none", ES256)."""

    private_key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    sign_count: int = 0
    origin: str = URL

    def create(self, options: dict[str, Any], **other: Any) -> str:
        """Answer ``navigator.credentials.create``."""
        numbers = self.private_key.public_key().public_numbers()
        x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
        public_key = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + public_key
        data = self._authenticator_data(options["rp"]["id"], 0x41) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client_data = self._client_data("webauthn.create", options["challenge"], other)
        return self._answer({"clientDataJSON": text(client_data), "attestationObject": text(attestation)})

    def get(self, options: dict[str, Any], **other: Any) -> str:
        """Answer ``navigator.credentials.get``."""
        self.sign_count += 1
        data = self._authenticator_data(options["rpId"], 0x01)
        client_data = self._client_data("webauthn.get", options["challenge"], other)
        signature = self.private_key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(SHA256()))
        return self._answer(
            {"clientDataJSON": text(client_data), "authenticatorData": text(data), "signature": text(signature)}
        )

    def _authenticator_data(self, relying_party: str, flags: int) -> bytes:
        return hashlib.sha256(relying_party.encode()).digest() + bytes([flags]) + self.sign_count.to_bytes(4, "big")

    def _client_data(self, kind: str, challenge: str, other: dict[str, Any]) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, **other}).encode()

    def _answer(self, response: dict[str, str]) -> str:
        name = text(self.credential_id)
        return json.dumps(
            {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}
        )


def text(octets: bytes) -> str:
    """Base64url as WebAuthn writes it."""
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")
