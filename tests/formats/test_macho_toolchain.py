"""Real Mach-O files from a real compiler and linker, with lief as the second opinion."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from auditor.formats.macho import Slice, find_slices, parse_macho
from tests.builders import apple

pytestmark = [
    pytest.mark.tools,
    pytest.mark.skipif(bool(apple.MISSING), reason=f"not installed: {', '.join(apple.MISSING)}"),
]

CLASSES = ["Inner", "PayReq", "WXApi"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Objects, a program, a library and an archive, made once."""
    place = tmp_path_factory.mktemp("macho")
    apple.prepare(place)
    apple.compile_object(place, "program", apple.PROGRAM)
    apple.compile_object(place, "user", apple.USER)
    apple.compile_object(place, "simulator", apple.PROGRAM, "x86_64-apple-ios13.0-simulator")
    apple.link(place, "app", "program.o", "-adhoc_codesign", "-rpath", "@executable_path/Frameworks")
    apple.link(place, "listed", "program.o", "-exported_symbol", "__mh_execute_header")
    apple.link(place, "lib.dylib", "program.o", "-dylib", "-install_name", "@rpath/Own.framework/Own")
    apple.link(place, "simulator", "simulator.o", arch="x86_64", platform="ios-simulator")
    apple.run(place, "llvm-ar-14", "--format=darwin", "rc", "libOwn.a", "program.o", "user.o")
    apple.run(place, "llvm-ar-14", "--format=gnu", "rc", "libGnu.a", "program.o", "user.o")
    apple.run(place, "llvm-lipo-14", "-create", "app", "simulator", "-output", "fat")
    return place


def only(path: Path) -> Slice:
    """The one slice of a thin file."""
    (item,) = parse_macho(path.read_bytes()).slices
    return item


@pytest.mark.parametrize("name", ["app", "listed", "lib.dylib", "simulator"])
def test_classes_come_out_exactly(folder: Path, name: str) -> None:
    item = only(folder / name)
    assert list(item.objc_classes) == CLASSES
    assert list(item.objc_protocols) == ["WXApiDelegate"]
    assert {"weixin://app/registered", "alipays://platformapi/startapp"} <= set(item.strings)
    # lld 14 puts every kind of C string into __cstring.
    assert "onReq:" in {*item.methods, *item.strings}
    assert {"_OBJC_CLASS_$_NSObject", "_OBJC_CLASS_$_NSURL", "_NSLog"} <= set(item.imports)
    assert (item.faults, item.hidden, item.damaged) == ((), (), ())


def test_the_program_says_what_it_is(folder: Path) -> None:
    item = only(folder / "app")
    assert (item.cpu, item.file_type, item.platform) == ("arm64", "execute", "ios")
    assert (item.min_os, item.sdk) == ("13.0", "17.0")
    assert item.rpaths == ("@executable_path/Frameworks",)
    assert item.signature is not None
    assert (item.signature.identifier, item.signature.ad_hoc, item.signature.has_cms) == ("app", True, False)
    library = only(folder / "lib.dylib")
    assert (library.file_type, library.install_name) == ("dylib", "@rpath/Own.framework/Own")
    assert only(folder / "simulator").platform == "ios-simulator"


@pytest.mark.parametrize("options", [["-x"], ["-x", "-S"], ["--strip-all"]])
@pytest.mark.parametrize("name", ["app", "listed", "lib.dylib"])
def test_stripping_takes_no_class_away(folder: Path, tmp_path: Path, name: str, options: list[str]) -> None:
    apple.run(folder, "llvm-strip-14", *options, name, "-o", str(tmp_path / name))
    item = only(tmp_path / name)
    assert list(item.objc_classes) == CLASSES
    assert item.faults == ()


