"""Every committed sample is the file the manifest describes, and shows what the manifest says."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auditor.model import Completeness, RecordKind, State

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
MANIFEST = SAMPLES / "manifest.toml"
MAX_SAMPLE_BYTES = 60_000
MAX_CARRIER_BYTES = 65_536
"""The smallest file system that mke2fs makes; it is mostly zeros."""
MAX_TOTAL_BYTES = 3_200_000
SOURCES = ("recipes", "src", "keys", "test-catalog", "__pycache__")
SOURCE_FILES = ("build.py", "manifest.toml", "README.md")
REQUIRED_KEYS = {"path", "sha256", "recipe", "about", "exit_code", "problems"}
OPTIONAL_KEYS = {"app", "record", "listed", "catalog", "scan", "part_of", "password"}
APP_KEYS = {"platform", "app_id", "expect", "unknown", "absent", "problems"}
OPTIONAL_APP_KEYS = {"vendor", "signing", "scheme", "facts", "proofs", "deep", "place"}
RECORD_KEYS = {"kind", "completeness", "apps"}
LISTED_KEYS = {"record", "platform", "app_id", "state"}
OPTIONAL_LISTED_KEYS = {"user", "version_code", "matches", "finding"}
EXPECT_KEYS = {"subject", "role", "grade", "verdict"}
PROOF_KEYS = {"signature", "grade", "clauses", "without", "version", "basis", "calls", "detail"}
SUBJECTS = {
    "alipay",
    "camscanner",
    "qq-wallet",
    "shareit",
    "tencent-qq",
    "vmate",
    "wechat",
    "wechat-pay",
    "wps-office",
}
GRADES = {
    "app": {"verified", "claimed", "impostor", "sibling"},
    "sdk": {"embedded", "renamed", "reimplemented", "referenced", "mentioned"},
}
FINDING_GRADES = {"verified", "claimed", "impostor", "embedded", "renamed"}

ENTRIES: list[dict[str, Any]] = tomllib.loads(MANIFEST.read_text(encoding="utf-8"))["sample"]
ALL = [pytest.param(entry, id=entry["path"]) for entry in ENTRIES]


def committed_files() -> Iterator[Path]:
    for path in sorted(SAMPLES.rglob("*")):
        relative = path.relative_to(SAMPLES)
        if path.is_file() and not set(relative.parts) & set(SOURCES) and relative.name not in SOURCE_FILES:
            yield relative


def test_no_file_lies_in_samples_without_an_entry() -> None:
    assert sorted(path.as_posix() for path in committed_files()) == [entry["path"] for entry in ENTRIES]


def test_all_samples_together_stay_small() -> None:
    assert sum((SAMPLES / path).stat().st_size for path in committed_files()) <= MAX_TOTAL_BYTES


@pytest.mark.parametrize("entry", ALL)
def test_a_sample_is_the_file_the_manifest_describes(entry: dict[str, Any]) -> None:
    data = (SAMPLES / entry["path"]).read_bytes()
    assert hashlib.sha256(data).hexdigest() == entry["sha256"]
    assert len(data) <= (MAX_CARRIER_BYTES if entry["path"].startswith("carriers/") else MAX_SAMPLE_BYTES)


@pytest.mark.parametrize("entry", ALL)
def test_an_entry_has_the_known_keys_only(entry: dict[str, Any]) -> None:
    assert REQUIRED_KEYS <= set(entry) <= REQUIRED_KEYS | OPTIONAL_KEYS
    for app in entry.get("app", []):
        assert APP_KEYS <= set(app) <= APP_KEYS | OPTIONAL_APP_KEYS
        assert app["platform"] in ("android", "ios")
        for expected in app["expect"]:
            assert set(expected) == EXPECT_KEYS
        for proof in (*app.get("proofs", []), *app.get("deep", [])):
            assert {"signature"} <= set(proof) <= PROOF_KEYS
            role = "app" if proof["signature"].startswith("app:") else "sdk"
            assert set(proof) == {"signature"} or proof["grade"] in GRADES[role]
    for record in entry.get("record", []):
        assert set(record) == RECORD_KEYS
    for listed in entry.get("listed", []):
        assert LISTED_KEYS <= set(listed) <= LISTED_KEYS | OPTIONAL_LISTED_KEYS
        assert ("matches" in listed) == ("finding" in listed), "what matches says whether it counts"


@pytest.mark.parametrize("entry", ALL)
def test_the_records_and_the_apps_they_list_agree(entry: dict[str, Any]) -> None:
    listed = entry.get("listed", [])
    counts: Counter[str] = Counter(item["record"] for item in listed)
    stated: Counter[str] = Counter()
    for record in entry.get("record", []):
        assert record["kind"] in set(RecordKind)
        assert record["completeness"] in set(Completeness)
        stated[record["kind"]] += record["apps"]
    assert +counts == +stated
    for item in listed:
        assert item["platform"] in ("android", "ios")
        assert {match["subject"] for match in item.get("matches", [])} <= SUBJECTS
        assert {match["grade"] for match in item.get("matches", [])} <= GRADES["app"]
        if item.get("finding", False):
            assert State(item["state"]).is_presence


@pytest.mark.parametrize("entry", ALL)
def test_an_entry_says_what_it_is_for_in_one_sentence(entry: dict[str, Any]) -> None:
    assert entry["about"].endswith(".")
    assert "\n" not in entry["about"]


@pytest.mark.parametrize("entry", ALL)
def test_the_expectations_of_an_entry_agree_with_each_other(entry: dict[str, Any]) -> None:
    apps = entry.get("app", [])
    findings = unknown = False
    for app in apps:
        named = [expected["subject"] for expected in app["expect"]]
        assert set(named) <= SUBJECTS | ({"test-app"} if "catalog" in entry else set())
        assert not set(named) & set(app["absent"]), "a subject with a match of its own is not listed as absent"
        assert set(app["unknown"]) <= SUBJECTS
        assert set(app["absent"]) <= SUBJECTS | {"*"}
        assert not set(app["unknown"]) & {*named, *app["absent"]}
        for expected in app["expect"]:
            assert expected["grade"] in GRADES[expected["role"]]
            assert (expected["verdict"] == "present") == (expected["grade"] in FINDING_GRADES)
        findings |= any(expected["verdict"] == "present" for expected in app["expect"])
        unknown |= bool(app["unknown"])
    if "part_of" in entry:
        assert not apps, "a file of a set is judged with its base"
        assert not entry.get("record", [])
        return
    findings |= any(item.get("finding", False) for item in entry.get("listed", []))
    if entry["exit_code"] == 1:
        assert findings
    if entry["exit_code"] == 0:
        assert apps
        assert not findings
        assert not unknown
    if entry["exit_code"] == 4:
        assert not apps
        assert not findings


@pytest.mark.parametrize("entry", ALL)
def test_files_of_a_set_lie_in_the_folder_they_name(entry: dict[str, Any]) -> None:
    for key in ("scan", "part_of"):
        if key in entry:
            assert (SAMPLES / entry["path"]).is_relative_to(SAMPLES / entry[key])
            assert (SAMPLES / entry[key]).is_dir()


def test_the_manifest_is_what_the_recipes_say() -> None:
    sys.path.insert(0, str(SAMPLES))
    try:
        spec = importlib.util.spec_from_file_location("samples_build", SAMPLES / "build.py")
        assert spec is not None
        assert spec.loader is not None
        samples_build = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(samples_build)
        from recipes.sample import render_manifest
    finally:
        sys.path.remove(str(SAMPLES))
    assert render_manifest(samples_build.samples(), SAMPLES) == MANIFEST.read_text(encoding="utf-8")
