"""The database of the home screen tells which apps are there, where they lie, and which were removed."""

from __future__ import annotations

import plistlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import pytest

from auditor.errors import FormatError
from auditor.formats.application_state import ApplicationState, AppState, read_application_state
from auditor.formats.sqlite_database import open_sqlite
from auditor.limits import DEFAULT
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


def test_more_apps_than_the_bound_are_told() -> None:
    data = database({f"com.example.app{count}": {} for count in range(9)})
    with open_sqlite(data) as opened:
        found = read_application_state(opened, replace(DEFAULT, record_listings=5))
    assert len(found.apps) == 5
    assert "--limit record_listings" in found.faults[0]


@pytest.mark.parametrize("name", ["a" * 256, "a b", "a\n", ""])
def test_names_that_are_no_ids_are_told(name: str) -> None:
    found = state(database({name: {}, "com.example.a": {}}))
    assert [item.app_id for item in found.apps] == ["com.example.a"]
    assert found.faults == ("1 rows of application_identifier_tab have no usable name",)


def test_values_that_share_others_over_and_over_cost_no_more_than_their_size() -> None:
    """A few hundred bytes that stand for millions of values, for each of many apps."""
    nested: list[object] = ["x"]
    for _ in range(12):
        nested = [nested] * 4
    bomb = plistlib.dumps(nested, fmt=plistlib.FMT_BINARY)
    assert len(bomb) < 200
    found = state(database({f"com.example.app{count}": {1: bomb} for count in range(200)}))
    assert len(found.apps) == 200
    assert len(found.faults) == 10


def test_a_shared_object_of_an_archive_is_no_bomb() -> None:
    url = {"$fields": {"NS.relative": "file:///x"}}
    fields = {"bundleIdentifier": "com.example.a", "bundlePath": BUNDLE, **{f"u{count}": url for count in range(50)}}
    data = keyed_archive_bytes({"$fields": fields})
    assert state(database({"com.example.a": {1: data}})).apps[0].bundle_path == BUNDLE
