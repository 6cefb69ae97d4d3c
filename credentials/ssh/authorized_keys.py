"""The one line that sshd is answered, as sshd(8), "AUTHORIZED_KEYS FILE FORMAT", reads it."""

import re
from collections.abc import Mapping, Sequence

KEY_ID = re.compile(r"APKA[A-Z2-7]{16}", re.ASCII)
PRINTABLE = re.compile(r"[ -~]*")
VARIABLE = re.compile(r"IAMCONSOLE_[A-Z_]+")


def is_key_id(login_name: str) -> bool:
    """Whether a login name is the id of a key, as CodeCommit's clients send it."""
    return KEY_ID.fullmatch(login_name) is not None


def authorized_keys_line(key: str, options: Sequence[str], environment: Mapping[str, str]) -> str:
    """``restrict``, the options and the environment in front of the key (``type base64``). Raises ValueError on unfit values.

    The options are the operator's (SSH_KEY_OPTIONS); nothing of a user's is ever among them but quoted values of the environment.

    In a quoted value only a quote ends it, and only a backslash before a quote is no character of its own (OpenSSH's
    opt_dequote): so the quotes are all there is to escape, among printable characters.
    """
    parts = ["restrict", *options]
    for name, value in environment.items():
        if not VARIABLE.fullmatch(name) or not PRINTABLE.fullmatch(value):
            raise ValueError(f"{name} cannot be told to sshd")
        parts.append('environment="{}={}"'.format(name, value.replace('"', '\\"')))
    return f"{','.join(parts)} {key}"
