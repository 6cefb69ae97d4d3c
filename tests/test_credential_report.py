"""The credential report: its rows, how it is asked for, built and kept. Columns and values by hand, from live AWS reports."""

import base64
import csv
import io
import secrets
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import time_machine
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from accounts import jobs
from accounts.job_models import Job
from accounts.models import User
from credentials.certificate_models import SigningCertificate
from credentials.mfa.models import MFADevice
from credentials.models import AccessKey, LoginProfile
from credentials.operations.credential_reports import (
    compare_credential_reports,
    generate_credential_report,
    get_credential_report,
    get_kept_credential_report,
    list_credential_reports,
    refresh_credential_report,
)
from credentials.operations.password_policies import update_account_password_policy
from credentials.reports import rows
from credentials.reports.comparison import Change
from credentials.reports.models import CredentialReport
from iamconsole.errors import (
    AccessDenied,
    LimitExceeded,
    NoSuchEntity,
    ReportExpired,
    ReportInProgress,
    ReportNotPresent,
)
from tests.authenticators import give_app
from tests.aws_cli import aws
from tests.conftest import ROOT, Person, allow, make_user
from tests.everything import give_password, new_target
from tests.test_races import at_once

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
ACCOUNT = "ACCOUNT_ID"


def built(root: Person) -> CredentialReport:
    """The account's report, asked for and built here."""
    generate_credential_report(root.caller)
    finish(root)
    return get_credential_report(root.caller)


def finish(root: Person) -> None:
    """Do what the task worker would."""
    for job in Job.objects.filter(account=root.account_id, state="waiting"):
        assert jobs.run(job.pk)


def in_every_state(root: Person) -> None:
    """One user in every state that a credential can be in, the root user too; days are those of November 2026."""
    create = {"root": 1}
    made: dict[str, User] = {"root": root.user}
    names = ["Alice", "bob", "carol", "Dave,Dave", "=1+1", "erin", "frank", "zoe"]
    for day, name in enumerate(names, start=2):
        made[name], create[name] = new_target(root, name), day
    for name, user in made.items():
        User.objects.filter(pk=user.pk).update(create_date=day_of(create[name]))
    AccessKey.objects.filter(user=root.user).delete()
    # The root user: password, MFA, one key that was used
    give_password(root.user)
    set_times(root.user, changed=day_of(3), used=day_of(19))
    give_app(root.account_id, root.user, "root-app")
    give_key(root.user, day_of(4), used=day_of(5), service="sts", region="us-east-1")
    # Alice: password used, MFA, two keys, one used and one inactive and never used
    give_password(made["Alice"])
    set_times(made["Alice"], changed=day_of(10), used=day_of(18))
    give_app(root.account_id, made["Alice"], "alice-app")
    give_key(made["Alice"], day_of(6), used=day_of(17), service="iam", region="eu-central-1")
    give_key(made["Alice"], day_of(7), active=False)
    give_certificate(made["Alice"], day_of(13))
    give_certificate(made["Alice"], day_of(14), active=False)
    give_certificate(made["frank"], day_of(15))
    # Her two certificates: one active, one not. bob: nothing at all. carol: a password that was never used
    give_password(made["carol"])
    set_times(made["carol"], changed=day_of(12))
    # Dave,Dave: an inactive key that was used, from no region. =1+1: one active key, never used
    give_key(made["Dave,Dave"], day_of(8), used=day_of(9), service="s3", region="N/A", active=False)
    give_key(made["=1+1"], day_of(9))
    # erin: had a password, and used it. frank: MFA without a password, and a path. zoe: a password to be changed
    set_times(made["erin"], used=day_of(8))
    User.objects.filter(pk=made["frank"].pk).update(path='/a"b,c/')
    give_app(root.account_id, made["frank"], "frank-app")
    give_password(made["zoe"])
    LoginProfile.objects.filter(user=made["zoe"]).update(password_reset_required=True)
    set_times(made["zoe"], changed=day_of(19), used=day_of(20))


def day_of(number: int) -> datetime:
    """Eleven o'clock and as many minutes and seconds as the day."""
    return datetime(2026, 11, number, 11, number, number, tzinfo=UTC)


def set_times(user: User, *, changed: datetime | None = None, used: datetime | None = None) -> None:
    User.objects.filter(pk=user.pk).update(password_last_changed=changed, password_last_used=used)


def give_key(
    user: User,
    created: datetime,
    *,
    used: datetime | None = None,
    service: str = "N/A",
    region: str = "N/A",
    active: bool = True,
) -> None:
    key, _ = AccessKey.issue(user)
    AccessKey.objects.filter(pk=key.pk).update(
        create_date=created,
        status="Active" if active else "Inactive",
        last_used_date=used,
        last_used_service=service,
        last_used_region=region,
    )


