"""A statement's own text, cut out of the document it stands in."""

from textwrap import dedent

from permissions.language import Position


def excerpt(document: str, start: Position, end: Position) -> str:
    """The text between two positions without what leads to it, and without the indentation it has in common.

    A start stands right after the token before, as AWS counts: white space and a comma may follow it.
    """
    lines = document.split("\n")[start.line - 1 : end.line]
    if not lines:
        return ""  # the document was changed meanwhile
    lines[-1] = lines[-1][: end.column - 1]
    lines[0] = lines[0][start.column - 1 :]
    cut = "\n".join(lines)
    text = cut.lstrip(" \t\r\n,")
    if not text.startswith("{"):
        text = "{" + cut  # of a statement that is in no list, AWS's start stands behind the brace
    first, *rest = text.split("\n")
    return "\n".join([first, *dedent("\n".join(rest)).split("\n")] if rest else [first])
