"""The user that is being made, between the steps of making it: kept in the session, without secrets.

Each has a key in the address, so that two windows do not mix theirs.
"""

import secrets
from collections.abc import Mapping
from typing import Any, Self

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

MOST = 5


class Draft:
    """What was entered so far. ``values`` is empty for one that is not begun."""

    def __init__(self, request: HttpRequest, key: str) -> None:
        self._session = request.session
        self.key = key
        self.values: dict[str, Any] = dict(self._session.get("new_users", {}).get(key, {}))

    @classmethod
    def of(cls, request: HttpRequest) -> Self:
        """The draft that the address names."""
        return cls(request, request.GET.get("draft", ""))

    def keep(self, values: Mapping[str, Any]) -> None:
        """Keep more values; the oldest draft of too many is forgotten."""
        self.key = self.key if self.values else secrets.token_hex(8)
        self.values |= values
        drafts = {key: kept for key, kept in self._session.get("new_users", {}).items() if key != self.key}
        self._session["new_users"] = dict(list(drafts.items())[1 - MOST :]) | {self.key: self.values}

    def at(self, step: str) -> str:
        """The address of a step of this draft."""
        return f"{reverse(step)}?{urlencode({'draft': self.key})}" if self.key else reverse(step)
