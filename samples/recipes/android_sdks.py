"""Ordinary apps that carry an SDK of a designated app, one of its vendor, or only talk about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from recipes import apk, literals
from recipes.apk import AndroidApp
from recipes.sample import Expect, Sample, android, has_sdk
from recipes.toolchain import SOURCES


def _names(package: str, words: str) -> tuple[str, ...]:
    return tuple(package + word for word in words.split())


WX_CORE = _names(
    "com.tencent.mm.opensdk.",
    "openapi.WXAPIFactory openapi.IWXAPI openapi.IWXAPIEventHandler openapi.WXApiImplComm openapi.BaseWXApiImplV10"
    " constants.Build constants.ConstantsAPI modelbase.BaseReq modelbase.BaseResp modelmsg.SendAuth"
    " modelmsg.SendMessageToWX modelbiz.WXLaunchMiniProgram channel.MMessageActV2",
)
WX_PAY = _names(
    "com.tencent.mm.opensdk.", "modelpay.PayReq modelpay.PayResp modelpay.JumpToOfflinePay modelpay.WXJointPay"
)
WX_OLD = _names(
    "com.tencent.mm.sdk.",
    "openapi.WXAPIFactory openapi.IWXAPI openapi.WXApiImplV10 modelmsg.SendAuth modelpay.PayReq constants.Build",
)
QQ_CORE = _names(
    "com.tencent.",
    "tauth.Tencent tauth.IUiListener tauth.UiError connect.common.Constants connect.auth.AuthAgent connect.auth.QQToken"
    " connect.auth.QQAuth connect.UserInfo connect.share.QQShare connect.share.QzoneShare"
    " open.web.security.JniInterface",
)
QQ_ACTIVITIES = ("com.tencent.tauth.AuthActivity", "com.tencent.connect.common.AssistActivity")
QQ_WALLET = _names(
    "com.tencent.mobileqq.openpay.",
    "api.OpenApiFactory api.IOpenApi api.IOpenApiListener constants.OpenConstants data.base.BaseApi data.pay.PayApi"
    " data.pay.PayResponse",
)
ALIPAY_CORE = _names(
    "com.alipay.",
    "sdk.app.PayTask sdk.app.AuthTask sdk.app.EnvUtils sdk.app.H5PayCallback android.app.IAlixPay"
    " android.app.IRemoteServiceCallback apmobilesecuritysdk.face.APSecuritySdk",
)
ALIPAY_ACTIVITIES = _names("com.alipay.sdk.app.", "H5PayActivity H5AuthActivity PayResultActivity AlipayResultActivity")
ALIPAY_SHARE = _names(
    "com.alipay.share.sdk.",
    "openapi.APAPIFactory openapi.IAPApi openapi.IAPAPIEventHandler openapi.APMediaMessage openapi.APApiImlV1"
    " openapi.SendMessageToZFB Constant plugin.APVersionCheck",
)
CAMSCANNER = _names(
    "com.intsig.csopen.",
    "sdk.CSOpenAPI sdk.CSOpenAPIParam sdk.CSOpenApiFactory sdk.CSOpenApiHandler sdk.CSOpenApiV1 sdk.Const"
    " sdk.ReturnCode util.Log",
)
SHAREIT_APP = _names("com.lenovo.anyshare.", "main.MainActivity share.ShareActivity AnyShareApp")
WPS = ("cn.wps.moffice.service.OfficeService",)
WPS_SERVICES = ("cn.wps.moffice.client.OfficeServiceClient", "cn.wps.moffice.agent.OfficeServiceAgent")

TALKS_TO_WECHAT = '<queries><package android:name="com.tencent.mm"/></queries>'
TALKS_TO_QQ = (
    '<queries><package android:name="com.tencent.mobileqq"/><package android:name="com.tencent.tim"/></queries>'
)
TALKS_TO_ALIPAY = '<queries><package android:name="com.eg.android.AlipayGphone"/></queries>'


OWN = (".HomeActivity", ".ListActivity", ".DetailActivity", ".SettingsActivity", ".AboutActivity")
"""Activities of an ordinary app, declared and defined."""


def scheme_filter(scheme: str) -> str:
    """An intent filter for a URL scheme."""
    return (
        '<intent-filter><action android:name="android.intent.action.VIEW"/>'
        '<category android:name="android.intent.category.DEFAULT"/>'
        '<category android:name="android.intent.category.BROWSABLE"/>'
        f'<data android:scheme="{scheme}"/></intent-filter>'
    )


WX_FILTER = (".wxapi.WXEntryActivity", scheme_filter("wx0123456789abcdef"))
QQ_FILTER = (QQ_ACTIVITIES[0], scheme_filter("tencent101234567"))

WECHAT_LOGIN = AndroidApp(
    "com.example.wxlogin",
    label="Login with WeChat",
    label_zh="微信登录",
    activities=(".wxapi.WXEntryActivity",),
    classes=WX_CORE,
    strings=("android 5.5.8",),
    manifest=TALKS_TO_WECHAT,
    filters=(WX_FILTER,),
)
HOSTS: tuple[tuple[str, AndroidApp, tuple[Expect, ...], str], ...] = (
    ("wechat-login", WECHAT_LOGIN, (has_sdk("wechat"),), "WeChat Open SDK for login and share, without pay classes."),
    (
        "wechat-no-pay-entry",
        replace(WECHAT_LOGIN, package="com.example.wxshare", classes=(*WX_CORE, *WX_PAY)),
        (has_sdk("wechat"),),
        "WeChat Open SDK as shipped: pay classes inside, but no WXPayEntryActivity, so no payment.",
    ),
    (
        "wechat-pay",
        replace(
            WECHAT_LOGIN,
            package="com.example.wxpay",
            label="Pay with WeChat",
            label_zh="微信支付",
            activities=(".wxapi.WXEntryActivity", ".wxapi.WXPayEntryActivity"),
            classes=(*WX_CORE, *WX_PAY),
        ),
        (has_sdk("wechat"), has_sdk("wechat-pay")),
        "WeChat Open SDK with pay classes and WXPayEntryActivity.",
    ),
    (
        "wechat-old-sdk",
        AndroidApp(
            "com.example.wxold", activities=(".wxapi.WXEntryActivity",), classes=WX_OLD, strings=("android 2.1.3",)
        ),
        (has_sdk("wechat"),),
        "The old WeChat SDK under com.tencent.mm.sdk.",
    ),
    (
        "qq-connect",
        AndroidApp(
            "com.example.qqlogin",
            label="Login with QQ",
            activities=QQ_ACTIVITIES,
            classes=QQ_CORE,
            strings=("OpenSdk_3.5.17.lite", "V1_AND_OpenSDK_3.5.17.lite_1077_RDM_B"),
            manifest=TALKS_TO_QQ,
            filters=(QQ_FILTER,),
        ),
        (has_sdk("tencent-qq"),),
        "QQ connect for login and share.",
    ),
    (
        "qq-connect-with-map-classes",
        AndroidApp(
            "com.example.qqmap",
            activities=QQ_ACTIVITIES,
            classes=(*QQ_CORE, "com.tencent.map.a.a.a", "com.tencent.map.b.a"),
            filters=(QQ_FILTER,),
        ),
        (has_sdk("tencent-qq"),),
        "QQ connect 2.x, whose com.tencent.map.a and .b classes are not the map SDK.",
    ),
    (
        "qq-wallet",
        AndroidApp(
            "com.example.qqpay",
            label="Pay with QQ",
            activities=(".QQPayCallbackActivity",),
            classes=QQ_WALLET,
            strings=("mqqwallet://open_pay/", "1.1.0"),
            filters=((".QQPayCallbackActivity", scheme_filter("qwallet101234567")),),
        ),
        (has_sdk("qq-wallet"),),
        "QQ Wallet openpay SDK.",
    ),
    (
        "alipay",
        AndroidApp(
            "com.example.alipay",
            label="Pay with Alipay",
            label_zh="支付宝支付",
            activities=ALIPAY_ACTIVITIES,
            classes=ALIPAY_CORE,
            strings=("Msp/15.6.5", "15.6.5"),
            manifest=TALKS_TO_ALIPAY,
        ),
        (has_sdk("alipay"),),
        "Alipay payment SDK.",
    ),
    (
        "alipay-share",
        AndroidApp(
            "com.example.apshare",
            label="Share to Alipay",
            activities=(".apshare.ShareEntryActivity",),
            classes=ALIPAY_SHARE,
        ),
        (has_sdk("alipay"),),
        "Alipay share SDK.",
    ),
    (
        "camscanner",
        AndroidApp(
            "com.example.scan",
            label="Scan with CamScanner",
            classes=CAMSCANNER,
            strings=("com.intsig.provider.CSOpenApi", "com.intsig.camscanner.ACTION_SCAN"),
        ),
        (has_sdk("camscanner"),),
        "CamScanner open API.",
    ),
    (
        "wps-office",
        AndroidApp(
            "com.example.office",
            label="Open with WPS",
            services=WPS_SERVICES,
            classes=WPS,
            filters=tuple(
                (name, f'<intent-filter><action android:name="{name}"/></intent-filter>') for name in WPS_SERVICES
            ),
        ),
        (has_sdk("wps-office"),),
        "WPS Office AIDL integration.",
    ),
    (
        "shareit-app-code",
        AndroidApp("com.example.reshare", label="Share files", classes=SHAREIT_APP),
        (has_sdk("shareit"),),
        "Code of SHAREit under another id, as in a repackaged client; SHAREit has no SDK.",
    ),
    (
        "all-payments",
        AndroidApp(
            "com.example.shop",
            label="Shop",
            label_zh="商店",
            activities=(
                ".wxapi.WXEntryActivity",
                ".wxapi.WXPayEntryActivity",
                *ALIPAY_ACTIVITIES,
                *QQ_ACTIVITIES,
            ),
            classes=(*WX_CORE, *WX_PAY, *ALIPAY_CORE, *QQ_CORE, *QQ_WALLET),
            filters=(WX_FILTER, QQ_FILTER),
        ),
        tuple(has_sdk(subject) for subject in ("alipay", "qq-wallet", "tencent-qq", "wechat", "wechat-pay")),
        "Four SDKs in one app.",
    ),
)


def _certificate_hex() -> str:
    return "".join((SOURCES / "wechat-certificate.hex").read_text().split())


def sdk_hosts() -> Iterator[Sample]:
    """Apps that carry an SDK of a designated app."""
    for stem, app, expect, about in HOSTS:
        yield Sample(
            f"android/sdk-{stem}.apk", about, lambda app=app: apk.signed(app), (android(app.package, *expect),)
        )


def vendor_hosts() -> Iterator[Sample]:
    """Apps that carry only other SDKs of the same companies, some with traps inside."""
    san = '<meta-data android:name="com.san.APP_KEY" android:value="0000"/>'
    cases: tuple[tuple[str, AndroidApp, tuple[str, ...], str], ...] = (
        (
            "tencent-with-wechat-certificate",
            AndroidApp(
                "com.example.webview",
                classes=(
                    "com.tencent.mmkv.MMKV",
                    "com.tencent.bugly.crashreport.CrashReport",
                    "com.tencent.smtt.sdk.QbSdk",
                    "com.tencent.smtt.sdk.TbsInstaller",
                ),
                strings=(_certificate_hex(),),
            ),
            ("tencent-bugly-android", "tencent-mmkv-android", "tencent-tbs-android"),
            "MMKV, Bugly and TBS with the certificate of WeChat as a string: no WeChat SDK.",
        ),
        (
            "utdid",
            AndroidApp("com.example.utdid", classes=("com.ta.utdid2.device.UTDevice", "com.ut.device.UTDevice")),
            ("alibaba-utdid-android",),
            "UTDID comes with many SDKs and does not prove Alipay.",
        ),
        (
            "shareit-san",
            AndroidApp(
                "com.example.sanads", classes=("com.san.api.SanAdSdk", "com.san.ads.base.SANBaseAd"), application=san
            ),
            ("shareit-san-android",),
            "SHAREit Audience Network: an advertising SDK of the vendor, not of the app.",
        ),
        (
            "mpaas",
            AndroidApp(
                "com.example.mpaas",
                activities=("com.alipay.mobile.nebulacore.ui.H5Activity",),
                classes=(
                    "com.mpaas.mps.adapter.api.MPPush",
                    "com.alipay.mobile.framework.service.annotation.OperationType",
                ),
            ),
            ("alibaba-mpaas-android",),
            "mPaaS lives under com.alipay and is not the payment SDK.",
        ),
        (
            "uc-webview",
            AndroidApp("com.example.ucview", classes=("com.uc.webview.export.WebView",)),
            ("uc-webview-android",),
            "UC WebView: the vendor of VMate, which has no SDK of its own.",
        ),
    )
    for stem, app, vendor, about in cases:
        seen = android(app.package, vendor=vendor)
        yield Sample(f"android/vendor-{stem}.apk", about, lambda app=app: apk.signed(app), (seen,))


def references() -> Iterator[Sample]:
    """Apps that declare that they talk to a designated app, and carry no code of it."""
    every_query = "".join(f'<package android:name="{name}"/>' for name in literals.PROBED_IDS)
    plain = AndroidApp("com.example.plain", label="Plain", label_zh="普通")
    opens = AndroidApp("com.example.opens", manifest=TALKS_TO_WECHAT)
    referenced = has_sdk("wechat", "referenced")
    cases: tuple[tuple[str, AndroidApp, tuple[Expect, ...], str], ...] = (
        ("plain", plain, (), "An ordinary app that has nothing to do with any of them."),
        ("queries-wechat", opens, (referenced,), "<queries> names WeChat and nothing else does."),
        (
            "queries-all",
            AndroidApp("com.example.launcher", manifest=f"<queries>{every_query}</queries>"),
            (referenced, has_sdk("alipay", "referenced"), has_sdk("tencent-qq", "referenced")),
            "<queries> names every designated app.",
        ),
        (
            "declared-qq-activities",
            AndroidApp("com.example.declqq", activities=OWN, declared_only=QQ_ACTIVITIES, filters=(QQ_FILTER,)),
            (has_sdk("tencent-qq", "referenced"),),
            "The activities of QQ connect stand in the manifest; no class of it is inside.",
        ),
        (
            "declared-alipay-activities",
            AndroidApp("com.example.declali", activities=OWN, declared_only=ALIPAY_ACTIVITIES),
            (has_sdk("alipay", "referenced"),),
            "The activities of the Alipay SDK stand in the manifest; no class of it is inside.",
        ),
    )
    for stem, app, expect, about in cases:
        seen = (android(app.package, *expect),)
        yield Sample(f"android/near-sdk-{stem}.apk", about, lambda app=app: apk.signed(app), seen)


def mentions() -> Iterator[Sample]:
    """Apps whose own code names an SDK or calls it, and carries nothing of it."""
    wechat_called = _names("com.tencent.mm.opensdk.", "openapi.WXAPIFactory modelmsg.SendAuth modelpay.PayReq")
    cases: tuple[tuple[str, AndroidApp, tuple[Expect, ...], str], ...] = (
        (
            "calls-alipay",
            AndroidApp("com.example.callsali", called=_names("com.alipay.sdk.app.", "PayTask AuthTask EnvUtils")),
            (),
            "The app's code calls classes of the Alipay SDK that are not inside.",
        ),
        (
            "calls-wechat",
            AndroidApp("com.example.callswx", called=wechat_called),
            (),
            "The app's code calls classes of the WeChat SDK that are not inside.",
        ),
        (
            "probed-ids",
            AndroidApp("com.example.push", classes=("com.igexin.sdk.PushManager",), strings=literals.PROBED_IDS),
            (),
            "A push library lists package ids as strings to see which apps are installed.",
        ),
        (
            "few-literals",
            AndroidApp("com.example.few", strings=("_wxobject_title", "has_alipay", "auth://tauth.qq.com/")),
            (),
            "One literal of each SDK: too little for a renamed one.",
        ),
        (
            "lookalike-classes",
            AndroidApp(
                "com.example.looks",
                classes=(
                    "com.tencent.mm2.opensdk.openapi.WXAPIFactory",
                    "org.com.alipay.sdk.app.PayTask",
                    "com.alipay.sdkx.app.PayTask",
                    "com.tencent.tauthx.Tencent",
                    "com.example.Tencent",
                ),
            ),
            (),
            "Class names that hold the SDKs' words in other packages.",
        ),
    )
    for stem, app, expect, about in cases:
        seen = (android(app.package, *expect),)
        yield Sample(f"android/near-sdk-{stem}.apk", about, lambda app=app: apk.signed(app), seen)


def renamed() -> Iterator[Sample]:
    """SDKs whose classes were renamed: only their literals are left."""
    pay_entry = (".wxapi.WXEntryActivity", ".wxapi.WXPayEntryActivity")
    cases: tuple[tuple[str, AndroidApp, tuple[Expect, ...], str], ...] = (
        (
            "wechat",
            AndroidApp("com.example.rwx", activities=(".wxapi.WXEntryActivity",), strings=literals.WECHAT),
            (has_sdk("wechat", "renamed"),),
            "Literals of the WeChat SDK in a class a.a.b, with WXEntryActivity.",
        ),
        (
            "wechat-pay",
            AndroidApp("com.example.rwxpay", activities=pay_entry, strings=literals.WECHAT),
            (has_sdk("wechat", "renamed"), has_sdk("wechat-pay", "renamed")),
            "Literals of the WeChat SDK in a class a.a.b, with WXPayEntryActivity.",
        ),
        (
            "alipay",
            AndroidApp("com.example.rali", strings=literals.ALIPAY),
            (has_sdk("alipay", "renamed"),),
            "Literals of the Alipay SDK in a class a.a.b, nothing in the manifest.",
        ),
        (
            "qq-connect",
            AndroidApp("com.example.rqq", strings=literals.QQ),
            (has_sdk("tencent-qq", "renamed"),),
            "Literals of QQ connect in a class a.a.b.",
        ),
        (
            "qq-wallet",
            AndroidApp("com.example.rqqpay", strings=literals.QQ_WALLET),
            (has_sdk("qq-wallet", "renamed"),),
            "Literals of the QQ Wallet SDK in a class a.a.b.",
        ),
    )
    for stem, app, expect, about in cases:
        seen = (android(app.package, *expect),)
        yield Sample(f"android/renamed-{stem}.apk", about, lambda app=app: apk.signed(app), seen)


FAMILIES = (sdk_hosts, vendor_hosts, references, mentions, renamed)
