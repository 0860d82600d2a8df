"""Opening an inventory: made where allowed, brought up to date, and every refusal says what to do next."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from auditor.errors import InventoryError
from auditor.inventory import Inventory, database
from auditor.inventory.migrations import SCHEMA_VERSION
from auditor.inventory.schema import APPLICATION_ID
from auditor.model import Device, State
from tests.builders import audits as made
from tests.builders import device_records


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "inventory.db"


def execute(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    try:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    finally:
        connection.close()


def test_a_new_file_becomes_an_inventory_that_opens_again(path: Path) -> None:
    Inventory.open(path).close()
    with Inventory.open(str(path), create=False) as inventory:
        pragmas = {
            name: inventory.connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "user_version", "journal_mode", "foreign_keys")
        }
    assert pragmas == {
        "application_id": APPLICATION_ID,
        "user_version": SCHEMA_VERSION,
        "journal_mode": "wal",
        "foreign_keys": 1,
    }


def test_the_migrations_are_those_of_sqlite_utils_and_run_once(path: Path) -> None:
    for _ in range(2):
        with Inventory.open(path) as inventory:
            rows = inventory.connection.execute("SELECT migration_set, name FROM _sqlite_migrations").fetchall()
    assert rows == [("auditor", "m001_initial"), ("auditor", "m002_version_basis"), ("auditor", "m003_records")]
    assert len(rows) == SCHEMA_VERSION


def test_a_database_of_the_first_schema_learns_how_versions_are_known(path: Path) -> None:
    with Inventory.open(path) as inventory:
        fresh = inventory.connection.execute("SELECT sql FROM sqlite_master WHERE name = 'carriers'").fetchone()
    for statement in (
        "DROP VIEW carriers",
        "CREATE VIEW carriers AS SELECT version AS sdk_version FROM matches",
        "ALTER TABLE matches DROP COLUMN version_basis",
        "DELETE FROM _sqlite_migrations WHERE name = 'm002_version_basis'",
        "PRAGMA user_version = 1",
    ):
        execute(path, statement)
    with Inventory.open(path) as inventory:
        columns = {row[1] for row in inventory.connection.execute("PRAGMA table_info(matches)")}
        view = inventory.connection.execute("SELECT sql FROM sqlite_master WHERE name = 'carriers'").fetchone()
    assert "version_basis" in columns
    assert view == fresh


def test_a_database_of_the_second_schema_keeps_its_data_and_takes_records(path: Path) -> None:
    """version_2.sql is what the program of that schema wrote for these two audits."""
    connection = sqlite3.connect(path)
    connection.executescript((Path(__file__).parent / "version_2.sql").read_text(encoding="utf-8"))
    connection.close()
    clean = made.a_clean_audit(made.an_app("data/app/clean-1/base.apk", "com.example.clean"))
    with Inventory.open(path) as inventory:
        assert inventory.connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert list(inventory.audits(1)) == [made.an_audit(), clean]
        stored = inventory.scan(1)
        assert stored.device == Device("phone-1", "sales")
        assert (stored.scan.complete, len(stored.scan.problems), inventory.records(1)) == (True, 1, [])
        assert inventory.search("com.example.clean") == [("com.example.clean", clean.app.build)]
        judged = device_records.a_record(
            device_records.listing(state=State.INSTALLED), device_records.listing(state=State.SHADOWED)
        )
        inventory.record_listings(1, judged, seen=made.SEEN)
        assert inventory.records(1) == [judged]
        inventory.record(1, made.an_audit(), seen=made.SEEN)
        views = dict(inventory.connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'view'"))
        tables = columns_of(inventory)
    with Inventory.open(path.with_name("new.db")) as fresh:
        assert views == dict(fresh.connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'view'"))
        assert tables == columns_of(fresh)


def columns_of(inventory: Inventory) -> dict[str, set[str]]:
    names = [row[0] for row in inventory.connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {name: {row[1] for row in inventory.connection.execute(f"PRAGMA table_info({name})")} for name in names}


def test_an_empty_file_becomes_an_inventory(path: Path) -> None:
    path.touch()
    with Inventory.open(path) as inventory:
        assert inventory.scans() == []


def test_closing_leaves_one_file(path: Path) -> None:
    with Inventory.open(path) as inventory:
        inventory.begin(made.a_scan(), started=made.SEEN)
    assert sorted(os.listdir(path.parent)) == ["inventory.db"]


def a_text_file(path: Path) -> None:
    path.write_text("app,version\ncom.example,1\n" * 100)


def a_folder(path: Path) -> None:
    path.mkdir()


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_foreign_database(path: Path) -> None:
    execute(path, "CREATE TABLE cookies (name TEXT)")


def a_marked_foreign_database(path: Path) -> None:
    execute(path, "PRAGMA application_id = 7", "CREATE TABLE t (x)", "DROP TABLE t")


def a_newer_inventory(path: Path) -> None:
    Inventory.open(path).close()
    execute(path, f"PRAGMA user_version = {SCHEMA_VERSION + 1}")


def a_damaged_inventory(path: Path) -> None:
    Inventory.open(path).close()
    data = bytearray(path.read_bytes())
    data[100:4096] = b"\xff" * (4096 - 100)
    path.write_bytes(data)


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (a_text_file, "not a SQLite database: name another file"),
        (a_folder, "not a file, so not an inventory: name another one"),
        (a_pipe, "not a file, so not an inventory: name another one"),
        (a_foreign_database, "a database of another program, not an inventory: name another file"),
        (a_marked_foreign_database, "a database of another program"),
        (a_newer_inventory, "written by a newer auditor .* update the auditor"),
        (a_damaged_inventory, "damaged: restore a copy, or move it away and scan again"),
    ],
)
def test_another_file_is_refused_and_left_alone(path: Path, make: object, message: str, create: bool) -> None:
    assert callable(make)
    make(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(InventoryError, match=message) as raised:
        Inventory.open(path, create=create)
    assert "inventory.db" in str(raised.value)
    assert "\n" not in str(raised.value)
    assert (path.read_bytes() if path.is_file() else b"") == before


def test_a_missing_inventory_is_not_made_by_reading(path: Path) -> None:
    with pytest.raises(InventoryError, match="no such inventory: run `auditor scan` first"):
        Inventory.open(path, create=False)
    path.touch()
    with pytest.raises(InventoryError, match="an empty file, not an inventory"):
        Inventory.open(path, create=False)
    assert path.read_bytes() == b""


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match="its folder does not exist: create it first"):
        Inventory.open(tmp_path / "nowhere" / "inventory.db")


def test_a_read_only_inventory_is_read_but_refuses_a_scan(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Inventory.open(path).close()
    connect = sqlite3.connect

    # Tests may run as root, whom permissions do not stop; SQLite's own read-only mode stops everybody.
    def connect_read_only(name: str, **options: object) -> sqlite3.Connection:
        return connect(name.split("?")[0] + "?mode=ro", **options)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr(database.sqlite3, "connect", connect_read_only)
    with Inventory.open(path, create=False) as inventory:
        assert inventory.scans() == []
        with pytest.raises(InventoryError, match="read-only: make the file and its folder writable"):
            inventory.begin(made.a_scan(), started=made.SEEN)
    with pytest.raises(InventoryError, match="read-only"):
        Inventory.open(path)


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (sqlite3.SQLITE_BUSY, "wait until that is done"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "wait until that is done"),
        (sqlite3.SQLITE_FULL, "the disk is full"),
        (sqlite3.SQLITE_IOERR_WRITE, "the disk reports an error"),
        (sqlite3.SQLITE_CANTOPEN, "check that its folder exists and is writable"),
        (sqlite3.SQLITE_CORRUPT_INDEX, "restore a copy"),
        (sqlite3.SQLITE_MISUSE, "cannot be used"),
    ],
)
def test_every_fault_of_sqlite_is_explained(code: int, advice: str) -> None:
    fault = sqlite3.OperationalError("the reason")
    fault.sqlite_errorcode = code
    message = str(database.inventory_error(Path("i.db"), fault))
    assert message.startswith("i.db: ")
    assert advice in message
    assert "the reason" in message


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE builds SET platform = 'android', signing_state = 'signed by elves'",
        "UPDATE builds SET signing_trusted = '[1]'",
        "UPDATE matches SET grade = 'splendid'",
        "UPDATE problems SET code = 'bad-luck'",
        "UPDATE evidence SET part = 99",
        'UPDATE sightings SET layout = \'[[9, "x", ""]]\'',
    ],
)
def test_rows_that_make_no_sense_are_a_damaged_inventory(path: Path, statement: str) -> None:
    with Inventory.open(path) as inventory:
        inventory.record(inventory.begin(made.a_scan(), started=made.SEEN), made.an_audit(), seen=made.SEEN)
    execute(path, statement)
    with Inventory.open(path) as inventory, pytest.raises(InventoryError, match="is damaged"):
        list(inventory.audits())


@pytest.mark.parametrize("column", ["facts", "strings"])
def test_facts_that_do_not_unpack_are_a_damaged_inventory(path: Path, column: str) -> None:
    audit = made.an_audit(facts=made.some_facts(made.an_app()))
    with Inventory.open(path) as inventory:
        inventory.record(inventory.begin(made.a_scan(), started=made.SEEN), audit, seen=made.SEEN)
    execute(path, f"UPDATE build_facts SET {column} = x'00ff00'")
    with Inventory.open(path) as inventory, pytest.raises(InventoryError, match="is damaged"):
        inventory.facts(audit.app.build) if column == "facts" else inventory.strings(audit.app.build)