def give_certificate(user: User, uploaded: datetime, *, active: bool = True) -> None:
    SigningCertificate.objects.create(
        account=user.account,
        user=user,
        certificate_id=secrets.token_hex(16).upper(),
        certificate_body="-",
        status="Active" if active else "Inactive",
        upload_date=uploaded,
    )


def by_hand(root: Person) -> bytes:
    """The file written by hand, for this account."""
    text = (ROOT / "tests/data/credential_report.csv").read_bytes()
    return text.replace(ACCOUNT.encode(), root.account_id.encode())


# What stands in it


def test_the_report_equals_the_one_written_by_hand_byte_for_byte(root: Person) -> None:
    in_every_state(root)
    update_account_password_policy(root.caller, max_password_age=90)
    with time_machine.travel(NOW, tick=False):
        assert built(root).content == by_hand(root)


def test_without_an_expiry_there_is_no_next_rotation(root: Person) -> None:
    in_every_state(root)
    with time_machine.travel(NOW, tick=False):
        read = list(rows.read(built(root).texts()))
    assert [row["password_next_rotation"] for row in read] == ["not_supported"] + ["N/A"] * 8


def test_the_aws_cli_and_boto3_fetch_it(root: Person, alice: Person, server: Path) -> None:
    cli = partial(aws, alice, "iam")
    started = cli("generate-credential-report")
    assert started == {"State": "STARTED", "Description": "No report exists. Starting a new report generation task"}
    assert cli("generate-credential-report") == {"State": "INPROGRESS"}
    finish(root)
    assert cli("generate-credential-report") == {"State": "COMPLETE"}
    fetched = cli("get-credential-report")
    answer = alice.client().get_credential_report()
    assert base64.b64decode(fetched["Content"]) == answer["Content"] == get_credential_report(root.caller).content
    assert fetched["ReportFormat"] == answer["ReportFormat"] == "text/csv"
    [first, second] = csv.DictReader(io.StringIO(answer["Content"].decode()))
    assert (first["user"], second["user"]) == ("<root_account>", "alice")
    assert not answer["Content"].endswith(b"\n")


def test_the_faults_of_a_report_that_is_not_there_are_awss(root: Person, alice: Person, server: Path) -> None:
    iam = alice.client()

    def refusal() -> tuple[str, int]:
        with pytest.raises(iam.exceptions.ClientError) as caught:
            iam.get_credential_report()
        return caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]

    assert refusal() == ("ReportNotPresent", 410)
    iam.generate_credential_report()
    assert refusal() == ("ReportInProgress", 404)
    finish(root)
    iam.get_credential_report()
    CredentialReport.objects.filter(account=root.account_id).update(
        generated_time=datetime.now(UTC) - timedelta(hours=4)
    )
    assert refusal() == ("ReportExpired", 410)


# How it is asked for


def test_a_report_is_good_for_four_hours_whatever_changes(root: Person) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        with pytest.raises(ReportNotPresent):
            get_credential_report(root.caller)
        before = built(root).content
        new_target(root, "newcomer")
        clock.shift(timedelta(hours=4, seconds=-1))
        assert generate_credential_report(root.caller) == {"state": "COMPLETE"}
        assert get_credential_report(root.caller).content == before
        clock.shift(timedelta(seconds=1))
        with pytest.raises(ReportExpired):
            get_credential_report(root.caller)
        assert generate_credential_report(root.caller)["state"] == "STARTED"
        with pytest.raises(ReportInProgress):
            get_credential_report(root.caller)
        finish(root)
        assert b"newcomer" in get_credential_report(root.caller).content


def test_of_many_who_ask_at_once_one_starts_a_report(root: Person, alice: Person, server: Path) -> None:
    answers = at_once([alice.client().generate_credential_report] * 8)
    assert sorted(answer["State"] for answer in answers) == ["INPROGRESS"] * 7 + ["STARTED"]
    assert Job.objects.filter(account=root.account_id).count() == 1


def test_the_console_can_have_a_fresh_one_and_only_one_is_on_the_way(root: Person) -> None:
    first = built(root)
    second = refresh_credential_report(root.caller)
    assert second.pk != first.pk
    assert refresh_credential_report(root.caller).pk == second.pk
    assert generate_credential_report(root.caller) == {"state": "INPROGRESS"}
    assert get_credential_report(root.caller).pk == first.pk
    finish(root)
    assert get_credential_report(root.caller).pk == second.pk


