"""Binary XML is read the way the platform reads it, and nothing else comes out of damaged bytes than a FormatError."""

from __future__ import annotations

import contextlib
import struct
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.errors import FormatError, LimitError
from auditor.formats.android_xml import Element, Value
from auditor.formats.axml import parse_axml
from auditor.formats.axml_fallback import parse_axml_with_androguard
from auditor.limits import Limits
from tests.builders import aapt2
from tests.builders.axml import (
    IDS,
    NO_INDEX,
    Attr,
    Axml,
    Node,
    Plain,
    Ref,
    Typed,
    axml,
    chunk,
    el,
    manifest,
    node,
    pooled8,
    pooled16,
    string_pool,
)
from tests.builders.mangle import mutations, prefixes

SAMPLE = manifest(
    el("uses-permission", name="android.permission.INTERNET"),
    el(
        "application",
        el("activity", el("intent-filter", el("action", name="a.MAIN")), name=".Main", exported=True),
        el("meta-data", name="key", value=42),
        label=Ref(0x7F010000),
    ),
    versionCode=7,
    versionName="1.0",
)


def shape(element: Element) -> tuple[str, list[object]]:
    return element.name, [shape(child) for child in element.children]


PLAIN = parse_axml(axml(SAMPLE))


def test_elements_nest_as_written() -> None:
    assert shape(PLAIN.root) == (
        "manifest",
        [
            ("uses-permission", []),
            ("application", [("activity", [("intent-filter", [("action", [])])]), ("meta-data", [])]),
        ],
    )
    assert PLAIN.anomalies == ()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("text", (3, "text")),
        ("", (3, "")),
        ("中文 😀", (3, "中文 😀")),
        (42, (0x10, 42)),
        (-1, (0x10, 0xFFFFFFFF)),
        (True, (0x12, 0xFFFFFFFF)),
        (False, (0x12, 0)),
        (Ref(0x7F010002), (1, 0x7F010002)),
        (Ref(0x00010002, 7), (7, 0x00010002)),
        (Typed(0x11, 0x30), (0x11, 0x30)),
    ],
)
@pytest.mark.parametrize("utf8", [False, True])
def test_values_keep_type_and_data(written: object, read: tuple[int, object], utf8: bool) -> None:
    value = parse_axml(axml(el("manifest", value=written), utf8=utf8)).root.ids[IDS["value"]]  # type: ignore[arg-type]
    assert (value.type, value.text if value.type == 3 else value.data) == read


@pytest.mark.parametrize("utf8", [False, True])
@pytest.mark.parametrize("length", [0, 1, 127, 128, 255, 256, 0x7FFE, 0x8000, 60_000])
def test_strings_of_every_length_encoding(length: int, utf8: bool) -> None:
    if utf8 and length > 0x7FFF:
        pytest.skip("a UTF-8 length has 15 bits")
    text = "x" * length
    assert parse_axml(axml(manifest(label=text), utf8=utf8)).root.ids[IDS["label"]].text == text


TRICKS: list[tuple[str, dict[str, object], str]] = [
    ("another type of document", {"type": 0x0008}, "document header altered"),
    ("type of a protobuf message", {"type": 0x000A}, "document header altered"),
    ("longer document header", {"header_size": 16}, "document header altered"),
    ("bytes after the document", {"trailing": b"junk"}, "bytes after the document"),
    ("unknown chunk before the pool", {"before_pool": chunk(0x0999, b"", b"abcd")}, "unknown chunks"),
    ("unknown chunk after the pool", {"after_pool": chunk(0x7777, b"\1\2\3\4", b"")}, "unknown chunks"),
    ("unknown nodes between elements", {"between_nodes": node(0x0170, b"junkjunk")}, "unknown chunks"),
    ("unknown chunks between elements", {"between_nodes": node(0x0555, b"")}, "unknown chunks"),
    ("string pool between elements", {"between_nodes": string_pool(["decoy"] * 30)}, "unknown chunks"),
    ("decoy pool before the real one", {"before_pool": string_pool(["decoy"] * 30)}, "several string pools"),
    ("rubbish after the root element", {"after_root": b"\xff" * 64, "namespace_chunks": False}, ""),
    ("no namespace chunks", {"namespace_chunks": False}, ""),
    ("wider attributes", {"attribute_size": 28}, "attributes of unusual size"),
    ("attributes further on", {"attribute_start": 32}, ""),
    ("end tags with other names", {"end_names": False}, ""),
    ("too many end tags", {"extra_end_tags": 3}, ""),
    ("end tags missing", {"missing_end_tags": 2, "namespace_chunks": False}, "elements left open"),
    ("unknown pool flags", {"pool": {"flags": 0xFFFF0000}}, ""),
    ("styles that are not there", {"pool": {"style_count": 5, "styles_start": 0xFFFF}}, ""),
    ("pool that declares no strings", {"pool": {"count": 0}}, "string pool declares no strings"),
    ("pool that declares too many strings", {"pool": {"count": 60}}, ""),
]


