"""Importing an AWS account's users, groups and policies: made by operations, whole or not at all, and only once."""

import json
import os
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from accounts.models import Group, User
from audit.models import Event
from iamconsole.errors import InvalidInput
from permissions.authorization_files import pack, read, read_credential_report, unpack
from permissions.authorization_import import Line, counted, credentials_to_give, preview, run
from permissions.models import ManagedPolicy
from tests.browser import signed_in
from tests.conftest import Person, allow, make_user
from tests.rows import rows_of

DATA = Path(__file__).parent / "data" / "authorization_details"
SMALL = (DATA / "small.json").read_bytes()
PAGE = "/console/accounts/user/import/aws/"
SOURCE = "111122223333"
LARGEST = 10 * 1024 * 1024
REPORT = (
    b"user,password_enabled,mfa_active,access_key_1_active,access_key_2_active,cert_1_active,cert_2_active\n"
    b"<root_account>,not_supported,true,false,false,false,false\nalice,true,true,true,false,false,false\n"
    b"backup,false,false,false,false,false,false\n"
)


def words(lines: list[Line]) -> dict[str, str]:
    return {line.entity.name: line.word for line in lines}


def changed(change: Callable[[Any], object]) -> bytes:
    """The small file with a change."""
    document = json.loads(SMALL)
    change(document)
    return json.dumps(document).encode()


def many(count: int) -> bytes:
    """A file of so many users in thirty groups, as AWS writes it."""
    users = [
        {
            "Path": "/",
            "UserName": f"user{number}",
            "UserId": f"AIDA{number:017}",
            "Arn": f"arn:aws:iam::{SOURCE}:user/user{number}",
            "CreateDate": "2020-01-01T00:00:00+00:00",
            "GroupList": [f"group{number % 30}"],
            "AttachedManagedPolicies": [],
            "Tags": [{"Key": "number", "Value": str(number)}],
        }
        for number in range(count)
    ]
    groups = [
        {"Path": "/", "GroupName": f"group{number}", "GroupId": f"AGPA{number:017}", "GroupPolicyList": []}
        for number in range(30)
    ]
    return json.dumps({"UserDetailList": users, "GroupDetailList": groups}).encode()


def test_an_account_is_there_as_it_was(root: Person) -> None:
    lines = run(lambda: root.caller, read(SMALL))
    assert words(lines) == {
        "read-reports": "Created",
        "limits": "Created",
        "developers": "Created",
        "reviewers": "Created",
        "alice": "Created",
        "backup": "Created",
        "loose": "Error",
    }
    alice = User.objects.get(account=root.account_id, user_name="alice")
    assert alice.boundary_arn == f"arn:aws:iam::{root.account_id}:policy/limits"
    assert alice.tags == [{"key": "team", "value": "blue"}, {"key": "cost-centre", "value": "4711"}]
    assert {group.group_name for group in alice.groups.all()} == {"developers", "reviewers"}
    assert {each.policy.policy_name for each in alice.attached_policies.all()} == {
        "IAMUserChangePassword",
        "read-reports",
    }
    [inline] = alice.policies.all()
    assert json.loads(inline.policy_document)["Statement"][0]["Resource"] == "arn:aws:s3:::files/${aws:username}/*"
    reports = ManagedPolicy.objects.own(root.account_id).get(policy_name="read-reports")
    assert (reports.path, reports.default_version_id, reports.latest_version_number) == ("/design/", "v2", 4)
    assert set(reports.versions.values_list("number", flat=True)) == {2, 4}
    developers = Group.objects.get(account=root.account_id, group_name="developers")
    assert [each.policy_name for each in developers.policies.all()] == ["deploy"]
    assert [each.policy.policy_name for each in developers.attached_policies.all()] == ["ReadOnlyAccess"]
    assert read(SMALL).roles == ("deploy",)


def test_what_is_left_out_is_told(root: Person) -> None:
    found = {line.entity.name: line for line in preview(root.caller, read(SMALL))}
    [unknown] = found["backup"].notes
    assert unknown.startswith(
        "arn:aws:iam::aws:policy/service-role/AmazonNimbleStudio-StudioUser-Retired is not attached"
    )
    [foreign] = found["developers"].notes
    assert SOURCE in foreign
    assert found["loose"].detail == "There is no group gone."


