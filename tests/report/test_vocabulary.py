"""Every word an answer may contain can be looked up."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from enum import StrEnum

import pytest

from auditor.limits import Limits
from auditor.model import (
    AppId,
    Certificate,
    Clause,
    Confidence,
    FactKind,
    Grade,
    LegalStatus,
    NamedSubject,
    Platform,
    ProblemCode,
    Relation,
    Role,
    Rule,
    Signature,
    SigningState,
    Subject,
    Tier,
    Verdict,
)
from auditor.report.catalog_text import add_policy, add_policy_list, add_signature, add_subject, add_subject_list
from auditor.report.layout import Page
from auditor.report.outcome import EXIT_CODES
from auditor.report.vocabulary import GROUPS, close_to, entries, find_entries
from tests.builders.reports import DAY, make_catalog, make_policy

ENUMS: dict[str, type[StrEnum]] = {
    "grades": Grade,
    "verdicts": Verdict,
    "roles": Role,
    "relations": Relation,
    "legal-statuses": LegalStatus,
    "problem-codes": ProblemCode,
    "fact-kinds": FactKind,
    "tiers": Tier,
    "signing-states": SigningState,
    "confidences": Confidence,
}


@pytest.mark.parametrize("group", ENUMS)
def test_every_word_of_the_model_has_a_meaning(group: str) -> None:
    shown = {entry.id: entry for entry in entries() if entry.group == group}
    assert list(shown) == [item.value for item in ENUMS[group]]
    assert all(entry.meaning for entry in shown.values())


def test_exit_codes_and_limits_are_words_too() -> None:
    assert [entry.id for entry in find_entries("exit-codes")] == [str(code) for code in EXIT_CODES]
    assert [entry.id for entry in find_entries("limits")] == [bound.name for bound in fields(Limits)]


@pytest.mark.parametrize("group", GROUPS)
def test_a_plural_lists_its_sort(group: str) -> None:
    assert {entry.group for entry in find_entries(group)} == {group}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("embedded", [("grades", "embedded")]),
        ("EMBEDDED", [("grades", "embedded")]),
        ("not found", [("verdicts", "not found")]),
        ("not-found", [("verdicts", "not found")]),
        ("dex-damaged", [("problem-codes", "dex-damaged")]),
        ("dex.class", [("fact-kinds", "dex.class")]),
        ("host_app", [("relations", "host_app")]),
        ("member_size", [("limits", "member_size")]),
        ("member-size", [("limits", "member_size")]),
        ("3", [("exit-codes", "3")]),
        ("exit 3", [("exit-codes", "3")]),
        ("exit code 130", [("exit-codes", "130")]),
        ("exit-9", []),
        ("exit-", []),
        ("nonsense", []),
        ("", []),
    ],
)
def test_words_are_found(name: str, found: list[tuple[str, str]]) -> None:
    assert [(entry.group, entry.id) for entry in find_entries(name)] == found


def test_a_word_with_two_meanings_shows_both() -> None:
    assert [entry.group for entry in find_entries("unknown")] == ["verdicts", "legal-statuses", "device-states"]
    assert [entry.group for entry in find_entries("verified")] == ["grades", "signing-states"]


@pytest.mark.parametrize("grade", list(Grade))
def test_a_grade_says_whether_it_counts(grade: Grade) -> None:
    entry = next(entry for entry in find_entries(grade.value) if entry.group == "grades")
    assert entry.notes[0].startswith("counts as a finding" if grade.is_finding else "no finding")


def test_a_problem_code_says_what_it_may_hide() -> None:
    assert find_entries("dex-damaged")[0].notes == ("may hide classes and strings",)
    assert find_entries("link-skipped")[0].notes == ("hides nothing needed",)


def test_near_words_are_suggested() -> None:
    assert close_to("embeded", ["embedded", "wechat"]) == "; did you mean embedded?"
    assert close_to("xyz", ["embedded"]) == ""


SIGNATURE = Signature(
    id="alipay-sdk-android",
    name="Alipay SDK",
    subject="alipay",
    role=Role.SDK,
    platform=Platform.ANDROID,
    vendor="Ant Group",
    clauses=(
        Clause("classes", FactKind.DEX_CLASS, ("a.B",), ("a.c.",), excluded=("a.c.d.",), sources=("book",)),
        Clause("literals", FactKind.DEX_STRING, tuple(f"literal-{n}" for n in range(9)), at_least=3),
    ),
    rules=(
        Rule(Grade.EMBEDDED, ("classes",)),
        Rule(Grade.RENAMED, ("literals",), ("classes", "literals")),
        Rule(Grade.MENTIONED, any_of=("literals",)),
    ),
    own_apps=("com.eg.android.AlipayGphone",),
    functions=("payment", "login"),
    notes=("A note.",),
)
SUBJECT = Subject(
    id="alipay",
    name="Alipay",
    developer="Ant Group",
    app_ids=(
        AppId(Platform.ANDROID, "com.eg", Relation.MAIN, "Alipay", Confidence.HIGH, ("book",), certificates=("cert",)),
        AppId(Platform.IOS, None, Relation.VARIANT, "Alipay HD", Confidence.LOW, ("book",), store_ids=("333",)),
    ),
    certificates=(Certificate("cert", "the key", Confidence.HIGH, ("book",)),),
    unknown=(("ios-sdk", "no source"),),
)


def test_a_signature_is_shown_with_its_questions() -> None:
    page = Page()
    add_signature(page, SIGNATURE)
    assert page.render() == (
        "alipay-sdk-android (signature): Alipay SDK, by Ant Group\n"
        "  about        alipay as sdk on android\n"
        "  functions    payment, login\n"
        "  grade        embedded if classes\n"
        "  grade        renamed if literals and (classes or literals)\n"
        "  grade        mentioned if literals\n"
        "  clause       classes any of 2 dex.class: a.B, a.c.*\n"
        "  but not      a.c.d.\n"
        "  sources      book\n"
        "  clause       literals at least 3 of 9 dex.string: literal-0, literal-1,\n"
        "               literal-2, literal-3, literal-4, literal-5, and 3 more\n"
        "  own code of  com.eg.android.AlipayGphone\n"
        "  note         A note.\n"
    )


def test_a_subject_is_shown_with_what_is_not_known() -> None:
    catalog = replace(make_catalog(), subjects={"alipay": SUBJECT}, signatures=(SIGNATURE,))
    page = Page()
    add_subject(page, SUBJECT, catalog)
    assert page.render() == (
        "alipay (subject): Alipay, by Ant Group\n"
        "  app id       com.eg Alipay (android, main, confidence high), signer cert\n"
        "  app id       (id not known) Alipay HD (ios, variant, confidence low), store id\n"
        "               333\n"
        "  certificate  cert the key\n"
        "  signatures   alipay-sdk-android\n"
        "  named in     us-eo\n"
        "  not known    ios-sdk: no source\n"
    )


def test_the_list_of_subjects_has_their_sdks_before_those_of_the_vendor() -> None:
    page = Page()
    mpaas = replace(SIGNATURE, id="mpaas", name="mPaaS", role=Role.VENDOR)
    add_subject_list(page, replace(make_catalog(), subjects={"alipay": SUBJECT}, signatures=(mpaas, SIGNATURE)))
    assert page.render() == (
        "alipay Alipay (Ant Group)\n"
        "  app ids    com.eg\n"
        "  SDKs       alipay-sdk-android Alipay SDK\n"
        "  vendor     mpaas mPaaS\n"
        "  not known  ios-sdk\n"
    )


def test_a_policy_is_shown_in_its_own_words() -> None:
    names = (
        NamedSubject("Alipay!", "alipay", since=date(2021, 2, 3), note="as printed"),
        NamedSubject("Other", None, until=date(2022, 2, 3)),
    )
    page = Page()
    add_policy(page, replace(make_policy(), names=names, effective=None), DAY)
    text = page.render()
    assert text.startswith("us-eo (policy): Order on Software\n")
    assert "  status       ended, as of 2026-11-22; sources say: revoked\n" in text
    assert "  effective    no date in the sources\n" in text
    assert '  names        "Alipay!" (alipay, since 2021-02-03); as printed\n' in text
    assert '  names        "Other" (no signatures for it, until 2022-02-03)\n' in text


@pytest.mark.parametrize(("day", "status"), [(DAY, "ended"), (date(2021, 3, 1), "in force")])
def test_the_list_of_policies_is_as_of_a_day(day: date, status: str) -> None:
    page = Page()
    add_policy_list(page, make_catalog(), day)
    assert page.render() == (
        f"us-eo {status}: Order on Software\n  names      alipay, tencent-qq, wechat, wechat-pay\n"
    )
