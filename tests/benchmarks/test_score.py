"""What an answer is worth against the truth, on made-up audits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from auditor.model import FactKind, Grade, Match, Problem, ProblemCode, Role, Verdict
from benchmarks.accuracy.cases import Case, Truth
from benchmarks.accuracy.score import (
    FAMILIES,
    Catalogs,
    Outcome,
    Rate,
    VersionWord,
    Word,
    as_rows,
    figures,
    from_rows,
    is_found,
    rate,
    score,
    version_word,
)
from tests.builders.reports import identity_match, make_app, make_audit, make_hit, make_match

APP = make_app("case.apk")
IN = Truth("wechat", "5.1.6", classes=40, named=0, states="5.1.6")
GONE = Truth("wechat", "5.1.6", classes=0, named=0)
LOCKED = Problem(ProblemCode.MACHO_ENCRYPTED, APP.origin, "the executable is ciphertext")


def case(*truths: Truth, platform: str = "android", encrypted: bool = False) -> Case:
    return Case("case", platform, Path("case.apk"), "r8-full", "payment", truths, encrypted)


def outcomes(built: Case, *matches: Match, unknown: tuple[str, ...] = ()) -> dict[str, Outcome]:
    audits = (make_audit(APP, *matches, problems=(LOCKED,) if unknown else (), unknown=unknown),)
    return {item.family: item for item in score(built, audits, Catalogs.WITHOUT)}


def wechat(grade: Grade, **changes: object) -> Match:
    return make_match(APP, "wechat", grade, **changes)


@pytest.mark.parametrize(
    ("grade", "word"),
    [
        (Grade.EMBEDDED, Word.FOUND),
        (Grade.RENAMED, Word.FOUND),
        (Grade.REIMPLEMENTED, Word.REIMPLEMENTED),
        (Grade.REFERENCED, Word.REFERENCED),
        (Grade.MENTIONED, Word.MENTIONED),
    ],
)
def test_what_is_inside_is_found_by_its_code_and_less_by_its_traces(grade: Grade, word: Word) -> None:
    told = outcomes(case(IN), wechat(grade))["wechat"]
    assert (told.word, told.grade, told.embedded) == (word, grade, True)


def test_what_is_inside_and_leaves_no_trace_is_missed() -> None:
    told = outcomes(case(IN))["wechat"]
    assert (told.word, told.verdict, told.false_absence) == (Word.MISSED, Verdict.NOT_FOUND, True)


def test_an_open_answer_is_unknown_and_no_false_absence() -> None:
    told = outcomes(case(IN), unknown=("wechat",))["wechat"]
    assert (told.word, told.verdict, told.false_absence) == (Word.UNKNOWN, Verdict.UNKNOWN, False)


@pytest.mark.parametrize(("grade", "word"), [(Grade.REFERENCED, Word.REFERENCED), (Grade.MENTIONED, Word.UNKNOWN)])
def test_a_reference_is_worth_more_than_an_open_answer_and_a_mention_is_not(grade: Grade, word: Word) -> None:
    assert outcomes(case(IN), wechat(grade), unknown=("wechat",))["wechat"].word == word


def test_a_reference_alone_does_not_make_a_not_found_false() -> None:
    told = outcomes(case(IN), wechat(Grade.REFERENCED))["wechat"]
    assert told.verdict == Verdict.NOT_FOUND
    assert not told.false_absence


def test_what_is_not_inside_and_not_found_is_right() -> None:
    told = outcomes(case(IN), wechat(Grade.RENAMED))
    assert {name: item.word for name, item in told.items()} == {
        "alipay": Word.RIGHT_ABSENT,
        "tencent-qq": Word.RIGHT_ABSENT,
        "wechat": Word.FOUND,
    }


def test_a_reference_to_what_is_not_inside_is_no_confusion() -> None:
    assert outcomes(case(), wechat(Grade.REFERENCED))["wechat"].word == Word.RIGHT_ABSENT


def test_a_family_that_is_found_and_was_never_built_in_is_confused() -> None:
    told = outcomes(case(Truth("tencent-qq", "r5793", 200, 0)), make_match(APP, "wechat", Grade.RENAMED))
    assert told["wechat"].word == Word.CONFUSED
    assert told["tencent-qq"].word == Word.MISSED


def test_an_sdk_of_the_same_vendor_is_no_finding() -> None:
    told = outcomes(case(), make_match(APP, "wechat", Grade.EMBEDDED, role=Role.VENDOR))
    assert told["wechat"].word == Word.RIGHT_ABSENT
    assert told["wechat"].grade == ""


def test_wechat_pay_beside_wechat_is_no_confusion_and_alone_it_is() -> None:
    pay = make_match(APP, "wechat-pay", Grade.RENAMED)
    assert set(outcomes(case(IN), wechat(Grade.RENAMED), pay)) == set(FAMILIES)
    assert outcomes(case(), pay)["wechat-pay"].word == Word.CONFUSED


def test_an_app_taken_for_a_designated_one_is_confused() -> None:
    told = outcomes(case(), identity_match(APP, "wechat", Grade.CLAIMED))
    assert told["wechat"].word == Word.CONFUSED


@pytest.mark.parametrize(
    ("grades", "word"),
    [((), Word.RIGHT_ABSENT), ((Grade.RENAMED,), Word.REMAINS), ((Grade.MENTIONED,), Word.RIGHT_ABSENT)],
)
def test_an_sdk_that_was_shrunk_away_may_leave_strings(grades: tuple[Grade, ...], word: Word) -> None:
    told = outcomes(case(GONE), *(wechat(grade) for grade in grades))["wechat"]
    assert (told.word, told.embedded, told.went_in) == (word, False, "5.1.6")


def test_an_app_that_is_not_opened_answers_nothing() -> None:
    told = {item.family: item for item in score(case(IN), (), Catalogs.SHIPPED)}
    assert {item.word for item in told.values()} == {Word.UNKNOWN}
    assert {item.catalog for item in told.values()} == {"shipped"}
    assert not told["wechat"].false_absence


def test_the_literal_clause_that_saw_most_is_told() -> None:
    hits = (
        make_hit(APP, FactKind.DEX_STRING, "a", matched=3, listed=8),
        make_hit(APP, FactKind.DEX_STRING, "b", matched=21, listed=57),
        make_hit(APP, FactKind.DEX_CLASS, "c.d", matched=99, listed=99),
    )
    assert outcomes(case(IN), make_match(APP, "wechat", Grade.RENAMED, *hits))["wechat"].literals == "21/57"
    assert outcomes(case(IN), wechat(Grade.EMBEDDED))["wechat"].literals == ""


@pytest.mark.parametrize(
    ("told", "states", "word"),
    [
        ("5.1.6", "5.1.6", VersionWord.EXACT),
        ("5.1.6, 5.3.1", "5.1.6", VersionWord.AMONG),
        ("", "5.1.6", VersionWord.NONE),
        ("5.1.5", "5.1.6", VersionWord.WRONG),
        ("15.1.6", "5.1.6", VersionWord.WRONG),
        ("5.1.0 – 5.3.1", "5.1.6", VersionWord.RANGE),
        ("5.1.0 to 5.3.1", "5.1.6", VersionWord.RANGE),
        (">= 5.1.0", "5.1.6", VersionWord.RANGE),
        ("5.1.6", "", ""),
        ("", "", ""),
    ],
)
def test_a_version_is_exact_or_something_less(told: str, states: str, word: str) -> None:
    assert version_word(told, states) == word


def test_the_version_of_the_match_is_compared_with_the_literal_that_is_left() -> None:
    told = outcomes(case(IN), wechat(Grade.RENAMED, version="5.1.6"))["wechat"]
    assert (told.version, told.states, told.version_word) == ("5.1.6", "5.1.6", "exact")


@pytest.mark.parametrize(
    ("k", "n", "share", "text"), [(1, 4, 0.25, "1 of 4"), (0, 0, 1.0, "none built"), (0, 2, 0.0, "0 of 2")]
)
def test_a_rate_of_nothing_missed_nothing(k: int, n: int, share: float, text: str) -> None:
    assert (Rate(k, n).share, str(Rate(k, n))) == (share, text)


MADE = Outcome(
    case="a",
    platform="android",
    style="d8",
    use="payment",
    encrypted=False,
    catalog="without",
    family="wechat",
    went_in="5.1.6",
    classes=10,
    named=0,
    states="",
    word="found",
    verdict="present",
    grade="renamed",
    literals="9/9",
    version="",
    version_word="",
)


def ios(word: Word, *, encrypted: bool, verdict: str = "not found") -> Outcome:
    return replace(MADE, platform="ios", encrypted=encrypted, word=word, verdict=verdict)


def by_id(made: list[Outcome]) -> dict[str, tuple[float, bool]]:
    return {item.id: (item.share, item.met) for item in figures(made, Catalogs.WITHOUT)}


def test_recall_is_over_what_is_still_inside() -> None:
    missed, gone = replace(MADE, word="missed"), replace(MADE, classes=0, word="right-absent")
    assert by_id([MADE, MADE, MADE, missed, gone])["android-recall"] == (0.75, False)
    assert by_id([*[MADE] * 98, missed, missed, gone])["android-recall"] == (0.98, True)


def test_a_figure_without_a_single_app_is_not_met() -> None:
    told = by_id([])
    assert told["android-recall"] == (1.0, False)
    assert told["confused"] == (0.0, True)


def test_only_the_catalog_that_is_asked_about_counts() -> None:
    assert by_id([MADE, replace(MADE, catalog="shipped", word="confused")])["confused"] == (0.0, True)


def test_one_confusion_misses_the_target() -> None:
    assert by_id([MADE, replace(MADE, word="confused", classes=0)])["confused"] == (1.0, False)


def test_readable_and_encrypted_executables_are_two_figures() -> None:
    told = by_id(
        [
            ios(Word.FOUND, encrypted=False, verdict="present"),
            ios(Word.REFERENCED, encrypted=False),
            ios(Word.FOUND, encrypted=True, verdict="present"),
            ios(Word.REFERENCED, encrypted=True, verdict="unknown"),
            ios(Word.UNKNOWN, encrypted=True, verdict="unknown"),
            ios(Word.MISSED, encrypted=True),
        ]
    )
    assert told["ios-recall"] == (0.5, False)
    assert told["fairplay"] == (0.5, False)
    assert told["fairplay-absent"] == (1.0, False)


def test_exact_versions_are_asked_only_where_the_literal_is_left_and_readable() -> None:
    stated = replace(MADE, states="5.1.6", version="5.1.6", version_word="exact")
    ranged = replace(stated, version="5.1.0 – 5.3.1", version_word="range")
    locked = replace(stated, encrypted=True, version="", version_word="none")
    assert by_id([MADE, stated, ranged, locked])["exact-version"] == (0.5, False)


def test_outcomes_survive_being_written_and_come_sorted() -> None:
    later = replace(MADE, case="b")
    rows = as_rows([later, MADE])
    assert [row["case"] for row in rows] == ["a", "b"]
    assert list(from_rows(rows)) == [MADE, later]
    assert rate([MADE, later], is_found) == Rate(2, 2)
    scored = score(case(IN), (make_audit(APP, wechat(Grade.RENAMED)),), Catalogs.WITHOUT)
    assert {type(value) for row in as_rows(scored) for value in row.values()} <= {str, int, bool}
