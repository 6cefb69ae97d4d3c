"""Importing users from a CSV file: the file, what would be done, and what was done, with the set-up links shown once."""

from collections import Counter
from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from accounts import user_files, user_import
from accounts.caller import Caller
from accounts.import_forms import UserFileForm
from accounts.import_words import KINDS, LATER, WILL
from accounts.nonces import new_nonce
from accounts.operations.whole_users import create_user_with_access
from accounts.signin import caller_of
from credentials.views.reveal import once
from iamconsole.downloads import as_download
from iamconsole.forms import may_some, submitted


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """Take a file, show what would be done with it, and do it when the button below that was pressed."""
    caller = caller_of(request)
    form = UserFileForm(request.POST or None, request.FILES or None)
    answers: list[HttpResponse] = []

    def act(data: dict[str, Any]) -> None:
        if request.POST.get("go") == "run":
            lines = user_import.run(lambda: with_nonce(caller), data["rows"])
            answers.append(once(render(request, "user_import_done.html", _told(lines, data["text"]))))
        else:
            lines = user_import.preview(caller, data["rows"])
            answers.append(render(request, "user_import_preview.html", _told(lines, data["text"])))

    if submitted(request, form, act):
        return answers[0]
    allowed = may_some(caller, create_user_with_access, user_name="*")
    return render(request, "user_import.html", {"form": form, "may": allowed, "template": user_files.TEMPLATE})


@require_safe
def template(request: HttpRequest) -> HttpResponse:
    """A file to fill in."""
    response = HttpResponse(user_files.TEMPLATE, content_type="text/csv; charset=utf-8")
    return as_download(response, "users.csv")


def with_nonce(caller: Caller) -> Caller:
    """The caller with a nonce for one user of the file.

    The form needs none of its own: when it is sent twice, the second finds the names taken, makes nobody and shows no link.
    """
    return replace(caller, nonce=new_nonce(caller.principal))


def _told(lines: list[user_import.Line], text: str) -> dict[str, Any]:
    counts = Counter(line.word for line in lines)
    return {
        "lines": lines,
        "text": text,
        "counts": [(word, counts[word]) for word in KINDS if counts[word]],
        "to_make": counts[WILL],
        "left": counts[LATER],
        "guarded": any(line.setup_url for line in lines),
        "at_once": user_import.AT_ONCE,
    }
