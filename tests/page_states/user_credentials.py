"""States of a user's password, access keys and service tokens."""

from playwright.sync_api import Page, expect

from tests.page_states.acts import reveal
from tests.page_states.stage import Stage
from tests.page_states.state import How, State, press


def send_again(page: Page, stage: Stage) -> None:
    """Reload the page that answered a form."""
    press("Create access key")(page, stage)
    expect(page.locator("#secret")).to_be_visible()
    page.reload()


def choose(way: str) -> How:
    """Choose how the user comes to a password, and save it."""

    def act(page: Page, stage: Stage) -> None:
        page.locator(f"[name=first_password][value={way}]").check()
        press("Save")(page, stage)

    return act


STATES = [
    State("admin:user-console-access", "enable", "alice", "Enable console access for bob", ("bob",)),
    State("admin:user-console-access", "set", "alice", "Manage console access", ("carol",)),
    State("admin:user-console-access", "not permitted", "helper", "iam:UpdateLoginProfile", ("carol",)),
    State(
        "admin:user-console-access",
        "password",
        "alice",
        "shown once",
        ("carol",),
        then=reveal("password", choose("generated")),
    ),
    State(
        "admin:user-console-access",
        "set-up link",
        "alice",
        "Save the set-up link",
        ("bob",),
        then=reveal("setup-link", press("Enable console access")),
    ),
    State("admin:user-console-disable", "typical", "alice", "sessions end at once", ("carol",)),
    State("admin:user-console-disable", "not permitted", "helper", "iam:DeleteLoginProfile", ("carol",)),
    State("admin:user-key-create", "form", "alice", "Before you do", ("bob",)),
    State("admin:user-key-create", "not permitted", "helper", "iam:CreateAccessKey", ("bob",)),
    State(
        "admin:user-key-create",
        "both taken",
        "alice",
        "Cannot exceed quota",
        ("carol",),
        then=press("Create access key"),
    ),
    State("admin:user-key-create", "already shown", "alice", "Already shown", ("bob",), then=send_again),
    State("admin:user-key-delete", "typical", "alice", "This cannot be undone", ("carol", "inactive")),
    State("admin:user-key-delete", "active", "alice", "deactivate it first", ("carol", "active")),
    State("admin:user-key-delete", "not there", "alice", "cannot be found", ("carol", "AKIA2222222222222222")),
    State("admin:user-key-delete", "not permitted", "helper", "iam:ListAccessKeys", ("carol", "inactive")),
    State("admin:user-token-create", "form", "alice", "What is it for?", ("bob",)),
    State("admin:user-token-create", "not permitted", "helper", "iamconsole:CreateServiceToken", ("bob",)),
    State(
        "admin:user-token-create",
        "too long a life",
        "alice",
        "less than or equal to 365",
        ("bob",),
        then=press("Create service token", duration_days="1000"),
    ),
    State(
        "admin:user-token-create",
        "shown",
        "alice",
        "X-Iamconsole-Token",
        ("bob",),
        then=reveal("secret", press("Create service token", description="A gateway")),
    ),
    State("admin:user-token-delete", "typical", "alice", "The gateway", ("carol", "token")),
    State("admin:user-token-delete", "not there", "alice", "cannot be found", ("carol", "x")),
    State("admin:user-token-delete", "not permitted", "helper", "iamconsole:ListServiceTokens", ("carol", "token")),
]
