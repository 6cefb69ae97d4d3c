"""What the console must not do: tell, change or run what it should not; and for whom it must work all the same."""

import html
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import time_machine
from django.apps import apps
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.test import Client
from django.urls import path, reverse
from playwright.sync_api import Page, expect

from accounts import jobs
from accounts.operations.user_changes import start_user_change
from credentials.operations.credential_reports import refresh_credential_report
from credentials.operations.server_certificates import upload_server_certificate
from credentials.operations.service_credentials import create_service_specific_credential
from credentials.operations.service_tokens import create_service_token
from credentials.operations.signing_certificates import upload_signing_certificate
from credentials.operations.ssh_public_keys import upload_ssh_public_key
from credentials.reports.models import LastAccess
from credentials.service_credentials import GIT
from iamconsole import urls
from iamconsole.urls import handler400, handler403, handler404, handler500  # noqa: F401 - Django asks this module for them
from tests.browser import (
    PASSWORD,
    Visitor,
    a_client,
    console_addresses,
    give_password,
    nonce_in,
    normal,
    shown_secret,
    signed_in,
    token_of,
    walk_through,
)
from tests.conftest import ALLOW_ALL, SECRETS, URL, Person, allow, caller_for, make_account, make_user
from tests.everything import new_certificate, refusal_of, served_to_all
from tests.ssh_keys import new_ssh_key
from tests.test_signin_states import add_device

AWS_POLICY = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"
USERS = "/console/accounts/user/"
STEPS = (f"{USERS}add/permissions/", f"{USERS}add/review/")  # they lead to the first one when nothing was entered
# Something for every form of the console; each takes what it knows.
ANSWERS: dict[str, Any] = {
    "row": "Password:bob:",
    "confirmed": "1",
    "user_name": "new-one",
    "path": "/",
    "purpose": "none",
    "new_user_name": "renamed",
    "new_path": "/",
    "tag_key": ["team"],
    "tag_value": ["blue"],
    "policy_name": "p",
    "policy_document": ALLOW_ALL,
    "password": PASSWORD,
    "old_password": PASSWORD,
    "new_password": "Green-Goose-8-Ladder",
    "confirm_password": "Green-Goose-8-Ladder",
    "status": "Inactive",
    "account_alias": "some-alias",
    "email": "x@example.org",
    "group_name": "green",
    "new_group_name": "greener",
    "group_names": ["green"],
    "user_names": ["bob"],
    "policy_arn": AWS_POLICY,
    "policy_arns": [AWS_POLICY],
    "permissions_boundary": AWS_POLICY,
    "how": "groups",
    "virtual_mfa_device_name": "phone",
    "mfa_device_name": "key",
    "phone_number": "+15550001111",
    "serial_number": "arn:aws:iam::123456789012:mfa/phone",
    "file_format": "csv",
    "pasted": "serial_number,seed_hex\nTOKEN-0001,3132333435363738393031323334353637383930\n",
    "authentication_code1": "123456",
    "authentication_code2": "234567",
}


def text(answer: Any) -> str:
    """The page as text."""
    return str(answer.content.decode())


def everything() -> dict[str, list[Any]]:
    """Every row of every table, but for when users last asked for what."""
    return {
        model._meta.label: sorted(model._base_manager.values_list(), key=repr)
        for model in apps.get_models()
        if model is not LastAccess
    }


def counts() -> dict[str, int]:
    """How many rows each table has, but for the trail, tries of passwords and when users last asked for what."""
    return {
        model._meta.label: model._base_manager.count()
        for model in apps.get_models()
        if model._meta.app_label != "audit" and model.__name__ not in ("Throttle", "LastAccess")
    }


def furnish(root: Person, name: str) -> dict[str, str]:
    """A group and a managed policy of that name in root's account, as arguments of addresses."""
    from accounts.operations.groups import create_group
    from permissions.operations.inline import put_group_policy
    from permissions.operations.managed import create_policy

    create_group(root.caller, group_name=name)
    put_group_policy(root.caller, group_name=name, policy_name="given", policy_document=ALLOW_ALL)
    arn = create_policy(root.caller, policy_name=name, policy_document=ALLOW_ALL).arn
    return {"group_name": name, "policy_arn": arn, "version_id": "v1"}


