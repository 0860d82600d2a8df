"""A backup names every app it was made of, whoever of its records does, and nothing of its owner."""

from __future__ import annotations

import plistlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from auditor.containers.member import Budget
from auditor.errors import FormatError
from auditor.formats.blob import Blob
from auditor.formats.ios_backup import (
    parse_backup_manifest,
    parse_backup_status,
    parse_backup_summary,
    read_backup_domains,
)
from auditor.formats.sqlite_database import open_sqlite
from auditor.limits import DEFAULT
from auditor.model import Completeness, DeviceRecord, Listing, Origin, ProblemCode, RecordKind, State
from auditor.platforms.ios_records import leads, read, recognise
from auditor.platforms.record_source import RecordSource
from tests.builders.ios_backup import (
    PRIVATE,
    TAKEN,
    UDID,
    Encryption,
    manifest_db,
    manifest_plist,
    status_plist,
    store_record,
    summary_plist,
)
from tests.builders.mangle import mutations, prefixes
from tests.builders.sqlite_files import sqlite_bytes, with_log

STORE = "com.tencent.xin"
LOADED = "com.example.loaded"
REMOVED = "com.example.removed"
DOMAINS = (
    "HomeDomain",
    f"AppDomain-{STORE}",
    "AppDomain-com.example.orphan",
    "AppDomainGroup-group.com.tencent.xin",
    f"AppDomainPlugin-{STORE}.share",
)
CONTAINERS = {
    STORE: {
        "CFBundleIdentifier": STORE,
        "CFBundleVersion": "8.0.1.99",
        "ContainerContentClass": "Data/Application",
        "Path": "/var/containers/Bundle/Application/A5F4/WeChat.app",
    },
    REMOVED: {"CFBundleIdentifier": REMOVED, "SafeHarborDockingDate": TAKEN},
    "group.com.tencent.xin": {"CFBundleIdentifier": "group.com.tencent.xin"},
    f"{STORE}.share": {"CFBundleIdentifier": f"{STORE}.share", "ContainerContentClass": "Data/PluginKitPlugin"},
    "243LU875E5.groups.x": {"ContainerContentClass": "Shared/AppGroup"},
}
SUMMARY = summary_plist([STORE, LOADED], {STORE: store_record(STORE)})
PLAIN = {
    "Info.plist": SUMMARY,
    "Manifest.plist": manifest_plist(CONTAINERS),
    "Manifest.db": manifest_db(DOMAINS),
    "Status.plist": status_plist(),
}
LOCKED = Encryption("correct horse")
ENCRYPTED = {
    **PLAIN,
    "Manifest.plist": manifest_plist(CONTAINERS, keybag=LOCKED.keybag, manifest_key=LOCKED.manifest_key),
    "Manifest.db": LOCKED.lock(PLAIN["Manifest.db"]),
}


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


def source(files: Mapping[str, bytes], main: str, passwords: tuple[str, ...] = ()) -> RecordSource:
    members = {name: Bytes(f"{UDID}/{name}", data) for name, data in files.items()}
    return RecordSource(RecordKind.IOS_BACKUP, members[main], members, Budget(DEFAULT), passwords)


def backup(files: Mapping[str, bytes], *passwords: str) -> DeviceRecord:
    main = next(name for name in ("Manifest.plist", "Info.plist", "Manifest.db") if name in files)
    return read(source(files, main, passwords))


def by_id(record: DeviceRecord) -> dict[str, Listing]:
    return {item.app_id: item for item in record.listings}


def codes(record: DeviceRecord) -> list[ProblemCode]:
    return [item.code for item in record.problems]


