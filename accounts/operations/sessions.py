"""Sessions in browsers: list and end them, one's own and a user's; and let a user try to sign in again at once."""

from django.utils import timezone

from accounts import targets, throttle
from accounts.caller import Caller
from accounts.models import Session, User
from accounts.sessions import live_sessions
from credentials.mfa import text_codes
from credentials.mfa import throttle as guesses
from credentials.mfa.models import MFADevice
from credentials.mfa_proof import missing_proof, refuse_without_second_factor
from credentials.steps import end_sessions
from iamconsole.errors import AccessDenied, NoSuchEntity
from iamconsole.operation import operation


@operation("iamconsole:ListSessions", on=targets.user, reads=True)
def list_sessions(caller: Caller, *, user: User) -> list[Session]:
    """The user's sessions in browsers, the latest first."""
    return _sessions(caller, user)


@operation("iamconsole:EndSession", on=targets.user, lock=True, sensitive=True)
def end_session(caller: Caller, *, user: User, session_id: str) -> None:
    """End one session of the user. Raises NoSuchEntity for a session that is not the user's."""
    deleted, _ = user.sessions.filter(session_id=session_id).delete()
    if not deleted:
        raise NoSuchEntity(f"The session with id {session_id} cannot be found.")


@operation("iamconsole:EndAllSessions", on=targets.user, lock=True, sensitive=True)
def end_all_sessions(caller: Caller, *, user: User) -> None:
    """End every session of the user, and every sign-in that is half done."""
    end_sessions(user)


@operation("iamconsole:ListOwnSessions", on=targets.the_caller, reads=True, public=True)
def list_own_sessions(caller: Caller, *, user: User) -> list[Session]:
    """The caller's own sessions in browsers, the latest first."""
    return _sessions(caller, user)


@operation("iamconsole:EndOwnSession", on=targets.the_caller, lock=True, public=True, sensitive=True)
def end_own_session(caller: Caller, *, user: User, session_id: str) -> None:
    """End one of the caller's own sessions, if it has not ended yet. Raises AccessDenied of a key alone."""
    _refuse_of_key_alone(caller)
    user.sessions.filter(session_id=session_id).delete()


@operation("iamconsole:EndOtherSessions", on=targets.the_caller, lock=True, public=True, sensitive=True)
def end_other_sessions(caller: Caller, *, user: User) -> None:
    """End the caller's own sessions but the one that asks. Raises AccessDenied of a key alone."""
    _refuse_of_key_alone(caller)
    user.sessions.exclude(session_id=caller.session_id).delete()


@operation("iamconsole:ResetSignInThrottle", on=targets.user, lock=True, sensitive=True)
def reset_sign_in_throttle(caller: Caller, *, user: User) -> None:
    """Let the user try again at once, whose tries of passwords, codes and messages were used up by whomever.

    What an address and the account as a whole have used up stays so, for five minutes at most. Raises AccessDenied of who has MFA
    devices where an own one is to be used first: the tries bound who guesses at them.
    """
    if MFADevice.objects.filter(user=user).exists():
        refuse_without_second_factor(caller, user)
    throttle.forget(user)
    guesses.forget(user)
    text_codes.forget(user)


def _refuse_of_key_alone(caller: Caller) -> None:
    """Nobody's permission is asked: so whoever has taken a key would keep its user out of the console, again and again."""
    if caller.door != "console" and missing_proof(caller):
        raise AccessDenied(
            f"User: {caller.arn} ends own sessions in the console, or with multi-factor authentication. Those of users are ended"
            " by iamconsole:EndSession and iamconsole:EndAllSessions too, by whom a policy allows it."
        )


def _sessions(caller: Caller, user: User) -> list[Session]:
    if not user.is_active_at(timezone.now()):
        return []  # the rows of a user whose end date has passed open nothing
    sessions = list(live_sessions().filter(user=user).order_by("-create_date", "pk"))
    for session in sessions:
        session.current = session.session_id == caller.session_id
    return sessions
