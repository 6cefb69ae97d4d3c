"""The page of the password policy, and the rules beside every form that asks for a password."""

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from playwright.sync_api import Page, expect

from tests.browser import PASSWORD, Visitor, a_client, draft, give_password, main_of, signed_in
from tests.conftest import SECRETS, Person, allow, make_user

pytestmark = pytest.mark.pure

PAGE = "/console/account/password-policy/"
ANOTHER = "Green-Goose-8-Ladder"
CUSTOM = {"choice": "custom", "minimum_password_length": "12"}


@pytest.fixture
def page(page: Page) -> Page:
    """alice's browser, signed in, at the page."""
    page.goto(PAGE)
    return page


def policy_of(root: Person) -> Any:
    """The account's policy as it is stored, or None."""
    from credentials.models import PasswordPolicy

    return PasswordPolicy.objects.filter(account=root.account_id).first()


def user_named(root: Person, user_name: str) -> Any:
    """The user."""
    from accounts.models import User

    return User.objects.named(root.account_id, user_name).get()


def text(answer: Any) -> str:
    """The page as text."""
    return re.sub(r"\s+", " ", answer.content.decode())


def aged(root: Person, **days: int) -> None:
    """Users whose passwords are so many days old."""
    from credentials.operations.login_profiles import create_login_profile

    for name, age in days.items():
        make_user(root, name)
        with time_machine.travel(datetime.now(UTC) - timedelta(days=age), tick=False):
            create_login_profile(root.caller, user_name=name, password=PASSWORD)


# The page


def test_a_custom_policy_is_chosen_previewed_confirmed_and_taken_back(root: Person, page: Page):
    aged(root, old=100, older=200, new=1)
    expect(page.get_by_role("radio", name="IAM default")).to_be_checked()
    expect(page.get_by_label("Minimum length")).not_to_be_visible()
    expect(page.locator("main")).to_contain_text("In force now: IAM default")
    page.get_by_role("radio", name="Custom").check()
    page.get_by_label("Minimum length").fill("12")
    page.get_by_label("Require a digit").check()
    page.get_by_label("Passwords expire after days").fill("90")
    page.get_by_label("Earlier passwords").fill("3")
    page.get_by_role("button", name="Preview impact").click()
    numbers = "2 of 4 console users must change the password at the next sign-in; 0 expire today."
    expect(page.locator("main")).to_contain_text(numbers)
    expect(page.get_by_label("Minimum length")).to_have_value("12")
    assert policy_of(root) is None
    page.get_by_role("button", name="Review and save").click()
    expect(page.locator("h1")).to_have_text("Set this password policy?")
    expect(page.locator("main")).to_contain_text(numbers)
    expect(page.locator("main")).to_contain_text("It has 12 to 128 characters.")
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_label("Passwords expire after days")).to_have_value("90")
    expect(page.get_by_label("Require a digit")).to_be_checked()
    assert policy_of(root) is None
    page.get_by_role("button", name="Review and save").click()
    page.get_by_role("button", name="Set custom").click()
    expect(page.locator("main")).to_contain_text("The password policy is set.")
    expect(page.get_by_role("radio", name="Custom")).to_be_checked()
    stored = policy_of(root)
    assert (stored.minimum_password_length, stored.max_password_age, stored.password_reuse_prevention) == (12, 90, 3)
    assert (stored.require_numbers, stored.require_symbols, stored.allow_users_to_change_password) == (
        True,
        False,
        True,
    )
    page.get_by_role("radio", name="IAM default").check()
    page.get_by_role("button", name="Review and save").click()
    expect(page.locator("h1")).to_have_text("Go back to the IAM default password policy?")
    expect(page.locator("main")).to_contain_text("0 of 4 console users must change")
    page.get_by_role("button", name="Set default").click()
    expect(page.locator("main")).to_contain_text("The IAM default policy holds again.")
    assert policy_of(root) is None


def test_the_recommended_policy_is_long_and_nothing_else(root: Person, admin: Client):
    answer = admin.post(PAGE, {"choice": "recommended", "step": "review", "max_password_age": "not a number"})
    assert "Set recommended" in text(answer)
    assert "It has 15 to 128 characters." in text(answer)
    assert admin.post(PAGE, {"choice": "recommended", "step": "save"}).status_code == 302
    stored = policy_of(root)
    assert (stored.minimum_password_length, stored.allow_users_to_change_password) == (15, True)
    assert (stored.max_password_age, stored.password_reuse_prevention, stored.hard_expiry) == (None, None, None)
    assert not any(stored.required_classes)
    assert re.search(r'value="recommended"[^>]*checked', text(admin.get(PAGE)))


