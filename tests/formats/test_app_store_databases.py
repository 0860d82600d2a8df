"""The App Store's databases name apps in whichever table a release keeps them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.errors import FormatError
from auditor.formats.app_store_databases import StoreApp, StoreDatabase, read_store_database
from auditor.formats.sqlite_database import open_sqlite
from auditor.limits import DEFAULT
from tests.builders.mangle import mutations, prefixes
from tests.builders.sqlite_files import sqlite_bytes

UPDATES = """
CREATE TABLE app_updates (pid INTEGER PRIMARY KEY, bundle_id TEXT, store_item_id INTEGER, bundle_version TEXT,
    account_id INTEGER, title TEXT, raw BLOB);
CREATE TABLE meta (key TEXT, value TEXT);
INSERT INTO app_updates VALUES (1, 'com.tencent.xin', 414478124, '8.0.1', 1234567890, 'WeChat', x'00');
INSERT INTO meta VALUES ('com.example.no', 'x');
"""
DOWNLOADS = """
CREATE TABLE application_id (pid INTEGER PRIMARY KEY, bundle_id TEXT);
CREATE TABLE download (pid INTEGER PRIMARY KEY, application_id INTEGER, client_bundle_id TEXT, account TEXT);
INSERT INTO application_id VALUES (1, 'com.tencent.xin'), (2, 'com.example.shop'), (3, NULL), (4, 'no id'), (5, 77);
INSERT INTO download VALUES (1, 2, 'com.apple.AppStore', 'anna@example.com');
"""


def read(data: bytes) -> StoreDatabase:
    with open_sqlite(data) as database:
        return read_store_database(database)


def test_an_update_has_version_and_item() -> None:
    found = read(sqlite_bytes(UPDATES))
    assert found == StoreDatabase(
        (StoreApp("com.tencent.xin", "app_updates", "", "8.0.1", "414478124", "WeChat"),), ("app_updates",)
    )


def test_downloads_are_named_by_their_own_table() -> None:
    found = read(sqlite_bytes(DOWNLOADS))
    assert [(item.app_id, item.table) for item in found.apps] == [
        ("com.example.shop", "application_id"),
        ("com.tencent.xin", "application_id"),
    ]
    assert found.tables == ("application_id", "download")


@pytest.mark.parametrize("script", [UPDATES, DOWNLOADS])
def test_nothing_of_the_account_is_kept(script: str) -> None:
    assert not any(secret in repr(read(sqlite_bytes(script))) for secret in ("1234567890", "anna"))


@pytest.mark.parametrize("column", ["bundle_id", "bundleID", "BundleIdentifier", "bundle_identifier", "application_id"])
def test_every_name_of_the_column(column: str) -> None:
    found = read(sqlite_bytes(f"CREATE TABLE t ({column} TEXT); INSERT INTO t VALUES ('com.example.a')"))
    assert found.apps == (StoreApp("com.example.a", "t"),)


def test_of_several_rows_the_one_that_tells_most_counts() -> None:
    script = """CREATE TABLE t (bundle_id, version, item_id);
    INSERT INTO t VALUES ('a.b', NULL, NULL), ('a.b', '2.0', 7), ('a.b', '1.0', NULL)"""
    assert read(sqlite_bytes(script)).apps == (StoreApp("a.b", "t", version="2.0", store_id="7"),)


def test_a_database_that_names_no_app_is_empty() -> None:
    assert read(sqlite_bytes("CREATE TABLE t (a)")) == StoreDatabase((), ())


def test_damage_is_read_or_refused() -> None:
    rows = [(n, f"com.example.app{n}", n, "1", n, "t", bytes(50)) for n in range(2, 200)]
    good = sqlite_bytes(UPDATES, {"app_updates": rows}, 1024)
    for damaged in (*prefixes(good, 60), *mutations(good, 200)):
        try:
            assert len(read(damaged).apps) <= 1000
        except FormatError:
            continue


def test_more_apps_than_the_bound_are_told() -> None:
    rows = [(f"a.b{count}",) for count in range(9)]
    with open_sqlite(sqlite_bytes("CREATE TABLE t (bundle_id)", {"t": rows})) as database:
        found = read_store_database(database, replace(DEFAULT, record_listings=5))
    assert len(found.apps) == 5
    assert "--limit record_listings" in found.faults[0]


def test_ids_and_words_are_bounded() -> None:
    rows = [("a." + "b" * 300, "1"), ("a.b", "1" * 100_000)]
    (found,) = read(sqlite_bytes("CREATE TABLE t (bundle_id, version)", {"t": rows})).apps
    assert (found.app_id, len(found.version)) == ("a.b", 1000)
