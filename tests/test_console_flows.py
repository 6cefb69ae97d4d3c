"""What an administrator does in the console: users, passwords, access keys, tags, policies, the account, the list."""

import csv
import json
import re
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Download, Error, Page, expect

from tests.browser import (
    PASSWORD,
    a_client,
    draft,
    give_password,
    main_of,
    nonce_in,
    shown_secret,
    signed_in,
    walk_through,
)
from tests.conftest import ALLOW_ALL, SECRETS, Person, allow, make_account, make_user

USERS = "/console/accounts/user/"
ANOTHER = "Green-Goose-8-Ladder"


def press(page: Page, name: str, **fields: str) -> None:
    """Fill fields by their names, then press the button."""
    for field, text in fields.items():
        page.locator(f"main [name={field}]").first.fill(text)
    page.locator("main").get_by_role("button", name=name, exact=True).first.click()


def text(answer: Any) -> str:
    """The page as text."""
    return str(answer.content.decode())


def user_named(root: Person, user_name: str) -> Any:
    """The user, or None."""
    from accounts.models import User

    return User.objects.named(root.account_id, user_name).first()


def can_sign_in(person: Any, password: str) -> bool:
    """Whether that is the password."""
    fields = {"account": person.account_id, "user_name": person.user_name, "password": password}
    return a_client().post("/signin/", fields).status_code == 302


# Secrets are shown once


def test_a_form_that_showed_its_secret_shows_no_other(admin: Client, root: Person, bob: Person):
    from credentials.models import AccessKey

    for path, answers in (
        (f"{USERS}bob/access-keys/create/", {}),
        (draft(admin, "once", "service"), {}),
        (draft(admin, "twice", "person"), {"first_password": "generated"}),
        ("/console/my-security-credentials/access-keys/create/", {}),
    ):
        fields = {**answers, "nonce": nonce_in(admin.get(path))}
        first = admin.post(path, fields)
        assert (first.status_code, first["Cache-Control"], first["Pragma"]) == (200, "no-store", "no-cache")
        assert "shown once" in text(first)
        SECRETS.extend(re.findall(r"data-mask[^>]*>([^<]{20,40})<", text(first)))
        keys = AccessKey.objects.filter(user__account=root.account_id)
        before = keys.count()
        for _ in range(2):
            again = admin.post(path, fields)
            assert again.status_code == 409
            assert "Already shown" in text(again)
        assert keys.count() == before


def test_a_form_that_was_refused_may_be_sent_again(admin: Client, root: Person, bob: Person):
    path = draft(admin, "late", "service")
    make_user(root, "LATE")
    fields = {"nonce": nonce_in(admin.get(path))}
    assert "already exists" in text(admin.post(path, fields))
    admin.post(path.replace("add/review/", "add/"), {"user_name": "later", "path": "/", "purpose": "service"})
    made = admin.post(path, fields)
    assert "shown once" in text(made)
    SECRETS.extend(re.findall(r"data-mask[^>]*>([^<]{20,40})<", text(made)))


def test_a_form_of_somebody_else_or_of_nobody_makes_no_key(admin: Client, alice: Person, bob: Person):
    path = f"{USERS}bob/access-keys/create/"
    for nonce, says in (
        (nonce_in(signed_in(alice).get(path)), "made for another user"),
        ("", "out of date"),
        ("made-up", "out of date"),
    ):
        assert says in text(admin.post(path, {"nonce": nonce}))
    assert bob.user.access_keys.count() == 1


def test_a_secret_is_gone_when_its_page_is_left(page: Page, bob: Person):
    page.goto(f"{USERS}bob/access-keys/create/")
    press(page, "Create access key")
    secret = shown_secret(page, "secret")
    page.get_by_role("link", name="I have saved it").click()
    expect(page.locator("h1")).to_have_text("bob")
    with pytest.raises(
        Error, match="ERR_CACHE_MISS"
    ):  # the browser has kept nothing, and would ask before sending again
        page.go_back()
    expect(page.locator("body")).not_to_contain_text(secret)
    assert bob.user.access_keys.count() == 2


def test_leaving_before_the_secret_is_saved_is_asked_about(page: Page, bob: Person):
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.goto(f"{USERS}bob/access-keys/create/")
    press(page, "Create access key")
    shown_secret(page, "secret")
    page.get_by_role("link", name="Dashboard").first.click()
    expect(page.locator("h1")).to_have_text("Dashboard")
    assert asked == ["beforeunload"]


