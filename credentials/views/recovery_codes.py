"""The page of one's own recovery codes."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.nonces import new_nonce
from accounts.signin import caller_of
from credentials.operations.recovery_codes import create_recovery_codes, get_recovery_code_count
from credentials.views.reveal import reveal_recovery_codes, with_nonce
from iamconsole.forms import ConsoleForm, may, part, submitted
from iamconsole.operation import Issued


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Make ten codes in the place of those there are, and show them once."""
    form = ConsoleForm(request.POST if request.method == "POST" else None)
    made: list[Issued[User]] = []
    if submitted(request, form, lambda data: made.append(create_recovery_codes(with_nonce(request)))):
        return reveal_recovery_codes(request, made[0])
    caller = caller_of(request)
    context = {"form": form, "nonce": new_nonce(caller.principal), "left": part(caller, get_recovery_code_count).value}
    context |= {"back": reverse("admin:me"), "may": may(caller, create_recovery_codes)}
    return render(request, "recovery_codes_create.html", context)
