"""Swift types that an image defines: from metadata, from symbols, from class names, and never from ciphertext."""

from __future__ import annotations

import random
import struct
from dataclasses import replace

import pytest

from auditor.errors import FormatError
from auditor.formats.macho import Slice, parse_macho
from auditor.limits import Limits
from tests.builders.macho import ARM64E, ARMV7, DEFINED, LOCAL, PRIVATE, TEXT_SIZE, UNDEFINED, X86_64, Image, encrypt
from tests.builders.swift import (
    ANONYMOUS,
    CLASS,
    ENUM,
    EXTENSION,
    GENERIC,
    MODULE,
    OPAQUE,
    PROTOCOL,
    STRUCT,
    Context,
    SwiftImage,
    section_place,
)

SHOP = SwiftImage(
    contexts=[
        Context(MODULE, "Shop"),
        Context(STRUCT, "Cart", 0),
        Context(STRUCT, "Line", 1),
        Context(CLASS | GENERIC, "Order", 0),
        Context(ENUM, "State", 3),
        Context(PROTOCOL, "Payable", 0),
        Context(ANONYMOUS, parent=0),
        Context(CLASS, "Hidden", 6),
        Context(EXTENSION, parent=0, extended=1),
        Context(STRUCT, "Coupon", 8),
    ],
    types=[(1, 0), (2, 0), (3, 0), (4, 0), (7, 0), (9, 0)],
    protocols_swift=[(5, 0)],
)
NAMES = [
    "Shop.Cart",
    "Shop.Cart.Coupon",
    "Shop.Cart.Line",
    "Shop.Hidden",
    "Shop.Order",
    "Shop.Order.State",
    "Shop.Payable",
]


def only(data: bytes, limits: Limits | None = None) -> Slice:
    """The one slice of a thin file."""
    (item,) = parse_macho(data, limits or Limits()).slices
    return item


class TestMetadata:
    @pytest.mark.parametrize(
        "more",
        [
            {},
            {"cpu": X86_64},
            {"cpu": ARMV7, "wide": False},
            {"order": ">"},
            {"pointer_format": 6},
            {"pointer_format": 2},
            {"pointer_format": 9, "cpu": ARM64E},
        ],
        ids=str,
    )
    def test_types_and_protocols_are_named_by_module_and_nesting(self, more: dict[str, object]) -> None:
        item = only(replace(SHOP, **more).build())
        assert list(item.swift_types) == NAMES
        assert (item.faults, item.hidden, item.damaged) == ((), (), ())

    @pytest.mark.parametrize("pointer_format", [0, 2, 6])
    def test_what_is_named_through_a_pointer_is_followed(self, pointer_format: int) -> None:
        image = SwiftImage(
            contexts=[Context(MODULE, "Shop"), Context(CLASS, "A", 0, indirect=True), Context(PROTOCOL, "P", 0)],
            types=[(1, 1)],
            protocols_swift=[(2, 1)],
            pointer_format=pointer_format,
        )
        assert list(only(image.build()).swift_types) == ["Shop.A", "Shop.P"]

    def test_the_section_of_types_that_cannot_be_copied_counts(self) -> None:
        assert "Shop.Cart" in only(replace(SHOP, types_section="__swift5_types2").build()).swift_types

    @pytest.mark.parametrize("kind", [2, 3])
    def test_records_of_classes_from_objective_c_are_passed_over(self, kind: int) -> None:
        item = only(replace(SHOP, types=[(1, 0), (2, kind)], protocols_swift=[]).build())
        assert (list(item.swift_types), item.faults) == (["Shop.Cart"], ())

    @pytest.mark.parametrize("module", ["__C", "__C_Synthesized"])
    def test_what_is_imported_from_c_is_no_definition(self, module: str) -> None:
        image = SwiftImage(contexts=[Context(MODULE, module), Context(STRUCT, "CGRect", 0)], types=[(1, 0)])
        assert (list(only(image.build()).swift_types), only(image.build()).faults) == ([], ())

    @pytest.mark.parametrize(
        ("extended", "expected"),
        [("10Foundation12NotificationV", "Shop.Notification.Key"), ("SS", "Shop.String.Key"), ("?", "Shop.Key")],
    )
    def test_a_type_in_an_extension_belongs_to_the_module_that_extends(self, extended: str, expected: str) -> None:
        contexts = [Context(MODULE, "Shop"), Context(EXTENSION, parent=0, extended=extended), Context(ENUM, "Key", 1)]
        assert list(only(SwiftImage(contexts=contexts, types=[(2, 0)]).build()).swift_types) == [expected]

    def test_names_beyond_ascii_are_kept(self) -> None:
        image = SwiftImage(contexts=[Context(MODULE, "Café"), Context(ENUM, "Größe", 0)], types=[(1, 0)])
        assert list(only(image.build()).swift_types) == ["Café.Größe"]


