"""The AWS door, on one page: authenticate, parse, run the operation, answer, all by AWS's service models."""

import logging
from contextlib import suppress
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.shortcuts import redirect
from django.views.decorators.csrf import csrf_exempt

from accounts.caller import Caller
from api import json_wire, wire
from api.authenticate import authenticate
from api.shapes import OperationModel, services
from iamconsole import pages
from iamconsole.errors import (
    Fault,
    InternalFailure,
    InvalidAction,
    MissingAction,
    RequestEntityTooLarge,
    ServiceUnavailable,
    ValidationError,
)
from iamconsole.logs import served
from iamconsole.operation import find

log = logging.getLogger("iamconsole.api")
METHODS = ("GET", "POST")
DRAINED = 16 * 1024 * 1024
TARGET = "X-Amz-Target"
SIGNATURE_PARAMETERS = "X-Amz-"


@csrf_exempt
def endpoint(request: HttpRequest) -> HttpResponse:
    """Answer ``POST /`` and signed ``GET /?Action=…``; send a browser to the console. Cookies are not looked at."""
    if request.method == "GET" and not _is_meant_for_programs(request):
        return redirect("admin:index")
    wants_json = TARGET in request.headers
    try:
        return _json(_answer_json(request)) if wants_json else _xml(_answer(request))
    except Fault as raised:
        fault = raised
    except OperationalError:
        log.exception("database")
        fault = ServiceUnavailable("The database does not answer now. Nothing was changed: try again in a moment.")
    except Exception:
        log.exception("bug")
        fault = InternalFailure("The request processing has failed because of an unknown error.")
    return _json_error(fault) if wants_json else _error(fault)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400 for what reaches no view: a Host that is not in ALLOWED_HOSTS. As XML at this door, as a page elsewhere."""
    if request.path != "/" or (request.method == "GET" and not _is_meant_for_programs(request)):
        return pages.bad_request(request, exception)
    return _error(
        ValidationError("This server does not answer to the request's Host: its operator sets ALLOWED_HOSTS.")
    )


def _is_meant_for_programs(request: HttpRequest) -> bool:
    """Whether a GET is a request of the API. Asked of the raw query: one that cannot be parsed is asked about too."""
    query = request.META.get("QUERY_STRING", "")
    return (
        TARGET in request.headers
        or "Action=" in query
        or "X-Amz-Algorithm=" in query
        or "Authorization" in request.headers
    )


def _answer(request: HttpRequest) -> bytes:
    if request.method not in METHODS:
        raise InvalidAction(f"The method {request.method} is not allowed: use POST or GET.")
    _read_body(request)
    caller, claim = authenticate(request)
    served().fields["access_key_id"] = claim.access_key_id
    parameters = _parameters(request)
    model = _operation_model(parameters, claim.service)
    data = _run(caller, model, wire.parse(model, parameters))
    return wire.serialise(model, data, served().request_id)


def _answer_json(request: HttpRequest) -> bytes:
    """The same for the services that talk JSON."""
    if request.method != "POST":
        raise InvalidAction(f"The method {request.method} is not allowed: use POST.")
    _read_body(request)
    caller, claim = authenticate(request)
    served().fields["access_key_id"] = claim.access_key_id
    model = json_wire.operation_model(request.headers[TARGET], services()[claim.service])
    return json_wire.serialise(model, _run(caller, model, json_wire.parse(model, request.body)))


def _run(caller: Caller, model: OperationModel, parameters: dict[str, Any]) -> Any:
    """Run the operation and pick what may be answered."""
    served().fields["action"] = f"{model.service}:{model.name}"
    operation = find(model.service, model.name)
    if operation is None:
        raise InvalidAction(f"The operation {model.name} is not supported by this release of iamconsole.")
    result = operation(caller, **parameters)
    return wire.pick(model.output, result, secrets=operation.issues_secret, omits=operation.omits)


def _read_body(request: HttpRequest) -> None:
    """Read the body into memory once; the signature's hash and the parameters come from the same bytes."""
    try:
        _ = request.body
    except RequestDataTooBig as error:
        _drain(request)
        raise RequestEntityTooLarge("The request is larger than 4 MiB.") from error
    except UnreadablePostError as error:
        raise ValidationError("The request ended before its body did.") from error


def _drain(request: HttpRequest) -> None:
    """Read and drop some more: a client that is still sending when the connection is closed never sees the answer."""
    left = DRAINED
    with suppress(UnreadablePostError):
        while left > 0 and (chunk := request.read(64 * 1024)):
            left -= len(chunk)


def _parameters(request: HttpRequest) -> dict[str, str]:
    """Every parameter of query and body, each once."""
    query = wire.decode(request.META.get("QUERY_STRING", "").encode("latin-1"))
    body = wire.decode(request.body) if request.method == "POST" else []
    parameters = {name: value for name, value in query if not name.startswith(SIGNATURE_PARAMETERS)}
    for name, value in body:
        if name in parameters:
            raise ValidationError(f"The parameter {name} stands in the query and in the body.")
        parameters[name] = value
    return parameters


def _operation_model(parameters: dict[str, str], service_name: str) -> OperationModel:
    """The operation that Action names, of the service the request is signed for."""
    action = parameters.pop("Action", "")
    if not action:
        raise MissingAction("The request must name an Action.")
    service = services()[service_name]
    if service.target_prefix:
        raise InvalidAction(f"The service {service_name} talks JSON: name the operation in the header {TARGET}.")
    version = parameters.pop("Version", service.api_version)
    if version != service.api_version or action not in service.operations:
        raise InvalidAction(f"Could not find operation {action[:100]} for version {version[:100]}")
    return service.operations[action]


def _error(fault: Fault) -> HttpResponse:
    served().fields["error"] = fault.code
    namespace = services()["iam"].xml_namespace
    body = wire.serialise_error(fault.code, fault.message, fault.status, namespace, served().request_id)
    return _xml(body, fault.status)


def _json(body: bytes, status: int = 200) -> HttpResponse:
    response = HttpResponse(body, status=status, content_type=json_wire.CONTENT_TYPE)
    response["Content-Security-Policy"] = "sandbox; default-src 'none'; frame-ancestors 'none'"
    return response


def _json_error(fault: Fault) -> HttpResponse:
    served().fields["error"] = fault.code
    service, _, name = str(served().fields.get("action", "")).partition(":")
    model = services()[service].operations[name] if service else None
    return _json(*json_wire.serialise_error(fault, model))


def _xml(body: bytes, status: int = 200) -> HttpResponse:
    response = HttpResponse(body, status=status, content_type="text/xml; charset=utf-8")
    response["Content-Security-Policy"] = "sandbox; default-src 'none'; frame-ancestors 'none'"
    return response
