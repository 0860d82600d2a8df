"""iOS apps that carry SDK classes, in every place a bundle has for code, and apps that only talk about an SDK."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from recipes import ipa
from recipes.ipa import Framework, IosApp
from recipes.macho import Code
from recipes.sample import Expect, Sample, has_sdk, ios

WX_LOGIN = (
    "WXApi SendAuthReq SendAuthResp SendMessageToWXReq SendMessageToWXResp WXMediaMessage WXImageObject"
    " WXLaunchMiniProgramReq WXWebpageObject BaseReq BaseResp AppCommunicateData WXApiImpl"
)
WX_PAY = (
    "PayReq PayResp WXNontaxPayReq WXNontaxPayResp WXOfflinePayReq WXOfflinePayResp WXPayInsuranceReq"
    " WXPayInsuranceResp WXQRCodePayReq WXQRCodePayResp"
)
ALIPAY = "AlipaySDK APayAuthInfo AFServiceCenter AFServiceResponse AFServiceTask APDeductSDK"
QQ = "TencentOAuth QQApiInterface QQApiTextObject SendMessageToQQReq QQBaseReq TencentApiInterface"
QQ_WALLET = "QQWalletSDK QQWallet QWMessage QWPayTask QWPayment QWApplication"
CAMSCANNER = (
    "CSOpenAPIClientHandler CSOpenAPIClientHandlerVersion1 CSOpenAPIClientHandlerVersion2 CamScannerOpenAPIController"
)
WX_SCHEMES = ("wx0123456789abcdef",)
WX_QUERIES = ("weixin", "weixinULAPI", "weixinURLParamsAPI")
QQ_QUERIES = ("mqq", "mqqapi", "mqqopensdkapiV2", "tim")


def _code(words: str, *strings: str) -> Code:
    return Code(tuple(words.split()), strings=strings)


WECHAT_LOGIN = IosApp(
    "com.example.wxlogin",
    name="Login with WeChat",
    code=_code(WX_LOGIN, "weixin://app/%@/", "weixinULAPI://", "2.0.4"),
    schemes=WX_SCHEMES,
    queries=WX_QUERIES,
)
WECHAT_PAY = replace(
    WECHAT_LOGIN,
    bundle_id="com.example.wxpay",
    name="Pay with WeChat",
    code=_code(f"{WX_LOGIN} {WX_PAY}", "weixin://app/%@/", "%@://pay/", "weixinQRCodePayAPI://", "2.0.4"),
)
QQ_WALLET_FRAMEWORK = Framework("QQWalletSDK", tuple(QQ_WALLET.split()), ("com.tencent.qw.error", "mqqwallet"))
CAMSCANNER_FRAMEWORK = Framework(
    "CamScannerOpenAPIFramework",
    tuple(CAMSCANNER.split()),
    ("%@://com.intsig.openAPI",),
    "com.intsig.CamScannerOpenAPIFramework",
    "1.1.0",
)
HOSTS: tuple[tuple[str, IosApp, tuple[str, ...], str], ...] = (
    ("wechat-login", WECHAT_LOGIN, ("wechat",), "The NoPay build of the WeChat SDK, statically linked."),
    ("wechat-pay", WECHAT_PAY, ("wechat", "wechat-pay"), "The Pay build of the WeChat SDK, statically linked."),
    (
        "alipay",
        IosApp(
            "com.example.alipay",
            name="Pay with Alipay",
            code=_code(ALIPAY, "com.alipay.mcpay", "com.alipay.mobilecashier", "15.8.11"),
            schemes=("alipay2021000000000000",),
            queries=("alipay", "alipays"),
            files=(("AlipaySDK.bundle/bridge.js", b"// placeholder\n"),),
        ),
        ("alipay",),
        "Alipay SDK, statically linked, with its resource bundle.",
    ),
    (
        "qq-connect",
        IosApp(
            "com.example.qqlogin",
            name="Login with QQ",
            code=_code(QQ, "com.tencent.mqq.api.apiLargeData", "tencentOAuth"),
            schemes=("tencent101234567", "QQ0608A187"),
            queries=QQ_QUERIES,
        ),
        ("tencent-qq",),
        "QQ connect, statically linked.",
    ),
    (
        "qq-wallet-framework",
        IosApp("com.example.qqpay", name="Pay with QQ", frameworks=(QQ_WALLET_FRAMEWORK,), queries=("mqqwallet",)),
        ("qq-wallet",),
        "QQ Wallet SDK as an embedded dynamic framework.",
    ),
    (
        "camscanner-framework",
        IosApp("com.example.scan", frameworks=(CAMSCANNER_FRAMEWORK,), queries=("camscanner", "camscannerfree")),
        ("camscanner",),
        "CamScanner open API as an embedded dynamic framework.",
    ),
    (
        "camscanner-static",
        IosApp("com.example.scanstatic", code=_code(CAMSCANNER, "%@://com.intsig.openAPI")),
        ("camscanner",),
        "CamScanner open API, statically linked.",
    ),
    (
        "wps-office",
        IosApp(
            "com.example.office",
            code=_code("KWOfficeApi"),
            queries=("KingsoftOfficeApp", "KingsoftOfficeAppEnterprise", "WPSOfficeApi"),
        ),
        ("wps-office",),
        "KingsoftOfficeSDK, statically linked.",
    ),
)


def sdk_hosts() -> Iterator[Sample]:
    """Apps that carry an SDK of a designated app."""
    for stem, app, subjects, about in HOSTS:
        seen = ios(app.bundle_id, *(has_sdk(subject) for subject in subjects))
        yield Sample(f"ios/sdk-{stem}.ipa", about, lambda app=app: ipa.ipa(app), (seen,))


def references() -> Iterator[Sample]:
    """Apps that talk about a designated app and carry no code of it."""
    imports = Code(imported=("WXApi", "SendAuthReq", "AlipaySDK", "TencentOAuth"))
    referenced = tuple(has_sdk(subject, "referenced") for subject in ("wechat",))
    cases: tuple[tuple[str, IosApp, tuple[Expect, ...], str], ...] = (
        ("plain", IosApp("com.example.plain"), (), "An ordinary app that has nothing to do with any of them."),
        (
            "queries-weixin",
            IosApp("com.example.opens", queries=("weixin",)),
            referenced,
            "LSApplicationQueriesSchemes names weixin and nothing else does.",
        ),
        (
            "queries-all",
            IosApp(
                "com.example.share",
                queries=(*WX_QUERIES, *QQ_QUERIES, "alipay", "alipays", "mqqwallet", "camscanner", "WPSOfficeApi"),
            ),
            (has_sdk("wechat", "referenced"), has_sdk("alipay", "referenced"), has_sdk("tencent-qq", "referenced")),
            "LSApplicationQueriesSchemes names every designated app.",
        ),
        (
            "imports",
            IosApp("com.example.imports", code=imports),
            (),
            "SDK classes are undefined symbols of the executable: used, not carried.",
        ),
        (
            "generic-names",
            IosApp("com.example.generic", code=_code("PayReq PayResp BaseReq BaseResp OpenApi ConfigManager")),
            (),
            "Only class names that anybody may use.",
        ),
        (
            "lookalike-classes",
            IosApp("com.example.looks", code=_code("WXApi2 MyWXApi AlipaySDKWrapper TencentOAuthProxy XKWOfficeApi")),
            (),
            "Class names that hold the SDKs' words.",
        ),
    )
    for stem, app, expect, about in cases:
        seen = (ios(app.bundle_id, *expect),)
        yield Sample(f"ios/near-sdk-{stem}.ipa", about, lambda app=app: ipa.ipa(app), seen)


FAMILIES = (sdk_hosts, references)
