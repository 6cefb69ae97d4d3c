"""What a user's page and the list of users say of a user in a word or two."""

from dataclasses import dataclass
from datetime import datetime

from accounts.models import User


@dataclass(frozen=True)
class Status:
    """A word, and its kind as elements/status.html has it: ok, warning, error or muted."""

    word: str
    kind: str


def status_of(user: User, now: datetime) -> Status:
    """What keeps the user out, or that nothing does."""
    if user.lock_down is not None and user.is_suspended_at(now):
        return Status("Locked down", "error")
    if user.is_suspended_at(now):
        return Status(f"Suspended until {_day(user.suspended_until)}" if user.suspended_until else "Suspended", "error")
    if user.end_date is not None:
        ended = user.end_date <= now
        return Status(f"{'Ended' if ended else 'Ends'} on {_day(user.end_date)}", "error" if ended else "warning")
    return Status("Active", "ok")


def console_status(user: User, now: datetime, *, password_expired: bool) -> Status:
    """The same with what a user who has a password (and the login profile loaded) makes of it."""
    status = status_of(user, now)
    if status.word == "Active" and password_expired:
        return Status("Password expired", "warning")
    if status.word == "Active" and user.password_last_used is None:
        return Status("Never signed in", "warning")
    return status


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
