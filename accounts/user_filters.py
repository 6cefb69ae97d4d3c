"""The filters of the list of users, as the address has them: which users each leaves, and who may use it.

A list may be narrowed by what a caller may read of every user, and by nothing else: what is left out tells too.
Each is one pass over the account's own users, whose other tables are asked by an index that begins with the user.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from django.contrib import admin
from django.db.models import BooleanField, Count, Exists, F, Func, OuterRef, Q, QuerySet, Value
from django.http import HttpRequest
from django.utils import timezone

from accounts import arns
from accounts.caller import Caller
from accounts.models import Group, Membership, User
from accounts.operations.groups import list_groups, list_groups_for_user
from accounts.operations.suspension import get_user_status
from accounts.operations.users import list_user_tags
from accounts.signin import caller_of
from accounts.targets import asked_of
from accounts.user_columns import MFA_KINDS
from credentials.mfa.models import MFADevice
from credentials.models import AccessKey
from credentials.operations.access_keys import list_access_keys
from credentials.operations.login_profiles import get_login_profile
from credentials.operations.mfa_devices import list_mfa_devices
from credentials.operations.ssh_public_keys import list_ssh_public_keys
from credentials.ssh.models import SSHPublicKey
from iamconsole.forms import may
from iamconsole.operation import Operation
from permissions.administrators import administrators
from permissions.models import AttachedUserPolicy, UserPolicy
from permissions.operations.attachments import list_attached_user_policies
from permissions.operations.authorization_details import get_account_authorization_details
from permissions.operations.inline import list_user_policies

Users = QuerySet[User]
Narrow = Callable[[Users, str, datetime], Users]
MOST_GROUPS: Final = 100
DAYS: Final = {"30": "Over 30 days", "90": "Over 90 days", "180": "Over 180 days", "365": "Over a year"}
STATUSES: Final = {
    "active": "Active",
    "suspended": "Suspended",
    "locked-down": "Locked down",
    "ends": "Ends",
    "ended": "Ended",
}


def _by_status(users: Users, value: str, now: datetime) -> Users:
    """By the words of `accounts.status.status_of`, in SQL."""
    suspended = Q(suspended_date__isnull=False) & (Q(suspended_until__isnull=True) | Q(suspended_until__gt=now))
    locked, free = Q(lock_down__isnull=False), ~suspended
    return users.filter(
        {
            "active": free & Q(end_date__isnull=True),
            "suspended": suspended & ~locked,
            "locked-down": suspended & locked,
            "ends": free & Q(end_date__gt=now),
            "ended": free & Q(end_date__lte=now),
        }[value]
    )


def _by_console(users: Users, value: str, now: datetime) -> Users:
    return users.filter(login_profile__isnull=value == "none")


def _by_mfa(users: Users, value: str, now: datetime) -> Users:
    devices = MFADevice.objects.filter(user=OuterRef("pk"))
    if value in MFA_KINDS:
        return users.filter(Exists(devices.filter(kind=value)))
    return users.filter(Exists(devices) if value == "yes" else ~Exists(devices))


def _by_group(users: Users, value: str, now: datetime) -> Users:
    return users.filter(Exists(Membership.objects.filter(user=OuterRef("pk"), group__group_name_key=value.lower())))


def _by_activity(users: Users, value: str, now: datetime) -> Users:
    """Those who did nothing in the last days, or ever: by their keys and by their passwords."""
    keys = AccessKey.objects.filter(user=OuterRef("pk"))
    if value == "never":
        return users.filter(~Exists(keys.filter(last_used_date__isnull=False)), password_last_used__isnull=True)
    since = now - timedelta(days=int(value))
    idle = Q(password_last_used__isnull=True) | Q(password_last_used__lt=since)
    return users.filter(idle, ~Exists(keys.filter(last_used_date__gte=since)))


def _good_keys(now: datetime) -> QuerySet[AccessKey]:
    lasting = Q(expire_date__isnull=True) | Q(expire_date__gt=now)
    return AccessKey.objects.filter(lasting, user=OuterRef("pk"), status=AccessKey.Status.ACTIVE)


def _by_key(users: Users, value: str, now: datetime) -> Users:
    if value == "two":
        return users.filter(Exists(_good_keys(now).values("user").annotate(number=Count("pk")).filter(number__gt=1)))
    return users.filter(Exists(_good_keys(now)) if value == "yes" else ~Exists(_good_keys(now)))


def _by_key_age(users: Users, value: str, now: datetime) -> Users:
    return users.filter(Exists(_good_keys(now).filter(create_date__lt=now - timedelta(days=int(value)))))


def _by_password_age(users: Users, value: str, now: datetime) -> Users:
    before = now - timedelta(days=int(value))
    old = Q(password_last_changed__lte=before)
    old |= Q(password_last_changed__isnull=True, login_profile__create_date__lte=before)
    return users.filter(old, login_profile__isnull=False)


def _by_own_policies(users: Users, value: str, now: datetime) -> Users:
    own = (Exists(model.objects.filter(user=OuterRef("pk"))) for model in (AttachedUserPolicy, UserPolicy))
    return users.filter(next(own) | next(own))


def _everybody(users: Users, value: str, now: datetime) -> Users:
    """For a filter that has its own ``left``."""
    return users


@dataclass(frozen=True)
class Filter:
    """One filter: its name in the address, its heading, whose permission it needs, its choices, and what it leaves."""

    name: str
    title: str
    operation: Operation[Any]
    choices: Mapping[str, str]
    narrow: Narrow

    def offered(self, caller: Caller) -> Mapping[str, str]:
        """The choices for a caller; none to who may not read it of every user."""
        return self.choices if reads_all(caller, self.operation) else {}

    def left(self, caller: Caller, users: Users, value: str, now: datetime) -> Users:
        """The users whom a choice leaves."""
        return self.narrow(users, value, now)


class GroupFilter(Filter):
    """Members of one group of the account."""

    def offered(self, caller: Caller) -> Mapping[str, str]:
        """The account's groups, in the order of their names."""
        if not (reads_all(caller, self.operation) and may(caller, list_groups).allowed):
            return {}
        names = Group.objects.in_account(caller.account_id).order_by("group_name_key")
        return {name: name for name in names.values_list("group_name", flat=True)[:MOST_GROUPS]}


