"""What is left of an SDK is counted from mapping files and from the classes that the output really defines."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from benchmarks.accuracy.android_sdks import ALIPAY, QQ, WECHAT
from benchmarks.accuracy.android_truth import (
    FAMILY_PACKAGES,
    classes_of,
    defined_classes,
    is_stated,
    parse_class_descriptors,
    parse_mapping,
    survivors,
    truth_of,
)
from benchmarks.accuracy.registry import Package, SdkBuild

SDK = frozenset({"com.vendor.Pay", "com.vendor.Share", "com.vendor.Share$1", "com.vendor.Log"})

PROGUARD_MAPPING = """\
com.vendor.Pay -> com.vendor.Pay:
    java.lang.String version -> a
    12:14:java.lang.String version() -> version
com.vendor.Share -> a.b:
    void share() -> a
com.vendor.Share$1 -> a.b$a:
    com.vendor.Share this$0 -> a
com.example.host.Uses -> c:
"""

R8_MAPPING = """\
# compiler: R8
# pg_map_id: 0000000
com.vendor.Share -> a.b:
# {"id":"sourceFile","fileName":"SourceFile"}
    1:1:void com.vendor.Log.write(java.lang.String):7:7 -> a
    1:1:void share():20 -> a
com.vendor.Log -> a.c:
com.vendor.Share$$ExternalSyntheticLambda0 -> a.d:
# {"id":"com.android.tools.r8.synthesized"}
"""


def test_a_mapping_is_read_from_output_to_source() -> None:
    assert parse_mapping(PROGUARD_MAPPING) == {
        "com.vendor.Pay": "com.vendor.Pay",
        "a.b": "com.vendor.Share",
        "a.b$a": "com.vendor.Share$1",
        "c": "com.example.host.Uses",
    }


def test_members_and_comments_of_a_mapping_are_no_classes() -> None:
    assert set(parse_mapping(R8_MAPPING)) == {"a.b", "a.c", "a.d"}


def test_an_empty_mapping_maps_nothing() -> None:
    assert parse_mapping("") == {}
    assert parse_mapping("# pg_map_id: 1\n") == {}


@pytest.mark.parametrize(
    ("mapping", "output", "expected"),
    [
        pytest.param("", SDK | {"com.example.Host"}, (4, 4), id="nothing was shrunk"),
        pytest.param("", {"com.example.Host"}, (0, 0), id="nothing of the SDK is there"),
        pytest.param(PROGUARD_MAPPING, {"com.vendor.Pay", "a.b", "a.b$a", "c"}, (3, 1), id="one kept its name"),
        pytest.param(PROGUARD_MAPPING, {"a.b", "c"}, (1, 0), id="mapping lines of classes that are gone do not count"),
        pytest.param(R8_MAPPING, {"a.b"}, (1, 0), id="an inlined class does not count"),
        pytest.param(R8_MAPPING, {"a.b", "a.c", "a.d"}, (2, 0), id="a class the shrinker made up does not count"),
        pytest.param(R8_MAPPING, {"a.b", "com.vendor.Pay"}, (2, 1), id="a class without a line kept its name"),
        pytest.param("com.vendor.Log -> a:\n", {"a", "b"}, (1, 0), id="a foreign class does not count"),
        pytest.param("com.example.X -> com.vendor.Pay:\n", {"com.vendor.Pay"}, (0, 0), id="a borrowed name is no SDK"),
        pytest.param("com.vendor.Pay -> com.vendor.Log:\n", {"com.vendor.Log"}, (1, 0), id="names may be swapped"),
    ],
)
def test_survivors_are_in_the_output_and_come_from_the_sdk(
    mapping: str, output: set[str], expected: tuple[int, int]
) -> None:
    assert survivors(SDK, output, parse_mapping(mapping)) == expected


def test_only_defined_classes_are_taken_from_a_listing() -> None:
    listing = """\
Processing 'classes.dex'...
Class #0            -
  Class descriptor  : 'La/b;'
  Superclass        : 'Lcom/vendor/Base;'
    #0              : (in La/b;)
      type          : '(Lcom/vendor/Argument;)V'
Class #1            -
  Class descriptor  : 'Lcom/vendor/Share$1;'
  Superclass        : 'Ljava/lang/Object;'
