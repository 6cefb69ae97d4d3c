"""Making a user step by step: what is entered is kept, what is secret is not, and one press makes all of it or nothing."""

import html
import json
import re
from collections.abc import Callable
from typing import Any

from django.test import Client
from playwright.sync_api import Page, expect

from accounts.operations.users import create_user
from tests.browser import (
    PASSWORD,
    Visitor,
    a_client,
    draft,
    give_password,
    main_of,
    nonce_in,
    shown_secret,
    signed_in,
    token_of,
    walk_through,
)
from tests.conftest import ALLOW_ALL, SECRETS, Person, allow, make_group, make_user

USERS = "/console/accounts/user/"
ADD = f"{USERS}add/"
READ_ONLY = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"
DETAILS = {"user_name": "dora", "path": "/design/", "purpose": "person", "password_reset_required": "on"}


def text(answer: Any) -> str:
    return str(answer.content.decode())


def user_named(root: Person, user_name: str) -> Any:
    from accounts.models import User

    return User.objects.named(root.account_id, user_name).first()


def press(page: Page, name: str) -> None:
    page.locator("main").get_by_role("button", name=name, exact=True).click()


# The whole way


def test_a_person_is_made_with_groups_tags_and_a_password_that_is_shown_once(page: Page, root: Person):
    make_group(root, "developers", policy_arn=READ_ONLY)
    page.goto(ADD)
    page.get_by_label("User name", exact=True).fill("dora")
    page.get_by_label("Path").fill("/design/")
    press(page, "Next")
    expect(page.locator("h1")).to_have_text("Permissions of dora")
    page.get_by_label("developers").check()
    press(page, "Next")
    expect(page.locator("main")).to_contain_text("developers")
    page.locator("[name=tag_key]").first.fill("team")
    page.locator("[name=tag_value]").first.fill("blue")
    page.get_by_label("Generated password").check()
    press(page, "Create user")
    password = shown_secret(page, "password")
    assert password not in page.locator("#message").inner_text()
    assert root.user.account.sign_in_url in page.locator("#message").inner_text()
    page.get_by_role("link", name="I have saved it").click()
    expect(page.locator("h1")).to_have_text("dora")
    dora = user_named(root, "dora")
    assert dora.arn == f"arn:aws:iam::{root.account_id}:user/design/dora"
    assert dora.tags == [{"key": "team", "value": "blue"}]
    assert [group.group_name for group in dora.groups.all()] == ["developers"]
    assert [each.policy.policy_name for each in dora.attached_policies.all()] == ["IAMUserChangePassword"]
    fields = {"account": root.account_id, "user_name": "dora", "password": password}
    assert a_client().post("/signin/", fields).status_code == 302


def test_a_password_one_chooses_is_asked_for_last_and_follows_the_rules(page: Page, root: Person):
    walk_through(page, "dora")
    page.get_by_label("Custom password: you").check()
    press(page, "Create user")
    expect(page.locator("main")).to_contain_text("Enter a password, or choose another way")
    page.locator("[name=password]").fill("weak")
    press(page, "Create user")
    expect(page.locator("main")).to_contain_text("8 to 128 characters")
    expect(page.locator("[name=password]")).to_have_value("")
    page.locator("[name=password]").fill(PASSWORD)
    press(page, "Create user")
    expect(page.locator("main")).to_contain_text("As you chose it")
    assert PASSWORD not in page.content()
    assert hasattr(user_named(root, "dora"), "login_profile")


def test_a_service_account_is_made_with_a_key_that_signs(page: Page, root: Person):
    walk_through(page, "backup", "service")
    assert page.locator("[name=password]").count() == 0
    press(page, "Create user")
    key, secret = page.locator("[data-column='Access key ID']").inner_text(), shown_secret(page, "secret")
    person = Person(root.caller, key, secret)
    assert person.client("sts").get_caller_identity()["Arn"].endswith(":user/backup")
    assert not hasattr(user_named(root, "backup"), "login_profile")
    assert not user_named(root, "backup").attached_policies.exists()


def test_a_user_is_made_without_anything_and_another_like_it(page: Page, root: Person):
    make_group(root, "auditors")
    page.goto(ADD)
    page.get_by_label("User name", exact=True).fill("first")
    page.get_by_label("Neither yet").check()
    press(page, "Next")
    page.get_by_label("auditors").check()
    press(page, "Next")
    press(page, "Create user")
    expect(page.locator("main")).to_contain_text("no credentials yet")
    page.get_by_role("link", name="Create another like this").click()
    expect(page.get_by_label("User name", exact=True)).to_have_value("")
    expect(page.get_by_label("Neither yet")).to_be_checked()
    page.get_by_label("User name", exact=True).fill("second")
    press(page, "Next")
    expect(page.get_by_label("auditors")).to_be_checked()
    press(page, "Next")
    press(page, "Create user")
    expect(page.locator("h1")).to_have_text("User second is created")
    for name in ("first", "second"):
        user = user_named(root, name)
        assert (user.access_keys.count(), hasattr(user, "login_profile"), user.groups.count()) == (0, False, 1)


