"""Pages that belong to no app: errors, health, help and the choice of theme."""

import re
from http import HTTPStatus

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from iamconsole.errors import AccessDenied, AlreadyShown, Fault
from iamconsole.logs import served
from iamconsole.snippets import snippets

THEMES = ("auto", "light", "dark")
TITLES = {
    400: "That did not work",
    403: "You do not have permission",
    404: "Not found",
    405: "Not possible",
    409: "That conflicts with what is there",
    413: "Too large",
    500: "Something went wrong on our side",
    503: "Not available right now",
}
_DENIED = re.compile(
    r"is not authorized to perform:? (\S+) on resource: (.+?)(?: because| with an explicit deny| \(decision id|$)"
)


def error_page(request: HttpRequest, status: int, message: str, **context: object) -> HttpResponse:
    """One page for every error: what happened, what to do, and the request's id.

    Signed-in people keep the frame, but for an outage: that page asks the database nothing.
    """
    outage = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    signed_in = not outage and getattr(getattr(request, "user", None), "is_authenticated", False)
    page = {
        "status": status,
        "title": TITLES.get(status, "That did not work"),
        "message": message,
        "request_id": served().request_id,
        "layout": "frame.html" if signed_in else "plain.html",
        "to_console": signed_in or outage,
    }
    return render(None if outage else request, "error.html", page | context, status=status)


def fault_page(request: HttpRequest, fault: Fault) -> HttpResponse:
    """A fault as a page; a refusal names the permission that is missing."""
    denied = _DENIED.search(fault.message) if isinstance(fault, AccessDenied) else None
    context = {"action": denied[1], "resource": denied[2]} if denied else {}
    message = fault.message
    if isinstance(fault, AccessDenied) and fault.decision_id:
        context["decision_id"] = fault.decision_id
        message = message.removesuffix(f" (decision id: {fault.decision_id})")
    if isinstance(fault, AlreadyShown):
        context["title"] = "Already shown"
    return error_page(request, fault.status, message, **context)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400."""
    return error_page(request, 400, "The request could not be understood. Go back and try again.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return error_page(request, 403, "You may not do this. Ask an administrator of your account.")


def too_large(request: HttpRequest) -> HttpResponse:
    """413, before anything of the request is read."""
    return error_page(
        request, 413, "The form is larger than the server reads. Shorten what you entered and send it again."
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    return error_page(request, 404, "There is no such page. Check the address, or start from the dashboard.")


def not_possible(request: HttpRequest, answer: HttpResponseNotAllowed) -> HttpResponse:
    """405: an address of a button, opened as a page, or a method that no page knows."""
    page = error_page(request, 405, "There is nothing to see at this address: only a button of a page leads here.")
    page["Allow"] = answer["Allow"]
    return page


def server_error(request: HttpRequest) -> HttpResponse:
    """500: no detail, only the id under which the log has it."""
    return error_page(
        request, 500, "The error has been logged. If it happens again, give the request id to the operator."
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form that did not come from one of our pages, or came too late."""
    message = "The form was out of date or did not come from this site. Go back, reload the page and send it again."
    return error_page(request, 403, message, title="That form is not accepted")


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Whether the process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Whether the database answers and every migration is applied."""
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return JsonResponse({"status": "the database does not answer"}, status=503)
    if pending:
        return JsonResponse({"status": f"{len(pending)} migrations are not applied: manage.py migrate"}, status=503)
    return JsonResponse({"status": "ok"})


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """What the console is for, and how to use the AWS tools with this server."""
    return render(request, "help.html", {"snippets": snippets("AKIA…", "…")})


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Keep the choice of light or dark in a cookie, and go back."""
    chosen = request.POST.get("theme", "")
    after = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(after, {request.get_host()}, require_https=request.is_secure()):
        after = "/console/"
    response = redirect(after)
    if chosen in THEMES:
        response.set_cookie(
            "theme", chosen, max_age=365 * 86400, secure=request.is_secure(), httponly=True, samesite="Lax"
        )
    return response