"""
    assert parse_class_descriptors(listing) == {"a.b", "com.vendor.Share$1"}


@pytest.mark.tools
def test_a_file_that_is_no_dex_has_no_truth(tmp_path: Path) -> None:
    path = tmp_path / "classes.dex"
    path.write_bytes(b"nothing of the kind")
    try:
        with pytest.raises(RuntimeError, match=r"dexdump classes\.dex"):
            defined_classes([path])
    except FileNotFoundError:
        pytest.skip("dexdump is not installed")


@pytest.mark.parametrize(
    ("family", "inside", "outside"),
    [
        ("alipay", "com.alipay.sdk.app.PayTask", "com.alipay.apmobilesecuritysdk.face.APSecuritySdk"),
        ("alipay", "com.alipay.android.app.IAlixPay", "com.ta.utdid2.device.UTDevice"),
        ("wechat", "com.tencent.mm.sdk.openapi.WXAPIFactory", "com.tencent.wxop.stat.StatService"),
        ("wechat", "com.tencent.mm.opensdk.modelpay.PayReq", "com.tencent.mm.sdkx.Other"),
        ("tencent-qq", "com.tencent.tauth.Tencent", "com.tencent.stat.StatService"),
        ("tencent-qq", "com.tencent.connect.common.AssistActivity", "com.tencent.map.b.a"),
    ],
)
def test_bundled_libraries_are_not_the_sdk(tmp_path: Path, family: str, inside: str, outside: str) -> None:
    path = tmp_path / "sdk.jar"
    with zipfile.ZipFile(path, "w") as archive:
        for name in (inside, outside):
            archive.writestr(name.replace(".", "/") + ".class", b"")
        archive.writestr(FAMILY_PACKAGES[family][0].replace(".", "/") + "notes.txt", b"")
    assert classes_of(family, path) == {inside}


@pytest.mark.parametrize(
    ("build", "data", "expected"),
    [
        pytest.param(ALIPAY[4], b"\x0615.6.5\x00", True, id="the version alone"),
        pytest.param(ALIPAY[4], b"\x0aMsp/15.6.5\x00", True, id="behind a word"),
        pytest.param(ALIPAY[4], b"\x09h.a.3.6.5\x00", False, id="another number of the same SDK"),
        pytest.param(ALIPAY[4], b"\x07115.6.5\x00", False, id="the end of a longer number"),
        pytest.param(ALIPAY[4], b"\x0815.6.5.1\x00", False, id="the start of a longer number"),
        pytest.param(ALIPAY[4], b"\x0815.6.51\x00", False, id="the start of a longer part"),
        pytest.param(ALIPAY[4], b"\x0615x6x5\x00", False, id="a dot is a dot"),
        pytest.param(ALIPAY[7], b"\x0715.8.02\x00", True, id="what the code says counts"),
        pytest.param(ALIPAY[7], b"\x0715.8.03\x00", False, id="what the file is called does not"),
        pytest.param(WECHAT[0], b"\x0dandroid 2.1.3\x00", True, id="WeChat's own phrase"),
        pytest.param(WECHAT[0], b"\x052.1.3\x00", False, id="WeChat's number alone is anybody's"),
        pytest.param(QQ[2], b"\x1eV1_AND_OpenSDK_3.2.1_1077_RDM_B\x00", True, id="QQ between words"),
        pytest.param(SdkBuild("alipay", "1", Package("p", "1", ""), "m"), b"\x011\x00", False, id="states nothing"),
    ],
)
def test_a_version_is_stated_by_a_whole_literal(build: SdkBuild, data: bytes, expected: bool) -> None:
    assert is_stated(build, [b"before\x00" + data]) is expected


def test_a_truth_says_classes_names_and_version(tmp_path: Path) -> None:
    jar, dex = tmp_path / "sdk.jar", tmp_path / "classes.dex"
    with zipfile.ZipFile(jar, "w") as archive:
        for name in ("com/alipay/sdk/app/PayTask", "com/alipay/sdk/util/a", "com/ut/device/UTDevice"):
            archive.writestr(name + ".class", b"")
    dex.write_bytes(b"\x0615.6.5\x00")
    mapping = "com.alipay.sdk.util.a -> a.a:\ncom.ut.device.UTDevice -> a.b:\n"
    truth = truth_of(ALIPAY[4], jar, [dex], mapping, {"com.alipay.sdk.app.PayTask", "a.a", "a.b"})
    assert (truth.family, truth.version, truth.classes, truth.named) == ("alipay", "15.6.5", 2, 1)
    assert truth.states == "15.6.5"
    assert truth.embedded


def test_nothing_is_stated_by_an_sdk_that_is_gone(tmp_path: Path) -> None:
    jar, dex = tmp_path / "sdk.jar", tmp_path / "classes.dex"
    with zipfile.ZipFile(jar, "w") as archive:
        archive.writestr("com/alipay/sdk/app/PayTask.class", b"")
    dex.write_bytes(b"\x0615.6.5\x00")
    truth = truth_of(ALIPAY[4], jar, [dex], "com.alipay.sdk.app.PayTask -> a:\n", {"com.example.host.MainActivity"})
    assert (truth.classes, truth.named, truth.states) == (0, 0, "")
    assert not truth.embedded
