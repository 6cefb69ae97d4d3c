"""The forms of accounts and users. They ask; the operations behind them check and decide."""

from collections.abc import Sequence
from typing import Any

from django import forms

from accounts.tags import Tag
from credentials.mfa.models import MFADevice
from credentials.password_rules import LONGEST
from credentials.passwords import normalised
from iamconsole.errors import Fault, ValidationError
from iamconsole.forms import ConsoleForm

TAG_RULE = "Tags have keys of up to 128 and values of up to 256 letters, digits, spaces and _ . : / = + - @."
NAME_RULE = "Use up to 64 letters, digits and + = , . @ _ -."
NAME_HINT = "Up to 64 letters, digits and + = , . @ _ -. Names that differ only in case are the same name."
PATH_RULE = "Begin and end it with a slash, such as /design/."
PATH_HINT = "A folder for the name, such as /design/. Leave / if you have no use for it."
GROUP_RULE = "Use up to 128 letters, digits and + = , . @ _ -."
GROUP_HINT = "Up to 128 letters, digits and + = , . @ _ -. Names that differ only in case are the same name."
FIRST_PASSWORDS = {
    "setup_link": "Set-up link (recommended): the user opens it and chooses a password that nobody else knows",
    "generated": "Generated password: it is shown once, and the user must choose another at sign-in, within seven days",
    "custom": "Custom password: you choose it",
}
ALIAS_RULE = "Use 3 to 63 lower-case letters, digits and single hyphens."


class PasswordField(forms.CharField):
    """A password, which password managers understand and which may be pasted. It is measured as it is hashed, and never cut.

    A browser counts in halves of some characters and cuts what is pasted without a word: so it is not told the greatest length.
    """

    def __init__(self, autocomplete: str, **options: Any) -> None:
        widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
        super().__init__(max_length=LONGEST, strip=False, widget=widget, **options)

    def to_python(self, value: Any) -> str:
        """The password, normalised."""
        return normalised(super().to_python(value) or "")

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """Without the greatest length."""
        return {name: value for name, value in super().widget_attrs(widget).items() if name != "maxlength"}


class SignInForm(ConsoleForm):
    """Sign-in of an IAM user."""

    account = forms.CharField(
        label="Account ID or alias", max_length=63, widget=forms.TextInput(attrs={"autocomplete": "organization"})
    )
    user_name = forms.CharField(
        label="IAM user name", max_length=64, widget=forms.TextInput(attrs={"autocomplete": "username"})
    )
    password = PasswordField("current-password")
    remember = forms.BooleanField(label="Remember this account", required=False)


class RootSignInForm(ConsoleForm):
    """Sign-in of a root user."""

    email = forms.CharField(
        label="Root user e-mail address", max_length=254, widget=forms.TextInput(attrs={"autocomplete": "username"})
    )
    password = PasswordField("current-password")


class SetupForm(ConsoleForm):
    """A first password."""

    password_field = "new_password"  # noqa: S105 - the name of a field
    new_password = PasswordField("new-password")
    confirm_password = PasswordField("new-password", label="Confirm new password")

    def clean(self) -> dict[str, Any]:
        """Both entries must be the same."""
        data = super().clean() or {}
        if data.get("new_password") and data["new_password"] != data.get("confirm_password"):
            self.add_error("confirm_password", "This is not the same password. Enter the new one twice.")
        return data


class FirstPasswordForm(ConsoleForm):
    """How a user comes to a password: by a set-up link, generated, or chosen by whoever gives it."""

    password_field = "password"  # noqa: S105 - the name of a field
    first_password = forms.ChoiceField(
        label="How does the user get a password?",
        choices=list(FIRST_PASSWORDS.items()),
        initial="setup_link",
        widget=forms.RadioSelect,
    )
    password = PasswordField(
        "new-password",
        label="Custom password",
        required=False,
        help_text="Used when “Custom password” is chosen.",
    )

    def clean(self) -> dict[str, Any]:
        """A custom password must be given."""
        data = super().clean() or {}
        if data.get("first_password") == "custom" and not data.get("password"):
            self.add_error("password", "Enter a password, or choose another way.")
        return data


