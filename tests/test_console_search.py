"""The search of the console: what it finds, for whom, and at what cost."""

import html
import re
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from playwright.sync_api import expect

from accounts.operations.groups import create_group
from accounts.operations.users import create_user, list_users
from audit.models import Event
from credentials.operations.server_certificates import upload_server_certificate
from credentials.operations.service_credentials import create_service_specific_credential
from credentials.operations.ssh_public_keys import upload_ssh_public_key
from credentials.service_credentials import GIT
from iamconsole.errors import AccessDenied
from permissions.operations.managed import create_policy
from tests.browser import Visitor, give_password, signed_in
from tests.conftest import ALLOW_ALL, SECRETS, Person, allow, caller_for, make_user
from tests.everything import served_to_all
from tests.ssh_keys import new_ssh_key

SEARCH = "/console/search/"
USERS = "/console/accounts/user/"
UNUSED = "/console/unused/"


def text(answer: Any) -> str:
    """What the page says, without its markup and frame."""
    assert answer.status_code == 200
    main = str(answer.content.decode()).partition("<main")[2].partition("</main>")[0]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", main)))


def links(answer: Any) -> list[str]:
    """Where the hits lead."""
    assert answer.status_code == 200
    main = str(answer.content.decode()).partition("<main")[2].partition("</main>")[0]
    return [html.unescape(link) for link in re.findall(r'<li><a href="([^"]+)"', main)]


def find(client: Client, term: str) -> Any:
    """The page of a term."""
    return client.get(SEARCH, {"q": term})


def more_credentials(root: Person, user_name: str) -> tuple[str, str]:
    """The ids of a new service-specific credential and of a new SSH public key of the user."""
    made = create_service_specific_credential(root.caller, user_name=user_name, service_name=GIT)
    SECRETS.extend(made.secret.values())
    key = upload_ssh_public_key(root.caller, user_name=user_name, ssh_public_key_body=new_ssh_key())
    return made.entity.service_specific_credential_id, key.ssh_public_key_id


@pytest.fixture
def client(alice: Person) -> Client:
    """alice's session, without a browser."""
    return signed_in(alice)


@pytest.fixture
def event(bob: Person) -> Event:
    """The refusal of a request of bob's."""
    with pytest.raises(AccessDenied):
        list_users(replace(caller_for(bob.user), request_id=str(uuid.uuid4())))
    return Event.objects.get(chain=bob.account_id, actor_arn=bob.user.arn)


def test_users_are_found_by_a_part_of_the_name(client: Client, root: Person) -> None:
    for name in ("ann.zink", "Zinker", "zed", "zink"):
        create_user(root.caller, user_name=name)
    answer = find(client, " ZINK ")
    assert links(answer) == [f"{USERS}{name}/change/" for name in ("zink", "Zinker", "ann.zink")]
    assert "Users (3)" in text(answer)


def test_groups_and_policies_are_found_by_a_part_of_the_name(client: Client, root: Person, mallory: Person) -> None:
    group = create_group(root.caller, group_name="Zinc")
    policy = create_policy(root.caller, policy_name="UseZinc", policy_document=ALLOW_ALL)
    page = text(find(client, "zinc"))
    for words in ("Groups (1)", "Policies (1)", group.arn, policy.arn):
        assert words in page
    assert re.search(
        r"Policies \(\d+, the first 20\) ReadOnlyAccess arn:aws:iam::aws:policy", text(find(client, "readonlyacc"))
    )
    hidden = text(find(signed_in(mallory), "zinc"))
    for words in ("iam:ListGroups", "iam:ListPolicies", "(0)"):
        assert words in hidden


