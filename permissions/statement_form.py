"""A policy as form rows: statements with their actions, resources and conditions, to and from the JSON document.

Nothing is lost on the way: what the rows cannot show is refused with the reason, and stays JSON. Lists are texts of one
entry a line, so an entry with a line break in it is such a thing.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final, Literal

from iamconsole.errors import MalformedPolicyDocument
from permissions import language, strict_json

MOST_FIELDS: Final = 900  # a form of more than 1,000 is not read (DATA_UPLOAD_MAX_NUMBER_FIELDS)
_FIELDS_OF_A_STATEMENT: Final = 6
_FIELDS_OF_A_CONDITION: Final = 3
DEFAULT_VERSION: Final = "2012-10-17"
_TALLEST: Final = 12
_FRACTION: Final = "\ue000"  # before a fraction on its way through; no policy holds this character

Actions = Literal["Action", "NotAction"]
Resources = Literal["Resource", "NotResource"]


class NotShownError(ValueError):
    """The form cannot show the document; the message says why."""


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """One operator with one context key and its values."""

    operator: str = "StringEquals"
    key: str = ""
    values: tuple[str, ...] = ()

    @property
    def is_blank(self) -> bool:
        """Whether nothing was entered."""
        return not self.key and not self.values

    @property
    def values_text(self) -> str:
        """The values, one a line."""
        return "\n".join(self.values)


Conditions = tuple[ConditionRow, ...]


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One statement. ``sid`` is empty when it has none."""

    sid: str = ""
    effect: str = "Allow"
    acts: Actions = "Action"
    actions: tuple[str, ...] = ()
    covers: Resources = "Resource"
    resources: tuple[str, ...] = ()
    conditions: tuple[ConditionRow, ...] = ()

    @property
    def action_lines(self) -> int:
        """How many lines the actions want."""
        return min(max(len(self.actions), 1), _TALLEST) + 1

    @property
    def resource_lines(self) -> int:
        """How many lines the resources want."""
        return min(max(len(self.resources), 1), _TALLEST) + 1

    @property
    def actions_text(self) -> str:
        """The actions, one a line."""
        return "\n".join(self.actions)

    @property
    def resources_text(self) -> str:
        """The resources, one a line."""
        return "\n".join(self.resources)


@dataclass(frozen=True, slots=True)
class StatementForm:
    """A document as rows."""

    statements: tuple[StatementRow, ...] = (StatementRow(),)
    version: str = DEFAULT_VERSION
    id: str = ""

    @property
    def is_full(self) -> bool:
        """Whether a page can hold no more."""
        conditions = sum(len(row.conditions) for row in self.statements)
        return len(self.statements) * _FIELDS_OF_A_STATEMENT + conditions * _FIELDS_OF_A_CONDITION > MOST_FIELDS

    def with_statement(self) -> "StatementForm":
        """One more statement at the end."""
        return replace(self, statements=(*self.statements, StatementRow()))

    def without_statement(self, index: int) -> "StatementForm":
        """All but one statement."""
        return replace(self, statements=_without(self.statements, index))

    def with_condition(self, index: int) -> "StatementForm":
        """One more condition in a statement."""
        return self._changed(index, lambda conditions: (*conditions, ConditionRow()))

    def without_condition(self, index: int, condition: int) -> "StatementForm":
        """A statement without one of its conditions."""
        return self._changed(index, lambda conditions: _without(conditions, condition))

    def with_actions(self, index: int, actions: Sequence[str]) -> "StatementForm":
        """More actions in a statement, each once."""
        return self._with(index, lambda row: replace(row, actions=tuple(dict.fromkeys((*row.actions, *actions)))))

    def _changed(self, index: int, change: Callable[[Conditions], Conditions]) -> "StatementForm":
        return self._with(index, lambda row: replace(row, conditions=change(row.conditions)))

    def _with(self, index: int, change: Callable[[StatementRow], StatementRow]) -> "StatementForm":
        rows = (change(row) if place == index else row for place, row in enumerate(self.statements))
        return replace(self, statements=tuple(rows))


def _without(rows: Sequence[Any], index: int) -> tuple[Any, ...]:
    return tuple(row for place, row in enumerate(rows) if place != index)


# From a document.


def from_document(document: str) -> StatementForm:
    """The rows of a policy. Raises NotShownError."""
    try:
        language.parse(document)
    except MalformedPolicyDocument as refused:
        raise NotShownError("The form shows a policy without errors. Mend them in the JSON first.") from refused
    root = strict_json.load(document)
    given = root["Statement"] if isinstance(root["Statement"], list) else [root["Statement"]]
    form = StatementForm(
        tuple(_row(number, statement) for number, statement in enumerate(given, 1)),
        version=root.get("Version", ""),
        id=root.get("Id", ""),
    )
    if form.is_full:
        raise NotShownError("The policy has too many statements and conditions for the form.")
    if _meaning(language.parse(to_document(form))) != _meaning(language.parse(document)):
        raise NotShownError("The form would lose a part of this policy, so it stays JSON.")
    return form


