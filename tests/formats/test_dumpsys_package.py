"""What ``dumpsys package`` says of each package, in the form of every Android generation, whole or broken."""

from __future__ import annotations

import random
import re
import tracemalloc
from dataclasses import replace

import pytest

from auditor.formats.dumpsys_package import (
    DumpedPackage,
    DumpedUser,
    PackageDump,
    has_package_block,
    parse_dumpsys_package,
)
from auditor.limits import DEFAULT
from tests.builders.android_dumps import (
    ANDROID_10,
    ANDROID_16,
    ANDROID_44,
    DASHES,
    FRAMEWORK,
    SYSTEM,
    bug_report,
    dump,
    package,
    service,
    user_line,
)

WHOLE = dump(FRAMEWORK, package(ANDROID_10), package(ANDROID_16, "com.b"), hidden=[package(SYSTEM, "com.b")])


def parse(text: str | bytes) -> PackageDump:
    return parse_dumpsys_package(text if isinstance(text, bytes) else text.encode())


def only(text: str, name: str = "com.tencent.mm") -> DumpedPackage:
    return next(item for item in parse(text).packages if item.name == name and not item.factory_copy)


def names(found: PackageDump) -> list[str]:
    return [item.name for item in found.packages if not item.factory_copy]


def test_a_real_block_of_android_10() -> None:
    text = dump(FRAMEWORK, package(ANDROID_10))
    assert only(text) == DumpedPackage(
        "com.tencent.mm",
        text.index("  Package [com.tencent.mm]"),
        code_path="/data/app/com.tencent.mm-FtxVmfhJnuP-P7oGWPgRrw==",
        version="8.0.38",
        version_code="2400",
        installer="com.android.packageinstaller",
        first_installed="2023-06-28T21:50:28",
        updated="2023-06-29T08:00:00",
        signature_hashes=("0962f5b7",),
        system=False,
        users=(DumpedUser("0", True, has_data=True),),
    )


def test_the_old_form_has_no_hash_of_a_certificate() -> None:
    found = only(dump(FRAMEWORK, package(ANDROID_44)))
    assert found == DumpedPackage(
        "com.tencent.mm",
        found.offset,
        code_path="/data/app/com.tencent.mm-1.apk",
        version="5.6.0",
        version_code="242",
        installer="com.android.vending",
        first_installed="2015-02-11T10:21:45",
        updated="2015-02-11T10:21:45",
        system=False,
        users=(DumpedUser("0", True),),
    )


def test_the_new_form_tells_users_apart() -> None:
    found = only(dump(FRAMEWORK, package(ANDROID_16)))
    assert found == DumpedPackage(
        "com.tencent.mm",
        found.offset,
        code_path="/data/app/~~hJ3-x_Zk1QWcC2m0pYb9Lg==/com.tencent.mm-Q-2mV_aXo0y1pRkdN3c5wA==",
        version="8.0.60 (release build)",
        version_code="2880",
        installer="com.android.vending",
        initiator="com.android.vending",
        source="2",
        updated="2026-03-04T12:30:00",
        signature_hashes=("a1b2c3d4", "0962f5b7"),
        past_hashes=("0000007f",),
        system=False,
        users=(
            DumpedUser("0", True, has_data=True, first_installed="2025-11-02T18:00:01"),
            DumpedUser("10", False, words=("stopped",)),
        ),
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ceDataInode=1 installed=true hidden=true", DumpedUser("0", True, has_data=True, words=("hidden",))),
        (" installed=true blocked=true", DumpedUser("0", True, words=("hidden",))),
        ("installed=true suspended=true stopped=true", DumpedUser("0", True, words=("stopped", "suspended"))),
        ("installed=true enabled=3", DumpedUser("0", True, words=("disabled",))),
        ("installed=true enabled=1 instant=true", DumpedUser("0", True, words=("instant",))),
        ("ceDataInode=0 deDataInode=7 installed=false", DumpedUser("0", False, has_data=True)),
        ("installed=false\n      uninstallReason=1", DumpedUser("0", False, removed=True)),
        (
            "installed=false\n      archiveTime=2026-01-01 00:00:00\n      unarchiveInstallerTitle=Play Store",
            DumpedUser("0", False, archived=True),
        ),
        ("stopped=false", DumpedUser("0", None)),
        ("installed=perhaps", DumpedUser("0", None)),
    ],
)
def test_what_a_package_is_for_a_user(line: str, expected: DumpedUser) -> None:
    head = package(ANDROID_10).partition("    User 0:")[0]
    assert only(dump(FRAMEWORK, head + user_line(0, line))).users == (expected,)


