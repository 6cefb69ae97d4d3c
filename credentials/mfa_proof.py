"""The proof that a change of MFA devices wants: a second factor of the caller's own, shown in the session that asks."""

from dataclasses import dataclass

from accounts.caller import Caller
from accounts.models import User
from credentials.mfa.models import MFADevice
from iamconsole.errors import AccessDenied

_FIRST = "has an MFA device and must use it first"


@dataclass(frozen=True)
class MissingProof:
    """That the caller has shown no second factor: ``has_device`` tells whether there is one to show."""

    caller: Caller
    has_device: bool

    @property
    def of_own(self) -> AccessDenied:
        """The refusal where the own factors would change."""
        return AccessDenied(
            f"User: {self.caller.arn} {_FIRST}: own MFA devices and recovery codes are changed in a session with multi-factor"
            " authentication only."
        )

    @property
    def of_others(self) -> AccessDenied:
        """The refusal where those of somebody else would change."""
        who = _FIRST if self.has_device else "has no MFA device, and must assign one to itself and use it first"
        return AccessDenied(
            f"User: {self.caller.arn} {who}: the MFA devices of others, and how often they may be tried, are changed in a session"
            " with multi-factor authentication only, begun in the console or by sts:GetSessionToken."
        )


def missing_proof(caller: Caller) -> MissingProof | None:
    """What the caller must show before the devices of others are changed; None where nothing is missing.

    Whoever has the shell has the database.
    """
    if caller.mfa_time is not None or caller.door == "shell":
        return None
    return MissingProof(caller, MFADevice.objects.filter(user=caller.user).exists())


def is_own(caller: Caller, user: User) -> bool:
    """Whether the factors of ``user`` are the caller's."""
    return caller.user is not None and caller.user.pk == user.pk


def refuse_without_second_factor(caller: Caller, user: User) -> None:
    """Raise AccessDenied when the caller would change the factors of ``user`` without having shown an own one.

    A password or a long-term key alone must not be enough to change those of somebody else; nor, once there is one, to add one
    of the own or to take one away (AWS since 2023).
    """
    missing = missing_proof(caller)
    if missing and not is_own(caller, user):
        raise missing.of_others
    if missing and missing.has_device:
        raise missing.of_own
