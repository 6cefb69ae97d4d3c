"""The filters of the audit log: what stands in its address."""

from typing import Any, Final
from urllib.parse import urlencode

from django import forms

from iamconsole.forms import ConsoleForm

MOMENT: Final = "%Y-%m-%dT%H:%M:%S"
RESULTS: Final = ("Success", "Refused", "AccessDenied", "NoSuchEntity", "LimitExceeded", "Failure", "Throttling")


class _Moment(forms.DateTimeInput):
    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format=MOMENT, attrs={"step": "1"})


class TrailForm(ConsoleForm):
    """What to show of the trail. Everything may be left out."""

    start_time = forms.DateTimeField(label="From", required=False, widget=_Moment, help_text="UTC.")
    end_time = forms.DateTimeField(label="To", required=False, widget=_Moment, help_text="UTC.")
    actor = forms.CharField(
        label="Actor",
        required=False,
        max_length=2048,
        help_text="A user name, root, an ARN, a user ID or an access key ID.",
    )
    action_name = forms.CharField(
        label="Action", required=False, max_length=200, help_text="For example iam:CreateUser, or CreateUser."
    )
    resource_name = forms.CharField(
        label="Target",
        required=False,
        max_length=2048,
        help_text="A name, an ARN or an ID of a user, group, policy or key.",
    )
    result = forms.CharField(
        label="Result",
        required=False,
        max_length=64,
        help_text="Success, Refused, or an error code such as AccessDenied.",
        widget=forms.TextInput(attrs={"list": "results"}),
    )
    source_ip = forms.CharField(label="IP address", required=False, max_length=45)
    event_request_id = forms.CharField(label="Request ID", required=False, max_length=36)

    @property
    def asked(self) -> dict[str, Any]:
        """The filters that are set, as parameters of the operations; none while one of them is wrong."""
        return {name: value for name, value in self.cleaned_data.items() if value} if self.is_valid() else {}

    @property
    def chips(self) -> list[tuple[str, str, str]]:
        """Of each filter that is set: its label, its value, and the address without it."""
        given = {name: self.data[name] for name in self.asked}
        return [
            (
                str(self.fields[name].label),
                value,
                f"?{urlencode({key: each for key, each in given.items() if key != name})}",
            )
            for name, value in given.items()
        ]

    @property
    def query(self) -> str:
        """The filters as a query string."""
        return urlencode({name: self.data[name] for name in self.asked})


class ExportForm(TrailForm):
    """The same, to be sent as a file."""

    file_format = forms.ChoiceField(
        label="Format",
        choices=(
            ("csv", "CSV for spreadsheets"),
            ("csv-raw", "CSV, every value as it is"),
            ("jsonl", "JSON lines, as CloudTrail writes them"),
        ),
    )
