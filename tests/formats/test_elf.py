"""What the ELF reader promises: names, needs, JNI entry points and telling strings."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.errors import FormatError, LimitError
from auditor.formats.elf import is_elf, parse_elf
from auditor.limits import DEFAULT
from auditor.model import Values
from tests.builders.elf import build_elf

RODATA = b"\0com/tencent/mm/sdk/Native\0libexample 12.4.3 (release)\0plain text\0a/b\0LICENSE 1.2\0v7.0.22\0"
SMALL = build_elf(
    soname="libexample.so",
    needed=["libc.so", "liblog.so"],
    defined=["Java_com_a_B_run", "JNI_OnLoad", "internal_thing"],
    imported=["Java_com_a_B_imported", "malloc"],
    rodata=RODATA,
    build_id=bytes(range(20)),
)


def test_names_needs_and_entry_points_are_read() -> None:
    elf = parse_elf(SMALL)
    assert elf.soname == "libexample.so"
    assert elf.needed == ("libc.so", "liblog.so")
    assert list(elf.exports) == ["JNI_OnLoad", "Java_com_a_B_run"]
    assert elf.build_id == bytes(range(20)).hex()
    assert elf.machine == "aarch64"
    assert elf.faults == ()


@pytest.mark.parametrize("name", ["Java_com_a_B_imported", "malloc", "internal_thing"])
def test_what_is_imported_or_no_entry_point_is_not_exported(name: str) -> None:
    assert name not in parse_elf(SMALL).exports


def test_class_paths_come_from_whole_strings() -> None:
    elf = parse_elf(SMALL)
    assert list(elf.class_strings) == ["com.tencent.mm.sdk.Native"]
    offset = elf.class_strings.offset_of("com.tencent.mm.sdk.Native")
    assert offset is not None
    assert SMALL[offset:].startswith(b"com/tencent/mm/sdk/Native\0")
    assert isinstance(elf.class_strings, Values)


@pytest.mark.parametrize(
    ("text", "classes"),
    [
        pytest.param(b"com/a/B", ["com.a.B"], id="three parts"),
        pytest.param(b"com/a/B$Inner", ["com.a.B$Inner"], id="a nested class"),
        pytest.param(b"a/b/c", ["a.b.c"], id="a renamed class of three parts"),
        pytest.param(b"com/Foo", ["com.Foo"], id="two parts that follow the convention for names"),
        pytest.param(b"Lcom/a/B;", ["com.a.B"], id="a descriptor"),
        pytest.param(b"[Lcom/a/B;", ["com.a.B"], id="an array"),
        pytest.param(b"[[La/B;", ["a.B"], id="an array of arrays"),
        pytest.param(b"()V", [], id="a signature without classes"),
        pytest.param(b"(Lcom/a/B;I[La/c;)Lcom/D;", ["a.c", "com.D", "com.a.B"], id="a signature"),
        pytest.param(b"(IZJLcom/a/B;DLFoo/x;)V", ["Foo.x", "com.a.B"], id="behind primitive types"),
        pytest.param(b"/".join([b"p" * 81] + [b"q" * 80] * 16), [".".join(["p" * 81] + ["q" * 80] * 16)], id="longest"),
    ],
)
def test_a_class_is_named_as_the_native_interface_names_it(text: bytes, classes: list[str]) -> None:
    assert list(parse_elf(build_elf(rodata=b"\0" + text + b"\0")).class_strings) == classes


@pytest.mark.parametrize(
    "text",
    [
        b"/com/a/B",
        b"xx com/a/B",
        b"com/a/B;",
        b"com//a/B",
        b"com/a/",
        b"9com/a/B",
        b"com/a/B-c",
        b"a/B",
        b"text/html",
        b"audio/AMR",
        b"Europe/London",
        b"[com/a/B;",
        b"xLcom/a/B;",
        b" Lcom/a/B;",
        b"q" * 82 + b"/a/b",
        b"/".join([b"p"] * 18),
    ],
)
def test_what_is_not_shaped_like_a_class_path_is_left_out(text: bytes) -> None:
    assert list(parse_elf(build_elf(rodata=b"\0" + text + b"\0")).class_strings) == []


def test_section_headers_that_lie_hide_nothing_a_loader_sees() -> None:
    honest = build_elf(soname="libtrue.so", needed=["libc.so"], defined=["JNI_OnLoad"], rodata=RODATA)
    table, size, count = (struct.unpack_from("<Q", honest, 40)[0], 64, struct.unpack_from("<H", honest, 60)[0])
    lying = bytearray(honest)
    for number in range(1, count):
        struct.pack_into("<QQ", lying, table + size * number + 24, 64, 8)
    elf = parse_elf(bytes(lying))
    assert (elf.soname, elf.needed, list(elf.exports)) == ("libtrue.so", ("libc.so",), ["JNI_OnLoad"])
    assert "com.tencent.mm.sdk.Native" in elf.class_strings


def test_strings_that_hold_a_version_are_kept_whole() -> None:
    elf = parse_elf(SMALL)
    assert list(elf.versions) == ["libexample 12.4.3 (release)", "v7.0.22"]
    offset = elf.versions.offset_of("v7.0.22")
    assert offset is not None
    assert SMALL[offset:].startswith(b"v7.0.22\0")
    assert elf.versions.offset_of("absent") is None


def test_a_long_string_around_a_version_is_cut() -> None:
    text = b"a" * 100 + b" 1.2.3 " + b"b" * 100
    assert list(parse_elf(build_elf(rodata=text)).versions) == ["a" * 39 + " 1.2.3 " + "b" * 39]


@pytest.mark.parametrize(
    ("machine", "name"), [(3, "i386"), (40, "arm"), (62, "x86_64"), (183, "aarch64"), (4711, "machine-4711")]
)
def test_the_processor_is_named(machine: int, name: str) -> None:
    assert parse_elf(build_elf(machine=machine)).machine == name


def test_without_section_headers_the_loaded_segments_are_searched() -> None:
    elf = parse_elf(build_elf(soname="libpacked.so", defined=["JNI_OnLoad"], rodata=RODATA, sections=False))
    assert elf.soname == "libpacked.so"
    assert "com.tencent.mm.sdk.Native" in elf.class_strings
    assert "libexample 12.4.3 (release)" in elf.versions


def test_a_file_that_states_nothing_gives_empty_values() -> None:
    elf = parse_elf(build_elf())
    assert (elf.soname, elf.needed, list(elf.exports), elf.build_id) == ("", (), [], "")
    assert (list(elf.class_strings), list(elf.versions)) == ([], [])


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_every_kind_of_blob_is_read(wrap: object) -> None:
    assert parse_elf(wrap(SMALL)).soname == "libexample.so"  # type: ignore[operator]


@pytest.mark.parametrize("data", [b"", b"\x7fEL", b"MZ", b"\0\x7fELF", b"dex\n035\0"])
def test_what_has_no_magic_is_no_elf(data: bytes) -> None:
    assert not is_elf(data)
    with pytest.raises(FormatError):
        parse_elf(data)


@pytest.mark.parametrize(
    "data",
    [
        b"\x7fELF",
        b"\x7fELF" + bytes(60),
        b"\x7fELF\x03\x01\x01" + bytes(60),
        b"\x7fELF\x02\x01\x01" + bytes(40),
    ],
)
def test_a_magic_without_a_header_is_a_format_error(data: bytes) -> None:
    assert is_elf(data)
    with pytest.raises(FormatError):
        parse_elf(data)


def test_a_file_larger_than_the_limit_is_not_handed_on() -> None:
    with pytest.raises(LimitError):
        parse_elf(SMALL, replace(DEFAULT, elf_size=len(SMALL) - 1))


def test_more_strings_than_the_limit_are_refused() -> None:
    many = build_elf(rodata=b"\0com/a/B\0com/a/C\0")
    hollow = build_elf(rodata=b"\0/a;/b;")
    for data in (SMALL, many, hollow):
        with pytest.raises(LimitError):
            parse_elf(data, replace(DEFAULT, native_strings=1))


def test_a_cut_file_says_so() -> None:
    for size in range(64, len(SMALL) - 1, 5):
        try:
            elf = parse_elf(SMALL[:size])
        except FormatError:
            continue
        assert elf.faults


def test_every_prefix_gives_a_result_or_a_format_error() -> None:
    for size in range(len(SMALL)):
        read_all(SMALL[:size])


def test_seeded_bit_flips_give_a_result_or_a_format_error() -> None:
    chance = random.Random(20210105)
    for _ in range(1000):
        mangled = bytearray(SMALL)
        for _ in range(chance.randint(1, 6)):
            mangled[chance.randrange(len(mangled))] ^= 1 << chance.randrange(8)
        read_all(bytes(mangled))


def test_random_bytes_behind_a_magic_give_a_result_or_a_format_error() -> None:
    chance = random.Random(20210106)
    for _ in range(200):
        read_all(b"\x7fELF" + bytes([chance.choice((1, 2)), chance.choice((1, 2)), 1]) + chance.randbytes(400))


def read_all(data: bytes) -> None:
    try:
        elf = parse_elf(data)
    except FormatError:
        return
    for text in (elf.soname, *elf.needed, *elf.exports, *elf.class_strings, *elf.versions, elf.build_id):
        text.encode("utf-8")


@pytest.mark.tools
@pytest.mark.parametrize(
    "target",
    ["aarch64-linux-android21", "armv7a-linux-androideabi21", "x86_64-linux-android21", "i686-linux-android21"],
)
def test_what_a_linker_makes_is_read(target: str, tmp_path: Path) -> None:
    clang, linker = shutil.which("clang-14"), shutil.which("ld.lld-14")
    if clang is None or linker is None:
        pytest.skip("clang-14 and lld-14 are not installed")
    source = tmp_path / "native.c"
    source.write_text(
        'static const char *const path = "com/example/pay/Native";\n'
        'const char *version(void) { return "libnative 3.14.15"; }\n'
        "const char *JNI_OnLoad(void) { return path; }\n"
        "int Java_com_example_pay_Native_run(void) { return 1; }\n"
    )
    library = tmp_path / "libnative.so"
    compiled = [clang, f"--target={target}", "-c", "-fPIC", "-O1", "-o", str(tmp_path / "native.o"), str(source)]
    linked = [
        linker,
        "-shared",
        "--build-id=sha1",
        "-soname",
        "libnative.so",
        "-o",
        str(library),
        str(tmp_path / "native.o"),
    ]
    for command in (compiled, linked):
        subprocess.run(command, check=True, capture_output=True)
    elf = parse_elf(library.read_bytes())
    assert elf.soname == "libnative.so"
    assert list(elf.exports) == ["JNI_OnLoad", "Java_com_example_pay_Native_run"]
    assert "com.example.pay.Native" in elf.class_strings
    assert "libnative 3.14.15" in elf.versions
    assert len(elf.build_id) == 40
    assert elf.faults == ()
