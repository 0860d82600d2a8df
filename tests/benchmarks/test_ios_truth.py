"""The truth of the iOS matrix is read from link maps and from the output of LLVM's tools."""

from __future__ import annotations

import pytest

from benchmarks.accuracy.ios import truth_of
from benchmarks.accuracy.ios_link import Linked
from benchmarks.accuracy.ios_truth import (
    LinkMap,
    export_names,
    metadata_names,
    objc_classes,
    parse_link_map,
    string_values,
    symbol_names,
)
from benchmarks.accuracy.registry import Package, SdkBuild

MAP = """\
# Path: out
# Arch: arm64
# Object files:
[  0] linker synthesized
[  1] host.o
[  2] wechat.003.WXApi.o
[ 13] folder/alipay.o
# Sections:
# Address\tSize    \tSegment\tSection
0x100004000\t0x00000100\t__TEXT\t__text
# Symbols:
# Address\t    File  Name
0x100004000\t[  1] _main
0x100004010\t[  1] _OBJC_CLASS_$_PayBridge
0x100004020\t[  2] +[WXApi isWXAppInstalled]
0x100004030\t[  2] _OBJC_CLASS_$_WXApi
0x100004038\t[  2] _OBJC_METACLASS_$_WXApi
0x100004040\t[  2] l_OBJC_CLASS_NAME_.205
0x100004050\t[ 13] _OBJC_CLASS_$_AlipaySDK
0x100004060\t[ 13] _OBJC_CLASS_$_APayAuthInfo
"""
DEAD = """\
# Dead Stripped Symbols:
# Address\t    File  Name
<<dead>>\t[  2] _OBJC_CLASS_$_SendAuthReq
0x100005000\t[ 13] _OBJC_CLASS_$_APayNetwork
"""
WITH_SIZES = """\
# Object files:
[  0] linker synthesized
[  1] /build/libs/libPay.a(tencent-qq.001.QQApi.o)
[  2] /build/tencent-qq.o
# Symbols:
# Address\tSize    \tFile  Name
0x100004000\t0x00000028\t[  2] _OBJC_CLASS_$_TencentOAuth
0x100004028\t0x00000028\t[  1] _OBJC_CLASS_$_QQApi
"""


def build(family: str, states: str = "") -> SdkBuild:
    return SdkBuild(family, "1.0", Package("none", "0", ""), "none", states=states)


@pytest.mark.parametrize(
    ("family", "classes"),
    [
        ("wechat", {"WXApi"}),
        ("alipay", {"AlipaySDK", "APayAuthInfo"}),
        ("tencent-qq", set()),
    ],
)
def test_a_map_tells_the_live_classes_of_each_sdk(family: str, classes: set[str]) -> None:
    assert parse_link_map(MAP + DEAD).classes(family) == classes


def test_symbols_listed_as_dead_are_not_in_the_output() -> None:
    found = parse_link_map(MAP + DEAD)
    assert "SendAuthReq" not in found.classes("wechat")
    assert "APayNetwork" not in found.classes("alipay")


def test_the_hosts_own_classes_belong_to_no_sdk() -> None:
    found = parse_link_map(MAP)
    everywhere = {name for family in ("alipay", "wechat", "tencent-qq") for name in found.classes(family)}
    assert "PayBridge" not in everywhere


def test_the_code_of_an_sdk_includes_its_functions() -> None:
    assert ("wechat.003.WXApi.o", "+[WXApi isWXAppInstalled]") in parse_link_map(MAP).of_family("wechat")


def test_a_family_is_a_whole_word_of_the_object_name() -> None:
    text = MAP.replace("wechat.003.WXApi.o", "wechatty.003.WXApi.o")
    assert parse_link_map(text).classes("wechat") == frozenset()


def test_maps_with_sizes_and_members_of_archives_are_read() -> None:
    assert parse_link_map(WITH_SIZES).classes("tencent-qq") == {"TencentOAuth", "QQApi"}


