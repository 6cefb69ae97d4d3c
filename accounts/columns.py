"""The columns of the list of groups. What the caller may not read of a row is not told: each cell asks."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.utils.html import format_html

from accounts.caller import Caller
from accounts.models import Group
from accounts.operations.groups import get_group
from accounts.targets import asked_of
from iamconsole.operation import Operation
from permissions.operations.attachments import list_attached_group_policies
from permissions.operations.inline import list_group_policies

NOT_PERMITTED = "Not permitted"


class GroupColumns:
    """The cells of a row of the list of groups, for one caller."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    def _may(self, group: Group, *operations: Operation[Any]) -> bool:
        return all(operation.allows(self.caller, asked_of(group)) for operation in operations)

    @admin.display(description="Group name", ordering="group_name_key")
    def name(self, group: Group) -> str:
        """The link to the group's page."""
        return group.group_name

    @admin.display(description="Users")
    def users(self, group: Any) -> str:
        """How many members there are."""
        return str(group.user_count) if self._may(group, get_group) else NOT_PERMITTED

    @admin.display(description="Policies")
    def policies(self, group: Group) -> str:
        """The names of the attached policies, and of the inline ones."""
        if not self._may(group, list_attached_group_policies, list_group_policies):
            return NOT_PERMITTED
        names = [each.policy.policy_name for each in group.attached_policies.all()]
        return ", ".join(names + [f"{each.policy_name} (inline)" for each in group.policies.all()]) or "None"

    @admin.display(description="Created", ordering="create_date")
    def created(self, group: Group) -> str:
        """The day the group was made."""
        return _time(group.create_date, "%Y-%m-%d")


def _time(value: datetime, form: str = "%Y-%m-%d %H:%M") -> str:
    exact = value.strftime("%Y-%m-%d %H:%M:%S UTC")
    return format_html('<time datetime="{}" title="{}">{}</time>', value.isoformat(), exact, value.strftime(form))
