"""Lists of things, as change lists of Django's admin that only show: what changes things are our own pages."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts.signin import caller_of
from iamconsole.forms import may, may_some
from iamconsole.operation import Operation

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


class NamedChangeList(ChangeList):
    """Rows link to a page by name: the row's number is nobody's business."""

    def url_for_result(self, result: Any) -> str:
        """The page of the thing."""
        model_admin: Any = self.model_admin
        return reverse(model_admin.page, args=[getattr(result, model_admin.named_by)])


class ConsoleList(ModelAdmin):
    """A list that its ``listing`` operation allows and that has a button for ``creating`` another of a ``new_name``.

    ``page`` is the route of one thing's page, which is given the attribute ``named_by``; ``add_page`` that of the button.
    """

    listing: ClassVar[Operation[Any]]
    creating: ClassVar[Operation[Any]]
    new_name: ClassVar[str]
    add_page: ClassVar[str]
    page: ClassVar[str]
    named_by: ClassVar[str]
    title: ClassVar[str]
    empty_text: ClassVar[str]

    actions = None
    list_per_page = 50
    list_max_show_all = 200
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = True

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, if it is allowed: the operation decides, and records a refusal."""
        caller = caller_of(request)
        self.listing(caller, max_items=1)
        allowed = may_some(caller, self.creating, **{self.new_name: "*"}).allowed
        context = {
            "title": self.title,
            "add_url": reverse(self.add_page) if allowed else "",
            "add_label": f"Create {self.new_name.removesuffix('_name')}",
            "empty_text": self.empty_text,
        }
        return super().changelist_view(request, context | (extra_context or {}))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Our change list."""
        return NamedChangeList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """No filter but those of the list: a query string must not ask hidden columns."""
        return lookup in {getattr(each, "parameter_name", None) for each in self.list_filter}

    def has_module_permission(self, request: HttpRequest) -> bool:
        """What the policies say."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What the policies say of listing."""
        return may(caller_of(request), self.listing).allowed

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never by admin's own form."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never by admin's own form."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never by admin's own form."""
        return False

    def get_sortable_by(self, request: HttpRequest) -> Any:
        """Every column that names what it sorts by: the default would compare the bound methods of two sets of columns."""
        return None
