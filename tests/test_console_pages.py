"""Every page in every state passes the rules of WCAG 2.2 AA, in light and in dark, wide and narrow, without trouble.

A state is an address, who looks at it, and what is done there. A route without a state fails the first test.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AxeResults
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from tests.browser import PASSWORD, Visitor, every_route, give_password, shown_secret, token_of
from tests.conftest import ALLOW_ALL, Person, allow, make_account, make_user

AXE = Axe()
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
VIOLATIONS = "async (rules) => ({violations: (await axe.run(rules)).violations})"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Addresses that are no pages, and why.
NO_PAGE = {
    "api": "the AWS door; a browser is sent to the console",
    "healthz": "JSON",
    "readyz": "JSON",
    "signout": "a button",
    "theme": "a button",
    "admin:me-key-status": "a button",
    "admin:user-key-status": "a button",
}


@dataclass
class Stage:
    """The accounts that the pages show, and who looks at them."""

    root: Person  # of an account with an alias and users
    alice: Person  # may do everything in it
    helper: Person  # may list and read its users, and nothing else
    nobody: Person  # may do nothing
    beginner: Person  # root of an account with nothing in it
    newcomer: Any  # must choose a new password
    keys: tuple[str, str]  # of carol, who has all there is: active, inactive
    visitors: dict[str, Visitor] = field(default_factory=dict)


@pytest.fixture(scope="module")
def stage(server: Path, chromium: Browser) -> Iterator[Stage]:
    """Everybody is in place and signed in."""
    from accounts.operations.account import create_account_alias
    from accounts.operations.users import create_user, tag_user
    from credentials.operations.access_keys import create_access_key, update_access_key
    from credentials.operations.password_policies import update_account_password_policy
    from permissions.operations.inline import put_user_policy

    root = make_account()
    create_account_alias(root.caller, account_alias=f"acme-{root.account_id}")
    carol = make_user(root, "carol", allow("iam:GetUser"), path="/design/")
    second = create_access_key(root.caller, user_name="carol").entity.access_key_id
    update_access_key(root.caller, user_name="carol", access_key_id=second, status="Inactive")
    put_user_policy(root.caller, user_name="carol", policy_name="everything", policy_document=ALLOW_ALL)
    tag_user(root.caller, user_name="carol", tags=[{"key": "team", "value": "blue"}, {"key": "empty", "value": ""}])
    give_password(carol)
    create_user(root.caller, user_name="bob")
    stage = Stage(
        root=root,
        alice=make_user(root, "alice", ALLOW_ALL),
        helper=make_user(root, "helper", allow("iam:ListUsers", "iam:GetUser")),
        nobody=make_user(root, "nobody"),
        beginner=make_account(),
        newcomer=create_user(root.caller, user_name="newcomer"),
        keys=(carol.access_key_id, second),
    )
    give_password(stage.newcomer, must_change=True)
    update_account_password_policy(root.caller, minimum_password_length=10, max_password_age=365, hard_expiry=True)
    for name in ("root", "alice", "helper", "nobody", "beginner"):
        give_password(getattr(stage, name))
        stage.visitors[name] = Visitor(chromium)
        stage.visitors[name].sign_in(getattr(stage, name))
    stage.visitors["stranger"] = Visitor(chromium)
    stage.visitors["newcomer"] = Visitor(chromium)
    for visitor in stage.visitors.values():
        visitor.context.add_init_script(AXE.axe_script)
        visitor.page.on("dialog", lambda dialog: dialog.accept())  # "leave without saving the secret?"
    yield stage
    for visitor in stage.visitors.values():
        visitor.context.close()


How = Callable[[Page, Stage], object]


@dataclass(frozen=True)
class State:
    """One state of a page: the route, who looks, what is done there, and what the page then says."""

    route: str
    name: str
    who: str
    says: str
    arguments: tuple[str, ...] = ()
    query: str = ""
    then: How | None = None

    def address(self, stage: Stage) -> str:
        """Where it is; the arguments "active" and "inactive" stand for carol's keys."""
        keys = dict(zip(("active", "inactive", "own"), (*stage.keys, stage.alice.access_key_id), strict=True))
        return reverse(self.route, args=[keys.get(each, each) for each in self.arguments]) + self.query


def press(button: str, **fields: str) -> How:
    """Fill fields by their names in the form, then press a button."""

    def act(page: Page, stage: Stage) -> None:
        for name, text in fields.items():
            page.locator(f"main [name={name}]").first.fill(text)
        page.locator("main").get_by_role("button", name=button, exact=True).click()

    return act


def create(purpose: str, name: str, *, generate: bool = True) -> How:
    """Create a user for a purpose."""

    def act(page: Page, stage: Stage) -> None:
        page.get_by_label("User name", exact=True).fill(name)
        page.locator(f"[name=purpose][value={purpose}]").check()
        page.get_by_label("Generate the password").set_checked(generate)
        page.get_by_role("button", name="Create user").click()

    return act


