"""Unused credentials: found, deactivated so that it can be undone, and step by step by the nightly run."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.utils import timezone

from accounts import targets as account_targets
from accounts.caller import Caller
from accounts.models import Account, User
from accounts.targets import asked_of
from credentials import targets
from credentials.deactivation import bring_back, put_away
from credentials.models import AccessKey, LoginProfile
from credentials.steps import remove_login_profile
from credentials.unused import found
from credentials.unused.found import Group, UnusedCredential
from credentials.unused.meaning import limit_of
from credentials.unused.models import Deactivation
from credentials.unused.plan import Planned, Step, Terms, next_run, next_step, planned
from iamconsole.asked import Asked, Each
from iamconsole.errors import InvalidInput
from iamconsole.operation import operation
from iamconsole.paging import PAGE_SIZE, Page

Credential = LoginProfile | AccessKey


@operation("iamconsole:ListUnusedCredentials", on=account_targets.everything, reads=True)
def list_unused_credentials(
    caller: Caller,
    *,
    account: Account,
    credential_group: str,
    unused_days: int,
    max_items: int | None = None,
    marker: str | None = None,
) -> Page[UnusedCredential]:
    """What is unused for so many days, by its sort; or uses of the root user since; or what is deactivated.

    What is exempt is told with its exemption.
    """
    now, scope = timezone.now(), f"ListUnusedCredentials {account.pk} {credential_group} {unused_days}"
    page: Page[Any]
    if credential_group == Group.ROOT:
        uses = found.root_in_use(account.pk, limit_of(now, unused_days))
        return Page.of_values(uses, scope=scope, max_items=max_items, marker=marker)
    rows = found.rows_of(credential_group, account.pk, unused_days, now)
    page = Page.of(rows, by="id", scope=scope, max_items=max_items, marker=marker)
    return Page(found.described(credential_group, page.items, now), page.marker)


@dataclass(frozen=True)
class Foreseen:
    """What the nightly run will do next, and when: so many steps, of which ``more`` says whether there are others."""

    run_date: datetime
    steps: list[Planned]
    more: bool


@operation("iamconsole:PreviewUnusedCredentialRun", on=account_targets.everything, reads=True)
def preview_unused_credential_run(caller: Caller, *, account: Account, max_items: int | None = None) -> Foreseen:
    """What the next nightly run will do if nothing changes until then."""
    date, size = next_run(timezone.now()), max_items or PAGE_SIZE
    steps = list(islice(planned(account.pk, Terms.of_settings(), date, batch=size + 1), size + 1))
    return Foreseen(date, steps[:size], len(steps) > size)


def _always(admitted: Mapping[str, Any]) -> bool:
    return True


def _switching(status: str, admitted: Mapping[str, Any]) -> list[Asked]:
    """The user, with the key and what becomes of it."""
    key: Credential | None = admitted["credential"]
    if not isinstance(key, AccessKey):
        return []
    return [asked_of(admitted["user"], access_key_id=key.access_key_id, status=status)]


def _of_password(admitted: Mapping[str, Any]) -> bool:
    return not isinstance(admitted["credential"], AccessKey)


@operation(
    "iamconsole:DeactivateCredential",
    on=targets.unused,
    lock=True,
    sensitive=True,
    performs={
        "iamconsole:DeactivateCredential": _always,
        "iam:UpdateAccessKey": Each(lambda admitted: _switching("Inactive", admitted)),
        "iam:DeleteLoginProfile": _of_password,
    },
)
def deactivate_credential(
    caller: Caller, *, user: User, credential: Credential | None, deactivation: Deactivation | None
) -> None:
    """Switch an access key off, or take a user's password away and keep it, so that RestoreCredential brings it back.

    Raises InvalidInput for what is off already.
    """
    if credential is None or (isinstance(credential, AccessKey) and credential.status != AccessKey.Status.ACTIVE):
        raise InvalidInput("This is deactivated already.")
    _forget(deactivation)
    put_away(user, credential, timezone.now(), automatic=False)


@operation(
    "iamconsole:RestoreCredential",
    on=targets.unused,
    lock=True,
    sensitive=True,
    performs={
        "iamconsole:RestoreCredential": _always,
        "iam:UpdateAccessKey": Each(lambda admitted: _switching("Active", admitted)),
        "iam:CreateLoginProfile": _of_password,
    },
)
def restore_credential(
    caller: Caller, *, user: User, credential: Credential | None, deactivation: Deactivation | None
) -> None:
    """Bring back what DeactivateCredential or the nightly run has put away, exactly as it was; sessions do not come back.

    Raises InvalidInput for what is not deactivated, or was switched since.
    """
    if deactivation is None or deactivation.deactivate_date is None:
        raise InvalidInput("This is not deactivated, so there is nothing to undo.")
    bring_back(user, deactivation, timezone.now())


@operation(
    "iamconsole:DeleteCredential",
    on=targets.unused,
    lock=True,
    sensitive=True,
    performs={
        "iamconsole:DeleteCredential": _always,
        "iam:DeleteAccessKey": lambda admitted: not _of_password(admitted),
        "iam:DeleteLoginProfile": _of_password,
    },
)
def delete_credential(
    caller: Caller, *, user: User, credential: Credential | None, deactivation: Deactivation | None
) -> None:
    """Delete an access key or a user's password for good, deactivated or not."""
    _forget(deactivation)
    if isinstance(credential, AccessKey):
        credential.delete()
    else:
        remove_login_profile(user)