def test_nobody_fills_the_database_with_fresh_reports(root: Person) -> None:
    for _ in range(24):
        refresh_credential_report(root.caller)
        finish(root)
    with pytest.raises(LimitExceeded):
        refresh_credential_report(root.caller)
    CredentialReport.objects.filter(account=root.account_id).update(generated_time=NOW)
    assert generate_credential_report(root.caller)["state"] == "STARTED"


def test_a_report_that_failed_is_started_anew(root: Person) -> None:
    generate_credential_report(root.caller)
    Job.objects.filter(account=root.account_id).update(state="failed", complete_date=NOW)
    with pytest.raises(ReportNotPresent):
        get_credential_report(root.caller)
    assert generate_credential_report(root.caller)["state"] == "STARTED"


def test_reports_are_kept_for_a_number_of_days(root: Person) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        old = built(root)
        clock.shift(timedelta(days=89))
        kept = built(root)
        clock.shift(timedelta(days=2))
        built(root)
        with pytest.raises(NoSuchEntity):
            get_kept_credential_report(root.caller, report_id=old.report_id)
        assert get_kept_credential_report(root.caller, report_id=kept.report_id).content == kept.content
        assert len(list_credential_reports(root.caller).items) == 2


def test_another_account_has_reports_of_its_own(root: Person, trudy: Person) -> None:
    report = built(root)
    with pytest.raises(ReportNotPresent):
        get_credential_report(trudy.caller)
    with pytest.raises(NoSuchEntity):
        get_kept_credential_report(trudy.caller, report_id=report.report_id)
    with pytest.raises(NoSuchEntity):
        compare_credential_reports(trudy.caller, report_id=report.report_id, later_report_id=report.report_id)
    assert list_credential_reports(trudy.caller).items == []


def test_a_report_wants_its_permission(root: Person, mallory: Person) -> None:
    report = built(root)
    auditor = make_user(root, "auditor", allow("iam:GetCredentialReport"))
    assert get_credential_report(auditor.caller).pk == report.pk
    for ask in (generate_credential_report, refresh_credential_report, list_credential_reports):
        with pytest.raises(AccessDenied):
            ask(auditor.caller)
    with pytest.raises(AccessDenied):
        get_credential_report(mallory.caller)


# How two differ


def test_two_reports_are_compared_with_the_names(root: Person) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        users = {name: new_target(root, name) for name in ("al", "bo", "cy", "di")}
        for name in ("al", "bo", "cy"):
            give_password(users[name])
            give_app(root.account_id, users[name], f"app-{name}")
            give_key(users[name], NOW - timedelta(days=30))
        before = built(root)
        MFADevice.objects.filter(user__in=[users["al"], users["bo"], users["cy"]]).delete()
        give_key(users["al"], NOW + timedelta(seconds=1))
        LoginProfile.objects.filter(user=users["cy"]).delete()
        User.objects.filter(pk=users["di"].pk).delete()
        new_target(root, "ed")
        AccessKey.objects.filter(user=users["cy"]).update(create_date=NOW + timedelta(days=1))
        clock.shift(timedelta(days=61))
        after = built(root)
    found = {
        change.label: (change.count, change.user_names)
        for change in compare_credential_reports(
            root.caller, report_id=before.report_id, later_report_id=after.report_id
        )
    }
    assert found["Lost MFA"] == (3, ["al", "bo", "cy"])
    assert found["New users"] == (1, ["ed"])
    assert found["Users deleted"] == (1, ["di"])
    assert found["Password disabled"] == (1, ["cy"])
    assert found["New access keys"] == (2, ["al", "cy"])
    assert found["Access keys deleted"] == (1, ["cy"])
    assert found["Access keys grown older than 90 days"] == (2, ["al", "bo"])
    assert found["New finding: Key older than 90 days"] == (2, ["al", "bo"])
    assert found["New finding: Password without MFA"] == (2, ["al", "bo"])
    assert found["New finding: Two active keys"] == (1, ["al"])
    assert "Got MFA" not in found


