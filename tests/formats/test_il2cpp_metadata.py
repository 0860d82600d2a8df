"""What the reader of IL2CPP metadata promises: assemblies, identifiers and literals of every version of Unity."""

from __future__ import annotations

import random
import struct
from dataclasses import replace

import pytest

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.il2cpp_metadata import is_il2cpp_metadata, parse_il2cpp_metadata
from auditor.limits import DEFAULT
from auditor.model import Values
from tests.builders.il2cpp import build_metadata

LITERALS = ["com.tencent.mm.opensdk.openapi.WXAPIFactory", "", "weixin://", "支付成功", "pay", "wx1234567890abcdef"]
IDENTIFIERS = ["Assembly-CSharp.dll", "Assembly-CSharp", "mscorlib.dll", "cn.sharesdk.unity3d.dll", "ShareSDK", "Größe"]
ASSEMBLIES = ("Assembly-CSharp", "cn.sharesdk.unity3d", "mscorlib")
SMALL = build_metadata(LITERALS, IDENTIFIERS)


def test_assemblies_are_named_by_their_images() -> None:
    found = parse_il2cpp_metadata(SMALL)
    assert found.version == 29
    assert found.assemblies == ASSEMBLIES
    assert found.faults == ()


def test_literals_and_identifiers_are_strings() -> None:
    strings = parse_il2cpp_metadata(SMALL).strings
    assert isinstance(strings, Values)
    assert set(strings) == {*LITERALS, *IDENTIFIERS} - {""}
    assert list(strings) == sorted(strings, key=str.encode)


@pytest.mark.parametrize(
    ("version", "starts_only"),
    [(version, False) for version in (16, 19, 21, 24, 27, 29, 31, 35, 37, 38, 39, 104)]
    + [(version, True) for version in (35, 37, 38, 39, 104)],
)
def test_every_version_is_read(version: int, starts_only: bool) -> None:
    """Versions up to 31 state the length of each literal."""
    found = parse_il2cpp_metadata(build_metadata(LITERALS, IDENTIFIERS, version, starts_only))
    assert (found.version, found.assemblies, found.faults) == (version, ASSEMBLIES, ())
    assert set(found.strings) == {*LITERALS, *IDENTIFIERS} - {""}


@pytest.mark.parametrize("text", ["wei", "xin://", "weixin://支付成功", "支付成功pay", "", "Assembly", "SDK"])
def test_what_is_no_whole_string_is_not_among_them(text: str) -> None:
    """Literals lie behind one another without anything between them."""
    assert text not in parse_il2cpp_metadata(SMALL).strings


@pytest.mark.parametrize("text", ["weixin://", "支付成功", "ShareSDK", "Assembly-CSharp.dll"])
def test_the_offset_of_a_string_is_that_of_its_bytes(text: str) -> None:
    offset = parse_il2cpp_metadata(SMALL).strings.offset_of(text)
    assert offset is not None
    assert SMALL[offset:].startswith(text.encode())


@pytest.mark.parametrize(
    "literals", [["", "all of it"], ["one"], ["one", "two"], ["", ""], ["a", "", "b"], ["", "", "c"]]
)
@pytest.mark.parametrize("starts_only", [False, True])
def test_few_literals_are_told_apart_in_both_forms(literals: list[str], starts_only: bool) -> None:
    found = parse_il2cpp_metadata(build_metadata(literals, ["X.dll"], 35, starts_only))
    assert set(found.strings) == {"X.dll", *literals} - {""}
    assert found.faults == ()


def test_a_name_of_absurd_length_is_no_assembly() -> None:
    data = build_metadata([], ["x" * 2000 + ".dll", "Real.dll", ".dll"])
    assert parse_il2cpp_metadata(data).assemblies == ("Real",)


def test_a_file_without_literals_is_read() -> None:
    for version in (24, 29, 39):
        found = parse_il2cpp_metadata(build_metadata([], IDENTIFIERS, version))
        assert found.assemblies == ASSEMBLIES
        assert found.faults == ()


def test_literals_of_a_translated_game_need_not_lie_in_order() -> None:
    """Who replaces a text by a longer one appends it; versions up to 31 state where each lies."""
    data = bytearray(build_metadata(["one", "two!", "three"], IDENTIFIERS, 31))
    table = struct.unpack_from("<I", data, 8)[0]
    struct.pack_into("<4I", data, table, 4, 3, 3, 0)
    assert {"one", "two!", "three"} <= set(parse_il2cpp_metadata(bytes(data)).strings)