def test_a_preview_and_a_second_run_change_nothing(root: Person) -> None:
    details = read(SMALL)
    before = rows_of(root.account_id)
    seen = words(preview(root.caller, details))
    assert rows_of(root.account_id) == before
    made = run(lambda: root.caller, details)
    assert [name for name, word in seen.items() if word == "Will be created"] == [
        name for name, word in words(made).items() if word == "Created"
    ]
    after = rows_of(root.account_id)
    assert counted(run(lambda: root.caller, details)) == [("Exists already", 6), ("Error", 1)]
    assert rows_of(root.account_id) == after
    events = list(Event.objects.filter(chain=root.account_id).values_list("action", flat=True))
    for action, times in (
        ("iam:CreatePolicy", 2),
        ("iam:CreatePolicyVersion", 1),
        ("iam:CreateGroup", 2),
        ("iam:CreateUser", 2),
        ("iam:AddUserToGroup", 2),
        ("iam:PutUserPolicy", 1),
        ("iam:AttachUserPolicy", 2),
    ):
        assert events.count(action) == times, action


def test_three_hundred_users_are_all_there_and_the_second_run_changes_nothing(root: Person) -> None:
    details = read(many(300))
    assert counted(run(lambda: root.caller, details)) == [("Created", 330)]
    after = rows_of(root.account_id)
    assert (len(after["User"]), len(after["Group"]), len(after["Membership"])) == (301, 30, 300)
    lines = [event["action"] for event in after["Event"]]
    assert [lines.count(f"iam:{each}") for each in ("CreateUser", "CreateGroup", "AddUserToGroup")] == [300, 30, 300]
    assert counted(preview(root.caller, details)) == [("Exists already", 330)]
    assert counted(run(lambda: root.caller, details)) == [("Exists already", 330)]
    assert rows_of(root.account_id) == after


