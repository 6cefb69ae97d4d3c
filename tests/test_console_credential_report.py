"""The pages of the credential report, its downloads, and the command that writes one."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from playwright.sync_api import expect

from accounts.job_models import Job
from accounts.models import User
from accounts.operations.users import create_user
from credentials.operations.credential_reports import get_credential_report
from credentials.operations.password_policies import update_account_password_policy
from credentials.reports import rows
from iamconsole.downloads import SANDBOX
from iamconsole.spreadsheets import FORMULAS
from tests.browser import Visitor, give_password, signed_in
from tests.conftest import ROOT, Person, allow, make_user
from tests.test_credential_report import built, finish, in_every_state, many_users

PAGE = "/console/credential-report/"
HOSTILE = ("=1+1", "+x", "@x", "-x", "a,b", "..")


def bytes_of(answer: Any) -> bytes:
    """A download's bytes."""
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def download(client: Client, report_id: str, kind: str) -> Any:
    return client.get(f"{PAGE}{report_id}/download/{kind}/")


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


# Downloads


def test_the_download_is_awss_csv_to_the_byte(root: Person) -> None:
    in_every_state(root)
    admin = signed_in(root)
    report = built(root)
    answer = download(admin, report.report_id, "csv")
    moment = report.generated_time.strftime("%Y-%m-%dT%H-%M-%S") if report.generated_time else ""
    assert answer["Content-Disposition"] == f'attachment; filename="status_reports_{moment}.csv"'
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Security-Policy"] == SANDBOX
    assert bytes_of(answer) == report.content


@pytest.mark.asvs("1.2.10")
def test_a_spreadsheet_runs_no_name_as_a_formula_and_the_api_tells_it_as_it_is(root: Person, admin: Client) -> None:
    for name in ("=1+1", "+x", "@x", "-x", "a,b", "plain"):
        create_user(root.caller, user_name=name)
    report = built(root)
    safe = list(csv.reader(io.StringIO(bytes_of(download(admin, report.report_id, "spreadsheet")).decode())))
    plain = list(csv.reader(io.StringIO(report.content.decode())))
    names = [row[0] for row in safe[2:]]
    assert sorted(names) == ["'+x", "'-x", "'=1+1", "'@x", "a,b", "plain"]
    assert not [cell for row in safe for cell in row if cell.startswith(FORMULAS)]
    assert [[cell.removeprefix("'") for cell in row] for row in safe] == plain
    assert {row[0] for row in plain[2:]} == {"=1+1", "+x", "@x", "-x", "a,b", "plain"}


def test_the_json_has_the_same_rows(root: Person) -> None:
    in_every_state(root)
    admin = signed_in(root)
    report = built(root)
    answer = download(admin, report.report_id, "json")
    assert answer["Content-Security-Policy"] == SANDBOX
    assert answer["Content-Disposition"].endswith('.json"')
    document = json.loads(bytes_of(answer))
    assert document["users"] == list(rows.read(report.texts()))
    assert document["generated_time"] == rows.moment(report.generated_time)


def test_who_may_read_the_fresh_one_may_download_it_and_no_other(root: Person) -> None:
    old = built(root)
    auditor = signed_in(make_user(root, "auditor", allow("iam:*CredentialReport")))
    assert bytes_of(download(auditor, old.report_id, "csv")) == old.content
    assert "As of" in text(auditor.get(PAGE))
    from credentials.operations.credential_reports import refresh_credential_report

    refresh_credential_report(root.caller)
    finish(root)
    assert download(auditor, old.report_id, "csv").status_code == 403
    nobody = signed_in(make_user(root, "nobody"))
    fresh = get_credential_report(root.caller)
    for kind in ("csv", "spreadsheet", "json"):
        assert download(nobody, fresh.report_id, kind).status_code == 403
    assert download(signed_in(root), fresh.report_id, "pdf").status_code == 404


def test_another_accounts_report_is_not_there(root: Person, trudy: Person) -> None:
    report = built(root)
    client = signed_in(trudy)
    for path in ("", "download/csv/", "download/json/"):
        assert client.get(f"{PAGE}{report.report_id}/{path}").status_code == 404
    assert client.get(f"{PAGE}compare/?before={report.report_id}&after={report.report_id}").status_code == 404


# Pages


def test_the_table_shows_hostile_names_as_they_are(root: Person, admin: Client) -> None:
    for name in HOSTILE:
        create_user(root.caller, user_name=name)
    create_user(root.caller, user_name="path", path='/<b>"&amp;,/')
    built(root)
    page = admin.get(PAGE).content.decode()
    for name in HOSTILE:
        assert f"<bdi>{name}</bdi>" in page
    assert "/&lt;b&gt;&quot;&amp;amp;,/path</bdi>" in page
    assert "<b>" not in page


def test_the_table_comes_in_pages(root: Person, admin: Client) -> None:
    many_users(root, 620)
    built(root)
    seen: list[str] = []
    for number in range(1, 14):
        page = admin.get(PAGE, {"page": number})
        assert "Page" in text(page)
        seen += [row["user"] for row in page.context["rows"]]
    assert len(seen) == len(set(seen)) == 621
    assert (seen[0], seen[-1]) == ("<root_account>", "User-000619")