class TestSymbols:
    @pytest.mark.parametrize("kind", [DEFINED, LOCAL, PRIVATE])
    def test_descriptors_that_are_defined_name_their_types(self, kind: int) -> None:
        symbols = [("_$s4Shop4CartV4LineVMn", kind), ("_$s4Shop7PayableMp", kind), ("_$s4Shop4CartVMa", kind)]
        assert list(only(Image(symbols=symbols).build()).swift_types) == ["Shop.Cart.Line", "Shop.Payable"]

    def test_descriptors_that_are_used_name_nothing(self) -> None:
        symbols = [("_$s4Shop4CartVMn", UNDEFINED), ("_$s4Shop7PayableMp", UNDEFINED)]
        image = Image(symbols=symbols, chained_imports=(1, ["_$s4Shop5OrderCMn"]), reexports=["_$s4Shop1AVMn"])
        assert list(only(image.build()).swift_types) == []

    def test_exports_name_their_types(self) -> None:
        assert list(only(Image(exports=["_$s4Shop4CartVMn", "_main"]).build()).swift_types) == ["Shop.Cart"]

    def test_class_names_of_the_runtime_name_their_types(self) -> None:
        image = Image(classes=["_TtC4Shop4Cart", "WXApi", "_TtGC4Shop3BoxSi_"])
        assert list(only(image.build()).swift_types) == ["Shop.Cart"]


class TestEncryption:
    def test_nothing_is_read_from_ciphertext_and_the_symbols_still_count(self) -> None:
        image = replace(SHOP, cryptid=1, exports=["_$s4Shop4CartVMn"])
        for data in (image.build(), encrypt(image.build())):
            item = only(data)
            assert list(item.swift_types) == ["Shop.Cart"]
            assert (item.hidden, item.faults) == (("swift",), ())

    def test_a_decrypted_image_hides_nothing(self) -> None:
        item = only(replace(SHOP, cryptid=0).build())
        assert (list(item.swift_types), item.hidden) == (NAMES, ())

    def test_an_image_without_swift_hides_none(self) -> None:
        assert only(encrypt(Image(classes=["A"], cryptid=1).build())).hidden == ("objc",)

    def test_encrypted_class_names_hide_swift_classes_where_there_is_swift(self) -> None:
        image = replace(SHOP, types=[], protocols_swift=[(5, 0)], classes=["_TtC4Shop4Cart"], cryptid=1)
        assert only(encrypt(image.build())).hidden == ("objc", "swift")


