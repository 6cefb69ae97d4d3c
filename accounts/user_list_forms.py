"""The forms beside the list of users: its columns and page size, and the name of a view."""

from typing import Final

from django import forms

from accounts.list_models import PAGE_SIZES
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
