"""How two versions of the auditor are compared; nothing is timed here."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from benchmarks.accuracy import cost
from benchmarks.accuracy.cost import Cost, dex_size, label, measure, table
from benchmarks.accuracy.registry import OutOfReachError

BEFORE = {"apps/6208e83c/a.apk": 0.2, "apps/ccaa4612/b.apk": 0.1, "catalog": 0.05}
AFTER = {"apps/6208e83c/a.apk": 0.22, "apps/ccaa4612/b.apk": 0.125, "catalog": 0.06}


def test_the_ratio_that_counts_is_of_all_files_together() -> None:
    told = table(BEFORE, AFTER)
    assert told["all"] == {"file": "all", "before_ms": 300.0, "after_ms": 345.0, "ratio": 1.15}
    assert told["files"] == [
        {"file": "a.apk (6208e8)", "before_ms": 200.0, "after_ms": 220.0, "ratio": 1.1},
        {"file": "b.apk (ccaa46)", "before_ms": 100.0, "after_ms": 125.0, "ratio": 1.25},
    ]
    assert (told["median_ratio"], told["largest_ratio"]) == (1.175, 1.25)


def test_loading_the_catalog_is_told_apart() -> None:
    assert table(BEFORE, AFTER)["catalog_loading"] == {
        "file": "catalog",
        "before_ms": 50.0,
        "after_ms": 60.0,
        "ratio": 1.2,
    }


@pytest.mark.parametrize(("after", "met"), [(1.14, True), (1.16, False)])
def test_the_target_is_met_or_not(after: float, met: bool) -> None:
    assert table({"x/a": 1.0, "catalog": 1.0}, {"x/a": after, "catalog": 9.0})["met"] is met


def test_a_ratio_is_after_over_before() -> None:
    assert Cost("a", 10.0, 12.0).ratio == 1.2


def test_files_of_one_name_are_told_apart() -> None:
    assert label("apps/0123456789/ApiDemos.apk") != label("apps/abcdef6789/ApiDemos.apk")


def test_dex_is_counted_unpacked_and_by_its_place(tmp_path: Path) -> None:
    path = tmp_path / "a.apk"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("classes.dex", bytes(1000))
        archive.writestr("classes2.dex", bytes(500))
        archive.writestr("assets/classes.dex", bytes(300))
    assert dex_size(path) == 1500


def test_the_least_of_all_rounds_counts_and_the_sides_alternate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent = iter([0.3, 0.5, 0.2, 0.4])
    order: list[str] = []

    def run(root: Path, paths: object) -> dict[str, float]:
        order.append(root.name)
        return {"x/a": next(spent), "catalog": 0.1}

    monkeypatch.setattr(cost, "_run", run)
    monkeypatch.setattr(cost, "files", lambda: [Path("x/a")])
    monkeypatch.setattr(cost, "baseline", lambda: tmp_path / "old")
    monkeypatch.setattr(cost, "ROOT", tmp_path / "new")
    told = measure(rounds=2)
    assert order == ["new", "old", "old", "new"]
    assert told["all"] == {"file": "all", "before_ms": 200.0, "after_ms": 300.0, "ratio": 1.5}


def test_without_the_commit_there_is_nothing_to_compare_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "FOLDER", tmp_path / "baseline")
    monkeypatch.setattr(cost, "ROOT", tmp_path)
    with pytest.raises(OutOfReachError, match="is not here"):
        cost.baseline()


def test_a_side_that_fails_says_why_and_one_that_works_names_every_file(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="failed: "):
        cost._run(tmp_path, [])
    sample = next((cost.ROOT / "samples" / "android").rglob("*.apk"))
    told = cost._run(cost.ROOT, [sample])
    assert set(told) == {str(sample), "catalog"}
    assert all(seconds >= 0 for seconds in told.values())
