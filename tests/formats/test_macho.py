"""What a Mach-O file says about itself, and what a damaged one may do."""

from __future__ import annotations

import mmap
import random
import struct
import tempfile
from dataclasses import replace

import pytest

from auditor.errors import FormatError, LimitError
from auditor.formats.macho import MachO, Slice, find_slices, is_macho, parse_macho
from auditor.limits import Limits
from tests.builders.code_signature import code_directory, der_entitlements, super_blob
from tests.builders.macho import (
    ARM64,
    ARM64_32,
    ARM64E,
    ARMV7,
    BUNDLE,
    DEFINED,
    DSYM,
    DYLIB,
    EXECUTE,
    I386,
    OBJECT,
    TEXT_CONTENT,
    TEXT_SIZE,
    UNDEFINED,
    X86_64,
    Image,
    ar,
    encrypt,
    fat,
)

SDK = Image(
    classes=["WXApi", "PayReq", "_TtC4Shop4Cart"],
    protocols=["WXApiDelegate"],
    strings=["weixin://", "alipays://", "weixin://"],
    methods=["registerApp:universalLink:"],
    symbols=[("_OBJC_CLASS_$_WXApi", DEFINED), ("_OBJC_CLASS_$_NSObject", UNDEFINED), ("_objc_msgSend", UNDEFINED)],
    exports=["_OBJC_CLASS_$_WXApi", "_OBJC_CLASS_$_PayReq", "__mh_execute_header"],
    dylibs=["/usr/lib/libobjc.A.dylib", "@rpath/Shop.framework/Shop"],
    rpaths=["@executable_path/Frameworks"],
    signature=super_blob(code_directory("com.example.shop", "TEAM123456"), der_entitlements({"get-task-allow": True})),
)


def only(data: bytes) -> Slice:
    """The one slice of a thin file."""
    (item,) = parse_macho(data).slices
    return item


def test_a_program_says_what_it_is_loads_and_defines() -> None:
    item = only(SDK.build())
    assert (item.cpu, item.file_type, item.platform, item.min_os, item.sdk) == (
        "arm64",
        "execute",
        "ios",
        "13.0",
        "17.2",
    )
    assert item.uuid == bytes(range(16)).hex()
    assert item.install_name == ""
    assert item.dylibs == ("/usr/lib/libobjc.A.dylib", "@rpath/Shop.framework/Shop")
    assert item.rpaths == ("@executable_path/Frameworks",)
    assert list(item.objc_classes) == ["PayReq", "WXApi", "_TtC4Shop4Cart"]
    assert list(item.objc_protocols) == ["WXApiDelegate"]
    assert list(item.strings) == ["alipays://", "weixin://"]
    assert list(item.methods) == ["registerApp:universalLink:"]
    assert list(item.symbols) == ["_OBJC_CLASS_$_PayReq", "_OBJC_CLASS_$_WXApi", "__mh_execute_header"]
    assert list(item.imports) == ["_OBJC_CLASS_$_NSObject", "_objc_msgSend"]
    assert item.signature is not None
    assert (item.signature.identifier, item.signature.team_id) == ("com.example.shop", "TEAM123456")
    assert not item.encrypted
    assert (item.faults, item.hidden, item.damaged) == ((), (), ())


def test_a_class_that_is_merely_used_is_no_class_of_the_image() -> None:
    used = [("_OBJC_CLASS_$_WXApi", UNDEFINED), ("_OBJC_METACLASS_$_Own", DEFINED)]
    item = only(Image(symbols=used, chained_imports=(1, ["_OBJC_CLASS_$_PayReq"]), pointer_format=6).build())
    assert list(item.objc_classes) == []
    assert list(item.imports) == ["_OBJC_CLASS_$_PayReq", "_OBJC_CLASS_$_WXApi"]


def test_a_reexported_class_is_no_class_of_the_image() -> None:
    item = only(Image(exports=["_own"], reexports=["_OBJC_CLASS_$_WXApi"]).build())
    assert list(item.objc_classes) == []
    assert list(item.symbols) == ["_own"]


def test_names_beside_the_class_names_are_no_classes() -> None:
    item = only(Image(classes=["Own"], protocols=["WXApiDelegate"]).build())
    assert list(item.objc_classes) == ["Own"]


