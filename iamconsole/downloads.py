"""Answers that are files to keep, and no pages."""

from typing import Final, TypeVar

from django.http.response import HttpResponseBase

# Should a browser show the file after all, nothing in it acts.
SANDBOX: Final = "sandbox; default-src 'none'; frame-ancestors 'none'"
R = TypeVar("R", bound=HttpResponseBase)


def as_download(response: R, name: str) -> R:
    """The same answer, to be kept under this name."""
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Content-Security-Policy"] = SANDBOX
    return response
