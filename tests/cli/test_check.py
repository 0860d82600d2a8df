"""``auditor check``: answers on stdout, one exit code, no database."""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path

import pytest

from auditor.model import Audit, Grade, ProblemCode
from tests.builders.reports import SUBJECTS, make_app, make_audit, make_match, make_problem, some_facts
from tests.cli.conftest import FakeRun, Invoke

APP = make_app()
FOUND = make_audit(APP, make_match(APP), facts=some_facts(APP))
CLEAN = make_audit(make_app("clean.apk", "com.example.clean"))
OPEN = make_audit(make_app("odd.apk"), problems=(make_problem(file="odd.apk"),), unknown=tuple(SUBJECTS))
DAMAGED = make_problem(ProblemCode.ARCHIVE_DAMAGED, "x.apk", "")


@pytest.mark.parametrize("output_format", ["text", "json", "jsonl"])
@pytest.mark.parametrize(
    ("audits", "problems", "code"),
    [
        ([FOUND, CLEAN], (), 1),
        ([CLEAN], (), 0),
        ([OPEN, CLEAN], (), 3),
        ([CLEAN], (DAMAGED,), 3),
        ([FOUND], (DAMAGED,), 1),
        ([], (DAMAGED,), 3),
        ([], (), 4),
    ],
)
def test_the_exit_code_is_the_same_in_every_format(
    invoke: Invoke,
    fake: FakeRun,
    tmp_path: Path,
    audits: list[Audit],
    problems: tuple[object, ...],
    code: int,
    output_format: str,
) -> None:
    fake.audits, fake.problems = audits, problems  # type: ignore[assignment]
    ended = invoke("check", tmp_path, "--format", output_format)
    assert ended.code == code
    assert ended.err == ""
    if output_format != "text":
        summary = (
            json.loads(ended.out.splitlines()[-1]) if output_format == "jsonl" else json.loads(ended.out)["summary"]
        )
        assert summary["exit_code"] == code


def test_text_leads_with_the_answer(invoke: Invoke, fake: FakeRun, tmp_path: Path) -> None:
    fake.audits = [CLEAN, FOUND]
    ended = invoke("check", tmp_path)
    assert ended.out.startswith("1 of 2 apps is or carries a designated app.\n")
    assert "com.alipay.sdk.app.PayTask in classes2.dex@0x70" in ended.out
    assert "\x1b" not in ended.out


def test_json_does_not_depend_on_the_order_of_the_run(invoke: Invoke, fake: FakeRun, tmp_path: Path) -> None:
    fake.audits = [CLEAN, FOUND, OPEN]
    first = invoke("check", tmp_path, "--format", "json").out
    fake.audits = [OPEN, FOUND, CLEAN]
    assert invoke("check", tmp_path, "--format", "json").out == first


def test_json_names_no_path_of_this_machine(invoke: Invoke, fake: FakeRun, tmp_path: Path) -> None:
    fake.audits = [FOUND]
    assert str(tmp_path) not in invoke("check", tmp_path, "--format", "json").out


def test_json_lines_are_written_as_apps_are_read(
    invoke: Invoke, fake: FakeRun, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    fake.audits = [FOUND, CLEAN, KeyboardInterrupt()]
    ended = invoke("check", tmp_path, "--format", "jsonl")
    assert ended.code == 130
    assert [json.loads(line)["type"] for line in ended.out.splitlines()] == ["app", "app"]


@pytest.mark.parametrize("output_format", ["text", "json"])
def test_a_run_that_fails_writes_no_half_report(
    invoke: Invoke, fake: FakeRun, tmp_path: Path, output_format: str
) -> None:
    fake.audits = [FOUND, KeyboardInterrupt()]
    ended = invoke("check", tmp_path, "--format", output_format)
    assert (ended.code, ended.out) == (130, "")


@pytest.mark.parametrize(
    ("fail_on", "code"), [("none", 0), ("verified", 0), ("embedded", 1), ("any", 1), ("EMBEDDED, renamed", 1)]
)
def test_fail_on_narrows_and_widens(invoke: Invoke, fake: FakeRun, tmp_path: Path, fail_on: str, code: int) -> None:
    fake.audits = [FOUND]
    assert invoke("check", tmp_path, "--fail-on", fail_on).code == code


def test_a_reference_counts_when_asked_for(invoke: Invoke, fake: FakeRun, tmp_path: Path) -> None:
    fake.audits = [make_audit(APP, make_match(APP, "wechat", Grade.REFERENCED))]
    assert invoke("check", tmp_path).code == 0
    assert invoke("check", tmp_path, "--fail-on", "default,referenced").code == 1


def test_the_day_is_today_unless_named(
    invoke: Invoke, fake: FakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["auditor.cli.check"], "today", lambda: datetime.date(2025, 6, 7))
    invoke("check", tmp_path)
    assert fake.made_with["as_of"] == datetime.date(2025, 6, 7)
    invoke("check", tmp_path, "--as-of", "2021-03-01")
    assert fake.made_with["as_of"] == datetime.date(2021, 3, 1)


def test_several_paths_reach_the_run(invoke: Invoke, fake: FakeRun, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b.apk").write_bytes(b"")
    invoke("check", tmp_path / "a", tmp_path / "b.apk")
    assert fake.made_with["paths"] == [tmp_path / "a", tmp_path / "b.apk"]


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [("signers=3", "signers", 3), ("member-size=2K", "member_size", 2048), ("file_size=1g", "file_size", 1 << 30)],
)
def test_limits_can_be_changed(invoke: Invoke, fake: FakeRun, tmp_path: Path, text: str, name: str, value: int) -> None:
    assert invoke("check", tmp_path, "--limit", text).code == 4
    assert getattr(fake.made_with["limits"], name) == value


@pytest.mark.parametrize(
    "text", ["signers=0", "signers=", "signers=1.5", "signers=٣", "signers=K", "signers=" + "9" * 30]
)
def test_a_limit_is_a_whole_number(invoke: Invoke, fake: FakeRun, tmp_path: Path, text: str) -> None:
    assert invoke("check", tmp_path, "--limit", text).code == 2


def test_no_progress_is_shown_where_there_is_no_terminal(invoke: Invoke, fake: FakeRun, tmp_path: Path) -> None:
    fake.audits = [FOUND]
    assert invoke("check", tmp_path).err == ""
    assert fake.made_with["observer"] is None


def test_on_a_terminal_there_is_progress_and_colour(
    invoke: Invoke, fake: FakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    fake.audits = [FOUND]
    assert "\x1b[" in invoke("check", tmp_path).out
    assert fake.made_with["observer"] is not None
    invoke("check", tmp_path, "--no-progress")
    assert fake.made_with["observer"] is None
    invoke("check", tmp_path, "--quiet")
    assert fake.made_with["observer"] is None
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in invoke("check", tmp_path).out
