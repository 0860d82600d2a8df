"""CSV: stable columns, one row per app, subject and match, safe in a spreadsheet."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from auditor.model import Grade, Origin, ProblemCode, RecordKind, Role, State
from auditor.report.content import Report
from auditor.report.csv_report import COLUMNS, render_csv
from tests.builders import device_records as records
from tests.builders.reports import SUBJECTS, make_app, make_audit, make_match, make_problem, make_report

APP = make_app()


def rows(report: Report) -> list[dict[str, str]]:
    text = "".join(render_csv(report))
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_header_is_a_contract() -> None:
    first = next(render_csv(make_report()))
    assert first == (
        "platform,app_id,label,version,version_code,build,origin,parent,signing,signer_sha256,subject,verdict,role,"
        "grade,relation,signature,sdk_version,confidence,evidence_kind,evidence,evidence_origin,named_in,hidden_by,"
        "record,completeness,user,state,installer\r\n"
    )


def test_every_line_ends_in_cr_lf_and_has_every_column() -> None:
    audit = make_audit(APP, make_match(APP), problems=(make_problem(),), unknown=("wechat",))
    for line in render_csv(make_report(audit, problems=(make_problem(),))):
        assert line.endswith("\r\n")
        assert len(next(csv.reader([line]))) == len(COLUMNS)


def test_every_subject_has_a_row_also_when_nothing_was_found() -> None:
    shown = rows(make_report(make_audit(APP)))
    assert [(row["subject"], row["verdict"]) for row in shown] == [(subject, "not found") for subject in SUBJECTS]


def test_a_match_shows_evidence_and_policies() -> None:
    row = rows(make_report(make_audit(APP, make_match(APP, version="15.8.11"))))[0]
    assert row["app_id"] == "com.example.shop"
    assert (row["verdict"], row["role"], row["grade"]) == ("present", "sdk", "embedded")
    assert row["evidence"] == "com.alipay.sdk.app.PayTask"
    assert row["evidence_origin"] == "shop.apk!classes2.dex@0x70"
    assert row["sdk_version"] == "15.8.11"
    assert row["named_in"] == "us-eo (ended)"


def test_policies_stand_on_the_strongest_match_only() -> None:
    weak = make_match(APP, "alipay", Grade.REFERENCED)
    vendor = make_match(APP, "tencent-qq", Grade.EMBEDDED, role=Role.VENDOR)
    shown = rows(make_report(make_audit(APP, make_match(APP), weak, vendor)))
    assert [(row["subject"], row["grade"], row["named_in"]) for row in shown[:3]] == [
        ("alipay", "embedded", "us-eo (ended)"),
        ("alipay", "referenced", ""),
        ("tencent-qq", "embedded", ""),
    ]


def test_an_open_question_names_what_hides_the_answer() -> None:
    problems = (make_problem(), make_problem(ProblemCode.SPLIT_MISSING))
    shown = rows(make_report(make_audit(APP, problems=problems, unknown=("wechat",))))
    row = next(item for item in shown if item["subject"] == "wechat")
    assert (row["verdict"], row["hidden_by"]) == ("unknown", "dex-damaged; split-missing")


def test_a_file_that_could_not_be_read_has_a_row() -> None:
    row = rows(make_report(problems=(make_problem(ProblemCode.TRUNCATED, "x.apk", "", "ends early"),)))[0]
    assert (row["origin"], row["verdict"], row["hidden_by"]) == ("x.apk", "unknown", "truncated: ends early")


def test_a_problem_that_hides_nothing_is_no_open_question() -> None:
    row = rows(make_report(problems=(make_problem(ProblemCode.LINK_SKIPPED, "x.apk", ""),)))[0]
    assert row["verdict"] == ""


def test_an_app_without_answers_still_has_a_row() -> None:
    audit = replace(make_audit(APP, problems=(make_problem(),)), answers=(), findings=())
    row = rows(make_report(audit))[0]
    assert (row["app_id"], row["subject"], row["hidden_by"]) == ("com.example.shop", "", "dex-damaged")


@pytest.mark.parametrize("label", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"])
def test_labels_cannot_be_formulas(label: str) -> None:
    assert rows(make_report(make_audit(make_app(label=label))))[0]["label"].startswith("'")


def test_labels_cannot_break_out_of_their_cell() -> None:
    label = 'a","b\r\n=HYPERLINK("x")\n\x1b[31m'
    shown = rows(make_report(make_audit(make_app(label=label))))
    assert len(shown) == len(SUBJECTS)
    assert shown[0]["label"] == 'a","b\\x0d\\x0a=HYPERLINK("x")\\x0a\\x1b[31m'


def test_a_designated_app_of_a_record_has_a_row_per_user_and_state() -> None:
    record = records.a_record(
        records.listing(user="0", version_code="80", installer="com.android.vending", signers=(records.a_signer(),)),
        records.listing(user="10", state=State.RESIDUAL),
        records.listing("com.other"),
        kind=RecordKind.DUMPSYS_PACKAGE,
    )
    shown = rows(make_report(records=(record,)))
    kept = ("app_id", "build", "origin", "subject", "verdict", "grade", "record", "completeness", "user", "state")
    common = {
        "app_id": records.WECHAT,
        "build": "",
        "origin": "dumpsys.txt",
        "subject": "wechat",
        "grade": "claimed",
        "record": "dumpsys package",
        "completeness": "all apps",
    }
    assert [{name: row[name] for name in kept} for row in shown] == [
        {**common, "verdict": "present", "user": "0", "state": "installed"},
        {**common, "verdict": "", "user": "10", "state": "residual data"},
    ]
    assert (shown[0]["installer"], shown[0]["signer_sha256"]) == ("com.android.vending", records.a_signer().sha256)
    assert (shown[0]["named_in"], shown[1]["named_in"]) == ("eo-13971 (ended)", "")


def test_an_app_in_the_tree_of_a_device_has_its_state() -> None:
    installed = make_app("ffs.tar!data/app/com.example-1/base.apk", origin=Origin(("data/app/com.example-1/base.apk",)))
    assert {(row["record"], row["state"]) for row in rows(make_report(make_audit(installed)))} == {("", "installed")}
    assert {row["state"] for row in rows(make_report(make_audit(APP)))} == {""}


def test_a_record_cannot_write_formulas_or_control_a_terminal() -> None:
    hostile = records.listing(label="=cmd|' /C calc'!A0", installer="\x1b[31m@SUM(1)", user="+1", version="\u202e-1")
    text = "".join(render_csv(make_report(records=(records.a_record(hostile),))))
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert row["label"].startswith("'=")
    assert row["user"] == "'+1"
    assert row["installer"] == "\\x1b[31m@SUM(1)"
    assert "\x1b" not in text
    assert "\u202e" not in text