def test_the_csv_of_a_password_is_safe_to_open_and_true(page: Page, root: Person):
    walk_through(page, "=1+1")
    page.locator("[name=first_password][value=generated]").check()
    press(page, "Create user")
    password = shown_secret(page, "password")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download .csv").click()
    rows = rows_of(download.value)
    assert rows == [
        {"Console sign-in URL": root.user.account.sign_in_url, "User name": "'=1+1", "Password": password},
    ]


def test_the_csv_of_an_access_key_is_what_the_page_shows(page: Page, bob: Person):
    page.goto(f"{USERS}bob/access-keys/create/")
    press(page, "Create access key")
    key, secret = page.locator("[data-column='Access key ID']").inner_text(), shown_secret(page, "secret")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download .csv").click()
    assert rows_of(download.value) == [{"Access key ID": key, "Secret access key": secret}]
    assert download.value.suggested_filename == "bob_accessKeys.csv"


def rows_of(download: Download) -> list[dict[str, str]]:
    """A downloaded CSV."""
    with open(download.path(), newline="") as file:
        return list(csv.DictReader(file))


# Access keys


def test_a_key_is_switched_off_and_on_and_deleted_after_its_id_is_typed(page: Page, bob: Person):
    key = bob.access_key_id
    page.goto(f"{USERS}bob/change/?tab=credentials")
    press(page, f"Deactivate {key}")
    expect(page.locator("main")).to_contain_text(f"Access key {key} is now inactive.")
    press(page, f"Activate {key}")
    expect(page.locator("main")).to_contain_text(f"Access key {key} is now active.")
    press(page, f"Deactivate {key}")
    page.get_by_role("link", name=f"Delete {key}").click()
    press(page, "Delete access key", typed_id="AKIA")
    expect(page.locator("main")).to_contain_text("This is not the ID.")
    assert bob.user.access_keys.exists()
    press(page, "Delete access key", typed_id=key)
    expect(page.locator("main")).to_contain_text(f"Access key {key} is deleted.")
    expect(page.locator("main")).to_contain_text("None yet")
    assert not bob.user.access_keys.exists()


def test_a_third_key_is_refused(admin: Client, bob: Person):
    path = f"{USERS}bob/access-keys/create/"
    second = admin.post(path, {"nonce": nonce_in(admin.get(path))})
    SECRETS.extend(re.findall(r"data-mask[^>]*>([^<]{20,40})<", text(second)))
    assert "Cannot exceed quota" in text(admin.post(path, {"nonce": nonce_in(admin.get(path))}))
    assert "Both keys are taken" in text(admin.get(f"{USERS}bob/change/?tab=credentials"))
    assert bob.user.access_keys.count() == 2


def test_a_status_that_is_none_is_refused(admin: Client, bob: Person):
    answer = admin.post(f"{USERS}bob/access-keys/{bob.access_key_id}/status/", {"status": "Sleepy"})
    assert answer.status_code == 400


def test_ones_own_keys_are_managed_on_ones_own_page(page: Page, alice: Person):
    page.goto("/console/my-security-credentials/")
    page.get_by_role("link", name="Create access key").click()
    press(page, "Create access key")
    shown_secret(page, "secret")
    page.get_by_role("link", name="I have saved it").click()
    expect(page.locator("h1")).to_have_text("My security credentials")
    press(page, f"Deactivate {alice.access_key_id}")
    page.get_by_role("link", name=f"Delete {alice.access_key_id}").click()
    press(page, "Delete access key", typed_id=alice.access_key_id)
    expect(page.locator("main")).to_contain_text("is deleted")
    assert alice.user.access_keys.count() == 1


# Console access


def test_console_access_is_given_changed_and_taken_away(page: Page, root: Person, bob: Person):
    page.goto(f"{USERS}bob/change/?tab=credentials")
    page.get_by_role("link", name="Enable console access").click()
    page.get_by_label("Custom password: you").check()
    press(page, "Enable console access")
    expect(page.locator("main")).to_contain_text("Enter a password, or choose another way")
    press(page, "Enable console access", password=PASSWORD)
    expect(page.locator("main")).to_contain_text("Must choose a new password")
    assert can_sign_in(bob.user, PASSWORD)
    page.get_by_role("link", name="Manage console access").click()
    page.get_by_label("Generated password").check()
    page.get_by_label("The user must choose a new password").uncheck()
    press(page, "Save")
    generated = shown_secret(page, "password")
    assert (can_sign_in(bob.user, PASSWORD), can_sign_in(bob.user, generated)) == (False, True)
    page.get_by_role("link", name="I have saved it").click()
    expect(page.locator("main")).to_contain_text("Must choose a new password")  # whatever was ticked: it works once
    page.get_by_role("link", name="Manage console access").click()
    page.get_by_label("Custom password: you").check()
    page.get_by_label("The user must choose a new password").uncheck()
    press(page, "Save", password=PASSWORD)
    expect(page.locator("main")).to_contain_text("Signs in as usual")
    page.get_by_role("link", name="Disable console access").click()
    press(page, "Disable console access")
    expect(page.locator("main")).to_contain_text("Console access is disabled.")
    assert not can_sign_in(bob.user, PASSWORD)
    assert bob.client("sts").get_caller_identity()


