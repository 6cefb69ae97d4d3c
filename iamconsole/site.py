"""The console: Django's admin with our own routes, look and sign-in, under ``/console/``."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, TypeVar, cast

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, include, path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect

from accounts.models import User

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class ConsoleSite(AdminSite):
    """The site the console's pages are registered with.

    Its routes are listed here one by one. Admin's own login, logout, password change, autocomplete, ``r/…`` and catch-all
    would be second paths to what has one, and are not mounted.
    """

    site_header = site_title = "iamconsole"
    enable_nav_sidebar = False
    final_catch_all_view = False

    def has_permission(self, request: HttpRequest) -> bool:
        """A live session of a user. What the user may do, the policies say in each operation."""
        return isinstance(request.user, User)

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """Wrap a view of the console: no session, no page."""

        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not self.has_permission(request):
                after = request.get_full_path() if request.method == "GET" else reverse("admin:index")
                return redirect_to_login(after, reverse("signin"))
            response: HttpResponseBase = view(request, *args, **kwargs)
            return response

        return cast("View", update_wrapper(never_cache(csrf_protect(inner)), view))

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """What admin's change list needs; the frame has its own context processor."""
        return {"site_header": self.site_header, "site_title": self.site_title, "has_permission": True}

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Every route of the console."""
        from accounts.views import account, confirm, me
        from audit.views import decisions, trail
        from credentials.views import (
            access_keys,
            credential_reports,
            device_inventory,
            key_settings,
            mfa_devices,
            mfa_requirement,
            passkeys,
            password_policy,
            recovery_codes,
            service_credentials,
            signing_certificates,
            ssh_keys,
            text_messages,
            unused,
        )
        from iamconsole import search
        from permissions.views import simulator

        my_key = "my-security-credentials/access-keys"
        my_service = "my-security-credentials/service-credentials"
        my_signing = "my-security-credentials/signing-certificates"
        my_ssh = "my-security-credentials/ssh-keys"
        my_mfa = "my-security-credentials/mfa"
        routes: list[URLPattern | URLResolver] = [
            path("", self.admin_view(account.dashboard), name="index"),
            path("account/", self.admin_view(account.settings_page), name="account"),
            path("account/alias/", self.admin_view(account.alias), name="account-alias"),
            path("account/password-policy/", self.admin_view(password_policy.manage), name="password-policy"),
            path("account/access-keys/", self.admin_view(key_settings.manage), name="key-settings"),
            path("account/mfa-requirement/", self.admin_view(mfa_requirement.manage), name="mfa-requirement"),
            path("account/root-email/", self.admin_view(account.root_email), name="root-email"),
            path("mfa-devices/", self.admin_view(device_inventory.page), name="mfa-inventory"),
            path("mfa-devices/import/", self.admin_view(device_inventory.import_tokens), name="mfa-import"),
            path(
                "mfa-devices/<arn:serial_number>/delete/",
                self.admin_view(device_inventory.delete),
                name="mfa-inventory-delete",
            ),
            path("credential-report/", self.admin_view(credential_reports.page), name="credential-report"),
            path(
                "credential-report/generate/",
                self.admin_view(credential_reports.generate),
                name="credential-report-generate",
            ),
            path(
                "credential-report/compare/",
                self.admin_view(credential_reports.compare),
                name="credential-report-compare",
            ),
            path(
                "credential-report/<uuid:report_id>/",
                self.admin_view(credential_reports.page),
                name="credential-report-kept",
            ),
            path(
                "credential-report/<uuid:report_id>/download/<str:kind>/",
                self.admin_view(credential_reports.download),
                name="credential-report-download",
            ),
            path("unused/", self.admin_view(unused.page), name="unused"),
            path("unused/deactivate/", self.admin_view(unused.deactivate), name="unused-deactivate"),
            path("unused/delete/", self.admin_view(unused.delete), name="unused-delete"),
            path("unused/undo/", self.admin_view(unused.undo), name="unused-undo"),
            path("unused/exemption/<name:user_name>/", self.admin_view(unused.exempt), name="unused-exemption"),
            path("simulator/", self.admin_view(simulator.page), name="simulator"),
            path("decisions/<uuid:decision_id>/", self.admin_view(decisions.page), name="decision"),
            path("audit/", self.admin_view(trail.page), name="trail"),
            path("audit/export/", self.admin_view(trail.export), name="trail-export"),
            path("audit/<uuid:event_id>/", self.admin_view(trail.event), name="trail-event"),
            path("search/", self.admin_view(search.page), name="search"),
            path("my-security-credentials/", self.admin_view(me.page), name="me"),
            path("my-security-credentials/password/", self.admin_view(me.password), name="me-password"),
            path("my-security-credentials/sign-ins/", self.admin_view(me.sign_ins), name="me-sign-ins"),
            path(
                "my-security-credentials/sessions/end-others/", self.admin_view(me.end_others), name="me-sessions-end"
            ),
            path(
                "my-security-credentials/sessions/<str:session_id>/end/",
                self.admin_view(me.end_session),
                name="me-session-end",
            ),
            path("confirm/", self.admin_view(confirm.page), name="confirm"),
            path("stay/", self.admin_view(me.stay), name="stay"),
            path(f"{my_key}/create/", self.admin_view(access_keys.create), name="me-key-create"),
            path(f"{my_key}/<str:access_key_id>/status/", self.admin_view(access_keys.status), name="me-key-status"),
            path(f"{my_key}/<str:access_key_id>/delete/", self.admin_view(access_keys.delete), name="me-key-delete"),
            path(f"{my_key}/<str:access_key_id>/details/", self.admin_view(access_keys.details), name="me-key-details"),
            path(f"{my_key}/<str:access_key_id>/rotate/", self.admin_view(access_keys.rotate), name="me-key-rotate"),
            path(f"{my_service}/create/", self.admin_view(service_credentials.create), name="me-service-create"),
            *(
                path(f"{my_service}/<str:credential_id>/{page}/", self.admin_view(view), name=f"me-service-{page}")
                for page, view in service_credentials.OF_ONE.items()
            ),
            path(f"{my_signing}/upload/", self.admin_view(signing_certificates.upload), name="me-signing-upload"),
            path(
                f"{my_signing}/<str:certificate_id>/status/",
                self.admin_view(signing_certificates.status),
                name="me-signing-status",
            ),
            path(
                f"{my_signing}/<str:certificate_id>/delete/",
                self.admin_view(signing_certificates.delete),
                name="me-signing-delete",
            ),
            path(f"{my_ssh}/upload/", self.admin_view(ssh_keys.upload), name="me-ssh-key-upload"),
            path(
                f"{my_ssh}/<str:ssh_public_key_id>/status/", self.admin_view(ssh_keys.status), name="me-ssh-key-status"
            ),
            path(
                f"{my_ssh}/<str:ssh_public_key_id>/delete/", self.admin_view(ssh_keys.delete), name="me-ssh-key-delete"
            ),
            path(f"{my_mfa}/assign/", self.admin_view(mfa_devices.assign), name="me-mfa-assign"),
            path(f"{my_mfa}/enable/", self.admin_view(mfa_devices.enable), name="me-mfa-enable"),
            path(f"{my_mfa}/discard/", self.admin_view(mfa_devices.discard), name="me-mfa-discard"),
            path(f"{my_mfa}/passkey/", self.admin_view(passkeys.register), name="me-mfa-passkey"),
            path(f"{my_mfa}/text-message/", self.admin_view(text_messages.register), name="me-mfa-text-message"),
            path(f"{my_mfa}/hardware/", self.admin_view(mfa_devices.hardware), name="me-mfa-hardware"),
            path(f"{my_mfa}/<arn:serial_number>/resync/", self.admin_view(mfa_devices.resync), name="me-mfa-resync"),
            path(f"{my_mfa}/<arn:serial_number>/remove/", self.admin_view(mfa_devices.remove), name="me-mfa-remove"),
            path(
                "my-security-credentials/recovery-codes/",
                self.admin_view(recovery_codes.create),
                name="me-recovery-codes",
            ),
        ]
        for model_admin in self._registry.values():
            prefix = getattr(model_admin, "address", f"{model_admin.opts.app_label}/{model_admin.opts.model_name}/")
            routes.append(path(prefix, include(model_admin.urls)))
        return routes


console = ConsoleSite(name="admin")