def simulate_fairplay(path: Path) -> bytes:
    """Set the cryptid and scramble the range that LC_ENCRYPTION_INFO_64 names."""
    data = bytearray(path.read_bytes())
    position, count = 32, struct.unpack_from("<I", data, 16)[0]
    for _ in range(count):
        command, size = struct.unpack_from("<II", data, position)
        if command == 0x2C:
            start, length = struct.unpack_from("<II", data, position + 8)
            struct.pack_into("<I", data, position + 16, 1)
            data[start : start + length] = bytes(byte ^ 0x5A for byte in data[start : start + length])
        position += size
    return bytes(data)


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [("app", ["-x"], ["PayReq", "WXApi"]), ("listed", ["--strip-all"], []), ("listed", [], CLASSES)],
)
def test_encryption_leaves_what_linkedit_says(
    folder: Path, tmp_path: Path, name: str, options: list[str], expected: list[str]
) -> None:
    path = folder / name
    if options:
        apple.run(folder, "llvm-strip-14", *options, name, "-o", str(tmp_path / name))
        path = tmp_path / name
    (item,) = parse_macho(simulate_fairplay(path)).slices
    assert item.encrypted
    assert item.hidden == ("objc", "strings")
    assert list(item.objc_classes) == expected
    assert list(item.strings) == []
    assert "_objc_msgSend" in item.imports
    assert item.faults == ()


def test_objects_and_archives_give_their_defined_classes(folder: Path) -> None:
    assert list(only(folder / "program.o").objc_classes) == CLASSES
    assert "onReq:" in only(folder / "program.o").methods
    user = only(folder / "user.o")
    assert list(user.objc_classes) == ["Own"]
    assert "_OBJC_CLASS_$_WXApi" in user.imports
    for name in ("libOwn.a", "libGnu.a"):
        found = [(member, list(item.objc_classes)) for member, item in find_slices((folder / name).read_bytes())]
        assert found == [("program.o", CLASSES), ("user.o", ["Own"])]


def test_a_program_that_only_calls_the_sdk_defines_none_of_it(folder: Path) -> None:
    apple.link(folder, "caller", "user.o", "-undefined", "dynamic_lookup")
    item = only(folder / "caller")
    assert list(item.objc_classes) == ["Own"]
    assert "_OBJC_CLASS_$_WXApi" in item.imports
    assert "_OBJC_CLASS_$_WXApi" not in item.symbols


def test_a_fat_file_gives_both_slices(folder: Path) -> None:
    file = parse_macho((folder / "fat").read_bytes())
    assert sorted(item.cpu for item in file.slices) == ["arm64", "x86_64"]
    assert all(list(item.objc_classes) == CLASSES for item in file.slices)
    assert file.faults == ()


def test_a_slice_keeps_its_meaning_at_any_place(folder: Path) -> None:
    for item in parse_macho((folder / "fat").read_bytes()).slices:
        thin = only(folder / ("app" if item.cpu == "arm64" else "simulator"))
        assert item.uuid == thin.uuid
        assert list(item.symbols) == list(thin.symbols)


@pytest.mark.parametrize("name", ["app", "lib.dylib", "simulator"])
def test_lief_sees_the_same(folder: Path, name: str) -> None:
    lief = pytest.importorskip("lief")
    binary = lief.MachO.parse(str(folder / name)).at(0)
    item = only(folder / name)
    assert sorted({*item.dylibs, item.install_name} - {""}) == sorted({library.name for library in binary.libraries})
    assert list(item.rpaths) == [rpath.path for rpath in binary.rpaths]
    assert item.uuid == bytes(binary.uuid.uuid).hex()
    assert sorted(item.imports) == sorted({symbol.name for symbol in binary.imported_symbols})
    exported = {symbol.name for symbol in binary.exported_symbols}
    assert exported <= set(item.symbols)
    # lief leaves out what is private to the image; that code is inside all the same.
    private = {name for name in item.symbols if name not in exported}
    assert all("OBJC" in name and ("Inner" in name or "PROTOCOL" in name) for name in private)


newer = pytest.mark.skipif(not apple.NEWER_LINKER, reason=f"not installed: {' or '.join(apple.NEWER_LINKERS)}")
FIXUPS = ("-fixup_chains", "-no_fixup_chains")


