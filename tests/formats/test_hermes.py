"""Hermes bytecode tells its strings in every version, and damage to it is refused or named."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.hermes import is_hermes, parse_hermes
from auditor.limits import DEFAULT
from tests.builders.mangle import mutations, prefixes
from tests.builders.scripts import HERMES_MAGIC, hermes

STRINGS = [
    "global",
    "WeChat",
    "",
    "com.example/channel",
    "café",
    "微信支付",
    "\U0001f4b0",
    "x" * 254,
    "y" * 255,
    "z" * 9000,
]
VERSIONS = [60, 62, 74, 76, 83, 84, 85, 89, 90, 93, 94, 95, 96, 97, 98, 99]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("functions", [0, 1, 7])
def test_all_strings_of_every_version_are_read(version: int, functions: int) -> None:
    found = parse_hermes(hermes(STRINGS, version, functions))
    assert found.version == version
    assert found.faults == ()
    assert list(found.strings) == sorted(set(STRINGS), key=str.encode)
    assert all(text in found.strings for text in STRINGS)


@pytest.mark.parametrize("overflow_all", [False, True])
def test_long_strings_stand_in_the_table_of_overflows(overflow_all: bool) -> None:
    found = parse_hermes(hermes(["a" * 254, "b" * 255, "微" * 300], overflow_all=overflow_all))
    assert {"a" * 254, "b" * 255, "微" * 300} == set(found.strings)


@pytest.mark.parametrize("absent", ["WeCha", "WeChatt", "lobal", "globalWeChat", "caf", "微信", "\U0001f4b1"])
def test_a_part_of_a_string_or_of_two_is_not_inside(absent: str) -> None:
    assert absent not in parse_hermes(hermes(STRINGS)).strings


@pytest.mark.parametrize("built_as", [96, 97])
@pytest.mark.parametrize("version", [97, 100, 120])
def test_a_version_that_was_never_compiled_with_is_read_with_either_size_of_headers(
    built_as: int, version: int
) -> None:
    data = bytearray(hermes(["registerApp", "isWXAppInstalled", "pay", "微信"] * 5, built_as, functions=9))
    struct.pack_into("<I", data, 8, version)
    found = parse_hermes(bytes(data))
    assert set(found.strings) == {"registerApp", "isWXAppInstalled", "pay", "微信"}
    assert found.faults == ()


def test_the_strings_behave_as_values() -> None:
    strings = parse_hermes(hermes(["ab", "abc", "b", "微信", "微信支付"])).strings
    assert len(strings) == 5
    assert list(strings.with_prefix("ab")) == ["ab", "abc"]
    assert list(strings.with_prefix("微")) == ["微信", "微信支付"]
    assert 7 not in strings
    assert list(strings.iter_raw()) == [text.encode() for text in strings]


def test_the_offset_of_a_string_is_where_it_lies() -> None:
    data = hermes(STRINGS)
    strings = parse_hermes(data).strings
    for text in ("WeChat", "com.example/channel"):
        assert strings.offset_of(text) == data.index(text.encode())
    assert strings.offset_of("微信支付") == data.index("微信支付".encode("utf-16-le"))
    assert strings.offset_of("elsewhere") is None


def test_strings_may_share_their_bytes() -> None:
    data = bytearray(hermes(["registerApp", "xxxxxxxx"]))
    place = data.index(b"registerAppxxxxxxxx") - 4
    struct.pack_into("<I", data, place, 8 << 24)
    assert set(parse_hermes(bytes(data)).strings) == {"registerApp", "register"}


@pytest.mark.parametrize(
    ("text", "package"),
    [
        ("/assets/node_modules/react-native-wechat-lib/img", "react-native-wechat-lib"),
        ("node_modules/@uiw/react-native-alipay/index.js", "@uiw/react-native-alipay"),
        ("node_modules/react-native-wechat-lib", ""),
        ("modules/react-native-wechat-lib/x", ""),
    ],
)
def test_packages_are_those_of_paths(text: str, package: str) -> None:
    assert parse_hermes(hermes([text, "/tail"])).packages == ((package,) if package else ())


def test_a_path_that_two_strings_make_together_is_none() -> None:
    found = parse_hermes(hermes(["node_modules/", "fluwx", "/x", "node_modules/real/x"]))
    assert found.packages == ("real",)


def test_a_lone_surrogate_is_kept() -> None:
    assert list(parse_hermes(hermes(["\ud83d"])).strings) == ["\ud83d"]


def test_the_magic_number_tells_it() -> None:
    assert is_hermes(HERMES_MAGIC + b"\x60")
    assert is_hermes(bytes(byte ^ 0xFF for byte in HERMES_MAGIC))
    assert not is_hermes(HERMES_MAGIC[:7])
    assert not is_hermes(b"var __BUNDLE_START_TIME__")


@pytest.mark.parametrize("data", [b"", b"junk", HERMES_MAGIC, HERMES_MAGIC + bytes(119), bytes(200)])
def test_what_is_no_bytecode_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_hermes(data)


@pytest.mark.parametrize("version", [0, 58, 200, 0xFFFFFFFF])
def test_a_version_nobody_has_seen_is_not_guessed(version: int) -> None:
    with pytest.raises(UnsupportedError, match=f"version {version}"):
        parse_hermes(hermes(version=version))


def test_a_version_with_headers_of_a_third_size_is_not_guessed() -> None:
    data = hermes(["registerApp"] * 9, 98, functions=5)
    other = bytearray(data[:128] + bytes(5 * 8) + data[128:])
    struct.pack_into("<I", other, 8, 120)
    with pytest.raises(UnsupportedError, match="another size"):
        parse_hermes(bytes(other))


def test_the_form_for_differences_is_told() -> None:
    with pytest.raises(UnsupportedError, match="differences"):
        parse_hermes(hermes(magic=bytes(byte ^ 0xFF for byte in HERMES_MAGIC)))


def test_the_number_of_strings_is_bounded() -> None:
    with pytest.raises(LimitError, match="wrapper_strings"):
        parse_hermes(hermes(["a", "b", "c"]), replace(DEFAULT, wrapper_strings=2))


@pytest.mark.parametrize("place", [40, 44, 48, 52, 56, 60])
def test_a_count_beyond_the_file_is_refused(place: int) -> None:
    data = bytearray(hermes(STRINGS))
    struct.pack_into("<I", data, place, 3_000_000)
    with pytest.raises(FormatError):
        parse_hermes(bytes(data))


def test_a_string_outside_the_storage_is_a_fault_and_hides_no_other() -> None:
    data = bytearray(hermes(["first", "second"]))
    place = data.index(b"firstsecond") - 4
    struct.pack_into("<I", data, place, 7 << 1 | 200 << 24)
    found = parse_hermes(bytes(data))
    assert found.faults == ("1 of 2 strings lie outside the string storage",)
    assert set(found.strings) == {"first"}


def test_a_file_that_ends_early_is_a_fault() -> None:
    found = parse_hermes(hermes(STRINGS, length=1_000_000))
    assert "of 1000000 bytes" in found.faults[0]
    assert "WeChat" in found.strings


def test_a_table_that_repeats_its_bytes_beyond_measure_is_cut_off() -> None:
    data = bytearray(hermes(["a" * 60_000] + ["b"] * 400))
    first = 128 + 16 + 8 + 4 * 200
    word = struct.unpack_from("<I", data, first)[0]
    overflow = first + 4 * 401
    for number in range(1, 401):
        struct.pack_into("<I", data, first + 4 * number, word)
    assert struct.unpack_from("<2I", data, overflow) == (0, 60_000)
    found = parse_hermes(bytes(data))
    assert set(found.strings) == {"a" * 60_000}
    assert found.faults == ("the strings overlap beyond measure",)


def test_packages_are_looked_for_in_no_more_than_is_kept_of_the_strings() -> None:
    # Each of 50 000 strings is the whole storage: searched one by one, that is 25 GB.
    path = "node_modules/react-native-wechat-lib/index.js" * 11_000
    data = bytearray(hermes([path, *["b"] * 50_000]))
    first = 128 + 16 + 8 + 4 * 25_000
    word = data[first : first + 4]
    data[first : first + 4 * 50_001] = word * 50_001
    found = parse_hermes(bytes(data))
    assert found.packages == ("react-native-wechat-lib",)
    assert found.faults == ("the strings overlap beyond measure",)


def test_every_prefix_is_read_or_refused() -> None:
    for part in prefixes(hermes(STRINGS[:7])):
        try:
            found = parse_hermes(part)
        except FormatError:
            continue
        assert found.faults


@pytest.mark.parametrize("version", [76, 96, 99])
def test_flipped_bits_are_read_or_refused(version: int) -> None:
    for damaged in mutations(hermes(STRINGS[:7], version, functions=3), 300):
        try:
            found = parse_hermes(damaged)
            assert all(isinstance(text, str) for text in found.strings)
        except FormatError:
            continue
