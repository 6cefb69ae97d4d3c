"""The forms of the page Unused credentials: the threshold, and an exemption."""

from django import forms

from credentials.unused.plan import Terms
from iamconsole.forms import ConsoleForm


class ThresholdForm(ConsoleForm):
    """After how many days something counts as unused; read from the address."""

    days = forms.IntegerField(label="Days", min_value=1, max_value=3650)

    @property
    def chosen(self) -> int:
        """The number of days, or the nightly run's where none is given that can be."""
        days: int | None = self.cleaned_data.get("days") if self.is_valid() else None
        return days or Terms.of_settings().unused_days


class ExemptionForm(ConsoleForm):
    """Until when, and why."""

    until = forms.DateField(
        label="Until the end of",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="A day (UTC) within a year: then the question comes again.",
    )
    reason = forms.CharField(
        label="Reason",
        max_length=200,
        help_text="For the next who asks, such as “Parental leave” or “Used in the yearly restore test”.",
    )
