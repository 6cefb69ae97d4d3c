"""The pages of users: create, the user page with its tabs, rename, tags, delete."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.forms import CreateUserForm, DeleteUserForm, RenameForm, TagsForm
from accounts.models import User
from accounts.nonces import new_nonce
from accounts.operations.users import (
    create_user,
    delete_user,
    get_user,
    list_user_tags,
    tag_user,
    update_user,
)
from accounts.operations.whole_users import (
    create_person,
    create_service_account,
    delete_user_with_credentials,
    set_user_tags,
)
from accounts.signin import caller_of
from credentials.operations.access_keys import (
    create_access_key,
    delete_access_key,
    list_access_keys,
    update_access_key,
)
from credentials.operations.login_profiles import (
    create_login_profile,
    delete_login_profile,
    get_login_profile,
    update_login_profile,
)
from credentials.passwords import generated, rules
from credentials.views.reveal import reveal_access_key, reveal_password, with_nonce
from iamconsole.forms import may, part, submitted
from permissions.operations.inline import delete_user_policy, get_user_policy, list_user_policies, put_user_policy

TABS = (("permissions", "Permissions"), ("credentials", "Security credentials"), ("tags", "Tags"))


@dataclass(frozen=True)
class Tab:
    """One of the user page's tabs."""

    label: str
    url: str
    current: bool


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Make a user: a person with a password, a service account with an access key, or neither yet."""
    form = CreateUserForm(request.POST or None)
    result: dict[str, Any] = {}

    def act(data: dict[str, Any]) -> None:
        result["page"] = _CREATE[data["purpose"]](request, data)

    if submitted(request, form, act):
        page_of_secret: HttpResponse = result["page"]
        return page_of_secret
    caller = caller_of(request)
    context = {
        "form": form,
        "rules": rules(caller.account),
        "nonce": new_nonce(caller.principal),
        "may": may(caller, create_user, user_name="*"),
    }
    return render(request, "user_create.html", context)


def _create_person(request: HttpRequest, data: dict[str, Any]) -> HttpResponse:
    password = generated(caller_of(request).account) if data["generate"] else data["password"]
    user = create_person(
        with_nonce(request),
        user_name=data["user_name"],
        path=data["path"],
        password=password,
        password_reset_required=data["password_reset_required"],
        allow_change_password=data["allow_change_password"],
    )
    if data["generate"]:
        return reveal_password(request, user, password, created=True)
    messages.success(request, f"User {user.user_name} is created and can sign in at {user.account.sign_in_url}")
    return redirect("admin:accounts_user_change", user.user_name)


def _create_service_account(request: HttpRequest, data: dict[str, Any]) -> HttpResponse:
    issued = create_service_account(with_nonce(request), user_name=data["user_name"], path=data["path"])
    return reveal_access_key(request, issued, created=True)


def _create_bare(request: HttpRequest, data: dict[str, Any]) -> HttpResponse:
    user = create_user(caller_of(request), user_name=data["user_name"], path=data["path"])
    messages.success(request, f"User {user.user_name} is created, without credentials and without permissions.")
    return redirect("admin:accounts_user_change", user.user_name)


_CREATE = {"person": _create_person, "service": _create_service_account, "none": _create_bare}


@require_safe
def page(request: HttpRequest, user_name: str) -> HttpResponse:
    """One user: a summary and the chosen tab. Parts the caller may not read say which permission is missing."""
    caller = caller_of(request)
    user = get_user(caller, user_name=user_name)
    tab = request.GET.get("tab", "permissions")
    tab = tab if tab in dict(TABS) else "permissions"
    address = reverse("admin:accounts_user_change", args=[user.user_name])
    context = {
        "user_shown": user,
        "tab": tab,
        "tabs": [Tab(label, f"{address}?tab={name}", name == tab) for name, label in TABS],
        "profile": part(caller, get_login_profile, user_name=user_name),
        "keys": part(caller, list_access_keys, user_name=user_name),
        "may_update": may(caller, update_user, user_name=user_name),
        "may_delete": may(caller, delete_user, user_name=user_name),
    }
    return render(request, "user.html", context | _TAB[tab](request, user))


def _permissions_tab(request: HttpRequest, user: User) -> dict[str, Any]:
    caller, named = caller_of(request), {"user_name": user.user_name}
    names = part(caller, list_user_policies, **named)
    policies = [
        (name, part(caller, get_user_policy, policy_name=name, **named))
        for name in (names.value.items if names.value else [])
    ]
    return {
        "names": names,
        "policies": policies,
        "may_put": may(caller, put_user_policy, **named),
        "may_delete_policy": may(caller, delete_user_policy, **named),
    }


def _credentials_tab(request: HttpRequest, user: User) -> dict[str, Any]:
    caller, named = caller_of(request), {"user_name": user.user_name}
    return {
        "may_create_key": may(caller, create_access_key, **named),
        "may_update_key": may(caller, update_access_key, **named),
        "may_delete_key": may(caller, delete_access_key, **named),
        "may_enable": may(caller, create_login_profile, **named),
        "may_set": may(caller, update_login_profile, **named),
        "may_disable": may(caller, delete_login_profile, **named),
    }


def _tags_tab(request: HttpRequest, user: User) -> dict[str, Any]:
    caller, named = caller_of(request), {"user_name": user.user_name}
    return {"user_tags": part(caller, list_user_tags, **named), "may_tag": may(caller, tag_user, **named)}


_TAB = {"permissions": _permissions_tab, "credentials": _credentials_tab, "tags": _tags_tab}


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
    allowed = may(caller, tag_user, user_name=user_name)
    return render(request, "user_tags.html", {"form": form, "user_shown": user, "may": allowed})


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, user_name: str) -> HttpResponse:
    """Delete a user with everything the user has, after the name is typed."""
    caller = caller_of(request)
    user = get_user(caller, user_name=user_name)
    form = DeleteUserForm(request.POST or None, name=str(user.user_name))
    if submitted(request, form, lambda data: delete_user_with_credentials(caller, user_name=user_name)):
        messages.success(request, f"User {user.user_name} is deleted, with all credentials.")
        return redirect("admin:accounts_user_changelist")
    context = {
        "form": form,
        "user_shown": user,
        "profile": part(caller, get_login_profile, user_name=user_name),
        "keys": part(caller, list_access_keys, user_name=user_name),
        "names": part(caller, list_user_policies, user_name=user_name),
        "may": may(caller, delete_user, user_name=user_name),
    }
    return render(request, "user_delete.html", context)