def test_the_permissions_of_another_user_are_copied_with_the_boundary(page: Page, root: Person, bob: Person):
    from permissions.operations.attachments import attach_user_policy
    from permissions.operations.boundaries import put_user_permissions_boundary

    make_group(root, "developers", "bob")
    attach_user_policy(root.caller, user_name="bob", policy_arn=READ_ONLY)
    put_user_permissions_boundary(root.caller, user_name="bob", permissions_boundary=READ_ONLY)
    page.goto(ADD)
    page.get_by_label("User name", exact=True).fill("twin")
    page.get_by_label("Neither yet").check()
    press(page, "Next")
    page.get_by_label("Copy permissions").check()
    press(page, "Next")
    expect(page.locator("main")).to_contain_text("Enter the name of the user to copy from")
    page.locator("[name=copy_permissions_from]").fill("bob")
    press(page, "Next")
    expect(page.locator("main")).to_contain_text("As copied")
    press(page, "Create user")
    twin = user_named(root, "twin")
    assert [group.group_name for group in twin.groups.all()] == ["developers"]
    assert [each.policy.arn for each in twin.attached_policies.all()] == [READ_ONLY]
    assert twin.boundary_arn == READ_ONLY


# What is kept, and what is not


def test_back_keeps_what_was_entered_and_a_group_is_made_in_place(page: Page, root: Person):
    page.goto(ADD)
    page.get_by_label("User name", exact=True).fill("dora")
    press(page, "Next")
    page.get_by_label("Attach policies directly").check()
    page.locator("[name=search]").fill("iamread")
    page.keyboard.press("Enter")
    page.get_by_label("IAMReadOnlyAccess").check()
    page.locator("[name=search]").fill("nothing like it")
    press(page, "Search")
    expect(page.get_by_label("IAMReadOnlyAccess")).to_be_checked()
    page.get_by_label("Add to groups").check()
    press(page, "Create group")
    page.get_by_label("Group name").fill("made-in-place")
    press(page, "Create group")
    expect(page.locator("h1")).to_have_text("Permissions of dora")
    page.get_by_label("Attach policies directly").check()
    expect(page.get_by_label("IAMReadOnlyAccess")).to_be_checked()
    page.get_by_label("Add to groups").check()
    page.get_by_label("made-in-place").check()
    press(page, "Next")
    page.locator("[name=tag_key]").first.fill("kept")
    press(page, "Previous")
    expect(page.get_by_label("made-in-place")).to_be_checked()
    press(page, "Previous")
    expect(page.get_by_label("User name", exact=True)).to_have_value("dora")
    press(page, "Next")
    press(page, "Next")
    expect(page.locator("[name=tag_key]").first).to_have_value("kept")
    press(page, "Create user")
    shown_secret(page, "setup-link")
    dora = user_named(root, "dora")
    assert [group.group_name for group in dora.groups.all()] == ["made-in-place"]
    assert "IAMReadOnlyAccess" not in [each.policy.policy_name for each in dora.attached_policies.all()]


def test_no_secret_is_kept_between_the_steps(admin: Client, root: Person):
    path = draft(admin, "dora", "person")
    chosen = "Chosen-Secret-9-Word"
    admin.post(path, {"go": "back", "password": chosen, "tag_key": ["a"], "tag_value": ["b"]})
    kept = json.dumps(dict(admin.session.items()))
    assert "dora" in kept
    assert chosen not in kept
    assert chosen not in text(admin.get(path))
    assert "password=" not in path
    made = admin.post(path, {"first_password": "generated", "nonce": nonce_in(admin.get(path))})
    [secret] = map(html.unescape, re.findall(r"data-mask[^>]*>([^<]+)<", text(made)))
    assert len(secret) == 20
    SECRETS.append(secret)
    assert made["Cache-Control"] == "no-store"
    assert secret not in json.dumps(dict(admin.session.items()))


def test_two_windows_do_not_mix_theirs_and_old_drafts_are_forgotten(admin: Client, root: Person):
    paths = [draft(admin, f"user{number}", "none") for number in range(6)]
    assert admin.get(paths[0])["Location"] == ADD
    for number in (1, 5):
        assert f"Review and create user{number}" in text(admin.get(paths[number]))
    assert signed_in(make_user(root, "other", ALLOW_ALL)).get(paths[5])["Location"] == ADD


