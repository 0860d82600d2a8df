"""The database of the home screen tells which apps are there, where they lie, and which were removed."""

from __future__ import annotations

import plistlib
from collections.abc import Mapping
from datetime import datetime

import pytest

from auditor.errors import FormatError
from auditor.formats.application_state import ApplicationState, AppState, read_application_state
from auditor.formats.sqlite_database import open_sqlite
from tests.builders.keyed_archives import keyed_archive_bytes
from tests.builders.mangle import mutations, prefixes
from tests.builders.sqlite_files import sqlite_bytes

SCHEMA = """
CREATE TABLE application_identifier_tab (id INTEGER PRIMARY KEY, application_identifier TEXT NOT NULL UNIQUE);
CREATE TABLE key_tab (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);
CREATE TABLE kvs (id INTEGER PRIMARY KEY, application_identifier INTEGER, key INTEGER, value BLOB);
CREATE VIEW kvs_debug AS SELECT * FROM kvs;
"""
KEYS = {1: "compatibilityInfo", 2: "_UninstallDate", 3: "XBApplicationSnapshotManifest"}
BUNDLE = "/private/var/containers/Bundle/Application/A5F4/WeChat.app"
SANDBOX = "/private/var/mobile/Containers/Data/Application/B6F5"


def compatibility(app_id: str, bundle: str = BUNDLE, sandbox: str = SANDBOX) -> bytes:
    fields = {"bundleIdentifier": app_id, "bundlePath": bundle, "sandboxPath": sandbox, "bundleContainerPath": None}
    return plistlib.dumps(
        keyed_archive_bytes({"$fields": fields}, "XBApplicationCompatibilityInfo"), fmt=plistlib.FMT_BINARY
    )


def removed(date: object = datetime(2026, 3, 4, 5, 6, 7)) -> bytes:
    return plistlib.dumps(date, fmt=plistlib.FMT_BINARY)


def database(apps: Mapping[str, Mapping[int, object]]) -> bytes:
    rows: dict[str, list[tuple[object, ...]]] = {
        "application_identifier_tab": [],
        "key_tab": list(KEYS.items()),
        "kvs": [],
    }
    for number, (app, values) in enumerate(apps.items(), 1):
        rows["application_identifier_tab"].append((number, app))
        rows["kvs"].extend((None, number, key, value) for key, value in values.items())
    return sqlite_bytes(SCHEMA, rows)


def state(data: bytes) -> ApplicationState:
    with open_sqlite(data) as opened:
        return read_application_state(opened)


def test_an_installed_app_has_its_places() -> None:
    found = state(database({"com.tencent.xin": {1: compatibility("com.tencent.xin"), 3: b"snapshots"}}))
    assert found == ApplicationState((AppState("com.tencent.xin", BUNDLE, SANDBOX),))


def test_an_app_of_which_nothing_is_told_is_still_named() -> None:
    assert state(database({"com.example.b": {}, "com.example.a": {}})).apps == (
        AppState("com.example.a"),
        AppState("com.example.b"),
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (removed(), "2026-03-04T05:06:07Z"),
        (plistlib.dumps(removed(), fmt=plistlib.FMT_BINARY), "2026-03-04T05:06:07Z"),
        (keyed_archive_bytes(datetime(2026, 3, 4, 5, 6, 7)), "2026-03-04T05:06:07Z"),
        (removed(773298367.0), "unknown"),
        (773298367.25, "unknown"),
        ("2026-03-04", "unknown"),
        (None, ""),
    ],
)
def test_every_form_of_the_date_of_removal(value: object, expected: str) -> None:
    assert state(database({"com.example.a": {2: value}})).apps[0].uninstalled == expected


def test_an_archive_that_is_not_wrapped() -> None:
    bare = keyed_archive_bytes({"$fields": {"bundleIdentifier": "com.example.a", "bundlePath": "/Applications/A.app"}})
    assert state(database({"com.example.a": {1: bare}})).apps == (AppState("com.example.a", "/Applications/A.app"),)


def test_the_bundle_id_inside_names_the_app() -> None:
    found = state(database({"com.example.a": {}, "com.example.a.scene": {1: compatibility("com.example.a")}}))
    assert found.apps == (AppState("com.example.a", BUNDLE, SANDBOX),)


def test_a_damaged_value_is_a_fault_and_the_app_is_named() -> None:
    found = state(database({"com.example.a": {1: b"bplist00junk", 2: b""}, "com.example.b": {1: "text"}}))
    assert [item.app_id for item in found.apps] == ["com.example.a", "com.example.b"]
    assert [fault.partition(":")[0] for fault in found.faults] == [
        "compatibilityInfo of com.example.a",
        "_UninstallDate of com.example.a",
    ]


def test_a_database_without_states_names_the_apps_and_says_so() -> None:
    found = state(
        sqlite_bytes(SCHEMA.partition("CREATE TABLE key_tab")[0], {"application_identifier_tab": [(1, "a.b")]})
    )
    assert found.apps == (AppState("a.b"),)
    assert len(found.faults) == 2


def test_another_database_is_refused() -> None:
    with pytest.raises(FormatError, match="no table of application identifiers"):
        state(sqlite_bytes("CREATE TABLE a(b)"))


def test_damage_is_read_or_refused() -> None:
    good = database({f"com.example.app{n}": {1: compatibility(f"com.example.app{n}"), 2: removed()} for n in range(20)})
    for damaged in (*prefixes(good, 60), *mutations(good, 200)):
        try:
            assert len(state(damaged).apps) <= 40
        except FormatError:
            continue