def credentials_of(root: Person, user_name: str) -> dict[str, str]:
    """One of each further credential of the user, and a server certificate, as arguments of addresses."""
    git = create_service_specific_credential(root.caller, user_name=user_name, service_name=GIT)
    SECRETS.append(git.secret["service_password"])
    ssh = upload_ssh_public_key(root.caller, user_name=user_name, ssh_public_key_body=new_ssh_key())
    signing = upload_signing_certificate(root.caller, user_name=user_name, certificate_body=new_certificate())
    upload_server_certificate(root.caller, server_certificate_name="tls-of-somebody", **served_to_all().values)
    return {
        "credential_id": git.entity.service_specific_credential_id,
        "ssh_public_key_id": ssh.ssh_public_key_id,
        "certificate_id": signing.certificate_id,
        "server_certificate_name": "tls-of-somebody",
    }


# What such arguments look like where there is nothing.
NO_CREDENTIALS = {
    "credential_id": "ACCA" + "2" * 17,
    "ssh_public_key_id": "APKA" + "2" * 17,
    "certificate_id": "2" * 32,
    "server_certificate_name": "tls-of-nobody",
}


# Other people's accounts


def test_what_another_account_has_looks_as_if_it_had_never_been(root: Person, alice: Person, trudy: Person):
    theirs = make_user(trudy, "zoe-of-trudy", ALLOW_ALL, path="/design/")
    client = signed_in(alice)
    before = everything()["accounts.User"]
    names = {"user_name": theirs.name, "access_key_id": theirs.access_key_id, "policy_name": "given"}
    names |= furnish(trudy, "zoe-of-trudy") | credentials_of(trudy, "zoe-of-trudy")
    arn = names["policy_arn"].replace("zoe-of-trudy", "zed-of-nobody")
    nobody = {"user_name": "zed-of-nobody", "access_key_id": "AKIA" + "2" * 16, "policy_name": "given"}
    nobody |= {"group_name": "zed-of-nobody", "policy_arn": arn, "version_id": "v1"} | NO_CREDENTIALS

    def answers(ask: Callable[..., Any], who: dict[str, str]) -> list[tuple[str, int, str]]:
        named = ("user_name", "access_key_id", *NO_CREDENTIALS)
        neutral = re.compile("|".join(re.escape(who[name]) for name in named))
        asked = [(address, ask(address)) for address in console_addresses(**who) if neutral.search(address)]
        return [(neutral.sub("_", address), got.status_code, neutral.sub("_", normal(got))) for address, got in asked]

    def post(address: str) -> Any:
        return client.post(address, ANSWERS | {"typed_name": theirs.name, "typed_id": theirs.access_key_id})

    for ask in (client.get, post):
        seen = answers(ask, names)
        assert len(seen) > 12
        assert seen == answers(ask, nobody)
        assert {status for _, status, _ in seen} <= {200, 404, 405}
    assert everything()["accounts.User"] == before
    assert theirs.user.account.managed_policies.get().versions.count() == 1
    assert not theirs.user.attached_policies.exists()
    assert theirs.user.access_keys.get().status == "Active"
    assert "(0 of 1)" in text(client.get(USERS, {"q": theirs.access_key_id}))


@pytest.mark.pure
def test_who_may_do_nothing_is_told_which_permission_is_missing(root: Person, mallory: Person, bob: Person):
    client = signed_in(mallory)
    names = {"user_name": "bob", "access_key_id": bob.access_key_id, "policy_name": "given"} | furnish(root, "bob")
    names |= {"decision_id": refusal_of(mallory), "serial_number": "TOKEN-0001"} | credentials_of(root, "bob")
    before = counts()
    own = f"{USERS}bob/access-keys/create/"
    answers = ANSWERS | {"typed_name": "bob", "typed_id": bob.access_key_id, "nonce": nonce_in(client.get(own))}
    for address in console_addresses(**names):
        for ask in (client.get, lambda address: client.post(address, answers)):
            answer = ask(address)
            if re.search("user/columns/|-view/", address):  # how one's own list looks
                assert answer.status_code < 500, address
                continue
            if answer.status_code == 302 and "sessions/" in address:  # one's own, which nobody needs a permission for
                continue
            if answer.status_code == 302:  # a step of the wizard, which leads to its first
                assert address in STEPS, address
                answer = client.get(answer["Location"])
            assert answer.status_code in (200, 403, 405), address
            if (
                not re.search("root-email|sign-ins/|sessions/|confirm|stay|import/template/", address)
                and answer.status_code != 405
            ):
                assert re.search(r"(iam(console)?|cloudtrail):[A-Z]\w+", text(answer)), address
    assert counts() == before
    assert "iam:ListUsers" in text(client.get(USERS))


