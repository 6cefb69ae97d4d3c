"""Credential reports: generate one, fetch it, look at earlier ones. The task worker builds them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone

from accounts import targets
from accounts.caller import Caller
from accounts.jobs import uuid_of
from accounts.models import Account
from credentials.reports import build, comparison
from credentials.reports.models import CredentialReport
from iamconsole.errors import LimitExceeded, NoSuchEntity, ReportExpired, ReportInProgress, ReportNotPresent
from iamconsole.operation import operation
from iamconsole.paging import Page

MOST_A_DAY: Final = 24
STARTED: Final = "No report exists. Starting a new report generation task"


@operation("iam:GenerateCredentialReport", on=targets.everything, lock=True)
def generate_credential_report(caller: Caller, *, account: Account) -> Mapping[str, str]:
    """Start a report of every user's credentials, unless one is on the way or there is one of the last four hours."""
    if _going_on(account) is not None:
        return {"state": "INPROGRESS"}
    if _fresh(account) is not None:
        return {"state": "COMPLETE"}
    build.start(account)
    return {"state": "STARTED", "description": STARTED}


@operation("iam:GetCredentialReport", on=targets.everything, reads=True)
def get_credential_report(caller: Caller, *, account: Account) -> CredentialReport:
    """The report that was generated last, as CSV.

    Raises ReportNotPresent when there is none, ReportInProgress while it is built, ReportExpired four hours after it was.
    """
    report = _fresh(account)
    if report is not None:
        return report
    if _going_on(account) is not None:
        raise ReportInProgress("Credential report is still being generated.")
    if _whole(account).exists():
        raise ReportExpired("The credential report is older than four hours: generate a new one.")
    raise ReportNotPresent("No credential report exists: generate one.")


@operation("iamconsole:RefreshCredentialReport", on=targets.everything, lock=True)
def refresh_credential_report(caller: Caller, *, account: Account) -> CredentialReport:
    """Start a report though there may be a fresh one; one that is on the way stays the only one.

    Raises LimitExceeded at 24 reports in a day.
    """
    going_on = _going_on(account)
    if going_on is not None:
        return going_on
    day = timezone.now() - timedelta(days=1)
    if _reports(account).filter(create_date__gt=day).count() >= MOST_A_DAY:
        raise LimitExceeded(f"Cannot exceed quota for CredentialReportsPerDay: {MOST_A_DAY}")
    return build.start(account)


@operation("iamconsole:ListCredentialReports", on=targets.everything, reads=True)
def list_credential_reports(
    caller: Caller, *, account: Account, max_items: int | None = None, marker: str | None = None
) -> Page[CredentialReport]:
    """The reports that are kept and the one on the way, the latest first."""
    return Page.of(
        _reports(account),
        by="-create_date",
        scope=f"ListCredentialReports {account.pk}",
        max_items=max_items,
        marker=marker,
    )


@operation("iamconsole:GetKeptCredentialReport", on=targets.everything, reads=True)
def get_kept_credential_report(caller: Caller, *, account: Account, report_id: str) -> CredentialReport:
    """A report by its id, as CSV, however old it is. Raises NoSuchEntity for one that is not there or not whole."""
    return _kept(account, report_id)


@operation("iamconsole:CompareCredentialReports", on=targets.everything, reads=True)
def compare_credential_reports(
    caller: Caller, *, account: Account, report_id: str, later_report_id: str
) -> list[comparison.Change]:
    """What has changed from one kept report to a later one: each kind of change, how many users or keys, and of whom.

    Raises NoSuchEntity.
    """
    return comparison.changes(_kept(account, report_id), _kept(account, later_report_id))


def _reports(account: Account) -> QuerySet[CredentialReport]:
    return CredentialReport.objects.filter(account=account).select_related("job")


def _whole(account: Account) -> QuerySet[CredentialReport]:
    return _reports(account).filter(job__state="complete")


def _going_on(account: Account) -> CredentialReport | None:
    return _reports(account).filter(job__complete_date__isnull=True).first()


def _fresh(account: Account) -> CredentialReport | None:
    report = _whole(account).order_by("-create_date").first()
    return report if report and report.is_fresh(timezone.now()) else None


def _kept(account: Account, report_id: str) -> CredentialReport:
    pk = uuid_of(report_id)
    report = _whole(account).filter(pk=pk).first() if pk else None
    if report is None:
        raise NoSuchEntity(f"The credential report with id {report_id} cannot be found.")
    return report
