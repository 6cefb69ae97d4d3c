"""What an administrator does with policies in the console: write, check, attach, change, compare, go back, delete."""

import html
import json
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect

from permissions import language
from permissions.models import ManagedPolicy
from tests.browser import Visitor, give_password, main_of, signed_in
from tests.conftest import ALLOW_ALL, Person, allow, make_user

pytestmark = pytest.mark.pure

POLICIES = "/console/policies/"
READ = allow("s3:GetObject", resource="arn:aws:s3:::reports/*")
WRITE = allow("s3:GetObject", "s3:PutObject", resource="arn:aws:s3:::reports/*")
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


def text(answer: Any) -> str:
    """The page as text."""
    return html.unescape(answer.content.decode())


def make_policy(root: Person, name: str = "reports", document: str = READ, **members: Any) -> str:
    """A managed policy; its ARN."""
    from permissions.operations.managed import create_policy

    return create_policy(root.caller, policy_name=name, policy_document=document, **members).arn


def make_group(root: Person, name: str, *members: str) -> None:
    """A group with members."""
    from accounts.operations.groups import add_user_to_group, create_group

    create_group(root.caller, group_name=name)
    for member in members:
        add_user_to_group(root.caller, group_name=name, user_name=member)


def attach(root: Person, arn: str, **owner: str) -> None:
    """Attach it to a user or a group."""
    from permissions.operations.attachments import attach_group_policy, attach_user_policy

    (attach_user_policy if "user_name" in owner else attach_group_policy)(root.caller, policy_arn=arn, **owner)


def at(route: str, *arguments: str) -> str:
    """An address of the console."""
    return reverse(f"admin:{route}", args=arguments)


def page_of(arn: str, tab: str = "permissions") -> str:
    """The policy's page."""
    return f"{at('permissions_managedpolicy_change', arn)}?tab={tab}"


def stored(arn: str) -> ManagedPolicy:
    """The policy as it is now."""
    name = arn.rpartition("/")[2]
    return ManagedPolicy.objects.get(policy_name=name, account=arn.split(":")[4])


def in_force(arn: str) -> str:
    """The document in force."""
    policy = stored(arn)
    return str(policy.versions.get(number=policy.default_version_number).document)


def fields_of(answer: Any) -> dict[str, Any]:
    """What the page's main form would send, its buttons aside."""
    page = answer.content.decode()
    sent: dict[str, Any] = {}
    for tag in re.findall(r"<input [^>]*>", page):
        found = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if found.get("type") not in ("checkbox", "submit", "search") and "name" in found:
            sent[found["name"]] = html.unescape(found.get("value", ""))
    for name, content in re.findall(r'<textarea name="([^"]+)"[^>]*>\r?\n?(.*?)</textarea>', page, re.DOTALL):
        sent[name] = html.unescape(content)
    for name, options in re.findall(r'<select name="([^"]+)">(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'<option(?: value="([^"]*)")? selected>([^<]*)', options)
        first = re.search(r'<option(?: value="([^"]*)")?>([^<]*)', options)
        option = chosen or first
        sent[name] = html.unescape(option[1] or option[2]) if option else ""
    return {name: value for name, value in sent.items() if name not in ("csrfmiddlewaretoken", "theme", "next", "q")}


# The list


def names(answer: Any) -> list[str]:
    """The policies in the list."""
    return re.findall(r'<th[^>]*class="field-name"[^>]*><a href="[^"]+">([^<]+)</a>', answer.content.decode())


def test_the_list_has_the_accounts_own_policies_first_and_then_awss(admin: Client, root: Person, trudy: Person):
    make_policy(root, "zebra", description="Stripes")
    make_policy(trudy, "hers")
    page = admin.get(POLICIES)
    assert names(page)[:2] == ["zebra", "AdministratorAccess"]
    assert "Stripes" in text(page)
    assert "hers" not in names(admin.get(POLICIES, {"all": ""}))
    assert names(admin.get(POLICIES, {"q": "hers"})) == []


