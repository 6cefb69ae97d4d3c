"""What stands beside the list of users: its columns, and views by name. All of it is the caller's own."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.operations.user_lists import delete_user_list_view, put_user_list_view, update_user_list_settings
from accounts.signin import caller_of
from accounts.user_list import settings_of, view_query
from accounts.user_list_forms import ColumnsForm, ViewForm
from accounts.user_queries import kept_query
from iamconsole.forms import submitted

METHODS = ["GET", "HEAD", "POST"]


@require_http_methods(METHODS)
def columns(request: HttpRequest) -> HttpResponse:
    """Choose the columns and the number of rows; the list keeps its filters."""
    caller = caller_of(request)
    kept = settings_of(request, caller)
    query = kept_query(request.GET.urlencode())
    first = {"columns": kept.columns, "page_size": kept.page_size, "query": query}
    form = ColumnsForm(request.POST if request.method == "POST" else None, initial=first)

    def act(data: dict[str, Any]) -> None:
        update_user_list_settings(caller, columns=data["columns"], page_size=data["page_size"])

    if submitted(request, form, act):
        return _list(kept_query(form.cleaned_data["query"]))
    return render(request, "user_list_columns.html", {"form": form})


@require_http_methods(METHODS)
def save_view(request: HttpRequest) -> HttpResponse:
    """Keep the filters and columns of the list under a name."""
    caller = caller_of(request)
    kept, query = settings_of(request, caller), kept_query(request.GET.urlencode())
    form = ViewForm(request.POST if request.method == "POST" else None, initial={"query": query})

    def act(data: dict[str, Any]) -> None:
        named = {"view_name": data["view_name"], "columns": kept.columns}
        put_user_list_view(caller, query=kept_query(data["query"]), **named)

    if submitted(request, form, act):
        name = form.cleaned_data["view_name"]
        messages.success(request, f"The view {name} is saved. It is yours alone.")
        return _list(view_query(name, kept_query(form.cleaned_data["query"])))
    return render(request, "user_list_view.html", {"form": form, "views": kept.views})


@require_POST
def delete_view(request: HttpRequest) -> HttpResponse:
    """Forget a view."""
    name = request.POST.get("view_name", "")
    delete_user_list_view(caller_of(request), view_name=name)
    messages.success(request, f"The view {name} is deleted. No user is changed by that.")
    return _list("")


def _list(query: str) -> HttpResponse:
    address = reverse("admin:accounts_user_changelist")
    return redirect(f"{address}?{query}" if query else address)