def test_three_hundred_users_are_made_in_parts_that_go_on(root: Person) -> None:
    details = read(many(300))
    seen = preview(root.caller, details)
    assert counted(seen) == [("Will be created", 330)]
    first = run(lambda: root.caller, details, most=32)
    assert counted(first) == [("Created", 32), ("Not yet", 298)]
    second = run(lambda: root.caller, details, most=3)
    assert counted(second) == [("Created", 3), ("Not yet", 295), ("Exists already", 32)]
    assert User.objects.in_account(root.account_id).count() == 5


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (
            (DATA / "malformed.json").read_bytes(),
            "At /UserDetailList/1/AttachedManagedPolicies/0/PolicyArn: this must be a text",
        ),
        (b"{", "not JSON as AWS writes it. Line 1, column 2"),
        (b"[]", "At /: this is no answer of GetAccountAuthorizationDetails"),
        (b'{"Users": []}', "At /: this is no answer"),
        (b'{"Policies": [], "Policies": []}', "stands twice"),
        (b"\xff\xfe{", "not text in UTF-8 .byte 1."),
        (b"[" * 100_000, "nested more than 20 deep"),
        (changed(lambda all_: all_.update(IsTruncated=True)), "cut off"),
        (changed(lambda all_: all_.update(UserDetailList={})), "At /UserDetailList: this must be a list"),
        (changed(lambda all_: all_["UserDetailList"][0].pop("UserName")), "At /UserDetailList/0: UserName is missing"),
        (changed(lambda all_: all_["UserDetailList"][0]["GroupList"].append(1)), "At /UserDetailList/0/GroupList/2: this"),
        (
            changed(lambda all_: all_["UserDetailList"].append({**all_["UserDetailList"][0], "UserName": "ALICE"})),
            "At /UserDetailList/3: the user ALICE stands at /UserDetailList/0 already",
        ),
        (changed(lambda all_: all_["Policies"][0].update(PolicyVersionList=[])), "At /Policies/0: the policy has no"),
        (
            changed(lambda all_: all_["UserDetailList"][0]["UserPolicyList"][0].update(PolicyDocument=3)),
            "At /UserDetailList/0/UserPolicyList/0/PolicyDocument: this must be an object",
        ),
    ],
)  # fmt: skip
def test_what_is_no_such_file_is_refused_with_the_place(file: bytes, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        read(file)


BROKEN: dict[str, tuple[Callable[[Any], object], str, str]] = {
    "a document that is none": (
        lambda all_: all_["UserDetailList"][0]["UserPolicyList"][0].update(PolicyDocument={"Version": "1"}),
        "alice",
        "",
    ),
    "a policy that is too large": (
        lambda all_: all_["UserDetailList"][0]["UserPolicyList"][0]["PolicyDocument"].update(Id="x" * 3000),
        "alice",
        "UserPolicySize",
    ),
    "too many groups": (
        lambda all_: all_["UserDetailList"][0].update(GroupList=["developers"] * 11),
        "alice",
        "GroupsPerUser",
    ),
    "too many versions": (
        lambda all_: all_["Policies"][0].update(PolicyVersionList=all_["Policies"][0]["PolicyVersionList"] * 3),
        "read-reports",
        "VersionsPerPolicy",
    ),
    "a version that stands twice": (
        lambda all_: all_["Policies"][0]["PolicyVersionList"][0].update(VersionId="v2"),
        "read-reports",
        "Name each version once",
    ),
    "a name that is none": (lambda all_: all_["UserDetailList"][0].update(UserName="a\u202eb"), "a\u202eb", "userName"),
    "a boundary that is unknown here": (
        lambda all_: all_["UserDetailList"][0]["PermissionsBoundary"].update(
            PermissionsBoundaryArn="arn:aws:iam::aws:policy/NoSuchPolicyOfAWS"
        ),
        "alice",
        "permissions boundary",
    ),
    "a policy that is not in the file": (
        lambda all_: all_["UserDetailList"][0]["AttachedManagedPolicies"][1].update(
            PolicyArn=f"arn:aws:iam::{SOURCE}:policy/elsewhere"
        ),
        "alice",
        "elsewhere",
    ),
    "a policy of another account": (
        lambda all_: all_["UserDetailList"][0]["AttachedManagedPolicies"][1].update(
            PolicyArn="arn:aws:iam::999999999999:policy/elsewhere"
        ),
        "alice",
        "elsewhere",
    ),
    "a policy under another path": (
        lambda all_: all_["Policies"][0].update(Path="/elsewhere/"),
        "alice",
        "policy/design/read-reports",
    ),
    "a policy of the file that cannot be made": (
        lambda all_: all_["Policies"][0]["PolicyVersionList"][0].update(VersionId="v2"),
        "alice",
        "policy/design/read-reports",
    ),
    "a boundary that is not in the file": (
        lambda all_: all_["UserDetailList"][0]["PermissionsBoundary"].update(
            PermissionsBoundaryArn=f"arn:aws:iam::{SOURCE}:policy/elsewhere"
        ),
        "alice",
        "elsewhere",
    ),
    "tags that differ only in case": (
        lambda all_: all_["UserDetailList"][0].update(Tags=[{"Key": "a", "Value": ""}, {"Key": "A", "Value": ""}]),
        "alice",
        "Duplicate tag keys",
    ),
    "inline policies that differ only in case": (
        lambda all_: all_["UserDetailList"][0].update(
            UserPolicyList=[
                {"PolicyName": name, "PolicyDocument": all_["UserDetailList"][0]["UserPolicyList"][0]["PolicyDocument"]}
                for name in "pP"
            ]
        ),
        "alice",
        "Two inline policies",
    ),
}


@pytest.mark.parametrize("way", BROKEN)
def test_what_cannot_be_made_is_not_there_in_part_and_the_rest_is(root: Person, way: str) -> None:
    change, name, says = BROKEN[way]
    seen = {line.entity.name: line for line in preview(root.caller, read(changed(change)))}
    assert (seen[name].word, says in seen[name].detail) == ("Error", True), seen[name].detail
    lines = {line.entity.name: line for line in run(lambda: root.caller, read(changed(change)))}
    assert (lines[name].word, says in lines[name].detail) == ("Error", True), lines[name].detail
    assert not User.objects.named(root.account_id, name).exists()
    assert not ManagedPolicy.objects.own(root.account_id).filter(policy_name=name).exists()
    assert (lines["backup"].word, lines["limits"].word) == ("Created", "Created")


def test_tags_of_a_policy_may_differ_only_in_case(root: Person) -> None:
    tags = [{"Key": key, "Value": key} for key in "aA"]
    details = read(changed(lambda all_: all_["Policies"][0].update(Tags=tags)))
    assert words(preview(root.caller, details))["read-reports"] == "Will be created"
    assert words(run(lambda: root.caller, details))["read-reports"] == "Created"


def test_documents_may_be_url_encoded_as_the_api_itself_writes_them(root: Person) -> None:
    def encode(all_: Any) -> None:
        inline = all_["UserDetailList"][0]["UserPolicyList"][0]
        inline["PolicyDocument"] = quote(json.dumps(inline["PolicyDocument"]), safe="")

    lines = run(lambda: root.caller, read(changed(encode)))
    assert words(lines)["alice"] == "Created"


def test_everything_is_decided_by_the_callers_policies(root: Person) -> None:
    helper = make_user(root, "helper", allow("iam:CreateGroup", "iam:CreateUser", "iam:AddUserToGroup"))
    details = read(SMALL)
    seen = {line.entity.name: line for line in preview(helper.caller, details)}
    assert "iam:CreatePolicy" in seen["read-reports"].detail
    assert "iam:AttachGroupPolicy" in seen["developers"].detail
    assert words(run(lambda: helper.caller, details)) == {
        "read-reports": "Error",
        "limits": "Error",
        "developers": "Error",
        "reviewers": "Created",
        "alice": "Error",
        "backup": "Created",
        "loose": "Error",
    }


def test_which_credentials_are_to_be_given_anew(root: Person) -> None:
    lines = run(lambda: root.caller, read(SMALL))
    assert dict(credentials_to_give(lines)).keys() == {"alice", "backup"}
    assert credentials_to_give(lines, read_credential_report(REPORT)) == [
        ("alice", "a password or set-up link, MFA devices, an access key"),
        ("backup", "nothing: there were no credentials"),
    ]
    with pytest.raises(InvalidInput, match="AWS's columns"):
        read_credential_report(b"user\nalice\n")


def command(root: Person, name: str, *options: str) -> str:
    """What the command says."""
    out = StringIO()
    call_command("import_authorization_details", str(DATA / name), "--account", root.account_id, *options, stdout=out)
    return out.getvalue()


def test_the_command_shows_and_then_does(root: Person) -> None:
    shown = command(root, "small.json")
    assert "Will be created: user alice" in shown
    assert "Left out: role deploy" in shown
    assert "Nothing is changed" in shown
    assert not User.objects.in_account(root.account_id).exists()
    with pytest.raises(CommandError, match="Not all of it could be made"):
        command(root, "small.json", "--apply")
    assert "Give anew to alice: a password or set-up link" in command(root, "small.json")
    with pytest.raises(CommandError, match="At /UserDetailList/1/"):
        command(root, "malformed.json")
    with pytest.raises(CommandError, match="cannot be read"):
        command(root, "none.json")


def test_the_page_shows_and_then_does_and_can_be_sent_again(root: Person) -> None:
    client = signed_in(root)
    upload = SimpleUploadedFile("details.json", SMALL)
    seen = client.post(PAGE, {"file": upload, "go": "preview"})
    assert "Preview: 6 to create" in seen.content.decode()
    assert not User.objects.in_account(root.account_id).exists()
    for counts in ([("Created", 6), ("Error", 1)], [("Exists already", 6), ("Error", 1)]):
        done = client.post(PAGE, {"packed": seen.context["packed"], "go": "run"})
        assert done.context["counts"] == counts
    assert "not JSON" in client.post(PAGE, {"text": "x", "go": "run"}).content.decode()


def test_the_page_tells_of_each_user_what_the_credential_report_says(root: Person) -> None:
    client = signed_in(root)

    def uploaded(report: bytes = REPORT) -> dict[str, Any]:
        file, told = SimpleUploadedFile("details.json", SMALL), SimpleUploadedFile("credentials.csv", report)
        return {"file": file, "report": told, "go": "preview"}

    told = [
        ("alice", "a password or set-up link, MFA devices, an access key"),
        ("backup", "nothing: there were no credentials"),
    ]
    seen = client.post(PAGE, uploaded())
    carried = {name: seen.context[name] for name in ("packed", "packed_report")}
    assert 'id="anew"' not in seen.content.decode()  # nobody is there yet
    done = client.post(PAGE, {**carried, "go": "run"})
    assert done.context["to_give"] == told
    shown = done.content.decode()
    assert 'data-column="To be given anew">A password or set-up link, MFA devices, an access key<' in shown
    assert "choose it beside the file" not in shown
    again = client.post(PAGE, uploaded())
    assert again.context["to_give"] == told
    assert 'id="anew"' in again.content.decode()
    for report, says in ((b"user\nalice\n", "does not have AWS"), (REPORT + b" " * 1024 * 1024, "larger than 1 MiB")):
        refused = client.post(PAGE, uploaded(report)).content.decode()
        assert says in refused
        assert "Error: " in refused
    assert "not come whole" in client.post(PAGE, {**carried, "packed_report": "x", "go": "run"}).content.decode()


def test_the_page_takes_a_file_of_ten_mebibytes_and_no_larger_one(root: Person) -> None:
    client = signed_in(root)
    document = json.loads(many(300))
    for user in document["UserDetailList"]:  # as long as AWS's quota lets inline policies of a user be
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}
        policy["Statement"] *= 22
        user["UserPolicyList"] = [{"PolicyName": "own", "PolicyDocument": policy}]
    file = json.dumps(document, indent=8).encode()
    file += b" " * (LARGEST - len(file))
    seen = client.post(PAGE, {"file": SimpleUploadedFile("details.json", file), "go": "preview"})
    assert "Preview: 330 to create" in seen.content.decode()
    assert unpack(seen.context["packed"], LARGEST) == file
    done = client.post(PAGE, {"packed": seen.context["packed"], "go": "run"})
    assert done.context["counts"] == [("Created", 200), ("Not yet", 130)]
    too_large = client.post(PAGE, {"file": SimpleUploadedFile("details.json", file + b" ")})
    assert "larger than 10 MiB" in too_large.content.decode()
    assert client.post(PAGE, {"file": SimpleUploadedFile("details.json", file * 2)}).status_code == 413
    other = "/console/accounts/user/import/"
    assert client.post(other, {"file": SimpleUploadedFile("users.csv", file[: 600 * 1024])}).status_code == 413


