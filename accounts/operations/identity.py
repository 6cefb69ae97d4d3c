"""STS's questions: who am I, and whose key is this."""

from accounts import arns, targets
from accounts.caller import Caller
from accounts.models import Account, User
from iamconsole.errors import ValidationError
from iamconsole.operation import operation


@operation("sts:GetCallerIdentity", on=targets.the_caller, reads=True, public=True)
def get_caller_identity(caller: Caller, *, user: User) -> dict[str, str]:
    """Who signed the request. Needs no permission, and no policy can deny it."""
    return {"user_id": user.user_id, "account": user.account_id, "arn": user.arn}


@operation("sts:GetAccessKeyInfo", on=targets.everything, reads=True)
def get_access_key_info(caller: Caller, *, account: Account, access_key_id: str) -> dict[str, str]:
    """The account an access key id carries in itself: nothing is looked up, so nothing tells whether the key exists."""
    owner = arns.account_of_access_key(access_key_id)
    if owner is None:
        raise ValidationError("The access key id carries no account: it must be AKIA or ASIA and 16 of A-Z and 2-7.")
    return {"account": owner}
