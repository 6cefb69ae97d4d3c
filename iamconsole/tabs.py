"""Tabs of a page, as links."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest

Names = Sequence[tuple[str, str]]  # what the address calls a tab, and what people do


@dataclass(frozen=True)
class Tab:
    """One tab."""

    label: str
    url: str
    current: bool


def chosen_tab(request: HttpRequest, names: Names) -> str:
    """The tab that the address asks for, or the first."""
    asked = request.GET.get("tab", "")
    return asked if asked in dict(names) else names[0][0]


def tabs_of(names: Names, chosen: str, address: str) -> list[Tab]:
    """Every tab of the page at ``address``."""
    return [Tab(label, f"{address}?tab={name}", name == chosen) for name, label in names]