def test_the_list_is_searched_and_filtered(admin: Client, root: Person, bob: Person):
    from permissions.operations.boundaries import put_user_permissions_boundary

    used, bound = make_policy(root, "used"), make_policy(root, "bound")
    make_policy(root, "idle")
    attach(root, used, user_name="bob")
    attach(root, ADMINISTRATOR, user_name="bob")
    put_user_permissions_boundary(root.caller, user_name="bob", permissions_boundary=bound)
    assert names(admin.get(POLICIES, {"type": "customer"})) == ["bound", "idle", "used"]
    assert names(admin.get(POLICIES, {"used": "policy"})) == ["used", "AdministratorAccess"]
    assert names(admin.get(POLICIES, {"used": "boundary"})) == ["bound"]
    assert names(admin.get(POLICIES, {"used": "no", "type": "customer"})) == ["idle"]
    assert "used" not in names(admin.get(POLICIES, {"type": "aws"}))
    assert names(admin.get(POLICIES, {"q": " DL"}))[:1] == ["idle"]
    assert len(names(admin.get(POLICIES, {"type": "nonsense", "used": "nonsense"}))) == 50
    assert "Permissions policy (1)" in text(admin.get(POLICIES, {"used": "policy"}))
    assert "Boundary (1)" in text(admin.get(POLICIES, {"used": "boundary"}))


def test_what_another_account_attaches_is_not_counted_here(admin: Client, trudy: Person):
    attach(trudy, ADMINISTRATOR, user_name="trudy")
    assert names(admin.get(POLICIES, {"used": "policy"})) == []
    assert "Attached to nobody" in text(admin.get(page_of(ADMINISTRATOR, "entities")))


def test_the_list_tells_a_forger_nothing(admin: Client):
    for query in ("account=1", "versions__document__contains=a", "attached_users__user__user_name=bob", "id__gt=0"):
        assert admin.get(f"{POLICIES}?{query}").status_code == 400, query


# The editor


def test_a_policy_is_created_as_it_was_written_with_its_tags(admin: Client, root: Person):
    document = json.dumps(json.loads(READ), indent=3)
    fields = {
        "policy_name": "reports",
        "path": "/design/",
        "description": "Read them",
        "policy_document": document.replace("\n", "\r\n"),
        "tag_key": ["team", ""],
        "tag_value": ["blue", ""],
    }
    answer = admin.post(f"{POLICIES}create/", fields)
    assert answer["Location"] == POLICIES
    policy = ManagedPolicy.objects.get(account=root.account_id)
    assert (policy.path, policy.description, policy.tags) == (
        "/design/",
        "Read them",
        [{"key": "team", "value": "blue"}],
    )
    assert in_force(policy.arn) == document


def test_a_copy_begins_with_the_document_of_the_other(admin: Client):
    page = admin.get(f"{POLICIES}create/", {"copy": ADMINISTRATOR})
    assert language.parse(fields_of(page)["policy_document"]).statements[0].actions[0].text == "*"
    assert admin.get(f"{POLICIES}create/", {"copy": ADMINISTRATOR + "x"}).status_code == 404


def test_what_was_entered_is_kept_whatever_button_is_pressed(admin: Client, root: Person):
    entered = {
        "policy_name": "draft",
        "description": "half done",
        "path": "/x/",
        "policy_document": READ,
        "tag_key": ["team"],
        "tag_value": ["blue"],
    }
    for do in ("validate", "format", "to-form", "to-json", "back", "nonsense", "remove-statement:9", "add-condition:x"):
        page = text(admin.post(f"{POLICIES}create/", entered | {"do": do}))
        for kept in ('value="draft"', 'value="half done"', 'value="/x/"', 'value="team"', "s3:GetObject"):
            assert kept in page, (do, kept)
    assert not ManagedPolicy.objects.filter(account=root.account_id).exists()


def test_the_document_is_validated_and_formatted_without_saving(admin: Client):
    broken = '{"Statement": [\n{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "reports"}]}'
    page = text(admin.post(f"{POLICIES}create/", {"policy_document": broken, "do": "validate"}))
    assert re.search(
        r'href="#id_policy_document" data-line="2">Line 2</a>\s*<span>Resource reports must be in ARN', page
    )
    assert "<title>Error" not in page
    page = text(admin.post(f"{POLICIES}create/", {"policy_document": READ, "do": "format"}))
    assert json.dumps(json.loads(READ), indent=2) in page
    page = text(admin.post(f"{POLICIES}create/", {"policy_document": '{"a": 1, "a": 2}', "do": "format"}))
    assert "stands twice" in page
    assert '{"a": 1, "a": 2}' in page