def _row(number: int, statement: Mapping[str, Any]) -> StatementRow:
    acts: Actions = "NotAction" if "NotAction" in statement else "Action"
    covers: Resources = "NotResource" if "NotResource" in statement else "Resource"
    return StatementRow(
        sid=statement.get("Sid", ""),
        effect=statement["Effect"],
        acts=acts,
        actions=_lines(number, acts, statement[acts]),
        covers=covers,
        resources=_lines(number, covers, statement[covers]),
        conditions=tuple(_conditions(number, statement.get("Condition", {}))),
    )


def _conditions(number: int, block: Mapping[str, Mapping[str, Any]]) -> Iterator[ConditionRow]:
    for operator, keys in block.items():
        if not keys:
            raise NotShownError(f"Statement {number} has the operator {operator} without a context key.")
        for key, values in keys.items():
            entries = values if isinstance(values, list) else [values]
            texts = [_text(entry) for entry in entries]
            if not texts:
                raise NotShownError(f"Statement {number} compares {key} with no value.")
            yield ConditionRow(operator, key, _lines(number, key, texts))


def _text(value: Any) -> str:
    """A value as the text the engine compares it as."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _lines(number: int, name: str, given: Any) -> tuple[str, ...]:
    entries = [given] if isinstance(given, str) else given
    for entry in entries:
        if entry != entry.strip() or not entry or "\n" in entry or "\r" in entry:
            raise NotShownError(
                f"An entry of {name} in statement {number} is empty, or has a line break or a space at its end."
            )
    return tuple(entries)


def _meaning(policy: language.Policy) -> object:
    """A policy without the places and spellings that the form does not keep."""
    return (
        policy.version,
        policy.id,
        [
            (each.sid, each.effect, each.actions, each.not_actions, each.resources, each.not_resources)
            for each in policy.statements
        ],
        [frozenset((each.operator, each.name, each.values) for each in one.conditions) for one in policy.statements],
    )


# To a document.


def to_document(form: StatementForm) -> str:
    """The rows as JSON. What is missing in them is missing there, for the editor to tell."""
    root: dict[str, Any] = {"Version": form.version} if form.version else {}
    root |= {"Id": form.id} if form.id else {}
    root["Statement"] = [_statement(row) for row in form.statements]
    return _dumps(root)


def indented(document: str) -> str:
    """JSON as people indent it, its fractions as they were written. Raises NotStrictError."""
    strict_json.load(document)
    root = json.loads(document, parse_float=lambda text: f"{_FRACTION}{text}")
    return re.sub(f'"{_FRACTION}([^"]+)"', r"\1", _dumps(root))


def _dumps(root: Any) -> str:
    return json.dumps(root, indent=2, ensure_ascii=False)


def _statement(row: StatementRow) -> dict[str, Any]:
    statement: dict[str, Any] = {"Sid": row.sid} if row.sid else {}
    statement |= {
        "Effect": row.effect,
        row.acts: _one_or_list(row.actions),
        row.covers: _one_or_list(row.resources),
    }
    block: dict[str, dict[str, Any]] = {}
    for condition in row.conditions:
        if not condition.is_blank:
            block.setdefault(condition.operator, {})[condition.key] = _one_or_list(condition.values)
    return statement | ({"Condition": block} if block else {})


def _one_or_list(entries: Sequence[str]) -> Any:
    return entries[0] if len(entries) == 1 else list(entries)


def repeated(form: StatementForm) -> list[str]:
    """Conditions that stand twice in a statement, as sentences: JSON holds each operator and key once."""
    told = []
    for number, row in enumerate(form.statements, 1):
        seen: set[tuple[str, str]] = set()
        for condition in row.conditions:
            pair = (condition.operator, condition.key)
            if pair in seen and not condition.is_blank:
                told.append(
                    f"Statement {number} has {condition.operator} on {condition.key} twice."
                    " Put all values into one condition: one of them must then be met."
                )
            seen.add(pair)
    return told


# From and to the fields of a page.


def from_fields(data: Mapping[str, Any]) -> StatementForm:
    """The rows from a submitted form, whose fields are named ``s0-effect``, ``s0-c1-key`` and so on."""
    statements: list[StatementRow] = []
    while f"s{len(statements)}-effect" in data:
        statements.append(_posted(data, f"s{len(statements)}"))
    return StatementForm(tuple(statements), data.get("version", DEFAULT_VERSION), data.get("id", ""))


def _posted(data: Mapping[str, Any], name: str) -> StatementRow:
    conditions: list[ConditionRow] = []
    while f"{name}-c{len(conditions)}-operator" in data:
        row = f"{name}-c{len(conditions)}"
        values = _given_lines(data.get(f"{row}-values", ""))
        conditions.append(ConditionRow(data[f"{row}-operator"], data.get(f"{row}-key", "").strip(), values))
    return StatementRow(
        sid=data.get(f"{name}-sid", "").strip(),
        effect="Deny" if data[f"{name}-effect"] == "Deny" else "Allow",
        acts="NotAction" if data.get(f"{name}-acts") == "NotAction" else "Action",
        actions=_given_lines(data.get(f"{name}-actions", "")),
        covers="NotResource" if data.get(f"{name}-covers") == "NotResource" else "Resource",
        resources=_given_lines(data.get(f"{name}-resources", "")),
        conditions=tuple(conditions),
    )


def _given_lines(text: str) -> tuple[str, ...]:
    return tuple(line for line in map(str.strip, re.split("[\r\n]", text)) if line)