@pytest.mark.parametrize(
    ("changes", "field", "expected"),
    [
        ({"versionName": "8.0 beta = 3"}, "version", "8.0 beta = 3"),
        ({"versionName": "null"}, "version", ""),
        ({"versionCode": "4294967296123 minSdk=1 targetSdk=2"}, "version_code", "4294967296123"),
        ({"versionCode": "x"}, "version_code", ""),
        ({"installerPackageName": "null"}, "installer", ""),
        ({"pkg": "null"}, "code_gone", True),
        ({"pkgFlags": "[ SYSTEM DEBUGGABLE ]"}, "system", True),
        ({"pkgFlags": "[ UPDATED_SYSTEM_APP ]"}, "system", False),
        ({"pkgFlags": "[ DEBUGGABLE ]"}, "debuggable", True),
        ({"firstInstallTime": "1970-01-01 01:00:00"}, "first_installed", ""),
        ({"firstInstallTime": "never"}, "first_installed", ""),
        ({"signatures": "PackageSignatures{1 version:0, signatures:[], past signatures:[]}"}, "signature_hashes", ()),
        ({"signatures": "PackageSignatures{1 version:2, signatures:[7]}"}, "signature_hashes", ("00000007",)),
        ({"signatures": "PackageSignatures{43980488 [962f5b7]}"}, "signature_hashes", ()),
        ({"signatures": "null"}, "signature_hashes", ()),
    ],
)
def test_a_value(changes: dict[str, str], field: str, expected: object) -> None:
    assert getattr(only(dump(FRAMEWORK, package(ANDROID_10, **changes))), field) == expected


def test_a_package_that_took_over_a_name_has_both() -> None:
    block = package(ANDROID_10, "com.google.android.packageinstaller")
    renamed = block.replace("    userId=", "    compat name=com.android.packageinstaller\n    userId=")
    found = only(dump(FRAMEWORK, renamed), "com.google.android.packageinstaller")
    assert found.system_name == "com.android.packageinstaller"


def test_a_factory_copy_is_kept_apart_from_what_replaced_it() -> None:
    found = [item for item in parse(WHOLE).packages if item.name == "com.b"]
    assert [(item.factory_copy, item.version_code) for item in found] == [(False, "2880"), (True, "33")]


def test_a_blank_line_ends_nothing() -> None:
    text = WHOLE.replace("    versionCode=", "\n    versionCode=")
    assert [item.version_code for item in parse(text).packages] == ["33", "2400", "2880", "33"]


FORMS = {
    "alone": WHOLE,
    "in a dump of all services": service("activity", "x\n") + service("package", WHOLE) + service("zen", "y\n"),
    "in a bug report": bug_report(WHOLE),
    "in a class of services": bug_report(WHOLE).replace("SERVICE package:", "SERVICE CRITICAL package:"),
    "with Windows line ends": WHOLE.replace("\n", "\r\n"),
    "through an old adb on Windows": WHOLE.replace("\n", "\r\r\n"),
    "indented by pm dump": re.sub(r"(?m)^(?=.)", "  ", WHOLE),
    "after a byte order mark": "\ufeff" + WHOLE,
    "behind resolver tables": "Activity Resolver Table:\n  Schemes:\n      weixin:\n" + WHOLE,
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS.keys())
def test_the_same_dump_in_every_wrapping(text: str) -> None:
    found = parse(text)
    assert [replace(item, offset=0) for item in found.packages] == [
        replace(item, offset=0) for item in parse(WHOLE).packages
    ]
    assert found == PackageDump(found.packages)


def test_offsets_are_those_of_the_text() -> None:
    text = bug_report(WHOLE).encode()
    for item in parse(text).packages:
        assert text[item.offset :].startswith(f"  Package [{item.name}] (".encode())


