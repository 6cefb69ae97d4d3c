"""Text messages by an operator's gateway, in a browser, from enrolment to sign-in: the server alone talks to the gateway."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from credentials.mfa.models import MFADevice
from tests.authenticators import a_number
from tests.browser import PASSWORD, give_password
from tests.conftest import SECRETS, Person, gunicorn
from tests.environment import free_port
from tests.logs import log_of
from tests.rows import events_of


@dataclass
class Served:
    """A server whose operator has named a gateway, in a browser."""

    page: Page
    received: list[Any]
    statuses: list[int]

    def code(self, number: str) -> str:
        """The code that the gateway was sent last, for that number."""
        path, body = self.received[-1]
        assert path == f"/sms/{number}"
        code = str(body["message"].partition(" ")[0])
        assert len(code) == 6
        return code

    def sign_in(self, person: Person) -> None:
        """Give account, name and password."""
        self.page.goto("/signin/")
        self.page.get_by_label("Account ID or alias").fill(person.account_id)
        self.page.get_by_label("IAM user name").fill(person.name)
        self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in", exact=True).click()

    def sign_out(self) -> None:
        """Leave by the menu."""
        self.page.locator(".topbar details.menu summary").click()
        self.page.get_by_role("button", name="Sign out").click()


@pytest.fixture
def served(gateway: Any, chromium: Browser) -> Iterator[Served]:
    """The server with the gateway, for one test."""
    address, received, statuses = gateway
    port = free_port()
    url = f"http://localhost:{port}"
    with gunicorn(log_of("server-with-gateway"), port, SMS_URL=address, PUBLIC_URL=url, WEB_CONCURRENCY="1"):
        context = chromium.new_context(base_url=url)
        yield Served(context.new_page(), received, statuses)
        context.close()


@pytest.mark.asvs("6.6.1")
def test_a_number_is_enrolled_and_signs_in_through_the_operators_gateway(served: Served, alice: Person) -> None:
    give_password(alice)
    page, number = served.page, a_number()
    served.sign_in(alice)
    page.goto("/console/my-security-credentials/mfa/text-message/")
    page.get_by_label("Device name").fill("mobile")
    page.get_by_label("Phone number").fill(number)
    served.statuses.append(500)
    page.get_by_role("button", name="Send code").click()
    expect(page.get_by_role("alert")).to_contain_text("could not be sent")
    page.get_by_role("button", name="Send code").click()
    expect(page.locator("main")).not_to_contain_text("data folder")
    page.get_by_label("Code", exact=True).fill(served.code(number))
    page.get_by_role("button", name="Add MFA").click()
    expect(page.locator("h1")).to_contain_text("Save your recovery codes")
    SECRETS.extend(page.locator("#codes").inner_text().split())
    assert MFADevice.objects.get(user=alice.user).phone_number == number
    page.get_by_role("link", name="I have saved these").click()
    served.sign_out()
    served.sign_in(alice)
    expect(page.locator("main")).to_contain_text(f"the number that ends in {number[-2:]}")
    messages = len(served.received)
    page.get_by_role("button", name="Send code").click()
    expect(page.locator("main")).to_contain_text("A code is on its way")
    first = served.code(number)
    page.get_by_role("button", name="Send another code").click()
    expect(page.locator("main")).to_contain_text("Earlier ones are good no more")
    assert len(served.received) == messages + 2
    second = served.code(number)
    if first != second:
        page.get_by_label("Code").fill(first)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("not the one that was sent last")
    page.get_by_label("Code").fill(second)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("h1")).to_have_text("Dashboard")
    [*_, last] = [each for each in events_of(alice.account_id) if each.action == "iamconsole:SignIn"]
    assert (last.result, last.response["method"]) == ("Success", "password, sms device mobile")
    told = repr([(each.parameters, each.response, each.message) for each in events_of(alice.account_id)])
    assert first not in told
    assert second not in told
