"""The list of users, as a change list of Django's admin, and the addresses of the user pages."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils import timezone

from accounts import (
    arns,
    group_list,  # noqa: F401 - registers the list of groups
)
from accounts.columns import MFA_KINDS, UserColumns
from accounts.models import Group, User
from accounts.operations.users import create_user, list_users
from accounts.signin import caller_of
from accounts.targets import asked_of
from accounts.views import new_user, suspension, user_import, user_permissions, user_sessions, users
from credentials.mfa.models import MFADevice
from credentials.models import AccessKey
from credentials.operations.access_keys import list_access_keys
from credentials.operations.login_profiles import get_login_profile
from credentials.operations.mfa_devices import list_mfa_devices
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
        lasting = Q(expire_date__isnull=True) | Q(expire_date__gt=timezone.now())
        active = Exists(AccessKey.objects.filter(lasting, user=OuterRef("pk"), status=AccessKey.Status.ACTIVE))
        return queryset.filter(active if self.value() == "yes" else ~active)


class MFAKind(admin.SimpleListFilter):
    """Users with an MFA device of a kind, or with none."""

    title = "MFA"
    parameter_name = "mfa"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The choices; none for a caller who may not list every user's MFA devices."""
        if not _reads_all(request, list_mfa_devices.action):
            return []
        return [*MFA_KINDS.items(), ("none", "None")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        """The chosen users."""
        devices = MFADevice.objects.filter(user=OuterRef("pk"))
        if self.value() == "none":
            return queryset.filter(~Exists(devices))
        return queryset.filter(Exists(devices.filter(kind=self.value()))) if self.value() in MFA_KINDS else queryset


def _reads_all(request: HttpRequest, action: str) -> bool:
    """Whether the caller may do ``action`` on every user: only then may a list be narrowed by what it tells."""
    caller = caller_of(request)
    return caller.may_on_every(action, arns.user(caller.account_id, "/", "*"))


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

    list_filter = (ConsoleAccess, MFAKind, ActiveKey)
    search_fields = ("user_name",)
    search_help_text = "User name, or a full access key ID"
    ordering = ("user_name_key",)

    def get_urls(self) -> list[URLPattern]:
        """The addresses of the user pages, in the place of admin's own."""
        view = self.admin_site.admin_view
        one = "<name:user_name>"
        return [
            path("", view(self.changelist_view), name="accounts_user_changelist"),
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
        users_of_account = User.objects.in_account(caller_of(request).account_id)
        keys = Prefetch("access_keys", queryset=AccessKey.objects.order_by("id"))
        groups = Prefetch("groups", queryset=Group.objects.order_by("group_name_key"))
        devices = MFADevice.objects.filter(user=OuterRef("pk"))
        kinds = {f"has_{kind}": Exists(devices.filter(kind=kind)) for kind in MFA_KINDS}
        return (
            users_of_account.annotate(**kinds)
            .select_related("login_profile", "boundary")
            .prefetch_related(keys, groups)
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """Users whose name holds the term; a whole access key id finds its owner, if the caller may list its keys."""
        term = search_term.strip()
        found = Q(user_name_key__contains=term.lower())
        if arns.ACCESS_KEY_ID.fullmatch(term):
            owner = queryset.filter(access_keys__access_key_id=term).first()
            if owner and list_access_keys.allows(caller_of(request), asked_of(owner)):
                found |= Q(pk=owner.pk)
        return queryset.filter(found), False

    def get_list_display(self, request: HttpRequest) -> Any:
        """The columns, as far as the caller may read them."""
        columns = UserColumns(caller_of(request))
        return (
            columns.name,
            columns.status,
            "path",
            columns.groups,
            columns.console_access,
            columns.mfa,
            columns.last_sign_in,
            columns.access_keys,
            columns.created,
        )
