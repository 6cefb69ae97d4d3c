"""The forms of policies."""

import json

from django import forms

from iamconsole.forms import ConsoleForm

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


class PolicyForm(ConsoleForm):
    """An inline policy: its name and its document as JSON."""

    policy_name = forms.CharField(
        max_length=128,
        help_text="Up to 128 letters, digits and + = , . @ _ -. It names the policy within the user.",
        error_messages={"rule": "Use up to 128 letters, digits and + = , . @ _ -."},
    )
    policy_document = forms.CharField(
        label="Policy document (JSON)",
        strip=False,
        widget=forms.Textarea(attrs={"rows": 18, "spellcheck": "false", "class": "code"}),
        help_text="What is not allowed here is denied. It is stored as you write it.",
        initial=EXAMPLE,
    )

    def clean_policy_document(self) -> str:
        """Say where JSON breaks. Browsers send line ends as CR LF; people wrote LF."""
        document = str(self.cleaned_data["policy_document"]).replace("\r\n", "\n")
        try:
            json.loads(document)
        except json.JSONDecodeError as error:
            where = f"line {error.lineno}, column {error.colno}"
            raise forms.ValidationError(f"This is not JSON. At {where}: {error.msg}.") from error
        except (ValueError, RecursionError):
            pass  # JSON all the same; whether it is a policy, the operation says
        return document