@pytest.mark.parametrize("text", ["", "no map", "# Object files:\n[  0] host.o\n", "# Symbols:\n"])
def test_anything_else_is_no_map(text: str) -> None:
    with pytest.raises(ValueError, match="no link map"):
        parse_link_map(text)


@pytest.mark.parametrize(
    ("symbol", "is_class"),
    [
        ("_OBJC_CLASS_$_WXApi", True),
        ("_OBJC_METACLASS_$_WXApi", False),
        ("l_OBJC_CLASS_NAME_", False),
        ("_OBJC_IVAR_$_WXApi._id", False),
        ("+[WXApi sendReq:]", False),
    ],
)
def test_only_class_symbols_are_classes(symbol: str, is_class: bool) -> None:
    assert bool(objc_classes([symbol])) is is_class


def test_undefined_symbols_are_not_in_the_file() -> None:
    text = """
0000000100005000 S _OBJC_CLASS_$_WXApi
0000000100005008 s _OBJC_CLASS_$_Hidden
                 U _OBJC_CLASS_$_NSString
0000000100004000 t +[WXApi isWXAppInstalled]
"""
    assert objc_classes(symbol_names(text)) == {"WXApi", "Hidden"}


def test_exports_are_read_by_name() -> None:
    text = "out:\n\nExports trie:\n0x1000501C0  _OBJC_CLASS_$_WXApi\n0x100054080  _main\n"
    assert export_names(text) == ["_OBJC_CLASS_$_WXApi", "_main"]


METADATA = """\
Contents of (__DATA_CONST,__objc_classlist) section
000000010005a7f0 0x100072658 _OBJC_CLASS_$_APIBase
           isa 0x100072680
          data 0x10005dce8 (struct class_ro_t *)
                    flags 0x0
                     name 0x1000477af APIBase
              baseMethods 0x10005d790 (struct method_list_t *)
\t\t      name 0x10003e756 cancel
\t\t     types 0x100047e6d @48
Contents of (__DATA,__objc_classrefs) section
0000000100071748 0x0 _OBJC_CLASS_$_NSString
"""


def test_the_metadata_names_classes_and_not_their_methods() -> None:
    assert metadata_names(METADATA) == ["APIBase"]


def test_strings_of_a_section_are_read_whole() -> None:
    text = "out:\nContents of (__TEXT,__cstring) section\n0000000100039ddd  WXApi\n0000000100039de3  two words\n"
    assert string_values(text) == ["WXApi", "two words"]


def linked(classes: tuple[str, ...], readable: tuple[str, ...], data: bytes = b"") -> Linked:
    symbols = frozenset(f"_OBJC_CLASS_$_{name}" for name in classes)
    return Linked(data, LinkMap({"wechat.001.a.o": symbols}), frozenset(readable))


def test_truth_counts_classes_and_those_still_named() -> None:
    found = truth_of(build("wechat"), [linked(("WXApi", "PayReq"), ("WXApi", "UIView"))])
    assert (found.classes, found.named, found.embedded) == (2, 1, True)


def test_truth_joins_the_files_of_an_app() -> None:
    files = [linked(("WXApi",), ("WXApi",)), linked(("WXApi", "PayReq"), ("PayReq",))]
    found = truth_of(build("wechat"), files)
    assert (found.classes, found.named) == (2, 2)


def test_an_sdk_that_the_linker_left_out_is_not_embedded() -> None:
    found = truth_of(build("alipay", "15.8.11"), [linked(("WXApi",), ("WXApi",), b"\x0015.8.11\0")])
    assert (found.classes, found.named, found.states, found.embedded) == (0, 0, "", False)


@pytest.mark.parametrize(
    ("data", "states"),
    [
        (b"..\x002.0.0\0..", "2.0.0"),
        (b"..\x0012.0.0\0..", ""),
        (b"..\x002.0.0.1\0..", ""),
        (b"", ""),
    ],
)
def test_a_version_is_stated_only_by_a_whole_string_of_the_output(data: bytes, states: str) -> None:
    assert truth_of(build("wechat", "2.0.0"), [linked(("WXApi",), ("WXApi",), data)]).states == states
