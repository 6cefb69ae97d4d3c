"""The list of users: columns of one's own, filters in the address, orders that an index has, views by name."""

import html
import re
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import arns
from accounts.list_models import COLUMN_NAMES, DEFAULT_COLUMNS, UserListView
from accounts.models import User
from accounts.operations.groups import add_user_to_group, create_group
from accounts.operations.suspension import lock_down_user, put_user_end_date, suspend_user
from accounts.operations.user_lists import (
    MOST_VIEWS,
    delete_user_list_view,
    get_user_list_settings,
    put_user_list_view,
    update_user_list_settings,
)
from accounts.operations.users import tag_user
from accounts.user_filters import FILTERS
from accounts.user_list import SORTS, in_order, users_with_all
from accounts.user_queries import FILTERS as NAMES
from accounts.user_queries import kept_query
from credentials.models import AccessKey, LoginProfile
from credentials.operations.ssh_public_keys import upload_ssh_public_key
from iamconsole.errors import InvalidInput, LimitExceeded, ValidationError
from permissions.operations.attachments import attach_user_policy
from permissions.operations.inline import put_group_policy
from tests.authenticators import give_app
from tests.browser import signed_in
from tests.conftest import ALLOW_ALL, Person, allow, make_user
from tests.ssh_keys import new_ssh_key

LIST = "/console/accounts/user/"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ROW = re.compile(r'<th scope="row".*?</tr>', re.DOTALL)


def listed(client: Any, query: str = "") -> list[str]:
    """The names on the page, in their order."""
    answer = client.get(f"{LIST}?{query}")
    assert answer.status_code == 200, answer
    return re.findall(r"/user/([^/]+)/change/", "".join(ROW.findall(answer.content.decode())))


def cells(client: Any, name: str, query: str = "") -> dict[str, str]:
    """The texts of a user's row by their headings."""
    page = client.get(f"{LIST}?{query}").content.decode()
    row = next(each for each in ROW.findall(page) if f"/user/{name}/change/" in each)
    found = re.findall(r'data-label="([^"]*)">(.*?)</t[hd]>', row, re.DOTALL)
    return {label: html.unescape(re.sub(r"<[^>]*>", " ", told)).strip() for label, told in found}


@pytest.fixture
def crew(root: Person) -> Any:
    """Users who differ in all that is filtered by. Yields a client of the root user."""
    with time_machine.travel(NOW, tick=False):
        for name in ("ann", "ben", "cleo", "dan", "eve", "fay"):
            make_user(root, name, allow("iam:GetUser") if name in ("ann", "ben") else None)
        AccessKey.objects.filter(user__account=root.account_id).exclude(user__user_name__in=("ann", "ben")).delete()
        users = User.objects.in_account(root.account_id)
        AccessKey.objects.filter(user__user_name="ann").update(
            create_date=NOW - timedelta(days=100), last_used_date=NOW - timedelta(days=40)
        )
        users.filter(user_name="cleo").update(
            password_last_changed=NOW - timedelta(days=91), password_last_used=NOW - timedelta(days=3)
        )
        for name in ("cleo", "dan"):
            LoginProfile.objects.create(user=users.get(user_name=name))
        AccessKey.issue(users.get(user_name="ben"))
        give_app(root.account_id, users.get(user_name="ben"), f"app-{root.account_id}")
        create_group(root.caller, group_name="Team")
        create_group(root.caller, group_name="Admins")
        put_group_policy(root.caller, group_name="Admins", policy_name="all", policy_document=ALLOW_ALL)
        add_user_to_group(root.caller, group_name="Team", user_name="dan")
        tag_user(root.caller, user_name="eve", tags=[{"key": "Cost", "value": "Zürich A+"}])
        attach_user_policy(root.caller, user_name="cleo", policy_arn="arn:aws:iam::aws:policy/AdministratorAccess")
        add_user_to_group(root.caller, group_name="Admins", user_name="dan")
        shared, of_suspended = new_ssh_key(), new_ssh_key()
        keys = {
            "ann": [shared, new_ssh_key()],
            "ben": [shared, of_suspended],
            "cleo": [new_ssh_key()],
            "dan": [of_suspended],
        }
        for name, bodies in keys.items():
            for body in bodies:
                upload_ssh_public_key(root.caller, user_name=name, ssh_public_key_body=body)
        suspend_user(root.caller, user_name="dan", reason="leave")
        lock_down_user(root.caller, user_name="eve")
        put_user_end_date(root.caller, user_name="fay", end_date=NOW + timedelta(days=1))
        yield signed_in(root)


