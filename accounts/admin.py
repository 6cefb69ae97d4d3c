"""The list of users, as a change list of Django's admin, and the addresses of the user pages."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse

from accounts import arns
from accounts.columns import UserColumns
from accounts.models import User
from accounts.operations.users import create_user, list_users
from accounts.signin import caller_of
from accounts.views import user_sessions, users
from credentials.models import AccessKey
from credentials.operations.access_keys import list_access_keys
from credentials.operations.login_profiles import get_login_profile
from credentials.views import access_keys, console_access
from iamconsole import addresses  # noqa: F401 - registers <name:>
from iamconsole.forms import may
from iamconsole.site import console
from permissions.views import policies


class ConsoleAccess(admin.SimpleListFilter):
    """Users with or without a password."""

    title = "console access"
    parameter_name = "console"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The choices; none for a caller who may not read every login profile."""
        if not _reads_all(request, get_login_profile.action):
            return []
        return [("enabled", "Enabled"), ("none", "Not enabled")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        """The chosen users."""
        if self.value() not in ("enabled", "none"):
            return queryset
        return queryset.filter(login_profile__isnull=self.value() == "none")


class ActiveKey(admin.SimpleListFilter):
    """Users with or without an active access key."""

    title = "active access key"
    parameter_name = "key"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The choices; none for a caller who may not list every user's access keys."""
        if not _reads_all(request, list_access_keys.action):
            return []
        return [("yes", "Has one"), ("no", "Has none")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        """The chosen users."""
        if self.value() not in ("yes", "no"):
            return queryset
        active = Exists(AccessKey.objects.filter(user=OuterRef("pk"), status=AccessKey.Status.ACTIVE))
        return queryset.filter(active if self.value() == "yes" else ~active)


def _reads_all(request: HttpRequest, action: str) -> bool:
    """Whether the caller may do ``action`` on every user: only then may a list be narrowed by what it tells."""
    caller = caller_of(request)
    return caller.may_on_every(action, arns.user(caller.account_id, "/", "*"))


class UserChangeList(ChangeList):
    """Rows link to the user's page by name: the row's number is nobody's business."""

    def url_for_result(self, result: Any) -> str:
        """The user's page."""
        return reverse("admin:accounts_user_change", args=[result.user_name])


if TYPE_CHECKING:
    UserModelAdmin = admin.ModelAdmin[User]
else:
    UserModelAdmin = admin.ModelAdmin


@admin.register(User, site=console)
class UserAdmin(UserModelAdmin):
    """The users of the caller's account."""

    list_filter = (ConsoleAccess, ActiveKey)
    search_fields = ("user_name",)
    search_help_text = "User name, or a full access key ID"
    ordering = ("user_name_key",)
    actions = None
    list_per_page = 50
    list_max_show_all = 200
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = True

    def get_urls(self) -> list[URLPattern]:
        """The addresses of the user pages, in the place of admin's own."""
        view = self.admin_site.admin_view
        one = "<name:user_name>"
        return [
            path("", view(self.changelist_view), name="accounts_user_changelist"),
            path("add/", view(users.create), name="accounts_user_add"),
            path(f"{one}/change/", view(users.page), name="accounts_user_change"),
            path(f"{one}/rename/", view(users.rename), name="user-rename"),
            path(f"{one}/delete/", view(users.delete), name="accounts_user_delete"),
            path(f"{one}/tags/", view(users.tags), name="user-tags"),
            path(f"{one}/console-access/", view(console_access.manage), name="user-console-access"),
            path(f"{one}/console-access/disable/", view(console_access.disable), name="user-console-disable"),
            path(f"{one}/access-keys/create/", view(access_keys.create), name="user-key-create"),
            path(f"{one}/access-keys/<str:access_key_id>/status/", view(access_keys.status), name="user-key-status"),
            path(f"{one}/access-keys/<str:access_key_id>/delete/", view(access_keys.delete), name="user-key-delete"),
            path(f"{one}/sessions/end/", view(user_sessions.end_all), name="user-sessions-end"),
            path(f"{one}/sessions/<str:session_id>/end/", view(user_sessions.end), name="user-session-end"),
            path(f"{one}/sign-in-throttle/reset/", view(user_sessions.reset_throttle), name="user-throttle-reset"),
            path(f"{one}/policies/create/", view(policies.edit), name="user-policy-create"),
            path(f"{one}/policies/<name:policy_name>/edit/", view(policies.edit), name="user-policy-edit"),
            path(f"{one}/policies/<name:policy_name>/delete/", view(policies.delete), name="user-policy-delete"),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, if ListUsers is allowed: the operation decides, and records a refusal."""
        caller = caller_of(request)
        list_users(caller, max_items=1)
        context = {
            "title": "Users",
            "add_url": reverse("admin:accounts_user_add") if may(caller, create_user, user_name="*").allowed else "",
            "add_label": "Create user",
            "empty_text": "A user is a person who signs in to the console, or a program that signs requests.",
        }
        return super().changelist_view(request, context | (extra_context or {}))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Our change list."""
        return UserChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """The IAM users of the caller's account, with what the columns show."""
        users_of_account = User.objects.in_account(caller_of(request).account_id)
        keys = AccessKey.objects.order_by("id")
        return users_of_account.select_related("login_profile").prefetch_related(Prefetch("access_keys", queryset=keys))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """Users whose name holds the term; a whole access key id finds its owner, if the caller may list its keys."""
        term = search_term.strip()
        found = Q(user_name_key__contains=term.lower())
        if arns.ACCESS_KEY_ID.fullmatch(term):
            owner = queryset.filter(access_keys__access_key_id=term).first()
            if owner and caller_of(request).decide(list_access_keys.action, owner.arn).allowed:
                found |= Q(pk=owner.pk)
        return queryset.filter(found), False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """No filter but the two of the list: a query string must not ask hidden columns."""
        return lookup in {each.parameter_name for each in self.list_filter}

    def has_module_permission(self, request: HttpRequest) -> bool:
        """What the policies say."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """What the policies say of listing users."""
        return may(caller_of(request), list_users).allowed

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never by admin's own form."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Never by admin's own form."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Never by admin's own form."""
        return False

    def get_sortable_by(self, request: HttpRequest) -> Any:
        """Every column that names what it sorts by: the default would compare the bound methods of two UserColumns."""
        return None

    def get_list_display(self, request: HttpRequest) -> Any:
        """The columns, as far as the caller may read them."""
        columns = UserColumns(caller_of(request))
        return (
            columns.name,
            "path",
            columns.console_access,
            columns.last_sign_in,
            columns.access_keys,
            columns.created,
        )
