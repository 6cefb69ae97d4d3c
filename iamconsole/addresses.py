"""Names and ARNs in addresses."""

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


class Arn:
    """An ARN as one step of an address: its slashes, and the tilde, are escaped as JSON Pointer does (RFC 6901)."""

    regex = "[^/]+"

    def to_python(self, step: str) -> str:
        """The ARN."""
        return step.replace("~1", "/").replace("~0", "~")

    def to_url(self, arn: str) -> str:
        """The step."""
        return arn.replace("~", "~0").replace("/", "~1")


register_converter(Name, "name")
register_converter(Arn, "arn")
