"""The forms by which users are imported: a file, or its text."""

from typing import Any

from django import forms

from accounts import user_files
from iamconsole.errors import Fault
from iamconsole.forms import ConsoleForm


class UserFileForm(ConsoleForm):
    """A CSV file of users. ``text`` and ``rows`` are what is read."""

    file = forms.FileField(
        label="CSV file",
        required=False,
        help_text=f"{user_files.LARGEST_FILE // 1024} KiB and {user_files.MOST_ROWS:,} users at most.",
    )
    text = forms.CharField(
        label="Or its text",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "autocomplete": "off", "spellcheck": "false"}),
    )

    def clean(self) -> dict[str, Any]:
        """Read what is given; what is wrong with the whole of it refuses it."""
        data = super().clean() or {}
        file = data.get("file")
        if not file and not data.get("text") and not self.errors:
            self.add_error("file", "Choose a file, or paste its text.")
        if self.errors:
            return data
        try:
            data["text"] = user_files.text_of(file.read() if file else data["text"].encode())
            data["rows"] = user_files.read(data["text"])
        except Fault as fault:
            self.add_error("file" if file else "text", fault.message)
        return data
