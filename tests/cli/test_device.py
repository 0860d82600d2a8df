"""``auditor device``: one device as an image, a dump and a backup show it together."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

import auditor.catalog
import auditor.scan
from auditor.catalog import Catalog, load_catalog
from auditor.inventory import Inventory
from auditor.model import Audit, JudgedRecord, Platform, RecordKind, State
from auditor.scan import Run
from tests.builders.device_records import (
    CODE,
    SHOP,
    WECHAT,
    a_build,
    a_record,
    a_signer,
    java_hash,
    listing,
)
from tests.builders.reports import make_app, make_audit
from tests.cli.conftest import FakeRun, Invoke

DUMP, XML, BACKUP = RecordKind.DUMPSYS_PACKAGE, RecordKind.PACKAGES_XML, RecordKind.IOS_BACKUP


@cache
def shipped() -> Catalog:
    return load_catalog()


@pytest.fixture(autouse=True)
def _shipped_catalog(fake: FakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """What can be looked for on a platform follows from the catalog."""
    monkeypatch.setattr(auditor.catalog, "load_catalog", lambda packs=(): shipped())


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "inventory.db"


def scan(
    invoke: Invoke, fake: FakeRun, folder: Path, db: Path, name: str, *parts: Audit | JudgedRecord, device: str = "p17"
) -> int:
    """Scan an input of that name with these contents."""
    (folder / name).mkdir(exist_ok=True)
    fake.target = (name,)
    fake.audits = [part for part in parts if isinstance(part, Audit)]
    fake.records = [part for part in parts if isinstance(part, JudgedRecord)]
    return invoke("scan", folder / name, "--db", db, "--device", device, "-q").code


def an_image() -> list[Audit | JudgedRecord]:
    live = listing(
        version_code="80", paths=(CODE.format(WECHAT),), signers=(a_signer(),), installer="com.android.vending"
    )
    return [a_build(), a_build(SHOP, content="shop"), a_record(live, listing(SHOP, version_code="80"))]


def a_dump() -> JudgedRecord:
    return a_record(
        listing(user="0", version_code="80", signer_digests=(java_hash("stranger"),)),
        listing(user="10", version_code="80", state=State.PRESENT),
        listing(SHOP, user="0", version_code="80"),
        listing("com.unread", user="0", version_code="1"),
        kind=DUMP,
        attributes=(("serial", "R58M"),),
    )


def a_backup() -> JudgedRecord:
    return a_record(listing("com.tencent.xin", State.BACKUP, platform=Platform.IOS), kind=BACKUP)


def test_an_image_a_dump_and_a_backup_are_merged(invoke: Invoke, fake: FakeRun, tmp_path: Path, db: Path) -> None:
    for name, parts in (("image", an_image()), ("dump", [a_dump()]), ("backup", [a_backup()])):
        assert scan(invoke, fake, tmp_path, db, name, *parts) in (1, 3)
    ended = invoke("device", "show", "p17", "--db", db)
    assert ended.code == 1
    text = " ".join(ended.out.split())
    assert text.startswith("Device p17: present:")
    assert "user 0: installed; user 10: present, not installed" in text
    assert "known from app files, dumpsys package, packages.xml" in text
    assert "conflict signer: dumpsys package" in text
    assert "because no source lists all apps of the iOS device" in text
    assert "because 2 apps known from records only" in text
    assert "serial R58M" in text
    assert [line for line in ended.out.splitlines() if len(line) > 80 and "!" not in line] == []


def test_json_has_every_app_and_source(invoke: Invoke, fake: FakeRun, tmp_path: Path, db: Path) -> None:
    scan(invoke, fake, tmp_path, db, "image", *an_image())
    scan(invoke, fake, tmp_path, db, "dump", a_dump())
    ended = invoke("device", "show", "p17", "--db", db, "--format", "json")
    document = json.loads(ended.out)
    assert (ended.code, document["schema"], document["device"]) == (1, "auditor/device/1", "p17")
    apps = {app["app_id"]: app for app in document["apps"]}
    assert sorted(apps) == [SHOP, WECHAT, "com.unread"]
    assert apps[WECHAT]["states"] == [
        {"user": "0", "state": "installed"},
        {"user": "10", "state": "present, not installed"},
    ]
    assert apps[WECHAT]["code_seen"]
    assert len(apps[WECHAT]["conflicts"]) == 1
    assert apps[WECHAT]["subjects"][0]["grade"] == "verified"
    assert not apps["com.unread"]["code_seen"]
    assert [(source["name"], source["completeness"]) for source in document["sources"]] == [
        ("app files", "some apps"),
        ("packages.xml", "all apps"),
        ("dumpsys package", "all apps"),
    ]


def clean_device() -> list[Audit | JudgedRecord]:
    return [make_audit(make_app("ffs.tar", SHOP, version_code="80")), a_record(listing(SHOP, version_code="80"))]


def test_what_was_seen_in_full_is_not_there(invoke: Invoke, fake: FakeRun, tmp_path: Path, db: Path) -> None:
    assert scan(invoke, fake, tmp_path, db, "image", *clean_device()) == 0
    ended = invoke("device", "show", "p17", "--db", db)
    assert ended.code == 0
    assert "no designated app or SDK was found" in ended.out
    assert "Not there: " in ended.out
    assert "Not proven absent" not in ended.out


def test_what_was_seen_in_part_is_not_proven_absent(invoke: Invoke, fake: FakeRun, tmp_path: Path, db: Path) -> None:
    scan(invoke, fake, tmp_path, db, "image", clean_device()[0])
    ended = invoke("device", "show", "p17", "--db", db)
    assert ended.code == 3
    assert "Not proven absent: " in ended.out
    assert "because no source lists all apps of the device" in ended.out
    verdicts = json.loads(invoke("device", "show", "p17", "--db", db, "--format", "json").out)["verdicts"]
    assert set(verdicts.values()) == {"not proven absent"}


@pytest.mark.parametrize("state", [State.RESIDUAL, State.HISTORY])
def test_leftovers_are_shown_and_are_no_finding(
    invoke: Invoke, fake: FakeRun, tmp_path: Path, db: Path, state: State
) -> None:
    left = a_record(listing(state=state, user="0"), kind=RecordKind.USAGE_STATS)
    assert scan(invoke, fake, tmp_path, db, "image", *clean_device(), left) == 0
    ended = invoke("device", "show", "p17", "--db", db)
    assert ended.code == 0
    assert f"user 0: {state.value}" in ended.out


def test_a_second_scan_of_the_same_input_replaces_the_first(
    invoke: Invoke, fake: FakeRun, tmp_path: Path, db: Path
) -> None:
    scan(invoke, fake, tmp_path, db, "image", *an_image())
    assert invoke("device", "show", "p17", "--db", db).code == 1
    scan(invoke, fake, tmp_path, db, "image", *clean_device())
    assert invoke("device", "show", "p17", "--db", db).code == 0


def test_devices_are_kept_apart_and_listed(invoke: Invoke, fake: FakeRun, tmp_path: Path, db: Path) -> None:
    scan(invoke, fake, tmp_path, db, "image", *clean_device())
    scan(invoke, fake, tmp_path, db, "other", *an_image(), device="p18")
    assert invoke("device", "show", "p17", "--db", db).code == 0
    ended = invoke("device", "list", "--db", db)
    assert ended.code == 0
    assert [line.split(" of ")[0] for line in ended.out.splitlines()] == ["p17 scan 1", "p18 scan 2"]


def test_an_inventory_without_devices_says_how_to_name_one(invoke: Invoke, fake: FakeRun, db: Path) -> None:
    Inventory.open(db).close()
    assert "auditor scan --device ID" in invoke("device", "list", "--db", db).out
    ended = invoke("device", "show", "p17", "--db", db)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "'auditor device list'" in ended.err


def test_a_device_with_hundreds_of_apps_stays_readable(invoke: Invoke, fake: FakeRun, tmp_path: Path, db: Path) -> None:
    """Every app contradicted by its installer, and one designated among them."""
    ids = [f"com.app{number:03}" for number in range(400)]
    one = a_record(*(listing(app_id, version_code="1", installer="a") for app_id in ids), listing(version_code="1"))
    two = a_record(*(listing(app_id, user="0", version_code="1", installer="b") for app_id in ids), kind=DUMP)
    scan(invoke, fake, tmp_path, db, "image", one, two)
    lines = invoke("device", "show", "p17", "--db", db).out.splitlines()
    assert len(lines) < 70
    assert lines[0] == "Device p17: present: WeChat"
    assert "Further apps with contradictions: 400" in lines
    assert "  and 390 more; --all shows them" in lines
    assert "    400 installed; code not seen" in lines
    every = invoke("device", "show", "p17", "--db", db, "--all").out
    assert every.count("conflict") >= 400


def test_real_sources_of_a_device_are_merged(
    invoke: Invoke, tmp_path: Path, db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An extraction, a bug report and a backup, as the samples have them."""
    monkeypatch.setattr(auditor.scan, "Run", Run)
    samples = Path(__file__).resolve().parents[2] / "samples" / "devices"
    for name in ("android.tar", "bugreport.zip", "ios-backup.zip"):
        assert invoke("scan", samples / name, "--db", db, "--device", "p17", "-q").code == 1
    ended = invoke("device", "show", "p17", "--db", db)
    text = " ".join(ended.out.split())
    assert ended.code == 1
    assert text.startswith("Device p17: present: Alipay, WeChat, WeChat Pay Not proven absent: CamScanner,")
    for told in (
        "because no source lists all apps of the iOS device",
        "because its sources may be of different devices",
        "conflict the sources name different values of platform: android (",
        "Alipay: has the id of the app, but not its signature (impostor)",
        "conflict state for user 0: installed (package-restrictions.xml,",
        "state user 0: residual data known from data directories",
        "state in a backup",
    ):
        assert told in text


