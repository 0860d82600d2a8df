"""Records in a report: who names apps, which of them count, and what was not seen."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from auditor.model import Audit, Completeness, Grade, JudgedRecord, Platform, RecordKind, State
from auditor.report.content import Report
from auditor.report.json_report import render_json, render_jsonl
from auditor.report.listed import ListedEntry, entries_of
from auditor.report.names import names_of
from auditor.report.outcome import CLEAN, FINDING, INCOMPLETE, NO_APP
from auditor.report.text import render_text
from tests.builders.device_records import SHOP, WECHAT, a_build, a_record, an_id_match, listing
from tests.builders.reports import make_catalog, make_report

NAMES = names_of(make_catalog())
XML, DUMP, PM_LIST = RecordKind.PACKAGES_XML, RecordKind.DUMPSYS_PACKAGE, RecordKind.PM_LIST


def text(*records: JudgedRecord, audits: tuple[Audit, ...] = ()) -> str:
    return render_text(make_report(*audits, records=records), NAMES)


def entry(app_id: str, *records: JudgedRecord, audits: tuple[Audit, ...] = ()) -> ListedEntry:
    return next(item for item in entries_of(records, audits) if item.app_id == app_id)


# Which listings are covered by what was read.


@pytest.mark.parametrize(
    ("listings", "covered"),
    [
        ([listing(SHOP, version_code="80")], True),
        ([listing(SHOP, version_code="81")], False),
        ([listing(SHOP)], True),
        ([listing(SHOP, version_code="80"), listing(SHOP, version_code="81")], False),
        ([listing(SHOP, version_code="80"), listing(SHOP, State.SHADOWED, version_code="7")], False),
        ([listing(SHOP, version_code="80"), listing(SHOP, State.HISTORY, version_code="7")], True),
        ([listing(SHOP, platform=Platform.IOS, version_code="80")], False),
    ],
)
def test_a_listing_is_covered_by_a_build_of_the_same_id_and_version(listings: list[object], covered: bool) -> None:
    record = a_record(*listings)  # type: ignore[arg-type]
    assert entry(SHOP, record, audits=(a_build(SHOP),)).code_seen is covered
    assert not entry(SHOP, record).code_seen
    assert not entry(SHOP, record, audits=(a_build("com.other"),)).code_seen


# The sums and the exit code.


def report(*records: JudgedRecord, audits: tuple[Audit, ...] = ()) -> Report:
    return make_report(*audits, records=records)


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (report(a_record(listing())), FINDING),
        (report(a_record(listing(SHOP))), INCOMPLETE),
        (report(a_record(listing(SHOP, version_code="80")), audits=(a_build(SHOP),)), CLEAN),
        (report(a_record(listing(state=State.RESIDUAL))), INCOMPLETE),
        (report(a_record(listing(state=State.HISTORY)), audits=(a_build(SHOP),)), CLEAN),
        (report(a_record(listing(state=State.ARCHIVED))), FINDING),
        (report(a_record(listing(state=State.UNKNOWN))), FINDING),
        (report(a_record()), NO_APP),
    ],
)
def test_the_exit_code_says_what_is_there_and_what_was_not_seen(made: Report, code: int) -> None:
    assert made.exit_code == code


def test_an_app_that_was_read_and_is_listed_counts_once() -> None:
    outcome = report(a_record(listing(version_code="80")), audits=(a_build(),)).outcome
    assert (outcome.apps, outcome.present, outcome.listed, outcome.listed_present, outcome.unseen) == (1, 1, 1, 0, 0)


# The page for people.


def test_the_answer_of_records_is_golden() -> None:
    record = a_record(
        listing(version_code="80", user="0", label="WeChat"),
        listing(user="10", state=State.PRESENT),
        listing(SHOP, user="0"),
        kind=DUMP,
        taken="2026-11-01T00:00:00Z",
        detail="times are the device's own",
    )
    assert text(record) == (
        "1 of 2 apps known from records only is a designated app.\n"
        "Policies as of 2026-11-22; catalog 898989898989.\n"
        "\n"
        "WeChat com.tencent.mm (80) (Android), known from a record\n"
        "  record     dumpsys package\n"
        "  state      user 0: installed; user 10: present, not installed\n"
        "  WeChat: is the app by its id (claimed)\n"
        "    why        named by a record\n"
        "    named in   ended: eo-13971\n"
        "\n"
        "Records that name apps\n"
        "  dumpsys package           2 apps; names all apps; as of 2026-11-01T00:00:00Z;\n"
        "                            dumpsys.txt (times are the device's own)\n"
        "  2 apps are known from records only: what they carry was not seen, so it is not\n"
        "    proven absent.\n"
    )


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (
            text(a_record(listing(SHOP))),
            "The one app known from records only is none by its id.",
        ),
        (
            text(a_record(listing(SHOP), listing("com.b"))),
            "None of 2 apps known from records only is a designated app by its id.",
        ),
        (
            text(a_record(listing(version_code="80")), audits=(a_build(),)),
            "The app is or carries a designated app; records name no further app.",
        ),
        (
            text(a_record(listing("com.b")), audits=(a_build(),)),
            "The app is or carries a designated app; the one further app known from records only is none by its id.",
        ),
        (
            text(a_record(listing("com.b"), listing()), audits=(a_build(SHOP),)),
            "The app was not found to be or carry a designated app; 1 of 2 further apps known from records only",
        ),
        (text(a_record(listing(state=State.RESIDUAL))), "No app in the inputs"),
    ],
)
def test_the_headline_tells_what_was_read_from_what_is_listed(made: str, sentence: str) -> None:
    assert " ".join(made.split()).startswith(sentence)


def test_what_was_read_is_not_shown_again_from_a_record() -> None:
    shown = text(a_record(listing(version_code="80")), audits=(a_build(),))
    assert shown.count("com.tencent.mm 8.0") == 1
    assert "known from a record" not in shown


def test_a_record_that_says_impostor_is_shown_beside_a_verified_build() -> None:
    told = a_record(listing(version_code="80"))
    fake = replace(told, apps=(replace(told.apps[0], matches=(an_id_match(grade=Grade.IMPOSTOR),)),))
    assert "known from a record" in text(fake, audits=(a_build(),))
    impostor = a_build(WECHAT, "", an_id_match(grade=Grade.IMPOSTOR))
    assert "known from a record" not in text(fake, audits=(impostor,))
    assert "known from a record" not in text(told, audits=(impostor,))


def test_of_several_records_the_one_that_compares_the_signer_speaks() -> None:
    told = a_record(listing())
    fake = replace(told, apps=(replace(told.apps[0], matches=(an_id_match(grade=Grade.IMPOSTOR),)),))
    for records in ((told, fake), (fake, told)):
        assert [match.grade for match in entry(WECHAT, *records).matches] == [Grade.IMPOSTOR]


def test_leftovers_come_after_what_is_there() -> None:
    shown = text(
        a_record(listing("com.tencent.xin", State.HISTORY, platform=Platform.IOS), kind=PM_LIST), a_record(listing())
    )
    assert shown.index("com.tencent.mm") < shown.index("com.tencent.xin")


def test_records_of_a_kind_are_one_line() -> None:
    many = [a_record(listing(f"com.app{number}"), kind=PM_LIST, place=f"{number:03}.txt") for number in range(300)]
    shown = text(*many)
    assert "pm list packages          300 apps; names some apps; 000.txt and 299 more" in shown
    assert len(shown.splitlines()) < 12


HOSTILE = "\x1b[31m\u202e\r\nNo app in the inputs"


def test_text_of_records_is_inert_in_every_form() -> None:
    record = a_record(
        listing(label=HOSTILE, version=HOSTILE, user=HOSTILE, installer=HOSTILE, paths=(HOSTILE,)), detail=HOSTILE
    )
    made = make_report(records=(record,))
    for shown in (render_text(made, NAMES), render_json(made), "".join(render_jsonl(made))):
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "\r" not in shown
        assert not any(line.startswith("No app") for line in shown.splitlines())


# The data formats.


def test_the_json_of_a_record_is_golden() -> None:
    record = a_record(
        listing(SHOP, version_code="80", installer="store", system=False, flags=("hidden",), paths=("/data/app/x",)),
        completeness=Completeness.PARTIAL,
        detail="cut",
    )
    document = json.loads(render_json(make_report(records=(record,))))
    assert document["records"] == [
        {
            "kind": "packages.xml",
            "origin": "ffs.tar!data/system/packages.xml",
            "completeness": "some apps",
            "detail": "cut",
            "taken": "",
            "users": [],
            "device": {},
            "apps": [
                {
                    "platform": "android",
                    "app_id": SHOP,
                    "user": "",
                    "state": "installed",
                    "label": "",
                    "version": "",
                    "version_code": "80",
                    "installer": "store",
                    "installed": "",
                    "updated": "",
                    "seen": "",
                    "system": False,
                    "flags": ["hidden"],
                    "paths": ["/data/app/x"],
                    "store_id": "",
                    "signers": [],
                    "past_signers": [],
                    "signer_digests": [],
                    "file_digests": [],
                    "matches": [],
                    "findings": [],
                }
            ],
        }
    ]
    summary = document["summary"]
    assert {name: summary[name] for name in ("listed", "listed_present", "listed_unseen", "complete", "exit_code")} == {
        "listed": 1,
        "listed_present": 0,
        "listed_unseen": 1,
        "complete": False,
        "exit_code": 3,
    }


def test_json_lines_have_a_line_per_record_before_the_summary() -> None:
    lines = [json.loads(line) for line in render_jsonl(make_report(a_build(), records=(a_record(listing()),)))]
    assert [line["type"] for line in lines] == ["app", "record", "summary"]
    assert lines[1]["apps"][0]["findings"][0]["policy"] == "eo-13971"
