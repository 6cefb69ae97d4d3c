"""The verifier door: other services ask here who signed a request and whether they may, instead of keeping users of their own.

A GET is for gateways such as nginx's ``auth_request``, which look at the status and take headers: 200 allowed, 401 the signature
(or the password, for services that take one) is missing or wrong, 403 denied. A POST is for services that ask in JSON. Both run
iamconsole:Authorize as the token's user.
"""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from api import question, shapes, sigv4, wire
from api.authenticate import SIGNATURE_FAULTS, authenticate_service, counted, headers_of
from audit.models import INSTALLATION
from credentials import service_access
from credentials.operations.authorize import authorize as operation
from credentials.operations.authorize import signed_request
from iamconsole.errors import (
    Fault,
    InternalFailure,
    InvalidAction,
    RequestEntityTooLarge,
    ServiceUnavailable,
    Throttling,
    ValidationError,
)
from iamconsole.logs import served

log = logging.getLogger("iamconsole.api")
LARGEST = 256 * 1024
JSON = "application/json"
LONGEST_REASON = 1024  # in a header: gateways have little room for those
STATUSES: Mapping[type[Fault], int] = {**dict.fromkeys(SIGNATURE_FAULTS, 401), Throttling: 429}


def answered(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer a service whatever happens: a fault by its code and status, anything else as a 500 without detail."""

    @wraps(view)
    def answering(request: HttpRequest) -> HttpResponse:
        try:
            return view(request)
        except Fault as fault:
            return _refusal(fault)
        except OperationalError:
            log.exception("database")
            return _refusal(ServiceUnavailable("The database does not answer now: try again in a moment."))
        except Exception:
            log.exception("bug")
            return _refusal(InternalFailure("The request processing has failed because of an unknown error."))

    return answering


@csrf_exempt
@answered
def authorize(request: HttpRequest) -> HttpResponse:
    """Answer ``GET /authorize`` by status and headers, ``POST /authorize`` in JSON. Cookies are not looked at."""
    data = _answer(request)
    if request.method == "POST":
        return JsonResponse(data)
    return _with_headers(JsonResponse(data, status=200 if data["allowed"] else 403), data)


def _answer(request: HttpRequest) -> dict[str, Any]:
    if request.method not in ("GET", "POST"):
        raise InvalidAction(f"The method {request.method} is not allowed: use GET or POST.")
    caller, token = authenticate_service(request)
    served().fields["service_token_id"] = token.service_token_id
    served().fields["action"] = operation.action
    asked = (
        question.from_json(body_of(request, JSON, LARGEST))
        if request.method == "POST"
        else question.from_headers(headers_of(request))
    )
    shapes.validate(operation.model, asked)
    access_key_id, source = _signer(asked["signer"], asked["action_name"]), question.source_of(asked)
    served().fields.update(access_key_id=access_key_id, asked=asked["action_name"])
    origin = replace(caller.origin(INSTALLATION), access_key_id=access_key_id, source_ip=source or caller.source_ip)
    with counted(origin, who=access_key_id, source=f"{token.service_token_id} {source}"):
        result = operation(caller, **asked)
    served().fields["decision"] = result.decision
    return question.in_json(wire.pick(operation.model.output, result, secrets=False))


def _signer(signer: Mapping[str, Any], action: str) -> str:
    """The access key that the question is about, or the name of another credential, before anything of it is checked."""
    if signer.get("request") is None:
        return str(signer.get("access_key_id") or signer.get("ssh_public_key_id") or "")
    shown = service_access.claim_of(signer["request"]["headers"], action)
    if shown is not None:
        return shown.name
    return sigv4.claimed_key_id(signed_request(signer["request"]))


def body_of(request: HttpRequest, content_type: str, largest: int) -> bytes:
    """The body of a question. Raises ValidationError for one of another type, RequestEntityTooLarge."""
    if request.content_type != content_type:
        raise ValidationError(f"A question by POST is a document of the type {content_type}.")
    try:
        body = request.body
    except UnreadablePostError as error:
        raise ValidationError("The request ended before its body did.") from error
    if len(body) > largest:
        raise RequestEntityTooLarge(f"A question may have {largest // 1024} KiB.")
    return body


def _with_headers(response: HttpResponse, data: Mapping[str, Any]) -> HttpResponse:
    """The same for a gateway, which reads no bodies. What it has no value for is not sent."""
    principal = data["principal"]
    told = {
        "Arn": principal["arn"],
        "User-Id": principal["user_id"],
        "User-Name": principal.get("user_name"),
        "Account": principal["account"],
        "Access-Key-Id": principal["access_key_id"],
        "Content-Sha256": data.get("content_sha256"),
        "Decision": data["decision"],
        "Reason": data["reason"],
    }
    for name, value in told.items():
        if value:
            response[f"X-Iamconsole-{name}"] = _header(value)
    return response


def _refusal(fault: Fault) -> HttpResponse:
    """A question without an answer. What is wrong with a signature may go on to the client; the rest is the service's own."""
    served().fields["error"] = fault.code
    status = STATUSES.get(type(fault), fault.status)
    response = JsonResponse({"error": {"code": fault.code, "message": fault.message}}, status=status)
    response["X-Iamconsole-Error"] = fault.code
    if isinstance(fault, SIGNATURE_FAULTS):
        response["WWW-Authenticate"] = (
            service_access.challenge_of(str(served().fields.get("asked", ""))) or sigv4.ALGORITHM
        )
        response["X-Iamconsole-Reason"] = _header(fault.message)
    if isinstance(fault, Throttling):
        response["Retry-After"] = "1"
    return response


def _header(text: str) -> str:
    """Text fit for a header: printable ASCII, not long."""
    return re.sub(r"[^ -~]", "?", text[:LONGEST_REASON])
