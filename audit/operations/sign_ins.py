"""Sign-ins, as the trail has them."""

from typing import Any

from accounts import targets
from accounts.caller import Caller
from accounts.models import User
from audit.models import Event
from iamconsole.operation import operation
from iamconsole.paging import Page


@operation("iamconsole:ListOwnSignIns", on=targets.the_caller, reads=True, public=True)
def list_own_sign_ins(
    caller: Caller, *, user: User, max_items: int | None = None, marker: str | None = None
) -> Page[dict[str, Any]]:
    """The caller's own sign-ins and those that failed, the latest first."""
    events = Event.objects.filter(chain=user.account_id, actor_id=user.user_id, action="iamconsole:SignIn")
    page = Page.of(events, by="-sequence", scope=f"ListOwnSignIns {user.user_id}", max_items=max_items, marker=marker)
    return Page([_told(event) for event in page.items], page.marker)


def _told(event: Event) -> dict[str, Any]:
    return {
        "event_time": event.event_time,
        "result": event.result,
        "method": event.response.get("method", "password"),
        "source_ip": event.source_ip,
        "user_agent": event.user_agent,
    }
