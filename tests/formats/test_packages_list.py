"""packages.list names a package on each line, with more columns in each release."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.errors import FormatError, LimitError
from auditor.formats.packages_list import ListedPackage, is_packages_list, parse_packages_list
from auditor.limits import DEFAULT
from tests.builders.mangle import mutations, prefixes

REAL = "org.example.app 10213 0 /data/user/0/org.example.app default:targetSdkVersion=35 3003 0 7 1 com.android.shell\n"
SEVEN = "org.example.app 10213 1 /data/user/0/org.example.app default:targetSdkVersion=29 none 0\n"
SYSTEM = "android 1000 0 /data/system platform:privapp:targetSdkVersion=30 1065,3002 0 30 1 @system\n"
NULL = "a.b 10001 0 /data/user/0/a.b default none 0 4294967296 1 @null\n"
OLD = "a.b 10001 0 /data/data/a.b\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            REAL,
            ListedPackage(
                "org.example.app", 0, 10213, False, "/data/user/0/org.example.app", "7", "com.android.shell", False
            ),
        ),
        (SEVEN, ListedPackage("org.example.app", 0, 10213, True, "/data/user/0/org.example.app")),
        (SYSTEM, ListedPackage("android", 0, 1000, False, "/data/system", "30", "", True)),
        (
            SYSTEM.replace("@system", "@product"),
            ListedPackage("android", 0, 1000, False, "/data/system", "30", "", True),
        ),
        (NULL, ListedPackage("a.b", 0, 10001, False, "/data/user/0/a.b", "4294967296", "", False)),
        (OLD, ListedPackage("a.b", 0, 10001, False, "/data/data/a.b")),
        (OLD.replace("\n", "\r\n"), ListedPackage("a.b", 0, 10001, False, "/data/data/a.b")),
        (OLD.replace("/data/data/a.b", "null"), ListedPackage("a.b", 0, 10001, False, "null")),
    ],
)
def test_a_line_of_every_release_is_read(line: str, expected: ListedPackage) -> None:
    found = parse_packages_list(line.encode())
    assert found.packages == (expected,)
    assert found.faults == ()
    assert is_packages_list(line.encode())


def test_lines_know_where_they_lie() -> None:
    data = (REAL + "\n" + SYSTEM).encode()
    assert [item.offset for item in parse_packages_list(data).packages] == [0, len(REAL) + 1]


@pytest.mark.parametrize(
    "line", ["a.b", "a.b x 0 /d", "a.b 1 2 /d", "a/b 1 0 /d", "a.b 12345678901 0 /d", "a.b ² 0 /d"]
)
def test_a_line_of_another_kind_is_a_fault(line: str) -> None:
    found = parse_packages_list((REAL + line + "\n" + OLD).encode())
    assert len(found.packages) == 2
    assert found.faults == (f"the line at {len(REAL):#x} is none of a package",)


def test_many_faults_are_counted() -> None:
    found = parse_packages_list((REAL + "junk\n" * 9).encode())
    assert (len(found.faults), found.faults[-1]) == (4, "9 such lines in all")


def test_a_last_line_without_an_end_is_a_fault() -> None:
    found = parse_packages_list((REAL + OLD).encode()[:-1])
    assert len(found.packages) == 2
    assert found.faults == ("the last line does not end: the list may be cut off",)


@pytest.mark.parametrize("data", [b"", b"\n", b"junk\n", b"\xff\xfe\n", bytes(100)])
def test_a_list_without_a_package_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_packages_list(data)
    assert not is_packages_list(data)


def test_size_and_lines_are_bounded() -> None:
    with pytest.raises(LimitError, match="record_size"):
        parse_packages_list(REAL.encode(), replace(DEFAULT, record_size=10))
    for few in (replace(DEFAULT, record_elements=4), replace(DEFAULT, record_listings=4)):
        found = parse_packages_list(OLD.encode() * 5, few)
        assert (len(found.packages), found.cut, found.faults) == (4, True, ())
    assert not parse_packages_list(OLD.encode() * 4, replace(DEFAULT, record_listings=4)).cut


def test_damage_is_read_or_refused() -> None:
    data = (REAL + SYSTEM + NULL).encode()
    for damaged in (*prefixes(data), *mutations(data, 500)):
        try:
            found = parse_packages_list(damaged)
        except FormatError:
            continue
        assert len(damaged) == len(data) or found.faults or damaged.endswith(b"\n")
