"""The list of groups, as a change list of Django's admin, and the addresses of the group pages."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path

from accounts.columns import GroupColumns
from accounts.models import Group
from accounts.operations.groups import create_group, list_groups
from accounts.signin import caller_of
from accounts.views import group_permissions, group_users, groups
from iamconsole import addresses  # noqa: F401 - registers <name:>
from iamconsole.lists import ConsoleList
from iamconsole.site import console
from permissions.views import policies


@admin.register(Group, site=console)
class GroupAdmin(ConsoleList):
    """The groups of the caller's account."""

    address = "groups/"
    listing = list_groups
    creating = create_group
    title = "Groups"
    new_name = "group_name"
    add_page = "admin:accounts_group_add"
    page = "admin:accounts_group_change"
    named_by = "group_name"
    empty_text = "A group gives all its users the same permissions: attach policies to it, then add users to it."
    search_fields = ("group_name",)
    ordering = ("group_name_key",)

    def get_urls(self) -> list[URLPattern]:
        """The addresses of the group pages, in the place of admin's own."""
        view = self.admin_site.admin_view
        one = "<name:group_name>"
        return [
            path("", view(self.changelist_view), name="accounts_group_changelist"),
            path("add/", view(groups.create), name="accounts_group_add"),
            path(f"{one}/change/", view(groups.page), name="accounts_group_change"),
            path(f"{one}/rename/", view(groups.rename), name="group-rename"),
            path(f"{one}/delete/", view(groups.delete), name="accounts_group_delete"),
            path(f"{one}/users/add/", view(group_users.add), name="group-users-add"),
            path(f"{one}/users/remove/", view(group_users.remove), name="group-users-remove"),
            path(f"{one}/policies/create/", view(policies.edit_of_group), name="group-policy-create"),
            path(f"{one}/policies/<name:policy_name>/edit/", view(policies.edit_of_group), name="group-policy-edit"),
            path(
                f"{one}/policies/<name:policy_name>/delete/", view(policies.delete_of_group), name="group-policy-delete"
            ),
            path(f"{one}/permissions/attach/", view(group_permissions.attach), name="group-policies-attach"),
            path(f"{one}/permissions/detach/", view(group_permissions.detach), name="group-policy-detach"),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        """The groups of the caller's account, with what the columns show."""
        of_account = Group.objects.in_account(caller_of(request).account_id).annotate(user_count=Count("memberships"))
        return of_account.prefetch_related("attached_policies__policy", "policies")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Group], search_term: str
    ) -> tuple[QuerySet[Group], bool]:
        """Groups whose name holds the term."""
        return queryset.filter(group_name_key__contains=search_term.strip().lower()), False

    def get_list_display(self, request: HttpRequest) -> Any:
        """The columns, as far as the caller may read them."""
        columns = GroupColumns(caller_of(request))
        return (columns.name, "path", columns.users, columns.policies, columns.created)
