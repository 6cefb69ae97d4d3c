"""The policy editor: one form whose document is seen as JSON or as rows, and what each of its buttons does.

Everything goes through the server, so it works without JavaScript: a button sends what is entered and comes back with it
changed. Only Save reaches an operation, after a review where somebody is affected.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Literal

from django.forms import BooleanField
from django.http import HttpRequest, QueryDict

from iamconsole.forms import ConsoleForm, submitted
from permissions import statement_form, vocabulary
from permissions.advice import Advice, advise
from permissions.conditions import OPERATORS
from permissions.forms import DocumentForm
from permissions.review import Review
from permissions.statement_form import NotShownError, StatementForm
from permissions.strict_json import NotStrictError
from permissions.summary import Line, summarise

SAVE: Final = "save"
CONFIRM: Final = "confirm"
LINES: Final = (16, 40)  # the least and the most that are shown at once
MOST_FOUND: Final = 200
OPERATOR_CHOICES: Final = (
    *OPERATORS,
    *(f"{operator}IfExists" for operator in OPERATORS if operator != "Null"),
    *(
        f"{prefix}:{operator}"
        for prefix in ("ForAnyValue", "ForAllValues")
        for operator in OPERATORS
        if operator[:4] != "Null"
    ),
)

View = Literal["json", "form"]
Found = dict[str, list[str]]


@dataclass
class Editor:
    """One request to an editor's page. ``rows`` is there in the form's view, ``review`` when Save needs a look first."""

    form: Any
    view: View
    do: str
    document: str
    rows: StatementForm | None = None
    not_shown: str = ""
    advice: Advice | None = None
    review: Review | None = None
    find: str = ""
    operators: tuple[str, ...] = OPERATOR_CHOICES

    @property
    def looked(self) -> bool:
        """Whether the checks are what was asked for."""
        return self.do in ("validate", "format")

    @property
    def summary(self) -> list[Line]:
        """What the document gives and takes, once it is a policy."""
        return summarise(self.advice.policy) if self.advice and self.advice.policy else []

    @property
    def context_keys(self) -> list[str]:
        """Context keys to choose from."""
        return vocabulary.global_keys()

    @property
    def found(self) -> Found:
        """The actions that were looked for, by access level."""
        levels: Found = {}
        for action, level in vocabulary.search(self.find, MOST_FOUND):
            levels.setdefault(level, []).append(action)
        return levels

    @property
    def quota(self) -> int | None:
        """How large the document may be."""
        quota: int | None = self.form.quota
        return quota

    def saves(
        self,
        request: HttpRequest,
        act: Callable[[dict[str, Any]], object],
        review: Callable[[dict[str, Any]], Review | None] | None = None,
    ) -> bool:
        """Whether Save was pressed, all is in order, nobody has to look first, and ``act`` raised no fault."""
        if self.do not in (SAVE, CONFIRM) or request.method != "POST":
            return False
        valid = self.form.is_valid()
        self.advice = self.form.advice
        if valid and self.do == SAVE and review is not None:
            self.review = review(self.form.cleaned_data)
        return self.review is None and submitted(request, self.form, act)


def opened(
    request: HttpRequest, form_class: type[DocumentForm], *, initial: dict[str, Any], quota: int | None = None
) -> Editor:
    """The editor as this request finds it."""
    if request.method == "POST":
        editor = _pressed(request.POST.copy(), form_class, initial, quota)
    else:
        form = form_class(initial=initial, quota=quota)
        editor = Editor(form, "json", "", str(form["policy_document"].value()))
        editor.advice = advise(editor.document, quota=quota)
    lines = editor.document.count("\n") + 3
    editor.form.fields["policy_document"].widget.attrs["rows"] = min(max(lines, LINES[0]), LINES[1])
    return editor


def _pressed(data: QueryDict, form_class: type[DocumentForm], initial: dict[str, Any], quota: int | None) -> Editor:
    view: View = "form" if data.get("view") == "form" else "json"
    do = data.get("do", SAVE)
    rows = _changed(statement_form.from_fields(data), do, data) if view == "form" else None
    if rows is not None:
        data["policy_document"] = statement_form.to_document(rows)
    document = data.get("policy_document", "").replace("\r\n", "\n")
    if do in (SAVE, CONFIRM):
        form = form_class(data, initial=initial, quota=quota, by_statement=view == "form")
        _refuse_repeated(form, rows)
        return Editor(form, view, do, document, rows)
    editor = Editor(None, view, do, document, rows, find=data.get("find", "").strip())
    _DO.get(do, _only_changed)(editor, quota)
    boxes = {name: name in data for name, each in form_class.base_fields.items() if isinstance(each, BooleanField)}
    kept = {**initial, **data.dict(), **boxes, "policy_document": editor.document}
    editor.form = form_class(initial=kept, quota=quota)
    return editor


def _refuse_repeated(form: ConsoleForm, rows: StatementForm | None) -> None:
    for told in statement_form.repeated(rows) if rows else []:
        form.add_error(None, told)


def _changed(rows: StatementForm, do: str, data: QueryDict) -> StatementForm:
    """The rows after a button of theirs, such as ``remove-condition:0:2``."""
    name, *places = do.split(":")
    numbers = [int(place) for place in places if re.fullmatch("[0-9]{1,3}", place)]
    match name, numbers:
        case "add-statement", []:
            return rows.with_statement()
        case "remove-statement", [index]:
            return rows.without_statement(index)
        case "add-condition", [index]:
            return rows.with_condition(index)
        case "remove-condition", [index, condition]:
            return rows.without_condition(index, condition)
        case "add-actions", [index]:
            return rows.with_actions(index, data.getlist("found"))
        case _:
            return rows


def _only_changed(editor: Editor, quota: int | None) -> None:
    """Nothing more: the rows are changed. What is still missing in them is not complained about yet."""


def _validate(editor: Editor, quota: int | None) -> None:
    editor.advice = advise(editor.document, quota=quota)


def _format(editor: Editor, quota: int | None) -> None:
    with suppress(NotStrictError):  # the advice says what is wrong, and where
        editor.document = statement_form.indented(editor.document)
    _validate(editor, quota)


def _to_json(editor: Editor, quota: int | None) -> None:
    editor.view, editor.rows = "json", None
    _validate(editor, quota)


def _to_form(editor: Editor, quota: int | None) -> None:
    try:
        editor.rows = statement_form.from_document(editor.document)
        editor.view = "form"
    except NotShownError as why:
        editor.not_shown = str(why)
        editor.view = "json"
    _validate(editor, quota)


_DO: Final[dict[str, Callable[[Editor, int | None], None]]] = {
    "validate": _validate,
    "format": _format,
    "to-json": _to_json,
    "to-form": _to_form,
    "back": _validate,
}
