"""The one command: what it runs, what it prints, and how it ends; the building and the peers aside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import benchmarks.accuracy.__main__ as command
from benchmarks.accuracy.cases import Case
from benchmarks.accuracy.negatives import Negatives
from benchmarks.accuracy.peers import PeerRun
from benchmarks.accuracy.registry import OutOfReachError
from benchmarks.accuracy.score import Outcome
from tests.benchmarks.test_table import FOUND, LOCKED, MISSED, results

GOOD = [FOUND, LOCKED]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Outcome]:
    """Outcomes as if they came out of a matrix; the list may be changed."""
    outcomes = [FOUND]
    monkeypatch.setattr(command, "build", lambda platforms, slice_, say: [])
    monkeypatch.setattr(command, "score_all", lambda cases, catalog, as_of, say: outcomes)
    monkeypatch.setattr(command, "run_peers", lambda cases, say: PeerRun((), {"exodus": "not run: away"}))
    monkeypatch.setattr(command, "audit_negatives", lambda catalog, as_of: Negatives())
    monkeypatch.setattr(command, "load_catalog", lambda: type("Known", (), {"digest": "ab" * 32}))
    return outcomes


def call(*words: str) -> int:
    return command.main(["--quiet", "--platform", "android", "--no-negatives", *words])


@pytest.mark.usefixtures("made")
def test_a_run_that_reaches_every_target_ends_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--slice") == 0
    assert "Android recall, embedded or renamed" in capsys.readouterr().out


def test_a_missed_target_is_named_and_ends_with_one(made: list[Outcome], capsys: pytest.CaptureFixture[str]) -> None:
    made.append(MISSED)
    assert call("--slice") == 1
    assert "missed: Android recall, embedded or renamed" in capsys.readouterr().err


def test_a_half_that_was_not_built_is_not_asked_for(made: list[Outcome]) -> None:
    assert call() == 0
    assert command.main(["--quiet", "--platform", "ios", "--no-negatives"]) == 1


@pytest.mark.usefixtures("made")
def test_results_are_written_with_the_date_and_machine_that_were_given(tmp_path: Path) -> None:
    path = tmp_path / "new" / "results.json"
    assert call("--date", "2026-11-22", "--machine", "a desk", "--output", str(path)) == 0
    told = json.loads(path.read_text())
    assert (told["date"], told["machine"], told["slice"]) == ("2026-11-22", "a desk", False)
    assert told["peer_notes"] == {"exodus": "not run: away"}
    assert [row["case"] for row in told["outcomes"]] == [FOUND.case]
    assert call("--no-peers", "--output", str(path)) == 0
    assert json.loads(path.read_text())["peer_notes"] == {}


@pytest.mark.usefixtures("made")
def test_the_same_run_writes_the_same_bytes(tmp_path: Path) -> None:
    words = ("--date", "2026-11-22", "--output")
    for name in ("a", "b"):
        call(*words, str(tmp_path / name))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.usefixtures("made")
def test_what_cannot_be_built_is_an_error_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(platforms: object, slice_: bool, say: object) -> list[Case]:
        raise OutOfReachError("npm is not installed")

    monkeypatch.setattr(command, "build", refuse)
    assert call() == 2
    assert "npm is not installed" in capsys.readouterr().err


def test_rendering_reads_results_and_runs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "DOCUMENT", tmp_path / "accuracy.md")
    path = tmp_path / "results.json"
    assert command.main(["--render", "--output", str(path)]) == 2
    path.write_text(json.dumps(results()))
    assert command.main(["--render", "--output", str(path)]) == 0
    assert (tmp_path / "accuracy.md").read_text().startswith("# Accuracy\n")
    assert "found by" in capsys.readouterr().out


def negatives(**changes: int) -> dict[str, Any]:
    row = {"set": "real", "apps": 31, "findings": 0, "readable": 30, "unknown": 0, "faults": 0, **changes}
    return {"sets": [row, {**row, "set": "drozer", **dict.fromkeys(("findings", "unknown", "faults"), 0)}]}


@pytest.mark.parametrize(
    ("changes", "unmet"),
    [
        ({}, set()),
        ({"findings": 1}, {"false-positives"}),
        ({"apps": 29}, {"false-positives"}),
        ({"unknown": 1}, {"unknown"}),
        ({"faults": 1}, {"faults"}),
    ],
)
def test_the_apps_that_carry_nothing_are_targets_too(changes: dict[str, int], unmet: set[str]) -> None:
    told = command.further_figures(negatives(**changes), {})
    assert {item.id for item in told if not item.met} == unmet


@pytest.mark.parametrize(("ratio", "met"), [(1.1, True), (1.3, False)])
def test_the_cost_is_a_target_where_it_was_measured(ratio: float, met: bool) -> None:
    told = command.further_figures({}, {"all": {"ratio": ratio}, "target": 1.15, "met": met})
    assert [(item.id, item.share, item.met) for item in told] == [("cost", ratio, met)]


def test_the_machine_is_described_without_a_name_or_a_path() -> None:
    assert "/" not in command.machine()
    assert "cores" in command.machine()
