"""States of the page Unused credentials, and of what it asks and tells."""

from playwright.sync_api import Page

from tests.page_states.stage import Stage
from tests.page_states.state import How, State, press

UNUSED, EXEMPTION = "admin:unused", "admin:unused-exemption"


def tick(group: str, button: str) -> How:
    """Tick the first row of a group and press a button there."""

    def act(page: Page, stage: Stage) -> None:
        card = page.get_by_role("region", name=group).first
        card.get_by_role("checkbox").first.check()
        card.get_by_role("button", name=button, exact=True).click()

    return act


PAST = press("Save", until="2020-01-01", reason="x")
STATES = [
    State(UNUSED, "typical", "alice", "dormant"),
    State(UNUSED, "empty", "beginner", "It will have nothing to do"),
    State(UNUSED, "not permitted", "nobody", "iamconsole:ListUnusedCredentials"),
    State(UNUSED, "no number of days", "alice", "Check what you entered", query="?days=x"),
    State(UNUSED, "asks before deleting", "alice", "This cannot be undone", then=tick("Access keys never", "Delete")),
    State(UNUSED, "done", "alice", "Deactivated", then=tick("Access keys never", "Deactivate")),
    State(EXEMPTION, "typical", "alice", "Remove the exemption", ("on-leave",)),
    State(EXEMPTION, "a day that is past", "alice", "Name a day", ("dormant",), then=PAST),
]
