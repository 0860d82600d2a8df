"""Records are found where devices keep them: in folders, archives and images, under any root, and in no app."""

from __future__ import annotations

import hashlib
import plistlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.limits import DEFAULT, Limits
from auditor.model import Completeness, DeviceRecord, Problem, ProblemCode, RecordKind, State
from auditor.platforms.candidate import AndroidSet, IosBundle
from auditor.platforms.record_source import RecordSource
from auditor.platforms.records import read_record
from auditor.platforms.search import Found, Search
from auditor.scan import guarded, open_argument
from tests.builders.abx import abx, text_xml
from tests.builders.adb_backup import adb_backup, backup_manifest
from tests.builders.android_dumps import (
    ANDROID_16,
    androidqf,
    androidqf_package,
    dump,
    package,
    sqlite,
    usage_mappings,
    usage_v2,
)
from tests.builders.android_state import package as installed
from tests.builders.android_state import packages, restrictions, user, user_list, user_package
from tests.builders.apk_signatures import identity
from tests.builders.apps import apk, bundle, ipa, put
from tests.builders.images import TREES, ext4_of, gpt_of, gz_of, tar_of, zip_of
from tests.builders.ios_backup import manifest_db, manifest_plist, status_plist, store_record, summary_plist
from tests.builders.sqlite_files import sqlite_bytes, with_log

K = RecordKind
APK = apk()
STATE = abx(packages(installed("com.tencent.mm")))
LOG = b"Wed Mar  4 05:06:07 2026 [1] <notice> x: Install Successful for (Customer:com.tencent.xin)\n"
STATES = """
CREATE TABLE application_identifier_tab (id INTEGER PRIMARY KEY, application_identifier TEXT);
CREATE TABLE key_tab (id INTEGER PRIMARY KEY, key TEXT);
CREATE TABLE kvs (id INTEGER PRIMARY KEY, application_identifier INTEGER, key INTEGER, value BLOB);
INSERT INTO application_identifier_tab VALUES (1, 'com.tencent.xin');
"""
CONTAINER = plistlib.dumps({"MCMMetadataIdentifier": "com.tencent.xin", "MCMMetadataContentClass": 2})
DOCUMENT = "private/var/mobile/Containers/Data/Application/0A/.com.apple.mobile_container_manager.metadata.plist"

ANDROID: dict[str, tuple[RecordKind, bytes]] = {
    "data/system/packages.xml": (K.PACKAGES_XML, STATE),
    "data/system/packages.list": (
        K.PACKAGES_LIST,
        b"com.tencent.mm 10082 0 /data/user/0/com.tencent.mm default:targetSdkVersion=30 3002 0 2480 1 @null\n",
    ),
    "data/system/users/userlist.xml": (K.ANDROID_USERS, text_xml(user_list(0, 10))),
    "data/system/users/0.xml": (K.ANDROID_USERS, text_xml(user(0, 0x4C13))),
    "data/system/users/0/package-restrictions.xml": (
        K.PACKAGE_RESTRICTIONS,
        abx(restrictions(user_package("com.tencent.mm"))),
    ),
    "system/build.prop": (K.BUILD_PROPERTIES, b"ro.build.id=A\nro.product.model=phone\nro.build.version.sdk=34\n"),
    "data/system/usagestats/0/daily/1700000000000": (K.USAGE_STATS, usage_v2([(1, 5)])),
    "data/data/com.android.vending/databases/localappstate.db": (
        K.GOOGLE_DATABASES,
        sqlite("CREATE TABLE appstate (package_name TEXT)", "INSERT INTO appstate VALUES ('com.tencent.mm')"),
    ),
    "dumps/package.txt": (K.DUMPSYS_PACKAGE, dump(package(ANDROID_16)).encode()),
    "dumps/pm.txt": (K.PM_LIST, b"package:com.tencent.mm\npackage:com.example.other\npackage:com.example.third\n"),
    "qf/packages.json": (K.ANDROIDQF, androidqf(androidqf_package("com.tencent.mm"))),
}
IOS: dict[str, tuple[RecordKind, bytes]] = {
    "private/var/mobile/Library/FrontBoard/applicationState.db": (K.APPLICATION_STATE, sqlite_bytes(STATES)),
    DOCUMENT: (K.IOS_CONTAINERS, CONTAINER),
    "private/var/installd/Library/Logs/MobileInstallation/mobile_installation.log.0": (K.INSTALL_LOG, LOG),
    "private/var/mobile/Library/appstored.sqlitedb": (
        K.APP_STORE_DATABASES,
        sqlite_bytes("CREATE TABLE apps (bundle_id TEXT, version TEXT, item_id INTEGER)"),
    ),
}
BACKUP = {
    "Info.plist": summary_plist(["com.tencent.xin"], {}),
    "Manifest.plist": manifest_plist({"com.tencent.xin": {}}),
    "Status.plist": status_plist(),
    "Manifest.db": manifest_db(["AppDomain-com.tencent.xin"]),
    "0a/0a11": b"content",
}