@pytest.mark.parametrize(("options", "anomaly"), [trick[1:] for trick in TRICKS], ids=[trick[0] for trick in TRICKS])
@pytest.mark.parametrize("utf8", [False, True])
def test_tricks_change_nothing_but_are_named(options: dict[str, object], anomaly: str, utf8: bool) -> None:
    document = parse_axml(axml(SAMPLE, utf8=utf8, **options))
    assert _same(document.root, PLAIN.root)
    assert document.anomalies == ((anomaly,) if anomaly else ())


def _same(one: Element, other: Element) -> bool:
    """Equal up to string indices, which differ where the pool does."""

    def strip(values: dict[object, Value]) -> dict[object, object]:
        return {key: (each.type, each.text if each.type == 3 else each.data) for key, each in values.items()}

    return (
        one.name == other.name
        and strip(one.ids) == strip(other.ids)  # type: ignore[arg-type]
        and strip(one.names) == strip(other.names)  # type: ignore[arg-type]
        and len(one.children) == len(other.children)
        and all(map(_same, one.children, other.children))
    )


def test_surplus_end_tags_inside_close_the_root_early() -> None:
    """The platform counts depth and compares no names, so what follows the root's end is not part of it."""
    early = node(0x0103, struct.pack("<II", NO_INDEX, NO_INDEX))
    root = el("manifest", el("application"), el("uses-permission", name="never.read"))
    document = parse_axml(axml(root, between_nodes=early))
    assert shape(document.root) == ("manifest", [])


def test_attributes_are_found_by_resource_id_whatever_their_name() -> None:
    document = parse_axml(axml(SAMPLE, blank_names=True))
    activity = document.root.children[1].children[0]
    assert activity.ids[IDS["name"]].text == ".Main"


@pytest.mark.parametrize(
    ("attribute", "by_id", "by_name"),
    [
        (Attr("name", "x", 0x01010003), {0x01010003}, set()),
        (Attr("fake", "x", 0x01010003), {0x01010003}, set()),
        (Attr("name", "x", 0x01010024), {0x01010024}, set()),
        (Attr("name", "x", 0), set(), {"android:name"}),
        (Attr("name", "x", 0, None), set(), {"name"}),
        (Attr("name", "x", 0, "urn:other"), set(), set()),
        (Attr("name", "x", 0x01010003, "urn:other"), {0x01010003}, set()),
        (Attr("name", "x", 0x01010003, None), {0x01010003}, {"name"}),
    ],
)
def test_how_an_attribute_can_be_found(attribute: Attr, by_id: set[int], by_name: set[str]) -> None:
    root = parse_axml(axml(Node("manifest", [attribute]))).root
    assert (set(root.ids), set(root.names)) == (by_id, by_name)


def test_the_first_of_several_attributes_counts() -> None:
    root = Node("manifest", [Attr("name", "first", IDS["name"]), Attr("name", "second", IDS["name"])])
    assert parse_axml(axml(root)).root.ids[IDS["name"]].text == "first"


def test_plain_names_see_the_raw_string_and_ids_the_typed_value() -> None:
    lying = Typed(0x10, 5, "raw")
    root = parse_axml(axml(Node("manifest", [Attr("package", lying, 0, None), Attr("name", lying, IDS["name"])]))).root
    assert root.names["package"].text == "raw"
    assert root.ids[IDS["name"]] == Value(0x10, 5, None)


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        (pooled8("label", characters=99), "label"),
        (pooled8("label", length=2), "label"),
        (pooled8("la\0bel"), "la"),
        (pooled8("\ud83d\ude00"), "😀"),
        (b"\x03\x03\xff\xfe\xfd\x00", "\ufffd\ufffd\ufffd"),
    ],
    ids=["wrong character count", "length too short", "NUL inside", "modified UTF-8", "no UTF-8"],
)
def test_utf8_strings_end_at_their_first_nul(stored: bytes, read: str) -> None:
    pool = {"raw": {0: stored}}
    document = parse_axml(axml(Node("manifest", [Attr("label", Typed(3, 0), 0x01010001)]), utf8=True, pool=pool))
    assert document.root.ids[IDS["label"]].text == read


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        (pooled16("label", length=3), "lab"),
        (pooled16("\ud800x"), "\ufffdx"),
        (struct.pack("<HH", 0x8000, 2) + "ab".encode("utf-16-le") + b"\0\0", "ab"),
        (struct.pack("<H", 0x7000) + b"ab", None),
    ],
    ids=["shorter length counts", "lone surrogate", "wide length", "beyond the pool"],
)
def test_utf16_strings_have_their_declared_length(stored: bytes, read: str | None) -> None:
    pool = {"raw": {0: stored + b"\0" * (-len(stored) % 4)}}
    document = parse_axml(axml(Node("manifest", [Attr("label", Typed(3, 0), 0x01010001)]), pool=pool))
    assert document.root.ids[IDS["label"]].text == read