# Rename, tags, policies


def test_a_user_is_renamed_and_moved(admin: Client, root: Person, bob: Person):
    answer = admin.post(f"{USERS}bob/rename/", {"new_user_name": "Robert", "new_path": "/team/"})
    assert answer["Location"] == f"{USERS}Robert/change/"
    assert user_named(root, "robert").arn == f"arn:aws:iam::{root.account_id}:user/team/Robert"
    assert admin.get(f"{USERS}bob/change/").status_code == 404
    assert "already exists" in text(
        admin.post(f"{USERS}Robert/rename/", {"new_user_name": make_user(root, "carol").name.upper(), "new_path": "/"})
    )


def test_tags_are_added_changed_and_removed_whatever_their_case(page: Page, root: Person, bob: Person):
    def tags() -> dict[str, str]:
        return {tag["key"]: tag["value"] for tag in user_named(root, "bob").tags}

    page.goto(f"{USERS}bob/tags/")
    page.get_by_role("button", name="Add tag").click()
    for row, pair in enumerate([("team", "blue"), ("cost center", "42"), ("", ""), ("ünicode", "ß @ 1")]):
        page.locator("[name=tag_key]").nth(row).fill(pair[0])
        page.locator("[name=tag_value]").nth(row).fill(pair[1])
    press(page, "Save tags")
    expect(page.locator("main")).to_contain_text("ß @ 1")
    assert tags() == {"team": "blue", "cost center": "42", "ünicode": "ß @ 1"}
    page.get_by_role("link", name="Manage tags").click()
    page.get_by_role("button", name="Remove tag cost center").click()
    page.locator("[name=tag_key]").nth(0).fill("Team")
    page.locator("[name=tag_value]").nth(0).fill("red")
    page.locator("[name=tag_key]").nth(1).fill("")
    press(page, "Save tags")
    expect(page.locator("main")).to_contain_text("The tags are saved.")
    assert tags() == {"Team": "red"}


def test_tags_that_are_not_accepted_are_kept_to_mend(admin: Client, root: Person, bob: Person):
    path = f"{USERS}bob/tags/"
    for keys, says in (
        (["team", "TEAM"], "Duplicate tag keys"),
        (["aws:x"], "reserved"),
        (["a*b"], "Tags have keys of up to 128"),
        (["k" * 129], "Tags have keys of up to 128"),
        ([f"k{number}" for number in range(51)], "Tags have keys|maximum|more than"),
    ):
        answer = text(admin.post(path, {"tag_key": keys, "tag_value": ["v"] * len(keys)}))
        assert re.search(says, answer), keys
        assert f'value="{keys[0]}"' in answer
    assert user_named(root, "bob").tags == []


def test_an_inline_policy_is_written_changed_and_deleted(page: Page, bob: Person):
    page.goto(f"{USERS}bob/change/")
    page.get_by_role("link", name="Create inline policy").click()
    press(page, "Save policy", policy_name="list", policy_document=allow("iam:ListUsers"))
    expect(page.locator("main")).to_contain_text("Policy list is saved and in force.")
    assert bob.client().list_users()["Users"]
    page.locator("summary", has_text="list").click()
    page.get_by_role("link", name="Edit list").click()
    expect(page.locator("[name=policy_document]")).to_have_value(allow("iam:ListUsers"))
    expect(page.locator("h1")).to_have_text("Edit list")
    expect(page.locator("[name=policy_name]")).to_have_count(0)
    press(page, "Save policy", policy_document=allow("iam:GetUser"))
    expect(page.locator("main")).to_contain_text("is saved and in force")
    with pytest.raises(Exception, match="AccessDenied"):
        bob.client().list_users()
    page.locator("summary", has_text="list").click()
    page.get_by_role("link", name="Delete list").click()
    expect(page.locator("main")).to_contain_text("iam:GetUser")
    press(page, "Delete policy")
    expect(page.locator("main")).to_contain_text("No policy yet")


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ('{"Version": "2012-10-17"\n', "Line 2, column 1: This is not JSON."),
        ("[" * 100_000, "Syntax|JSON|grammar|deep"),
        ("{}", "."),
        ('{"Version": "2012-10-17", "Statement": {"Effect": "Maybe", "Action": "*", "Resource": "*"}}', "."),
        ('{"Statement": NaN}', "."),
        ("null", "."),
        ("<script>alert(1)</script>", "This is not JSON"),
    ],
)
def test_a_document_that_is_no_policy_is_kept_to_mend(admin: Client, bob: Person, document: str, says: str):
    answer = admin.post(f"{USERS}bob/policies/create/", {"policy_name": "p", "policy_document": document})
    assert answer.status_code == 200
    page = text(answer)
    assert re.search(says, page)
    assert "<title>Error: " in page
    from django.utils.html import escape

    assert escape(document.replace("\n", "")) in page.replace("\n", "").replace("\r", "")
    assert not bob.user.policies.exists()