def scan(place: Path, limits: Limits = DEFAULT, passwords: tuple[str, ...] = ()) -> list[Found]:
    return list(open_argument(place, place.name, Search(limits, guarded, passwords), several=False))


def records(found: list[Found]) -> list[tuple[RecordKind, str]]:
    """Kinds and origins, without the file that was named; ascending."""
    shown = []
    for item in found:
        if isinstance(item, RecordSource | DeviceRecord):
            shown.append((item.kind, str(item.origin)))
    return sorted(shown, key=lambda item: (item[1], item[0]))


def read(found: list[Found], kind: RecordKind) -> DeviceRecord:
    (source,) = (item for item in found if isinstance(item, RecordSource | DeviceRecord) and item.kind is kind)
    return read_record(source) if isinstance(source, RecordSource) else source


def folder(place: Path, files: Mapping[str, bytes]) -> Path:
    return put(place / "phone", files)


def image(kind: str) -> Callable[[Path, Mapping[str, bytes]], Path]:
    return lambda place, files: put(place, {"phone": TREES[kind](files)}) / "phone"


PLACES = {"folder": folder, **{name: image(name) for name in TREES}}


def origins(front: str, files: Mapping[str, tuple[RecordKind, bytes]]) -> list[tuple[RecordKind, str]]:
    return sorted(((kind, f"{front}{path}") for path, (kind, _) in files.items()), key=lambda item: (item[1], item[0]))


class TestPlaces:
    @pytest.mark.parametrize("place", PLACES)
    @pytest.mark.parametrize("prefix", ["", "Dump/", "filesystem1/", "fs/", "a b/c/"])
    @pytest.mark.parametrize("system", ["Android", "iOS"])
    def test_every_kind_is_recognised(self, tmp_path: Path, place: str, prefix: str, system: str) -> None:
        files = ANDROID if system == "Android" else IOS
        named = PLACES[place](tmp_path, {f"{prefix}{path}": content for path, (_, content) in files.items()})
        found = scan(named)
        expected = origins(prefix if place == "folder" else f"phone!{prefix}", files)
        others = [item for item in records(found) if item[0] is not K.DATA_DIRECTORIES]
        assert others == expected
        assert [item for item in found if isinstance(item, Problem)] == []

    @pytest.mark.parametrize("place", PLACES)
    def test_the_root_of_user_data_is_that_of_data(self, tmp_path: Path, place: str) -> None:
        files = {
            "system/packages.xml": STATE,
            "app/x": b"",
            "media/0/x": b"",
            "user/10/com.tencent.mm/x": b"",
            "data/com.example.app/x": b"",
        }
        found = scan(PLACES[place](tmp_path, files))
        kinds = [kind for kind, _ in records(found)]
        assert sorted(kinds) == [K.DATA_DIRECTORIES, K.DATA_DIRECTORIES, K.PACKAGES_XML]
        named = [item for item in found if isinstance(item, DeviceRecord)]
        assert sorted((app.app_id, app.user, app.state) for item in named for app in item.listings) == [
            ("com.example.app", "0", State.RESIDUAL),
            ("com.tencent.mm", "10", State.RESIDUAL),
        ]

    @pytest.mark.parametrize("place", PLACES)
    def test_directories_of_app_data_are_named(self, tmp_path: Path, place: str) -> None:
        files = {"fs/data/data/com.tencent.mm/x": b"", "fs/data/user/10/com.example.app/x": b"", "fs/data/app/x": b""}
        found = [item for item in scan(PLACES[place](tmp_path, files)) if isinstance(item, DeviceRecord)]
        assert [item.kind for item in found] == [K.DATA_DIRECTORIES] * 2
        assert {(app.app_id, app.user) for item in found for app in item.listings} == {
            ("com.tencent.mm", "0"),
            ("com.example.app", "10"),
        }

    def test_the_partitions_of_a_disk_are_roots_of_their_own(self, tmp_path: Path) -> None:
        disk = gpt_of(
            {
                "system": ext4_of({"system/build.prop": ANDROID["system/build.prop"][1]}),
                "userdata": ext4_of({"system/packages.xml": STATE}),
            }
        )
        assert records(scan(put(tmp_path, {"disk.img": disk}) / "disk.img")) == [
            (K.BUILD_PROPERTIES, "disk.img!system!system/build.prop"),
            (K.PACKAGES_XML, "disk.img!userdata!system/packages.xml"),
        ]

    def test_a_record_the_user_named_is_read(self, tmp_path: Path) -> None:
        found = scan(put(tmp_path, {"packages.xml": STATE}) / "packages.xml")
        assert [item.app_id for item in read(found, K.PACKAGES_XML).listings] == ["com.tencent.mm"]