def reveal(element: str, then: How) -> How:
    """Come to a page that shows a secret, and show it."""

    def act(page: Page, stage: Stage) -> None:
        then(page, stage)
        shown_secret(page, element)

    return act


def send_again(page: Page, stage: Stage) -> None:
    """Reload the page that answered a form."""
    press("Create access key")(page, stage)
    expect(page.locator("#secret")).to_be_visible()
    page.reload()


def send_without_token(page: Page, stage: Stage) -> None:
    """Send the form as another site would."""
    page.evaluate("document.querySelector('main [name=csrfmiddlewaretoken]').remove()")
    press("Sign in", account="acme", user_name="x", password="x")(page, stage)


def give_first_password(page: Page, stage: Stage) -> None:
    """Sign in as the user who must choose a new password."""
    page.goto("/signin/")
    answers = {"account": stage.newcomer.account_id, "user_name": "newcomer", "password": PASSWORD}
    press("Sign in", **answers)(page, stage)


def choose(page: Page, stage: Stage, **fields: str) -> None:
    """Come to the forced new password, and answer."""
    give_first_password(page, stage)
    press("Change password and go on", **fields)(page, stage)


def follow_link(page: Page, stage: Stage) -> None:
    """Open a good set-up link."""
    from accounts.setup_links import issue

    link = issue(stage.root.user)
    token_of(link)
    page.goto(link)


def follow_link_and_fail(page: Page, stage: Stage) -> None:
    """Open a good set-up link and choose a bad password."""
    follow_link(page, stage)
    press("Set password", new_password="weak", confirm_password="other")(page, stage)


