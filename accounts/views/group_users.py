"""Who is in a group: add and remove several users at once."""

from functools import partial

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.choices import users_to_add
from accounts.forms import UsersForm
from accounts.operations.groups import add_user_to_group, get_group, remove_user_from_group
from accounts.signin import caller_of
from iamconsole.forms import may, one_by_one, submitted

MOST = 1000


@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest, group_name: str) -> HttpResponse:
    """Tick users, who are added one after the other."""
    caller, form = caller_of(request), UsersForm(request.POST or None)
    found = get_group(caller, group_name=group_name, max_items=MOST)
    join = partial(add_user_to_group, caller, group_name=group_name)

    def act(data: dict[str, list[str]]) -> None:
        one_by_one(request, data["user_names"], lambda name: join(user_name=name), "Added to the group: {}.")

    if not form.is_search and submitted(request, form, act):
        return redirect("admin:accounts_group_change", group_name)
    ticked, members = form["user_names"].value() or (), [user.user_name for user in found["users"]]
    context = {
        "form": form,
        "group": found["group"],
        "users": users_to_add(caller, form.searched, ticked, members),
        "may": may(caller, add_user_to_group, group_name=group_name, user_name="*"),
    }
    return render(request, "group_users_add.html", context)


@require_POST
def remove(request: HttpRequest, group_name: str) -> HttpResponse:
    """Take the ticked users out of the group, one after the other."""
    leave = partial(remove_user_from_group, caller_of(request), group_name=group_name)
    ticked = request.POST.getlist("user_names")
    one_by_one(request, ticked, lambda name: leave(user_name=name), "No longer in the group: {}.")
    return redirect("admin:accounts_group_change", group_name)