DECOYS = {path.rpartition("/")[2]: content for path, (_, content) in ANDROID.items()}


class TestNeverInAnApp:
    def test_the_assets_of_an_apk_are_no_records(self, tmp_path: Path) -> None:
        files = {f"assets/{path}": content for path, (_, content) in ANDROID.items()}
        files |= {f"assets/{name}": content for name, content in DECOYS.items()}
        (found,) = scan(put(tmp_path / "in", {"a.apk": apk(files=files)}))
        assert isinstance(found, AndroidSet)

    def test_the_files_of_an_ios_bundle_are_no_records(self, tmp_path: Path) -> None:
        files = bundle({path: content for path, (_, content) in (IOS | ANDROID).items()})
        for place in ({"a.ipa": ipa(files)}, {f"App.app/{name}": content for name, content in files.items()}):
            found = scan(put(tmp_path / str(len(place)), place))
            assert [type(item) for item in found] == [IosBundle]


class TestIosBackups:
    @pytest.mark.parametrize("place", PLACES)
    def test_several_files_are_one_record(self, tmp_path: Path, place: str) -> None:
        named = PLACES[place](tmp_path, {f"Backup/0001/{name}": content for name, content in BACKUP.items()})
        found = scan(named)
        assert [kind for kind, _ in records(found)] == [K.IOS_BACKUP]
        assert "com.tencent.xin" in {item.app_id for item in read(found, K.IOS_BACKUP).listings}

    @pytest.mark.parametrize("name", ["Info.plist", "Manifest.plist", "Manifest.db"])
    def test_any_of_them_may_be_named(self, tmp_path: Path, name: str) -> None:
        """The file that leads its folder tells for all of them, whichever was named."""
        found = scan(put(tmp_path / "b", BACKUP) / name)
        assert [kind for kind, _ in records(found)] == [K.IOS_BACKUP]
        assert "com.tencent.xin" in {item.app_id for item in read(found, K.IOS_BACKUP).listings}

    def test_two_backups_are_two_records(self, tmp_path: Path) -> None:
        files = {f"{at}/{name}": content for at in "ab" for name, content in BACKUP.items()}
        assert [kind for kind, _ in records(scan(folder(tmp_path, files)))] == [K.IOS_BACKUP] * 2