ENDINGS = {
    "within the list": ("Packages:\n" + FRAMEWORK + package(ANDROID_10), "ends within"),
    "time ran out": (
        "Packages:\n" + FRAMEWORK + "\n*** SERVICE 'package' DUMP TIMEOUT (10000ms) EXPIRED ***\n",
        "broke off on the device",
    ),
    "the service died": ("Packages:\n" + FRAMEWORK + "Error dumping service info: (-32) package\n", "broke off"),
    "another service": (
        f"Packages:\n{FRAMEWORK}{DASHES}\nDUMP OF SERVICE permission:\n",
        "does not end as it should",
    ),
    "a head that is cut": ("Packages:\n" + FRAMEWORK + "  Package [com.ten", "does not end as it should"),
    "no start": (WHOLE.partition("Packages:\n")[2], "cut off at its start"),
    "nothing": ("DUMP OF SERVICE package:\n", "no list of packages"),
    "only factory copies": ("Hidden system packages:\n" + FRAMEWORK + "Queries:\n", "no list of packages"),
}


@pytest.mark.parametrize(("text", "reason"), ENDINGS.values(), ids=ENDINGS.keys())
def test_a_list_that_breaks_off_says_so(text: str, reason: str) -> None:
    found = parse(text)
    assert found.broken
    assert any(reason in gap for gap in found.gaps)


def test_one_package_that_was_asked_for_is_a_choice_and_no_damage() -> None:
    found = parse(dump(package(ANDROID_10)))
    assert not found.broken
    assert found.gaps == ("it lacks the package android, so it lists a choice of packages only",)


@pytest.mark.parametrize("after", ["Queries:\n  x\n", "Package Changes:\n", "Dexopt state:\n"])
def test_any_section_behind_the_list_shows_that_it_is_whole(after: str) -> None:
    assert parse("Packages:\n" + FRAMEWORK + "\n" + after).gaps == ()


def test_the_end_of_the_service_shows_that_the_list_is_whole() -> None:
    assert parse(service("package", "Packages:\n" + FRAMEWORK)).gaps == ()


def test_every_line_may_be_the_last() -> None:
    lines = WHOLE.splitlines(keepends=True)
    complete = {item.name: item for item in parse(WHOLE).packages if not item.factory_copy}
    end_of_list = lines.index("Renamed packages:\n")
    for count in range(len(lines)):
        found = parse("".join(lines[:count]))
        assert bool(found.gaps) == (count <= end_of_list)
        for item in found.packages:
            if not item.factory_copy:
                assert item.version_code in ("", complete[item.name].version_code)


def test_a_value_that_the_text_ends_within_is_not_taken() -> None:
    text = dump(FRAMEWORK, package(ANDROID_10))
    cut = text[: text.index("versionCode=2400") + len("versionCode=24")]
    assert only(cut).version_code == ""


@pytest.mark.parametrize("bad", ["", "x y", "../x", "a" * 300, "com.ü", "com.a=b", "<b>"])
def test_what_is_no_name_is_told_and_not_listed(bad: str) -> None:
    found = parse(dump(FRAMEWORK, package(ANDROID_10, bad), package(ANDROID_10, "com.after")))
    assert names(found) == ["android", "com.after"]
    assert found.faults == ("1 blocks or values of packages that cannot be read",)


def test_a_head_that_no_device_prints_is_told() -> None:
    found = parse(dump(FRAMEWORK, package(ANDROID_10, "a" * 2000), package(ANDROID_10, "com.after")))
    assert names(found) == ["android", "com.after"]
    assert found.faults


FORGED = "1.0\n    signatures=PackageSignatures{1 version:2, signatures:[962f5b7], past signatures:[]}"


def test_a_signer_that_a_version_name_forges_is_not_believed() -> None:
    real = "PackageSignatures{1 version:2, signatures:[11111111], past signatures:[]}"
    found = parse(dump(FRAMEWORK, package(ANDROID_10, versionName=FORGED, signatures=real)))
    assert found.packages[1].signature_hashes == ()
    assert found.faults == ("1 packages whose lines contradict each other (forged by a version name?)",)


@pytest.mark.parametrize(
    "forged",
    [
        "1\nShared users:\n",
        "1\nHidden system packages:\n",
        f"1\n{DASHES}\nDUMP OF SERVICE zen:\n",
        "1\n--------- 0.1s was the duration of dumpsys package, ending at: now\n",
        "1\n*** SERVICE 'package' DUMP TIMEOUT (10000ms) EXPIRED ***\n",
        "1\n\n\n",
    ],
)
def test_a_version_name_cannot_hide_what_follows(forged: str) -> None:
    text = dump(FRAMEWORK, package(ANDROID_10, "com.evil", versionName=forged), package(ANDROID_10))
    found = parse(bug_report(text))
    assert names(found) == ["android", "com.evil", "com.tencent.mm"]
    assert only(bug_report(text)).signature_hashes == ("0962f5b7",)