@pytest.mark.parametrize(
    ("cpu", "name", "wide"),
    [
        (ARM64, "arm64", True),
        (ARM64E, "arm64e", True),
        (X86_64, "x86_64", True),
        ((0x01000007, 8), "x86_64h", True),
        (ARMV7, "armv7", False),
        ((12, 11), "armv7s", False),
        ((12, 12), "armv7k", False),
        (I386, "i386", False),
        (ARM64_32, "arm64_32", False),
        ((99, 0), "cpu-0x63", False),
    ],
)
def test_every_processor_and_word_size(cpu: tuple[int, int], name: str, wide: bool) -> None:
    item = only(replace(SDK, cpu=cpu, wide=wide).build())
    assert item.cpu == name
    assert list(item.objc_classes) == ["PayReq", "WXApi", "_TtC4Shop4Cart"]
    assert list(item.objc_protocols) == ["WXApiDelegate"]
    assert item.faults == ()


@pytest.mark.parametrize("wide", [True, False])
def test_big_endian_images_read_the_same(wide: bool) -> None:
    item = only(replace(SDK, order=">", wide=wide, cpu=(18, 0)).build())
    assert item.cpu == "ppc"
    assert list(item.objc_classes) == ["PayReq", "WXApi", "_TtC4Shop4Cart"]
    assert "_objc_msgSend" in item.imports


@pytest.mark.parametrize(
    ("kind", "cpu", "authenticated", "wide"),
    [
        (1, ARM64E, False, True),
        (1, ARM64E, True, True),
        (2, ARM64, False, True),
        (3, ARM64_32, False, False),
        (6, ARM64, False, True),
        (7, ARM64E, False, True),
        (9, ARM64E, False, True),
        (9, ARM64E, True, True),
        (10, ARM64E, False, True),
        (12, ARM64E, True, True),
    ],
)
def test_chained_pointers_lead_to_the_names(kind: int, cpu: tuple[int, int], authenticated: bool, wide: bool) -> None:
    image = replace(SDK, pointer_format=kind, cpu=cpu, authenticated=authenticated, wide=wide, symbols=[], exports=[])
    item = only(image.build())
    assert list(item.objc_classes) == ["PayReq", "WXApi", "_TtC4Shop4Cart"]
    assert list(item.objc_protocols) == ["WXApiDelegate"]
    assert item.faults == ()


def test_old_arm64e_images_chain_their_pointers_without_saying_so() -> None:
    image = replace(SDK, cpu=ARM64E, symbols=[], exports=[])
    raw = bytearray(image.build())
    assert len(only(bytes(raw)).objc_classes) == 3
    at = TEXT_SIZE
    (pointer,) = struct.unpack_from("<Q", raw, at)
    struct.pack_into("<Q", raw, at, pointer | 2 << 51)
    assert len(only(bytes(raw)).objc_classes) == 3


def test_an_unknown_pointer_format_is_a_fault_and_symbols_still_count() -> None:
    item = only(replace(SDK, pointer_format=77).build())
    assert "objc" in item.damaged
    assert "WXApi" in item.objc_classes


@pytest.mark.parametrize("flags", [1, 2, 3])
def test_swift_marks_its_classes_in_the_low_bits(flags: int) -> None:
    assert len(only(replace(SDK, swift_flags=flags, symbols=[], exports=[]).build()).objc_classes) == 3


@pytest.mark.parametrize(
    ("number", "name"),
    [(OBJECT, "object"), (EXECUTE, "execute"), (DYLIB, "dylib"), (BUNDLE, "bundle"), (DSYM, "dsym"), (77, "type-77")],
)
def test_every_file_type(number: int, name: str) -> None:
    assert only(Image(file_type=number).build()).file_type == name


def test_an_object_file_defines_what_its_symbols_say() -> None:
    symbols = [("_OBJC_CLASS_$_WXApi", DEFINED), ("_OBJC_CLASS_$_NSObject", UNDEFINED), ("l_OBJC_PROTOCOL_$_P", 0x0E)]
    item = only(Image(file_type=OBJECT, classes=["Unrelocated"], symbols=symbols).build())
    assert list(item.objc_classes) == ["WXApi"]
    assert list(item.objc_protocols) == ["P"]


def test_old_runtime_classes_are_read_from_their_symbols() -> None:
    symbols = [(".objc_class_name_WXApi", 0x03), (".objc_class_name_NSObject", UNDEFINED)]
    assert list(only(Image(cpu=I386, wide=False, symbols=symbols).build()).objc_classes) == ["WXApi"]


def test_old_runtime_metadata_is_told_to_be_unread() -> None:
    image = Image(cpu=I386, wide=False)
    old = image._segment("__OBJC", 0x90000, TEXT_SIZE, 48, [("__class", TEXT_SIZE, 48)])
    item = only(replace(image, commands=[old]).build())
    assert item.damaged == ("objc",)


