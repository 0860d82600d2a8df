"""``explain``, ``facts``, ``signatures`` and ``policies``: the vocabulary and the catalog can be asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from auditor.catalog import load_catalog
from tests.builders.reports import make_app, make_audit, make_problem, some_facts
from tests.cli.conftest import FakeRun, Invoke

FAULTY = """
[subject]
id = "alipay"
surprise = 1
"""


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("renamed", "renamed (grade): its code is inside under other names\n"),
        ("dex-damaged", "dex-damaged (problem code): "),
        ("dex.class", "dex.class (fact kind): "),
        ("3", "3 (exit code): "),
        ("exit-3", "3 (exit code): "),
        ("unknown", "unknown (verdict): "),
        ("alipay", "alipay (subject): Alipay, by "),
        ("app:alipay", "alipay (subject): Alipay, by "),
        ("alipay-sdk-android", "alipay-sdk-android (signature): "),
        ("us-eo-13971", "us-eo-13971 (policy): "),
    ],
)
def test_every_sort_of_id_is_explained(invoke: Invoke, name: str, start: str) -> None:
    ended = invoke("explain", name)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(start)


def test_every_id_of_the_catalog_is_explained(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = load_catalog()
    monkeypatch.setattr("auditor.catalog.load_catalog", lambda packs=(): catalog)
    signatures = [signature.id for signature in catalog.signatures]
    for name in (*catalog.subjects, *signatures, *(policy.id for policy in catalog.policies)):
        ended = invoke("explain", name)
        assert ended.code == 0, name
        assert name in ended.out


def test_an_unknown_word_is_an_error_with_a_guess(invoke: Invoke) -> None:
    ended = invoke("explain", "embeded")
    assert ended.code == 2
    assert "did you mean embedded" in ended.err


def test_signatures_list_names_subjects_and_signatures(invoke: Invoke) -> None:
    out = invoke("signatures", "list").out
    catalog = load_catalog()
    for subject in catalog.subjects:
        assert f"\n{subject} " in f"\n{out}"
    for signature in catalog.signatures:
        assert f" {signature.id} {signature.name.split()[0]}" in out


@pytest.mark.parametrize("name", ["alipay", "alipay-sdk-android"])
def test_signatures_show_takes_subjects_and_signatures(invoke: Invoke, name: str) -> None:
    assert invoke("signatures", "show", name).out.startswith(f"{name} (")


def test_signatures_show_of_nothing(invoke: Invoke) -> None:
    ended = invoke("signatures", "show", "alipai")
    assert (ended.code, ended.out) == (2, "")
    assert "did you mean alipay" in ended.err


def test_the_shipped_catalog_is_sound(invoke: Invoke) -> None:
    ended = invoke("signatures", "check")
    assert ended.code == 0
    assert ended.out.startswith("The catalog is sound: 9 subjects, ")


def test_a_faulty_pack_is_named_fault_by_fault(invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps" / "own.toml").write_text(FAULTY)
    checked = invoke("signatures", "check", tmp_path)
    assert (checked.code, checked.out) == (2, "")
    assert "apps/own.toml" in checked.err
    for command in (("check", tmp_path), ("signatures", "list"), ("policies", "list"), ("explain", "alipay")):
        assert invoke(*command, "--signatures", tmp_path).code == 2


def test_policies_list_is_as_of_a_day(invoke: Invoke) -> None:
    assert "us-eo-13971 in force: " in invoke("policies", "list", "--as-of", "2021-03-01").out
    assert "us-eo-13971 ended: " in invoke("policies", "list", "--as-of", "2022-03-01").out


def test_policies_show(invoke: Invoke) -> None:
    out = invoke("policies", "show", "us-eo-13971", "--as-of", "2021-03-01").out
    assert out.startswith("us-eo-13971 (policy): Executive Order 13971")
    assert "in force, as of 2021-03-01" in out
    assert '"WeChat Pay" (wechat-pay)' in out
    assert invoke("policies", "show", "us-eo-1").code == 2


def test_facts_as_text_and_json(invoke: Invoke, fake: FakeRun, tmp_path: Path) -> None:
    app = make_app()
    fake.audits = [make_audit(app, facts=some_facts(app))]
    text = invoke("facts", tmp_path)
    assert text.code == 0
    assert "dex.class\tcom.example.shop.Main\tshop.apk!classes.dex\n" in text.out
    document = json.loads(invoke("facts", tmp_path, "--format", "json").out)
    assert [fact["kind"] for fact in document["apps"][0]["facts"]] == [
        "app.id",
        "dex.class",
        "dex.class",
        "dex.string",
    ]


@pytest.mark.parametrize(
    ("kinds", "count"),
    [(("dex.class",), 2), (("dex",), 3), (("dex.class", "app.id"), 3), (("ios.framework",), 0)],
)
def test_facts_by_kind(invoke: Invoke, fake: FakeRun, tmp_path: Path, kinds: tuple[str, ...], count: int) -> None:
    app = make_app()
    fake.audits = [make_audit(app, facts=some_facts(app))]
    options = [item for kind in kinds for item in ("--kind", kind)]
    assert invoke("facts", tmp_path, *options).out.count("\t") == 2 * count


def test_facts_exit_with_what_could_not_be_read(invoke: Invoke, fake: FakeRun, tmp_path: Path) -> None:
    assert invoke("facts", tmp_path).code == 4
    fake.audits = [make_audit(make_app(), problems=(make_problem(),))]
    assert invoke("facts", tmp_path).code == 3
    fake.audits, fake.problems = [], (make_problem(),)
    ended = invoke("facts", tmp_path)
    assert ended.code == 3
    assert ended.err.startswith("shop.apk!classes2.dex: dex-damaged: ")


def test_a_near_kind_is_suggested(invoke: Invoke, tmp_path: Path) -> None:
    assert "did you mean dex.class" in invoke("facts", tmp_path, "--kind", "dex.clas").err


SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "android" / "renamed-alipay.apk"


def test_the_proof_of_an_answer_is_explained_for_a_file(invoke: Invoke) -> None:
    ended = invoke("explain", "alipay", str(SAMPLE))
    assert (ended.code, ended.err) == (0, "")
    assert "Alipay: present" in ended.out
    assert "why        renamed by code-literals (" in ended.out
    assert "not embedded: too little of classes" in ended.out.replace("\n                 ", " ")


def test_the_proof_is_the_same_from_an_inventory(invoke: Invoke, tmp_path: Path) -> None:
    database = tmp_path / "inventory.db"
    assert invoke("scan", str(SAMPLE), "--db", str(database)).code == 1
    stored = invoke("explain", "alipay-sdk-android", "--db", str(database))
    assert stored.out == invoke("explain", "alipay", str(SAMPLE)).out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["alipey", str(SAMPLE)], "did you mean alipay"),
        (["renamed", str(SAMPLE)], "no subject or signature 'renamed'"),
        (["alipay", "--db", "absent.db"], "absent.db"),
    ],
)
def test_a_proof_needs_a_subject_and_an_input(invoke: Invoke, words: list[str], message: str) -> None:
    ended = invoke("explain", *words)
    assert ended.code == 2
    assert message in ended.err
