"""The forms by which a user is made, step by step, and given permissions."""

from collections.abc import Mapping
from typing import Any

from django import forms

from accounts import arns, choices
from accounts.caller import Caller
from accounts.forms import (
    NAME_HINT,
    NAME_RULE,
    PATH_HINT,
    PATH_RULE,
    FirstPasswordForm,
    PoliciesForm,
    TagsForm,
    Ticked,
)
from iamconsole.errors import Fault
from iamconsole.forms import ConsoleForm, Part

PURPOSES = {
    "person": "A person who signs in to this console with a password",
    "service": "A program or service that signs requests with an access key, and has no password",
    "none": "Neither yet: no credentials",
}
WAYS = {
    "groups": "Add to groups: everybody in a group has its permissions. Recommended",
    "copy": "Copy permissions: groups, policies and boundary of another user",
    "policies": "Attach policies directly: for this user alone",
}
NOT_AN_ARN = "Enter the ARN of a managed policy, such as arn:aws:iam::aws:policy/ReadOnlyAccess."


class DetailsForm(ConsoleForm):
    """Step 1: who the new user is."""

    user_name = forms.CharField(max_length=64, help_text=NAME_HINT, error_messages={"rule": NAME_RULE})
    path = forms.CharField(max_length=512, initial="/", help_text=PATH_HINT, error_messages={"rule": PATH_RULE})
    purpose = forms.ChoiceField(
        label="What is the user for?", choices=list(PURPOSES.items()), initial="person", widget=forms.RadioSelect
    )
    password_reset_required = forms.BooleanField(
        label="The user must choose a new password at the next sign-in", required=False, initial=True
    )
    allow_change_password = forms.BooleanField(
        label="Let the user change the own password (attaches the policy IAMUserChangePassword)",
        required=False,
        initial=True,
    )


class PermissionsForm(PoliciesForm):
    """Permissions to give: one of three ways counts, the one that is chosen."""

    how = forms.ChoiceField(
        label="How to give permissions", choices=list(WAYS.items()), initial="groups", widget=forms.RadioSelect
    )
    group_names = Ticked(required=False)
    copy_permissions_from = forms.CharField(
        label="User name",
        max_length=128,
        error_messages={"required": "Enter the name of the user to copy from."},
        help_text="What that user has now is copied. Later changes to one of the two do not reach the other.",
        widget=forms.TextInput(attrs={"list": "names-of-users", "autocomplete": "off"}),
    )

    def __init__(self, data: Any = None, *, caller: Caller, initial: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial=dict(initial or {}))
        self.caller = caller
        self.fields["copy_permissions_from"].required = not self.is_bound or self.data.get("how") == "copy"

    @property
    def groups(self) -> Part[list[choices.Choice]]:
        """Groups to tick."""
        return choices.groups_to_join(self.caller, self["group_names"].value() or ())

    @property
    def policies(self) -> Part[choices.Found]:
        """Policies to tick."""
        return choices.policies_to_attach(self.caller, self.searched, self["policy_arns"].value() or ())

    @property
    def names_of_users(self) -> list[str]:
        """Users to copy from."""
        return choices.names_of_users(self.caller)


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters for an operation that gives what a PermissionsForm was filled with."""
    match values.get("how"):
        case "groups":
            return {"group_names": values.get("group_names") or None}
        case "copy":
            return {"copy_permissions_from": values.get("copy_permissions_from") or None}
        case "policies":
            return {"policy_arns": [arn for arn in values.get("policy_arns", ()) if arns.is_policy(arn)] or None}
    return {}


class BoundaryForm(ConsoleForm):
    """A permissions boundary."""

    permissions_boundary = forms.CharField(
        label="Permissions boundary",
        max_length=2048,
        help_text="The ARN of a managed policy, one of the account or one of AWS.",
        widget=forms.TextInput(attrs={"list": "arns-of-policies", "autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_permissions_boundary(self) -> str:
        """It is the ARN of a managed policy, if anything."""
        arn = str(self.cleaned_data["permissions_boundary"])
        if arn and not arns.is_policy(arn):
            raise forms.ValidationError(NOT_AN_ARN)
        return arn


class NewUserPermissionsForm(PermissionsForm, BoundaryForm):
    """Step 2: what the new user may do."""

    def __init__(self, data: Any = None, *, caller: Caller, initial: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, caller=caller, initial=initial)
        self.fields["permissions_boundary"].required = False

    @property
    def arns_of_policies(self) -> list[str]:
        """Policies to bound by."""
        return choices.arns_of_own_policies(self.caller)


class ReviewForm(TagsForm, FirstPasswordForm):
    """Step 3: the tags, and the password of a person, which no step before may know."""

    def __init__(self, data: Any = None, *, tags: Any, purpose: str) -> None:
        super().__init__(data, tags=tags)
        self.purpose = purpose
        if purpose != "person":
            del self.fields["first_password"], self.fields["password"]

    @property
    def way(self) -> str | None:
        """How the user comes to a password; None who needs none."""
        return self.cleaned_data.get("first_password")

    def refuse(self, fault: Fault) -> None:
        """The rule of tags in words; all else where it belongs."""
        if "at 'tags" in fault.message:
            super().refuse(fault)
        else:
            ConsoleForm.refuse(self, fault)
