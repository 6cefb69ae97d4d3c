"""The tab of the services that a user's policies grant, with when each was last asked for."""

from typing import Any

from django.http import HttpRequest

from accounts.models import User
from accounts.signin import caller_of
from credentials.last_access import PERIOD
from iamconsole.forms import part
from permissions.operations.last_accessed import list_last_accessed_services


def tab(request: HttpRequest, user: User) -> dict[str, Any]:
    """What the tab shows: the services that were asked for, the last one first, and those that were not."""
    services = part(caller_of(request), list_last_accessed_services, user_name=user.user_name)
    found = services.value or []
    return {
        "services": services,
        "accessed": [each for each in found if each["last_authenticated"]],
        "not_accessed": [each for each in found if not each["last_authenticated"]],
        "period": PERIOD.days,
    }
