"""The list of users as admin's change list: the caller's own columns, named orders, and which users it is about."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Final, cast
from urllib.parse import urlencode

from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, QueryDict
from django.urls import reverse

from accounts.caller import Caller
from accounts.list_models import PAGE_SIZES
from accounts.models import Group, User
from accounts.operations.user_lists import Settings, get_user_list_settings
from accounts.signin import caller_of
from accounts.user_changes import CHANGES
from accounts.user_columns import COLUMNS, OPTIONAL, Cell, Cells, Column, chosen
from accounts.user_queries import FILTERS, ORDER, PAGE, VIEW, kept_query
from credentials.mfa.models import MFADevice
from credentials.models import AccessKey
from iamconsole.errors import InvalidInput
from iamconsole.lists import NamedChangeList
from iamconsole.site import console

PAGE_OF_LIST: Final = "admin:accounts_user_changelist"
SORTS: Final = {column.name: column for column in COLUMNS.values() if column.sort}


@dataclass(frozen=True)
class Heading:
    """A column's heading: where a click on it leads, and how the list is sorted by it (aria-sort)."""

    column: Column
    url: str = ""
    sorted: str = ""


@dataclass(frozen=True)
class Row:
    """A user's row."""

    user: User
    cells: Sequence[tuple[Column, Cell]]


def users_with_all(caller: Caller) -> QuerySet[User]:
    """The IAM users of the caller's account, with what the columns show: the same number of queries for however many."""
    keys = Prefetch("access_keys", queryset=AccessKey.objects.order_by("id"))
    groups = Prefetch("groups", queryset=Group.objects.order_by("group_name_key"))
    users = User.objects.in_account(caller.account_id).select_related("login_profile", "boundary")
    return users.prefetch_related(keys, groups, "signing_certificates")


def settings_of(request: HttpRequest, caller: Caller) -> Settings:
    """The caller's settings; with the columns of the view that the address names."""
    kept = get_user_list_settings(caller)
    view = next((each for each in kept.views if each.view_name == request.GET.get(VIEW)), None)
    return replace(kept, columns=view.columns) if view else kept


class UserChangeList(NamedChangeList):
    """The list of users, for one request."""

    optional: ClassVar = OPTIONAL
    sizes: ClassVar = PAGE_SIZES
    changes: ClassVar = list(CHANGES.values())

    def __init__(self, request: HttpRequest, *given: Any, **named: Any) -> None:
        self.caller = caller_of(request)
        self.settings = settings_of(request, self.caller)
        super().__init__(request, *given, **named)

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        """The filters of the address; the name of the view is none."""
        found: dict[str, Any] = super().get_filters_params(params)
        found.pop(VIEW, None)
        return found

    @property
    def order(self) -> tuple[str, bool]:
        """The column it is sorted by, and whether downwards."""
        asked = str(self.params.get(ORDER, ""))
        name = asked.removeprefix("-")
        return (name, asked.startswith("-")) if name in SORTS else ("user_name", False)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """By a column that an index has in order; the row's number makes it the same on every page."""
        name, down = self.order
        return in_order(name, down)

    def get_ordering_field_columns(self) -> dict[int, Any]:
        """Nothing of admin's own: our headings are by name."""
        return {}

    def get_results(self, request: HttpRequest) -> None:
        """The page's rows."""
        self.list_per_page = self.settings.page_size
        super().get_results(request)

    @cached_property
    def columns(self) -> list[Column]:
        """The columns that are shown."""
        return chosen(self.settings.columns)

    @property
    def headings(self) -> list[Heading]:
        """One heading a column; a click on the one it is sorted by turns the order round."""
        name, down = self.order
        made = []
        for column in self.columns:
            if column.name not in SORTS:
                made.append(Heading(column))
                continue
            here = column.name == name
            turned = f"-{column.name}" if here and not down else column.name
            url = self.get_query_string({ORDER: turned}, [PAGE])
            made.append(Heading(column, url, ("descending" if down else "ascending") if here else ""))
        return made

    @property
    def rows(self) -> list[Row]:
        """The users of this page."""
        return rows_of(self.caller, self.columns, self.result_list)

    @property
    def kept(self) -> str:
        """Which users are listed and in which order, as a query string without the page."""
        return kept_query(self.get_query_string()[1:])

    @property
    def views(self) -> list[tuple[str, str, bool]]:
        """The caller's own views: name, address, and whether it is this one."""
        address, shown = reverse(PAGE_OF_LIST), self.params.get(VIEW)
        return [
            (view.view_name, f"{address}?{view_query(view.view_name, view.query)}", view.view_name == shown)
            for view in self.settings.views
        ]

    @property
    def address(self) -> str:
        """The same with the view that is open, whose columns are shown."""
        view = self.params.get(VIEW)
        return view_query(view, self.kept) if view else self.kept

    @property
    def unheeded(self) -> list[str]:
        """The filters of the address that leave nobody out: the caller may not use them, or there is no such choice."""
        specs: list[Any] = self.filter_specs
        heeded = {spec.filter.name for spec in specs if spec.value() in dict(spec.lookup_choices)}
        return [name for name in FILTERS if name in self.params and name not in heeded]

    @property
    def without_unheeded(self) -> str:
        """The address without them."""
        return str(self.get_query_string(remove=[*self.unheeded, PAGE]))


def matching(request: HttpRequest, query: str) -> UserChangeList:
    """The list as it is at an address, for a page beside it that goes through all of its users.

    Raises InvalidInput if these are more than the address says.
    """
    request.GET = QueryDict(kept_query(query))
    listed = cast("UserChangeList", console.get_model_admin(User).get_changelist_instance(request))
    if listed.unheeded:
        raise InvalidInput(f"Nobody is left out by this filter: {', '.join(listed.unheeded)}. Remove it first.")
    return listed


def view_query(view_name: str, query: str) -> str:
    """The query string that opens a view."""
    return "&".join(each for each in (urlencode({VIEW: view_name}), query) if each)


def in_order(name: str, down: bool = False) -> list[str]:
    """The fields of an order. A name is there once; of what may be there twice the name or the row's number decides."""
    fields = [SORTS[name].sort, *({"user_name": [], "path": ["user_name_key"]}.get(name, ["pk"]))]
    return [f"-{field}" if down else field for field in fields]


def rows_of(caller: Caller, columns: Sequence[Column], users: Iterable[User]) -> list[Row]:
    """The cells of some users."""
    users = list(users)
    kinds: dict[int, set[str]] = {}
    devices = MFADevice.objects.filter(user__in=[user.pk for user in users])
    for user_id, kind in devices.values_list("user_id", "kind"):
        kinds.setdefault(user_id, set()).add(kind)
    cells = Cells(caller, kinds)
    return [Row(user, [(column, column.cell(cells, user)) for column in columns]) for user in users]
