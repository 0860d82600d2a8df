"""Every distinct Android build of the vendors' SDKs that a package registry carries, pinned by digest."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.accuracy.registry import Package, SdkBuild

_ALIPAY_V2_OLD = Package(
    "cordova-plugin-alipay-v2", "0.0.4", "620a3a5014d6e568a71c1cba73f1ea0b44ba4a971d81f01bc5178148777c0f73"
)
_ALIPAY_V2 = Package(
    "cordova-plugin-alipay-v2", "2.0.0", "1422cc9031740f30e58117e9e8a5ab3d873533b15cdd1d553a42e4333c1da17e"
)
_GUBNOI = Package(
    "cordova-plugin-gubnoi-alipay", "0.0.10", "5f4112b2a8676299fbfa9713f799db4d020100ce20e0170868c5868e4ac74005"
)
_YUNPENG = Package(
    "react-native-yunpeng-alipay", "2.0.0", "550c9a6cb855adab5d23a1a3e29d522544601733bb45d13ed190448eaf9d40b9"
)
_X5E = Package("@0x5e/react-native-alipay", "0.2.6", "0b2d7d9786a9bdbc920f4e889bd4a106197c9444253d4066a60ad70bb91e1bce")
_X5E_NEW = Package(
    "@0x5e/react-native-alipay", "0.2.7-beta.2", "df7319bcfc764a6ab715db3c6e52ffd898ee91fcf6aa5c85b18f02091566cb20"
)
_UIW2 = Package("@uiw/react-native-alipay", "2.1.3", "25e935efd885f06f517b9937a121cdafd69d56cfa8023c5603fc8331065c2035")
_UIW4 = Package(
    "@uiw/react-native-alipay", "4.0.0-beta.1", "21848aff2a5720939212e2bb9f44530583e911c778e1f98e91eebfa64aab3e92"
)
_RN_WECHAT = Package("react-native-wechat", "1.9.9", "46b757b188bb5bbaf5b67665cc531080a62b9f3b589aee761ddc445524e7b3b6")
_CORDOVA_WECHAT = Package(
    "cordova-plugin-wechat", "1.4.0", "201bf0a737e3ff8144872836019350eee86af6feaed4aadeb5e65d7955753bef"
)
_WECHAT_LIB = Package(
    "react-native-wechat-lib", "1.1.23", "8c7d6ec71843098e2dc3a868f5c39d750fb32b341736516354bf6e15223b702d"
)
_RN_QQ = Package("react-native-qq", "1.4.3", "93b53b28ea6fb40a47965139d4a46e15c8fd09d09512f31a300ae33136fdd7b9")
_RN_QQSDK = Package("react-native-qqsdk", "0.6.9", "98adae12844ac84953bbf779058e68630132802c3fe1fb69fbce57e37b295861")
_CORDOVA_QQ = Package(
    "cordova-plugin-qqsdk", "0.9.6", "71c387f24f6c7e4229ea94b597068b3a07e56d99b78969fab8b52bdc33c81a8b"
)

ALIPAY = (
    SdkBuild("alipay", "15.0.8", _YUNPENG, "android/libs/alipaySdk-20160223.jar", "15.0.8"),
    SdkBuild("alipay", "15.4.1", _ALIPAY_V2_OLD, "src/android/lib/alipaySdk-20170725.jar", "15.4.1"),
    SdkBuild("alipay", "15.5.5", _GUBNOI, "src/android/libs/alipaySdk-20180601.jar", "15.5.5"),
    SdkBuild("alipay", "15.5.9", _X5E, "android/libs/alipaySdk-15.5.9-20181123210601.aar", "15.5.9"),
    SdkBuild("alipay", "15.6.5", _ALIPAY_V2, "src/android/lib/alipaySdk-15.6.5-20190718211148.aar", "15.6.5"),
    SdkBuild("alipay", "15.7.5", _X5E_NEW, "android/libs/alipaySdk-15.7.5-20200422171619.aar", "15.7.5"),
    SdkBuild("alipay", "15.7.9", _UIW2, "android/libs/alipaySdk-15.7.9-20200727142846.aar", "15.7.9"),
    SdkBuild("alipay", "15.8.03", _UIW4, "android/libs/alipaysdk-15.8.03.210428205839.aar", "15.8.02"),
)
"""The last one calls itself 15.8.02 in its code, whatever its file is called."""

WECHAT = (
    SdkBuild("wechat", "2.1.3", _RN_WECHAT, "android/libs/libammsdk.jar", "2.1.3"),
    SdkBuild("wechat", "3.1.1", _CORDOVA_WECHAT, "src/android/libammsdk.jar", "3.1.1"),
    SdkBuild("wechat", "5.5.3", _WECHAT_LIB, "android/libs/libammsdk.jar", "5.5.3"),
)
"""Up to 3.1.1 in the package ``com.tencent.mm.sdk``, since then in ``com.tencent.mm.opensdk``."""

QQ = (
    SdkBuild("tencent-qq", "3.1.0", _RN_QQ, "android/libs/open_sdk_r5756.jar", "3.1.0"),
    SdkBuild("tencent-qq", "3.1.2", _RN_QQSDK, "android/libs/open_sdk_r5781.jar", "3.1.2"),
    SdkBuild("tencent-qq", "3.2.1", _CORDOVA_QQ, "src/android/open_sdk_r5793.jar", "3.2.1"),
)

ALL = (*ALIPAY, *WECHAT, *QQ)


@dataclass(frozen=True, slots=True)
class Triple:
    """The SDKs of one host app, one build of each family."""

    alipay: SdkBuild
    wechat: SdkBuild
    qq: SdkBuild

    @property
    def name(self) -> str:
        """Distinct among all triples."""
        return f"alipay{self.alipay.version}-wechat{self.wechat.version}-qq{self.qq.version}"

    @property
    def builds(self) -> tuple[SdkBuild, ...]:
        return (self.alipay, self.wechat, self.qq)


TRIPLES = tuple(
    Triple(alipay, WECHAT[number % len(WECHAT)], QQ[(number + number // len(WECHAT)) % len(QQ)])
    for number, alipay in enumerate(ALIPAY)
)
"""One per build of Alipay's SDK; the other two families cycle at different pace, so that their pairs vary."""
