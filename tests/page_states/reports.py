"""States of the credential report and of the services that users last asked for."""

import uuid

from tests.page_states.acts import CHANGE
from tests.page_states.state import State, press

REPORT, KEPT, COMPARE = "admin:credential-report", "admin:credential-report-kept", "admin:credential-report-compare"
BOTH, LAST = "?before=@before&after=@after", "?tab=last-accessed"

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
    State(CHANGE, "last accessed", "alice", "AWS Identity", ("alice",), LAST),
    State(CHANGE, "never accessed", "alice", "tracking period", ("carol",), LAST),
    State(CHANGE, "last accessed, not permitted", "helper", "iamconsole:ListLastAccessedServices", ("carol",), LAST),
]
