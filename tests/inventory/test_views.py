"""The views answer the questions people ask; their names and columns are a promise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.inventory import Inventory
from auditor.inventory.schema_document import document_schema
from auditor.model import Device, Origin, Problem, ProblemCode
from tests.builders import audits as made

COLUMNS = {
    "apps": "build platform app_id version version_code label signing signers present unknown sightings devices"
    " first_seen last_seen",
    "findings": "policy named status subject role grade relation waiver platform app_id version label build as_of scan",
    "carriers": "subject role grade is_finding signature sdk_version sdk_version_basis confidence platform app_id"
    " version label build devices",
    "where_seen": "fleet device user state platform app_id version label subject role grade policies origin first_seen"
    " last_seen build",
    "evidence_detail": "app_id version build subject signature role grade clause matched listed kind value place"
    " offset",
    "unreadable": "app_id version build code place offset detail unknown scan",
    "device_state": "fleet device scan started complete apps listed apps_with_findings apps_with_unknown scan_problems"
    " listed_with_findings",
    "recorded": "device record completeness taken platform app_id version version_code label user state installer"
    " installed updated seen signers subject grade origin scan",
}


@pytest.fixture
def inventory(tmp_path: Path) -> Iterator[Inventory]:
    """Two phones: one with a carrier and a clean app, one with the carrier only, scanned before the end."""
    with Inventory.open(tmp_path / "i.db") as opened:
        clean = made.a_clean_audit(made.an_app("apps/clean.apk", "com.example.clean"))
        first = opened.begin(made.a_scan(), started="2026-01-01", device=Device("phone-1", "sales"))
        opened.record(first, made.an_audit(), seen="2026-01-01", user="10")
        opened.record(first, clean, seen="2026-01-01")
        opened.record_problem(first, Problem(ProblemCode.EMPTY, Origin(("apps/e!.apk",)), "no bytes"))
        opened.finish(first, finished="2026-01-02", complete=True)
        second = opened.begin(made.a_scan(), started="2026-02-01", device=Device("phone-2"))
        opened.record(second, made.an_audit(), seen="2026-02-01")
        yield opened


def rows(inventory: Inventory, sql: str) -> list[tuple[object, ...]]:
    return inventory.connection.execute(sql).fetchall()


def test_the_names_and_columns_are_the_public_interface() -> None:
    views = {
        relation.name: " ".join(name for name, _, _ in relation.columns)
        for relation in document_schema()
        if relation.kind == "view"
    }
    assert views == COLUMNS


def test_apps_tell_what_is_present_and_what_is_open(inventory: Inventory) -> None:
    sql = "SELECT app_id, label, signing, signers, present, unknown, sightings, devices FROM apps ORDER BY app_id"
    signer = made.a_signer().sha256
    assert rows(inventory, sql) == [
        ("com.example.clean", "Shop", "verified", signer, None, None, 1, 1),
        ("com.example.shop", "Shop", "verified", signer, "alipay wechat", "wechat-pay", 2, 2),
    ]


def test_an_app_known_only_from_a_record_stands_beside_those_with_bytes(inventory: Inventory) -> None:
    inventory.connection.execute(
        "INSERT INTO listings (platform, app_id, version, version_code, label, first_seen, last_seen)"
        " VALUES ('ios', 'com.tencent.xin', '8.0', '1', 'WeChat', 'a', 'b')"
    )
    inventory.connection.execute(
        "INSERT INTO sightings (listing, device, user, origin, first_seen, last_seen)"
        " VALUES (1, 1, '', 'mdm.csv', 'a', 'b')"
    )
    assert rows(inventory, "SELECT build, app_id, signing, sightings, devices FROM apps WHERE platform = 'ios'") == [
        (None, "com.tencent.xin", None, 1, 1)
    ]


def test_findings_are_policy_by_app_by_subject(inventory: Inventory) -> None:
    sql = (
        "SELECT policy, named, status, subject, role, grade, waiver, app_id, as_of, scan FROM findings ORDER BY policy"
    )
    found = ("Alipay", "ended", "alipay", "sdk", "embedded")
    assert rows(inventory, sql) == [
        ("eo-13971", *found, None, "com.example.shop", "2026-11-22", 2),
        ("texas", *found, "W-1", "com.example.shop", "2026-11-22", 2),
    ]


def test_findings_vanish_when_the_latest_scan_has_none(inventory: Inventory) -> None:
    scan_id = inventory.begin(made.a_scan(catalog="new"), started="2026-03-01")
    inventory.record(scan_id, made.a_clean_audit(), seen="2026-03-01")
    for view in ("findings", "carriers", "evidence_detail", "where_seen"):
        assert rows(inventory, f"SELECT * FROM {view}") == []
    assert rows(inventory, "SELECT present FROM apps") == [(None,), (None,)]
    assert rows(inventory, "SELECT count(*) FROM judgements") == [(4,)]


def test_carriers_include_the_weak_traces(inventory: Inventory) -> None:
    sql = "SELECT subject, role, grade, is_finding, signature, sdk_version, app_id, devices FROM carriers ORDER BY 1"
    assert rows(inventory, sql) == [
        ("alipay", "sdk", "embedded", 1, "alipay-sdk-android", "15.8.11", "com.example.shop", 2),
        ("shareit", "sdk", "referenced", 0, "shareit-sdk-android", "15.8.11", "com.example.shop", 2),
        ("wechat", "app", "impostor", 1, "app:wechat", "", "com.example.shop", 2),
    ]


def test_where_seen_is_device_by_app_by_finding(inventory: Inventory) -> None:
    sql = "SELECT fleet, device, user, app_id, subject, policies, origin, first_seen FROM where_seen ORDER BY device"
    assert rows(inventory, sql) == [
        ("sales", "phone-1", "10", "com.example.shop", "alipay", "eo-13971 texas", "apps/shop.apk", "2026-01-01"),
        (None, "phone-2", "", "com.example.shop", "alipay", "eo-13971 texas", "apps/shop.apk", "2026-02-01"),
    ]


def test_evidence_says_what_was_seen_and_where(inventory: Inventory) -> None:
    sql = "SELECT signature, clause, matched, listed, kind, value, place, offset FROM evidence_detail ORDER BY subject"
    assert rows(inventory, sql)[0] == (
        *("alipay-sdk-android", "classes", 2, 5, "dex.class", "com.alipay.sdk.app.PayTask"),
        *("shop.apk!classes.dex", 0x70),
    )


@pytest.mark.parametrize(
    ("origin", "place"),
    [
        (("d/base.apk", "classes.dex"), "base.apk!classes.dex"),
        (("d/split_config.zh.apk",), "split_config.zh.apk"),
        (("d", "odd"), "!odd"),
        (("d/~~odd",), "/~~odd"),
        (("~~beside",), "~~beside"),
        (("a/b", "c"), "a/b!c"),
    ],
)
def test_a_place_reads_from_the_part_inward(tmp_path: Path, origin: tuple[str, ...], place: str) -> None:
    app = made.a_split_app("d")
    audit = replace(made.a_clean_audit(app), answers=made.answers_of([made.a_match(Origin(origin))]))
    with Inventory.open(tmp_path / "places.db") as inventory:
        inventory.record(inventory.begin(made.a_scan(), started=made.SEEN), audit, seen=made.SEEN)
        assert rows(inventory, "SELECT place FROM evidence_detail") == [(place,)]


def test_unreadable_names_the_subjects_left_open_and_the_files_that_are_no_app(inventory: Inventory) -> None:
    sql = "SELECT app_id, code, place, offset, unknown, scan FROM unreadable ORDER BY app_id, code"
    assert rows(inventory, sql) == [
        (None, "empty", "apps/e%21.apk", None, None, 1),
        ("com.example.shop", "dex-damaged", "shop.apk!classes2.dex", 0x40, "wechat-pay", 2),
        ("com.example.shop", "limit-reached", "shop.apk", None, None, 2),
    ]


def test_the_state_of_a_device_is_that_of_its_latest_scan(inventory: Inventory) -> None:
    assert rows(inventory, "SELECT * FROM device_state ORDER BY device") == [
        ("sales", "phone-1", 1, "2026-01-01", 1, 2, 0, 1, 1, 1, 0),
        (None, "phone-2", 2, "2026-02-01", 0, 1, 0, 1, 1, 0, 0),
    ]
    cleaned = inventory.begin(made.a_scan(), started="2026-03-01", device=Device("phone-1"))
    inventory.finish(cleaned, finished="2026-03-01", complete=True)
    assert rows(inventory, "SELECT * FROM device_state WHERE device = 'phone-1'") == [
        ("sales", "phone-1", 3, "2026-03-01", 1, 0, 0, 0, 0, 0, 0)
    ]