def test_each_filter_leaves_whom_it_says(crew: Any, subtests: pytest.Subtests) -> None:
    for query, names in {
        "": "ann ben cleo dan eve fay",
        "status=active": "ann ben cleo",
        "status=suspended": "dan",
        "status=locked-down": "eve",
        "status=ends": "fay",
        "status=ended": "",
        "mfa=yes": "ben",
        "mfa=no": "ann cleo dan eve fay",
        "mfa=virtual": "ben",
        "group=team": "dan",
        "group=nobody": "",
        "last_activity=7": "ann ben dan eve fay",
        "last_activity=30": "ann ben dan eve fay",
        "last_activity=90": "ben dan eve fay",
        "last_activity=never": "ben dan eve fay",
        "key_age=90": "ann",
        "key_age=180": "",
        "password_age=90": "cleo",
        "password_age=180": "",
        "console=enabled": "cleo dan",
        "key=yes": "ann ben",
        "key=two": "ben",
        "permissions=direct": "ann ben cleo",
        "permissions=administrator": "cleo",
        "permissions=x": "ann ben cleo dan eve fay",
        "ssh_key=shared": "ann ben",
        "q=BEN": "ben",
        "q=cost": "eve",
        "q=cost=z": "eve",
        "q=ürich a%2B": "eve",
        "q=value": "",
        "q=%25": "",
        "q=e&status=active": "ben cleo",
        "status=made-up": "ann ben cleo dan eve fay",
        "last_activity=x": "ann ben cleo dan eve fay",
    }.items():
        with subtests.test(query):
            assert listed(crew, query) == names.split()
    assert {each.name for each in FILTERS} == set(NAMES)


def test_a_list_is_sorted_by_its_headings_and_says_so(crew: Any) -> None:
    page = crew.get(LIST).content.decode()
    assert '<th scope="col" aria-sort="ascending"><a class="sort" href="?o=-user_name">User name</a>' in page
    assert listed(crew, "o=-user_name") == ["fay", "eve", "dan", "cleo", "ben", "ann"]
    assert listed(crew, "o=-last_sign_in")[:1] == ["cleo"] or listed(crew, "o=last_sign_in")[:1] == ["cleo"]
    page = crew.get(f"{LIST}?o=-last_sign_in&status=active").content.decode()
    assert 'aria-sort="descending"' in page
    assert listed(crew, "o=arn") == listed(crew, "o=1.2") == listed(crew)


def test_cells_are_words_and_never_a_dash(crew: Any, root: Person) -> None:
    update_user_list_settings(root.caller, columns=[*DEFAULT_COLUMNS, "console_access", "signing_certificates"])
    eve = cells(crew, "eve")
    told = {name: eve[name] for name in list(eve)[1:]}
    assert told == {
        "Path": "/",
        "Groups": "None",
        "Last activity": "Never",
        "MFA": "None",
        "Password age": "None",
        "Console last sign-in": "None",
        "Access key ID": "None",
        "Active key age": "None",
        "Console access": "Not enabled",
        "Signing certificates": "None",
    }
    assert "Locked down" in eve["User name"]
    ann, cleo, dan = (cells(crew, name) for name in ("ann", "cleo", "dan"))
    assert ann["Active key age"] == "100 days"
    assert ann["Access key ID"].endswith("(Active)")
    assert ann["Last activity"] == "1\xa0month ago"
    assert (cleo["Password age"], dan["Console last sign-in"]) == ("91 days", "Never")


def test_what_may_not_be_read_is_neither_told_nor_filtered_by(crew: Any, root: Person) -> None:
    reader = signed_in(make_user(root, "reader", allow("iam:ListUsers")))
    assert set(cells(reader, "ben").values()) >= {"ben", "/", "Not permitted"}
    for query in (
        "mfa=yes",
        "group=Team",
        "last_activity=90",
        "status=suspended",
        "key_age=90",
        "q=cost",
        "permissions=direct",
        "ssh_key=shared",
    ):
        assert listed(reader, query) in (listed(reader), []), query
    told = "Nobody is left out by this filter: mfa."
    assert told in reader.get(f"{LIST}?mfa=yes").content.decode()
    assert told not in reader.get(f"{LIST}?q=ben").content.decode()
    refused = reader.get(f"{LIST}export/?mfa=yes")
    assert (refused.status_code, told in refused.content.decode()) == (400, True)


