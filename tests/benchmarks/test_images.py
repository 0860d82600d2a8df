"""The benchmark of images measures what it says, and its committed results meet the targets."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.formats.ext4 import parse_ext4
from auditor.formats.tar import parse_tar
from benchmarks.images import __main__ as command
from benchmarks.images import material
from benchmarks.images.material import NoToolError, make_apps, make_ext4, make_tar
from benchmarks.images.measure import ContentError, Copy, Figure, Hash, compare

FIGURE = Figure("tar", "copied", 0.05, 0.06, 0.9, 0.8, 1.0, 1.2)
RESULTS = Path(command.__file__).with_name("results.json")


@pytest.fixture
def apps(tmp_path: Path) -> list[Path]:
    return make_apps(tmp_path, apps=3, largest_size=300_000)


def test_the_tree_is_made_once_and_always_the_same(tmp_path: Path, apps: list[Path]) -> None:
    assert len(apps) == 3
    times = [path.stat().st_mtime_ns for path in apps]
    assert [path.stat().st_mtime_ns for path in make_apps(tmp_path)] == times
    again = make_apps(tmp_path / "again", apps=3, largest_size=300_000)
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in apps]


@pytest.mark.parametrize("kind", [Copy, Hash])
def test_both_sides_read_every_app(tmp_path: Path, apps: list[Path], kind: type[Copy | Hash]) -> None:
    figure = compare("tar", make_tar(tmp_path), parse_tar, apps, kind, 2, None)
    assert figure.lowest_ratio <= figure.ratio <= figure.highest_ratio
    assert figure.is_met


def test_an_image_that_gives_less_is_no_measurement(tmp_path: Path, apps: list[Path]) -> None:
    image = make_tar(tmp_path)
    with pytest.raises(ContentError, match="of"):
        compare("tar", image, parse_tar, apps[1:], Copy, 1, None)


@pytest.mark.images
@pytest.mark.skipif(shutil.which("mkfs.ext4") is None, reason="mkfs.ext4 is not installed")
def test_an_ext4_image_gives_every_app(tmp_path: Path, apps: list[Path]) -> None:
    assert compare("ext4", make_ext4(tmp_path), parse_ext4, apps, Hash, 1, None).ratio > 0


def test_without_the_tool_there_is_a_reason(
    tmp_path: Path, apps: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(NoToolError, match="not installed"):
        make_ext4(tmp_path)
    monkeypatch.setattr(command, "STORE", tmp_path)
    assert command.main([]) == 2
    assert "cannot be made here" in capsys.readouterr().err


def test_a_missed_target_shows_in_the_table_and_in_the_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for ratio, code, word in ((1.2, 0, "met"), (1.21, 1, "MISSED")):
        found = [replace(FIGURE, ratio=ratio), replace(FIGURE, ratio=9.0, target=None)]
        monkeypatch.setattr(command, "measure", lambda folder, rounds, found=found: ([], found))
        assert command.main(["--output", str(tmp_path / "results.json"), "--date", "2026-01-01"]) == code
        assert f"≤ 1.2 {word}" in capsys.readouterr().out
        results = json.loads((tmp_path / "results.json").read_text())
        assert [row["met"] for row in results["figures"]] == [code == 0, True]
        assert results["date"] == "2026-01-01"


def test_the_committed_results_meet_the_targets() -> None:
    results = json.loads(RESULTS.read_text())
    rows = {(row["image"], row["work"]): row for row in results["figures"]}
    for name, target in command.TARGETS.items():
        assert rows[name, "copied"]["target"] == target
        assert rows[name, "copied"]["ratio"] <= target
    assert results["apps"] == material.APPS
    assert 300e6 <= results["app_bytes"] <= 600e6