def test_the_rows_are_changed_by_buttons_and_become_the_document(admin: Client, root: Person):
    def press(page: Any, do: str, **changed: Any) -> Any:
        return admin.post(f"{POLICIES}create/", fields_of(page) | {"do": do} | changed)

    page = press(admin.get(f"{POLICIES}create/"), "to-form", policy_document=READ)
    assert fields_of(page)["s0-actions"] == "s3:GetObject"
    page = press(page, "add-statement")
    deny = {"s1-effect": "Deny", "s1-acts": "NotAction", "s1-actions": "iam:*\nsts:*", "s1-resources": "*"}
    page = press(page, "add-condition:1", **deny)
    page = press(page, "find", find="listbucket")
    assert "s3:ListBucket" in text(page)
    condition = {"s1-c0-operator": "Bool", "s1-c0-key": "aws:SecureTransport", "s1-c0-values": "false"}
    page = press(page, "add-actions:0", found=["s3:ListBucket", "s3:GetObject"], **condition)
    assert fields_of(page)["s0-actions"] == "s3:GetObject\ns3:ListBucket"
    page = press(page, "add-condition:0")
    page = press(page, "remove-condition:0:0")
    page = press(page, "add-statement")
    page = press(page, "remove-statement:2")
    answer = press(page, "save", policy_name="made")
    assert answer.status_code == 302
    arn = ManagedPolicy.objects.get(account=root.account_id).arn
    assert json.loads(in_force(arn)) == {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "arn:aws:s3:::reports/*"},
            {
                "Effect": "Deny",
                "NotAction": ["iam:*", "sts:*"],
                "Resource": "*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ],
    }


def test_an_error_in_the_rows_names_its_statement_and_keeps_the_rows(admin: Client, root: Person):
    page = admin.post(f"{POLICIES}create/", {"policy_document": READ, "do": "to-form"})
    page = admin.post(f"{POLICIES}create/", fields_of(page) | {"do": "add-statement"})
    page = admin.post(f"{POLICIES}create/", fields_of(page) | {"do": "save", "policy_name": "x"})
    assert '<a class="place" href="#statement-2">Statement 2</a>' in text(page)
    assert "<title>Error: " in text(page)
    assert fields_of(page)["s0-actions"] == "s3:GetObject"
    assert not ManagedPolicy.objects.filter(account=root.account_id).exists()


def test_a_condition_given_twice_is_not_saved(admin: Client, root: Person):
    row = {"operator": "StringEquals", "key": "aws:username"}
    sent = {"view": "form", "policy_name": "x", "s0-effect": "Allow", "s0-actions": "s3:*", "s0-resources": "*"}
    for index, value in enumerate(("a", "b")):
        sent |= {f"s0-c{index}-{name}": each for name, each in (row | {"values": value}).items()}
    assert "has StringEquals on aws:username twice" in text(admin.post(f"{POLICIES}create/", sent))
    assert not ManagedPolicy.objects.filter(account=root.account_id).exists()


def test_a_document_the_form_cannot_show_stays_json_with_the_reason(admin: Client):
    exotic = json.dumps(json.loads(READ) | {"Id": "x"}).replace(
        '"Resource"', '"Condition": {"Sometimes": {}}, "Resource"'
    )
    page = admin.post(f"{POLICIES}create/", {"policy_document": exotic, "do": "to-form"})
    assert "without a context key" in text(page)
    assert fields_of(page)["view"] == "json"
    assert fields_of(page)["policy_document"] == exotic


def test_what_aws_refuses_of_managed_policies_is_refused_here(admin: Client, root: Person):
    for document, says in (
        (READ.replace("2012-10-17", "2008-10-17"), "must be version 2012-10-17"),
        (allow(*(f"s3:Get{'x' * 50}{number}" for number in range(200))), "6,144 are allowed"),
    ):
        page = text(admin.post(f"{POLICIES}create/", {"policy_name": "x", "policy_document": document}))
        assert says in page
        assert "<title>Error: " in page
    assert not ManagedPolicy.objects.filter(account=root.account_id).exists()


# Versions, and who is affected


def test_a_version_of_a_policy_that_nobody_has_is_saved_at_once(admin: Client, root: Person):
    arn = make_policy(root)
    answer = admin.post(at("policy-version-create", arn), {"policy_document": WRITE, "set_as_default": "on"})
    assert answer["Location"] == page_of(arn, "versions")
    assert in_force(arn) == WRITE


