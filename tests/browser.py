"""The browser of the tests: one Chromium without a window, a fresh context for each visitor, and a watch over all they load.

A visitor's pages fail the test on any Content-Security-Policy violation, console error, uncaught exception, request to another
host, missing file or answer of 500 and above.
"""

import itertools
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    expect,
    sync_playwright,
)

from tests.conftest import SECRETS, URL, Person

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
REPORT_VIOLATIONS = """addEventListener("securitypolicyviolation", (event) =>
    console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));"""
# Chromium says so of every answer of 400 and above; the watch judges those by their status.
ANSWER_OF_400 = "Failed to load resource: the server responded with a status of 4"
PASSWORD = "Blue-Horse-7-Battery"
# How long a page may take, in ms, on a machine that runs all parts of the suite at once.
PATIENCE = 30_000
expect.set_options(timeout=PATIENCE)


class Visitor:
    """Somebody with a browser of their own: a fresh context, watched."""

    def __init__(self, browser: Browser, **options: Any) -> None:
        self.context: BrowserContext = browser.new_context(**{"base_url": URL, "reduced_motion": "reduce"} | options)
        self.context.set_default_timeout(PATIENCE)
        self.trouble: list[str] = []
        self.context.add_init_script(REPORT_VIOLATIONS)
        self.context.on("console", self._console)
        self.context.on("weberror", lambda error: self.trouble.append(f"uncaught: {error.error}"))
        self.context.on("request", self._request)
        self.context.on("response", self._response)
        self.page: Page = self.context.new_page()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(ANSWER_OF_400):
            self.trouble.append(f"console {message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((f"{URL}/", "blob:")):
            self.trouble.append(f"foreign: {request.url}")

    def _response(self, response: Response) -> None:
        missing = response.status >= 400 and response.request.resource_type != "document"
        if missing or response.status >= 500:
            self.trouble.append(f"{response.status}: {response.url}")

    def open(self, path: str) -> Page:
        """Go to an address."""
        self.page.goto(path)
        return self.page

    def sign_in(self, person: Any, password: str = PASSWORD, path: str = "/signin/") -> Page:
        """Sign in as a user of an account, or as its root user, by the form."""
        user = user_of(person)
        if user.is_root:
            page = self.open(f"{path}?as=root")
            page.get_by_label("Root user e-mail address").fill(user.email)
        else:
            page = self.open(path)
            page.get_by_label("Account ID or alias").fill(user.account_id)
            page.get_by_label("IAM user name").fill(user.user_name)
        page.get_by_label("Password", exact=True).fill(password)
        page.get_by_role("button", name="Sign in", exact=True).click()
        return page

    def sign_out(self) -> None:
        """Sign out by the menu of the top bar."""
        self.page.locator(".topbar details.menu summary").click()
        self.page.get_by_role("button", name="Sign out").click()

    def leave(self) -> None:
        """Close the browser, and tell what went wrong in it."""
        self.context.close()
        assert self.trouble == []


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The one browser of the session."""
    # Playwright's loop runs in this thread, and Django refuses its database there. The two never wait for each other.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium-headless-shell", args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def visit(server: Path, chromium: Browser) -> Iterator[Callable[..., Visitor]]:
    """``visit()``: another visitor; options are Playwright's of a context."""
    visitors: list[Visitor] = []

    def arrive(**options: Any) -> Visitor:
        visitors.append(Visitor(chromium, **options))
        return visitors[-1]

    yield arrive
    for visitor in visitors:
        visitor.leave()


@pytest.fixture
def visitor(visit: Callable[..., Visitor]) -> Visitor:
    """One visitor."""
    return visit()


@pytest.fixture
def admin(root: Person) -> Client:
    """Root's session, without a browser."""
    return signed_in(root)


@pytest.fixture
def page(visitor: Visitor, alice: Person) -> Page:
    """alice's browser, signed in."""
    give_password(alice)
    page = visitor.sign_in(alice)
    expect(page.locator("h1")).to_have_text("Dashboard")
    return page


def user_of(person: Any) -> Any:
    """The user of one of the cast, or the user itself."""
    return getattr(person, "user", person)


_clients = itertools.count(1)


def a_client(**options: Any) -> Client:
    """Django's test client: the same pages without a browser or a server, each from an address of its own."""
    number = next(_clients)
    address = f"127.{1 + number // 62500 % 250}.{1 + number // 250 % 250}.{1 + number % 250}"
    return Client(**{"HTTP_HOST": "localhost", "REMOTE_ADDR": address} | options)


def signed_in(person: Any, **options: Any) -> Client:
    """A client with a session of somebody, begun now."""
    from accounts.models import User
    from accounts.sessions import SIGNED_IN
    from accounts.signin import PROVED

    client = a_client(**options)
    client.force_login(
        User.objects.select_related("account").get(pk=user_of(person).pk), backend="accounts.signin.Backend"
    )
    session = client.session
    session[SIGNED_IN] = session[PROVED] = time.time()
    session.save()
    return client


def proved(person: Any, seconds: float) -> None:
    """Let it be so many seconds since the person proved who it is, in every session of it."""
    from accounts.models import Session
    from accounts.signin import PROVED

    for session in Session.objects.filter(user=user_of(person)):
        data = session.get_decoded()
        if PROVED not in data:  # half-way in
            continue
        data[PROVED] = time.time() - seconds
        session.session_data = session.get_session_store_class()().encode(data)
        session.save(update_fields=["session_data"])


def normal(page: Any) -> str:
    """A page without what differs each time: tokens, nonces, request ids."""
    return re.sub(
        r"(?<=name=\"csrfmiddlewaretoken\" value=\")[^\"]+"
        r"|(?<=name=\"nonce\" value=\")[^\"]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "",
        page.content.decode(),
    )


def draft(client: Client, user_name: str, purpose: str, *, path: str = "/", **permissions: Any) -> str:
    """Go through the first two steps of making a user. Returns the address of the last one."""
    answers = {"user_name": user_name, "path": path, "purpose": purpose}
    step = client.post(reverse("admin:accounts_user_add"), answers)
    assert step.status_code == 302, step.content.decode()
    step = client.post(step["Location"], {"how": "groups", "go": "next"} | permissions)
    assert step.status_code == 302, step.content.decode()
    return str(step["Location"])


def walk_through(page: Page, user_name: str, purpose: str = "person") -> None:
    """Fill the wizard of a new user in a browser, without permissions; the last button is still to be pressed."""
    page.goto(reverse("admin:accounts_user_add"))
    page.get_by_label("User name", exact=True).fill(user_name)
    page.locator(f"[name=purpose][value={purpose}]").check()
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Next").click()
    expect(page.locator("h1")).to_have_text(f"Review and create {user_name}")


def nonce_in(page: Any) -> str:
    """The nonce of a page's form."""
    found = re.search(r'name="nonce" value="([^"]+)"', page.content.decode())
    assert found
    return found[1]


def console_addresses(**names: str) -> list[str]:
    """An address of every route of the console; ``user_name``, ``access_key_id`` and the like fill it, or "x"."""
    nil = "00000000-0000-4000-8000-000000000000"
    names = {
        "decision_id": nil,
        "report_id": nil,
        "event_id": nil,
        "change_id": nil,
        "kind": "csv",
        "session_id": "0" * 64,
    } | names
    return [
        reverse(name, kwargs={argument: names.get(argument, "x") for argument in pattern.pattern.converters})
        for name, pattern in every_route()
        if name.startswith("admin:")
    ]


def every_route(resolver: URLResolver | None = None, namespace: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address of the server, by the name it is reversed with."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            yield from every_route(pattern, f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace)
        else:
            yield f"{namespace}{pattern.name}", pattern


def give_password(person: Any, *, must_change: bool = False, password: str = PASSWORD) -> str:
    """Let a user into the console, or a root user, whose password is set anew."""
    from accounts.management.commands._shell import root_of
    from accounts.models import User
    from accounts.setup_links import issue, redeem
    from credentials.operations.login_profiles import create_login_profile

    user = User.objects.get(pk=user_of(person).pk)
    if user.is_root:
        token = token_of(issue(user))
        redeem(token, password, source_ip="127.0.0.1", user_agent="", request_id="")
    else:
        root = root_of(user.account_id)
        create_login_profile(root, user_name=user.user_name, password=password, password_reset_required=must_change)
    SECRETS.append(password)
    return password


def token_of(link: str) -> str:
    """The token in a set-up link, which is a secret."""
    token = urlsplit(link).path.strip("/").rpartition("/")[2]
    SECRETS.append(token)
    return token


def main_of(page: Page) -> str:
    """What the page says, without its frame."""
    return page.locator("main").inner_text()


def shown_secret(page: Page, element: str) -> str:
    """The secret of a one-time page, read by Show as a person does."""
    page.locator(f"[data-show={element}]").click()
    secret = page.locator(f"#{element}").inner_text().strip()
    assert re.fullmatch(r"\S{20,160}", secret), "no secret is shown"
    SECRETS.append(secret)
    return secret
