"""The names of wrapper plugins in the catalog are those of the real packages, and their real scripts show them."""

from __future__ import annotations

import tarfile
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from auditor import Audit, Catalog, Run, Verdict, load_catalog
from auditor.model import FactKind, Grade
from benchmarks.accuracy.registry import OutOfReachError, Package
from tests.builders.apps import apk, bundle, ipa, put
from tests.builders.scripts import cordova_list

pytestmark = pytest.mark.vendor

WX_RN = Package("react-native-wechat", "1.9.12", "c1703170049888e33e09e61ad2e6764dbb77a0ae2688b01385f033274f76f8b5")
WX_LIB = Package("react-native-wechat-lib", "3.0.4", "21fa90f1f1e46afcb5312e2490151c7681ac09196278c60292aa3d9afd10711d")
WX_NATIVE = Package("native-wechat", "1.0.23", "832b42eca21011182ba84a7b9dff5a51dab89b96d4300b40909c4612ab95b08d")
WX_EXPO = Package("expo-native-wechat", "0.2.0", "3e63c52c2775d5f8011bad958fdea63496f546fb9043c68f3d1dd69a743bf27c")
WX_CORDOVA = Package(
    "cordova-plugin-wechat", "2.9.0", "5d636d82d961dbd946cdafaebf206bf16ae17a073ceb44705b2ff6f7d2cf3178"
)
WX_CAP = Package(
    "@capgo/capacitor-wechat", "8.0.38", "a37629f6998558d9442aec2e57ae49ec1f30a0817b83fce46b23f3f4a01e2ef3"
)
QQ_CORDOVA = Package(
    "cordova-plugin-qqsdk", "0.9.7", "0d3d74847920dc2d5eb9e57691d3508ef1aa8399eb214b95335bf9ef41e391bd"
)
QQ_RN = Package("react-native-qq", "2.0.5", "3d4f5abe8caa9a5316859f83016c69ed0499f9fcf4b0d1e5f0cfccb064f6a78c")
QQ_RNSDK = Package("react-native-qqsdk", "0.6.9", "98adae12844ac84953bbf779058e68630132802c3fe1fb69fbce57e37b295861")
ALI_CORDOVA = Package(
    "cordova-plugin-alipay-v2", "2.0.0", "1422cc9031740f30e58117e9e8a5ab3d873533b15cdd1d553a42e4333c1da17e"
)
ALI_GUBNOI = Package(
    "cordova-plugin-gubnoi-alipay", "0.0.10", "5f4112b2a8676299fbfa9713f799db4d020100ce20e0170868c5868e4ac74005"
)
ALI_UIW = Package(
    "@uiw/react-native-alipay", "5.0.2", "a6cdb6baf378eebefcee1dac4892e1c4650b8a1f207565baeaa92c2b8f5b2af8"
)
ALI_0X5E = Package(
    "@0x5e/react-native-alipay", "0.2.6", "0b2d7d9786a9bdbc920f4e889bd4a106197c9444253d4066a60ad70bb91e1bce"
)
ALI_YUNPENG = Package(
    "react-native-yunpeng-alipay", "2.0.0", "550c9a6cb855adab5d23a1a3e29d522544601733bb45d13ed190448eaf9d40b9"
)
ALI_RN = Package("react-native-alipay", "0.1.5", "c993f2e602df13086cef7fc64a5da2bfc0bf38263fdbd70d271c6f2be1bb07cc")