def test_a_version_that_reaches_somebody_is_shown_first_and_saved_when_confirmed(
    admin: Client, root: Person, bob: Person
):
    make_user(root, "carol")
    make_group(root, "designers", "bob", "carol")
    arn = make_policy(root)
    attach(root, arn, user_name="carol")
    attach(root, arn, group_name="designers")
    address = at("policy-version-create", arn)
    page = admin.post(address, {"policy_document": WRITE, "set_as_default": "on", "do": "save"})
    shown = text(page)
    assert "designers</a>, with 2 members: bob, carol" in shown
    assert re.search(r"User <a [^>]+>carol</a>", shown)
    assert "s3:PutObject" in shown
    assert ("Not allowed" in shown, "Allowed" in shown) == (True, True)
    assert in_force(arn) == READ
    back = admin.post(address, fields_of(page) | {"do": "back"})
    assert fields_of(back)["policy_document"] == WRITE
    assert admin.post(address, fields_of(page) | {"do": "confirm"}).status_code == 302
    assert in_force(arn) == WRITE
    assert stored(arn).versions.count() == 2


def test_rows_go_through_the_review_and_back_to_rows(admin: Client, root: Person, bob: Person):
    arn = make_policy(root)
    attach(root, arn, user_name="bob")
    address = at("policy-version-create", arn)
    form = admin.post(address, {"policy_document": WRITE, "set_as_default": "on", "do": "to-form"})
    page = admin.post(address, fields_of(form) | {"set_as_default": "on", "do": "save"})
    assert "Who is affected" in text(page)
    assert 'value="to-form">Back to the editor' in text(page)
    assert admin.post(address, fields_of(page) | {"do": "confirm"}).status_code == 302
    assert json.loads(in_force(arn))["Statement"][0]["Action"] == ["s3:GetObject", "s3:PutObject"]


def test_a_version_that_is_only_kept_affects_nobody(admin: Client, root: Person, bob: Person):
    arn = make_policy(root)
    attach(root, arn, user_name="bob")
    assert admin.post(at("policy-version-create", arn), {"policy_document": WRITE}).status_code == 302
    assert in_force(arn) == READ
    assert stored(arn).versions.count() == 2
    unticked = admin.post(at("policy-version-create", arn), {"policy_document": WRITE, "do": "validate"})
    assert not re.search(r'name="set_as_default"[^>]* checked', text(unticked))


def test_who_may_not_see_whom_it_reaches_is_told_so(root: Person, bob: Person):
    arn = make_policy(root)
    attach(root, arn, user_name="bob")
    actions = ("iam:GetPolicy", "iam:GetPolicyVersion", "iam:CreatePolicyVersion")
    client = signed_in(make_user(root, "writer", allow(*actions)))
    page = text(client.post(at("policy-version-create", arn), {"policy_document": WRITE, "set_as_default": "on"}))
    assert "iam:ListEntitiesForPolicy" in page
    assert ">bob<" not in page


def test_the_members_of_a_group_are_counted_only_for_who_may_see_them(root: Person, bob: Person):
    make_group(root, "designers", "bob")
    arn = make_policy(root)
    attach(root, arn, group_name="designers")
    actions = ("iam:GetPolicy", "iam:GetPolicyVersion", "iam:CreatePolicyVersion", "iam:ListEntitiesForPolicy")
    client = signed_in(make_user(root, "writer", allow(*actions)))
    page = text(client.post(at("policy-version-create", arn), {"policy_document": WRITE, "set_as_default": "on"}))
    assert "designers</a>, whose members you may not see" in page
    assert "bob" not in page


def test_an_older_version_is_put_in_force_again(admin: Client, root: Person, bob: Person):
    from permissions.operations.versions import create_policy_version

    arn = make_policy(root)
    attach(root, arn, user_name="bob")
    create_policy_version(root.caller, policy_arn=arn, policy_document=WRITE, set_as_default=True)
    compared = text(admin.get(at("policy-compare", arn), {"from": "v1", "to": "v2"}))
    assert re.search(r'<ins><span class="visually-hidden">Added: </span>.*s3:PutObject', compared)
    assert re.search(r'<del><span class="visually-hidden">Removed: </span>', compared)
    shown = text(admin.get(at("policy-version-default", arn, "v1")))
    assert "s3:PutObject" in shown
    assert "bob" in shown
    assert in_force(arn) == WRITE
    assert admin.post(at("policy-version-default", arn, "v1"))["Location"] == page_of(arn, "versions")
    assert in_force(arn) == READ


