"""The forms of MFA devices."""

import re
from typing import Any

from django import forms
from django.core.validators import RegexValidator

from accounts.forms import code_field, credential_field
from iamconsole.errors import Fault, NoSuchEntity
from iamconsole.forms import ConsoleForm


class MFADeviceForm(ConsoleForm):
    """A new device for an authenticator app."""

    virtual_mfa_device_name = forms.CharField(
        label="Device name",
        max_length=128,
        help_text="What you will know it by, such as pixel-9. A name is used once in the account.",
        error_messages={"rule": "Use letters, digits and + = , . @ _ -, without spaces."},
    )


def name_field() -> forms.CharField:
    """A field for what a device of one's own is known by. It is checked before the device is asked or a code is sent."""
    rule = "Use letters, digits and + = , . @ _ -, without spaces."
    return forms.CharField(
        label="Device name",
        max_length=64,
        help_text="What you will know it by, such as laptop or blue-key.",
        validators=[RegexValidator(re.compile(r"\A[\w+=,.@-]+\Z", re.ASCII), rule)],
        error_messages={"rule": rule},
    )


class PasskeyDeviceForm(ConsoleForm):
    """A new passkey or security key: its name, and then what the browser says of it."""

    mfa_device_name = name_field()
    credential = credential_field(required=False)


class NumberForm(ConsoleForm):
    """A phone number to which a code is to be sent."""

    mfa_device_name = name_field()
    phone_number = forms.CharField(
        max_length=32,
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
        help_text="With + and the code of the country, such as +1 555 000 1111.",
        error_messages={"rule": "Begin with + and the code of the country; 7 to 15 digits follow."},
    )

    def clean_phone_number(self) -> str:
        """Without what people write to make it legible."""
        return re.sub(r"[ ()./-]", "", self.cleaned_data["phone_number"])


class NumberCodeForm(ConsoleForm):
    """The code that was sent to the number."""

    mfa_device_name = forms.CharField(max_length=64, widget=forms.HiddenInput)
    phone_number = forms.CharField(max_length=32, widget=forms.HiddenInput)
    authentication_code1 = code_field(
        "Code",
        help_text="The six digits of the message that came last.",
        error_messages={"rule": "Enter the six digits of the code."},
    )

    def clean_authentication_code1(self) -> str:
        """The digits alone."""
        return "".join(self.cleaned_data["authentication_code1"].split())


SIX_DIGITS = {"rule": "Enter the six digits of the code."}


class TwoCodesForm(ConsoleForm):
    """Two codes in a row, as the device shows them; spaces in them are passed over."""

    authentication_code1 = code_field(
        "MFA code 1", help_text="The six digits that the device shows now.", error_messages=SIX_DIGITS
    )
    authentication_code2 = code_field(
        "MFA code 2", help_text="The next six, half a minute later.", error_messages=SIX_DIGITS
    )

    def clean(self) -> dict[str, Any]:
        """The digits alone."""
        data = super().clean() or {}
        codes = ("authentication_code1", "authentication_code2")
        return data | {name: "".join(data[name].split()) for name in codes if name in data}


class EnableForm(TwoCodesForm):
    """The codes of the device that was made a moment ago."""

    serial_number = forms.CharField(max_length=256, widget=forms.HiddenInput)
    field_order = ("serial_number", "authentication_code1", "authentication_code2")


class HardwareTokenForm(TwoCodesForm):
    """A token of the account's inventory, and its codes."""

    serial_number = forms.CharField(
        max_length=256,
        help_text="It stands on the back of the token.",
        error_messages={"rule": "Use 9 or more letters, digits and + = / : , . @ _ -."},
    )
    field_order = ("serial_number", "authentication_code1", "authentication_code2")


class RemoveDeviceForm(ConsoleForm):
    """Whether a device may go; one's own last one must be ticked off."""

    understood = forms.BooleanField(label="I understand that my password alone will then be enough to sign in as me")

    def __init__(self, *args: Any, is_last: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not is_last:
            del self.fields["understood"]


class MFARequirementForm(ConsoleForm):
    """Whether the account demands MFA devices, from when, and after how many days of grace."""

    required = forms.ChoiceField(
        label="Do console users need an MFA device?",
        choices=[("no", "No: whoever has none signs in with the password alone"), ("yes", "Yes")],
        widget=forms.RadioSelect,
    )
    start_date = forms.DateField(
        label="From when",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="A day, which begins at 00:00 UTC.",
        error_messages={"invalid": "Enter a day as YYYY-MM-DD."},
    )
    grace_period_days = forms.IntegerField(
        label="Days of grace",
        required=False,
        min_value=0,
        max_value=90,
        initial=7,
        help_text="0 to 90. So long may a user still sign in without a device: after that day, or after getting access to the"
        " console where that is later. The dashboard says by when.",
    )

    def clean(self) -> dict[str, Any]:
        """A requirement begins some day."""
        data = super().clean() or {}
        if data.get("required") == "yes" and not data.get("start_date") and "start_date" not in self.errors:
            self.add_error("start_date", "Enter the day from which an MFA device is required.")
        return data

    def chosen(self) -> dict[str, Any] | None:
        """What to set; None for no requirement."""
        data = self.cleaned_data
        if data["required"] == "no":
            return None
        return {"start_date": f"{data['start_date']}", "grace_period_days": data["grace_period_days"] or 0}

    def refuse(self, fault: Fault) -> None:
        """To take away what is not there is no wrong name."""
        if isinstance(fault, NoSuchEntity):
            self.add_error("required", "The account requires no MFA device as it is.")
        else:
            super().refuse(fault)


class SeedsInput(forms.Textarea):
    """A field for the text of a file with seeds. A page never repeats what was put into it."""

    def format_value(self, value: Any) -> None:
        """Nothing."""
        return


class ImportForm(ConsoleForm):
    """A vendor's file of hardware tokens, chosen or pasted."""

    file_format = forms.ChoiceField(
        label="Form",
        choices=[("csv", "CSV"), ("pskc", "PSKC, the XML of RFC 6030")],
        initial="csv",
        widget=forms.RadioSelect,
    )
    file = forms.FileField(label="The vendor's file", required=False, help_text="500 KB at most.")
    pasted = forms.CharField(
        label="Or its text",
        required=False,
        widget=SeedsInput(attrs={"rows": 6, "autocomplete": "off", "spellcheck": "false"}),
        help_text="CSV begins with a line that names the columns: serial_number, seed_hex or seed_base32, and if need be"
        " digits and period. Of PSKC the keys are read that are not encrypted.",
    )

    @property
    def secrets(self) -> frozenset[str]:
        """The text has the seeds."""
        return frozenset({"pasted"})

    def clean(self) -> dict[str, Any]:
        """The bytes of the one that is given, as ``token_file``."""
        data = super().clean() or {}
        file = data.get("file")
        data["token_file"] = file.read() if file else data.get("pasted", "").encode()
        if not data["token_file"] and not self.errors:
            self.add_error("file", "Choose a file, or paste its text.")
        return data