class TestDamage:
    @pytest.mark.parametrize(
        "contexts",
        [
            [Context(MODULE, "Shop"), Context(OPAQUE, "A", 0)],
            [Context(MODULE, "Shop"), Context(STRUCT, "A", None)],
            [Context(MODULE, "Shop"), Context(STRUCT, "A", 1)],
            [Context(MODULE, ""), Context(STRUCT, "A", 0)],
            [Context(MODULE, "Shop"), Context(STRUCT, "", 0)],
        ],
        ids=["no type", "no parent", "its own parent", "module without name", "type without name"],
    )
    def test_a_descriptor_that_says_nothing_is_told(self, contexts: list[Context]) -> None:
        item = only(SwiftImage(contexts=contexts, types=[(1, 0)]).build())
        assert list(item.swift_types) == []
        assert item.faults == ("1 Swift types have no readable name",)
        assert item.damaged == ("swift",)

    @pytest.mark.parametrize("value", [0x7FFFFFF0, -0x7FFFFFF0, 0x7FFFFFF1])
    def test_a_record_that_points_outside_is_told_and_the_others_are_read(self, value: int) -> None:
        data = bytearray(SHOP.build())
        struct.pack_into("<i", data, section_place(data, "__swift5_types")[0], value)
        item = only(bytes(data))
        assert list(item.swift_types) == NAMES[1:]
        assert item.damaged == ("swift",)

    def test_an_empty_record_is_none(self) -> None:
        data = bytearray(SHOP.build())
        struct.pack_into("<i", data, section_place(data, "__swift5_types")[0], 0)
        assert (list(only(bytes(data)).swift_types), only(bytes(data)).faults) == (NAMES[1:], ())

    def test_a_chain_of_parents_has_an_end(self) -> None:
        contexts = [Context(MODULE, "M"), *(Context(STRUCT, f"T{number}", number) for number in range(60))]
        item = only(SwiftImage(contexts=contexts, types=[(60, 0), (5, 0)]).build())
        assert (list(item.swift_types), item.damaged) == (["M.T0.T1.T2.T3.T4"], ("swift",))

    def test_more_records_than_the_limit_are_told(self) -> None:
        item = only(SHOP.build(), Limits(macho_classes=3))
        assert list(item.swift_types) == ["Shop.Payable"]
        assert item.damaged == ("swift",)

    def test_every_prefix_is_read_or_refused(self) -> None:
        data = SHOP.build()
        for end in (*range(0, 0x800, 7), *range(0x2000, 0x2400, 3), *range(0x2400, len(data), 997)):
            read(data[:end])

    @pytest.mark.parametrize("more", [{}, {"pointer_format": 6}, {"cpu": ARMV7, "wide": False}], ids=str)
    def test_flipped_bits_are_read_or_refused(self, more: dict[str, object]) -> None:
        rng = random.Random(20261122)
        image = replace(SHOP, types=[(1, 1), *SHOP.types], **more)
        good = image.build()
        places = [at for at in range(len(good)) if good[at] and (at < 0x800 or 0x2000 <= at < TEXT_SIZE)]
        for _ in range(400):
            data = bytearray(good)
            for _ in range(rng.randint(1, 4)):
                data[rng.choice(places)] ^= 1 << rng.randrange(8)
            read(bytes(data))


def read(data: bytes) -> None:
    """All names, or a refusal the way it should be."""
    try:
        for item in parse_macho(data).slices:
            assert all(name in item.swift_types for name in item.swift_types)
    except FormatError:
        pass


BASE = 1 << 32


def raw_image(content: bytes, records: tuple[int, int], more_segments: int = 0) -> bytes:
    """A program of one text segment, whose types are recorded at an offset in ``content``, and of small segments."""
    size = 32 + 152 + 72 * more_segments + len(content)
    commands = b"".join(
        struct.pack("<2I16s4Q4I", 0x19, 72, b"__X", (1 << 40) + 16 * number, 16, 0, 16, 0, 0, 0, 0)
        for number in range(more_segments)
    )
    start, length = size - len(content) + records[0], records[1]
    commands += struct.pack("<2I16s4Q4I", 0x19, 152, b"__TEXT", BASE, size, 0, size, 5, 5, 1, 0)
    commands += struct.pack("<16s16s2Q8I", b"__swift5_types", b"__TEXT", BASE + start, length, start, *[0] * 7)
    header = struct.pack("<8I", 0xFEEDFACF, 0x0100000C, 0, 2, 1 + more_segments, len(commands), 0, 0)
    return header + commands + content


def test_thousands_of_segments_are_not_gone_through_for_each_record() -> None:
    """40 000 records that point nowhere, in an image of 4 000 segments."""
    content = struct.pack("<i", 0x7FFFFF00) * 40_000
    item = only(raw_image(content, (0, len(content)), more_segments=4000))
    assert item.faults == ("40000 Swift types have no readable name",)


def test_names_that_share_a_long_beginning_do_not_add_up() -> None:
    """20 000 types below thirty contexts with names of 4 kB: spelled out, that is 2.4 GB."""
    count, chain = 20_000, 30
    names = b"N" * 4000 + b"\0" + bytes(3)
    first = 4 * count + len(names)
    own = first + 12 * (chain + count)
    contexts, own_names = b"", b""
    for number in range(chain + count):
        at = first + 12 * number
        kind = 0 if number == 0 else 17
        parent = first + 12 * min(number - 1, chain - 1) - at - 4 if number else 0
        name = 4 * count if number < chain else own + len(own_names)
        own_names += b"" if number < chain else b"%05d\0" % number
        contexts += struct.pack("<Iii", kind, parent, name - at - 8)
    records = b"".join(struct.pack("<i", first + 12 * (chain + number) - 4 * number) for number in range(count))
    item = only(raw_image(records + names + contexts + own_names, (0, len(records))))
    assert item.faults == ("the names of Swift types add up beyond measure",)
    assert item.damaged == ("swift",)
    assert sum(map(len, item.swift_types)) <= 64 << 20
