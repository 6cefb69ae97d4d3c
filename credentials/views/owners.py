"""Whose MFA devices a page is about, and what follows from it: operations, addresses, and who stays signed in."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from accounts.caller import Caller
from accounts.operations.users import get_user
from accounts.signin import caller_of, stay_in
from credentials.mfa.models import MFADevice
from credentials.mfa_proof import MissingProof, missing_proof
from credentials.operations.mfa_devices import (
    enable_mfa_device,
    enable_root_mfa_device,
    list_mfa_devices,
    resync_mfa_device,
    resync_root_mfa_device,
)
from iamconsole.errors import NoSuchEntity
from iamconsole.operation import Operation


@dataclass(frozen=True)
class Owner:
    """The owner of the devices of a page: the caller where ``user_name`` is None, or a named user."""

    request: HttpRequest
    user_name: str | None

    @classmethod
    def of(cls, request: HttpRequest, user_name: str | None) -> "Owner":
        """The owner, who is there. Raises NoSuchEntity and AccessDenied as the user's page does."""
        if user_name is not None:
            user_name = get_user(caller_of(request), user_name=user_name).user_name
        return cls(request, user_name)

    @property
    def caller(self) -> Caller:
        """Who asks."""
        return caller_of(self.request)

    @property
    def is_own(self) -> bool:
        """Whether the devices are the caller's, by whichever page."""
        return self.user_name in (None, self.caller.principal.user_name)

    @property
    def missing_proof(self) -> MissingProof | None:
        """What the caller must show before the devices are changed, where they are somebody else's."""
        return None if self.is_own else missing_proof(self.caller)

    @property
    def named(self) -> dict[str, str]:
        """The owner as a parameter of operations that may do without."""
        return {} if self.user_name is None else {"user_name": self.user_name}

    @property
    def enabling(self) -> tuple[Operation[None], dict[str, str]]:
        """The operation that enables a device for the owner, and whom it names."""
        return self._by_codes(enable_mfa_device, enable_root_mfa_device)

    @property
    def resyncing(self) -> tuple[Operation[None], dict[str, str]]:
        """The operation that sets a device of the owner right, and whom it names."""
        return self._by_codes(resync_mfa_device, resync_root_mfa_device)

    def _by_codes(self, users: Operation[None], root: Operation[None]) -> tuple[Operation[None], dict[str, str]]:
        name = self.user_name or self.caller.principal.user_name
        return (root, {}) if name is None else (users, {"user_name": name})

    def device(self, serial_number: str) -> tuple[MFADevice, bool]:
        """A device of the owner's, and whether it is the last one. Raises NoSuchEntity."""
        devices = list_mfa_devices(self.caller, **self.named).items
        found = next((each for each in devices if each.serial_number == serial_number), None)
        if found is None:
            raise NoSuchEntity(f"MFA Device with serial number {serial_number} does not exist.")
        return found, len(devices) == 1

    def address(self, page: str, *arguments: Any) -> str:
        """The address of one of the owner's pages."""
        if self.user_name is None:
            return reverse(f"admin:me-mfa-{page}", args=arguments)
        return reverse(f"admin:user-mfa-{page}", args=[self.user_name, *arguments])

    @property
    def back(self) -> str:
        """The page with the card."""
        if self.user_name is None:
            return reverse("admin:me")
        return f"{reverse('admin:accounts_user_change', args=[self.user_name])}?tab=credentials"

    def kinds(self, here: str) -> list[dict[str, Any]]:
        """The kinds of devices that can be assigned, as tabs. Passkeys and phone numbers are assigned by their owner alone."""
        own = [("Passkey or security key", "passkey"), ("Text message", "text-message")] if self.is_own else []
        kinds = [("Authenticator app", "assign"), *own, ("Hardware token", "hardware")]
        return [
            {
                "label": label,
                "url": reverse(f"admin:me-mfa-{page}") if (label, page) in own else self.address(page),
                "current": page == here,
            }
            for label, page in kinds
        ]

    def keep_session(self, *, codes_given: bool = False) -> None:
        """Go on in a new session if the change has ended the caller's own."""
        if self.is_own:
            stay_in(self.request, codes_given=codes_given)

    @property
    def shown(self) -> dict[str, Any]:
        """What every page tells of the owner."""
        return {
            "user_name": self.user_name,
            "is_own": self.is_own,
            "back": self.back,
            "missing_proof": self.missing_proof,
        }