def test_each_kind_of_change_is_counted_with_its_users_and_nothing_else_is(root: Person) -> None:
    def ago(days: float) -> datetime:
        return NOW - timedelta(days=days)

    def key_of(name: str, days: float) -> QuerySet[AccessKey]:
        return AccessKey.objects.filter(user=users[name], create_date=ago(days))

    with time_machine.travel(NOW, tick=False) as clock:
        users = {
            name: new_target(root, name)
            for name in ("switch", "spare", "aged", "aged2", "again", "mfa", "pass", "gone")
        }
        give_key(users["switch"], ago(1))
        give_key(users["switch"], ago(2), active=False)
        for days in (3, 4):
            give_key(users["spare"], ago(days))
        for days in (80, 89):
            give_key(users["aged"], ago(days))
        give_key(users["aged2"], ago(90.1))  # was that old already
        give_key(users["aged2"], ago(88), active=False)
        give_key(users["again"], ago(5))
        give_key(users["gone"], ago(6))
        before = built(root)
        key_of("switch", 1).update(status="Inactive")
        key_of("switch", 2).update(status="Active")
        key_of("spare", 3).delete()
        clock.shift(timedelta(days=5))
        for name in ("again", "gone"):
            User.objects.filter(pk=users[name].pk).delete()
        new_target(root, "again")
        give_key(new_target(root, "fresh"), NOW)
        give_app(root.account_id, users["mfa"], "new-app")
        give_password(users["pass"])
        after = built(root)
    changes = compare_credential_reports(root.caller, report_id=before.report_id, later_report_id=after.report_id)
    assert {change.label: (change.count, change.user_names) for change in changes} == {
        "New users": (2, ["again", "fresh"]),
        "Users deleted": (2, ["again", "gone"]),
        "Got MFA": (1, ["mfa"]),
        "Password enabled": (1, ["pass"]),
        "New access keys": (1, ["fresh"]),
        "Access keys deleted": (3, ["again", "gone", "spare"]),
        "Access keys activated": (1, ["switch"]),
        "Access keys deactivated": (1, ["switch"]),
        "Access keys grown older than 90 days": (1, ["aged"]),
        "New finding: Key older than 90 days": (1, ["aged"]),
        "New finding: Password without MFA": (1, ["pass"]),
        "No longer: Two active keys": (1, ["spare"]),
    }
    back = compare_credential_reports(root.caller, report_id=after.report_id, later_report_id=before.report_id)
    told = {change.label: change.count for change in back}
    assert (told["Lost MFA"], told["Password disabled"], told["New access keys"]) == (1, 1, 3)


def test_more_than_a_hundred_users_are_counted_and_not_named() -> None:
    change = Change("Access keys deleted")
    for number in range(103):
        change.add(f"u{number}", 2)
    assert (change.count, len(change.user_names), change.more) == (206, 100, 3)


def test_a_report_equals_itself(root: Person) -> None:
    in_every_state(root)
    report = built(root)
    same = report.report_id
    assert compare_credential_reports(root.caller, report_id=same, later_report_id=same) == []


# How it is built


def many_users(root: Person, count: int) -> None:
    """Users with a key each, and every second one with another."""
    User.objects.bulk_create(
        [
            User(
                account_id=root.account_id,
                user_id=f"AIDA{secrets_of(root)}{number:07}",
                user_name=f"User-{number:06}",
                user_name_key=f"user-{number:06}",
                password="!",
                create_date=NOW,
            )
            for number in range(count)
        ],
        batch_size=500,
    )
    ids = User.objects.in_account(root.account_id).order_by("pk").values_list("pk", flat=True)
    AccessKey.objects.bulk_create(
        [
            AccessKey(
                user_id=pk, access_key_id=f"AKIA{secrets_of(root)}{index:06}{turn}", sealed_secret="-", create_date=NOW
            )
            for index, pk in enumerate(ids)
            for turn in (0, 1)
            if turn == 0 or index % 2
        ],
        batch_size=500,
    )


def secrets_of(root: Person) -> str:
    """Some characters of the account's own."""
    return str(root.account_id)[-6:]


def test_ten_thousand_users_cost_a_fixed_number_of_queries_a_batch(root: Person) -> None:
    many_users(root, 600)
    few = queries_of_building(root)
    User.objects.bulk_create(
        [
            User(
                account_id=root.account_id,
                user_id=f"AIDB{secrets_of(root)}{number:07}",
                user_name=f"more-{number:06}",
                user_name_key=f"more-{number:06}",
                password="!",
            )
            for number in range(9_400)
        ],
        batch_size=500,
    )
    many = queries_of_building(root)
    batches = [2, 21]  # 601 and 10,001 rows of 500 a batch
    a_batch, rest = divmod(many - few, batches[1] - batches[0])
    assert (a_batch, rest) == (few_a_batch(), 0)
    content = get_credential_report(root.caller).content.decode().splitlines()
    assert len(content) == 10_002
    names = [line.partition(",")[0] for line in content[2:]]
    assert names == sorted(names, key=str.lower)


def few_a_batch() -> int:
    """Users, keys, certificates, MFA devices, the beat, the chunk; and a transaction, where its ends are told."""
    return 6 + 2 * (connection.vendor == "postgresql") + 2 * (connection.vendor == "sqlite")


def queries_of_building(root: Person) -> int:
    refresh_credential_report(root.caller)
    job = Job.objects.get(account=root.account_id, state="waiting")
    with CaptureQueriesContext(connection) as captured:
        assert jobs.run(job.pk)
    return len(captured)