def test_who_may_do_nothing_learns_no_names(root: Person, mallory: Person, bob: Person):
    client = signed_in(mallory)
    made = furnish(root, "bob")
    never = {"group_name": "qzx", "policy_arn": made["policy_arn"].replace("/bob", "/qzx"), "version_id": "v1"}
    for there, not_there in zip(
        console_addresses(user_name="bob", access_key_id=bob.access_key_id, **made),
        console_addresses(user_name="qzx", access_key_id=bob.access_key_id, **never),
        strict=True,
    ):
        first, second = client.get(there), client.get(not_there)
        assert first.status_code == second.status_code
        assert normal(first).replace("bob", "_") == normal(second).replace("qzx", "_"), there


@pytest.mark.pure
def test_buttons_are_there_for_what_one_may_do(root: Person, bob: Person):
    make_user(root, "carol", allow("iam:GetUser"))
    reader = make_user(root, "reader", allow("iam:Get*", "iam:List*"))
    client, admin = signed_in(reader), signed_in(root)
    give_password(bob)
    for address, buttons in (
        (USERS, ["Create user"]),
        (f"{USERS}carol/change/", ["Create inline policy", ">Rename<", ">Delete<", ">Edit<"]),
        (
            f"{USERS}bob/change/?tab=credentials",
            ["Deactivate", "Create access key", "Manage console", "Disable console"],
        ),
        (f"{USERS}bob/change/?tab=tags", ["Manage tags"]),
    ):
        hers, ours = text(client.get(address)), text(admin.get(address))
        for button in buttons:
            assert (button in hers, button in ours) == (False, True), button


def test_a_deny_for_one_user_keeps_the_filters_from_telling_about_that_user(root: Person, bob: Person):
    import json

    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {
                "Effect": "Deny",
                "Action": ["iam:GetLoginProfile", "iam:ListAccessKeys"],
                "Resource": "arn:aws:iam::*:user/bob",
            },
        ],
    }
    client = signed_in(make_user(root, "almost", json.dumps(policy)))
    for query in ("console=none", "key=yes", f"q={bob.access_key_id}"):
        answer = client.get(f"{USERS}?{query}")
        assert answer.status_code in (200, 302)
        rows = re.findall(r"<tr>.*?</tr>", text(answer), re.DOTALL)
        told = [row for row in rows if ">bob<" in row]
        assert not told or len(rows) > 2, query  # not narrowed at all, or without bob


# Names


HOSTILE = [
    "=1+1", "+x", "-", "--help", "@SUM", "a@b", "a,b", ".", "..", "...", "_", "add", "create", "a=b", "a+b", "x" * 64,
]  # fmt: skip


@pytest.mark.pure
@pytest.mark.parametrize("name", HOSTILE)
def test_a_legal_name_is_only_a_name(name: str, root: Person):
    from accounts.models import User

    user = make_user(root, name, ALLOW_ALL).user
    client = signed_in(root)

    def follow(answer: Any, pattern: str) -> Any:
        """The page a link leads to, its address resolved as a browser does."""
        links = [html.unescape(link) for link in re.findall(r'href="([^"#]*)"', text(answer))]
        found = [link for link in links if re.search(pattern, link)]
        assert found, pattern
        reached = urlsplit(urljoin(f"http://localhost{answer.request['PATH_INFO']}", found[0]))
        page = client.get(reached.path, QUERY_STRING=reached.query)
        assert page.status_code == 200, found[0]
        assert html.escape(name) in text(page)
        return page

    def send(answer: Any, **fields: Any) -> Any:
        """The page that a form leads to."""
        return client.post(answer.request["PATH_INFO"], fields, follow=True)

    shown = follow(client.get(USERS), r"/change/$")
    assert re.search(rf"<h1>{re.escape(html.escape(name))}</h1>", text(shown))
    made = send(follow(shown, "policies/create/"), policy_name=name, policy_document=ALLOW_ALL)
    assert "is saved" in text(made)
    names = {"user_name": name, "policy_name": name, "access_key_id": user.access_keys.get().access_key_id}
    names["service_token_id"] = create_service_token(root.caller, user_name=name).entity.service_token_id
    names["serial_number"] = add_device(user).serial_number
    names |= credentials_of(root, name)
    names["change_id"] = change_of(root, name)
    for address in console_addresses(**names):
        if address.startswith(USERS) and address not in STEPS:
            status = client.get(urlsplit(urljoin("http://localhost/", address)).path).status_code
            assert status in (200, 405), address
    delete = reverse("admin:user-policy-delete", args=[name, name])
    assert "is deleted" in text(client.post(delete, follow=True))
    assert [policy.policy_name for policy in user.policies.all()] == ["given"]
    assert "The tags are saved." in text(send(follow(follow(shown, "tab=tags"), "/tags/$"), tag_key="k", tag_value="v"))
    renamed = send(follow(shown, "/rename/$"), new_user_name=f"{name}2"[-64:], new_path="/")
    assert "The user is renamed." in text(renamed)
    name = User.objects.get(pk=user.pk).user_name
    assert "is deleted, with all credentials." in text(send(follow(renamed, "/delete/$"), typed_name=name))
    assert not User.objects.filter(pk=user.pk).exists()


