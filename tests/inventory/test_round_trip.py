"""What is recorded comes back as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from auditor.errors import UsageError
from auditor.inventory import Inventory
from auditor.model import (
    App,
    Audit,
    Device,
    Extraction,
    FactKind,
    Origin,
    PartKind,
    Platform,
    Problem,
    ProblemCode,
    Signing,
    SigningState,
    batch,
    build_key,
)
from tests.builders import audits as made


def recorded(path: Path, *audits: Audit, facts: bool = False) -> list[Audit]:
    """Record audits in one scan, close the database, and load them from the file."""
    with Inventory.open(path) as inventory:
        scan_id = inventory.begin(made.a_scan(), started=made.SEEN)
        for audit in audits:
            inventory.record(scan_id, audit, seen=made.SEEN)
        inventory.finish(scan_id, finished=made.SEEN, complete=True)
    with Inventory.open(path, create=False) as inventory:
        return list(inventory.audits(facts=facts))


def an_ipa() -> App:
    parts = (
        made.a_part(["phone.zip", "App.ipa"], PartKind.BUNDLE, "ipa"),
        made.a_part(["phone.zip", "App.ipa", "Payload/App.app/PlugIns/Share.appex"], PartKind.EXTENSION, "appex"),
    )
    return App(Platform.IOS, "com.example.app", parts[0].origin, build_key(parts), parts=parts)


HOSTILE = "'); DROP TABLE builds; --\"\x00\ud800\udc00\ufffd\u202e\n\x1b[31m%s{}"

APPS = {
    "one APK": made.an_app(),
    "a base with splits": made.a_split_app(),
    "an IPA with an extension, in an archive": an_ipa(),
    "an app without an id": made.an_app(app_id="", content="x"),
    "an app nested in another": replace(made.an_app(), parent=Origin(("apps/host.apk", "assets/a.apk"))),
    "an app without parts": App(Platform.IOS, "com.example.bare", Origin(("Bare.app",)), "ab" * 32),
    "a file in the first folder": made.an_app("shop.apk"),
    "names with separators of ours": made.an_app("50%!/~=a!b.apk"),
    "a random folder of Android": made.a_split_app("~~Xa1==/com.example.split-Zz=="),
    "an unsigned app": replace(made.an_app(), signing=Signing(SigningState.INVALID, detail="digest differs")),
    "hostile text everywhere": replace(
        made.an_app(HOSTILE, HOSTILE, label=HOSTILE),
        version=HOSTILE,
        labels=(("", HOSTILE), (HOSTILE, HOSTILE)),
        attributes=((HOSTILE, HOSTILE),),
        signing=Signing(SigningState.VERIFIED, "v1", (replace(made.a_signer(), subject=HOSTILE),), detail=HOSTILE),
    ),
}


@pytest.mark.parametrize("app", APPS.values(), ids=APPS.keys())
def test_an_app_with_answers_problems_and_findings_comes_back_whole(tmp_path: Path, app: App) -> None:
    audit = made.an_audit(app)
    assert recorded(tmp_path / "i.db", audit) == [audit]


def test_a_clean_app_comes_back_with_a_not_found_for_every_subject(tmp_path: Path) -> None:
    audit = made.a_clean_audit()
    assert [answer.subject for answer in audit.answers] == list(made.SUBJECTS)
    assert recorded(tmp_path / "i.db", audit) == [audit]


def test_not_found_is_not_stored_row_by_row(tmp_path: Path) -> None:
    recorded(tmp_path / "i.db", made.a_clean_audit())
    with Inventory.open(tmp_path / "i.db") as inventory:
        assert inventory.connection.execute("SELECT count(*) FROM answers").fetchone() == (0,)


def test_a_subject_that_was_not_asked_about_does_not_become_not_found(tmp_path: Path) -> None:
    narrow = replace(made.a_clean_audit(), answers=made.answers_of(subjects=["alipay"]))
    wide = made.a_clean_audit(made.an_app("apps/z.apk", "com.example.z"))
    assert recorded(tmp_path / "i.db", narrow, wide) == [narrow, wide]


def test_a_reason_of_unknown_that_is_no_problem_of_the_app_itself_is_kept(tmp_path: Path) -> None:
    foreign = Problem(ProblemCode.ARCHIVE_ENCRYPTED, Origin(("elsewhere.zip", "x")), "a password is needed")
    audit = replace(made.a_clean_audit(), answers=made.answers_of(unknown=[("alipay", (foreign, foreign))]))
    assert recorded(tmp_path / "i.db", audit) == [audit]


@settings(derandomize=True, max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=some.text(some.characters(), max_size=20), path=some.lists(some.text(some.characters()), min_size=1))
def test_any_text_and_any_path_survive(tmp_path_factory: pytest.TempPathFactory, text: str, path: list[str]) -> None:
    audit = made.an_audit(made.an_app("/".join(path) or "x", text, content="same", label=text))
    deep = Problem(ProblemCode.UNREADABLE, Origin((*path, "end"), 0), text)
    audit = replace(audit, extraction=replace(audit.extraction, problems=(*audit.problems, deep)))
    assert recorded(tmp_path_factory.mktemp("any") / "i.db", audit) == [audit]


def test_facts_come_back_on_request_but_for_string_constants(tmp_path: Path) -> None:
    app = made.a_split_app()
    facts = (
        *made.some_facts(app),
        batch(FactKind.FILE, app.parts[2].origin, ["res/zh.xml"]),
        batch(FactKind.DEX_CLASS, app.parts[1].origin.child("lib/a.jar").at(64), ["hidden.Class"]),
    )
    audit = made.an_audit(app, facts)
    kept = tuple(item for item in facts if item.kind is not FactKind.DEX_STRING)
    with_facts = replace(audit, extraction=replace(audit.extraction, facts=kept))
    without = replace(audit, extraction=replace(audit.extraction, facts=()))
    assert recorded(tmp_path / "i.db", audit, facts=True) == [with_facts]
    with Inventory.open(tmp_path / "i.db") as inventory:
        assert list(inventory.audits()) == [without]
        assert inventory.facts(app.build) == kept
        strings = inventory.strings(app.build)
        assert all(value in strings for value in ("15.8.11", "支付宝", "\x00", "😀"))
        assert "com.alipay.sdk.app.PayTask" not in strings


def test_an_app_recorded_without_facts_has_none(tmp_path: Path) -> None:
    audit = made.a_clean_audit()
    recorded(tmp_path / "i.db", audit)
    with Inventory.open(tmp_path / "i.db") as inventory:
        assert inventory.facts(audit.app.build) == ()
        assert "anything" not in inventory.strings(audit.app.build)


def test_the_same_bytes_elsewhere_point_at_their_own_files(tmp_path: Path) -> None:
    here, there = made.an_audit(made.a_split_app("a/one")), made.an_audit(made.a_split_app("b/deeper/two"))
    assert here.app.build == there.app.build
    assert recorded(tmp_path / "i.db", there, here) == [here, there]


def test_the_same_bytes_under_other_names_and_in_another_order_keep_both(tmp_path: Path) -> None:
    first = made.a_split_app()
    swapped = (
        replace(first.parts[1], name="arm.apk", origin=Origin(("all.apks", "arm.apk"))),
        replace(first.parts[0], name="main.apk", origin=Origin(("all.apks", "main.apk"))),
        replace(first.parts[2], name="zh.apk", origin=Origin(("all.apks", "zh.apk"))),
    )
    second = replace(first, parts=swapped, origin=Origin(("all.apks",)))
    audits = [Audit(Extraction(app), made.answers_of(), ()) for app in (second, first)]
    assert recorded(tmp_path / "i.db", *audits) == audits


def test_a_scan_comes_back_with_its_times_device_and_problems(tmp_path: Path) -> None:
    problem = Problem(ProblemCode.EMPTY, Origin(("apps/empty.apk",)), "no bytes")
    scan = made.a_scan("a", "b\ud800")
    device = Device("phone-7", "sales")
    with Inventory.open(tmp_path / "i.db") as inventory:
        scan_id = inventory.begin(scan, started="2026-01-01T00:00:00Z", device=device, command="auditor scan a b")
        inventory.record_problem(scan_id, problem)
        inventory.record_problem(scan_id, problem)
        inventory.record(scan_id, made.an_audit(), seen=made.SEEN)
        running = inventory.scan(scan_id)
        inventory.finish(scan_id, finished="2026-01-01T01:00:00Z", complete=True)
        stored = inventory.scan(scan_id)
        assert inventory.scan_problems(scan_id) == (problem,)
        assert inventory.scans() == [stored]
    assert (running.finished, running.scan.complete) == (None, False)
    assert stored.scan == replace(scan, apps=1, problems=(problem,), complete=True)
    assert (stored.started, stored.finished) == ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z")
    assert (stored.device, stored.command) == (device, "auditor scan a b")


def test_problems_of_a_scan_keep_their_order_and_count_once_each(tmp_path: Path) -> None:
    kinds = (None, frozenset({FactKind.FILE}), frozenset[FactKind]())
    problems = [
        Problem(ProblemCode.LINK_SKIPPED, Origin((f"apps/{name}",), offset), "a link", hides)
        for name in "ba"
        for offset in (None, 0)
        for hides in kinds
    ]
    with Inventory.open(tmp_path / "i.db") as inventory:
        first, second = (inventory.begin(made.a_scan(), started=made.SEEN) for _ in range(2))
        for problem in (*problems, *problems):
            inventory.record_problem(first, problem)
            inventory.record_problem(second, problem)
        assert inventory.scan_problems(first) == inventory.scan_problems(second) == tuple(problems)


def test_problems_given_with_the_scan_are_recorded_too(tmp_path: Path) -> None:
    problem = Problem(ProblemCode.LINK_SKIPPED, Origin(("apps/link",), 7), "a symbolic link", frozenset())
    with Inventory.open(tmp_path / "i.db") as inventory:
        scan_id = inventory.begin(replace(made.a_scan(), problems=(problem,)), started=made.SEEN)
        assert inventory.scan_problems(scan_id) == (problem,)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with Inventory.open(tmp_path / "i.db") as inventory:
        assert inventory.latest_scan() is None
        assert list(inventory.audits()) == []
        assert list(inventory.audits(device="nobody")) == []
        with pytest.raises(UsageError, match="no scan 5"):
            inventory.scan(5)
        with pytest.raises(UsageError, match="no scan 5"):
            inventory.record(5, made.an_audit(), seen=made.SEEN)
        with pytest.raises(UsageError, match="no build 77"):
            inventory.facts("77")
