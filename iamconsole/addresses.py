"""Names in addresses."""

from django.urls import register_converter


class Name:
    """The name of a user or a policy as one step of an address.

    ``.`` and ``..`` are legal names, and a browser would walk them: they stand behind a tilde, which no name holds.
    """

    regex = "[^/]+"

    def to_python(self, step: str) -> str:
        """The name."""
        return step[1:] if step in ("~.", "~..") else step

    def to_url(self, name: str) -> str:
        """The step."""
        return f"~{name}" if name in (".", "..") else str(name)


register_converter(Name, "name")
