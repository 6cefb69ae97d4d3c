"""CSV files that are sent line by line, and opened in a spreadsheet."""

from typing import Final

# What a spreadsheet takes for a formula, wherever it starts a cell (CWE-1236; OWASP, "CSV Injection").
FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def safe(cell: str) -> str:
    """A cell that a spreadsheet shows and does not calculate: with an apostrophe before what it would take for a formula."""
    return f"'{cell}" if cell.startswith(FORMULAS) else cell


class Line:
    """What csv writes to: the line it has just made."""

    text = ""

    def write(self, text: str) -> None:
        """Keep the line."""
        self.text = text