class TestFilesBeside:
    PLACE = "private/var/mobile/Library/FrontBoard/applicationState.db"

    @pytest.mark.parametrize("place", PLACES)
    def test_the_log_of_a_database_is_read_with_it(self, tmp_path: Path, place: str) -> None:
        later = "INSERT INTO application_identifier_tab VALUES (2, 'com.example.later')"
        data, log = with_log(tmp_path, STATES, later)
        named = PLACES[place](tmp_path / "x", {self.PLACE: data, f"{self.PLACE}-wal": log})
        found = read(scan(named), K.APPLICATION_STATE)
        assert [item.app_id for item in found.listings] == ["com.example.later", "com.tencent.xin"]

    def test_the_log_is_found_beside_a_database_that_was_named_alone(self, tmp_path: Path) -> None:
        data, log = with_log(tmp_path, STATES, "INSERT INTO application_identifier_tab VALUES (2, 'com.a')")
        place = put(tmp_path / "x", {"applicationState.db": data, "applicationState.db-wal": log})
        found = read(scan(place / "applicationState.db"), K.APPLICATION_STATE)
        assert [item.app_id for item in found.listings] == ["com.a", "com.tencent.xin"]

    USAGE = "data/system_ce/0/usagestats"

    @pytest.mark.parametrize("place", PLACES)
    def test_the_names_behind_usage_statistics_lie_one_folder_up(self, tmp_path: Path, place: str) -> None:
        files = {
            f"{self.USAGE}/daily/1700000000000": usage_v2([(1, 5)]),
            f"{self.USAGE}/mappings": usage_mappings({1: "com.tencent.mm"}),
        }
        found = scan(PLACES[place](tmp_path, files))
        daily = [
            read_record(item)
            for item in found
            if isinstance(item, RecordSource) and item.main.path.endswith("1700000000000")
        ]
        assert [(item.app_id, item.state) for record in daily for item in record.listings] == [
            ("com.tencent.mm", State.HISTORY)
        ]
        assert daily[0].problems == ()

    def test_the_names_are_found_for_statistics_that_were_named_alone(self, tmp_path: Path) -> None:
        put(tmp_path, {"usagestats/mappings": usage_mappings({1: "com.a.b"})})
        put(tmp_path, {"usagestats/daily/1700000000000": usage_v2([(1, 5)])})
        place = tmp_path / "usagestats" / "daily" / "1700000000000"
        found = list(open_argument(place, "usagestats/daily/1700000000000", Search(DEFAULT, guarded), several=False))
        assert [item.app_id for item in read(found, K.USAGE_STATS).listings] == ["com.a.b"]


class TestWhatCannotBeRead:
    EMPTY = ("data/system/packages.xml", "data/system/packages.list", "data/system/users/0/package-restrictions.xml")

    @pytest.mark.parametrize("place", PLACES)
    @pytest.mark.parametrize("path", EMPTY)
    def test_an_empty_record_in_its_place_is_a_problem(self, tmp_path: Path, place: str, path: str) -> None:
        (found,) = scan(PLACES[place](tmp_path, {path: b"", "data/other.xml": b""}))
        assert isinstance(found, Problem)
        assert found.code is ProblemCode.EMPTY
        assert str(found.origin).endswith(path)
        assert found.hidden

    @pytest.mark.parametrize("path", ["a.txt", "packages.json", "x.plist", "build.prop", "Info.plist", "a.db", "x.log"])
    def test_other_empty_files_are_nothing(self, tmp_path: Path, path: str) -> None:
        assert scan(put(tmp_path / "in", {path: b""})) == []

    def test_a_damaged_record_in_its_place_is_a_problem(self, tmp_path: Path) -> None:
        found = scan(folder(tmp_path, {"data/system/packages.xml": b"\x7f\x01" * 600}))
        record = read(found, K.PACKAGES_XML)
        assert [item.code for item in record.problems] == [ProblemCode.RECORD_DAMAGED]
        assert record.completeness is not Completeness.FULL

    def test_a_record_beyond_the_limit_is_a_problem(self, tmp_path: Path) -> None:
        limits = replace(DEFAULT, record_size=len(STATE) - 1)
        record = read(scan(folder(tmp_path, {"data/system/packages.xml": STATE}), limits), K.PACKAGES_XML)
        assert [item.code for item in record.problems] == [ProblemCode.LIMIT]
        assert "record_size" in record.problems[0].detail


UNPACKED = {
    "apps/com.tencent.mm/_manifest": backup_manifest("com.tencent.mm", 2800, [identity("first").certificate]),
    "apps/com.tencent.mm/a/base.apk": APK,
    "apps/com.example.app/_manifest": backup_manifest("com.example.app", 7, [b"\x30\x00"], has_apk=False),
    "apps/com.example.app/f/notes.txt": b"text",
}


