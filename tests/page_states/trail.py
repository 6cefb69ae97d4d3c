"""States of the audit log, its events and the tabs of activity."""

from playwright.sync_api import Page

from accounts.management.commands._shell import operator
from audit.operations.events import report_broken_trail
from tests.page_states.stage import Stage
from tests.page_states.state import State


def find_it_broken(page: Page, stage: Stage) -> None:
    """Report that the trail of the account that is looked at is broken."""
    reason = "1 broken link: #2 iam:CreateUser was altered: its hash is another."
    report_broken_trail(operator(), account=stage.beginner.account_id, broken_reason=reason)
    page.reload()


STATES = [
    State("admin:trail", "all", "alice", "Export this view"),
    State("admin:trail", "filtered", "alice", "remove this filter", query="?actor=nobody&result=Refused"),
    State("admin:trail", "nothing matches", "alice", "Nothing matches", query="?actor=nemo"),
    State("admin:trail", "wrong filter", "alice", "at most 36 characters", query="?event_request_id=" + "x" * 40),
    State("admin:trail", "not permitted", "nobody", "cloudtrail:LookupEvents"),
    State("admin:trail", "not whole", "beginner", "The audit log is not whole", then=find_it_broken),
    State("admin:index", "trail not whole", "beginner", "The audit log is not whole", then=find_it_broken),
    State("admin:trail-event", "refused", "alice", "Why was this denied?", ("nothing allows",)),
    State("admin:trail-event", "changed", "alice", "What was asked", ("changed",)),
    State("admin:trail-event", "not permitted", "nobody", "cloudtrail:LookupEvents", ("nothing allows",)),
    State("admin:trail-event", "not there", "alice", "no event of this ID", ("no decision",)),
    State("admin:accounts_user_change", "activity", "alice", "Open in the audit log", ("carol",), "?tab=activity"),
    State("admin:accounts_group_change", "activity", "alice", "Open in the audit log", ("designers",), "?tab=activity"),
    State("admin:permissions_managedpolicy_change", "activity", "alice", "Open in", ("@reports",), "?tab=activity"),
]
