"""The JSON report: names, order and bytes are a contract."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from auditor.model import Fact, FactKind, Grade, Origin, Platform, Problem, ProblemCode, Relation, Signing, SigningState
from auditor.report.json_report import render_facts_json, render_json, render_jsonl
from tests.builders.reports import (
    SIGNER,
    SUBJECTS,
    identity_match,
    make_app,
    make_audit,
    make_hit,
    make_match,
    make_problem,
    make_report,
    some_facts,
)

SHOP = make_app()
WECHAT = make_app("mm.apk", "com.tencent.mm", label="微信")
HOSTILE = make_app("evil.apk", "com.example.evil", label="\x1b[31m\u202e\ud800[bold]")

AUDITS = [
    make_audit(
        SHOP,
        make_match(SHOP, "alipay", version="15.8.11"),
        make_match(SHOP, "wechat", Grade.REFERENCED, make_hit(SHOP, FactKind.QUERY_PACKAGE, "com.tencent.mm")),
        problems=(make_problem(), make_problem(ProblemCode.SPLIT_MISSING, member="")),
        unknown=("tencent-qq",),
    ),
    make_audit(
        WECHAT,
        identity_match(WECHAT, "wechat", Grade.VERIFIED, detail="signed by the reference"),
        identity_match(WECHAT, "wechat-pay", Grade.VERIFIED, Relation.HOST_APP),
    ),
    make_audit(HOSTILE),
]
PROBLEMS = (make_problem(ProblemCode.TRUNCATED, "z.apk", ""), make_problem(ProblemCode.EMPTY, "a.apk", ""))
REPORT = make_report(*AUDITS, problems=PROBLEMS)


@pytest.fixture(scope="module")
def document() -> Any:
    return json.loads(render_json(REPORT))


def test_the_top_level(document: Any) -> None:
    assert list(document) == ["schema", "tool", "catalog", "as_of", "apps", "records", "problems", "summary"]
    assert document["schema"] == "auditor/report/1"
    assert document["tool"] == {"name": "auditor", "version": "0.1.0"}
    assert document["as_of"] == "2026-11-22"


def test_apps_come_by_origin_and_problems_too(document: Any) -> None:
    assert [app["origin"] for app in document["apps"]] == ["evil.apk", "mm.apk", "shop.apk"]
    assert [problem["origin"] for problem in document["problems"]] == ["a.apk", "z.apk"]


def test_an_app_says_who_it_is(document: Any) -> None:
    shop = document["apps"][2]
    assert list(shop) == [
        "platform",
        "app_id",
        "label",
        "labels",
        "version",
        "version_code",
        "build",
        "origin",
        "parent",
        "min_sdk",
        "target_sdk",
        "parts",
        "signing",
        "attributes",
        "answers",
        "findings",
        "problems",
    ]
    assert shop["labels"] == {"": "Example Shop", "de": "Beispielladen"}
    assert shop["parts"] == [
        {"kind": "base", "name": "shop.apk", "sha256": "67" * 32, "size": 1234, "origin": "shop.apk"}
    ]
    assert shop["signing"]["signers"][0]["sha256"] == SIGNER.sha256
    assert shop["parent"] is None


def test_every_subject_has_an_answer_in_order(document: Any) -> None:
    for app in document["apps"]:
        assert [answer["subject"] for answer in app["answers"]] == sorted(SUBJECTS)


def test_an_answer_shows_its_proof(document: Any) -> None:
    answer = document["apps"][2]["answers"][0]
    assert (answer["verdict"], answer["role"], answer["grade"]) == ("present", "sdk", "embedded")
    match = answer["matches"][0]
    assert (match["signature"], match["version"], match["confidence"]) == ("alipay-sdk-android", "15.8.11", "high")
    assert match["evidence"] == [
        {
            "clause": "clause",
            "kind": "dex.class",
            "matched": 12,
            "listed": 14,
            "facts": [{"value": "com.alipay.sdk.app.PayTask", "origin": "shop.apk!classes2.dex@0x70"}],
        }
    ]


def test_an_open_answer_names_the_problems_that_keep_it_open(document: Any) -> None:
    answer = document["apps"][2]["answers"][1]
    assert (answer["subject"], answer["verdict"], answer["grade"]) == ("tencent-qq", "unknown", None)
    assert answer["hidden_by"] == [
        {"code": "split-missing", "origin": "shop.apk"},
        {"code": "dex-damaged", "origin": "shop.apk!classes2.dex"},
    ]


def test_a_reference_is_kept_with_its_verdict(document: Any) -> None:
    answer = document["apps"][2]["answers"][2]
    assert (answer["subject"], answer["verdict"], answer["grade"]) == ("wechat", "not found", "referenced")


def test_the_host_app_says_so(document: Any) -> None:
    answer = document["apps"][1]["answers"][3]
    assert (answer["subject"], answer["role"], answer["relation"]) == ("wechat-pay", "app", "host_app")


def test_a_finding_says_what_the_policy_calls_it(document: Any) -> None:
    finding = document["apps"][2]["findings"][0]
    assert finding == {
        "policy": "us-eo",
        "subject": "alipay",
        "named": "Alipay",
        "role": "sdk",
        "grade": "embedded",
        "relation": None,
        "status": "ended",
        "waiver": None,
    }


def test_a_problem_says_what_it_may_hide(document: Any) -> None:
    problem = next(item for item in document["apps"][2]["problems"] if item["code"] == "dex-damaged")
    assert problem["origin"] == "shop.apk!classes2.dex"
    assert problem["hides"] == ["dex.class", "dex.string"]


def test_the_summary_adds_up(document: Any) -> None:
    summary = document["summary"]
    assert (summary["apps"], summary["present"], summary["unknown"], summary["unread"]) == (3, 2, 1, 2)
    assert summary["subjects"]["tencent-qq"] == {"present": 0, "not found": 2, "unknown": 1}
    assert summary["exit_code"] == 1
    assert summary["complete"] is False
    assert summary["fail_on"] == ["claimed", "embedded", "impostor", "renamed", "verified"]


def test_the_bytes_do_not_depend_on_the_order_of_the_input() -> None:
    expected = render_json(REPORT)
    for seed in range(10):
        shuffled = random.Random(seed)
        audits, problems = list(AUDITS), list(PROBLEMS)
        shuffled.shuffle(audits)
        shuffled.shuffle(problems)
        assert render_json(make_report(*audits, problems=tuple(problems))) == expected


def test_equal_origins_are_told_apart_by_id_and_build() -> None:
    first, second = make_app(build="aa" * 32), make_app(build="bb" * 32)
    other = make_app(app_id="com.example.other")
    expected = render_json(make_report(*map(make_audit, (first, second, other))))
    assert render_json(make_report(*map(make_audit, (other, second, first)))) == expected


def test_problems_with_and_without_an_offset_can_be_ordered() -> None:
    origin = Origin(("x.apk", "classes.dex"))
    problems = [Problem(ProblemCode.DEX_DAMAGED, origin.at(offset), "d") for offset in (7, None, 0)]
    shown = json.loads(render_json(make_report(problems=tuple(problems))))["problems"]
    assert [item["origin"] for item in shown] == ["x.apk!classes.dex", "x.apk!classes.dex@0x0", "x.apk!classes.dex@0x7"]


def test_the_document_is_strict_utf8_and_inert() -> None:
    text = render_json(REPORT)
    text.encode("utf-8")
    for character in ("\x1b", "\u202e", "\ud800"):
        assert character not in text
    assert json.loads(text)["apps"][0]["label"] == "\x1b[31m\u202e\\ud800[bold]"


def test_json_lines_have_a_type_each_and_end_with_the_summary() -> None:
    lines = list(render_jsonl(REPORT))
    assert all(line.endswith("\n") and line.count("\n") == 1 for line in lines)
    documents = [json.loads(line) for line in lines]
    assert [item["type"] for item in documents] == ["app"] * 3 + ["problem"] * 2 + ["summary"]
    assert all(next(iter(item)) == "type" for item in documents)
    assert documents[-1]["schema"] == "auditor/report/1"
    assert documents[-1]["exit_code"] == 1


def test_json_lines_hold_the_same_apps_as_the_document(document: Any) -> None:
    lines = [json.loads(line) for line in render_jsonl(REPORT)]
    apps = [{key: value for key, value in item.items() if key != "type"} for item in lines if item["type"] == "app"]
    assert apps == document["apps"]


def test_an_empty_report_is_a_whole_document() -> None:
    shown = json.loads(render_json(make_report()))
    assert (shown["apps"], shown["problems"]) == ([], [])
    assert shown["summary"]["exit_code"] == 4


def test_an_interrupted_run_says_so() -> None:
    summary = json.loads(render_json(make_report(*AUDITS, ended=False)))["summary"]
    assert summary["interrupted"] is True
    assert summary["complete"] is False


def test_an_app_without_signature_has_empty_signers() -> None:
    app = make_app(signing=Signing(SigningState.MISSING), platform=Platform.IOS)
    signing = json.loads(render_json(make_report(make_audit(app))))["apps"][0]["signing"]
    assert (signing["state"], signing["scheme"], signing["signers"]) == ("missing", None, [])


def extractions() -> Iterator[Any]:
    for app in (SHOP, HOSTILE):
        yield make_audit(app, facts=some_facts(app), problems=(make_problem(),)).extraction


def test_facts_are_one_document() -> None:
    shown = json.loads("".join(render_facts_json(extractions(), frozenset())))
    assert shown["schema"] == "auditor/facts/1"
    assert [app["app_id"] for app in shown["apps"]] == ["com.example.shop", "com.example.evil"]
    assert shown["apps"][0]["facts"][1] == {
        "kind": "dex.class",
        "value": "com.example.shop.Main",
        "origin": "shop.apk!classes.dex",
    }
    assert shown["apps"][0]["problems"][0]["code"] == "dex-damaged"


@pytest.mark.parametrize(("kinds", "count"), [({FactKind.DEX_CLASS}, 2), ({FactKind.FRAMEWORK}, 0)])
def test_facts_can_be_chosen_by_kind(kinds: set[FactKind], count: int) -> None:
    shown = json.loads("".join(render_facts_json(extractions(), frozenset(kinds))))
    assert [len(app["facts"]) for app in shown["apps"]] == [count, count]


def test_no_app_gives_an_empty_list_of_facts() -> None:
    assert json.loads("".join(render_facts_json(iter(()), frozenset())))["apps"] == []


def test_a_fact_with_an_offset_keeps_it() -> None:
    hit = make_hit(SHOP, offset=0)
    assert hit.facts == (
        Fact(FactKind.DEX_CLASS, "com.alipay.sdk.app.PayTask", SHOP.origin.child("classes2.dex").at(0)),
    )
    match = make_match(SHOP, "alipay", Grade.EMBEDDED, hit)
    shown = json.loads(render_json(make_report(make_audit(SHOP, match))))
    facts = shown["apps"][0]["answers"][0]["matches"][0]["evidence"][0]["facts"]
    assert facts[0]["origin"] == "shop.apk!classes2.dex@0x0"
