"""String constants that survive shrinking in apps with the SDKs: what a renamed SDK is known by."""

from __future__ import annotations


def _each(prefix: str, words: str) -> tuple[str, ...]:
    return tuple(prefix + word for word in words.split())


WECHAT = (
    *_each("_mmessage_", "appPackage checksum content sdkVersion"),
    *_each(
        "_wxapi_", "basereq_openid basereq_transaction baseresp_errcode baseresp_errstr baseresp_openId command_type"
    ),
    *_each(
        "_wxapi_", "baseresp_transaction getmessage_req_country getmessage_req_lang launch_req_country launch_req_lang"
    ),
    *_each("_wxapi_payreq_", "appid extdata noncestr packagevalue partnerid prepayid sign timestamp"),
    *_each("_wxapi_payresp_", "extdata prepayid returnkey"),
    *_each("_wxapi_sendauth_", "req_scope req_state resp_country resp_lang resp_state resp_token resp_url"),
    *_each("_wxapi_showmessage_req_", "country lang"),
    *_each("_wxobject_", "description identifier_ mediatagname message_action message_ext sdkVer thumbdata title"),
    "_wxapp_pay_entry_classname_",
    "com.tencent.mm.openapi.token",
    "com.tencent.mm.plugin.openapi.Intent.ACTION_HANDLE_APP_REGISTER",
    "content://com.tencent.mm.sdk.plugin.provider/sharedpref",
    "MicroMsg.SDK.WXApiImplV10",
    "android 5.5.8",
)
ALIPAY = (
    *_each("alipay_", "cashier_dynamic_config cashier_statistic_record tid_storage vkey_random"),
    "alipay.msp.cashier.dispatch.bytes",
    "alipays://platformapi/startapp?appId=20000125&mqpSchemePay=",
    "android,3,%s,%s,com.alipay.mcpay,5.0,-,-,-",
    *_each("com.alipay.android.app", " .IAlixPay .IRemoteServiceCallback .TransProcessPayActivity"),
    "com.alipay.android.app",
    "com.alipay.android.msp.ui.views.MspContainerActivity",
    "com.alipay.mcpay",
    "com.alipay.mobile.common.transport.http.HttpManager.HttpWorker #",
    "com.alipay.mobilecashier",
    "com.eg.android.AlipayGphone.IAlixPay",
    "has_alipay",
    "hk.alipay.wallet",
    "http://mobilegw-1-64.test.alipay.net/mgw.htm",
    "http://mobilegw.aaa.alipay.net/mgw.htm",
    "http://mobilegw.stable.alipay.net/mgw.htm",
    "https://mcgw.alipay.com/sdklog.do",
    "https://mobilegw.alipay.com/mgw.htm",
    "js://wappay",
    "Msp/15.6.5",
)
QQ = (
    "auth://tauth.qq.com/",
    "com.tencent.connect.common.AssistActivity",
    "com.tencent.mobileqq_connectSdk.",
    "com.tencent.open.config.json",
    "com.tencent.tauth.AuthActivity",
    *_each("http://appsupport.qq.com/cgi-bin/", "appstage/mstats_batch_report qzapps/mapp_addapp.cgi"),
    "http://c.isdspeed.qq.com/code.cgi",
    "http://cgi.connect.qq.com/qqconnectopen/openapi/policy_conf",
    "http://fusion.qq.com/cgi-bin/qzapps/unified_jump?appid=%1$s&from=%2$s&isOpenAppID=1",
    "http://openmobile.qq.com/oauth2.0/m_jump_by_version?",
    "http://qzs.qq.com/open/mobile/login/qzsjump.html?",
    "http://wspeed.qq.com/w.cgi",
    "https://openmobile.qq.com/",
    "https://openmobile.qq.com/oauth2.0/m_authorize?",
    "mqqapi://share/to_fri?src_type=app&version=1&file_type=news",
    "openSDK_LOG",
    *_each("openSDK_LOG.", "APNUtil AsynScaleCompressImage AuthDialog HttpUtils JsBridge JsDialog MobileInfoUtil"),
    *_each("openSDK_LOG.", "OpenConfig QQAuth QQShare ReportManager SecureJsBridge ServerSetting SystemUtils TDialog"),
    "OpenSdk_3.2.1",
)
QQ_WALLET = (
    "mqqwallet://open_pay/",
    "com_tencent_mobileqq_open_pay",
    "com.tencent.mobileqq.open.pay",
    "_mqqpay_baseapi_apimark",
    "_mqqpay_baseapi_sdkversion",
    "_mqqpay_payapi_tokenid",
    "_mqqpay_payapi_bargainorId",
    "mqqopenpay",
)
WECHAT_PROTOCOL = (
    *_each("_mmessage_", "appPackage checksum content sdkVersion"),
    *_each("_wxapi_", "command_type basereq_transaction sendauth_req_scope sendauth_req_state"),
    *_each("_wxobject_", "description title thumbdata"),
)
"""Keys that every sender of WeChat's messages needs, whoever wrote it; none of a payment."""
QQ_PROTOCOL = (
    "auth://tauth.qq.com/",
    "com.tencent.mobileqq_connectSdk.",
    "mqqapi://gamesdk/add_friend?src_type=app&version=1",
    "mqqapi://gamesdk/bind_group?src_type=app&version=1",
)
QQ_LOG_TAGS = _each("openSDK_LOG.", "AuthAgent QQShare QzoneShare HttpUtils SystemUtils")
ALIPAY_PLAIN = (
    *_each("NETWORK_TYPE_", "1 2 3 4 5 6 8 9 10 11"),
    *_each("H5", "AuthDataAnalysisError AuthNetworkError PayDataAnalysisError PayNetworkError"),
    "ClientBindException",
    "ClientBindFailed",
    "TriDesDecryptError",
    "TriDesEncryptError",
    "virtualImeiAndImsi",
    "out_relation_id",
)
"""Exclusive to the SDK, and nothing in them says whose it is."""
WECHAT_PLAIN = (
    *_each("UUID_", "CANCELED CONFIRM ERROR EXPIRED KEEP_CONNECT SCANED"),
    *(f"] {word}:[" for word in ["DEVICE", "DISPLAY", "FINGERPRINT", "MANUFACTURER", "PRODUCT", "VERSION.CODENAME"]),
    *("] VERSION.INCREMENTAL:[", "VERSION.RELEASE:[", "cancelTask", "launchParam", "platformId", "unknown type"),
)
"""Words of a logger and of a login by a scanned code: exclusive among what was learned, and anybody's."""
ALIPAY_TWO_BUILDS = (
    " AlipaySDK(",
    *_each("alipay_", "cashier_dynamic_config cashier_statistic_record tid_storage trade_no"),
    "alipay.msp.cashier.dispatch.bytes",
    "com.alipay.mcpay",
    "has_alipay",
)
"""All of 15.5.9 and 15.6.5; the first is in no other build that was learned."""
ALIPAY_MODULUS = (
    "b6cbad6cbd5ed0d209afc69ad3b7a617efaae9b3c47eabe0be42d924936fa78c8001b1fd74b079e5ff9690061dacfa47"
    "68e981a526b9ca77156ca36251cf2f906d105481374998a7e6e6e18f75ca98b8ed2eaf86ff402c874cca0a263053f222"
    "37858206867d210020daa38c48b20cc9dfd82b44a51aeb5db459b22794e2d649"
)
"""Of the public key that signs Alipay, as its SDK and others state it."""
WECHAT_CERTIFICATE_MD5 = "18c867f0717aa67b2ab7347505ba07ed"
PROBED_IDS = (
    "com.tencent.mm",
    "com.tencent.mobileqq",
    "com.eg.android.AlipayGphone",
    "cn.wps.moffice_eng",
    "com.intsig.camscanner",
    "com.lenovo.anyshare.gps",
    "com.uc.vmate",
)
"""What push and advertising libraries ask for to learn which apps are installed."""