def test_all_fields_of_a_custom_policy_are_set_and_shown(root: Person, admin: Client):
    fields = {
        "minimum_password_length": "14",
        "require_uppercase_characters": "on",
        "require_lowercase_characters": "on",
        "require_numbers": "on",
        "require_symbols": "on",
        "max_password_age": "90",
        "hard_expiry": "on",
        "allow_users_to_change_password": "on",
        "password_reuse_prevention": "24",
    }
    assert admin.post(PAGE, {"choice": "custom", "step": "save"} | fields).status_code == 302
    stored = policy_of(root)
    for name, value in fields.items():
        assert str(getattr(stored, name)) == value.replace("on", "True")
    shown = text(admin.get(PAGE))
    for name, value in fields.items():
        [field] = [each for each in re.findall(r"<input[^>]*>", shown) if f'name="{name}"' in each]
        assert "checked" in field if value == "on" else f'value="{value}"' in field
    for sentence in ("It has an upper-case letter", "It expires after 90 days, and an administrator", "one of the 24"):
        assert sentence in shown


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("minimum_password_length", "7"),
        ("minimum_password_length", "129"),
        ("max_password_age", "0"),
        ("max_password_age", "1096"),
        ("password_reuse_prevention", "25"),
        ("password_reuse_prevention", "many"),
    ],
)
def test_a_value_beyond_the_limits_is_told_at_its_field(root: Person, admin: Client, field: str, value: str):
    for step in ("preview", "review", "save"):
        answer = admin.post(PAGE, CUSTOM | {field: value, "step": step})
        assert answer.context["form"].errors.keys() == {field}
        assert "Check what you entered" in text(answer)
    assert policy_of(root) is None


def test_the_default_can_not_be_gone_back_to_where_it_holds(admin: Client):
    assert "The IAM default policy holds already." in text(admin.post(PAGE, {"choice": "default", "step": "save"}))


def test_a_hard_expiry_says_who_is_shut_out(root: Person, admin: Client):
    aged(root, old=100, new=1)
    answer = text(admin.post(PAGE, CUSTOM | {"max_password_age": "90", "hard_expiry": "on", "step": "review"}))
    assert "1 of 2 console users must change" in answer
    assert "1 of them can not do so themselves" in answer
    soft = text(admin.post(PAGE, CUSTOM | {"max_password_age": "90", "step": "review"}))
    assert "Users whom no policy allows" in soft
    assert "themselves" not in soft


def test_who_may_not_sees_what_is_missing_and_changes_nothing(root: Person):
    client = signed_in(make_user(root, "carol"))
    shown = text(client.get(PAGE))
    assert "iam:GetAccountPasswordPolicy" in shown
    assert "iam:UpdateAccountPasswordPolicy" in shown
    assert "iamconsole:PreviewAccountPasswordPolicy" in text(client.post(PAGE, CUSTOM | {"step": "review"}))
    refused = text(client.post(PAGE, CUSTOM | {"step": "save"}))
    assert "is not authorized to perform: iam:UpdateAccountPasswordPolicy" in refused
    assert policy_of(root) is None


def test_the_account_page_leads_there(root: Person, admin: Client):
    assert "The IAM default password policy holds." in text(admin.get("/console/account/"))
    assert f'href="{PAGE}"' in text(admin.get("/console/account/"))
    admin.post(PAGE, CUSTOM | {"step": "save"})
    assert "a password policy of its own" in text(admin.get("/console/account/"))


# Wherever a password is asked for


def test_every_password_form_lists_the_accounts_rules(root: Person, admin: Client, alice: Person):
    from accounts.setup_links import issue
    from tests.browser import token_of

    make_user(root, "dave")
    link = f"/setup/{token_of(issue(make_user(root, 'erin').user))}/"
    admin.post(PAGE, CUSTOM | {"require_symbols": "on", "password_reuse_prevention": "5", "step": "save"})
    his = signed_in(alice)
    for client, address in (
        (his, "/console/my-security-credentials/password/"),
        (his, draft(his, "frank", "person")),
        (his, "/console/accounts/user/dave/console-access/"),
        (his, link),
    ):
        shown = text(client.get(address))
        for sentence in (
            "It has 12 to 128 characters.",
            "It has a symbol (",
            "one of the 5 before it",
            "many people use",
        ):
            assert sentence in shown, address
        assert "three of these four" not in shown
    # The root user's own password is under the default policy.
    assert "three of these four" in text(admin.get("/console/my-security-credentials/password/"))


def test_all_broken_rules_are_told_at_once(root: Person, admin: Client, alice: Person):
    give_password(alice)
    admin.post(PAGE, CUSTOM | {"require_symbols": "on", "require_numbers": "on", "step": "save"})
    given = {"old_password": PASSWORD, "new_password": "password", "confirm_password": "password"}
    answer = signed_in(alice).post("/console/my-security-credentials/password/", given)
    told = answer.context["form"].errors["new_password"]
    assert len(told) == 5, told


