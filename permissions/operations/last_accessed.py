"""Service last accessed details: which services a user's, group's or policy's permissions reach, and when each was last used.

As on AWS it is asked for by a job. What is known is in the database already, so the job is done when it is started.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from accounts import jobs, targets
from accounts.caller import Caller
from accounts.job_models import Job
from accounts.jobs import uuid_of
from accounts.models import Account, Group, User
from accounts.tags import RESOURCE_TAGS
from credentials.last_access import PERIOD
from credentials.reports.models import LastAccess
from iamconsole.asked import Resolved
from iamconsole.errors import InvalidInput, NoSuchEntity
from iamconsole.operation import operation
from iamconsole.paging import Page
from permissions import actions
from permissions.compiled import parsed, policies_of, policies_of_group
from permissions.language import Policy
from permissions.models import ManagedPolicy, PolicyVersion
from permissions.operations.granting import allows_some
from permissions.operations.simulator import principal_by_arn

KIND: Final = "last-accessed"
SERVICE, ACTION = "SERVICE_LEVEL", "ACTION_LEVEL"
KEPT: Final = timedelta(days=7)  # how long a job can be asked for
OUR_OWN: Final = {"iamconsole": "This identity service"}
Entity = User | Group | ManagedPolicy


def _entity(account_id: str, arn: str) -> Entity | None:
    """The user, group or policy of the account that has the ARN, or AWS's policy."""
    return principal_by_arn(account_id, arn) or ManagedPolicy.objects.with_arn(account_id, arn).first()


@dataclass(frozen=True)
class _Accessing:
    """The user, group or policy with the ARN ``arn``. There are no roles, and those of another account are not found either."""

    consumes: frozenset[str] = frozenset({"arn"})

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        arn = parameters.pop("arn")
        found = _entity(caller.account_id, arn)
        missing = None if found else NoSuchEntity(f"The entity with ARN {arn} cannot be found.")
        return Resolved(arn, {"principal": found}, tags=getattr(found, "tags", ()), missing=missing)


_accessing = _Accessing()
jobs.keep(KIND, lambda: KEPT)


@dataclass
class Use:
    """A service or an action of it: who asked for it last, and when and from where; nothing where nobody did."""

    name: str
    namespace: str = ""
    last_date: datetime | None = None
    region: str = ""
    entity: str = ""
    users: set[int] = field(default_factory=set)
    actions: "dict[str, Use]" = field(default_factory=dict)

    def note(self, row: LastAccess) -> None:
        """Take in one row; the rows come in the order of their time."""
        self.last_date, self.region, self.entity = row.last_date, row.region, row.user.arn
        self.users.add(row.user_id)


@operation("iam:GenerateServiceLastAccessedDetails", on=_accessing, keys=RESOURCE_TAGS)
def generate_service_last_accessed_details(
    caller: Caller, *, principal: Entity, granularity: str = SERVICE
) -> Mapping[str, str]:
    """Find out when the services that a user, group or policy grants were last asked for. Returns the id of the job.

    What is tracked by action are IAM's, STS's and iamconsole's own, and of what services ask about those that AWS has.
    """
    now = timezone.now()
    jobs.prune(caller.account, KIND)
    job = Job(account=caller.account, kind=KIND, state=Job.State.COMPLETE, create_date=now, complete_date=now)
    job.parameters = {"arn": principal.arn, "granularity": granularity}
    job.result = {"services": [_kept(use, granularity) for use in uses_of(principal, caller.account_id)]}
    job.save(force_insert=True)
    return {"job_id": str(job.pk)}


@operation("iam:GetServiceLastAccessedDetails", on=targets.everything, reads=True)
def get_service_last_accessed_details(
    caller: Caller, *, account: Account, job_id: str, max_items: int | None = None, marker: str | None = None
) -> Mapping[str, Any]:
    """What a job found: each service that is granted, with its last use in the last 400 days. Raises NoSuchEntity."""
    job = _job(account, job_id)
    services = [_told(each) for each in job.result["services"]]
    page: Page[Mapping[str, Any]] = Page.of_values(services, scope=f"last {job.pk}", max_items=max_items, marker=marker)
    return {
        **_state(job),
        "job_type": job.parameters["granularity"],
        "services_last_accessed": page.items,
        "is_truncated": page.is_truncated,
        "marker": page.marker,
    }


@operation("iam:GetServiceLastAccessedDetailsWithEntities", on=targets.everything, reads=True)
def get_service_last_accessed_details_with_entities(
    caller: Caller,
    *,
    account: Account,
    job_id: str,
    service_namespace: str,
    max_items: int | None = None,
    marker: str | None = None,
) -> Mapping[str, Any]:
    """The users whom a job was about, with each one's last use of a service as it is now. Raises NoSuchEntity, InvalidInput."""
    job = _job(account, job_id)
    if service_namespace not in {each["namespace"] for each in job.result["services"]}:
        raise InvalidInput(f"The service {service_namespace} is none that the job found to be granted.")
    found = _entity(account.pk, job.parameters["arn"])
    if found is None:
        raise NoSuchEntity(f"The entity with ARN {job.parameters['arn']} cannot be found.")
    recent = Q(last_accesses__service_namespace=service_namespace, last_accesses__last_date__gt=timezone.now() - PERIOD)
    users = users_of(found, account.pk).annotate(last=Max("last_accesses__last_date", filter=recent))
    page = Page.of(
        users, by="user_name_key", scope=f"last {job.pk} {service_namespace}", max_items=max_items, marker=marker
    )
    return {
        **_state(job),
        "entity_details_list": [_details(user) for user in page.items],
        "is_truncated": page.is_truncated,
        "marker": page.marker,
    }