def test_the_findings_stand_beside_each_user(root: Person) -> None:
    in_every_state(root)
    admin = signed_in(root)
    built(root)
    found = {row["user"]: [each.check for each in row["findings"]] for row in admin.get(PAGE).context["rows"]}
    assert found["carol"] == ["iam_user_mfa_enabled_console_access"]
    assert found["<root_account>"] == ["iam_no_root_access_key"]
    assert found["Alice"] == found["bob"] == []


@pytest.mark.parametrize("javascript", [True, False])
def test_generate_now_waits_for_the_worker_and_shows_the_report(
    root: Person, alice: Person, visit: Callable[..., Visitor], worker: Callable[[], object], javascript: bool
) -> None:
    give_password(alice)
    many_users(root, 30)
    visitor = visit(java_script_enabled=javascript)
    page = visitor.sign_in(alice)
    page.goto(PAGE)
    expect(page.locator("main")).to_contain_text("No report yet")
    page.get_by_role("button", name="Generate now").click()
    expect(page.locator("main")).to_contain_text("It waits for the task worker")
    worker()
    if not javascript:
        while not Job.objects.get(account=root.account_id).is_over:
            page.wait_for_timeout(100)
        page.get_by_role("link", name="Look again").click()
    expect(page.locator("main")).to_contain_text("As of")
    expect(page.locator("main")).to_contain_text("User-000029")
    with page.expect_download() as begun:
        page.get_by_role("link", name="Download CSV").click()
    assert Path(begun.value.path()).read_bytes() == get_credential_report(root.caller).content


def test_a_report_that_could_not_be_built_says_so_and_is_tried_again(root: Person, admin: Client) -> None:
    whole = built(root)
    update_account_password_policy(root.caller, max_password_age=90)
    beyond = User.objects.filter(pk=make_user(root, "beyond").user.pk)
    give_password(beyond.get())
    beyond.update(password_last_changed=datetime.max.replace(tzinfo=UTC))  # no date is ninety days later
    assert admin.post(f"{PAGE}generate/").status_code == 302
    finish(root)
    failed = Job.objects.filter(account=root.account_id).latest("create_date")
    assert failed.state == "failed"
    shown = text(admin.get(PAGE))
    assert "The last report could not be built" in shown
    assert f"ended {failed.complete_date:%Y-%m-%d %H:%M:%S} UTC" in shown
    assert "It failed (OverflowError): the server&#x27;s log says why." in shown
    assert "Below is the report before it." in shown
    assert (shown.count("Generate now"), shown.count(f'action="{PAGE}generate/"'), shown.count("Try again")) == (
        0,
        1,
        1,
    )
    assert "could not be built" not in text(admin.get(f"{PAGE}{whole.report_id}/"))
    reader = signed_in(make_user(root, "reader", allow("iamconsole:ListCredentialReports", "iam:GetCredentialReport")))
    assert "could not be built" in text(reader.get(PAGE))
    assert "Try again" not in text(reader.get(PAGE))
    beyond.update(password_last_changed=datetime.now(UTC))
    assert "waits for the task worker" in text(admin.post(f"{PAGE}generate/", follow=True))
    finish(root)
    assert "could not be built" not in text(admin.get(PAGE))


def test_two_reports_are_compared_from_the_page(root: Person, admin: Client) -> None:
    from credentials.operations.credential_reports import refresh_credential_report

    first = built(root)
    create_user(root.caller, user_name="newcomer")
    refresh_credential_report(root.caller)
    finish(root)
    second = get_credential_report(root.caller)
    page = admin.get(f"{PAGE}compare/?before={first.report_id}&after={second.report_id}")
    assert "New users" in text(page)
    assert "<bdi>newcomer</bdi>" in text(page)


# The shell


def test_the_command_builds_the_report_where_there_is_no_worker(root: Person, tmp_path: Path) -> None:
    in_every_state(root)
    out = tmp_path / "report.csv"
    call_command("credential_report", account=root.account_id, out=out, stderr=io.StringIO())
    assert out.read_bytes() == get_credential_report(root.caller).content
    assert Job.objects.filter(account=root.account_id).count() == 1
    call_command("credential_report", account=root.account_id, out=out, stderr=io.StringIO())
    assert Job.objects.filter(account=root.account_id).count() == 1
    call_command("credential_report", account=root.account_id, out=out, fresh=True, stderr=io.StringIO())
    assert Job.objects.filter(account=root.account_id).count() == 2


def test_the_command_writes_to_standard_output(root: Person) -> None:
    command = [sys.executable, "manage.py", "credential_report", "--account", root.account_id]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    assert done.stdout == get_credential_report(root.caller).content


def test_the_command_knows_no_other_account() -> None:
    with pytest.raises(CommandError, match="There is no account"):
        call_command("credential_report", account="nowhere")


def test_the_command_shows_a_bar_on_a_terminal(root: Person, tmp_path: Path) -> None:
    many_users(root, 5_000)
    out = tmp_path / "report.csv"
    command = f"{sys.executable} manage.py credential_report --account {root.account_id} --out {out}"
    done = subprocess.run(
        ["script", "--quiet", "--return", "--command", command, "/dev/null"], cwd=ROOT, capture_output=True, check=True
    )
    assert b"%" in done.stdout
    assert b"[#" in done.stdout
    assert out.read_bytes() == get_credential_report(root.caller).content
