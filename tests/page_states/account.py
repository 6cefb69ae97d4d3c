"""States of the dashboard, the account and its settings, and the search."""

from playwright.sync_api import Page

from tests.page_states.stage import Stage
from tests.page_states.state import State, press


def review_requirement(page: Page, stage: Stage) -> None:
    """Say that MFA is required from a day on."""
    page.locator("[name=required][value=yes]").check()
    press("Review impact", start_date="2030-01-01")(page, stage)


STATES = [
    State("admin:index", "empty", "beginner", "You are the root user"),
    State("admin:index", "typical", "alice", "iam_user_mfa_enabled_console_access"),
    State("admin:index", "not permitted", "nobody", "iam:GetAccountSummary"),
    State("admin:account", "empty", "beginner", "Create alias"),
    State("admin:account", "typical", "root", "Change e-mail address"),
    State("admin:account", "not permitted", "nobody", "iam:CreateAccountAlias"),
    State("admin:account-alias", "empty", "beginner", "Save alias"),
    State("admin:account-alias", "typical", "alice", "Delete alias"),
    State(
        "admin:account-alias", "error", "alice", "Use 3 to 63 lower-case", then=press("Save alias", account_alias="No!")
    ),
    State("admin:account-alias", "not permitted", "nobody", "iam:CreateAccountAlias"),
    State("admin:mfa-requirement", "form", "alice", "Nobody is locked out"),
    State("admin:mfa-requirement", "review", "alice", "console users have no MFA device", then=review_requirement),
    State("admin:mfa-requirement", "not permitted", "nobody", "iamconsole:GetMFARequirement"),
    State("admin:password-policy", "default", "beginner", "In force now: IAM default"),
    State("admin:password-policy", "custom", "alice", "In force now: the account's own"),
    State("admin:password-policy", "preview", "alice", "console users must change", then=press("Preview impact")),
    State("admin:password-policy", "confirm", "alice", "Set this password policy?", then=press("Review and save")),
    State(
        "admin:password-policy",
        "error",
        "alice",
        "Ensure this value",
        then=press("Review and save", max_password_age="0"),
    ),
    State("admin:password-policy", "not permitted", "nobody", "iam:UpdateAccountPasswordPolicy"),
    State("admin:root-email", "form", "root", "New e-mail address"),
    State(
        "admin:root-email",
        "error",
        "root",
        "Enter a valid email address",
        then=press("Change e-mail address", email="x", password="x"),
    ),
    State("admin:root-email", "not root", "alice", "Only the root user"),
    State("admin:search", "empty", "alice", "What are you looking for?"),
    State("admin:search", "typical", "alice", "Users (", query="?q=a"),
    State("admin:search", "nothing found", "alice", "Nothing found", query="?q=zzz"),
    State("admin:search", "not permitted", "nobody", "iam:ListUsers", query="?q=alice"),
    State("admin:index", "certificates to renew", "alice", "Server certificates to renew"),
]
