"""Records of devices: what they say comes back as it was, and a later scan does not change an earlier one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.inventory import Inventory
from auditor.model import (
    Completeness,
    Device,
    DeviceRecord,
    DeviceUser,
    JudgedRecord,
    ListedApp,
    Listing,
    Platform,
    RecordKind,
    State,
)
from tests.builders import audits as made
from tests.builders import device_records as build

HOSTILE = "'); DROP TABLE listed; --\"\x00\ud800\udc00\ufffd\u202e\n\x1b[31m%s{}"
FULL_LISTING = Listing(
    platform=Platform.ANDROID,
    app_id=build.WECHAT,
    origin=build.origin("ffs.tar!data/system/packages.xml").at(0x1234),
    state=State.INSTALLED,
    user="10",
    version="8.0.38",
    version_code="2400",
    label="微信",
    signers=(build.a_signer("new"),),
    past_signers=(build.a_signer("old"), build.a_signer("new")),
    signer_digests=("java-hash:0962f5b7",),
    file_digests=("sha256:" + "ab" * 32,),
    installer="com.android.vending",
    installed="2026-01-01T10:00:00Z",
    updated="2026-02-01T10:00:00",
    seen="2026-03-01T10:00:00Z",
    paths=("/data/app/x", "/data/app/y"),
    store_id="414478124",
    system=False,
    flags=("hidden", "side-loaded"),
)


@pytest.fixture
def inventory(tmp_path: Path) -> Iterator[Inventory]:
    with Inventory.open(tmp_path / "i.db") as opened:
        yield opened


def begin(inventory: Inventory, device: str = "phone-1") -> int:
    return inventory.begin(made.a_scan(), started=made.SEEN, device=Device(device) if device else None)


def stored(inventory: Inventory, *records: JudgedRecord, device: str = "phone-1") -> list[JudgedRecord]:
    scan_id = begin(inventory, device)
    for judged in records:
        inventory.record_listings(scan_id, judged, seen=made.SEEN)
    inventory.finish(scan_id, finished=made.SEEN, complete=True)
    return inventory.records(scan_id)


def a_full_record() -> JudgedRecord:
    match = build.an_id_match(at=FULL_LISTING.origin.at(None))
    record = DeviceRecord(
        RecordKind.DUMPSYS_PACKAGE,
        FULL_LISTING.origin.at(None),
        Completeness.FULL,
        detail="times are the device's own",
        taken="2026-11-01T00:00:00Z",
        users=(DeviceUser("0", "owner"), DeviceUser("10", "work profile")),
        attributes=(("platform", "android"), ("serial", "R58M")),
    )
    apps = (
        ListedApp(FULL_LISTING, (match,), (build.a_finding(match),)),
        ListedApp(replace(FULL_LISTING, app_id="com.example", system=None, signers=(), past_signers=())),
    )
    return JudgedRecord(replace(record, listings=tuple(app.listing for app in apps)), apps)


def test_every_field_of_a_record_comes_back(inventory: Inventory) -> None:
    assert stored(inventory, a_full_record()) == [a_full_record()]


def test_hostile_text_comes_back(inventory: Inventory) -> None:
    listing = replace(
        FULL_LISTING,
        app_id=HOSTILE,
        user=HOSTILE,
        version=HOSTILE,
        version_code=HOSTILE,
        label=HOSTILE,
        installer=HOSTILE,
        installed=HOSTILE,
        paths=(HOSTILE,),
        flags=(HOSTILE,),
        store_id=HOSTILE,
        signer_digests=(HOSTILE,),
        signers=(replace(build.a_signer(), subject=HOSTILE),),
        past_signers=(),
    )
    record = replace(
        a_full_record().record, detail=HOSTILE, attributes=((HOSTILE, HOSTILE),), taken=HOSTILE, listings=(listing,)
    )
    judged = JudgedRecord(record, (ListedApp(listing),))
    assert stored(inventory, judged) == [judged]


def test_records_come_back_in_the_order_they_were_read(inventory: Inventory) -> None:
    kinds = [RecordKind.USAGE_STATS, RecordKind.PACKAGES_XML, RecordKind.USAGE_STATS]
    records = [build.a_record(build.listing(f"com.app{number}"), kind=kind) for number, kind in enumerate(kinds)]
    assert stored(inventory, *records) == records


def test_a_record_without_apps_is_kept_for_what_it_says_of_the_device(inventory: Inventory) -> None:
    judged = build.a_record(kind=RecordKind.BUILD_PROPERTIES, attributes=(("model", "Pixel"),))
    assert stored(inventory, judged) == [judged]


def test_an_app_may_be_named_twice_by_a_record(inventory: Inventory) -> None:
    """Installed and as factory copy; for two users; and even in the same words twice."""
    both = [
        build.listing(state=State.INSTALLED, version_code="2"),
        build.listing(state=State.SHADOWED, version_code="1"),
        build.listing(state=State.INSTALLED, user="10", version_code="2"),
        build.listing(state=State.INSTALLED, user="10", version_code="2"),
    ]
    judged = build.a_record(*both)
    assert stored(inventory, judged) == [judged]


def test_the_same_app_in_ten_scans_is_one_listing_and_one_sighting(inventory: Inventory) -> None:
    for _ in range(10):
        stored(inventory, build.a_record(build.listing()))
    counts = {
        table: inventory.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        for table in ("listings", "sightings", "scan_sightings", "listed", "listed_matches")
    }
    assert counts == {"listings": 1, "sightings": 1, "scan_sightings": 10, "listed": 10, "listed_matches": 10}


def test_a_later_scan_leaves_what_an_earlier_one_said(inventory: Inventory) -> None:
    first = build.a_record(build.listing(installer="a", state=State.INSTALLED))
    later = build.a_record(build.listing(installer="b", state=State.RESIDUAL))
    stored(inventory, first)
    assert stored(inventory, later) == [later]
    assert inventory.records(1) == [first]


def test_devices_are_kept_apart(inventory: Inventory) -> None:
    stored(inventory, build.a_record(build.listing()), device="phone-1")
    stored(inventory, build.a_record(build.listing()), device="phone-2")
    stored(inventory, build.a_record(build.listing()), device="")
    rows = inventory.connection.execute("SELECT device, app_id, subject FROM recorded ORDER BY 1").fetchall()
    assert rows == [
        (None, build.WECHAT, "wechat"),
        ("phone-1", build.WECHAT, "wechat"),
        ("phone-2", build.WECHAT, "wechat"),
    ]
    seen = inventory.connection.execute("SELECT device, state, grade FROM where_seen ORDER BY 1").fetchall()
    assert seen == [
        (None, "installed", "claimed"),
        ("phone-1", "installed", "claimed"),
        ("phone-2", "installed", "claimed"),
    ]


def test_a_record_is_stored_as_a_whole_or_not_at_all(inventory: Inventory) -> None:
    scan_id = begin(inventory)
    good = ListedApp(build.listing("com.good"))
    bad = ListedApp(replace(build.listing("com.bad"), version=b"no text"))  # type: ignore[arg-type]
    judged = JudgedRecord(replace(build.a_record().record, listings=(good.listing, bad.listing)), (good, bad))
    with pytest.raises((sqlite3.Error, TypeError, AttributeError)):
        inventory.record_listings(scan_id, judged, seen=made.SEEN)
    assert inventory.records(scan_id) == []
    for table in ("listings", "sightings", "records", "listed"):
        assert inventory.connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_findings_of_records_are_those_of_the_latest_scan_that_saw_them(inventory: Inventory) -> None:
    stored(inventory, build.a_record(build.listing()))
    sql = "SELECT policy, subject, grade, app_id, build, scan FROM findings"
    assert inventory.connection.execute(sql).fetchall() == [("eo-13971", "wechat", "claimed", build.WECHAT, None, 1)]
    stored(inventory, build.a_record(build.listing()))
    assert [row[-1] for row in inventory.connection.execute(sql)] == [2]


def test_leftovers_are_recorded_and_are_no_finding(inventory: Inventory) -> None:
    stored(inventory, build.a_record(build.listing(state=State.RESIDUAL)))
    assert inventory.connection.execute("SELECT * FROM findings").fetchall() == []
    assert inventory.connection.execute("SELECT state, subject FROM recorded").fetchall() == [
        ("residual data", "wechat")
    ]


def test_the_state_of_a_device_counts_apps_that_only_records_name(inventory: Inventory) -> None:
    scan_id = begin(inventory)
    inventory.record(scan_id, build.a_build(build.SHOP), seen=made.SEEN)
    inventory.record_listings(scan_id, build.a_record(build.listing(), build.listing(build.SHOP)), seen=made.SEEN)
    sql = "SELECT apps, listed, apps_with_findings, listed_with_findings FROM device_state"
    assert inventory.connection.execute(sql).fetchall() == [(1, 2, 0, 1)]


def test_a_record_of_an_unknown_scan_is_refused(inventory: Inventory) -> None:
    with pytest.raises(Exception, match="no scan 9"):
        inventory.record_listings(9, build.a_record(), seen=made.SEEN)