class TestPlain:
    def test_all_that_names_apps_is_joined(self) -> None:
        record = backup(PLAIN)
        found = {app: (item.state, item.flags) for app, item in by_id(record).items()}
        assert found == {
            STORE: (
                State.BACKUP,
                ("in Applications", "in Installed Applications", "in Manifest.db", "in Manifest.plist"),
            ),
            LOADED: (State.BACKUP, ("in Installed Applications", "no store record")),
            REMOVED: (State.RESIDUAL, ("in Manifest.plist",)),
            "com.example.orphan": (State.RESIDUAL, ("in Manifest.db",)),
        }
        assert list(found) == sorted(found)
        assert record.problems == ()

    def test_what_the_store_and_the_manifest_say_of_an_app(self) -> None:
        item = by_id(backup(PLAIN))[STORE]
        assert (item.version, item.version_code, item.store_id) == ("8.0.1", "8.0.1.99", "414478124")
        assert item.label == f"Name of {STORE}"
        assert item.paths == ("/var/containers/Bundle/Application/A5F4/WeChat.app",)
        assert item.system is False
        assert item.origin == Origin((f"{UDID}/Info.plist",))

    def test_the_device_and_the_date(self) -> None:
        record = backup(PLAIN)
        assert record.taken == "2026-03-04T05:06:07Z"
        assert record.attributes == (
            ("manufacturer", "Apple"),
            ("model", "iPhone12,1"),
            ("os_build", "22A3354"),
            ("os_version", "18.0"),
            ("platform", "ios"),
            ("serial", "DNPXXXXXXXXX"),
            ("udid", UDID),
        )
        assert record.completeness is Completeness.USER_APPS
        assert not record.completeness.proves_absence

    @pytest.mark.parametrize("files", [PLAIN, ENCRYPTED])
    def test_nothing_of_the_owner_is_kept(self, files: dict[str, bytes]) -> None:
        kept = repr(backup(files, "correct horse"))
        assert [secret for secret in PRIVATE if secret in kept] == []
        assert "correct horse" not in kept

    def test_a_set_aside_app_that_is_installed_again_is_in_the_backup(self) -> None:
        files = {**PLAIN, "Info.plist": summary_plist([REMOVED], {})}
        assert by_id(backup(files))[REMOVED].state is State.BACKUP

    def test_rows_that_are_only_in_the_log_of_the_manifest_count(self, tmp_path: Path) -> None:
        schema = "CREATE TABLE Files (fileID, domain TEXT, relativePath, flags, file)"
        row = "INSERT INTO Files VALUES ('1', 'AppDomain-com.example.new', '', 2, NULL)"
        data, wal = with_log(tmp_path, schema, row)
        assert "com.example.new" in by_id(backup({**PLAIN, "Manifest.db": data, "Manifest.db-wal": wal}))

    @pytest.mark.parametrize("state", ["uploading", "moving", "unknown"])
    def test_a_backup_that_was_not_finished_says_so(self, state: str) -> None:
        record = backup({**PLAIN, "Status.plist": status_plist(state)})
        assert record.completeness is Completeness.PARTIAL
        assert state in record.detail

    @pytest.mark.parametrize("missing", ["Info.plist", "Manifest.plist", "Manifest.db", "Status.plist"])
    def test_without_one_of_its_records_the_others_still_name_the_app(self, missing: str) -> None:
        record = backup({name: data for name, data in PLAIN.items() if name != missing})
        assert by_id(record)[STORE].state is State.BACKUP
        assert (record.completeness is Completeness.PARTIAL) == (missing == "Info.plist")

    def test_only_the_database_is_left(self) -> None:
        record = backup({"Manifest.db": PLAIN["Manifest.db"]})
        assert by_id(record)[STORE].state is State.UNKNOWN
        assert record.completeness is Completeness.PARTIAL

    def test_a_domain_is_no_leftover_where_the_list_that_lacks_it_is_damaged(self) -> None:
        domains = {"Manifest.db": PLAIN["Manifest.db"]}
        told = backup({**domains, "Info.plist": summary_plist(["com.example.other"], {})})
        assert by_id(told)[STORE].state is State.RESIDUAL
        for broken in (b"junk", summary_plist(None, {}), summary_plist([], {})):
            found = backup({**domains, "Info.plist": broken})
            assert by_id(found)[STORE].state is State.UNKNOWN
            assert found.completeness is Completeness.PARTIAL

    def test_an_app_that_the_system_offloaded_is_told(self) -> None:
        value = plistlib.loads(summary_plist([STORE, LOADED], {STORE: store_record(STORE)}))
        value["Applications"][STORE]["IsDemotedApp"] = True
        found = by_id(backup({**PLAIN, "Info.plist": plistlib.dumps(value)}))
        assert "offloaded" in found[STORE].flags
        assert "offloaded" not in found[LOADED].flags
        assert found[STORE].state is State.BACKUP

    def test_names_that_are_no_ids_are_told(self) -> None:
        odd = "com.example.\na" * 100
        files = {
            "Info.plist": summary_plist(["a.b", odd], {odd: store_record(odd)}),
            "Manifest.plist": manifest_plist({odd: {"CFBundleIdentifier": odd}}),
        }
        found = backup(files)
        assert set(by_id(found)) == {"a.b"}
        assert codes(found) == [ProblemCode.RECORD_DAMAGED] * 2

    def test_a_device_without_user_apps_lists_none(self) -> None:
        record = backup({"Info.plist": summary_plist([], {}), "Manifest.plist": manifest_plist({})})
        assert (record.listings, record.completeness) == ((), Completeness.USER_APPS)

    def test_without_the_list_of_installed_apps_it_is_partial(self) -> None:
        record = backup({**PLAIN, "Info.plist": summary_plist(None, {STORE: store_record(STORE)})})
        assert record.completeness is Completeness.PARTIAL
        assert STORE in by_id(record)


