"""States of My security credentials."""

from playwright.sync_api import Page

from tests.page_states.acts import WEAK, reveal
from tests.page_states.stage import Stage
from tests.page_states.state import State, press


def warn(page: Page, stage: Stage) -> None:
    """Let the session come near its end, as the page's clock has it."""
    page.evaluate("document.getElementById('session-end').hidden = false")


STATES = [
    State("admin:me-sign-ins", "typical", "alice", "Signed in"),
    State("admin:me", "session ends", "alice", "Recent sign-ins", then=warn),
    State("admin:me", "typical", "alice", "Change password"),
    State("admin:me", "root user", "beginner", "Root user"),
    State("admin:me", "not permitted", "nobody", "iam:ListAccessKeys"),
    State("admin:me", "with an MFA device", "alice", "Assign a second device as a backup"),
    State("admin:me", "every kind", "guarded_in", "ends in 22"),
    State("admin:me-password", "form", "alice", "Current password"),
    State("admin:me-password", "error", "alice", "10 to 128", then=press("Change password", old_password="x", **WEAK)),
    State("admin:me-password", "not permitted", "nobody", "iam:ChangePassword"),
    State("admin:me-key-create", "form", "alice", "Before you do"),
    State("admin:me-key-create", "not permitted", "nobody", "iam:CreateAccessKey"),
    State("admin:me-key-create", "secret", "root", "shown once", then=reveal("secret", press("Create access key"))),
    State("admin:me-key-delete", "form", "alice", "This cannot be undone", ("own",)),
    State(
        "admin:me-key-delete", "error", "alice", "not the ID", ("own",), then=press("Delete access key", typed_id="x")
    ),
]
