"""States of the pages of MFA devices."""

import base64

from playwright.sync_api import Page, expect

from tests.authenticators import App, a_number
from tests.conftest import SECRETS
from tests.page_states.acts import CHANGE, CREDENTIALS, send_code
from tests.page_states.stage import Stage
from tests.page_states.state import How, State, press


def sent(then: How) -> How:
    """Have a code sent to a number that is to be assigned; then do something there."""

    def act(page: Page, stage: Stage) -> None:
        page.locator("main [name=mfa_device_name]").fill("mobile")
        page.locator("main [name=phone_number]").fill(a_number())
        send_code(page, stage)
        expect(page.get_by_label("Code", exact=True)).to_be_visible()
        then(page, stage)

    return act


def nothing_more(page: Page, stage: Stage) -> None:
    """Leave it at that."""


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


DELETE = "Delete MFA device"
BAD_NUMBER = {"mfa_device_name": "mobile", "phone_number": "1"}
WRONG_CODE = press("Add MFA", authentication_code1="000000")
CODES = {"authentication_code1": "000000", "authentication_code2": "111111"}
STATES = [
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
    State(CHANGE, "a stopped device", "guarded_in", "allow new sign-in attempts", ("dormant",), CREDENTIALS),
    State(
        CHANGE, "codes by keys are stopped", "guarded_in", "an access key: deactivate it", ("on-leave",), CREDENTIALS
    ),
    State("admin:user-mfa-assign", "form", "guarded_in", "The device must be at hand", ("bob",)),
    State("admin:user-mfa-assign", "without a device", "root", "assign an MFA device to yourself", ("bob",)),
    State("admin:user-mfa-assign", "must show the own", "alice", "not with your password", ("bob",)),
    State("admin:user-mfa-assign", "not there", "alice", "cannot be found", ("nobody-at-all",)),
    State("admin:user-mfa-assign", "not permitted", "helper", "iam:EnableMFADevice", ("bob",)),
    State("admin:user-mfa-hardware", "form", "guarded_in", "Assign hardware token to bob", ("bob",)),
    State("admin:user-mfa-hardware", "without a device", "root", "assign an MFA device to yourself", ("bob",)),
    State("admin:user-mfa-resync", "form", "guarded_in", "Two codes in a row", ("alice", "@alice")),
    State("admin:user-mfa-resync", "must show the own", "alice", "not with your password", ("guarded", "@guarded")),
    State("admin:user-mfa-remove", "one of several", "guarded_in", "Your other sessions end", ("guarded", "@guarded")),
    State("admin:user-mfa-remove", "the last one", "guarded_in", "the last MFA device of alice", ("alice", "@alice")),
    State("admin:user-mfa-remove", "without a device", "root", "assign an MFA device to yourself", ("alice", "@alice")),
    State("admin:user-mfa-remove", "not permitted", "helper", "iam:ListMFADevices", ("guarded", "@guarded")),
]