def test_a_version_is_deleted_unless_it_is_in_force(admin: Client, root: Person):
    from permissions.operations.versions import create_policy_version

    arn = make_policy(root)
    create_policy_version(root.caller, policy_arn=arn, policy_document=WRITE)
    assert "Cannot delete the default version" in text(admin.post(at("policy-version-delete", arn, "v1")))
    assert admin.post(at("policy-version-delete", arn, "v2")).status_code == 302
    assert stored(arn).versions.count() == 1


# Entities, tags, delete


def test_a_policy_is_attached_to_and_detached_from_users_and_groups(admin: Client, root: Person, bob: Person):
    make_group(root, "designers")
    arn = make_policy(root)
    assert "There is no" not in text(admin.get(at("policy-attach", arn)))
    for owner in ({"user_name": "bob"}, {"group_name": "designers"}):
        assert admin.post(at("policy-attach", arn), owner)["Location"] == page_of(arn, "entities")
    assert text(admin.get(at("policy-attach", arn))).count(">Attached<") == 2
    entities = text(admin.get(page_of(arn, "entities")))
    assert "from user bob" in entities
    assert "from group designers" in entities
    for route, name in (("policy-detach-user", "bob"), ("policy-detach-group", "designers")):
        assert admin.post(at(route, arn, name)).status_code == 302
    assert "Attached to nobody" in text(admin.get(page_of(arn, "entities")))
    assert "was not found" in text(admin.post(at("policy-detach-user", arn, "bob")))


def test_users_and_groups_are_found_by_a_part_of_their_names(admin: Client, root: Person, bob: Person):
    make_group(root, "Designers")
    for number in range(25):
        make_user(root, f"user-{number}")
    arn = make_policy(root)
    everybody = text(admin.get(at("policy-attach", arn)))
    assert "There are more." in everybody
    found = text(admin.get(at("policy-attach", arn), {"q": "SIGN"}))
    assert ">Designers<" in found
    assert "No user has “SIGN” in its name." in found
    assert text(admin.get(at("policy-attach", arn), {"q": "user-2"})).count("to user user-2") == 6


def test_only_those_whom_one_may_give_it_get_a_button(root: Person, bob: Person):
    arn = make_policy(root)
    account = root.account_id
    policy = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": ["iam:Get*", "iam:List*"], "Resource": "*"},
                {"Effect": "Allow", "Action": "iam:AttachUserPolicy", "Resource": f"arn:aws:iam::{account}:user/bob"},
            ],
        }
    )
    client = signed_in(make_user(root, "giver", policy))
    page = text(client.get(at("policy-attach", arn)))
    assert "to user bob" in page
    assert "to user giver" not in page
    assert "Needs iam:AttachUserPolicy" in page
    assert "iam:AttachUserPolicy" in text(client.post(at("policy-attach", arn), {"user_name": "giver"}))
    attach(root, arn, user_name="bob")
    assert "Needs iam:DetachUserPolicy" in text(client.get(page_of(arn, "entities")))


def test_tags_mind_case_and_are_set_and_removed_one_by_one(admin: Client, root: Person):
    arn = make_policy(root)
    for key, value in (("team", "blue"), ("Team", "red"), ("team", "green")):
        assert admin.post(at("policy-tags", arn), {"key": key, "value": value}).status_code == 302
    assert stored(arn).tags == [{"key": "team", "value": "green"}, {"key": "Team", "value": "red"}]
    assert admin.post(at("policy-tags", arn), {"remove": "team"}).status_code == 302
    assert stored(arn).tags == [{"key": "Team", "value": "red"}]
    page = text(admin.post(at("policy-tags", arn), {"key": "a*b", "value": "kept"}))
    assert "Tags have keys of up to 128" in page
    assert 'value="kept"' in page


def test_what_stands_in_the_way_of_deleting_is_said(admin: Client, root: Person, bob: Person):
    arn = make_policy(root)
    attach(root, arn, user_name="bob")
    address = at("permissions_managedpolicy_delete", arn)
    page = text(admin.get(address))
    assert "It cannot be deleted yet" in page
    assert ">bob</a>" in page
    assert 'name="typed_name"' not in page
    assert "Cannot delete a policy attached to entities." in text(admin.post(address, {"typed_name": "reports"}))
    admin.post(at("policy-detach-user", arn, "bob"))
    assert "This is not the name." in text(admin.post(address, {"typed_name": "Reports"}))
    assert admin.post(address, {"typed_name": "reports"})["Location"] == POLICIES
    assert not ManagedPolicy.objects.filter(account=root.account_id).exists()