class TestEncrypted:
    def test_the_apps_are_listed_without_a_password(self) -> None:
        record = backup(ENCRYPTED)
        assert {STORE, LOADED, REMOVED} == set(by_id(record))
        assert codes(record) == [ProblemCode.ENCRYPTED]
        assert "password" in record.problems[0].detail
        assert record.completeness is Completeness.USER_APPS

    @pytest.mark.parametrize("passwords", [("correct horse",), ("wrong", "correct horse"), ("", "correct horse", "x")])
    def test_with_the_password_the_manifest_adds_its_domains(self, passwords: tuple[str, ...]) -> None:
        assert backup(ENCRYPTED, *passwords).listings == backup(PLAIN).listings
        assert backup(ENCRYPTED, *passwords).problems == ()

    @pytest.mark.parametrize("passwords", [("wrong",), ("", "Correct horse")])
    def test_a_wrong_password_is_a_problem_that_says_so(self, passwords: tuple[str, ...]) -> None:
        record = backup(ENCRYPTED, *passwords)
        assert codes(record) == [ProblemCode.ENCRYPTED]
        assert "no password given opens" in record.problems[0].detail
        assert STORE in by_id(record)

    def test_a_password_of_other_letters(self) -> None:
        locked = Encryption("пароль✓")
        files = {
            "Manifest.plist": manifest_plist({}, keybag=locked.keybag, manifest_key=locked.manifest_key),
            "Manifest.db": locked.lock(PLAIN["Manifest.db"]),
        }
        assert STORE in by_id(backup(files, "пароль✓"))

    def test_without_the_library_the_problem_says_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "iphone_backup_decrypt", None)
        monkeypatch.setitem(sys.modules, "iphone_backup_decrypt.utils", None)
        record = backup(ENCRYPTED, "correct horse")
        assert codes(record) == [ProblemCode.ENCRYPTED]
        assert "app-inventory-auditor[ios-backup]" in record.problems[0].detail

    def test_an_encrypted_backup_of_an_early_system_has_a_readable_manifest(self) -> None:
        assert backup({**ENCRYPTED, "Manifest.db": PLAIN["Manifest.db"]}).listings == backup(PLAIN).listings

    @pytest.mark.parametrize(
        ("keybag", "key"),
        [(b"", LOCKED.manifest_key), (b"junk", LOCKED.manifest_key), (LOCKED.keybag, b""), (b"x" * 99_999, b"12345")],
    )
    def test_a_key_bag_that_is_damaged_is_a_problem(self, keybag: bytes, key: bytes) -> None:
        broken = manifest_plist(CONTAINERS, keybag=keybag or b"\0", manifest_key=key)
        record = backup({**ENCRYPTED, "Manifest.plist": broken}, "correct horse")
        assert codes(record) == [ProblemCode.RECORD_DAMAGED]
        assert STORE in by_id(record)

    def test_a_key_bag_of_absurd_rounds_is_refused(self) -> None:
        at = LOCKED.keybag.index(b"DPIC") + 8
        absurd = LOCKED.keybag[:at] + b"\xff\xff\xff\xff" + LOCKED.keybag[at + 4 :]
        files = {**ENCRYPTED, "Manifest.plist": manifest_plist({}, keybag=absurd, manifest_key=LOCKED.manifest_key)}
        record = backup(files, "correct horse")
        assert codes(record) == [ProblemCode.RECORD_DAMAGED]
        assert "iteration" in record.problems[0].detail

    def test_a_manifest_that_is_cut_off_is_a_problem(self) -> None:
        for size in (0, 16, 1000, len(ENCRYPTED["Manifest.db"]) - 16):
            record = backup({**ENCRYPTED, "Manifest.db": ENCRYPTED["Manifest.db"][:size]}, "correct horse")
            assert codes(record) == [ProblemCode.RECORD_DAMAGED]


