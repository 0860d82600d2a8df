"""What the tables say of made-up results, and that the documents say what the committed results do."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import pytest

from benchmarks.accuracy.score import Catalogs, Outcome, as_rows, figures
from benchmarks.accuracy.table import (
    DOCUMENT,
    grid,
    load_results,
    render_block,
    render_document,
    render_results,
    why_lost,
)
from tests.refresh_docs import README, blocks_in

FOUND = Outcome(
    case="android-1-r8-full",
    platform="android",
    style="r8-full",
    use="payment",
    encrypted=False,
    catalog="without",
    family="wechat",
    went_in="5.1.6",
    classes=40,
    named=0,
    states="5.1.6",
    word="found",
    verdict="present",
    grade="renamed",
    literals="21/57",
    version="5.1.6",
    version_word="exact",
)
MISSED = replace(
    FOUND, family="alipay", went_in="15.5.9", word="missed", verdict="not found", literals="2/19", states=""
)
ABSENT = replace(FOUND, family="tencent-qq", went_in="", classes=0, states="", word="right-absent", literals="")
LOCKED = replace(FOUND, case="ios-1", platform="ios", style="export-list", encrypted=True, word="referenced")
ALL = [FOUND, MISSED, ABSENT, LOCKED, *(replace(item, catalog="shipped") for item in (FOUND, MISSED, ABSENT, LOCKED))]


def results(**changes: Any) -> dict[str, Any]:
    peers = [
        {"peer": peer, "case": item.case, "family": item.family, "word": word}
        for item in (FOUND, MISSED, ABSENT)
        for peer, word in (("exodus", "no rule"), ("exodus-method", "not found"), ("blint-names", "found"))
    ]
    return {
        "tool": "auditor 0.1.0",
        "catalog": "ab" * 32,
        "date": "2026-11-22",
        "machine": "2 cores",
        "slice": False,
        "outcomes": as_rows(ALL),
        "figures": [asdict(item) for item in figures(ALL, Catalogs.WITHOUT)],
        "figures_shipped": [asdict(item) for item in figures(ALL, Catalogs.SHIPPED)],
        "peers": peers,
        "peer_notes": {"exodus": "with 432 rules; wechat: no rule"},
        "negatives": {},
        "cost": {},
        "limits": ["Strings that a protector encrypts leave no literal."],
        **changes,
    }


def cells(text: str, first: str) -> list[list[str]]:
    """Rows of any table in a text whose first cell is the given one."""
    rows = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows if row[0].strip() == first]


def section(text: str, title: str) -> str:
    return text.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_a_cell_cannot_break_its_table() -> None:
    assert grid(("a", "b"), [("x|y", 1)]) == ["| a | b |", "|---|---|", "| x\\|y | 1 |"]


def test_the_block_has_targets_and_peers_side_by_side() -> None:
    text = render_block(results())
    assert cells(text, "Android recall, embedded or renamed")[0][1:4] == ["≥ 0.98", "0.500 (1 of 2)", "**missed**"]
    rows = {row[1]: row[2:] for row in cells(text, "android")}
    assert rows["auditor"] == ["**0/1**", "–", "1/1", "0"]
    assert rows["Exodus, its rules"] == ["no rule", "–", "no rule", "0"]
    assert rows["Exodus' method, ideal rules"] == ["**0/1**", "–", "**0/1**", "0"]


def test_our_row_is_about_the_apps_that_the_peers_were_asked_about() -> None:
    other = replace(MISSED, case="android-2-r8-full")
    told = results(outcomes=as_rows([*ALL, other]))
    assert cells(render_block(told), "android")[0][1:3] == ["auditor", "**0/1**"]
    assert cells(render_block({**told, "peers": []}), "android")[0][1:3] == ["auditor", "**0/2**"]


def test_what_a_peer_finds_without_its_being_there_is_counted() -> None:
    rows = {row[1]: row[2:] for row in cells(render_block(results()), "android")}
    assert rows["blint, any name it prints"] == ["1/1", "–", "1/1", "1"]


def test_a_peer_that_does_not_read_a_platform_has_no_row_there() -> None:
    away = [{"peer": "exodus", "case": "ios-1", "family": "wechat", "word": "not for this platform"}]
    rows = cells(render_block(results(peers=away)), "ios, encrypted")
    assert [row[1] for row in rows] == ["auditor"]


def test_every_style_and_use_is_a_row() -> None:
    text = section(render_document(results()), "Android: shrinker and use")
    assert cells(text, "r8-full") == [["r8-full", "payment", "**0/1**", "–", "1/1", "**1/2**"]]


def test_encrypted_apps_have_a_table_and_a_count_of_their_own() -> None:
    text = section(render_document(results()), "iOS: link style")
    assert cells(text, "export-list") == [["export-list", "payment", "–", "–", "1/1", "1/1"]]
    assert "Wrongly answered not found: 0." in text


def test_versions_are_told_with_and_without_what_they_taught() -> None:
    text = section(render_document(results()), "Versions left out, one at a time")
    assert cells(text, "android") == [
        ["android", "alipay", "15.5.9", "**0/1**", "**0/1**", "2/19"],
        ["android", "wechat", "5.1.6", "1/1", "1/1", "21/57"],
    ]


def test_exact_versions_are_counted_by_what_they_are_worth() -> None:
    text = section(render_document(results()), "Exact versions")
    assert cells(text, "android") == [["android", "wechat", "1", "1", "0", "0", "0", "0"]]


def test_what_is_not_found_is_named_with_what_was_left_of_it() -> None:
    text = section(render_document(results()), "Not found, and why")
    why = "no name of it is readable and the literals are too few"
    row = ["android", "r8-full", "alipay", "1", "40", "missed", why, "android-1-r8-full"]
    assert [line for line in cells(text, "android") if "r8-full" in line] == [row]
    assert "- Strings that a protector encrypts leave no literal." in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"encrypted": True}, "the code is ciphertext and no name of it is readable"),
        ({"encrypted": True, "named": 3}, "the code is ciphertext and 3 names are readable"),
        ({"literals": ""}, "no name of it is readable and no literal was seen"),
        ({"named": 2}, "2 names are readable and the literals are too few"),
    ],
)
def test_what_stood_in_the_way_comes_from_the_truth(changes: dict[str, Any], words: str) -> None:
    assert why_lost(replace(MISSED, **changes)) == words


def test_a_confusion_is_named() -> None:
    wrong = replace(ABSENT, word="confused", grade="renamed")
    text = section(render_document(results(outcomes=as_rows([wrong]))), "Not found, and why")
    assert "- android-1-r8-full: tencent-qq was found (renamed) and is not there" in text


def test_negatives_and_cost_are_told_when_they_were_run() -> None:
    row = {
        "set": "real",
        "files": 40,
        "apps": 45,
        "findings": 0,
        "readable": 40,
        "unknown": 0,
        "unknown_unreadable": 1,
        "no_app": 0,
        "faults": 0,
    }
    odd = {
        "set": "real",
        "file": "a.apk",
        "findings": [],
        "unknown": 1,
        "why": ["code-absent"],
        "faults": [],
        "readable": False,
    }
    told = {"sets": [row], "odd": [odd], "missing": ["x: away"], "distinct": {"files": 40, "with_apps": 39}}
    file = {"file": "a.apk", "before_ms": 10.0, "after_ms": 11.0, "ratio": 1.1}
    cost = {
        "baseline": "d69eec0",
        "files": [file],
        "all": {**file, "file": "all"},
        "median_ratio": 1.1,
        "largest_ratio": 1.1,
        "catalog_loading": file,
        "target": 1.15,
        "met": True,
    }
    text = render_document(results(negatives=told, cost=cost))
    assert cells(text, "real")[0] == ["real", "40", "45", "0", "40", "0", "1", "0", "0"]
    assert cells(text, "real")[1] == ["real", "`a.apk`", "–", "code-absent", "no"]
    assert "- not fetched: x: away" in text
    assert cells(text, "all") == [["all", "10.0", "11.0", "1.10"]]
    assert "Not run." in render_document(results())


def test_the_document_says_when_with_what_and_where_it_ran() -> None:
    text = render_document(results(slice=True))
    for words in (
        "2026-11-22",
        "a slice of the matrix",
        "auditor 0.1.0",
        "abababababab",
        "2 cores",
        "1 Android and 1 iOS",
    ):
        assert words in text


def test_results_are_written_one_row_a_line_and_read_back() -> None:
    text = render_results(results())
    assert json.loads(text) == results()
    assert text == render_results(dict(reversed(results().items())))
    assert sum('"case": "android-1-r8-full"' in line for line in text.splitlines()) == 15


def test_without_a_run_there_are_no_results(tmp_path: Any) -> None:
    assert load_results(tmp_path / "results.json") is None


def test_the_documents_say_what_the_committed_run_did() -> None:
    committed = load_results()
    assert committed is not None, "python -m benchmarks.accuracy --output benchmarks/accuracy/results.json"
    assert DOCUMENT.read_text(encoding="utf-8") == render_document(committed), "python -m tests.refresh_docs"
    assert blocks_in(README.read_text(encoding="utf-8")).get("accuracy") == render_block(committed)
    assert not committed["slice"], "the table is of the whole matrix"
