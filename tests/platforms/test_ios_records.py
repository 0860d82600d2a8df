"""What names apps on iOS is told by its place and bytes, and becomes one record of the device."""

from __future__ import annotations

import json
import plistlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import ClassVar

import pytest

from auditor.containers.member import Budget
from auditor.errors import InputError
from auditor.formats.blob import Blob
from auditor.limits import DEFAULT
from auditor.model import Completeness, DeviceRecord, Listing, Origin, ProblemCode, RecordKind, State
from auditor.platforms.ios_records import leads, read, recognise
from auditor.platforms.record_source import RecordSource
from tests.builders.ios_backup import PRIVATE, store_record
from tests.builders.keyed_archives import keyed_archive_bytes
from tests.builders.mangle import mutations
from tests.builders.sqlite_files import sqlite_bytes, with_log

WECHAT = "com.tencent.xin"
METADATA = ".com.apple.mobile_container_manager.metadata.plist"
BUNDLES = "private/var/containers/Bundle/Application/A5F4"
DATA = "private/var/mobile/Containers/Data/Application/B6F5"
STATES = """
CREATE TABLE application_identifier_tab (id INTEGER PRIMARY KEY, application_identifier TEXT);
CREATE TABLE key_tab (id INTEGER PRIMARY KEY, key TEXT);
CREATE TABLE kvs (id INTEGER PRIMARY KEY, application_identifier INTEGER, key INTEGER, value BLOB);
INSERT INTO key_tab VALUES (1, 'compatibilityInfo'), (2, '_UninstallDate');
"""
STORE = "CREATE TABLE apps (bundle_id TEXT, version TEXT, item_id INTEGER)"
LOG = b"Wed Mar  4 05:06:07 2026 [1] <notice> x: Install Successful for (Customer:com.tencent.xin)\n"
REMOVAL = b"Thu Mar  5 05:06:07 2026 [1] <notice> x: Uninstalling identifier com.tencent.xin\n"


@dataclass(frozen=True, slots=True)
class Bytes:
    """A member that lies in memory."""

    path: str
    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    @property
    def origin(self) -> Origin:
        return Origin((self.path,))

    def open(self) -> Blob:
        return self.data

    def peek(self, size: int) -> bytes:
        return self.data[:size]


class Refused(Bytes):
    """A member that the operating system does not give."""

    def open(self) -> Blob:
        raise InputError("cannot read it")


def container(identifier: str, content_class: int = 2) -> bytes:
    value = {"MCMMetadataIdentifier": identifier, "MCMMetadataContentClass": content_class, "MCMMetadataUUID": "A5F4"}
    return plistlib.dumps(value, fmt=plistlib.FMT_BINARY)


def states(*apps: tuple[str, str, bool]) -> bytes:
    """A home screen database of (id, place of the bundle, removed)."""
    names, rows = [], []
    for number, (app, place, removed) in enumerate(apps, 1):
        names.append((number, app))
        if place:
            archive = keyed_archive_bytes({"$fields": {"bundleIdentifier": app, "bundlePath": place}})
            rows.append((None, number, 1, plistlib.dumps(archive, fmt=plistlib.FMT_BINARY)))
        if removed:
            rows.append((None, number, 2, plistlib.dumps(datetime(2026, 3, 4), fmt=plistlib.FMT_BINARY)))
    return sqlite_bytes(STATES, {"application_identifier_tab": names, "kvs": rows})


def record(files: Mapping[str, bytes], main: str) -> DeviceRecord:
    """What a folder's record says; it must be recognised first."""
    members = {path.rpartition("/")[2]: Bytes(path, data) for path, data in files.items()}
    item = members[main.rpartition("/")[2]]
    kind = recognise(item.path, item.peek(16384))
    assert kind is not None
    return read(RecordSource(kind, item, members, Budget(DEFAULT)))


def only(found: DeviceRecord) -> Listing:
    (listing,) = found.listings
    return listing