def _due(admitted: Mapping[str, Any]) -> Step | None:
    terms = Terms(*(admitted[name] for name in ("unused_days", "notice_days", "delete_after_days")))
    return next_step(admitted["user"], admitted["credential"], admitted["deactivation"], terms, timezone.now())


def _key_goes(admitted: Mapping[str, Any]) -> bool:
    return _due(admitted) == Step.DELETE and not _of_password(admitted)


@operation(
    "iamconsole:ReapCredential",
    on=targets.unused,
    lock=True,
    sensitive=True,
    performs={
        "iamconsole:ReapCredential": _always,
        "iam:UpdateAccessKey": Each(
            lambda admitted: _switching("Inactive", admitted) if _due(admitted) == Step.DEACTIVATE else []
        ),
        "iam:DeleteLoginProfile": lambda admitted: _due(admitted) == Step.DEACTIVATE and _of_password(admitted),
        "iam:DeleteAccessKey": _key_goes,
    },
)
def reap_credential(
    caller: Caller,
    *,
    user: User,
    credential: Credential | None,
    deactivation: Deactivation | None,
    unused_days: int,
    notice_days: int,
    delete_after_days: int,
) -> dict[str, str]:
    """Take the one step that is due with an unused credential: announce it, deactivate it, delete what was deactivated so.

    Or withdraw what was announced, of a credential that is in use again or exempt. Raises InvalidInput when no step is due.
    """
    now, terms = timezone.now(), Terms(unused_days, notice_days, delete_after_days)
    step = next_step(user, credential, deactivation, terms, now)
    if step is None:
        raise InvalidInput("No step is due: it is in use, exempt, kept out, or announced for later.")
    _forget(deactivation)
    if step == Step.ANNOUNCE:
        key = credential if isinstance(credential, AccessKey) else None
        kind = Deactivation.Kind.ACCESS_KEY if key else Deactivation.Kind.PASSWORD
        due = now + timedelta(days=notice_days)
        Deactivation.objects.create(account_id=user.account_id, user=user, kind=kind, key=key, due_date=due)
    elif step == Step.DEACTIVATE and credential is not None:
        put_away(user, credential, now, automatic=True)
    elif step == Step.DELETE and isinstance(credential, AccessKey):
        credential.delete()
    return {"step": step.value}


def _forget(deactivation: Deactivation | None) -> None:
    """Delete what was announced or kept: another state takes its place."""
    if deactivation is not None:
        deactivation.delete()
