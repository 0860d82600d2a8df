"""What Google's databases name, and what of the account is never kept."""

from __future__ import annotations

import base64
import random
from dataclasses import replace

import pytest

from auditor.errors import FormatError, LimitError
from auditor.formats.google_databases import (
    PLAY_FROSTING,
    PLAY_LIBRARY,
    PLAY_PROTECT,
    PLAY_STATE,
    KnownPackage,
    KnownPackages,
    google_database,
    parse_google_database,
)
from auditor.limits import DEFAULT
from tests.builders.android_dumps import sqlite

DIGEST = bytes(range(32))
GASS = "CREATE TABLE app_info (package_name TEXT, version_code INTEGER, digest_sha256 TEXT, extra BLOB)"
STATE = (
    "CREATE TABLE appstate (package_name STRING, auto_update INTEGER, first_download_ms INTEGER, account STRING,"
    " title STRING, last_update_timestamp_ms INTEGER)"
)
LIBRARY = "CREATE TABLE ownership (account STRING, library_id STRING, doc_id STRING, doc_type INTEGER)"
GOOD = sqlite(GASS, ("INSERT INTO app_info VALUES ('com.tencent.mm', 2880, ?, NULL)", (DIGEST.hex(),)))


def known(kind: str, *statements: str | tuple[str, tuple[object, ...]]) -> KnownPackages:
    return parse_google_database(kind, sqlite(*statements))


def test_play_protect_knows_the_digest_of_an_apk() -> None:
    assert parse_google_database(PLAY_PROTECT, GOOD) == KnownPackages(
        (KnownPackage("com.tencent.mm", "2880", DIGEST.hex()),)
    )


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (DIGEST, DIGEST.hex()),
        (DIGEST.hex().upper(), DIGEST.hex()),
        (base64.b64encode(DIGEST).decode(), DIGEST.hex()),
        (base64.urlsafe_b64encode(b"\xff" * 32).decode().rstrip("="), "ff" * 32),
        (DIGEST[:20], ""),
        ("junk", ""),
        ("ü" * 43, ""),
        (7, ""),
        (None, ""),
    ],
)
def test_a_digest_however_it_is_stored(stored: object, expected: str) -> None:
    found = known(PLAY_PROTECT, GASS, ("INSERT INTO app_info VALUES ('com.a', 1, ?, NULL)", (stored,)))
    assert found.packages[0].sha256 == expected


def test_the_store_knows_titles_and_times_but_the_account_is_dropped() -> None:
    row = ("com.a", 1, 1_600_000_000_000, "someone@example.com", "An App", 0)
    found = known(PLAY_STATE, STATE, ("INSERT INTO appstate VALUES (?,?,?,?,?,?)", row))
    assert found.packages == (KnownPackage("com.a", label="An App", first_ms=1_600_000_000_000),)
    assert "someone" not in repr(found)


def test_a_store_of_another_version_lacks_columns() -> None:
    found = known(PLAY_STATE, "CREATE TABLE appstate (package_name TEXT)", "INSERT INTO appstate VALUES ('com.a')")
    assert found.packages == (KnownPackage("com.a"),)


def test_the_library_counts_apps_only() -> None:
    found = known(
        PLAY_LIBRARY,
        LIBRARY,
        "INSERT INTO ownership VALUES ('someone@example.com', '3', 'com.a', 1)",
        "INSERT INTO ownership VALUES ('someone@example.com', '3', 'com.a', 1)",
        "INSERT INTO ownership VALUES ('someone@example.com', '3', 'inapp:com.a:coins', 11)",
        "INSERT INTO ownership VALUES ('someone@example.com', '1', 'abook', 5)",
    )
    assert found == KnownPackages((KnownPackage("com.a"),))


def test_files_that_the_store_checked() -> None:
    path = "/data/app/~~hJ3-x_Zk1QWcC2m0pYb9Lg==/com.tencent.mm-Q-2mV_aXo0y1pRkdN3c5wA==/base.apk"
    found = known(
        PLAY_FROSTING,
        "CREATE TABLE file (pk TEXT, data BLOB)",
        ("INSERT INTO file VALUES (?, NULL)", (path,)),
        "INSERT INTO file VALUES ('/system/app/X/X.apk', NULL)",
        "INSERT INTO file VALUES (NULL, NULL)",
    )
    assert found == KnownPackages((KnownPackage("com.tencent.mm", path=path),))


@pytest.mark.parametrize("name", ["no name", "", None, 7, b"com.a"])
def test_rows_that_name_no_package_are_counted(name: object) -> None:
    found = known(PLAY_PROTECT, GASS, ("INSERT INTO app_info VALUES (?, 1, NULL, NULL)", (name,)))
    assert found == KnownPackages((), unread=1)


@pytest.mark.parametrize("kind", [PLAY_PROTECT, PLAY_STATE, PLAY_LIBRARY, PLAY_FROSTING])
def test_another_database_is_refused(kind: str) -> None:
    with pytest.raises(FormatError):
        known(kind, "CREATE TABLE other (a)")


def test_a_bound_that_is_reached_keeps_what_was_read() -> None:
    rows = [("INSERT INTO app_info VALUES (?, 1, NULL, NULL)", (f"com.a{count}",)) for count in range(12)]
    found = parse_google_database(PLAY_PROTECT, sqlite(GASS, *rows), None, replace(DEFAULT, record_listings=10))
    assert len(found.packages) == 10
    assert "raise --limit" in found.faults[0]
    with pytest.raises(LimitError):
        parse_google_database(PLAY_PROTECT, GOOD, None, replace(DEFAULT, database_size=100))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("data/data/com.google.android.gms/databases/gass.db", PLAY_PROTECT),
        ("x/data/user/0/com.android.vending/databases/localappstate.db", PLAY_STATE),
        ("data/data/com.android.vending/databases/library.db", PLAY_LIBRARY),
        ("frosting.db", PLAY_FROSTING),
        ("data/data/com.music/databases/library.db", ""),
        ("gass.db-wal", ""),
    ],
)
def test_the_place_tells_the_database(path: str, expected: str) -> None:
    assert google_database(path) == expected


def test_truncations_and_seeded_mutations() -> None:
    choice = random.Random(13)
    cases = [GOOD[:end] for end in range(0, len(GOOD), 97)]
    for _ in range(300):
        data = bytearray(GOOD)
        for _ in range(choice.randrange(1, 5)):
            data[choice.randrange(len(data))] ^= 1 << choice.randrange(8)
        cases.append(bytes(data))
    for data in cases:
        try:
            assert len(parse_google_database(PLAY_PROTECT, data).packages) <= 1
        except FormatError:
            continue