@operation("iamconsole:ListLastAccessedServices", on=_accessing, reads=True, keys=RESOURCE_TAGS)
def list_last_accessed_services(caller: Caller, *, principal: Entity) -> list[Mapping[str, Any]]:
    """The services that a user, group or policy grants, the last used first, as GetServiceLastAccessedDetails answers them."""
    uses = sorted(
        uses_of(principal, caller.account_id), key=lambda use: use.last_date.timestamp() if use.last_date else 0
    )
    return [_told(_kept(use, ACTION)) for use in reversed(uses)]


def uses_of(entity: Entity, account_id: str) -> list[Use]:
    """The services that an entity's policies allow something of, by namespace, with their use by the users it gives them to."""
    rows = LastAccess.objects.filter(
        user__in=users_of(entity, account_id).order_by().values("pk"), last_date__gt=timezone.now() - PERIOD
    )
    found: dict[str, Use] = defaultdict(lambda: Use(""))
    for row in rows.select_related("user").order_by("last_date", "pk").iterator():
        use = found[row.service_namespace]
        use.note(row)
        if row.action_name:
            use.actions.setdefault(row.action_name, Use(row.action_name)).note(row)
    policies = _policies(entity)
    names = {prefix: service.name for prefix, service in actions.services().items()} | OUR_OWN
    names = {**{namespace: namespace for namespace in (*found, *_named(policies))}, **names}
    granted = [each for each in sorted(names) if any(allows_some(policy, each) for policy in policies)]
    for namespace in granted:
        found[namespace].name, found[namespace].namespace = names[namespace], namespace
    return [found[namespace] for namespace in granted]


def users_of(entity: Entity, account_id: str) -> QuerySet[User]:
    """The users of the account whom an entity is, holds, or is attached to."""
    users = User.objects.in_account(account_id)
    if isinstance(entity, User):
        return users.filter(pk=entity.pk)
    if isinstance(entity, Group):
        return users.filter(pk__in=entity.memberships.values("user"))
    through = Group.objects.filter(account=account_id, attached_policies__policy=entity).values("memberships__user")
    return users.filter(Q(pk__in=entity.attached_users.values("user")) | Q(pk__in=through))


def _policies(entity: Entity) -> list[Policy]:
    if isinstance(entity, ManagedPolicy):
        version = PolicyVersion.objects.get(policy=entity, number=entity.default_version_number)
        return [parsed(version.document)]
    policies = policies_of(entity) if isinstance(entity, User) else policies_of_group(entity)
    return [source.policy for source in policies.identity]


def _named(policies: Iterable[Policy]) -> set[str]:
    """The services that policies name, which need not be AWS's."""
    prefixes = (
        pattern.text.partition(":")[0].lower()
        for policy in policies
        for statement in policy.statements
        for pattern in statement.actions
    )
    return {prefix for prefix in prefixes if prefix.replace("-", "").replace("_", "").isalnum() and prefix.isascii()}


def _kept(use: Use, granularity: str) -> dict[str, Any]:
    """A use as a job's result holds it."""
    actions_of = [_kept(each, SERVICE) for _, each in sorted(use.actions.items())] if granularity == ACTION else []
    return {
        "name": use.name,
        "namespace": use.namespace,
        "date": use.last_date.isoformat() if use.last_date else None,
        "region": use.region,
        "entity": use.entity,
        "users": len(use.users),
        "actions": actions_of,
    }


def _told(kept: Mapping[str, Any]) -> Mapping[str, Any]:
    """A service as AWS answers it: what was never used has no date, region and entity."""
    tracked = [
        {
            "action_name": each["name"],
            "last_accessed_entity": each["entity"],
            "last_accessed_time": datetime.fromisoformat(each["date"]),
            "last_accessed_region": each["region"] or None,
        }
        for each in kept["actions"]
    ]
    return {
        "service_name": kept["name"],
        "service_namespace": kept["namespace"],
        "last_authenticated": datetime.fromisoformat(kept["date"]) if kept["date"] else None,
        "last_authenticated_entity": kept["entity"] or None,
        "last_authenticated_region": kept["region"] or None,
        "total_authenticated_entities": kept["users"],
        "tracked_actions_last_accessed": tracked or None,
    }


def _details(user: Any) -> Mapping[str, Any]:
    told = {"arn": user.arn, "name": user.user_name, "type": "USER", "id": user.user_id, "path": user.path}
    return {"entity_info": told, "last_authenticated": user.last}


def _state(job: Job) -> Mapping[str, Any]:
    return {
        "job_status": "COMPLETED",
        "job_creation_date": job.create_date,
        "job_completion_date": job.complete_date,
    }


def _job(account: Account, job_id: str) -> Job:
    pk = uuid_of(job_id)
    job = Job.objects.filter(account=account, kind=KIND, pk=pk).first() if pk else None
    if job is None:
        raise NoSuchEntity(f"The job with id {job_id} cannot be found.")
    return job
