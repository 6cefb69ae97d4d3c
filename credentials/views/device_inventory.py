"""The pages of the account's MFA devices: hardware tokens, whoever's they are, and virtual devices that are nobody's."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.caller import Caller
from accounts.signin import caller_of
from credentials.device_forms import ImportForm
from credentials.operations.hardware_tokens import (
    delete_hardware_token,
    import_hardware_tokens,
    list_hardware_tokens,
)
from credentials.operations.virtual_mfa_devices import delete_virtual_mfa_device, list_virtual_mfa_devices
from iamconsole.forms import ConsoleForm, Part, may, part, submitted
from iamconsole.operation import Operation


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The tokens, and what is left of enrolments that were not finished."""
    caller, query = caller_of(request), request.GET
    context = {
        "tokens": part(caller, list_hardware_tokens, marker=query.get("tokens") or None),
        "unassigned": part(
            caller, list_virtual_mfa_devices, assignment_status="Unassigned", marker=query.get("devices") or None
        ),
        "may_import": may(caller, import_hardware_tokens),
    }
    return render(request, "mfa_inventory.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def import_tokens(request: HttpRequest) -> HttpResponse:
    """Take in a vendor's file: all of its tokens, or none."""
    caller = caller_of(request)
    form = ImportForm(request.POST or None, request.FILES or None, initial={"file_format": "csv"})
    count: list[int] = []

    def act(data: dict[str, str]) -> None:
        given = {name: data[name] for name in ("token_file", "file_format")}
        count.append(len(import_hardware_tokens(caller, **given)))

    if submitted(request, form, act):
        messages.success(
            request, f"{count[0]} hardware token{'' if count[0] == 1 else 's'} imported. Destroy the file."
        )
        return redirect("admin:mfa-inventory")
    return render(request, "mfa_import.html", {"form": form, "may": may(caller, import_hardware_tokens)})


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, serial_number: str) -> HttpResponse:
    """Delete a token or a virtual device that is nobody's, and its key with it."""
    caller = caller_of(request)
    form = ConsoleForm(request.POST if request.method == "POST" else None)
    operation = _deleting(serial_number)
    if submitted(request, form, lambda data: operation(caller, serial_number=serial_number)):
        messages.success(request, f"{serial_number} is deleted.")
        return redirect("admin:mfa-inventory")
    context = {"form": form, "serial_number": serial_number, "may": _may_delete(caller, serial_number)}
    return render(request, "mfa_inventory_delete.html", context)


def _deleting(serial_number: str) -> Operation[None]:
    return delete_virtual_mfa_device if serial_number.startswith("arn:") else delete_hardware_token


def _may_delete(caller: Caller, serial_number: str) -> Part[None]:
    return may(caller, _deleting(serial_number), serial_number=serial_number)