def test_an_arn_an_access_key_and_ids_lead_straight_to_the_page(client: Client, root: Person, event: Event) -> None:
    dora = make_user(root, "dora", path="/design/")
    credential_id, ssh_key_id = more_credentials(root, "dora")
    group = create_group(root.caller, group_name="Zinc", path="/ops/")
    policy = create_policy(root.caller, policy_name="Zinc", path="/ops/", policy_document=ALLOW_ALL)
    www = upload_server_certificate(root.caller, server_certificate_name="www", **served_to_all().values)
    decision = reverse("admin:decision", args=[event.event_id])
    for term, address in (
        (group.arn, reverse("admin:accounts_group_change", args=["Zinc"])),
        (policy.arn, reverse("admin:permissions_managedpolicy_change", args=[policy.arn])),
        (dora.user.arn, f"{USERS}dora/change/"),
        (www.arn, reverse("admin:credentials_servercertificate_change", args=["www"])),
        (www.server_certificate_id, reverse("admin:credentials_servercertificate_change", args=["www"])),
        (dora.user.user_id, f"{USERS}dora/change/"),
        (group.group_id, reverse("admin:accounts_group_change", args=["Zinc"])),
        (policy.policy_id, reverse("admin:permissions_managedpolicy_change", args=[policy.arn])),
        (dora.access_key_id, f"{USERS}dora/change/?tab=credentials"),
        (credential_id, f"{USERS}dora/change/?tab=credentials"),
        (ssh_key_id, f"{USERS}dora/change/?tab=credentials"),
        (str(event.event_id), decision),
        (str(event.event_id).upper(), decision),
        (event.request_id, decision),
    ):
        answer = find(client, term)
        assert (answer.status_code, answer["Location"]) == (302, address)
    assert links(find(client, dora.user.arn.replace("/design/", "/"))) == [f"{USERS}dora/change/"]


def test_a_request_with_several_refusals_shows_them_all(client: Client, bob: Person, event: Event) -> None:
    with pytest.raises(AccessDenied):
        create_user(replace(caller_for(bob.user), request_id=event.request_id), user_name="x")
    page = text(find(client, event.request_id))
    assert "Decisions (2)" in page
    assert "iam:ListUsers denied" in page
    assert "iam:CreateUser denied" in page


def test_server_certificates_are_found_by_a_part_of_the_name_by_who_may_list_them(
    client: Client, root: Person, mallory: Person, trudy: Person
) -> None:
    www = upload_server_certificate(root.caller, server_certificate_name="www.Zinc", **served_to_all().values)
    address = reverse("admin:credentials_servercertificate_change", args=["www.Zinc"])
    assert links(find(client, "zinc")) == [address]
    for term in ("zinc", www.server_certificate_id, www.arn):
        assert links(find(signed_in(mallory), term)) == links(find(signed_in(trudy), term)) == []
    assert "iam:ListServerCertificates" in text(find(signed_in(mallory), "zinc"))
    assert "Server certificates (0" not in text(find(signed_in(trudy), www.server_certificate_id))


@pytest.mark.parametrize(
    ("term", "address"),
    [
        ("upload tls", "/console/server-certificates/add/"),
        ("require mfa", "/console/account/mfa-requirement/"),
        ("ssh", "/console/my-security-credentials/"),
        ("create user", f"{USERS}add/"),
        ("new user", f"{USERS}add/"),
        ("change password", "/console/my-security-credentials/password/"),
        ("cli key", "/console/my-security-credentials/access-keys/create/"),
        ("simulate", "/console/simulator/"),
        ("add group", "/console/groups/add/"),
        ("new policy", "/console/policies/create/"),
        ("why denied", "/console/simulator/"),
        ("terraform", "/help/"),
        ("add user to group", USERS),
        ("suspend user", USERS),
        ("create access key", "/console/my-security-credentials/access-keys/create/"),
        ("users without mfa", f"{USERS}?mfa=no"),
        ("old keys", f"{USERS}?key_age=90"),
        ("export users", f"{USERS}export/"),
        ("unused credentials", UNUSED),
        ("find stale keys", UNUSED),
        ("reaper", f"{UNUSED}?group=Deactivated"),
        ("nightly run", f"{UNUSED}?group=Deactivated"),
        ("import users", f"{USERS}import/"),
        ("csv import", f"{USERS}import/"),
        ("import aws", f"{USERS}import/aws/"),
        ("generate report", "/console/credential-report/"),
        ("compare report", "/console/credential-report/"),
        ("security findings", "/console/"),
    ],
)
def test_pages_are_found_by_what_one_wants_to_do(client: Client, term: str, address: str) -> None:
    assert address in links(find(client, term))


def test_a_page_is_found_by_whoever_may_do_what_it_is_for(root: Person, mallory: Person) -> None:
    pages = {UNUSED, f"{UNUSED}?group=Deactivated", f"{USERS}import/", f"{USERS}import/aws/"}
    for term in ("unused", "reaper", "import", "report"):
        assert not set(links(find(signed_in(mallory), term))) & {*pages, "/console/credential-report/"}
    allowed = signed_in(make_user(root, "finder", allow("iamconsole:ListUnusedCredentials")))
    assert links(find(allowed, "unused")) == [UNUSED]
    assert links(find(allowed, "reaper")) == []


