"""Building a credential report: a batch of users at a time, in the order of their names, with a fixed number of queries each."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.hashers import is_password_usable
from django.db import transaction
from django.utils import timezone

from accounts import arns, jobs
from accounts.models import Account, User
from credentials.certificate_models import SigningCertificate
from credentials.mfa.models import MFADevice
from credentials.models import AccessKey, PasswordPolicy
from credentials.reports import rows
from credentials.reports.models import ROWS_A_CHUNK, CredentialReport, ReportChunk

KIND: Final = "credential-report"
jobs.keep(KIND, lambda: timedelta(days=settings.CREDENTIAL_REPORT_DAYS))
FIELDS = (
    "pk",
    "account_id",
    "user_name",
    "user_name_key",
    "path",
    "create_date",
    "password",
    "password_last_used",
    "password_last_changed",
    "login_profile__pk",
)


def start(account: Account) -> CredentialReport:
    """Start a report of a locked account: its job is done by the task worker. What need not be kept any more goes."""
    jobs.prune(account, KIND)
    return CredentialReport.objects.create(account=account, job=jobs.start(account, KIND))


@jobs.work(KIND)
def build(progress: jobs.Progress) -> Mapping[str, Any]:
    """Write the report of a job, chunk by chunk; what an earlier try has written is removed first.

    Each chunk is committed together with a beat of the job, so a worker that has lost it writes no more.
    """
    job = progress.job
    report = CredentialReport.objects.get(job=job)
    began = timezone.now()
    with transaction.atomic():
        progress.beat(done=0, total=User.objects.filter(account=job.account).count())
        report.chunks.all().delete()
    done = size = 0
    for number, batch in enumerate(subjects(job.account)):
        text = "".join(f"\n{rows.written(each.row())}" for each in batch)
        if number == 0:
            text = rows.written(rows.COLUMNS) + text
        done, size = done + len(batch), size + len(text.encode())
        with transaction.atomic():
            progress.beat(done=done)
            ReportChunk.objects.create(report=report, number=number, content=text)
    with transaction.atomic():
        progress.beat(done=done)
        CredentialReport.objects.filter(pk=report.pk).update(generated_time=began, users=done, size=size)
    return {"users": done, "size": size}


def subjects(account: Account) -> Iterator[list[rows.Subject]]:
    """The account's users in batches of a chunk: the root user first, the others by name whatever its case."""
    policy = PasswordPolicy.of(account)
    age = timedelta(days=policy.max_password_age) if policy and policy.max_password_age else None
    found = list(User.objects.filter(account=account, user_name__isnull=True).values(*FIELDS))
    others = User.objects.in_account(account).order_by("user_name_key").values(*FIELDS)
    found += others[: ROWS_A_CHUNK - len(found)]
    while found:
        yield _subjects(found, age)
        last = found[-1]["user_name_key"]
        found = list(others.filter(user_name_key__gt=last)[:ROWS_A_CHUNK]) if last is not None else []


def _subjects(users: Sequence[Mapping[str, Any]], age: timedelta | None) -> list[rows.Subject]:
    ids = [user["pk"] for user in users]
    keys, certificates = _keys(ids), _certificates(ids)
    with_mfa = set(MFADevice.objects.filter(user__in=ids, confirmed=True).order_by().values_list("user", flat=True))
    return [
        _subject(user, age, keys[user["pk"]], certificates.get(user["pk"], ()), mfa_active=user["pk"] in with_mfa)
        for user in users
    ]


def _subject(
    user: Mapping[str, Any],
    age: timedelta | None,
    keys: Sequence[rows.Key],
    certificates: Sequence[rows.Certificate],
    *,
    mfa_active: bool,
) -> rows.Subject:
    account_id, name = user["account_id"], user["user_name"]
    is_root = name is None
    changed = user["password_last_changed"]
    return rows.Subject(
        user=rows.ROOT if is_root else name,
        arn=arns.root(account_id) if is_root else arns.user(account_id, user["path"], name),
        create_date=user["create_date"],
        # Who has a set-up link and no password yet has a profile too.
        password_enabled=is_password_usable(user["password"]) and (is_root or user["login_profile__pk"] is not None),
        password_last_used=user["password_last_used"],
        password_last_changed=changed,
        password_next_rotation=changed + age if changed and age else None,
        mfa_active=mfa_active,
        is_root=is_root,
        keys=keys,
        certificates=certificates,
    )


def _keys(users: Sequence[int]) -> Mapping[int, list[rows.Key]]:
    keys: dict[int, list[rows.Key]] = defaultdict(list)
    for key in AccessKey.objects.filter(user__in=users).order_by("pk").iterator():
        keys[key.user_id].append(
            rows.Key(key.active, key.create_date, key.last_used_date, key.last_used_region, key.last_used_service)
        )
    return keys


def _certificates(users: Sequence[int]) -> Mapping[int, Sequence[rows.Certificate]]:
    """The signing certificates of users by their row, each user's in the order of their age."""
    certificates: dict[int, list[rows.Certificate]] = defaultdict(list)
    for certificate in SigningCertificate.objects.filter(user__in=users).defer("certificate_body").order_by("pk"):
        certificates[certificate.user_id].append(rows.Certificate(certificate.active, certificate.upload_date))
    return certificates