def test_no_string_holds_a_surrogate() -> None:
    document = parse_axml(axml(manifest(label="\ud83d", name="\udc00"), utf8=True))
    for value in document.root.ids.values():
        assert value.text is not None
        value.text.encode("utf-8")


BROKEN: list[tuple[str, bytes]] = [
    ("empty", b""),
    ("header only", struct.pack("<HHI", 3, 8, 8)),
    ("declares more than there is", axml(SAMPLE, declared_size=1 << 20)),
    ("declares less than its chunks", axml(SAMPLE, declared_size=100)),
    ("no string pool", struct.pack("<HHI", 3, 8, 200) + node(0x0102, b"\0" * 176)),
    ("pool count beyond the pool", axml(SAMPLE, pool={"count": 1 << 30})),
    ("misaligned chunk", axml(SAMPLE, before_pool=struct.pack("<HHI", 0x99, 8, 10) + b"ab")),
    ("chunk smaller than its header", axml(SAMPLE, before_pool=struct.pack("<HHI", 0x99, 16, 8))),
    ("chunk of size 0", axml(SAMPLE, between_nodes=struct.pack("<HHI", 0x103, 0, 0))),
    ("node with a short header", axml(SAMPLE, between_nodes=chunk(0x0555, b"", b"abcd"))),
    ("end tag without content", axml(SAMPLE, between_nodes=node(0x0103, b"abcd"))),
    ("no element", axml(SAMPLE)[:8] + string_pool(["a"])),
]


