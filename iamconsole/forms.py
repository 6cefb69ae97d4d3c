"""The edge between a form and an operation: a fault becomes a form error, a part of a page that is not permitted says so."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest

from accounts.caller import Caller
from api.shapes import snake
from iamconsole.errors import (
    AlreadyShown,
    Fault,
    InvalidInput,
    NoSuchEntity,
    PasswordPolicyViolation,
    SudoRequired,
    ValidationError,
)
from iamconsole.operation import Operation

R = TypeVar("R")
MARK = "\ufeff"  # the byte order mark, with which editors of Windows begin a text
_VALUE_AT = re.compile(r"Value (?:'.*?' )?at '(\w+)[.\w]*'")


class ConsoleForm(forms.Form):
    """A form of the console. ``password_field`` is where broken password rules are listed."""

    required_css_class = "required"
    password_field: str | None = None

    @property
    def secrets(self) -> frozenset[str]:
        """The fields that hold a secret: passwords and one-time codes."""
        return frozenset(
            name
            for name, field in self.fields.items()
            if isinstance(field.widget, forms.PasswordInput)
            or field.widget.attrs.get("autocomplete") == "one-time-code"
        )

    def refuse(self, fault: Fault) -> None:
        """Show a fault: a broken rule at the field it is of, in the field's own words (``rule``); else above the form."""
        if isinstance(fault, PasswordPolicyViolation) and self.password_field:
            self.add_error(self.password_field, fault.broken)
            return
        if isinstance(fault, InvalidInput) and fault.parameter in self.fields:
            self.add_error(fault.parameter, fault.message)
            return
        names = places_of(fault)
        for name in names & self.fields.keys():
            self.add_error(name, self.fields[name].error_messages.get("rule", "This is not accepted."))
        if not names or not names <= self.fields.keys():
            self.add_error(None, fault.message)


def places_of(fault: Fault) -> set[str]:
    """The parameters whose rule is broken, as the fault says."""
    return {snake(name) for name in _VALUE_AT.findall(fault.message)} if isinstance(fault, ValidationError) else set()


def submitted(request: HttpRequest, form: ConsoleForm, act: Callable[[dict[str, Any]], object]) -> bool:
    """Whether the form was sent, is valid, and ``act`` on its cleaned data raised no fault.

    AlreadyShown passes: that form is not to be sent again. So does SudoRequired: it is sent again by itself.
    """
    if request.method != "POST" or not form.is_valid():
        return False
    try:
        act(form.cleaned_data)
    except AlreadyShown:
        raise
    except SudoRequired as fault:
        fault.secrets = form.secrets
        raise
    except Fault as fault:
        form.refuse(fault)
        return False
    return True


@dataclass(frozen=True)
class Part(Generic[R]):
    """A part of a page: what an operation answered, or the permission that is missing."""

    allowed: bool
    action: str
    resource: str
    value: R | None = None


def part(caller: Caller, operation: Operation[R], **parameters: Any) -> Part[R]:
    """Ask an operation for a part of a page if the policies let the caller; what does not exist has no value."""
    decision, resource = operation.foresee(caller, **parameters)
    if not decision.allowed:
        return Part(False, decision.action or operation.action, resource)
    try:
        return Part(True, operation.action, resource, operation(caller, **parameters))
    except NoSuchEntity:
        return Part(True, operation.action, resource)


def may(caller: Caller, operation: Operation[Any], **parameters: Any) -> Part[None]:
    """Whether the policies would let the caller, to show or grey out a button. The operation itself decides again."""
    decision, resource = operation.foresee(caller, **parameters)
    return Part(decision.allowed, decision.action or operation.action, resource)


def may_some(caller: Caller, operation: Operation[Any], **parameters: Any) -> Part[None]:
    """The same for a form, where ``*`` or some policy stands for what is yet to be chosen: whether any choice may be allowed."""
    return Part(*operation.foresee_some(caller, **parameters))


def may_now(caller: Caller, operation: Operation[Any], **parameters: Any) -> Part[None]:
    """The same where nothing is left to choose: of a composite counts what would happen now."""
    decision, resource = operation.foresee_now(caller, **parameters)
    return Part(decision.allowed, decision.action or operation.action, resource)


def either(first: Part[None], *others: Part[None]) -> Part[None]:
    """One that is allowed, or else the first."""
    return next((each for each in (first, *others) if each.allowed), first)


def each_of(*parts: Part[None]) -> Part[None]:
    """The first that is not allowed, or else the last."""
    return next((each for each in parts if not each.allowed), parts[-1])


def one_by_one(request: HttpRequest, names: Iterable[str], act: Callable[[str], object], done: str) -> None:
    """Call an operation for each of ``names`` and report each; ``done`` says so of those that worked, with a place for them.

    Raises the first fault when none works.
    """
    worked, refused = [], []
    for name in names:
        try:
            act(name)
            worked.append(name)
        except Fault as fault:
            refused.append(fault)
    if refused and not worked:
        raise refused[0]
    for each in refused:
        messages.error(request, each.message)
    if worked:
        messages.success(request, done.format(", ".join(worked)))
    if not (worked or refused):
        messages.warning(request, "Nothing was ticked, so nothing is changed.")
