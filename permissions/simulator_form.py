"""The simulator's form. Its fields are the members of AWS's Simulate* operations, so that each fault finds its own."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from django import forms
from django.http import QueryDict

from iamconsole.errors import Fault, InvalidInput
from iamconsole.forms import ConsoleForm
from permissions.wildcard import fold

KINDS: Final = (
    ("string", "Text"),
    ("numeric", "Number"),
    ("boolean", "True or false"),
    ("date", "Date"),
    ("ip", "IP address"),
    ("binary", "Base64"),
    ("stringList", "Texts"),
    ("numericList", "Numbers"),
    ("booleanList", "Several of true or false"),
    ("dateList", "Dates"),
    ("ipList", "IP addresses"),
    ("binaryList", "Several of Base64"),
)
# The types of AWS's global keys that are not texts (IAM User Guide, "AWS global condition context keys").
_KIND_OF: Final = {
    "aws:multifactorauthpresent": "boolean",
    "aws:securetransport": "boolean",
    "aws:viaawsservice": "boolean",
    "aws:principalisawsservice": "boolean",
    "aws:multifactorauthage": "numeric",
    "aws:epochtime": "numeric",
    "aws:currenttime": "date",
    "aws:tokenissuetime": "date",
    "aws:sourceip": "ip",
    "aws:vpcsourceip": "ip",
    "aws:tagkeys": "stringList",
    "aws:calledvia": "stringList",
    "aws:principalorgpaths": "stringList",
    "aws:principalservicenameslist": "stringList",
}
_ROW: Final = ("context_key_name", "context_key_type", "context_key_values")
_MEMBER: Final = re.compile(r"^(\w+)\.(\d+) is not a policy")
_NOT_BLANK: Final = re.compile(r"\S")
EMPTY_ROW: Final = dict.fromkeys(_ROW, "")


def kind_of(key: str) -> str:
    """The type that a context key most likely has."""
    return _KIND_OF.get(key.lower(), "string")


def documents(text: str) -> list[str]:
    """The policies that stand one after the other in a text. Raises forms.ValidationError that says where JSON breaks."""
    text = text.replace("\r\n", "\n")
    decoder, found, at = json.JSONDecoder(), [], 0
    while found_next := _NOT_BLANK.search(text, at):
        begin = found_next.start()
        try:
            at = decoder.raw_decode(text, begin)[1]
        except json.JSONDecodeError as error:
            where = f"line {error.lineno}, column {error.colno}"
            raise forms.ValidationError(f"This is not JSON. At {where}: {error.msg}.") from error
        except (ValueError, RecursionError):
            at = len(text)  # JSON all the same; whether it is a policy, the operation says
        found.append(text[begin:at])
    return found


class PolicyText(forms.CharField):
    """Policies as they are pasted."""

    def __init__(self, **options: Any) -> None:
        area = forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "class": "code short"})
        super().__init__(required=False, strip=False, widget=area, **options)

    def clean(self, value: Any) -> Any:
        """Tell them apart."""
        return documents(super().clean(value))


class Lines(forms.CharField):
    """Entries, one a line."""

    def __init__(self, *, rows: int, **options: Any) -> None:
        super().__init__(
            widget=forms.Textarea(attrs={"rows": rows, "spellcheck": "false", "class": "code lines"}), **options
        )

    def clean(self, value: Any) -> Any:
        """Without empty lines."""
        return [line.strip() for line in str(super().clean(value)).splitlines() if line.strip()]


class Rows(forms.Widget):
    """The context keys: three fields a row, sent as often as there are rows."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[dict[str, str]]:
        """The rows that have a name."""
        columns = [data.getlist(column) if isinstance(data, QueryDict) else [] for column in _ROW]
        rows = [dict(zip(_ROW, row, strict=True)) for row in zip(*columns, strict=False)]
        return [row for row in rows if row["context_key_name"].strip()]


class ContextEntries(forms.Field):
    """AWS's ContextEntries. A row without a value is a key that is not given."""

    widget = Rows

    def clean(self, value: Any) -> list[dict[str, Any]]:
        """The rows as AWS has them: one value a line where the type is a list's."""
        return [entry for entry in map(_entry, value or []) if entry["context_key_values"]]


def _entry(row: Mapping[str, str]) -> dict[str, Any]:
    values = row["context_key_values"].replace("\r\n", "\n")
    name, kind = row["context_key_name"].strip(), row["context_key_type"]
    given = [line.strip() for line in values.split("\n") if line.strip()]
    return {"context_key_name": name, "context_key_type": kind or kind_of(name), "context_key_values": given}