def test_literals_that_cannot_be_told_apart_are_a_fault_and_identifiers_remain() -> None:
    data = bytearray(build_metadata(LITERALS, IDENTIFIERS, 35))
    table = struct.unpack_from("<I", data, 8)[0]
    struct.pack_into("<II", data, table, 0xFFFFFFF0, 0xFFFFFFFF)
    found = parse_il2cpp_metadata(bytes(data))
    assert "ShareSDK" in found.strings
    assert "weixin://" not in found.strings
    assert [fault for fault in found.faults if "literals" in fault]


@pytest.mark.parametrize("data", [b"", b"\xaf\x1b\xb1", b"\x00" * 64, b"UnityWebData1.0\0", SMALL[1:], SMALL[::-1]])
def test_another_magic_number_is_a_format_error(data: bytes) -> None:
    assert not is_il2cpp_metadata(data)
    with pytest.raises(FormatError, match="encrypted"):
        parse_il2cpp_metadata(data)


def test_encrypted_identifiers_are_a_format_error() -> None:
    """Some protectors leave the header and encrypt what it points to."""
    start, size = struct.unpack_from("<II", SMALL, 24)
    secret = bytes(byte ^ 0xA5 for byte in SMALL[start : start + size])
    with pytest.raises(FormatError, match="name no assembly"):
        parse_il2cpp_metadata(SMALL[:start] + secret + SMALL[start + size :])


@pytest.mark.parametrize("version", [0, 15, 1001, 0xFFFFFFFF])
def test_what_is_no_version_is_unsupported(version: int) -> None:
    with pytest.raises(UnsupportedError):
        parse_il2cpp_metadata(build_metadata(LITERALS, IDENTIFIERS, version))


@pytest.mark.parametrize("table", range(3))
def test_a_table_outside_the_file_is_a_format_error(table: int) -> None:
    data = bytearray(SMALL)
    struct.pack_into("<II", data, 8 + 8 * table, len(SMALL) - 4, 8)
    with pytest.raises(FormatError, match="outside the file"):
        parse_il2cpp_metadata(bytes(data))


def test_more_strings_than_the_limit_are_refused() -> None:
    with pytest.raises(LimitError):
        parse_il2cpp_metadata(SMALL, replace(DEFAULT, wrapper_strings=3))
    many = build_metadata(["x"] * 40, IDENTIFIERS)
    with pytest.raises(LimitError):
        parse_il2cpp_metadata(many, replace(DEFAULT, wrapper_strings=20))


def test_literals_inside_one_another_do_not_add_up() -> None:
    """A thousand entries that each claim the whole text must not cost a thousand times the file."""
    data = bytearray(build_metadata(["x" * 1000, *["y"] * 999], IDENTIFIERS, 24))
    table = struct.unpack_from("<I", data, 8)[0]
    for index in range(1000):
        struct.pack_into("<II", data, table + 8 * index, 1999 - index, index)
    found = parse_il2cpp_metadata(bytes(data))
    assert sum(len(text) for text in found.strings) <= 3 * len(data)
    assert found.faults == ("string literals of the IL2CPP metadata overlap beyond measure",)


@pytest.mark.parametrize("version", [24, 29, 35, 39])
def test_text_of_literals_without_their_table_is_a_fault(version: int) -> None:
    data = bytearray(build_metadata(LITERALS, IDENTIFIERS, version))
    struct.pack_into("<I", data, 12, 0)
    found = parse_il2cpp_metadata(bytes(data))
    assert set(found.strings) == set(IDENTIFIERS)
    assert "no table of them" in found.faults[0]


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_every_kind_of_blob_is_read(wrap: type) -> None:
    assert parse_il2cpp_metadata(wrap(SMALL)).assemblies == ASSEMBLIES


def read_all(data: bytes) -> None:
    try:
        found = parse_il2cpp_metadata(data)
    except FormatError:
        return
    assert all(isinstance(text, str) for text in found.strings)
    found.strings.offset_of("weixin://")


def test_every_prefix_gives_a_result_or_a_format_error() -> None:
    for size in range(len(SMALL)):
        read_all(SMALL[:size])


@pytest.mark.parametrize("version", [24, 35, 39])
def test_seeded_bit_flips_give_a_result_or_a_format_error(version: int) -> None:
    chance = random.Random(version)
    data = build_metadata(LITERALS, IDENTIFIERS, version)
    for _ in range(400):
        mangled = bytearray(data)
        for _ in range(chance.randint(1, 6)):
            mangled[chance.choice((chance.randrange(48), chance.randrange(len(data))))] ^= 1 << chance.randrange(8)
        read_all(bytes(mangled))
