"""How the caller has the list of users: columns and page size, and views by name. Everybody's own alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from accounts import targets
from accounts.caller import Caller
from accounts.list_models import COLUMN_NAMES, PAGE_SIZES, UserListView
from accounts.models import User
from accounts.user_queries import kept_query
from iamconsole.errors import InvalidInput, LimitExceeded
from iamconsole.operation import operation

MOST_VIEWS: Final = 50
LONGEST_QUERY: Final = 1024


@dataclass(frozen=True)
class Settings:
    """How the list opens, and what other views there are."""

    columns: list[str]
    page_size: int
    views: list[UserListView]


@operation("iamconsole:GetUserListSettings", on=targets.the_caller, reads=True, public=True)
def get_user_list_settings(caller: Caller, *, user: User) -> Settings:
    """The caller's own columns, page size and named views."""
    views = list(UserListView.objects.filter(user=user).order_by("view_name"))
    opening = next((view for view in views if not view.view_name), None) or UserListView()
    return Settings(opening.columns, opening.page_size, [view for view in views if view.view_name])


@operation("iamconsole:UpdateUserListSettings", on=targets.the_caller, lock=True, public=True)
def update_user_list_settings(
    caller: Caller, *, user: User, columns: Sequence[str] | None = None, page_size: int | None = None
) -> None:
    """Choose the columns beside the user name, and how many rows a page has. What is omitted stays as it is.

    Raises InvalidInput for a size that is not offered.
    """
    if page_size is not None and page_size not in PAGE_SIZES:
        sizes = ", ".join(map(str, PAGE_SIZES))
        raise InvalidInput(f"A page has one of these numbers of rows: {sizes}.", parameter="page_size")
    changed = {
        **({} if columns is None else {"columns": _in_order(columns)}),
        **({} if page_size is None else {"page_size": page_size}),
    }
    UserListView.objects.update_or_create(user=user, view_name="", defaults=changed)


@operation("iamconsole:PutUserListView", on=targets.the_caller, lock=True, public=True)
def put_user_list_view(
    caller: Caller, *, user: User, view_name: str, query: str = "", columns: Sequence[str] | None = None
) -> None:
    """Keep columns and ``query`` (search, filters, order, as the list's address has them) under a name, which may be taken.

    What is no filter of the list is left out. Raises LimitExceeded at fifty views, InvalidInput for a query that is too long.
    """
    own = UserListView.objects.filter(user=user).exclude(view_name="")
    if own.count() >= MOST_VIEWS and not own.filter(view_name=view_name).exists():
        raise LimitExceeded(f"Cannot exceed quota for UserListViewsPerUser: {MOST_VIEWS}")
    kept_text = kept_query(query)
    if len(kept_text) > LONGEST_QUERY:
        raise InvalidInput(
            f"What is searched for is too long to keep: more than {LONGEST_QUERY} characters.", parameter="query"
        )
    kept = {"query": kept_text} | ({} if columns is None else {"columns": _in_order(columns)})
    UserListView.objects.update_or_create(user=user, view_name=view_name, defaults=kept)


@operation("iamconsole:DeleteUserListView", on=targets.the_caller, lock=True, public=True)
def delete_user_list_view(caller: Caller, *, user: User, view_name: str) -> None:
    """Forget a view; nothing happens when the caller has none of that name."""
    UserListView.objects.filter(user=user, view_name=view_name).exclude(view_name="").delete()


def _in_order(columns: Sequence[str]) -> list[str]:
    return [name for name in COLUMN_NAMES if name in columns]
