"""Groups in the console: the list, one group's users and policies, rename, delete; and what others learn of it."""

import html
import re
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.browser import normal, signed_in
from tests.conftest import ALLOW_ALL, Person, allow, make_group, make_user

GROUPS = "/console/groups/"
READ_ONLY = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"


def text(answer: Any) -> str:
    return str(answer.content.decode())


def group_named(root: Person, group_name: str) -> Any:
    from accounts.models import Group

    return Group.objects.named(root.account_id, group_name).first()


def members(root: Person, group_name: str) -> set[str]:
    return set(group_named(root, group_name).users.values_list("user_name", flat=True))


def press(page: Page, name: str, **fields: str) -> None:
    for field, value in fields.items():
        page.locator(f"main [name={field}]").fill(value)
    page.locator("main").get_by_role("button", name=name, exact=True).first.click()


def test_a_group_lives_from_its_making_to_its_deletion(page: Page, root: Person, bob: Person):
    make_user(root, "carol")
    page.locator(".sidenav").get_by_role("link", name="Groups").click()
    expect(page.locator("main")).to_contain_text("A group gives all its users the same permissions")
    page.get_by_role("link", name="Create group").first.click()
    press(page, "Create group", group_name="developers")
    expect(page.locator("main")).to_contain_text("Nobody is in this group yet")

    page.get_by_role("link", name="Add users").click()
    for name in ("bob", "carol"):
        page.get_by_label(name).check()
    press(page, "Add ticked users")
    expect(page.locator("main")).to_contain_text("Added to the group: bob, carol.")
    assert members(root, "developers") == {"bob", "carol"}

    page.locator(".tabs").get_by_role("link", name="Permissions").click()
    page.get_by_role("link", name="Attach policies").click()
    page.get_by_role("searchbox", name="Find policies").fill("IAMReadOnly")
    page.keyboard.press("Enter")
    page.get_by_label("IAMReadOnlyAccess").check()
    press(page, "Attach ticked policies")
    expect(page.locator("main")).to_contain_text(f"Attached to the group: {READ_ONLY}.")
    assert bob.client().list_users()["Users"]
    page.get_by_text("JSON of IAMReadOnlyAccess").click()
    expect(page.locator("pre.block")).to_contain_text("iam:Get*")
    press(page, "Detach IAMReadOnlyAccess")
    expect(page.locator("main")).to_contain_text("Policy IAMReadOnlyAccess is detached from the group.")
    with pytest.raises(Exception, match="AccessDenied"):
        bob.client().list_users()

    page.locator(".tabs").get_by_role("link", name="Users").click()
    page.get_by_label("carol").check()
    press(page, "Remove ticked users")
    expect(page.locator("main")).to_contain_text("No longer in the group: carol.")
    assert members(root, "developers") == {"bob"}

    page.get_by_role("link", name="Rename").click()
    press(page, "Save", new_group_name="builders", new_path="/team/")
    expect(page.locator("main")).to_contain_text("The group is renamed.")
    assert group_named(root, "builders").arn == f"arn:aws:iam::{root.account_id}:group/team/builders"

    page.get_by_role("link", name="Delete").click()
    press(page, "Delete group", typed_name="Builders")
    expect(page.locator("main")).to_contain_text("This is not the name.")
    press(page, "Delete group", typed_name="builders")
    expect(page.locator("main")).to_contain_text("Group builders is deleted. Its users are still there.")
    assert group_named(root, "builders") is None
    assert bob.user.groups.count() == 0


def test_an_inline_policy_of_a_group_is_reached_from_its_page(admin: Client, root: Person):
    make_group(root, "developers")
    path = f"{GROUPS}developers/policies/create/"
    assert path in text(admin.get(f"{GROUPS}developers/change/?tab=permissions"))
    assert admin.get(path).status_code == 200


def test_the_list_tells_users_and_policies_and_searches(admin: Client, root: Person, bob: Person):
    from permissions.operations.inline import put_group_policy

    make_group(root, "developers", "bob", policy_arn=READ_ONLY)
    make_group(root, "auditors")
    put_group_policy(root.caller, group_name="developers", policy_name="own", policy_document=ALLOW_ALL)
    answer = text(admin.get(GROUPS))
    assert "(2)" in answer
    assert "IAMReadOnlyAccess, own (inline)" in answer
    assert re.search(r'data-label="Users"[^>]*>1<', answer)
    found = text(admin.get(GROUPS, {"q": "DEV"}))
    assert ">developers<" in found
    assert ">auditors<" not in found
    assert admin.get(f"{GROUPS}?users__user_name=bob").status_code == 400


