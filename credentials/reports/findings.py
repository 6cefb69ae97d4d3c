"""What a row of a credential report finds: each finding is named after the audit check of Prowler that looks for the same."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from credentials.reports.rows import ROOT, when
from credentials.unused.meaning import CHECK_DAYS, is_unused, limit_of

Row = Mapping[str, str]
OLD: Final = timedelta(days=90)
YES: Final = "true"


@dataclass(frozen=True)
class Finding:
    """One kind of finding: what the audit check is called, what people read, and whom it is about."""

    check: str
    label: str
    about: Callable[[Row, datetime], bool]


def _is_root(row: Row) -> bool:
    return row["user"] == ROOT


def _has_password(row: Row) -> bool:
    return row["password_enabled"] == YES


def _has_mfa(row: Row) -> bool:
    return row["mfa_active"] == YES


def _any_key(row: Row, holds: Callable[[str], bool]) -> bool:
    return any(row[f"access_key_{number}_active"] == "true" and holds(f"access_key_{number}") for number in (1, 2))


def _before(cell: str, limit: datetime) -> bool:
    moment = when(cell)
    return moment is not None and moment < limit


def _key_is_unused(row: Row, now: datetime) -> bool:
    """Whether an active key is unused."""

    def unused(key: str) -> bool:
        moments = (when(row[f"{key}_{name}"]) for name in ("last_rotated", "last_used_date"))
        return is_unused(limit_of(now, CHECK_DAYS), *moments)

    return _any_key(row, unused)


def _password_is_unused(row: Row, now: datetime) -> bool:
    moments = (when(row[f"password_{name}"]) for name in ("last_changed", "last_used"))
    return _has_password(row) and is_unused(limit_of(now, CHECK_DAYS), *moments)


FINDINGS: Final = (
    Finding(
        "iam_root_mfa_enabled",
        "Root user without MFA",
        lambda row, now: _is_root(row) and _has_password(row) and not _has_mfa(row),
    ),
    Finding(
        "iam_no_root_access_key",
        "Root user with an access key",
        lambda row, now: _is_root(row) and _any_key(row, lambda key: True),
    ),
    Finding(
        "iam_user_mfa_enabled_console_access",
        "Password without MFA",
        lambda row, now: not _is_root(row) and _has_password(row) and not _has_mfa(row),
    ),
    Finding(
        "iam_rotate_access_key_90_days",
        "Key older than 90 days",
        lambda row, now: _any_key(row, lambda key: _before(row[f"{key}_last_rotated"], now - OLD)),
    ),
    Finding("iam_user_accesskey_unused", f"Key unused for {CHECK_DAYS} days", _key_is_unused),
    Finding("iam_user_console_access_unused", f"Password unused for {CHECK_DAYS} days", _password_is_unused),
    Finding(
        "iam_user_two_active_access_key",
        "Two active keys",
        lambda row, now: row["access_key_1_active"] == row["access_key_2_active"] == "true",
    ),
)


def findings_of(row: Row, now: datetime) -> list[Finding]:
    """What is found in a row, in the order of the list."""
    return [each for each in FINDINGS if each.about(row, now)]