class TestDamage:
    @pytest.mark.parametrize("name", list(PLAIN))
    def test_one_damaged_record_is_a_problem_and_the_others_are_read(self, name: str) -> None:
        record = backup({**PLAIN, name: b"junk" * 10})
        assert codes(record) == [ProblemCode.RECORD_DAMAGED]
        assert record.problems[0].origin == Origin((f"{UDID}/{name}",))
        assert STORE in by_id(record)

    def test_a_damaged_store_record_costs_what_it_says_and_not_the_app(self) -> None:
        record = backup({**PLAIN, "Info.plist": summary_plist([STORE], {STORE: b"junk"})})
        assert (by_id(record)[STORE].store_id, by_id(record)[STORE].state) == ("", State.BACKUP)
        assert record.completeness is Completeness.USER_APPS
        assert codes(record) == [ProblemCode.RECORD_DAMAGED]

    def test_damage_anywhere_gives_a_record(self) -> None:
        for name, data in ENCRYPTED.items():
            for damaged in (*prefixes(data, 25), *mutations(data, 60)):
                record = backup({**ENCRYPTED, name: damaged})
                assert record.kind is RecordKind.IOS_BACKUP

    def test_damage_to_what_is_encrypted_gives_a_record(self) -> None:
        for damaged in mutations(LOCKED.keybag, 150):
            if damaged[damaged.find(b"DPIC") + 8 :][:3] == damaged[damaged.find(b"ITER") + 8 :][:3] == b"\0\0\0":
                files = manifest_plist({}, keybag=damaged, manifest_key=LOCKED.manifest_key)
                backup({**ENCRYPTED, "Manifest.plist": files}, "correct horse")
        for damaged in mutations(ENCRYPTED["Manifest.db"], 50):
            backup({**ENCRYPTED, "Manifest.db": damaged}, "correct horse")


