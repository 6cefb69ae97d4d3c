"""The forms of credentials."""

from collections.abc import Mapping
from typing import Any, Final, Self

from django import forms
from django.forms.utils import ErrorDict

from accounts.forms import FirstPasswordForm
from credentials.models import PasswordPolicy
from credentials.password_rules import LONGEST, SHORTEST
from credentials.secrets import SYMBOLS
from iamconsole.errors import Fault, NoSuchEntity
from iamconsole.forms import ConsoleForm

# NIST SP 800-63B-4, 3.1.1.2, where the password is all that is asked for: length, and neither kinds of characters nor expiry.
RECOMMENDED: Final[Mapping[str, Any]] = {"minimum_password_length": 15, "allow_users_to_change_password": True}


class ConsoleAccessForm(FirstPasswordForm):
    """A way to a password for a user."""

    password_reset_required = forms.BooleanField(
        label="The user must choose a new password at the next sign-in",
        required=False,
        initial=True,
        help_text="Of a custom password. A generated one must be changed in any case.",
    )


class PasswordPolicyForm(ConsoleForm):
    """Which password policy the account has: AWS's default, the recommended one, or one of its own."""

    choice = forms.ChoiceField(
        label="Which rules hold?",
        choices=[
            ("default", "IAM default: 8 characters, three of four kinds of characters"),
            ("recommended", "Recommended (NIST SP 800-63B): 15 characters of any kind, no expiry"),
            ("custom", "Custom: rules of your own"),
        ],
        widget=forms.RadioSelect,
    )
    minimum_password_length = forms.IntegerField(
        label="Minimum length",
        required=False,
        min_value=SHORTEST,
        max_value=LONGEST,
        initial=SHORTEST,
        help_text=f"{SHORTEST} to {LONGEST} characters. The AWS API takes 6 and 7 too; {SHORTEST} are demanded even so.",
    )
    require_uppercase_characters = forms.BooleanField(
        label="Require an upper-case letter (A to Z)",
        required=False,
        help_text="NIST advises against demanding kinds of characters: people then write Password1!",
    )
    require_lowercase_characters = forms.BooleanField(label="Require a lower-case letter (a to z)", required=False)
    require_numbers = forms.BooleanField(label="Require a digit (0 to 9)", required=False)
    require_symbols = forms.BooleanField(label=f"Require a symbol ({' '.join(SYMBOLS)})", required=False)
    max_password_age = forms.IntegerField(
        label="Passwords expire after days",
        required=False,
        min_value=1,
        max_value=1095,
        help_text="1 to 1095 days; leave it empty for never, as NIST advises. It holds at once, for passwords that are set"
        " already too. Access keys go on working.",
    )
    hard_expiry = forms.BooleanField(
        label="After expiry an administrator must set the new password",
        required=False,
        help_text="The user can then not choose one at sign-in.",
    )
    allow_users_to_change_password = forms.BooleanField(
        label="Let users change their own password",
        required=False,
        initial=True,
        help_text="Grants every user of the account iam:ChangePassword on itself, and iam:GetAccountPasswordPolicy.",
    )
    password_reuse_prevention = forms.IntegerField(
        label="Earlier passwords that may not be used again",
        required=False,
        min_value=1,
        max_value=24,
        help_text="1 to 24; leave it empty to forbid none.",
    )

    @classmethod
    def showing(cls, data: Any, policy: PasswordPolicy | None) -> Self:
        """The form as sent, or with what holds now."""
        if policy is None:
            return cls(data, initial={"choice": "default"})
        initial = {name: getattr(policy, name) for name in cls.base_fields if name != "choice"}
        initial["minimum_password_length"] = max(SHORTEST, policy.minimum_password_length)
        is_recommended = {name: value for name, value in initial.items() if value} == RECOMMENDED
        return cls(data, initial=initial | {"choice": "recommended" if is_recommended else "custom"})

    def clean(self) -> dict[str, Any]:
        """The fields of a custom policy count with that choice only."""
        data = super().clean() or {}
        if data.get("choice") in ("default", "recommended"):
            self._errors = ErrorDict()
            return dict.fromkeys(self.fields) | {"choice": data["choice"]}
        return data

    def refuse(self, fault: Fault) -> None:
        """To go back to the default where it holds is no wrong name."""
        if isinstance(fault, NoSuchEntity):
            self.add_error("choice", "The IAM default policy holds already.")
        else:
            super().refuse(fault)

    def chosen(self) -> Mapping[str, Any] | None:
        """What to set, by AWS's names; None for AWS's default."""
        given = {**self.cleaned_data}
        choice = given.pop("choice")
        if choice == "custom":
            return {name: value for name, value in given.items() if value}
        return RECOMMENDED if choice == "recommended" else None


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
