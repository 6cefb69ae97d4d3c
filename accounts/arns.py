"""Names of things: ARNs and unique ids, in AWS's forms (IAM User Guide, "IAM identifiers")."""

import base64
import re
import secrets

ID_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
POLICY = re.compile(
    r"arn:aws(?P<region>-[a-z-]+)?:iam::(?P<account>aws|[0-9]{12}):"
    r"policy(?P<path>(?:/[A-Za-z0-9.,+@=_-]+)*/)(?P<name>[A-Za-z0-9_+=,.@-]+)"
)
SERVICE_CREDENTIAL_ID = re.compile(r"ACCA[A-Z2-7]{17}", re.ASCII)
SSH_PUBLIC_KEY_ID = re.compile(r"APKA[A-Z2-7]{16}", re.ASCII)
ACCESS_KEY_ID = re.compile(r"AKIA[A-Z2-7]{16}", re.ASCII)
# An access key id is base32 whose first 6 bytes hold the account, shifted by 7 bits.
_ACCOUNT_SHIFT = 7
_ACCOUNT_MASK = 0x7FFFFFFFFF80


def iam(account_id: str, resource: str) -> str:
    """The ARN of an IAM resource such as ``user/team/alice``."""
    return f"arn:aws:iam::{account_id}:{resource}"


def user(account_id: str, path: str, user_name: str) -> str:
    """A user's ARN; ``path`` begins and ends with a slash."""
    return iam(account_id, f"user{path}{user_name}")


def group(account_id: str, path: str, group_name: str) -> str:
    """A group's ARN; ``path`` begins and ends with a slash."""
    return iam(account_id, f"group{path}{group_name}")


def policy(account_id: str | None, path: str, policy_name: str) -> str:
    """A managed policy's ARN; AWS's own policies, which are of no account, have ``aws`` in its place."""
    return iam(account_id or "aws", f"policy{path}{policy_name}")


def server_certificate(account_id: str, path: str, server_certificate_name: str) -> str:
    """A server certificate's ARN; ``path`` begins and ends with a slash."""
    return iam(account_id, f"server-certificate{path}{server_certificate_name}")


def mfa(account_id: str, path: str, device_name: str) -> str:
    """A virtual MFA device's ARN, which is its serial number; ``path`` begins and ends with a slash."""
    return iam(account_id, f"mfa{path}{device_name}")


def u2f(account_id: str, user_name: str | None, device_name: str) -> str:
    """The ARN of a passkey or security key, which is its serial number: of a user, or of the root user."""
    owner = "root-account" if user_name is None else f"user/{user_name}"
    return iam(account_id, f"u2f/{owner}/{device_name}-{new_unique_id('')}")


def sms(account_id: str, device_name: str) -> str:
    """The ARN of a phone number that text messages go to, which is its serial number."""
    return iam(account_id, f"sms-mfa/{device_name}-{new_unique_id('')}")


def is_policy(arn: str) -> bool:
    """Whether it has the form of a managed policy's ARN, in whatever partition and account."""
    return POLICY.fullmatch(arn) is not None


def policy_parts(arn: str) -> tuple[str | None, str, str] | None:
    """Account (None for AWS's own), path and name of a managed policy's ARN; None when no policy here could have it."""
    found = POLICY.fullmatch(arn)
    if found is None or found["region"]:
        return None
    return (None if found["account"] == "aws" else found["account"]), found["path"], found["name"]


def root(account_id: str) -> str:
    """The root user's ARN."""
    return iam(account_id, "root")


def new_account_id() -> str:
    """Twelve random digits, the first not zero, so that no tool drops it."""
    return str(10**11 + secrets.randbelow(9 * 10**11))


def new_unique_id(prefix: str) -> str:
    """A unique id: a four-letter prefix such as AIDA and 17 characters (85 bits)."""
    return prefix + "".join(secrets.choice(ID_ALPHABET) for _ in range(17))


def new_access_key_id(account_id: str, prefix: str = "AKIA") -> str:
    """A new access key id of 20 characters that carries its account, as AWS's does; 32 of its 80 bits are random.

    The bit above the account is set, as in the ids AWS issues since 2019.
    """
    first = 1 << 47 | int(account_id) << _ACCOUNT_SHIFT | secrets.randbelow(1 << _ACCOUNT_SHIFT)
    return prefix + base64.b32encode(first.to_bytes(6) + secrets.token_bytes(4)).decode()


def account_of_access_key(access_key_id: str) -> str | None:
    """The account an access key id belongs to, or None for an id that carries none."""
    if not re.fullmatch(r"(AKIA|ASIA)[A-Z2-7]{16}", access_key_id, re.ASCII):
        return None
    first = int.from_bytes(base64.b32decode(access_key_id[4:])[:6])
    return f"{(first & _ACCOUNT_MASK) >> _ACCOUNT_SHIFT:012d}"
