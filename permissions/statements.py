"""Statements as pages show them: by name and place, and with their text for those who may read the policy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from accounts.caller import Caller
from iamconsole.forms import Part, part
from iamconsole.operation import find
from permissions.engine import Match, Source
from permissions.excerpt import excerpt

# What AWS's results call a policy of the request, and the field of the form that it came in.
GIVEN: Final = {
    "PolicyInputList": ("the pasted policy", "policy_input_list"),
    "PermissionsBoundaryPolicyInputList": ("the pasted permissions boundary", "permissions_boundary_policy_input_list"),
    "ResourcePolicy": ("the pasted resource-based policy", "resource_policy"),
}


@dataclass(frozen=True)
class Told:
    """A statement that decided. ``text`` and ``sid`` are empty unless the caller may read the policy; then ``needs`` says why."""

    effect: str
    policy: str
    is_boundary: bool
    lines: tuple[int, int]
    sid: str = ""
    text: str = ""
    needs: str = ""
    on: str = ""


@dataclass
class Reader:
    """Reads the policies that decided, each once, as far as the caller may. ``given`` are those that the form brought."""

    caller: Caller
    principal_arn: str
    given: Mapping[str, Any]
    _read: dict[tuple[str, str, str], Part[Any]] = field(default_factory=dict)

    def told(self, match: Match) -> Told:
        """The statement, and what may be shown of it."""
        source, statement = match.source, match.statement
        document = self._document(source)
        text = excerpt(document.value, statement.start, statement.end) if document.value else ""
        return Told(
            effect=statement.effect,
            policy=policy_words(
                source.name, source.kind, source.via, number=len(self.given.get("policy_input_list", ()))
            ),
            is_boundary=match.policy_type == "boundary",
            lines=(statement.end.line - text.count("\n") if text else statement.start.line, statement.end.line),
            sid=statement.sid if text else "",
            text=text,
            needs="" if text else document.action,
            on="" if text else document.resource,
        )

    def _document(self, source: Source) -> Part[Any]:
        key = (source.name, source.arn, source.via)
        if key not in self._read:
            self._read[key] = self._ask(source)
        return self._read[key]

    def _ask(self, source: Source) -> Part[Any]:
        if source.kind == "given":
            parameter, _, number = source.name.partition(".")
            brought = self.given[GIVEN[parameter][1]]
            return Part(True, "", "", brought if isinstance(brought, str) else brought[int(number) - 1])
        if source.arn:
            return self._managed(source.arn)
        kind, _, path = self.principal_arn.rpartition(":")[2].partition("/")
        owner, name = ("group", source.via) if source.via else (kind, path.rpartition("/")[2])
        owned = {f"{owner}_name": name, "policy_name": source.name}
        return self._asked(f"Get{owner.title()}Policy", "policy_document", f"{owner}/{name}", **owned)

    def _managed(self, arn: str) -> Part[Any]:
        version = self._asked("GetPolicy", "default_version_id", arn, policy_arn=arn)
        if version.value is None:
            return version
        return self._asked("GetPolicyVersion", "document", arn, policy_arn=arn, version_id=version.value)

    def _asked(self, name: str, member: str, on: str, **parameters: str) -> Part[Any]:
        operation = find("iam", name)
        if operation is None:
            return Part(False, f"iam:{name}", on)
        read = part(self.caller, operation, **parameters)
        return Part(read.allowed, read.action, read.resource, getattr(read.value, member, None))


def policy_words(name: str, kind: str, via: str = "", *, number: int = 1) -> str:
    """What a sentence calls a policy: "the inline policy p of the group g"."""
    parameter, _, which = name.partition(".")
    if kind == "given" and parameter in GIVEN:
        several = parameter == "PolicyInputList" and number > 1
        return f"{GIVEN[parameter][0]} {which}" if several else GIVEN[parameter][0]
    of = f" of the group {via}" if via and kind == "inline" else f", attached to the group {via}" if via else ""
    return f"the {kind} policy {name}{of}"
