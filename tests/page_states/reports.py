"""States of the credential report and of the services that users last asked for."""

import uuid

from django.utils import timezone
from playwright.sync_api import Page

from accounts.job_models import Job
from tests.page_states.acts import CHANGE
from tests.page_states.stage import Stage
from tests.page_states.state import State, press

REPORT, KEPT, COMPARE = "admin:credential-report", "admin:credential-report-kept", "admin:credential-report-compare"
POLICY = "admin:permissions_managedpolicy_change"
BOTH, LAST = "?before=@before&after=@after", "?tab=last-accessed"


def let_a_report_fail(page: Page, stage: Stage) -> None:
    """Generate a report, unless one is on the way, of which nothing comes."""
    if page.get_by_role("button", name="Generate now").count():
        press("Generate now")(page, stage)
    error = "It failed (OverflowError): the server's log says why."
    waiting = Job.objects.filter(kind="credential-report", state="waiting")
    waiting.update(state="failed", complete_date=timezone.now(), error=error)
    page.reload()


STATES = [
    State(REPORT, "typical", "alice", "Password without MFA"),
    State(REPORT, "empty", "beginner", "No report yet"),
    State(REPORT, "not permitted", "nobody", "iam:GetCredentialReport"),
    State(KEPT, "typical", "alice", "Reports that are kept", ("@before",)),
    State(KEPT, "not permitted", "nobody", "iamconsole:GetKeptCredentialReport", ("@before",)),
    State(KEPT, "not there", "alice", "cannot be found", (str(uuid.uuid4()),)),
    State(COMPARE, "typical", "alice", "New users", query=BOTH),
    State(COMPARE, "nothing changed", "alice", "Nothing has changed", query="?before=@after&after=@after"),
    State(COMPARE, "nothing chosen", "alice", "Nothing to compare"),
    State(COMPARE, "not permitted", "nobody", "iamconsole:CompareCredentialReports", query=BOTH),
    State(REPORT, "being built", "beginner", "waits for the task worker", then=press("Generate now")),
    State(REPORT, "failed", "beginner", "could not be built", then=let_a_report_fail),
    State(CHANGE, "last accessed", "alice", "AWS Identity", ("alice",), LAST),
    State(CHANGE, "never accessed", "alice", "tracking period", ("carol",), LAST),
    State("admin:accounts_group_change", "last accessed", "alice", "its users last asked", ("designers",), LAST),
    State(POLICY, "last accessed", "alice", "those to whom it is attached", ("@reports",), LAST),
    State(CHANGE, "last accessed, not permitted", "helper", "iamconsole:ListLastAccessedServices", ("carol",), LAST),
]
