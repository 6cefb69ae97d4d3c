"""Every page in every state passes the rules of WCAG 2.2 AA, in light and in dark, wide and narrow, without trouble.

A state is an address, who looks at it, and what is done there. A route without a state fails the first test.
"""

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AxeResults
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from tests.authenticators import App, give_app, give_key, give_number
from tests.browser import PASSWORD, Visitor, every_route, give_password, shown_secret, token_of
from tests.conftest import ALLOW_ALL, SECRETS, Person, allow, make_account, make_group, make_user
from tests.everything import new_certificate, refusal_of, served_to_all
from tests.test_signin_states import add_device, code_of

READ_ONLY = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"
HELPS = ("iam:ListUsers", "iam:GetUser", "iam:ListGroups", "iam:GetGroup", "iam:ListPolicies", "iam:GetPolicy")
AXE = Axe()
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
VIOLATIONS = "async (rules) => ({violations: (await axe.run(rules)).violations})"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Addresses that are no pages, and why.
NO_PAGE = {
    "api": "the AWS door; a browser is sent to the console",
    "authorize": "the verifier door",
    "healthz": "JSON",
    "readyz": "JSON",
    "signout": "a button",
    "theme": "a button",
    "admin:me-key-status": "a button",
    "admin:me-signing-status": "a button",
    "admin:user-signing-status": "a button",
    "admin:user-key-status": "a button",
    "admin:me-service-status": "a button",
    "admin:user-service-status": "a button",
    "admin:me-session-end": "a button",
    "admin:me-sessions-end": "a button",
    "admin:user-session-end": "a button",
    "admin:user-sessions-end": "a button",
    "admin:user-throttle-reset": "a button",
    "admin:user-reactivate": "a button",
    "admin:user-lock-down-undo": "a button",
    "admin:me-mfa-enable": "the second step of admin:me-mfa-assign",
    "admin:user-mfa-enable": "the second step of admin:user-mfa-assign",
    "admin:me-mfa-discard": "a button",
    "admin:user-mfa-discard": "a button",
    "admin:stay": "asked by the script",
    "admin:user-group-remove": "a button",
    "admin:user-policy-detach": "a button",
    "admin:group-users-remove": "a button",
    "admin:group-policy-detach": "a button",
}


# Denies what nobody needs, and allows the rest to those who come with a second factor.
CAREFUL = """{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "NoUsers", "Effect": "Deny", "Action": "iam:ListUsers", "Resource": "*"},
    {
      "Sid": "OnlyWithMfa",
      "Effect": "Allow",
      "Action": "*",
      "Resource": "*",
      "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    },
    {"Sid": "Reading", "Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::public/*"}
  ]
}"""
NAMES = "&resource_arns=arn:aws:s3:::public/a%0Aarn:aws:s3:::private/a"


@dataclass
class Stage:
    """The accounts that the pages show, and who looks at them."""

    root: Person  # of an account with an alias and users
    alice: Person  # may do everything in it
    helper: Person  # may list and read its users and groups, and nothing else
    simulates: Person  # may simulate, and nothing else
    nobody: Person  # may do nothing
    beginner: Person  # root of an account with nothing in it
    newcomer: Any  # must choose a new password
    guarded: Person  # has MFA devices of every kind but a token
    late: Person  # signed in long ago
    pioneer: Person  # of an account that requires MFA, without a device
    keys: tuple[str, str]  # of carol, who has all there is: active, inactive
    token: str  # the id of her service token
    policies: dict[str, str]  # ARNs by "@" and the name: reports is in use, plain is not
    decisions: dict[str, str]  # ids of refusals: of nobody, and of one whose policy has a deny and a condition
    devices: dict[str, str] = field(
        default_factory=dict
    )  # serial numbers by "@" and the user's name: alice has one device
    visitors: dict[str, Visitor] = field(default_factory=dict)


@pytest.fixture(scope="module")
def stage(server: Path, chromium: Browser) -> Iterator[Stage]:
    """Everybody is in place and signed in."""
    from accounts.operations.account import create_account_alias
    from accounts.operations.users import create_user, list_users, tag_user
    from credentials.operations.access_keys import create_access_key, update_access_key
    from credentials.operations.mfa_requirements import update_mfa_requirement
    from credentials.operations.password_policies import update_account_password_policy
    from credentials.operations.service_tokens import create_service_token
    from permissions.operations.attachments import attach_user_policy
    from permissions.operations.boundaries import put_user_permissions_boundary
    from permissions.operations.inline import put_group_policy, put_user_policy

    root = make_account()
    create_account_alias(root.caller, account_alias=f"acme-{root.account_id}")
    carol = make_user(root, "carol", allow("iam:GetUser"), path="/design/")
    second = create_access_key(root.caller, user_name="carol").entity.access_key_id
    update_access_key(root.caller, user_name="carol", access_key_id=second, status="Inactive")
    put_user_policy(root.caller, user_name="carol", policy_name="everything", policy_document=ALLOW_ALL)
    tag_user(root.caller, user_name="carol", tags=[{"key": "team", "value": "blue"}, {"key": "empty", "value": ""}])
    give_password(carol)
    make_group(root, "developers", "carol", policy_arn=READ_ONLY)
    put_group_policy(root.caller, group_name="developers", policy_name="more", policy_document=allow("iam:GetUser"))
    make_group(root, "empty")
    attach_user_policy(root.caller, user_name="carol", policy_arn=READ_ONLY)
    put_user_permissions_boundary(root.caller, user_name="carol", permissions_boundary=READ_ONLY)
    create_user(root.caller, user_name="bob")
    keep_out(root)
    policies = furnish_policies(root)
    certificates = furnish_certificates(root)
    careful = make_user(root, "careful", CAREFUL)
    nobody = make_user(root, "nobody")
    frontier = make_account()
    update_mfa_requirement(frontier.caller, start_date="2020-01-01")
    stage = Stage(
        root=root,
        alice=make_user(root, "alice", ALLOW_ALL),
        helper=make_user(root, "helper", allow(*HELPS)),
        simulates=make_user(root, "simulates", allow("iam:Simulate*")),
        nobody=nobody,
        beginner=make_account(),
        newcomer=create_user(root.caller, user_name="newcomer"),
        late=make_user(root, "late", ALLOW_ALL),
        pioneer=make_user(frontier, "pioneer"),
        guarded=make_user(root, "guarded", allow("iam:*")),
        keys=(carol.access_key_id, second),
        token=create_service_token(root.caller, user_name="carol", description="The gateway").entity.service_token_id,
        policies=policies,
        decisions={
            "nothing allows": refusal_of(nobody),
            "denied": refusal_of(careful, list_users),
            "unmet": refusal_of(careful),
            "no decision": "00000000-0000-4000-8000-000000000000",
        },
    )
    give_password(stage.newcomer, must_change=True)
    update_account_password_policy(root.caller, minimum_password_length=10, max_password_age=365, hard_expiry=True)
    for name in ("root", "alice", "helper", "simulates", "nobody", "beginner", "late"):
        give_password(getattr(stage, name))
        stage.visitors[name] = Visitor(chromium)
        stage.visitors[name].sign_in(getattr(stage, name))
    stage.visitors["stranger"] = Visitor(chromium)
    stage.visitors["newcomer"] = Visitor(chromium)
    stage.visitors["guarded"] = Visitor(chromium)
    stage.visitors["pioneer"] = Visitor(chromium)
    give_password(stage.guarded)
    guard(stage, chromium)
    give_password(stage.pioneer)
    stage.devices |= certificates | furnish_keys(root)
    give_app(root.account_id, None, "TOKEN-0001", kind="hardware")
    give_app(root.account_id, None, "left-over")
    stage.devices["@alice"] = add_device(stage.alice.user).serial_number  # after she came in without
    for visitor in stage.visitors.values():
        visitor.context.add_init_script(AXE.axe_script)
        visitor.page.on("dialog", lambda dialog: dialog.accept())  # "leave without saving the secret?"
    yield stage
    for visitor in stage.visitors.values():
        visitor.context.close()


