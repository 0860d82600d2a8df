"""Nothing of a device's owner reaches the inventory or a report: no name, account, number of a person or SIM card."""

from __future__ import annotations

import json
import plistlib
import sys
from pathlib import Path

import pytest

from tests.builders import android_dumps as dumps
from tests.builders import android_state as state
from tests.builders import ios_backup
from tests.builders.abx import abx, text_xml
from tests.cli.conftest import Invoke

OWNER = (*ios_backup.PRIVATE, "Anna Secret", "anna@example.org", "Anna", "490154203237518")
BUNDLE = "iphone/private/var/containers/Bundle/Application/0A1B2C3D-0000-0000-0000-000000000000"


def android(form: str) -> dict[str, bytes]:
    """The files of the package service and a dump, with what Android knows of the owner."""
    write = text_xml if form == "text" else abx
    report = dumps.bug_report(dumps.dump(dumps.package(dumps.ANDROID_10)))
    owned = report.replace("UserInfo{0:", "UserInfo{0:Anna Secret ") + "\n".join(
        (
            "DUMP OF SERVICE account:",
            "  Accounts: 1",
            "    Account {name=anna@example.com, type=com.google}",
            "[gsm.sim.operator.numeric]: [26201]",
            "[ril.iccid.sim1]: [8949020000001234567]",
            "[persist.radio.imei]: [356938035643809]",
            "[gsm.line1.number]: [+491701234567]",
            "[persist.sys.device_name]: [Anna's iPhone]",
        )
    )
    properties = (
        "ro.product.model=Phone\nro.serialno=R58M\nro.product.manufacturer=Maker\nro.build.version.release=14\n"
        "ro.ril.oem.imei=356938035643809\nnet.hostname=Anna's iPhone\nro.ril.iccid=8949020000001234567\n"
        "gsm.number=+491701234567\nro.setupwizard.account=anna@example.com\nro.build.id=UP1A\n"
    )
    return {
        "android/data/system/packages.xml": write(state.packages(state.package("com.tencent.mm"))),
        "android/data/system/users/0.xml": write(state.user(0, 0x13)),
        "android/data/system/users/userlist.xml": write(state.user_list(0, 10)),
        "android/data/system/users/0/package-restrictions.xml": write(
            state.restrictions(state.user_package("com.tencent.mm"))
        ),
        "android/system/build.prop": properties.encode(),
        "android/bugreport.txt": owned.encode(),
    }


def ios() -> dict[str, bytes]:
    """A backup and an app's container, with what iOS knows of the owner."""
    app = "com.tencent.xin"
    metadata = {
        "softwareVersionBundleId": app,
        "itemId": 414478124,
        "itemName": "WeChat",
        "apple-id": OWNER[4],
        "userName": OWNER[0],
        "com.apple.iTunesStore.downloadInfo": {"accountInfo": {"AppleID": OWNER[4], "DSPersonID": int(OWNER[5])}},
    }
    return {
        f"backup/{ios_backup.UDID}/Info.plist": ios_backup.summary_plist([app], {app: ios_backup.store_record(app)}),
        f"{BUNDLE}/iTunesMetadata.plist": plistlib.dumps(metadata),
        f"{BUNDLE}/.com.apple.mobile_container_manager.metadata.plist": plistlib.dumps(
            {"MCMMetadataIdentifier": app, "MCMMetadataContentClass": 1, "MCMMetadataUserIdentity": {"name": OWNER[0]}}
        ),
        "ios-apps.json": json.dumps(
            {
                app: {
                    "CFBundleIdentifier": app,
                    "ApplicationType": "User",
                    "CFBundleShortVersionString": "8.0",
                    "ApplicationDSID": int(OWNER[5]),
                    "Owner": OWNER[0],
                    "AppleID": OWNER[4],
                }
            }
        ).encode(),
    }


@pytest.mark.parametrize("form", ["text", "binary"])
def test_the_owner_is_in_no_database_and_no_report(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    device, db = tmp_path / "device", tmp_path / "i.db"
    for name, data in {**android(form), **ios()}.items():
        path = device / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    command = ["scan", device, "--db", db, "--device", "phone-1"]
    monkeypatch.setattr(sys, "argv", ["auditor", *map(str, command)])
    shown = [invoke(*command)]
    shown.append(invoke("report", "--db", db, "--format", "json"))
    shown.append(invoke("report", "--db", db, "--format", "csv"))
    shown.append(invoke("device", "show", "phone-1", "--db", db, "--all"))
    shown.append(invoke("device", "show", "phone-1", "--db", db, "--format", "json"))
    assert [ended.code for ended in shown] == [1] * len(shown)
    kinds = {record["kind"] for record in json.loads(shown[1].out)["records"]}
    assert {"packages.xml", "Android users", "build.prop", "dumpsys package", "iOS backup", "iOS containers"} <= kinds
    kept = b"".join(path.read_bytes() for path in sorted(tmp_path.glob("i.db*")))
    assert b"R58M" in kept
    assert ios_backup.UDID.encode() in kept
    for secret in OWNER:
        assert secret.encode() not in kept, secret
        assert not any(secret in ended.out + ended.err for ended in shown), secret
