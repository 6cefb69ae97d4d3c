"""Statements as pages show them: by name and place, and with their text for those who may read the policy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from accounts.caller import Caller
from credentials.operations.password_policies import get_account_password_policy
from iamconsole.forms import Part, may, part
from iamconsole.operation import Operation
from permissions.compiled import SETTING_DOCUMENT
from permissions.engine import Match, Source
from permissions.excerpt import excerpt
from permissions.models import ManagedPolicy
from permissions.operations.inline import get_group_policy, get_user_policy
from permissions.operations.versions import get_policy_version

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
            needs="" if document.allowed else document.action,
            on=document.resource,
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
        if source.kind == "account setting":
            read = may(self.caller, get_account_password_policy)
            return Part(read.allowed, read.action, read.resource, SETTING_DOCUMENT if read.allowed else None)
        if source.arn:
            return self._managed(source.arn)
        kind, _, path = self.principal_arn.rpartition(":")[2].partition("/")
        if source.via or kind == "group":
            group_name = source.via or path.rpartition("/")[2]
            return self._asked(get_group_policy, "policy_document", group_name=group_name, policy_name=source.name)
        user_name = path.rpartition("/")[2]
        return self._asked(get_user_policy, "policy_document", user_name=user_name, policy_name=source.name)

    def _managed(self, arn: str) -> Part[Any]:
        policy = ManagedPolicy.objects.with_arn(self.caller.account_id, arn).first()
        version_id = policy.default_version_id if policy else "v1"
        return self._asked(get_policy_version, "document", policy_arn=arn, version_id=version_id)

    def _asked(self, operation: Operation[Any], member: str, **parameters: str) -> Part[Any]:
        read = part(self.caller, operation, **parameters)
        return Part(read.allowed, read.action, read.resource, getattr(read.value, member, None))


def policy_words(name: str, kind: str, via: str = "", *, number: int = 1) -> str:
    """What a sentence calls a policy: "the inline policy p of the group g"."""
    parameter, _, which = name.partition(".")
    if kind == "given" and parameter in GIVEN:
        several = parameter == "PolicyInputList" and number > 1
        return f"{GIVEN[parameter][0]} {which}" if several else GIVEN[parameter][0]
    if kind == "account setting":
        return f"the {name}"
    of = f" of the group {via}" if via and kind == "inline" else f" (attached to the group {via})" if via else ""
    return f"the {kind} policy {name}{of}"
