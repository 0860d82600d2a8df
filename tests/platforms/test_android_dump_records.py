"""Records from dumps and lists of Android devices: which files are one, and what they say for whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from auditor.containers.member import Budget, Member
from auditor.errors import FormatError
from auditor.formats.blob import Blob
from auditor.limits import DEFAULT
from auditor.model import (
    Completeness,
    DeviceRecord,
    DeviceUser,
    Listing,
    Origin,
    Platform,
    ProblemCode,
    RecordKind,
    State,
)
from auditor.platforms.android_dump_records import read, recognise
from auditor.platforms.record_source import RecordSource
from tests.builders.android_dumps import (
    ANDROID_10,
    ANDROID_16,
    ANDROID_44,
    DASHES,
    FRAMEWORK,
    SYSTEM,
    androidqf,
    androidqf_package,
    bug_report,
    dump,
    package,
    service,
    sqlite,
    usage_mappings,
    usage_package_xml,
    usage_v2,
    usage_xml,
    user_line,
)


@dataclass(frozen=True, slots=True)
class Memory:
    """A member that lies in memory."""

    path: str
    data: bytes = field(repr=False)

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


def kind_of(path: str, data: bytes | str) -> RecordKind | None:
    return recognise(path, (data if isinstance(data, bytes) else data.encode())[:8192])


def record(path: str, data: bytes | str, beside: Mapping[str, bytes] | None = None) -> DeviceRecord:
    raw = data if isinstance(data, bytes) else data.encode()
    kind = recognise(path, raw[:8192])
    assert kind is not None
    others: dict[str, Member] = {name: Memory(name, content) for name, content in (beside or {}).items()}
    return read(RecordSource(kind, Memory(path, raw), others, Budget(DEFAULT)))


def by_user(found: DeviceRecord, app_id: str = "com.tencent.mm") -> dict[str, Listing]:
    return {item.user: item for item in found.listings if item.app_id == app_id}


WHOLE = dump(FRAMEWORK, package(ANDROID_10), package(ANDROID_16, "com.b"), hidden=[package(SYSTEM, "com.b")])
SERVICES = "Currently running services:\n" + "".join(f"  service.{count}\n" for count in range(600))
USAGE = "data/system_ce/10/usagestats/daily/1700000000000"

RECOGNISED = {
    "a list alone": ("packages.txt", WHOLE, RecordKind.DUMPSYS_PACKAGE),
    "with Windows line ends": ("x", WHOLE.replace("\n", "\r\n"), RecordKind.DUMPSYS_PACKAGE),
    "stored by PowerShell": ("x", ("\ufeff" + WHOLE).encode("utf-16-le"), RecordKind.DUMPSYS_PACKAGE),
    "behind resolver tables": (
        "x",
        "Activity Resolver Table:\n  Full MIME Types:\n" + "      text/plain:\n" * 2000 + WHOLE,
        RecordKind.DUMPSYS_PACKAGE,
    ),
    "behind versions": ("x", "Database versions:\n  Internal:\n    sdkVersion=30\n", RecordKind.DUMPSYS_PACKAGE),
    "behind verifiers": ("x", "Verifiers:\n  Required: com.android.vending (uid=1)\n", RecordKind.DUMPSYS_PACKAGE),
    "pm dump": ("x", "DUMP OF SERVICE package:\n  Activity Resolver Table:\n", RecordKind.DUMPSYS_PACKAGE),
    "one service": ("x", service("package", WHOLE), RecordKind.DUMPSYS_PACKAGE),
    "all services": ("dumpsys.txt", SERVICES + service("package", WHOLE), RecordKind.DUMPSYS_PACKAGE),
    "a bug report": ("bugreport-husky-2026.txt", bug_report(WHOLE), RecordKind.DUMPSYS_PACKAGE),
    "Samsung's log": ("dumpState_G998.log", bug_report(WHOLE), RecordKind.DUMPSYS_PACKAGE),
    "a block in the middle": ("x", "junk\n" + package(ANDROID_44), RecordKind.DUMPSYS_PACKAGE),
    "a list of pm": ("x", "package:com.a\npackage:com.b\n", RecordKind.PM_LIST),
    "a list of pm in UTF-16": ("x", "package:com.a\n".encode("utf-16"), RecordKind.PM_LIST),
    "a long list of pm": ("x", "package:com.example.app\n" * 1000, RecordKind.PM_LIST),
    "androidqf": ("o/packages.json", androidqf(androidqf_package("com.a")), RecordKind.ANDROIDQF),
    "statistics in XML": ("data/system/usagestats/0/weekly/1700000000000", usage_xml(), RecordKind.USAGE_STATS),
    "statistics in messages": (USAGE, usage_v2([(1, 2)]), RecordKind.USAGE_STATS),
    "statistics at check-in": (f"{USAGE}-c", usage_v2([(1, 2)]), RecordKind.USAGE_STATS),
    "mappings": ("data/system_ce/0/usagestats/mappings", usage_mappings({1: "com.a"}), RecordKind.USAGE_STATS),
    "Play Protect": ("x/databases/gass.db", sqlite("CREATE TABLE app_info (a)"), RecordKind.GOOGLE_DATABASES),
}


@pytest.mark.parametrize(("path", "data", "kind"), RECOGNISED.values(), ids=RECOGNISED.keys())
def test_a_record_is_recognised(path: str, data: bytes | str, kind: RecordKind) -> None:
    assert kind_of(path, data) is kind


FOREIGN = {
    "nothing": ("x", b""),
    "binary": ("x", bytes(range(256)) * 32),
    "prose": ("packages.txt", "Packages: see below\n  Package [a] of (b)\n"),
    "a Debian list": ("status", "Package: android-sdk\nStatus: install ok installed\n"),
    "names of services": ("x", "Currently running services:\n  package\n  activity\n"),
    "another service": ("x", f"{DASHES}\nDUMP OF SERVICE activity:\nACTIVITY MANAGER\n"),
    "a service named in a log": ("x", "01-01 I dumpsys: DUMP OF SERVICE package: begins\n"),
    "pm path": ("x", "package:/data/app/~~a==/com.a-b==/base.apk\n"),
    "a list with other lines": ("x", "package:com.a\nhello\n"),
    "YAML": ("x", "package: com.a\n"),
    "npm packages": ("packages.json", '[{"name": "left-pad", "version": "1.0"}]'),
    "a JSON list of files": ("x.json", '[{"name": "com.a", "files": []}]'),
    "an object": ("packages.json", '{"name": "com.a", "files": []}'),
    "another usagestats": ("usagestats/readme/1700000000000", b"<x/>"),
    "statistics that are text": (USAGE, b"hello"),
    "an empty file of statistics": (USAGE, b""),
    "a library of music": ("com.music/databases/library.db", sqlite("CREATE TABLE ownership (doc_id)")),
    "no database": ("gass.db", b"hello"),
    "headings of a document": ("x", "Activity Resolver Table:\nis explained here\n"),
}


@pytest.mark.parametrize(("path", "data"), FOREIGN.values(), ids=FOREIGN.keys())
def test_other_files_are_none(path: str, data: bytes | str) -> None:
    assert kind_of(path, data) is None


def test_a_whole_dump_proves_absence() -> None:
    found = record("x", WHOLE)
    assert found.completeness is Completeness.FULL
    assert found.detail == "times are the device's own (zone not stated)"
    assert found.users == (DeviceUser("0"), DeviceUser("10"))
    assert found.problems == ()
    assert [(item.app_id, item.user, item.state) for item in found.listings] == [
        ("android", "0", State.INSTALLED),
        ("com.b", "", State.SHADOWED),
        ("com.b", "0", State.INSTALLED),
        ("com.b", "10", State.PRESENT),
        ("com.tencent.mm", "0", State.INSTALLED),
    ]


def test_what_a_listing_says() -> None:
    text = dump(FRAMEWORK, package(ANDROID_10))
    assert by_user(record("x", text))["0"] == Listing(
        Platform.ANDROID,
        "com.tencent.mm",
        Origin(("x",), text.index("  Package [com.tencent.mm]")),
        state=State.INSTALLED,
        user="0",
        version="8.0.38",
        version_code="2400",
        signer_digests=("java-hash:0962f5b7",),
        installer="com.android.packageinstaller",
        installed="2023-06-28T21:50:28",
        updated="2023-06-29T08:00:00",
        paths=("/data/app/com.tencent.mm-FtxVmfhJnuP-P7oGWPgRrw==",),
        system=False,
        flags=("side-loaded",),
    )


@pytest.mark.parametrize(
    ("line", "state", "flags"),
    [
        ("installed=true hidden=true enabled=2", State.INSTALLED, ("disabled", "hidden")),
        ("ceDataInode=9 installed=false", State.PRESENT, ("not installed for this user", "removed for this user")),
        ("ceDataInode=0 installed=false", State.PRESENT, ("not installed for this user",)),
        (
            "installed=false\n      uninstallReason=1",
            State.PRESENT,
            ("not installed for this user", "removed for this user"),
        ),
        (
            "installed=false\n      firstInstallTime=2024-01-01 00:00:00",
            State.PRESENT,
            ("not installed for this user",),
        ),
        ("ceDataInode=9 installed=false\n      archiveTime=2026-01-01 00:00:00", State.ARCHIVED, ()),
        ("stopped=true", State.UNKNOWN, ("stopped",)),
    ],
)
def test_the_state_for_a_user(line: str, state: State, flags: tuple[str, ...]) -> None:
    head = package(ANDROID_10, installerPackageName="com.android.vending").partition("    User 0:")[0]
    found = by_user(record("x", dump(FRAMEWORK, head + user_line(10, line))))["10"]
    assert (found.state, found.flags) == (state, flags)


@pytest.mark.parametrize(
    ("line", "state"),
    [
        ("installed=true", State.UNKNOWN),
        ("ceDataInode=0 installed=false", State.HISTORY),
        ("ceDataInode=7 installed=false", State.RESIDUAL),
    ],
)
def test_a_record_without_its_code(line: str, state: State) -> None:
    head = package(ANDROID_10, pkg="null").partition("    User 0:")[0]
    assert by_user(record("x", dump(FRAMEWORK, head + user_line(0, line))))["0"].state is state


def test_before_android_4_2_no_user_is_told() -> None:
    blocks = [package(ANDROID_44, name).partition("    User 0:")[0] for name in ("android", "com.tencent.mm")]
    found = record("x", dump(*blocks))
    assert found.users == ()
    assert by_user(found)[""].state is State.INSTALLED


def test_a_block_that_is_cut_before_its_users_is_unknown() -> None:
    cut = package(ANDROID_10).partition("    User 0:")[0]
    found = record("x", "Packages:\n" + FRAMEWORK + cut)
    assert by_user(found)[""].state is State.UNKNOWN
    assert found.completeness is Completeness.PARTIAL
    assert [item.code for item in found.problems] == [ProblemCode.RECORD_DAMAGED]


def test_a_factory_copy_of_nothing_is_unknown() -> None:
    found = record("x", dump(FRAMEWORK, hidden=[package(SYSTEM, "com.b")]))
    assert by_user(found, "com.b")[""].state is State.UNKNOWN


def test_a_package_that_took_over_a_name_is_listed_under_both() -> None:
    block = package(ANDROID_10, "com.new").replace("    userId=", "    compat name=com.old\n    userId=")
    found = record("x", dump(FRAMEWORK, block))
    assert [item.app_id for item in found.listings] == ["android", "com.new", "com.old"]


def test_one_package_that_was_asked_for_proves_no_absence_and_is_no_damage() -> None:
    found = record("x", dump(package(ANDROID_10)))
    assert found.completeness is Completeness.PARTIAL
    assert "a choice of packages" in found.detail
    assert found.problems == ()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ()),
        ({"installerPackageName": "com.google.android.packageinstaller"}, ("side-loaded",)),
        ({"installerPackageName": "null", "initiatingPackageName": "com.android.shell"}, ("side-loaded",)),
        ({"packageSource": "4"}, ("side-loaded",)),
        ({"pkgFlags": "[ DEBUGGABLE ]"}, ("debuggable",)),
    ],
)
def test_what_was_not_installed_by_a_store(changes: dict[str, str], expected: tuple[str, ...]) -> None:
    assert by_user(record("x", dump(FRAMEWORK, package(ANDROID_16, **changes))))["0"].flags == expected


def test_a_bug_report_tells_the_device_too() -> None:
    found = record("bugreport.txt", bug_report(WHOLE))
    assert found.completeness is Completeness.FULL
    assert found.taken == "2026-03-05T10:00:00"
    assert found.detail == "times are the device's own (Europe/Berlin)"
    assert found.users == (DeviceUser("0", "owner"), DeviceUser("10", "work profile"))
    assert dict(found.attributes)["serial"] == "39161FDJG000AB"
    assert "Anna" not in repr(found)


def test_times_of_a_device_on_universal_time_say_so() -> None:
    found = record("bugreport.txt", bug_report(WHOLE, zone="UTC"))
    assert found.detail == ""
    assert found.taken == "2026-03-05T10:00:00Z"
    assert by_user(found)["0"].updated == "2023-06-29T08:00:00Z"
    assert by_user(found, "com.b")["10"].installed == ""


def test_a_bug_report_without_packages_is_damaged() -> None:
    found = record("bugreport.txt", bug_report(WHOLE).partition("DUMP OF SERVICE package")[0])
    assert found.listings == ()
    assert found.completeness is Completeness.PARTIAL
    assert "no list of packages" in found.problems[0].detail


def test_every_line_of_a_bug_report_may_be_its_last() -> None:
    text = bug_report(WHOLE)
    end = text.index("Renamed packages:")
    lines = text.splitlines(keepends=True)
    length = 0
    for line in lines:
        length += len(line)
        if length < 400:
            continue
        found = record("bugreport.txt", text[:length])
        assert (found.completeness is Completeness.FULL) == (length > end)
        assert bool(found.problems) == (length <= end)


def test_offsets_of_converted_text_are_not_given() -> None:
    found = record("x", ("\ufeff" + WHOLE).encode("utf-16-le"))
    assert {item.origin.offset for item in found.listings} == {None}
    assert len(found.listings) == 5


def test_a_list_of_pm_proves_no_absence() -> None:
    found = record(
        "x",
        "package:/system/framework/framework-res.apk=android versionCode:35  installer=null uid:1000,1001000\n"
        "package:/data/app/~~a==/com.a-b==/base.apk=com.a versionCode:7  installer=com.android.vending uid:1010123\n",
    )
    assert found.completeness is Completeness.PARTIAL
    assert "options" in found.detail
    assert found.users == (DeviceUser("0"), DeviceUser("10"))
    assert [(item.app_id, item.user, item.system, item.version_code) for item in found.listings] == [
        ("android", "0", True, "35"),
        ("android", "10", True, "35"),
        ("com.a", "10", None, "7"),
    ]
    assert {item.state for item in found.listings} == {State.INSTALLED}


def test_a_list_of_user_apps_shows_by_its_paths() -> None:
    lines = "package:/data/app/~~a==/com.a-b==/base.apk=com.a\npackage:/mnt/expand/u/app/com.b-1/base.apk=com.b\n"
    assert record("x", lines).completeness is Completeness.USER_APPS
    assert record("x", "package:com.a\n").completeness is Completeness.PARTIAL


def test_lines_of_a_list_that_name_nothing_are_told() -> None:
    found = record("x", "package:com.example.app\n" * 500 + "error\n")
    assert len(found.listings) == 1
    assert [item.code for item in found.problems] == [ProblemCode.RECORD_DAMAGED]


def test_androidqf_gives_digests_of_files_and_signers() -> None:
    found = record(
        "packages.json", androidqf(androidqf_package("com.tencent.mm"), androidqf_package("com.b", files=[]))
    )
    assert found.completeness is Completeness.FULL
    assert "another user only" in found.detail
    first = by_user(found)[""]
    assert first.file_digests == ("sha256:" + "ab" * 32,)
    assert first.signer_digests == ("sha256:" + "0f" * 32,)
    assert (first.state, first.system, first.installer) == (State.INSTALLED, False, "com.android.vending")
    assert by_user(found, "com.b")[""].state is State.UNKNOWN


def test_a_system_app_that_the_main_user_lacks_is_still_on_the_device() -> None:
    found = record("packages.json", androidqf(androidqf_package("com.a", files=[], system=True, third_party=False)))
    assert by_user(found, "com.a")[""].state is State.PRESENT


def test_androidqf_with_items_that_are_none_proves_no_absence() -> None:
    found = record("packages.json", androidqf(androidqf_package("com.a"), {"x": 1}))
    assert found.completeness is Completeness.PARTIAL
    assert [item.code for item in found.problems] == [ProblemCode.RECORD_DAMAGED]


def test_statistics_say_what_was_used_and_when() -> None:
    found = record(
        "data/system/usagestats/0/daily/1700000000000", usage_xml(usage_package_xml("com.tencent.mm", 3_600_000))
    )
    assert found.completeness is Completeness.PARTIAL
    (listing,) = found.listings
    assert (listing.user, listing.state, listing.seen) == ("0", State.HISTORY, "2023-11-14T23:13:20Z")


@pytest.mark.parametrize("name", ["mappings", "../mappings"])
def test_numbers_are_resolved_through_the_mappings(name: str) -> None:
    found = record(USAGE, usage_v2([(4, 1000)]), {name: usage_mappings({4: "com.tencent.mm"})})
    assert found.problems == ()
    assert [(item.app_id, item.user) for item in found.listings] == [("com.tencent.mm", "10")]


def test_numbers_that_nothing_resolves_are_told() -> None:
    found = record(USAGE, usage_v2([(4, 1000)]))
    assert found.listings == ()
    # A history that cannot be read hides nothing of what is there now.
    assert [(item.code, item.hidden) for item in found.problems] == [(ProblemCode.RECORD_DAMAGED, frozenset())]


def test_damaged_mappings_are_told() -> None:
    found = record(USAGE, usage_v2([(4, 1000)]), {"mappings": b"\xff"})
    assert len(found.problems) == 2


def test_mappings_name_packages_by_themselves() -> None:
    found = record("data/system_ce/0/usagestats/mappings", usage_mappings({4: "com.tencent.mm"}))
    assert [(item.app_id, item.user, item.state) for item in found.listings] == [("com.tencent.mm", "0", State.HISTORY)]


@pytest.mark.parametrize(
    ("path", "user"),
    [
        ("data/data/com.google.android.gms/databases/gass.db", "0"),
        ("data/user/10/com.google.android.gms/databases/gass.db", "10"),
        ("gass.db", ""),
    ],
)
def test_play_protect_gives_the_digest_of_an_apk(path: str, user: str) -> None:
    data = sqlite(
        "CREATE TABLE app_info (package_name TEXT, version_code INTEGER, digest_sha256 TEXT)",
        ("INSERT INTO app_info VALUES ('com.tencent.mm', 2880, ?)", ("ab" * 32,)),
    )
    found = record(path, data)
    (listing,) = found.listings
    assert listing == replace(
        listing, user=user, state=State.HISTORY, version_code="2880", file_digests=("sha256:" + "ab" * 32,)
    )
    assert found.completeness is Completeness.PARTIAL


def test_what_the_account_acquired_is_weak() -> None:
    data = sqlite("CREATE TABLE ownership (doc_id TEXT)", "INSERT INTO ownership VALUES ('com.tencent.mm')")
    found = record("data/data/com.android.vending/databases/library.db", data)
    assert found.detail == "what the account ever acquired, on any device"
    assert found.listings[0].flags == ("acquired by the account",)


def test_a_database_that_cannot_be_read_raises() -> None:
    with pytest.raises(FormatError):
        record("gass.db", sqlite("CREATE TABLE other (a)"))


def test_a_truncated_record_raises_or_tells() -> None:
    good = androidqf(androidqf_package("com.tencent.mm"))
    for end in range(200, len(good) - 1, 7):
        with pytest.raises(FormatError):
            record("packages.json", good[:end])


def test_a_forged_block_does_not_take_an_installed_app_away() -> None:
    said = "1\n  Package [com.tencent.mm] (1):\n    pkg=null\n    User 0: installed=false\n      uninstallReason=1"
    found = record("x", dump(FRAMEWORK, package(ANDROID_10, "com.evil", versionName=said), package(ANDROID_10)))
    states = {item.state for item in found.listings if item.app_id == "com.tencent.mm" and item.user == "0"}
    assert State.INSTALLED in states
    assert "forged" in found.problems[0].detail


def test_a_listed_package_without_a_path_is_not_said_to_be_installed() -> None:
    """``pm list packages -u -f`` prints ``null`` for the path of what was removed and left data."""
    found = record("x", "package:null=com.a\npackage:/data/app/com.b-1/base.apk=com.b\n")
    assert [(item.app_id, item.state) for item in found.listings] == [
        ("com.a", State.UNKNOWN),
        ("com.b", State.INSTALLED),
    ]


def test_what_was_typed_before_a_list_is_told_and_costs_nothing() -> None:
    found = record("x", "$ adb shell pm list packages\npackage:com.a\npackage:com.b\n")
    assert [item.app_id for item in found.listings] == ["com.a", "com.b"]
    assert [item.code for item in found.problems] == [ProblemCode.RECORD_DAMAGED]


CHECKIN = "vers,1\nlib,android.test.base,jar,/system/framework/android.test.base.jar\n" + (
    "pkg,com.tencent.mm,10108,2400,1700000000000,com.android.vending,2\npkg-usr,0,IbsusSLia,0,?,\n"
)


def test_the_check_in_form_is_recognised_and_said_not_to_be_read() -> None:
    found = record("packages.txt", CHECKIN)
    assert found.kind is RecordKind.DUMPSYS_PACKAGE
    assert found.listings == ()
    assert [item.code for item in found.problems] == [ProblemCode.RECORD_DAMAGED]
    assert kind_of("packages.txt", "vers,1\nname,value\n") is None


def test_lists_that_name_more_than_is_read_are_told() -> None:
    few = replace(DEFAULT, record_listings=5)
    uids = ",".join(str(user * 100_000 + 10_001) for user in range(9))
    lists: dict[str, bytes] = {
        "many packages": b"".join(b"package:com.a%d\n" % count for count in range(9)),
        "many users": f"package:com.a uid:{uids}\n".encode(),
        "packages.json": androidqf(*(androidqf_package(f"com.a{count}") for count in range(9))),
    }
    for path, data in lists.items():
        kind = recognise(path, data)
        assert kind is not None
        found = read(RecordSource(kind, Memory(path, data), {}, Budget(few)))
        assert len(found.listings) == 5
        assert [item.code for item in found.problems] == [ProblemCode.LIMIT]
        assert found.completeness is Completeness.PARTIAL


@pytest.mark.parametrize("line", ["ceDataInode=7 installed=false", "ceDataInode=0 installed=false"])
def test_a_system_app_that_was_removed_for_the_user_still_lies_on_the_device(line: str) -> None:
    """``pm uninstall -k --user 0`` is how people get rid of an app of the maker; its code stays."""
    told = f"{line}\n      firstInstallTime=2009-01-01 00:00:00\n      uninstallReason=1"
    head = package(SYSTEM, "cn.wps.moffice_eng").partition("    User 0:")[0]
    found = by_user(record("x", dump(FRAMEWORK, head + user_line(0, told))), "cn.wps.moffice_eng")["0"]
    assert (found.state, found.system) == (State.PRESENT, True)
    assert "removed for this user" in found.flags
