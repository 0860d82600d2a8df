"""Compact DEX files give their classes and strings, from data that several of them share."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.dex import Dex, parse_dex, parse_dex_at, parse_dex_container
from auditor.formats.dex_code import DexCode
from auditor.limits import DEFAULT
from tests.builders.compact_dex import SharedData, build_main, point
from tests.builders.dex import ClassDef, build_dex, with_word
from tests.builders.mangle import mutations, prefixes

CLASSES = (
    ClassDef("Lcom/tencent/mm/opensdk/openapi/WXAPIFactory;"),
    ClassDef("La/B;", "Lcom/tencent/mm/opensdk/openapi/WXAPIFactory;", ("La/I;", "La/J;")),
    "La/I;",
)
STRINGS = ("weixin://", "", "prix: 5 €", "\U0001f600")


def alone(before: bytes = b"", behind: bytes = b"", version: str = "001") -> tuple[bytes, int]:
    """One file with its data behind it, after ``before``; and where it begins."""
    data = SharedData()
    main = build_main(data, CLASSES, STRINGS, version)
    return before + point(main, len(data.content), len(main)) + bytes(data.content) + behind, len(before)


def pair() -> tuple[bytes, int, int]:
    """Two files that share their data, as in a vdex file."""
    data = SharedData()
    first = build_main(data, CLASSES, STRINGS)
    second = build_main(data, ["La/I;", "Lother/Thing;"], ["weixin://", "only here"])
    size, end = len(data.content), len(first) + len(second)
    whole = point(first, size, end) + point(second, size, end - len(first)) + bytes(data.content)
    return whole, 0, len(first)


def names(dex: Dex) -> list[str]:
    return list(dex.classes)


@pytest.mark.parametrize("before", [b"", b"\0" * 60, b"vdex\n" * 7])
def test_classes_and_strings_are_read_wherever_the_file_begins(before: bytes) -> None:
    whole, offset = alone(before)
    dex = parse_dex_at(whole, offset)
    assert names(dex) == ["a.B", "a.I", "com.tencent.mm.opensdk.openapi.WXAPIFactory"]
    assert set(STRINGS) < set(dex.strings)
    assert dex.superclass_of("a.B") == "com.tencent.mm.opensdk.openapi.WXAPIFactory"
    assert dex.interfaces_of("a.B") == ("a.I", "a.J")
    assert (dex.version, dex.offset, dex.faults) == ("001", offset, ())


def test_offsets_count_from_the_start_of_the_whole_file() -> None:
    whole, offset = alone(b"\0" * 60)
    dex = parse_dex_at(whole, offset)
    place = dex.strings.offset_of("weixin://")
    assert place is not None
    assert whole[place + 1 :].startswith(b"weixin://\0")
    row = dex.classes.offset_of("a.B")
    assert row is not None
    assert offset < row < offset + dex.size


def test_files_that_share_their_data_keep_their_own_names() -> None:
    whole, first, second = pair()
    assert "other.Thing" not in names(parse_dex_at(whole, first))
    dex = parse_dex_at(whole, second)
    assert names(dex) == ["a.I", "other.Thing"]
    assert "only here" in dex.strings
    assert "prix: 5 €" not in dex.strings
    assert dex.faults == ()


def test_data_that_is_cut_off_is_refused() -> None:
    whole, offset = alone()
    with pytest.raises(FormatError, match="behind the file"):
        parse_dex_at(whole[:-1], offset)


def test_strings_outside_the_data_are_a_fault() -> None:
    whole, offset = alone(behind=b"text\0" * 40)
    (size,) = struct.unpack_from("<I", whole, 0x68)
    dex = parse_dex_at(with_word(whole, 0x68, size - 120), offset)
    assert any("strings lie outside the file" in fault for fault in dex.faults)


@pytest.mark.parametrize("field", [0x38, 0x40, 0x60])
def test_a_table_outside_the_main_part_is_a_fault(field: int) -> None:
    whole, offset = alone()
    dex = parse_dex_at(with_word(whole, field, 100_000), offset)
    assert any("lie outside the file" in fault for fault in dex.faults)


@pytest.mark.parametrize(
    ("whole", "message"),
    [
        (alone(version="002")[0], "version 002"),
        (with_word(alone()[0], 0x28, 0x78563412), "reversed"),
    ],
)
def test_variants_are_named(whole: bytes, message: str) -> None:
    with pytest.raises(UnsupportedError, match=message):
        parse_dex_at(whole, 0)


@pytest.mark.parametrize("offset", [0, 1, 10_000])
def test_what_is_no_dex_is_refused(offset: int) -> None:
    with pytest.raises(FormatError):
        parse_dex_at(b"cdxe001\0" + bytes(300), offset)


def test_outside_compiled_files_compact_dex_stays_unread() -> None:
    whole, _ = alone()
    for reader in (parse_dex, parse_dex_container):
        with pytest.raises(UnsupportedError, match="compact DEX"):
            reader(whole)


def test_its_code_is_counted_as_unread() -> None:
    for whole in (alone()[0], build_dex(["La/A;", "La/B;", "La/C;"])):
        code = DexCode(parse_dex_at(whole, 0).classes)
        assert list(code) == []
        assert code.unread == 3


def test_a_standard_dex_is_read_inside_its_own_bytes_only() -> None:
    inner = build_dex(["La/A;"], ["own"])
    whole = bytes(32) + inner + b"behind\0" * 9
    dex = parse_dex_at(whole, 32)
    assert (names(dex), dex.faults, dex.offset, dex.size) == (["a.A"], (), 32, len(inner))
    (table,) = struct.unpack_from("<I", inner, 0x3C)
    led_out = parse_dex_at(with_word(whole, 32 + table, len(inner) + 2), 32)
    assert any("strings lie outside the file" in fault for fault in led_out.faults)


def test_counts_are_bounded() -> None:
    whole, offset = alone()
    for name in ("dex_strings", "dex_classes"):
        with pytest.raises(LimitError):
            parse_dex_at(whole, offset, replace(DEFAULT, **{name: 2}))
    with pytest.raises(LimitError, match="bytes"):
        parse_dex_at(whole, offset, replace(DEFAULT, member_size=100))


@pytest.mark.tools
def test_the_reader_of_android_sees_the_same(tmp_path: Path) -> None:
    dexdump = shutil.which("dexdump")
    if dexdump is None:
        pytest.skip("dexdump is not installed")
    whole, offset = alone()
    (tmp_path / "compact.dex").write_bytes(whole)
    listing = subprocess.run([dexdump, str(tmp_path / "compact.dex")], capture_output=True, check=True).stdout.decode()
    found = {}
    for part in listing.split("Class descriptor  : ")[1:]:
        # The class itself, its superclass, then its interfaces.
        name, parent, *interfaces = re.findall(r"'L([^']+);'", "'" + part.partition("'")[2])
        found[name.replace("/", ".")] = (parent.replace("/", "."), [item.replace("/", ".") for item in interfaces])
    dex = parse_dex_at(whole, offset)
    assert found == {name: (dex.superclass_of(name), list(dex.interfaces_of(name))) for name in dex.classes}


def test_damage_is_read_or_refused() -> None:
    whole, _, second = pair()
    for damaged in (*prefixes(whole), *mutations(whole, 600)):
        for offset in (0, second):
            try:
                dex = parse_dex_at(damaged, offset)
            except FormatError:
                continue
            work = len(list(dex.classes)) + sum(len(value) for value in dex.strings)
            assert work <= 4 * len(whole)
