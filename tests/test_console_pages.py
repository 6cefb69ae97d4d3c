"""Every page in every state passes the rules of WCAG 2.2 AA, in light and in dark, wide and narrow, without trouble.

A state is an address, who looks at it, and what is done there. A route without a state fails the first test. The rules are
about the page, which is the same over every database; that each answers over both is `tests/test_console_guards.py`'s.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.base import AxeResults
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.browser import every_route
from tests.page_states import STATES
from tests.page_states.stage import Stage, set_stage
from tests.page_states.state import State

AXE = Axe().axe_script
ONLY_VIOLATIONS = {"resultTypes": ["violations"]}
RULES = {**ONLY_VIOLATIONS, "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
# Those of them that depend on how it looks: the document is the same in dark and on a narrow screen.
LOOKS = {
    **ONLY_VIOLATIONS,
    "runOnly": {
        "type": "rule",
        "values": ["color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size"],
    },
}
VIOLATIONS = "async (rules) => ({violations: (await axe.run(rules)).violations})"
SEEN = """() => ({
    text: document.querySelector("main").textContent,
    headings: document.querySelectorAll("h1").length,
    alerts: document.querySelectorAll("main [role=alert]").length,
})"""
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
pytestmark = pytest.mark.pure
# Addresses that are no pages, and why.
NO_PAGE = {
    "api": "the AWS door; a browser is sent to the console",
    "authorize": "the verifier door",
    "ssh-authorized-keys": "sshd's door",
    "ssh-login-names": "sshd's door",
    "healthz": "JSON",
    "readyz": "JSON",
    "signout": "a button",
    "theme": "a button",
    "admin:user-import-template": "a file",
    "admin:me-key-status": "a button",
    "admin:unused-deactivate": "a button of admin:unused, whose states show what it tells",
    "admin:unused-delete": "a button of admin:unused, whose states show what it asks",
    "admin:unused-undo": "a button of admin:unused, whose states show what it tells",
    "admin:me-signing-status": "a button",
    "admin:user-signing-status": "a button",
    "admin:user-key-status": "a button",
    "admin:me-service-status": "a button",
    "admin:user-service-status": "a button",
    "admin:me-ssh-key-status": "a button",
    "admin:user-ssh-key-status": "a button",
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
    "admin:credential-report-generate": "a button",
    "admin:credential-report-download": "a file",
    "admin:trail-export": "a button",
    "admin:user-change": "the second step of the list of users, which shows it",
    "admin:user-change-result": "the third step of the list of users, which shows it",
    "admin:user-list-view-delete": "a button",
    "admin:user-export": "a file",
}


@pytest.fixture(scope="module")
def stage(server: Path, chromium: Browser) -> Iterator[Stage]:
    """Everybody is in place and signed in."""
    stage = set_stage(chromium)
    for visitor in stage.visitors.values():
        visitor.context.add_init_script(AXE)
    yield stage
    for visitor in stage.visitors.values():
        visitor.context.close()


def test_every_route_is_shown_in_some_state():
    routes = {name for name, _ in every_route()}
    assert routes - {state.route for state in STATES} <= NO_PAGE.keys() <= routes
    assert len({(state.route, state.name) for state in STATES}) == len(STATES)


@pytest.mark.parametrize("state", STATES, ids=lambda state: f"{state.route}, {state.name}")
def test_a_page_is_accessible_wide_and_narrow_in_light_and_dark(state: State, stage: Stage):
    stage.keep_proved()
    visitor = stage.visitors[state.who]
    visitor.trouble.clear()
    page = visitor.open(state.address(stage))
    if state.then:
        state.then(page, stage)  # the page that comes of it may be on its way
        expect(page.locator("main")).to_contain_text(state.says)
    seen = page.evaluate(SEEN)
    if state.says not in " ".join(seen["text"].split()):  # not yet: what a script brings comes a little later
        expect(page.locator("main")).to_contain_text(state.says)
        seen = page.evaluate(SEEN)
    assert seen["headings"] == 1
    assert page.title().startswith("Error: ") is (seen["alerts"] == 1)
    for scheme, width, rules in (("light", 1280, RULES), ("dark", 400, LOOKS)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(OVERFLOW) <= 0, f"the page is wider than {width} px"
        result = AxeResults(page.evaluate(VIOLATIONS, rules))
        assert result.violations_count == 0, f"{scheme}\n{result.generate_report()}"
    assert visitor.trouble == []


def test_a_page_of_an_address_that_is_none_is_our_own(stage: Stage):
    for who in ("stranger", "alice"):
        for address in ("/nowhere/", "/console/nowhere/", "/console/password_change/", "/console/login/"):
            page = stage.visitors[who].open(address)
            expect(page.locator("main")).to_contain_text("There is no such page")
