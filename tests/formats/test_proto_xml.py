"""Protobuf manifests and resource tables of app bundles are read without a protobuf library, within bounds."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest

from auditor.errors import FormatError, LimitError
from auditor.formats.android_xml import Value
from auditor.formats.proto_wire import find_fields, read_varint
from auditor.formats.proto_xml import parse_proto_resources, parse_proto_xml
from auditor.limits import DEFAULT, Limits
from tests.builders.axml import IDS, Attr, Node, Plain, Ref, Typed, el, manifest
from tests.builders.mangle import mutations, prefixes
from tests.builders.protobuf import (
    block,
    entry,
    fixed32,
    item,
    number,
    package,
    proto_xml,
    reference,
    resource_table,
    resource_type,
    varint,
)

LABEL = 0x7F010000


class TestWire:
    @pytest.mark.parametrize("value", [0, 1, 127, 128, 300, 1 << 31, (1 << 32) - 1, (1 << 64) - 1])
    def test_varints(self, value: int) -> None:
        assert read_varint(varint(value), 0, len(varint(value))) == (value, len(varint(value)))

    @pytest.mark.parametrize("data", [b"", b"\x80", b"\xff" * 10, b"\xff" * 20])
    def test_varints_that_do_not_end(self, data: bytes) -> None:
        with pytest.raises(FormatError):
            read_varint(data, 0, len(data))

    def test_fields(self) -> None:
        data = number(1, 5) + block(2, "ab") + fixed32(3, 0.0) + varint(4 << 3 | 1) + b"\1" + b"\0" * 7
        assert list(find_fields(data, 0, len(data))) == [(1, 0, 5, 0), (2, 2, 4, 6), (3, 5, 0, 0), (4, 1, 1, 0)]

    @pytest.mark.parametrize(
        "data",
        [
            block(1, "abc")[:-1],
            fixed32(1, 1.0)[:-1],
            varint(1 << 3 | 1) + b"\0" * 7,
            varint(1 << 3 | 3),
            varint(1 << 3 | 4),
            varint(1 << 3 | 6),
            varint(0) + varint(0),
            varint(1 << 3 | 2) + varint((1 << 64) - 1),
        ],
        ids=["block", "fixed32", "fixed64", "group", "end group", "wire type 6", "field 0", "endless block"],
    )
    def test_damaged_fields(self, data: bytes) -> None:
        with pytest.raises(FormatError):
            list(find_fields(data, 0, len(data)))


class TestXml:
    @pytest.mark.parametrize(
        ("written", "read"),
        [
            ("text", Value(3, 0, "text")),
            (42, Value(0x10, 42)),
            (-1, Value(0x10, 0xFFFFFFFF)),
            (True, Value(0x12, 1)),
            (False, Value(0x12, 0)),
            (1.5, Value(0x04, 0x3FC00000)),
            (Ref(LABEL), Value(1, LABEL)),
            (Typed(0, 0), Value(0, 0)),
        ],
    )
    def test_values_by_resource_id(self, written: Plain, read: Value) -> None:
        assert parse_proto_xml(proto_xml(el("manifest", value=written))).root.ids == {IDS["value"]: read}

    @pytest.mark.parametrize(
        ("attribute", "found"),
        [
            (Attr("package", "a.b", 0, None), {"package"}),
            (Attr("name", "x"), {"android:name"}),
            (Attr("name", "x", 0, "urn:other"), set()),
        ],
    )
    def test_attributes_without_resource_id_by_name(self, attribute: Attr, found: set[str]) -> None:
        root = parse_proto_xml(proto_xml(Node("manifest", [attribute]))).root
        assert (set(root.names), root.ids) == (found, {})

    def test_children_keep_their_order(self) -> None:
        root = parse_proto_xml(proto_xml(manifest(el("a", el("b")), el("c")))).root
        assert [(each.name, [below.name for below in each.children]) for each in root.children] == [
            ("a", ["b"]),
            ("c", []),
        ]

    @pytest.mark.parametrize("data", [b"", b"\x0a", block(2, "only text"), block(1, b"\xff"), b"\0" * 16, b"PK\3\4"])
    def test_what_is_no_document_is_a_format_error(self, data: bytes) -> None:
        with pytest.raises(FormatError):
            parse_proto_xml(data)

    @pytest.mark.parametrize(
        "data",
        [
            proto_xml(manifest()) + b"\x12\x80\x40" + b"x" * 0x2000,
            proto_xml(el("a", el("a", el("a", el("a", el("a")))))),
            proto_xml(manifest(*[el("a")] * 30)),
            block(1, block(5, b"") * 200),
            block(1, block(4, b"") * 200),
        ],
        ids=["size", "depth", "elements", "empty nodes", "empty attributes"],
    )
    def test_limits_hold(self, data: bytes) -> None:
        with pytest.raises(LimitError):
            parse_proto_xml(data, Limits(manifest_size=5_000, xml_depth=3, xml_elements=20))

    def test_strings_are_cut_at_their_limit(self) -> None:
        root = parse_proto_xml(proto_xml(manifest(label="ä" * 99)), replace(DEFAULT, string_length=10)).root
        assert root.ids[IDS["label"]].text == "ä" * 10


TABLE = resource_table(
    package(
        0x7F,
        "com.example.app",
        resource_type(
            1,
            "string",
            entry(0, "app_name", ("", item("App")), ("de", item("Anwendung")), ("zh-Hant-TW", item("應用"))),
            entry(1, "alias", ("", reference(LABEL)), ("fr", reference(LABEL))),
            entry(2, "by_name", ("", reference(0, "string/app_name"))),
            entry(3, "circle", ("", reference(LABEL + 3))),
            entry(4, "raw", ("", block(3, block(1, "raw")))),
            entry(5, "styled", ("", block(4, block(1, "styled") + block(2, block(1, "b"))))),
            entry(6, "empty", ("", block(2, b""))),
        ),
        resource_type(2, "integer", entry(0, "number", ("", item(42))), entry(1, "flag", ("", item(True)))),
        resource_type(3, "style", entry(0, "theme")),
    )
)


class TestResources:
    @pytest.mark.parametrize(
        ("resource_id", "values"),
        [
            (LABEL, (("", "App"), ("de", "Anwendung"), ("zh-Hant-TW", "應用"))),
            (LABEL + 1, (("", "App"), ("de", "Anwendung"), ("fr", "App"), ("zh-Hant-TW", "應用"))),
            (LABEL + 2, (("", "App"), ("de", "Anwendung"), ("zh-Hant-TW", "應用"))),
            (LABEL + 3, ()),
            (LABEL + 4, (("", "raw"),)),
            (LABEL + 5, (("", "styled"),)),
            (LABEL + 6, (("", ""),)),
            (0x7F020000, (("", "42"),)),
            (0x7F020001, (("", "true"),)),
            (0x7F030000, ()),
            (0x7F040000, ()),
            (0x7E010000, ()),
            (0, ()),
        ],
    )
    def test_resolve(self, resource_id: int, values: tuple[tuple[str, str], ...]) -> None:
        assert parse_proto_resources(TABLE).resolve(resource_id) == values

    @pytest.mark.parametrize(
        ("name", "values"),
        [
            ("integer/number", (("", "42"),)),
            ("com.example.app:integer/number", (("", "42"),)),
            ("other.app:integer/number", ()),
            ("integer/unknown", ()),
            ("teger/number", ()),
            ("", ()),
        ],
    )
    def test_resolve_by_name(self, name: str, values: tuple[tuple[str, str], ...]) -> None:
        assert parse_proto_resources(TABLE).resolve_name(name) == values

    def test_packages(self) -> None:
        assert parse_proto_resources(TABLE).packages == ((0x7F, "com.example.app"),)

    def test_the_plainest_configuration_of_a_locale_counts(self) -> None:
        def value(config: bytes, text: str) -> bytes:
            return block(6, block(1, config) + block(2, block(4, item(text))))

        stored = block(1, b"") + value(number(19, 640), "dense") + value(b"", "plain")
        stored += value(block(3, "de") + number(24, 30), "neu")
        table = resource_table(package(0x7F, "a", resource_type(1, "string", stored)))
        assert parse_proto_resources(table).resolve(LABEL) == (("", "plain"), ("de", "neu"))

    @pytest.mark.parametrize("data", [b"\x0a", b"\x12\xff\x7f", b"PK\3\4" * 4, b"\3\0\x08\0"])
    def test_what_is_no_table_is_a_format_error(self, data: bytes) -> None:
        with pytest.raises(FormatError):
            parse_proto_resources(data)

    def test_a_table_beyond_the_limit_is_refused(self) -> None:
        with pytest.raises(LimitError):
            parse_proto_resources(TABLE, replace(DEFAULT, resource_size=100))


def touch(data: bytes) -> None:
    with contextlib.suppress(FormatError):
        resources = parse_proto_resources(data)
        for entry_id in range(8):
            resources.resolve(LABEL + entry_id)
    with contextlib.suppress(FormatError):
        parse_proto_xml(data)


DOCUMENT = proto_xml(manifest(el("application", el("activity", name=".A", exported=True), label=Ref(LABEL))))


@pytest.mark.parametrize("data", [TABLE, DOCUMENT])
def test_every_prefix_is_a_format_error_or_a_result(data: bytes) -> None:
    for part in prefixes(data, 1000):
        touch(part)


@pytest.mark.parametrize("data", [TABLE, DOCUMENT])
def test_flipped_bits_give_a_result_or_a_format_error(data: bytes) -> None:
    for damaged in mutations(data, 700):
        touch(damaged)