def guard(stage: Stage, chromium: Browser) -> None:
    """Give guarded a device of each kind, and a visitor who came in with one."""
    stage.visitors["guarded_in"] = Visitor(chromium)
    phone, tablet = (add_device(stage.guarded.user, name) for name in ("phone", "tablet"))
    stage.devices["@guarded"] = tablet.serial_number
    stage.devices["@passkey"] = give_key(stage.guarded, "blue-key")[1].serial_number
    give_number(stage.guarded)
    page = stage.visitors["guarded_in"].sign_in(stage.guarded)
    page.get_by_label("MFA code").fill(code_of(phone))
    page.get_by_role("button", name="Sign in").click()


def furnish_policies(root: Person) -> dict[str, str]:
    """Managed policies, and a group with one of its own: what is in use, and what is not."""
    from accounts.operations.groups import add_user_to_group, create_group
    from permissions.operations.attachments import attach_group_policy, attach_user_policy
    from permissions.operations.boundaries import put_user_permissions_boundary
    from permissions.operations.inline import put_group_policy
    from permissions.operations.managed import create_policy
    from permissions.operations.policy_tags import tag_policy
    from permissions.operations.versions import create_policy_version

    caller = root.caller
    create_group(caller, group_name="designers")
    add_user_to_group(caller, group_name="designers", user_name="carol")
    put_group_policy(caller, group_name="designers", policy_name="inline", policy_document=ALLOW_ALL)
    given = {"path": "/design/", "description": "Reports", "policy_document": allow("s3:GetObject", "s3:PutObject")}
    arns = {f"@{name}": create_policy(caller, policy_name=name, **given).arn for name in ("reports", "plain", "full")}
    reports = arns["@reports"]
    create_policy_version(caller, policy_arn=reports, policy_document=allow("s3:GetObject", "s3:*"))
    tag_policy(caller, policy_arn=reports, tags=[{"key": "team", "value": "blue"}, {"key": "empty", "value": ""}])
    attach_user_policy(caller, user_name="bob", policy_arn=reports)
    attach_group_policy(caller, group_name="designers", policy_arn=reports)
    put_user_permissions_boundary(caller, user_name="carol", permissions_boundary=reports)
    for _ in range(4):
        create_policy_version(caller, policy_arn=arns["@full"], policy_document=allow("s3:*"))
    return arns | {"@aws": "arn:aws:iam::aws:policy/AdministratorAccess"}


def keep_out(root: Person) -> None:
    """Users who are kept out in every way, or will be."""
    from datetime import UTC, datetime

    from accounts.models import User
    from accounts.operations.suspension import lock_down_user, put_user_end_date, suspend_user

    for name in ("resting", "away", "locked", "leaving", "gone"):
        make_user(root, name)
    to_come = datetime(2199, 1, 31, 8, tzinfo=UTC)
    suspend_user(root.caller, user_name="resting", reason="Parental leave")
    suspend_user(root.caller, user_name="away", until=to_come)
    lock_down_user(root.caller, user_name="locked", reason="The laptop was stolen")
    for name in ("leaving", "gone"):
        put_user_end_date(root.caller, user_name=name, end_date=to_come)
    User.objects.filter(account=root.account_id, user_name="gone").update(end_date=datetime(2026, 1, 31, tzinfo=UTC))


def furnish_keys(root: Person) -> dict[str, str]:
    """Git credentials of carol and of alice: their ids by "@" and a word."""
    from credentials.operations.service_credentials import create_service_specific_credential

    ids = {}
    for word, name in (("@git", "carol"), ("@own git", "alice")):
        made = create_service_specific_credential(root.caller, user_name=name, service_name="codecommit.amazonaws.com")
        SECRETS.extend(made.secret.values())
        ids[word] = made.entity.service_specific_credential_id
    return ids


def furnish_certificates(root: Person) -> dict[str, str]:
    """Server certificates of every urgency, and carol's two signing certificates: their ids by "@" and a word."""
    from credentials.certificate_models import ServerCertificate
    from credentials.operations.server_certificates import tag_server_certificate, upload_server_certificate
    from credentials.operations.signing_certificates import update_signing_certificate, upload_signing_certificate

    certificates = ServerCertificate.objects.in_account(root.account_id)
    for name, days in (("www", 300), ("over", -1), ("week", 5), ("month", 25), ("later", 50)):
        upload_server_certificate(root.caller, server_certificate_name=name, **served_to_all().values)
        certificates.filter(name_key=name).update(expiration=timezone.now() + timedelta(days=days, hours=1))
    tag_server_certificate(root.caller, server_certificate_name="www", tags=[{"key": "team", "value": "blue"}])
    ids = [
        upload_signing_certificate(root.caller, user_name="carol", certificate_body=new_certificate()).certificate_id
        for _ in range(2)
    ]
    update_signing_certificate(root.caller, user_name="carol", certificate_id=ids[1], status="Inactive")
    mine = upload_signing_certificate(root.caller, certificate_body=new_certificate()).certificate_id
    return {"@signing": ids[0], "@signing-off": ids[1], "@mine": mine}


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
        """Where it is; the arguments "active" and "inactive" stand for carol's keys, others for decisions."""
        keys = dict(zip(("active", "inactive", "own"), (*stage.keys, stage.alice.access_key_id), strict=True))
        keys["token"] = stage.token
        keys |= stage.policies
        keys |= stage.devices
        keys |= stage.decisions
        return reverse(self.route, args=[keys.get(each, each) for each in self.arguments]) + self.query


