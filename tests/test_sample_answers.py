"""The auditor says about every committed sample what the manifest says, no more findings and no fewer."""

from __future__ import annotations

import tomllib
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from auditor import Audit, Catalog, Problem, Role, Run, Verdict, load_catalog
from auditor.judge import is_finding
from auditor.model import GRADE_ORDER, FactKind, Match, Origin
from auditor.report.content import report_of
from auditor.report.outcome import FailOn

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
ENTRIES: list[dict[str, Any]] = tomllib.loads((SAMPLES / "manifest.toml").read_text(encoding="utf-8"))["sample"]
SCANNED = [pytest.param(entry, id=entry["path"]) for entry in ENTRIES if "part_of" not in entry]
AS_OF = date(2026, 11, 1)


@cache
def catalog_with(extra: str) -> Catalog:
    return load_catalog([SAMPLES / extra] if extra else [])


@cache
def scanned(path: str, extra: str = "", *passwords: str) -> tuple[Run, tuple[Audit, ...]]:
    """A run that has ended, and the apps it found."""
    run = Run([SAMPLES / path], catalog_with(extra), AS_OF, passwords=passwords)
    return run, tuple(run)


def answers_on(path: str, extra: str, *passwords: str) -> tuple[tuple[Audit, ...], tuple[Problem, ...], int]:
    """Apps, problems that belong to no app, and the exit code of `auditor check`."""
    run, found = scanned(path, extra, *passwords)
    return found, run.problems, report_of(run, found, FailOn()).exit_code


def passwords_of(entry: dict[str, Any]) -> list[str]:
    return [entry["password"]] if "password" in entry else []


def scanned_entry(entry: dict[str, Any]) -> tuple[Run, tuple[Audit, ...]]:
    return scanned(entry.get("scan", entry["path"]), entry.get("catalog", ""), *passwords_of(entry))


def answers(entry: dict[str, Any]) -> tuple[tuple[Audit, ...], tuple[Problem, ...], int]:
    return answers_on(entry.get("scan", entry["path"]), entry.get("catalog", ""), *passwords_of(entry))


def strongest(found: Audit) -> dict[tuple[str, str], str]:
    """The strongest grade per subject and role, vendor SDKs aside."""
    out: dict[tuple[str, str], str] = {}
    for answer in found.answers:
        for match in sorted(answer.matches, key=lambda item: GRADE_ORDER.index(item.grade)):
            if match.role is not Role.VENDOR:
                out.setdefault((answer.subject, match.role.value), match.grade.value)
    return out


def place_of(found: Audit, entry: dict[str, Any]) -> str:
    """Where an app lies inside its sample; of a folder its first step is a file of it."""
    return str(Origin(found.app.origin.path[0 if "scan" in entry else 1 :]))


def pairs(entry: dict[str, Any]) -> list[tuple[dict[str, Any], Audit]]:
    """The apps the manifest lists beside those that came out, by platform and id."""
    found, _, _ = answers(entry)
    listed = sorted(entry.get("app", []), key=lambda app: (app["platform"], app["app_id"], app.get("place", "")))
    seen = sorted(found, key=lambda item: (item.app.platform.value, item.app.app_id, place_of(item, entry)))
    assert [(item.app.platform.value, item.app.app_id) for item in seen] == [
        (app["platform"], app["app_id"]) for app in listed
    ]
    return list(zip(listed, seen, strict=True))


@pytest.mark.parametrize("entry", SCANNED)
def test_every_app_of_a_sample_comes_out_and_no_other(entry: dict[str, Any]) -> None:
    assert len(pairs(entry)) == len(entry.get("app", []))


@pytest.mark.parametrize("entry", SCANNED)
def test_an_app_is_found_in_its_place(entry: dict[str, Any]) -> None:
    for app, found in pairs(entry):
        if "place" in app:
            assert place_of(found, entry) == app["place"]


RECORDED = [item for item in SCANNED if item.values[0]["path"].startswith(("carriers/", "devices/"))]


def record_rows(run: Run) -> list[tuple[str, str, int]]:
    return sorted((item.record.kind.value, item.record.completeness.value, len(item.apps)) for item in run.records)


