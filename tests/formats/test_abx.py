"""Binary XML gives the tree that its text twin gives, and nonsense ends with a fault or an error."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.abx import is_abx, parse_abx
from auditor.formats.android_state_tree import Element
from auditor.formats.android_state_xml import parse_state_xml
from auditor.limits import DEFAULT
from tests.builders.abx import (
    NULL,
    AbxWriter,
    Interned,
    Typed,
    Value,
    abx,
    base64ed,
    double,
    flag,
    hexed,
    long,
    long_hex,
    node,
    number,
    number_hex,
    real,
    short,
    text_xml,
)
from tests.builders.mangle import mutations, prefixes

RICH = node(
    "packages",
    {"a": "text", "b": Interned("pooled")},
    node("x", {"b": Interned("pooled"), "n": number(-5), "h": long_hex(255)}, text="words & signs"),
    node("x", {"k": hexed(b"\x00\xff"), "t": flag(True)}, node("y", {"z": "ä€𐍈"}), node("y")),
)

VALUES: list[tuple[Value, str]] = [
    ("", ""),
    ("plain", "plain"),
    (Interned("plain"), "plain"),
    (hexed(b"\xde\xad\x00"), "dead00"),
    (hexed(b""), ""),
    (base64ed(b"\x00\x01\x02"), "AAEC"),
    (number(-(1 << 31)), "-2147483648"),
    (number_hex(255), "ff"),
    (number_hex(-1), "-1"),
    (long(1 << 62), "4611686018427387904"),
    (long_hex(0x18BCFE56800), "18bcfe56800"),
    (long_hex(-1), "-1"),
    (flag(True), "true"),
    (flag(False), "false"),
    (real(1.0, "1.0"), "1.0"),
    (real(0.3, "0.3"), "0.3"),
    (real(float("nan"), "nan"), "nan"),
    (double(0.1, "0.1"), "0.1"),
]


def read(writer: AbxWriter) -> Element:
    found = parse_abx(writer.done())
    assert found.fault is None
    return found.root


@pytest.mark.parametrize(("value", "text"), VALUES)
def test_every_type_of_value_is_shown_as_text_xml_shows_it(value: Value, text: str) -> None:
    assert read(AbxWriter().open("e").attribute("v", value).close("e")).attributes == {"v": text}


def test_the_twins_are_equal() -> None:
    binary, text = parse_state_xml(abx(RICH)), parse_state_xml(text_xml(RICH))
    assert binary == text
    assert parse_state_xml(text_xml(RICH, indent=False)) == binary
    assert [child.name for child in binary.root.children] == ["x", "x"]
    assert binary.root.children[0].text == "words & signs"
    assert binary.root.children[1].children[0].get("z") == "ä€𐍈"


def test_null_is_no_attribute() -> None:
    assert read(AbxWriter().open("e").attribute("v", NULL).close("e")).attributes == {}


def test_the_first_of_equal_attributes_counts() -> None:
    writer = AbxWriter().open("e").attribute("v", "1").attribute("v", "2").close("e")
    assert read(writer).get("v") == "1"


@pytest.mark.parametrize("size", [0x7FFF, 0x8000, 0xFFFF])
def test_lengths_are_unsigned(size: int) -> None:
    root = read(AbxWriter().open("e").attribute("v", hexed(b"\x80" * size)).attribute("w", "x" * size).close("e"))
    assert root.get("v") == "80" * size
    assert root.get("w") == "x" * size


def test_strings_are_modified_utf8_or_plain() -> None:
    pair = b"\xed\xa0\xbd\xed\xb8\x80"
    writer = AbxWriter().open("e").raw(b"\x2f" + b"\xff\xff" + short(b"v") + short(pair)).close("e")
    # The raw attribute interned "v" behind the writer's back, as the second string.
    assert read(writer).get("v") == "\U0001f600"


def test_a_full_pool_takes_no_more_strings() -> None:
    writer = AbxWriter().open("e")
    for index in range(0xFFFF - 1):
        writer.attribute("v", Interned(str(index)))
        if index == 0:
            writer.close("e").open("r")
    writer.attribute("last", "x").attribute("late", "y").attribute("late", "z").close("r")
    document = parse_abx(writer.done())
    assert document.fault is None
    assert document.root.children[1].get("late") == "y"


def test_the_start_and_the_end_of_the_document_may_be_absent() -> None:
    assert parse_abx(abx(RICH, start=False)[:-1]) == parse_abx(abx(RICH))


def test_several_roots_lie_under_one_without_a_name() -> None:
    root = parse_abx(abx(node("a"), node("b"))).root
    assert (root.name, [child.name for child in root.children]) == ("", ["a", "b"])


def test_comments_and_the_like_are_skipped_and_entities_are_text() -> None:
    writer = AbxWriter().open("e")
    for event in (7, 8, 9, 10):
        writer.raw(bytes([0x20 | event]) + short(b"skipped"))
    writer.raw(b"\x24" + short(b" a ")).raw(b"\x26" + short(b"amp")).raw(b"\x25" + short(b"b "))
    assert read(writer.open("c").close("c").raw(b"\x24" + short(b"tail")).close("e")).text == "a &b"


def test_elements_know_where_they_lie() -> None:
    data = abx(RICH)
    for element in parse_abx(data).root.walk():
        assert data[element.offset] == 0x32
    text = text_xml(RICH)
    for element in parse_state_xml(text).root.walk():
        assert text[element.offset :].startswith(f"<{element.name}".encode())


@pytest.mark.parametrize(
    ("writer", "fault"),
    [
        (AbxWriter().open("e").raw(b"\x32\x00\x07"), "string 7 of a pool of 1"),
        (AbxWriter().open("e").raw(b"\x3f\x00\x00\x12\x34"), "string 4660 of a pool of 1"),
        (AbxWriter().open("e").raw(b"\x22" + short(b"x")), "name of type 2"),
        (AbxWriter().open("e").open("f").close("e"), "end tag of <e>"),
        (AbxWriter().open("e").close("e").close("e"), "end tag of <e>"),
        (AbxWriter().open("e").open("f"), "ends inside <f>"),
        (AbxWriter().open("e").raw(b"\x24" + short(b"t")).attribute("v", "1"), "outside of a start tag"),
        (AbxWriter().open("e").raw(b"\x1b"), "unknown token 0x1b"),
        (AbxWriter().open("e").attribute("v", Typed(None, 14)), "unknown type 14"),
        (AbxWriter().open("e").raw(b"\xe4"), "unknown type 14"),
        (AbxWriter().open("e").raw(b"\x4f" + b"\x00\x00" + b"\xff\xff" + b"short"), "cut off"),
    ],
)
def test_nonsense_ends_the_document_with_a_fault_and_keeps_what_was_before(writer: AbxWriter, fault: str) -> None:
    document = parse_abx(writer.done())
    assert document.root.name in ("e", "")
    assert document.fault is not None
    assert fault in str(document.fault)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", FormatError),
        (b"ABX", FormatError),
        (b"ABX\0", FormatError),
        (b"ABX\0\x10\x11", FormatError),
        (b"ABX\0\x2f", FormatError),
        (b"ABX\x01\x10", UnsupportedError),
        (b"<packages/>", FormatError),
        (b"ABX file", FormatError),
    ],
)
def test_what_is_no_binary_xml_is_refused(data: bytes, error: type[FormatError]) -> None:
    with pytest.raises(error):
        parse_abx(data)


def test_the_mark_tells_it() -> None:
    assert is_abx(abx(RICH))
    assert is_abx(b"ABX\x01")
    assert not is_abx(b"ABX")
    assert not is_abx(b"ABXE rhymes")
    assert not is_abx(text_xml(RICH))


def test_depth_elements_attributes_and_size_are_bounded() -> None:
    deep = AbxWriter()
    for _ in range(DEFAULT.xml_depth + 5):
        deep.open("d")
    fault = parse_abx(deep.done()).fault
    assert isinstance(fault, LimitError)
    few = replace(DEFAULT, record_elements=3)
    many = abx(node("r", {}, *(node("c") for _ in range(9))))
    assert len(list(parse_abx(many, few).root.walk())) == 3
    assert "record_elements" in str(parse_abx(many, few).fault)
    wide = abx(node("r", {f"a{index}": number(index) for index in range(13)}))
    assert "more than 12 attributes" in str(parse_abx(wide, few).fault)
    chatter = AbxWriter().open("r").raw((b"\x29" + short(b"comment")) * 13).close("r").done()
    assert "more than 12 attributes and texts" in str(parse_abx(chatter, few).fault)
    with pytest.raises(LimitError, match="record_size"):
        parse_abx(many, replace(DEFAULT, record_size=10))


def test_a_long_string_used_everywhere_is_held_once() -> None:
    writer = AbxWriter().open("r")
    for _ in range(500):
        writer.open("e").attribute("v", Interned("x" * 0xFFFF)).close("e")
    root = read(writer.close("r"))
    assert len({id(child.attributes["v"]) for child in root.children}) == 1


def test_every_prefix_is_read_in_part_or_refused() -> None:
    data = abx(RICH)
    for cut in prefixes(data):
        try:
            found = parse_abx(cut)
        except FormatError:
            continue
        # Only the mark of the end may be missing without harm.
        assert found.fault is not None or len(cut) == len(data) - 1


def test_damage_is_read_or_refused() -> None:
    few = replace(DEFAULT, record_elements=200)
    for damaged in mutations(abx(RICH) * 2, 1000):
        try:
            found = parse_abx(damaged, few)
        except FormatError:
            continue
        assert len(list(found.root.walk())) <= 201


def test_the_operands_are_big_endian() -> None:
    raw = b"ABX\0\x10\x32\xff\xff\x00\x01e\x6f\xff\xff\x00\x01v" + struct.pack(">i", 258) + b"\x33\x00\x00\x11"
    assert parse_abx(raw).root.attributes == {"v": "258"}