class NewPasswordForm(SetupForm):
    """Another password in the place of the old one."""

    old_password = PasswordField("current-password", label="Current password")
    field_order = ("old_password", "new_password", "confirm_password")


class CodeInput(forms.TextInput):
    """A field for a one-time code. A page never repeats what was typed into it."""

    def format_value(self, value: Any) -> None:
        """Nothing."""
        return


def code_field(label: str, **options: Any) -> forms.CharField:
    """A field for a one-time code, which phones and password managers can fill in."""
    attributes = {"autocomplete": "one-time-code", "spellcheck": "false"}
    return forms.CharField(label=label, max_length=32, widget=CodeInput(attrs=attributes), **options)


class CodeForm(ConsoleForm):
    """The code that a device shows."""

    code = code_field("MFA code", help_text="The six digits that the device shows now.")


class TextCodeForm(ConsoleForm):
    """The code that came by text message."""

    code = code_field("Code", help_text="The six digits of the message that came last.")


class PasskeyInput(forms.HiddenInput):
    """A field that the script fills in. A page never repeats what was in it."""

    def format_value(self, value: Any) -> None:
        """Nothing."""
        return


LONGEST_CREDENTIAL = 64 * 1024


def credential_field(**options: Any) -> forms.CharField:
    """A field for what the browser says of a passkey."""
    return forms.CharField(
        label="Passkey",
        max_length=LONGEST_CREDENTIAL,
        widget=PasskeyInput,
        error_messages={"required": "The passkey did not answer. Try again."},
        **options,
    )


class PasskeyForm(ConsoleForm):
    """The answer of a passkey or security key."""

    credential = credential_field()


class RecoveryCodeForm(ConsoleForm):
    """One of the codes for the day the devices are lost."""

    code = code_field("Recovery code", help_text="One of the ten codes that you saved. Each works once.")


class ConfirmForm(ConsoleForm):
    """The own password once more, or a code or passkey of one's own; and the form that is sent again when it is right."""

    password = PasswordField("current-password", label="Your password")
    device = forms.ChoiceField(label="MFA device", required=False)
    code = code_field("MFA code", required=False)
    credential = credential_field(required=False)
    again = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, own: Sequence[MFADevice], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.passkeys = [each for each in own if each.kind == MFADevice.Kind.PASSKEY]
        self.numbers = [each for each in own if each.kind == MFADevice.Kind.SMS]
        devices = [(str(each.pk), each.name) for each in own if each not in self.passkeys]
        self.fields["password"].required = not own
        self.fields["device"] = forms.ChoiceField(label="MFA device", choices=devices, required=False)
        if not self.passkeys:
            del self.fields["credential"]
        if devices:
            self.fields["code"].label = "Or an MFA code"
        else:
            del self.fields["device"], self.fields["code"]

    def clean(self) -> dict[str, Any]:
        """One of them must be given."""
        data = super().clean() or {}
        if not (self.errors or data.get("password") or data.get("code") or data.get("credential")):
            other = "an MFA code" if "code" in self.fields else "use a passkey"
            self.add_error("password", f"Enter your password or {other}.")
        if data.get("code") and "device" in data and not data["device"]:
            self.add_error("device", "Choose the device that the code is of.")
        return data


class RootEmailForm(ConsoleForm):
    """Another e-mail address for the root user."""

    email = forms.EmailField(label="New e-mail address", max_length=254)
    password = PasswordField("current-password", label="Your password")