def has_chained_fixups(data: bytes) -> bool:
    position, (count,) = 32, struct.unpack_from("<I", data, 16)
    for _ in range(count):
        command, size = struct.unpack_from("<II", data, position)
        if command == 0x80000034:
            return True
        position += size
    return False


@newer
@pytest.mark.parametrize("style", [(), ("-dylib",), ("-exported_symbol", "__mh_execute_header")], ids=str)
@pytest.mark.parametrize("fixups", FIXUPS)
def test_pointers_in_chains_say_what_plain_ones_say(
    folder: Path, tmp_path: Path, fixups: str, style: tuple[str, ...]
) -> None:
    path = apple.link(
        folder, str(tmp_path / "app"), "program.o", fixups, *style, linker=apple.NEWER_LINKER, min_os="15.0"
    )
    data = path.read_bytes()
    assert has_chained_fixups(data) is (fixups == "-fixup_chains")
    for content in (data, apple.without_symbols(data)):
        (item,) = parse_macho(content).slices
        assert list(item.objc_classes) == CLASSES
        assert list(item.objc_protocols) == ["WXApiDelegate"]
        assert (item.faults, item.hidden) == ((), ())
    imports = {"_OBJC_CLASS_$_NSObject", "_OBJC_CLASS_$_NSURL", "_NSLog", "_objc_msgSend"}
    # Without its symbol table only chained fixups name what an image imports.
    assert (imports <= set(item.imports)) is (fixups == "-fixup_chains")


@newer
def test_chains_of_an_encrypted_program_are_read_and_its_names_are_not(folder: Path, tmp_path: Path) -> None:
    options = ("-fixup_chains", "-exported_symbol", "__mh_execute_header")
    path = apple.link(folder, str(tmp_path / "app"), "program.o", *options, linker=apple.NEWER_LINKER, min_os="15.0")
    path.write_bytes(apple.without_symbols(path.read_bytes()))
    (item,) = parse_macho(simulate_fairplay(path)).slices
    assert item.hidden == ("objc", "strings")
    assert (list(item.objc_classes), list(item.strings), item.faults) == ([], [], ())
    assert "_OBJC_CLASS_$_NSURL" in item.imports


@pytest.mark.parametrize(
    ("linker", "fixups"),
    [
        (apple.TOOLS[1], ()),
        *(pytest.param(apple.NEWER_LINKER, (option,), marks=newer, id=option) for option in FIXUPS),
    ],
)
def test_swift_metadata_is_found_where_a_linker_puts_it(
    folder: Path, tmp_path: Path, linker: str, fixups: tuple[str, ...]
) -> None:
    apple.assemble(folder, "swift", apple.SWIFT)
    path = apple.link(folder, str(tmp_path / "lib"), "swift.o", "-dylib", *fixups, linker=linker, min_os="15.0")
    for content in (path.read_bytes(), apple.without_symbols(path.read_bytes())):
        (item,) = parse_macho(content).slices
        assert list(item.swift_types) == ["Shop.Cart", "Shop.Cart.Line", "Shop.Payable"]
        assert (item.faults, item.hidden) == ((), ())
    (item,) = parse_macho(simulate_fairplay(path)).slices
    assert list(item.swift_types) == []


@newer
def test_merged_strings_keep_their_neighbours(folder: Path, tmp_path: Path) -> None:
    texts = {"first": ("shop://", "1.2.3", "first"), "second": ("other", "9.8.7", "shop://", "1.2.3")}
    for name, strings in texts.items():
        apple.compile_object(
            folder, name, "".join(f'const char *{name}{n} = "{text}";\n' for n, text in enumerate(strings))
        )
    path = apple.link(
        folder, str(tmp_path / "lib"), "first.o", "second.o", "-dylib", linker=apple.NEWER_LINKER, min_os="15.0"
    )
    assert list(only(path).versions) == ["shop:// | 1.2.3 | first", "shop:// | 1.2.3 | first | other | 9.8.7 | "]
