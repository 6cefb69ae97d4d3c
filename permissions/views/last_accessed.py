"""The tab of the services that the policies of a user, group or policy grant, with when each was last asked for."""

from typing import Any

from django.http import HttpRequest

from accounts.models import Group, User
from accounts.signin import caller_of
from audit.views.trail import page_of
from credentials.last_access import PERIOD
from iamconsole.forms import part
from permissions.models import ManagedPolicy
from permissions.operations.last_accessed import list_last_accessed_services


def tab(request: HttpRequest, entity: User | Group | ManagedPolicy) -> dict[str, Any]:
    """What the tab shows: the services that were asked for, the last one first, with who did, and those that were not."""
    caller = caller_of(request)
    services = part(caller, list_last_accessed_services, arn=entity.arn)
    found = services.value or []
    return {
        "of": entity,
        "of_many": not isinstance(entity, User),
        "services": services,
        "accessed": [_with_page(each, caller.account_id) for each in found if each["last_authenticated"]],
        "not_accessed": [each for each in found if not each["last_authenticated"]],
        "period": PERIOD.days,
    }


def _with_page(service: Any, account_id: str) -> dict[str, Any]:
    """A service with the name and the page of the user who asked for it last."""
    arn = service["last_authenticated_entity"]
    return {**service, "user_name": arn.rpartition("/")[2], "user_url": page_of(arn, account_id)}