# What is refused


def test_a_name_or_path_that_is_not_accepted_says_why_at_its_field(admin: Client):
    answer = text(admin.post(ADD, {"user_name": "a b", "path": "design", "purpose": "none"}))
    assert 'href="#id_user_name">User name: Use up to 64 letters' in answer
    assert 'href="#id_path">Path: Begin and end it with a slash' in answer
    assert "validation error" not in answer
    assert 'value="a b"' in answer


def test_a_name_that_is_taken_is_said_at_once_whatever_its_case(admin: Client, bob: Person):
    assert "User with name BOB already exists." in text(admin.post(ADD, DETAILS | {"user_name": "BOB"}))


def test_what_cannot_be_given_is_said_and_nothing_is_made(admin: Client, root: Person):
    for choice, says in (
        ({"how": "groups", "group_names": ["nobodies"]}, "The group with name nobodies cannot be found."),
        ({"how": "copy", "copy_permissions_from": "nemo"}, "The user with name nemo cannot be found."),
        ({"how": "policies", "policy_arns": [f"{READ_ONLY}s"]}, "does not exist or is not attachable"),
        ({"how": "groups", "permissions_boundary": f"{READ_ONLY}s"}, "does not exist or is not attachable"),
    ):
        path = draft(admin, "dora", "none", **choice)
        assert says in text(admin.post(path, {"nonce": nonce_in(admin.get(path))})), choice
    wrong = admin.post(f"{ADD}permissions/?{path.partition('?')[2]}", {"how": "groups", "permissions_boundary": "x"})
    assert "Enter the ARN of a managed policy" in text(wrong)
    assert user_named(root, "dora") is None


def test_what_one_may_not_give_is_told_before_and_refused_after(root: Person):
    make_group(root, "admins")
    maker = make_user(root, "maker", allow("iam:CreateUser", "iam:ListGroups"))
    client = signed_in(maker)
    path = draft(client, "dora", "none", group_names=["admins"])
    page = client.get(path)
    assert "iam:AddUserToGroup</code> on <code>" in text(page)
    assert "on <code>group admins</code>" in text(page)
    assert "not authorized to perform: iam:AddUserToGroup" in text(client.post(path, {"nonce": nonce_in(page)}))
    assert user_named(root, "dora") is None
    path = draft(client, "dora", "none")
    assert "iam:AddUserToGroup" not in text(client.get(path))
    assert "is created" in text(client.post(path, {"nonce": nonce_in(client.get(path))}))


def test_mallory_gets_no_further_than_the_first_step(mallory: Person):
    client = signed_in(mallory)
    answer = client.post(ADD, DETAILS)
    assert "iam:CreateUser" in text(answer)
    assert "new_users" not in client.session
    assert ">Next<" not in text(answer)


# Everybody


def test_the_wizard_works_without_javascript(visit: Callable[..., Visitor], root: Person, alice: Person):
    give_password(alice)
    make_group(root, "developers")
    page = (visitor := visit(java_script_enabled=False)).sign_in(alice)
    visitor.open(ADD)
    page.get_by_label("User name", exact=True).fill("dora")
    press(page, "Next")
    page.get_by_label("developers").check()
    press(page, "Next")
    press(page, "Previous")
    expect(page.get_by_label("developers")).to_be_checked()
    press(page, "Next")
    press(page, "Create user")
    link = page.locator("#setup-link").inner_text().strip()
    assert len(token_of(link)) > 20
    assert "You get access to the console." in main_of(page)
    assert user_named(root, "dora").groups.count() == 1


# One who may make some users only


def test_who_may_make_only_some_users_makes_them_here_too(root: Person):
    some = f"arn:aws:iam::{root.account_id}:user/dev/*"
    edge = {"ArnEquals": {"iam:PermissionsBoundary": READ_ONLY}}
    actions = ["iam:CreateUser", "iam:PutUserPermissionsBoundary"]
    statements = [
        {"Effect": "Allow", "Action": ["iam:ListUsers", "iam:GetUser"], "Resource": "*"},
        {"Effect": "Allow", "Action": actions, "Resource": some, "Condition": edge},
    ]
    lead = make_user(root, "lead", json.dumps({"Version": "2012-10-17", "Statement": statements}))
    client = signed_in(lead)
    assert f'href="{ADD}"' in text(client.get(USERS))
    assert "Next" in text(client.get(ADD))
    for path, permissions, missing in (
        ("/", {"permissions_boundary": READ_ONLY}, "iam:CreateUser"),
        ("/dev/", {}, "iam:CreateUser"),
        ("/dev/", {"permissions_boundary": READ_ONLY, "policy_arns": [READ_ONLY]}, "iam:AttachUserPolicy"),
        ("/dev/", {"permissions_boundary": READ_ONLY}, ""),
    ):
        how = {"how": "policies" if "policy_arns" in permissions else "groups"}
        address = draft(client, "dora", "none", path=path, **how, **permissions)
        page = client.get(address)
        answer = client.post(address, {"nonce": nonce_in(page)})
        assert ("is not authorized" in text(answer)) is bool(missing), (path, permissions)
        assert (missing or "is created") in text(answer)
    dora = user_named(root, "dora")
    assert (dora.path, dora.boundary_arn) == ("/dev/", READ_ONLY)


