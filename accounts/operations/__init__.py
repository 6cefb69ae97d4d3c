"""Every change to, and every question about, accounts and users."""

from accounts.operations import absent, account, identity, installation, root, sessions, users, whole_users

__all__ = ["absent", "account", "identity", "installation", "root", "sessions", "users", "whole_users"]
