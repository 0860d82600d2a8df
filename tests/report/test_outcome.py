"""Exit codes mean one thing each; what counts as a finding is a choice of grades."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from auditor.errors import UsageError
from auditor.model import FINDING_GRADES, Audit, Grade, ProblemCode, Role, Waiver
from auditor.report.outcome import EXIT_CODES, FailOn, Outcome, parse_fail_on
from tests.builders.reports import SUBJECTS, make_app, make_audit, make_match, make_problem

APP = make_app()


def clean() -> Audit:
    return make_audit(APP)


def present(grade: Grade = Grade.EMBEDDED) -> Audit:
    return make_audit(APP, make_match(APP, "alipay", grade))


def unknown() -> Audit:
    return make_audit(APP, problems=(make_problem(),), unknown=tuple(SUBJECTS))


def present_and_unknown() -> Audit:
    return make_audit(APP, make_match(APP), problems=(make_problem(),), unknown=("wechat",))


DAMAGED = make_problem(ProblemCode.ARCHIVE_DAMAGED, "x.apk", "")
LINK = make_problem(ProblemCode.LINK_SKIPPED, "y.apk", "")


def outcome_of(*items: object, ended: bool = True) -> Outcome:
    outcome = Outcome(ended=ended)
    for item in items:
        if isinstance(item, Audit):
            outcome.add(item)
        else:
            outcome.add_problem(item)  # type: ignore[arg-type]
    return outcome


@pytest.mark.parametrize(
    ("items", "code"),
    [
        ((), 4),
        ((clean(),), 0),
        ((clean(), clean()), 0),
        ((present(),), 1),
        ((clean(), present()), 1),
        ((unknown(),), 3),
        ((clean(), unknown()), 3),
        ((unknown(), present()), 1),
        ((present_and_unknown(),), 1),
        ((DAMAGED,), 3),
        ((clean(), DAMAGED), 3),
        ((present(), DAMAGED), 1),
        ((LINK,), 4),
        ((clean(), LINK), 0),
    ],
)
def test_exit_codes_by_precedence(items: tuple[object, ...], code: int) -> None:
    assert outcome_of(*items).exit_code(FailOn()) == code


def test_the_order_of_apps_and_problems_does_not_matter() -> None:
    items = [clean(), unknown(), DAMAGED, LINK]
    assert outcome_of(*items) == outcome_of(*reversed(items))


def test_an_interrupted_scan_is_incomplete_even_when_all_it_read_is_clean() -> None:
    assert outcome_of(clean(), ended=False).exit_code(FailOn()) == 3
    assert outcome_of(ended=False).exit_code(FailOn()) == 3
    assert outcome_of(present(), ended=False).exit_code(FailOn()) == 1


@pytest.mark.parametrize("grade", list(Grade))
def test_by_default_the_finding_grades_count_and_no_other(grade: Grade) -> None:
    expected = 1 if grade in FINDING_GRADES else 0
    assert outcome_of(present(grade)).exit_code(FailOn()) == expected


def test_references_count_when_asked_for() -> None:
    outcome = outcome_of(present(Grade.REFERENCED))
    assert outcome.exit_code(parse_fail_on("referenced")) == 1
    assert outcome.exit_code(parse_fail_on("default,referenced")) == 1
    assert outcome.exit_code(parse_fail_on("embedded")) == 0


def test_narrowing_lets_a_finding_pass_but_not_the_gaps() -> None:
    assert outcome_of(present()).exit_code(parse_fail_on("impostor")) == 0
    assert outcome_of(present()).exit_code(parse_fail_on("none")) == 0
    assert outcome_of(present_and_unknown()).exit_code(parse_fail_on("none")) == 3


@pytest.mark.parametrize(("fail_on", "code"), [("default", 0), ("vendor", 1), ("any", 1), ("default,vendor", 1)])
def test_other_sdks_of_the_vendor_count_only_when_asked_for(fail_on: str, code: int) -> None:
    audit = make_audit(APP, make_match(APP, "tencent-qq", Grade.EMBEDDED, role=Role.VENDOR))
    assert outcome_of(audit).exit_code(parse_fail_on(fail_on)) == code


def test_a_weak_grade_of_the_vendor_does_not_count_as_the_subjects_own() -> None:
    audit = make_audit(APP, make_match(APP, "tencent-qq", Grade.REFERENCED, role=Role.VENDOR))
    assert outcome_of(audit).exit_code(parse_fail_on("referenced")) == 0
    assert outcome_of(audit).exit_code(parse_fail_on("referenced,vendor")) == 1


def waived(audit: Audit, *subjects: str) -> Audit:
    waiver = Waiver("w-1", "owner", "tested", date(2027, 1, 1), "alipay")
    findings = [replace(item, waiver=waiver) if item.subject in subjects else item for item in audit.findings]
    return replace(audit, findings=tuple(findings))


def test_an_accepted_finding_does_not_fail_the_run() -> None:
    assert outcome_of(waived(present(), "alipay")).exit_code(FailOn()) == 0


def test_accepting_one_subject_leaves_the_others() -> None:
    audit = make_audit(APP, make_match(APP, "alipay"), make_match(APP, "wechat"))
    assert outcome_of(waived(audit, "alipay")).exit_code(FailOn()) == 1
    assert outcome_of(waived(audit, "alipay", "wechat")).exit_code(FailOn()) == 0


def test_a_finding_accepted_under_one_policy_only_still_counts() -> None:
    audit = present()
    both = (replace(audit.findings[0], policy="other"), *waived(audit, "alipay").findings)
    assert outcome_of(replace(audit, findings=both)).exit_code(FailOn()) == 1


def test_a_subject_that_no_policy_names_still_counts() -> None:
    assert outcome_of(replace(present(), findings=())).exit_code(FailOn()) == 1


def test_the_sums() -> None:
    outcome = outcome_of(clean(), present(), unknown(), present_and_unknown(), DAMAGED, LINK)
    assert (outcome.apps, outcome.present, outcome.unknown, outcome.unread) == (4, 2, 2, 1)
    assert not outcome.complete


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("none", FailOn(frozenset())),
        ("default", FailOn()),
        ("any", FailOn(frozenset(Grade), vendor=True)),
        ("verified", FailOn(frozenset({Grade.VERIFIED}))),
        (" Verified , impostor ", FailOn(frozenset({Grade.VERIFIED, Grade.IMPOSTOR}))),
        ("vendor", FailOn(FINDING_GRADES, vendor=True)),
        ("default,mentioned", FailOn(FINDING_GRADES | {Grade.MENTIONED})),
    ],
)
def test_fail_on_is_read(text: str, expected: FailOn) -> None:
    assert parse_fail_on(text) == expected


@pytest.mark.parametrize("text", ["", ",", "severe", "none,verified", "verified;impostor"])
def test_what_is_no_grade_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="grade"):
        parse_fail_on(text)


def test_every_exit_code_has_a_meaning() -> None:
    assert sorted(EXIT_CODES) == [0, 1, 2, 3, 4, 130, 141]