def test_a_long_list_is_cut_and_counted(client: Client, root: Person) -> None:
    for number in range(25):
        create_user(root.caller, user_name=f"many{number:02}")
    answer = find(client, "many")
    assert len(links(answer)) == 20
    assert "Users (25, the first 20)" in text(answer)
    assert f'href="{USERS}?q=many"' in str(answer.content)


def test_a_search_costs_the_same_however_much_it_finds(client: Client, root: Person) -> None:
    def queries(term: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            find(client, term)
        return len(captured.captured_queries)

    create_user(root.caller, user_name="cost0")
    find(client, "cost")
    before = queries("cost")
    for number in range(1, 15):
        create_user(root.caller, user_name=f"cost{number}")
    find(client, "cost")
    assert queries("cost") == before


def test_nothing_found_says_what_can_be_found(client: Client) -> None:
    for term in ("zzzzzz", "", "%", "\x00", "arn:", "arn:aws:iam::x:user/", "AKIA" + "2" * 16, "x" * 5000, "…"):
        page = text(find(client, term))
        assert "You can find users, groups, policies and server certificates" in page
    assert "What are you looking for?" in text(client.get(SEARCH))


def test_who_may_do_nothing_finds_nothing(mallory: Person, bob: Person, event: Event) -> None:
    client = signed_in(mallory)
    events = Event.objects.count()
    for term in ("bob", bob.user.arn, bob.access_key_id, str(event.event_id), event.request_id, "create user"):
        answer = find(client, term)
        assert links(answer) == []
        assert "Users are not searched for you. It needs the permission iam:ListUsers" in text(answer)
    assert Event.objects.count() == events


def test_another_account_is_never_found(trudy: Person, alice: Person, event: Event) -> None:
    client = signed_in(trudy)
    for term in ("alice", alice.user.arn, alice.access_key_id, str(event.event_id), event.request_id):
        assert links(find(client, term)) == []


def test_one_finds_the_own_key_and_the_own_refusals(bob: Person, event: Event) -> None:
    client = signed_in(bob)
    assert find(client, event.request_id)["Location"] == reverse("admin:decision", args=[event.event_id])
    assert links(find(client, bob.access_key_id)) == []


def test_an_access_key_is_found_by_who_may_list_the_owners_keys(root: Person, bob: Person, alice: Person) -> None:
    client = signed_in(make_user(root, "reader", allow("iam:ListAccessKeys", resource=bob.user.arn)))
    assert find(client, bob.access_key_id)["Location"] == f"{USERS}bob/change/?tab=credentials"
    assert links(find(client, alice.access_key_id)) == []


@pytest.mark.parametrize("action", ["iam:ListServiceSpecificCredentials", "iam:ListSSHPublicKeys"])
def test_other_credentials_too_by_who_may_list_them_and_by_nobody_else(
    root: Person, bob: Person, trudy: Person, mallory: Person, action: str
) -> None:
    ids = dict(
        zip(("iam:ListServiceSpecificCredentials", "iam:ListSSHPublicKeys"), more_credentials(root, "bob"), strict=True)
    )
    client = signed_in(make_user(root, "reader", allow(action, resource=bob.user.arn)))
    assert find(client, ids.pop(action))["Location"] == f"{USERS}bob/change/?tab=credentials"
    [other] = ids.values()
    for person in (client, signed_in(trudy), signed_in(mallory)):
        assert links(find(person, other)) == []


def test_the_root_users_key_leads_to_its_own_page(root: Person, alice: Person) -> None:
    assert find(signed_in(root), root.access_key_id)["Location"] == "/console/my-security-credentials/"
    assert find(signed_in(alice), root.access_key_id).status_code == 200


@pytest.mark.parametrize("script", [True, False])
def test_the_box_of_the_top_bar_finds(visit: Callable[..., Visitor], root: Person, alice: Person, script: bool) -> None:
    create_user(root.caller, user_name="zinnia")
    give_password(alice)
    visitor = visit(java_script_enabled=script)
    page = visitor.sign_in(alice)
    expect(page.locator("h1")).to_have_text("Dashboard")
    if script:
        page.keyboard.press("/")
        expect(page.locator(".topbar [type=search]")).to_be_focused()
    page.locator(".topbar [type=search]").fill("zinn")
    page.locator(".topbar [type=search]").press("Enter")
    expect(page.locator("h1")).to_contain_text("Search")
    page.get_by_role("link", name="zinnia").click()
    expect(page.locator("h1")).to_have_text("zinnia")
