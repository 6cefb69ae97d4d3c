"""The pages of the credential report: what stands in it, earlier ones, two of them compared, and the downloads."""

import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.caller import Caller
from accounts.signin import caller_of
from credentials.operations.credential_reports import (
    compare_credential_reports,
    generate_credential_report,
    get_credential_report,
    get_kept_credential_report,
    list_credential_reports,
    refresh_credential_report,
)
from credentials.reports import rows
from credentials.reports.findings import findings_of
from credentials.reports.models import ROWS_A_CHUNK, CredentialReport
from iamconsole.downloads import as_download
from iamconsole.errors import NoSuchEntity, ReportExpired, ReportInProgress, ReportNotPresent
from iamconsole.forms import Part, may, part
from iamconsole.paging import Page

ROWS: Final = 50
NOT_FRESH = (ReportExpired, ReportInProgress, ReportNotPresent)
Reports = Part[Page[CredentialReport]]


@require_safe
def page(request: HttpRequest, report_id: uuid.UUID | None = None) -> HttpResponse:
    """A report as a table, the latest unless one is named; what can be done; and the earlier ones."""
    caller = caller_of(request)
    kept = part(caller, list_credential_reports, max_items=100)
    readable = may(caller, get_credential_report)
    report = _report(caller, report_id, kept) if report_id or readable.allowed else None
    refresh = _generating(caller)
    context = {
        "report": report,
        "named": report_id,
        "readable": readable,
        "may_generate": may(caller, refresh),
        "kept": kept,
        "on_the_way": _on_the_way(caller, kept, readable),
        "failed": _failed(kept),
        "whole": [each for each in _listed(kept) if each.generated_time],
        **(_table(report, request.GET.get("page")) if report else {}),
    }
    return render(request, "credential_report.html", context)


def _listed(kept: Reports) -> list[CredentialReport]:
    return kept.value.items if kept.value else []


def _report(caller: Caller, report_id: uuid.UUID | None, kept: Reports) -> CredentialReport | None:
    """The report that is named, or the latest. Who may read the fresh one needs no other permission for it."""
    latest = _fresh(caller)
    if report_id is None:
        older = next((each for each in _listed(kept) if each.generated_time), None)
        return latest or (_kept(caller, older.report_id) if older else None)
    if latest is not None and latest.pk == report_id:
        return latest
    return get_kept_credential_report(caller, report_id=str(report_id))


def _fresh(caller: Caller) -> CredentialReport | None:
    try:
        return get_credential_report(caller) if may(caller, get_credential_report).allowed else None
    except NOT_FRESH:
        return None


def _kept(caller: Caller, report_id: str) -> CredentialReport | None:
    return part(caller, get_kept_credential_report, report_id=report_id).value


def _on_the_way(caller: Caller, kept: Reports, readable: Part[None]) -> CredentialReport | bool:
    """The report that is being built; only that there is one, for who may not list them."""
    if kept.allowed:
        return next((each for each in _listed(kept) if not each.job.is_over), False)
    try:
        return bool(readable.allowed and get_credential_report(caller) is None)
    except ReportInProgress:
        return True
    except NOT_FRESH:
        return False


def _failed(kept: Reports) -> CredentialReport | None:
    """The report that was asked for last, if nothing came of it. Who may not list reports is told of none."""
    latest = next(iter(_listed(kept)), None)
    return latest if latest and latest.state == "FAILED" else None


def _generating(caller: Caller) -> Any:
    """Who may not have a fresh one at any time can still have one every four hours."""
    return refresh_credential_report if may(caller, refresh_credential_report).allowed else generate_credential_report


def _table(report: CredentialReport, number: str | None) -> dict[str, Any]:
    """One page of the report's rows, out of the one chunk that holds it, each with what is found in it."""
    pages = Paginator(range(report.users), ROWS).get_page(number)
    first = max(0, pages.start_index() - 1)
    chunk = first // ROWS_A_CHUNK
    found = rows.rows_in(report.text_of(chunk) or "", first=chunk == 0)[first % ROWS_A_CHUNK :][:ROWS]
    now = timezone.now()
    read = [dict(zip(rows.COLUMNS, cells, strict=True)) for cells in found]
    return {
        "columns": rows.COLUMNS[1:],
        "rows": [
            {
                "user": row["user"],
                "is_root": row["user"] == rows.ROOT,
                "cells": list(row.items())[1:],
                "findings": findings_of(row, report.generated_time or now),
            }
            for row in read
        ],
        "pages": pages,
    }


@require_POST
def generate(request: HttpRequest) -> HttpResponse:
    """Start a report."""
    caller = caller_of(request)
    _generating(caller)(caller)
    return redirect("admin:credential-report")


@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """What has changed from one report to another."""
    caller, query = caller_of(request), request.GET
    allowed = may(caller, compare_credential_reports)
    if not (query.get("before") and query.get("after")):
        return render(request, "credential_report_compare.html", {"may": allowed})
    named = {"report_id": query["before"], "later_report_id": query["after"]}
    changes = compare_credential_reports(caller, **named)
    before, after = (get_kept_credential_report(caller, report_id=each) for each in named.values())
    return render(
        request,
        "credential_report_compare.html",
        {"may": allowed, "changes": changes, "before": before, "after": after},
    )


@require_safe
def download(request: HttpRequest, report_id: uuid.UUID, kind: str) -> HttpResponseBase:
    """A report as a file, sent chunk by chunk: AWS's bytes, the same made safe for spreadsheets, or JSON."""
    caller = caller_of(request)
    if kind not in DOWNLOADS:
        raise NoSuchEntity(f"There is no download of the kind {kind}.")
    report = _report(caller, report_id, Part(False, "", "")) or get_kept_credential_report(
        caller, report_id=str(report_id)
    )
    ending, content_type, write = DOWNLOADS[kind]
    response = StreamingHttpResponse(write(report), content_type=content_type)
    moment = (report.generated_time or report.create_date).strftime("%Y-%m-%dT%H-%M-%S")
    return as_download(response, f"status_reports_{moment}{ending}")


def _as_json(report: CredentialReport) -> Iterator[str]:
    yield json.dumps({"generated_time": rows.moment(report.generated_time)})[:-1] + ', "users": ['
    yield from _separated(rows.read(report.texts()))
    yield "\n]}\n"


def _separated(read: Iterable[Mapping[str, str]]) -> Iterator[str]:
    for number, row in enumerate(read):
        yield (",\n" if number else "\n") + json.dumps(row)


Write = Callable[[CredentialReport], Iterator[str]]
DOWNLOADS: Final[Mapping[str, tuple[str, str, Write]]] = {
    "csv": (".csv", "text/csv; charset=utf-8", lambda report: report.texts()),
    "spreadsheet": (
        "-spreadsheet.csv",
        "text/csv; charset=utf-8",
        lambda report: rows.for_spreadsheets(report.texts()),
    ),
    "json": (".json", "application/json", _as_json),
}
