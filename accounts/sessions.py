"""The session engine: Django's database sessions with the key stored as its SHA-256 and the user beside it.

A session ends an hour after its last request, and twelve hours after sign-in however much it is used (NIST SP 800-63B, AAL2).
"""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Session, User

SIGNED_IN = "signed_in"  # when the session began, in seconds since 1970
IDLE = timedelta(hours=1)
LIFETIME = timedelta(seconds=settings.SESSION_COOKIE_AGE)
SEEN_EVERY = timedelta(minutes=1)


def digest(session_key: str) -> str:
    """What stands in the table instead of the key."""
    return hashlib.sha256(session_key.encode()).hexdigest()


def live_sessions() -> QuerySet[Session]:
    """The sessions that have not run out."""
    now = timezone.now()
    return Session.objects.filter(expire_date__gt=now, last_seen_date__gt=now - IDLE)


class SessionStore(DatabaseStore):
    """A session of a browser."""

    # Where the session came from; sign-in sets it before the session is saved.
    source_ip: str | None = None
    user_agent: str = ""
    # Its id, as the row has it; and the one that the next row is to have, where a session goes on under a new key.
    _id = ""
    _going_on_as = ""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """The table."""
        return Session

    @property
    def session_id(self) -> str:
        """Its id in lists, which stays when its key is exchanged; empty before it is saved."""
        self._get_session()  # type: ignore[attr-defined] # Django's own, which its stubs do not have
        return self._id if self.session_key else ""

    def _get_session_from_db(self) -> Session | None:
        if self.session_key is None:
            return None
        row = live_sessions().filter(session_key=digest(self.session_key)).first()
        now = timezone.now()
        if row is None:
            self._session_key = None  # a key this server did not issue is never taken up
            return None
        if not row.session_id:  # a server of the release before made it
            row.session_id = row.session_key
            Session.objects.filter(pk=row.pk).update(session_id=row.session_id)
        self._id = row.session_id
        if now - row.last_seen_date >= SEEN_EVERY:
            Session.objects.filter(pk=row.pk).update(last_seen_date=now)
        return row

    def exists(self, session_key: str) -> bool:
        """Whether the key is taken."""
        return Session.objects.filter(session_key=digest(session_key)).exists()

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """The row to save. Where it came from and when it ends are kept from its first save on.

        A session that takes the place of another, with a new key, ends when that one would have.
        """
        key = digest(str(self.session_key))  # saving has made one
        user_pk = data.get(SESSION_KEY)
        row = Session.objects.filter(session_key=key).first()
        if row is None:
            began = datetime.fromtimestamp(data[SIGNED_IN], UTC) if SIGNED_IN in data else timezone.now()
            row = Session(
                session_key=key,
                session_id=self._going_on_as or key,
                source_ip=self.source_ip,
                user_agent=self.user_agent[:300],
                create_date=began,
                expire_date=began + LIFETIME,
            )
        self._id = row.session_id
        row.session_data = self.encode(data)
        row.user_id = int(user_pk) if user_pk else None
        return row

    def save(self, must_create: bool = False) -> None:
        """Save; a session that was ended while its request ran stays ended, and the next request finds nobody signed in."""
        try:
            super().save(must_create)
        except UpdateError:
            self._session_key = None

    def exchange_key(self) -> bool:
        """Go on under a new key. False when the session was ended meanwhile: it stays ended.

        The user's row is locked, as by all that ends sessions: who ends them finds the old row or the new one.
        """
        data = self._get_session()  # type: ignore[attr-defined] # Django's own, which its stubs do not have
        with transaction.atomic(durable=True):
            User.objects.select_for_update(no_key=True).filter(pk=data.get(SESSION_KEY)).first()
            deleted, _ = Session.objects.filter(pk=digest(str(self.session_key))).delete()
            if deleted:
                self._going_on_as = self._id
                self.create()
                self._session_cache, self._going_on_as = data, ""
        return bool(deleted)

    def delete(self, session_key: str | None = None) -> None:
        """End a session, this one unless another is named."""
        key = session_key or self.session_key
        if key:
            Session.objects.filter(session_key=digest(key)).delete()

    @classmethod
    def clear_expired(cls) -> None:
        """Forget the sessions that have run out."""
        now = timezone.now()
        Session.objects.filter(expire_date__lt=now).delete()
        Session.objects.filter(last_seen_date__lt=now - IDLE).delete()
