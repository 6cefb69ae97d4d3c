"""The session engine: Django's database sessions with the key stored as its SHA-256 and the user beside it."""

import hashlib
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

from accounts.models import Session


def digest(session_key: str) -> str:
    """What stands in the table instead of the key."""
    return hashlib.sha256(session_key.encode()).hexdigest()


class SessionStore(DatabaseStore):
    """A session of a browser."""

    # Where the session came from; sign-in sets it before the session is saved.
    source_ip: str | None = None
    user_agent: str = ""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """The table."""
        return Session

    def _get_session_from_db(self) -> Session | None:
        if self.session_key is None:
            return None
        row = Session.objects.filter(session_key=digest(self.session_key), expire_date__gt=timezone.now()).first()
        if row is None:
            self._session_key = None  # a key this server did not issue is never taken up
        return row

    def exists(self, session_key: str) -> bool:
        """Whether the key is taken."""
        return Session.objects.filter(session_key=digest(session_key)).exists()

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """The row to save. Where it came from and when it ends are kept from its first save on."""
        key = digest(str(self.session_key))  # saving has made one
        user_pk = data.get(SESSION_KEY)
        row = Session.objects.filter(session_key=key).first() or Session(
            session_key=key,
            source_ip=self.source_ip,
            user_agent=self.user_agent[:300],
            expire_date=self.get_expiry_date(),
        )
        row.session_data = self.encode(data)
        row.user_id = int(user_pk) if user_pk else None
        return row

    def save(self, must_create: bool = False) -> None:
        """Save; a session that was ended while its request ran stays ended, and the next request finds nobody signed in."""
        try:
            super().save(must_create)
        except UpdateError:
            self._session_key = None

    def delete(self, session_key: str | None = None) -> None:
        """End a session, this one unless another is named."""
        key = session_key or self.session_key
        if key:
            Session.objects.filter(session_key=digest(key)).delete()

    @classmethod
    def clear_expired(cls) -> None:
        """Forget the sessions that have run out."""
        Session.objects.filter(expire_date__lt=timezone.now()).delete()
