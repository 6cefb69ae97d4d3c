"""The list of users, as a change list of Django's admin, and the addresses of the user pages."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path

from accounts import group_list  # noqa: F401 - registers the list of groups
from accounts.models import User
from accounts.operations.users import create_user, list_users
from accounts.signin import caller_of
from accounts.user_filters import IN_ADDRESS, found
from accounts.user_list import UserChangeList, users_with_all
from accounts.views import (
    new_user,
    suspension,
    user_changes,
    user_exports,
    user_import,
    user_lists,
    user_permissions,
    user_sessions,
    users,
)
from credentials.views import (
    access_keys,
    console_access,
    mfa_devices,
    service_credentials,
    service_tokens,
    signing_certificates,
    ssh_keys,
)
from iamconsole import addresses  # noqa: F401 - registers <name:>
from iamconsole.lists import ConsoleList
from iamconsole.site import console
from permissions.views import authorization_import, policies


@admin.register(User, site=console)
class UserAdmin(ConsoleList):
    """The users of the caller's account."""

    listing = list_users
    creating = create_user
    title = "Users"
    new_name = "user_name"
    add_page = "admin:accounts_user_add"
    page = "admin:accounts_user_change"
    named_by = "user_name"
    empty_text = "A user is a person who signs in to the console, or a program that signs requests."

    list_display = ("user_name",)  # the columns are the caller's own
    list_filter = IN_ADDRESS
    search_fields = ("user_name",)
    search_help_text = "User name, tag (as key, value or key=value), or a full access key ID"
    ordering = ("user_name_key",)

    def get_urls(self) -> list[URLPattern]:
        """The addresses of the user pages, in the place of admin's own."""
        view = self.admin_site.admin_view
        one = "<name:user_name>"
        return [
            path("", view(self.changelist_view), name="accounts_user_changelist"),
            path("change/", view(user_changes.page), name="user-change"),
            path("changes/<uuid:change_id>/", view(user_changes.result), name="user-change-result"),
            path("export/", view(user_exports.export), name="user-export"),
            path("columns/", view(user_lists.columns), name="user-list-columns"),
            path("save-view/", view(user_lists.save_view), name="user-list-view-save"),
            path("delete-view/", view(user_lists.delete_view), name="user-list-view-delete"),
            path("add/", view(new_user.details), name="accounts_user_add"),
            path("add/permissions/", view(new_user.permissions), name="user-add-permissions"),
            path("add/review/", view(new_user.review), name="user-add-review"),
            path("import/", view(user_import.page), name="user-import"),
            path("import/aws/", view(authorization_import.page), name="user-import-aws"),
            path("import/template/", view(user_import.template), name="user-import-template"),
            path(f"{one}/change/", view(users.page), name="accounts_user_change"),
            path(f"{one}/rename/", view(users.rename), name="user-rename"),
            path(f"{one}/delete/", view(users.delete), name="accounts_user_delete"),
            path(f"{one}/suspend/", view(suspension.suspend), name="user-suspend"),
            path(f"{one}/reactivate/", view(suspension.reactivate), name="user-reactivate"),
            path(f"{one}/end-date/", view(suspension.end_date), name="user-end-date"),
            path(f"{one}/lock-down/", view(suspension.lock_down), name="user-lock-down"),
            path(f"{one}/lock-down/undo/", view(suspension.undo), name="user-lock-down-undo"),
            path(f"{one}/tags/", view(users.tags), name="user-tags"),
            path(f"{one}/groups/remove/", view(user_permissions.leave), name="user-group-remove"),
            path(f"{one}/permissions/add/", view(user_permissions.add), name="user-permissions-add"),
            path(f"{one}/permissions/detach/", view(user_permissions.detach), name="user-policy-detach"),
            path(f"{one}/boundary/", view(user_permissions.boundary), name="user-boundary"),
            path(f"{one}/console-access/", view(console_access.manage), name="user-console-access"),
            path(f"{one}/console-access/disable/", view(console_access.disable), name="user-console-disable"),
            path(f"{one}/access-keys/create/", view(access_keys.create), name="user-key-create"),
            path(f"{one}/access-keys/<str:access_key_id>/status/", view(access_keys.status), name="user-key-status"),
            path(f"{one}/access-keys/<str:access_key_id>/delete/", view(access_keys.delete), name="user-key-delete"),
            path(f"{one}/access-keys/<str:access_key_id>/details/", view(access_keys.details), name="user-key-details"),
            path(f"{one}/access-keys/<str:access_key_id>/rotate/", view(access_keys.rotate), name="user-key-rotate"),
            path(f"{one}/service-credentials/create/", view(service_credentials.create), name="user-service-create"),
            *(
                path(f"{one}/service-credentials/<str:credential_id>/{page}/", view(each), name=f"user-service-{page}")
                for page, each in service_credentials.OF_ONE.items()
            ),
            path(f"{one}/signing-certificates/upload/", view(signing_certificates.upload), name="user-signing-upload"),
            path(
                f"{one}/signing-certificates/<str:certificate_id>/status/",
                view(signing_certificates.status),
                name="user-signing-status",
            ),
            path(
                f"{one}/signing-certificates/<str:certificate_id>/delete/",
                view(signing_certificates.delete),
                name="user-signing-delete",
            ),
            path(f"{one}/mfa/assign/", view(mfa_devices.assign), name="user-mfa-assign"),
            path(f"{one}/mfa/enable/", view(mfa_devices.enable), name="user-mfa-enable"),
            path(f"{one}/mfa/discard/", view(mfa_devices.discard), name="user-mfa-discard"),
            path(f"{one}/mfa/hardware/", view(mfa_devices.hardware), name="user-mfa-hardware"),
            path(f"{one}/mfa/<arn:serial_number>/resync/", view(mfa_devices.resync), name="user-mfa-resync"),
            path(f"{one}/mfa/<arn:serial_number>/remove/", view(mfa_devices.remove), name="user-mfa-remove"),
            path(f"{one}/sessions/end/", view(user_sessions.end_all), name="user-sessions-end"),
            path(f"{one}/sessions/<str:session_id>/end/", view(user_sessions.end), name="user-session-end"),
            path(f"{one}/sign-in-throttle/reset/", view(user_sessions.reset_throttle), name="user-throttle-reset"),
            path(f"{one}/ssh-keys/upload/", view(ssh_keys.upload), name="user-ssh-key-upload"),
            path(f"{one}/ssh-keys/<str:ssh_public_key_id>/status/", view(ssh_keys.status), name="user-ssh-key-status"),
            path(f"{one}/ssh-keys/<str:ssh_public_key_id>/delete/", view(ssh_keys.delete), name="user-ssh-key-delete"),
            path(f"{one}/service-tokens/create/", view(service_tokens.create), name="user-token-create"),
            path(
                f"{one}/service-tokens/<str:service_token_id>/delete/",
                view(service_tokens.delete),
                name="user-token-delete",
            ),
            path(f"{one}/policies/create/", view(policies.edit), name="user-policy-create"),
            path(f"{one}/policies/<name:policy_name>/edit/", view(policies.edit), name="user-policy-edit"),
            path(f"{one}/policies/<name:policy_name>/delete/", view(policies.delete), name="user-policy-delete"),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """The IAM users of the caller's account, with what the columns show."""
        return users_with_all(caller_of(request))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[UserChangeList]:
        """The list with the caller's own columns."""
        return UserChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """See `accounts.user_filters.found`."""
        term = search_term.strip()
        return (found(caller_of(request), queryset, term) if term else queryset), False
