"""The forms beside the list of users: its columns and page size, the name of a view, a change of many."""

from typing import Any, Final

from django import forms

from accounts.list_models import PAGE_SIZES
from accounts.user_changes import Change
from accounts.user_columns import OPTIONAL
from iamconsole.forms import ConsoleForm

QUERY: Final = 2048


class ColumnsForm(ConsoleForm):
    """Which columns the list has beside the name, and how many rows a page has."""

    columns = forms.MultipleChoiceField(
        choices=[(column.name, column.label) for column in OPTIONAL],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    page_size = forms.TypedChoiceField(choices=[(each, each) for each in PAGE_SIZES], coerce=int, label="Rows a page")
    query = forms.CharField(max_length=QUERY, required=False, widget=forms.HiddenInput)


class ViewForm(ConsoleForm):
    """The name that a view is kept under."""

    view_name = forms.CharField(
        max_length=64, label="Name of the view", error_messages={"rule": "A name is one line of text."}
    )
    query = forms.CharField(max_length=QUERY, required=False, widget=forms.HiddenInput)


class ChangeForm(ConsoleForm):
    """What a change of ``count`` users asks for beside the users: a group, a reason, or the number typed."""

    group_name = forms.CharField(max_length=128, label="Group")
    reason = forms.CharField(max_length=256, label="Reason", required=False)
    typed_count = forms.CharField(max_length=10)

    def __init__(self, *given: Any, change: Change, count: int, **named: Any) -> None:
        super().__init__(*given, **named)
        self.change, self.count = change, count
        wanted = {"add-to-group": "group_name", "suspend": "reason"}.get(change.name)
        for name in ("group_name", "reason", "typed_count"):
            if name != wanted and not (name == "typed_count" and change.danger):
                del self.fields[name]
        if change.danger:
            self.fields["typed_count"].label = f"Type {count} to confirm"

    def clean_typed_count(self) -> str:
        """It must be the number of users."""
        if self.cleaned_data["typed_count"] != str(self.count):
            raise forms.ValidationError(f"This is not the number. Type {self.count} to delete so many users.")
        return str(self.count)

    def clean(self) -> dict[str, Any]:
        """The list must be as long as it was when it was looked at."""
        expected = self.data.get("count")
        if expected is not None and expected != str(self.count):
            raise forms.ValidationError(
                f"The list has changed since you looked: now it is about {self.count}. Look again, then confirm."
            )
        return super().clean() or self.cleaned_data
