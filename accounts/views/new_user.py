"""Making a user in three steps: details, permissions, review. The last one calls the operation and shows the secret once."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from accounts.access_forms import PURPOSES, DetailsForm, NewUserPermissionsForm, ReviewForm, given
from accounts.caller import Caller
from accounts.drafts import Draft
from accounts.nonces import new_nonce
from accounts.operations.groups import create_group
from accounts.operations.users import create_user, get_user
from accounts.operations.whole_users import Made, create_user_with_access
from accounts.signin import caller_of
from api import shapes
from credentials.passwords import rules
from credentials.views.reveal import reveal_user, with_nonce
from iamconsole.errors import EntityAlreadyExists
from iamconsole.forms import ConsoleForm, may_some, part, submitted

DETAILS, PERMISSIONS, REVIEW = "admin:accounts_user_add", "admin:user-add-permissions", "admin:user-add-review"
ADD_GROUP = "admin:accounts_group_add"
STEPS = ("User details", "Permissions", "Review and create")


@require_http_methods(["GET", "HEAD", "POST"])
def details(request: HttpRequest) -> HttpResponse:
    """Step 1: name, path and purpose."""
    draft, allowed = Draft.of(request), may_some(caller_of(request), create_user, user_name="*")
    form = DetailsForm(
        request.POST or None, initial=draft.values | ({"user_name": ""} if "again" in request.GET else {})
    )

    def keep(data: dict[str, Any]) -> None:
        _check(caller_of(request), data)
        draft.keep(data)

    if allowed.allowed and submitted(request, form, keep):
        return redirect(draft.at(PERMISSIONS))
    return render(request, "new_user_details.html", {"form": form, "may": allowed, "steps": STEPS, "step": 1})


def _check(caller: Caller, data: dict[str, Any]) -> None:
    """Say at once what would be refused at the end: a name or path that is none, and a name that is taken."""
    shapes.validate(create_user.model, {"user_name": data["user_name"], "path": data["path"]})
    if part(caller, get_user, user_name=data["user_name"]).value is not None:
        raise EntityAlreadyExists(f"User with name {data['user_name']} already exists.")


@require_http_methods(["GET", "HEAD", "POST"])
def permissions(request: HttpRequest) -> HttpResponse:
    """Step 2: groups, policies, another user's permissions; a boundary."""
    draft, caller = Draft.of(request), caller_of(request)
    if not draft.values:
        return redirect(DETAILS)
    form = NewUserPermissionsForm(request.POST or None, caller=caller, initial=draft.values)
    if _leaves(request, form, draft):
        return redirect(_way(request, draft))
    allowed = may_some(caller, create_group, group_name="*")
    context = {"form": form, "may_create_group": allowed, "steps": STEPS, "step": 2, "draft": draft}
    return render(request, "new_user_permissions.html", context)


def _leaves(request: HttpRequest, form: ConsoleForm, draft: Draft) -> bool:
    """Whether a button leads away from this step. What was entered is kept, and must be right only to go on."""
    if request.method != "POST" or request.POST.get("go") == "search":
        return False
    leaves = form.is_valid() or request.POST.get("go") in ("back", "group")
    if leaves:
        draft.keep(form.cleaned_data)
    return leaves


def _way(request: HttpRequest, draft: Draft) -> str:
    go = request.POST.get("go")
    if go == "group":
        return f"{reverse(ADD_GROUP)}?{urlencode({'next': draft.at(PERMISSIONS)})}"
    return draft.at(DETAILS if go == "back" else REVIEW)


@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest) -> HttpResponse:
    """Step 3: the whole of it, tags and a password; then the page that shows the secret once."""
    draft, made = Draft.of(request), list[HttpResponse]()
    if not draft.values:
        return redirect(DETAILS)
    form = ReviewForm(
        request.POST or None, tags=draft.values.get("tags", []), purpose=draft.values.get("purpose", "none")
    )
    if request.POST.get("go") == "back":
        draft.keep({"tags": form.rows})
        return redirect(draft.at(PERMISSIONS))
    if submitted(request, form, lambda data: made.append(_create(request, draft, form))):
        return made[0]
    return render(request, "new_user_review.html", _to_review(caller_of(request), draft, form))


def _parameters(draft: Draft) -> dict[str, Any]:
    """What the operation is called with, but for the tags and a password."""
    values, person = draft.values, draft.values.get("purpose") == "person"
    return {
        "user_name": values["user_name"],
        "path": values["path"],
        "password_reset_required": values["password_reset_required"] if person else None,
        "allow_change_password": (person and values["allow_change_password"]) or None,
        "access_key": values["purpose"] == "service" or None,
        "permissions_boundary": values.get("permissions_boundary") or None,
        **given(values),
    }


def _create(request: HttpRequest, draft: Draft, form: ReviewForm) -> HttpResponse:
    made: Made = create_user_with_access(
        with_nonce(request),
        **_parameters(draft),
        password=form.cleaned_data["password"] if form.way == "custom" else None,
        generate_password=form.way == "generated" or None,
        setup_link=form.way == "setup_link" or None,
        tags=form.rows or None,
    )
    draft.keep({"tags": form.rows})
    return reveal_user(request, made, again=f"{draft.at(DETAILS)}&again=yes")


def _to_review(caller: Caller, draft: Draft, form: ReviewForm) -> dict[str, Any]:
    parameters = _parameters(draft)
    foreseen = parameters | {"password": "x" if form.purpose == "person" else None, "tags": form.rows or None}
    return {
        "form": form,
        "draft": draft.values,
        "given": parameters,
        "nothing": not any(parameters.get(name) for name in ("group_names", "policy_arns", "copy_permissions_from")),
        "purpose": PURPOSES[form.purpose],
        "rules": rules(caller.account) if form.purpose == "person" else [],
        "nonce": new_nonce(caller.principal),
        "may": may_some(caller, create_user_with_access, **foreseen),
        "steps": STEPS,
        "step": 3,
    }
