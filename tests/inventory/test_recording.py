"""Recording: the same bytes once, the same answer once, an app as a whole or not at all."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.inventory import Inventory
from auditor.model import Device, FactBatch, FactKind, Grade, Origin, Verdict, batch
from tests.builders import audits as made


@pytest.fixture
def inventory(tmp_path: Path) -> Iterator[Inventory]:
    with Inventory.open(tmp_path / "i.db") as opened:
        yield opened


def count(inventory: Inventory, table: str) -> int:
    return int(inventory.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def begin(inventory: Inventory, device: str = "", **scan: str) -> int:
    named = Device(device, "fleet") if device else None
    return inventory.begin(made.a_scan(**scan), started=made.SEEN, device=named)


EVERY_TABLE = [
    "builds",
    "labels",
    "parts",
    "signers",
    "build_signers",
    "build_facts",
    "sightings",
    "audits",
    "answers",
    "matches",
    "clause_hits",
    "evidence",
    "problems",
    "answer_problems",
    "judgements",
    "search",
    "catalogs",
    "subject_sets",
    "devices",
    "fleets",
]


def test_a_thousand_sightings_of_one_build_store_one_build(inventory: Inventory) -> None:
    audit = made.an_audit(facts=made.some_facts(made.an_app()))
    for number in range(1000):
        scan_id = begin(inventory, f"phone-{number}")
        inventory.record(scan_id, audit, seen=made.SEEN)
        inventory.finish(scan_id, finished=made.SEEN, complete=True)
    once = {"builds", "parts", "build_facts", "audits", "search"}
    assert {table: count(inventory, table) for table in once} == dict.fromkeys(once, 1)
    assert count(inventory, "sightings") == 1000
    assert inventory.connection.execute("SELECT sightings, devices FROM apps").fetchone() == (1000, 1000)


def test_recording_again_changes_nothing_but_the_time(inventory: Inventory) -> None:
    audit = made.an_audit(made.a_split_app(), made.some_facts(made.a_split_app()))
    scan_id = begin(inventory, "phone")
    inventory.record(scan_id, audit, seen="2026-01-01T00:00:00Z", user="0")
    before = {table: count(inventory, table) for table in EVERY_TABLE}
    inventory.record(scan_id, audit, seen="2026-02-01T00:00:00Z", user="0")
    inventory.record(begin(inventory, "phone"), audit, seen="2025-12-01T00:00:00Z", user="0")
    # Findings are dated: every scan keeps its own.
    assert {table: count(inventory, table) for table in EVERY_TABLE} == before | {"judgements": 4}
    times = "SELECT first_seen, last_seen FROM"
    for table in ("sightings", "builds"):
        row = inventory.connection.execute(f"{times} {table}").fetchone()
        assert row == ("2025-12-01T00:00:00Z", "2026-02-01T00:00:00Z")


@pytest.mark.parametrize(
    ("device", "user", "path"),
    [("other", "0", "apps/shop.apk"), ("phone", "10", "apps/shop.apk"), ("phone", "0", "apps/copy.apk")],
    ids=["another device", "another user", "another place"],
)
def test_elsewhere_is_another_sighting(inventory: Inventory, device: str, user: str, path: str) -> None:
    inventory.record(begin(inventory, "phone"), made.an_audit(), seen=made.SEEN, user="0")
    again = made.an_audit(made.an_app(path))
    inventory.record(begin(inventory, device), again, seen=made.SEEN, user=user)
    assert (count(inventory, "builds"), count(inventory, "sightings")) == (1, 2)


def test_answers_for_the_same_catalog_are_replaced(inventory: Inventory) -> None:
    first, second = begin(inventory), begin(inventory)
    inventory.record(first, made.an_audit(), seen=made.SEEN)
    clean = made.a_clean_audit()
    inventory.record(second, clean, seen=made.SEEN)
    assert list(inventory.audits(second)) == [clean]
    assert {table: count(inventory, table) for table in ("audits", "matches", "evidence", "problems")} == {
        "audits": 1,
        "matches": 0,
        "evidence": 0,
        "problems": 0,
    }


def test_answers_for_another_catalog_stand_beside(inventory: Inventory) -> None:
    first, second = begin(inventory), begin(inventory, catalog="d" * 64)
    found, clean = made.an_audit(), made.a_clean_audit()
    inventory.record(first, found, seen=made.SEEN)
    inventory.record(second, clean, seen=made.SEEN)
    assert list(inventory.audits(first)) == [found]
    assert list(inventory.audits(second)) == [clean]


def test_a_scan_shows_what_it_saw_and_not_what_others_saw(inventory: Inventory) -> None:
    stays, leaves = made.a_clean_audit(), made.a_clean_audit(made.an_app("apps/old.apk", "com.example.old"))
    scans = [begin(inventory) for _ in range(3)]
    for scan_id, seen in zip(scans, ([stays, leaves], [stays], [leaves]), strict=True):
        for audit in seen:
            inventory.record(scan_id, audit, seen=made.SEEN)
    origins = [[str(audit.app.origin) for audit in inventory.audits(scan_id)] for scan_id in scans]
    assert origins == [["apps/old.apk", "apps/shop.apk"], ["apps/shop.apk"], ["apps/old.apk"]]


def test_the_order_of_recording_does_not_show(inventory: Inventory) -> None:
    audits = [made.an_audit(made.an_app(f"apps/{n % 7}/{n}.apk", f"com.example.a{n % 5}", str(n))) for n in range(20)]
    shuffled = random.Random(7).sample(audits, len(audits))
    scans = [begin(inventory, catalog=digest) for digest in ("a", "b")]
    for scan_id, order in zip(scans, (audits, shuffled), strict=True):
        for audit in order:
            inventory.record(scan_id, audit, seen=made.SEEN)
    first, second = (list(inventory.audits(scan_id)) for scan_id in scans)
    assert first == second
    assert [str(audit.app.origin) for audit in first] == sorted(str(audit.app.origin) for audit in audits)


def test_the_latest_scan_may_be_asked_for_by_device_and_target(inventory: Inventory) -> None:
    one, two, three = (
        begin(inventory, "one"),
        begin(inventory, "two"),
        inventory.begin(made.a_scan("x", "y"), started=made.SEEN),
    )
    inventory.record(one, made.an_audit(), seen=made.SEEN)
    assert inventory.latest_scan() == three
    assert inventory.latest_scan(device="one") == one
    assert inventory.latest_scan(device="two", target="apps") == two
    assert inventory.latest_scan(target="y") == three
    assert inventory.latest_scan(device="two", target="y") is None
    assert list(inventory.audits(device="one")) == [made.an_audit()]
    assert list(inventory.audits()) == []


def test_a_device_without_a_fleet_keeps_the_one_it_had(inventory: Inventory) -> None:
    first = begin(inventory, "phone")
    inventory.begin(made.a_scan(), started=made.SEEN, device=Device("phone"))
    assert inventory.scan(first).device == Device("phone", "fleet")


def test_facts_are_kept_when_a_later_run_brings_none_and_renewed_by_a_newer_program(inventory: Inventory) -> None:
    app = made.an_app()
    build, old = app.build, made.some_facts(app)
    inventory.record(begin(inventory), made.an_audit(app, old), seen=made.SEEN)
    inventory.record(begin(inventory), made.an_audit(app), seen=made.SEEN)
    assert len(inventory.facts(build)) == 3
    more = (*old, batch(FactKind.PERMISSION, app.origin, ["android.permission.CAMERA"]))
    inventory.record(begin(inventory, tool="auditor 9"), made.an_audit(app, more), seen=made.SEEN)
    assert len(inventory.facts(build)) == 4


class Interrupted:
    """Values whose reader presses Ctrl-C."""

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[str]:
        raise KeyboardInterrupt

    def __contains__(self, value: object) -> bool:
        return False

    def with_prefix(self, prefix: str) -> Iterator[str]:
        return iter(())

    def offset_of(self, value: str) -> int | None:
        return None


def test_an_interrupted_app_leaves_nothing_behind_and_a_second_run_completes(inventory: Inventory) -> None:
    first = begin(inventory)
    done = made.an_audit()
    inventory.record(first, done, seen=made.SEEN)
    broken_app = made.an_app("apps/b.apk", "com.example.b")
    broken = made.an_audit(broken_app, (FactBatch(FactKind.DEX_CLASS, broken_app.origin, Interrupted()),))
    before = {table: count(inventory, table) for table in EVERY_TABLE}
    with pytest.raises(KeyboardInterrupt):
        inventory.record(first, broken, seen=made.SEEN)
    assert {table: count(inventory, table) for table in EVERY_TABLE} == before
    assert not inventory.scan(first).scan.complete
    second = begin(inventory)
    whole = made.an_audit(broken_app)
    for audit in (done, whole):
        inventory.record(second, audit, seen=made.SEEN)
    inventory.finish(second, finished=made.SEEN, complete=True)
    assert inventory.scan(second).scan.complete
    assert list(inventory.audits()) == [whole, done]
    assert count(inventory, "builds") == 2


def test_a_key_that_does_not_stand_for_the_bytes_is_a_fault_of_the_caller(inventory: Inventory) -> None:
    scan_id = begin(inventory)
    inventory.record(scan_id, made.a_clean_audit(), seen=made.SEEN)
    other = replace(made.an_app(), parts=(made.a_part(["x.apk"], content="other"),))
    with pytest.raises(ValueError, match="recorded with other parts"):
        inventory.record(scan_id, made.a_clean_audit(other), seen=made.SEEN)


def test_a_host_app_answers_for_two_subjects(inventory: Inventory) -> None:
    app = made.an_app(app_id="com.tencent.mm")
    match = made.an_app_match(app)
    answers = tuple(
        replace(answer, verdict=Verdict.PRESENT, matches=(match,)) if answer.subject.startswith("wechat") else answer
        for answer in made.answers_of()
    )
    audit = replace(made.a_clean_audit(app), answers=answers)
    inventory.record(begin(inventory), audit, seen=made.SEEN)
    assert list(inventory.audits()) == [audit]


def test_evidence_keeps_an_offset_of_zero_apart_from_none(inventory: Inventory) -> None:
    audit = made.an_audit()
    facts = [fact for answer in audit.answers for match in answer.matches for hit in match.hits for fact in hit.facts]
    assert {fact.origin.offset for fact in facts} == {None, 0x70}
    at_zero = made.a_match(Origin(("apps/shop.apk",)), grade=Grade.RENAMED)
    hit = replace(at_zero.hits[0], facts=(replace(at_zero.hits[0].facts[0], origin=Origin(("apps/shop.apk",), 0)),))
    zero = replace(audit, answers=made.answers_of([replace(at_zero, hits=(hit,))]))
    inventory.record(begin(inventory), zero, seen=made.SEEN)
    assert list(inventory.audits()) == [zero]
