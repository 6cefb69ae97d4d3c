"""The forms of policies."""

from typing import Any, Final

from django import forms

from accounts.forms import PATH_HINT, PATH_RULE, TAG_RULE
from accounts.import_forms import FileForm
from accounts.tags import Tag
from iamconsole.errors import Fault, InvalidInput, ValidationError
from iamconsole.forms import ConsoleForm
from permissions import authorization_files
from permissions.advice import Advice, advise
from permissions.faults import Finding

NAME_RULE = "Use up to 128 letters, digits and + = , . @ _ -."
EXAMPLE = """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": ["iam:GetUser", "iam:ListAccessKeys"],
      "Resource": "arn:aws:iam::*:user/${aws:username}"
    }
  ]
}"""


class DocumentForm(ConsoleForm):
    """A policy's document as JSON, and what is to be told about it once the form was validated.

    ``quota`` is how large it may be; ``by_statement`` names statements in the place of lines, where no line is seen.
    """

    policy_document = forms.CharField(
        label="Policy document (JSON)",
        strip=False,
        widget=forms.Textarea(attrs={"spellcheck": "false", "class": "code", "wrap": "off", "autocapitalize": "none"}),
        help_text="What is not allowed here is denied. It is stored as you write it.",
        initial=EXAMPLE,
    )

    def __init__(self, *args: Any, quota: int | None = None, by_statement: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.quota = quota
        self.by_statement = by_statement
        self.advice: Advice | None = None

    @property
    def details(self) -> list[forms.BoundField]:
        """The fields beside the document."""
        return [self[name] for name in self.fields if name != "policy_document"]

    def clean_policy_document(self) -> str:
        """Say where it breaks. Browsers send line ends as CR LF; people wrote LF."""
        document = str(self.cleaned_data["policy_document"]).replace("\r\n", "\n")
        self.advice = advise(document, quota=self.quota)
        if self.advice.errors:
            raise forms.ValidationError(_told(self.advice.errors, by_statement=self.by_statement))
        return document


def _told(errors: tuple[Finding, ...], *, by_statement: bool) -> str:
    if len(errors) > 1:
        return f"It has {len(errors)} errors. They are listed below with their places."
    (error,) = errors
    place = f"Statement {error.statement}: " if by_statement and error.statement else ""
    return f"{place}{error.text}" if by_statement else f"Line {error.line}, column {error.column}: {error.text}"


class InlinePolicyForm(DocumentForm):
    """A new inline policy."""

    policy_name = forms.CharField(
        max_length=128,
        help_text="Up to 128 letters, digits and + = , . @ _ -. It names the policy within its user or group.",
        error_messages={"rule": NAME_RULE},
    )
    field_order = ("policy_name", "policy_document")


class CreatePolicyForm(DocumentForm):
    """A new managed policy."""

    policy_name = forms.CharField(
        max_length=128,
        help_text="Up to 128 letters, digits and + = , . @ _ -. Names that differ only in case are the same name.",
        error_messages={"rule": NAME_RULE},
    )
    description = forms.CharField(
        required=False,
        max_length=1000,
        help_text="What it is for, up to 1,000 characters. It cannot be changed later.",
        error_messages={"rule": "Use letters, digits and common signs."},
    )
    path = forms.CharField(
        max_length=512, initial="/", help_text=PATH_HINT, error_messages={"rule": PATH_RULE}, required=False
    )
    field_order = ("policy_name", "description", "path", "policy_document")


class VersionForm(DocumentForm):
    """Another version of a managed policy."""

    set_as_default = forms.BooleanField(
        label="Put this version in force at once", required=False, initial=True,
        help_text="If not, it is kept beside the version in force until you choose it.",
    )  # fmt: skip
    field_order = ("policy_document", "set_as_default")


class DeletePolicyForm(ConsoleForm):
    """The name, typed, so that no one deletes the wrong policy."""

    typed_name = forms.CharField(label="Type the policy name to confirm", max_length=128)

    def __init__(self, *args: Any, name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.name = name

    def clean_typed_name(self) -> str:
        """It must be the name, to the letter."""
        if self.cleaned_data["typed_name"] != self.name:
            raise forms.ValidationError(f"This is not the name. Type {self.name} to delete the policy.")
        return self.name


class TagForm(ConsoleForm):
    """One tag."""

    key = forms.CharField(max_length=128, error_messages={"rule": TAG_RULE})
    value = forms.CharField(max_length=256, required=False, error_messages={"rule": TAG_RULE})

    @property
    def tag(self) -> Tag:
        """The tag that was entered."""
        return {"key": self.cleaned_data["key"], "value": self.cleaned_data["value"]}

    def refuse(self, fault: Fault) -> None:
        """Say AWS's rule of keys and values in words."""
        self.add_error(None, TAG_RULE if isinstance(fault, ValidationError) else fault.message)


LARGEST_REPORT: Final = 1024 * 1024
REPORT_TOO_LARGE: Final = (
    "The report is larger than 1 MiB: import on the server, by manage.py import_authorization_details with"
    " --credential-report."
)


def _details_of(content: bytes) -> dict[str, Any]:
    return {"details": authorization_files.read(content), "packed": authorization_files.pack(content)}


class AuthorizationDetailsForm(FileForm):
    """What AWS's GetAccountAuthorizationDetails told, ``details``; and ``had``, what its credential report tells, or None."""

    largest = 10 * 1024 * 1024  # the middleware lets so much in here
    too_large = "The file is larger than 10 MiB: import it on the server, by manage.py import_authorization_details."
    read = staticmethod(_details_of)

    file = forms.FileField(
        label="JSON file",
        required=False,
        help_text="10 MiB at most. Larger ones are imported on the server: manage.py import_authorization_details.",
    )
    report = forms.FileField(
        label="AWS's credential report",
        required=False,
        help_text="CSV, 1 MiB at most. It tells which credentials each user had, so that you know which to give anew.",
    )
    field_order = ("file", "text", "report")

    def clean(self) -> dict[str, Any]:
        """Take a file or its text, or what the preview has packed of it; with a report or what is packed of that."""
        return self._details() | self._report()

    def _details(self) -> dict[str, Any]:
        packed = str(self.data.get("packed", ""))
        if packed and not self.cleaned_data.get("file"):
            try:
                return self.cleaned_data | _details_of(authorization_files.unpack(packed, self.largest))
            except Fault as fault:
                self.add_error("file", fault.message)
                return self.cleaned_data
        return super().clean()

    def _report(self) -> dict[str, Any]:
        file, packed = self.cleaned_data.get("report"), str(self.data.get("packed_report", ""))
        if not (file or packed):
            return {"had": None, "packed_report": ""}
        try:
            if file and file.size > LARGEST_REPORT:
                raise InvalidInput(REPORT_TOO_LARGE)
            content = file.read() if file else authorization_files.unpack(packed, LARGEST_REPORT)
            had = authorization_files.read_credential_report(content)
            return {"had": had, "packed_report": authorization_files.pack(content)}
        except Fault as fault:
            self.add_error("report", fault.message)
            return {}