def test_a_library_has_an_install_name() -> None:
    assert (
        only(Image(file_type=DYLIB, install_name="@rpath/X.framework/X").build()).install_name == "@rpath/X.framework/X"
    )


@pytest.mark.parametrize("number", [0x0C, 0x80000018, 0x8000001F, 0x20, 0x80000023])
def test_every_way_of_loading_a_library_counts(number: int) -> None:
    command = Image().named(number, "@rpath/libx.dylib", bytes(12))
    assert only(Image(commands=[command]).build()).dylibs == ("@rpath/libx.dylib",)


@pytest.mark.parametrize(
    ("build_version", "expected"),
    [
        ((1, 0x000A0F07, 0), ("macos", "10.15.7", "")),
        ((6, 0x000E0000, 0x000E0000), ("maccatalyst", "14.0", "14.0")),
        ((7, 0x000D0000, 0x000D0000), ("ios-simulator", "13.0", "13.0")),
        ((11, 0x00010000, 0x00010000), ("visionos", "1.0", "1.0")),
        ((99, 0x00010000, 0x00010000), ("platform-99", "1.0", "1.0")),
    ],
)
def test_platforms_and_versions(build_version: tuple[int, int, int], expected: tuple[str, str, str]) -> None:
    item = only(Image(build_version=build_version).build())
    assert (item.platform, item.min_os, item.sdk) == expected


@pytest.mark.parametrize(
    ("number", "cpu", "platform"),
    [
        (0x24, X86_64, "macos"),
        (0x25, ARM64, "ios"),
        (0x25, X86_64, "ios-simulator"),
        (0x2F, ARM64, "tvos"),
        (0x30, ARM64, "watchos"),
    ],
)
def test_platforms_of_older_linkers(number: int, cpu: tuple[int, int], platform: str) -> None:
    command = Image().command(number, struct.pack("<II", 0x00090000, 0x000A0200))
    item = only(Image(cpu=cpu, build_version=None, commands=[command]).build())
    assert (item.platform, item.min_os, item.sdk) == (platform, "9.0", "10.2")


def test_an_encrypted_program_hides_names_and_strings_but_not_its_exports() -> None:
    item = only(encrypt(replace(SDK, cryptid=1).build()))
    assert item.encrypted
    assert item.encryption_range == (TEXT_CONTENT, TEXT_SIZE - TEXT_CONTENT)
    assert item.hidden == ("objc", "strings")
    assert list(item.objc_classes) == ["PayReq", "WXApi"]
    assert list(item.objc_protocols) == []
    assert list(item.strings) == []
    assert item.dylibs == ("/usr/lib/libobjc.A.dylib", "@rpath/Shop.framework/Shop")
    assert "_objc_msgSend" in item.imports
    assert item.signature is not None
    assert (item.faults, item.damaged) == ((), ())


def test_ciphertext_is_never_read_as_a_name() -> None:
    stripped = replace(SDK, cryptid=1, symbols=[], exports=[])
    # The content is plain on purpose: the flag alone forbids reading it.
    item = only(stripped.build())
    assert (list(item.objc_classes), list(item.strings), list(item.methods)) == ([], [], [])
    assert item.hidden == ("objc", "strings")


def test_a_decrypted_program_hides_nothing() -> None:
    item = only(replace(SDK, cryptid=0).build())
    assert (item.encrypted, item.hidden) == (False, ())
    assert len(item.objc_classes) == 3


def test_an_encrypted_program_without_names_hides_none() -> None:
    assert only(Image(cryptid=1).build()).hidden == ()


@pytest.mark.parametrize("wide", [False, True])
def test_a_fat_file_gives_every_slice(wide: bool) -> None:
    first, second = replace(SDK, cpu=ARMV7, wide=False).build(), SDK.build()
    file = parse_macho(fat([(ARMV7, first), (ARM64, second)], wide))
    assert [item.cpu for item in file.slices] == ["armv7", "arm64"]
    assert [item.size for item in file.slices] == [len(first), len(second)]
    assert file.faults == ()
    assert all(len(item.objc_classes) == 3 for item in file.slices)


def test_offsets_count_from_the_start_of_the_file() -> None:
    data = fat([(ARM64, SDK.build())])
    item = parse_macho(data).slices[0]
    for values, name in ((item.strings, "weixin://"), (item.objc_classes, "WXApi"), (item.imports, "_objc_msgSend")):
        offset = values.offset_of(name)
        assert offset is not None
        assert data[offset:].startswith(name.encode() + b"\0")
    assert item.strings.offset_of("nothing") is None


