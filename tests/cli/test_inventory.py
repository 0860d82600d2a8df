"""``auditor scan`` and ``auditor report``: what was answered once is answered again from the database."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from auditor.inventory import Inventory
from auditor.model import ProblemCode
from tests.builders.reports import SUBJECTS, make_app, make_audit, make_match, make_problem
from tests.cli.conftest import FakeRun, Invoke

APP = make_app()
FOUND = make_audit(APP, make_match(APP, version="15.8.11"))
CLEAN = make_audit(make_app("clean.apk", "com.example.clean", build="aa" * 32))
OPEN = make_audit(
    make_app("odd.apk", "com.example.odd", build="bb" * 32),
    problems=(make_problem(file="odd.apk"),),
    unknown=tuple(SUBJECTS),
)
DAMAGED = make_problem(ProblemCode.ARCHIVE_DAMAGED, "x.apk", "")


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "inventory.db"


def test_scan_answers_like_check_and_says_where_it_is_stored(
    invoke: Invoke, fake: FakeRun, tmp_path: Path, db: Path
) -> None:
    fake.audits, fake.problems = [FOUND, CLEAN], (DAMAGED,)
    checked = invoke("check", tmp_path)
    scanned = invoke("scan", tmp_path, "--db", db)
    assert (scanned.code, scanned.out) == (checked.code, checked.out)
    assert scanned.err == f"stored in {db} as scan 1; 'auditor report --db {db}' shows it again\n"
    assert invoke("scan", tmp_path, "--db", db, "--quiet").err == ""


@pytest.mark.parametrize("output_format", ["text", "json", "jsonl"])
def test_report_says_what_check_says(
    invoke: Invoke, fake: FakeRun, tmp_path: Path, db: Path, output_format: str
) -> None:
    fake.audits, fake.problems = [FOUND, OPEN, CLEAN], (DAMAGED,)
    invoke("scan", tmp_path, "--db", db)
    reported = invoke("report", "--db", db, "--format", output_format)
    checked = invoke("check", tmp_path, "--format", output_format)
    if output_format == "jsonl":
        assert sorted(reported.out.splitlines()) == sorted(checked.out.splitlines())
    else:
        assert reported.out == checked.out
    assert reported.code == checked.code


@pytest.mark.parametrize(
    ("audits", "problems", "code"),
    [
        ([FOUND], (), 1),
        ([CLEAN], (), 0),
        ([OPEN], (), 3),
        ([CLEAN], (DAMAGED,), 3),
        ([], (), 4),
        ([FOUND], (DAMAGED,), 1),
    ],
)
def test_report_exits_like_the_scan(
    invoke: Invoke,
    fake: FakeRun,
    tmp_path: Path,
    db: Path,
    audits: list[object],
    problems: tuple[object, ...],
    code: int,
) -> None:
    fake.audits, fake.problems = audits, problems  # type: ignore[assignment]
    assert invoke("scan", tmp_path, "--db", db).code == code
    assert invoke("report", "--db", db).code == code


def test_csv_is_a_table_of_the_scan(invoke: Invoke, fake: FakeRun, tmp_path: Path, db: Path) -> None:
    fake.audits = [FOUND]
    invoke("scan", tmp_path, "--db", db)
    lines = invoke("report", "--db", db, "--format", "csv").out.split("\r\n")
    assert lines[0].startswith("platform,app_id,label,")
    assert len(lines) == 1 + len(SUBJECTS) + 1


def test_as_of_judges_the_policies_again(invoke: Invoke, fake: FakeRun, tmp_path: Path, db: Path) -> None:
    fake.audits = [FOUND]
    invoke("scan", tmp_path, "--db", db, "--as-of", "2026-11-22")
    today = json.loads(invoke("report", "--db", db, "--format", "json").out)
    then = json.loads(invoke("report", "--db", db, "--format", "json", "--as-of", "2021-03-01").out)
    assert (today["as_of"], today["apps"][0]["findings"][0]["status"]) == ("2026-11-22", "ended")
    assert (then["as_of"], then["apps"][0]["findings"][0]["status"]) == ("2021-03-01", "in force")
    assert today["apps"][0]["answers"] == then["apps"][0]["answers"]


def test_an_interrupted_scan_keeps_what_it_read_and_a_second_completes_it(
    invoke: Invoke, fake: FakeRun, tmp_path: Path, db: Path
) -> None:
    fake.audits = [CLEAN, KeyboardInterrupt(), FOUND]
    ended = invoke("scan", tmp_path, "--db", db)
    assert (ended.code, ended.out, ended.err.strip()) == (130, "", "interrupted")
    reported = invoke("report", "--db", db)
    assert reported.code == 3
    assert "The run was interrupted" in reported.out
    assert "com.example.clean" in reported.out

    fake.audits = [CLEAN, FOUND]
    assert invoke("scan", tmp_path, "--db", db).code == 1
    again = invoke("report", "--db", db)
    assert again.code == 1
    assert "interrupted" not in again.out
    assert "interrupted" in invoke("report", "--db", db, "--scan", 1).out


def test_report_of_one_scan_or_device(invoke: Invoke, fake: FakeRun, tmp_path: Path, db: Path) -> None:
    fake.audits = [FOUND]
    invoke("scan", tmp_path, "--db", db, "--device", "phone-1", "--fleet", "field")
    fake.audits = [CLEAN]
    invoke("scan", tmp_path, "--db", db, "--device", "phone-2")
    assert invoke("report", "--db", db).code == 0
    assert invoke("report", "--db", db, "--device", "phone-1").code == 1
    assert invoke("report", "--db", db, "--device", "phone-2").code == 0
    assert invoke("report", "--db", db, "--scan", 1).code == 1


@pytest.mark.parametrize("options", [("--scan", "9"), ("--device", "nobody"), ("--scan", "1", "--device", "phone-1")])
def test_a_scan_that_is_not_there(
    invoke: Invoke, fake: FakeRun, tmp_path: Path, db: Path, options: tuple[str, ...]
) -> None:
    invoke("scan", tmp_path, "--db", db)
    ended = invoke("report", "--db", db, *options)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("error: ")
    assert ended.err.count("\n") == 1


def test_report_makes_no_database(invoke: Invoke, fake: FakeRun, db: Path) -> None:
    assert invoke("report", "--db", db).code == 2
    assert not db.exists()


def test_an_empty_inventory_has_nothing_to_report(invoke: Invoke, fake: FakeRun, db: Path) -> None:
    Inventory.open(db).close()
    ended = invoke("report", "--db", db)
    assert (ended.code, ended.err) == (2, "error: no scan in this inventory; 'auditor scan' makes one\n")


def test_a_file_that_is_no_inventory_is_left_alone(invoke: Invoke, fake: FakeRun, tmp_path: Path, db: Path) -> None:
    db.write_bytes(b"not a database at all" * 100)
    for command in (("scan", tmp_path), ("report",)):
        ended = invoke(*command, "--db", db)
        assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert db.read_bytes() == b"not a database at all" * 100


def test_a_fleet_is_of_devices(invoke: Invoke, fake: FakeRun, tmp_path: Path, db: Path) -> None:
    ended = invoke("scan", tmp_path, "--db", db, "--fleet", "field")
    assert ended.code == 2
    assert not db.exists()


def test_the_device_and_the_end_are_in_the_database(invoke: Invoke, fake: FakeRun, tmp_path: Path, db: Path) -> None:
    fake.audits = [FOUND]
    invoke("scan", tmp_path, "--db", db, "--device", "phone-1", "--fleet", "field")
    with Inventory.open(db, create=False) as inventory:
        scan = inventory.scan(1)
    assert scan.device is not None
    assert (scan.device.id, scan.device.fleet) == ("phone-1", "field")
    assert scan.scan.complete
    assert scan.finished is not None
    assert scan.started <= scan.finished


def test_the_database_opens_with_plain_sqlite(invoke: Invoke, fake: FakeRun, tmp_path: Path, db: Path) -> None:
    fake.audits = [FOUND]
    invoke("scan", tmp_path, "--db", db)
    connection = sqlite3.connect(db)
    assert connection.execute("SELECT app_id FROM builds").fetchall() == [("com.example.shop",)]
    connection.close()


def test_the_database_can_be_named_for_all_commands(
    invoke: Invoke, fake: FakeRun, tmp_path: Path, db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDITOR_DB", str(db))
    fake.audits = [FOUND]
    assert invoke("scan", tmp_path).code == 1
    assert invoke("report").code == 1
