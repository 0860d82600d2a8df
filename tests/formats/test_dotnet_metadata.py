"""What the reader of .NET assemblies promises: names, references, identifiers and user strings."""

from __future__ import annotations

import random
import struct

import pytest

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.dotnet_metadata import DotnetAssembly, is_pe, parse_dotnet_assembly
from auditor.model import Values
from tests.builders.dotnet import Assembly, native_dll
from tests.corpus.registry import Package, read_member

SMALL = Assembly(references=("mscorlib", "WeChat.Binding")).build()


def parse(data: bytes) -> DotnetAssembly:
    found = parse_dotnet_assembly(data)
    assert found is not None
    return found


def test_an_assembly_says_its_name_version_and_references() -> None:
    found = parse(SMALL)
    assert (found.name, found.version) == ("Example", "1.2.3.4")
    assert found.references == ("mscorlib", "WeChat.Binding")


def test_identifiers_and_user_strings_are_strings() -> None:
    strings = parse(SMALL).strings
    assert isinstance(strings, Values)
    assert set(strings) == {
        "Example",
        "mscorlib",
        "WeChat.Binding",
        "PayTask",
        "Example.Payment",
        "weixin://",
        "支付成功",
    }


@pytest.mark.parametrize("plus", [False, True])
@pytest.mark.parametrize("wide_heaps", [False, True])
@pytest.mark.parametrize("types", [1, 1 << 11, 1 << 13, 1 << 14, 70_000])
def test_columns_grow_with_the_tables_they_point_to(plus: bool, wide_heaps: bool, types: int) -> None:
    found = parse(Assembly(types=types, plus=plus, wide_heaps=wide_heaps, references=("A", "B")).build())
    assert (found.name, found.version, found.references) == ("Example", "1.2.3.4", ("A", "B"))


@pytest.mark.parametrize("length", [0, 1, 62, 63, 64, 5000, 0x1FFF, 0x2000, 9000])
def test_user_strings_of_every_length_are_read(length: int) -> None:
    """Their length takes one, two or four bytes."""
    strings = parse(Assembly(user_strings=("x" * length, "behind it")).build()).strings
    assert "behind it" in strings
    assert ("x" * length in strings) is (length > 0)


@pytest.mark.parametrize("text", ["weixin://", "支付成功"])
def test_the_offset_of_a_user_string_is_that_of_its_characters(text: str) -> None:
    offset = parse(SMALL).strings.offset_of(text)
    assert offset is not None
    assert SMALL[offset:].startswith(text.encode("utf-16-le"))


def test_the_offset_of_an_identifier_is_that_of_its_bytes() -> None:
    offset = parse(SMALL).strings.offset_of("PayTask")
    assert offset is not None
    assert SMALL[offset:].startswith(b"PayTask\0")


def test_a_module_without_an_assembly_has_no_name() -> None:
    found = parse(Assembly(is_assembly=False).build())
    assert (found.name, found.version, found.references) == ("", "", ("mscorlib",))


def test_of_streams_of_one_name_the_first_counts() -> None:
    assert parse(Assembly(extra_streams=[("#Junk", b"junk")]).build()).name == "Example"
    with pytest.raises(FormatError):
        parse_dotnet_assembly(Assembly(extra_streams=[("#~", b"junk")]).build())


def test_a_native_library_holds_no_metadata() -> None:
    assert parse_dotnet_assembly(native_dll()) is None


def test_metadata_of_an_editing_session_is_unsupported() -> None:
    with pytest.raises(UnsupportedError):
        parse_dotnet_assembly(Assembly(extra_streams=[("#JTD", b"")]).build())


@pytest.mark.parametrize("data", [b"", b"M", b"MZ", b"MZ" + bytes(200), b"\x7fELF", SMALL[1:], b"XALZ" + SMALL])
def test_what_is_no_pe_file_is_a_format_error(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_dotnet_assembly(data)


def test_the_magic_number_is_told() -> None:
    assert is_pe(SMALL)
    assert not is_pe(b"ZM")


@pytest.mark.parametrize(
    ("what", "replacement"),
    [(b"BSJB", b"BSJC"), (b"PE\0\0", b"PE\0\1"), (b"#~\0\0", b"#x\0\0"), (b"#Strings", b"#strings")],
)
def test_missing_parts_are_format_errors(what: bytes, replacement: bytes) -> None:
    with pytest.raises(FormatError):
        parse_dotnet_assembly(SMALL.replace(what, replacement))


def test_tables_larger_than_their_stream_are_a_format_error() -> None:
    data = bytearray(SMALL)
    counts = data.index(b"BSJB") + SMALL[data.index(b"BSJB") :].index(struct.pack("<BBBB", 2, 0, 0, 1)) + 20
    struct.pack_into("<I", data, counts, 0x7FFFFFFF)
    with pytest.raises(FormatError, match="outside their stream"):
        parse_dotnet_assembly(bytes(data))


def test_an_absurd_number_of_references_is_refused() -> None:
    assert len(parse(Assembly(references=("A",) * 10_000).build()).references) == 10_000
    with pytest.raises(LimitError):
        parse_dotnet_assembly(Assembly(references=("A",) * 10_001).build())


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_every_kind_of_blob_is_read(wrap: type) -> None:
    found = parse_dotnet_assembly(wrap(SMALL))
    assert found is not None
    assert found.name == "Example"


def read_all(data: bytes) -> None:
    try:
        found = parse_dotnet_assembly(data)
    except FormatError:
        return
    if found is not None:
        assert all(isinstance(text, str) for text in found.strings)


def test_every_prefix_gives_a_result_or_a_format_error() -> None:
    for size in range(len(SMALL)):
        read_all(SMALL[:size])


def test_seeded_bit_flips_give_a_result_or_a_format_error() -> None:
    chance = random.Random(335)
    for _ in range(1000):
        mangled = bytearray(SMALL)
        for _ in range(chance.randint(1, 6)):
            mangled[chance.randrange(len(mangled))] ^= 1 << chance.randrange(8)
        read_all(bytes(mangled))


PYTHONNET = Package("pythonnet==3.2.1", "dd5668b74b0c903d9a24e1ba86f728fc490f8e919d56b3c24bf06739b9ee2b7f")
LOADER = Package("clr-loader==0.3.1", "cbad189de20d202a7d621956b0fc38049e13c9bf7ca2923441eff725cd121aa1")


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("package", "member", "name", "reference", "text"),
    [
        (PYTHONNET, "pythonnet/runtime/Python.Runtime.dll", "Python.Runtime", "netstandard", "PyObject"),
        (LOADER, "clr_loader/ffi/dlls/amd64/ClrLoader.dll", "ClrLoader", "mscorlib", "PtrToStringUtf8"),
        (LOADER, "clr_loader/ffi/dlls/x86/ClrLoader.dll", "ClrLoader", "mscorlib", "PtrToStringUtf8"),
    ],
)
def test_real_assemblies_are_read(package: Package, member: str, name: str, reference: str, text: str) -> None:
    found = parse(read_member(package.fetch(), member))
    assert found.name == name
    assert reference in found.references
    assert text in found.strings


def test_a_user_string_that_reaches_outside_is_a_fault_and_hides_none_before_it() -> None:
    data = bytearray(Assembly(user_strings=("weixin://", "pay", "behind")).build())
    at = data.index("pay".encode("utf-16-le")) - 1
    data[at] = 0x7F
    found = parse(bytes(data))
    assert found.faults == ("a user string of the .NET metadata reaches outside their heap",)
    assert "weixin://" in found.strings
    assert "behind" not in found.strings
    assert parse(SMALL).faults == ()
