"""Text and binary XML of the system become one tree; what is neither, or dangerous, is refused."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from auditor.errors import FormatError, LimitError
from auditor.formats.android_state_tree import Element, hex_number, moment_of, truth, whole_number
from auditor.formats.android_state_xml import parse_state_xml, root_name
from auditor.limits import DEFAULT
from tests.builders.abx import Node, Value, abx, flag, hexed, long_hex, node, number, text_xml, twins
from tests.builders.mangle import mutations, prefixes

SMALL = node("packages", {}, node("package", {"name": "a.b", "ft": long_hex(-1)}), node("note", text="x < y"))


@pytest.mark.parametrize("data", twins(SMALL))
def test_both_forms_are_read(data: bytes) -> None:
    root = parse_state_xml(data).root
    assert root == Element(
        "packages", {}, [Element("package", {"name": "a.b", "ft": "-1"}), Element("note", text="x < y")]
    )


def random_node(source: random.Random, depth: int = 0) -> Node:
    values: list[Value] = [number(source.randint(-9, 9)), flag(True), hexed(b"\x80"), long_hex(source.getrandbits(62))]
    attributes = {f"a{index}": source.choice([*values, "täxt", ""]) for index in range(source.randrange(4))}
    inner = range(source.randrange(5) if depth < 4 else 0)
    text = source.choice(["", "one two", "<&>"])
    return node(f"e{source.randrange(5)}", attributes, *(random_node(source, depth + 1) for _ in inner), text=text)


def test_twins_of_any_shape_are_equal() -> None:
    source = random.Random(20260101)
    for _ in range(200):
        item = random_node(source)
        assert parse_state_xml(text_xml(item)) == parse_state_xml(abx(item))


def test_a_childless_element_is_there() -> None:
    found = parse_state_xml(text_xml(SMALL)).root
    assert found.first("package") is not None
    assert found.first("absent") is None
    assert found.get("absent") == ""


def test_the_walk_follows_the_document() -> None:
    item = node("a", {}, node("b", {}, node("c")), node("d"))
    assert [element.name for element in parse_state_xml(abx(item)).root.walk()] == ["a", "b", "c", "d"]


def test_text_behind_a_child_is_left_out() -> None:
    found = parse_state_xml(b"<a>one<b>two</b>three</a>").root
    assert (found.text, found.children[0].text) == ("one", "two")


def test_a_document_that_breaks_off_keeps_what_was_before() -> None:
    data = text_xml(SMALL)
    found = parse_state_xml(data[: data.index(b"<note") + 3])
    assert [item.name for item in found.root.children] == ["package"]
    assert found.fault is not None
    assert found.fault.offset is not None


def test_zeros_behind_the_end_do_no_harm_and_hide_no_cut() -> None:
    data = text_xml(SMALL)
    assert parse_state_xml(data + bytes(4096)).fault is None
    assert parse_state_xml(data[:-15] + bytes(4096)).fault is not None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(4096),
        b"packages",
        b"\xef\xbb\xbf",
        b"<?xml version='1.0'?>",
        b"<!DOCTYPE packages><packages/>",
        b"<!DOCTYPE p [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><p>&b;</p>",
        b"<!DOCTYPE p SYSTEM 'file:///etc/passwd'><p/>",
        b"<?xml version='1.0' encoding='no-such'?><p/>",
        b"<?xml version='1.0' encoding='utf-7'?><p/>",
        b"<>",
    ],
)
def test_what_is_no_document_or_a_dangerous_one_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_state_xml(data)


def test_depth_elements_attributes_and_size_are_bounded() -> None:
    deep = parse_state_xml(b"<a>" * (DEFAULT.xml_depth + 9))
    assert isinstance(deep.fault, LimitError)
    few = replace(DEFAULT, record_elements=3)
    assert isinstance(parse_state_xml(b"<a>" + b"<b/>" * 9 + b"</a>", few).fault, LimitError)
    with pytest.raises(LimitError):
        parse_state_xml(b"<a " + b" ".join(b"x%d='1'" % index for index in range(13)) + b"/>", few)
    with pytest.raises(LimitError, match="record_size"):
        parse_state_xml(b"<a/>", replace(DEFAULT, record_size=3))


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (text_xml(SMALL), "packages"),
        (abx(SMALL), "packages"),
        (abx(SMALL, start=False), "packages"),
        (b"\xef\xbb\xbf<packages>", "packages"),
        (b"<?xml version='1.0'?>\n<!-- a - comment -->\n<package-restrictions />", "package-restrictions"),
        (b"<packages/>", "packages"),
        (b"<packages", ""),
        (b"<!-- " + b"x" * 5000 + b" --><packages>", ""),
        (abx(SMALL)[:12], ""),
        (b"ABX\0\x10\x24", ""),
        (b"PK\x03\x04", ""),
        (b"", ""),
    ],
)
def test_the_root_is_named_by_the_first_bytes(head: bytes, name: str) -> None:
    assert root_name(head) == name


def test_damage_is_read_or_refused() -> None:
    for data in twins(SMALL):
        for damaged in (*prefixes(data), *mutations(data, 500)):
            root_name(damaged)
            try:
                parse_state_xml(damaged)
            except FormatError:
                continue


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-1", -1),
        ("ffffffffffffffff", -1),
        ("FFFFFFFFFFFFFFFF", -1),
        ("8000000000000000", -(1 << 63)),
        ("7fffffffffffffff", (1 << 63) - 1),
        ("0x1f", 31),
        ("18bcfe56800", 1_700_000_000_000),
        ("10000000000000000", None),
        ("", None),
        ("x", None),
        ("1_0", None),
        ("١", None),
    ],
)
def test_hex_numbers_of_every_release_are_read(text: str, value: int | None) -> None:
    assert hex_number(text) == value


@pytest.mark.parametrize(
    ("text", "value"), [("12", 12), ("-3", -3), ("", None), ("1e3", None), ("9" * 21, None), ("²", None), (" 1", None)]
)
def test_whole_numbers_are_read(text: str, value: int | None) -> None:
    assert whole_number(text) == value


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), ("FALSE", False), ("0", False), ("", None)])
def test_booleans_are_read(text: str, value: bool | None) -> None:
    assert truth(text) is value


@pytest.mark.parametrize(
    ("milliseconds", "moment"),
    [
        (1_700_000_000_000, "2023-11-14T22:13:20Z"),
        (1, "1970-01-01T00:00:00Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59Z"),
        (253_402_300_800_000, ""),
        (0, ""),
        (-1, ""),
        (None, ""),
    ],
)
def test_milliseconds_become_moments(milliseconds: int | None, moment: str) -> None:
    assert moment_of(milliseconds) == moment