@pytest.mark.pure
@pytest.mark.parametrize("name", [".", "..", "=1+1"])
def test_a_browser_reaches_a_user_of_any_legal_name(name: str, visitor: Visitor, root: Person, alice: Person):
    make_user(root, name)
    give_password(alice)
    page = visitor.sign_in(alice)
    visitor.open(USERS)
    page.locator("#result_list").get_by_role("link", name=name, exact=True).click()
    expect(page.locator("h1")).to_have_text(name)
    page.get_by_role("link", name="Delete").click()
    page.locator("[name=typed_name]").fill(name)
    page.get_by_role("button", name="Delete user").click()
    expect(page.locator("main")).to_contain_text(f"User {name} is deleted")


# Reading changes nothing, and forms come from our pages


@pytest.fixture
def still() -> Iterator[None]:
    """Time does not pass: a session notes each minute that it is used."""
    with time_machine.travel(datetime.now(UTC), tick=False):
        yield


def test_nothing_is_changed_by_get(root: Person, alice: Person, mallory: Person, still: None):
    give_password(alice)
    client = signed_in(alice)
    names = {"user_name": "alice", "access_key_id": alice.access_key_id, "policy_name": "given"} | furnish(
        root, "alice"
    )
    names["service_token_id"] = create_service_token(root.caller, user_name="alice").entity.service_token_id
    names["serial_number"] = add_device(alice.user).serial_number
    names |= credentials_of(root, "alice")
    names["decision_id"] = names["event_id"] = refusal_of(mallory)
    names["report_id"], names["change_id"] = report_of(root), change_of(root, "alice")
    link = f"/setup/{issue_link(root)}/"
    before = everything()
    for address in [
        *console_addresses(**names),
        "/signin/",
        link,
        "/new-password/",
        "/signout/",
        "/theme/",
        "/help/",
        "/",
    ]:
        for ask in (client.get, client.head, client.options):
            status = ask(address, ANSWERS | {"delete": "x", "typed_name": "alice"}).status_code
            assert status in (200, 302, 400, 405), address
    assert everything() == before


def change_of(root: Person, user_name: str) -> str:
    """The id of a change of many users that has begun."""
    return str(start_user_change(root.caller, change="sign-out", user_names=[user_name])["change_id"])


def report_of(root: Person) -> str:
    """The id of a credential report, built here."""
    report = refresh_credential_report(caller_for(root.user))
    assert jobs.run(report.job_id)
    return report.report_id


def issue_link(root: Person) -> str:
    """The token of a new set-up link."""
    from accounts.setup_links import issue

    return token_of(issue(root.user))


@pytest.mark.pure
def test_a_form_without_our_token_is_refused(root: Person, alice: Person, bob: Person):
    client = signed_in(alice, enforce_csrf_checks=True)
    names = {"user_name": "bob", "access_key_id": bob.access_key_id, "policy_name": "given"}
    link = f"/setup/{issue_link(root)}/"
    before = counts()
    for address in [*console_addresses(**names), "/signin/", link, "/new-password/", "/signout/", "/theme/"]:
        answer = client.post(address, ANSWERS | {"typed_name": "bob", "typed_id": bob.access_key_id})
        assert answer.status_code == 403, address
        assert "did not come from this site" in text(answer)
        assert "That form is not accepted" in text(answer)
    assert counts() == before


