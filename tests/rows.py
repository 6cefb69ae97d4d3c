"""Every row of an account, its trail, and what the database's own rules keep from being done to it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from accounts.job_models import Job
from accounts.list_models import UserListView
from accounts.models import Account, Group, Membership, Session, SetupLink, User
from audit import triggers
from audit.models import Event
from audit.record import link_hash
from credentials.certificate_models import ServerCertificate, SigningCertificate
from credentials.mfa.models import MFADevice, MFARequirement, RecoveryCode
from credentials.models import AccessKey, LoginProfile, PasswordHistory, PasswordPolicy, ServiceToken
from credentials.reports.models import CredentialReport
from credentials.service_credentials import ServiceSpecificCredential
from credentials.ssh.models import SSHPublicKey
from credentials.unused.models import Deactivation
from permissions.models import (
    AttachedGroupPolicy,
    AttachedUserPolicy,
    GroupPolicy,
    ManagedPolicy,
    PolicyVersion,
    UserPolicy,
)

OF_AN_ACCOUNT: Final = (
    (Account, "account_id"),
    (User, "account"),
    (AccessKey, "user__account"),
    (Job, "account"),
    (CredentialReport, "account"),
    (LoginProfile, "user__account"),
    (PasswordPolicy, "account"),
    (PasswordHistory, "user__account"),
    (Deactivation, "account"),
    (MFARequirement, "account"),
    (ServiceToken, "user__account"),
    (ServiceSpecificCredential, "user__account"),
    (SSHPublicKey, "user__account"),
    (MFADevice, "account"),
    (RecoveryCode, "user__account"),
    (ServerCertificate, "account"),
    (SigningCertificate, "account"),
    (UserPolicy, "user__account"),
    (Group, "account"),
    (Membership, "group__account"),
    (GroupPolicy, "group__account"),
    (ManagedPolicy, "account"),
    (PolicyVersion, "policy__account"),
    (AttachedUserPolicy, "user__account"),
    (AttachedGroupPolicy, "group__account"),
    (Session, "user__account"),
    (SetupLink, "user__account"),
    (UserListView, "user__account"),
    (Event, "chain"),
)
# The columns that hold a word of a few: a service, a kind of job.
WORDS: Final = ("service_name", "kind")


def rows_of(account_id: str) -> dict[str, list[dict[str, Any]]]:
    """Every row that belongs to an account, and its trail, as the database has them."""
    rows = {}
    with connection.cursor() as cursor:
        for name, query in _queries():
            cursor.execute(query, [account_id])
            columns = [column[0] for column in cursor.description]
            rows[name] = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    return rows


def texts_of(account_id: str, *, shortest: int = 12) -> set[str]:
    """What stands in an account's rows and tells it from others: ids, names, documents and secrets, but for what is short.

    The trail is left out, which says again what the rows do, and the words that are everybody's.
    """
    texts = {
        _as_shown(value)
        for model, rows in rows_of(account_id).items()
        for row in rows
        for column, value in row.items()
        if isinstance(value, str | UUID) and column not in WORDS and model != "Event"
    }
    return {text for text in texts if len(text) >= shortest}


def _as_shown(value: str | UUID) -> str:
    """A text; a UUID with its hyphens, which SQLite keeps without them."""
    return str(UUID(value)) if isinstance(value, str) and re.fullmatch("[0-9a-f]{32}", value) else str(value)


@cache
def _queries() -> list[tuple[str, str]]:
    """Of each model its name and the query of an account's rows, which is the same each time."""
    found = []
    for model, path in OF_AN_ACCOUNT:
        query, parameters = (
            model.objects.filter(**{path: "its id"}).order_by("pk").values_list().query.sql_with_params()
        )
        assert parameters == ("its id",)
        found.append((model.__name__, query))
    return found


def events_of(account_id: str, *, after: int = 0) -> list[Event]:
    """The account's trail, in its order: the events with a sequence number above ``after``."""
    return list(Event.objects.filter(chain=account_id, sequence__gt=after).order_by("sequence"))


def breaks(events: list[Event]) -> list[int]:
    """The sequence numbers at which the chain does not hold."""
    broken = [event.sequence for event in events if event.hash != link_hash(event)]
    if events and (events[0].sequence, events[0].previous_hash) != (1, ""):
        broken.append(events[0].sequence)
    return broken + [
        after.sequence
        for before, after in pairwise(events)
        if (after.sequence, after.previous_hash) != (before.sequence + 1, before.hash)
    ]


@contextmanager
def owning_the_database() -> Iterator[None]:
    """Be somebody who can take the database's own rules off: the chain has to show what is done then."""
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in triggers.drop(connection.vendor):
            cursor.execute(statement)
        yield
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for statement in triggers.create(connection.vendor):
            cursor.execute(statement)
