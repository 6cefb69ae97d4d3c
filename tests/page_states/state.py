"""What a state of a page is: an address, who looks at it, and what is done there."""

from collections.abc import Callable
from dataclasses import dataclass

from django.urls import reverse
from playwright.sync_api import Page

from tests.page_states.stage import Stage

How = Callable[[Page, Stage], object]


@dataclass(frozen=True)
class State:
    """One state of a page: the route, who looks, what is done there, and what the page then says."""

    route: str
    name: str
    who: str
    says: str
    arguments: tuple[str, ...] = ()
    query: str = ""
    then: How | None = None

    def address(self, stage: Stage) -> str:
        """Where it is; the arguments "active" and "inactive" stand for carol's keys, others for decisions."""
        keys = dict(zip(("active", "inactive", "own"), (*stage.keys, stage.alice.access_key_id), strict=True))
        keys["token"] = stage.token
        keys |= stage.policies
        keys |= stage.devices
        keys |= stage.decisions
        keys |= stage.reports
        query = self.query
        for name, report_id in stage.reports.items():
            query = query.replace(name, report_id)
        return reverse(self.route, args=[keys.get(each, each) for each in self.arguments]) + query


def press(button: str, **fields: str) -> How:
    """Fill fields by their names in the form, then press a button."""

    def act(page: Page, stage: Stage) -> None:
        for name, text in fields.items():
            page.locator(f"main [name={name}]").first.fill(text)
        page.locator("main").get_by_role("button", name=button, exact=True).click()

    return act
