"""Browsers in which a user has signed in before (OWASP's device cookies).

Such a browser carries a signed cookie and spends tries of its own. Whoever tries passwords from elsewhere uses up what strangers
have, and keeps nobody out who comes from where they always come from. The cookie signs nobody in.
"""

import secrets

from django.conf import settings
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.models import User

COOKIE = "__Host-browser" if settings.HTTPS else "browser"
LIFETIME = 180 * 86400
MOST_USERS = 5
_SALT = "known browser"


def nonce_of(request: HttpRequest, user: User | None) -> str:
    """What tells this browser from others that ``user`` has signed in with; empty where the user has not, or is nobody."""
    known = _known(request)
    return known.get(user.user_id, "") if user else ""


def remember(request: HttpRequest, response: HttpResponseBase, user: User) -> None:
    """Let the browser be known that ``user`` has just signed in with; of many users it keeps the last few."""
    known = _known(request)
    known[user.user_id] = known.pop(user.user_id, "") or secrets.token_hex(16)
    kept = dict(list(known.items())[-MOST_USERS:])
    response.set_cookie(
        COOKIE,
        signing.dumps(kept, salt=_SALT),
        max_age=LIFETIME,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


def _known(request: HttpRequest) -> dict[str, str]:
    try:
        known: dict[str, str] = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=LIFETIME)
    except signing.BadSignature:
        return {}
    return known
