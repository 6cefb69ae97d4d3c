"""The list of users as a file for spreadsheets, with the columns, badges and filters that it is shown with."""

import csv
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.operations.users import list_users
from accounts.signin import caller_of
from accounts.user_columns import STATUS, Column, chosen
from accounts.user_list import UserChangeList, matching, rows_of, settings_of
from iamconsole.downloads import as_download
from iamconsole.spreadsheets import Line, safe

A_CHUNK: Final = 500


@require_safe
def export(request: HttpRequest) -> HttpResponseBase:
    """All users of the list, written while they are read, so that the memory it takes does not grow with them."""
    caller = caller_of(request)
    list_users(caller, max_items=1)
    name, *others = chosen(settings_of(request, caller).columns)
    listed = matching(request, request.GET.urlencode())
    answer = StreamingHttpResponse(_lines(listed, [name, STATUS, *others]), content_type="text/csv; charset=utf-8")
    return as_download(answer, f"users_{timezone.now():%Y-%m-%dT%H-%M-%S}.csv")


def _lines(listed: UserChangeList, columns: Sequence[Column]) -> Iterator[str]:
    line = Line()
    writer = csv.writer(line)
    writer.writerow([column.label for column in columns])
    yield line.text
    users = listed.queryset.iterator(chunk_size=A_CHUNK)
    while some := list(islice(users, A_CHUNK)):
        for row in rows_of(listed.caller, columns, some):
            writer.writerow([safe(cell.text) for _, cell in row.cells])
            yield line.text
