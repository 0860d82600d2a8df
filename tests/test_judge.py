"""Verdicts per subject and findings per policy, on a date."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from auditor.judge import findings_on, judge, subjects_on
from auditor.match import match
from auditor.model import (
    Audit,
    Extraction,
    FactKind,
    Grade,
    LegalStatus,
    NamedSubject,
    Platform,
    ProblemCode,
    Relation,
    Role,
    Verdict,
)
from tests.builders.extractions import (
    app_id,
    catalog,
    certificate,
    clause,
    extraction,
    policy,
    signature,
    signed,
    signer,
    subject,
)

CLASS = FactKind.DEX_CLASS
SDK = signature(
    "pay-sdk",
    [clause("code", CLASS, "com.pay.Task"), clause("asked", FactKind.QUERY_PACKAGE, "com.pay")],
    [(Grade.EMBEDDED, ("code",), ()), (Grade.REFERENCED, ("asked",), ())],
)
CRASH = signature("crash", [clause("code", CLASS, "com.crash.A")], [(Grade.EMBEDDED, ("code",), ())], role=Role.VENDOR)
PAY = subject("pay", [app_id("com.pay", certificates=("cert-one",))], [certificate("one")])
OLD = subject("old", [app_id("com.old")])
PLAIN = subject("nowhere", [app_id("com.nowhere", platform=Platform.IOS)])
ORDER = policy("order", NamedSubject("Pay App", "pay"), NamedSubject("Old", "old"), revoked=date(2021, 6, 9))
LIST = policy(
    "list",
    NamedSubject("PAY", "pay", since=date(2025, 1, 31)),
    NamedSubject("Unknown thing", None),
    effective=date(2022, 12, 7),
    signed_on=date(2022, 12, 7),
)
CATALOG = catalog([PAY, OLD, PLAIN], [SDK, CRASH], [ORDER, LIST])
TODAY = date(2026, 11, 22)


def judged(found: Extraction, as_of: date = TODAY) -> Audit:
    return judge(found, match(found, CATALOG), CATALOG, as_of)


def verdicts(found: Extraction) -> dict[str, Verdict]:
    return {answer.subject: answer.verdict for answer in judged(found).answers}


@pytest.mark.parametrize(
    ("found", "pay"),
    [
        pytest.param(extraction(), Verdict.NOT_FOUND, id="readable and clean"),
        pytest.param(extraction({CLASS: ["com.pay.Task"]}), Verdict.PRESENT, id="its code is inside"),
        pytest.param(extraction(app_id="com.pay"), Verdict.PRESENT, id="an impostor counts"),
        pytest.param(extraction({FactKind.QUERY_PACKAGE: ["com.pay"]}), Verdict.NOT_FOUND, id="a reference"),
        pytest.param(extraction(app_id="com.other", signing=signed(signer("one"))), Verdict.NOT_FOUND, id="a sibling"),
        pytest.param(extraction(problems=[ProblemCode.CODE_PACKED]), Verdict.UNKNOWN, id="packed"),
        pytest.param(
            extraction({CLASS: ["com.pay.Task"]}, problems=[ProblemCode.CODE_PACKED]),
            Verdict.PRESENT,
            id="what was seen stays seen",
        ),
        pytest.param(
            extraction({FactKind.QUERY_PACKAGE: ["com.pay"]}, problems=[ProblemCode.DEX_DAMAGED]),
            Verdict.UNKNOWN,
            id="a reference does not settle what was hidden",
        ),
        pytest.param(extraction(problems=[ProblemCode.RESOURCES_DAMAGED]), Verdict.NOT_FOUND, id="harmless problem"),
    ],
)
def test_the_verdict_on_a_subject(found: Extraction, pay: Verdict) -> None:
    assert verdicts(found)["pay"] is pay


def test_a_subject_without_an_sdk_is_settled_by_the_id_alone() -> None:
    assert verdicts(extraction(problems=[ProblemCode.CODE_PACKED]))["old"] is Verdict.NOT_FOUND
    assert verdicts(extraction(app_id="", problems=[ProblemCode.MANIFEST_DAMAGED]))["old"] is Verdict.UNKNOWN


def test_a_subject_that_is_not_known_on_a_platform_gets_no_answer() -> None:
    assert "nowhere" not in verdicts(extraction())
    assert subjects_on(Platform.IOS, CATALOG) == {"nowhere"}


def test_unknown_names_the_problems_that_keep_it_open() -> None:
    found = judged(extraction(problems=[ProblemCode.RESOURCES_DAMAGED, ProblemCode.DEX_DAMAGED]))
    answer = next(item for item in found.answers if item.subject == "pay")
    assert [problem.code for problem in answer.hidden_by] == [ProblemCode.DEX_DAMAGED]
    assert not found.complete


def test_a_finding_is_policy_times_app_times_subject_in_the_policys_own_words() -> None:
    found = judged(extraction({CLASS: ["com.pay.Task"]})).findings
    assert [(item.policy, item.named, item.role, item.grade) for item in found] == [
        ("list", "PAY", Role.SDK, Grade.EMBEDDED),
        ("order", "Pay App", Role.SDK, Grade.EMBEDDED),
    ]


def test_the_app_itself_goes_before_the_sdk_in_it() -> None:
    found = judged(extraction({CLASS: ["com.pay.Task"]}, app_id="com.pay"))
    assert {item.role for item in found.findings} == {Role.APP}
    assert {item.relation for item in found.findings} == {Relation.MAIN}


@pytest.mark.parametrize(
    ("day", "order", "listed"),
    [
        (date(2021, 1, 4), LegalStatus.NOT_YET, LegalStatus.NOT_YET),
        (date(2021, 2, 18), LegalStatus.NOT_YET, LegalStatus.NOT_YET),
        (date(2021, 2, 19), LegalStatus.IN_FORCE, LegalStatus.NOT_YET),
        (date(2021, 6, 8), LegalStatus.IN_FORCE, LegalStatus.NOT_YET),
        (date(2021, 6, 9), LegalStatus.ENDED, LegalStatus.NOT_YET),
        (date(2025, 1, 30), LegalStatus.ENDED, LegalStatus.NOT_YET),
        (date(2025, 1, 31), LegalStatus.ENDED, LegalStatus.IN_FORCE),
    ],
)
def test_the_date_changes_the_status_and_never_hides_a_finding(
    day: date, order: LegalStatus, listed: LegalStatus
) -> None:
    found = judged(extraction({CLASS: ["com.pay.Task"]}), day).findings
    assert {item.policy: item.status for item in found} == {"order": order, "list": listed}


def test_stored_answers_can_be_judged_again_without_the_facts() -> None:
    answers = judged(extraction({CLASS: ["com.pay.Task"]})).answers
    again = findings_on(answers, CATALOG, date(2021, 3, 1))
    assert {item.policy: item.status for item in again} == {
        "order": LegalStatus.IN_FORCE,
        "list": LegalStatus.NOT_YET,
    }


def test_a_policy_without_a_day_has_no_known_status() -> None:
    undated = policy("undated", NamedSubject("Pay", "pay"), signed_on=None, effective=None)
    assert undated.status_on(TODAY) is LegalStatus.UNKNOWN


@pytest.mark.parametrize(
    ("day", "status"),
    [(date(2021, 2, 18), LegalStatus.NOT_YET), (date(2021, 2, 19), LegalStatus.UNKNOWN), (TODAY, LegalStatus.UNKNOWN)],
)
def test_a_policy_whose_standing_no_source_shows_is_never_said_to_be_in_force(day: date, status: LegalStatus) -> None:
    silent = replace(policy("silent", NamedSubject("Pay", "pay")), standing_known=False)
    assert silent.status_on(day) is status


def test_a_vendor_sdk_is_reported_and_is_no_finding() -> None:
    found = judged(extraction({CLASS: ["com.crash.A"]}))
    answer = next(item for item in found.answers if item.subject == "pay")
    assert [item.role for item in answer.matches] == [Role.VENDOR]
    assert answer.verdict is Verdict.NOT_FOUND
    assert found.findings == ()
