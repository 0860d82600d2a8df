"""What is recorded comes back as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from auditor.inventory import Inventory
from auditor.model import (
    App,
    Audit,
    Origin,
    PartKind,
    Platform,
    build_key,
)
from tests.builders import audits as made


def recorded(path: Path, *audits: Audit) -> list[Audit]:
    """Record audits in one scan, close the database, and load them from the file."""
    with Inventory.open(path) as inventory:
        scan_id = inventory.begin(made.a_scan(), started=made.SEEN)
        for audit in audits:
            inventory.record(scan_id, audit, seen=made.SEEN)
        inventory.finish(scan_id, finished=made.SEEN, complete=True)
    with Inventory.open(path, create=False) as inventory:
        return list(inventory.audits())


def an_ipa() -> App:
    parts = (
        made.a_part(["phone.zip", "App.ipa"], PartKind.BUNDLE, "ipa"),
        made.a_part(["phone.zip", "App.ipa", "Payload/App.app/PlugIns/Share.appex"], PartKind.EXTENSION, "appex"),
    )
    return App(Platform.IOS, "com.example.app", parts[0].origin, build_key(parts), parts=parts)


APPS = {
    "one APK": made.an_app(),
    "a base with splits": made.a_split_app(),
    "an IPA with an extension, in an archive": an_ipa(),
    "an app without an id": made.an_app(app_id="", content="x"),
    "an app nested in another": replace(made.an_app(), parent=Origin(("apps/host.apk",))),
    "an app without parts": App(Platform.IOS, "com.example.bare", Origin(("Bare.app",)), "ab" * 32),
    "a file in the first folder": made.an_app("shop.apk"),
    "names with separators of ours": made.an_app("50%!/~=a!b.apk"),
}


@pytest.mark.parametrize("app", APPS.values(), ids=APPS.keys())
def test_an_app_with_answers_problems_and_findings_comes_back_whole(tmp_path: Path, app: App) -> None:
    audit = made.an_audit(app)
    assert recorded(tmp_path / "i.db", audit) == [audit]
