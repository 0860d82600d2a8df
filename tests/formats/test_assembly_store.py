"""What the reader of assembly stores promises: which assemblies a .NET app for Android carries."""

from __future__ import annotations

import random
import struct
from dataclasses import replace

import pytest

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.assembly_store import (
    is_assembly_store,
    is_compressed_assembly,
    parse_assembly_store,
    parse_store_manifest,
)
from auditor.limits import DEFAULT
from tests.builders.dotnet import build_store, build_store_manifest
from tests.builders.elf import build_elf

NAMES = ["System.Private.CoreLib.dll", "WeChat.Android.Binding.dll", "de/App.resources.dll", "Größe.dll"]
STEMS = ("App.resources", "Größe", "System.Private.CoreLib", "WeChat.Android.Binding")
SMALL = build_store(NAMES)


@pytest.mark.parametrize("version", [2, 3, 4])
@pytest.mark.parametrize("wide", [False, True])
def test_a_store_names_its_assemblies(version: int, wide: bool) -> None:
    found = parse_assembly_store(build_store(NAMES, version, wide))
    assert (found.version, found.count, found.names) == (version, 4, STEMS)


def test_a_store_of_the_first_version_leaves_the_names_to_the_manifest() -> None:
    found = parse_assembly_store(build_store(NAMES, 1))
    assert (found.version, found.count, found.names) == (1, 4, ())
    assert parse_store_manifest(build_store_manifest(["Mono.Android", "WeChat.Binding"])) == (
        "Mono.Android",
        "WeChat.Binding",
    )


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_a_store_inside_a_library_is_found(version: int) -> None:
    data = build_elf(soname="libassemblies.arm64-v8a.blob.so", rodata=build_store(NAMES, version))
    assert parse_assembly_store(data).count == 4


def test_code_that_looks_for_stores_hides_none() -> None:
    assert parse_assembly_store(build_elf(rodata=b"XABA\xff\xff\xff\xff" * 3 + SMALL)).names == STEMS


def test_what_is_no_assembly_is_not_named() -> None:
    assert parse_assembly_store(build_store(["App.dll", "App.pdb", "notes.txt"])).names == ("App",)


@pytest.mark.parametrize("data", [b"", b"XAB", b"ABAX", b"\x7fELF" + bytes(80), b"XALZ" + bytes(40)])
def test_what_holds_no_store_is_refused(data: bytes) -> None:
    assert not is_assembly_store(data)
    with pytest.raises(FormatError, match="no assembly store"):
        parse_assembly_store(data)


@pytest.mark.parametrize("version", [0, 5, 0xFFFF])
def test_another_version_is_unsupported(version: int) -> None:
    data = SMALL[:4] + struct.pack("<I", version) + SMALL[8:]
    with pytest.raises(UnsupportedError):
        parse_assembly_store(data)


def test_a_store_of_too_many_assemblies_is_refused() -> None:
    with pytest.raises(LimitError):
        parse_assembly_store(SMALL, replace(DEFAULT, wrapper_strings=3))


@pytest.mark.parametrize("size", [0, 0x10000, 0xFFFFFFFF])
def test_damaged_names_are_a_format_error(size: int) -> None:
    at = SMALL.index(NAMES[1].encode()) - 4
    with pytest.raises(FormatError, match="names"):
        parse_assembly_store(SMALL[:at] + struct.pack("<I", size) + SMALL[at + 4 :])


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"Hash 32 Hash 64 Blob ID Blob idx Name\n",
        b"plain text that names nothing",
        b"0x1 0x2 0 Name",
        b"\xff\xfe\x00",
    ],
)
def test_a_manifest_that_names_nothing_is_a_format_error(text: bytes) -> None:
    with pytest.raises(FormatError):
        parse_store_manifest(text)


def test_a_manifest_beyond_the_limit_is_refused() -> None:
    data = build_store_manifest(["App"])
    with pytest.raises(LimitError):
        parse_store_manifest(data, replace(DEFAULT, manifest_size=len(data) - 1))


def test_a_compressed_assembly_is_told_by_its_magic_number() -> None:
    assert is_compressed_assembly(b"XALZ\0\0\0\0")
    assert not is_compressed_assembly(b"MZ\x90\0")


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_every_kind_of_blob_is_read(wrap: type) -> None:
    assert parse_assembly_store(wrap(SMALL)).names == STEMS
    assert parse_store_manifest(wrap(build_store_manifest(["App"]))) == ("App",)


def read_all(data: bytes) -> None:
    for parse in (parse_assembly_store, parse_store_manifest):
        try:
            parse(data)
        except FormatError:
            continue


def test_every_prefix_gives_a_result_or_a_format_error() -> None:
    for version in (1, 2, 4):
        data = build_store(NAMES, version)
        for size in range(len(data)):
            read_all(data[:size])


def test_seeded_bit_flips_give_a_result_or_a_format_error() -> None:
    chance = random.Random(8168)
    for data in (SMALL, build_store(NAMES, 1), build_store_manifest(NAMES)):
        for _ in range(300):
            mangled = bytearray(data)
            for _ in range(chance.randint(1, 6)):
                mangled[chance.randrange(len(mangled))] ^= 1 << chance.randrange(8)
            read_all(bytes(mangled))


def test_a_store_of_no_assemblies_is_none() -> None:
    with pytest.raises(FormatError, match="0 assemblies"):
        parse_assembly_store(build_store([]))


def test_a_store_that_turns_out_damaged_late_is_not_looked_for_elsewhere() -> None:
    names = [f"Assembly{number:04}.dll" for number in range(5000)]
    damaged = bytearray(build_store(names))
    at = damaged.index(b"Assembly4999") - 4
    damaged[at : at + 4] = bytes(4)
    with pytest.raises(FormatError, match="damaged"):
        parse_assembly_store(bytes(damaged) + SMALL)