@pytest.mark.parametrize("data", [case[1] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_what_the_platform_refuses_is_a_format_error(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_axml(data)


def test_attributes_beyond_their_element_are_refused() -> None:
    data = axml(Node("manifest", [Attr("label", "x", IDS["label"])]))
    at = data.index(struct.pack("<HHHHHH", 20, 20, 1, 0, 0, 0))
    with pytest.raises(FormatError, match="beyond their element"):
        parse_axml(data[: at + 4] + struct.pack("<H", 9) + data[at + 6 :])


def test_overlapping_narrow_attributes_are_read_like_the_platform_does() -> None:
    """The platform multiplies by the declared size without a lower bound."""
    data = bytearray(axml(Node("manifest", [Attr("label", "x", IDS["label"])] * 3)))
    at = data.index(struct.pack("<HHHHHH", 20, 20, 3, 0, 0, 0))
    data[at + 2 : at + 4] = struct.pack("<H", 0)
    assert parse_axml(bytes(data)).root.ids[IDS["label"]].text == "x"


SMALL = Limits(manifest_size=20_000, xml_depth=10, xml_elements=50)


def nested(depth: int) -> Node:
    root = el("manifest")
    for _ in range(depth):
        root = el("manifest", root)
    return root


@pytest.mark.parametrize(
    ("data", "limits"),
    [
        (axml(SAMPLE) + b"\0" * 30_000, SMALL),
        (axml(nested(11)), SMALL),
        (axml(manifest(*[el("a") for _ in range(60)])), SMALL),
        (axml(SAMPLE, between_nodes=node(0x0555, b"") * 100), SMALL),
        (axml(Node("manifest", [Attr("label", "x", IDS["label"])] * 500)), SMALL),
    ],
    ids=["size", "depth", "elements", "chunks", "attributes"],
)
def test_limits_hold(data: bytes, limits: Limits) -> None:
    with pytest.raises(LimitError):
        parse_axml(data, limits)


def test_strings_are_cut_at_their_limit() -> None:
    limits = replace(Limits(), string_length=10)
    assert parse_axml(axml(manifest(label="y" * 50)), limits).root.ids[IDS["label"]].text == "y" * 10


def test_overlapping_strings_cannot_unpack_to_more_than_the_pool() -> None:
    """Offsets may point into one another: 300 strings of 4 112 characters each in a pool of 161 kB."""
    count = 300
    wide = "\u1010" * 80_000
    stored = wide.encode("utf-16-le")
    body = b"".join(struct.pack("<I", 2 * index) for index in range(count)) + stored
    header = struct.pack("<IIIII", count, 0, 0, 28 + 4 * count, 0)
    pool = chunk(0x0001, header, body)
    attributes = b"".join(struct.pack("<IIIHBBI", 0, 0, index, 8, 0, 3, index) for index in range(count))
    start = struct.pack("<IIHHHHHH", NO_INDEX, 0, 20, 20, count, 0, 0, 0)
    content = pool + node(0x0102, start + attributes) + node(0x0103, b"\0" * 8)
    with pytest.raises(LimitError):
        parse_axml(struct.pack("<HHI", 3, 8, 8 + len(content)) + content)


def test_every_prefix_is_a_format_error_or_a_document() -> None:
    for utf8 in (False, True):
        for part in prefixes(axml(SAMPLE, utf8=utf8), 2000):
            with pytest.raises(FormatError):
                parse_axml(part)


@pytest.mark.parametrize("utf8", [False, True])
def test_flipped_bits_give_a_document_or_a_format_error(utf8: bool) -> None:
    read = 0
    for data in mutations(axml(SAMPLE, utf8=utf8), 1000):
        try:
            parse_axml(data)
            read += 1
        except FormatError:
            pass
    assert 0 < read < 1000


class TestFallback:
    """androguard reads the same tree, and fails in the same way."""

    @pytest.mark.parametrize("utf8", [False, True])
    def test_reads_what_our_reader_reads(self, utf8: bool) -> None:
        document = parse_axml_with_androguard(axml(SAMPLE, utf8=utf8))
        assert _same(document.root, PLAIN.root)
        assert document.anomalies == ("read by androguard only",)

    @pytest.mark.parametrize("data", [b"", b"\0" * 8, b"PK\3\4" * 10, axml(SAMPLE)[:300]])
    def test_refuses_what_it_cannot_read(self, data: bytes) -> None:
        with pytest.raises(FormatError):
            parse_axml_with_androguard(data)

    def test_is_not_given_large_documents(self) -> None:
        with pytest.raises(LimitError):
            parse_axml_with_androguard(b"\0" * (5 << 20))

    def test_flipped_bits_give_a_document_or_a_format_error(self) -> None:
        for data in mutations(Axml(SAMPLE).build(), 300):
            with contextlib.suppress(FormatError):
                parse_axml_with_androguard(data)


@pytest.mark.tools
@aapt2.needs_aapt2
class TestAgainstTheToolsOfThePlatform:
    def compare(self, element: Element, shown: Node) -> None:
        assert element.name == shown.name
        for each in shown.attributes:
            value = element.ids[each.id] if each.id else element.names[each.name]
            self.compare_value(value, each.value)
        assert len(element.ids) == len({each.id for each in shown.attributes if each.id})
        assert len(element.children) == len(shown.children)
        for child, other in zip(element.children, shown.children, strict=True):
            self.compare(child, other)

    def compare_value(self, value: Value, shown: Plain) -> None:
        match shown:
            case str():
                assert value.text == shown
            case bool():
                assert (value.type, value.data != 0) == (0x12, shown)
            case Ref():
                assert (value.type, value.data) == (shown.type, shown.id)
            case int():
                assert (value.type, value.data) == (0x10, shown & 0xFFFFFFFF)
            case Typed() if shown.type >= 0:
                assert (value.type, value.data) == (shown.type, shown.data)
            case _:
                # A float, dimension or fraction, which the tool shows rounded.
                assert value.type in (0x02, 0x04, 0x05, 0x06, 0x11)

    def test_the_framework(self) -> None:
        with zipfile.ZipFile(aapt2.FRAMEWORK) as archive:
            document = parse_axml(archive.read("AndroidManifest.xml"))
        self.compare(document.root, aapt2.xmltree(aapt2.FRAMEWORK))
        assert document.anomalies == ()

    def test_an_app(self, tmp_path: Path) -> None:
        apk = aapt2.link(tmp_path, aapt2.MANIFEST, aapt2.VALUES)
        with zipfile.ZipFile(apk) as archive:
            data = archive.read("AndroidManifest.xml")
        self.compare(parse_axml(data).root, aapt2.xmltree(apk))
        assert _same(parse_axml_with_androguard(data).root, parse_axml(data).root)
