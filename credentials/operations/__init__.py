"""Every change to, and every question about, what users prove themselves with."""

from credentials.operations import access_keys, login_profiles

__all__ = ["access_keys", "login_profiles"]
