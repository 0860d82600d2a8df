"""What a cross-platform framework says of its plugins names an SDK; it is never taken for the SDK's code."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from auditor import Audit, Catalog, Run, Verdict, load_catalog
from auditor.limits import DEFAULT, Limits
from auditor.model import FactKind, Grade, Origin, ProblemCode
from auditor.platforms.wrappers import KINDS, READERS, find_mark, scan_wrapper
from tests.builders.apps import aab, apk, archive, bundle, declared, dex, ipa, members_of, put
from tests.builders.axml import axml, el
from tests.builders.elf import build_elf
from tests.builders.macho import Image
from tests.builders.scripts import cordova_list, hermes, ram_bundle, wxapkg
from tests.builders.zips import Member, build_zip

WX_CLASSES = ("com.tencent.mm.opensdk.openapi.WXAPIFactory", "com.tencent.mm.opensdk.modelmsg.SendAuth")
Files = Mapping[str, bytes]


@cache
def catalog() -> Catalog:
    return load_catalog()


def run(folder: Path, data: bytes, name: str, limits: Limits = DEFAULT) -> Audit:
    (audit,) = Run([put(folder, {name: data}) / name], catalog(), date(2026, 11, 1), limits)
    return audit


def of_apk(folder: Path, files: Files, *, code: bytes | None = None, limits: Limits = DEFAULT) -> Audit:
    return run(folder, apk(files=files, code=code), "a.apk", limits)


def of_ipa(folder: Path, files: Files) -> Audit:
    return run(folder, ipa(bundle(files)), "a.ipa")


def values(audit: Audit, kind: FactKind) -> set[str]:
    return {value for item in audit.extraction.of(kind) for value in item.values}


def codes(audit: Audit) -> list[str]:
    return [problem.code.value for problem in audit.problems]


def answer(audit: Audit, subject: str) -> tuple[Verdict, Grade | None]:
    found = next(item for item in audit.answers if item.subject == subject)
    return found.verdict, found.matches[0].grade if found.matches else None


CAPACITOR = json.dumps([{"pkg": "@capgo/capacitor-wechat", "classpath": "x.Y"}]).encode()
UNI = json.dumps({"plus": {"distribute": {"plugins": {"payment": {"weixin": {}, "alipay": {}}}}}}).encode()
PROPERTIES = b'<p><feature name="OAuth" value="io.A"><module name="OAuth-QQ" value="io.B"/></feature></p>'
PARAM = b'<param name="ios-package" value="CDVQQSDK"/>'
CONFIG = b'<widget><feature name="QQSDK">' + PARAM + b"</feature></widget>"
BINARY_CONFIG = axml(
    el(
        "widget",
        el("feature", el("param", name_="android-package", value_="me.vanpan.qqsdk.QQSDKPlugin"), name_="QQSDK"),
    )
)
MINI_PROGRAM = wxapkg({"/app.json": b'{"plugins": {"a": {"provider": "wx1"}}}', "/a.js": b"wx.login()"})
EVENT = b'var e=r(d[1]).NativeModules.WechatLib;n.addListener("WeChat_Resp",f)'
PATH = b'x="/assets/node_modules/react-native-wechat-lib/a.png"'

ANDROID = [
    ("assets/index.android.bundle", hermes(["WeChat_Resp"]), "hermes", "", "WeChat_Resp", "wechat"),
    ("assets/main.jsbundle", EVENT, "react-native", "", "WechatLib", "wechat"),
    ("assets/index.android.bundle", ram_bundle([PATH.decode()]), "react-native",
     "react-native:react-native-wechat-lib", "", "wechat"),
    ("assets/other.name", hermes(["node_modules/react-native-qqsdk/x"]), "hermes",
     "react-native:react-native-qqsdk", "", "tencent-qq"),
    ("assets/shop.android.bundle", b"var __BUNDLE_START_TIME__=0;" + EVENT, "react-native", "",
     "WeChat_Resp", "wechat"),
    ("assets/rn/shop.jsbundle", EVENT, "react-native", "", "WeChat_Resp", "wechat"),
    ("res/drawable/hidden", hermes(["QQ_Resp"]), "hermes", "", "QQ_Resp", "tencent-qq"),
    ("assets/js-modules/12.js", EVENT, "react-native", "", "WeChat_Resp", "wechat"),
    ("assets/www/cordova_plugins.js", cordova_list({"cordova-plugin-alipay-v2": "2.0.0"}), "cordova",
     "cordova:cordova-plugin-alipay-v2", "", "alipay"),
    ("assets/public/cordova_plugins.js", cordova_list({"cordova-plugin-qqsdk": "0.9.7"}), "cordova",
     "cordova:cordova-plugin-qqsdk", "", "tencent-qq"),
    ("res/xml/config.xml", BINARY_CONFIG, "cordova", "", "me.vanpan.qqsdk.QQSDKPlugin", "tencent-qq"),
    ("assets/capacitor.plugins.json", CAPACITOR, "capacitor", "capacitor:@capgo/capacitor-wechat", "x.Y", "wechat"),
    ("assets/apps/__UNI__AB12/www/manifest.json", UNI, "uni-app", "uni-app:payment.weixin", "", "wechat-pay"),
    ("assets/data/dcloud_properties.xml", PROPERTIES, "uni-app", "uni-app:oauth.qq", "io.B", "tencent-qq"),
    ("assets/dcloud_uniplugins.json", b'{"nativePlugins": [{"plugins": [{"name": "N", "class": "c.N"}]}]}', "uni-app",
     "uni-app:N", "c.N", ""),
    ("assets/apps/__UNI__AB12/www/app-service.js", b"uni.requestPayment({provider:'wxpay'})", "uni-app", "",
     "wxpay", ""),
    ("assets/mini/wx0.wxapkg", MINI_PROGRAM, "mini-program", "mini-program:wx1", "login", ""),
]  # fmt: skip
"""Member, content, and the framework, plugin, string and subject it must show."""

IOS = [
    ("main.jsbundle", hermes(["RNAlipay"], 98), "hermes", "", "RNAlipay", "alipay"),
    ("main.jsbundle", EVENT, "react-native", "", "WechatLib", "wechat"),
    ("www/cordova_plugins.js", cordova_list({"cordova-camscanner": "0.1.0"}), "cordova",
     "cordova:cordova-camscanner", "", "camscanner"),
    ("config.xml", CONFIG, "cordova", "", "CDVQQSDK", "tencent-qq"),
    ("capacitor.config.json", b'{"packageClassList": ["CapacitorWechat"]}', "capacitor", "",
     "CapacitorWechat", "wechat"),
    ("Pandora/apps/__UNI__AB12/www/manifest.json", UNI, "uni-app", "uni-app:payment.alipay", "", "alipay"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("of", "case"), [*((of_apk, case) for case in ANDROID), *((of_ipa, case) for case in IOS)],
    ids=lambda item: item[0] if isinstance(item, tuple) else item.__name__,
)  # fmt: skip
def test_a_file_shows_framework_plugin_and_strings_and_is_a_reference(
    tmp_path: Path, of: Callable[[Path, Files], Audit], case: tuple[str, bytes, str, str, str, str]
) -> None:
    path, content, framework, plugin, text, subject = case
    audit = of(tmp_path, {path: content})
    assert framework in values(audit, FactKind.WRAPPER)
    assert not plugin or plugin in values(audit, FactKind.WRAPPER_PLUGIN)
    assert not text or any(text in item.values for item in audit.extraction.of(FactKind.WRAPPER_STRING))
    assert codes(audit) == []
    if subject:
        assert answer(audit, subject) == (Verdict.NOT_FOUND, Grade.REFERENCED)


@pytest.mark.parametrize("near", ["cordova-plugin-alipay-v", "cordova-plugin-alipay-v22", "alipay"])
def test_a_plugin_of_nearly_that_name_is_nothing(tmp_path: Path, near: str) -> None:
    audit = of_apk(tmp_path, {"assets/www/cordova_plugins.js": cordova_list({near: "1"})})
    assert values(audit, FactKind.WRAPPER_PLUGIN) == {f"cordova:{near}"}
    assert answer(audit, "alipay") == (Verdict.NOT_FOUND, None)


def test_with_the_code_of_the_sdk_it_is_present(tmp_path: Path) -> None:
    files = {"assets/www/cordova_plugins.js": cordova_list({"cordova-plugin-wechat": "2.9.0"})}
    assert answer(of_apk(tmp_path, files, code=dex(*WX_CLASSES)), "wechat") == (Verdict.PRESENT, Grade.EMBEDDED)
    sdk = Image(classes=["WXApi", "SendAuthReq", "WXMediaMessage", "WechatAuthSDK"]).build()
    found = of_ipa(tmp_path, {"www/cordova_plugins.js": files["assets/www/cordova_plugins.js"], "App": sdk})
    assert answer(found, "wechat") == (Verdict.PRESENT, Grade.EMBEDDED)


def test_the_plugins_class_without_the_sdk_is_a_reference(tmp_path: Path) -> None:
    audit = of_apk(tmp_path, {}, code=dex("com.theweflex.react.WeChatPackage", "com.example.app.Main"))
    assert answer(audit, "wechat") == (Verdict.NOT_FOUND, Grade.REFERENCED)


def test_plugins_are_found_in_bundles_and_in_archives_inside(tmp_path: Path) -> None:
    listed = cordova_list({"cordova-plugin-wechat": "2.9.0"})
    of_aab = run(tmp_path, aab({"base/assets/www/cordova_plugins.js": listed}), "a.aab")
    inside = of_apk(tmp_path, {"assets/update.zip": archive({"www/cordova_plugins.js": listed})})
    for audit in (of_aab, inside):
        assert values(audit, FactKind.WRAPPER_PLUGIN) == {"cordova:cordova-plugin-wechat"}


MARKS = [
    ("lib/arm64-v8a/libflutter.so", "flutter"),
    ("lib/x86/libhermes.so", "hermes"),
    ("lib/x86/libhermes-executor-release.so", "hermes"),
    ("lib/x86/libhermesvm.so", "hermes"),
    ("lib/x86/libreactnativejni.so", "react-native"),
    ("lib/x86/libreactnative.so", "react-native"),
    ("lib/x86/libil2cpp.so", "unity-il2cpp"),
    ("lib/x86/libmonobdwgc-2.0.so", "unity-mono"),
    ("lib/x86/libmonodroid.so", "dotnet"),
    ("lib/x86/libmonosgen-2.0.so", "dotnet"),
    ("base/lib/x86/libflutter.so", "flutter"),
    ("Frameworks/Flutter.framework/Flutter", "flutter"),
    ("Frameworks/hermes.framework/hermes", "hermes"),
    ("Frameworks/UnityFramework.framework/UnityFramework", "unity-il2cpp"),
    ("Frameworks/Capacitor.framework/Capacitor", "capacitor"),
    ("assets/js-modules/UNBUNDLE", "react-native"),
    ("assets/www/cordova.js", "cordova"),
    ("www/cordova.js", "cordova"),
    ("assets/capacitor.config.json", "capacitor"),
    ("assets/apps/__UNI__AB12/www/view.html", "uni-app"),
    ("assets/data/dcloud_control.xml", "uni-app"),
    ("assets/x.wxapkg", "mini-program"),
    ("main.jsbundle", "react-native"),
    ("", ""),
    ("lib/x86/libflutterx.so", ""),
    ("lib/x86/libmonochrome.so", ""),
    ("lib/x86/libMyhermes.so", ""),
    ("assets/flutter", ""),
    ("Frameworks/Flutter.framework/Info.plist", ""),
    ("assets/cordova.js", ""),
    ("res/drawable/main.png", ""),
    ("assets/apps/H5/x", ""),
    ("x.wxapkg/y", ""),
]


@pytest.mark.parametrize(("path", "framework"), MARKS)
def test_a_file_name_marks_its_framework(path: str, framework: str) -> None:
    assert find_mark(path) == framework


def test_a_mark_is_a_fact_with_its_place(tmp_path: Path) -> None:
    audit = of_apk(tmp_path, {"lib/arm64-v8a/libflutter.so": build_elf(soname="libflutter.so")})
    facts = audit.extraction.of(FactKind.WRAPPER)
    assert [(str(item.origin).rpartition("!")[2], list(item.values)) for item in facts] == [
        ("lib/arm64-v8a/libflutter.so", ["flutter"])
    ]


DAMAGED = [
    ("assets/index.android.bundle", hermes(["a"])[:150]),
    ("assets/index.android.bundle", hermes(["a"], 300)),
    ("assets/index.android.bundle", ram_bundle(["a"])[:15]),
    ("assets/www/cordova_plugins.js", b"<html>not found</html>"),
    ("res/xml/config.xml", b"<widget><feature"),
    ("assets/capacitor.plugins.json", b"{"),
    ("assets/apps/__UNI__A/www/manifest.json", b"\0\1\2"),
    ("assets/a.wxapkg", b"V1MMWX" + bytes(50)),
    ("assets/index.android.bundle", hermes(["first", "last"])[:-21]),
]


@pytest.mark.parametrize(("path", "content"), DAMAGED)
def test_damage_is_a_problem_that_hides_the_framework_alone(tmp_path: Path, path: str, content: bytes) -> None:
    audit = of_apk(tmp_path, {path: content})
    assert codes(audit) == ["wrapper-damaged"]
    (problem,) = audit.problems
    assert problem.hidden == KINDS
    assert str(problem.origin).endswith(path)
    assert answer(audit, "wechat") == (Verdict.NOT_FOUND, None)


def unreadable(path: str) -> bytes:
    """An app with a member that no byte can be unpacked of."""
    files = {"AndroidManifest.xml": declared(), "classes.dex": dex("com.example.app.Main")}
    return build_zip(*members_of(files), Member(path.encode(), bytes(4000), packed=b"\xff" * 40))


@pytest.mark.parametrize("path", [*sorted({path for path, _ in DAMAGED} - {"assets/a.wxapkg"}), "assets/any/script.js"])
def test_a_script_that_cannot_be_unpacked_hides_the_framework_alone(tmp_path: Path, path: str) -> None:
    audit = run(tmp_path, unreadable(path), "a.apk")
    assert codes(audit) == ["wrapper-damaged"]
    assert audit.problems[0].hidden == KINDS
    assert answer(audit, "wechat") == (Verdict.NOT_FOUND, None)


@pytest.mark.parametrize("path", ["assets/a.dat", "lib/arm64-v8a/lib_App.dll.so", "lib/x86/libapp.so", "classes2.dex"])
def test_what_may_be_code_and_cannot_be_unpacked_hides_code(tmp_path: Path, path: str) -> None:
    audit = run(tmp_path, unreadable(path), "a.apk")
    assert codes(audit) == ["member-unreadable"]
    assert audit.problems[0].hidden & {FactKind.DEX_CLASS, FactKind.NATIVE_LIBRARY}


OTHER_APPS = [
    ("res/xml/config.xml", b"not xml at all"),
    ("res/xml/config.xml", b"<config><feature name='Wechat'/></config>"),
    ("config.xml", b"\0\1\2"),
    ("assets/manifest.json", b"{"),
    ("assets/www/manifest.json", b"{"),
    ("assets/plugins.json", b"{"),
    ("assets/index.js", b"'"),
    ("assets/data.bundle", b"junk"),
    ("assets/data.bundle", b"UnityFS\0" + bytes(40)),
    ("assets/js-modules/UNBUNDLE", ram_bundle([])[:4]),
    ("assets/x.wxapkg", b"junk"),
    ("assets/index.android.bundle", b""),
]


@pytest.mark.parametrize(("path", "content"), OTHER_APPS)
def test_files_that_only_look_like_a_frameworks_are_no_problem(tmp_path: Path, path: str, content: bytes) -> None:
    audit = of_apk(tmp_path, {path: content})
    assert codes(audit) == []
    assert not values(audit, FactKind.WRAPPER_PLUGIN)


def test_a_file_beyond_its_bound_is_a_limit_that_hides_the_framework_alone(tmp_path: Path) -> None:
    listed = cordova_list({"cordova-plugin-wechat": "2.9.0"})
    files = {"assets/index.android.bundle": hermes(["a" * 100]), "assets/www/cordova_plugins.js": listed}
    audit = of_apk(tmp_path, files, limits=replace(DEFAULT, wrapper_size=200))
    (problem,) = audit.problems
    assert (problem.code, problem.hidden) == (ProblemCode.LIMIT, KINDS)
    assert "--limit wrapper_size" in problem.detail
    assert values(audit, FactKind.WRAPPER_PLUGIN) == {"cordova:cordova-plugin-wechat"}


def test_every_reader_names_a_bound_that_exists() -> None:
    assert {reader.limit for reader in READERS} <= {item.name for item in fields(Limits)}


class _Spy:
    """A member that counts how often it is opened."""

    def __init__(self, path: str, content: bytes) -> None:
        self.path = path
        self.size = len(content)
        self.origin = Origin(("a.apk", path))
        self.content = content
        self.opened = 0

    def open(self) -> bytes:
        self.opened += 1
        return self.content

    def peek(self, size: int) -> bytes:
        return self.content[:size]


def opened(path: str, content: bytes) -> int:
    spy = _Spy(path, content)
    member = scan_wrapper(path, spy, content[:16], DEFAULT, [], [])
    if spy.opened:
        member.open()
    return spy.opened


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("classes.dex", b"dex\n035\0" + bytes(20)),
        ("res/layout/main.xml", b"\x03\x00\x08\x00" + bytes(20)),
        ("assets/image.png", b"\x89PNG\r\n\x1a\n" + bytes(20)),
        ("assets/www/index.js", b"var a = 1; // a long script"),
        ("lib/x86/libother.so", b"\x7fELF" + bytes(60)),
        ("assets/cordova_plugins.json", b"{}"),
        ("META-INF/assets/index.android.bundle", b"var a = 1; // a long script"),
        ("assets/index.android.bundle", b""),
    ],
)
def test_what_no_reader_wants_is_not_opened(path: str, content: bytes) -> None:
    assert opened(path, content) == 0


def test_what_a_reader_wants_is_unpacked_once() -> None:
    assert opened("assets/index.android.bundle", hermes(["a"])) == 1
