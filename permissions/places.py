"""Where the parts of a JSON document stand, so that what is said about one can name its line."""

import json
import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from permissions.language import Position

Path = tuple[str | int, ...]
_TOKEN: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"|[][{},:]|[^\s\][{},:"]+', re.DOTALL)


class Places:
    """The place of every member, at its name, and of every entry of a list, by the path to it from the root.

    The text must be JSON that is not nested deeply. ``twice`` are the names that stand a second time in one object.
    """

    def __init__(self, document: str) -> None:
        self._newlines = [match.start() for match in re.finditer("\n", document)]
        self._tokens: Iterator[re.Match[str]] = _TOKEN.finditer(document)
        self._found: dict[Path, int] = {}
        self.twice: list[Path] = []
        first = next(self._tokens, None)
        if first is not None:
            self._found[()] = first.start()
            self._read(first[0], ())

    def of(self, path: Path) -> Position:
        """The place of the part, or of the nearest one around it that there is."""
        while path and path not in self._found:
            path = path[:-1]
        return self.at(self._found.get(path, 0))

    def at(self, offset: int) -> Position:
        """Line and column of a character."""
        line = bisect_left(self._newlines, offset)
        return Position(line + 1, offset - (self._newlines[line - 1] if line else -1))

    def _read(self, opening: str, path: Path) -> None:
        if opening == "{":
            self._read_object(path)
        elif opening == "[":
            self._read_list(path)

    def _read_object(self, path: Path) -> None:
        for token in self._tokens:
            if token[0] == "}":
                return
            if token[0] == ",":
                continue
            member = (*path, str(json.loads(token[0])))
            if member in self._found:
                self.twice.append(member)
            self._found[member] = token.start()
            next(self._tokens)  # the colon
            self._read(next(self._tokens)[0], member)

    def _read_list(self, path: Path) -> None:
        index = 0
        for token in self._tokens:
            if token[0] == "]":
                return
            if token[0] == ",":
                continue
            self._found[*path, index] = token.start()
            self._read(token[0], (*path, index))
            index += 1
