"""Session tokens: what temporary credentials are. Sealed and stateless, so that none has to be kept or swept.

A token holds all of its session, the secret access key too, sealed for the access key id it is used with. What it does not hold
is whether it still counts: that is asked of its user and of the access key it was got with, at every use.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings

from accounts import arns
from accounts.models import User
from credentials.sealing import SealBrokenError
from credentials.secrets import new_secret_access_key

COLUMN = "sts.session_token"
PREFIX = "ASIA"


@dataclass(frozen=True)
class Session:
    """A session of temporary credentials. ``parent`` is the id of the access key it was got with, empty at the shell."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    user_id: str
    auth_epoch: int
    start: datetime
    expiration: datetime
    mfa_time: datetime | None
    parent: str

    @classmethod
    def begin(cls, user: User, *, life: timedelta, mfa_time: datetime | None, parent: str, now: datetime) -> "Session":
        """A new session of ``user``; it ends with all others when the user's epoch grows."""
        start = now.replace(microsecond=0)
        return cls(
            access_key_id=arns.new_access_key_id(user.account_id, PREFIX),
            secret_access_key=new_secret_access_key(),
            user_id=user.user_id,
            auth_epoch=user.auth_epoch,
            start=start,
            expiration=start + life,
            mfa_time=mfa_time,
            parent=parent,
        )

    def token(self) -> str:
        """The session as a text that only this server reads."""
        held = {"secret": self.secret_access_key, **self.facts()}
        sealed: str = settings.KEY_RING.seal(json.dumps(held), column=COLUMN, row=self.access_key_id)
        return sealed

    def facts(self) -> dict[str, Any]:
        """All that is known of the session but what signs for it and its id."""
        return {
            "user": self.user_id,
            "epoch": self.auth_epoch,
            "start": self.start.timestamp(),
            "expiration": self.expiration.timestamp(),
            "mfa": self.mfa_time and self.mfa_time.timestamp(),
            "parent": self.parent,
        }

    @classmethod
    def of_facts(cls, access_key_id: str, held: Mapping[str, Any], *, secret_access_key: str = "") -> "Session":
        """The session of that id, as it told of itself. Without the secret it signs nothing."""
        return cls(
            access_key_id=access_key_id,
            secret_access_key=secret_access_key,
            user_id=held["user"],
            auth_epoch=held["epoch"],
            start=datetime.fromtimestamp(held["start"], UTC),
            expiration=datetime.fromtimestamp(held["expiration"], UTC),
            mfa_time=datetime.fromtimestamp(held["mfa"], UTC) if held["mfa"] is not None else None,
            parent=held["parent"],
        )


def read(token: str, access_key_id: str) -> Session | None:
    """The session of a token that this server made for that access key id, ended or not; None for any other text."""
    if not access_key_id.startswith(PREFIX):
        return None
    try:
        held = json.loads(settings.KEY_RING.unseal(token, column=COLUMN, row=access_key_id))
    except (SealBrokenError, ValueError):
        return None
    return Session.of_facts(access_key_id, held, secret_access_key=held["secret"])
