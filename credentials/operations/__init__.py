"""Every change to, and every question about, what users prove themselves with."""

from credentials.operations import access_keys, authorize, login_profiles, password_policies, service_tokens

__all__ = ["access_keys", "authorize", "login_profiles", "password_policies", "service_tokens"]
