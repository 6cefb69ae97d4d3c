"""The main job from end to end: the shell, two browsers and the real ``aws`` CLI against the real server."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser import Visitor, main_of, shown_secret, token_of
from tests.conftest import ROOT, SECRETS, URL

OWN = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Action": ["iam:GetUser", "iam:GetLoginProfile", "iam:ListAccessKeys"],
            "Resource": "arn:aws:iam::*:user/${aws:username}",
        },
    }
)


class CLI:
    """The ``aws`` command of somebody who has an access key."""

    def __init__(self, access_key_id: str, secret_access_key: str) -> None:
        self.environment = os.environ | {
            "AWS_ACCESS_KEY_ID": access_key_id,
            "AWS_SECRET_ACCESS_KEY": secret_access_key,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": URL,
            "AWS_MAX_ATTEMPTS": "1",
        }

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Call it, whatever it answers."""
        command = [sys.executable, "-W", "ignore", ROOT / ".venv/bin/aws", *arguments, "--output", "json"]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)

    def answer(self, *arguments: str) -> dict[str, str]:
        """What it answers when it succeeds."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        answer: dict[str, str] = json.loads(done.stdout)
        return answer

    def error(self, *arguments: str) -> str:
        """What it says when it is refused."""
        done = self.run(*arguments)
        assert done.returncode != 0, done.stdout
        return done.stderr.strip()


def make_account() -> dict[str, str]:
    """An account, as the operator makes it."""
    email = f"root-{secrets.token_hex(4)}@example.org"
    command = [sys.executable, "manage.py", "createaccount", "Acme", "--root-email", email, "--json"]
    made: dict[str, str] = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)
    token_of(made["root_setup_url"])
    return made


def fill(page: Page, **fields: str) -> Page:
    """Fill the fields of the page's form by their names."""
    for name, text in fields.items():
        page.locator(f"main [name={name}]").fill(text)
    return page


def press(page: Page, name: str) -> Page:
    """Press a button or follow a link of the page."""
    main = page.locator("main")
    main.get_by_role("button", name=name).or_(main.get_by_role("link", name=name)).first.click()
    return page


def test_an_account_lives_from_its_first_link_to_the_deletion_of_a_user(  # noqa: PLR0915 - one story
    visit: Callable[..., Visitor],
):
    account = make_account()
    account_id, arn = account["account_id"], f"arn:aws:iam::{account['account_id']}:user/alice"
    root_password, new_password = f"Root-{secrets.token_urlsafe(12)}-1", f"Alice-{secrets.token_urlsafe(12)}-1"
    SECRETS.extend([root_password, new_password])

    # The root user follows the link, sets a password and signs in by e-mail.
    browser = visit(permissions=["clipboard-read", "clipboard-write"])
    page = browser.open(account["root_setup_url"])
    expect(page.locator("main")).to_contain_text(account["root_email"])
    press(fill(page, new_password=root_password, confirm_password=root_password), "Set password")
    expect(page.locator("main")).to_contain_text("Your password is set")
    page = browser.open("/signin/?as=root")
    press(fill(page, email=account["root_email"], password=root_password), "Sign in")
    expect(page.locator("h1")).to_have_text("Dashboard")

    # She makes alice, who must choose a password of her own, and copies the first one.
    press(page, "Create user")
    press(fill(page, user_name="alice"), "Next")
    press(page, "Create group")
    press(fill(page, group_name="developers"), "Create group")
    page.get_by_label("developers").check()
    press(page, "Next")
    expect(page.locator("main")).to_contain_text("developers")
    page.locator("[name=first_password][value=generated]").check()
    press(page, "Create user")
    expect(page.locator("h1")).to_contain_text("shown once")
    page.get_by_role("button", name="Copy password").click()
    expect(page.get_by_text("Copied", exact=True)).to_be_visible()
    first_password = page.evaluate("navigator.clipboard.readText()")
    assert first_password == shown_secret(page, "password")
    sign_in_url = page.locator("[data-column='Console sign-in URL']").inner_text()
    assert sign_in_url == f"{URL}/signin/{account_id}/"
    press(page, "I have saved it")
    expect(page.locator("h1")).to_have_text("alice")

    # ... an access key ...
    page.get_by_role("link", name="Security credentials", exact=True).click()
    press(page, "Create access key")
    press(page, "Create access key")
    access_key_id = page.locator("[data-column='Access key ID']").inner_text()
    cli = CLI(access_key_id, shown_secret(page, "secret"))
    press(page, "I have saved it")
    expect(page.locator("main")).to_contain_text(access_key_id)

    # ... and lets her see what is her own.
    page.get_by_role("link", name="Permissions", exact=True).click()
    press(page, "Create inline policy")
    press(fill(page, policy_name="own", policy_document=OWN), "Save policy")
    expect(page.locator("main")).to_contain_text("Policy own is saved and in force.")

    # Her key works for what the policy allows, and AWS's words refuse the rest.
    assert cli.answer("sts", "get-caller-identity")["Arn"] == arn
    assert cli.answer("iam", "get-user")["User"]["UserName"] == "alice"
    assert cli.error("iam", "list-users").startswith(
        "An error occurred (AccessDenied) when calling the ListUsers operation: "
        f"User: {arn} is not authorized to perform: iam:ListUsers on resource: arn:aws:iam::{account_id}:user/ "
        "because no identity-based policy allows the iam:ListUsers action (decision id: "
    )

    # alice signs in at the address she was given, must change her password, and sees her own credentials only.
    hers = visit()
    her_page = hers.open(sign_in_url)
    expect(her_page.get_by_label("Account ID or alias")).to_have_value(account_id)
    press(fill(her_page, user_name="alice", password=first_password), "Sign in")
    expect(her_page.locator("h1")).to_have_text("Choose a new password")
    answers = {"old_password": first_password, "new_password": new_password, "confirm_password": new_password}
    press(fill(her_page, **answers), "Change password and go on")
    expect(her_page.locator("h1")).to_have_text("Dashboard")
    hers.open("/console/my-security-credentials/")
    expect(her_page.locator("main")).to_contain_text(access_key_id)
    hers.open("/console/accounts/user/")
    assert "iam:ListUsers" in main_of(her_page)
    hers.open("/console/accounts/user/alice/change/?tab=credentials")
    expect(her_page.locator("main")).to_contain_text(access_key_id)

    # The root user switches the key off, and on again.
    page.get_by_role("link", name="Security credentials", exact=True).click()
    press(page, "Deactivate")
    expect(page.locator("main")).to_contain_text("is now inactive")
    assert "(InvalidClientTokenId)" in cli.error("iam", "get-user")
    press(page, "Activate")
    expect(page.locator("main")).to_contain_text("is now active")
    assert cli.answer("iam", "get-user")["User"]["UserName"] == "alice"

    # Deleting alice wants her name, and takes her key and her session with her.
    press(page, "Delete")
    press(fill(page, typed_name="alice"), "Delete user")
    expect(page.locator("main")).to_contain_text("User alice is deleted")
    assert "(InvalidClientTokenId)" in cli.error("sts", "get-caller-identity")
    hers.open("/console/")
    expect(her_page.locator("h1")).to_have_text("Sign in as IAM user")
