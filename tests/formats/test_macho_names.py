"""How names come out of symbol tables, export tries and string sections."""

from __future__ import annotations

import struct

import pytest

from auditor.formats.macho import Slice, parse_macho
from auditor.formats.macho_names import NameValues
from auditor.model import Values
from tests.builders.macho import (
    ABSOLUTE,
    ARMV7,
    DEFINED,
    INDIRECT,
    LOCAL,
    PRIVATE,
    STAB,
    UNDEFINED,
    Image,
    export_trie,
    uleb,
)


def only(image: Image) -> Slice:
    """The one slice of what the builder writes."""
    return parse_macho(image.build()).slices[0]


@pytest.mark.parametrize(
    ("kind", "symbol", "imported", "defines_class"),
    [
        (DEFINED, True, False, True),
        (PRIVATE, True, False, True),
        (ABSOLUTE, True, False, True),
        (LOCAL, False, False, True),
        (UNDEFINED, False, True, False),
        (0x0D, False, True, False),
        (INDIRECT, False, True, False),
        (STAB, False, False, False),
        (STAB | 1, False, False, False),
    ],
)
@pytest.mark.parametrize("wide", [True, False])
def test_what_each_symbol_type_means(kind: int, symbol: bool, imported: bool, defines_class: bool, wide: bool) -> None:
    name = "_OBJC_CLASS_$_X"
    item = only(Image(symbols=[(name, kind)], wide=wide, cpu=ARMV7))
    assert (name in item.symbols) is symbol
    assert (name in item.imports) is imported
    assert ("X" in item.objc_classes) is defines_class


@pytest.mark.parametrize("form", [1, 2, 3])
def test_chained_imports_of_every_form(form: int) -> None:
    image = Image(chained_imports=(form, ["_NSLog", "_OBJC_CLASS_$_NSObject"]), pointer_format=6)
    assert list(only(image).imports) == ["_NSLog", "_OBJC_CLASS_$_NSObject"]


def test_chained_imports_of_an_unknown_form_are_a_fault() -> None:
    item = only(Image(chained_imports=(9, ["_a"]), pointer_format=6))
    assert any("chained imports" in fault for fault in item.faults)


@pytest.mark.parametrize(
    "names",
    [
        ["_a"],
        ["_a", "_ab", "_abc", "_b"],
        ["_OBJC_CLASS_$_A", "_OBJC_CLASS_$_AB", "_OBJC_METACLASS_$_A"],
        ["_" + "x" * 9000],
        [f"_s{number:05}" for number in range(500)],
    ],
)
def test_a_trie_gives_back_its_names(names: list[str]) -> None:
    item = only(Image(exports=names))
    assert list(item.symbols) == sorted(names)
    assert item.faults == ()