def test_a_form_of_another_site_is_refused_even_with_a_token(alice: Person):
    client = signed_in(alice, enforce_csrf_checks=True)
    page = client.get(f"{USERS}add/")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', text(page))
    fields = ANSWERS | {"csrfmiddlewaretoken": token[1] if token else ""}
    for origin in ("https://evil.example", "null", "http://localhost.evil.example", "http://localhost:1"):
        assert client.post(f"{USERS}add/", fields, headers={"Origin": origin}).status_code == 403
    assert client.post(f"{USERS}add/", fields, headers={"Origin": "http://localhost"}).status_code == 302


def test_the_api_takes_no_session_for_a_signature(alice: Person):
    answer = signed_in(alice).post("/", {"Action": "ListUsers", "Version": "2010-05-08"})
    assert answer.status_code == 403
    assert "MissingAuthenticationToken" in text(answer)


# Headers, and pages for what goes wrong


def bug(request: HttpRequest) -> HttpResponse:
    """A view with a bug that knows a secret."""
    raise RuntimeError("the secret of the bug")


def outage(request: HttpRequest) -> HttpResponse:
    """A view whose database does not answer."""
    raise OperationalError("the secret of the database")


urlpatterns = [*urls.urlpatterns, path("bug/", bug), path("outage/", outage)]


@pytest.mark.pure
@pytest.mark.urls(__name__)
def test_every_answer_carries_the_headers(root: Person, alice: Person):
    client, stranger = signed_in(alice, raise_request_exception=False), a_client(raise_request_exception=False)
    key_form = f"{USERS}alice/access-keys/create/"
    nonce = {"nonce": nonce_in(client.get(key_form))}
    answers = [
        client.get("/console/"),
        client.get("/"),
        client.get(f"{USERS}?id=1"),
        client.get(f"{USERS}nobody/change/"),
        client.get("/nowhere/"),
        client.get("/signout/"),
        client.get("/bug/"),
        client.get("/outage/"),
        client.post(key_form, nonce),
        client.post(key_form, nonce),
        stranger.get("/console/"),
        stranger.get("/signin/"),
        stranger.get("/help/"),
        stranger.get("/setup/x/"),
        stranger.get("/healthz"),
        stranger.get("/readyz"),
        stranger.get("/signin/", HTTP_HOST="evil.example"),
        stranger.post("/"),
        Client(HTTP_HOST="localhost", enforce_csrf_checks=True).post("/signin/"),
        signed_in(make_user(root, "mallory")).get(USERS),
    ]
    assert {answer.status_code for answer in answers} == {200, 302, 400, 403, 404, 405, 409, 500, 503}
    for answer in answers:
        headers = {name: answer.get(name) for name in ("Cache-Control", "X-Content-Type-Options", "Referrer-Policy")}
        assert headers["Cache-Control"] == "no-store", answer
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] in ("same-origin", "strict-origin")
        assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "geolocation=()" in answer["Permissions-Policy"]
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
        assert "default-src 'none'" in answer["Content-Security-Policy"]
        assert "unsafe" not in answer["Content-Security-Policy"]
        assert re.fullmatch(r"[0-9a-f-]{36}", answer["x-amzn-RequestId"])
        assert "Server" not in answer
        if "Error <" in text(answer) or ">Error " in text(answer):
            assert answer["x-amzn-RequestId"] in text(answer)
        assert "secret of the" not in text(answer)