def test_overlapping_slices_are_a_fault() -> None:
    data = bytearray(fat([(ARM64, SDK.build()), (ARMV7, SDK.build())]))
    struct.pack_into(">I", data, 8 + 20 + 8, struct.unpack_from(">I", data, 16)[0] + 0x1000)
    assert any("overlaps" in fault for fault in parse_macho(bytes(data)).faults)


def test_a_slice_that_is_cut_off_is_a_fault_and_the_others_are_read() -> None:
    data = fat([(ARM64, SDK.build()), (X86_64, replace(SDK, cpu=X86_64).build())])
    file = parse_macho(data[:-0x2000])
    assert len(file.faults) == 1
    assert "slice 1 ends" in file.faults[0]
    assert file.slices[0].faults == ()


def test_a_fat_file_without_one_readable_slice_is_refused() -> None:
    with pytest.raises(FormatError, match="no slice"):
        parse_macho(fat([(ARM64, b"nothing of the kind")]))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", False),
        (b"\xca\xfe\xba\xbe", False),
        (b"\xca\xfe\xba\xbe\0\0\0\x02", True),
        (b"\xca\xfe\xba\xbf\0\0\0\x01", True),
        (b"\xca\xfe\xba\xbe\0\0\0\0", False),
        (b"\xca\xfe\xba\xbe\0\0\0\x2d", False),
        (b"\xca\xfe\xba\xbe\0\0\0\x34", False),
        (b"\xca\xfe\xba\xbe\0\x03\0\x2d", False),
        (b"\xcf\xfa\xed\xfe", True),
        (b"\xce\xfa\xed\xfe", True),
        (b"\xfe\xed\xfa\xcf", True),
        (b"\xfe\xed\xfa\xce", True),
        (b"\x7fELF", False),
        (b"!<arch>\n", False),
    ],
)
def test_a_java_class_is_no_fat_file(data: bytes, expected: bool) -> None:
    assert is_macho(data) is expected


def test_any_kind_of_buffer_reads_the_same() -> None:
    data = SDK.build()
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            found = [list(only(item).objc_classes) for item in (data, bytearray(data), memoryview(data), mapped)]  # type: ignore[arg-type]
    assert found[0] == found[1] == found[2] == found[3]


def test_static_libraries_give_every_member() -> None:
    members = [
        (f"{name}.o", Image(file_type=OBJECT, symbols=[(f"_OBJC_CLASS_$_{name}", DEFINED)]).build()) for name in "AB"
    ]
    archive = ar([*members, ("notes.txt", b"nothing to read")])
    assert [(name, list(item.objc_classes)) for name, item in find_slices(archive)] == [("A.o", ["A"]), ("B.o", ["B"])]
    both = list(find_slices(fat([(ARM64, archive), (X86_64, archive)])))
    assert [name for name, _ in both] == ["A.o", "B.o", "A.o", "B.o"]
    assert len({item.offset for _, item in both}) == 4
    assert [name for name, _ in find_slices(SDK.build())] == [""]


def test_what_an_archive_holds_unread_is_told() -> None:
    good = Image(file_type=OBJECT, symbols=[("_a", DEFINED)]).build()
    found = dict(find_slices(ar([("good.o", good), ("bitcode.o", b"BC\xc0\xde" + bytes(8)), ("short.o", good[:20])])))
    assert found["good.o"].faults == ()
    assert "bitcode" in found["bitcode.o"].faults[0]
    assert found["short.o"].damaged == ("objc", "signature", "strings", "swift", "symbols")
    cut = list(find_slices(ar([("good.o", good), ("lost.o", good)])[:-100]))
    assert [name for name, _ in cut] == ["good.o", ""]
    assert "ar archive" in cut[1][1].faults[0]


def test_a_fat_file_of_libraries_holds_no_image_of_its_own() -> None:
    archive = ar([("a.o", Image(file_type=OBJECT).build())])
    with pytest.raises(FormatError, match="no Mach-O header"):
        parse_macho(fat([(ARM64, archive)]))


def test_bytes_that_are_nothing_of_the_kind_are_refused() -> None:
    for data in (b"", b"PK\x03\x04", b"\xca\xfe\xba\xbe\0\0\0\x34"):
        with pytest.raises(FormatError):
            parse_macho(data)
        with pytest.raises(FormatError):
            list(find_slices(data))