class SimulatorForm(ConsoleForm):
    """Whose policies, which others, and the requests to try."""

    LONGEST_LINK = 2000  # what proxies and mail programs still take

    policy_source_arn = forms.CharField(
        label="User or group",
        required=False,
        max_length=2048,
        help_text="A name such as alice or group/developers, or an ARN. Leave it empty to try only what you paste below.",
        widget=forms.TextInput(attrs={"list": "principals", "autocomplete": "off", "spellcheck": "false"}),
    )
    action_names = Lines(label="Actions", rows=4, help_text="One a line, such as s3:GetObject.")
    resource_arns = Lines(
        label="Resources", rows=4, required=False, help_text="ARNs, one a line. Without any: all resources, *."
    )
    context_entries = ContextEntries(
        label="Context keys",
        required=False,
        error_messages={"rule": "A key has 5 to 256 characters, such as aws:SourceIp, and one of the types offered."},
    )
    policy_input_list = PolicyText(
        label="Identity-based policies",
        help_text="They count beside those of the user or group. Several may stand one after the other.",
    )
    permissions_boundary_policy_input_list = PolicyText(
        label="Permissions boundary", help_text="In the place of the one that the user has."
    )
    resource_policy = PolicyText(label="Resource-based policy", help_text="Such as a bucket's. It names principals.")
    caller_arn = forms.CharField(
        label="ARN of the user who asks",
        required=False,
        max_length=2048,
        help_text="A resource-based policy is about somebody: name a user, unless one is chosen above.",
    )
    resource_owner = forms.CharField(
        label="Account of the resource",
        required=False,
        max_length=2048,
        help_text="The account's ID, if it is another one than yours. Then both sides must allow.",
        error_messages={"rule": "Enter the ID or the ARN of an account."},
    )

    def clean_resource_policy(self) -> str | None:
        """At most one."""
        found: list[str] = self.cleaned_data["resource_policy"]
        if len(found) > 1:
            raise forms.ValidationError("Paste one policy: a resource has one.")
        return found[0] if found else None

    def clean(self) -> dict[str, Any]:
        """Something must decide."""
        data = super().clean() or {}
        if not (data.get("policy_source_arn") or self.data.get("policy_input_list")):
            self.add_error("policy_source_arn", "Name a user or a group, or paste a policy below.")
        return data

    def refuse(self, fault: Fault) -> None:
        """Show a fault in the words of the page."""
        if isinstance(fault, InvalidInput):
            fault = InvalidInput(self._in_our_words(fault.message), parameter=fault.parameter)
        super().refuse(fault)

    def _in_our_words(self, message: str) -> str:
        if member := _MEMBER.match(message):
            several = member[1] == "PolicyInputList" and len(self.cleaned_data["policy_input_list"]) > 1
            return _MEMBER.sub(f"Policy {member[2]} is no policy" if several else "This is no policy", message)
        words = message.replace("PermissionsBoundaryPolicyInputList takes", "A boundary is")
        return words.replace("CallerArn must", "This must")

    @property
    def pasted(self) -> bool:
        """Whether there is anything under "Other policies": then it is unfolded."""
        names = ("policy_input_list", "permissions_boundary_policy_input_list", "resource_policy")
        return any(self.data.get(name) or name in self.errors for name in (*names, "caller_arn", "resource_owner"))

    @property
    def rows(self) -> list[dict[str, str]]:
        """The rows that were sent."""
        sent: list[dict[str, str]] = self["context_entries"].value() or []
        return sent

    def given(self) -> dict[str, list[str]]:
        """The names of the context keys that have a value, in lower case."""
        return {
            fold(entry["context_key_name"]): entry["context_key_values"]
            for entry in self.cleaned_data["context_entries"]
        }

    def link(self, marker: str = "") -> str | None:
        """The query string that asks the same again, or for the page after the marker, if it is short enough for an address."""
        query = "?" + urlencode([*self._sent(), *([("marker", marker)] if marker else [])])
        return query if len(query) <= self.LONGEST_LINK else None

    def _sent(self) -> Iterator[tuple[str, str]]:
        for name in self.fields:
            if self.data.get(name):
                yield name, self.data[name].replace("\r\n", "\n")
        for row in self.rows:
            if row["context_key_values"].strip():
                yield from ((column, row[column].replace("\r\n", "\n")) for column in _ROW)
