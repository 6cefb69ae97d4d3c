"""Names, tags and reasons that would be formulas, markup, other lines or directions survive every list, export and log."""

import csv
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.operations.suspension import suspend_user
from accounts.operations.users import create_user, list_user_tags, list_users, tag_user
from credentials.reports.models import CredentialReport
from iamconsole.errors import ValidationError
from iamconsole.logs import JSONLine, TextLine
from iamconsole.spreadsheets import FORMULAS
from tests.browser import signed_in
from tests.conftest import Person, make_group
from tests.test_credential_report import built

FORMULA_NAMES = ("=1+1", "+cmd", "-2+3", "@SUM", "=cmd,x")
# Right to left, an override of the direction, a combining accent, an invisible joiner, markup, another line.
STRANGE = ("\u05d3\u05e0\u05d4", "e\u202egnp.", "e\u0301rin", "a\u200db", "<b>x", "a\r\nb", "a\x00b")
# An owner of the database, or an older release, may have put in what no door takes.
SMUGGLED = ("\u05d3\u05e0\u05d4", "e\u202egnp.", "e\u0301\u0301\u0301rin", "<b>x<i>")
REASON = '=HYPERLINK("http://x","\u202ey"),e\u0301<b>'
KEY, VALUE = "\u05d0" * 126, "\u0639" * 256


@pytest.fixture
def stage(root: Person) -> Client:
    """An account full of them, and its root user's browser."""
    for name in FORMULA_NAMES:
        create_user(root.caller, user_name=name, path="/=1+1/")
    for number, name in enumerate(SMUGGLED):
        user = User(account_id=root.account_id, user_id=f"AIDA{root.account_id}{number:05}")
        user.rename(name)
        user.save(force_insert=True)
    tags = [{"key": f"{KEY}{number:02}", "value": VALUE} for number in range(50)]
    tag_user(root.caller, user_name="=1+1", tags=tags)
    tag_user(root.caller, user_name="+cmd", tags=[{"key": "=1+1", "value": "@SUM=1"}])
    suspend_user(root.caller, user_name="+cmd", reason=REASON)
    make_group(root, "=group", "=1+1")
    return signed_in(root)


def bytes_of(answer: Any) -> str:
    assert answer.status_code == 200
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return str(content.decode())


@pytest.mark.parametrize("name", STRANGE)
def test_no_door_takes_a_name_that_is_not_plain(root: Person, name: str) -> None:
    with pytest.raises(ValidationError):
        create_user(root.caller, user_name=name)


def test_lists_and_pages_show_them_as_text(stage: Client, root: Person) -> None:
    assert {user.user_name for user in list_users(root.caller).items} == {*FORMULA_NAMES, *SMUGGLED}
    assert len(list_user_tags(root.caller, user_name="=1+1").items) == 50
    for address in (
        reverse("admin:accounts_user_changelist"),
        reverse("admin:accounts_group_changelist"),
        reverse("admin:index"),
        f"{reverse('admin:search')}?q=e",
        reverse("admin:trail"),
        f"{reverse('admin:accounts_group_change', args=['=group'])}",
        *(
            f"{reverse('admin:accounts_user_change', args=['=1+1'])}?tab={tab}"
            for tab in ("tags", "activity", "groups")
        ),
        f"{reverse('admin:accounts_user_change', args=['+cmd'])}?tab=activity",
    ):
        page = bytes_of(stage.get(address))
        assert "<b>x" not in page
        assert "e\u0301<b>" not in page
    assert VALUE in bytes_of(stage.get(f"{reverse('admin:accounts_user_change', args=['=1+1'])}?tab=tags"))


def cells_of(text: str) -> Iterator[str]:
    """The cells of a CSV."""
    for row in csv.reader(io.StringIO(text, newline=""), strict=True):
        yield from row


def test_no_export_for_spreadsheets_has_a_formula_and_none_loses_a_name(stage: Client, root: Person) -> None:
    report: CredentialReport = built(root)
    download = {
        kind: bytes_of(stage.get(reverse("admin:credential-report-download", args=[report.pk, kind])))
        for kind in ("csv", "spreadsheet", "json")
    }
    trail = {
        kind: bytes_of(stage.post(reverse("admin:trail-export"), {"file_format": kind}))
        for kind in ("csv", "csv-raw", "jsonl")
    }
    for safe, plain in ((download["spreadsheet"], download["csv"]), (trail["csv"], trail["csv-raw"])):
        assert not [cell for cell in cells_of(safe) if cell.startswith(FORMULAS)]
        assert {cell.removeprefix("'") for cell in cells_of(safe)} >= {*FORMULA_NAMES} & {*cells_of(plain)}
    assert {row["user"] for row in json.loads(download["json"])["users"]} >= {*FORMULA_NAMES, *SMUGGLED}
    assert {*cells_of(download["csv"])} >= {*FORMULA_NAMES, *SMUGGLED}
    events = [json.loads(line) for line in trail["jsonl"].split("\n") if line]
    told = [event["requestParameters"] for event in events if event["eventName"] == "SuspendUser"]
    assert [parameters["reason"] for parameters in told] == [REASON]


@pytest.mark.parametrize("formatter", [JSONLine(), TextLine()])
def test_a_line_of_the_log_stays_one_line(formatter: logging.Formatter) -> None:
    told = f"{REASON}\r\nINFO forged"
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "user %s", (told,), None)
    record.fields = {"user": told}
    line = formatter.format(record)
    assert len(line.splitlines()) == 1
    if isinstance(formatter, JSONLine):
        assert json.loads(line)["user"] == told
