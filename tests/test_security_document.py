"""docs/security.md tells of every requirement that tests are marked with, and of which tests they are."""

import pytest

from tests.asvs import DOCUMENT, proofs, rows, written

pytestmark = pytest.mark.pure
# Of OWASP ASVS 5.0.0, chapters 6 (Authentication) and 7 (Session Management): what applies here and is promised.
PROMISED = {
    "6.1.1",
    *("6.2.1", "6.2.2", "6.2.3", "6.2.4", "6.2.5", "6.2.6", "6.2.7", "6.2.8", "6.2.9", "6.2.10", "6.2.11", "6.2.12"),
    *("6.3.1", "6.3.2", "6.3.3", "6.3.4", "6.3.5", "6.3.7", "6.3.8"),
    *("6.4.1", "6.4.3", "6.4.4"),
    *("6.5.1", "6.5.3", "6.5.4", "6.5.5", "6.5.6", "6.5.8"),
    *("6.6.1", "6.6.2", "6.6.3", "6.7.2"),
    *("7.2.3", "7.2.4", "7.3.1", "7.3.2", "7.4.1", "7.4.2", "7.4.3", "7.4.5", "7.5.1", "7.5.2", "7.5.3"),
}


def test_every_requirement_that_is_promised_has_a_test() -> None:
    assert PROMISED - proofs().keys() == set()


def test_the_document_has_a_row_for_every_requirement_that_is_tested() -> None:
    told = rows(DOCUMENT.read_text())
    assert sorted(told) == sorted(set(told)) == sorted(proofs())


def test_the_document_names_the_tests_as_they_are() -> None:
    text = DOCUMENT.read_text()
    assert written(text) == text, "python -m tests.asvs writes it anew"
