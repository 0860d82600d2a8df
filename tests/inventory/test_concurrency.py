"""Several programs, and programs that die."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from auditor.errors import InventoryError
from auditor.inventory import Inventory
from tests.builders import audits as made

ROOT = Path(__file__).resolve().parents[2]

RECORD_FOR_EVER = """
import sys
from auditor.inventory import Inventory
from tests.builders import audits as made
with Inventory.open(sys.argv[1]) as inventory:
    scan_id = inventory.begin(made.a_scan(), started=made.SEEN)
    for number in range(100_000):
        app = made.an_app(f"apps/{number:05}.apk", f"com.example.a{number}")
        inventory.record(scan_id, made.an_audit(app, made.some_facts(app)), seen=made.SEEN)
        print(number, flush=True)
"""

RECORD_TEN = """
import sys
from auditor.inventory import Inventory
from tests.builders import audits as made
with Inventory.open(sys.argv[1]) as inventory:
    scan_id = inventory.begin(made.a_scan(sys.argv[2]), started=made.SEEN)
    for number in range(10):
        app = made.an_app(f"apps/{number}.apk", f"com.example.a{number}")
        inventory.record(scan_id, made.an_audit(app), seen=made.SEEN)
    inventory.finish(scan_id, finished=made.SEEN, complete=True)
"""


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", code, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def faults(path: Path) -> list[object]:
    connection = sqlite3.connect(path)
    try:
        broken = connection.execute("PRAGMA foreign_key_check").fetchall()
        (verdict,) = connection.execute("PRAGMA integrity_check").fetchone()
        return [*broken, *([] if verdict == "ok" else [verdict])]
    finally:
        connection.close()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_killed_in_the_middle_leaves_a_database_that_a_second_run_completes(tmp_path: Path, how: int) -> None:
    path = tmp_path / "i.db"
    run = subprocess.Popen(
        [sys.executable, "-c", RECORD_FOR_EVER, str(path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert run.stdout is not None
    with run.stdout:
        for _ in range(5):
            run.stdout.readline()
        run.send_signal(how)
        run.stdout.read()
    assert run.wait() != 0
    assert faults(path) == []
    with Inventory.open(path, create=False) as inventory:
        (killed,) = inventory.scans()
        assert (killed.finished, killed.scan.complete) == (None, False)
        saved = list(inventory.audits(killed.id))
        assert len(saved) >= 5
        again = inventory.begin(made.a_scan(), started=made.SEEN)
        for audit in saved:
            inventory.record(again, audit, seen=made.SEEN)
        inventory.finish(again, finished=made.SEEN, complete=True)
        assert inventory.scan(again).scan.complete
        assert inventory.builds() == sorted(audit.app.build for audit in saved)
        assert list(inventory.audits(again)) == saved


def test_two_runs_at_once_wait_for_each_other_from_the_first_moment(tmp_path: Path) -> None:
    path = tmp_path / "i.db"
    runs = [start(RECORD_TEN, str(path), f"target {number}") for number in range(3)]
    for run in runs:
        output, _ = run.communicate()
        assert (run.returncode, output) == (0, "")
    assert faults(path) == []
    with Inventory.open(path) as inventory:
        scans = inventory.scans()
        assert sorted(stored.scan.target for stored in scans) == [("target 0",), ("target 1",), ("target 2",)]
        assert [(stored.scan.apps, stored.scan.complete) for stored in scans] == [(10, True)] * 3
        assert len(inventory.builds()) == 10


def test_a_writer_that_waits_too_long_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "i.db"
    with Inventory.open(path) as first:
        scan_id = first.begin(made.a_scan(), started=made.SEEN)
        first.record(scan_id, made.an_audit(), seen=made.SEEN)
        with Inventory.open(path, wait_seconds=0.01) as second:
            first.connection.execute("BEGIN IMMEDIATE")
            with pytest.raises(InventoryError, match="locked by another program: wait until that is done"):
                second.record(scan_id, made.an_audit(), seen=made.SEEN)
            with pytest.raises(InventoryError, match="locked by another program"):
                Inventory.open(path, wait_seconds=0.01)
            # Readers are never in the way, nor writers in theirs.
            assert list(second.audits()) == [made.an_audit()]
            with Inventory.open(path, create=False, wait_seconds=0.01) as reader:
                assert len(reader.scans()) == 1
            first.connection.execute("ROLLBACK")
            second.record(scan_id, made.an_audit(), seen=made.SEEN)


def test_a_reader_in_the_middle_sees_whole_apps_while_another_writes(tmp_path: Path) -> None:
    path = tmp_path / "i.db"
    with Inventory.open(path) as writer, Inventory.open(path) as reader:
        scan_id = writer.begin(made.a_scan(), started=made.SEEN)
        audits = [made.an_audit(made.an_app(f"apps/{n}.apk", f"com.example.a{n}")) for n in range(3)]
        for audit in audits:
            writer.record(scan_id, audit, seen=made.SEEN)
        loading = reader.audits(scan_id)
        assert next(loading) == audits[0]
        for audit in audits:
            writer.record(scan_id, audit, seen=made.SEEN)
        assert list(loading) == audits[1:]
