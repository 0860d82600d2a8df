"""Every iOS build of the vendors' SDKs that a package registry carries, by package and digest.

``states`` is what the SDK's own version method returns, read from its machine code: ``+[UIDevice currentVersion]``,
``+[WXApi getApiVersion]`` and ``+[TencentOAuth sdkVersion]``. QQ's version stands in the name of a resource file only.
"""

from __future__ import annotations

from benchmarks.accuracy.registry import Package, SdkBuild

_YUNPENG = Package(
    "react-native-yunpeng-alipay", "2.0.0", "550c9a6cb855adab5d23a1a3e29d522544601733bb45d13ed190448eaf9d40b9"
)
_ALIPAY_V2_OLD = Package(
    "cordova-plugin-alipay-v2", "0.0.4", "620a3a5014d6e568a71c1cba73f1ea0b44ba4a971d81f01bc5178148777c0f73"
)
_ALIPAY_V2 = Package(
    "cordova-plugin-alipay-v2", "2.0.0", "1422cc9031740f30e58117e9e8a5ab3d873533b15cdd1d553a42e4333c1da17e"
)
_GUBNOI = Package(
    "cordova-plugin-gubnoi-alipay", "0.0.10", "5f4112b2a8676299fbfa9713f799db4d020100ce20e0170868c5868e4ac74005"
)
_X5E_026 = Package(
    "@0x5e/react-native-alipay", "0.2.6", "0b2d7d9786a9bdbc920f4e889bd4a106197c9444253d4066a60ad70bb91e1bce"
)
_X5E_027 = Package(
    "@0x5e/react-native-alipay", "0.2.7-beta.2", "df7319bcfc764a6ab715db3c6e52ffd898ee91fcf6aa5c85b18f02091566cb20"
)
_UIW_2 = Package(
    "@uiw/react-native-alipay", "2.1.3", "25e935efd885f06f517b9937a121cdafd69d56cfa8023c5603fc8331065c2035"
)
_UIW_4 = Package(
    "@uiw/react-native-alipay", "4.0.0-beta.1", "21848aff2a5720939212e2bb9f44530583e911c778e1f98e91eebfa64aab3e92"
)
_UIW_5 = Package(
    "@uiw/react-native-alipay", "5.0.2", "a6cdb6baf378eebefcee1dac4892e1c4650b8a1f207565baeaa92c2b8f5b2af8"
)
_CORDOVA_WX_1 = Package(
    "cordova-plugin-wechat", "1.4.0", "201bf0a737e3ff8144872836019350eee86af6feaed4aadeb5e65d7955753bef"
)
_CORDOVA_WX_23 = Package(
    "cordova-plugin-wechat", "2.3.0", "029ada8fbe8b942e3046db1e2ce2aee25b57f1b22659b6b83340046ddc22b385"
)
_CORDOVA_WX_29 = Package(
    "cordova-plugin-wechat", "2.9.0", "5d636d82d961dbd946cdafaebf206bf16ae17a073ceb44705b2ff6f7d2cf3178"
)
_RN_WX_15 = Package("react-native-wechat", "1.5.3", "0f29b27770dbd41170a6f9c34be5f38d857f0e4659c2a165332845a3440a9449")
_RN_WX_19 = Package("react-native-wechat", "1.9.9", "46b757b188bb5bbaf5b67665cc531080a62b9f3b589aee761ddc445524e7b3b6")
_WX_LIB_1116 = Package(
    "react-native-wechat-lib", "1.1.16", "3b69e3437869ea56ef32938b6bbd46122a7c1b84eca694299e705f55f712b87b"
)
_WX_LIB_1123 = Package(
    "react-native-wechat-lib", "1.1.23", "8c7d6ec71843098e2dc3a868f5c39d750fb32b341736516354bf6e15223b702d"
)
_WX_LIB_3 = Package(
    "react-native-wechat-lib", "3.0.4", "21fa90f1f1e46afcb5312e2490151c7681ac09196278c60292aa3d9afd10711d"
)
_RN_QQ = Package("react-native-qq", "1.4.3", "93b53b28ea6fb40a47965139d4a46e15c8fd09d09512f31a300ae33136fdd7b9")
_RN_QQSDK = Package("react-native-qqsdk", "0.6.9", "98adae12844ac84953bbf779058e68630132802c3fe1fb69fbce57e37b295861")
_CORDOVA_QQ = Package(
    "cordova-plugin-qqsdk", "0.9.6", "71c387f24f6c7e4229ea94b597068b3a07e56d99b78969fab8b52bdc33c81a8b"
)


