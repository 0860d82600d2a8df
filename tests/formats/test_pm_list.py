"""What ``pm list packages`` prints, with every option, and what is no such list."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from auditor.errors import FormatError
from auditor.formats.pm_list import ListedPackage, PackageList, is_pm_list, parse_pm_list
from auditor.limits import DEFAULT

FULL = (
    "package:/data/app/~~hJ3-x_Zk1QWcC2m0pYb9Lg==/com.tencent.mm-Q-2mV_aXo0y1pRkdN3c5wA==/base.apk=com.tencent.mm"
    " versionCode:2880  installer=com.android.vending uid:10123,1010123\n"
    "package:/system/framework/framework-res.apk=android versionCode:35  installer=null uid:1000\n"
)


def one(line: str) -> ListedPackage:
    (found,) = parse_pm_list(line.encode()).packages
    return found


def test_a_list_with_all_options() -> None:
    assert parse_pm_list(FULL.encode()) == PackageList(
        (
            ListedPackage(
                "com.tencent.mm",
                0,
                "/data/app/~~hJ3-x_Zk1QWcC2m0pYb9Lg==/com.tencent.mm-Q-2mV_aXo0y1pRkdN3c5wA==/base.apk",
                "2880",
                "com.android.vending",
                (10123, 1010123),
            ),
            ListedPackage(
                "android", FULL.index("package:/system"), "/system/framework/framework-res.apk", "35", "", (1000,)
            ),
        )
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("package:com.a", ListedPackage("com.a", 0)),
        ("package:/a b=c/x==/base.apk=com.a", ListedPackage("com.a", 0, "/a b=c/x==/base.apk")),
        ("package:com.a  installer=com.b", ListedPackage("com.a", 0, installer="com.b")),
        ("package:/x/base.apk=com.a  installer=com.b", ListedPackage("com.a", 0, "/x/base.apk", installer="com.b")),
        ("package:com.a  installer=null", ListedPackage("com.a", 0)),
        ("package:com.a uid:10123", ListedPackage("com.a", 0, uids=(10123,))),
        ("package:com.a versionCode:7", ListedPackage("com.a", 0, version_code="7")),
        ("package:com.a  installer=com.b uid:1 stopped=true", ListedPackage("com.a", 0, installer="com.b", uids=(1,))),
        ("package:null=com.a", ListedPackage("com.a", 0, code_gone=True)),
        (
            "package:/apex/com.android.adbd.apex=com.android.adbd",
            ListedPackage("com.android.adbd", 0, "/apex/com.android.adbd.apex"),
        ),
    ],
)
def test_a_line(line: str, expected: ListedPackage) -> None:
    assert one(line) == expected


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n", "\n\n"])
def test_line_ends(end: str) -> None:
    found = parse_pm_list(FULL.replace("\n", end).encode())
    assert [item.name for item in found.packages] == ["com.tencent.mm", "android"]
    assert found.unread == 0


@pytest.mark.parametrize("coding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_texts_that_windows_stored(coding: str) -> None:
    mark = "\ufeff" if coding == "utf-16-be" else ""
    data = (mark + FULL).encode(coding)
    assert [item.name for item in parse_pm_list(data).packages] == ["com.tencent.mm", "android"]
    assert is_pm_list(data, whole=True)


def test_lines_that_name_nothing_are_counted() -> None:
    found = parse_pm_list(b"Error: no such user\npackage:com.a\npackage:\npackage:/data/app/base.apk\n\xff\xfe\n")
    assert [item.name for item in found.packages] == ["com.a"]
    assert found.unread == 4


@pytest.mark.parametrize(
    "noise",
    [
        "* daemon not running; starting now at tcp:5037\n* daemon started successfully\n",
        "WARNING: linker: libdvm.so has text relocations.\n",
        "adb server version (39) doesn't match this client (41); killing...\n",
    ],
)
def test_what_adb_prints_before_the_list_is_passed_over(noise: str) -> None:
    assert is_pm_list((noise + FULL).encode(), whole=True)
    assert not is_pm_list(noise.encode(), whole=True)
    assert parse_pm_list((noise + FULL).encode()).unread == 0


def test_more_lines_than_the_bound_are_told() -> None:
    found = parse_pm_list(b"package:com.a\n" * 11, replace(DEFAULT, record_listings=10))
    assert len(found.packages) == 10
    assert found.cut
    found = parse_pm_list(b"package:com.a\n" + b"x\n" * 20, replace(DEFAULT, record_elements=10))
    assert (len(found.packages), found.unread, found.cut) == (1, 10, True)


@pytest.mark.parametrize("data", [b"", b"\n\n", b"packages:com.a", b"package:/data/app/x==/com.a-y==/base.apk\n"])
def test_what_is_no_list(data: bytes) -> None:
    assert not is_pm_list(data, whole=True)
    with pytest.raises(FormatError):
        parse_pm_list(data)


@pytest.mark.parametrize(
    ("head", "whole", "expected"),
    [
        (b"package:com.a\npackage:com.b", True, True),
        (b"package:com.a\npackage:/data/app/com.b-1", False, True),
        (b"package:com.a\npackage:/data/app/com.b-1", True, False),
        (b"package:com.a\nhello\n", True, False),
        (b"hello\npackage:com.a\n", True, False),
        (b"$ adb shell pm list packages\npackage:com.a\npackage:com.b\n", True, True),
        (b"package:com.a\npackage:com.b\nError: no access to user 10\n", True, True),
        (b"package:com.a\n" * 9 + b"hello\n" * 3, True, True),
        (b"package:com.a\n" * 9 + b"hello\n" * 4, True, False),
        (b"package: com.a\n", True, False),
        (b"package:com.a:b\n", True, False),
        (b"package:com.a", False, False),
    ],
)
def test_every_line_must_name_a_package(head: bytes, whole: bool, expected: bool) -> None:
    assert is_pm_list(head, whole=whole) is expected


@pytest.mark.parametrize(
    "text", ["package:" + "=" * 200_000, "package:" + " uid:1" * 100_000, "package:" + " " * 500_000]
)
def test_hostile_lines_end(text: str) -> None:
    with pytest.raises(FormatError):
        parse_pm_list(text.encode())


def test_every_prefix_and_seeded_mutations() -> None:
    good = FULL.encode()
    choice = random.Random(7)
    mutated = [bytes(good[:end]) for end in range(len(good))]
    for _ in range(500):
        text = bytearray(good)
        for _ in range(choice.randrange(1, 6)):
            text[choice.randrange(len(text))] = choice.randrange(256)
        mutated.append(bytes(text))
    for data in mutated:
        try:
            assert len(parse_pm_list(data).packages) <= 8
        except FormatError:
            continue
