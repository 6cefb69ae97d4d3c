"""Importing an AWS account's users, groups and policies: the file, what would be made, what was made."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from accounts.import_words import LATER, WILL
from accounts.operations.whole_users import create_user_with_access
from accounts.signin import caller_of
from accounts.views.user_import import with_nonce
from iamconsole.forms import may_some, submitted
from permissions import authorization_import
from permissions.authorization_files import Details
from permissions.forms import AuthorizationDetailsForm

AT_ONCE: Final = 200  # a request must end; what is left, the next one makes


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """Take a file, show what would be made, and make it when the button below that was pressed."""
    caller = caller_of(request)
    form = AuthorizationDetailsForm(request.POST or None, request.FILES or None)
    answers: list[HttpResponse] = []

    def act(data: dict[str, Any]) -> None:
        details, done = data["details"], request.POST.get("go") == "run"
        if done:
            lines = authorization_import.run(lambda: with_nonce(caller), details, most=AT_ONCE)
        else:
            lines = authorization_import.preview(caller, details)
        told = _told(lines, details, data["had"])
        told |= {"packed": data["packed"], "packed_report": data["packed_report"], "done": done}
        answers.append(render(request, "authorization_import_lines.html", told))

    if submitted(request, form, act):
        return answers[0]
    allowed = may_some(caller, create_user_with_access, user_name="*")
    return render(request, "authorization_import.html", {"form": form, "may": allowed})


def _told(
    lines: Sequence[authorization_import.Line], details: Details, had: Mapping[str, Sequence[str]] | None
) -> dict[str, Any]:
    words = [line.word for line in lines]
    return {
        "lines": lines,
        "counts": authorization_import.counted(lines),
        "to_make": words.count(WILL),
        "left": words.count(LATER),
        "roles": details.roles,
        "to_give": authorization_import.credentials_to_give(lines, had),
    }
