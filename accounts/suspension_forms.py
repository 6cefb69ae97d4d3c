"""The forms that keep a user out: for a time, from a date on, at once."""

from django import forms

from iamconsole.forms import ConsoleForm

WHEN_HINT = "In UTC, such as 2027-01-31 08:00."


class MomentInput(forms.DateTimeInput):
    """A field for a date and a time, which browsers help to fill in."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class SuspendForm(ConsoleForm):
    """For how long, and why."""

    until = forms.DateTimeField(
        label="Until",
        required=False,
        widget=MomentInput(),
        help_text=f"{WHEN_HINT} Leave it empty to suspend until somebody reactivates the user.",
    )
    reason = forms.CharField(
        label="Reason",
        required=False,
        max_length=256,
        help_text="For administrators and the trail. The user is not told.",
    )


class EndDateForm(ConsoleForm):
    """From when on the user is as suspended."""

    end_date = forms.DateTimeField(
        label="End date",
        required=False,
        widget=MomentInput(),
        help_text=f"{WHEN_HINT} Leave it empty for a user who stays.",
    )


class LockDownForm(ConsoleForm):
    """Why."""

    reason = forms.CharField(
        label="Reason",
        required=False,
        max_length=256,
        help_text="For administrators and the trail. The user is not told.",
    )
