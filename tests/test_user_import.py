"""Importing users from CSV files: what is read, what is refused, and that nothing is half-done or done twice."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts import user_files, user_import
from accounts.models import User
from accounts.operations.whole_users import create_user_with_access
from credentials.models import LoginProfile
from iamconsole.downloads import SANDBOX
from iamconsole.errors import AccessDenied, InvalidInput
from tests.browser import a_client, signed_in, token_of
from tests.conftest import Person, allow, make_group, make_user
from tests.rows import events_of, rows_of

PAGE = "/console/accounts/user/import/"
HEAD = "user_name,path,groups,tags,console_access,end_date\n"


def text(answer: Any) -> str:
    return str(answer.content.decode())


def words(lines: list[user_import.Line]) -> list[tuple[str, str]]:
    return [(line.row.user_name, line.word) for line in lines]


def run(person: Person, file: str) -> list[user_import.Line]:
    """Do what a file says."""
    return user_import.run(lambda: person.caller, user_files.read(file))


def links_of(lines: list[user_import.Line]) -> list[str]:
    return [token_of(line.setup_url) for line in lines if line.setup_url]


def names_in(root: Person) -> set[Any]:
    return set(User.objects.in_account(root.account_id).values_list("user_name", flat=True))


# Reading


def test_the_template_is_such_a_file() -> None:
    alice, robot = user_files.read(user_files.TEMPLATE)
    assert alice.parameters == {
        "user_name": "alice",
        "path": "/design/",
        "group_names": ["developers", "reviewers"],
        "tags": [{"key": "team", "value": "blue"}, {"key": "cost-centre", "value": "4711"}],
        "setup_link": True,
    }
    assert robot.parameters["end_date"] == datetime(2099, 12, 31, tzinfo=UTC)
    assert (alice.line, robot.line, alice.errors, robot.errors) == (2, 3, (), ())


@pytest.mark.parametrize(
    "file",
    [
        b"\xef\xbb\xbfuser_name,tags\r\nerin,team=blue\r\n",
        b"User_Name , TAGS\rerin,team=blue",
        b'"user_name","tags"\n\n"erin","team=blue"\n,\n',
    ],
    ids=["byte order mark, CRLF", "capitals, spaces, CR, no end of line", "quotes, empty lines"],
)
def test_files_as_programs_write_them(file: bytes) -> None:
    [row] = user_files.read(user_files.text_of(file))
    assert (row.user_name, row.errors) == ("erin", ())
    assert row.parameters["tags"] == [{"key": "team", "value": "blue"}]


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("user_name\nérin".encode("latin-1"), "not text in UTF-8 .byte 11."),
        ("user_name\nerin".encode("utf-16"), "not text in UTF-8"),
        (b"user_name\ner\x00in", "null bytes"),
        (b"user_name\n" + b"x" * user_files.LARGEST_FILE, "larger than 256 KiB"),
        (b"", "no column user_name"),
        (b"user_name\n\n", "names no users"),
        (b"user_name;path\nerin;/", "not separated by commas"),
        (b"user_name,password\nerin,x", "“password” is not known"),
        (b"user_name,path,path\nerin,/,/", "named twice"),
        (b'user_name\n"erin', "Line 2 is no CSV"),
        (b'user_name\n"er"in"\n', "Line 2 is no CSV"),
        (b"user_name\n" + b"".join(b"u%d\n" % number for number in range(1001)), "more than 1000 users"),
        (b"user_name\n" + b"x" * 200_000, "Line 2 is no CSV"),
    ],
)
def test_what_is_no_such_file_is_refused_with_a_reason(file: bytes, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        user_files.read(user_files.text_of(file))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (",,,,,", ""),
        (",/a/,,,,", "There is no user name."),
        ("a b,,,,,", "Use up to 64 letters"),
        ("\u202eerin,,,,,", "Use up to 64 letters"),
        ("e\u0301rin,,,,,", "Use up to 64 letters"),
        ("erin,design,,,,", "Begin and end it with a slash"),
        ("erin,,no such,,,", "Use up to 128 letters"),
        ("erin,,nobodies,,,", "There is no group nobodies."),
        ("erin,,,team,,", "Tags are written key=value"),
        ("erin,,,a=\u202eb,,", "Tags have keys"),
        ("erin,,,a=b;A=c,,", "Duplicate tag keys found."),
        ("erin,,,aws:x=1,,", "reserved for system use"),
        ("erin,,,,password,", "console_access is setup_link or none."),
        ("erin,,,,,31.1.2027", "The end date is written"),
        ("erin,,,,,0001-01-01T00:00+14:00", "The end date is written"),
        ("erin,,,,,2020-01-01", "This time is past"),
        ("erin,,", "Values: 3. Columns: 6."),
        ("MALLORY,,,,,", "It is left as it is."),
    ],
)
def test_what_is_wrong_with_a_line_is_said_of_the_line_and_the_others_are_done(
    root: Person, mallory: Person, line: str, says: str
) -> None:
    rows = user_files.read(f"{HEAD}{line}\nfine,,,,,\n")
    *wrong, fine = user_import.preview(root.caller, rows)
    assert fine.word == "Will be created"
    assert all(says in each.detail for each in wrong)
    assert all(each.word in ("Error", "Exists already") for each in wrong)
    *_, done = user_import.run(lambda: root.caller, rows)
    assert done.word == "Created"
    assert names_in(root) == {"mallory", "fine"}


def test_names_that_stand_twice_are_one_name(root: Person) -> None:
    first, second = run(root, f"{HEAD}Erin,,,,,\neRIN,,,,,\n")
    assert (first.word, second.word) == ("Created", "Error")
    assert "in line 2 already" in second.detail


# Doing


def test_a_file_sent_again_changes_nothing_and_shows_no_link(root: Person) -> None:
    make_group(root, "developers")
    file = f"{HEAD}erin,/design/,Developers,team=blue,setup_link,2099-01-01\nfred,,,,none,\n"
    made = run(root, file)
    assert words(made) == [("erin", "Created"), ("fred", "Created")]
    [token] = links_of(made)
    erin = User.objects.get(account=root.account_id, user_name="erin")
    assert (erin.path, erin.end_date) == ("/design/", datetime(2099, 1, 1, tzinfo=UTC))
    assert [group.group_name for group in erin.groups.all()] == ["developers"]
    assert LoginProfile.objects.filter(user=erin).exists()
    told = events_of(root.account_id)
    assert {"iam:CreateUser", "iam:CreateLoginProfile", "iamconsole:PutUserEndDate"} <= {each.action for each in told}
    again = run(root, file)
    assert words(again) == [("erin", "Exists already"), ("fred", "Exists already")]
    assert len(events_of(root.account_id)) == len(told)
    assert a_client().get(f"/setup/{token}/").status_code == 200  # the first one is good still


def test_three_hundred_users_are_all_there_and_the_second_run_changes_nothing(root: Person) -> None:
    make_group(root, "developers")
    rows = user_files.read(HEAD + "".join(f"u{number},,developers,n={number},none,\n" for number in range(300)))
    results = [user_import.run(lambda: root.caller, rows) for _ in range(2)]
    assert [Counter(line.word for line in lines) for lines in results] == [
        {"Created": 200, "Not yet": 100},
        {"Exists already": 200, "Created": 100},
    ]
    after = rows_of(root.account_id)
    assert (len(after["User"]), len(after["Membership"])) == (301, 300)
    lines = [event["action"] for event in after["Event"]]
    assert [lines.count(action) for action in ("iam:CreateUser", "iam:AddUserToGroup")] == [300, 300]
    assert {line.word for line in user_import.preview(root.caller, rows)} == {"Exists already"}
    assert {line.word for line in user_import.run(lambda: root.caller, rows)} == {"Exists already"}
    assert rows_of(root.account_id) == after


def test_a_user_who_fails_is_not_there_at_all(root: Person) -> None:
    for number in range(11):
        make_group(root, f"group{number}")
    groups = ";".join(f"group{number}" for number in range(11))
    wrong, fine = run(root, f"{HEAD}erin,,{groups},,setup_link,\nfred,,,,,\n")
    assert (wrong.word, "GroupsPerUser" in wrong.detail, fine.word) == ("Error", True, "Created")
    assert names_in(root) == {"fred"}


def test_each_user_is_decided_by_the_callers_policies(root: Person) -> None:
    make_group(root, "developers")
    helper = make_user(
        root, "helper", allow("iam:CreateUser", resource=f"arn:aws:iam::{root.account_id}:user/design/*")
    )
    file = f"{HEAD}erin,/design/,,,,\nfred,/,,,,\ngwen,/design/,developers,,,\nhugo,/design/,,,setup_link,\n"
    seen = user_import.preview(helper.caller, user_files.read(file))
    assert [line.word for line in seen] == ["Will be created", "Error", "Error", "Error"]
    assert "iam:CreateUser" in seen[1].detail
    assert "iam:AddUserToGroup" in seen[2].detail
    assert "iam:CreateLoginProfile" in seen[3].detail
    done = run(helper, file)
    assert [line.word for line in done] == ["Created", "Error", "Error", "Error"]
    assert names_in(root) == {"helper", "erin"}
    with pytest.raises(AccessDenied, match="iamconsole:PutUserEndDate"):
        create_user_with_access(
            helper.caller, user_name="x", path="/design/", end_date=datetime(2099, 1, 1, tzinfo=UTC)
        )


def test_a_request_makes_so_many_and_the_next_goes_on(root: Person) -> None:
    rows = user_files.read(HEAD + "".join(f"u{number},,,,,\n" for number in range(5)))
    results = [user_import.run(lambda: root.caller, rows, most=3) for _ in range(2)]
    counts = [Counter(line.word for line in lines) for lines in results]
    assert counts == [{"Created": 3, "Not yet": 2}, {"Exists already": 3, "Created": 2}]


def test_the_pages_go_from_a_file_to_the_links(root: Person) -> None:
    client = signed_in(root)
    assert "Import users" in text(client.get("/console/accounts/user/"))
    template = client.get(f"{PAGE}template/")
    assert (text(template), template["Content-Security-Policy"]) == (user_files.TEMPLATE, SANDBOX)
    file = f"{HEAD}=cmd|x,,,,,\n=erin,,,,setup_link,\n"
    upload = SimpleUploadedFile("users.csv", b"\xef\xbb\xbf" + file.encode())
    seen = client.post(PAGE, {"file": upload, "go": "preview"})
    assert "1 user to create" in text(seen)
    assert names_in(root) == set()
    done = client.post(PAGE, {"text": seen.context["text"], "go": "run"})
    assert done["Cache-Control"] == "no-store"
    [token] = links_of(done.context["lines"])
    assert token in text(done)
    again = client.post(PAGE, {"text": seen.context["text"], "go": "run"})
    assert "Exists already: 1" in text(again)
    assert token not in text(again)
    assert "Choose a file" in text(client.post(PAGE, {"go": "preview"}))
    assert "no column user_name" in text(client.post(PAGE, {"text": "x", "go": "run"}))
