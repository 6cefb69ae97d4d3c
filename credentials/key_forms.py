"""The forms of access keys and of service-specific credentials."""

from collections.abc import Mapping
from typing import Any, Final, cast

from django import forms

from credentials.models import AccessKey
from credentials.service_credentials import GIT, SERVICES
from iamconsole.forms import ConsoleForm


class KeyDetailsForm(ConsoleForm):
    """What an access key is for, and when it ends."""

    description = forms.CharField(
        label="Description",
        required=False,
        max_length=256,
        help_text="For example: nightly backup on db1. It helps to know later what stops when the key is deleted.",
        error_messages={"rule": "Use up to 256 letters, digits and common signs."},
    )
    expiry = forms.ChoiceField(label="The key expires", required=False, widget=forms.RadioSelect)
    duration_days = forms.IntegerField(
        label="Days, if you chose another number",
        required=False,
        min_value=1,
        max_value=3650,
        help_text="An expired key is refused like an inactive one.",
    )

    def __init__(self, *args: Any, greatest: int | None, key: AccessKey | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        days = [each for each in (30, 60, 90) if not greatest or each <= greatest]
        choices = [(str(each), f"{each} days from now") for each in days]
        most = f", {greatest} at most" if greatest else ""
        choices.append(("custom", f"After another number of days{most}"))
        if greatest is None:
            choices.append(("never", "Never: I replace it myself"))
        if key is not None:
            self.fields["description"].initial = key.description
            choices.insert(0, ("keep", "As it is now"))
        expiry = cast("forms.ChoiceField", self.fields["expiry"])
        expiry.choices = choices
        expiry.initial = "keep" if key else choices[len(days) - 1][0] if days else "custom"
        self.order_fields(["use", "description", "expiry", "duration_days"])

    def clean(self) -> dict[str, Any]:
        """A number of days comes with its choice, and must then."""
        data = super().clean() or {}
        if data.get("expiry") == "custom" and not data.get("duration_days") and "duration_days" not in self.errors:
            self.add_error("duration_days", "Enter after how many days the key expires.")
        return data

    def details(self) -> dict[str, Any]:
        """What was entered, as the operations take it."""
        expiry = self.cleaned_data["expiry"]
        days = self.cleaned_data["duration_days"] if expiry == "custom" else int(expiry) if expiry.isdigit() else None
        return {"description": self.cleaned_data["description"], "duration_days": days}


USES: Final[Mapping[str, str]] = {
    "cli": "The aws CLI on my computer. Safer: temporary credentials, aws sts get-session-token with your MFA device",
    "program": "A program of ours. Safer: a user of its own, with a policy for just what it does",
    "service": "Git, or a service with API keys. Safer: Git credentials or an API key, good for that service alone",
    "gateway": "A gateway that asks who signed. Safer: a service token, which signs nothing",
    "other": "Something else",
}


class NewKeyForm(KeyDetailsForm):
    """The details of a new key, and first what it is for: there is often something safer."""

    use = forms.ChoiceField(
        label="What will use the key?",
        required=False,
        choices=list(USES.items()),
        initial="program",
        widget=forms.RadioSelect,
    )


class KeyMaximumForm(ConsoleForm):
    """How long new access keys of the account live at most."""

    maximum_days = forms.IntegerField(
        label="New access keys expire after days, at the latest",
        required=False,
        min_value=1,
        max_value=3650,
        help_text="1 to 3650; leave it empty to let keys live until they are deleted. Keys made by the AWS API, which has no"
        " expiry, then expire after that many days too.",
    )


class NewServiceCredentialForm(ConsoleForm):
    """Which service a credential is for, and when an API key expires."""

    service_name = forms.ChoiceField(
        label="What is it for?",
        choices=[(service.name, f"{service.label}: {service.kind}") for service in SERVICES.values()],
        initial=GIT,
        widget=forms.RadioSelect,
    )
    credential_age_days = forms.IntegerField(
        label="Days until an API key expires",
        required=False,
        min_value=1,
        max_value=36600,
        help_text="Empty for never. Passwords do not expire: reset them from time to time.",
    )

    def clean(self) -> dict[str, Any]:
        """Passwords have no age."""
        data = super().clean() or {}
        service = SERVICES.get(data.get("service_name", ""))
        if service and not service.key_prefix and data.get("credential_age_days"):
            self.add_error("credential_age_days", "Only API keys expire: leave it empty.")
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
