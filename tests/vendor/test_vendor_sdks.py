"""Apps built with the vendors' real SDK binaries are found, by version where the SDK states one."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor import audit
from auditor.model import Audit, FactKind, Grade, Match, Role, Verdict
from tests.vendor.builds import AndroidApp, IosApp, android_app, classes_jar, ios_app, missing_tools
from tests.vendor.registry import member_of

pytestmark = [
    pytest.mark.vendor,
    pytest.mark.skipif(bool(missing_tools()), reason=f"tools are missing: {', '.join(missing_tools())}"),
]

UIW4 = ("@uiw/react-native-alipay@4.0.0-beta.1", "21848aff2a5720939212e2bb9f44530583e911c778e1f98e91eebfa64aab3e92")
UIW5 = ("@uiw/react-native-alipay@5.0.2", "a6cdb6baf378eebefcee1dac4892e1c4650b8a1f207565baeaa92c2b8f5b2af8")
X5E = ("@0x5e/react-native-alipay@0.2.6", "0b2d7d9786a9bdbc920f4e889bd4a106197c9444253d4066a60ad70bb91e1bce")
ALIPAY_V2 = ("cordova-plugin-alipay-v2@2.0.0", "1422cc9031740f30e58117e9e8a5ab3d873533b15cdd1d553a42e4333c1da17e")
YUNPENG = ("react-native-yunpeng-alipay@2.0.0", "550c9a6cb855adab5d23a1a3e29d522544601733bb45d13ed190448eaf9d40b9")
RN_WECHAT = ("react-native-wechat@1.9.9", "46b757b188bb5bbaf5b67665cc531080a62b9f3b589aee761ddc445524e7b3b6")
WECHAT_LIB1 = ("react-native-wechat-lib@1.1.23", "8c7d6ec71843098e2dc3a868f5c39d750fb32b341736516354bf6e15223b702d")
WECHAT_LIB3 = ("react-native-wechat-lib@3.0.4", "21fa90f1f1e46afcb5312e2490151c7681ac09196278c60292aa3d9afd10711d")
CORDOVA_WX1 = ("cordova-plugin-wechat@1.4.0", "201bf0a737e3ff8144872836019350eee86af6feaed4aadeb5e65d7955753bef")
CORDOVA_WX2 = ("cordova-plugin-wechat@2.9.0", "5d636d82d961dbd946cdafaebf206bf16ae17a073ceb44705b2ff6f7d2cf3178")
RN_QQ = ("react-native-qq@1.4.3", "93b53b28ea6fb40a47965139d4a46e15c8fd09d09512f31a300ae33136fdd7b9")
RN_QQSDK = ("react-native-qqsdk@0.6.9", "98adae12844ac84953bbf779058e68630132802c3fe1fb69fbce57e37b295861")
CORDOVA_QQ = ("cordova-plugin-qqsdk@0.9.6", "71c387f24f6c7e4229ea94b597068b3a07e56d99b78969fab8b52bdc33c81a8b")
PINGPP = ("pingpp-react-native@1.1.3", "afbddaabc6553408cbf44c6153085d84e99527650439da35456f1ec27de88a8a")

ALIPAY_ACTIVITIES = ("com.alipay.sdk.app.H5PayActivity",)
QQ_ACTIVITIES = ("com.tencent.tauth.AuthActivity", "com.tencent.connect.common.AssistActivity")
WX_ACTIVITIES = (".wxapi.WXEntryActivity", ".wxapi.WXPayEntryActivity")


def only(path: Path) -> Audit:
    problems: list[object] = []
    found = list(audit(path, problems=problems))  # type: ignore[arg-type]
    assert problems == []
    assert len(found) == 1
    return found[0]


def sdk(found: Audit, subject: str) -> Match:
    answer = next(item for item in found.answers if item.subject == subject)
    assert answer.verdict is Verdict.PRESENT, [str(problem.detail) for problem in found.problems]
    assert answer.matches[0].role is Role.SDK
    return answer.matches[0]


def present(found: Audit) -> set[str]:
    return {item.subject for item in found.answers if item.verdict is Verdict.PRESENT}


@pytest.mark.parametrize(
    ("package", "member", "subject", "version", "declared", "own"),
    [
        pytest.param(
            UIW4,
            "android/libs/alipaysdk-15.8.03.210428205839.aar",
            "alipay",
            "15.8.02",
            (),
            ALIPAY_ACTIVITIES,
            id="alipay 15.8.03, which calls itself 15.8.02",
        ),
        pytest.param(
            ALIPAY_V2,
            "src/android/lib/alipaySdk-15.6.5-20190718211148.aar",
            "alipay",
            "15.6.5",
            (),
            ALIPAY_ACTIVITIES,
            id="alipay 15.6.5",
        ),
        pytest.param(
            X5E,
            "android/libs/alipaySdk-15.5.9-20181123210601.aar",
            "alipay",
            "15.5.9",
            (),
            ALIPAY_ACTIVITIES,
            id="alipay 15.5.9",
        ),
        pytest.param(
            YUNPENG,
            "android/libs/alipaySdk-20160223.jar",
            "alipay",
            "15.0.8",
            (),
            ALIPAY_ACTIVITIES,
            id="alipay 15.0.8",
        ),
        pytest.param(RN_WECHAT, "android/libs/libammsdk.jar", "wechat", None, WX_ACTIVITIES[:1], (), id="wechat 2.1.3"),
        pytest.param(
            WECHAT_LIB1,
            "android/libs/libammsdk.jar",
            "wechat",
            None,
            WX_ACTIVITIES[:1],
            (),
            id="wechat libammsdk of wechat-lib",
        ),
        pytest.param(
            CORDOVA_WX1,
            "src/android/libammsdk.jar",
            "wechat",
            None,
            WX_ACTIVITIES[:1],
            (),
            id="wechat libammsdk of cordova",
        ),
        pytest.param(RN_QQ, "android/libs/open_sdk_r5756.jar", "tencent-qq", "3.1.0", (), QQ_ACTIVITIES, id="qq 3.1.0"),
        pytest.param(
            RN_QQSDK, "android/libs/open_sdk_r5781.jar", "tencent-qq", "3.1.2", (), QQ_ACTIVITIES, id="qq 3.1.2"
        ),
        pytest.param(
            CORDOVA_QQ, "src/android/open_sdk_r5793.jar", "tencent-qq", "3.2.1", (), QQ_ACTIVITIES, id="qq 3.2.1"
        ),
    ],
)
def test_android_sdk_binaries_are_embedded(
    tmp_path: Path,
    package: tuple[str, str],
    member: str,
    subject: str,
    version: str | None,
    declared: tuple[str, ...],
    own: tuple[str, ...],
) -> None:
    host = AndroidApp("com.example.vendor", activities=declared, declared_only=own)
    path = tmp_path / "app.apk"
    path.write_bytes(android_app(host, [classes_jar(member_of(*package, member))]))
    found = only(path)
    match = sdk(found, subject)
    assert match.grade is Grade.EMBEDDED
    assert present(found) == {subject}, "one SDK, one subject"
    assert any(hit.kind is FactKind.DEX_CLASS for hit in match.hits)
    assert all(str(fact.origin).startswith("app.apk!") for hit in match.hits for fact in hit.facts)
    if version is not None:
        assert version in match.version
    else:
        assert match.version


def test_wechat_pay_needs_its_entry_activity(tmp_path: Path) -> None:
    jar = member_of(*RN_WECHAT, "android/libs/libammsdk.jar")
    for activities, expected in ((WX_ACTIVITIES, {"wechat", "wechat-pay"}), (WX_ACTIVITIES[:1], {"wechat"})):
        path = tmp_path / f"{len(activities)}.apk"
        path.write_bytes(android_app(AndroidApp("com.example.vendor", activities=activities), [jar]))
        assert present(only(path)) == expected


def test_the_real_qq_wallet_jar_is_found(tmp_path: Path) -> None:
    jar = classes_jar(member_of(*PINGPP, "android/libs/pingpp-qpay-2.1.19.aar"), "libs/mqqopenpay.jar")
    path = tmp_path / "app.apk"
    path.write_bytes(android_app(AndroidApp("com.example.vendor"), [jar]))
    found = only(path)
    assert sdk(found, "qq-wallet").grade is Grade.EMBEDDED
    assert present(found) == {"qq-wallet"}


USES = """
public static Object a(android.app.Activity host, java.util.Map<String, String> order) {
  return new com.alipay.sdk.app.PayTask(host).pay(order.get("order"), order.isEmpty());
}
public static void b(android.app.Activity host, String id, android.os.Bundle state) {
  com.tencent.tauth.Tencent t = com.tencent.tauth.Tencent.createInstance(id, host);
  t.shareToQQ(host, state, null);
}
public static boolean c(android.content.Context host, String id, String sign) {
  com.tencent.mm.sdk.openapi.IWXAPI api = com.tencent.mm.sdk.openapi.WXAPIFactory.createWXAPI(host, id);
  api.registerApp(id);
  com.tencent.mm.sdk.modelpay.PayReq req = new com.tencent.mm.sdk.modelpay.PayReq();
  req.appId = id; req.sign = sign; req.partnerId = sign; req.prepayId = id; req.nonceStr = sign;
  req.timeStamp = id; req.packageValue = sign;
  return api.sendReq(req);
}
"""


def test_three_sdks_renamed_by_r8_in_full_mode_are_found_by_their_literals(tmp_path: Path) -> None:
    jars = [
        classes_jar(member_of(*ALIPAY_V2, "src/android/lib/alipaySdk-15.6.5-20190718211148.aar")),
        member_of(*CORDOVA_QQ, "src/android/open_sdk_r5793.jar"),
        member_of(*RN_WECHAT, "android/libs/libammsdk.jar"),
    ]
    host = AndroidApp("com.example.vendor", activities=WX_ACTIVITIES)
    path = tmp_path / "app.apk"
    path.write_bytes(android_app(host, jars, shrink=USES))
    found = only(path)
    assert {item: sdk(found, item).grade for item in sorted(present(found))} == {
        "alipay": Grade.RENAMED,
        "tencent-qq": Grade.RENAMED,
        "wechat": Grade.RENAMED,
        "wechat-pay": Grade.RENAMED,
    }


@pytest.mark.parametrize(
    ("package", "member", "subjects", "version"),
    [
        pytest.param(UIW5, "ios/AlipaySDK.framework/AlipaySDK", {"alipay"}, "15.8.11", id="alipay 15.8.11"),
        pytest.param(UIW4, "ios/AlipaySDK.framework/AlipaySDK", {"alipay"}, "15.8.03", id="alipay 15.8.03"),
        pytest.param(X5E, "ios/libAlipaySDK.a", {"alipay"}, "15.5.9", id="alipay 15.5.9"),
        pytest.param(YUNPENG, "ios/AlipaySDK.framework/AlipaySDK", {"alipay"}, "15.1.0", id="alipay 15.1.0"),
        pytest.param(WECHAT_LIB3, "ios/libWeChatSDK.a", {"wechat", "wechat-pay"}, "2.0.0", id="wechat 2.0.0"),
        pytest.param(WECHAT_LIB1, "ios/libWeChatSDK.a", {"wechat", "wechat-pay"}, "1.8.7.1", id="wechat 1.8.7.1"),
        pytest.param(
            CORDOVA_WX2,
            "src/ios/libs/OpenSDK1.8.0/libWeChatSDK.a",
            {"wechat", "wechat-pay"},
            "1.8.3.1",
            id="wechat 1.8.3.1",
        ),
        pytest.param(RN_WECHAT, "ios/libWeChatSDK.a", {"wechat", "wechat-pay"}, "1.7.2", id="wechat 1.7.2"),
        pytest.param(
            RN_QQ, "ios/RCTQQAPI/TencentOpenAPI.framework/TencentOpenAPI", {"tencent-qq"}, "3.1_lite", id="qq rn-qq"
        ),
        pytest.param(
            RN_QQSDK, "ios/RCTQQSDK/TencentOpenAPI.framework/TencentOpenAPI", {"tencent-qq"}, "3.1", id="qq rn-qqsdk"
        ),
        pytest.param(
            CORDOVA_QQ, "src/ios/TencentOpenAPI.framework/TencentOpenAPI", {"tencent-qq"}, "3.2.1", id="qq cordova"
        ),
    ],
)
def test_ios_sdk_binaries_are_embedded(
    tmp_path: Path, package: tuple[str, str], member: str, subjects: set[str], version: str
) -> None:
    path = tmp_path / "app.ipa"
    path.write_bytes(ios_app(IosApp("com.example.vendor"), [member_of(*package, member)]))
    found = only(path)
    assert present(found) == subjects
    for subject in sorted(subjects):
        match = sdk(found, subject)
        assert match.grade is Grade.EMBEDDED
        assert any(hit.kind is FactKind.OBJC_CLASS for hit in match.hits)
        assert match.version == version


@pytest.mark.parametrize("strip", [("-x",), ("-x", "-S"), ("--strip-all",)])
def test_a_stripped_executable_still_shows_the_sdks(tmp_path: Path, strip: tuple[str, ...]) -> None:
    libraries = [
        member_of(*WECHAT_LIB3, "ios/libWeChatSDK.a"),
        member_of(*UIW5, "ios/AlipaySDK.framework/AlipaySDK"),
    ]
    path = tmp_path / "app.ipa"
    path.write_bytes(ios_app(IosApp("com.example.vendor"), libraries, strip=strip, dead_strip=True))
    assert present(only(path)) == {"alipay", "wechat", "wechat-pay"}