class TestApplicationState:
    PATH = "private/var/mobile/Library/FrontBoard/applicationState.db"

    def read(self, data: bytes, **beside: bytes) -> DeviceRecord:
        return record({self.PATH: data, **{f"{self.PATH}-{name}": item for name, item in beside.items()}}, self.PATH)

    @pytest.mark.parametrize(
        ("place", "removed", "state", "system"),
        [
            ("/private/var/containers/Bundle/Application/A5F4/X.app", False, State.INSTALLED, False),
            ("/Applications/Camera.app", False, State.INSTALLED, True),
            ("/somewhere/X.app", False, State.INSTALLED, None),
            ("", False, State.UNKNOWN, None),
            ("", True, State.HISTORY, None),
            ("/private/var/containers/Bundle/Application/A5F4/X.app", True, State.UNKNOWN, False),
        ],
    )
    def test_what_an_app_is(self, place: str, removed: bool, state: State, system: bool | None) -> None:
        listing = only(self.read(states((WECHAT, place, removed))))
        assert (listing.app_id, listing.state, listing.system) == (WECHAT, state, system)
        assert listing.paths == ((place,) if place else ())
        assert listing.flags == (("removed",) if removed else ())

    def test_it_names_apps_and_proves_no_absence(self) -> None:
        """An app that the system offloaded has no entry."""
        found = self.read(states(("b.b", "", False), ("a.a", "", False)))
        assert [item.app_id for item in found.listings] == ["a.a", "b.b"]
        assert found.completeness is Completeness.PARTIAL
        assert "offloaded" in found.detail
        assert found.attributes == (("manufacturer", "Apple"), ("platform", "ios"))

    def test_damage_makes_it_partial(self) -> None:
        found = self.read(sqlite_bytes(STATES.partition("CREATE TABLE kvs")[0]))
        assert found.completeness is Completeness.PARTIAL
        assert [item.code for item in found.problems] == [ProblemCode.RECORD_DAMAGED]

    def test_the_log_beside_it_counts(self, tmp_path: Path) -> None:
        insert = "INSERT INTO application_identifier_tab VALUES (1, 'com.tencent.xin')"
        data, wal = with_log(tmp_path, STATES, insert)
        assert self.read(data).listings == ()
        assert only(self.read(data, wal=wal)).app_id == WECHAT


class TestContainers:
    def test_the_container_of_a_bundle_is_an_installed_app(self) -> None:
        date = keyed_archive_bytes({"$fields": {"installDate": datetime(2026, 3, 4, 5, 6, 7)}})
        files = {
            f"{BUNDLES}/{METADATA}": container(WECHAT, 1),
            f"{BUNDLES}/iTunesMetadata.plist": store_record(WECHAT),
            f"{BUNDLES}/BundleMetadata.plist": date,
        }
        found = record(files, METADATA)
        listing = only(found)
        assert (listing.app_id, listing.state, listing.version) == (WECHAT, State.INSTALLED, "8.0.1")
        assert (listing.installed, listing.store_id) == ("2026-03-04T05:06:07Z", "414478124")
        assert listing.paths == (BUNDLES,)
        assert not any(secret in repr(found) for secret in PRIVATE)

    def test_one_of_its_files_stands_for_the_container(self) -> None:
        names = ["BundleMetadata.plist", METADATA, "iTunesMetadata.plist"]
        assert [name for name in names if leads(RecordKind.IOS_CONTAINERS, name, names)] == [METADATA]
        files = {f"{BUNDLES}/{METADATA}": container(WECHAT), f"{BUNDLES}/iTunesMetadata.plist": store_record(WECHAT)}
        assert record(files, "iTunesMetadata.plist").listings == ()

    def test_the_store_record_alone_names_the_app(self) -> None:
        found = record({f"{BUNDLES}/iTunesMetadata.plist": store_record(WECHAT)}, "iTunesMetadata.plist")
        assert only(found).app_id == WECHAT

    def test_the_container_of_data_is_what_may_be_left_of_an_app(self) -> None:
        listing = only(record({f"{DATA}/{METADATA}": container(WECHAT)}, METADATA))
        assert (listing.app_id, listing.state, listing.paths) == (WECHAT, State.RESIDUAL, ())

    @pytest.mark.parametrize(("number", "state"), [(1, State.INSTALLED), (2, State.RESIDUAL)])
    def test_without_its_place_the_class_tells(self, number: int, state: State) -> None:
        assert only(record({METADATA: container(WECHAT, number)}, METADATA)).state is state

    @pytest.mark.parametrize("number", [4, 7, 13])
    def test_other_classes_are_no_apps(self, number: int) -> None:
        assert record({METADATA: container("group.com.tencent.xin", number)}, METADATA).listings == ()

    @pytest.mark.parametrize(
        "path",
        [
            f"var/mobile/Containers/Shared/AppGroup/C7/{METADATA}",
            f"var/mobile/Containers/Data/PluginKitPlugin/C7/{METADATA}",
            f"var/mobile/Containers/Data/InternalDaemon/C7/{METADATA}",
            "Payload/iTunesMetadata.plist",
            "iTunesMetadata.plist",
            "some/BundleMetadata.plist",
            f"{BUNDLES}/WeChat.app/iTunesMetadata.plist",
        ],
    )
    def test_what_is_no_container_of_an_app(self, path: str) -> None:
        assert recognise(path, container("x.y")) is None

    def test_a_damaged_file_is_a_problem_and_the_others_tell(self) -> None:
        files = {f"{BUNDLES}/{METADATA}": b"junk", f"{BUNDLES}/iTunesMetadata.plist": store_record(WECHAT)}
        found = record(files, METADATA)
        assert only(found).app_id == WECHAT
        assert [item.code for item in found.problems] == [ProblemCode.RECORD_DAMAGED]


