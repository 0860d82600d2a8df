"""Stub apps that carry the ids of the designated apps, and near misses that must not count."""

from __future__ import annotations

from collections.abc import Iterator

from recipes import apk
from recipes.apk import AndroidApp
from recipes.sample import Expect, Sample, android, is_app

STUBS: tuple[tuple[str, str, tuple[str, ...], str, str, str], ...] = (
    ("alipay", "com.eg.android.AlipayGphone", ("alipay",), "impostor", "Alipay", "支付宝"),
    ("camscanner", "com.intsig.camscanner", ("camscanner",), "impostor", "CamScanner", "扫描全能王"),
    ("qq-and-qq-wallet", "com.tencent.mobileqq", ("tencent-qq", "qq-wallet"), "impostor", "QQ", ""),
    ("wechat-and-wechat-pay", "com.tencent.mm", ("wechat", "wechat-pay"), "impostor", "WeChat", "微信"),
    ("wps-office", "cn.wps.moffice_eng", ("wps-office",), "impostor", "WPS Office", ""),
    ("shareit", "com.lenovo.anyshare.gps", ("shareit",), "claimed", "SHAREit", "茄子快传"),
    ("vmate", "com.uc.vmate", ("vmate",), "claimed", "VMate", ""),
)
"""File stem, package id, subjects, grade under our test key, labels; only the first five have a signer reference."""

VARIANTS: tuple[tuple[str, str, str, str, str], ...] = (
    ("shareit-lite", "shareit.lite", "shareit", "claimed", "SHAREit Lite"),
    ("shareit-china", "com.lenovo.anyshare", "shareit", "claimed", "茄子快传"),
    ("vmate-status", "com.uc.vmlite", "vmate", "claimed", "VMate Status"),
    ("qq-international", "com.tencent.mobileqqi", "tencent-qq", "impostor", "QQi"),
    ("qq-tim", "com.tencent.tim", "tencent-qq", "impostor", "TIM"),
)

NEAR_MISSES: tuple[tuple[str, str, str], ...] = (
    ("wechat-suffix", "com.tencent.mm2", "The id of WeChat with one more character."),
    ("wechat-case", "com.Tencent.mm", "The id of WeChat with another case; Android ids are case-sensitive."),
    ("wechat-subpackage", "com.tencent.mm.plugin", "The id of WeChat with one more step."),
    ("wecom", "com.tencent.wework", "WeCom: the same vendor, another app."),
    ("qq-typo", "com.tencent.mobi1eqq", "The id of QQ with a digit one for a letter."),
    ("qzone", "com.qzone", "QZone: the same vendor, another app."),
    ("alipay-case", "com.eg.android.alipaygphone", "The id of Alipay in lower case."),
    ("alipay-hk", "hk.alipay.wallet", "AlipayHK: an affiliate's product, not designated."),
    ("alipay-merchant", "com.alipay.m.portal", "Alipay for merchants: the same vendor, another app."),
    ("camscanner-suffix", "com.intsig.camscannerlite", "An unconfirmed id seen in third-party lists."),
    ("camcard", "com.intsig.BizCardReader", "CamCard: the same vendor, another app."),
    ("shareit-lookalike", "apkshare.shareapps.filetransfer.shareit.bluetooth", "A foreign id that holds the word."),
    ("cloneit", "com.lenovo.anyshare.cloneit", "CLONEit: the same vendor, another app."),
    ("vmate-suffix", "com.uc.vmates", "The id of VMate with one more letter."),
    ("uc-browser", "com.UCMobile", "UC Browser: the same vendor, another app."),
    ("powerword", "com.kingsoft", "PowerWord: Kingsoft, but not WPS Office."),
    ("wps-pdf", "cn.wps.pdf", "WPS PDF: the same vendor, another app."),
    ("officesuite", "com.mobisystems.editor.office_registered", "OfficeSuite, which some lists call WPS Office."),
)


def _stub(package: str, label: str, label_zh: str = "") -> AndroidApp:
    return AndroidApp(package, label=label, label_zh=label_zh, version="9.9.9", version_code=999)


def _expected(subjects: tuple[str, ...], grade: str) -> tuple[Expect, ...]:
    return tuple(is_app(subject, grade) for subject in subjects)


def stubs() -> Iterator[Sample]:
    """The main id of every product, signed with our test key."""
    for stem, package, subjects, grade, label, label_zh in STUBS:
        app = _stub(package, label, label_zh)
        seen = android(package, *_expected(subjects, grade), signing="verified")
        about = f"A stub with the id {package}, signed with our test key."
        yield Sample(f"android/{stem}-{grade}.apk", about, lambda app=app: apk.signed(app), (seen,))


def unsigned_stubs() -> Iterator[Sample]:
    """The same ids without any signature: no platform would install them, and they are never the app."""
    for stem, package, subjects, _, label, label_zh in STUBS:
        app = _stub(package, label, label_zh)
        seen = android(package, *_expected(subjects, "impostor"), signing="missing")
        about = f"A stub with the id {package} and no signature."
        yield Sample(f"android/{stem}-unsigned.apk", about, lambda app=app: apk.unsigned(app), (seen,))


def variants() -> Iterator[Sample]:
    """Other editions of the named apps."""
    for stem, package, subject, grade, label in VARIANTS:
        app = _stub(package, label)
        seen = android(package, is_app(subject, grade), signing="verified")
        about = f"A stub with the id {package}, another edition of the named app."
        yield Sample(f"android/{stem}-{grade}.apk", about, lambda app=app: apk.signed(app), (seen,))


def near_misses() -> Iterator[Sample]:
    """Ids that look like a designated app and are none."""
    for stem, package, about in NEAR_MISSES:
        app = _stub(package, "Near miss")
        seen = android(package)
        yield Sample(f"android/near-{stem}.apk", about, lambda app=app: apk.signed(app), (seen,))


FAMILIES = (stubs, unsigned_stubs, variants, near_misses)
