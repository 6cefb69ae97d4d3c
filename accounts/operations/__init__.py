"""Every change to, and every question about, accounts and users."""

from accounts.operations import (
    absent,
    account,
    groups,
    identity,
    installation,
    root,
    sessions,
    suspension,
    user_changes,
    user_lists,
    users,
    whole_groups,
    whole_users,
)

__all__ = [
    "absent",
    "account",
    "groups",
    "identity",
    "installation",
    "root",
    "sessions",
    "suspension",
    "user_changes",
    "user_lists",
    "users",
    "whole_groups",
    "whole_users",
]
