"""The one search box: users, groups, policies, server certificates by name, id or ARN, and the console's own pages.

Each kind is found only as far as the caller's policies allow, as the operations that list it decide; the others say which
permission they need.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import Case, Q, QuerySet, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts import arns
from accounts.caller import Caller
from accounts.models import Group, User
from accounts.operations.groups import list_groups
from accounts.operations.users import list_users
from accounts.signin import caller_of
from accounts.targets import asked_of
from audit.models import Event
from audit.operations.decisions import get_decision
from credentials.certificate_models import ServerCertificate
from credentials.models import AccessKey
from credentials.operations.access_keys import list_access_keys
from credentials.operations.server_certificates import list_server_certificates
from credentials.operations.service_credentials import (
    list_service_specific_credentials,
)
from credentials.operations.ssh_public_keys import list_ssh_public_keys
from credentials.service_credentials import ServiceSpecificCredential
from credentials.ssh.models import SSHPublicKey
from iamconsole.forms import Part, may, may_some
from iamconsole.operation import Operation
from iamconsole.tasks import TASKS, Task
from permissions.models import ManagedPolicy
from permissions.operations.managed import list_policies

MOST: Final = 20
LONGEST: Final = 2048
UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """What the term finds, by kinds; straight to the thing where an id or an ARN is one thing's alone."""
    term = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST]
    search = Search(caller_of(request), term)
    kinds = list(search.kinds())
    exact = [hit for kind in kinds for hit in kind.hits if hit.is_exact]
    if len(exact) == 1:
        return redirect(exact[0].url)
    return render(request, "search.html", {"term": term, "kinds": kinds, "found": sum(kind.count for kind in kinds)})


@dataclass(frozen=True)
class Hit:
    """One thing that was found. ``is_exact`` when the term is its ARN or id."""

    label: str
    url: str
    detail: str = ""
    is_exact: bool = False


@dataclass(frozen=True)
class Kind:
    """The hits of one kind, at most MOST; ``count`` has all, ``more`` is where they are.

    ``missing`` is the permission without which none is told.
    """

    label: str
    hits: list[Hit]
    count: int
    missing: Part[None] | None = None
    more: str = ""


@dataclass(frozen=True)
class Named:
    """A kind of things that have names: ``operation`` lists them, ``page`` begins the names of their routes.

    ``name``, ``key`` and ``id`` are columns: the name, the name in lower case, the unique id.
    """

    label: str
    operation: Operation[Any]
    rows: Callable[[str], QuerySet[Any]]
    name: str
    key: str
    id: str
    page: str
    argument: str

    def matching(self, account_id: str, term: str) -> QuerySet[Any]:
        """Those whose name has the term in it, the ones that begin with it first, and the one with that id.

        Of an ARN those with its name.
        """
        column, name = self.key, term.lower().rpartition("/")[2] if term.startswith("arn:") else term.lower()
        named = Q(**{column if term.startswith("arn:") else f"{column}__contains": name})
        rows = self.rows(account_id).filter(named | Q(**{self.id: term}))
        near = Case(
            When(**{self.id: term}, then=0),
            When(**{column: name}, then=0),
            When(**{f"{column}__startswith": name}, then=1),
            default=2,
        )
        return rows.order_by(near, column)

    def told(self, row: Any, term: str) -> Hit:
        """One of them."""
        url = reverse(f"{self.page}_change", args=[getattr(row, self.argument)])
        return Hit(str(getattr(row, self.name)), url, row.arn, is_exact=term in (row.arn, getattr(row, self.id)))


def _policies(account_id: str) -> QuerySet[Any]:
    return ManagedPolicy.objects.filter(Q(account=account_id) | Q(account__isnull=True))


def _server_certificates(account_id: str) -> QuerySet[Any]:
    return ServerCertificate.objects.in_account(account_id).listed()


NAMED: Final = (
    Named(
        "Users",
        list_users,
        User.objects.in_account,
        "user_name",
        "user_name_key",
        "user_id",
        "admin:accounts_user",
        "user_name",
    ),
    Named(
        "Groups",
        list_groups,
        Group.objects.in_account,
        "group_name",
        "group_name_key",
        "group_id",
        "admin:accounts_group",
        "group_name",
    ),
    Named(
        "Policies",
        list_policies,
        _policies,
        "policy_name",
        "policy_name_key",
        "policy_id",
        "admin:permissions_managedpolicy",
        "arn",
    ),
    Named(
        "Server certificates",
        list_server_certificates,
        _server_certificates,
        "server_certificate_name",
        "name_key",
        "server_certificate_id",
        "admin:credentials_servercertificate",
        "server_certificate_name",
    ),
)


