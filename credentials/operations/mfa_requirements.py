"""The account's demand that its console users have an MFA device: read, set, take away, and foresee."""

from datetime import date

from accounts import targets
from accounts.caller import Caller
from accounts.models import Account
from credentials.mfa.models import MFARequirement
from credentials.mfa.requirement import LATEST_START, console_users, without_device, would_be_forced
from iamconsole.errors import InvalidInput, NoSuchEntity
from iamconsole.operation import operation


@operation("iamconsole:GetMFARequirement", on=targets.everything, reads=True)
def get_mfa_requirement(caller: Caller, *, account: Account) -> dict[str, dict[str, str | int]]:
    """From which day (UTC) the account demands an MFA device, and after how many days of grace.

    Raises NoSuchEntity where it demands none.
    """
    requirement = MFARequirement.objects.filter(account=account).first()
    if requirement is None:
        raise NoSuchEntity(f"Account {account.pk} does not require MFA.")
    told: dict[str, str | int] = {
        "start_date": f"{requirement.start_date}",
        "grace_period_days": requirement.grace_period_days,
    }
    return {"mfa_requirement": told}


@operation("iamconsole:UpdateMFARequirement", on=targets.everything, lock=True, sensitive=True)
def update_mfa_requirement(caller: Caller, *, account: Account, start_date: str, grace_period_days: int = 0) -> None:
    """Demand an MFA device of every console user, the root user too; who has none enables one at sign-in.

    That is forced ``grace_period_days`` after the later of ``start_date`` (UTC) and when the user got access to the console.
    Access keys and temporary credentials go on working.
    """
    MFARequirement.objects.update_or_create(
        account=account, defaults={"start_date": _day(start_date), "grace_period_days": grace_period_days}
    )


@operation("iamconsole:DeleteMFARequirement", on=targets.everything, lock=True, sensitive=True)
def delete_mfa_requirement(caller: Caller, *, account: Account) -> None:
    """Demand no MFA device any more. Raises NoSuchEntity where none is demanded."""
    deleted, _ = MFARequirement.objects.filter(account=account).delete()
    if not deleted:
        raise NoSuchEntity(f"Account {account.pk} does not require MFA.")


@operation("iamconsole:PreviewMFARequirement", on=targets.everything, reads=True)
def preview_mfa_requirement(
    caller: Caller, *, account: Account, start_date: str, grace_period_days: int = 0
) -> dict[str, int]:
    """How many console users there are, how many have no MFA device, and how many would be forced to enable one at once."""
    requirement = MFARequirement(account=account, start_date=_day(start_date), grace_period_days=grace_period_days)
    users = console_users(account)
    without = without_device(users)
    return {
        "console_users": users.count(),
        "without_mfa_device": without.count(),
        "must_enrol": would_be_forced(without, requirement).count(),
    }


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"{text} is not a day.", parameter="start_date") from error
    if day > LATEST_START:
        raise InvalidInput(f"{text} is too late: {LATEST_START} is the last day.", parameter="start_date")
    return day
