"""What sshd asks: whose key somebody comes with, and which login names there are."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings

from accounts import targets
from accounts.caller import Caller
from accounts.models import Account
from credentials.access_keys import note_use_of_ssh_key
from credentials.ssh.authorized_keys import authorized_keys_line, is_key_id
from credentials.ssh.models import SSHPublicKey
from credentials.ssh.public_keys import of_sshd
from iamconsole.errors import NoSuchEntity
from iamconsole.operation import operation

log = logging.getLogger("iamconsole.api")
NOBODY = "No active SSH public key of the account opens this login."


@dataclass(frozen=True)
class SSHLogin:
    """Who comes in, and the line that lets sshd take the key for what it does."""

    authorized_keys_line: str
    ssh_public_key_id: str
    arn: str
    user_id: str
    user_name: str | None


@operation("iamconsole:LookUpSSHKey", on=targets.everything, reads=True)
def look_up_ssh_key(caller: Caller, *, account: Account, login_name: str, key_type: str, public_key: str) -> SSHLogin:
    """Whose key it is that somebody comes with, under one of the names of SSH_LOGIN_NAMES or under the key's own id.

    Raises NoSuchEntity, in the same words, for a name that is neither, and unless exactly one active key of the account is this
    one: two users may have uploaded the same, and then its id must say who comes. A public key is no secret, and that it was
    used proves nothing, for sshd asks before it is: so none of the two is taken for its owner. Raises as reading the key does.
    """
    keys = SSHPublicKey.objects.that_open(account).filter(digest=of_sshd(key_type, public_key).digest)
    if is_key_id(login_name):
        keys = keys.filter(ssh_public_key_id=login_name)
    elif login_name not in settings.SSH_LOGIN_NAMES:
        raise NoSuchEntity(NOBODY)
    found = list(keys.select_related("user")[:2])
    if len(found) > 1:
        named = ", ".join(sorted(str(key) for key in found))
        fingerprint = found[0].sha256_fingerprint
        log.warning(
            "Nobody comes in as %s: several users have the SSH public key %s (%s)", login_name, fingerprint, named
        )
    if len(found) != 1:
        raise NoSuchEntity(NOBODY)
    key = found[0]
    note_use_of_ssh_key(key, datetime.now(UTC))
    user = key.user
    told = {
        "IAMCONSOLE_ARN": user.arn,
        "IAMCONSOLE_USER_ID": user.user_id,
        "IAMCONSOLE_USER_NAME": user.user_name or "",
        "IAMCONSOLE_SSH_PUBLIC_KEY_ID": key.ssh_public_key_id,
    }
    return SSHLogin(
        authorized_keys_line(key.body, settings.SSH_KEY_OPTIONS, told),
        key.ssh_public_key_id,
        user.arn,
        user.user_id,
        user.user_name,
    )


@operation("iamconsole:ListSSHLoginNames", on=targets.everything, reads=True)
def list_ssh_login_names(caller: Caller, *, account: Account) -> list[str]:
    """The ids of the account's active keys, all in one answer: an operating system needs to know them as names of users."""
    keys = SSHPublicKey.objects.that_open(account).order_by("ssh_public_key_id")
    return list(keys.values_list("ssh_public_key_id", flat=True))
