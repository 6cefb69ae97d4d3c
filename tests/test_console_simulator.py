"""The simulator's page: requests are tried by a link that can be shared, and the statement that decided is shown."""

import html
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from playwright.sync_api import expect

from accounts.operations.groups import add_user_to_group, create_group
from audit.models import Event
from permissions.operations.attachments import attach_group_policy
from permissions.operations.boundaries import put_user_permissions_boundary
from permissions.operations.inline import put_group_policy
from permissions.operations.managed import create_policy
from tests.browser import Visitor, give_password, signed_in
from tests.conftest import ALLOW_ALL, Person, allow, make_user

pytestmark = pytest.mark.pure

SIMULATOR = "/console/simulator/"
DENY_LOGS = """{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "All", "Effect": "Allow", "Action": "*", "Resource": "*"},
    {
      "Sid": "DenyLogs",
      "Effect": "Deny",
      "Action": "logs:*",
      "Resource": "*"
    }
  ]
}"""
WITH_MFA = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Action": "*",
            "Resource": "*",
            "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
        },
    }
)
NO_ACTION = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Resource": "*"}}'


@pytest.fixture
def client(alice: Person) -> Client:
    """alice's session, without a browser."""
    return signed_in(alice)


def text(answer: Any) -> str:
    """What the page says, without its markup."""
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", main(answer))))


def main(answer: Any) -> str:
    """The page without its frame."""
    return str(answer.content.decode()).partition("<main")[2].partition("</main>")[0]