class AliasForm(ConsoleForm):
    """The account's alias."""

    account_alias = forms.CharField(
        label="Account alias",
        max_length=63,
        help_text="3 to 63 lower-case letters, digits and single hyphens. It takes the place of the account ID in the"
        " sign-in address; the address with the ID goes on working.",
        error_messages={"rule": ALIAS_RULE},
    )


class RenameForm(ConsoleForm):
    """A user's name and path."""

    new_user_name = forms.CharField(
        label="User name", max_length=64, help_text=NAME_HINT, error_messages={"rule": NAME_RULE}
    )
    new_path = forms.CharField(label="Path", max_length=512, help_text=PATH_HINT, error_messages={"rule": PATH_RULE})


class GroupForm(ConsoleForm):
    """A new group's name and path."""

    group_name = forms.CharField(max_length=128, help_text=GROUP_HINT, error_messages={"rule": GROUP_RULE})
    path = forms.CharField(max_length=512, initial="/", help_text=PATH_HINT, error_messages={"rule": PATH_RULE})


class RenameGroupForm(ConsoleForm):
    """A group's name and path."""

    new_group_name = forms.CharField(
        label="Group name", max_length=128, help_text=GROUP_HINT, error_messages={"rule": GROUP_RULE}
    )
    new_path = forms.CharField(label="Path", max_length=512, help_text=PATH_HINT, error_messages={"rule": PATH_RULE})


class DeleteForm(ConsoleForm):
    """The name, typed, so that no one deletes the wrong user or group (``kind``)."""

    typed_name = forms.CharField(max_length=128)

    def __init__(self, *args: Any, name: str, kind: str = "user", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.name, self.kind = name, kind
        self.fields["typed_name"].label = f"Type the {kind} name to confirm"

    def clean_typed_name(self) -> str:
        """It must be the name, to the letter."""
        if self.cleaned_data["typed_name"] != self.name:
            raise forms.ValidationError(f"This is not the name. Type {self.name} to delete the {self.kind}.")
        return self.name


class TickBoxes(forms.CheckboxSelectMultiple):
    """The boxes of a list. Nothing has a name with a null character in it, which PostgreSQL takes for no text at all."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        """The values that may be something's name."""
        return [each for each in super().value_from_datadict(data, files, name) or () if "\x00" not in each]


class Ticked(forms.Field):
    """Values ticked in a list. Whether there are such things, the operation says."""

    widget = TickBoxes

    def clean(self, value: Any) -> list[str]:
        """The values."""
        return [str(each) for each in value or ()]


class SearchForm(ConsoleForm):
    """A list of things to tick that is searched by a button of its own, which sends nothing else."""

    search = forms.CharField(required=False, max_length=128)

    @property
    def searched(self) -> str:
        """What was searched for."""
        return str(self.data.get("search", "")).replace("\x00", "")

    @property
    def is_search(self) -> bool:
        """Whether the search button sent it."""
        return self.data.get("go") == "search"


class UsersForm(SearchForm):
    """Users for a group."""

    user_names = Ticked(required=False)


class PoliciesForm(SearchForm):
    """Policies to attach."""

    policy_arns = Ticked(required=False)


class TagsForm(ConsoleForm):
    """All tags of a user, as rows of key and value; a row with an empty key is none."""

    EMPTY_ROWS = 3

    def __init__(self, data: Any = None, *, tags: list[Tag]) -> None:
        super().__init__(data)
        if data is not None:
            pairs = zip(data.getlist("tag_key"), data.getlist("tag_value"), strict=False)
            self.rows: list[Tag] = [{"key": key, "value": value} for key, value in pairs if key]
        else:
            self.rows = tags

    def refuse(self, fault: Fault) -> None:
        """Say AWS's rule of keys and values in words."""
        self.add_error(None, TAG_RULE if isinstance(fault, ValidationError) else fault.message)

    @property
    def rows_to_show(self) -> list[Tag]:
        """The tags, and some empty rows for those to come."""
        return self.rows + [{"key": "", "value": ""}] * self.EMPTY_ROWS
