"""The inventory as the rest of the program sees it: open, record, read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from auditor.errors import InventoryError, UsageError
from auditor.inventory import read, read_listings, record, record_listings
from auditor.inventory.database import connect, explained, explained_rows, snapshot, transaction
from auditor.inventory.read import StoredScan
from auditor.inventory.stored_text import escape_text, restore_text
from auditor.inventory.string_filter import StringFilter
from auditor.model import Audit, Device, FactBatch, JudgedRecord, Problem, Scan

WAIT_SECONDS = 30.0
"""How long a writer waits for another one; one app takes milliseconds."""
_SHORTEST_TRIGRAM = 3
_SEARCHED = " || char(10) || ".join(("search.app_id", "labels", "subjects", "signatures", "signers"))


class Inventory:
    """One open inventory. Close it, or use it as a context manager.

    It reads no clock: times are given by the caller, UTC as ISO 8601. Every method raises InventoryError when the
    database is locked, damaged or cannot be written.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    @classmethod
    def open(cls, path: Path | str, *, create: bool = True, wait_seconds: float = WAIT_SECONDS) -> Inventory:
        """Open the inventory at ``path``, bring its schema up to date, and create it where allowed.

        Raises:
            InventoryError: the file is missing, no inventory, from a newer program, locked, read-only or damaged.
        """
        path = Path(path)
        return cls(connect(path, create=create, wait_seconds=wait_seconds), path)

    def close(self) -> None:
        """Close the database; what was recorded is already safe."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def connection(self) -> sqlite3.Connection:
        """The database itself, for queries over the documented views."""
        return self._connection

    def begin(self, scan: Scan, *, started: str, device: Device | None = None, command: str = "") -> int:
        """Record that a scan starts, and return its id; until `finish` it counts as incomplete."""
        with explained(self._path), transaction(self._connection):
            return record.insert_scan(self._connection, scan, started=started, device=device, command=command)

    def record(self, scan_id: int, audit: Audit, *, seen: str, user: str = "") -> None:
        """Record one app in one transaction.

        The same bytes again add a sighting at most; answers for the same build and catalog are replaced.
        """
        with explained(self._path), transaction(self._connection):
            self._check_scan(scan_id)
            record.insert_audit(self._connection, scan_id, audit, seen=seen, user=user)

    def record_listings(self, scan_id: int, judged: JudgedRecord, *, seen: str) -> None:
        """Record what one record of a device says, in one transaction."""
        with explained(self._path), transaction(self._connection):
            self._check_scan(scan_id)
            record_listings.insert_record(self._connection, scan_id, judged, seen=seen)

    def record_problem(self, scan_id: int, problem: Problem) -> None:
        """Record a problem that belongs to no app."""
        with explained(self._path), transaction(self._connection):
            self._check_scan(scan_id)
            record.insert_scan_problem(self._connection, scan_id, problem)

    def finish(self, scan_id: int, *, finished: str, complete: bool) -> None:
        """Record that a scan ended, and whether it went through all of its input."""
        with explained(self._path), transaction(self._connection):
            self._check_scan(scan_id)
            record.finish_scan(self._connection, scan_id, finished=finished, complete=complete)

    def latest_scan(self, *, target: str | None = None, device: str | None = None) -> int | None:
        """The id of the scan that began last, of a target or device where one is named; also an incomplete one."""
        conditions, values = ["1"], []
        if target is not None:
            conditions.append("EXISTS (SELECT 1 FROM scan_targets WHERE scan = scans.id AND target = ?)")
            values.append(escape_text(target))
        if device is not None:
            conditions.append("device = (SELECT id FROM devices WHERE name = ?)")
            values.append(escape_text(device))
        with explained(self._path):
            sql = f"SELECT max(id) FROM scans WHERE {' AND '.join(conditions)}"
            found: int | None = self._connection.execute(sql, values).fetchone()[0]
            return found

    def scans(self) -> list[StoredScan]:
        """All scans, oldest first."""
        with explained(self._path):
            ids = [row[0] for row in self._connection.execute("SELECT id FROM scans ORDER BY id")]
        return [self.scan(scan_id) for scan_id in ids]

    def scan(self, scan_id: int) -> StoredScan:
        """One scan with its times.

        Raises:
            UsageError: there is none of that id.
        """
        with explained_rows(self._path), snapshot(self._connection):
            found = read.load_scan(self._connection, scan_id)
        if found is None:
            raise self._no_scan(scan_id)
        return found

    def scan_problems(self, scan_id: int) -> tuple[Problem, ...]:
        """The problems of a scan that belong to no app, in the order they were recorded."""
        with explained_rows(self._path), snapshot(self._connection):
            return read.load_scan_problems(self._connection, scan_id)

    def audits(self, scan_id: int | None = None, *, device: str | None = None, facts: bool = False) -> Iterator[Audit]:
        """The apps of a scan, ascending by origin; without an id those of the latest scan (of the device, if named).

        Facts are left out unless asked for: a report needs none, and they are large.
        """
        if scan_id is None:
            scan_id = self.latest_scan(device=device)
            if scan_id is None:
                return
        apps = read.load_audits(self._connection, scan_id, facts=facts)
        while True:
            with explained_rows(self._path), snapshot(self._connection):
                audit = next(apps, None)
            if audit is None:
                return
            yield audit

    def records(self, scan_id: int) -> list[JudgedRecord]:
        """What the records of a scan say of the apps they name, in the order they were read."""
        with explained_rows(self._path), snapshot(self._connection):
            return list(read_listings.load_records(self._connection, scan_id))

    def device_scans(self, device: str) -> list[int]:
        """The latest scan of each set of inputs of a device, ascending; complete ones before those that broke off."""
        sql = (
            "SELECT scans.id, scans.complete, (SELECT group_concat(target, char(10)) FROM (SELECT target FROM"
            " scan_targets WHERE scan = scans.id ORDER BY position)) FROM scans"
            " JOIN devices ON devices.id = scans.device WHERE devices.name = ? ORDER BY scans.id"
        )
        with explained(self._path):
            rows = self._connection.execute(sql, (escape_text(device),)).fetchall()
        latest: dict[str, tuple[int, int]] = {}
        for scan_id, complete, target in rows:
            if complete or not latest.get(target, (0, 0))[0]:
                latest[target] = (complete, scan_id)
        return sorted(scan_id for _, scan_id in latest.values())

    def devices(self) -> list[Device]:
        """All devices, ascending by id."""
        sql = "SELECT devices.name, ifnull(fleets.name, '') FROM devices LEFT JOIN fleets ON fleets.id = devices.fleet"
        with explained(self._path):
            rows = self._connection.execute(f"{sql} ORDER BY devices.name").fetchall()
        return [Device(restore_text(name), restore_text(fleet)) for name, fleet in rows]

    def facts(self, build: str) -> tuple[FactBatch, ...]:
        """What was observed in a build, string constants excepted; origins are those of its first sighting."""
        with explained_rows(self._path), snapshot(self._connection):
            key = self._build(build)
            return read.load_facts(self._connection, key, read.first_bases(self._connection, key))

    def strings(self, build: str) -> StringFilter:
        """The membership filter of a build's string constants."""
        with explained_rows(self._path), snapshot(self._connection):
            return read.load_strings(self._connection, self._build(build))

    def builds(self) -> list[str]:
        """The keys of all builds, ascending."""
        with explained(self._path):
            return [row[0] for row in self._connection.execute("SELECT sha256 FROM builds ORDER BY sha256")]

    def search(self, text: str) -> list[tuple[str, str]]:
        """Apps whose id, name, subject, signature or signer holds ``text``: (app id, build), ascending."""
        stored = escape_text(text)
        if len(stored) >= _SHORTEST_TRIGRAM:
            condition, value = "search MATCH ?", '"' + stored.replace('"', '""') + '"'
        else:
            # The index has no entry shorter than three characters, and many Chinese names are. LIKE would not do:
            # SQLite 3.40 counts bytes where it should count characters, asks the index after all, and finds nothing.
            condition, value = f"instr(lower({_SEARCHED}), lower(?)) > 0", stored
        sql = (
            "SELECT builds.app_id, builds.sha256 FROM search JOIN builds ON builds.id = search.rowid"
            f" WHERE {condition} ORDER BY builds.app_id, builds.sha256"
        )
        with explained(self._path):
            return [(restore_text(app_id), build) for app_id, build in self._connection.execute(sql, (value,))]

    def _build(self, sha256: str) -> int:
        key = read.find_build(self._connection, sha256)
        if key is None:
            raise UsageError(f"{self._path}: no build {sha256} in this inventory")
        return key

    def _check_scan(self, scan_id: int) -> None:
        if self._connection.execute("SELECT 1 FROM scans WHERE id = ?", (scan_id,)).fetchone() is None:
            raise self._no_scan(scan_id)

    def _no_scan(self, scan_id: int) -> UsageError:
        return UsageError(f"{self._path}: no scan {scan_id} in this inventory")


__all__ = ["Inventory", "InventoryError", "StoredScan"]
