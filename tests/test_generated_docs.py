"""What the documents say of words, formats and products is what the program says; nobody has to remember it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from auditor.catalog import load_catalog
from auditor.model import FactKind, Grade, ProblemCode
from auditor.report.outcome import EXIT_CODES
from auditor.report.reference import CELLS, render_formats, render_reference
from tests.refresh_docs import (
    README,
    REFERENCE,
    blocks,
    blocks_in,
    commands,
    documents,
    format_documents,
    refreshed,
)

RENDERED = blocks()
REFRESH = "python -m tests.refresh_docs writes it anew"


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_a_generated_block_is_what_the_program_renders(path: Path) -> None:
    for name, text in blocks_in(path.read_text(encoding="utf-8")).items():
        assert name in RENDERED, f"no such block: {name}"
        assert text == RENDERED[name], REFRESH


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_every_marker_opens_a_block_that_ends(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(re.findall("<!-- generated", text)) == len(blocks_in(text)) == len(re.findall("<!-- end", text))


@pytest.mark.parametrize("name", ["exit-codes", "grades", "coverage"])
def test_the_readme_has_the_tables_a_reader_needs_first(name: str) -> None:
    assert name in blocks_in(README.read_text(encoding="utf-8"))


def test_the_reference_is_generated_as_a_whole() -> None:
    assert REFERENCE.read_text(encoding="utf-8") == render_reference(RENDERED), REFRESH


def rows(name: str) -> list[list[str]]:
    """The cells of a rendered table, without its head."""
    lines = [line for line in RENDERED[name].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("exit-codes", [str(code) for code in EXIT_CODES]),
        ("problem-codes", [f"`{code.value}`" for code in ProblemCode]),
        ("fact-kinds", [f"`{kind.value}`" for kind in FactKind]),
        ("commands", [f"`{name}`" for name, _ in commands()]),
    ],
)
def test_a_table_has_every_word_once(name: str, words: list[str]) -> None:
    assert [row[0] for row in rows(name)] == words
    assert all(cell for row in rows(name) for cell in row)


def test_every_grade_says_whether_it_is_a_finding() -> None:
    found = {row[1].strip("*"): (row[0], row[3]) for row in rows("grades")}
    assert set(found) == {grade.value for grade in Grade}
    assert [found[name] for name in ("impostor", "sibling", "embedded", "referenced")] == [
        ("app", "yes"),
        ("app", "no"),
        ("sdk", "yes"),
        ("sdk", "no"),
    ]


def test_every_format_module_that_names_its_limits_is_in_the_table() -> None:
    described = sorted(name for name, document in format_documents().items() if name != "blob")
    assert [row[0].strip("`") for row in rows("formats")] == described
    assert all(len(row) == 3 and row[2] for row in rows("formats"))


def test_what_is_not_read_ends_with_its_paragraph() -> None:
    document = "Reads X.\n\nSpec: x.\nNot read: a; b,\nc | d.\n\nMore."
    assert render_formats({"x": document, "y": "No list."}).splitlines()[2:] == ["| `x` | Reads X. | a; b, c \\| d |"]


def test_every_product_has_every_cell_or_a_numbered_reason() -> None:
    subjects = load_catalog().subjects
    assert [row[0] for row in rows("coverage")] == [subject.name for subject in subjects.values()]
    for row, subject in zip(rows("coverage"), subjects.values(), strict=True):
        assert all(row)
        missing = [cell for cell, text in zip(CELLS, row[1:], strict=True) if text.startswith("n/a")]
        assert missing == [cell for cell in CELLS if cell in dict(subject.unknown)]
    numbers = re.findall(r"n/a \((\d+)\)", RENDERED["coverage"])
    assert [int(number) for number in numbers] == list(range(1, len(numbers) + 1))
    for number in numbers:
        assert re.search(rf"^{number}\. .{{20,}}$", RENDERED["coverage"], re.MULTILINE)


def test_no_document_judges() -> None:
    for path in documents():
        assert not re.search(r"\b(illegal|prohibited|banned|forbidden)\b", path.read_text(encoding="utf-8"), re.I)


def test_refreshing_replaces_the_blocks_and_nothing_else() -> None:
    text = "a\n<!-- generated: x -->\nold\n\nolder\n<!-- end -->\nb\n<!-- generated: y -->\n<!-- end -->\n"
    new = refreshed(text, {"x": "1\n2", "y": "3"})
    assert new == "a\n<!-- generated: x -->\n1\n2\n<!-- end -->\nb\n<!-- generated: y -->\n3\n<!-- end -->\n"
    assert refreshed(new, {"x": "1\n2", "y": "3"}) == new
    assert blocks_in(new) == {"x": "1\n2", "y": "3"}
