"""States of the pages for everybody, and of signing in."""

from functools import partial

from playwright.sync_api import Page, expect

from tests.browser import PASSWORD, token_of
from tests.conftest import SECRETS
from tests.page_states.acts import WEAK, send_code
from tests.page_states.stage import Stage
from tests.page_states.state import How, State, press


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


def give_password_only(page: Page, stage: Stage) -> None:
    """Sign in as the user who has MFA devices, up to the second factor."""
    page.goto("/signin/")
    answers = {"account": stage.guarded.account_id, "user_name": "guarded", "password": PASSWORD}
    press("Sign in", **answers)(page, stage)
    expect(page.locator("h1")).to_have_text("Multi-factor authentication")


def open_two_codes(page: Page, stage: Stage) -> None:
    """Miss twice and say that the clock is off."""
    miss(2)(page, stage)
    page.get_by_role("link", name="sign in with two codes in a row").click()
    expect(page.get_by_label("MFA code 2")).to_be_visible()


def give_two_wrong_codes(page: Page, stage: Stage) -> None:
    """The same, then two codes that are none of the device's."""
    open_two_codes(page, stage)
    press("Sign in", authentication_code1="000000", authentication_code2="000001")(page, stage)


def come_to_enrol(page: Page, stage: Stage) -> None:
    """Sign in where an MFA device is required, without one."""
    page.goto("/signin/")
    answers = {"account": stage.pioneer.account_id, "user_name": "pioneer", "password": PASSWORD}
    press("Sign in", **answers)(page, stage)
    expect(page.locator("h1")).to_have_text("Set up an MFA device")


def see_required_key(page: Page, stage: Stage) -> None:
    """Name the device."""
    come_to_enrol(page, stage)
    press("Show QR code", virtual_mfa_device_name="phone")(page, stage)
    SECRETS.append("".join(page.locator("#key").inner_text().split()))


def give_wrong_first_codes(page: Page, stage: Stage) -> None:
    """Enter codes that are none of the device's."""
    see_required_key(page, stage)
    press("Add MFA and go on", authentication_code1="000000", authentication_code2="000001")(page, stage)


def ask_for_token(page: Page, stage: Stage) -> None:
    """Choose a hardware token."""
    come_to_enrol(page, stage)
    page.get_by_role("link", name="Use a hardware token instead").click()


def ask_for_recovery(page: Page, stage: Stage) -> None:
    """Choose to give a recovery code."""
    give_password_only(page, stage)
    page.get_by_text("Use another device or a recovery code").click()
    page.get_by_role("link", name="A recovery code").click()


def use(kind: str, *, then: How | None = None) -> How:
    """Choose the device of a kind at the second factor; then do something there."""

    def act(page: Page, stage: Stage) -> None:
        give_password_only(page, stage)
        page.get_by_text("Use another device or a recovery code").click()
        page.locator("details p").filter(has_text=kind).get_by_role("link").click()
        if then:
            then(page, stage)

    return act


def cancel_passkey(page: Page, stage: Stage) -> None:
    """Be asked for a passkey that is not there."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "usb", "automaticPresenceSimulation": True}
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    page.get_by_role("button", name="Use passkey").click()
    expect(page.get_by_text("Nothing was sent")).to_be_visible()


def miss(times: int) -> How:
    """Give wrong codes."""

    def act(page: Page, stage: Stage) -> None:
        from credentials.mfa.models import GuessBudget
        from credentials.mfa.throttle import WINDOWS

        GuessBudget.objects.update(**dict.fromkeys(WINDOWS, 0))
        give_password_only(page, stage)
        for _ in range(times):
            press("Sign in", code="000000")(page, stage)
            expect(page.locator("[role=alert]")).to_be_visible()

    return act


def try_too_often(page: Page, stage: Stage) -> None:
    """Give a wrong password once more than is let through."""
    from accounts import throttle

    budgets = throttle.sign_in_budgets(account=stage.root.account_id, who="nobody-there", address="192.0.2.1")
    for _ in range(throttle.USER.burst):
        throttle.reserve(budgets[:1])
    press("Sign in", account=stage.root.account_id, user_name="nobody-there", password="c")(page, stage)


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
    State("signin", "too many attempts", "stranger", "Too many attempts. Try again in", then=try_too_often),
    State("second-factor", "late", "stranger", "That took too long"),
    State("second-factor", "form", "guarded", "phone", then=give_password_only),
    State("second-factor", "recovery code", "guarded", "one of your recovery codes", then=ask_for_recovery),
    State("second-factor", "error", "guarded", "The code is not right", then=miss(1)),
    State("second-factor", "clock off", "guarded", "how far its clock is off", then=open_two_codes),
    State("second-factor", "clock off, error", "guarded", "not two codes in a row", then=give_two_wrong_codes),
    State("second-factor", "missed often", "guarded", "every 30 seconds", then=miss(2)),
    State("second-factor", "too many attempts", "guarded", "Too many attempts. Try again in", then=miss(6)),
    State("second-factor", "passkey", "guarded", "Use your passkey or security key blue-key", then=use("Passkey")),
    State("second-factor", "cancelled", "guarded", "Nothing was sent", then=use("Passkey", then=cancel_passkey)),
    State("second-factor", "text message", "guarded", "Get a code by text message", then=use("Text message")),
    State("second-factor", "sent", "guarded", "on its way", then=use("Text message", then=send_code)),
    State("admin:confirm", "opened", "late", "more than 15 minutes"),
    State("admin:confirm", "passkey and number", "guarded_in", "Or use a passkey"),
    State("help", "signed out", "stranger", "Programs"),
    State("help", "signed in", "alice", "Programs"),
    State("signout", "opened", "alice", "nothing to see"),
    State("mfa-enrolment", "late", "stranger", "That took too long"),
    State("mfa-enrolment", "name", "pioneer", "has no MFA device yet", then=come_to_enrol),
    State("mfa-enrolment", "key", "pioneer", "Scan this with the app", then=see_required_key),
    State("mfa-enrolment", "wrong codes", "pioneer", "is not valid", then=give_wrong_first_codes),
    State("mfa-enrolment", "token", "pioneer", "back of the token", then=ask_for_token),
]