WEAK = {"new_password": "weak", "confirm_password": "weak"}
CHANGE, ADD, LIST = "admin:accounts_user_change", "admin:accounts_user_add", "admin:accounts_user_changelist"
CREDENTIALS, TAGS = "?tab=credentials", "?tab=tags"
STATES = [
    State("signin", "iam user", "stranger", "Account ID or alias"),
    State("signin", "root user", "stranger", "Root user e-mail address", query="?as=root"),
    State("signin", "signed out", "stranger", "You are signed out.", query="?message=signed-out"),
    State("signin", "error", "stranger", "incorrect", then=press("Sign in", account="a", user_name="b", password="c")),
    State(
        "signin",
        "root error",
        "stranger",
        "incorrect",
        query="?as=root",
        then=press("Sign in", email="a@b.org", password="c"),
    ),
    State("signin", "nothing entered", "stranger", "This field is required", then=press("Sign in")),
    State("signin", "without a token", "stranger", "did not come from this site", then=send_without_token),
    State("signin-account", "account known", "stranger", "IAM user name", ("acme",)),
    State("setup", "invalid", "stranger", "This link does not work", ("nonsense",)),
    State("setup", "form", "stranger", "This link works once", ("nonsense",), then=follow_link),
    State("setup", "error", "stranger", "not the same password", ("nonsense",), then=follow_link_and_fail),
    State("new-password", "late", "stranger", "That took too long"),
    State("new-password", "form", "newcomer", "must choose a new password", then=give_first_password),
    State("new-password", "weak", "newcomer", "10 to 128", then=partial(choose, old_password=PASSWORD, **WEAK)),
    State("password-expired", "opened", "stranger", "an administrator must set"),
    State("help", "signed out", "stranger", "Programs"),
    State("help", "signed in", "alice", "Programs"),
    State("signout", "opened", "alice", "nothing to see"),
    State("admin:index", "empty", "beginner", "You are the root user"),
    State("admin:index", "typical", "alice", "IAM resources"),
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
    State("admin:me", "typical", "alice", "Change password"),
    State("admin:me", "root user", "beginner", "Root user"),
    State("admin:me", "not permitted", "nobody", "iam:ListAccessKeys"),
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
    State(LIST, "empty", "beginner", "No users"),
    State(LIST, "typical", "alice", "carol"),
    State(LIST, "nothing matches", "alice", "Nothing matches", query="?q=zzz"),
    State(LIST, "filtered", "alice", "newcomer", query="?console=enabled&key=no"),
    State(LIST, "partly permitted", "helper", "Not permitted"),
    State(LIST, "not permitted", "nobody", "iam:ListUsers"),
    State(LIST, "forged filter", "alice", "could not be understood", query="?password__startswith=a"),
    State(ADD, "form", "alice", "What is the user for?"),
    State(ADD, "error", "alice", "Enter a password", then=create("person", "x", generate=False)),
    State(ADD, "name taken", "alice", "already exists", then=create("none", "Carol")),
    State(ADD, "not permitted", "nobody", "iam:CreateUser"),
    State(ADD, "password", "alice", "shown once", then=reveal("password", create("person", "erin"))),
    State(ADD, "access key", "alice", "shown once", then=reveal("secret", create("service", "backup"))),
    State(CHANGE, "typical", "alice", "everything", ("carol",)),
    State(CHANGE, "typical credentials", "alice", "Deactivate", ("carol",), CREDENTIALS),
    State(CHANGE, "typical tags", "alice", "blue", ("carol",), TAGS),
    State(CHANGE, "empty", "alice", "No policy yet", ("bob",)),
    State(CHANGE, "empty credentials", "alice", "None yet", ("bob",), CREDENTIALS),
    State(CHANGE, "empty tags", "alice", "No tag yet", ("bob",), TAGS),
    State(CHANGE, "partly permitted", "helper", "iam:ListUserPolicies", ("carol",)),
    State(CHANGE, "partly permitted credentials", "helper", "iam:GetLoginProfile", ("carol",), CREDENTIALS),
    State(CHANGE, "partly permitted tags", "helper", "iam:ListUserTags", ("carol",), TAGS),
    State(CHANGE, "not permitted", "nobody", "iam:GetUser", ("carol",)),
    State(CHANGE, "not there", "alice", "cannot be found", ("nobody-at-all",)),
    State("admin:user-rename", "form", "alice", "The ARN changes", ("carol",)),
    State("admin:user-rename", "error", "alice", "already exists", ("carol",), then=press("Save", new_user_name="bob")),
    State("admin:user-rename", "not permitted", "helper", "iam:UpdateUser", ("carol",)),
    State("admin:accounts_user_delete", "typical", "alice", "This cannot be undone", ("carol",)),
    State("admin:accounts_user_delete", "empty", "alice", "Console password: none", ("bob",)),
    State(
        "admin:accounts_user_delete",
        "error",
        "alice",
        "not the name",
        ("carol",),
        then=press("Delete user", typed_name="x"),
    ),
    State("admin:accounts_user_delete", "not permitted", "helper", "iam:DeleteUser", ("carol",)),
    State("admin:user-tags", "empty", "alice", "Save tags", ("bob",)),
    State("admin:user-tags", "typical", "alice", "Save tags", ("carol",)),
    State("admin:user-tags", "error", "alice", "reserved", ("carol",), then=press("Save tags", tag_key="aws:team")),
    State("admin:user-tags", "not permitted", "helper", "iam:TagUser", ("carol",)),
    State("admin:user-console-access", "enable", "alice", "Enable console access for bob", ("bob",)),
    State("admin:user-console-access", "set", "alice", "Set another password", ("carol",)),
    State("admin:user-console-access", "not permitted", "helper", "iam:UpdateLoginProfile", ("carol",)),
    State(
        "admin:user-console-access",
        "password",
        "alice",
        "shown once",
        ("carol",),
        then=reveal("password", press("Set password")),
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
    State("admin:user-policy-create", "form", "alice", "Policy document", ("bob",)),
    State(
        "admin:user-policy-create",
        "error",
        "alice",
        "Check what you entered",
        ("bob",),
        then=press("Save policy", policy_name="p", policy_document=""),
    ),
    State("admin:user-policy-create", "not permitted", "helper", "iam:PutUserPolicy", ("bob",)),
    State("admin:user-policy-edit", "typical", "alice", "Edit everything", ("carol", "everything")),
    State(
        "admin:user-policy-edit",
        "error",
        "alice",
        "This is not JSON",
        ("carol", "everything"),
        then=press("Save policy", policy_document='{"Version": "2012-10-17"'),
    ),
    State("admin:user-policy-edit", "not there", "alice", "cannot be found", ("carol", "nothing")),
    State("admin:user-policy-edit", "not permitted", "helper", "iam:GetUserPolicy", ("carol", "everything")),
    State("admin:user-policy-delete", "typical", "alice", "loses what this policy allows", ("carol", "everything")),
]


def test_every_route_is_shown_in_some_state():
    routes = {name for name, _ in every_route()}
    assert routes - {state.route for state in STATES} <= NO_PAGE.keys() <= routes
    assert len({(state.route, state.name) for state in STATES}) == len(STATES)


@pytest.mark.parametrize("state", STATES, ids=lambda state: f"{state.route}, {state.name}")
def test_a_page_is_accessible_wide_and_narrow_in_light_and_dark(state: State, stage: Stage):
    visitor = stage.visitors[state.who]
    visitor.trouble.clear()
    page = visitor.open(state.address(stage))
    if state.then:
        state.then(page, stage)
    expect(page.locator("main")).to_contain_text(state.says)
    assert page.locator("h1").count() == 1
    assert page.title().startswith("Error: ") is (page.locator("main [role=alert]").count() == 1)
    for scheme, width in (("light", 1280), ("dark", 400)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(OVERFLOW) <= 0, f"the page is wider than {width} px"
        result = AxeResults(page.evaluate(VIOLATIONS, RULES))
        assert result.violations_count == 0, f"{scheme}\n{result.generate_report()}"
    assert visitor.trouble == []


def test_a_page_of_an_address_that_is_none_is_our_own(stage: Stage):
    for who in ("stranger", "alice"):
        for address in ("/nowhere/", "/console/nowhere/", "/console/password_change/", "/console/login/"):
            page = stage.visitors[who].open(address)
            expect(page.locator("main")).to_contain_text("There is no such page")