def test_an_image_a_backup_and_a_dump_of_the_samples_contradict_each_other(
    invoke: Invoke, db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditor.scan, "Run", Run)
    samples = Path(__file__).resolve().parents[2] / "samples"
    for name in ("carriers/ext4-android.img", "devices/adb-plain.ab", "devices/dumpsys-package.txt"):
        assert invoke("scan", samples / name, "--db", db, "--device", "p17", "-q").code == 1
    ended = invoke("device", "show", "p17", "--db", db)
    text = " ".join(ended.out.split())
    assert ended.code == 1
    assert text.startswith("Device p17: present: Alipay, WeChat, WeChat Pay Not proven absent: CamScanner,")
    for told in (
        "com.tencent.mm 8.0.60 (2880) (Android) WeChat: is the app by its id (claimed)",
        "which names cert-wechat as its signer",
        "known from adb backup, app files, dumpsys package",
        "state user 0: installed; user 10: present, not installed",
        "conflict signer: dumpsys package of ",
        "factory copy 9.9.9 (999) at ext4-android.img!app/Alipay/Alipay.apk",
    ):
        assert told in text


@pytest.mark.parametrize("output_format", ["text", "json"])
@pytest.mark.parametrize("name", ["android.tar", "bugreport.zip", "ios-backup.zip"])
def test_report_says_of_records_what_check_says(
    invoke: Invoke, tmp_path: Path, db: Path, monkeypatch: pytest.MonkeyPatch, name: str, output_format: str
) -> None:
    monkeypatch.setattr(auditor.scan, "Run", Run)
    sample = Path(__file__).resolve().parents[2] / "samples" / "devices" / name
    invoke("scan", sample, "--db", db)
    assert invoke("report", "--db", db, "--format", output_format) == invoke("check", sample, "--format", output_format)


def test_the_end_of_a_scan_names_the_command_that_merges_it(
    invoke: Invoke, fake: FakeRun, tmp_path: Path, db: Path
) -> None:
    ended = invoke("scan", tmp_path, "--db", db, "--device", "p17")
    assert ended.err == f"stored in {db} as scan 1; 'auditor device show p17 --db {db}' merges it\n"


def test_text_from_a_device_is_inert(invoke: Invoke, fake: FakeRun, tmp_path: Path, db: Path) -> None:
    hostile = "\x1b[31m\u202e\r\nDevice p17: no designated app"
    record = a_record(
        listing(label=hostile, version=hostile, installer=hostile, paths=(hostile,), user=hostile, seen=hostile),
        attributes=(("model", hostile),),
        detail=hostile,
    )
    scan(invoke, fake, tmp_path, db, "image", record)
    for options in ((), ("--all",), ("--format", "json")):
        out = invoke("device", "show", "p17", "--db", db, *options).out
        assert "\x1b" not in out
        assert "\u202e" not in out
        assert "\r" not in out
        assert not any(line.startswith("Device p17: no") for line in out.splitlines())
