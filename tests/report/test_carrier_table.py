"""The table of carriers and records speaks of every kind there is, in the words of the modules that read it."""

from __future__ import annotations

from auditor.containers.carrier_kinds import CARRIERS
from auditor.model import RecordKind
from auditor.report.carrier_table import CARRIER_READS, RECORD_FORMATS, render_carriers
from tests.refresh_docs import format_documents

TABLE = render_carriers(format_documents())


def test_every_kind_of_carrier_has_words_and_no_other_has() -> None:
    assert set(CARRIER_READS) == {kind.name for kind in CARRIERS}


def test_every_kind_of_record_has_its_format_modules() -> None:
    assert set(RECORD_FORMATS) == set(RecordKind)


def test_every_module_that_is_named_exists() -> None:
    documents = format_documents()
    named = {name for kind in CARRIERS for name in kind.modules} | {
        n for names in RECORD_FORMATS.values() for n in names
    }
    assert named <= set(documents)


def test_every_row_says_what_is_read() -> None:
    rows = [line.split(" | ") for line in TABLE.splitlines() if line.startswith("| ") and "---" not in line]
    assert len(rows) == 2 + 4 + len(CARRIERS) + 1 + len(RecordKind)
    assert all(len(row) == 3 for row in rows)
    assert [row[0] for row in rows if not row[1].strip()] == ["| named only"]


def test_what_is_left_out_comes_from_the_docstring_of_the_reader() -> None:
    assert "| ext2, ext3, ext4 |" in TABLE
    assert "the journal" in next(line for line in TABLE.splitlines() if line.startswith("| ext2, ext3, ext4"))
