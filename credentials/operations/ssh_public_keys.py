"""SSH public keys: upload, read, list, switch on and off, delete."""

from collections.abc import Mapping
from typing import Any

from accounts import targets
from accounts.caller import Caller
from accounts.models import User
from accounts.quotas import refuse_beyond
from accounts.tags import RESOURCE_TAGS
from credentials.ssh.models import SSHPublicKey
from credentials.ssh.public_keys import PublicKey, parse
from iamconsole.errors import DuplicateSSHPublicKey, InvalidInput, NoSuchEntity
from iamconsole.operation import operation
from iamconsole.paging import Page


def _reading(admitted: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read what is uploaded while nothing is locked."""
    return {"ssh_public_key_body": parse(admitted["ssh_public_key_body"])}


@operation("iam:UploadSSHPublicKey", on=targets.user, lock=True, sensitive=True, before=_reading, keys=RESOURCE_TAGS)
def upload_ssh_public_key(caller: Caller, *, user: User, ssh_public_key_body: PublicKey) -> SSHPublicKey:
    """Take a key of the named user. Of what was uploaded the key alone is kept, in OpenSSH's encoding.

    Raises UnrecognizedPublicKeyEncoding, InvalidPublicKey, DuplicateSSHPublicKey when the user has the key in whatever
    encoding, LimitExceeded when the user holds five already, active or not. Another user of the account may have it: then it
    opens a login by its id alone, which the answer's ``is_shared`` tells to the console.
    """
    key = ssh_public_key_body
    keys = SSHPublicKey.objects.filter(user=user)
    if keys.filter(digest=key.digest).exists():
        raise DuplicateSSHPublicKey("Duplicate SSH public key uploaded.")
    refuse_beyond("SSHPublicKeysPerUser", user.account, keys)
    kept = SSHPublicKey.keep(user, key)
    kept.is_shared = SSHPublicKey.objects.with_sharing(user.account).get(pk=kept.pk).is_shared
    return kept


@operation("iam:GetSSHPublicKey", on=targets.user, reads=True, keys=RESOURCE_TAGS)
def get_ssh_public_key(caller: Caller, *, user: User, ssh_public_key_id: str, encoding: str) -> Mapping[str, Any]:
    """A key, in OpenSSH's encoding or in PEM. Raises UnrecognizedPublicKeyEncoding for PEM of a key of the sk- forms."""
    key = _key(user, ssh_public_key_id, lock=False)
    shown = {
        "user_name": user.user_name,
        "ssh_public_key_id": key.ssh_public_key_id,
        "fingerprint": key.fingerprint,
        "ssh_public_key_body": key.body if encoding == "SSH" else key.key.pem,
        "status": key.status,
        "upload_date": key.upload_date,
    }
    return {"ssh_public_key": shown}


@operation("iam:ListSSHPublicKeys", on=targets.user, reads=True, keys=RESOURCE_TAGS)
def list_ssh_public_keys(
    caller: Caller, *, user: User, max_items: int | None = None, marker: str | None = None
) -> Page[SSHPublicKey]:
    """The user's keys, without what they are."""
    return Page.of(
        SSHPublicKey.objects.filter(user=user).select_related("user").with_sharing(user.account),
        by="id",
        scope=f"ListSSHPublicKeys {user.user_id}",
        max_items=max_items,
        marker=marker,
    )


@operation("iam:UpdateSSHPublicKey", on=targets.user, lock=True, sensitive=True, keys=RESOURCE_TAGS)
def update_ssh_public_key(caller: Caller, *, user: User, ssh_public_key_id: str, status: str) -> None:
    """Switch a key on or off. Raises NoSuchEntity for a key that is not the user's."""
    if status not in SSHPublicKey.Status.values:
        raise InvalidInput(f"Operation does not support status {status}")
    key = _key(user, ssh_public_key_id, lock=True)
    key.status = status
    key.save(update_fields=["status"])


@operation("iam:DeleteSSHPublicKey", on=targets.user, lock=True, sensitive=True, keys=RESOURCE_TAGS)
def delete_ssh_public_key(caller: Caller, *, user: User, ssh_public_key_id: str) -> None:
    """Delete a key: nobody comes in by it any more. Raises NoSuchEntity for a key that is not the user's."""
    _key(user, ssh_public_key_id, lock=True).delete()


def _key(user: User, ssh_public_key_id: str, *, lock: bool) -> SSHPublicKey:
    """The user's key. AWS says it of another user's in the account in other words than of one that is not there."""
    keys = SSHPublicKey.objects.filter(ssh_public_key_id=ssh_public_key_id)
    if lock:
        keys = keys.select_for_update(no_key=True)
    key = keys.filter(user=user).first()
    if key is not None:
        return key
    if SSHPublicKey.objects.filter(ssh_public_key_id=ssh_public_key_id, user__account=user.account_id).exists():
        raise NoSuchEntity(f"User has no Public Key with id {ssh_public_key_id}.")
    raise NoSuchEntity(f"The Public Key with id {ssh_public_key_id} cannot be found.")