class TestLogsAndStores:
    def test_a_log_is_history(self) -> None:
        found = record(
            {"logs/MobileInstallation/mobile_installation.log.0": LOG + REMOVAL}, "mobile_installation.log.0"
        )
        listing = only(found)
        assert (listing.state, listing.flags) == (State.HISTORY, ("removed",))
        assert (listing.installed, listing.seen) == ("2026-03-04T05:06:07", "2026-03-05T05:06:07")
        assert listing.origin.offset == len(LOG)
        assert found.completeness is Completeness.PARTIAL

    @pytest.mark.parametrize(
        "name",
        ["appstored.sqlitedb", "AppUpdates.sqlitedb", "downloads.28.sqlitedb", "storeUser.db", "storeSystem.db"],
    )
    def test_every_database_of_the_store(self, name: str) -> None:
        data = sqlite_bytes(f"{STORE}; INSERT INTO apps VALUES ('com.tencent.xin', '8.0.1', 414478124)")
        found = record({f"logs/appinstallation/{name}": data}, name)
        listing = only(found)
        assert (listing.state, listing.version, listing.store_id) == (State.HISTORY, "8.0.1", "414478124")
        assert found.detail == "tables that name apps: apps"

    def test_an_app_that_several_tables_name_is_listed_once(self) -> None:
        script = f"{STORE}; CREATE TABLE more (bundle_id); INSERT INTO apps VALUES ('a.b', '1', 7)"
        found = record(
            {"appstored.sqlitedb": sqlite_bytes(f"{script}; INSERT INTO more VALUES ('a.b')")}, "appstored.sqlitedb"
        )
        assert only(found).version == "1"

    @pytest.mark.parametrize(
        ("path", "head"),
        [
            ("x/mobile_installation.log.0", b"no log\n"),
            ("x/other.log", LOG),
            ("x/appstored.sqlitedb", b"junk"),
            ("x/other.db", b"SQLite format 3\0"),
            ("x/applicationState.db", b""),
            ("x/a.txt", b"text"),
        ],
    )
    def test_what_is_none_of_them(self, path: str, head: bytes) -> None:
        assert recognise(path, head) is None


