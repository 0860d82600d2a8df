"""The report for people: the answer first, the proof under it, what could not be seen, and nothing that acts."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest

from auditor.model import (
    Audit,
    Confidence,
    Extraction,
    FactKind,
    Grade,
    LegalStatus,
    NamedSubject,
    Origin,
    Platform,
    ProblemCode,
    Relation,
    Role,
    Signing,
    SigningState,
    Waiver,
)
from auditor.report.content import Report
from auditor.report.facts_text import render_facts_text
from auditor.report.layout import Page, Piece, columns, listed, words
from auditor.report.names import names_of
from auditor.report.problem_text import hidden_words, place_in
from auditor.report.text import render_text
from tests.builders.reports import (
    DAY,
    SUBJECTS,
    identity_match,
    make_app,
    make_audit,
    make_catalog,
    make_hit,
    make_match,
    make_policy,
    make_problem,
    make_report,
    some_facts,
)

NAMES = names_of(make_catalog())
SHOP = make_app()
UNREAD = make_problem(ProblemCode.TRUNCATED, "x.apk", "", "ends before its central directory")


def render(report: Report, **options: object) -> str:
    return render_text(report, NAMES, **options)  # type: ignore[arg-type]


def shown(*audits: Audit, **options: object) -> str:
    return render(make_report(*audits, **options))  # type: ignore[arg-type]


def headline(*audits: Audit, **options: object) -> str:
    """The first sentence, however it was folded."""
    return " ".join(shown(*audits, **options).split("\n\n")[0].split("Policies")[0].split())


def clean(file: str = "clean.apk") -> Audit:
    return make_audit(make_app(file, "com.example.clean", label="Clean"))


def carries(file: str = "shop.apk") -> Audit:
    app = make_app(file)
    return make_audit(app, make_match(app))


def unknown(file: str = "odd.apk") -> Audit:
    return make_audit(make_app(file), problems=(make_problem(file=file),), unknown=("alipay", "wechat"))


@pytest.mark.parametrize(
    ("audits", "sentence"),
    [
        ((), "No app in the inputs."),
        ((clean(),), "The app neither is nor carries a designated app."),
        ((clean(), clean("b.apk")), "None of 2 apps is or carries a designated app."),
        ((carries(),), "The app is or carries a designated app."),
        ((carries(), clean()), "1 of 2 apps is or carries a designated app."),
        ((carries(), carries("b.apk"), clean()), "2 of 3 apps are or carry a designated app."),
        ((unknown(),), "The app was not found to be or carry a designated app; it could not be fully read."),
        (
            (unknown(), clean()),
            "None of 2 apps was found to be or carry a designated app; 1 could not be fully read.",
        ),
        ((carries(), unknown()), "1 of 2 apps is or carries a designated app; 1 could not be fully read."),
    ],
)
def test_the_answer_comes_first(audits: tuple[Audit, ...], sentence: str) -> None:
    assert headline(*audits) == sentence


def test_unreadable_files_are_in_the_answer() -> None:
    assert headline(clean(), problems=(UNREAD,)).endswith("a designated app; 1 file could not be read.")
    both = headline(unknown(), problems=(UNREAD, replace(UNREAD, origin=Origin(("y.apk",)))))
    assert both.endswith("it could not be fully read, and 2 files could not be read.")
    assert headline(problems=(UNREAD,)) == "No app was found in the inputs; 1 file could not be read."


def test_many_apps_are_counted_by_subject_and_strongest_answer() -> None:
    refers = make_app("ref.apk")
    app = make_app("app.apk")
    both = make_audit(app, make_match(app), make_match(app, "alipay", Grade.IMPOSTOR))
    text = shown(
        carries(), unknown(), clean(), both, make_audit(refers, make_match(refers, "wechat", Grade.REFERENCED))
    )
    assert "Apps by subject and strongest answer\n" in text
    assert "\n  Alipay  1 impostor, 1 embedded, 1 unknown\n  WeChat  1 unknown, 1 referenced\n\n" in text


@pytest.mark.parametrize("audits", [(carries(),), (clean(), clean("b.apk"))])
def test_there_is_nothing_to_count_in_one_app_or_where_nothing_was_found(audits: tuple[Audit, ...]) -> None:
    assert "strongest answer" not in shown(*audits)


def test_a_subject_that_cannot_be_looked_for_on_a_platform_is_named() -> None:
    ios = make_audit(make_app("a.ipa", platform=Platform.IOS))
    asked = replace(ios, answers=tuple(item for item in ios.answers if item.subject != "alipay"))
    assert "Not looked for on iOS, as no app id or SDK is known there: Alipay\n" in shown(asked, clean())
    assert "Not looked for" not in shown(ios, clean())


def test_policies_are_grouped_by_their_status_those_in_force_first() -> None:
    audit = carries()
    (finding,) = audit.findings
    others = (
        replace(finding, policy="x", status=LegalStatus.IN_FORCE),
        replace(finding, policy="y", status=LegalStatus.UNKNOWN),
    )
    text = shown(replace(audit, findings=(finding, *others)))
    assert (
        "    named in   in force: x\n               standing not known: y\n               ended 2021-06-09: us-eo\n"
    ) in text


def test_a_skipped_link_is_no_unreadable_file() -> None:
    text = shown(clean(), problems=(make_problem(ProblemCode.LINK_SKIPPED, "y.apk", ""),))
    assert "could not be read" not in text
    assert "Remarks\n  y.apk: link-skipped:" in text


def test_an_interrupted_run_says_so_at_the_top() -> None:
    assert "The run was interrupted" in shown(clean(), ended=False).split("\n\n")[0]
    assert "interrupted" not in shown(clean())


def test_an_app_with_its_proof() -> None:
    audit = make_audit(
        SHOP,
        make_match(
            SHOP,
            "alipay",
            Grade.EMBEDDED,
            make_hit(
                SHOP,
                FactKind.ACTIVITY,
                "com.alipay.sdk.app.H5PayActivity",
                member="AndroidManifest.xml",
                offset=None,
                matched=1,
            ),
            make_hit(SHOP),
            make_hit(SHOP, FactKind.DEX_STRING, "alipay_vkey_random", matched=1),
            version="15.8.11",
        ),
    )
    assert shown(audit) == (
        "The app is or carries a designated app.\n"
        "Policies as of 2026-11-22; catalog 898989898989.\n"
        "\n"
        "Example Shop com.example.shop 4.2.1 (Android)\n"
        "  file       shop.apk\n"
        "  signature  verified (v2) CN=Example Signing, O=Example\n"
        "             sha256:abababababababab…\n"
        "  Alipay: carries its SDK (embedded), version 15.8.11\n"
        "    SDK        Alipay SDK\n"
        "    code       com.alipay.sdk.app.PayTask in classes2.dex@0x70 (and 11 more)\n"
        "    literal    alipay_vkey_random in classes2.dex@0x70\n"
        "    declared   com.alipay.sdk.app.H5PayActivity in AndroidManifest.xml\n"
        "    named in   ended 2021-06-09: us-eo\n"
    )


@pytest.mark.parametrize(
    ("grade", "relation", "phrase"),
    [
        (Grade.VERIFIED, Relation.MAIN, "is the app (verified)"),
        (Grade.CLAIMED, Relation.MAIN, "is the app by its id (claimed)"),
        (Grade.IMPOSTOR, Relation.MAIN, "has the id of the app, but not its signature (impostor)"),
        (Grade.VERIFIED, Relation.VARIANT, "is a variant of the app (verified)"),
        (Grade.VERIFIED, Relation.HOST_APP, "is the app that contains it (verified)"),
    ],
)
def test_how_an_app_is_the_designated_one(grade: Grade, relation: Relation, phrase: str) -> None:
    text = shown(make_audit(SHOP, identity_match(SHOP, "wechat-pay", grade, relation, "why it is so")))
    assert f"  WeChat Pay: {phrase}\n" in text
    assert "    signer     why it is so\n" in text
    assert "    identity   com.example.shop in AndroidManifest.xml\n" in text


def test_a_renamed_sdk_with_weak_sources_says_both() -> None:
    match = make_match(SHOP, "alipay", Grade.RENAMED, confidence=Confidence.MEDIUM)
    text = shown(make_audit(SHOP, match))
    assert "Alipay: carries its SDK under other names (renamed)\n" in text
    assert "Alipay SDK (confidence medium)" in text


def test_a_reference_is_called_one() -> None:
    hit = make_hit(SHOP, FactKind.QUERY_PACKAGE, "com.tencent.mm")
    text = shown(make_audit(SHOP, make_match(SHOP, "wechat", Grade.REFERENCED, hit)))
    assert "The app neither is nor carries" in text
    assert "  referenced, not embedded: WeChat (android.query-package com.tencent.mm)\n" in text
    assert "WeChat: carries" not in text


def test_a_reference_with_an_open_answer_does_not_say_not_embedded() -> None:
    match = make_match(SHOP, "wechat", Grade.REFERENCED)
    text = shown(make_audit(SHOP, match, problems=(make_problem(),), unknown=("wechat",)))
    assert "  referenced: WeChat (" in text
    assert "not embedded" not in text


@pytest.mark.parametrize(
    ("grade", "title"),
    [
        (Grade.MENTIONED, "mentioned only:"),
        (Grade.REIMPLEMENTED, "protocol spoken by foreign code:"),
        (Grade.SIBLING, "same signer, another app:"),
    ],
)
def test_other_weak_grades(grade: Grade, title: str) -> None:
    assert f"  {title} Alipay (" in shown(make_audit(SHOP, make_match(SHOP, "alipay", grade)))


def test_vendor_sdks_stand_apart_in_one_line() -> None:
    vendor = {"role": Role.VENDOR}
    audit = make_audit(
        SHOP,
        make_match(SHOP, "tencent-qq", Grade.EMBEDDED, signature="bugly", version="4.1", **vendor),
        make_match(SHOP, "tencent-qq", Grade.REFERENCED, signature="beacon", **vendor),
    )
    text = shown(audit)
    assert "The app neither is nor carries" in text
    assert "  other SDKs of the vendor of Tencent QQ: bugly 4.1, beacon (referenced)\n" in text
    assert "referenced, not embedded" not in text


@pytest.mark.parametrize(
    ("relation", "grade", "phrase"),
    [
        (Relation.SAME_VENDOR, Grade.VERIFIED, "not WeChat, but another app of the vendor (verified)"),
        (Relation.AFFILIATE_APP, Grade.CLAIMED, "not WeChat, but an app of an affiliate by its id (claimed)"),
    ],
)
def test_another_app_of_the_vendor_is_not_the_app(relation: Relation, grade: Grade, phrase: str) -> None:
    match = replace(identity_match(SHOP, "wechat", grade, relation), role=Role.VENDOR)
    text = shown(make_audit(SHOP, match))
    assert f"  {phrase}\n" in text
    assert "The app neither is nor carries" in text


def test_open_questions_are_listed_by_reason() -> None:
    text = shown(make_audit(SHOP, problems=(make_problem(),), unknown=tuple(SUBJECTS)))
    assert "  unknown: Alipay, Tencent QQ, WeChat, WeChat Pay because of dex-damaged\n" in text
    assert "  not read   dex-damaged in classes2.dex: string ids end beyond the file (may\n" in text
    assert "             hide classes and strings)\n" in text


def test_apps_with_a_finding_come_before_open_ones_and_those_before_the_rest() -> None:
    text = shown(clean("a.apk"), unknown("b.apk"), carries("c.apk"))
    assert [text.index(name) for name in ("c.apk", "b.apk", "a.apk")] == sorted(
        text.index(name) for name in ("a.apk", "b.apk", "c.apk")
    )
    assert "Read in full, and nothing found in\n  Clean com.example.clean 4.2.1 (Android) a.apk\n" in text


def test_a_nested_app_says_in_what() -> None:
    app = make_app(origin=Origin(("outer.apk", "assets/in.apk")), parent=Origin(("outer.apk",)))
    assert "  inside     outer.apk\n" in shown(make_audit(app, make_match(app)))


def test_an_app_without_label_id_and_version() -> None:
    app = make_app(app_id="", label="", version="", platform=Platform.IOS, signing=Signing(SigningState.NOT_CHECKED))
    text = shown(make_audit(app, make_match(app)))
    assert "\n(no id) (iOS)\n  file       shop.apk\n  Alipay:" in text


@pytest.mark.parametrize(
    ("status", "as_of", "phrase"),
    [
        (LegalStatus.ENDED, DAY, "ended 2021-06-09: us-eo"),
        (LegalStatus.IN_FORCE, date(2021, 3, 1), "in force: us-eo"),
        (LegalStatus.NOT_YET, date(2021, 1, 10), "in force from 2021-02-19: us-eo"),
        (LegalStatus.UNKNOWN, DAY, "standing not known: us-eo"),
    ],
)
def test_policies_name_and_never_judge(status: LegalStatus, as_of: date, phrase: str) -> None:
    audit = carries()
    findings = tuple(replace(item, status=status) for item in audit.findings)
    text = shown(replace(audit, findings=findings), as_of=as_of)
    assert f"    named in   {phrase}\n" in text
    assert "illegal" not in text


def test_a_name_that_left_a_policy_shows_its_day() -> None:
    left = replace(make_policy(revoked=None), names=(NamedSubject("Alipay", "alipay", until=date(2024, 5, 6)),))
    names = names_of(replace(make_catalog(), policies=(left,)))
    assert "ended 2024-05-06: us-eo" in render_text(make_report(carries()), names)


def test_an_accepted_finding_says_so() -> None:
    waiver = Waiver("w-7", "owner", "tested", date(2027, 1, 1), "alipay")
    audit = carries()
    accepted = replace(audit, findings=tuple(replace(item, waiver=waiver) for item in audit.findings))
    assert "ended 2021-06-09: us-eo (accepted as w-7)" in shown(accepted)


def test_ids_of_an_older_catalog_stand_for_themselves() -> None:
    names = names_of(replace(make_catalog(), subjects={}, signatures=(), policies=()))
    text = render_text(make_report(carries()), names)
    assert "  alipay: carries its SDK (embedded)\n    SDK        alipay-sdk-android\n" in text
    assert "ended: us-eo" in text


def test_a_subject_present_without_policy_has_no_policy_line() -> None:
    assert "named in" not in shown(replace(carries(), findings=()))


HOSTILE = "\x1b[31mred\x1b]0;title\x07 \u202egnp.exe [bold]x[/bold] \x9b2J\n1 of 1 \ud800"


def hostile() -> Audit:
    app = make_app(
        f"a{HOSTILE}.apk",
        HOSTILE,
        label=HOSTILE,
        version=HOSTILE,
        signing=Signing(SigningState.VERIFIED, "v2", (replace(make_app().signing.signers[0], subject=HOSTILE),)),
    )
    match = make_match(app, "alipay", Grade.EMBEDDED, make_hit(app, value=HOSTILE, member=HOSTILE), version=HOSTILE)
    weak = make_match(app, "wechat", Grade.REFERENCED, make_hit(app, value=HOSTILE))
    problem = make_problem(file=HOSTILE, member=HOSTILE, detail=HOSTILE)
    return make_audit(app, match, weak, problems=(problem,), unknown=("tencent-qq",))


def test_hostile_text_is_inert_without_colour() -> None:
    text = shown(hostile(), problems=(make_problem(file=HOSTILE, detail=HOSTILE),))
    assert all(line.isprintable() for line in text.split("\n"))
    text.encode("utf-8")
    assert "[bold]x[/bold]" in text
    assert "\n1 of 1" not in text


def test_hostile_text_is_inert_with_colour() -> None:
    text = render(make_report(hostile(), problems=(make_problem(file=HOSTILE, detail=HOSTILE),)), colour=True)
    ours = re.compile(r"\x1b\[[0-9;]*m")
    assert ours.search(text) is not None
    plain = ours.sub("", text)
    assert all(line.isprintable() for line in plain.split("\n"))
    assert "[bold]x[/bold]" in plain


def test_colour_changes_nothing_but_colour() -> None:
    report = make_report(carries(), unknown(), clean(), problems=(UNREAD,))
    assert re.sub(r"\x1b\[[0-9;]*m", "", render(report, colour=True)) == render(report)


@pytest.mark.parametrize("width", [60, 80, 100])
def test_lines_fit_unless_one_piece_is_longer(width: int) -> None:
    text = render(make_report(carries(), unknown(), clean(), problems=(UNREAD,)), width=width)
    assert [line for line in text.split("\n") if columns(line) > width] == []


def test_the_text_does_not_depend_on_the_order_of_the_input() -> None:
    audits = [carries("c.apk"), unknown("b.apk"), clean("a.apk")]
    assert shown(*audits) == shown(*reversed(audits))


def test_long_values_are_cut_for_people() -> None:
    app = make_app(label="x" * 5000)
    hit = make_hit(app, FactKind.DEX_STRING, "y" * 5000)
    text = shown(
        make_audit(app, make_match(app, "alipay", Grade.EMBEDDED, hit), problems=(make_problem(detail="z" * 5000),))
    )
    assert max(len(line) for line in text.split("\n")) < 320
    assert "x…" in text


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (frozenset(FactKind), "anything"),
        (frozenset({FactKind.DEX_CLASS}), "classes and strings"),
        (frozenset({FactKind.FILE, FactKind.NATIVE_EXPORT}), "files, native libraries"),
        (frozenset[FactKind](), ""),
    ],
)
def test_what_a_problem_may_hide_in_words(kinds: frozenset[FactKind], expected: str) -> None:
    assert hidden_words(kinds) == expected


def test_every_fact_kind_has_words() -> None:
    assert all(hidden_words({kind}) for kind in FactKind)


@pytest.mark.parametrize(
    ("origin", "base", "shown_as"),
    [
        (Origin(("a.apk", "classes.dex"), 0x70), Origin(("a.apk",)), "classes.dex@0x70"),
        (Origin(("a.apk",)), Origin(("a.apk",)), ""),
        (Origin(("a.apk",), 0), Origin(("a.apk",)), "@0x0"),
        (Origin(("split.apk", "x")), Origin(("a.apk",)), "split.apk!x"),
        (Origin(("a.apk", "x")), None, "a.apk!x"),
    ],
)
def test_places_are_seen_from_the_app(origin: Origin, base: Origin | None, shown_as: str) -> None:
    assert place_in(origin, base) == shown_as


@pytest.mark.parametrize(("text", "count"), [("abc", 3), ("微信", 4), ("e\u0301", 1), ("", 0)])
def test_columns_of_a_terminal(text: str, count: int) -> None:
    assert columns(text) == count


def test_a_page_folds_between_pieces_and_never_inside_one() -> None:
    page = Page(width=20)
    page.add(2, [Piece("name"), *listed(["a path with blanks", "b"]), *words("and more words here")], hanging=4)
    assert page.render() == "  name\n    a path with blanks,\n    b and more words\n    here\n"


def test_gaps_do_not_add_up() -> None:
    page = Page()
    page.gap()
    page.add(0, words("a"))
    page.gap()
    page.gap()
    page.add(0, words("b"))
    assert page.render() == "a\n\nb\n"


def test_facts_are_one_per_line_with_tabs() -> None:
    extraction = Extraction(SHOP, some_facts(SHOP), (make_problem(),))
    assert list(render_facts_text([extraction], frozenset())) == [
        "# Example Shop com.example.shop 4.2.1 shop.apk\n",
        "app.id\tcom.example.shop\tshop.apk!AndroidManifest.xml\n",
        "dex.class\tcom.example.shop.Main\tshop.apk!classes.dex\n",
        "dex.class\tcom.example.shop.Pay\tshop.apk!classes.dex\n",
        "dex.string\thello\tshop.apk!classes.dex\n",
        "# not read: shop.apk!classes2.dex: dex-damaged: string ids end beyond the file"
        " (may hide classes and strings)\n",
    ]


def test_facts_of_some_kinds_only() -> None:
    lines = list(render_facts_text([Extraction(SHOP, some_facts(SHOP))], frozenset({FactKind.DEX_STRING})))
    assert [line.split("\t")[0] for line in lines[1:]] == ["dex.string"]
