"""Browsers in which a user has signed in before (OWASP's device cookies).

Such a browser carries a signed cookie and spends tries of its own. Whoever tries passwords from elsewhere uses up what strangers
have, and keeps nobody out who comes from where they always come from. The cookie signs nobody in.

It tells of which password it is. Those of before the last change of the password spend one budget together: whoever once knew the
password, and signed in with it from many browsers, has no more tries at the new one than from one.
"""

import secrets

from django.conf import settings
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.crypto import salted_hmac

from accounts.models import User

COOKIE = "__Host-browser" if settings.HTTPS else "browser"
LIFETIME = 180 * 86400
MOST_USERS = 5
EARLIER = "earlier"  # all browsers whose last sign-in was with a password of before
_SALT = "known browser"


def nonce_of(request: HttpRequest, user: User | None) -> str:
    """What tells this browser from others that ``user`` has signed in with; empty where the user has not, or is nobody.

    EARLIER where that was before the password was changed last.
    """
    known = _known(request)  # whether or not there is such a user, so that both take the same time
    nonce = known.get(user.user_id, "") if user else ""
    return nonce if not nonce or user is None or _is_of(nonce, user) else EARLIER


def remember(request: HttpRequest, response: HttpResponseBase, user: User) -> None:
    """Let the browser be known that ``user`` has just signed in with; of many users it keeps the last few."""
    known = _known(request)
    nonce = known.pop(user.user_id, "")
    known[user.user_id] = nonce if _is_of(nonce, user) else f"{_password_of(user)}-{secrets.token_hex(16)}"
    kept = dict(list(known.items())[-MOST_USERS:])
    response.set_cookie(
        COOKIE,
        signing.dumps(kept, salt=_SALT),
        max_age=LIFETIME,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


def _is_of(nonce: str, user: User) -> bool:
    """Whether it was given out for the password that ``user`` has now."""
    return nonce.startswith(f"{_password_of(user)}-")


def _password_of(user: User) -> str:
    """What changes with the user's password, and tells nothing of it."""
    changed = f"{user.pk}\0{user.password_last_changed and user.password_last_changed.timestamp()}"
    return salted_hmac("accounts.known_browsers", changed, algorithm="sha256").hexdigest()[:16]


def _known(request: HttpRequest) -> dict[str, str]:
    try:
        known: dict[str, str] = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=LIFETIME)
    except signing.BadSignature:
        return {}
    return known
