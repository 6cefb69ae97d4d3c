"""The dashboard and the account's settings."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.forms import AliasForm, RootEmailForm
from accounts.operations.account import (
    create_account_alias,
    delete_account_alias,
    get_account_summary,
    list_account_aliases,
)
from accounts.operations.root import update_root_user_email
from accounts.signin import caller_of
from audit.operations.events import get_trail_status
from credentials.mfa.requirement import duty_of
from credentials.operations.mfa_requirements import get_mfa_requirement
from credentials.operations.password_policies import get_account_password_policy
from credentials.passwords import expiry
from credentials.views import key_settings, security, server_certificates
from iamconsole.forms import may, part, submitted


@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """The account at a glance, and what to do next."""
    caller = caller_of(request)
    summary = part(caller, get_account_summary)
    counts = (summary.value or {}).get("summary_map", {})
    context = {
        "account": caller.account,
        "summary": summary,
        "counts": counts,
        "alias": may(caller, create_account_alias),
    }
    context |= {"expires": expiry(caller.principal), "mfa_duty": duty_of(caller.principal)}
    context |= {"findings": security.part_of_dashboard(caller), "status": part(caller, get_trail_status).value}
    context |= {"ending": server_certificates.ending(caller), "rotations": key_settings.rotations(request)}
    return render(request, "dashboard.html", context)


@require_safe
def settings_page(request: HttpRequest) -> HttpResponse:
    """The account's id, alias and sign-in address; the root user's address and password."""
    caller = caller_of(request)
    context = {
        "account": caller.account,
        "aliases": part(caller, list_account_aliases),
        "may_create": may(caller, create_account_alias),
        "may_delete": may(caller, delete_account_alias),
        "password_policy": part(caller, get_account_password_policy),
        "mfa_requirement": part(caller, get_mfa_requirement),
        "root": caller.principal if caller.principal.is_root else None,
    }
    return render(request, "account.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def alias(request: HttpRequest) -> HttpResponse:
    """Set the alias, or with ``delete`` take it away."""
    caller = caller_of(request)
    if request.method == "POST" and "delete" in request.POST:
        delete_account_alias(caller, account_alias=request.POST["delete"])
        messages.success(request, "The alias is deleted. Users sign in with the account ID.")
        return redirect("admin:account")
    form = AliasForm(request.POST or None, initial={"account_alias": caller.account.alias})
    if submitted(request, form, lambda data: create_account_alias(caller, **data)):
        messages.success(request, "The alias is set. The sign-in address has changed with it.")
        return redirect("admin:account")
    allowed = may(caller, create_account_alias)
    return render(request, "account_alias.html", {"form": form, "account": caller.account, "may": allowed})


@require_http_methods(["GET", "HEAD", "POST"])
def root_email(request: HttpRequest) -> HttpResponse:
    """Change the root user's e-mail address."""
    caller = caller_of(request)
    form = RootEmailForm(request.POST or None)
    if submitted(request, form, lambda data: update_root_user_email(caller, **data)):
        messages.success(request, "The e-mail address is changed. Sign in with the new one from now on.")
        return redirect("admin:account")
    return render(request, "root_email.html", {"form": form, "email": caller.principal.email})
