"""Who a console request is of: its session's user, or nobody yet."""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest

from accounts.caller import Caller
from accounts.models import User
from accounts.sessions import SIGNED_IN, SessionStore
from audit.record import Origin, record_alone, record_unauthenticated
from iamconsole.logs import served

ACTION = "iamconsole:SignIn"
CALLER = "iamconsole.caller"
PROVED = "proved"  # when who is in last proved it, in seconds since 1970: at sign-in, or when asked again
MFA_TIME = "mfa_time"  # when a second factor was shown, likewise


def caller_of(request: HttpRequest) -> Caller:
    """The caller of a console request: its session's user."""
    if not isinstance(request.user, User):
        raise TypeError("a request without a session has no caller")
    session = request.session
    caller: Caller = request.META.setdefault(
        CALLER,
        console_caller(
            request,
            request.user,
            session_id=session.session_id if isinstance(session, SessionStore) else "",
            session_start=moment(session.get(SIGNED_IN)),
            mfa_time=moment(session.get(MFA_TIME)),
            sudo_time=moment(session.get(PROVED)),
        ),
    )
    return caller


def moment(seconds: float | None) -> datetime | None:
    """A time of a session's data."""
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def console_caller(request: HttpRequest, user: User, **facts: Any) -> Caller:
    """A user as the caller of this request, with what else is known of the session."""
    return Caller(
        user=user,
        door="console",
        source_ip=request.META.get("REMOTE_ADDR", ""),
        user_agent=request.headers.get("User-Agent", ""),
        request_id=served().request_id,
        secure_transport=request.is_secure(),
        **facts,
    )


def origin(request: HttpRequest, chain: str, user: User | None) -> Origin:
    """The part of an event that this request brings; ``user`` is who it is about."""
    return Origin(
        chain=chain,
        actor_arn=user.arn if user else "",
        actor_id=user.user_id if user else "",
        door="console",
        source_ip=request.META.get("REMOTE_ADDR", ""),
        user_agent=request.headers.get("User-Agent", ""),
        request_id=served().request_id,
    )


def record_failure(
    request: HttpRequest,
    chain: str,
    user: User | None,
    method: str,
    result: str = "Failure",
    *,
    paid: bool,
    whose: str = "",
) -> None:
    """Record that a step was not passed; ``user`` is who was claimed to be, if there is such a one.

    ``paid``: it was looked at, for a try of budgets that bound what all can send: each is recorded, of the others some.
    ``whose`` is what was claimed, where nobody has proved yet that there is such a one.
    """
    from_here = origin(request, chain, user)
    event: dict[str, Any] = {
        "action": ACTION,
        "resource": user.arn if user else "*",
        "result": result,
        "response": {"method": method},
    }
    if paid:
        record_alone(from_here, **event)
    else:
        record_unauthenticated(from_here, **event, whose=whose or f"{chain} {user.user_id if user else ''}")
