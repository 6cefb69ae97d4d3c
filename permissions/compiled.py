"""Compiled policies, kept per process under (user, policy epoch of the account).

A change that touches permissions raises the epoch in its own transaction, so what is kept is never out of date: whoever reads
the new epoch misses the cache, and only what was read outside a transaction is kept.
"""

import threading
from collections import OrderedDict

from django.db import connection

from accounts.models import User
from permissions import language
from permissions.engine import Source
from permissions.models import UserPolicy

LARGEST = 4096
_kept: OrderedDict[tuple[int, int], tuple[Source, ...]] = OrderedDict()
_lock = threading.Lock()


def policies_of(user: User) -> tuple[Source, ...]:
    """Every policy that applies to ``user`` (loaded with its account), parsed. One query, none when kept."""
    key = (user.pk, user.account.policy_epoch)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    sources = tuple(
        Source(name=policy.policy_name, kind="inline", policy=language.parse(policy.policy_document))
        for policy in UserPolicy.objects.filter(user=user).order_by("policy_name_key")
    )
    if not connection.in_atomic_block:
        with _lock:
            _kept[key] = sources
            while len(_kept) > LARGEST:
                _kept.popitem(last=False)
    return sources
