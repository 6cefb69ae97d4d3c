"""Long work: started in an operation's transaction, done by the task worker, taken over when its worker is dead.

The queue is django-tasks-db's. It leaves a task whose worker was killed marked as running for ever (its issue 46), so who has
a job is kept in the job: a lease that each beat renews, and a count of those who took it. A worker that was only slow
finds, when it beats, that another has counted on, and stops; what it has not yet written is then not written.
"""

import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django_tasks import TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from accounts.job_models import Job
from accounts.models import Account

MOST_ATTEMPTS: Final = 3  # a job that three workers have died of is given up
KEPT: Final = timedelta(days=1)  # how long the queue's own lines stay when they are done
Work = Callable[["Progress"], Mapping[str, Any]]
log = logging.getLogger("iamconsole.jobs")
_works: dict[str, Work] = {}
_kept: dict[str, Callable[[], timedelta]] = {}


class TakenOverError(Exception):
    """Another worker has the job now: nothing more may be written for it."""


@dataclass(frozen=True)
class Progress:
    """A job in the hands of who does it."""

    job: Job

    def beat(self, *, done: int | None = None, total: int | None = None) -> None:
        """Renew the lease and tell how far it is. In one transaction with what is written, it fences that too.

        Raises TakenOverError.
        """
        told = {name: value for name, value in {"done": done, "total": total}.items() if value is not None}
        if not self._mine().update(lease_date=_lease(), **told):
            raise TakenOverError

    def over(self, state: str, **told: Any) -> None:
        """Say that it is done or given up. Raises TakenOverError."""
        if not self._mine().update(state=state, complete_date=timezone.now(), lease_date=None, **told):
            raise TakenOverError

    def _mine(self) -> Any:
        return Job.objects.filter(pk=self.job.pk, state=Job.State.RUNNING, attempt=self.job.attempt)


def work(kind: str) -> Callable[[Work], Work]:
    """Register the function that does the jobs of a kind; it may be done again from the start. It returns the result."""

    def register(function: Work) -> Work:
        _works[kind] = function
        return function

    return register


def keep(kind: str, how_long: Callable[[], timedelta]) -> None:
    """Say how long the jobs of a kind are kept after they were started, with what hangs on them."""
    _kept[kind] = how_long


def start(account: Account, kind: str, **parameters: Any) -> Job:
    """Put a job on the queue. Within a transaction it is there when that commits."""
    job = Job(account=account, kind=kind, parameters=parameters)
    job.save(force_insert=True)
    _enqueue(job)
    return job


def prune(account: Account, kind: str) -> None:
    """Delete the account's jobs of a kind that were started longer ago than they are kept, with what hangs on them."""
    _old(timezone.now()).filter(account=account, kind=kind).delete()


def prune_all(account: Account) -> int:
    """Delete the account's old jobs of every kind. Returns how many."""
    old = list(_old(timezone.now()).filter(account=account).values_list("pk", flat=True))
    Job.objects.filter(pk__in=old).delete()
    return len(old)


def accounts_with_old() -> list[str]:
    """The accounts that have jobs which need not be kept any more."""
    return sorted(set(_old(timezone.now()).order_by().values_list("account", flat=True).distinct()))


def _old(now: datetime) -> QuerySet[Job]:
    old = (Q(kind=kind, create_date__lt=now - how_long()) for kind, how_long in _kept.items())
    return Job.objects.filter(reduce(or_, old), complete_date__isnull=False)


@task()
def run_job(job_id: str) -> None:
    """What the queue holds of a job."""
    run(job_id)


def run(job_id: str | uuid.UUID) -> bool:
    """Do a job here and now. False if it is not waiting: then somebody else has it, or it is over."""
    job = Job.objects.select_related("account").filter(pk=job_id, state=Job.State.WAITING).first()
    if job is None:
        return False
    free = Job.objects.filter(pk=job.pk, state=Job.State.WAITING, attempt=job.attempt)
    job.attempt += 1
    if not free.update(state=Job.State.RUNNING, attempt=job.attempt, lease_date=_lease(), done=0):
        return False
    progress = Progress(job)
    try:
        result = _works[job.kind](progress)
        progress.over(Job.State.COMPLETE, result=result)
    except TakenOverError:
        log.warning("job %s was taken over by another worker", job.pk)
    except Exception as error:
        log.exception("job %s failed", job.pk)
        progress.over(Job.State.FAILED, error=f"It failed ({type(error).__name__}): the server's log says why.")
    return True


def take_over(now: datetime) -> int:
    """Put jobs on the queue again whose worker is dead, or whose line in the queue is. Returns how many."""
    silent = now - _life()
    going_on = Job.objects.filter(state__in=[Job.State.WAITING, Job.State.RUNNING])
    # One that has just been started has a line that nobody has taken yet.
    suspects = list(going_on.filter(Q(lease_date__lt=now) | Q(lease_date__isnull=True, create_date__lt=silent)))
    return sum(_take_over(job, silent) for job in suspects)


def _take_over(job: Job, silent: datetime) -> bool:
    with transaction.atomic():
        same = Job.objects.filter(pk=job.pk, state=job.state, attempt=job.attempt, lease_date=job.lease_date)
        if same.select_for_update(no_key=True).first() is None:
            return False
        line = DBTaskResult.objects.filter(pk__in=[job.task_id])
        if job.state == Job.State.WAITING and _is_alive(line.first(), silent):
            return False
        line.delete()
        if job.attempt >= MOST_ATTEMPTS:
            error = "It was given up: the workers that did it ended in the middle."
            same.update(state=Job.State.FAILED, complete_date=timezone.now(), lease_date=None, error=error)
            return False
        # Whoever had it and is only slow has lost it by this.
        attempt = job.attempt + (job.state == Job.State.WAITING)
        Job.objects.filter(pk=job.pk).update(state=Job.State.WAITING, attempt=attempt, lease_date=None, done=0)
        _enqueue(job)
        log.warning("job %s is taken over", job.pk)
        return True


def _is_alive(line: DBTaskResult[..., Any] | None, silent: datetime) -> bool:
    """Whether a line in the queue will still be done: it waits, or was taken so lately that its job is about to be."""
    if line is None:
        return False
    if line.status == TaskResultStatus.READY:
        return True
    return line.status == TaskResultStatus.RUNNING and line.started_at is not None and line.started_at > silent


def tidy(now: datetime) -> None:
    """Remove the queue's own lines of what was done some time ago."""
    DBTaskResult.objects.finished().filter(finished_at__lt=now - KEPT).delete()


def uuid_of(text: str) -> uuid.UUID | None:
    """The id that a text is, or None."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _enqueue(job: Job) -> None:
    result = run_job.enqueue(str(job.pk))
    Job.objects.filter(pk=job.pk).update(task_id=result.id)


def _life() -> timedelta:
    return timedelta(seconds=settings.JOB_LEASE_SECONDS)


def _lease() -> datetime:
    return timezone.now() + _life()
