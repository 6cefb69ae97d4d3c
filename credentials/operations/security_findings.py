"""What an account should mend, for its dashboard."""

from django.utils import timezone

from accounts import targets
from accounts.caller import Caller
from accounts.models import Account
from credentials.security_findings import SecurityFinding, security_findings
from iamconsole.operation import operation


@operation("iamconsole:ListSecurityFindings", on=targets.everything, reads=True)
def list_security_findings(caller: Caller, *, account: Account) -> list[SecurityFinding]:
    """What there is to mend in the account, the worst first, each named after the audit check of Prowler for it."""
    return security_findings(account, timezone.now())
