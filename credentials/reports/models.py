"""Credential reports in pieces of some hundred rows, and when users last asked for what."""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import ClassVar, Final

from django.db import models
from django.utils import timezone

from accounts.job_models import Job
from accounts.models import Account, User

LIFE: Final = timedelta(hours=4)  # IAM User Guide, "Getting credential reports"
ROWS_A_CHUNK: Final = 500


class CredentialReport(models.Model):
    """One credential report. Its text lies in chunks, so that no part of the product need hold it whole."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="credential_reports")
    job = models.OneToOneField(Job, on_delete=models.CASCADE, related_name="credential_report")
    create_date = models.DateTimeField(default=timezone.now)
    generated_time = models.DateTimeField(null=True)  # when it began to be read; None until it is whole
    users = models.PositiveIntegerField(default=0)  # the root user is one of them
    size = models.PositiveBigIntegerField(default=0)  # bytes

    class Meta:
        indexes: ClassVar = [models.Index(fields=["account", "create_date"], name="reports_of_account")]

    def __str__(self) -> str:
        return f"credential report {self.pk}"

    @property
    def report_id(self) -> str:
        """What the report is called."""
        return str(self.pk)

    @property
    def report_format(self) -> str:
        """AWS's word for what the content is."""
        return "text/csv"

    @property
    def state(self) -> str:
        """AWS's word for how far it is; FAILED is our own."""
        words = {Job.State.WAITING: "STARTED", Job.State.RUNNING: "INPROGRESS", Job.State.COMPLETE: "COMPLETE"}
        return words.get(Job.State(self.job.state), "FAILED")

    @property
    def percent(self) -> int:
        """How much of it is built."""
        return self.job.percent

    @property
    def user_count(self) -> int:
        """How many users are in it, the root user among them."""
        return self.users

    @property
    def content(self) -> bytes:
        """The whole text: for the API alone, which answers it as one member."""
        return "".join(self.texts()).encode()

    def is_fresh(self, now: datetime) -> bool:
        """Whether it is whole and not older than four hours."""
        return self.generated_time is not None and now - self.generated_time < LIFE

    def texts(self) -> Iterator[str]:
        """The text, a chunk at a time; a query for each."""
        number = 0
        while (text := self.text_of(number)) is not None:
            yield text
            number += 1

    def text_of(self, number: int) -> str | None:
        """One chunk."""
        return self.chunks.filter(number=number).values_list("content", flat=True).first()


class ReportChunk(models.Model):
    """Up to 500 rows of a report, each but the header after a line feed; the header stands in the first."""

    report = models.ForeignKey(CredentialReport, on_delete=models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    content = models.TextField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["report", "number"], name="report_chunk_once"),
        ]

    def __str__(self) -> str:
        return f"chunk {self.number} of {self.report_id}"


class LastAccess(models.Model):
    """When a user last asked for something of a service, allowed or not; to the minute."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="last_accesses")
    service_namespace = models.CharField(max_length=64)
    action_name = models.CharField(max_length=128, default="")  # empty where the action is none that is tracked
    last_date = models.DateTimeField()
    region = models.CharField(max_length=64, default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "service_namespace", "action_name"], name="last_access_once"),
        ]

    def __str__(self) -> str:
        return f"last access of {self.user_id} to {self.service_namespace}"
