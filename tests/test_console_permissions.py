"""A user's permissions and groups in the console: all that applies is told as far as readable, and given and taken away."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from tests.browser import Visitor, give_password, signed_in
from tests.conftest import ALLOW_ALL, Person, allow, make_group, make_user

pytestmark = pytest.mark.pure

USERS = "/console/accounts/user/"
READ_ONLY = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"


def text(answer: Any) -> str:
    return str(answer.content.decode())


def attach(root: Person, user_name: str) -> None:
    from permissions.operations.attachments import attach_user_policy

    attach_user_policy(root.caller, user_name=user_name, policy_arn=READ_ONLY)


def press(page: Page, name: str) -> None:
    page.locator("main").get_by_role("button", name=name, exact=True).first.click()


@pytest.mark.parametrize("java_script_enabled", [True, False])
def test_permissions_are_given_told_and_taken_away(
    visit: Callable[..., Visitor], java_script_enabled: bool, root: Person, alice: Person, bob: Person
):
    give_password(alice)
    make_group(root, "developers", policy_arn=READ_ONLY)
    visitor = visit(java_script_enabled=java_script_enabled)
    page = visitor.sign_in(alice)
    visitor.open(f"{USERS}bob/change/")
    expect(page.locator("main")).to_contain_text("No policy yet, so this user may do nothing.")

    page.get_by_role("link", name="Add permissions").click()
    page.get_by_label("developers").check()
    press(page, "Add permissions")
    expect(page.locator("main")).to_contain_text("The permissions are added")
    expect(page.locator("table.policies")).to_contain_text("Group developers")
    assert bob.client().list_users()["Users"]
    page.locator("summary", has_text="JSON").first.click()
    expect(page.locator("pre.block").first).to_contain_text("iam:Get*")

    page.get_by_role("link", name="Add permissions").click()
    page.get_by_label("Attach policies directly").check()
    page.get_by_role("searchbox", name="Find policies").fill("IAMRead")
    press(page, "Search")
    page.get_by_label("IAMReadOnlyAccess").check()
    press(page, "Add permissions")
    expect(page.locator("main")).to_contain_text("Prefer a group")
    press(page, "Detach IAMReadOnlyAccess")
    expect(page.locator("main")).to_contain_text("Policy IAMReadOnlyAccess is detached from bob.")
    expect(page.locator("main")).not_to_contain_text("Prefer a group")

    page.locator(".tabs").get_by_role("link", name="Groups").click()
    expect(page.locator("table")).to_contain_text("IAMReadOnlyAccess")
    press(page, "Remove from developers")
    expect(page.locator("main")).to_contain_text("In no group yet.")
    with pytest.raises(Exception, match="AccessDenied"):
        bob.client().list_users()


def test_what_another_user_has_is_copied(admin: Client, root: Person, bob: Person):
    make_user(root, "carol", allow("iam:ListUsers"))
    make_group(root, "developers", "carol")
    attach(root, "carol")
    path = f"{USERS}bob/permissions/add/"
    assert "Enter the name of the user" in text(admin.post(path, {"how": "copy"}))
    assert "cannot be found" in text(admin.post(path, {"how": "copy", "copy_permissions_from": "nemo"}))
    done = admin.post(path, {"how": "copy", "copy_permissions_from": "carol"}, follow=True)
    assert "The permissions are added" in text(done)
    assert [group.group_name for group in bob.user.groups.all()] == ["developers"]
    assert [policy.policy_name for policy in bob.user.policies.all()] == ["given"]
    assert bob.user.attached_policies.count() == 1


def test_only_the_chosen_way_counts(admin: Client, root: Person, bob: Person):
    make_group(root, "developers")
    admin.post(
        f"{USERS}bob/permissions/add/", {"how": "groups", "group_names": ["developers"], "policy_arns": [READ_ONLY]}
    )
    assert (bob.user.groups.count(), bob.user.attached_policies.count()) == (1, 0)
    assert "Nothing is named" in text(admin.post(f"{USERS}bob/permissions/add/", {"how": "policies"}))


def test_a_boundary_is_set_changed_and_removed(admin: Client, root: Person, bob: Person):
    from accounts.models import User

    def bound() -> str:
        return User.objects.select_related("boundary").get(pk=bob.user.pk).boundary_arn

    path = f"{USERS}bob/boundary/"
    assert "Remove boundary" not in text(admin.get(path))
    assert "Enter the ARN of a managed policy" in text(admin.post(path, {"permissions_boundary": "ReadOnly"}))
    assert "does not exist" in text(admin.post(path, {"permissions_boundary": f"{READ_ONLY}s"}))
    assert bound() == ""
    done = text(admin.post(path, {"permissions_boundary": READ_ONLY}, follow=True))
    assert "The permissions boundary is set." in done
    assert bound() == READ_ONLY
    assert "IAMReadOnlyAccess" in done
    assert "Remove boundary" in text(admin.get(path))
    assert "is removed" in text(admin.post(path, {"delete": "yes"}, follow=True))
    assert bound() == ""


def test_what_one_may_not_read_is_named_and_what_one_may_is_shown(root: Person, bob: Person):
    make_group(root, "developers", "bob", policy_arn=READ_ONLY)
    attach(root, "bob")
    some = make_user(root, "some", allow("iam:GetUser", "iam:ListAttachedUserPolicies", "iam:ListGroupsForUser"))
    page = text(signed_in(some).get(f"{USERS}bob/change/"))
    assert "IAMReadOnlyAccess" in page
    for action in ("iam:ListUserPolicies", "iam:ListAttachedGroupPolicies", "iam:ListGroupPolicies"):
        assert action in page
    assert "iam:GetPolicyVersion" in page
    assert "iam:GenerateCredentialReport" not in page
    for button in (">Detach<", "Add permissions", "Create inline policy", "Set boundary"):
        assert button not in page
    groups = text(signed_in(some).get(f"{USERS}bob/change/?tab=groups"))
    assert "developers" in groups
    assert ">Remove<" not in groups


def test_a_button_for_what_one_may_not_do_is_refused_and_does_nothing(root: Person, bob: Person, mallory: Person):
    make_group(root, "developers", "bob")
    attach(root, "bob")
    reader = signed_in(make_user(root, "reader", allow("iam:Get*", "iam:List*")))
    for client in (reader, signed_in(mallory)):
        for path, fields, action in (
            ("permissions/detach/", {"policy_arn": READ_ONLY}, "iam:DetachUserPolicy"),
            ("groups/remove/", {"group_name": "developers"}, "iam:RemoveUserFromGroup"),
        ):
            answer = client.post(f"{USERS}bob/{path}", fields)
            assert answer.status_code == 403
            assert action in text(answer)
    for how, fields, action in (
        ("groups", {"group_names": ["developers"]}, "iam:AddUserToGroup"),
        ("policies", {"policy_arns": [READ_ONLY]}, "iam:AttachUserPolicy"),
        ("copy", {"copy_permissions_from": "bob"}, "iam:AddUserToGroup"),
    ):
        answer = text(reader.post(f"{USERS}reader/permissions/add/", {"how": how} | fields))
        assert f"not authorized to perform: {action}" in answer
    boundary = text(reader.post(f"{USERS}bob/boundary/", {"permissions_boundary": READ_ONLY}))
    assert "not authorized to perform: iam:PutUserPermissionsBoundary" in boundary
    assert (bob.user.groups.count(), bob.user.attached_policies.count()) == (1, 1)


def test_the_list_of_users_tells_their_groups_to_those_who_may_know(root: Person, bob: Person):
    make_group(root, "developers", "bob")
    assert "developers" in text(signed_in(root).get(USERS))
    lister = signed_in(make_user(root, "lister", allow("iam:ListUsers")))
    assert "developers" not in text(lister.get(USERS))


def test_the_page_before_deleting_names_groups_and_policies(admin: Client, root: Person, bob: Person):
    make_group(root, "developers", "bob")
    attach(root, "bob")
    page = text(admin.get(f"{USERS}bob/delete/"))
    assert "developers" in page
    assert "IAMReadOnlyAccess" in page


def test_a_policy_of_another_account_is_not_attached(root: Person, alice: Person, trudy: Person):
    from permissions.operations.managed import create_policy

    theirs = create_policy(trudy.caller, policy_name="theirs", policy_document=ALLOW_ALL)
    client = signed_in(alice)
    fields = {"how": "policies", "policy_arns": [theirs.arn]}
    answer = client.post(f"{USERS}alice/permissions/add/", fields)
    assert "does not exist or is not attachable" in text(answer)
    found = client.post(f"{USERS}alice/permissions/add/", {"how": "policies", "search": "theirs", "go": "search"})
    assert theirs.arn not in text(found)
    assert alice.user.attached_policies.count() == 0
