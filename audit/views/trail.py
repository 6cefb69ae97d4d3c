"""The audit log: the trail with filters in the address, one event with what was before and after, and its export."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.caller import Caller
from accounts.signin import caller_of
from audit.exports import FORMATS, lines
from audit.finding import Asked
from audit.forms import RESULTS, ExportForm, TrailForm
from audit.models import Event
from audit.operations.events import export_events, get_event, get_trail_status, list_events
from audit.views.decisions import DOORS
from iamconsole.downloads import as_download
from iamconsole.forms import Part, may, part
from iamconsole.pages import error_page

PAGE: Final = 50
PAGES: Final = {
    "user": "admin:accounts_user_change",
    "group": "admin:accounts_group_change",
    "policy": "admin:permissions_managedpolicy_change",
    "server-certificate": "admin:credentials_servercertificate_change",
}
_SHORT: Final = re.compile(r"\b(arn|mfa|ssh)\b")
_ARN: Final = re.compile(
    r"arn:aws:iam::(?P<account>[0-9]{12}|aws):(?P<kind>user|group|policy|server-certificate)/(?:.*/)?(?P<name>[^/*]+)"
)


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The log, the latest first."""
    caller, form = caller_of(request), TrailForm(request.GET)
    events = part(caller, list_events, max_items=PAGE, marker=request.GET.get("marker"), **form.asked)
    context = {
        "form": form,
        "results": RESULTS,
        "events": events,
        # Not the whole log in the place of what a filter that is wrong was meant to show.
        "rows": rows_of(events, caller) if form.is_valid() else [],
        "status": part(caller, get_trail_status).value,
        "formats": ExportForm.base_fields["file_format"].choices,  # type: ignore[attr-defined]
        "may_export": may(caller, export_events),
    }
    return render(request, "audit_log.html", context)


@require_safe
def event(request: HttpRequest, event_id: str) -> HttpResponse:
    """One event."""
    caller = caller_of(request)
    told = part(caller, get_event, event_id=str(event_id))
    if told.allowed and told.value is None:
        return error_page(request, 404, "There is no event of this ID in your account.", title="No such event")
    return render(
        request, "audit_event.html", {"told": told, "row": _detailed(told.value, caller) if told.value else None}
    )


@require_POST
def export(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """The events of the current view as a file, sent as it is read."""
    caller, form = caller_of(request), ExportForm(request.POST)
    if not form.is_valid():
        return error_page(request, 400, "A filter of the log is not valid. Go back and correct it.")
    asked = form.asked
    until = export_events(caller, **asked)["last_sequence"]
    answer = StreamingHttpResponse(
        _file(caller.account_id, asked, until), content_type=f"{FORMATS[asked['file_format']]}; charset=utf-8"
    )
    ending = asked["file_format"].removesuffix("-raw")
    return as_download(answer, f"audit-{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}Z.{ending}")


def _file(chain: str, asked: Mapping[str, Any], until: int) -> Iterator[str]:
    renamed = {"action_name": "action"}
    wanted = Asked(**{renamed.get(name, name): value for name, value in asked.items() if name != "file_format"})
    return lines(wanted.all_of(chain, until=until), asked["file_format"])


@dataclass(frozen=True)
class Row:
    """An event as pages show it, with links to the one who asked and what it was about."""

    event: Event
    account_id: str

    @property
    def door(self) -> str:
        """By which door it came."""
        return DOORS.get(self.event.door, self.event.door)

    @property
    def actor(self) -> str:
        """Who asked, in short."""
        return self.event.actor_name or "Nobody who is known"

    @property
    def actor_url(self) -> str:
        """The page of who asked."""
        return page_of(self.event.actor_arn, self.account_id)

    @property
    def target(self) -> str:
        """What it was about, in short."""
        return self.event.resource.rpartition(":")[2] if self.event.resource.startswith("arn:") else self.event.resource

    @property
    def target_url(self) -> str:
        """The page of what it was about."""
        return page_of(self.event.resource, self.account_id)

    @property
    def others(self) -> list[tuple[str, str]]:
        """What else it was about: ARNs, with their pages."""
        arns = dict.fromkeys(name for _, name in self.event.resources if name.startswith("arn:"))
        return [(arn, page_of(arn, self.account_id)) for arn in arns if arn != self.event.resource]

    @property
    def changes(self) -> list[tuple[str, list[tuple[str, str, str]]]]:
        """Of each thing that changed: its ARN, and each field with its values before and after."""
        return [
            (
                change["arn"],
                [
                    (_label(name), _text(change["before"].get(name)), _text(change["after"].get(name)))
                    for name in sorted(change["before"].keys() | change["after"].keys())
                ],
            )
            for change in self.event.changes
        ]

    @property
    def parameters(self) -> str:
        """What was asked, as JSON to read."""
        return _text(self.event.parameters)

    @property
    def response(self) -> str:
        """What was answered, as JSON to read."""
        return _text(self.event.response)


def _text(value: object) -> str:
    if value in (None, "", [], {}):
        return ""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def _label(field: str) -> str:
    """A field of a portrait as people read it."""
    return _SHORT.sub(lambda found: found[0].upper(), field.replace("_", " "))


def page_of(arn: str, account_id: str) -> str:
    """The page of a user, group, policy or certificate of the account by its ARN; empty for what has none."""
    found = _ARN.fullmatch(arn)
    if found is None or found["account"] not in (account_id, "aws"):
        return ""
    return reverse(PAGES[found["kind"]], args=[arn if found["kind"] == "policy" else found["name"]])


def rows_of(events: Part[Any], caller: Caller) -> list[Row]:
    """The rows of a part of a page."""
    return [Row(each["event"], caller.account_id) for each in events.value.items] if events.value else []


def _detailed(told: Mapping[str, Any], caller: Caller) -> Row:
    return Row(told["event"], caller.account_id)


def activity(request: HttpRequest, unique_id: str) -> dict[str, Any]:
    """The tab of what was done to one user, group or policy, whatever it was called then."""
    caller = caller_of(request)
    events = part(caller, list_events, resource_name=unique_id, max_items=PAGE, marker=request.GET.get("marker"))
    return {"activity": events, "rows": rows_of(events, caller), "unique_id": unique_id}
