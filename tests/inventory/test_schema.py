"""The schema keeps its own promises: strict types, checked references, documented columns."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.inventory import Inventory
from auditor.inventory.schema_document import document_schema, schema_markdown
from auditor.model import Device, Origin, Problem, ProblemCode
from tests.builders import audits as made
from tests.builders import device_records

PUBLIC_VIEWS = [
    "apps",
    "findings",
    "carriers",
    "where_seen",
    "evidence_detail",
    "unreadable",
    "device_state",
    "recorded",
]


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A database in which every table has rows."""
    with Inventory.open(tmp_path / "i.db") as inventory:
        scan_id = inventory.begin(made.a_scan(), started=made.SEEN, device=Device("d", "f"))
        app = made.a_split_app()
        for audit in (made.an_audit(app, made.some_facts(app)), made.an_audit(made.an_app(), ())):
            inventory.record(scan_id, audit, seen=made.SEEN)
            inventory.record(scan_id, audit, seen=made.SEEN)
        inventory.record_listings(scan_id, device_records.a_record(device_records.listing()), seen=made.SEEN)
        inventory.record_problem(scan_id, Problem(ProblemCode.EMPTY, Origin(("e",)), ""))
        inventory.finish(scan_id, finished=made.SEEN, complete=True)
        yield inventory.connection


def our_tables(connection: sqlite3.Connection) -> list[str]:
    relations = {relation.name for relation in document_schema() if relation.kind == "table"} - {"search"}
    return sorted(relations)


def test_every_table_is_strict(connection: sqlite3.Connection) -> None:
    strict = {row[1] for row in connection.execute("PRAGMA table_list") if row[5]}
    assert set(our_tables(connection)) <= strict


def test_every_table_is_written_to(connection: sqlite3.Connection) -> None:
    empty = [name for name in our_tables(connection) if not connection.execute(f"SELECT 1 FROM {name}").fetchone()]
    assert empty == []


def test_references_and_pages_are_sound_after_recording(connection: sqlite3.Connection) -> None:
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.execute("INSERT INTO search (search) VALUES ('integrity-check')")


def test_every_reference_has_an_index_so_that_replacing_stays_fast(connection: sqlite3.Connection) -> None:
    missing = []
    for table in our_tables(connection):
        leading = set()
        for _, index, *_ in connection.execute(f"PRAGMA index_list({table})").fetchall():
            leading.add(connection.execute(f"PRAGMA index_info({index})").fetchone()[2])
        leading |= {row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[5] == 1}
        references = {row[3] for row in connection.execute(f"PRAGMA foreign_key_list({table})")}
        missing += [f"{table}.{column}" for column in sorted(references - leading)]
    assert missing == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE builds SET platform = 'windows'",
        "UPDATE builds SET app_id = NULL",
        "UPDATE builds SET attributes = 'no json'",
        "UPDATE parts SET size = 'many'",
        "UPDATE evidence SET offset = 0.5",
        "UPDATE answers SET verdict = 'perhaps'",
        "UPDATE scans SET complete = 2",
        "UPDATE scans SET finished = NULL",
        "UPDATE sightings SET build = NULL",
        "UPDATE sightings SET build = 99",
        "UPDATE problems SET scan = 1",
        "UPDATE listed SET system = 2",
        "UPDATE listed SET signers = 'no json'",
        "UPDATE records SET users = 'no json'",
        "INSERT INTO listed_findings SELECT 99, 0, '', '', '', 'app', '', '', NULL",
        "UPDATE build_facts SET facts = 'text'",
        "DELETE FROM scans",
        "DELETE FROM catalogs",
        "INSERT INTO labels (build, locale, label) VALUES (99, '', '')",
    ],
)
def test_a_row_that_makes_no_sense_is_refused(connection: sqlite3.Connection, statement: str) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)


def test_a_sighting_is_looked_up_in_its_index(connection: sqlite3.Connection) -> None:
    plan = connection.execute(
        "EXPLAIN QUERY PLAN SELECT id FROM sightings"
        " WHERE build = 1 AND ifnull(device, 0) = ifnull(2, 0) AND user = '' AND origin = ''"
    ).fetchall()
    assert [row[3] for row in plan] == [
        "SEARCH sightings USING INDEX sightings_build (build=? AND <expr>=? AND user=? AND origin=?)"
    ]


def test_everything_is_documented() -> None:
    bare = [
        f"{relation.name}.{name}"
        for relation in document_schema()
        for name, comment in [("", relation.comment), *((name, comment) for name, _, comment in relation.columns)]
        if not comment
    ]
    assert bare == []


def test_the_document_shows_the_public_views_first() -> None:
    relations = document_schema()
    assert [relation.name for relation in relations[: len(PUBLIC_VIEWS)]] == PUBLIC_VIEWS
    text = schema_markdown()
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        f"## {relation.kind} `{relation.name}`" for relation in relations
    ]
    assert "| `app_id` (TEXT) | package name or bundle identifier; empty where unreadable |" in text


def test_the_committed_document_is_fresh() -> None:
    """To renew it, write what schema_markdown() returns into docs/schema.md."""
    committed = Path(__file__).resolve().parents[2] / "docs" / "schema.md"
    assert committed.read_text(encoding="utf-8") == schema_markdown()