def test_a_policy_is_stored_as_it_was_written(admin: Client, bob: Person):
    document = json.dumps(json.loads(ALLOW_ALL), indent=4)
    admin.post(f"{USERS}bob/policies/create/", {"policy_name": "p", "policy_document": document.replace("\n", "\r\n")})
    assert bob.user.policies.get().policy_document == document


# Delete


def test_a_user_is_deleted_after_the_name_is_typed(page: Page, root: Person, bob: Person):
    give_password(bob)
    page.goto(f"{USERS}bob/delete/")
    expect(page.locator("main")).to_contain_text(bob.access_key_id)
    for wrong in ("Bob", "alice"):
        press(page, "Delete user", typed_name=wrong)
        expect(page.locator("main")).to_contain_text("This is not the name.")
        assert user_named(root, "bob")
    press(page, "Delete user", typed_name="bob")
    expect(page.locator("main")).to_contain_text("User bob is deleted, with all credentials.")
    assert user_named(root, "bob") is None
    with pytest.raises(Exception, match="InvalidClientTokenId"):
        bob.client("sts").get_caller_identity()


# The account


def test_the_alias_is_set_changed_and_deleted(page: Page, root: Person):
    alias = f"acme-{root.account_id}"
    page.goto("/console/account/")
    page.get_by_role("link", name="Create alias").click()
    press(page, "Save alias", account_alias="Not good")
    expect(page.locator("main")).to_contain_text("Use 3 to 63 lower-case letters")
    press(page, "Save alias", account_alias=alias)
    expect(page.locator("main")).to_contain_text(f"/signin/{alias}/")
    assert alias in text(a_client().get(f"/signin/{alias}/"))
    page.get_by_role("link", name="Change alias").click()
    press(page, f"Delete alias {alias}")
    expect(page.locator("main")).to_contain_text("The alias is deleted.")
    expect(page.locator("main")).to_contain_text(f"/signin/{root.account_id}/")


def test_an_alias_that_another_account_has_is_refused(admin: Client, trudy: Person):
    from accounts.operations.account import create_account_alias

    create_account_alias(trudy.caller, account_alias=f"taken-{trudy.account_id}")
    answer = admin.post("/console/account/alias/", {"account_alias": f"taken-{trudy.account_id}"})
    assert "already exists" in text(answer)
    assert admin.post("/console/account/alias/", {"delete": f"taken-{trudy.account_id}"}).status_code == 404


def test_the_root_user_changes_its_address_with_the_password(root: Person, trudy: Person):
    from accounts.models import User

    give_password(root)
    client, path, new = signed_in(root), "/console/account/root-email/", f"New-{root.account_id}@Example.org"
    taken = User.objects.get(account=trudy.account_id, user_name=None).email
    assert "The password was incorrect." in text(client.post(path, {"email": new, "password": "wrong"}))
    assert "another account" in text(client.post(path, {"email": taken, "password": PASSWORD})).lower()
    assert client.post(path, {"email": new, "password": PASSWORD})["Location"] == "/console/account/"
    assert new.lower() in text(client.get("/console/account/"))
    assert a_client().post("/signin/?as=root", {"email": new, "password": PASSWORD}).status_code == 302


def test_no_policy_lets_an_iam_user_change_the_root_users_address(alice: Person, root: Person):
    client = signed_in(alice)
    assert "Only the root user can change it" in text(client.get("/console/account/root-email/"))
    answer = client.post("/console/account/root-email/", {"email": "x@example.org", "password": PASSWORD})
    assert "Only the root user can do this" in text(answer)


# The list of users


