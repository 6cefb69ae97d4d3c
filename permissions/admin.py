"""The list of managed policies, as a change list of Django's admin, and the addresses of the policy pages."""

from typing import Any

from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from accounts.signin import caller_of
from iamconsole import addresses  # noqa: F401 - registers <name:> and <arn:>
from iamconsole.forms import part
from iamconsole.lists import ConsoleList
from iamconsole.site import console
from permissions.models import ManagedPolicy
from permissions.operations.managed import create_policy, list_policies
from permissions.views import entities, managed, versions


class PolicyType(admin.SimpleListFilter):
    """The account's own policies, or AWS's."""

    title = "type"
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The choices."""
        return [("customer", "Customer managed"), ("aws", "AWS managed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ManagedPolicy]) -> QuerySet[ManagedPolicy]:
        """The chosen policies."""
        if self.value() not in ("customer", "aws"):
            return queryset
        return queryset.filter(account__isnull=self.value() == "aws")


class Used(admin.SimpleListFilter):
    """Policies that are attached to somebody, bound somebody, or neither."""

    title = "used as"
    parameter_name = "used"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The choices."""
        return [("policy", "Permissions policy"), ("boundary", "Permissions boundary"), ("no", "Not used")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ManagedPolicy]) -> QuerySet[ManagedPolicy]:
        """The chosen policies."""
        uses = {
            "policy": Q(attachment_count__gt=0),
            "boundary": Q(permissions_boundary_usage_count__gt=0),
            "no": Q(attachment_count=0, permissions_boundary_usage_count=0),
        }
        return queryset.filter(uses.get(str(self.value()), Q()))


@admin.register(ManagedPolicy, site=console)
class PolicyAdmin(ConsoleList):
    """The managed policies that the caller's account sees."""

    address = "policies/"
    listing = list_policies
    creating = create_policy
    title = "Policies"
    new_name = "policy_name"
    add_page = "admin:permissions_managedpolicy_add"
    page = "admin:permissions_managedpolicy_change"
    named_by = "arn"
    empty_text = "A policy of your own is written once, and attached to as many users and groups as need it."
    list_display = ("name", "type", "used_as", "about")
    list_filter = (PolicyType, Used)
    search_fields = ("policy_name",)
    search_help_text = "A part of the policy name"
    ordering = (F("account").desc(nulls_last=True), "policy_name_key")  # the account's own first

    def get_urls(self) -> list[URLPattern]:
        """The addresses of the policy pages, in the place of admin's own."""
        view = self.admin_site.admin_view
        one = "<arn:policy_arn>"
        version = f"{one}/versions/<name:version_id>"
        return [
            path("", view(self.changelist_view), name="permissions_managedpolicy_changelist"),
            path("create/", view(managed.create), name="permissions_managedpolicy_add"),
            path(f"{one}/", view(managed.page), name="permissions_managedpolicy_change"),
            path(f"{one}/delete/", view(managed.delete), name="permissions_managedpolicy_delete"),
            path(f"{one}/tags/", view(managed.tags), name="policy-tags"),
            path(f"{one}/compare/", view(versions.compare), name="policy-compare"),
            path(f"{one}/create-version/", view(versions.create), name="policy-version-create"),
            path(f"{version}/", view(versions.page), name="policy-version"),
            path(f"{version}/put-in-force/", view(versions.put_in_force), name="policy-version-default"),
            path(f"{version}/delete/", view(versions.delete), name="policy-version-delete"),
            path(f"{one}/attach/", view(entities.attach), name="policy-attach"),
            path(f"{one}/users/<name:user_name>/detach/", view(entities.detach_from_user), name="policy-detach-user"),
            path(
                f"{one}/groups/<name:group_name>/detach/", view(entities.detach_from_group), name="policy-detach-group"
            ),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list; an account without policies of its own is told what they are."""
        own = part(caller_of(request), list_policies, scope="Local", max_items=1)
        return super().changelist_view(
            request, {"has_own": bool(own.value and own.value.items)} | (extra_context or {})
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ManagedPolicy]:
        """The account's own policies and AWS's, with their uses in the account."""
        account_id = caller_of(request).account_id
        seen = ManagedPolicy.objects.filter(Q(account=account_id) | Q(account__isnull=True))
        return seen.counted(account_id)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ManagedPolicy], search_term: str
    ) -> tuple[QuerySet[ManagedPolicy], bool]:
        """Policies whose name holds the term."""
        return queryset.filter(policy_name_key__contains=search_term.strip().lower()), False

    @admin.display(description="Policy name", ordering="policy_name_key")
    def name(self, policy: ManagedPolicy) -> str:
        """The link to the policy's page."""
        return policy.policy_name

    @admin.display(description="Type", ordering="account")
    def type(self, policy: ManagedPolicy) -> str:
        """Whose it is."""
        return "AWS managed" if policy.is_aws_managed else "Customer managed"

    @admin.display(description="Used as")
    def used_as(self, policy: ManagedPolicy) -> str:
        """How many it is attached to, and how many it bounds."""
        uses = []
        if policy.attachment_count:
            uses.append(f"Permissions policy ({policy.attachment_count})")
        if policy.permissions_boundary_usage_count:
            uses.append(f"Boundary ({policy.permissions_boundary_usage_count})")
        return ", ".join(uses) or "Not used"

    @admin.display(description="Description")
    def about(self, policy: ManagedPolicy) -> str:
        """What it is for."""
        return policy.description or "None"