@pytest.mark.parametrize(
    ("offset", "value", "damaged"),
    [
        (16, 0xFFFFFFFF, {"objc", "strings", "swift", "symbols", "signature"}),
        (20, 0xFFFFFFFF, {"objc", "strings", "swift", "symbols", "signature"}),
        (20, 0x40, {"objc", "strings", "swift", "symbols", "signature"}),
        (36, 0, {"objc", "strings", "swift", "symbols", "signature"}),
        (36, 0xFFFFFFF0, {"objc", "strings", "swift", "symbols", "signature"}),
    ],
)
def test_a_lying_header_is_a_fault(offset: int, value: int, damaged: set[str]) -> None:
    data = bytearray(SDK.build())
    struct.pack_into("<I", data, offset, value)
    assert set(only(bytes(data)).damaged) == damaged


@pytest.mark.parametrize("body", [struct.pack("<II", 0xFFFFFF00, 8), struct.pack("<II", 8, 0xFFFFFFFF)])
@pytest.mark.parametrize(("number", "damaged"), [(0x80000033, "symbols"), (0x1D, "signature")])
def test_a_range_outside_the_file_is_a_fault(number: int, damaged: str, body: bytes) -> None:
    item = only(Image(commands=[Image().command(number, body)]).build())
    assert damaged in item.damaged


def test_absurd_counts_are_refused_before_anything_is_made_of_them() -> None:
    symtab = Image().command(0x02, struct.pack("<4I", 0, 0xFFFFFFFF, 0, 8))
    item = only(Image(commands=[symtab]).build())
    assert "symbols" in item.damaged
    with pytest.raises(LimitError):
        parse_macho(b"\xca\xfe\xba\xbe" + struct.pack(">I", 40) + bytes(2000))
    few = Limits(load_commands=2, macho_symbols=1, macho_classes=1, native_strings=1, trie_nodes=1)
    limited = parse_macho(SDK.build(), few).slices[0]
    assert set(limited.damaged) >= {"objc", "strings", "symbols"}


@pytest.mark.parametrize(
    ("field", "value"), [("macho_symbols", 1), ("macho_classes", 1), ("native_strings", 1), ("trie_nodes", 1)]
)
def test_every_limit_becomes_a_fault(field: str, value: int) -> None:
    limits = replace(Limits(), **{field: value})
    assert parse_macho(SDK.build(), limits).slices[0].faults != ()


def test_a_class_record_outside_the_file_is_counted() -> None:
    data = bytearray(replace(SDK, symbols=[], exports=[]).build())
    struct.pack_into("<Q", data, TEXT_SIZE, 0xDEAD0000)
    item = only(bytes(data))
    assert len(item.objc_classes) == 2
    assert item.faults == ("1 Objective-C classes have no readable name",)
    assert item.damaged == ("objc",)


def test_every_prefix_of_a_file_is_read_or_refused() -> None:
    data = fat([(ARM64, SDK.build()), (ARMV7, replace(SDK, cpu=ARMV7, wide=False, cryptid=1).build())])
    steps = [*range(0x1800), *range(0x1800, len(data), 509)]
    for end in steps:
        read(data[:end])


@pytest.mark.parametrize(
    "image",
    [
        SDK,
        replace(SDK, wide=False, cpu=ARMV7),
        replace(SDK, pointer_format=6, chained_imports=(1, ["_a", "_b"])),
        replace(SDK, pointer_format=9, cpu=ARM64E, chained_imports=(3, ["_a"])),
        replace(SDK, cryptid=1, file_type=OBJECT),
    ],
)
def test_flipped_bits_are_read_or_refused(image: Image) -> None:
    rng = random.Random(20261122)
    good = image.build()
    # Most of a file is padding: aim at the parts that mean something.
    places = [at for at in range(len(good)) if good[at]]
    for _ in range(400):
        data = bytearray(good)
        for _ in range(rng.randint(1, 4)):
            data[rng.choice(places)] ^= 1 << rng.randrange(8)
        read(bytes(data))


def test_random_load_commands_are_read_or_refused() -> None:
    rng = random.Random(7)
    for _ in range(200):
        data = bytearray(SDK.build())
        for _ in range(6):
            struct.pack_into(
                "<I", data, 32 + 4 * rng.randrange(300), rng.choice([0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0x4000])
            )
        read(bytes(data))


def read(data: bytes) -> MachO | None:
    """The file and all its values, or None where it is refused the way it should be."""
    try:
        list(find_slices(data))
        file = parse_macho(data)
    except FormatError:
        return None
    for item in file.slices:
        for values in (item.objc_classes, item.objc_protocols, item.swift_types, item.strings, item.symbols):
            assert all(name in values for name in values)
    return file