def test_of_two_blocks_that_say_the_same_of_presence_the_first_counts() -> None:
    text = dump(FRAMEWORK, package(ANDROID_10), package(ANDROID_10, versionCode="7"))
    found = parse(text)
    assert [item.version_code for item in found.packages] == ["33", "2400"]
    assert not found.faults


@pytest.mark.parametrize(
    "said",
    [
        "1\n  Package [com.tencent.mm] (1):\n    pkg=null\n    User 0: installed=false\n      uninstallReason=1",
        "1\nHidden system packages:\n  Package [com.tencent.mm] (1):\n    pkg=null\n    User 0: installed=false",
        "1\n  Package [com.tencent.mm] (1):\n    pkg=null\n    User 0: installed=false\nHidden system packages:\n"
        "  Package [a.b] (1):\n    User 0: installed=true",
        "1\nPackages:\n  Package [com.tencent.mm] (1):\n    User 0: ceDataInode=0 installed=false",
    ],
)
def test_a_version_name_cannot_make_another_package_look_gone(said: str) -> None:
    """It stands before the block of the package itself, and says that it was removed."""
    text = dump(FRAMEWORK, package(ANDROID_10, "com.evil", versionName=said), package(ANDROID_10))
    found = parse(text)
    told = [item for item in found.packages if item.name == "com.tencent.mm" and not item.factory_copy]
    assert told[-1] == replace(only(dump(FRAMEWORK, package(ANDROID_10))), offset=told[-1].offset)
    assert "forged" in " ".join(found.faults)


def test_a_forged_title_makes_no_system_app_a_factory_copy() -> None:
    forged = "1\nHidden system packages:\n  Package [a.b] (1):\n    User 0: installed=true"
    text = dump(
        FRAMEWORK,
        package(ANDROID_10, "com.evil", versionName=forged),
        package(SYSTEM, "com.example.preload"),
        hidden=[package(SYSTEM, "com.evil")],
    )
    found = parse(text)
    assert not any(item.factory_copy for item in found.packages)
    assert "title of factory copies" in " ".join(found.faults)


def test_a_block_that_breaks_off_in_the_middle_of_the_list_is_told() -> None:
    text = dump(FRAMEWORK, package(ANDROID_10, "com.evil", versionName="1\nodd"), package(ANDROID_10))
    assert parse(text).faults == ("1 blocks or values of packages that cannot be read",)


@pytest.mark.parametrize("form", [ANDROID_10, ANDROID_16])
def test_the_unindented_line_of_an_sdk_library_ends_no_block(form: str) -> None:
    """Android 15 prints whether the library is optional on a line of its own, one blank in."""
    library = "    usesSdkLibraries:\n      com.example.sdk version:3\n optional:false\n    timeStamp="
    whole, plain = dump(FRAMEWORK, package(form).replace("    timeStamp=", library)), dump(FRAMEWORK, package(form))
    assert [(item.users, item.signature_hashes) for item in parse(whole).packages] == [
        (item.users, item.signature_hashes) for item in parse(plain).packages
    ]
    assert not parse(whole).gaps
    assert not parse(whole).faults


def test_the_packages_that_have_a_permission_are_a_choice() -> None:
    """``dumpsys package permission NAME`` names android as well, and leaves out some lines of each block."""
    short = "".join(line for line in WHOLE.splitlines(keepends=True) if "resourcePath" not in line)
    short = "".join(line for line in short.splitlines(keepends=True) if "Abi=" not in line and "Library" not in line)
    permissions = "Permissions:\n  Permission [android.permission.CAMERA] (a1):\n    sourcePackage=android\n\n"
    assert not parse(WHOLE).gaps
    assert not parse(permissions + WHOLE).gaps
    assert parse(permissions + short).gaps == ("it lists only the packages that have a certain permission",)
    assert not parse(permissions + short).broken


@pytest.mark.parametrize("digits", ["0123456789", "۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९"])
def test_times_are_read_in_the_digits_of_any_language(digits: str) -> None:
    moment = "2026-10-03 03:38:33".translate({ord(str(value)): digit for value, digit in enumerate(digits)})
    found = only(dump(FRAMEWORK, package(ANDROID_10, lastUpdateTime=moment)))
    assert found.updated == "2026-10-03T03:38:33"


