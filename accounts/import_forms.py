"""The forms by which users and whole accounts are imported: a file, or its text."""

from typing import Any, ClassVar

from django import forms

from accounts import user_files
from iamconsole.errors import Fault
from iamconsole.forms import ConsoleForm


class FileForm(ConsoleForm):
    """A file, or its text. What is read of it is among the cleaned data, and ``text`` to send it again.

    ``read`` tells what is in the file, and raises a Fault that says what is wrong with it.
    """

    largest: ClassVar[int]
    too_large: ClassVar[str]
    read: ClassVar["staticmethod[[bytes], dict[str, Any]]"]

    file = forms.FileField(required=False)
    text = forms.CharField(
        label="Or its text",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "autocomplete": "off", "spellcheck": "false"}),
    )

    def clean(self) -> dict[str, Any]:
        """Read what is given; what is wrong with the whole of it refuses it."""
        data = super().clean() or {}
        file, text = data.get("file"), data.get("text", "").encode()
        place = "file" if file or not text else "text"
        if not (file or text) and not self.errors:
            self.add_error(place, "Choose a file, or paste its text.")
        elif (file.size if file else len(text)) > self.largest:
            self.add_error(place, self.too_large)
        if self.errors:
            return data
        try:
            return data | self.read(file.read() if file else text)
        except Fault as fault:
            self.add_error(place, fault.message)
        return data


def _users_of(content: bytes) -> dict[str, Any]:
    text = user_files.text_of(content)
    return {"text": text, "rows": user_files.read(text)}


class UserFileForm(FileForm):
    """A CSV file of users: ``rows``."""

    largest = user_files.LARGEST_FILE
    too_large = user_files.TOO_LARGE
    read = staticmethod(_users_of)

    file = forms.FileField(
        label="CSV file",
        required=False,
        help_text=f"{user_files.LARGEST_FILE // 1024} KiB and {user_files.MOST_ROWS:,} users at most.",
    )