@pytest.mark.pure
def test_static_files_may_be_kept_and_nothing_else():
    answer = a_client().get(static("console.css"))
    answer.close()
    assert "immutable" in answer["Cache-Control"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    for address in ("/static/", "/static/../iamconsole/settings.py", "/static/%2e%2e/manage.py", "/static/admin/"):
        assert a_client().get(address).status_code == 404


# Everybody


@pytest.mark.pure
def test_all_of_it_works_without_javascript(visit: Callable[..., Visitor], root: Person, alice: Person):
    give_password(alice)
    page = (visitor := visit(java_script_enabled=False)).sign_in(alice)
    expect(page.locator("h1")).to_have_text("Dashboard")
    walk_through(page, "dora")
    page.get_by_label("Generated password").check()
    page.get_by_role("button", name="Create user").click()
    secret = readable(page, "password")
    page.get_by_role("link", name="I have saved it").click()
    visitor.open(f"{USERS}dora/access-keys/create/")
    page.get_by_role("button", name="Create access key").click()
    key = Person(alice.caller, page.locator("[data-column='Access key ID']").inner_text(), readable(page, "secret"))
    assert key.client("sts").get_caller_identity()["Arn"].endswith("user/dora")
    visitor.open(f"{USERS}dora/tags/")
    page.locator("[name=tag_key]").nth(1).fill("team")
    page.get_by_role("button", name="Save tags").click()
    expect(page.locator("main")).to_contain_text("The tags are saved.")
    page.locator(".topbar details.menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("main")).to_contain_text("You are signed out.")
    hers = visit(java_script_enabled=False)
    page = hers.sign_in(make_person(root, "dora"), secret)
    expect(page.locator("h1")).to_have_text("Choose a new password")


def make_person(root: Person, user_name: str) -> Any:
    """The user of that name."""
    from accounts.models import User

    return User.objects.named(root.account_id, user_name).get()


def readable(page: Page, element: str) -> str:
    """A secret that can be read and selected without JavaScript."""

    expect(page.locator(f"#{element}")).to_be_visible()
    expect(page.locator(f"[data-show={element}]")).to_be_hidden()
    secret = page.locator(f"#{element}").inner_text().strip()
    assert len(secret) >= 20
    SECRETS.append(secret)
    return secret


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus, which must be seen."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert style != "none", f"the focus on {selector} is not seen"
            return
    pytest.fail(f"Tab does not reach {selector}")


@pytest.mark.pure
def test_all_of_it_works_by_keyboard(visitor: Visitor, root: Person, alice: Person):
    give_password(alice)
    page = visitor.open("/signin/")
    for name, answer in (("account", alice.account_id), ("user_name", "alice"), ("password", PASSWORD)):
        tab_to(page, f"[name={name}]")
        page.keyboard.type(answer)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Dashboard")
    tab_to(page, ".skip")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.keyboard.press("Shift+Tab")
    visitor.open("/console/")
    tab_to(page, f".sidenav a[href='{USERS}']")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("Users")
    tab_to(page, f"a[href='{USERS}add/']")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Create user")
    tab_to(page, "[name=user_name]")
    page.keyboard.type("keys")
    tab_to(page, "[name=purpose]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Permissions of keys")
    tab_to(page, "main button.primary")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Review and create keys")
    tab_to(page, "[name=tag_value]")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("shown once")
    tab_to(page, "[data-show=secret]")
    page.keyboard.press("Enter")
    expect(page.locator("#secret")).not_to_contain_text("•")
    shown = page.locator("#secret").inner_text().strip()
    page.keyboard.press("Enter")
    assert shown_secret(page, "secret") == shown
    tab_to(page, "a[data-saved]")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("keys")
    visitor.open("/console/")
    tab_to(page, ".topbar details.menu summary")
    page.keyboard.press("Enter")
    tab_to(page, "form[action='/signout/'] button")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("You are signed out.")


@pytest.mark.pure
def test_a_form_with_errors_takes_the_focus_to_what_is_wrong(visitor: Visitor, alice: Person):
    give_password(alice)
    page = visitor.sign_in(alice)
    visitor.open(f"{USERS}add/")
    page.get_by_role("button", name="Next").click()
    expect(page).to_have_title(re.compile("^Error: "))
    expect(page.locator("[role=alert]")).to_be_focused()
    page.get_by_role("link", name="User name: This field is required.").click()
    expect(page.locator("[name=user_name]")).to_be_focused()
    described = page.locator("[name=user_name]").get_attribute("aria-describedby") or ""
    assert "This field is required." in " ".join(page.locator(f"#{each}").inner_text() for each in described.split())


@pytest.mark.pure
def test_the_theme_is_kept_without_a_script(visit: Callable[..., Visitor]):
    visitor = visit(java_script_enabled=False)
    page = visitor.open("/signin/?as=root")
    page.get_by_role("button", name="Dark").click()
    assert page.url == f"{URL}/signin/?as=root"
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).colorScheme") == "dark"
    visitor.open("/help/")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


@pytest.fixture(scope="module", autouse=True)
def _another_account() -> None:
    """Nothing here may depend on the installation having one account only."""
    make_account()