def test_awss_policies_are_read_only_and_say_why(admin: Client):
    for address in (
        page_of(ADMINISTRATOR),
        at("policy-version-create", ADMINISTRATOR),
        at("policy-tags", ADMINISTRATOR),
        at("permissions_managedpolicy_delete", ADMINISTRATOR),
    ):
        assert "AWS wrote this policy" in text(admin.get(address)), address
    before = list(ManagedPolicy.objects.aws_managed().order_by("pk").values())
    for route, fields in (
        ("policy-version-create", {"policy_document": READ}),
        ("policy-tags", {"key": "team", "value": "blue"}),
        ("permissions_managedpolicy_delete", {"typed_name": "AdministratorAccess"}),
    ):
        assert "outside your own account" in text(admin.post(at(route, ADMINISTRATOR), fields)), route
    assert list(ManagedPolicy.objects.aws_managed().order_by("pk").values()) == before


def test_another_account_neither_sees_nor_touches_a_policy(root: Person, trudy: Person, bob: Person):
    arn = make_policy(root)
    attach(root, arn, user_name="bob")
    client = signed_in(trudy)
    for route, more in (
        ("permissions_managedpolicy_change", ()),
        ("permissions_managedpolicy_delete", ()),
        ("policy-version-create", ()),
        ("policy-version", ("v1",)),
        ("policy-version-default", ("v1",)),
        ("policy-version-delete", ("v1",)),
        ("policy-compare", ()),
        ("policy-attach", ()),
        ("policy-detach-user", ("bob",)),
        ("policy-tags", ()),
    ):
        sent = {"policy_document": WRITE, "typed_name": "reports", "user_name": "trudy"}
        address = at(route, arn, *more)
        for answer in (client.get(address), client.post(address, sent)):
            assert answer.status_code in (404, 405), route
            assert "GetObject" not in text(answer)
    assert in_force(arn) == READ
    assert stored(arn).attached_users.count() == 1


def test_who_may_do_nothing_gets_nothing(root: Person, mallory: Person):
    arn = make_policy(root)
    client = signed_in(mallory)
    for address in (POLICIES, page_of(arn), at("policy-attach", arn), at("policy-version-create", arn)):
        assert client.get(address).status_code == 403
    assert client.get(f"{POLICIES}create/").status_code == 200
    refused = text(client.post(f"{POLICIES}create/", {"policy_name": "mine", "policy_document": ALLOW_ALL}))
    assert "iam:CreatePolicy" in refused
    assert ManagedPolicy.objects.filter(account=root.account_id).count() == 1


# Inline policies of groups


def test_an_inline_policy_of_a_group_is_shown_to_whom_it_reaches_before_it_changes(
    admin: Client, root: Person, bob: Person
):
    make_group(root, "designers")
    create, edit = at("group-policy-create", "designers"), at("group-policy-edit", "designers", "inline")
    assert admin.post(create, {"policy_name": "inline", "policy_document": READ}).status_code == 302
    assert admin.post(edit, {"policy_document": WRITE}).status_code == 302
    from accounts.operations.groups import add_user_to_group

    add_user_to_group(root.caller, group_name="designers", user_name="bob")
    group = bob.user.groups.get()
    page = admin.post(edit, {"policy_document": READ})
    assert "designers</a>, with 1 member: bob" in text(page)
    assert group.policies.get().policy_document == WRITE
    assert admin.post(edit, fields_of(page) | {"do": "confirm"}).status_code == 302
    assert group.policies.get().policy_document == READ
    assert admin.post(at("group-policy-delete", "designers", "inline")).status_code == 302
    assert not group.policies.exists()


# In the browser


def press(page: Page, name: str, **fields: str) -> None:
    """Fill fields by their names, then press the button."""
    for field, value in fields.items():
        page.locator(f"main [name={field}]").first.fill(value)
    page.locator("main").get_by_role("button", name=name, exact=True).first.click()


