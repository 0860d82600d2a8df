"""Usage statistics of every Android generation: names and the last use, those of removed apps included."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from auditor.errors import FormatError, LimitError
from auditor.formats.usage_stats import UsageStats, UsedPackage, parse_usage_mappings, parse_usage_stats
from auditor.limits import DEFAULT
from tests.builders.android_dumps import usage_mappings, usage_package_xml, usage_v1, usage_v2, usage_xml
from tests.builders.protobuf import block, number

BEGIN = 1_700_000_000_000
XML = usage_xml(usage_package_xml("com.tencent.mm", 5000), usage_package_xml("com.b", 0))
NAMES = {1: "com.tencent.mm", 2: "com.b"}
V1 = usage_v1(["com.tencent.mm", "com.b.Main", "com.b"], [(1, 5000), (3, 9000)])
V2 = usage_v2([(1, 5000), (2, 9000)])

EXPECTED = UsageStats((UsedPackage("com.b", BEGIN + 9000), UsedPackage("com.tencent.mm", BEGIN + 5000)))


def test_the_form_up_to_android_9() -> None:
    found = parse_usage_stats(XML, BEGIN)
    assert found == UsageStats((UsedPackage("com.b", BEGIN), UsedPackage("com.tencent.mm", BEGIN + 5000)))


def test_the_form_of_android_10() -> None:
    assert parse_usage_stats(V1, BEGIN) == EXPECTED


def test_the_form_from_android_11_needs_the_mappings() -> None:
    assert parse_usage_stats(V2, BEGIN, parse_usage_mappings(usage_mappings(NAMES))) == EXPECTED


def test_numbers_that_nothing_tells_are_counted() -> None:
    assert parse_usage_stats(V2, BEGIN, {2: "com.b"}) == UsageStats((EXPECTED.packages[0],), unresolved=1)
    assert parse_usage_stats(V2, BEGIN) == UsageStats((), unresolved=2)
    assert parse_usage_stats(usage_v1(["com.a"], [(2, 1), (0, 1)]), BEGIN).unresolved == 2


@pytest.mark.parametrize(
    "data",
    [
        usage_v1(["com.a"], [(1, 5)], [(1, 70), (1, 60)]),
        usage_v2([(1, 5)], [(1, 70), (1, 60)]),
        usage_xml(usage_package_xml("com.a", 5)).replace(
            b"</packages>", b'</packages><event-log><event time="70" package="com.a" type="1"/></event-log>'
        ),
    ],
)
def test_the_latest_of_all_uses_counts(data: bytes) -> None:
    assert parse_usage_stats(data, BEGIN, {1: "com.a"}).packages == (UsedPackage("com.a", BEGIN + 70),)


def test_a_name_without_a_use_is_kept() -> None:
    data = number(1, 5) + block(20, number(1, 1))
    assert parse_usage_stats(data, BEGIN, {1: "com.a"}).packages == (UsedPackage("com.a", None),)
    assert parse_usage_stats(usage_xml('<package package="com.a" />'), BEGIN).packages == (UsedPackage("com.a", None),)


@pytest.mark.parametrize("last", [-BEGIN, -BEGIN - 1])
def test_a_time_that_was_never_is_none(last: int) -> None:
    assert parse_usage_stats(usage_xml(usage_package_xml("com.a", last)), BEGIN).packages[0].last_used_ms is None
    assert parse_usage_stats(usage_v2([(1, last)]), BEGIN, {1: "com.a"}).packages[0].last_used_ms is None


def test_a_use_before_the_file_began() -> None:
    assert parse_usage_stats(usage_v2([(1, -70)]), BEGIN, {1: "com.a"}).packages[0].last_used_ms == BEGIN - 70


def test_what_is_no_name_is_counted() -> None:
    assert parse_usage_stats(usage_v1(["no name", "com.a"], [(1, 1), (2, 1)]), BEGIN) == UsageStats(
        (UsedPackage("com.a", BEGIN + 1),), unread=1
    )
    assert parse_usage_stats(usage_xml(usage_package_xml("", 1)), BEGIN).unread == 1


def test_mappings() -> None:
    assert parse_usage_mappings(usage_mappings(NAMES)) == NAMES
    assert parse_usage_mappings(b"") == {}
    assert parse_usage_mappings(number(1, 1) + block(2, number(1, 4) + block(2, "no name"))) == {}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<a/>",
        b"<usagestats>",
        b"<!DOCTYPE a><usagestats/>",
        b"\x00\x01",
        b"\xff" * 50,
        b"\x12\x7f",
        block(20, b""),
    ],
)
def test_what_is_no_file_of_statistics(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_usage_stats(data, BEGIN)


@pytest.mark.parametrize("data", [b"\xff", block(3, b"x"), number(9, 1), block(2, b"\x0a\x7f")])
def test_what_is_no_file_of_mappings(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_usage_mappings(data)


def test_bounds() -> None:
    small = replace(DEFAULT, manifest_size=10)
    with pytest.raises(LimitError):
        parse_usage_stats(V1, BEGIN, None, small)
    with pytest.raises(LimitError):
        parse_usage_mappings(usage_mappings(NAMES), small)
    with pytest.raises(LimitError):
        parse_usage_stats(V1, BEGIN, None, replace(DEFAULT, record_elements=1))
    with pytest.raises(LimitError):
        parse_usage_stats(XML, BEGIN, None, replace(DEFAULT, record_elements=1))
    with pytest.raises(LimitError, match="record_listings"):
        parse_usage_stats(V1, BEGIN, None, replace(DEFAULT, record_listings=1))
    with pytest.raises(LimitError):
        parse_usage_mappings(usage_mappings(NAMES), replace(DEFAULT, record_listings=1))


@pytest.mark.parametrize("good", [XML, V1, V2, usage_mappings(NAMES)])
def test_every_prefix_and_seeded_mutations(good: bytes) -> None:
    choice = random.Random(5)
    cases = [good[:end] for end in range(len(good))]
    for _ in range(300):
        data = bytearray(good)
        for _ in range(choice.randrange(1, 4)):
            data[choice.randrange(len(data))] ^= 1 << choice.randrange(8)
        cases.append(bytes(data))
    for data in cases:
        for parse in (lambda raw: parse_usage_stats(raw, BEGIN, NAMES).packages, parse_usage_mappings):
            try:
                assert len(parse(data)) <= 6
            except FormatError:
                continue