def listed_rows(run: Run) -> list[tuple[str, ...]]:
    """Every app of every record, in the words of the manifest."""
    rows = []
    for judged in run.records:
        for app in judged.apps:
            listing = app.listing
            matches = ",".join(sorted(f"{match.subject} {match.grade.value}" for match in app.matches))
            told = (listing.platform.value, listing.app_id, listing.state.value, listing.user, listing.version_code)
            rows.append((judged.record.kind.value, *told, matches, str(bool(app.findings)).lower()))
    return sorted(rows)


def expected_rows(entry: dict[str, Any]) -> list[tuple[str, ...]]:
    rows = []
    for item in entry.get("listed", []):
        matches = ",".join(sorted(f"{match['subject']} {match['grade']}" for match in item.get("matches", [])))
        told = tuple(item.get(key, "") for key in ("platform", "app_id", "state", "user", "version_code"))
        rows.append((item["record"], *told, matches, str(item.get("finding", False)).lower()))
    return sorted(rows)


@pytest.mark.parametrize("entry", SCANNED)
def test_every_record_of_a_sample_is_read_and_names_its_apps(entry: dict[str, Any]) -> None:
    run, _ = scanned_entry(entry)
    stated = [(item["kind"], item["completeness"], item["apps"]) for item in entry.get("record", [])]
    assert record_rows(run) == sorted(stated)
    assert listed_rows(run) == expected_rows(entry)


@pytest.mark.parametrize("entry", RECORDED)
def test_a_carrier_and_a_record_have_no_problem_but_those_named(entry: dict[str, Any]) -> None:
    _, problems, _ = answers(entry)
    assert {problem.code.value for problem in problems} == set(entry["problems"])
    for app, item in pairs(entry):
        assert {problem.code.value for problem in item.problems} == set(app["problems"])


LOCKED = [item for item in SCANNED if "password" in item.values[0]]


@pytest.mark.parametrize("entry", LOCKED)
@pytest.mark.parametrize("passwords", [(), ("another one",)], ids=["none", "wrong"])
def test_a_locked_sample_says_so(entry: dict[str, Any], passwords: tuple[str, ...]) -> None:
    run, found = scanned(entry["path"], "", *passwords)
    assert "encrypted" in {problem.code.value for problem in run.problems}
    assert len(found) + len(listed_rows(run)) < len(entry.get("app", [])) + len(entry["listed"])


@pytest.mark.parametrize("entry", SCANNED)
def test_what_must_be_seen_is_seen_with_its_grade_and_verdict(entry: dict[str, Any]) -> None:
    for app, found in pairs(entry):
        grades = strongest(found)
        verdicts = {answer.subject: answer.verdict.value for answer in found.answers}
        for expected in app["expect"]:
            assert grades.get((expected["subject"], expected["role"])) == expected["grade"], expected
            assert verdicts[expected["subject"]] == expected["verdict"], expected


@pytest.mark.parametrize("entry", SCANNED)
def test_what_must_not_be_seen_is_not_and_what_is_hidden_stays_unknown(entry: dict[str, Any]) -> None:
    for app, found in pairs(entry):
        named = {expected["subject"] for expected in app["expect"]}
        everything = "*" in app["absent"]
        for answer in found.answers:
            if answer.subject in app["unknown"]:
                assert answer.verdict is Verdict.UNKNOWN, answer.subject
                assert answer.hidden_by, "an unknown verdict names the problems that keep it open"
            elif answer.subject in app["absent"] or (everything and answer.subject not in named):
                assert answer.verdict is Verdict.NOT_FOUND, answer.subject
            if answer.subject not in named:
                assert not any(is_finding(match) for match in answer.matches), answer.subject
        assert set(app["unknown"]) <= {answer.subject for answer in found.answers}


@pytest.mark.parametrize("entry", SCANNED)
def test_problems_vendor_sdks_and_signing_are_reported(entry: dict[str, Any]) -> None:
    _, problems, _ = answers(entry)
    assert set(entry["problems"]) <= {problem.code.value for problem in problems}
    for app, found in pairs(entry):
        assert set(app["problems"]) <= {problem.code.value for problem in found.problems}
        vendors = {match.signature for answer in found.answers for match in answer.matches if match.role is Role.VENDOR}
        assert set(app.get("vendor", [])) <= vendors
        if "signing" in app:
            assert found.app.signing.state.value == app["signing"]
        if "scheme" in app:
            assert found.app.signing.scheme == app["scheme"]


