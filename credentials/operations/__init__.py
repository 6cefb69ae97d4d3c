"""Every change to, and every question about, what users prove themselves with."""

from credentials.operations import (
    access_keys,
    authorize,
    certificate_export,
    hardware_tokens,
    login_profiles,
    mfa_devices,
    passkeys,
    password_policies,
    recovery_codes,
    server_certificates,
    service_tokens,
    session_tokens,
    signing_certificates,
    text_messages,
    virtual_mfa_devices,
)

__all__ = [
    "access_keys",
    "authorize",
    "certificate_export",
    "hardware_tokens",
    "login_profiles",
    "mfa_devices",
    "passkeys",
    "password_policies",
    "recovery_codes",
    "server_certificates",
    "service_tokens",
    "session_tokens",
    "signing_certificates",
    "text_messages",
    "virtual_mfa_devices",
]