@dataclass(frozen=True)
class Owned:
    """A kind of credentials that users have: found by the whole id, of the form ``form``, by whoever may do ``operation``."""

    label: str
    form: re.Pattern[str]
    model: Any
    column: str
    operation: Operation[Any]


OWNED: Final = (
    Owned("Access keys", arns.ACCESS_KEY_ID, AccessKey, "access_key_id", list_access_keys),
    Owned(
        "Git credentials and API keys",
        arns.SERVICE_CREDENTIAL_ID,
        ServiceSpecificCredential,
        "service_specific_credential_id",
        list_service_specific_credentials,
    ),
    Owned("SSH public keys", arns.SSH_PUBLIC_KEY_ID, SSHPublicKey, "ssh_public_key_id", list_ssh_public_keys),
)


@dataclass(frozen=True)
class Search:
    """One term, looked for on behalf of one caller. No kind asks the database more than twice, however much it finds."""

    caller: Caller
    term: str

    def kinds(self) -> Iterator[Kind]:
        """Every kind, in the order of the page."""
        yield Kind("Tasks and pages", tasks := self._tasks(), len(tasks))
        yield from map(self._named, NAMED)
        yield from map(self._owned, OWNED)
        yield Kind("Decisions", decisions := self._decisions(), len(decisions))

    def _tasks(self) -> list[Hit]:
        begun = self.term.lower().split()
        return [Hit(task.label, task.address) for task in TASKS if task.has(begun) and self._may(task)]

    def _may(self, task: Task) -> bool:
        return task.operation is None or may_some(self.caller, task.operation, **dict(task.parameters)).allowed

    def _named(self, named: Named) -> Kind:
        """Those whose name has the term in it, and the one that has it as its ARN, if the caller may list them."""
        listing = may(self.caller, named.operation)
        if not listing.allowed or not self.term:
            return Kind(named.label, [], 0, missing=None if listing.allowed else listing)
        rows = named.matching(self.caller.account_id, self.term)
        found = list(rows[: MOST + 1])
        hits = [named.told(row, self.term) for row in found[:MOST]]
        if len(found) <= MOST:
            return Kind(named.label, hits, len(hits))
        more = f"{reverse(f'{named.page}_changelist')}?{urlencode({'q': self.term})}"
        return Kind(named.label, hits, rows.count(), more=more)

    def _owned(self, owned: Owned) -> Kind:
        """The owner of a credential whose whole id the term is, if the caller may list that user's."""
        hits: list[Hit] = []
        if owned.form.fullmatch(self.term):
            rows = owned.model.objects.select_related("user__account", "user__boundary")
            found = rows.filter(**{owned.column: self.term}, user__account=self.caller.account_id).first()
            if found is not None and owned.operation.allows(self.caller, asked_of(found.user)):
                hits = self._owner(found.user)
        return Kind(owned.label, hits, len(hits))

    def _owner(self, user: User) -> list[Hit]:
        """The page with the user's credentials; the root user's is its own alone."""
        if user.is_root:
            own = user == self.caller.principal
            return [Hit(self.term, reverse("admin:me"), user.arn, is_exact=True)] if own else []
        url = reverse("admin:accounts_user_change", args=[user.user_name])
        return [Hit(self.term, f"{url}?tab=credentials", user.arn, is_exact=True)]

    def _decisions(self) -> list[Hit]:
        """A decision by its id, or those of a request: the caller's own, and those whose reader the caller may be."""
        if not UUID.fullmatch(self.term.lower()):
            return []
        term = self.term.lower()
        events = Event.objects.filter(Q(event_id=term) | Q(request_id=term), chain=self.caller.account_id)
        found = [event for event in events.exclude(decision={}).order_by("sequence")[:MOST] if self._may_read(event)]
        return [
            Hit(
                f"{event.action} denied",
                reverse("admin:decision", args=[event.event_id]),
                event.actor_arn,
                is_exact=True,
            )
            for event in found
        ]

    def _may_read(self, event: Event) -> bool:
        own = event.actor_id == self.caller.principal.user_id
        return own or may(self.caller, get_decision, decision_id=str(event.event_id)).allowed
