"""Every DEX file of a vdex file is found, in each version that a release of Android writes, or its absence is told."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.dex import parse_dex_at
from auditor.formats.vdex import is_vdex, parse_vdex
from auditor.limits import DEFAULT
from tests.builders.compact_dex import SharedData, build_main
from tests.builders.dex import build_dex, with_word
from tests.builders.mangle import mutations, prefixes
from tests.builders.vdex import VERSIONS, build_vdex

FIRST = build_dex(["La/First;"], ["of the first"])
SECOND = build_dex(["La/Second;", "La/Third;"], ["of the second", "x"])
ODD = build_dex(["La/Odd;"]) + b"\0"
"""A file whose size is no multiple of four: the next one begins behind a gap."""
WITH_COMPACT = ("019", "021", "027")


def odd() -> bytes:
    return with_word(ODD, 32, len(ODD))


def compact(version: str) -> bytes:
    data = SharedData()
    return build_vdex(version, [build_main(data, ["La/C;"]), build_main(data, ["La/D;", "La/C;"])], data)


def classes(whole: bytes) -> list[list[str]]:
    return [list(parse_dex_at(whole, view.offset).classes) for view in parse_vdex(whole).dex_files]


@pytest.mark.parametrize("version", VERSIONS)
class TestEachVersion:
    def test_its_dex_files_are_found(self, version: str) -> None:
        whole = build_vdex(version, [FIRST, SECOND])
        found = parse_vdex(whole)
        assert (found.version, found.faults) == (version, ())
        assert [whole[view.offset : view.offset + view.size] for view in found.dex_files] == [FIRST, SECOND]
        assert [view.compact for view in found.dex_files] == [False, False]

    def test_files_of_odd_size_leave_a_gap(self, version: str) -> None:
        whole = build_vdex(version, [odd(), odd(), SECOND])
        assert classes(whole) == [["a.Odd"], ["a.Odd"], ["a.Second", "a.Third"]]
        assert parse_vdex(whole).faults == ()

    def test_one_whose_apk_keeps_the_code_has_none(self, version: str) -> None:
        found = parse_vdex(build_vdex(version))
        assert (found.dex_files, found.faults) == ((), ())

    def test_a_file_that_is_cut_off_is_a_fault(self, version: str) -> None:
        whole = build_vdex(version, [FIRST, SECOND])
        end = whole.index(SECOND) + 200
        found = parse_vdex(whole[:end])
        assert [view.offset for view in found.dex_files][:1] == [whole.index(FIRST)]
        assert any("behind the file" in fault for fault in found.faults)

    def test_a_missing_dex_file_is_a_fault(self, version: str) -> None:
        whole = build_vdex(version, [FIRST, SECOND])
        damaged = whole.replace(SECOND[:12], bytes(12))
        found = parse_vdex(damaged)
        assert len(found.dex_files) == 1
        assert any("where number 2 of 2 should begin" in fault for fault in found.faults)

    def test_what_lies_behind_a_damaged_file_is_still_found(self, version: str) -> None:
        whole = build_vdex(version, [FIRST, SECOND, odd()])
        for at, damage in ((whole.index(FIRST) + 32, b"\x7f\x01\0\0"), (whole.index(SECOND), bytes(12))):
            found = parse_vdex(whole[:at] + damage + whole[at + len(damage) :])
            assert whole.index(odd()) in [view.offset for view in found.dex_files]
            assert any("should begin" in fault for fault in found.faults)

    def test_a_size_that_leads_astray_is_a_fault(self, version: str) -> None:
        whole = build_vdex(version, [FIRST, SECOND])
        at = whole.index(FIRST) + 32
        for size in (0, 0x6F, len(FIRST) - 8, len(FIRST) + 8, 0x7FFFFFFF):
            assert parse_vdex(with_word(whole, at, size)).faults

    def test_damage_never_hides_a_file_in_silence(self, version: str) -> None:
        whole = build_vdex(version, [FIRST, SECOND])
        expected = [view.offset for view in parse_vdex(whole).dex_files]
        for damaged in mutations(whole, 500):
            try:
                found = parse_vdex(damaged)
            except FormatError:
                continue
            offsets = [view.offset for view in found.dex_files]
            assert found.faults or offsets in (expected, [])
            assert sum(view.size for view in found.dex_files) <= len(whole)

    def test_every_prefix_is_read_or_refused(self, version: str) -> None:
        whole = build_vdex(version, [FIRST, SECOND])
        last = whole.index(SECOND) + len(SECOND)
        for part in prefixes(whole):
            try:
                found = parse_vdex(part)
            except FormatError:
                continue
            assert found.faults or len(part) >= last


@pytest.mark.parametrize("version", WITH_COMPACT)
def test_compact_files_share_the_data_behind_them(version: str) -> None:
    whole = compact(version)
    found = parse_vdex(whole)
    assert ([view.compact for view in found.dex_files], found.faults) == ([True, True], ())
    assert classes(whole) == [["a.C"], ["a.C", "a.D"]]


def test_standard_and_compact_files_may_stand_together() -> None:
    data = SharedData()
    whole = build_vdex("021", [FIRST, build_main(data, ["La/C;"])], data)
    assert classes(whole) == [["a.First"], ["a.C"]]


@pytest.mark.parametrize("version", ["006", "010", "019", "021"])
def test_a_count_that_is_too_small_is_a_fault(version: str) -> None:
    whole = build_vdex(version, [FIRST, SECOND])
    at = 12 if version in ("019", "021") else 8
    damaged = with_word(whole, at, 1)
    # The checksums are counted by the same number, so everything behind them moves as well.
    assert parse_vdex(damaged).faults


def test_a_count_of_checksums_that_is_too_small_is_a_fault() -> None:
    whole = build_vdex("027", [FIRST, SECOND])
    damaged = with_word(whole, 12 + 8, 4)
    assert any("behind the last of 1" in fault for fault in parse_vdex(damaged).faults)


@pytest.mark.parametrize("version", ["000", "003", "011", "018", "020", "026", "028", "999"])
def test_versions_that_no_release_writes_are_named(version: str) -> None:
    whole = b"vdex" + version.encode() + build_vdex("021", [FIRST])[7:]
    with pytest.raises(UnsupportedError, match=f"version {version}"):
        parse_vdex(whole)


def test_an_unknown_dex_section_is_named() -> None:
    whole = build_vdex("021", [FIRST])
    with pytest.raises(UnsupportedError, match="DEX section of version"):
        parse_vdex(whole[:8] + b"003\0" + whole[12:])


@pytest.mark.parametrize(
    "whole",
    [
        b"",
        b"vdex",
        b"vdex006\0",
        b"vdex027\0",
        b"vdex021\0" + b"002\0" + struct.pack("<4I", 1, 0, 0, 0),
        b"vdex021\0" + b"000\0" + struct.pack("<I", 0xFFFFFFFF),
        b"vdex027\0" + struct.pack("<I", 0xFFFFFFFF),
        b"vdex027\0" + struct.pack("<I", 0),
        b"vdex027\0" + struct.pack("<7I", 2, 0, 36, 4, 0, 36, 4),
        b"wdex021\0" + bytes(100),
        b"vdexabc\0" + bytes(100),
        b"dex\n035\0" + bytes(100),
    ],
)
def test_what_is_no_vdex_file_is_refused(whole: bytes) -> None:
    with pytest.raises(FormatError):
        parse_vdex(whole)


def test_the_mark_tells_it() -> None:
    assert is_vdex(build_vdex("027"))
    assert not is_vdex(b"vdex")
    assert not is_vdex(FIRST)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_number_of_files_and_their_bytes_are_bounded(version: str) -> None:
    whole = build_vdex(version, [FIRST] * 5)
    with pytest.raises(LimitError, match="5 DEX files"):
        parse_vdex(whole, replace(DEFAULT, dex_files=4))
    with pytest.raises(LimitError, match="bytes"):
        parse_vdex(whole, replace(DEFAULT, member_size=64))


def test_views_of_any_buffer_are_read() -> None:
    whole = build_vdex("021", [FIRST])
    assert parse_vdex(memoryview(whole)) == parse_vdex(bytearray(whole)) == parse_vdex(whole)


@pytest.mark.parametrize("version", ["019", "021", "027"])
def test_dex_files_that_the_header_denies_are_a_fault(version: str) -> None:
    whole = build_vdex(version) + bytes(8) + build_vdex(version, [odd()])
    found = parse_vdex(whole)
    assert found.dex_files == ()
    assert "the header says that there is none" in found.faults[0]