class TestRecognition:
    @pytest.mark.parametrize("name", ["Manifest.plist", "Info.plist", "Manifest.db"])
    def test_every_record_of_a_backup_is_one(self, name: str) -> None:
        assert recognise(f"Backup/{UDID}/{name}", PLAIN[name][:16384]) is RecordKind.IOS_BACKUP

    def test_one_record_stands_for_the_folder(self) -> None:
        assert [name for name in PLAIN if leads(RecordKind.IOS_BACKUP, name, PLAIN)] == ["Manifest.plist"]
        rest = [name for name in PLAIN if name != "Manifest.plist"]
        assert [name for name in rest if leads(RecordKind.IOS_BACKUP, name, rest)] == ["Info.plist"]
        assert leads(RecordKind.INSTALL_LOG, "mobile_installation.log.0", ["mobile_installation.log.1"])

    @pytest.mark.parametrize("name", ["Info.plist", "Manifest.db"])
    def test_what_does_not_lead_names_nothing_twice(self, name: str) -> None:
        record = read(source(PLAIN, name))
        assert (record.listings, record.problems) == ((), ())

    def test_a_record_without_neighbours_is_read_by_itself(self) -> None:
        alone = replace(source(PLAIN, "Info.plist"), beside={})
        assert {STORE, LOADED} == set(by_id(read(alone)))

    @pytest.mark.parametrize("form", ["xml1", "binary1"])
    def test_a_summary_in_both_forms(self, form: str) -> None:
        data = summary_plist([], {}, plistlib.FMT_XML if form == "xml1" else plistlib.FMT_BINARY)
        assert recognise("x/Info.plist", data[:16384]) is RecordKind.IOS_BACKUP

    @pytest.mark.parametrize(
        ("path", "head"),
        [
            ("x.app/Info.plist", b"<plist><dict><key>CFBundleIdentifier</key><string>a.b</string></dict></plist>"),
            ("x.app/Info.plist", b"<plist><dict><key>BuildMachineOSBuild</key><string>1</string></dict></plist>"),
            ("x.app/Info.plist", b"bplist00\xd2\x01\x02\x12CFBundleIdentifier"),
            ("x/Manifest.plist", b"bplist00\xd1\x01\x02\x58Lockdown"),
            ("x/Manifest.plist", b"<plist><dict><key>Modules</key></dict></plist>"),
            ("x/Manifest.db", b"SQLite format 3\0" + bytes(100)),
            ("x/Manifest.db", b"junk"),
            ("x/Other.plist", PLAIN["Info.plist"]),
            ("x/Status.plist", PLAIN["Status.plist"]),
            ("x/Info.plist", b""),
        ],
    )
    def test_what_only_has_the_name_is_none(self, path: str, head: bytes) -> None:
        assert recognise(path, head) is None


def test_the_parsers_refuse_what_is_no_dictionary() -> None:
    for parse in (parse_backup_manifest, parse_backup_status, parse_backup_summary):
        for data in (b"", b"junk", b"<plist><array/></plist>"):
            with pytest.raises(FormatError):
                parse(data)


class TestBounds:
    def test_more_apps_than_the_bound_are_told(self) -> None:
        names = [f"a.b{count}" for count in range(9)]
        few = replace(DEFAULT, record_listings=5)
        summary = parse_backup_summary(summary_plist(names, {name: store_record(name) for name in names}), few)
        manifest = parse_backup_manifest(manifest_plist({name: {} for name in names}), few)
        assert (len(summary.installed), len(summary.store_apps), len(summary.store_records)) == (5, 5, 5)
        assert len(manifest.containers) == 5
        assert all("--limit record_listings" in item.faults[0] for item in (summary, manifest))

    def test_more_domains_than_the_bound_are_told(self) -> None:
        rows = [(str(count), f"AppDomain-a.b{count}", "", 2, None) for count in range(9)]
        data = sqlite_bytes("CREATE TABLE Files (fileID, domain TEXT, relativePath, flags, file)", {"Files": rows})
        with open_sqlite(data) as database:
            found = read_backup_domains(database, replace(DEFAULT, record_listings=5))
        assert len(found.apps) == 5
        assert "--limit record_listings" in found.faults[0]

    def test_store_records_that_stand_for_millions_of_values_cost_no_more_than_their_size(self) -> None:
        nested: list[object] = ["x"]
        for _ in range(12):
            nested = [nested] * 4
        bomb = plistlib.dumps({"itemId": nested}, fmt=plistlib.FMT_BINARY)
        names = [f"a.b{count}" for count in range(200)]
        found = parse_backup_summary(summary_plist(names, dict.fromkeys(names, bomb)))
        assert (found.installed, found.store_records, len(found.faults)) == (tuple(sorted(names)), (), 10)
