"""Which test proves which requirement of OWASP ASVS 5.0.0, by the tests' marks; ``python -m tests.asvs`` tells docs/security.md.

A row of the document's table says what iamconsole does about a requirement, in words; its last column is made here.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "security.md"
_ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| (.*?) \|(?: .*\|)?$", re.MULTILINE)


def proofs() -> Mapping[str, list[str]]:
    """By requirement, the tests that are marked with it: ``test_mfa: a code is good one step either way``."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").glob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef):
                for requirement in _marks(node):
                    found[requirement].append(f"{path.stem}: {node.name.removeprefix('test_').replace('_', ' ')}")
    return found


def _marks(test: ast.FunctionDef) -> list[str]:
    calls = [each for each in test.decorator_list if isinstance(each, ast.Call)]
    marks = [each for each in calls if ast.unparse(each.func) == "pytest.mark.asvs"]
    return [str(ast.literal_eval(argument)) for each in marks for argument in each.args]


def rows(text: str) -> list[str]:
    """The requirements that have a row."""
    return [match[1] for match in _ROW.finditer(text)]


def written(text: str) -> str:
    """The document with the last column as the marks have it now."""
    proved = proofs()

    def row(match: re.Match[str]) -> str:
        return f"| {match[1]} | {match[2]} | {'<br>'.join(proved.get(match[1], []))} |"

    return _ROW.sub(row, text)


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text()))