def _alipay(version: str, package: Package, member: str) -> SdkBuild:
    return SdkBuild("alipay", version, package, member, states=version)


def _wechat(version: str, package: Package, member: str, states: str = "") -> SdkBuild:
    return SdkBuild("wechat", version, package, member, states=states or version)


def _qq(version: str, package: Package, folder: str, states: str) -> SdkBuild:
    return SdkBuild("tencent-qq", version, package, f"{folder}/TencentOpenAPI.framework/TencentOpenAPI", states=states)


ALIPAY: tuple[SdkBuild, ...] = (
    _alipay("15.1.0", _YUNPENG, "ios/AlipaySDK.framework/AlipaySDK"),
    _alipay("15.4.1", _ALIPAY_V2_OLD, "src/ios/lib/AlipaySDK.framework/AlipaySDK"),
    _alipay("15.5.5", _GUBNOI, "src/ios/lib/AlipaySDK.framework/AlipaySDK"),
    _alipay("15.5.9", _X5E_026, "ios/libAlipaySDK.a"),
    _alipay("15.6.5", _ALIPAY_V2, "src/ios/lib/AlipaySDK.framework/AlipaySDK"),
    _alipay("15.7.5", _X5E_027, "ios/libAlipaySDK.a"),
    _alipay("15.7.9", _UIW_2, "ios/AlipaySDK.framework/AlipaySDK"),
    _alipay("15.8.03", _UIW_4, "ios/AlipaySDK.framework/AlipaySDK"),
    _alipay("15.8.11", _UIW_5, "ios/AlipaySDK.framework/AlipaySDK"),
)
"""All are one object file that the vendor linked beforehand (MH_OBJECT), also where the name ends in ``.a``."""

_WX_15 = "temp/src/ios/libs/WeChatSDK_1.5"
WECHAT: tuple[SdkBuild, ...] = (
    _wechat("1.5", _CORDOVA_WX_1, f"{_WX_15}/WeChatSDK_1.5/libWeChatSDK.a"),
    _wechat("1.5 OnlyIphone", _CORDOVA_WX_1, f"{_WX_15}/WeChatSDK_1.5_OnlyIphone/libWeChatSDK.a", "1.5"),
    _wechat("1.6.2", _RN_WX_15, "ios/libWeChatSDK.a"),
    _wechat("1.7.2", _RN_WX_19, "ios/libWeChatSDK.a"),
    _wechat("1.7.4", _CORDOVA_WX_1, "src/ios/libs/OpenSDK1.7.4/libWeChatSDK.a"),
    _wechat("1.7.5", _CORDOVA_WX_23, "src/ios/libs/OpenSDK1.7.5/libWeChatSDK.a"),
    _wechat("1.8.0", _CORDOVA_WX_23, "src/ios/libs/OpenSDK1.8.0/libWeChatSDK.a"),
    _wechat("1.8.3.1", _CORDOVA_WX_29, "src/ios/libs/OpenSDK1.8.0/libWeChatSDK.a"),
    _wechat("1.8.6.1", _WX_LIB_1116, "ios/libWeChatSDK.a"),
    _wechat("1.8.7.1", _WX_LIB_1123, "ios/libWeChatSDK.a"),
    _wechat("2.0.0", _WX_LIB_3, "ios/libWeChatSDK.a"),
)
"""The two builds of 1.5 differ in simulator code only: for a device they are the same bytes."""

QQ: tuple[SdkBuild, ...] = (
    _qq("3.1.0.1 lite", _RN_QQ, "ios/RCTQQAPI", "3.1_lite"),
    _qq("3.1.3.1", _RN_QQSDK, "ios/RCTQQSDK", "3.1"),
    _qq("3.2.3.501", _CORDOVA_QQ, "src/ios", "3.2.1"),
)

IOS_SDKS: tuple[SdkBuild, ...] = ALIPAY + WECHAT + QQ