JAVA = "android/src/main/java"
CLASSES = [
    (WX_RN, f"{JAVA}/com/theweflex/react/WeChatPackage.java", "com.theweflex.react.WeChatPackage"),
    (WX_LIB, f"{JAVA}/com/wechatlib/WeChatLibPackage.java", "com.wechatlib.WeChatLibPackage"),
    (WX_NATIVE, f"{JAVA}/com/hector/nativewechat/NativeWechatPackage.java",
     "com.hector.nativewechat.NativeWechatPackage"),
    (WX_CORDOVA, "src/android/Wechat.java", "xu.li.cordova.wechat.Wechat"),
    (WX_CAP, f"{JAVA}/ee/forgr/plugin/capacitor_wechat/CapacitorWechatPlugin.java",
     "ee.forgr.plugin.capacitor_wechat.CapacitorWechatPlugin"),
    (QQ_RN, f"{JAVA}/cn/reactnative/modules/qq/QQPackage.java", "cn.reactnative.modules.qq.QQPackage"),
    (QQ_RNSDK, f"{JAVA}/me/vanpan/rctqqsdk/QQSDKPackage.java", "me.vanpan.rctqqsdk.QQSDKPackage"),
    (QQ_CORDOVA, "src/android/QQSDKPlugin.java", "me.vanpan.qqsdk.QQSDKPlugin"),
    (ALI_UIW, f"{JAVA}/com/uiwjs/RNAlipayPackage.java", "com.uiwjs.alipay.RNAlipayPackage"),
    (ALI_YUNPENG, f"{JAVA}/com/yunpeng/alipay/AlipayPackage.java", "com.yunpeng.alipay.AlipayPackage"),
    (ALI_RN, f"{JAVA}/cn/reactnative/alipay/AlipayPackage.java", "cn.reactnative.alipay.AlipayPackage"),
    (ALI_CORDOVA, "src/android/alipay.java", "cn.hhjjj.alipay.alipay"),
    (ALI_GUBNOI, "src/android/Alipay.java", "org.apache.cordova.ali.Alipay"),
]  # fmt: skip
OBJC = [
    (WX_RN, "ios/RCTWeChat.m", "RCTWeChat"),
    (WX_LIB, "ios/WechatLib.mm", "WechatLib"),
    (WX_NATIVE, "ios/RTNWechat/RTNWechat.mm", "RTNWechat"),
    (WX_CORDOVA, "src/ios/CDVWechat.m", "CDVWechat"),
    (QQ_RN, "ios/RCTQQAPI/RCTQQAPI.m", "RCTQQAPI"),
    (QQ_RNSDK, "ios/RCTQQSDK/RCTQQSDK.m", "RCTQQSDK"),
    (QQ_CORDOVA, "src/ios/CDVQQSDK.m", "CDVQQSDK"),
    (ALI_UIW, "ios/RNAlipay.m", "RNAlipay"),
    (ALI_0X5E, "ios/RCTAlipay.m", "RCTAlipay"),
    (ALI_RN, "ios/RCTAlipay/RCTAlipay.m", "RCTAlipay"),
]
SCRIPTS = [
    (WX_RN, "index.js", "wechat"),
    (WX_LIB, "src/index.js", "wechat"),
    (WX_LIB, "lib/commonjs/index.js", "wechat"),
    (WX_EXPO, "build/module.js", "wechat"),
    (QQ_RN, "index.js", "tencent-qq"),
    (ALI_UIW, "index.js", "alipay"),
]
CORDOVA = [
    (WX_CORDOVA, "wechat"), (QQ_CORDOVA, "tencent-qq"), (ALI_CORDOVA, "alipay"), (ALI_GUBNOI, "alipay"),
]  # fmt: skip


@cache
def catalog() -> Catalog:
    return load_catalog()


def listed(kind: FactKind) -> set[str]:
    clauses = [clause for signature in catalog().signatures for clause in signature.clauses]
    return {value for clause in clauses if clause.kind is kind for value in clause.values}


def content(package: Package, member: str) -> str:
    try:
        return package.read(member).decode("utf-8", "replace")
    except (OutOfReachError, tarfile.TarError) as error:
        pytest.skip(str(error))


def grade(audit: Audit, subject: str) -> tuple[Verdict, Grade | None]:
    found = next(item for item in audit.answers if item.subject == subject)
    return found.verdict, found.matches[0].grade if found.matches else None


def only(folder: Path, name: str, data: bytes) -> Audit:
    (audit,) = Run([put(folder, {name: data}) / name], catalog(), date(2026, 11, 1))
    return audit


def label(value: object) -> str | None:
    return value.name if isinstance(value, Package) else None


@pytest.mark.parametrize(("package", "member", "name"), CLASSES, ids=label)
def test_a_class_of_a_wrapper_is_what_its_source_says(package: Package, member: str, name: str) -> None:
    text = content(package, member)
    folder, _, last = name.rpartition(".")
    assert f"package {folder};" in text
    assert f"class {last} " in text
    assert name in listed(FactKind.DEX_CLASS)


@pytest.mark.parametrize(("package", "member", "name"), OBJC, ids=label)
def test_a_class_on_ios_is_what_its_source_says(package: Package, member: str, name: str) -> None:
    assert f"@implementation {name}" in content(package, member)
    assert name in listed(FactKind.OBJC_CLASS)


@pytest.mark.parametrize(("package", "subject"), CORDOVA, ids=label)
def test_a_plugin_of_cordova_is_named_as_its_own_record_says(package: Package, subject: str, tmp_path: Path) -> None:
    assert f'id="{package.name}"' in content(package, "plugin.xml")
    assert f"cordova:{package.name}" in listed(FactKind.WRAPPER_PLUGIN)
    plugins = cordova_list({package.name: package.version})
    assert grade(only(tmp_path, "a.apk", apk(files={"assets/www/cordova_plugins.js": plugins})), subject) == (
        Verdict.NOT_FOUND,
        Grade.REFERENCED,
    )


@pytest.mark.parametrize(("package", "member", "subject"), SCRIPTS, ids=label)
def test_the_real_script_in_a_bundle_shows_the_sdk(package: Package, member: str, subject: str, tmp_path: Path) -> None:
    script = content(package, member).encode()
    android = only(tmp_path, "a.apk", apk(files={"assets/index.android.bundle": script}))
    ios = only(tmp_path, "a.ipa", ipa(bundle({"main.jsbundle": script})))
    assert grade(android, subject) == grade(ios, subject) == (Verdict.NOT_FOUND, Grade.REFERENCED)