FACTS = [item for item in SCANNED if any("facts" in app for app in item.values[0].get("app", []))]
PROOFS = [item for item in SCANNED if any("proofs" in app for app in item.values[0].get("app", []))]
DEEP = [item for item in SCANNED if any("deep" in app for app in item.values[0].get("app", []))]


@pytest.mark.parametrize("entry", FACTS)
def test_the_facts_a_sample_is_about_are_read(entry: dict[str, Any]) -> None:
    for app, found in pairs(entry):
        for text in app.get("facts", []):
            kind, _, value = text.partition(" ")
            assert any(value in item.values for item in found.extraction.of(FactKind(kind))), text


def check_proof(proof: dict[str, Any], found: Audit) -> None:
    """Compare what one signature answered with an entry of the manifest."""
    matches: list[Match] = [
        match for answer in found.answers for match in answer.matches if match.signature == proof["signature"]
    ]
    assert [match.grade.value for match in matches] == ([proof["grade"]] if "grade" in proof else [])
    for match in matches:
        clauses = {hit.clause for hit in match.hits}
        assert set(proof.get("clauses", [])) <= clauses
        assert not set(proof.get("without", [])) & clauses
        if "version" in proof:
            assert (match.version, match.version_basis.value) == (proof["version"], proof["basis"])
        shown = {fact.value for hit in match.hits if hit.kind is FactKind.DEX_CALL for fact in hit.facts}
        assert set(proof.get("calls", [])) <= shown
        assert match.detail.startswith(proof.get("detail", ""))


@pytest.mark.parametrize("entry", PROOFS)
def test_a_signature_answers_on_the_evidence_the_sample_was_made_for(entry: dict[str, Any]) -> None:
    for app, found in pairs(entry):
        for proof in app.get("proofs", []):
            check_proof(proof, found)


@pytest.mark.parametrize("entry", DEEP)
def test_a_second_look_shows_what_the_sample_was_made_for(entry: dict[str, Any]) -> None:
    found = tuple(Run([SAMPLES / entry["path"]], catalog_with(entry.get("catalog", "")), AS_OF, deep=True))
    (app,) = entry["app"]
    (only,) = found
    for proof in app["deep"]:
        check_proof(proof, only)


READABLE = [item for item in SCANNED if not any(app["problems"] for app in item.values[0].get("app", []))]


@pytest.mark.parametrize("entry", READABLE)
def test_a_readable_sample_has_no_unknown_verdict(entry: dict[str, Any]) -> None:
    found, _, _ = answers(entry)
    assert [answer.subject for item in found for answer in item.answers if answer.verdict is Verdict.UNKNOWN] == []


@pytest.mark.parametrize("entry", SCANNED)
def test_no_sample_is_a_fault_of_the_auditor(entry: dict[str, Any]) -> None:
    found, problems, _ = answers(entry)
    codes = [problem.code.value for problem in (*problems, *(one for item in found for one in item.problems))]
    assert "internal-error" not in codes


@pytest.mark.parametrize("entry", SCANNED)
def test_the_exit_code_says_how_it_ended(entry: dict[str, Any]) -> None:
    assert answers(entry)[2] == entry["exit_code"]


PASSWORDS = sorted({entry["password"] for entry in ENTRIES if "password" in entry})


def test_the_folder_of_samples_shows_every_product() -> None:
    found, _, exit_code = answers_on("", "", *PASSWORDS)
    present = {answer.subject for item in found for answer in item.answers if answer.verdict is Verdict.PRESENT}
    assert present >= {
        "alipay",
        "camscanner",
        "qq-wallet",
        "shareit",
        "tencent-qq",
        "vmate",
        "wechat-pay",
        "wps-office",
    }
    assert exit_code == 1


def test_every_app_of_the_folder_is_found_as_often_as_the_manifest_lists_it() -> None:
    found, _, _ = answers_on("", "", *PASSWORDS)
    listed = sorted(app["app_id"] for entry in ENTRIES for app in entry.get("app", []))
    assert sorted(item.app.app_id for item in found) == listed


def test_every_record_of_the_folder_is_read_once_and_no_source_is_taken_for_one() -> None:
    run, _ = scanned("", "", *PASSWORDS)
    stated = [
        (item["kind"], item["completeness"], item["apps"]) for entry in ENTRIES for item in entry.get("record", [])
    ]
    assert record_rows(run) == sorted(stated)
    assert listed_rows(run) == sorted(row for entry in ENTRIES for row in expected_rows(entry))