def test_cells_and_buttons_are_for_those_who_may(root: Person, bob: Person):
    make_group(root, "developers", "bob", policy_arn=READ_ONLY)
    lister = signed_in(make_user(root, "lister", allow("iam:ListGroups")))
    reader = signed_in(make_user(root, "reader", allow("iam:Get*", "iam:List*")))
    admin = signed_in(root)
    assert "IAMReadOnlyAccess" not in text(lister.get(GROUPS))
    assert text(lister.get(GROUPS)).count("Not permitted") == 2
    for address, buttons in (
        (GROUPS, ["Create group"]),
        (
            f"{GROUPS}developers/change/",
            ["Add users", "Remove ticked users", ">Rename<", ">Delete<", 'type="checkbox"'],
        ),
        (f"{GROUPS}developers/change/?tab=permissions", ["Attach policies", ">Detach<", "Create inline policy"]),
    ):
        theirs, ours = text(reader.get(address)), text(admin.get(address))
        for button in buttons:
            assert (button in theirs.replace('data-shortcut hidden><input type="checkbox"', ""), button in ours) == (
                False,
                True,
            ), button


def test_several_at_once_are_reported_one_by_one(admin: Client, root: Person, bob: Person):
    make_group(root, "developers")
    path = f"{GROUPS}developers/users/add/"
    answer = text(admin.post(path, {"user_names": ["bob", "nemo"], "go": "add"}, follow=True))
    assert "Added to the group: bob." in answer
    assert "The user with name nemo cannot be found." in answer
    assert "The user with name nemo cannot be found." in text(admin.post(path, {"user_names": ["nemo"], "go": "add"}))
    assert "Nothing was ticked" in text(admin.post(path, {"go": "add"}, follow=True))
    gone = admin.post(f"{GROUPS}developers/users/remove/", {"user_names": ["bob", "nemo"]}, follow=True)
    assert "No longer in the group: bob." in text(gone)
    assert members(root, "developers") == set()


def test_members_are_not_offered_again(admin: Client, root: Person, bob: Person):
    make_user(root, "carol")
    make_group(root, "developers", "bob")
    answer = text(admin.get(f"{GROUPS}developers/users/add/"))
    assert 'value="carol"' in answer
    assert 'value="bob"' not in answer


def test_one_comes_back_to_where_a_group_was_wanted_and_nowhere_else(admin: Client, root: Person):
    for number, (after, leads_to) in enumerate(
        [
            ("/console/accounts/user/add/permissions/?draft=x", "/console/accounts/user/add/permissions/?draft=x"),
            ("https://evil.example/", f"{GROUPS}g1/change/"),
            ("//evil.example/", f"{GROUPS}g2/change/"),
            ("javascript:alert(1)", f"{GROUPS}g3/change/"),
        ]
    ):
        path = f"{GROUPS}add/?next={quote(after)}"
        assert "evil.example" not in text(admin.get(path)).replace(html.escape(path), "").replace(quote(path), "")
        made = admin.post(path, {"group_name": f"g{number}", "path": "/"})
        assert made["Location"] == leads_to


@pytest.mark.pure
@pytest.mark.parametrize("name", ["=1+1", ".", "..", "--help", "a,b", "add", "x" * 128])
def test_a_legal_name_is_only_a_name(name: str, admin: Client, root: Person, bob: Person):
    make_group(root, name, "bob", policy_arn=READ_ONLY)
    routes = [
        "accounts_group_change",
        "group-rename",
        "accounts_group_delete",
        "group-users-add",
        "group-policies-attach",
    ]
    for route in routes:
        answer = admin.get(reverse(f"admin:{route}", args=[name]))
        assert answer.status_code == 200
        assert html.escape(name) in text(answer)
    assert html.escape(name) in text(admin.get("/console/accounts/user/bob/change/?tab=groups"))
    deleted = admin.post(reverse("admin:accounts_group_delete", args=[name]), {"typed_name": name}, follow=True)
    assert "is deleted. Its users are still there." in text(deleted)


def test_mallory_and_trudy_get_nothing_of_a_group(root: Person, mallory: Person, trudy: Person, bob: Person):
    make_group(root, "developers", "bob", policy_arn=READ_ONLY)
    answers = {
        "group_name": "new", "new_group_name": "new", "path": "/", "new_path": "/", "typed_name": "developers",
        "user_names": ["mallory"], "policy_arn": READ_ONLY, "policy_arns": [READ_ONLY], "go": "add",
    }  # fmt: skip
    parts = (
        "change/", "change/?tab=permissions", "rename/", "delete/", "users/add/", "users/remove/", "permissions/attach/",
        "permissions/detach/",
    )  # fmt: skip
    for person, statuses in ((mallory, {200, 403, 405}), (trudy, {404, 405})):
        client = signed_in(person)
        for part in parts:
            for ask in (client.get, lambda path, client=client: client.post(path, answers)):
                there, not_there = ask(f"{GROUPS}developers/{part}"), ask(f"{GROUPS}qzxqzxqzxq/{part}")
                assert there.status_code == not_there.status_code
                assert there.status_code in statuses
                told = normal(there).replace("developers", "_"), normal(not_there).replace("developers", "_")
                assert told[0] == told[1].replace("qzxqzxqzxq", "_"), part
    assert members(root, "developers") == {"bob"}
    assert group_named(root, "developers").attached_policies.count() == 1
    assert "iam:ListGroups" in text(signed_in(mallory).get(GROUPS))
    assert "developers" not in text(signed_in(trudy).get(GROUPS))
