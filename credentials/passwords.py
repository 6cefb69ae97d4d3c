"""Passwords: the rules a new one follows, when one expires, and the slow work of hashing and proving.

That work is done before anything is locked; under the lock it is only checked that nothing has changed meanwhile.
"""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Final, Self

from django.contrib.auth.hashers import check_password, is_password_usable, make_password
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts import throttle
from accounts.models import Account, User
from credentials.models import PasswordHistory, PasswordPolicy
from credentials.password_rules import LONGEST, reuse_sentence, rules_for
from credentials.secrets import PASSWORD_LENGTH, new_password

MOST_DECOMPOSED: Final = 4  # no character of NFC is spelled by more
FIRST_LIFETIME: Final = timedelta(days=7)  # of a generated password: NIST SP 800-63B, OWASP ASVS 5.0.0 6.4.1
WARN_FROM: Final = timedelta(days=15)  # IAM User Guide, "Set an account password policy"


@dataclass(frozen=True)
class NewPassword:
    """A new password, its hash, and the hashes it was compared with because those passwords may not be used again."""

    text: str = field(repr=False)
    encoded: str = field(repr=False)
    compared_with: frozenset[str] = field(default=frozenset(), repr=False)
    used_before: bool = False

    @classmethod
    def of(cls, password: str, user: User | None = None) -> Self:
        """Hash a password, for ``user``; takes some ten milliseconds, and as much again for each it may not repeat."""
        text = normalised(password)
        earlier = not_to_repeat(user, policy_of(user)) if user else frozenset()
        return cls(text, make_password(text), earlier, any(check_password(text, each) for each in earlier))


@dataclass(frozen=True)
class OldPassword:
    """What was typed as the password there is, and the hash it was found to match, if it did."""

    text: str = field(repr=False)
    matches: str | None = field(repr=False)

    @classmethod
    def of(cls, password: str, user: User, door: str) -> Self:
        """Compare with the user's hash, for one try at that door; takes some ten milliseconds. Raises Throttling."""
        text, budgets = normalised(password), throttle.proof_budgets(user, door)
        throttle.reserve(budgets)
        if not check_password(text, user.password):
            return cls(text, None)
        throttle.refund(budgets)
        return cls(text, user.password)

    def proves(self, user: User) -> bool:
        """Whether it is the password of ``user`` still."""
        return self.matches is not None and constant_time_compare(self.matches, user.password)


def hashing(new: str | None = None, *, proving: str | None = None) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """What an operation does before it locks: hash the argument ``new``, prove the argument ``proving`` of its user.

    Who does not prove the password there is learns nothing of those before it: the new one is compared with none.
    """

    def before(admitted: Mapping[str, Any]) -> Mapping[str, Any]:
        ready: dict[str, Any] = {}
        user = admitted.get("user")
        if proving is not None:
            ready[proving] = OldPassword.of(admitted[proving], admitted["user"], admitted["caller"].door)
            user = user if ready[proving].matches else None
        if new is not None and new in admitted:
            ready[new] = NewPassword.of(admitted[new], user)
        return ready

    return before


def normalised(password: str) -> str:
    """The password as it is hashed: in Unicode's form NFC, so that it is the same from every keyboard. Never trimmed.

    What is too long however it is spelled stays as it came: normalising it can take its length squared.
    """
    return password if len(password) > MOST_DECOMPOSED * LONGEST else unicodedata.normalize("NFC", password)


def policy_of(user: User) -> PasswordPolicy | None:
    """The policy that holds for ``user``: the account's, or none. The root user is under none."""
    return None if user.is_root else PasswordPolicy.of(user.account)


def rules(account: Account, user: User | None = None) -> list[str]:
    """What a new password must be, as sentences to list beside the form; of a user who is about to be made, without one."""
    return rules_of(policy_of(user) if user else PasswordPolicy.of(account), account, user)


def rules_of(policy: PasswordPolicy | None, account: Account, user: User | None = None) -> list[str]:
    """The same of a given policy."""
    sentences = [rule.sentence for rule in rules_for(account, user, policy)]
    return sentences + ([reuse_sentence(policy)] if policy and policy.password_reuse_prevention else [])


def broken_rules(password: NewPassword, user: User, policy: PasswordPolicy | None) -> list[str]:
    """The rules that ``password`` breaks for ``user`` (loaded with its account), all of them; empty when it is good."""
    broken = [rule.sentence for rule in rules_for(user.account, user, policy) if not rule.holds(password.text)]
    return broken + ([reuse_sentence(policy)] if policy and password.used_before else [])


def generated(account: Account | str) -> str:
    """A new password that satisfies the account's policy."""
    policy = PasswordPolicy.of(account)
    return new_password(max(PASSWORD_LENGTH, policy.minimum_password_length if policy else 0))


def generating(account_id: Callable[[Mapping[str, Any]], str | None]) -> Callable[..., Mapping[str, Any]]:
    """What an operation does before it locks: generate and hash the argument ``generated``, for a user of that account.

    None is generated where ``account_id`` is None. An argument ``password`` is hashed as `hashing` does.
    """

    def before(admitted: Mapping[str, Any]) -> Mapping[str, Any]:
        ready, account = {**hashing("password")(admitted)}, account_id(admitted)
        if account is not None:
            ready["generated"] = NewPassword.of(generated(account), admitted.get("user"))
        return ready

    return before


def not_to_repeat(user: User, policy: PasswordPolicy | None) -> frozenset[str]:
    """The hashes of the passwords that ``user`` may not have again: the current one, and as many before it as the policy says."""
    if not (policy and policy.password_reuse_prevention):
        return frozenset()
    earlier = PasswordHistory.newest(user).values_list("encoded", flat=True)[: policy.password_reuse_prevention]
    return frozenset(each for each in (user.password, *earlier) if is_password_usable(each))


@dataclass(frozen=True)
class Expiry:
    """When a password expires or has expired. After a hard expiry only an administrator can set another in the console.

    ``first``: it was generated, and is good for nothing but to be changed.
    """

    when: datetime
    left: timedelta
    hard: bool
    first: bool = False

    @property
    def passed(self) -> bool:
        """Whether it has expired."""
        return self.left <= timedelta(0)

    @property
    def days_left(self) -> int:
        """In days, the last one counted whole; 0 when it has expired."""
        return max(0, ceil(self.left / timedelta(days=1)))

    @property
    def is_near(self) -> bool:
        """Whether its user should be told."""
        return self.left <= WARN_FROM


def expiry(user: User) -> Expiry | None:
    """When the password of ``user`` (loaded with its account) expires; None when it never does. Access keys go on working."""
    found = [each for each in (_expiry_of_first(user), _expiry_by_policy(user)) if each is not None]
    # Of two that have passed the one that only an administrator can help with.
    return min(found, key=lambda each: (not each.passed, not each.hard, each.when), default=None)


def _expiry_of_first(user: User) -> Expiry | None:
    when = None if user.is_root or not hasattr(user, "login_profile") else user.login_profile.password_expire_date
    return None if when is None else Expiry(when, when - timezone.now(), hard=True, first=True)


def _expiry_by_policy(user: User) -> Expiry | None:
    policy = policy_of(user)
    if policy is None or policy.max_password_age is None or user.password_last_changed is None:
        return None
    when = user.password_last_changed + timedelta(days=policy.max_password_age)
    return Expiry(when, when - timezone.now(), hard=bool(policy.hard_expiry))