def rows(answer: Any) -> list[str]:
    """The results, each as text."""
    body = main(answer).partition('<table class="table results">')[2].partition("</table>")[0].partition("<tbody>")[2]
    found = re.findall(r"<tr>.*?</tr>", body, re.DOTALL)
    return [re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", row))).strip() for row in found]


def error_at(answer: Any, name: str) -> str:
    """The error of a field, as the summary links to it."""
    found = re.search(rf'href="#id_{name}">(.*?)</a>', main(answer))
    assert found, text(answer)
    return html.unescape(found[1])


def test_the_statement_that_denies_is_shown_with_its_text(client: Client, root: Person) -> None:
    dave = make_user(root, "dave", DENY_LOGS)
    answer = client.get(SIMULATOR, {"policy_source_arn": dave.user.arn, "action_names": "logs:Get\niam:GetUser"})
    denied, allowed = rows(answer)
    assert denied.startswith(
        "logs:Get * Explicitly denied The statement DenyLogs of the inline policy given denies it Lines 5 to 10 of the policy {"
    )
    assert allowed.startswith(
        "iam:GetUser * Allowed The statement All of the inline policy given allows it Line 4 of the policy {"
    )
    shown = html.unescape(re.findall(r"<mark>(.*?)</mark>", main(answer), re.DOTALL)[0])
    assert shown == '{\n  "Sid": "DenyLogs",\n  "Effect": "Deny",\n  "Action": "logs:*",\n  "Resource": "*"\n}'


@pytest.mark.parametrize("name", ["dave", "DAVE", "user/dave"])
def test_a_user_is_chosen_by_name(client: Client, root: Person, name: str) -> None:
    make_user(root, "dave", allow("s3:GetObject"), path="/design/")
    (row,) = rows(client.get(SIMULATOR, {"policy_source_arn": name, "action_names": "s3:GetObject"}))
    assert "Allowed" in row


def test_a_group_is_chosen_by_name_or_arn(client: Client, root: Person) -> None:
    group = create_group(root.caller, group_name="devs", path="/design/")
    put_group_policy(root.caller, group_name="devs", policy_name="p", policy_document=DENY_LOGS)
    for name in (group.arn, "group/devs", "group/DEVS"):
        answer = client.get(SIMULATOR, {"policy_source_arn": name, "action_names": "logs:Get"})
        assert "The statement DenyLogs of the inline policy p denies it" in rows(answer)[0]
    assert '<option value="group/devs">' in main(answer)


def test_pasted_policies_are_tried_without_a_principal(client: Client) -> None:
    fields = {
        "policy_input_list": f"{ALLOW_ALL}\n{DENY_LOGS}",
        "action_names": "logs:Get\ns3:GetObject",
        "permissions_boundary_policy_input_list": allow("logs:*", "ec2:*"),
    }
    denied, bounded = rows(client.get(SIMULATOR, fields))
    assert "Explicitly denied The statement DenyLogs of the pasted policy 2 denies it Lines 5 to 10" in denied
    assert bounded == "s3:GetObject * Implicitly denied The permissions boundary does not allow it."


def test_a_resource_policy_is_tried_with_who_asks(client: Client, bob: Person) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": bob.user.arn}, "Action": "s3:*", "Resource": "*"}
    fields = {
        "policy_source_arn": bob.user.arn,
        "action_names": "s3:GetObject",
        "resource_policy": json.dumps({"Version": "2012-10-17", "Statement": statement}),
    }
    (row,) = rows(client.get(SIMULATOR, fields))
    assert "Allowed A statement of the pasted resource-based policy allows it" in row
    (row,) = rows(client.get(SIMULATOR, fields | {"resource_owner": "999999999999"}))
    assert "Implicitly denied" in row
    assert row.endswith("IAM Policy: Implicitly denied Resource Policy: Allowed")


def test_the_keys_that_policies_ask_about_are_offered_and_then_decide(client: Client, root: Person) -> None:
    dave = make_user(root, "dave", WITH_MFA)
    fields = {"policy_source_arn": dave.user.arn, "action_names": "s3:GetObject"}
    before = client.get(SIMULATOR, fields)
    assert "Implicitly denied" in rows(before)[0]
    assert "The policies ask about aws:MultiFactorAuthPresent , which the request does not have." in text(before)
    assert re.search(r'name="context_key_name" value="aws:MultiFactorAuthPresent"', main(before))
    assert '<option value="boolean" selected>' in main(before)
    given = {
        "context_key_name": "aws:MultiFactorAuthPresent",
        "context_key_type": "boolean",
        "context_key_values": "true",
    }
    after = client.get(SIMULATOR, fields | given)
    assert "Allowed" in rows(after)[0]
    assert "The policies ask about" not in text(after)


def offered(answer: Any) -> list[str]:
    """The names of the context keys in the rows of the form."""
    sent = main(answer).partition("<template>")[0]
    return [name for name in re.findall(r'name="context_key_name" value="([^"]*)"', sent) if name]


def test_the_keys_of_pasted_policies_are_offered_too(client: Client) -> None:
    fields = {
        "policy_input_list": ALLOW_ALL,
        "permissions_boundary_policy_input_list": WITH_MFA,
        "action_names": "s3:GetObject",
    }
    assert offered(client.get(SIMULATOR, fields)) == ["aws:MultiFactorAuthPresent"]


def test_keys_are_offered_before_any_action_is_named(client: Client, root: Person) -> None:
    make_user(root, "dave", WITH_MFA)
    for fields in ({"policy_source_arn": "dave"}, {"policy_input_list": WITH_MFA}):
        answer = client.get(SIMULATOR, fields)
        assert "This field is required." in error_at(answer, "action_names")
        assert offered(answer) == ["aws:MultiFactorAuthPresent"]


def test_keys_are_offered_to_who_may_ask_for_them(root: Person) -> None:
    dave = make_user(root, "dave", WITH_MFA)
    fields = {"policy_source_arn": dave.user.arn, "action_names": "s3:GetObject"}
    for number, (action, keys) in enumerate(
        (("iam:GetContextKeys*", ["aws:MultiFactorAuthPresent"]), ("iam:GetUser", []))
    ):
        answer = signed_in(make_user(root, f"reader{number}", allow(action))).get(SIMULATOR, fields)
        assert "iam:SimulatePrincipalPolicy" in text(answer)
        assert offered(answer) == keys


def test_what_is_sent_becomes_a_link_that_asks_the_same(client: Client, alice: Person) -> None:
    fields = {
        "policy_source_arn": "alice",
        "action_names": "s3:GetObject\r\ns3:PutObject",
        "resource_arns": "",
        "context_key_name": ["aws:SourceIp", "", "aws:x"],
        "context_key_type": ["ip", "string", "string"],
        "context_key_values": ["10.0.0.1", "", ""],
    }
    answer = client.post(SIMULATOR, fields)
    assert answer.status_code == 302
    query = parse_qs(urlsplit(answer["Location"]).query)
    assert query == {
        "policy_source_arn": ["alice"],
        "action_names": ["s3:GetObject\ns3:PutObject"],
        "context_key_name": ["aws:SourceIp"],
        "context_key_type": ["ip"],
        "context_key_values": ["10.0.0.1"],
    }
    page = client.get(answer["Location"])
    assert len(rows(page)) == 2
    assert "keep or share it" in text(page)


def test_what_is_too_long_for_a_link_is_answered_at_once(client: Client) -> None:
    policy = allow(*[f"s3:Action{number}" for number in range(300)])
    answer = client.post(SIMULATOR, {"policy_input_list": policy, "action_names": "s3:Action7"})
    assert "Allowed" in rows(answer)[0]
    assert "cannot be shared as a link" in text(answer)


@pytest.mark.parametrize("length", [10, 100])
def test_many_results_come_in_pages(client: Client, length: int) -> None:
    """By a link, or by a button where the form does not fit into one."""
    names = ["x" * length + str(number) for number in range(11)]
    arns = [f"arn:aws:s3:::{number}" for number in range(10)]
    fields = {"policy_source_arn": "alice", "action_names": "\n".join(f"s3:{name}" for name in names)}
    fields["resource_arns"] = "\n".join(arns) + "\n" * 5 * length
    first = client.post(SIMULATOR, fields, follow=True)
    assert len(rows(first)) == 100
    marker = re.search(r'name="marker" value="([^"]+)"', main(first))
    link = re.search(r'href="([^"]+)">Next results', main(first))
    assert (marker is None, link is None) == (length == 10, length == 100)
    second = (
        client.get(SIMULATOR + html.unescape(link[1]))
        if link
        else client.post(SIMULATOR, fields | {"marker": marker[1]})
    )
    assert len(rows(second)) == 10
    assert "Next results" not in main(second)


@pytest.mark.parametrize(
    ("name", "fields", "words"),
    [
        ("action_names", {"action_names": ""}, "This field is required."),
        ("action_names", {"action_names": "GetObject"}, "GetObject is not an action"),
        ("action_names", {"action_names": "s3:" + "x" * 200}, "This is not accepted."),
        ("resource_arns", {"resource_arns": "bucket"}, "bucket is not the ARN of a resource"),
        ("policy_source_arn", {"policy_source_arn": ""}, "Name a user or a group, or paste a policy"),
        ("policy_source_arn", {"policy_source_arn": "nobody"}, "No user or group of this account"),
        ("policy_source_arn", {"policy_source_arn": "no body"}, "This is not accepted."),
        ("policy_source_arn", {"policy_source_arn": "group/nobody"}, "No user or group of this account"),
        ("policy_input_list", {"policy_input_list": "{"}, "This is not JSON. At line 1, column 2"),
        (
            "policy_input_list",
            {"policy_input_list": NO_ACTION},
            "This is no policy: Policy statement must contain actions.",
        ),
        ("policy_input_list", {"policy_input_list": ALLOW_ALL + NO_ACTION}, "Policy 2 is no policy"),
        (
            "permissions_boundary_policy_input_list",
            {"permissions_boundary_policy_input_list": "[]"},
            "This is no policy",
        ),
        (
            "permissions_boundary_policy_input_list",
            {"permissions_boundary_policy_input_list": ALLOW_ALL * 2},
            "A boundary is one policy.",
        ),
        ("resource_policy", {"resource_policy": ALLOW_ALL}, "This is no policy: Missing required field Principal"),
        ("resource_policy", {"resource_policy": ALLOW_ALL * 2}, "Paste one policy"),
        ("caller_arn", {"caller_arn": "bob"}, "This must be the ARN of an IAM user"),
        ("context_entries", {"context_key_name": "aws:SourceIp", "context_key_values": "x"}, "is not of the type ip"),
        ("context_entries", {"context_key_name": "a:", "context_key_values": "x"}, "5 to 256"),
        ("context_entries", {"context_key_name": "aws:xy", "context_key_type": "z", "context_key_values": "x"}, "type"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(client: Client, name: str, fields: dict[str, str], words: str) -> None:
    filled = {"policy_source_arn": "alice", "action_names": "s3:GetObject", "context_key_type": "", **fields}
    for ask in (client.get, client.post):
        answer = ask(SIMULATOR, filled, follow=True)
        assert words in error_at(answer, name)
        assert not rows(answer)


@pytest.mark.parametrize(
    "value", ["\x00", "[" * 5000, "9" * 5000, "\ud800".encode("utf-8", "surrogatepass").decode("latin1")]
)
def test_nonsense_breaks_nothing(client: Client, value: str) -> None:
    from permissions.simulator_form import SimulatorForm

    for name in (*SimulatorForm.base_fields, "context_key_name", "context_key_values", "marker"):
        fields = {"policy_source_arn": "alice", "action_names": "s3:Get", "context_key_name": "aws:xy", name: value}
        assert client.post(SIMULATOR, fields, follow=True).status_code == 200, name


@pytest.mark.parametrize(
    ("document", "texts"),
    [
        ('{"Statement": {%}}', ["{%}"]),
        ('{"Statement": {\n    %\n  }}', ["{\n  %\n}"]),
        ('{"Statement": [{%},{%}]}', ["{%}", "{%}"]),
        ('{\n  "Statement": [\n    {\n      %\n    },\n    {%}\n  ]\n}', ["{\n  %\n}", "{%}"]),
    ],
)
def test_a_statement_is_cut_out_of_its_document(document: str, texts: list[str]) -> None:
    from permissions.excerpt import excerpt
    from permissions.language import parse

    whole = document.replace("%", '"Effect": "Deny", "Action": "*", "Resource": "arn:aws:s3:::{a},[b]"')
    cut = [excerpt(whole, each.start, each.end) for each in parse(whole).statements]
    assert cut == [
        text.replace("%", '"Effect": "Deny", "Action": "*", "Resource": "arn:aws:s3:::{a},[b]"') for text in texts
    ]


# Who may see what


def test_a_statement_is_shown_only_to_who_may_read_its_policy(root: Person) -> None:
    dave = make_user(root, "dave", DENY_LOGS)
    fields = {"policy_source_arn": dave.user.arn, "action_names": "logs:Get"}
    for actions, sees in ((("iam:Simulate*",), False), (("iam:Simulate*", "iam:GetUserPolicy"), True)):
        answer = signed_in(make_user(root, f"reader{len(actions)}", allow(*actions))).get(SIMULATOR, fields)
        (row,) = rows(answer)
        assert "the inline policy given" in row
        assert ("DenyLogs" in main(answer)) is sees
        needed = "It ends in line 10 of the policy. To see it you need the permission iam:GetUserPolicy on user dave ."
        assert (needed in row) is not sees


def test_statements_of_groups_managed_policies_and_boundaries_are_shown_to_their_readers(root: Person) -> None:
    dave = make_user(root, "dave", allow("s3:*"))
    create_group(root.caller, group_name="devs")
    add_user_to_group(root.caller, group_name="devs", user_name="dave")
    put_group_policy(root.caller, group_name="devs", policy_name="p", policy_document=DENY_LOGS)
    managed = create_policy(root.caller, policy_name="Managed", policy_document=DENY_LOGS.replace("DenyLogs", "Other"))
    attach_group_policy(root.caller, group_name="devs", policy_arn=managed.arn)
    put_user_permissions_boundary(root.caller, user_name="dave", permissions_boundary=managed.arn)
    fields = {"policy_source_arn": dave.user.arn, "action_names": "logs:Get"}
    told = (
        ("iam:GetGroupPolicy", "DenyLogs", "of the inline policy p of the group devs denies it"),
        (
            "iam:GetPolicyVersion",
            "Other",
            "of the customer managed policy Managed (attached to the group devs) denies it",
        ),
        ("iam:GetPolicyVersion", "Other", "of the customer managed policy Managed denies it, as permissions boundary"),
    )
    for number, actions in enumerate(([], ["iam:GetGroupPolicy"], ["iam:GetPolicyVersion"])):
        reader = make_user(root, f"reader{number}", allow("iam:Simulate*", *actions))
        (row,) = rows(signed_in(reader).get(SIMULATOR, fields))
        for action, sid, words in told:
            assert words in row
            assert (f"The statement {sid} {words}" in row) is (action in actions)
            assert (f"you need the permission {action}" in row) is (action not in actions)


def test_who_may_not_simulate_is_told_the_permission_and_nothing_else(root: Person, mallory: Person) -> None:
    dave = make_user(root, "dave", DENY_LOGS, path="/secret/")
    client = signed_in(mallory)
    events = Event.objects.count()
    assert "iam:SimulateCustomPolicy" in text(client.get(SIMULATOR))
    pages = [
        text(client.get(SIMULATOR, {"policy_source_arn": name, "action_names": "logs:Get"}))
        for name in ("dave", "nemo")
    ]
    assert "iam:SimulatePrincipalPolicy" in pages[0]
    assert pages[0].replace("dave", "_") == pages[1].replace("nemo", "_")
    for arn in (dave.user.arn, dave.user.arn.replace("dave", "nemo")):
        page = text(client.get(SIMULATOR, {"policy_source_arn": arn, "action_names": "logs:Get"}))
        assert "iam:SimulatePrincipalPolicy" in page
        assert "denied" not in page
    assert Event.objects.count() == events


def test_another_account_is_not_there(trudy: Person, alice: Person) -> None:
    client = signed_in(trudy)
    for arn in (alice.user.arn, alice.user.arn.replace("alice", "nemo")):
        answer = client.get(SIMULATOR, {"policy_source_arn": arn, "action_names": "logs:Get"})
        assert "No user or group of this account" in error_at(answer, "policy_source_arn")
    assert 'value="alice"' not in main(client.get(SIMULATOR))


def test_the_simulator_records_and_changes_nothing(client: Client, alice: Person) -> None:
    before = Event.objects.filter(chain=alice.account_id).count()
    client.get(SIMULATOR, {"policy_source_arn": "alice", "action_names": "s3:Get"})
    assert Event.objects.filter(chain=alice.account_id).count() == before


# In the browser


def test_what_a_user_can_do_is_one_click_away(visitor: Visitor, root: Person, alice: Person) -> None:
    make_user(root, "dave", DENY_LOGS, path="/design/")
    give_password(alice)
    page = visitor.sign_in(alice)
    visitor.open("/console/accounts/user/dave/change/")
    page.get_by_role("link", name="What can this user do?").click()
    expect(page.get_by_role("heading", name="Results")).to_be_visible()
    expect(page.locator("table.results tbody tr")).to_have_count(10)
    expect(page.locator("table.results tr", has_text="logs:FilterLogEvents")).to_contain_text("Explicitly denied")
    expect(page.locator("table.results tr", has_text="iam:CreateUser")).to_contain_text("Allowed")


@pytest.mark.parametrize("script", [True, False])
def test_a_simulation_is_refined_until_it_is_allowed(
    visit: Callable[..., Visitor], root: Person, alice: Person, script: bool
) -> None:
    make_user(root, "dave", WITH_MFA)
    give_password(alice)
    visitor = visit(java_script_enabled=script)
    page = visitor.sign_in(alice)
    page.get_by_role("link", name="Simulator").click()
    page.get_by_label("User or group").fill("dave")
    page.get_by_label("Actions").fill("s3:GetObject\ns3:PutObject")
    page.get_by_role("button", name="Simulate").click()
    expect(page.locator("table.results tbody tr").first).to_contain_text("Implicitly denied")
    expect(page.locator("[name=context_key_name]").first).to_have_value("aws:MultiFactorAuthPresent")
    page.locator("[name=context_key_values]").first.fill("true")
    page.get_by_role("button", name="Simulate").click()
    expect(page.locator("table.results tbody tr").nth(1)).to_contain_text("Allowed")
    assert "context_key_values=true" in page.url
    page.go_back()
    expect(page.locator("table.results tbody tr").first).to_contain_text("Implicitly denied")