def test_columns_and_rows_are_ones_own_and_kept(root: Person, alice: Person, bob: Person) -> None:
    update_user_list_settings(alice.caller, columns=["arn", "path"])
    update_user_list_settings(alice.caller, page_size=20)
    kept = get_user_list_settings(alice.caller)
    assert (kept.columns, kept.page_size) == (["path", "arn"], 20)
    assert get_user_list_settings(bob.caller).columns == list(DEFAULT_COLUMNS)
    assert list(cells(signed_in(alice), "bob")) == ["User name", "Path", "ARN"]
    with pytest.raises(InvalidInput):
        update_user_list_settings(alice.caller, page_size=33)
    with pytest.raises(ValidationError):
        update_user_list_settings(alice.caller, columns=["password"])


def test_the_gear_and_the_views_work_by_forms_alone(root: Person, bob: Person) -> None:
    client = signed_in(root)
    sent = {"columns": ["arn"], "page_size": "100", "query": "status=active&evil=1"}
    assert client.post(f"{LIST}columns/", sent)["Location"] == f"{LIST}?status=active"
    answer = client.post(f"{LIST}save-view/", {"view_name": "Böse & gut", "query": "status=active"})
    assert answer["Location"] == f"{LIST}?view=B%C3%B6se+%26+gut&status=active"
    update_user_list_settings(root.caller, columns=["path"])
    assert list(cells(client, "bob", answer["Location"].partition("?")[2])) == ["User name", "ARN"]
    assert "Böse &amp; gut" in client.get(LIST).content.decode()
    assert client.post(f"{LIST}save-view/", {"view_name": "a\x07b"}).status_code == 200
    client.post(f"{LIST}delete-view/", {"view_name": "Böse & gut"})
    assert not UserListView.objects.exclude(view_name="").filter(user=root.user).exists()


def test_a_view_is_its_owners_alone_and_there_are_fifty(alice: Person, bob: Person) -> None:
    put_user_list_view(alice.caller, view_name="old", query="key_age=90&x=y&p=3", columns=["arn"])
    assert [view.query for view in get_user_list_settings(alice.caller).views] == ["key_age=90"]
    delete_user_list_view(bob.caller, view_name="old")
    assert len(get_user_list_settings(alice.caller).views) == 1
    UserListView.objects.bulk_create(
        UserListView(user=alice.user, view_name=f"v{number}") for number in range(MOST_VIEWS - 1)
    )
    put_user_list_view(alice.caller, view_name="old")
    with pytest.raises(LimitExceeded):
        put_user_list_view(alice.caller, view_name="one more")
    with pytest.raises(InvalidInput):
        put_user_list_view(alice.caller, view_name="old", query="q=" + "ü" * 500)
    assert kept_query("q=a&q=b&x=1&o=-path&p=2") == "q=b&o=-path"


def test_a_page_costs_the_same_however_many_there_are(crew: Any, root: Person) -> None:
    update_user_list_settings(root.caller, columns=list(COLUMN_NAMES))

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            listed(crew, "status=active&o=created")
        return len(captured)

    few = cost()
    for number in range(5):
        make_user(root, f"u{number}", ALLOW_ALL)
    assert cost() == few


def test_every_order_comes_from_an_index(root: Person, subtests: pytest.Subtests) -> None:
    """The database reads the first page of a hundred thousand in order, and sorts nothing."""
    people = (
        User(
            account=root.user.account,
            user_id=arns.new_unique_id("AIDA"),
            user_name=f"u{number}",
            user_name_key=f"u{number}",
            create_date=NOW + timedelta(seconds=number),
        )
        for number in range(3000)
    )
    User.objects.bulk_create(people)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE accounts_user")
    for name, down in product(SORTS, (False, True)):
        plan = users_with_all(root.caller).order_by(*in_order(name, down))[:50].explain()
        with subtests.test(f"{name} {down}"):
            assert "B-TREE" not in plan
            assert " Sort " not in plan, plan