def test_who_may_make_no_user_is_not_offered_it(root: Person):
    client = signed_in(make_user(root, "reader", allow("iam:ListUsers", "iam:CreateGroup")))
    assert f'href="{ADD}"' not in text(client.get(USERS))
    assert "iam:CreateUser" in text(client.get(ADD))
    assert "Next" not in text(client.get(ADD))


def test_who_may_tag_with_one_tag_only_is_offered_it(root: Person, bob: Person):
    blue = {"StringEquals": {"aws:RequestTag/team": "blue"}}
    reading = {"Effect": "Allow", "Action": ["iam:Get*", "iam:List*"], "Resource": "*"}
    tags, answer = f"{USERS}bob/tags/", {"tag_key": ["team"], "tag_value": ["blue"]}
    for name, action, condition, sent, done in (
        ("tagger", "iam:TagUser", blue, answer, [{"key": "team", "value": "blue"}]),
        ("untagger", "iam:UntagUser", {}, {}, []),
    ):
        given = {"Effect": "Allow", "Action": action, "Resource": "*", "Condition": condition}
        if not condition:
            del given["Condition"]
        client = signed_in(make_user(root, name, json.dumps({"Version": "2012-10-17", "Statement": [reading, given]})))
        assert tags in text(client.get(f"{USERS}bob/change/?tab=tags")), name
        assert "needs the permission" not in text(client.get(tags)), name
        assert client.post(tags, sent | {"x": "1"}).status_code == 302, name
        assert user_named(root, "bob").tags == done
    reader = signed_in(make_user(root, "reader", json.dumps({"Version": "2012-10-17", "Statement": reading})))
    assert tags not in text(reader.get(f"{USERS}bob/change/?tab=tags"))
    assert "iam:TagUser" in text(reader.get(tags))


def test_who_must_tag_whom_he_makes_is_not_refused_before_the_tag_is_entered(root: Person):
    blue = {"StringEquals": {"aws:RequestTag/team": "blue"}}
    given = {"Effect": "Allow", "Action": ["iam:CreateUser", "iam:TagUser"], "Resource": "*", "Condition": blue}
    reading = {"Effect": "Allow", "Action": ["iam:Get*", "iam:List*"], "Resource": "*"}
    lead = make_user(root, "lead", json.dumps({"Version": "2012-10-17", "Statement": [reading, given]}))
    client = signed_in(lead)
    address = draft(client, "dora", "none")
    page = client.get(address)
    assert "needs the permission" not in text(page)
    sent = {"nonce": nonce_in(page), "tag_key": ["team"], "tag_value": ["red"]}
    assert "is not authorized to perform: iam:CreateUser" in text(client.post(address, sent))
    sent |= {"nonce": nonce_in(client.get(address)), "tag_value": ["blue"]}
    assert "is created" in text(client.post(address, sent))
    assert user_named(root, "dora").tags == [{"key": "team", "value": "blue"}]
    assert "Create user" in text(client.get("/console/search/", {"q": "create user"}))


def test_the_page_that_deletes_tells_what_is_missing_for_what_there_is(root: Person, bob: Person):
    deleter = signed_in(make_user(root, "deleter", allow("iam:Get*", "iam:List*", "iam:DeleteUser", "iam:DeleteGroup")))
    create_user(root.caller, user_name="bare")
    make_group(root, "full", policy_arn=READ_ONLY)
    make_group(root, "empty")
    for path, missing in (
        (f"{USERS}bob/delete/", "iam:DeleteLoginProfile"),
        (f"{USERS}bare/delete/", ""),
        ("/console/groups/full/delete/", "iam:DeleteGroupPolicy"),
        ("/console/groups/empty/delete/", ""),
    ):
        page, name = text(deleter.get(path)), path.split("/")[-3]
        assert (f"<code>{missing}</code>" in page) is bool(missing), path
        answer = deleter.post(path, {"typed_name": name})
        assert (answer.status_code == 302) is not missing, path
