"""A new administrator's first hour in the browser: thirty users from a file, a group, set-up links, and who never came.

With SCREENSHOTS=FOLDER in the environment a picture of each step is left there.
"""

import base64
import csv
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from credentials.operations.mfa_requirements import update_mfa_requirement
from tests.authenticators import App, give_app
from tests.browser import PASSWORD, Visitor, give_password, token_of
from tests.conftest import SECRETS, Person
from tests.test_console_mfa import scan, sign_in_with

pytestmark = pytest.mark.pure

USERS = "/console/accounts/user/"
NAMES = [f"member-{number:02}" for number in range(1, 31)]
PEOPLE = NAMES[:3]  # the others are programs
GROUP = "developers"


def look(page: Page, step: str) -> None:
    """Leave a picture of the step, if somebody wants to look at it."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{step}.png", full_page=True)


def file_of_users() -> str:
    """What the administrator was given: thirty names, three of them people's."""
    lines = [f"{name},team=blue,{'setup_link' if name in PEOPLE else 'none'}" for name in NAMES]
    return "\n".join(["user_name,tags,console_access", *lines])


def import_them(page: Page) -> list[str]:
    """Import the file. Returns the three set-up links."""
    page.goto(USERS)
    page.get_by_role("link", name="Import users").click()
    page.locator("[name=text]").fill(file_of_users())
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("h1")).to_have_text("Preview: 30 users to create")
    look(page, "1-preview")
    page.get_by_role("button", name="Create 30 users").click()
    expect(page.locator("h1")).to_contain_text("Save the set-up links")
    links = [shown_link(page, f"link-{line}") for line in range(2, 2 + len(PEOPLE))]
    look(page, "2-links")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download .csv").click()
    rows = list(csv.DictReader(download.value.path().read_text().splitlines()))
    assert [row["User name"] for row in rows] == NAMES
    assert [row["Set-up link"] for row in rows[:3]] == links
    page.get_by_role("link", name="I have saved them").click()
    return links


def shown_link(page: Page, element: str) -> str:
    """A set-up link of the page of the result."""
    page.locator(f"[data-show={element}]").click()
    link = page.locator(f"#{element}").inner_text().strip()
    token_of(link)
    return link


def give_them_a_group(page: Page) -> None:
    """Make a group that may read what there is, and put all thirty into it at once."""
    page.goto("/console/groups/add/")
    page.get_by_label("Group name").fill(GROUP)
    page.get_by_role("button", name="Create group").click()
    page.goto(f"{USERS}?q=team%3Dblue")
    expect(page.locator("#result_list tbody tr")).to_have_count(30)
    page.get_by_label("Tick all users of this page").check()
    page.locator("[name=change]").select_option("add-to-group")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("h1")).to_have_text("Add to group: 30 users")
    look(page, "3-group")
    page.locator("[name=group_name]").select_option(GROUP)
    page.get_by_role("button", name="Add to group: 30 users").click()
    expect(page.locator("main")).to_contain_text("30")
    look(page, "4-group-result")


def arrive(visitor: Visitor, root: Person, link: str) -> None:
    """Be the first of the three: open the link, choose a password, and enrol an app at sign-in, as the account requires."""
    page = visitor.open(link)
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("Confirm new password").fill(PASSWORD)
    look(page, "5-link")
    page.get_by_role("button", name="Set password").click()
    visitor.sign_in(User.objects.get(account_id=root.account_id, user_name=PEOPLE[0]))
    expect(page.locator("h1")).to_have_text("Set up an MFA device")
    page.get_by_label("Device name").fill("phone-of-the-first")
    page.get_by_role("button", name="Show QR code").click()
    key = page.locator("#key").inner_text().strip()
    SECRETS.append(key)
    assert f"?secret={key}&" in scan(page.locator(".qr").screenshot())
    app = App("", base64.b32decode(key))
    page.get_by_label("MFA code 1").fill(app.code())
    page.get_by_label("MFA code 2").fill(app.code(1))
    page.get_by_role("button", name="Add MFA and go on").click()
    expect(page.locator("h1")).to_contain_text("Save your recovery codes")
    SECRETS.extend(page.locator("#codes").inner_text().split())
    look(page, "6-enrolled")


def find_who_never_came(page: Page) -> None:
    """By the filters: access to the console, no MFA device."""
    page.goto(f"{USERS}?console=enabled&mfa=no")
    names = page.locator("#result_list tbody th")
    expect(names).to_have_count(2)
    assert [name.split()[0] for name in names.all_inner_texts()] == PEOPLE[1:]
    expect(page.locator("#result_list")).to_contain_text("No password yet")
    look(page, "7-never-came")


def suspend_until_monday(page: Page, user_name: str) -> datetime:
    """Suspend one of them. Returns until when."""
    now = datetime.now(UTC)
    monday = (now + timedelta(days=7 - now.weekday())).replace(hour=8, minute=0, second=0, microsecond=0)
    page.get_by_role("link", name=user_name, exact=True).click()
    page.get_by_role("link", name="Suspend").click()
    page.get_by_label("Until").fill(monday.strftime("%Y-%m-%dT%H:%M"))
    page.get_by_label("Reason").fill("never came")
    look(page, "8-suspend")
    page.get_by_role("button", name="Suspend user").click()
    expect(page.locator("main")).to_contain_text("Suspended until")
    look(page, "9-suspended")
    return monday


def download_the_report(page: Page, worker: Callable[[], object]) -> dict[str, dict[str, str]]:
    """Generate the credential report. Returns its rows by user."""
    page.goto("/console/credential-report/")
    page.get_by_role("button", name="Generate now").click()
    worker()
    expect(page.locator("main")).to_contain_text("As of")
    look(page, "10-report")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    return {row["user"]: row for row in csv.DictReader(download.value.path().read_text().splitlines())}


def test_a_new_administrators_hour(
    root: Person, alice: Person, visit: Callable[..., Visitor], worker: Callable[[], object]
) -> None:
    give_password(alice)
    update_mfa_requirement(root.caller, start_date="2020-01-01", grace_period_days=0)
    own = give_app(root.account_id, alice.user, "alice")
    page = visit().sign_in(alice)
    sign_in_with(page, own.code())
    first, _, third = import_them(page)
    give_them_a_group(page)
    arrive(visit(), root, first)
    find_who_never_came(page)
    monday = suspend_until_monday(page, PEOPLE[2])
    suspended = User.objects.get(account_id=root.account_id, user_name=PEOPLE[2])
    assert (suspended.suspended_until, suspended.suspension_reason) == (monday, "never came")
    rows = download_the_report(page, worker)
    assert rows.keys() == {"<root_account>", "alice", *NAMES}
    assert [name for name, row in rows.items() if row["mfa_active"] == "true"] == ["alice", PEOPLE[0]]
    assert [name for name in NAMES if rows[name]["password_enabled"] == "true"] == PEOPLE[:1]
    assert User.objects.in_account(root.account_id).filter(groups__group_name=GROUP).count() == len(NAMES)
    expect(visit().open(third).locator("h1")).to_have_text("This link does not work")
