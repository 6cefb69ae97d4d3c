"""Signing in: the only place that makes a session. Its steps, and who is in."""

from accounts.signin.password import check, nobodys_password
from accounts.signin.second_factor import passkey_options, send_text, text_is_open
from accounts.signin.session import (
    BACKEND,
    Backend,
    confirm_by_code,
    confirm_by_password,
    renew,
    session_end,
    sign_out,
    stay_in,
)
from accounts.signin.steps import (
    Onward,
    Pending,
    begin,
    finish_enrolment,
    finish_new_password,
    give_code,
    pending,
    pending_caller,
)
from accounts.signin.who import PROVED, caller_of

__all__ = [
    "BACKEND",
    "PROVED",
    "Backend",
    "Onward",
    "Pending",
    "begin",
    "caller_of",
    "check",
    "confirm_by_code",
    "confirm_by_password",
    "finish_enrolment",
    "finish_new_password",
    "give_code",
    "nobodys_password",
    "passkey_options",
    "pending",
    "pending_caller",
    "renew",
    "send_text",
    "session_end",
    "sign_out",
    "stay_in",
    "text_is_open",
]
