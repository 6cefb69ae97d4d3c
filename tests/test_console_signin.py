"""Coming in and going out: sign-in, set-up links, the forced new password, sessions and their end."""

import hashlib
import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from tests.browser import (
    PASSWORD,
    Visitor,
    a_client,
    console_addresses,
    give_password,
    main_of,
    nonce_in,
    normal,
    signed_in,
    token_of,
    user_of,
)
from tests.conftest import Person, allow, make_user

pytestmark = pytest.mark.pure

DASHBOARD = "/console/"
ANOTHER = "Green-Goose-8-Ladder"


def try_to_sign_in(client: Client, query: str = "", **fields: str) -> Any:
    """POST the sign-in form."""
    return client.post(f"/signin/{query}", fields)


def enter(person: Any, password: str = PASSWORD, client: Client | None = None, query: str = "") -> Client:
    """Sign in by the form, without a browser; the client holds the session or the pending state."""
    user, client = user_of(person), client or a_client()
    answer = try_to_sign_in(client, query, account=user.account_id, user_name=user.user_name, password=password)
    assert answer.status_code == 302
    return client


def is_in(client: Client) -> bool:
    """Whether the client has a live session."""
    return client.get(DASHBOARD).status_code == 200


def key_of(client: Client) -> str:
    """The session key in the client's cookie."""
    return client.cookies["session"].value


def row_of(client: Client) -> Any:
    """The row of the client's session."""
    from accounts.models import Session

    return Session.objects.get(session_key=hashlib.sha256(key_of(client).encode()).hexdigest())


# One answer


def test_every_failure_has_one_answer(root: Person, alice: Person, bob: Person):
    give_password(alice)
    client, account = a_client(), alice.account_id
    wrong = [
        {"account": account, "user_name": "alice", "password": "wrong"},
        {"account": account, "user_name": "bob", "password": PASSWORD},  # has no password
        {"account": account, "user_name": "nobody", "password": PASSWORD},
        {"account": "100000000001", "user_name": "alice", "password": PASSWORD},
        {"account": "no-such-alias", "user_name": "alice", "password": PASSWORD},
        {"account": account, "user_name": "alice", "password": PASSWORD.lower()},
        {"account": account, "user_name": "alice", "password": f" {PASSWORD}"},
    ]
    answers = set()
    for fields in wrong:
        answer = try_to_sign_in(client, **fields)
        echoed = {f'value="{text}"' for text in fields.values()}
        body = re.sub("|".join(map(re.escape, echoed)), "", normal(answer))
        headers = {name: value for name, value in answer.items() if name != "x-amzn-RequestId"}
        answers.add((answer.status_code, body, tuple(sorted((headers | {"Content-Length": ""}).items()))))
    assert len(answers) == 1
    assert "Your sign-in information is incorrect." in next(iter(answers))[1]
    assert not is_in(client)


def test_every_failure_of_a_root_user_has_one_answer(root: Person, trudy: Person):
    from accounts.models import User

    give_password(root)
    without_password = User.objects.get(account=trudy.account_id, user_name__isnull=True)
    answers = set()
    for email in (root.user.email, without_password.email, "nobody@example.org"):
        answer = try_to_sign_in(a_client(), "?as=root", email=email, password="wrong")
        answers.add((answer.status_code, normal(answer).replace(email, "")))
    assert len(answers) == 1


def test_an_account_is_named_by_id_or_alias_and_a_user_in_any_case(root: Person, alice: Person):
    from accounts.operations.account import create_account_alias

    give_password(alice)
    alias = f"acme-{alice.account_id}"
    create_account_alias(root.caller, account_alias=alias)
    for account, user_name in ((alice.account_id, "alice"), (alias, "ALICE"), (f" {alias.upper()} ", "Alice")):
        client = a_client()
        try_to_sign_in(client, account=account, user_name=user_name, password=PASSWORD)
        assert is_in(client)


def test_an_iam_user_does_not_come_in_as_root_nor_root_as_an_iam_user(root: Person, alice: Person):
    give_password(root)
    give_password(alice)
    for query, fields in (
        ("?as=root", {"email": "alice"}),
        ("", {"account": root.account_id, "user_name": root.user.email}),
    ):
        client = a_client()
        assert try_to_sign_in(client, query, password=PASSWORD, **fields).status_code == 200
        assert not is_in(client)


