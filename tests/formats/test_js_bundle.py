"""A JavaScript bundle names literals, properties and packages, without being parsed."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest

from auditor.errors import FormatError
from auditor.formats.js_bundle import is_ram_bundle, parse_js_bundle
from auditor.limits import DEFAULT
from tests.builders.mangle import mutations, prefixes
from tests.builders.scripts import ram_bundle

MINIFIED = (
    b'__d(function(g,r,i,a,m,e,d){var n=r(d[0]),t=n.NativeModules.WechatLib,o="WeChat_Resp";'
    b"t.registerApp('wx0123456789abcdef').then(function(){return new n.MethodChannel(`com.jarvanmo/fluwx`)});"
    b'var s="two words",u="\\u5fae",v="caf\xc3\xa9",w="";},387,[2,14]);'
)


@pytest.mark.parametrize(
    "inside", ["WeChat_Resp", "WechatLib", "NativeModules", "registerApp", "wx0123456789abcdef", "com.jarvanmo/fluwx"]
)
def test_literals_and_properties_are_named(inside: str) -> None:
    assert inside in parse_js_bundle(MINIFIED).strings


@pytest.mark.parametrize(
    "outside", ["WeChat", "Resp", "two words", "two", "café", "", "function", "com.jarvanmo", "__d", "WeChat_Resp;"]
)
def test_parts_words_and_identifiers_of_the_code_are_not(outside: str) -> None:
    assert outside not in parse_js_bundle(MINIFIED).strings


def test_the_names_behave_as_values() -> None:
    strings = parse_js_bundle(MINIFIED).strings
    assert len(strings) == len(list(strings))
    assert list(strings) == sorted(strings)
    assert list(strings.with_prefix("We")) == ["WeChat_Resp", "WechatLib"]
    assert strings.offset_of("WeChat_Resp") == MINIFIED.index(b"WeChat_Resp")
    assert strings.offset_of("WechatLib") == MINIFIED.index(b"WechatLib")
    assert strings.offset_of("absent") is None
    assert 7 not in strings


@pytest.mark.parametrize(
    ("text", "packages"),
    [
        (b'"node_modules/react-native-wechat-lib/index.js"', ("react-native-wechat-lib",)),
        (b'httpServerLocation:"/assets/node_modules/@uiw/react-native-alipay/img"', ("@uiw/react-native-alipay",)),
        (b"'../node_modules/b/x' + '../node_modules/a/x' + 'node_modules/b/y'", ("a", "b")),
        (b'"node_modules/"', ()),
        (b'"my_modules/fluwx/x"', ()),
    ],
)
def test_packages_are_those_of_paths(text: bytes, packages: tuple[str, ...]) -> None:
    assert parse_js_bundle(text).packages == packages


def test_a_literal_longer_than_a_name_is_left_out() -> None:
    found = parse_js_bundle(b"'" + b"a" * 128 + b"' '" + b"b" * 129 + b"'").strings
    assert list(found) == ["a" * 128]


def test_what_is_looked_through_is_bounded() -> None:
    text = b"".join(b"'n%d'" % number for number in range(100))
    assert len(parse_js_bundle(text).strings) == 100
    assert len(parse_js_bundle(text, replace(DEFAULT, wrapper_strings=10)).strings) <= 10


@pytest.mark.parametrize("data", [b"", b"\0" * 64, b"'", b"\xff\xfe'a'", MINIFIED.decode().encode("utf-16")])
def test_any_text_is_a_bundle(data: bytes) -> None:
    assert parse_js_bundle(data).faults == ()


class TestRamBundles:
    MODULES = ("__d(function(){n.NativeModules.QQAPI},1);", "__d(function(){'QQ_Resp'},2);")

    def test_the_names_of_all_modules_are_read(self) -> None:
        data = ram_bundle(self.MODULES, "var x = 'WeChat_Req';")
        assert is_ram_bundle(data)
        found = parse_js_bundle(data)
        assert {"QQAPI", "QQ_Resp", "WeChat_Req"} <= set(found.strings)
        assert found.faults == ()

    def test_a_plain_bundle_is_none(self) -> None:
        assert not is_ram_bundle(MINIFIED)
        assert not is_ram_bundle(b"")

    def test_modules_outside_the_file_are_a_fault(self) -> None:
        found = parse_js_bundle(ram_bundle(self.MODULES, shift=5))
        assert found.faults == ("1 of 2 modules lie outside the RAM bundle",)
        assert "QQAPI" in found.strings

    @pytest.mark.parametrize(("place", "value"), [(4, 0xFFFFFFFF), (4, 1000), (8, 0xFFFFFFFF)])
    def test_a_table_or_code_beyond_the_file_is_refused(self, place: int, value: int) -> None:
        data = bytearray(ram_bundle(self.MODULES))
        struct.pack_into("<I", data, place, value)
        with pytest.raises(FormatError):
            parse_js_bundle(bytes(data))

    def test_every_prefix_is_refused_or_a_fault(self) -> None:
        data = ram_bundle(self.MODULES)
        for part in prefixes(data):
            if not is_ram_bundle(part):
                continue
            try:
                assert parse_js_bundle(part).faults
            except FormatError:
                continue

    def test_flipped_bits_are_read_or_refused(self) -> None:
        for damaged in mutations(ram_bundle(self.MODULES), 400):
            try:
                list(parse_js_bundle(damaged).strings)
            except FormatError:
                continue


@pytest.mark.parametrize("text", [b"'" * 400_000, b"'ab" * 200_000, b".a" * 200_000, b"node_modules/@" * 40_000])
def test_hostile_text_is_gone_through_once(text: bytes) -> None:
    found = parse_js_bundle(text)
    assert len(found.strings) <= 2
    assert found.packages == ()


@pytest.mark.parametrize(("text", "cut"), [(b'"ab","cd"', False), (b'"ab","cd","ef"', True), (b"a.bc.de.fg", True)])
def test_names_beyond_the_limit_are_a_fault(text: bytes, cut: bool) -> None:
    faults = parse_js_bundle(text, replace(DEFAULT, wrapper_strings=2)).faults
    assert faults == (("more than 2 names; raise --limit wrapper_strings",) if cut else ())
