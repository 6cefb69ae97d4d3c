"""The simulator's page: what policies would say, with the statements that say it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts import arns
from accounts.caller import Caller
from accounts.operations.groups import get_group, list_groups
from accounts.operations.users import get_user, list_users
from accounts.signin import caller_of
from iamconsole.errors import Fault
from iamconsole.forms import Part, either, may, may_some, part
from permissions.operations.simulator import (
    get_context_keys_for_custom_policy,
    get_context_keys_for_principal_policy,
    simulate_custom_policy,
    simulate_principal_policy,
)
from permissions.simulator_form import EMPTY_ROW, KINDS, SimulatorForm, kind_of
from permissions.statements import Reader, Told
from permissions.wildcard import fold

WORDS: Final = {
    "allowed": ("Allowed", "ok"),
    "implicitDeny": ("Implicitly denied", "warning"),
    "explicitDeny": ("Explicitly denied", "error"),
}
PAGE_SIZE: Final = 100
NAME: Final = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """Try requests against policies. What fits into an address is asked by GET, so that it can be shared."""
    simulator = Simulator(caller_of(request), request.POST if request.method == "POST" else request.GET)
    if request.method == "POST" and (query := simulator.link()):
        return redirect(f"{reverse('admin:simulator')}{query}")
    simulator.run()
    return render(request, "simulator.html", simulator.context() | {"shared": request.method != "POST"})


@dataclass(frozen=True)
class Row:
    """One simulated request, for the page."""

    action: str
    resource: str
    word: str
    kind: str
    statements: Sequence[Told]
    boundary: bool | None
    sides: Mapping[str, str]


@dataclass
class Simulator:
    """One use of the page: the form, and what the operations answer to it."""

    caller: Caller
    data: Any
    answer: Part[Any] | None = None
    asked: Sequence[str] = ()
    reader: Reader | None = None
    form: SimulatorForm = field(init=False)

    def __post_init__(self) -> None:
        asked = self.data.keys() & SimulatorForm.base_fields.keys() or "csrfmiddlewaretoken" in self.data
        self.form = SimulatorForm(self.data if asked else None)

    def link(self) -> str | None:
        """Where the same is asked by GET, if it is well-formed and fits."""
        return self.form.link(self.data.get("marker", "")) if self.form.is_valid() else None

    def run(self) -> None:
        """Ask the operations; their faults go to the form."""
        if not self.form.is_bound:
            return
        valid = self.form.is_valid()
        given = {name: value for name, value in self.form.cleaned_data.items() if value}
        try:
            arn = principal_arn(self.caller, given.pop("policy_source_arn", ""))
            if valid:
                self._simulate(arn, given)
            if not (self.answer and self.answer.allowed):
                self._discover(arn, given)
        except Fault as fault:
            self.form.refuse(fault)

    def _simulate(self, arn: str, given: Mapping[str, Any]) -> None:
        cut = {"max_items": PAGE_SIZE, "marker": self.data.get("marker") or None}
        if arn:
            self.answer = part(self.caller, simulate_principal_policy, policy_source_arn=arn, **given, **cut)
        else:
            self.answer = part(self.caller, simulate_custom_policy, **given, **cut)
        self.reader = Reader(self.caller, arn, self.form.cleaned_data)
        if self.answer.allowed and self.answer.value is None:
            self.form.add_error("policy_source_arn", "No user or group of this account has that name or ARN.")

    def _discover(self, arn: str, given: Mapping[str, Any]) -> None:
        """Which keys the policies ask about, where no simulation has told it."""
        policies = given.get("policy_input_list")
        keys: Part[dict[str, list[str]]] | None = None
        if arn:
            keys = part(
                self.caller, get_context_keys_for_principal_policy, policy_source_arn=arn, policy_input_list=policies
            )
        elif policies:
            keys = part(self.caller, get_context_keys_for_custom_policy, policy_input_list=policies)
        self.asked = keys.value["context_key_names"] if keys and keys.value else []

    def context(self) -> dict[str, Any]:
        """Everything the template shows."""
        answered = self.answer.value if self.answer else None
        results = answered.items if answered else []
        missing = results[0]["missing_context_values"] if results else []
        return {
            "form": self.form,
            "answer": self.answer,
            "may": None if self.form.is_bound else self._may(),
            "results": [self._row(result) for result in results],
            "next": answered.marker if answered else None,
            "next_link": self.form.link(answered.marker) if answered and answered.marker else None,
            "missing": missing,
            "rows": [*self.form.rows, *self._rows_to_fill(missing or self.asked), EMPTY_ROW],
            "kinds": KINDS,
            "principals": self._principals(),
        }

    def _may(self) -> Part[None]:
        """Whether any simulation may be allowed: of some user or group, or of what is pasted."""
        somebody = may_some(
            self.caller, simulate_principal_policy, policy_source_arn=arns.user(self.caller.account_id, "/", "*")
        )
        return either(may(self.caller, simulate_custom_policy), somebody)

    def _row(self, result: Mapping[str, Any]) -> Row:
        word, kind = WORDS[result["eval_decision"]]
        boundary = result["permissions_boundary_decision_detail"]
        return Row(
            action=result["eval_action_name"],
            resource=result["eval_resource_name"],
            word=word,
            kind=kind,
            statements=[self.reader.told(each["match"]) for each in result["matched_statements"]]
            if self.reader
            else [],
            boundary=boundary["allowed_by_permissions_boundary"] if boundary else None,
            sides={side: WORDS[says][0] for side, says in (result["eval_decision_details"] or {}).items()},
        )

    def _rows_to_fill(self, keys: Sequence[str]) -> list[dict[str, str]]:
        """A row for each key that has none in the form."""
        there = {fold(row["context_key_name"]) for row in self.form.rows}
        wanted = [key for key in keys if fold(key) not in there]
        return [EMPTY_ROW | {"context_key_name": key, "context_key_type": kind_of(key)} for key in wanted]

    def _principals(self) -> list[str]:
        """Names to choose from, as far as the caller may list them."""
        users = part(self.caller, list_users, max_items=PAGE_SIZE)
        names = [str(user.user_name) for user in users.value.items] if users.value else []
        groups = part(self.caller, list_groups, max_items=PAGE_SIZE)
        return names + [f"group/{group.group_name}" for group in (groups.value.items if groups.value else [])]


def principal_arn(caller: Caller, text: str) -> str:
    """The ARN that is meant: by itself, or by a name, whose path is looked up as far as the caller may read it."""
    kind, _, name = text.rpartition("/")
    if not text or text.startswith("arn:") or not NAME.fullmatch(name):
        return text
    if kind == "group":
        found = part(caller, get_group, group_name=name).value
        return found["group"].arn if found else arns.group(caller.account_id, "/", name)
    user = part(caller, get_user, user_name=name).value
    return user.arn if user else arns.user(caller.account_id, "/", name)