def test_a_generated_password_follows_the_policy(root: Person, admin: Client):
    make_user(root, "dave")
    long = {"minimum_password_length": "40", "require_symbols": "on", "require_numbers": "on"}
    admin.post(PAGE, CUSTOM | long | {"step": "save"})
    address = "/console/accounts/user/dave/console-access/"
    nonce = admin.get(address).context["nonce"]
    answer = admin.post(address, {"first_password": "generated", "nonce": nonce})
    found = re.search(r'id="password"[^>]*>([^<]+)<', answer.content.decode())
    assert found
    SECRETS.append(found[1].strip())
    assert len(found[1].strip()) >= 40


@pytest.mark.asvs("6.2.6")
@pytest.mark.asvs("6.2.7")
def test_password_fields_hide_and_take_what_is_pasted(page: Page):
    page.goto("/console/my-security-credentials/password/")
    for name, purpose in (("old", "current"), ("new", "new"), ("confirm", "new")):
        field = page.locator(f"[name={name}_password]")
        expect(field).to_have_attribute("type", "password")
        expect(field).to_have_attribute("autocomplete", f"{purpose}-password")
        field.focus()
        page.keyboard.insert_text(f" {ANOTHER} ")
        expect(field).to_have_value(f" {ANOTHER} ")


@pytest.mark.asvs("6.2.9")
def test_a_password_is_measured_as_it_is_hashed_and_a_browser_cuts_nothing_off(page: Page, alice: Person):
    accented = "".join(each for each in map(chr, range(0xC0, 0x100)) if unicodedata.decomposition(each))
    composed = (f"Aa1-{accented}" * 3)[:128]
    decomposed = unicodedata.normalize("NFD", composed)  # as some keyboards have it
    SECRETS.extend([composed, decomposed])
    assert len(composed) == 128 < len(decomposed)
    for new, told in ((f"{decomposed}A", "at most 128 characters (it has 129)"), (decomposed, "password is changed")):
        page.goto("/console/my-security-credentials/password/")
        for field, value in (("old", PASSWORD), ("new", new), ("confirm", new)):
            page.locator(f"[name={field}_password]").fill(value)
        page.locator("main").get_by_role("button", name="Change password").click()
        expect(page.locator("main")).to_contain_text(told)
    for typed in (decomposed, composed):
        form = {"account": alice.account_id, "user_name": "alice", "password": typed}
        assert a_client().post("/signin/", form).status_code == 302


def test_who_must_change_soon_is_told_15_days_before(root: Person):
    from credentials.operations.password_policies import update_account_password_policy

    aged(root, old=80)
    client = signed_in(user_named(root, "old"))
    for age, says in ((None, None), (100, None), (90, "expires in 10 days"), (81, "expires in 1 day.")):
        update_account_password_policy(root.caller, max_password_age=age)
        for address in ("/console/", "/console/my-security-credentials/"):
            shown = text(client.get(address))
            assert f"Your password {says}" in shown if says else "Your password expires" not in shown
        told = {None: None, 100: "In 20 days", 90: "In 10 days", 81: "In 1 day"}[age]
        assert re.findall(r"<dt>Expires</dt><dd>(.*?)</dd>", text(client.get("/console/my-security-credentials/"))) == (
            [told] if told else []
        )
    update_account_password_policy(root.caller, max_password_age=90, hard_expiry=True)
    assert "afterwards only an administrator can" in text(client.get("/console/"))


def test_an_expired_password_leads_to_a_new_one_or_to_an_administrator(root: Person, visitor: Visitor):
    from credentials.operations.password_policies import update_account_password_policy

    aged(root, old=100)
    update_account_password_policy(
        root.caller, max_password_age=90, hard_expiry=True, allow_users_to_change_password=True
    )
    old = user_named(root, "old")
    page = visitor.sign_in(old)
    expect(page.locator("h1")).to_have_text("Your password has expired")
    assert "administrator" in main_of(page)
    update_account_password_policy(root.caller, max_password_age=90, allow_users_to_change_password=True)
    page = visitor.sign_in(old)
    expect(page.locator("h1")).to_have_text("Choose a new password")
    page.get_by_label("Current password", exact=True).fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill(ANOTHER)
    page.get_by_label("Confirm new password", exact=True).fill(ANOTHER)
    page.get_by_role("button", name="Change password and go on").click()
    expect(page.locator("h1")).to_have_text("Dashboard")
    SECRETS.append(ANOTHER)


def test_a_rule_that_a_policy_grants_lets_a_user_change_the_password_in_the_console(root: Person, admin: Client):
    carol = make_user(root, "carol", allow("iam:ListUsers"))
    give_password(carol)
    client = signed_in(carol)
    given = {"old_password": PASSWORD, "new_password": ANOTHER, "confirm_password": ANOTHER}
    assert "iam:ChangePassword" in text(client.get("/console/my-security-credentials/password/"))
    assert client.post("/console/my-security-credentials/password/", given).status_code == 200
    admin.post(PAGE, CUSTOM | {"allow_users_to_change_password": "on", "step": "save"})
    assert client.post("/console/my-security-credentials/password/", given).status_code == 302
