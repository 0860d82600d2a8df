"""The program as it is run: real samples, real exit codes, and runs that are broken off."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from auditor.inventory import Inventory
from tests.builders.apps import apk, declared, put
from tests.cli.conftest import Invoke

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "samples"
PROGRAM = [sys.executable, "-m", "auditor"]
CLEAN = SAMPLES / "android" / "near-sdk-plain.apk"
FOUND = SAMPLES / "android" / "sdk-alipay.apk"
UNKNOWN = SAMPLES / "damaged" / "dex-truncated.apk"
DAMAGED = SAMPLES / "damaged" / "truncated.apk"
NO_APP = SAMPLES / "damaged" / "zip-without-apps.zip"

INTERRUPTED_AFTER_THREE = """
import os, signal, sys
import auditor.inventory.store as store
record, done = store.Inventory.record, []

def killing(self, *arguments, **options):
    record(self, *arguments, **options)
    done.append(1)
    if len(done) == 3:
        os.kill(os.getpid(), getattr(signal, sys.argv.pop(1)))

store.Inventory.record = killing
signal.signal(signal.SIGINT, signal.default_int_handler)
from auditor.cli import main
sys.exit(main(sys.argv[1:] if sys.argv[1] == "scan" else sys.argv[2:]))
"""


@pytest.mark.parametrize(
    ("paths", "code"),
    [
        ([CLEAN], 0),
        ([FOUND], 1),
        ([CLEAN, FOUND], 1),
        ([UNKNOWN], 3),
        ([DAMAGED], 3),
        ([CLEAN, DAMAGED], 3),
        ([FOUND, DAMAGED], 1),
        ([NO_APP], 4),
        ([NO_APP, CLEAN], 0),
    ],
)
def test_check_scan_and_report_end_as_the_inputs_say(
    invoke: Invoke, tmp_path: Path, paths: list[Path], code: int
) -> None:
    ends = [
        invoke("check", *paths),
        invoke("scan", *paths, "--db", tmp_path / "i.db", "-q"),
        invoke("report", "--db", tmp_path / "i.db"),
    ]
    assert [(done.code, done.err) for done in ends] == [(code, "")] * 3


def test_the_program_ends_as_the_function_does() -> None:
    done = subprocess.run([*PROGRAM, "check", str(DAMAGED)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (3, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("check",),
        ("check", "missing.apk"),
        ("check", CLEAN, "missing.apk"),
        ("check", CLEAN, "--format", "yaml"),
        ("scan", CLEAN, "--db", "no/such/folder/i.db"),
        ("scan", CLEAN, "--db", CLEAN),
        ("report", "--db", "missing.db"),
        ("unknown-command",),
    ],
    ids=lambda arguments: " ".join(str(each).rpartition("/")[2] for each in arguments),
)
def test_an_error_is_one_line_and_exit_code_2(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[object, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    done = invoke(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: ")
    assert done.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_none_is_left_as_it_was(invoke: Invoke, tmp_path: Path) -> None:
    put(tmp_path, {"notes.db": b"these are notes\n" * 100})
    done = invoke("scan", CLEAN, "--db", tmp_path / "notes.db")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert (tmp_path / "notes.db").read_bytes() == b"these are notes\n" * 100


def test_the_same_folder_into_the_same_database_twice_keeps_each_build_once(invoke: Invoke, tmp_path: Path) -> None:
    db = tmp_path / "i.db"
    folder = SAMPLES / "bundles"
    assert [invoke("scan", folder, "--db", db, "-q").code for _ in range(2)] == [1, 1]
    with Inventory.open(db, create=False) as inventory:
        scans = inventory.scans()
        assert [stored.scan.complete for stored in scans] == [True, True]
        first, second = (list(inventory.audits(stored.id)) for stored in scans)
        assert first == second
        assert len(inventory.builds()) == len({item.app.build for item in first})


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} -m auditor check samples/android --format jsonl | head -c 10"
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, '{"type": "', "")


def test_what_goes_into_a_pipe_is_plain_and_whole() -> None:
    command = f"{sys.executable} -m auditor check samples/android/sdk-alipay.apk --format json | cat"
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, check=False, timeout=60)
    assert json.loads(done.stdout)["summary"]["exit_code"] == 1
    assert b"\x1b" not in done.stdout


def test_hostile_names_reach_the_terminal_inert(invoke: Invoke, tmp_path: Path) -> None:
    put(tmp_path, {"a\x1b[2J\nerror: all clean.apk": b"PK\x03\x04", os.fsdecode(b"b\xff.apk"): apk(declared("com.b"))})
    done = invoke("check", tmp_path)
    assert (done.code, done.err, "\x1b" in done.out) == (3, "", False)
    assert "\nerror: all clean" not in done.out
    assert "a%1B[2J%0Aerror: all clean.apk" in done.out


def test_a_file_that_may_not_be_read_is_named_and_the_others_are_audited(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, {"a.apk": CLEAN.read_bytes(), "b.apk": CLEAN.read_bytes()})
    real = os.open

    def refuse(place: Path, *rest: int) -> int:
        if str(place).endswith("a.apk"):
            raise PermissionError(13, "Permission denied", str(place))
        return real(place, *rest)

    monkeypatch.setattr(os, "open", refuse)
    done = invoke("check", tmp_path)
    assert (done.code, done.err) == (3, "")
    assert "a.apk" in done.out
    assert "Permission denied" in done.out
    assert str(tmp_path) not in done.out


@pytest.mark.parametrize(("how", "code"), [("SIGKILL", -signal.SIGKILL), ("SIGINT", 130)])
def test_a_scan_that_is_broken_off_keeps_whole_apps_and_a_second_run_completes_it(
    invoke: Invoke, tmp_path: Path, how: str, code: int
) -> None:
    db = tmp_path / "i.db"
    folder = put(tmp_path / "apps", {f"{number}.apk": apk(declared(f"com.example.a{number}")) for number in range(6)})
    command = [sys.executable, "-c", INTERRUPTED_AFTER_THREE, how, "scan", str(folder), "--db", str(db)]
    broken = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert (broken.returncode, broken.stdout) == (code, "")
    assert "Traceback" not in broken.stderr
    with Inventory.open(db, create=False) as inventory:
        (cut,) = inventory.scans()
        assert not cut.scan.complete
        assert len(list(inventory.audits(cut.id))) == 3
    assert invoke("report", "--db", db).code == 3

    assert invoke("scan", folder, "--db", db, "-q").code == 0
    assert invoke("report", "--db", db).code == 0
    with Inventory.open(db, create=False) as inventory:
        again = inventory.scans()[-1] if inventory.scans()[-1].scan.complete else inventory.scans()[0]
        assert again.scan.complete
        assert len(list(inventory.audits(again.id))) == 6
        assert len(inventory.builds()) == 6
    connection = sqlite3.connect(db)
    try:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    finally:
        connection.close()
