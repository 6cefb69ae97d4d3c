"""Long work: how far it is and what came of it."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Job(models.Model):
    """Work that takes longer than a request: its progress and its result. `accounts.jobs` runs it, in the task worker."""

    class State(models.TextChoices):
        """How far it is."""

        WAITING = "waiting"
        RUNNING = "running"
        COMPLETE = "complete"
        FAILED = "failed"

    job_id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="jobs")
    kind = models.CharField(max_length=32)
    parameters = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    create_date = models.DateTimeField(default=timezone.now)
    complete_date = models.DateTimeField(null=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)  # 0 while that is not known
    result = models.JSONField(default=dict)
    error = models.CharField(max_length=200, default="")
    # Who has it: each one who takes it counts on, and whoever counted less has lost it. It is good until the lease is out.
    attempt = models.PositiveSmallIntegerField(default=0)
    lease_date = models.DateTimeField(null=True)
    task_id = models.UUIDField(null=True)  # its line in the queue

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["account", "kind", "create_date"], name="jobs_of_account"),
            models.Index(fields=["lease_date"], condition=Q(state__in=["waiting", "running"]), name="jobs_that_go_on"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "running", "complete", "failed"]), name="job_state"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["complete", "failed"], complete_date__isnull=False)
                | Q(state__in=["waiting", "running"], complete_date__isnull=True),
                name="job_is_over_or_not",
            ),
        ]

    def __str__(self) -> str:
        return f"job {self.job_id}"

    @property
    def is_over(self) -> bool:
        """Whether it is done, or given up."""
        return self.complete_date is not None

    @property
    def percent(self) -> int:
        """How much of it is done."""
        return min(100, self.done * 100 // self.total) if self.total else 0