class PermissionsFilter(Filter):
    """Administrators who are not kept out, and users with policies of their own, attached or inline."""

    def offered(self, caller: Caller) -> Mapping[str, str]:
        """Administrators to who may read every policy of the account, the others to who may list the policies of every user."""
        lists = all(reads_all(caller, each) for each in (list_attached_user_policies, list_user_policies))
        reads = may(caller, get_account_authorization_details).allowed
        return {name: label for name, label in self.choices.items() if (reads if name == "administrator" else lists)}

    def left(self, caller: Caller, users: Users, value: str, now: datetime) -> Users:
        """Administrators are found by the account's policies."""
        if value == "administrator":
            return users.filter(pk__in=administrators(caller.account_id).active(now).values("pk"))
        return self.narrow(users, value, now)


class SSHKeyFilter(Filter):
    """Users whose SSH public key somebody else of the account has too."""

    def left(self, caller: Caller, users: Users, value: str, now: datetime) -> Users:
        """The same keys are looked for in the account alone."""
        return users.filter(pk__in=SSHPublicKey.objects.shared(caller.account).values("user"))


FILTERS: Final = (
    Filter("status", "status", get_user_status, STATUSES, _by_status),
    Filter("console", "console access", get_login_profile, {"enabled": "Enabled", "none": "Not enabled"}, _by_console),
    Filter(
        "mfa",
        "MFA",
        list_mfa_devices,
        {"yes": "Has a device", "no": "Has none", **MFA_KINDS},
        _by_mfa,
    ),
    GroupFilter("group", "group", list_groups_for_user, {}, _by_group),
    Filter(
        "last_activity",
        "last activity",
        list_access_keys,
        {"7": "Not in 7 days", "30": "Not in 30 days", "90": "Not in 90 days", "never": "Never"},
        _by_activity,
    ),
    Filter(
        "key", "active access key", list_access_keys, {"yes": "Has one", "two": "Has two", "no": "Has none"}, _by_key
    ),
    Filter("key_age", "key age", list_access_keys, DAYS, _by_key_age),
    Filter("password_age", "password age", get_login_profile, DAYS, _by_password_age),
    PermissionsFilter(
        "permissions",
        "permissions",
        list_user_policies,
        {"administrator": "Administrator", "direct": "Policies of one's own"},
        _by_own_policies,
    ),
    SSHKeyFilter("ssh_key", "SSH public key", list_ssh_public_keys, {"shared": "Of several users"}, _everybody),
)


