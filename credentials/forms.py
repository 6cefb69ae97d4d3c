"""The forms of credentials."""

from typing import Any

from django import forms

from accounts.forms import password_input
from iamconsole.forms import ConsoleForm


class ConsoleAccessForm(ConsoleForm):
    """A password for a user, generated or chosen."""

    password_field = "password"  # noqa: S105 - the name of a field
    generate = forms.BooleanField(label="Generate the password", required=False, initial=True)
    password = forms.CharField(
        label="Or choose it yourself",
        required=False,
        max_length=128,
        strip=False,
        widget=password_input("new-password"),
        help_text="Used when “Generate the password” is not ticked.",
    )
    password_reset_required = forms.BooleanField(
        label="The user must choose a new password at the next sign-in", required=False, initial=True
    )

    def clean(self) -> dict[str, Any]:
        """A password must come from somewhere."""
        data = super().clean() or {}
        if not data.get("generate") and not data.get("password"):
            self.add_error("password", "Enter a password, or tick “Generate the password”.")
        return data


class DeleteKeyForm(ConsoleForm):
    """The access key id, typed, so that no one deletes the wrong key."""

    typed_id = forms.CharField(label="Type the access key ID to confirm", max_length=128)

    def __init__(self, *args: Any, access_key_id: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.access_key_id = access_key_id

    def clean_typed_id(self) -> str:
        """It must be the id, to the letter."""
        if self.cleaned_data["typed_id"].strip() != self.access_key_id:
            raise forms.ValidationError(f"This is not the ID. Type {self.access_key_id} to delete the key.")
        return self.access_key_id


class ServiceTokenForm(ConsoleForm):
    """A service token: what it is for, and how long it lives."""

    description = forms.CharField(
        label="What is it for?",
        required=False,
        max_length=256,
        help_text="For example: the gateway of the file store. It helps to know later what stops when the token is deleted.",
        error_messages={"rule": "Use up to 256 letters, digits and common signs."},
    )
    duration_days = forms.IntegerField(
        label="Days until it expires",
        initial=90,
        min_value=1,
        max_value=365,
        help_text="1 to 365. Create the next one in time: a user may hold five.",
    )
