"""Compiled policies, kept per process under (user, policy epoch of the account).

A change that touches permissions raises the epoch in its own transaction, so what is kept is never out of date: whoever reads
the new epoch misses the cache, and only what was read outside a transaction is kept.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import CharField, F, QuerySet, Value

from accounts import arns
from accounts.models import Group, User
from credentials.models import PasswordPolicy
from permissions import language
from permissions.engine import Kind, Policies, Source
from permissions.models import GroupPolicy, PolicyVersion, UserPolicy

LARGEST = 4096
# What an account's password policy grants by AllowUsersToChangePassword (IAM User Guide, "Permit IAM users to change their own
# passwords"). A user's ARN ends in the path and the name, and no two users of an account have one name.
SETTING_DOCUMENT = """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "AllowUsersToChangePassword",
      "Effect": "Allow",
      "Action": "iam:ChangePassword",
      "Resource": ["arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::*:user/*/${aws:username}"]
    },
    {"Sid": "GetAccountPasswordPolicy", "Effect": "Allow", "Action": "iam:GetAccountPasswordPolicy", "Resource": "*"}
  ]
}"""
_kept: OrderedDict[tuple[int, int], Policies] = OrderedDict()
_lock = threading.Lock()


def policies_of(user: User) -> Policies:
    """Every policy that applies to ``user`` (loaded with its account), parsed. One query, none when kept."""
    key = (user.pk, user.account.policy_epoch)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    policies = _read(user)
    if not connection.in_atomic_block:
        with _lock:
            _kept[key] = policies
            while len(_kept) > LARGEST:
                _kept.popitem(last=False)
    return policies


@lru_cache(maxsize=1024)
def parsed(document: str) -> language.Policy:
    """A stored document, parsed once for all who have it."""
    return language.parse(document)


def policies_of_group(group: Group) -> Policies:
    """The policies of a group by itself. One query."""
    rows = _rows(GroupPolicy.objects.filter(group=group), "inline").union(
        _rows(_in_force().filter(policy__attached_groups__group=group), "managed"), all=True
    )
    return _policies(rows)


def _read(user: User) -> Policies:
    """The user's own policies, those of the groups, the account's setting and the boundary, in one query."""
    mine, member = {"user": user}, {"group__memberships__user": user}
    attached, through = (
        {"policy__attached_users__user": user},
        {"policy__attached_groups__group__memberships__user": user},
    )
    rows = _rows(UserPolicy.objects.filter(**mine), "inline").union(
        _rows(GroupPolicy.objects.filter(**member), "inline", via=F("group__group_name")),
        _rows(_in_force().filter(**attached), "managed"),
        _rows(_in_force().filter(**through), "managed", via=F("policy__attached_groups__group__group_name")),
        _rows(_in_force().filter(policy__bounded_users=user), "boundary"),
        _account_setting(user),
        all=True,
    )
    return _policies(rows)


def _policies(rows: Iterable[tuple[Any, ...]]) -> Policies:
    ordered = sorted(rows, key=lambda row: (row[0], row[1].lower(), row[5].lower()))
    return Policies(
        identity=tuple(_source(row) for row in ordered if row[0] != "boundary"),
        boundary=next((_source(row) for row in ordered if row[0] == "boundary"), None),
    )


def _in_force() -> QuerySet[PolicyVersion]:
    return PolicyVersion.objects.filter(number=F("policy__default_version_number"))


def _account_setting(user: User) -> QuerySet[Any, Any]:
    """What the account's password policy lets every user do, as a policy like any other."""
    settings = PasswordPolicy.objects.filter(account=user.account_id, allow_users_to_change_password=True)
    columns = ("setting", "account password policy", SETTING_DOCUMENT, "", None, "")
    return settings.order_by().values_list(*(Value(each, output_field=CharField(null=True)) for each in columns))


def _rows(policies: QuerySet[Any], role: str, *, via: Any = None) -> QuerySet[Any, Any]:
    inline = role == "inline"
    empty = Value("", output_field=CharField())
    return policies.order_by().values_list(
        Value(role, output_field=CharField()),
        F("policy_name") if inline else F("policy__policy_name"),
        F("policy_document") if inline else F("document"),
        empty if inline else F("policy__path"),
        Value(None, output_field=CharField(null=True)) if inline else F("policy__account_id"),
        via or empty,
    )


def _source(row: tuple[Any, ...]) -> Source:
    role, name, document, path, account_id, via = row
    if role == "setting":
        return Source(name=name, kind="account setting", policy=parsed(document))
    kind: Kind = "inline" if role == "inline" else "customer managed" if account_id else "AWS managed"
    arn = "" if role == "inline" else arns.policy(account_id, path, name)
    return Source(name=name, kind=kind, policy=parsed(document), arn=arn, via=via)
