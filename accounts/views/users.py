"""The pages of users: the user page with its tabs, rename, tags, delete."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.caller import Caller
from accounts.forms import DeleteForm, RenameForm, TagsForm
from accounts.models import User
from accounts.operations.groups import list_groups_for_user
from accounts.operations.users import (
    delete_user,
    get_user,
    list_user_tags,
    tag_user,
    untag_user,
    update_user,
)
from accounts.operations.whole_users import delete_user_with_credentials, set_user_tags
from accounts.signin import caller_of
from accounts.views import suspension, user_sessions
from accounts.views.user_permissions import groups_tab, permissions_tab
from audit.views.trail import activity
from credentials.operations.access_keys import list_access_keys
from credentials.operations.login_profiles import (
    create_login_profile,
    delete_login_profile,
    get_login_profile,
    update_login_profile,
)
from credentials.operations.mfa_devices import list_mfa_devices
from credentials.operations.service_credentials import list_service_specific_credentials
from credentials.operations.signing_certificates import list_signing_certificates
from credentials.operations.ssh_public_keys import list_ssh_public_keys
from credentials.views import (
    access_keys,
    mfa_devices,
    service_credentials,
    service_tokens,
    signing_certificates,
    ssh_keys,
)
from iamconsole.forms import Part, each_of, either, may, may_now, may_some, part, submitted
from iamconsole.tabs import chosen_tab, tabs_of
from permissions.operations.attachments import list_attached_user_policies
from permissions.operations.inline import list_user_policies
from permissions.views import last_accessed

TABS = (
    ("permissions", "Permissions"),
    ("groups", "Groups"),
    ("credentials", "Security credentials"),
    ("tags", "Tags"),
    ("sessions", "Sessions"),
    ("last-accessed", "Last accessed"),
    ("activity", "Activity"),
)


@require_safe
def page(request: HttpRequest, user_name: str) -> HttpResponse:
    """One user: a summary and the chosen tab. Parts the caller may not read say which permission is missing."""
    caller = caller_of(request)
    user = get_user(caller, user_name=user_name)
    tab = chosen_tab(request, TABS)
    context = {
        "user_shown": user,
        "tab": tab,
        "tabs": tabs_of(TABS, tab, reverse("admin:accounts_user_change", args=[user.user_name])),
        "profile": part(caller, get_login_profile, user_name=user_name),
        "keys": part(caller, list_access_keys, user_name=user_name),
        **suspension.header(request, user),
        "may_update": may(caller, update_user, user_name=user_name),
        "may_delete": may(caller, delete_user, user_name=user_name),
    }
    return render(request, "user.html", context | _TAB[tab](request, user))


def _credentials_tab(request: HttpRequest, user: User) -> dict[str, Any]:
    caller, named = caller_of(request), {"user_name": user.user_name}
    return {
        "may_enable": may(caller, create_login_profile, **named),
        "may_set": may(caller, update_login_profile, **named),
        "may_disable": may(caller, delete_login_profile, **named),
        **mfa_devices.card(request, user.user_name),
        **access_keys.card(request, user.user_name),
        **service_credentials.card(request, user.user_name),
        **ssh_keys.card(request, user.user_name),
        **signing_certificates.card(request, user.user_name),
        **service_tokens.card(request, user.user_name),
    }


def _tags_tab(request: HttpRequest, user: User) -> dict[str, Any]:
    caller, named = caller_of(request), {"user_name": user.user_name}
    return {"user_tags": part(caller, list_user_tags, **named), "may_tag": _may_tag(caller, user.label)}


def _activity_tab(request: HttpRequest, user: User) -> dict[str, Any]:
    return activity(request, user.user_id)


_TAB = {
    "permissions": permissions_tab,
    "groups": groups_tab,
    "credentials": _credentials_tab,
    "tags": _tags_tab,
    "sessions": user_sessions.tab,
    "last-accessed": last_accessed.tab,
    "activity": _activity_tab,
}


@require_http_methods(["GET", "HEAD", "POST"])
def rename(request: HttpRequest, user_name: str) -> HttpResponse:
    """Another name or path for a user, with what changes by it."""
    caller = caller_of(request)
    user = get_user(caller, user_name=user_name)
    form = RenameForm(request.POST or None, initial={"new_user_name": user.user_name, "new_path": user.path})
    if submitted(request, form, lambda data: update_user(caller, user_name=user_name, **data)):
        messages.success(request, "The user is renamed. The ARN has changed; the credentials have not.")
        return redirect("admin:accounts_user_change", form.cleaned_data["new_user_name"])
    allowed = may(caller, update_user, user_name=user_name)
    return render(request, "user_rename.html", {"form": form, "user_shown": user, "may": allowed})


@require_http_methods(["GET", "HEAD", "POST"])
def tags(request: HttpRequest, user_name: str) -> HttpResponse:
    """Set all tags of a user at once."""
    caller = caller_of(request)
    user = get_user(caller, user_name=user_name)
    form = TagsForm(request.POST if request.method == "POST" else None, tags=list(user.tags))
    if submitted(request, form, lambda data: set_user_tags(caller, user_name=user_name, tags=form.rows)):
        messages.success(request, "The tags are saved.")
        return redirect(f"{reverse('admin:accounts_user_change', args=[user.user_name])}?tab=tags")
    allowed = _may_tag(caller, user_name)
    return render(request, "user_tags.html", {"form": form, "user_shown": user, "may": allowed})


def _may_tag(caller: Caller, user_name: str) -> Part[None]:
    named = {"user_name": user_name}
    return either(may_some(caller, tag_user, **named), may_some(caller, untag_user, **named))


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, user_name: str) -> HttpResponse:
    """Delete a user with everything the user has, after the name is typed."""
    caller = caller_of(request)
    user = get_user(caller, user_name=user_name)
    form = DeleteForm(request.POST or None, name=str(user.user_name))
    if submitted(request, form, lambda data: delete_user_with_credentials(caller, user_name=user_name)):
        messages.success(request, f"User {user.user_name} is deleted, with all credentials.")
        return redirect("admin:accounts_user_changelist")
    context = {
        "form": form,
        "user_shown": user,
        "profile": part(caller, get_login_profile, user_name=user_name),
        "keys": part(caller, list_access_keys, user_name=user_name),
        "ssh_keys": part(caller, list_ssh_public_keys, user_name=user_name),
        "signing_certificates": part(caller, list_signing_certificates, user_name=user_name),
        "devices": part(caller, list_mfa_devices, user_name=user_name),
        "service_credentials": part(caller, list_service_specific_credentials, user_name=user_name),
        "names": part(caller, list_user_policies, user_name=user_name),
        "attached": part(caller, list_attached_user_policies, user_name=user_name),
        "groups": part(caller, list_groups_for_user, user_name=user_name),
        "may": each_of(
            may(caller, delete_user, user_name=user_name),
            may_now(caller, delete_user_with_credentials, user_name=user_name),
        ),
        "back": reverse("admin:accounts_user_change", args=[user.user_name]),
    }
    return render(request, "user_delete.html", context)