def test_what_is_packed_is_unpacked_whole_and_never_to_more_than_a_page_takes() -> None:
    assert unpack(pack(SMALL), len(SMALL)) == SMALL
    for packed in (pack(SMALL)[:-8], "x", "ÿ", pack(b" " * 1_000_000)):
        with pytest.raises(InvalidInput, match="not come whole"):
            unpack(packed, len(SMALL))
    with pytest.raises(InvalidInput, match="too much for a page"):
        pack(os.urandom(2 * 1024 * 1024))


def test_what_differs_of_what_exists_is_told_and_left_as_it_is(root: Person) -> None:
    run(lambda: root.caller, read(SMALL))
    before = rows_of(root.account_id)

    def told(file: bytes) -> dict[str, tuple[str, ...]]:
        return {line.entity.name: line.differences for line in preview(root.caller, read(file)) if line.differences}

    assert told(SMALL) == {}
    assert {line.detail for line in preview(root.caller, read(SMALL)) if line.word == "Exists already"} == {
        "It is the same, and is left as it is."
    }

    def change(all_: Any) -> None:
        alice, backup = all_["UserDetailList"][:2]
        alice["Path"] = "/elsewhere/"
        alice["GroupList"] = ["Developers"]
        alice["AttachedManagedPolicies"].pop()
        alice["PermissionsBoundary"] = {}
        alice["Tags"] = [{"Key": "team", "Value": "red"}, {"Key": "new", "Value": "x"}]
        alice["UserPolicyList"][0]["PolicyDocument"]["Statement"][0]["Effect"] = "Deny"
        backup["UserPolicyList"] = [
            {"PolicyName": "other", "PolicyDocument": {"Version": "2012-10-17", "Statement": []}}
        ]
        reports = next(each for each in all_["Policies"] if each["PolicyName"] == "read-reports")
        for version in reports["PolicyVersionList"]:
            version["IsDefaultVersion"] = not version["IsDefaultVersion"]
        limits = next(each for each in all_["Policies"] if each["PolicyName"] == "limits")
        limits["PolicyVersionList"][0]["Document"]["Statement"] = []

    here = f"arn:aws:iam::{root.account_id}:policy"
    found = told(changed(change))
    assert found["alice"] == (
        "The path is /elsewhere/ in AWS and / here.",
        "Groups only here: reviewers.",
        f"Attached policies only here: {here}/design/read-reports.",
        "The inline policy own-folder says something else here.",
        f"The permissions boundary is none in AWS and {here}/limits here.",
        "Tags missing here: new.",
        "Tags only here: cost-centre.",
        "The tag team is 'red' in AWS and 'blue' here.",
    )
    assert found["backup"] == ("Inline policies missing here: other.",)
    assert found["read-reports"] == (
        "The version in force is v4 in AWS and v2 here.",
        "The version in force says something else here.",
    )
    assert found["limits"] == ("The version in force says something else here.",)
    assert rows_of(root.account_id) == before


def test_who_may_not_read_what_is_there_is_not_told_what_differs(root: Person) -> None:
    run(lambda: root.caller, read(SMALL))
    helper = make_user(root, "helper", allow("iam:List*", "iam:Create*"))
    lines = {line.entity.name: line for line in preview(helper.caller, read(SMALL))}
    assert "iam:GetAccountAuthorizationDetails" in lines["alice"].detail
    assert lines["alice"].differences == ()