def story(page: Page, bob: Person) -> None:
    """Create, attach, change, compare, go back, detach, delete."""
    page.goto(POLICIES)
    page.get_by_role("link", name="Create policy").click()
    press(page, "Create policy", policy_name="lister", policy_document=allow("iam:ListUsers"))
    expect(page.locator("main")).to_contain_text("Policy lister is created. Attach it to put it in force.")
    page.get_by_role("link", name="lister").click()
    page.get_by_role("link", name="Entities attached").click()
    page.get_by_role("link", name="Attach", exact=True).click()
    press(page, "Search", q="bo")
    press(page, "Attach to user bob")
    expect(page.locator("main")).to_contain_text("Policy lister is attached to user bob.")
    assert bob.client().list_users()["Users"]
    page.get_by_role("link", name="Edit").click()
    press(page, "Save version", policy_document=allow("iam:ListGroups"))
    expect(page.locator("main")).to_contain_text("Who is affected")
    assert "bob" in main_of(page)
    assert bob.client().list_users()["Users"]
    press(page, "Save and put in force")
    expect(page.locator("main")).to_contain_text("A new version of lister is saved.")
    with pytest.raises(Exception, match="AccessDenied"):
        bob.client().list_users()
    page.get_by_role("link", name="Compare v1 with the version in force").click()
    expect(page.locator(".diff ins")).to_contain_text("iam:ListGroups")
    expect(page.locator(".diff del")).to_contain_text("iam:ListUsers")
    page.go_back()
    page.get_by_role("link", name="Put in force v1").click()
    expect(page.locator("main")).to_contain_text("Answers that change")
    press(page, "Put v1 in force")
    expect(page.locator("main")).to_contain_text("Version v1 of lister is in force.")
    assert bob.client().list_users()["Users"]
    page.get_by_role("link", name="Delete", exact=True).click()
    expect(page.locator("main")).to_contain_text("It cannot be deleted yet")
    page.get_by_role("link", name="Detach it").click()
    page.get_by_role("link", name="Detach from user bob").click()
    press(page, "Detach policy")
    expect(page.locator("main")).to_contain_text("no longer attached to user bob")
    with pytest.raises(Exception, match="AccessDenied"):
        bob.client().list_users()
    page.get_by_role("link", name="Versions").click()
    page.get_by_role("link", name="Delete v2").click()
    press(page, "Delete version")
    page.get_by_role("link", name="Delete", exact=True).click()
    press(page, "Delete policy", typed_name="lister")
    expect(page.locator("main")).to_contain_text("Policy lister is deleted.")


def test_the_life_of_a_policy(visitor: Visitor, alice: Person, bob: Person):
    give_password(alice)
    page = visitor.sign_in(alice)
    expect(page.locator("h1")).to_have_text("Dashboard")
    story(page, bob)


def test_the_life_of_a_policy_without_javascript(visit: Any, alice: Person, bob: Person):
    give_password(alice)
    page = visit(java_script_enabled=False).sign_in(alice)
    expect(page.locator("h1")).to_have_text("Dashboard")
    story(page, bob)
    page.goto(f"{POLICIES}create/")
    press(page, "Form", policy_name="made")
    press(page, "Add statement")
    press(page, "Add condition to statement 2")
    page.locator("[name=s1-effect]").select_option("Deny")
    page.locator("[name=s1-c0-operator]").select_option("IpAddress")
    press(page, "JSON", **{
        "s1-actions": "s3:*", "s1-resources": "*", "s1-c0-key": "aws:SourceIp", "s1-c0-values": "10.0.0.0/8\n192.168.0.0/16",
    })  # fmt: skip
    document = json.loads(page.locator("[name=policy_document]").input_value())
    assert document["Statement"][1]["Condition"] == {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "192.168.0.0/16"]}}
    press(page, "Create policy")
    expect(page.locator("main")).to_contain_text("Policy made is created.")


def test_a_finding_leads_to_its_line_and_enter_saves_nothing(visitor: Visitor, alice: Person):
    give_password(alice)
    page = visitor.sign_in(alice)
    page.goto(f"{POLICIES}create/")
    lines = json.dumps(json.loads(allow("s3:GetObject", "s3:GetObjekt")), indent=1)
    page.locator("[name=policy_document]").fill("\n" * 60 + lines)
    page.locator("[name=policy_name]").fill("draft")
    page.locator("[name=policy_name]").press("Enter")
    page.get_by_role("link", name="Line 68").first.click()
    expect(page.locator("[name=policy_document]")).to_be_focused()
    chosen = (
        "document.activeElement.value.slice(document.activeElement.selectionStart, document.activeElement.selectionEnd)"
    )
    page.wait_for_function(f"{chosen}.includes('GetObjekt')")
    assert page.evaluate("document.activeElement.scrollTop") > 0
    assert not ManagedPolicy.objects.filter(account=alice.account_id).exists()