def test_the_bytes_of_values_that_are_held_are_bounded() -> None:
    blocks = [package(ANDROID_10, f"com.a{count}", versionName="9" * 100_000) for count in range(50)]
    found = parse_dumpsys_package(dump(FRAMEWORK, *blocks).encode(), replace(DEFAULT, record_size=60_000))
    assert 10 < len(found.packages) < 20
    assert max(len(item.version) for item in found.packages) == 4096
    assert found.broken


def test_users_count_towards_the_bound() -> None:
    users = "".join(user_line(number, "installed=true") for number in range(20))
    blocks = [package(ANDROID_10, f"com.a{count}").partition("    User 0:")[0] + users for count in range(20)]
    found = parse_dumpsys_package(dump(FRAMEWORK, *blocks).encode(), replace(DEFAULT, record_listings=100))
    assert len(found.packages) == 6
    assert found.broken


def test_bytes_that_are_no_text_cost_their_value_only() -> None:
    text = WHOLE.encode().replace(b"versionName=8.0.38", b"versionName=\xff\xfe8\x00")
    found = parse(text)
    assert [item.version for item in found.packages] == ["13", "\ufffd\ufffd8\x00", "8.0.60 (release build)", "13"]


def test_a_value_is_held_up_to_the_bound() -> None:
    limits = replace(DEFAULT, string_length=100)
    text = dump(FRAMEWORK, package(ANDROID_10, versionName="9" * 1_000_000))
    assert parse_dumpsys_package(text.encode(), limits).packages[1].version == "9" * 100


def test_more_packages_than_the_bound_are_told() -> None:
    text = dump(FRAMEWORK, *(package(ANDROID_10, f"com.a{count}") for count in range(20)))
    found = parse_dumpsys_package(text.encode(), replace(DEFAULT, record_listings=10))
    assert len(found.packages) == 10
    assert found.broken
    assert "raise --limit record_listings" in found.gaps[0]


def test_more_users_than_the_bound_are_told() -> None:
    head = package(ANDROID_10).partition("    User 0:")[0]
    users = "".join(user_line(number, "installed=true") for number in range(300))
    found = parse(dump(FRAMEWORK, head + users))
    assert len(found.packages[1].users) == DEFAULT.xml_depth
    assert found.faults


@pytest.mark.parametrize(
    "text",
    [
        "Package [" * 100_000,
        "  Package [" + "x" * 1_000_000,
        "  Package [a] (1):\n" + "    " * 500_000,
        "  Package [a] (1):\n" + "    User 1: " + "installed=" * 100_000,
        "  Package [a] (1):\n    signatures=" + "version:1, signatures:[" * 50_000,
        "  Package [a] (1):\n    signatures=x version:1, signatures:[" + "a," * 30_000 + "]",
        " " * 1_000_000 + "Package [a] (1):\n",
        "\n" * 1_000_000,
    ],
)
def test_hostile_text_ends(text: str) -> None:
    assert len(parse(text).packages) <= 1


def test_seeded_mutations_give_a_result() -> None:
    good = bug_report(WHOLE).encode()
    choice = random.Random(20260323)
    for _ in range(400):
        text = bytearray(good)
        for _ in range(choice.randrange(1, 12)):
            at = choice.randrange(len(text))
            if choice.random() < 0.3:
                del text[at : at + choice.randrange(1, 200)]
            else:
                text[at] = choice.randrange(256)
        found = parse(bytes(text))
        assert len(found.packages) <= 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Package [com.a] (12ab):\n", True),
        ("  Package [com.a] (12ab):", True),
        ("x Package [com.a] (12ab):\n", False),
        ("  Package [com.a]\n", False),
        ("  Package [com.a] (12ab): more\n", False),
        ("", False),
    ],
)
def test_the_head_of_a_block(text: str, expected: bool) -> None:
    assert has_package_block(text.encode()) is expected


@pytest.mark.slow
def test_a_large_bug_report_is_read_in_little_memory() -> None:
    noise = "01-02 03:04:05.678  1000  2000 I ActivityManager: Package [com.noise] started for user 0\n"
    text = bug_report(WHOLE, padding=noise * (50_000_000 // len(noise))).encode()
    tracemalloc.start()
    found = parse(text)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.packages) == 4
    assert found.gaps == ()
    assert peak < 2_000_000