def press(button: str, **fields: str) -> How:
    """Fill fields by their names in the form, then press a button."""

    def act(page: Page, stage: Stage) -> None:
        for name, text in fields.items():
            page.locator(f"main [name={name}]").first.fill(text)
        page.locator("main").get_by_role("button", name=button, exact=True).click()

    return act


def wizard(name: str, purpose: str = "person", then: How | None = None, **choice: str) -> How:
    """Go through the first two steps of making a user, ticking what is chosen; then do something there."""

    def act(page: Page, stage: Stage) -> None:
        page.get_by_label("User name", exact=True).fill(name)
        page.locator(f"[name=purpose][value={purpose}]").check()
        page.get_by_role("button", name="Next").click()
        for chosen, value in choice.items():
            page.locator(f"[name={chosen}][value='{value}']").check()
        if then:
            then(page, stage)

    return act


def finish(button: str = "Create user", *, generate: bool = True) -> How:
    """Go on to the last step and press its button."""

    def act(page: Page, stage: Stage) -> None:
        page.get_by_role("button", name="Next").click()
        if not generate:
            page.get_by_label("Generate the password").uncheck()
        page.locator("main").get_by_role("button", name=button).click()

    return act


def way(how: str, then: How | None = None) -> How:
    """Choose one of the three ways to give permissions."""

    def act(page: Page, stage: Stage) -> None:
        page.locator(f"[name=how][value={how}]").check()
        if then:
            then(page, stage)

    return act


def next_step(page: Page, stage: Stage) -> None:
    """Go on."""
    page.get_by_role("button", name="Next").click()


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


def give_password_only(page: Page, stage: Stage) -> None:
    """Sign in as the user who has MFA devices, up to the second factor."""
    page.goto("/signin/")
    answers = {"account": stage.guarded.account_id, "user_name": "guarded", "password": PASSWORD}
    press("Sign in", **answers)(page, stage)
    expect(page.locator("h1")).to_have_text("Multi-factor authentication")


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


def review_requirement(page: Page, stage: Stage) -> None:
    """Say that MFA is required from a day on."""
    page.locator("[name=required][value=yes]").check()
    press("Review impact", start_date="2030-01-01")(page, stage)


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


def send_code(page: Page, stage: Stage) -> None:
    """Have a code sent."""
    from credentials.mfa.models import GuessBudget, TextCode

    GuessBudget.objects.all().delete()
    TextCode.objects.all().delete()
    press("Send code")(page, stage)


def sent(then: How) -> How:
    """Have a code sent to a number that is to be assigned; then do something there."""

    def act(page: Page, stage: Stage) -> None:
        page.locator("main [name=mfa_device_name]").fill("mobile")
        page.locator("main [name=phone_number]").fill("+15550007777")
        send_code(page, stage)
        expect(page.get_by_label("Code", exact=True)).to_be_visible()
        then(page, stage)

    return act


def nothing_more(page: Page, stage: Stage) -> None:
    """Leave it at that."""


def cancel_passkey(page: Page, stage: Stage) -> None:
    """Be asked for a passkey that is not there."""
    from credentials.mfa.models import GuessBudget

    GuessBudget.objects.all().delete()
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

        GuessBudget.objects.all().delete()
        give_password_only(page, stage)
        for _ in range(times):
            press("Sign in", code="000000")(page, stage)
            expect(page.locator("[role=alert]")).to_be_visible()

    return act


def enrol(name: str, *, right: bool = True) -> How:
    """Make a device and answer with two codes of it."""

    def act(page: Page, stage: Stage) -> None:
        press("Show QR code", virtual_mfa_device_name=name)(page, stage)
        key = page.locator("#key").inner_text()
        SECRETS.append(key)
        app = App("", base64.b32decode(key))
        codes = {"authentication_code1": app.code() if right else "000000", "authentication_code2": app.code(1)}
        press("Add MFA", **codes)(page, stage)
        if right:
            SECRETS.extend(page.locator("#codes").inner_text().split())

    return act


def see_key(page: Page, stage: Stage) -> None:
    """Make a device and look at its key."""
    press("Show QR code", virtual_mfa_device_name="seen")(page, stage)
    SECRETS.append(page.locator("#key").inner_text())


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


def try_too_often(page: Page, stage: Stage) -> None:
    """Give a wrong password once more than is let through."""
    from accounts import throttle

    budgets = throttle.sign_in_budgets(account=stage.root.account_id, who="nobody-there", address="192.0.2.1")
    for _ in range(throttle.USER.burst):
        throttle.reserve(budgets[:1])
    press("Sign in", account=stage.root.account_id, user_name="nobody-there", password="c")(page, stage)


def wait_too_long(then: How) -> How:
    """Do something sensitive long after sign-in."""

    def act(page: Page, stage: Stage) -> None:
        from accounts.models import Session

        for session in Session.objects.filter(user=stage.late.user):
            data = session.get_decoded()
            data["proved"] -= 3600
            session.session_data = session.get_session_store_class()().encode(data)
            session.save(update_fields=["session_data"])
        then(page, stage)

    return act


def confirm_wrongly(page: Page, stage: Stage) -> None:
    """Come to the question who it is, and give a wrong password."""
    wait_too_long(press("Save tags"))(page, stage)
    press("Confirm", password="wrong")(page, stage)


def warn(page: Page, stage: Stage) -> None:
    """Let the session come near its end, as the page's clock has it."""
    page.evaluate("document.getElementById('session-end').hidden = false")


def find_actions(page: Page, stage: Stage) -> None:
    """Make the form longer, and look for actions."""
    edit_policy("Form", "Add statement", "Add condition to statement 2", document=TIDY)(page, stage)
    edit_policy("Find", find="listbucket")(page, stage)


def paste(page: Page, stage: Stage) -> None:
    """Simulate a policy that is stored nowhere."""
    page.get_by_text("Other policies").click()
    press("Simulate", policy_input_list=CAREFUL, action_names="iam:ListUsers")(page, stage)


