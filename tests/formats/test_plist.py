"""Property lists of both kinds, the attacks on their readers, and tolerant access to values."""

from __future__ import annotations

import plistlib
import random
import struct
from dataclasses import replace
from datetime import datetime

import pytest

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.plist import flag, items, moment, parse_plist, plain, sorted_strings, strings, table, text
from auditor.limits import Limits

VALUE = {
    "CFBundleIdentifier": "com.example.shop",
    "CFBundleName": "支付",
    "CFBundleURLTypes": [{"CFBundleURLSchemes": ["wx0123456789abcdef", "shop"]}],
    "LSRequiresIPhoneOS": True,
    "Number": 7,
    "Big": 2**63,
    "Negative": -1,
    "Real": 1.5,
    "Data": b"\0\xff",
    "Date": datetime(2026, 11, 22, 10, 0, 0),
}
HEAD = b'<?xml version="1.0" encoding="UTF-8"?><plist version="1.0">'


def binary(objects: list[bytes], top: int = 0, count: int | None = None) -> bytes:
    """A binary property list of raw objects, with one-byte offsets and references."""
    content, offsets = b"bplist00", b""
    for item in objects:
        offsets += bytes([len(content)])
        content += item
    number = len(objects) if count is None else count
    return content + offsets + struct.pack(">6xBBQQQ", 1, 1, number, top, len(content))


@pytest.mark.parametrize("form", [plistlib.FMT_XML, plistlib.FMT_BINARY])
def test_both_kinds_give_the_same_value(form: plistlib.PlistFormat) -> None:
    assert parse_plist(plistlib.dumps(VALUE, fmt=form)) == VALUE


@pytest.mark.parametrize(
    "data",
    [
        HEAD + b"<string>x</string></plist>",
        b"\xef\xbb\xbf" + HEAD + b"<string>x</string></plist>",
        b"\n\n  " + HEAD + b"<string>x</string></plist>\n\0\0",
        b"<plist><string>x</string></plist>",
        b"<!DOCTYPE plist><plist><string>x</string></plist>",
        '<?xml version="1.0" encoding="UTF-16"?><plist><string>x</string></plist>'.encode("utf-16"),
        memoryview(plistlib.dumps("x")),
        bytearray(plistlib.dumps("x", fmt=plistlib.FMT_BINARY)),
    ],
)
def test_every_dress_of_a_property_list(data: bytes) -> None:
    assert parse_plist(data) == "x"


def test_keyed_archives_keep_their_references() -> None:
    data = plistlib.dumps({"$top": {"root": plistlib.UID(1)}}, fmt=plistlib.FMT_BINARY)
    assert parse_plist(data) == {"$top": {"root": plistlib.UID(1)}}


@pytest.mark.parametrize(
    "data", [b"{ a = b; }", b"( a, b )", b'"text"', b"// comment\n{}", b"a = b;", b"bplist15" + bytes(60)]
)
def test_other_kinds_are_named_and_not_read(data: bytes) -> None:
    with pytest.raises(UnsupportedError):
        parse_plist(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" \n ",
        b"\0\0\0",
        b"\x80\x81",
        b"<",
        b"<html></html>",
        HEAD,
        HEAD + b"</plist>",
        HEAD + b"<dict><string>no key</string></dict></plist>",
        HEAD + b"<dict><key>a</key></dict></plist>",
        HEAD + b"<key>a</key></plist>",
        HEAD + b"<integer>x</integer></plist>",
        HEAD + b"<integer>" + b"9" * 5000 + b"</integer></plist>",
        HEAD + b"<real>x</real></plist>",
        HEAD + b"<date>2026-99-99T00:00:00Z</date></plist>",
        HEAD + b"<date>soon</date></plist>",
        HEAD + b"<data>!!!a</data></plist>",
        HEAD + b"<surprise/></plist>",
        HEAD.replace(b"UTF-8", b"nonsense") + b"<string>x</string></plist>",
        b"bplist00",
        b"bplist00" + bytes(40),
        binary([b"\x50"], top=9),
        binary([b"\x50"], count=200),
        binary([b"\x5f\x13" + b"\xff" * 8]),
        binary([b"\x4f\x13" + b"\x7f" * 8]),
        binary([b"\xaf\x13" + b"\x7f" * 8]),
        binary([b"\xd1\x01\x02", b"\xa0", b"\x50"]),
        binary([b"\xee"]),
        binary([b"\x61\xd8"]),
        binary([b"\x33" + b"\x7f" * 8]),
    ],
)
def test_damage_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_plist(data)


