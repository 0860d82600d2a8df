"""The whole proof of an answer for people: reasons, shares, places, and what was not seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from auditor.judge import judge
from auditor.match import match
from auditor.model import (
    Audit,
    Clause,
    FactKind,
    Grade,
    LearnedRole,
    Match,
    ProblemCode,
    Rule,
    Signature,
    Verdict,
    VersionSource,
)
from auditor.report.layout import Page
from auditor.report.names import names_of
from auditor.report.proof_text import add_answer, reason_of, share_of
from tests.builders.extractions import app_id, catalog, clause, extraction, signature, subject

CLASS, STRING, ACTIVITY = FactKind.DEX_CLASS, FactKind.DEX_STRING, FactKind.ACTIVITY
TEXTS = [f"pay text {number}" for number in range(20)]
SDK = signature(
    "pay-sdk",
    [
        clause("classes", CLASS, "com.pay.Task", prefixes=("com.pay.sdk.",)),
        clause("literals", STRING, *TEXTS, at_least=3, learned=(LearnedRole.STRONG,)),
        clause("trace", STRING, *TEXTS),
        clause("screen", ACTIVITY, "com.pay.Screen"),
    ],
    [
        (Grade.EMBEDDED, ("classes",), ()),
        (Grade.RENAMED, ("literals",), ()),
        (Grade.REFERENCED, (), ("screen",)),
        (Grade.MENTIONED, (), ("trace",)),
    ],
    versions=(VersionSource(STRING, r"^Pay/(.*)$"),),
)
CATALOG = catalog([subject("pay", [app_id("com.pay.app")])], [SDK])


def audited(facts: dict[FactKind, list[str]], *problems: ProblemCode) -> Audit:
    read = extraction(facts, problems=problems)
    return judge(read, match(read, CATALOG), CATALOG, date(2026, 1, 1))


def proof(facts: dict[FactKind, list[str]], *problems: ProblemCode) -> str:
    found = audited(facts, *problems)
    page = Page(200)
    add_answer(page, found, found.answers[0], names_of(CATALOG))
    return page.render()


def matched(facts: dict[FactKind, list[str]]) -> Match:
    return audited(facts).answers[0].matches[0]


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({CLASS: ["com.pay.Task"]}, "embedded by classes"),
        ({CLASS: ["com.pay.Task", "com.pay.sdk.a"]}, "embedded by classes (2 seen)"),
        ({STRING: TEXTS[:7]}, "renamed by literals (7 of 20, 3 are enough); not embedded: too little of classes"),
        (
            {ACTIVITY: ["com.pay.Screen"]},
            "referenced by screen; not embedded: too little of classes; not renamed: too little of literals",
        ),
    ],
)
def test_a_reason_says_what_made_the_grade_and_what_a_stronger_one_lacks(
    facts: dict[FactKind, list[str]], reason: str
) -> None:
    assert reason_of(matched(facts), SDK) == reason


PROFILED = replace(
    SDK,
    clauses=(*SDK.clauses, clause("shape", FactKind.DEX_PROFILE, "calls:1", "calls:2")),
    rules=(Rule(Grade.RENAMED, ("shape",), ()), *SDK.rules[1:]),
)


def test_what_only_deep_looks_for_is_no_reason_and_is_named_as_such() -> None:
    assert reason_of(matched({ACTIVITY: ["com.pay.Screen"]}), PROFILED) == (
        "referenced by screen; not renamed: too little of literals"
    )
    found = audited({ACTIVITY: ["com.pay.Screen"]})
    page = Page(200)
    add_answer(page, found, found.answers[0], names_of(catalog([subject("pay")], [PROFILED])))
    assert "shape (dex.class-profile, seen with --deep only)" in page.render()


def test_a_reason_names_each_lack_once() -> None:
    twice = replace(SDK, rules=(SDK.rules[0], SDK.rules[0], *SDK.rules[1:]))
    assert reason_of(matched({STRING: TEXTS[:7]}), twice).count("too little of classes") == 1


def test_that_an_sdk_is_merely_bundled_stands_beside_the_reason() -> None:
    found = audited({CLASS: ["com.pay.Task"]})
    (answer,) = found.answers
    bundled = replace(answer, matches=(replace(answer.matches[0], detail="nobody calls it"),))
    page = Page(200)
    add_answer(page, found, bundled, names_of(CATALOG))
    assert "why        embedded by classes\n" in page.render()
    assert "use        nobody calls it\n" in page.render()


def test_an_older_catalog_gives_no_reason() -> None:
    found = matched({CLASS: ["com.pay.Task"]})
    assert reason_of(found, None) == ""
    changed = replace(SDK, rules=(), clauses=())
    assert reason_of(found, changed) == ""


@pytest.mark.parametrize(
    ("asked", "facts", "share"),
    [
        pytest.param(SDK.clauses[1], {STRING: TEXTS[:4]}, "4 of 20, 3 are enough", id="several are needed"),
        pytest.param(SDK.clauses[2], {STRING: TEXTS[:1]}, "1 of 20", id="one is enough"),
        pytest.param(SDK.clauses[3], {ACTIVITY: ["com.pay.Screen"]}, "", id="there is only one"),
        pytest.param(SDK.clauses[0], {CLASS: ["com.pay.Task", "com.pay.sdk.a"]}, "2 seen", id="patterns have no total"),
    ],
)
def test_a_share_tells_k_of_n(asked: Clause, facts: dict[FactKind, list[str]], share: str) -> None:
    hit = next(hit for hit in matched(facts).hits if hit.clause == asked.name)
    assert share_of(asked, hit) == share


def test_the_proof_goes_tier_by_tier_with_places() -> None:
    out = proof({CLASS: ["com.pay.Task"], STRING: [*TEXTS[:3], "Pay/3"], ACTIVITY: ["com.pay.Screen"]})
    assert "Pay: present" in out
    assert "    Pay-Sdk (SDK): embedded\n" in out
    assert "      meaning    its code, library or framework is inside\n" in out
    assert "      version    3 (the SDK says so itself, in a constant, a file name or a property list)\n" in out
    assert "                 com.pay.Task in classes.dex\n" in out
    assert out.index("code       classes") < out.index("literal    literals") < out.index("declared   screen")


def test_a_fact_is_shown_once_however_many_clauses_it_proves() -> None:
    out = proof({STRING: TEXTS[:3]})
    assert out.count("pay text 1 in classes.dex") == 1
    assert "literal    trace, dex.string: 3 of 20\n" in out


def test_what_exceeds_the_kept_evidence_is_counted() -> None:
    assert "and 5 more" in proof({STRING: TEXTS[:17]})


def test_what_was_asked_and_not_seen_is_named() -> None:
    assert "not seen   classes (dex.class), screen (android.activity)\n" in proof({STRING: TEXTS[:3]})


def test_an_open_answer_shows_what_keeps_it_open() -> None:
    out = proof({ACTIVITY: ["com.pay.Screen"]}, ProblemCode.DEX_DAMAGED)
    assert "Pay: unknown" in out
    assert "made up" in out
    assert "referenced by screen" in out


def test_an_answer_without_any_trace_says_so() -> None:
    found = audited({CLASS: ["a.b"]})
    assert found.answers[0].verdict is Verdict.NOT_FOUND
    assert "nothing that the catalog asks for was seen" in proof({CLASS: ["a.b"]})


def test_hostile_values_are_inert() -> None:
    out = proof({CLASS: ["com.pay.sdk.\x1b[31m\u202e"]})
    assert "\x1b" not in out
    assert "\u202e" not in out


def test_signatures_are_found_by_their_ids() -> None:
    asked: Signature = names_of(CATALOG).questions["pay-sdk"]
    assert asked is SDK