class TestAppLists:
    USER: ClassVar = {"CFBundleIdentifier": WECHAT, "ApplicationType": "User", "CFBundleShortVersionString": "8.0.1"}
    SYSTEM: ClassVar = {"CFBundleIdentifier": "com.apple.camera", "ApplicationType": "System"}

    @pytest.mark.parametrize(
        ("apps", "completeness"),
        [
            ([USER], Completeness.USER_APPS),
            ([USER, SYSTEM], Completeness.FULL),
            ([SYSTEM], Completeness.PARTIAL),
            ([{"CFBundleIdentifier": WECHAT}], Completeness.USER_APPS),
        ],
    )
    def test_it_is_as_complete_as_it_was_asked_for(self, apps: list[object], completeness: Completeness) -> None:
        found = record({"apps.json": json.dumps(apps).encode()}, "apps.json")
        assert found.completeness is completeness
        assert {item.state for item in found.listings} == {State.INSTALLED}

    @pytest.mark.parametrize(
        ("signer", "kind", "flags", "system"),
        [
            ("Apple iPhone OS Application Signing", "User", (), False),
            ("TestFlight Beta Distribution", "User", ("TestFlight",), False),
            ("iPhone Distribution: Example Ltd.", "User", ("side-loaded",), False),
            ("", "User", (), False),
            ("Software Signing", "System", (), True),
            ("", "Hidden", ("hidden",), None),
        ],
    )
    def test_who_signed_an_app(self, signer: str, kind: str, flags: tuple[str, ...], system: bool | None) -> None:
        entry = {**self.USER, "ApplicationType": kind, "SignerIdentity": signer}
        listing = only(record({"apps.json": json.dumps([entry]).encode()}, "apps.json"))
        assert (listing.flags, listing.system) == (flags, system)

    @pytest.mark.parametrize(
        ("demoted", "placeholder", "state"),
        [
            (True, True, State.ARCHIVED),
            (True, False, State.ARCHIVED),
            (False, True, State.STAGED),
            (False, False, State.INSTALLED),
        ],
    )
    def test_an_offloaded_app_is_archived_and_an_unfinished_one_staged(
        self, demoted: bool, placeholder: bool, state: State
    ) -> None:
        entry = {**self.USER, "IsDemotedApp": demoted, "IsPlaceholder": placeholder}
        assert only(record({"apps.json": json.dumps([entry]).encode()}, "apps.json")).state is state

    def test_columns(self) -> None:
        data = b'CFBundleIdentifier, CFBundleVersion, CFBundleDisplayName\ncom.tencent.xin, "8", "WeChat"\n'
        assert only(record({"list.csv": data}, "list.csv")).label == "WeChat"

    def test_entries_that_name_no_app_are_told(self) -> None:
        found = record({"apps.json": json.dumps([self.SYSTEM, {"CFBundleName": "x"}]).encode()}, "apps.json")
        assert found.completeness is Completeness.PARTIAL
        assert [item.code for item in found.problems] == [ProblemCode.RECORD_DAMAGED]


class Mapped(Bytes):
    """A member that gives a view, as one of a disk image does."""

    def open(self) -> Blob:
        return memoryview(self.data)


@pytest.mark.parametrize(
    ("kind", "name", "data"),
    [
        (RecordKind.APPLICATION_STATE, "applicationState.db", states((WECHAT, "", False))),
        (RecordKind.IOS_CONTAINERS, METADATA, container(WECHAT)),
        (RecordKind.INSTALL_LOG, "mobile_installation.log.0", LOG),
        (RecordKind.IOS_APP_LIST, "apps.json", b'[{"CFBundleIdentifier": "com.tencent.xin"}]'),
        (RecordKind.IOS_APP_LIST, "apps.csv", b'com.tencent.xin, "8", "WeChat"'),
    ],
)
def test_views_are_read_like_bytes(kind: RecordKind, name: str, data: bytes) -> None:
    item = Mapped(name, data)
    found = read(RecordSource(kind, item, {name: item}, Budget(DEFAULT)))
    assert (only(found).app_id, found.problems) == (WECHAT, ())


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (RecordKind.APPLICATION_STATE, "applicationState.db"),
        (RecordKind.APP_STORE_DATABASES, "appstored.sqlitedb"),
        (RecordKind.IOS_CONTAINERS, METADATA),
        (RecordKind.IOS_APP_LIST, "apps.json"),
        (RecordKind.IOS_BACKUP, "Manifest.plist"),
    ],
)
@pytest.mark.parametrize(("member", "code"), [(Bytes, ProblemCode.RECORD_DAMAGED), (Refused, ProblemCode.UNREADABLE)])
def test_what_cannot_be_read_is_a_problem(kind: RecordKind, name: str, member: type[Bytes], code: ProblemCode) -> None:
    item = member(name, b"junk")
    found = read(RecordSource(kind, item, {name: item}, Budget(DEFAULT)))
    assert [problem.code for problem in found.problems] == [code]
    assert found.listings == ()
    assert not found.completeness.proves_absence


def test_a_record_that_is_too_large_is_a_problem() -> None:
    item = Bytes("applicationState.db", states((WECHAT, "", False)))
    budget = Budget(replace(DEFAULT, database_size=1000))
    found = read(RecordSource(RecordKind.APPLICATION_STATE, item, {item.path: item}, budget))
    assert [problem.code for problem in found.problems] == [ProblemCode.LIMIT]


def test_damage_gives_a_record() -> None:
    name = "applicationState.db"
    for data in mutations(states(*((f"com.example.app{n}", "/Applications/X.app", True) for n in range(9))), 100):
        item = Bytes(name, data)
        found = read(RecordSource(RecordKind.APPLICATION_STATE, item, {name: item}, Budget(DEFAULT)))
        assert len(found.listings) <= 18