def test_the_account_is_remembered_when_asked(alice: Person):
    give_password(alice)
    client = a_client()
    fields = {"account": alice.account_id, "user_name": "alice", "password": PASSWORD}
    assert "account" not in try_to_sign_in(client, **fields).cookies
    cookie = try_to_sign_in(client, **fields, remember="on").cookies["account"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    client.post("/signout/")
    assert f'value="{alice.account_id}"' in client.get("/signin/").content.decode()


# Going on, and only on this host

ELSEWHERE = [
    "https://evil.example",
    "http://evil.example/console/",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "\x00//evil.example",
    "http:evil.example",
    "http:/evil.example",
    "http:///evil.example",
    "https:evil.example",
    "HTTPS://evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "ftp://localhost/",
    "//localhost@evil.example/",
    "http://localhost@evil.example/",
    "http://localhost:80@evil.example/",
    "http://localhost.evil.example/",
    "//evil.example\\@localhost/",
    "https://evil.example\\.localhost/",
    "//[::1]/",
    "//[",
    "http://localhost\uff0fevil.example/",
]


@pytest.fixture(scope="module")
def erin() -> Any:
    """Somebody with a password, for tests that only look."""
    from tests.conftest import make_account

    erin = make_user(make_account(), "erin")
    give_password(erin)
    return erin


def test_after_sign_in_nobody_is_sent_elsewhere(erin: Person):
    fields = {"account": erin.account_id, "user_name": "erin", "password": PASSWORD}
    for address in ELSEWHERE:
        answer = try_to_sign_in(a_client(), f"?{urlencode({'next': address})}", **fields)
        assert answer["Location"] == DASHBOARD, address
        themed = a_client().post("/theme/", {"theme": "dark", "next": address})
        assert themed["Location"] == DASHBOARD, address


def test_after_sign_in_one_lands_where_one_wanted_to_go(erin: Person):
    client = a_client()
    asked = client.get("/console/accounts/user/?q=x")
    where = asked["Location"]
    assert urlsplit(where).path == "/signin/"
    answer = try_to_sign_in(
        client, f"?{urlsplit(where).query}", account=erin.account_id, user_name="erin", password=PASSWORD
    )
    assert urljoin("http://localhost/", answer["Location"]) == "http://localhost/console/accounts/user/?q=x"


def test_a_form_sent_after_the_session_ended_does_not_lead_to_a_button(erin: Person):
    client = a_client()
    answer = client.post(
        "/console/my-security-credentials/access-keys/AKIA2222222222222222/status/", {"status": "Active"}
    )
    assert answer["Location"] == "/signin/?next=/console/"


# Going out


def test_sign_out_wants_a_post(erin: Person):
    client = signed_in(erin)
    assert client.get("/signout/").status_code == 405
    assert is_in(client)
    key = key_of(client)
    answer = client.post("/signout/")
    assert answer["Location"] == "/signin/?message=signed-out"
    assert '"cache"' in answer["Clear-Site-Data"]
    client.cookies["session"] = key
    assert not is_in(client)


def test_after_sign_out_the_back_button_shows_nothing(visitor: Visitor, alice: Person):
    give_password(alice)
    page = visitor.sign_in(alice)
    visitor.open("/console/accounts/user/")
    expect(page.locator("#result_list")).to_contain_text("alice")
    visitor.open("/console/my-security-credentials/")
    visitor.sign_out()
    expect(page.locator("main")).to_contain_text("You are signed out.")
    for _ in range(2):
        page.go_back()
        expect(page.locator("h1")).to_have_text("Sign in as IAM user")
        assert "alice" not in main_of(page)


# Set-up links


def new_link(root: Person) -> str:
    """The path of a new set-up link for the root user."""
    from accounts.setup_links import issue

    return f"/setup/{token_of(issue(root.user))}/"


def set_up(path: str, password: str = PASSWORD) -> Any:
    """Send the form of a set-up link."""
    return a_client().post(path, {"new_password": password, "confirm_password": password})


def test_a_set_up_link_works_once_and_opening_it_spends_nothing(root: Person):
    path = new_link(root)
    for _ in range(3):
        assert a_client().get(path).status_code == 200
        assert a_client().head(path).status_code == 200
    assert "8 to 128 characters" in set_up(path, "weak").content.decode()
    assert set_up(path)["Location"] == "/signin/?as=root&message=ready"
    spent = set_up(path, ANOTHER)
    assert (spent.status_code, a_client().get(path).status_code) == (404, 404)
    client = a_client()
    assert try_to_sign_in(client, "?as=root", email=root.user.email, password=PASSWORD).status_code == 302
    assert is_in(client)


def test_a_dead_set_up_link_says_who_issues_another(root: Person):
    from accounts.models import SetupLink

    used, expired = new_link(root), None
    set_up(used)
    replaced = new_link(root)
    expired = new_link(root)
    SetupLink.objects.filter(user=root.user, used_date=None).update(expire_date=timezone.now() - timedelta(seconds=1))
    pages = {normal(a_client().get(path)) for path in (used, expired, replaced, "/setup/made-up/")}
    assert len({page.replace("made-up", "") for page in (re.sub(r"/setup/[^/]+/", "", page) for page in pages)}) == 1
    assert "the operator of this installation" in pages.pop()
    assert set_up(expired).status_code == 404


def test_recovering_the_root_user_ends_its_password_and_sessions(root: Person):
    from accounts.management.commands._shell import operator
    from accounts.operations.installation import recover_root_user

    give_password(root)
    client, pending_tab = signed_in(root), signed_in(root)
    assert is_in(client)
    token_of(recover_root_user(operator(), account=root.account_id).secret["root_setup_url"])
    assert not is_in(client)
    assert not is_in(pending_tab)
    assert try_to_sign_in(a_client(), "?as=root", email=root.user.email, password=PASSWORD).status_code == 200


def test_the_address_of_a_set_up_link_is_told_to_nobody(root: Person, visitor: Visitor):
    path = new_link(root)
    referrers: list[str | None] = []
    visitor.context.on("request", lambda request: referrers.append(request.all_headers().get("referer")))
    page = visitor.open(path)
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("Confirm new password").fill(PASSWORD)
    page.get_by_role("button", name="Set password").click()
    expect(page.locator("main")).to_contain_text("Your password is set")
    assert not [address for address in referrers if address and "/setup/" in address]
    answer = a_client().get(path)
    assert (answer["Referrer-Policy"], answer["Cache-Control"]) == ("strict-origin", "no-store")


# The forced new password


@pytest.fixture
def newcomer(root: Person) -> Person:
    """Must choose a new password, and may."""
    newcomer = make_user(root, "newcomer", allow("iam:*", resource="*"))
    give_password(newcomer, must_change=True)
    return newcomer


def choose(client: Client, old: str = PASSWORD, new: str = ANOTHER) -> Any:
    """Send the form of the forced new password."""
    return client.post("/new-password/", {"old_password": old, "new_password": new, "confirm_password": new})


def test_before_the_new_password_nothing_else_answers(newcomer: Person):
    client = enter(newcomer)
    assert client.get("/new-password/").status_code == 200
    for address in console_addresses():
        for ask in (client.get, client.post):
            answer = ask(address)
            assert answer.status_code == 302, address
            assert answer["Location"].startswith("/signin/?next="), address
    assert choose(client)["Location"] == DASHBOARD
    assert is_in(client)


def test_the_pending_state_ends_after_five_minutes(newcomer: Person):
    from accounts.sessions import SessionStore

    client = enter(newcomer)
    row = row_of(client)
    data = row.get_decoded()
    for age, status in ((290, 200), (301, 302)):
        data["pending"]["time"] = timezone.now().timestamp() - age
        row.session_data = SessionStore().encode(data)
        row.save(update_fields=["session_data"])
        assert client.get("/new-password/").status_code == status
    assert choose(client)["Location"] == "/signin/?message=late"
    assert "That took too long" in client.get("/signin/?message=late").content.decode()
    enter(newcomer)  # with the old password still


def test_the_pending_state_ends_when_the_password_is_set_by_another(root: Person, newcomer: Person):
    from credentials.operations.login_profiles import update_login_profile

    client = enter(newcomer)
    update_login_profile(root.caller, user_name="newcomer", password=ANOTHER)
    assert choose(client)["Location"] == "/signin/?message=late"
    assert not is_in(client)


def test_the_new_password_must_be_new_and_good_and_the_old_one_right(newcomer: Person):
    client = enter(newcomer)
    for old, new, says in (
        (PASSWORD, PASSWORD, "must differ"),
        (PASSWORD, "weak", "8 to 128 characters"),
        (PASSWORD, "newcomer", "beside the user name"),
        ("wrong", ANOTHER, "The old password was incorrect."),
    ):
        answer = choose(client, old, new)
        assert (answer.status_code, says in answer.content.decode()) == (200, True), new
        assert not is_in(client)


def test_a_newcomer_who_may_not_change_the_password_is_told_which_permission_is_missing(root: Person):
    stuck = make_user(root, "stuck")
    give_password(stuck, must_change=True)
    client = enter(stuck)
    assert "iam:ChangePassword" in client.get("/new-password/").content.decode()
    assert "iam:ChangePassword" in choose(client).content.decode()


def test_a_pending_visitor_can_sign_out(newcomer: Person):
    client = enter(newcomer)
    client.post("/signout/")
    assert client.get("/new-password/").status_code == 302


# Sessions


def test_signing_in_takes_up_no_session_it_did_not_make(newcomer: Person):
    client = a_client()
    client.cookies["session"] = "a" * 32
    enter(newcomer, client=client)
    pending = key_of(client)
    assert pending != "a" * 32
    choose(client)
    full = key_of(client)
    assert full not in (pending, "a" * 32)
    for key in ("a" * 32, pending):
        stranger = a_client()
        stranger.cookies["session"] = key
        assert not is_in(stranger)
    enter(newcomer, ANOTHER, client=client)
    assert key_of(client) != full


def test_the_session_table_opens_nothing(erin: Person):
    client = enter(erin)
    row = row_of(client)
    assert (row.user_id, row.source_ip[:4]) == (erin.user.pk, "127.")
    for stolen in (row.session_key, row.session_data):
        thief = a_client()
        thief.cookies["session"] = stolen
        assert not is_in(thief)


def test_the_session_cookie_is_for_the_server_alone(erin: Person):
    cookie = enter(erin).cookies["session"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert cookie["max-age"] == 12 * 3600


def test_a_session_ends_when_its_time_is_over_however_much_it_is_used(erin: Person):
    client = enter(erin)
    row = row_of(client)
    assert is_in(client)
    assert row_of(client).expire_date == row.expire_date
    row.expire_date = timezone.now()
    row.save(update_fields=["expire_date"])
    assert not is_in(client)


def test_changing_the_password_ends_the_other_sessions_and_keeps_this_one(root: Person, alice: Person):
    for person in (root, alice):
        give_password(person)
        here, there = signed_in(person), signed_in(person)
        key = key_of(here)
        fields = {"old_password": PASSWORD, "new_password": ANOTHER, "confirm_password": ANOTHER}
        answer = here.post("/console/my-security-credentials/password/", fields)
        assert answer["Location"] == "/console/my-security-credentials/"
        assert "Your password is changed." in here.get("/console/my-security-credentials/").content.decode()
        assert (is_in(here), is_in(there)) == (True, False)
        assert key_of(here) != key


def test_what_an_administrator_does_to_a_user_ends_the_users_sessions(root: Person, alice: Person):
    give_password(alice)
    admin = signed_in(root)
    base = "/console/accounts/user/alice"
    for path, fields in (
        (
            "/console-access/",
            {
                "first_password": "custom",
                "password": ANOTHER,
                "nonce": nonce_in(admin.get(f"{base}/console-access/")),
            },
        ),
        ("/console-access/disable/", {}),
        ("/delete/", {"typed_name": "alice"}),
    ):
        hers = signed_in(alice)
        assert is_in(hers)
        assert admin.post(base + path, fields).status_code == 302, path
        assert not is_in(hers), path


def test_renaming_a_user_keeps_the_users_session(root: Person, alice: Person):
    give_password(alice)
    hers = signed_in(alice)
    signed_in(root).post("/console/accounts/user/alice/rename/", {"new_user_name": "alicia", "new_path": "/"})
    assert "alicia" in hers.get(DASHBOARD).content.decode()


def test_nothing_is_written_to_the_admins_own_log():
    assert LogEntry.objects.count() == 0
