"""Opens the database file, and says what to do when that fails."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from auditor.errors import InventoryError
from auditor.inventory.migrations import SCHEMA_VERSION, migrate
from auditor.inventory.schema import APPLICATION_ID

_OLDEST_SQLITE = (3, 37, 0)
"""STRICT tables; trigram search is older."""
_MAGIC = b"SQLite format 3\x00"

_FAULTS = {
    sqlite3.SQLITE_BUSY: "is locked by another program: wait until that is done, then run this again",
    sqlite3.SQLITE_LOCKED: "is locked by another program: wait until that is done, then run this again",
    sqlite3.SQLITE_READONLY: "is read-only: make the file and its folder writable, or work on a copy",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: check that its folder exists and is writable",
    sqlite3.SQLITE_PERM: "cannot be opened: check the permissions of the file and its folder",
    sqlite3.SQLITE_NOTADB: "is not a SQLite database: name another file",
    sqlite3.SQLITE_CORRUPT: "is damaged: restore a copy, or move it away and scan again",
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full",
    sqlite3.SQLITE_IOERR: "cannot be read or written: the disk reports an error",
    sqlite3.SQLITE_SCHEMA: "was changed by another program meanwhile: run this again",
}
_DAMAGED = _FAULTS[sqlite3.SQLITE_CORRUPT]


def inventory_error(path: Path, fault: sqlite3.Error) -> InventoryError:
    """Say what a fault of SQLite means for the user."""
    code = getattr(fault, "sqlite_errorcode", None)
    advice = None if code is None else _FAULTS.get(code & 0xFF)
    return InventoryError(f"{path}: the inventory {advice or 'cannot be used'} ({fault})")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn faults of SQLite into InventoryError."""
    try:
        yield
    except sqlite3.Error as fault:
        raise inventory_error(path, fault) from fault


@contextmanager
def explained_rows(path: Path) -> Iterator[None]:
    """Turn faults of SQLite, and rows that make no sense, into InventoryError."""
    try:
        yield
    except sqlite3.Error as fault:
        raise inventory_error(path, fault) from fault
    except (ValueError, KeyError, IndexError, TypeError) as fault:
        raise InventoryError(f"{path}: the inventory {_DAMAGED} ({fault})") from fault


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Hold the write lock; all or nothing, also when the user interrupts."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """See one state of the database over several queries, whatever others write meanwhile."""
    try:
        connection.execute("BEGIN")
        yield
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def connect(path: Path, *, create: bool, wait_seconds: float) -> sqlite3.Connection:
    """Open an inventory, create it where asked to, and bring it up to date.

    Raises:
        InventoryError: it is missing, foreign, newer than this program, locked, read-only or damaged.
    """
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise InventoryError(f"Python comes with SQLite {sqlite3.sqlite_version}; 3.37 or newer is needed")
    _check_file(path, create)
    with explained(path):
        mode = "rwc" if create else "rw"
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=wait_seconds, isolation_level=None
        )
        ready = False
        try:
            _prepare(connection, path, create)
            ready = True
        finally:
            if not ready:
                connection.close()
    return connection


def _check_file(path: Path, create: bool) -> None:
    if path.exists() and not path.is_file():
        raise InventoryError(f"{path}: not a file, so not an inventory: name another one")
    try:
        with path.open("rb") as stream:
            start = stream.read(len(_MAGIC))
    except FileNotFoundError:
        if not create:
            raise InventoryError(f"{path}: no such inventory: run `auditor scan` first, or name another file") from None
        if not path.parent.is_dir():
            raise InventoryError(f"{path}: its folder does not exist: create it first") from None
        return
    except OSError as fault:
        raise InventoryError(f"{path}: cannot be opened: {fault.strerror or fault}") from fault
    if start and start != _MAGIC:
        raise InventoryError(f"{path}: the inventory is not a SQLite database: name another file")
    if not start and not create and not path.with_name(path.name + "-wal").exists():
        raise InventoryError(f"{path}: an empty file, not an inventory: run `auditor scan` first, or name another file")


def _prepare(connection: sqlite3.Connection, path: Path, create: bool) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    version = _check_owner(connection, path)
    if version < SCHEMA_VERSION:
        with transaction(connection):
            # Another program may have been first while this one waited for the lock.
            if _check_owner(connection, path) < SCHEMA_VERSION:
                migrate(connection)
    if create:
        _probe_write(connection)
    connection.execute("PRAGMA journal_mode = WAL")
    # WAL with NORMAL survives a killed program; only a power cut can lose the last transactions, never the file.
    connection.execute("PRAGMA synchronous = NORMAL")


def _check_owner(connection: sqlite3.Connection, path: Path) -> int:
    """Return the schema version: 0 for a new database."""
    owner = _pragma(connection, "application_id")
    version = _pragma(connection, "user_version")
    if owner != APPLICATION_ID:
        if owner or version or connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise InventoryError(f"{path}: a database of another program, not an inventory: name another file")
        return 0
    if version > SCHEMA_VERSION:
        raise InventoryError(
            f"{path}: written by a newer auditor (schema {version}, this one knows {SCHEMA_VERSION}):"
            " update the auditor, or name another file"
        )
    return version


def _probe_write(connection: sqlite3.Connection) -> None:
    """Fail now rather than after the first app, when the file cannot be written."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        # On a read-only file SQLite lets a transaction begin; only a write shows it.
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