@pytest.fixture(scope="module")
def crowd() -> Person:
    """The root of an account with 60 users, one with a password and a key, one with a key that is off."""
    from accounts.operations.users import create_user
    from credentials.operations.access_keys import update_access_key

    crowd = make_account()
    for number in range(57):
        create_user(crowd.caller, user_name=f"user-{number:02}", path="/crowd/" if number % 2 else "/")
    give_password(make_user(crowd, "Zoe"))
    idle = make_user(crowd, "idle")
    update_access_key(crowd.caller, user_name="idle", access_key_id=idle.access_key_id, status="Inactive")
    make_user(crowd, "a_b")
    return crowd


def names(answer: Any) -> list[str]:
    """The user names in the list."""
    return re.findall(r'<th scope="row"[^>]*><a href="[^"]+"><bdi>([^<]+)</bdi></a>', text(answer))


def test_the_list_pages_at_fifty(crowd: Person):
    client = signed_in(crowd)
    first, second = client.get(USERS), client.get(f"{USERS}?p=2")
    assert (len(names(first)), len(names(second))) == (50, 10)
    assert "(60)" in text(first)
    assert names(first)[:3] == ["a_b", "idle", "user-00"]
    assert names(second)[-1] == "Zoe"
    assert len(names(client.get(f"{USERS}?all="))) == 60


def test_the_list_is_searched_by_name_and_by_a_whole_key_id(crowd: Person):
    from credentials.models import AccessKey

    client = signed_in(crowd)
    key = AccessKey.objects.get(user__account=crowd.account_id, user__user_name="Zoe").access_key_id
    assert names(client.get(USERS, {"q": " ZO "})) == ["Zoe"]
    assert names(client.get(USERS, {"q": "r-1"})) == [f"user-1{number}" for number in range(10)]
    assert names(client.get(USERS, {"q": "_"})) == ["a_b"]
    assert names(client.get(USERS, {"q": "%"})) == []
    assert names(client.get(USERS, {"q": key})) == ["Zoe"]
    assert names(client.get(USERS, {"q": key[:-1]})) == []
    assert names(client.get(USERS, {"q": crowd.access_key_id})) == []
    nothing = text(client.get(USERS, {"q": "<nobody>"}))
    assert "Nothing matches" in nothing
    assert "&lt;nobody&gt;" in nothing


def test_the_list_is_filtered_by_password_and_key(crowd: Person):
    client = signed_in(crowd)
    assert names(client.get(USERS, {"console": "enabled"})) == ["Zoe"]
    assert names(client.get(USERS, {"key": "yes"})) == ["a_b", "Zoe"]
    assert len(names(client.get(USERS, {"console": "none", "key": "no", "all": ""}))) == 58
    assert names(client.get(USERS, {"console": "enabled", "key": "no"})) == []
    assert len(names(client.get(USERS, {"console": "nonsense", "all": ""}))) == 60


def test_the_list_is_sorted_by_its_headers(crowd: Person):
    client = signed_in(crowd)
    headers = re.findall(r'<a class="sort" href="([^"]+)">([^<]+)</a>', text(client.get(USERS)))
    assert [title for _, title in headers] == ["User name", "Path", "Password age", "Console last sign-in"]
    links = {title: link for link, title in headers}
    by_name = client.get(USERS + links["User name"])
    assert names(by_name)[:2] == ["Zoe", "user-56"]
    assert 'aria-sort="descending"' in text(by_name)
    assert names(client.get(USERS + links["Path"]))[:2] == ["a_b", "idle"]
    assert names(client.get(f"{USERS}?o=created"))[0] == "user-00"


def test_the_list_tells_a_forger_nothing(crowd: Person):
    client = signed_in(crowd)
    for query in ("password__startswith=a", "account=1", "login_profile__isnull=1", "id__gt=0", "_to_field=password"):
        assert client.get(f"{USERS}?{query}").status_code == 400, query
    for query in ("o=99", "o=-password", "view=none", "o=x", "p=99", "p=x", "_facets=1", "_popup=1", "e=1", "all=1"):
        assert client.get(f"{USERS}?{query}").status_code in (200, 302), query


def test_an_empty_list_says_what_to_do(root: Person):
    answer = text(signed_in(root).get(USERS))
    assert "No users" in answer
    assert "A user is a person who signs in to the console, or a program that signs requests." in answer
    assert f'<a class="button primary" href="{USERS}add/">Create user</a>' in answer


def test_the_search_box_of_the_top_bar_is_one_key_away(page: Page, bob: Person):
    page.goto("/console/")
    page.keyboard.press("/")
    page.keyboard.type("bo")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("Search")
    expect(page.locator("main").get_by_role("link", name="bob", exact=True)).to_be_visible()
    assert "bob" in main_of(page)
