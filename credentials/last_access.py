"""Which user asked for what of which service, and when last: noted as it is decided, for AWS's service last accessed details.

It is written at most once a minute for each user and action. What this process has written it remembers, so a client that goes
on asking the same costs nothing more.
"""

import logging
import re
import threading
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import DatabaseError, connection

from accounts.models import User
from credentials.access_keys import LAST_USED_EVERY, LAST_USED_PATIENCE
from iamconsole.database import patience

PERIOD: Final = timedelta(days=400)  # AWS's tracking period
LARGEST: Final = 16384
_NAMESPACE: Final = re.compile(r"[\w-]{1,64}", re.ASCII)
# One statement, so that of several processes one writes and none reads: the older time gives way, if it is old enough.
_UPSERT: Final = """
    INSERT INTO credentials_lastaccess (user_id, service_namespace, action_name, last_date, region)
    VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (user_id, service_namespace, action_name)
    DO UPDATE SET last_date = excluded.last_date, region = excluded.region
    WHERE credentials_lastaccess.last_date <= %s
"""
_noted: OrderedDict[tuple[int, str, str], datetime] = OrderedDict()
_lock = threading.Lock()
log = logging.getLogger("iamconsole.api")


def note_access(user: User, now: datetime, *, action: str, tracked: bool, region: str = "") -> None:
    """Note that ``user`` asked for ``action``. By its name only if that is ``tracked``: a name of somebody's making is not kept.

    The root user's use is not noted: no policy gives it anything that could be taken back.
    """
    namespace, _, name = action.partition(":")
    if user.is_root or not _NAMESPACE.fullmatch(namespace):
        return
    key = (user.pk, namespace.lower(), name if tracked else "")
    if not _is_due(key, now):
        return
    values = [*key, _stored(now), region[:64], _stored(now - LAST_USED_EVERY)]
    try:
        with patience(LAST_USED_PATIENCE), connection.cursor() as cursor:
            cursor.execute(_UPSERT, values)
    except DatabaseError:
        # As with a key's last use: nobody is kept from what they ask for by it.
        log.warning("the last access of a user could not be written", exc_info=True)
        return
    with _lock:
        _noted[key] = now
        _noted.move_to_end(key)
        while len(_noted) > LARGEST:
            _noted.popitem(last=False)


def _is_due(key: tuple[int, str, str], now: datetime) -> bool:
    with _lock:
        last = _noted.get(key)
    return last is None or not timedelta(0) <= now - last < LAST_USED_EVERY


def _stored(moment: datetime) -> Any:
    """A time as the database's column takes it."""
    return connection.ops.adapt_datetimefield_value(moment)
