"""One's own recovery codes: make ten, count those that are left."""

from accounts import targets
from accounts.caller import Caller
from accounts.models import User
from credentials.mfa import recovery_codes
from credentials.mfa.models import MFADevice
from credentials.mfa_proof import refuse_without_second_factor
from iamconsole.errors import InvalidInput
from iamconsole.operation import Issued, operation


@operation("iamconsole:CreateRecoveryCodes", on=targets.the_caller, lock=True, issues_secret=True)
def create_recovery_codes(caller: Caller, *, user: User) -> Issued[User]:
    """Make ten codes for the day the caller's MFA devices are lost, in the place of all earlier ones. They are shown only here.

    Raises InvalidInput without an MFA device, AccessDenied unless one was used.
    """
    if not MFADevice.objects.filter(user=user).exists():
        raise InvalidInput("Recovery codes stand in for MFA devices: enable one first.")
    refuse_without_second_factor(caller, user)
    return Issued(user, {"recovery_codes": recovery_codes.issue(user)})


@operation("iamconsole:GetRecoveryCodeCount", on=targets.the_caller, reads=True)
def get_recovery_code_count(caller: Caller, *, user: User) -> dict[str, int]:
    """How many recovery codes the caller has left."""
    return {"recovery_code_count": recovery_codes.left(user)}
