"""What is done on the pages of more than one noun, and the names of these pages."""

from playwright.sync_api import Page

from tests.browser import shown_secret
from tests.conftest import allow
from tests.page_states.stage import Stage
from tests.page_states.state import How, press


def reveal(element: str, then: How) -> How:
    """Come to a page that shows a secret, and show it."""

    def act(page: Page, stage: Stage) -> None:
        then(page, stage)
        shown_secret(page, element)

    return act


def send_code(page: Page, stage: Stage) -> None:
    """Have a code sent."""
    from credentials.mfa.models import GuessBudget, TextCode
    from credentials.mfa.throttle import WINDOWS

    GuessBudget.objects.update(**dict.fromkeys(WINDOWS, 0))
    TextCode.objects.all().delete()
    press("Send code")(page, stage)


def edit_policy(*buttons: str, document: str | None = None, **fields: str) -> How:
    """Write a document into the editor, then press one button after the other."""

    def act(page: Page, stage: Stage) -> None:
        if document is not None:
            fields["policy_document"] = document
        for name, text in fields.items():
            page.locator(f"main [name={name}]").first.fill(text)
        for button in buttons:
            page.locator("main").get_by_role("button", name=button, exact=True).first.click()
            page.wait_for_load_state()

    return act


WEAK = {"new_password": "weak", "confirm_password": "weak"}
CHANGE, ADD, LIST = "admin:accounts_user_change", "admin:accounts_user_add", "admin:accounts_user_changelist"
CREDENTIALS, TAGS, GROUPS_TAB, SESSIONS = "?tab=credentials", "?tab=tags", "?tab=groups", "?tab=sessions"
TIDY = allow("s3:GetObject", resource="arn:aws:s3:::reports/*")
