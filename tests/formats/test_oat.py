"""Every DEX file of an odex file is found where the format keeps one there, or its absence is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.dex import parse_dex_at
from auditor.formats.oat import is_optimized_dex, parse_oat
from auditor.limits import DEFAULT
from tests.builders.dex import build_dex, with_word
from tests.builders.elf import build_elf
from tests.builders.mangle import mutations, prefixes
from tests.builders.oat import build_oat, build_optimized

FIRST = build_dex(["La/First;"], ["of the first"])
SECOND = build_dex(["La/Second;", "La/Third;"], ["of the second", "x"])
WITH_DEX = ("039", "045", "064", "079", "088")
WITHOUT_DEX = ("124", "131", "138", "170", "195", "225", "244")


def classes(whole: bytes) -> list[list[str]]:
    return [list(parse_dex_at(whole, view.offset).classes) for view in parse_oat(whole).dex_files]


@pytest.mark.parametrize("version", WITH_DEX)
def test_the_dex_files_of_android_5_to_7_are_found(version: str) -> None:
    whole = build_oat(version, [FIRST, SECOND])
    found = parse_oat(whole)
    assert (found.version, found.faults) == (version, ())
    assert [whole[view.offset : view.offset + view.size] for view in found.dex_files] == [FIRST, SECOND]
    assert classes(whole) == [["a.First"], ["a.Second", "a.Third"]]


@pytest.mark.parametrize("version", WITHOUT_DEX)
def test_from_android_8_on_they_lie_elsewhere(version: str) -> None:
    found = parse_oat(build_oat(version, count=3))
    assert (found.dex_files, found.faults) == ((), ())


@pytest.mark.parametrize("version", [*WITH_DEX, "100", "124"])
def test_fewer_files_than_the_header_counts_are_a_fault(version: str) -> None:
    assert any("counts 3 DEX files, 1 were found" in item for item in parse_oat(build_oat(version, [FIRST], 3)).faults)


@pytest.mark.parametrize("version", WITH_DEX)
def test_none_at_all_is_a_fault_where_there_must_be_some(version: str) -> None:
    assert any("counts 2 DEX files, 0 were" in item for item in parse_oat(build_oat(version, count=2)).faults)


def test_the_mark_of_a_dex_file_in_other_data_is_none() -> None:
    whole = build_oat("064", [FIRST, SECOND], between=b"dex\n035\0 is how it begins" + bytes(200))
    assert (len(parse_oat(whole).dex_files), parse_oat(whole).faults) == (2, ())


def test_a_dex_file_inside_another_is_data_of_that() -> None:
    outer = FIRST + SECOND
    whole = build_oat("064", [with_word(outer, 32, len(outer))])
    found = parse_oat(whole)
    assert ([view.size for view in found.dex_files], found.faults) == ([len(outer)], ())


def test_a_damaged_header_of_a_dex_file_is_a_fault() -> None:
    whole = build_oat("064", [FIRST, SECOND])
    at = whole.index(SECOND)
    for field, value in ((0, 0), (36, 0x71), (40, 0x78563412), (32, 8)):
        assert parse_oat(with_word(whole, at + field, value)).faults


def test_a_dex_file_that_is_cut_off_is_a_fault() -> None:
    whole = build_oat("064", [FIRST, SECOND])
    found = parse_oat(whole[: whole.index(SECOND) + 0x90])
    assert [view.size for view in found.dex_files] == [len(FIRST), 0x90]
    assert "behind the file" in found.faults[0]


@pytest.mark.parametrize("version", ["007", "008", "038"])
def test_versions_before_android_5_are_named(version: str) -> None:
    with pytest.raises(UnsupportedError, match=f"version {version}"):
        parse_oat(build_oat(version, [FIRST]))


@pytest.mark.parametrize(
    ("whole", "message"),
    [
        (b"", "neither ELF"),
        (FIRST, "neither ELF"),
        (build_elf(soname="libx.so", rodata=b"text"), "without an OAT header"),
        (build_elf(soname="libx.so", rodata=b"....oat\n064\0"), "without an OAT header"),
        (build_oat("064", [FIRST])[:0x1010], "cut off"),
        (b"dey\n036\0" + bytes(8), "cut off"),
        (b"dey\n036\0" + bytes(80), "puts its DEX file at 0x0"),
        (b"dey\n036\0" + b"\xff" * 80, "puts its DEX file at"),
    ],
)
def test_what_is_no_compiled_code_is_refused(whole: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        parse_oat(whole)


def test_the_optimized_dex_of_dalvik_is_read() -> None:
    whole = build_optimized(SECOND)
    assert is_optimized_dex(whole)
    assert not is_optimized_dex(SECOND)
    found = parse_oat(whole)
    assert (found.version, found.faults, classes(whole)) == ("", (), [["a.Second", "a.Third"]])


def test_an_optimized_dex_that_is_cut_off_is_a_fault() -> None:
    found = parse_oat(build_optimized(SECOND)[:200])
    assert ([view.size for view in found.dex_files], len(found.faults)) == ([160], 1)


def test_the_number_of_files_and_their_bytes_are_bounded() -> None:
    whole = build_oat("064", [FIRST] * 5)
    with pytest.raises(LimitError, match="more than 4 DEX files"):
        parse_oat(whole, replace(DEFAULT, dex_files=4))
    with pytest.raises(LimitError, match="bytes"):
        parse_oat(whole, replace(DEFAULT, member_size=64))


def test_damage_is_told_or_changes_nothing() -> None:
    whole = build_oat("064", [FIRST, SECOND])
    expected = [view.offset for view in parse_oat(whole).dex_files]
    for damaged in mutations(whole, 600):
        try:
            found = parse_oat(damaged)
        except FormatError:
            continue
        assert found.faults or [view.offset for view in found.dex_files] == expected
        assert sum(view.size for view in found.dex_files) <= len(whole)
    for part in prefixes(whole):
        try:
            assert len(part) > whole.index(SECOND) or parse_oat(part).faults
        except FormatError:
            continue
