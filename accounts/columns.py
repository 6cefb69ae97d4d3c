"""The columns of the lists of users and groups. What the caller may not read of a row is not told: each cell asks."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from accounts.caller import Caller
from accounts.models import Group, User
from accounts.operations.groups import get_group, list_groups_for_user
from accounts.operations.suspension import get_user_status
from accounts.status import status_of
from accounts.targets import asked_of
from credentials.operations.access_keys import list_access_keys
from credentials.operations.login_profiles import get_login_profile
from credentials.operations.mfa_devices import list_mfa_devices
from iamconsole.operation import Operation
from permissions.operations.attachments import list_attached_group_policies
from permissions.operations.inline import list_group_policies

NOT_PERMITTED = "Not permitted"
MFA_KINDS = {"virtual": "Virtual", "passkey": "Security key", "hardware": "Hardware", "sms": "SMS"}


class UserColumns:
    """The cells of a row, for one caller."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    def _may(self, operation: Operation[Any], user: User) -> bool:
        return operation.allows(self.caller, asked_of(user))

    @admin.display(description="User name", ordering="user_name_key")
    def name(self, user: User) -> str:
        """The link to the user's page."""
        return str(user.user_name)

    @admin.display(description="Status")
    def status(self, user: User) -> str:
        """Whether the user may authenticate at all."""
        if not self._may(get_user_status, user):
            return NOT_PERMITTED
        status = status_of(user, timezone.now())
        return format_html('<span class="status {}">{}</span>', status.kind, status.word)

    @admin.display(description="Console access")
    def console_access(self, user: User) -> str:
        """Whether there is a password, and whether it must be changed."""
        if not self._may(get_login_profile, user):
            return NOT_PERMITTED
        if not hasattr(user, "login_profile"):
            return "Not enabled"
        return "Must change password" if user.login_profile.must_change else "Enabled"

    @admin.display(description="Console last sign-in", ordering="password_last_used")
    def last_sign_in(self, user: User) -> str:
        """A date; Never for a password that was not used, None without one."""
        if user.password_last_used:
            return _time(user.password_last_used)
        unused = self._may(get_login_profile, user) and hasattr(user, "login_profile")
        return "Never" if unused else "None"

    @admin.display(description="Access keys")
    def access_keys(self, user: User) -> str:
        """Each key's id and status."""
        if not self._may(list_access_keys, user):
            return NOT_PERMITTED
        keys = [(key.access_key_id, key.state) for key in user.access_keys.all()]
        return format_html_join("", '<div class="nowrap"><code>{}</code> ({})</div>', keys) or "None"

    @admin.display(description="MFA")
    def mfa(self, user: User) -> str:
        """The kinds of the user's devices, as the list has annotated them."""
        if not self._may(list_mfa_devices, user):
            return NOT_PERMITTED
        return ", ".join(name for kind, name in MFA_KINDS.items() if getattr(user, f"has_{kind}")) or "None"

    @admin.display(description="Groups")
    def groups(self, user: User) -> str:
        """The names of the groups the user is in."""
        if not self._may(list_groups_for_user, user):
            return NOT_PERMITTED
        return ", ".join(group.group_name for group in user.groups.all()) or "None"

    @admin.display(description="Created", ordering="create_date")
    def created(self, user: User) -> str:
        """The day the user was made."""
        return _time(user.create_date, "%Y-%m-%d")


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