WEAK = {"new_password": "weak", "confirm_password": "weak"}
DELETE = "Delete MFA device"
BAD_NUMBER = {"mfa_device_name": "mobile", "phone_number": "1"}
WRONG_CODE = press("Add MFA", authentication_code1="000000")
CODES = {"authentication_code1": "000000", "authentication_code2": "111111"}
CHANGE, ADD, LIST = "admin:accounts_user_change", "admin:accounts_user_add", "admin:accounts_user_changelist"
GROUP, GROUPS = "admin:accounts_group_change", "admin:accounts_group_changelist"
CREDENTIALS, TAGS, GROUPS_TAB, SESSIONS = "?tab=credentials", "?tab=tags", "?tab=groups", "?tab=sessions"
POLICIES, NEW_POLICY = "admin:permissions_managedpolicy_changelist", "admin:permissions_managedpolicy_add"
POLICY, ADMINISTRATOR = "admin:permissions_managedpolicy_change", "arn:aws:iam::aws:policy/AdministratorAccess"
CERTIFICATES, NEW_CERTIFICATE = (
    "admin:credentials_servercertificate_changelist",
    "admin:credentials_servercertificate_add",
)
CERTIFICATE = "admin:credentials_servercertificate_change"
TIDY = allow("s3:GetObject", resource="arn:aws:s3:::reports/*")
BROKEN = '{\n"Version": "2012-10-17",\n"Statement": {\n"Effect": "Allow",\n"Actions": "s3:*",\n"Resource": "*"\n}\n}'
DUBIOUS = """{"Version": "2012-10-17", "Statement": [
{"Sid": "", "Effect": "Allow", "Action": ["s3:GetObjekt", "iam:*"], "Resource": "*",
 "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}},
{"Effect": "Deny", "NotAction": "s3:*", "NotResource": "arn:aws:s3:::reports"}]}"""
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
    State("second-factor", "missed often", "guarded", "every 30 seconds", then=miss(2)),
    State("second-factor", "too many attempts", "guarded", "Too many attempts. Try again in", then=miss(6)),
    State("second-factor", "passkey", "guarded", "Use your passkey or security key blue-key", then=use("Passkey")),
    State("second-factor", "cancelled", "guarded", "Nothing was sent", then=use("Passkey", then=cancel_passkey)),
    State("second-factor", "text message", "guarded", "Get a code by text message", then=use("Text message")),
    State("second-factor", "sent", "guarded", "on its way", then=use("Text message", then=send_code)),
    State("admin:confirm", "opened", "late", "more than 15 minutes"),
    State("admin:confirm", "passkey and number", "guarded_in", "Or use a passkey"),
    State("admin:me-sign-ins", "typical", "alice", "Signed in"),
    State("admin:me", "session ends", "alice", "Recent sign-ins", then=warn),
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
    State("mfa-enrolment", "late", "stranger", "That took too long"),
    State("mfa-enrolment", "name", "pioneer", "has no MFA device yet", then=come_to_enrol),
    State("mfa-enrolment", "key", "pioneer", "Scan this with the app", then=see_required_key),
    State("mfa-enrolment", "wrong codes", "pioneer", "is not valid", then=give_wrong_first_codes),
    State("mfa-enrolment", "token", "pioneer", "back of the token", then=ask_for_token),
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
    State("admin:me", "typical", "alice", "Change password"),
    State("admin:me", "root user", "beginner", "Root user"),
    State("admin:me", "not permitted", "nobody", "iam:ListAccessKeys"),
    State("admin:me", "with an MFA device", "alice", "Assign a second device as a backup"),
    State("admin:me-mfa-assign", "form", "alice", "Step 1 of 3"),
    State(
        "admin:me-mfa-assign",
        "error",
        "alice",
        "without spaces",
        then=press("Show QR code", virtual_mfa_device_name="a b"),
    ),
    State("admin:me-mfa-assign", "key", "root", "Or enter the key by hand", then=see_key),
    State("admin:me-mfa-assign", "wrong codes", "root", "start again", then=enrol("missed", right=False)),
    State("admin:me-mfa-assign", "recovery codes", "beginner", "Ten recovery codes", then=enrol("phone")),
    State("admin:me-mfa-assign", "not permitted", "nobody", "iam:EnableMFADevice"),
    State("admin:me-mfa-passkey", "form", "alice", "the strongest kind"),
    State("admin:me-mfa-passkey", "error", "alice", "without spaces", then=press("Next", mfa_device_name="a b")),
    State(
        "admin:me-mfa-passkey", "must show the own", "alice", "use it first", then=press("Next", mfa_device_name="k")
    ),
    State("admin:me-mfa-passkey", "asked", "root", "Step 2 of 3", then=press("Next", mfa_device_name="blue-key")),
    State("admin:me-mfa-passkey", "not permitted", "nobody", "iam:EnableMFADevice"),
    State("admin:me-mfa-text-message", "form", "alice", "the weakest kind"),
    State("admin:me-mfa-text-message", "error", "alice", "Begin with +", then=press("Send code", **BAD_NUMBER)),
    State("admin:me-mfa-text-message", "sent", "root", "Step 2 of 3", then=sent(nothing_more)),
    State("admin:me-mfa-text-message", "wrong code", "root", "not the one that was sent last", then=sent(WRONG_CODE)),
    State("admin:me-mfa-text-message", "not permitted", "nobody", "iamconsole:BeginSMSRegistration"),
    State("admin:me-mfa-resync", "nothing to set right", "guarded_in", "no clock that could be wrong", ("@passkey",)),
    State("admin:me-mfa-remove", "passkey", "guarded_in", "can be deleted there", ("@passkey",)),
    State("admin:me", "every kind", "guarded_in", "ends in 22"),
    State("admin:me-mfa-hardware", "form", "alice", "Assign hardware token"),
    State("admin:me-mfa-hardware", "error", "alice", "9 or more", then=press("Add MFA", **CODES, serial_number="?")),
    State("admin:me-mfa-hardware", "not permitted", "nobody", "iam:EnableMFADevice"),
    State("admin:me-mfa-resync", "form", "alice", "Two codes in a row", ("@alice",)),
    State("admin:me-mfa-resync", "error", "alice", "is not valid", ("@alice",), then=press("Resync", **CODES)),
    State("admin:me-mfa-resync", "not there", "alice", "does not exist", ("@guarded",)),
    State("admin:me-mfa-resync", "not permitted", "nobody", "iam:ListMFADevices", ("@alice",)),
    State("admin:me-mfa-remove", "the last one", "alice", "This is your last MFA device", ("@alice",)),
    State(
        "admin:me-mfa-remove",
        "not ticked",
        "alice",
        "This field is required",
        ("@alice",),
        then=press("Remove MFA device"),
    ),
    State("admin:me-recovery-codes", "form", "alice", "Ten codes"),
    State("admin:me-recovery-codes", "error", "alice", "must use it first", then=press("Create recovery codes")),
    State("admin:me-recovery-codes", "not permitted", "nobody", "iamconsole:CreateRecoveryCodes"),
    State("admin:mfa-inventory", "typical", "alice", "TOKEN-0001"),
    State("admin:mfa-inventory", "empty", "beginner", "None yet"),
    State("admin:mfa-inventory", "not permitted", "nobody", "iamconsole:ListHardwareTokens"),
    State("admin:mfa-import", "form", "alice", "The vendor's file"),
    State("admin:mfa-import", "error", "alice", "must name the columns", then=press("Import tokens", pasted="x")),
    State("admin:mfa-import", "not permitted", "nobody", "iamconsole:ImportHardwareTokens"),
    State("admin:mfa-inventory-delete", "token", "alice", "This cannot be undone", ("TOKEN-0001",)),
    State("admin:mfa-inventory-delete", "in use", "alice", "Must deactivate", ("@alice",), then=press(DELETE)),
    State("admin:mfa-inventory-delete", "not permitted", "nobody", "iamconsole:DeleteHardwareToken", ("TOKEN-0001",)),
    State("admin:user-mfa-assign", "form", "alice", "The device must be at hand", ("bob",)),
    State("admin:user-mfa-assign", "not there", "alice", "cannot be found", ("nobody-at-all",)),
    State("admin:user-mfa-assign", "not permitted", "helper", "iam:EnableMFADevice", ("bob",)),
    State("admin:user-mfa-hardware", "form", "alice", "Assign hardware token to bob", ("bob",)),
    State("admin:user-mfa-resync", "form", "alice", "Two codes in a row", ("guarded", "@guarded")),
    State("admin:user-mfa-remove", "one of two", "alice", "All sessions of guarded end", ("guarded", "@guarded")),
    State("admin:user-mfa-remove", "the last one", "root", "the last MFA device of alice", ("alice", "@alice")),
    State("admin:user-mfa-remove", "not permitted", "helper", "iam:ListMFADevices", ("guarded", "@guarded")),
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
    State("admin:me-key-details", "form", "alice", "The key expires", ("own",)),
    State("admin:me-key-details", "error", "alice", "365", ("own",), then=press("Save", duration_days="9999")),
    State("admin:me-key-rotate", "first step", "alice", "Nothing stops on the way", ("own",)),
    State("admin:me-service-create", "form", "alice", "What is it for?"),
    State("admin:me-service-reset", "typical", "alice", "stops at once", ("@own git",)),
    State("admin:me-service-delete", "typical", "alice", "This cannot be undone", ("@own git",)),
    State("admin:user-key-details", "form", "alice", "The key expires", ("carol", "active")),
    State("admin:user-key-rotate", "both taken", "alice", "Both places for keys are taken", ("carol", "active")),
    State("admin:user-service-create", "form", "alice", "What is it for?", ("bob",)),
    State("admin:user-service-create", "not permitted", "helper", "CreateServiceSpecificCredential", ("bob",)),
    State("admin:user-service-reset", "typical", "alice", "stops at once", ("carol", "@git")),
    State("admin:user-service-delete", "typical", "alice", "This cannot be undone", ("carol", "@git")),
    State("admin:key-settings", "form", "alice", "It holds for new keys"),
    State("admin:key-settings", "not permitted", "nobody", "iamconsole:GetAccessKeySettings"),
    State(
        "admin:key-settings",
        "impact",
        "alice",
        "Nothing is saved yet",
        then=press("Show what it means", maximum_days="60"),
    ),
    State(LIST, "empty", "beginner", "No users"),
    State(LIST, "typical", "alice", "carol"),
    State(LIST, "nothing matches", "alice", "Nothing matches", query="?q=zzz"),
    State(LIST, "filtered", "alice", "newcomer", query="?console=enabled&key=no"),
    State(LIST, "partly permitted", "helper", "Not permitted"),
    State(LIST, "not permitted", "nobody", "iam:ListUsers"),
    State(LIST, "forged filter", "alice", "could not be understood", query="?password__startswith=a"),
    State(ADD, "form", "alice", "What is the user for?"),
    State(ADD, "error", "alice", "Use up to 64 letters", then=press("Next", user_name="a b", path="design")),
    State(ADD, "name taken", "alice", "already exists", then=wizard("Carol")),
    State(ADD, "not permitted", "nobody", "iam:CreateUser"),
    State("admin:user-add-permissions", "nothing entered yet", "alice", "What is the user for?"),
    State("admin:user-add-review", "nothing entered yet", "alice", "What is the user for?"),
    State(ADD, "permissions", "alice", "developers", then=wizard("erin")),
    State(ADD, "permissions without groups", "beginner", "There is no group yet", then=wizard("erin")),
    State(ADD, "permissions to copy", "alice", "Later changes", then=wizard("erin", then=way("copy"))),
    State(ADD, "permissions: nobody to copy", "alice", "Enter the name", then=wizard("x", then=way("copy", next_step))),
    State(
        ADD,
        "policies found",
        "alice",
        "IAMReadOnlyAccess",
        then=wizard("erin", then=way("policies", press("Search", search="iamread"))),
    ),
    State(ADD, "review", "alice", "developers", then=wizard("erin", then=next_step, group_names="developers")),
    State(ADD, "review without permissions", "alice", "may do nothing", then=wizard("erin", "none", then=next_step)),
    State(ADD, "no password", "alice", "Enter a password", then=wizard("x", then=finish(generate=False))),
    State(ADD, "password", "alice", "Message to send", then=reveal("password", wizard("erin", then=finish()))),
    State(ADD, "access key", "alice", "shown once", then=reveal("secret", wizard("backup", "service", then=finish()))),
    State(ADD, "no credentials", "alice", "no credentials yet", then=wizard("later", "none", then=finish())),
    State(CHANGE, "typical", "alice", "everything", ("carol",)),
    State(CHANGE, "typical credentials", "alice", "Deactivate", ("carol",), CREDENTIALS),
    State(CHANGE, "credentials with MFA devices", "alice", "(2 of 8)", ("guarded",), CREDENTIALS),
    State(CHANGE, "typical tags", "alice", "blue", ("carol",), TAGS),
    State(CHANGE, "typical sessions", "root", "End all sessions", ("alice",), SESSIONS),
    State(CHANGE, "empty sessions", "alice", "not signed in anywhere", ("bob",), SESSIONS),
    State(CHANGE, "partly permitted sessions", "helper", "iamconsole:ListSessions", ("carol",), SESSIONS),
    State(CHANGE, "empty", "alice", "No policy yet", ("newcomer",)),
    State(CHANGE, "empty credentials", "alice", "None yet", ("bob",), CREDENTIALS),
    State(CHANGE, "empty tags", "alice", "No tag yet", ("bob",), TAGS),
    State(CHANGE, "typical groups", "alice", "Remove", ("carol",), GROUPS_TAB),
    State(CHANGE, "empty groups", "alice", "In no group yet", ("bob",), GROUPS_TAB),
    State(CHANGE, "partly permitted groups", "helper", "iam:ListGroupsForUser", ("carol",), GROUPS_TAB),
    State(CHANGE, "partly permitted", "helper", "iam:ListUserPolicies", ("carol",)),
    State(CHANGE, "partly permitted credentials", "helper", "iam:GetLoginProfile", ("carol",), CREDENTIALS),
    State(CHANGE, "partly permitted tags", "helper", "iam:ListUserTags", ("carol",), TAGS),
    State(CHANGE, "not permitted", "nobody", "iam:GetUser", ("carol",)),
    State(CHANGE, "not there", "alice", "cannot be found", ("nobody-at-all",)),
    State("admin:accounts_user_change", "suspended", "alice", "Reason: Parental leave", ("resting",)),
    State("admin:accounts_user_change", "suspended until", "alice", "Suspended until 2199-01-31", ("away",)),
    State("admin:accounts_user_change", "locked down", "alice", "Undo lock-down", ("locked",)),
    State("admin:accounts_user_change", "leaving", "alice", "Ends on 2199-01-31", ("leaving",)),
    State("admin:accounts_user_change", "past the end date", "alice", "The end date has passed", ("gone",)),
    State("admin:user-suspend", "form", "alice", "Nothing is deleted", ("bob",)),
    State(
        "admin:user-suspend",
        "error",
        "alice",
        "This time is past",
        ("bob",),
        then=press("Suspend user", until="2020-01-01T00:00"),
    ),
    State("admin:user-suspend", "not permitted", "helper", "iamconsole:SuspendUser", ("bob",)),
    State("admin:user-end-date", "form", "alice", "From this time on", ("bob",)),
    State("admin:user-end-date", "set", "alice", "From this time on", ("leaving",)),
    State(
        "admin:user-end-date",
        "error",
        "alice",
        "This time is past",
        ("bob",),
        then=press("Save", end_date="2020-01-01T00:00"),
    ),
    State("admin:user-end-date", "not permitted", "helper", "iamconsole:PutUserEndDate", ("bob",)),
    State("admin:user-lock-down", "with keys", "alice", "is switched off already", ("carol",)),
    State("admin:user-lock-down", "without keys", "alice", "there are none", ("bob",)),
    State("admin:user-lock-down", "oneself", "alice", "Ask another", ("alice",), then=press("Lock down user")),
    State("admin:user-lock-down", "not permitted", "helper", "iamconsole:LockDownUser", ("bob",)),
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
    State(
        "admin:user-tags",
        "asked who it is",
        "late",
        "Confirm that it is you",
        ("bob",),
        then=wait_too_long(press("Save tags")),
    ),
    State("admin:user-tags", "asked and wrong", "late", "not your password", ("bob",), then=confirm_wrongly),
    State("admin:user-tags", "not permitted", "helper", "iam:TagUser", ("carol",)),
    State("admin:user-permissions-add", "groups", "alice", "developers", ("bob",)),
    State("admin:user-permissions-add", "policies", "alice", "Prefer a group", ("bob",), "?how=policies"),
    State("admin:user-permissions-add", "copy", "alice", "Later changes", ("bob",), "?how=copy"),
    State(
        "admin:user-permissions-add",
        "error",
        "alice",
        "Nothing is named",
        ("bob",),
        then=press("Add permissions"),
    ),
    State("admin:user-permissions-add", "not permitted", "helper", "iam:AddUserToGroup", ("bob",)),
    State("admin:user-boundary", "empty", "alice", "Set boundary", ("bob",)),
    State("admin:user-boundary", "typical", "alice", "Remove boundary", ("carol",)),
    State(
        "admin:user-boundary",
        "error",
        "alice",
        "Enter the ARN",
        ("bob",),
        then=press("Set boundary", permissions_boundary="x"),
    ),
    State("admin:user-boundary", "not permitted", "helper", "iam:PutUserPermissionsBoundary", ("bob",)),
    State(GROUPS, "empty", "beginner", "No groups"),
    State(GROUPS, "typical", "alice", "developers"),
    State(GROUPS, "nothing matches", "alice", "Nothing matches", query="?q=zzz"),
    State(GROUPS, "partly permitted", "helper", "Not permitted"),
    State(GROUPS, "not permitted", "nobody", "iam:ListGroups"),
    State("admin:accounts_group_add", "form", "alice", "Name it after"),
    State(
        "admin:accounts_group_add", "error", "alice", "already exists", then=press("Create group", group_name="EMPTY")
    ),
    State("admin:accounts_group_add", "not permitted", "nobody", "iam:CreateGroup"),
    State(GROUP, "typical", "alice", "carol", ("developers",)),
    State(GROUP, "typical permissions", "alice", "IAMReadOnlyAccess", ("developers",), "?tab=permissions"),
    State(GROUP, "empty", "alice", "Nobody is in this group yet", ("empty",)),
    State(GROUP, "empty permissions", "alice", "No policy yet", ("empty",), "?tab=permissions"),
    State(GROUP, "partly permitted", "helper", "iam:RemoveUserFromGroup", ("developers",)),
    State(
        GROUP, "partly permitted permissions", "helper", "iam:ListGroupPolicies", ("developers",), "?tab=permissions"
    ),
    State(GROUP, "not permitted", "nobody", "iam:GetGroup", ("developers",)),
    State(GROUP, "not there", "alice", "cannot be found", ("nothing",)),
    State("admin:group-rename", "form", "alice", "The ARN changes", ("developers",)),
    State(
        "admin:group-rename",
        "error",
        "alice",
        "already exists",
        ("developers",),
        then=press("Save", new_group_name="empty"),
    ),
    State("admin:group-rename", "not permitted", "helper", "iam:UpdateGroup", ("developers",)),
    State("admin:accounts_group_delete", "typical", "alice", "The users stay", ("developers",)),
    State("admin:accounts_group_delete", "empty", "alice", "Users: none", ("empty",)),
    State(
        "admin:accounts_group_delete",
        "error",
        "alice",
        "not the name",
        ("developers",),
        then=press("Delete group", typed_name="x"),
    ),
    State("admin:accounts_group_delete", "not permitted", "helper", "iam:DeleteGroup", ("developers",)),
    State("admin:group-users-add", "typical", "alice", "bob", ("developers",)),
    State("admin:group-users-add", "nothing found", "alice", "0 found", ("empty",), then=press("Search", search="zzz")),
    State("admin:group-users-add", "not permitted", "helper", "iam:AddUserToGroup", ("developers",)),
    State("admin:group-policies-attach", "typical", "alice", "The first 20", ("developers",)),
    State("admin:group-policies-attach", "not permitted", "helper", "iam:AttachGroupPolicy", ("developers",)),
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
    State("admin:simulator", "empty", "alice", "User or group"),
    State("admin:simulator", "empty, not permitted", "nobody", "iam:SimulateCustomPolicy"),
    State(
        "admin:simulator",
        "typical",
        "alice",
        "Explicitly denied",
        query=f"?policy_source_arn=careful&action_names=s3:GetObject%0Aiam:ListUsers{NAMES}",
    ),
    State(
        "admin:simulator",
        "pasted",
        "alice",
        "the pasted policy",
        then=paste,
    ),
    State(
        "admin:simulator",
        "partly permitted",
        "simulates",
        "iam:GetUserPolicy",
        query="?policy_source_arn=careful&action_names=iam:ListUsers",
    ),
    State(
        "admin:simulator",
        "not permitted",
        "nobody",
        "iam:SimulatePrincipalPolicy",
        query="?policy_source_arn=careful&action_names=iam:ListUsers",
    ),
    State("admin:simulator", "nothing entered", "alice", "Name a user or a group", then=press("Simulate")),
    State(
        "admin:simulator",
        "errors",
        "alice",
        "is not of the type ip",
        query="?policy_source_arn=alice&action_names=x:y&context_key_name=aws:SourceIp&context_key_type=ip&context_key_values=x",
    ),
    State("admin:decision", "nothing allows", "alice", "No policy allows", ("nothing allows",)),
    State("admin:decision", "denied", "alice", "The statement NoUsers", ("denied",)),
    State("admin:decision", "unmet condition", "alice", "would allow it if", ("unmet",)),
    State("admin:decision", "own", "nobody", "send the decision ID", ("nothing allows",)),
    State("admin:decision", "not permitted", "nobody", "that you may read", ("denied",)),
    State("admin:decision", "not there", "alice", "that you may read", ("no decision",)),
    State("admin:search", "empty", "alice", "What are you looking for?"),
    State("admin:search", "typical", "alice", "Users (", query="?q=a"),
    State("admin:search", "nothing found", "alice", "Nothing found", query="?q=zzz"),
    State("admin:search", "not permitted", "nobody", "iam:ListUsers", query="?q=alice"),
    State("admin:user-policy-delete", "typical", "alice", "loses what this policy allows", ("carol", "everything")),
    State("admin:group-policy-create", "form", "alice", "Policy document", ("designers",)),
    State("admin:group-policy-create", "not there", "alice", "cannot be found", ("nobody-at-all",)),
    State("admin:group-policy-create", "not permitted", "nobody", "iam:GetGroup", ("designers",)),
    State("admin:group-policy-edit", "typical", "alice", "Edit inline", ("designers", "inline")),
    State(
        "admin:group-policy-edit",
        "review",
        "alice",
        "This group has members",
        ("designers", "inline"),
        then=edit_policy("Save policy", document=TIDY),
    ),
    State("admin:group-policy-delete", "typical", "alice", "loses what this policy allows", ("designers", "inline")),
    State(POLICIES, "empty", "beginner", "No policy of your own yet", query="?type=customer"),
    State(POLICIES, "typical", "alice", "reports"),
    State(POLICIES, "filtered", "alice", "reports", query="?type=customer&used=boundary"),
    State(POLICIES, "nothing matches", "alice", "Nothing matches", query="?q=zzz"),
    State(POLICIES, "not permitted", "nobody", "iam:ListPolicies"),
    State(NEW_POLICY, "form", "alice", "Permissions defined in this policy"),
    State(NEW_POLICY, "copy", "beginner", "every action on every resource", query=f"?copy={ADMINISTRATOR}"),
    State(NEW_POLICY, "error", "alice", "Do you mean “Action”?", then=edit_policy("Create policy", document=BROKEN)),
    State(
        NEW_POLICY, "validated", "alice", "Do you mean s3:GetObject?", then=edit_policy("Validate", document=DUBIOUS)
    ),
    State(NEW_POLICY, "no JSON", "alice", "This is not JSON", then=edit_policy("Format", document="{")),
    State(NEW_POLICY, "as a form", "alice", "Condition 1", then=edit_policy("Form", document=DUBIOUS)),
    State(
        NEW_POLICY,
        "a form with more",
        "alice",
        "s3:ListBucketVersions",
        then=find_actions,
    ),
    State(NEW_POLICY, "form error", "alice", "Statement 2", then=edit_policy("Form", "Add statement", "Create policy")),
    State(NEW_POLICY, "form validated", "alice", "Statement 2", then=edit_policy("Form", "Add statement", "Validate")),
    State(NEW_POLICY, "no form", "alice", "without errors", then=edit_policy("Form", document=BROKEN)),
    State(
        NEW_POLICY, "name taken", "alice", "already exists", then=edit_policy("Create policy", policy_name="Reports")
    ),
    State(NEW_POLICY, "not permitted", "nobody", "iam:CreatePolicy"),
    State(POLICY, "typical", "alice", "Permissions defined in this policy", ("@reports",)),
    State(POLICY, "typical entities", "alice", "Group of 1", ("@reports",), "?tab=entities"),
    State(POLICY, "typical versions", "alice", "In force", ("@reports",), "?tab=versions"),
    State(POLICY, "typical tags", "alice", "blue", ("@reports",), "?tab=tags"),
    State(POLICY, "empty entities", "alice", "Attached to nobody", ("@plain",), "?tab=entities"),
    State(POLICY, "full versions", "alice", "keeps up to 5 versions", ("@full",), "?tab=versions"),
    State(POLICY, "empty tags", "alice", "No tag yet", ("@plain",), "?tab=tags"),
    State(POLICY, "aws", "alice", "copy it into a policy of your own", ("@aws",)),
    State(POLICY, "partly permitted", "helper", "iam:GetPolicyVersion", ("@reports",)),
    State(POLICY, "partly permitted entities", "helper", "iam:ListEntitiesForPolicy", ("@reports",), "?tab=entities"),
    State(POLICY, "partly permitted versions", "helper", "iam:ListPolicyVersions", ("@reports",), "?tab=versions"),
    State(POLICY, "partly permitted tags", "helper", "iam:ListPolicyTags", ("@reports",), "?tab=tags"),
    State(POLICY, "not permitted", "nobody", "iam:GetPolicy", ("@reports",)),
    State(POLICY, "not there", "alice", "was not found", ("arn:aws:iam::123456789012:policy/nothing",)),
    State(POLICY, "no ARN", "alice", "is not valid", ("nonsense-that-is-no-arn",)),
    State("admin:policy-version-create", "form", "alice", "Put this version in force", ("@reports",)),
    State(
        "admin:policy-version-create",
        "review",
        "alice",
        "Who is affected",
        ("@reports",),
        then=edit_policy("Save version", document=DUBIOUS),
    ),
    State(
        "admin:policy-version-create",
        "error",
        "alice",
        "up to 5 versions",
        ("@full",),
        then=edit_policy("Save version", document=TIDY),
    ),
    State("admin:policy-version-create", "aws", "alice", "AWS wrote this policy", ("@aws",)),
    State("admin:policy-version-create", "not permitted", "helper", "iam:GetPolicyVersion", ("@reports",)),
    State("admin:policy-version", "typical", "alice", "Permissions defined in this version", ("@reports", "v2")),
    State("admin:policy-version", "not there", "alice", "does not exist", ("@reports", "v9")),
    State("admin:policy-compare", "typical", "alice", "From line", ("@reports",)),
    State("admin:policy-compare", "same", "alice", "the same to the letter", ("@plain",)),
    State("admin:policy-version-default", "typical", "alice", "Answers that change", ("@reports", "v2")),
    State("admin:policy-version-default", "unused", "alice", "Nobody: it is attached", ("@full", "v2")),
    State("admin:policy-version-default", "not permitted", "helper", "iam:GetPolicyVersion", ("@reports", "v2")),
    State("admin:policy-version-delete", "typical", "alice", "It is not in force", ("@reports", "v2")),
    State("admin:policy-version-delete", "in force", "alice", "put another one in force first", ("@reports", "v1")),
    State("admin:policy-attach", "typical", "alice", "Attached", ("@reports",)),
    State("admin:policy-attach", "nothing matches", "alice", "has “zzz” in its name", ("@reports",), "?q=zzz"),
    State("admin:policy-attach", "partly permitted", "helper", "Needs iam:AttachUserPolicy", ("@reports",)),
    State("admin:policy-attach", "not permitted", "nobody", "iam:GetPolicy", ("@reports",)),
    State("admin:policy-detach-user", "typical", "alice", "bob loses", ("@reports", "bob")),
    State("admin:policy-detach-user", "not permitted", "helper", "iam:DetachUserPolicy", ("@reports", "bob")),
    State(
        "admin:policy-detach-user",
        "error",
        "alice",
        "was not found",
        ("@plain", "bob"),
        then=press("Detach policy"),
    ),
    State("admin:policy-detach-group", "typical", "alice", "The members of designers lose", ("@reports", "designers")),
    State("admin:policy-tags", "empty", "alice", "Add a tag", ("@plain",)),
    State("admin:policy-tags", "typical", "alice", "blue", ("@reports",)),
    State("admin:policy-tags", "error", "alice", "reserved", ("@reports",), then=press("Save tag", key="aws:team")),
    State("admin:policy-tags", "not permitted", "helper", "iam:TagPolicy", ("@reports",)),
    State("admin:permissions_managedpolicy_delete", "typical", "alice", "This cannot be undone", ("@plain",)),
    State("admin:permissions_managedpolicy_delete", "blocked", "alice", "It cannot be deleted yet", ("@reports",)),
    State("admin:permissions_managedpolicy_delete", "versions", "alice", "Delete its versions", ("@full",)),
    State("admin:permissions_managedpolicy_delete", "aws", "alice", "AWS wrote this policy", ("@aws",)),
    State(
        "admin:permissions_managedpolicy_delete",
        "error",
        "alice",
        "not the name",
        ("@plain",),
        then=press("Delete policy", typed_name="x"),
    ),
    State("admin:permissions_managedpolicy_delete", "not permitted", "helper", "iam:DeletePolicy", ("@plain",)),
    State("admin:index", "certificates to renew", "alice", "Server certificates to renew"),
    State(CERTIFICATES, "typical", "alice", "Expires within 7 days"),
    State(CERTIFICATES, "expired", "alice", "Expired", query="?ends=over"),
    State(CERTIFICATES, "nothing matches", "alice", "Nothing matches", query="?q=nothing-of-the-kind"),
    State(CERTIFICATES, "empty", "beginner", "openssl req"),
    State(CERTIFICATES, "not permitted", "nobody", "iam:ListServerCertificates"),
    State(CERTIFICATE, "typical", "alice", "www", ("www",)),
    State(CERTIFICATE, "expired", "alice", "clients refuse it", ("over",)),
    State(CERTIFICATE, "ends soon", "alice", "It expires within 7 days", ("week",)),
    State(CERTIFICATE, "missing", "alice", "cannot be found", ("nowhere",)),
    State(CERTIFICATE, "not permitted", "nobody", "iam:GetServerCertificate", ("www",)),
    State(NEW_CERTIFICATE, "form", "alice", "Upload server certificate"),
    State(NEW_CERTIFICATE, "empty", "alice", "Paste the certificate", then=press("Upload certificate")),
    State(
        NEW_CERTIFICATE,
        "error",
        "alice",
        "Unable to parse certificate",
        then=press("Upload certificate", server_certificate_name="x", certificate_body="junk", private_key="junk"),
    ),
    State(NEW_CERTIFICATE, "not permitted", "nobody", "iam:UploadServerCertificate"),
    State("admin:server-certificate-rename", "form", "alice", "The ARN changes", ("www",)),
    State(
        "admin:server-certificate-rename",
        "error",
        "alice",
        "already exists",
        ("www",),
        then=press("Save", new_server_certificate_name="over"),
    ),
    State("admin:server-certificate-tags", "typical", "alice", "blue", ("www",)),
    State("admin:server-certificate-tags", "empty", "alice", "Add a tag", ("week",)),
    State(
        "admin:server-certificate-tags", "error", "alice", "reserved", ("www",), then=press("Save tag", key="aws:team")
    ),
    State("admin:credentials_servercertificate_delete", "typical", "alice", "This cannot be undone", ("www",)),
    State(
        "admin:credentials_servercertificate_delete",
        "error",
        "alice",
        "not the name",
        ("www",),
        then=press("Delete server certificate", typed_name="x"),
    ),
    State(CHANGE, "signing certificates", "alice", "X.509 signing certificates (2 of 2)", ("carol",), CREDENTIALS),
    State("admin:me", "signing certificate", "root", "X.509 signing certificates (1 of 2)"),
    State("admin:user-signing-upload", "form", "alice", "openssl req -x509", ("bob",)),
    State(
        "admin:user-signing-upload",
        "error",
        "alice",
        "not a certificate in PEM format",
        ("bob",),
        then=press("Upload signing certificate", certificate_body="junk"),
    ),
    State("admin:user-signing-upload", "not permitted", "helper", "iam:UploadSigningCertificate", ("bob",)),
    State("admin:user-signing-delete", "typical", "alice", "can be uploaded again", ("carol", "@signing-off")),
    State("admin:user-signing-delete", "missing", "alice", "cannot be found", ("carol", "A" * 32)),
    State("admin:me-signing-upload", "form", "alice", "Upload signing certificate"),
    State("admin:me-signing-delete", "typical", "root", "can be uploaded again", ("@mine",)),
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
