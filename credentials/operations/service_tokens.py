"""Service tokens: by which other services ask who signed a request and what they may. Issue, list, delete."""

from datetime import timedelta

from accounts import targets
from accounts.caller import Caller
from accounts.models import User
from accounts.quotas import refuse_beyond
from accounts.tags import RESOURCE_TAGS
from credentials.models import ServiceToken
from iamconsole.errors import NoSuchEntity
from iamconsole.operation import Issued, operation

DURATION_DAYS = 90


@operation("iamconsole:CreateServiceToken", on=targets.user, lock=True, issues_secret=True, keys=RESOURCE_TAGS)
def create_service_token(
    caller: Caller, *, user: User, description: str = "", duration_days: int = DURATION_DAYS
) -> Issued[ServiceToken]:
    """Issue a token that lets a service ask as the named user, or as the caller. It is shown only here.

    Raises LimitExceeded when the user holds five already, expired ones among them.
    """
    refuse_beyond("ServiceTokensPerUser", user.account, ServiceToken.objects.filter(user=user))
    token, text = ServiceToken.issue(user, description=description, life=timedelta(days=duration_days))
    return Issued(token, {"token": text})


@operation("iamconsole:ListServiceTokens", on=targets.user, reads=True, keys=RESOURCE_TAGS)
def list_service_tokens(caller: Caller, *, user: User) -> list[ServiceToken]:
    """The user's service tokens, without what they are, the expired ones too."""
    return list(user.service_tokens.select_related("user").order_by("pk"))


@operation("iamconsole:DeleteServiceToken", on=targets.user, lock=True, sensitive=True, keys=RESOURCE_TAGS)
def delete_service_token(caller: Caller, *, user: User, service_token_id: str) -> None:
    """Delete a token: no service asks by it any more. Raises NoSuchEntity for a token that is not the user's."""
    token = user.service_tokens.filter(service_token_id=service_token_id).first()
    if token is None:
        raise NoSuchEntity(f"The service token with id {service_token_id} cannot be found.")
    token.delete()