def reads_all(caller: Caller, operation: Operation[Any]) -> bool:
    """Whether the caller may do it on every user."""
    return caller.may_on_every(operation.action, arns.user(caller.account_id, "/", "*"))


class _InAddress(admin.SimpleListFilter):
    """A filter as admin's change list has it."""

    filter: Filter

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The choices; one of a group that is not among the first is offered when it is asked for."""
        offered = dict(self.filter.offered(caller_of(request)))
        asked = request.GET.get(self.filter.name)
        if asked and offered and isinstance(self.filter, GroupFilter) and asked not in offered:
            offered[asked] = asked
        return list(offered.items())

    def queryset(self, request: HttpRequest, queryset: Users) -> Users:
        """The users that are left; all for a choice that there is not."""
        value = self.value()
        known = value in dict(self.lookup_choices)
        return self.filter.left(caller_of(request), queryset, value, timezone.now()) if value and known else queryset


def _in_address(each: Filter) -> type[_InAddress]:
    kind = type(
        f"{each.name}_filter", (_InAddress,), {"filter": each, "title": each.title, "parameter_name": each.name}
    )
    return cast("type[_InAddress]", kind)


IN_ADDRESS: Final = tuple(_in_address(each) for each in FILTERS)


class _HasTag(Func):
    """Whether a tag of the row, written key=value in lower case, has the text in it. Both databases read the list itself."""

    SQLITE = (
        "EXISTS (SELECT 1 FROM json_each({tags}) AS tag WHERE"
        " instr(lower(json_extract(tag.value, '$.key') || '=' || json_extract(tag.value, '$.value')), {text}) > 0)"
    )
    POSTGRESQL = (
        "EXISTS (SELECT 1 FROM jsonb_array_elements({tags}) AS tag WHERE"
        " strpos(lower((tag ->> 'key') || '=' || (tag ->> 'value')), {text}) > 0)"
    )

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """SQLite's json_each."""
        return self._of(self.SQLITE, compiler)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """PostgreSQL's jsonb_array_elements."""
        return self._of(self.POSTGRESQL, compiler)

    def _of(self, template: str, compiler: Any) -> tuple[str, list[Any]]:
        (tags, before), (text, after) = (compiler.compile(each) for each in self.get_source_expressions())
        return template.format(tags=tags, text=text), [*before, *after]


def found(caller: Caller, users: Users, term: str) -> Users:
    """Users whose name holds the term, or one of whose tags does; a whole access key id finds its owner.

    Tags only for who may list every user's, the owner of a key only for who may list that user's keys.
    """
    matching = Q(user_name_key__contains=term.lower())
    if reads_all(caller, list_user_tags):
        users = users.alias(tag_found=_HasTag(F("tags"), Value(term.lower()), output_field=BooleanField()))
        matching |= Q(tag_found=True)
    if arns.ACCESS_KEY_ID.fullmatch(term):
        owner = users.filter(access_keys__access_key_id=term).select_related("boundary").first()
        if owner and list_access_keys.allows(caller, asked_of(owner)):
            matching |= Q(pk=owner.pk)
    return users.filter(matching)
