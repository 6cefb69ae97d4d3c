"""The list of server certificates, as a change list of Django's admin, and the addresses of their pages."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils import timezone

from accounts.signin import caller_of
from credentials.certificate_models import ServerCertificate
from credentials.operations.server_certificates import list_server_certificates, upload_server_certificate
from credentials.snippets import making_a_server_certificate
from credentials.views import server_certificates
from iamconsole import addresses  # noqa: F401 - registers <name:>
from iamconsole.lists import ConsoleList
from iamconsole.site import console


class Ends(admin.SimpleListFilter):
    """Certificates by when they end."""

    title = "expiry"
    parameter_name = "ends"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The choices."""
        return [("soon", "Within 60 days"), ("over", "Expired"), ("later", "Later")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ServerCertificate]) -> QuerySet[ServerCertificate]:
        """The chosen certificates."""
        now = timezone.now()
        soon = now + timedelta(days=60)
        chosen = {
            "soon": {"expiration__gt": now, "expiration__lte": soon},
            "over": {"expiration__lte": now},
            "later": {"expiration__gt": soon},
        }
        return queryset.filter(**chosen.get(str(self.value()), {}))


@admin.register(ServerCertificate, site=console)
class ServerCertificateAdmin(ConsoleList):
    """The server certificates of the caller's account."""

    address = "server-certificates/"
    listing = list_server_certificates
    creating = upload_server_certificate
    title = "Server certificates"
    new_name = "server_certificate_name"
    add_page = "admin:credentials_servercertificate_add"
    page = "admin:credentials_servercertificate_change"
    named_by = "server_certificate_name"
    empty_text = (
        "A server certificate is what a TLS server shows: kept here with its sealed private key, written to your servers by one"
        " command, and you are warned before it ends."
    )
    list_display = ("name", "path", "ends", "uploaded")
    list_filter = (Ends,)
    search_fields = ("server_certificate_name",)
    search_help_text = "A part of the name"
    ordering = ("name_key",)

    def get_urls(self) -> list[URLPattern]:
        """The addresses of the pages, in the place of admin's own."""
        view = self.admin_site.admin_view
        one = "<name:server_certificate_name>"
        return [
            path("", view(self.changelist_view), name="credentials_servercertificate_changelist"),
            path("add/", view(server_certificates.upload), name="credentials_servercertificate_add"),
            path(f"{one}/change/", view(server_certificates.page), name="credentials_servercertificate_change"),
            path(f"{one}/rename/", view(server_certificates.rename), name="server-certificate-rename"),
            path(f"{one}/tags/", view(server_certificates.tags), name="server-certificate-tags"),
            path(f"{one}/delete/", view(server_certificates.delete), name="credentials_servercertificate_delete"),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list; an account without any is told what they are and how one is made."""
        context = {"add_label": "Upload certificate", "snippets": making_a_server_certificate()}
        return super().changelist_view(request, context | (extra_context or {}))

    def get_queryset(self, request: HttpRequest) -> QuerySet[ServerCertificate]:
        """The account's, without their long texts."""
        return ServerCertificate.objects.in_account(caller_of(request).account_id).listed()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ServerCertificate], search_term: str
    ) -> tuple[QuerySet[ServerCertificate], bool]:
        """Those whose name holds the term."""
        return queryset.filter(name_key__contains=search_term.strip().lower()), False

    @admin.display(description="Name", ordering="name_key")
    def name(self, certificate: ServerCertificate) -> str:
        """The link to the certificate's page."""
        return certificate.server_certificate_name

    @admin.display(description="Expires", ordering="expiration")
    def ends(self, certificate: ServerCertificate) -> str:
        """When, and how urgent that is."""
        return render_to_string("elements/certificate_end.html", {"certificate": certificate})

    @admin.display(description="Uploaded", ordering="upload_date")
    def uploaded(self, certificate: ServerCertificate) -> str:
        """The day."""
        return render_to_string("elements/time.html", {"value": certificate.upload_date})
