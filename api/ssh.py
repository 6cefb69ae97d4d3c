"""sshd's door: the programs in deploy/sshd ask here by a service token, and are answered in plain text.

``POST /ssh/authorized-keys`` is asked at each login and answers one line of authorized_keys; ``GET /ssh/login-names`` answers the
names that the host's operating system should know. What goes wrong is answered as at ``/authorize``, in JSON.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.csrf import csrf_exempt

from api import shapes
from api.authenticate import authenticate_service
from api.verifier import answered, body_of
from credentials.operations.ssh_logins import list_ssh_login_names, look_up_ssh_key
from iamconsole.errors import InvalidAction, ValidationError
from iamconsole.logs import served

LARGEST = 32 * 1024
FORM = "application/x-www-form-urlencoded"
MEMBERS = {"login": "login_name", "type": "key_type", "key": "public_key"}


@csrf_exempt
@answered
def authorized_keys(request: HttpRequest) -> HttpResponse:
    """Answer the line for the key that somebody comes with; 404 when it is nobody's who may come in."""
    _asked(request, "POST", look_up_ssh_key.action)
    caller, token = authenticate_service(request)
    served().fields["service_token_id"] = token.service_token_id
    given = _form(request)
    shapes.validate(look_up_ssh_key.model, given)
    served().fields["login"] = given["login_name"]
    login = look_up_ssh_key(caller, **given)
    served().fields["ssh_public_key_id"] = login.ssh_public_key_id
    return _text([login.authorized_keys_line])


@csrf_exempt
@answered
def login_names(request: HttpRequest) -> HttpResponse:
    """Answer the ids of the account's active keys, one a line."""
    _asked(request, "GET", list_ssh_login_names.action)
    caller, token = authenticate_service(request)
    served().fields["service_token_id"] = token.service_token_id
    return _text(list_ssh_login_names(caller))


def _asked(request: HttpRequest, method: str, action: str) -> None:
    served().fields["action"] = action
    if request.method != method:
        raise InvalidAction(f"The method {request.method} is not allowed: use {method}.")


def _form(request: HttpRequest) -> dict[str, Any]:
    fields = QueryDict(body_of(request, FORM, LARGEST))
    if sorted(fields) != sorted(MEMBERS) or any(len(values) != 1 for _, values in fields.lists()):
        raise ValidationError(f"A question has the fields {', '.join(MEMBERS)}, each once.")
    return {member: fields[name] for name, member in MEMBERS.items()}


def _text(lines: list[str]) -> HttpResponse:
    return HttpResponse("".join(f"{line}\n" for line in lines), content_type="text/plain; charset=us-ascii")
