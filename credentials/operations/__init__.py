"""Every change to, and every question about, what users prove themselves with."""

from credentials.operations import (
    access_keys,
    authorize,
    hardware_tokens,
    key_details,
    login_profiles,
    mfa_devices,
    passkeys,
    password_policies,
    recovery_codes,
    service_credentials,
    service_tokens,
    session_tokens,
    text_messages,
    virtual_mfa_devices,
)

__all__ = [
    "access_keys",
    "authorize",
    "hardware_tokens",
    "key_details",
    "login_profiles",
    "mfa_devices",
    "passkeys",
    "password_policies",
    "recovery_codes",
    "service_credentials",
    "service_tokens",
    "session_tokens",
    "text_messages",
    "virtual_mfa_devices",
]
