"""What the pages cost that tell of 100,000 users: the whole request, its queries, and how the slowest is planned.

On SQLite, or on what DATABASE_URL names, which is to be empty.
"""

import logging
import re
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from benchmarks.stage import quantiles, stage

USERS, TURNS = 100_000, 10
LIST = "/console/accounts/user/"
PAGES = {
    "dashboard": "/console/",
    "users": LIST,
    "users, last page": f"{LIST}?p=1000",
    "users by name": f"{LIST}?q=user-09",
    "users by access key": f"{LIST}?q=KEY",
    "users without MFA": f"{LIST}?mfa=no",
    "users in a group": f"{LIST}?group=Department-7",
    "users active lately": f"{LIST}?last_activity=7",
    "users never active": f"{LIST}?last_activity=never",
    "users with old keys": f"{LIST}?key_age=90",
    "users with old passwords": f"{LIST}?password_age=90",
    "one user": f"{LIST}User-050001/change/?tab=credentials",
    "groups": "/console/groups/",
    "search for a name": "/console/search/?q=user-0500",
    "search for a key": "/console/search/?q=KEY",
    "unused credentials": "/console/unused/",
    "credential report": "/console/credential-report/",
    "audit log": "/console/audit/",
}


def run() -> None:
    """Print the figures."""
    with stage() as on:
        on.manage("prepare", "--no-account")
        account_id = on.call("account.fill", USERS)
        print(on.call("pages.measure", account_id), flush=True)


def measure(account_id: str) -> str:
    """Ask for every page in turn, as an administrator whose policies are asked for each part of it, and print what each took."""
    from django.db import connection
    from django.test import Client

    from accounts.sessions import SIGNED_IN
    from accounts.signin import PROVED
    from credentials.models import AccessKey

    logging.getLogger("iamconsole.request").disabled = True
    administrator = _administrator(account_id)
    key = AccessKey.objects.filter(user__account=account_id).order_by("pk").last()
    client = Client(HTTP_HOST="localhost")
    client.force_login(administrator, backend="accounts.signin.Backend")
    session = client.session
    session[SIGNED_IN] = session[PROVED] = time.time()
    session.save()
    for name, pattern in PAGES.items():
        address = pattern.replace("KEY", key.access_key_id if key else "")
        queries: list[tuple[float, str, Any]] = []
        with connection.execute_wrapper(timing(queries)):
            answer = client.get(address, follow=True)
        if answer.status_code != HTTPStatus.OK:
            print(f"{name}: {address} is answered with {answer.status_code}")
            continue
        took = []
        for _ in range(TURNS):
            started = time.perf_counter()
            client.get(address, follow=True)
            took.append((time.perf_counter() - started) * 1000)
        quantiles(f"{name} ({len(queries)} queries)", took)
        slowest, sql, parameters = max(queries, key=lambda query: query[0])
        print(f"    the slowest query took {slowest:.0f} ms: {_plan(sql, parameters)}", flush=True)
    return ""


def _administrator(account_id: str) -> Any:
    """One of the users, with AWS's AdministratorAccess. The root user would not do: no policy is asked for it."""
    from accounts.management.commands._shell import root_of
    from accounts.models import User
    from permissions.operations.attachments import attach_user_policy

    policy_arn, user_name = "arn:aws:iam::aws:policy/AdministratorAccess", "User-000000"
    attach_user_policy(root_of(account_id), user_name=user_name, policy_arn=policy_arn)
    return User.objects.get(account=account_id, user_name=user_name)


def timing(queries: list[tuple[float, str, Any]]) -> Callable[..., Any]:
    """A wrapper that notes every query with the milliseconds it took."""

    def note(execute: Callable[..., Any], sql: str, parameters: Any, many: bool, context: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(sql, parameters, many, context)
        finally:
            queries.append(((time.perf_counter() - started) * 1000, sql, parameters))

    return note


def _plan(sql: str, parameters: Any) -> str:
    """How the database goes about a query, in a line: the tables and indexes it reads."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{sql}", parameters)
        lines = [str(row[-1]).strip() for row in cursor.fetchall()]
    told = [re.sub(r"\s+\(cost.*", "", line) for line in lines if re.search("SCAN|SEARCH|Scan|TEMP|Sort", line)]
    return "; ".join(dict.fromkeys(told))