@pytest.mark.parametrize(
    "declaration",
    [
        '<!ENTITY a "aaaa">',
        '<!ENTITY a "a"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">',
        '<!ENTITY % a SYSTEM "file:///etc/hostname"> %a;',
        '<!ENTITY a SYSTEM "file:///etc/hostname">',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entity_declarations_are_refused(declaration: str, encoding: str) -> None:
    body = f"<!DOCTYPE plist [{declaration}]><plist><string>x</string></plist>"
    with pytest.raises(FormatError):
        parse_plist(f'<?xml version="1.0" encoding="{encoding}"?>{body}'.encode(encoding))


@pytest.mark.parametrize(
    "objects",
    [
        [b"\xa1\x00"],
        [b"\xd1\x01\x00", b"\x51a"],
        [b"\xa1\x01", b"\xa1\x00"],
    ],
)
def test_a_list_that_contains_itself_is_refused(objects: list[bytes]) -> None:
    with pytest.raises(FormatError):
        parse_plist(binary(objects))


def test_a_small_list_that_unfolds_into_billions_is_refused() -> None:
    objects = [b"\xaa" + bytes([level + 1]) * 10 for level in range(12)]
    with pytest.raises(LimitError):
        parse_plist(binary([*objects, b"\x50"]))


def test_objects_that_overlap_cannot_multiply_the_input() -> None:
    size = 3000
    content = b"bplist00" + b"\xaf\x10" + bytes([200]) + bytes(range(1, 201))
    blob = b"".join(b"\x4f\x11" + struct.pack(">H", size - 10 * index) for index in range(200))
    start = len(content)
    content += blob + bytes(size + 2000)
    offsets = [8, *(start + 4 * index for index in range(200))]
    data = content + struct.pack(">201H", *offsets) + struct.pack(">6xBBQQQ", 2, 1, 201, 0, len(content))
    with pytest.raises(FormatError, match="overlap"):
        parse_plist(data)


@pytest.mark.parametrize("form", [plistlib.FMT_XML, plistlib.FMT_BINARY])
def test_depth_size_and_number_are_bounded(form: plistlib.PlistFormat) -> None:
    deep: object = "x"
    for _ in range(40):
        deep = [deep]
    data = plistlib.dumps(deep, fmt=form)
    assert parse_plist(data) == deep
    with pytest.raises(LimitError):
        parse_plist(data, replace(Limits(), xml_depth=30))
    many = plistlib.dumps(list(range(1000)), fmt=form)
    with pytest.raises(LimitError):
        parse_plist(many, replace(Limits(), xml_elements=500))
    with pytest.raises(LimitError):
        parse_plist(many, replace(Limits(), manifest_size=100))


@pytest.mark.parametrize("form", [plistlib.FMT_XML, plistlib.FMT_BINARY])
def test_nesting_beyond_any_stack_is_refused(form: plistlib.PlistFormat) -> None:
    if form is plistlib.FMT_XML:
        data = HEAD + b"<array>" * 50_000 + b"</array>" * 50_000 + b"</plist>"
    else:
        offsets = b"".join(struct.pack(">H", 8 + 3 * index) for index in range(5000))
        content = b"bplist00" + b"".join(b"\xa1" + struct.pack(">H", index + 1) for index in range(4999)) + b"\x50\0\0"
        data = content + offsets + struct.pack(">6xBBQQQ", 2, 2, 5000, 0, len(content))
    with pytest.raises(FormatError):
        parse_plist(data)


@pytest.mark.parametrize("form", [plistlib.FMT_XML, plistlib.FMT_BINARY])
def test_every_prefix_and_flipped_bits_are_read_or_refused(form: plistlib.PlistFormat) -> None:
    good = plistlib.dumps(VALUE, fmt=form)
    rng = random.Random(11)
    samples = [good[:end] for end in range(len(good))]
    for _ in range(800):
        data = bytearray(good)
        for _ in range(rng.randint(1, 3)):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        samples.append(bytes(data))
    refused = 0
    for data in samples:
        try:
            parse_plist(data)
        except FormatError:
            refused += 1
    assert refused > len(good) // 2


@pytest.mark.parametrize(
    ("value", "expected"),
    [("a", "a"), (7, "7"), (1.5, "1.5"), (True, ""), (None, ""), (b"a", ""), (["a"], ""), ({}, "")],
)
def test_text_is_tolerant(value: object, expected: str) -> None:
    assert text(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(["a", 1, "b", None, ["c"]], ("a", "b")), ("lone", ("lone",)), (7, ()), (None, ()), ({"a": 1}, ())],
)
def test_strings_leave_out_what_is_none(value: object, expected: tuple[str, ...]) -> None:
    assert strings(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        (False, False),
        (1, True),
        (0, False),
        (2, None),
        ("YES", True),
        ("false", False),
        ("maybe", None),
        (None, None),
        ([], None),
    ],
)
def test_flags_have_three_states(value: object, expected: bool | None) -> None:
    assert flag(value) is expected


def test_tables_items_moments_and_plain_values() -> None:
    assert table({"a": 1, 2: 3}) == {"a": 1}
    assert table([1]) == {}
    assert items([1, "a"]) == [1, "a"]
    assert items("a") == []
    assert moment(datetime(2026, 1, 2)) == "2026-01-02T00:00:00Z"
    assert moment("2026") == ""
    assert plain({"a": [b"\x01", plistlib.UID(3), None, 2.5]}) == {"a": ["01", "UID(3)", "None", 2.5]}
    assert sorted_strings(["b", "", "a", "b"]) == ("a", "b")
