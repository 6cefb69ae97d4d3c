"""The first step: who somebody says to be, and the password. Every failure has one answer, the same queries and one hash."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import count

from django.contrib.auth.hashers import check_password, make_password
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from accounts import known_browsers, throttle
from accounts.models import Account, User
from accounts.sessions import SessionStore
from accounts.signin.who import record_failure
from accounts.throttle import Budget
from audit.models import INSTALLATION
from credentials.models import LoginProfile
from credentials.passwords import normalised
from credentials.secrets import new_password
from iamconsole.errors import Throttling

SWEEP_EVERY = 100
_tries = count(1)


@lru_cache(maxsize=1)
def nobodys_password() -> str:
    """A hash that stands in for the user who does not exist, so that both take the same time. The server makes it at start."""
    return make_password(new_password())


def check(
    request: HttpRequest, *, password: str, account: str = "", user_name: str = "", email: str = ""
) -> User | None:
    """The user whose password this is: an IAM user by account and name, or a root user by e-mail. None on every failure.

    Raises Throttling, having hashed nothing, when no try is left.
    """
    if next(_tries) % SWEEP_EVERY == 0:
        throttle.sweep()
        SessionStore.clear_expired()
    users = User.objects.select_related("account", "login_profile")
    if email:
        chain, whose, who = INSTALLATION, email.lower(), email.lower()
        found = users.filter(email=who, user_name__isnull=True).first()
    else:
        chain, whose, who = *_account(account), user_name.strip().lower()
        found = users.filter(account_id=whose, user_name_key=who).first()
    if found is not None:
        chain = found.account_id
    else:
        _like_one_found()
    nonce = known_browsers.nonce_of(request, found)
    if found is not None and nonce:
        budgets = throttle.known_browser_budgets(found, nonce)
    else:
        address = request.META.get("REMOTE_ADDR", "")
        budgets = throttle.sign_in_budgets(account=whose, who=who, address=address)
    right = False
    may_sign_in = (
        found is not None
        and found.is_active_at(timezone.now())
        and found.has_usable_password()
        and (found.is_root or hasattr(found, "login_profile"))
    )
    encoded = found.password if found and may_sign_in else nobodys_password()
    try:
        right = proves(password, encoded, budgets, found)
    except Throttling as fault:
        record_failure(request, chain, found, "password", fault.code, paid=False, whose=f"{whose} {who}")
        raise
    if found is not None and may_sign_in and right:
        throttle.refund(budgets)
        return found
    record_failure(request, chain, found, "password", paid=True)
    return None


def proves(password: str, encoded: str, budgets: Sequence[Budget], owner: User | None) -> bool:
    """Whether the password is the hashed one, for one try of the budgets. Raises Throttling.

    Where it is, and the hash of its ``owner`` was made at other costs than are the product's now, it is hashed anew.
    """
    throttle.reserve(budgets)
    return check_password(normalised(password), encoded, lambda text: hash_anew(owner, encoded, text))


def hash_anew(owner: User | None, encoded: str, text: str) -> None:
    """Put a new hash of the same password in the place of ``encoded``, if that is still there: it changes no password."""
    if owner is not None:
        User.objects.filter(pk=owner.pk, password=encoded).update(password=make_password(text))


def _like_one_found() -> None:
    """Make of nothing what is made of the row of a user who is found: else the time would tell that there is none."""
    LoginProfile(user=User(account=Account(account_id="", alias=None), user_name="", tags=[]))


def _account(typed: str) -> tuple[str, str]:
    """The chain that failures are recorded in, and the account that tries are counted for, whether or not there is one."""
    label = typed.strip().lower()
    found = Account.objects.filter(Q(pk=label) | Q(alias=label)).values_list("pk", flat=True).first()
    return (found, found) if found else (INSTALLATION, label)