class TestAdbBackups:
    @pytest.mark.parametrize("name", ["backup.ab", "backup.tar", "backup.zip", "folder"])
    def test_the_manifests_are_one_record(self, tmp_path: Path, name: str) -> None:
        data = {"backup.ab": adb_backup(tar_of(UNPACKED)), "backup.tar": tar_of(UNPACKED)}
        data["backup.zip"] = zip_of(UNPACKED)
        place = put(tmp_path, {name: data[name]}) / name if name in data else put(tmp_path / "b", UNPACKED)
        found = scan(place)
        record = read(found, K.ADB_BACKUP)
        assert str(record.origin).endswith("apps")
        assert record.completeness is Completeness.PARTIAL
        assert [type(item) for item in found if not isinstance(item, RecordSource)] == [AndroidSet]
        other, wechat = record.listings
        assert (wechat.app_id, wechat.state, wechat.version_code) == ("com.tencent.mm", State.BACKUP, "2800")
        assert (wechat.installer, wechat.flags) == ("com.android.vending", ("with its code",))
        digest = hashlib.sha256(identity("first").certificate).hexdigest()
        assert [item.sha256 for item in wechat.signers] == [digest]
        assert str(wechat.origin).endswith("apps/com.tencent.mm/_manifest")
        assert (other.app_id, other.flags, other.signers) == ("com.example.app", (), ())
        assert other.signer_digests[0].startswith("sha256:")
        assert [(item.code, str(item.origin).rpartition("!")[2]) for item in record.problems] == [
            (ProblemCode.RECORD_DAMAGED, str(other.origin).rpartition("!")[2])
        ]

    def test_without_its_password_nothing_of_it_is_known(self, tmp_path: Path) -> None:
        place = put(tmp_path, {"b.ab": adb_backup(tar_of(UNPACKED), password=b"secret")}) / "b.ab"
        assert records(scan(place)) == []
        assert [kind for kind, _ in records(scan(place, passwords=("secret",)))] == [K.ADB_BACKUP]

    @pytest.mark.parametrize("content", [b"", b"1\n", b"2\ncom.a.b\n", b"\xff" * 90])
    def test_a_manifest_that_cannot_be_read_still_names_its_app(self, tmp_path: Path, content: bytes) -> None:
        record = read(scan(put(tmp_path / "b", {"apps/com.a.b/_manifest": content})), K.ADB_BACKUP)
        assert [(item.app_id, item.state) for item in record.listings] == [("com.a.b", State.BACKUP)]
        assert [item.code for item in record.problems] == [ProblemCode.RECORD_DAMAGED]

    def test_a_manifest_of_another_app_than_its_folder_is_told(self, tmp_path: Path) -> None:
        files = {"apps/com.a.b/_manifest": backup_manifest("com.tencent.mm", 1, [])}
        record = read(scan(put(tmp_path / "b", files)), K.ADB_BACKUP)
        assert [item.app_id for item in record.listings] == ["com.tencent.mm"]
        assert "com.a.b is that of com.tencent.mm" in record.problems[0].detail

    def test_other_manifests_are_nothing(self, tmp_path: Path) -> None:
        files = {"apps/_manifest": b"1\n", "web/com.a.b/_manifest": b"1\n", "apps/com.a.b/manifest": b"1\n"}
        assert scan(put(tmp_path / "b", files)) == []
        assert scan(put(tmp_path, {"a.tar": tar_of(files), "b.zip": zip_of(files)}) / "b.zip") == []

    def test_a_manifest_beyond_the_limit_is_a_problem(self, tmp_path: Path) -> None:
        limits = replace(DEFAULT, record_size=20)
        record = read(scan(put(tmp_path / "b", UNPACKED), limits), K.ADB_BACKUP)
        assert {item.code for item in record.problems} == {ProblemCode.LIMIT}
        assert len(record.listings) == 2


def test_a_bug_report_in_a_compressed_archive_is_read(tmp_path: Path) -> None:
    text = dump(package(ANDROID_16)).encode()
    place = put(tmp_path, {"x.tgz": gz_of(tar_of({"dumpsys/package.txt": text}))}) / "x.tgz"
    assert "com.tencent.mm" in {item.app_id for item in read(scan(place), K.DUMPSYS_PACKAGE).listings}


def test_the_store_record_beside_a_bundle_is_a_record_too(tmp_path: Path) -> None:
    root = "private/var/containers/Bundle/Application/0A"
    files = {f"{root}/App.app/{name}": content for name, content in bundle().items()}
    found = scan(folder(tmp_path, {**files, f"{root}/iTunesMetadata.plist": store_record("com.tencent.xin")}))
    assert [kind for kind, _ in records(found)] == [K.IOS_CONTAINERS]
    assert len([item for item in found if isinstance(item, IosBundle)]) == 1