@pytest.mark.parametrize(
    ("trie", "why"),
    [
        (b"\0\x01a\0\0", "an edge back to the root"),
        (b"\0\x02a\0\x08b\0\x08\0\0\0\0\0", "two edges to one node"),
        (b"\0\x01a\0\x7f", "an edge beyond the end"),
        (b"\0\xff", "children that are not there"),
        (b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", "an endless number"),
        (b"\0\x01aaaaaaaa", "a label without an end"),
        (b"\x7f", "terminal data that is not there"),
    ],
)
def test_a_faulty_trie_is_told_and_ends(trie: bytes, why: str) -> None:
    item = only(Image(trie=trie, symbols=[("_kept", DEFINED)]))
    assert "symbols" in item.damaged, why
    assert "_kept" in item.symbols


def test_a_trie_that_spells_out_far_more_than_it_holds_is_stopped() -> None:
    step = 1 + 1 + 201 + 4
    chain = b"".join(b"\0\x01" + b"x" * 200 + b"\0" + uleb((index + 1) * step, 4) for index in range(3000))
    item = only(Image(trie=chain + b"\0\0"))
    assert "symbols" in item.damaged


def test_symbol_names_that_overlap_beyond_measure_are_stopped() -> None:
    raw = bytearray(Image(symbols=[("", DEFINED)] * 4000 + [("y" * 4000, DEFINED)]).build())
    table = raw.index(b"\x02\0\0\0\x18\0\0\0")
    start = int.from_bytes(raw[table + 8 : table + 12], "little")
    for index in range(4000):
        raw[start + 16 * index : start + 16 * index + 4] = (4010 + index).to_bytes(4, "little")
    assert parse_macho(bytes(raw)).slices[0].faults == ("the names of the symbol table overlap beyond measure",)


def test_symbols_may_share_one_name() -> None:
    item = only(Image(symbols=[("_" + "x" * 200, DEFINED)] * 3))
    assert list(item.symbols) == ["_" + "x" * 200]
    assert item.faults == ()


def test_a_name_outside_the_string_table_is_counted() -> None:
    raw = bytearray(Image(symbols=[("_a", DEFINED), ("_b", DEFINED)]).build())
    table = raw.index(b"\x02\0\0\0\x18\0\0\0")
    start = int.from_bytes(raw[table + 8 : table + 12], "little")
    raw[start : start + 4] = b"\xff\xff\xff\x7f"
    item = parse_macho(bytes(raw)).slices[0]
    assert list(item.symbols) == ["_b"]
    assert item.faults == ("1 symbol names lie outside the string table",)


@pytest.mark.parametrize(
    "make", [lambda raw: NameValues(raw.split(b"\0")[:-1]), lambda raw: NameValues(None, ((64, raw),))]
)
def test_values_behave_alike_whether_split_or_given(make) -> None:  # type: ignore[no-untyped-def]
    values = make(b"com.a\0com.b\0zebra\0com.a\0")
    assert isinstance(values, Values)
    assert list(values) == ["com.a", "com.b", "zebra"]
    assert len(values) == 3
    assert list(values.with_prefix("com.")) == ["com.a", "com.b"]
    assert list(values.with_prefix("d")) == []
    assert "com.a" in values
    assert "com" not in values
    assert 7 not in values
    assert "\ud800" not in values


def test_offsets_are_those_of_whole_strings() -> None:
    values = NameValues(None, ((64, b"xab\0ab\0"), (500, b"first\0")))
    assert [values.offset_of(name) for name in ("ab", "xab", "first", "b")] == [68, 64, 500, None]


def test_names_that_are_no_text_are_spelled_out() -> None:
    item = only(Image(strings=["good", "caf\udce9", "支付"]))
    assert list(item.strings) == ["caf\\xe9", "good", "支付"]
    assert "caf\\xe9" in item.strings
    assert all(name.encode() for name in item.strings)


def test_the_trie_builder_shares_prefixes() -> None:
    assert export_trie(["_ab", "_ac"]).count(b"_") == 1


VERSIONS = {
    "between two strings": (["shop://", "1.2.3", "next"], ["shop:// | 1.2.3 | next"]),
    "two in a row": (["a", "10.0", "1.1", "b"], ["a | 10.0 | 1.1 | b", "a | 10.0 | 1.1"]),
    "first and last": (["1.2", "a", "3.4.5.6"], ["1.2 | a | 3.4.5.6 | ", "1.2 | a"]),
    "a word behind the number": (["status_version", "3.1_lite", "i"], ["status_version | 3.1_lite | i"]),
    "empty strings are passed over": (["a", "", "", "1.2", "", "b"], ["a | 1.2 | b"]),
    "twelve strings before it": (
        [*(f"s{number}" for number in range(20)), "1.2", "b"],
        [" | ".join([*(f"s{number}" for number in range(8, 20)), "1.2", "b"])],
    ),
    "long strings are cut": (
        ["f" * 99, "n" * 999, "1.2", "b" * 999],
        [f"{'f' * 40} | {'n' * 160} | 1.2 | {'b' * 160}"],
    ),
    "no version": (
        ["1", "v1.2", "1.2.3.4.5", "1.2 ", "1..2", ".1.2", "1.2.", "1.1234567890", "1.2_", "1.2_LITE", "1.2-lite"],
        [],
    ),
}


@pytest.mark.parametrize("case", VERSIONS)
def test_version_numbers_come_with_their_neighbours(case: str) -> None:
    strings, expected = VERSIONS[case]
    assert list(only(Image(strings=strings)).versions) == sorted(expected)


def test_encrypted_version_numbers_are_not_read() -> None:
    assert list(only(Image(strings=["a", "1.2.3", "b"], cryptid=1)).versions) == []


@pytest.mark.parametrize(("count", "faults"), [(1, ()), (20, ("sections named __cstring overlap",))])
def test_sections_that_name_the_same_bytes_do_not_add_up(count: int, faults: tuple[str, ...]) -> None:
    size = len(Image(strings=["AlipaySDK"]).build()) // 2
    head = struct.pack("<16s4Q4I", b"__MORE", 1 << 40, size, 0, 0, 5, 5, count, 0)
    rows = [struct.pack("<16s16s2Q8I", b"__cstring", b"__MORE", 1 << 40, size, 4096, *[0] * 7)] * count
    image = Image(strings=["AlipaySDK"])
    image.commands.append(image.command(0x19, head + b"".join(rows)))
    item = only(image)
    assert item.faults == faults
    assert "AlipaySDK" in item.strings
